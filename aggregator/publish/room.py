"""How much fits on a page (A69): what is beyond that is counted, and stands elsewhere."""

from collections.abc import Callable, Iterable
from html import escape
from typing import TypeVar

Item = TypeVar("Item")

MAX_BYTES = 1_000_000  # of what others wrote on a page; with our own, below 1 MiB


def fitting(
    items: Iterable[Item], size_of: Callable[[Item], int], room_bytes: int = MAX_BYTES
) -> tuple[list[Item], int]:
    """Give the first items for which there is room, and how many there are beyond these."""
    kept: list[Item] = []
    beyond = 0
    for item in items:
        room_bytes -= size_of(item)
        if room_bytes >= 0:
            kept.append(item)
        else:
            beyond += 1
    return kept, beyond


def size_of(*texts: str | None) -> int:
    """Give how many bytes texts take on a page, escaped."""
    return sum(len(escape(text).encode()) for text in texts if text)
