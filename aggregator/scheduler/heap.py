"""What the C library keeps of the memory that was given back to it (glibc; elsewhere nothing happens here).

A publication of twenty thousand pages leaves free places all over the heap, and glibc has a heap for each few threads.
Nothing of it is lost, but for the system it is taken, and stays so for the months that a service runs.
"""

import ctypes

ARENA_MAX = -8  # `M_ARENA_MAX` of malloc.h
ARENAS = 1  # Python's own lock lets one thread at a time allocate, nearly always


def use_one_heap() -> None:
    """Let all threads that begin from now on share one heap."""
    if (libc := _glibc()) is not None:
        libc.mallopt(ARENA_MAX, ARENAS)


def give_back() -> None:
    """Give to the system what is free; takes some milliseconds."""
    if (libc := _glibc()) is not None:
        libc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    try:
        libc = ctypes.CDLL(None)
    except (OSError, TypeError):  # where programs have no C library of their own to ask
        return None
    return libc if hasattr(libc, "malloc_trim") and hasattr(libc, "mallopt") else None
