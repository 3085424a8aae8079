"""The feeds that a web page names (P90): all of them, in its order, none chosen."""

import re
from collections.abc import Iterable, Sequence
from html import unescape
from typing import Final
from urllib.parse import urljoin

from aggregator.errors import NamedFeed
from aggregator.urls import BadUrl, Url, normalise

MAX_FEEDS: Final = 50
_READ: Final = 1 << 20  # characters: a page names its feeds in its head
_TYPES = {
    "application/atom+xml": "atom",
    "application/rss+xml": "rss",
    "application/rdf+xml": "rdf",
    "application/feed+json": "json",
}
_DULL_TYPES = frozenset({"application/xml", "text/xml", "application/json"})  # feeds if the address says so
_TELLING = re.compile(r"(?:rss|atom|feed|rdf)", re.IGNORECASE)
_FORMATS = ("atom", "rss", "json", "rdf", "")  # the one that says most comes first
_COMMENTS = ("comment", "kommentar", "comentario", "评论", "評論", "コメント", "комментар")
# Tried in this order, and no others, where a page names nothing.
WELL_KNOWN: Final = ("/feed", "/feed.xml", "/atom.xml")
# One token each; what a page has in comments and scripts is no link of it.
_TOKEN = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<(script|style|template|noscript|textarea|title)\b[^<>]*>.*?(?:</\1\s*>|\Z)"
    r"|<(?P<name>base|link)\b(?P<attributes>(?:[^\"'<>]|\"[^\"<]*\"|'[^'<]*')*+)>"
    r"|<",
    re.IGNORECASE | re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([A-Za-z][\w:-]{0,40})\s*+=\s*+(\"[^\"]*\"|'[^']*'|[^\s\"'>]++)")


def discover(text: str, url: Url) -> tuple[NamedFeed, ...]:
    """Read `<link rel="alternate" type=…>`, in the order of the page, resolved against `<base>` (P90).

    Args:
        text: of the page.
        url: of the page.

    Returns:
        All candidates, each address once, at most `MAX_FEEDS`; none for a page that names none: see `guesses`.
    """
    base: str = url
    seen_base = False
    found: dict[Url, NamedFeed] = {}
    for token in _TOKEN.finditer(text[:_READ]):
        name = (token["name"] or "").lower()
        if name not in ("base", "link"):
            continue
        said = _attributes(token["attributes"])
        if name == "base":
            if not seen_base and said.get("href"):
                base, seen_base = _joined(url, said["href"]), True
            continue
        format_ = _format_of(said)
        if format_ is None:
            continue
        try:
            target = normalise(_joined(base, said["href"]))
        except BadUrl:
            continue
        found.setdefault(target, NamedFeed(url=target, title=_title(said), format=format_))
        if len(found) == MAX_FEEDS:
            break
    return tuple(found.values())


def best_first(feeds: Iterable[NamedFeed]) -> Sequence[NamedFeed]:
    """Order the feeds that a page names: comments last, Atom before RSS, and otherwise as the page has them."""
    return sorted(feeds, key=lambda feed: (_is_of_comments(feed), _FORMATS.index(feed.format)))


def _is_of_comments(feed: NamedFeed) -> bool:
    said = f"{feed.title} {feed.url}".casefold()
    return any(word in said for word in _COMMENTS)


def guesses(url: Url) -> tuple[Url, ...]:
    """Give the well-known paths of a site, three at most, for a page that names no feed (P90)."""
    return tuple(normalise(urljoin(url, path)) for path in WELL_KNOWN)


def _format_of(said: dict[str, str]) -> str | None:
    """Tell what feed a link leads to; None if to none."""
    relations = said.get("rel", "").lower().split()
    href = said.get("href", "").strip()
    if not href or not ({"alternate", "feed"} & set(relations)) or "stylesheet" in relations:
        return None
    kind = said.get("type", "").partition(";")[0].strip().lower()
    if kind in _TYPES:
        return _TYPES[kind]
    if "feed" in relations or (kind in _DULL_TYPES and _TELLING.search(href)):
        return ""
    return None


def _attributes(text: str) -> dict[str, str]:
    said: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(text):
        value = match[2][1:-1] if match[2][0] in "\"'" else match[2]
        said.setdefault(match[1].lower(), unescape(value[:4096]).strip())
    return said


def _joined(base: str, href: str) -> str:
    try:
        return urljoin(base, href)
    except ValueError:
        return ""


def _title(said: dict[str, str]) -> str:
    return " ".join(said.get("title", "").split())[:200]
