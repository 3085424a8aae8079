"""The names that the published folder has (DESIGN 3.3), and what each is.

A request's path is never joined to the folder (S51): it is compared with these shapes, and the name of the file is put
together from the parts that matched.
"""

import re
from dataclasses import dataclass
from enum import Enum

MAX_PATH = 128  # characters; the longest has 97


class Role(Enum):
    """What a document is for; decides whose scripts may read it and what it may do (A79, A80)."""

    FEED = "feed"
    PAGE = "page"
    OTHER = "other"  # stylesheet, OPML, status.json


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of name below the root: fixed text and `{parts}`."""

    template: str
    pattern: re.Pattern[str]


_PARTS = {
    "slug": "[a-z0-9][a-z0-9-]{0,63}",
    "number": "[1-9][0-9]{0,8}",
    "xx": "[0-9a-f]{2}",
    "id": "(?P=xx)[0-9a-f]{14,62}",  # 16 digits, longer on collision; xx are the first two
    "feed": "atom|rss|json",
    "format": "atom|rss|json|html",
    "archive": "atom|html",
}


def _shape(template: str) -> Shape:
    fixed = re.split(r"\{(\w+)\}", template)
    pattern = "".join(
        f"(?P<{text}>{_PARTS[text]})" if number % 2 else re.escape(text) for number, text in enumerate(fixed)
    )
    return Shape(template, re.compile(pattern))


SHAPES = tuple(
    map(
        _shape,
        "category/{slug}.{format} all.{feed} index.html style.css category/{slug}/archive/{number}.{archive} "
        "entry/{xx}/{id}.html opml.xml sources.opml sources.html status.html status.json".split(),
    )
)

# A70. A published .json is a feed, but for status.json.
_MEDIA = {
    "atom": ("application/atom+xml; charset=utf-8", Role.FEED),
    "rss": ("application/rss+xml; charset=utf-8", Role.FEED),
    "json": ("application/feed+json", Role.FEED),
    "html": ("text/html; charset=utf-8", Role.PAGE),
    "css": ("text/css; charset=utf-8", Role.OTHER),
    "xml": ("text/x-opml; charset=utf-8", Role.OTHER),
    "opml": ("text/x-opml; charset=utf-8", Role.OTHER),
}
_STATUS = ("application/json", Role.OTHER)


def name_of(path: str) -> str | None:
    """Give the published name that a URL path (decoded, with its leading slash) asks for; None if there is none."""
    if path == "/":
        return "index.html"
    if not path.startswith("/") or len(path) > MAX_PATH:
        return None
    for shape in SHAPES:
        if match := shape.pattern.fullmatch(path, 1):
            return shape.template.format_map(match.groupdict())
    return None


def media_of(name: str) -> tuple[str, Role]:
    """Give the media type of a published name (A70), and what it is for."""
    return _STATUS if name == "status.json" else _MEDIA[name.rpartition(".")[2]]
