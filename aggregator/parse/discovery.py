"""Finds the feeds that a web page names (P90), all of them in page order."""

import re
from collections.abc import Iterable, Sequence
from html import unescape
from typing import Final
from urllib.parse import urljoin

from aggregator.errors import NamedFeed
from aggregator.urls import BadUrl, Url, normalise

MAX_FEEDS: Final = 50
_SCANNED: Final = 1 << 20  # characters that are searched: a page names its feeds in its head
_TYPES = {
    "application/atom+xml": "atom",
    "application/rss+xml": "rss",
    "application/rdf+xml": "rdf",
    "application/feed+json": "json",
}
_GENERIC_TYPES = frozenset(
    {"application/xml", "text/xml", "application/json"}
)  # types of feeds only if the URL contains the name of a format
_FEED_IN_URL = re.compile(r"(?:rss|atom|feed|rdf)", re.IGNORECASE)
_FORMATS = ("atom", "rss", "json", "rdf", "")  # in order of preference: the format with the most information first
_COMMENTS = ("comment", "kommentar", "comentario", "评论", "評論", "コメント", "комментар")
# The only paths that are tried if a page names no feed, in this order.
WELL_KNOWN: Final = ("/feed", "/feed.xml", "/atom.xml")
# Matches one token. Links in comments and scripts do not count.
_TOKEN = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<(script|style|template|noscript|textarea|title)\b[^<>]*>.*?(?:</\1\s*>|\Z)"
    r"|<(?P<name>base|link)\b(?P<attributes>(?:[^\"'<>]|\"[^\"<]*\"|'[^'<]*')*+)>"
    r"|<",
    re.IGNORECASE | re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([A-Za-z][\w:-]{0,40})\s*+=\s*+(\"[^\"]*\"|'[^']*'|[^\s\"'>]++)")


def discover(text: str, url: Url) -> tuple[NamedFeed, ...]:
    """Return the feeds of `<link rel="alternate" type=…>` in page order, resolved against `<base>` (P90).

    Args:
        text: the page.
        url: the address of the page.

    Returns:
        All candidates, each address once, at most `MAX_FEEDS`. If the page names none, the caller can try `guesses`.
    """
    base: str = url
    seen_base = False
    found: dict[Url, NamedFeed] = {}
    for token in _TOKEN.finditer(text[:_SCANNED]):
        name = (token["name"] or "").lower()
        if name not in ("base", "link"):
            continue
        attributes = _attributes(token["attributes"])
        if name == "base":
            if not seen_base and attributes.get("href"):
                base, seen_base = _joined(url, attributes["href"]), True
            continue
        format_ = _format_of(attributes)
        if format_ is None:
            continue
        try:
            target = normalise(_joined(base, attributes["href"]))
        except BadUrl:
            continue
        found.setdefault(target, NamedFeed(url=target, title=_title(attributes), format=format_))
        if len(found) == MAX_FEEDS:
            break
    return tuple(found.values())


def best_first(feeds: Iterable[NamedFeed]) -> Sequence[NamedFeed]:
    """Sort the feeds of a page: feeds of comments last, Atom before RSS, otherwise in page order."""
    return sorted(feeds, key=lambda feed: (_is_of_comments(feed), _FORMATS.index(feed.format)))


def _is_of_comments(feed: NamedFeed) -> bool:
    attributes = f"{feed.title} {feed.url}".casefold()
    return any(word in attributes for word in _COMMENTS)


def guesses(url: Url) -> tuple[Url, ...]:
    """Return the well-known feed addresses of a site, for a page that names no feed (P90)."""
    return tuple(normalise(urljoin(url, path)) for path in WELL_KNOWN)


def _format_of(attributes: dict[str, str]) -> str | None:
    """Return the format of the feed that a link leads to, "" for an unknown format; None if it leads to no feed."""
    relations = attributes.get("rel", "").lower().split()
    href = attributes.get("href", "").strip()
    if not href or not ({"alternate", "feed"} & set(relations)) or "stylesheet" in relations:
        return None
    kind = attributes.get("type", "").partition(";")[0].strip().lower()
    if kind in _TYPES:
        return _TYPES[kind]
    if "feed" in relations or (kind in _GENERIC_TYPES and _FEED_IN_URL.search(href)):
        return ""
    return None


def _attributes(text: str) -> dict[str, str]:
    attributes: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(text):
        value = match[2][1:-1] if match[2][0] in "\"'" else match[2]
        attributes.setdefault(match[1].lower(), unescape(value[:4096]).strip())
    return attributes


def _joined(base: str, href: str) -> str:
    try:
        return urljoin(base, href)
    except ValueError:
        return ""


def _title(attributes: dict[str, str]) -> str:
    return " ".join(attributes.get("title", "").split())[:200]
