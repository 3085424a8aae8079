"""The names that the published folder has (DESIGN 3.3).

A request's path is never joined to the folder (S51): it is compared with the shapes of outputs, and the file's name is
put together from the parts that matched. What the operator puts beside them is known by its whole name.
"""

import re
from collections.abc import Callable

from aggregator.model.output_paths import SHAPES

MAX_PATH = 128  # characters; the longest has 97

_DOCUMENT = re.compile(r"\.(?:html|atom|rss|css|svg)\Z|/category/")


def no_copies(path: str) -> str | None:
    """Say that there are only outputs of ours."""
    return None


def is_document(path: str) -> bool:
    """Tell whether a URL path asks for a file for certain, and for no endpoint: the answer takes no time to make."""
    return _DOCUMENT.search(path) is not None


def is_check(path: str) -> bool:
    """Return whether a URL path is that of a health check, below the path of `base_url` or at the root."""
    return path.endswith(("/healthz", "/readyz"))


def name_of(path: str, copy_of: Callable[[str], str | None] = no_copies) -> str | None:
    """Give the published name that a URL path asks for; None if there is none.

    Args:
        path: decoded, with its leading slash.
        copy_of: tells of what a listed copy is one (`App.copy_of`); None: no copy is listed under that name.
    """
    if path == "/":
        return "index.html"
    if not path.startswith("/") or len(path) > MAX_PATH:
        return None
    for shape in SHAPES:
        if match := shape.pattern.fullmatch(path, 1):
            return shape.template.format_map(match.groupdict())
    name = path[1:] + ("index.html" if path.endswith("/") else "")
    return name if copy_of(name) is not None else None
