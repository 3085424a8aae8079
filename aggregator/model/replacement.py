r"""What takes a match's place in `rewrite` (DESIGN 3.1, Rules): text, `\1` or `\g<name>` for a group, `\\`, `\n`, `\t`.

re2's own templates read all else as Latin-1 with Python's escapes, in which "é" becomes "Ã©".
"""

import re
from dataclasses import dataclass
from typing import Final

MAX_GROUPS: Final = 20  # that a replacement may name: each is as long as a text at most (S24)

_ESCAPE = re.compile(r"\\(?:([1-9][0-9]?)|g<(\w+)>|(.?))", re.DOTALL)
_MEANT: Final = {"\\": "\\", "n": "\n", "t": "\t"}


@dataclass(frozen=True, slots=True)
class Group:
    """What a group of the pattern matched, by number or name; 0 is the whole match."""

    named: int | str
    written: str  # as the operator wrote it


def parse_replacement(text: str) -> tuple[str | Group, ...]:
    """Read a replacement: texts and groups, in order.

    Raises:
        ValueError: a backslash in it means nothing, or it names so many groups that a text may grow without bound. It
            says what is wrong and what to write.
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
            raise ValueError(f"holds {found[0]}, which means nothing; write \\1 for a group, \\\\ for a backslash")
    parts.append(text[end:])
    if sum(isinstance(part, Group) for part in parts) > MAX_GROUPS:
        raise ValueError(f"names over {MAX_GROUPS} groups; write fewer")
    return tuple(part for part in parts if part)
