"""Measures how close the process is to the memory limit of its control group (R68).

The memory of the processes that read bodies (`aggregator/reader/`) counts too: they are in the same group.
"""

import ctypes
from enum import IntEnum
from pathlib import Path

from aggregator.container import GROUPS, HIGH, PROCESS, Memory, memory_of

CALM = 0.75  # of the limit: after a high pressure, polls begin again under this
FULL = 0.95  # we end in order rather than be killed


class Pressure(IntEnum):
    """Level of memory use."""

    NONE = 0
    HIGH = 1
    FULL = 2


class MemoryWatch:
    """Measures memory from time to time.

    Args:
        process: the folder of this process in /proc.
        groups: where control groups are mounted.
    """

    def __init__(self, process: Path = PROCESS, groups: Path = GROUPS) -> None:
        self._process, self._groups = process, groups
        self._pressure = Pressure.NONE

    def look(self) -> tuple[Pressure, Memory | None]:
        """Return the pressure, and the memory; None where there is no limit.

        A high pressure ends a little below the value at which it begins, or alarms would flutter.
        """
        memory = memory_of(self._process, self._groups)
        share = memory.share if memory else 0.0
        calm = CALM if self._pressure is not Pressure.NONE else HIGH
        self._pressure = Pressure.FULL if share >= FULL else Pressure.HIGH if share >= calm else Pressure.NONE
        return self._pressure, memory


ARENA_MAX = -8  # `M_ARENA_MAX` of malloc.h
ARENAS = 1  # Python's own lock lets one thread at a time allocate, nearly always


def use_one_heap() -> None:
    """Make all threads that start from now on share one heap."""
    if (libc := _glibc()) is not None:
        libc.mallopt(ARENA_MAX, ARENAS)


def give_back() -> None:
    """Return free memory to the system; takes some milliseconds."""
    if (libc := _glibc()) is not None:
        libc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    try:
        libc = ctypes.CDLL(None)
    except (OSError, TypeError):  # where programs have no C library of their own to ask
        return None
    return libc if hasattr(libc, "malloc_trim") and hasattr(libc, "mallopt") else None
