"""Maps URL paths to names of published files.

A path is never joined to the folder (S51): it is matched with the shapes of outputs, and the name is built from the
matched parts. Aliases and files of the operator are known by their whole names.
"""

import re
from collections.abc import Callable

from aggregator.model.formats import FORMATS
from aggregator.model.output_paths import SHAPES

MAX_PATH = 128  # characters; the longest has 97

_SUFFIXES = "|".join({*FORMATS, "css", "svg"} - {"json"})  # /search.json is an endpoint
_DOCUMENT = re.compile(rf"\.(?:{_SUFFIXES})\Z|/category/")


def no_aliases(path: str) -> str | None:
    """Return None: there are no aliases."""
    return None


def is_document(path: str) -> bool:
    """Return True if a URL path is certainly that of a file and not of an endpoint: its response is quickly made."""
    return _DOCUMENT.search(path) is not None


def is_health_check(path: str) -> bool:
    """Return True if a URL path is that of a health check, below the path of `base_url` or at the root."""
    return path.endswith(("/healthz", "/readyz"))


def name_of(path: str, copy_of: Callable[[str], str | None] = no_aliases) -> str | None:
    """Return the published name of a URL path; None if there is none.

    Args:
        path: decoded, with its leading slash.
        copy_of: returns the output that an alias copies (`App.copy_of`); None if there is no alias with that name.
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
