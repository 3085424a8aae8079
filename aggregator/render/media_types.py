"""What an output is to those who fetch it: its media type, whom it is for, how long it may be kept (A70, A75, A79)."""

from enum import Enum

from aggregator.model.output_paths import is_output

STALE_SECONDS = 86400  # how long a cache may answer in our place while we are down (A75)


class Role(Enum):
    """What a document is for; decides whose scripts may read it and what it may do (A79, A80)."""

    FEED = "feed"
    PAGE = "page"
    OTHER = "other"  # stylesheet, OPML, status.json


# A70. A published .json is a feed, but for status.json.
_MEDIA = {
    "atom": ("application/atom+xml; charset=utf-8", Role.FEED),
    "rss": ("application/rss+xml; charset=utf-8", Role.FEED),
    "json": ("application/feed+json", Role.FEED),
    "html": ("text/html; charset=utf-8", Role.PAGE),
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
    "pdf": ("application/pdf", Role.OTHER),
    "webmanifest": ("application/manifest+json", Role.OTHER),
    "webp": ("image/webp", Role.OTHER),
    "woff2": ("font/woff2", Role.OTHER),
}
_PLAIN_JSON = ("application/json", Role.OTHER)
_NAMED = {"status.json": _PLAIN_JSON, "opml.xml": _MEDIA["opml"]}
_UNKNOWN = ("application/octet-stream", Role.OTHER)


def media_of(name: str, like: str | None = None) -> tuple[str, Role]:
    """Give the media type of a published name (A70), and what it is for.

    Args:
        name: of an output, or of a file that the operator put beside ours.
        like: the output that it is a copy of; an old address bears the type of what stands there now.
    """
    name = like or name
    suffix = name.rpartition("/")[2].rpartition(".")[2].lower() if "." in name.rpartition("/")[2] else "txt"  # CNAME
    if suffix == "json" and not is_output(name):
        return _PLAIN_JSON
    return _NAMED.get(name) or _MEDIA.get(suffix, _UNKNOWN)


def cache_control(max_age: int) -> str:
    """Say to caches how many seconds a document may be kept (A75)."""
    return f"public, max-age={max_age}, stale-if-error={STALE_SECONDS}"
