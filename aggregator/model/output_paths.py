"""The names that the published folder has (DESIGN 3.3): ours, and which the operator may add beside them.

Whoever is asked for a path compares it with these; it is never joined to a folder (S51).
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import product
from typing import Final

MAX_DEPTH: Final = 8  # folders and the file in them

_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}", re.ASCII)
TWIN: Final = ".gz"
# What a web server or a static host looks for, and no more: `.git` and `.DS_Store` are no part of a site.
HIDDEN: Final = frozenset({".nojekyll", ".well-known", ".htaccess", ".domains"})
# First segments under which ours stand, and where `serve` answers by itself.
_TAKEN = frozenset({"gone.txt", "category", "entry", "search", "websub", "healthz", "readyz", "metrics"})


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
    "archive": "atom|json|html",
}

_NAME = re.compile(r"\{(\w+)\}")
_FEEDS = frozenset(_PARTS["feed"].split("|"))
_FORMATS = {name: name for name in ("atom", "rss", "json", "html")} | {"css": "html", "svg": "html"}


def _shape(template: str) -> Shape:
    fixed = re.split(r"\{(\w+)\}", template)
    pattern = "".join(
        f"(?P<{text}>{_PARTS[text]})" if number % 2 else re.escape(text) for number, text in enumerate(fixed)
    )
    return Shape(template, re.compile(pattern))


SHAPES: Final = tuple(
    map(
        _shape,
        "category/{slug}.{format} all.{feed} index.html style.css icon.svg category/{slug}/archive/{number}.{archive} "
        "entry/{xx}/{id}.html opml.xml sources.opml sources.html status.html status.json".split(),
    )
)


def is_output(path: str) -> bool:
    """Tell whether a path is of the shape of one of our outputs, whether or not it stands there."""
    return any(shape.pattern.fullmatch(path) for shape in SHAPES)


def main_outputs(slugs: Collection[str], formats: Collection[str]) -> frozenset[str]:
    """Return the paths of all outputs but archive pages and the pages of stories.

    Args:
        slugs: of the categories.
        formats: those that are published.
    """
    values = {"slug": slugs, "feed": _PARTS["feed"].split("|"), "format": _PARTS["format"].split("|")}
    paths: set[str] = set()
    for shape in SHAPES:
        names = _NAME.findall(shape.template)
        if values.keys() >= set(names):
            combined = product(*(values[name] for name in names))
            paths |= {shape.template.format(**dict(zip(names, some, strict=True))) for some in combined}
    return frozenset(path for path in paths if is_published(path, formats))


def is_published(path: str, formats: Collection[str]) -> bool:
    """Return whether an output is written with these formats."""
    needed = format_of(path)
    if path == "opml.xml":
        return not _FEEDS.isdisjoint(formats)
    return needed is None or needed in formats


def is_path(path: str) -> bool:
    """Tell whether a file below the folder may have this path: plain names, and not the place of a twin (S51)."""
    segments = path.split("/")
    plain = all(_SEGMENT.fullmatch(segment) or segment in HIDDEN for segment in segments)
    return plain and len(segments) <= MAX_DEPTH and not path.endswith(TWIN)


def collides(path: str) -> bool:
    """Tell whether a file of the operator's own would stand where ours do, or would be asked for in vain.

    Upper and lower case are not told apart: some file systems don't either.
    """
    lower = path.lower()
    fixed = lower in {shape.template for shape in SHAPES} or is_output(lower)
    return fixed or lower.partition("/")[0] in _TAKEN


def format_of(path: str) -> str | None:
    """Give the format of which an output is there: atom, rss, json or html; None if it is there in any case."""
    return None if path == "status.json" else _FORMATS.get(path.rpartition(".")[2])
