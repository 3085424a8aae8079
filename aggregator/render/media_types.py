"""Headers of published files: media type, purpose, and how long a reader may keep them (A70, A75, A79)."""

from enum import Enum

from aggregator.model.formats import FORMATS
from aggregator.model.output_paths import is_output

STALE_SECONDS = 86400  # how long a cache may answer in our place while we are down (A75)


class Role(Enum):
    """Purpose of a document; decides whose scripts may read it and what it may do (A79, A80)."""

    FEED = "feed"
    PAGE = "page"
    OTHER = "other"  # stylesheet, OPML, status.json


# A70, for files that are in none of the output formats. A published .json is a feed, but for status.json.
_MEDIA = {
    "json": ("application/json", Role.OTHER),
    "css": ("text/css; charset=utf-8", Role.OTHER),
    "opml": ("text/x-opml; charset=utf-8", Role.OTHER),
    "txt": ("text/plain; charset=utf-8", Role.OTHER),
    "xml": ("application/xml", Role.OTHER),
    "svg": ("image/svg+xml", Role.OTHER),
    "png": ("image/png", Role.OTHER),
    "jpg": ("image/jpeg", Role.OTHER),
    "ico": ("image/x-icon", Role.OTHER),
    "avif": ("image/avif", Role.OTHER),
    "gif": ("image/gif", Role.OTHER),
    "jpeg": ("image/jpeg", Role.OTHER),
    "js": ("text/javascript; charset=utf-8", Role.OTHER),
    "mp3": ("audio/mpeg", Role.OTHER),
    "pdf": ("application/pdf", Role.OTHER),
    "wav": ("audio/wav", Role.OTHER),
    "webmanifest": ("application/manifest+json", Role.OTHER),
    "webp": ("image/webp", Role.OTHER),
    "woff2": ("font/woff2", Role.OTHER),
}
_NAMED = {"status.json": _MEDIA["json"], "opml.xml": _MEDIA["opml"]}
STYLED_FEED = "application/xml; charset=utf-8"
_UNKNOWN = ("application/octet-stream", Role.OTHER)


def media_of(name: str, like: str | None = None) -> tuple[str, Role]:
    """Return the media type of a published name (A70), and what it is for.

    Args:
        name: of an output, or of a file that the operator put beside ours.
        like: the output that it is a copy of, whose media type it has.
    """
    name = like or name
    suffix = name.rpartition("/")[2].rpartition(".")[2].lower() if "." in name.rpartition("/")[2] else "txt"  # CNAME
    if name in _NAMED:
        return _NAMED[name]
    if (known := FORMATS.get(suffix)) is not None and (suffix not in _MEDIA or is_output(name)):
        return known.content_type, Role.FEED if known.is_feed else Role.PAGE
    return _MEDIA.get(suffix, _UNKNOWN)


def is_styled(head: bytes) -> bool:
    """Return whether a feed names a stylesheet. Chromium shows it if its type is `STYLED_FEED` (0171)."""
    return b"?>\n<?xml-stylesheet " in head[:100]


def cache_control(max_age: int) -> str:
    """Return the value of Cache-Control for a document that may be kept so many seconds (A75)."""
    return f"public, max-age={max_age}, stale-if-error={STALE_SECONDS}"
