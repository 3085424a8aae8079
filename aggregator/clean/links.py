"""Resolves URLs; only http and https are accepted (I54, I55, S33)."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from aggregator.model.entry import RawLink
from aggregator.urls import BadUrl, Url, normalise_link

_BREAKS = re.compile(r"[\t\r\n]+")
_ABSOLUTE = re.compile(r"https?://", re.IGNORECASE)
_HTML = re.compile(r"html|^$")


def resolve(href: str, bases: Iterable[Url | None]) -> Url | None:
    """Return the absolute URL of a reference.

    As in a browser, line ends and tabs are removed and blanks are escaped, because publishers wrap long links.

    Args:
        href: as written.
        bases: possible base URLs, best first (I54).

    Returns:
        None if the result is not an http or https URL.
    """
    text = href.strip()
    if not text.isprintable() or " " in text:
        text = _BREAKS.sub("", text).replace(" ", "%20")
    if text.startswith(("https://", "http://")) or _ABSOLUTE.match(text):
        return _normal(text, None)
    return _normal(text, next((base for base in bases if base), None)) if text else None


@lru_cache(maxsize=4096)
def _normal(text: str, base: Url | None) -> Url | None:
    try:
        return normalise_link(text, base)
    except BadUrl:
        return None


def base_of(declared: str | None, url: Url) -> Url | None:
    """Return xml:base, resolved against the address that sent the response; None if there is none."""
    return resolve(declared, (url,)) if declared else None


def alternate_of(links: Sequence[RawLink], url: Url) -> Url | None:
    """Return the page of a feed or an entry: the alternate link of type HTML, otherwise any alternate link (I55)."""
    alternates = [link for link in links if link.rel == "alternate"]
    for link in sorted(alternates, key=lambda link: not _HTML.search(link.type or "")):
        if found := resolve(link.href, (base_of(link.base, url), url)):
            return found
    return None


def related(links: Sequence[RawLink], rel: str, url: Url) -> Url | None:
    """Return the first usable link with the relation `rel`."""
    for link in links:
        if link.rel == rel and (found := resolve(link.href, (base_of(link.base, url), url))):
            return found
    return None
