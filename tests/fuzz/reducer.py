"""Reduces a document that shows a fault."""

from collections.abc import Callable

TRIES = 1500


def reduced(data: bytes, shows: Callable[[bytes], bool], *, tries: int = TRIES) -> bytes:
    """Remove pieces, large ones first, as long as the rest still shows the same fault.

    Args:
        data: a document that shows the fault.
        shows: returns True if a document shows the fault.
        tries: the largest number of calls of `shows`.
    """
    size = max(1, len(data) // 2)
    while size and tries > 0:
        start, smaller = 0, False
        while start < len(data) and tries > 0:
            shorter = data[:start] + data[start + size :]
            tries -= 1
            if shows(shorter):
                data, smaller = shorter, True
            else:
                start += size
        size = min(size, len(data)) if smaller and size > 1 and size <= len(data) // 8 else size // 2
    return data
