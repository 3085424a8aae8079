"""Texts with {fields}: what feeds.yaml writes where an item's own values go in (DESIGN, section 6). Pure.

A field is the path to a value, in braces. What holds a quote, a colon or another brace is none, so that JSON may stand
around fields, and `{a: b}` stays the JMESPath that it is.
"""

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

FIELD: Final = re.compile(r"\{([^{}\"':]+)\}")
_SAFE: Final = "/:@!$'()*,;=~-._"  # stay as they are where a value goes into an address
_CLIMBS: Final = re.compile(r"(?:^|/)\.{1,2}(?:/|$)")


def has_fields(text: str) -> bool:
    """Tell whether a text has fields; else it is a path itself."""
    return FIELD.search(text) is not None


def fields_of(text: str) -> tuple[str, ...]:
    """Give the paths of a text's fields, each once, in order."""
    return tuple(dict.fromkeys(found.strip() for found in FIELD.findall(text)))


def filled(text: str, value_of: Callable[[str], str | None]) -> str | None:
    """Fill a text in.

    Args:
        text: with fields.
        value_of: gives the value at a path; None or an empty text if there is none.

    Returns:
        None if any value is missing: half an id or address is another one.
    """
    values = {path: value_of(path) for path in fields_of(text)}
    if not all(values.values()):
        return None
    return FIELD.sub(lambda found: values[found[1].strip()] or "", text)


def joined(text: str, value_of: Callable[[str], str | None]) -> str | None:
    """Fill in a text for readers: what is missing leaves nothing behind; None if all of it is."""
    values = {path: value_of(path) for path in fields_of(text)}
    if not any(values.values()):
        return None
    return FIELD.sub(lambda found: values[found[1].strip()] or "", text)


def address(text: str, value_of: Callable[[str], str | None]) -> str | None:
    """Fill in an address: values are percent-encoded, but for one that begins it; slashes stay (S33, S70).

    Returns:
        None if a value is missing, or would climb to another folder.
    """
    first = FIELD.match(text.strip())

    def encoded(path: str) -> str | None:
        value = value_of(path)
        if value is None or (first is not None and path == first[1].strip()):
            return value
        return None if _CLIMBS.search(value) else quote(value.strip(), safe=_SAFE)

    return filled(text.strip(), encoded)
