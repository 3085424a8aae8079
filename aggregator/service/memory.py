"""Measures how close the process is to the memory limit of its control group (R68).

Anonymous memory counts, not the page cache, which the kernel frees by itself: reading a large store is no pressure.
Both versions of control groups are read, and every group above ours: the tightest limit kills.
"""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

PROCESS = Path("/proc/self")
GROUPS = Path("/sys/fs/cgroup")
HIGH = 0.8  # of the limit: no new polls, caches are dropped
CALM = 0.75  # and under this they begin again
FULL = 0.95  # we end in order rather than be killed
UNLIMITED = 1 << 60  # version 1 says "no limit" with a number near 2 ** 63


class Pressure(IntEnum):
    """Level of memory use."""

    NONE = 0
    HIGH = 1
    FULL = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Limit and use of a control group."""

    limit_bytes: int
    held_bytes: int  # anonymous, of all its processes
    own_bytes: int | None  # anonymous, of this process

    @property
    def share(self) -> float:
        """Share of the limit that is used."""
        return self.held_bytes / self.limit_bytes


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


def memory_of(process: Path, groups: Path) -> Memory | None:
    """Return the memory of the group that is closest to its limit; None if there is no limit, or it is unknown."""
    own = _named(process / "status", "RssAnon:", 1024)
    found = []
    for folder, limit_name, held_name in _groups_of(process, groups):
        limit = _number(folder / limit_name)
        held = _named(folder / "memory.stat", held_name, 1)
        held = own if held is None else held
        if limit and limit < UNLIMITED and held is not None:
            found.append(Memory(limit_bytes=limit, held_bytes=held, own_bytes=own))
    return max(found, key=lambda memory: memory.share, default=None)


def _groups_of(process: Path, groups: Path) -> Iterator[tuple[Path, str, str]]:
    """Yield the folder of each group of this process, with the names of its limit and of its anonymous memory.

    A container often sees its own group as the root of the mount, though the kernel names it by its path outside.
    """
    for line in _text(process / "cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if (number, controllers) == ("0", ""):
            root, names = groups, ("memory.max", "anon")
        elif "memory" in controllers.split(","):
            root, names = groups / "memory", ("memory.limit_in_bytes", "total_rss")
        else:
            continue
        inside = root / path.strip("/")
        for folder in (inside, *inside.parents):
            yield folder, *names
            if folder == root:
                break


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdigit() else None


def _named(path: Path, name: str, unit_bytes: int) -> int | None:
    for line in _text(path).splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == name and words[1].isdigit():
            return int(words[1]) * unit_bytes
    return None


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
