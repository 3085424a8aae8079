"""Paths in the published folder: those of outputs, and those that the operator may add.

A requested path is compared with these patterns; it is never joined to a folder (S51).
"""

import re
from collections.abc import Collection
from itertools import product
from typing import Final

from aggregator.model.formats import FORMATS, feeds_among
from aggregator.model.record import record

MAX_DEPTH: Final = 8  # folders and the file in them

GZIP_SUFFIX: Final = ".gz"
GONE_LIST: Final = "gone.txt"  # its lines: `aggregator/render/gone_list.py`
# Hidden names that web servers and static hosts look for. Others, such as `.git` and `.DS_Store`, are not published.
HIDDEN: Final = frozenset({".nojekyll", ".well-known", ".htaccess", ".domains"})
_NAME_OF_FILE = "|".join([r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}", *map(re.escape, sorted(HIDDEN))])
# Paths that a file in the folder may have: plain names, not the path of a compressed copy (S51).
PATH: Final = re.compile(
    rf"(?:{_NAME_OF_FILE})(?:/(?:{_NAME_OF_FILE})){{0,{MAX_DEPTH - 1}}}(?<!{re.escape(GZIP_SUFFIX)})"
)
# First path segments of outputs, and of addresses that `serve` answers itself.
_TAKEN = frozenset({GONE_LIST, "category", "entry", "search", "websub", "healthz", "readyz", "metrics"})


@record(kw_only=False)
class Shape:
    """Pattern of the paths of one kind of output: fixed text and `{parts}`."""

    template: str
    pattern: re.Pattern[str]


_PARTS = {
    "slug": "[a-z0-9][a-z0-9-]{0,63}",
    "number": "[1-9][0-9]{0,8}",
    "key": "[a-z0-9][a-z0-9._-]{0,79}",
    "xx": "[0-9a-f]{2}",
    "id": "(?P=xx)[0-9a-f]{14,62}",  # 16 digits, more after a collision; xx are the first two
    "feed": "|".join(one.name for one in FORMATS.values() if one.is_feed),
    "format": "|".join(FORMATS),
    "archive": "|".join(one.name for one in FORMATS.values() if one.has_archive),
}

_NAME = re.compile(r"\{(\w+)\}")
_SUFFIXES = {name: name for name in FORMATS} | {"css": "html", "svg": "html"}


def _shape(template: str) -> Shape:
    fixed = re.split(r"\{(\w+)\}", template)
    pattern = "".join(
        f"(?P<{text}>{_PARTS[text]})" if number % 2 else re.escape(text) for number, text in enumerate(fixed)
    )
    return Shape(template, re.compile(pattern))


_YIELDING = tuple(
    map(_shape, "latest.html latest-{number}.html all.html 404.html 410.html 500.html source/{key}.html".split())
)
SHAPES: Final = (
    *map(
        _shape,
        "category/{slug}.{format} category/{slug}.opml all.{feed} index.html style.css icon.svg "
        "category/{slug}/archive/{number}.{archive} entry/{xx}/{id}.html opml.xml sources.opml sources.html "
        "status.html status.json".split(),
    ),
    *_YIELDING,
)


def is_output(path: str) -> bool:
    """Report whether a path is one that an output may have."""
    return any(shape.pattern.fullmatch(path) for shape in SHAPES)


def yields(path: str) -> bool:
    """Report whether an output is written only where the operator has no file: sites had such names before us."""
    return not path.startswith("category/") and any(shape.pattern.fullmatch(path) for shape in _YIELDING)


def main_outputs(slugs: Collection[str], formats: Collection[str]) -> frozenset[str]:
    """Return the paths of all outputs except archive pages and story pages.

    Args:
        slugs: slugs of the categories.
        formats: published formats.
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
    """Report whether an output is written if these formats are published."""
    needed = format_of(path)
    if path == "opml.xml":
        return bool(feeds_among(formats))
    return needed is None or needed in formats


def collides(path: str) -> bool:
    """Report whether a file of the operator would have the path of an output, or of an address that `serve` answers.

    Case is ignored, because some file systems ignore it.
    """
    lower = path.lower()
    fixed = not yields(lower) and (lower in {shape.template for shape in SHAPES} or is_output(lower))
    return fixed or lower.partition("/")[0] in _TAKEN


def format_of(path: str) -> str | None:
    """Return the name of the format that an output needs; None if it is written with any formats."""
    return None if path in ("status.json", GONE_LIST) else _SUFFIXES.get(path.rpartition(".")[2])
