"""Texts with {fields} in feeds.yaml, which are replaced by values of an item. Pure.

A field is the path of a value in braces. Braces that contain a quote, a colon or another brace are not a field, so that
fields may be inside JSON, and so that `{a: b}` is read as a JMESPath.
"""

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

FIELD: Final = re.compile(r"\{([^{}\"':]+)\}")
_SAFE: Final = "/:@!$'()*,;=~-._"  # not percent-encoded in an address
_CLIMBS: Final = re.compile(r"(?:^|/)\.{1,2}(?:/|$)")


def has_fields(text: str) -> bool:
    """Report whether a text has fields; a text without fields is a path."""
    return FIELD.search(text) is not None


def fields_of(text: str) -> tuple[str, ...]:
    """Return the paths of the fields of a text, each once, in order."""
    return tuple(dict.fromkeys(found.strip() for found in FIELD.findall(text)))


def filled(text: str, value_of: Callable[[str], str | None]) -> str | None:
    """Return a text with its fields replaced.

    Args:
        text: text with fields.
        value_of: returns the value at a path; None or an empty text if there is none.

    Returns:
        None if any value is missing, because an incomplete id or address would be another one.
    """
    values = {path: value_of(path) for path in fields_of(text)}
    if not all(values.values()):
        return None
    return FIELD.sub(lambda found: values[found[1].strip()] or "", text)


def joined(text: str, value_of: Callable[[str], str | None]) -> str | None:
    """Return a text for readers with its fields replaced; missing values are left out. None if all are missing."""
    values = {path: value_of(path) for path in fields_of(text)}
    if not any(values.values()):
        return None
    return FIELD.sub(lambda found: values[found[1].strip()] or "", text)


def address(text: str, value_of: Callable[[str], str | None]) -> str | None:
    """Return an address with its fields percent-encoded, except for a field at its start; slashes stay (S33, S70).

    Returns:
        None if a value is missing, or has a path segment `.` or `..`.
    """
    first = FIELD.match(text.strip())

    def encoded(path: str) -> str | None:
        value = value_of(path)
        if value is None or (first is not None and path == first[1].strip()):
            return value
        return None if _CLIMBS.search(value) else quote(value.strip(), safe=_SAFE)

    return filled(text.strip(), encoded)
