"""Makes a document that shows a fault as small as it can be made with patience. Pure but for what it asks."""

from collections.abc import Callable

TRIES = 1500


def reduced(data: bytes, shows: Callable[[bytes], bool], *, tries: int = TRIES) -> bytes:
    """Take pieces out, large ones first, as long as what is left shows the same fault.

    Args:
        data: a document that shows it.
        shows: tells whether another one does.
        tries: how often it may be asked.
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
