r"""Replacement texts of `rewrite`: text, `\1` or `\g<name>` for a group, `\\`, `\n`, `\t`.

Templates of the re2 library can't be used: they read other text as Latin-1 with Python's escapes, so that "é" becomes
"Ã©".
"""

import re
from typing import Final

from aggregator.model.record import record

MAX_GROUPS: Final = 20  # groups in a replacement; each may insert up to the whole text (S24)

_ESCAPE = re.compile(r"\\(?:([1-9][0-9]?)|g<(\w+)>|(.?))", re.DOTALL)
_MEANT: Final = {"\\": "\\", "n": "\n", "t": "\t"}


@record(kw_only=False)
class Group:
    """Reference to a group of the pattern, by number or name; 0 is the whole match."""

    named: int | str
    written: str  # as the operator wrote it


def parse_replacement(text: str) -> tuple[str | Group, ...]:
    """Parse a replacement into texts and groups, in order.

    Raises:
        ValueError: it has an undefined backslash sequence, or so many groups that a text may grow too long. The message
            has the fault and the text to write.
    """
    parts: list[str | Group] = []
    end = 0
    for found in _ESCAPE.finditer(text):
        number, name, other = found.groups()
        parts.append(text[end : found.start()])
        end = found.end()
        if number or name:
            named = number or name
            parts.append(Group(int(named) if named.isascii() and named.isdigit() else named, found[0]))
        elif other in _MEANT:
            parts.append(_MEANT[other])
        else:
            raise ValueError(f"has {found[0]}, which is not defined; write \\1 for a group, \\\\ for a backslash")
    parts.append(text[end:])
    if sum(isinstance(part, Group) for part in parts) > MAX_GROUPS:
        raise ValueError(f"names over {MAX_GROUPS} groups; write fewer")
    return tuple(part for part in parts if part)
