"""Memory and processors: what the container allows by its control groups (R68), and what glibc keeps of free memory.

Anonymous memory counts, not the page cache, which the kernel frees by itself: reading a large store is no pressure.
Both versions of control groups are read, and every group above ours: the tightest limit holds.
"""

import ctypes
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROCESS = Path("/proc/self")
GROUPS = Path("/sys/fs/cgroup")
HIGH = 0.8  # of the limit on memory: no new polls, caches are dropped, and no further process is started
UNLIMITED = 1 << 60  # version 1 says "no limit" with a number near 2 ** 63
ARENA_MAX = -8  # `M_ARENA_MAX` of malloc.h
ARENAS = 1  # Python's own lock lets one thread at a time allocate, nearly always


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


def memory_of(process: Path = PROCESS, groups: Path = GROUPS) -> Memory | None:
    """Return the memory of the group that is closest to its limit; None if there is no limit, or it is unknown."""
    own = _named(process / "status", "RssAnon:", 1024)
    found = []
    for folder, is_first in _groups_of("memory", process, groups):
        limit = _number(folder / ("memory.limit_in_bytes" if is_first else "memory.max"))
        held = _named(folder / "memory.stat", "total_rss" if is_first else "anon", 1)
        held = own if held is None else held
        if limit and limit < UNLIMITED and held is not None:
            found.append(Memory(limit_bytes=limit, held_bytes=held, own_bytes=own))
    return max(found, key=lambda memory: memory.share, default=None)


def has_room(size_bytes: int, memory: Memory | None) -> bool:
    """Return whether so much more memory would not bring a group to the pressure at which polling rests."""
    return memory is None or memory.held_bytes + size_bytes <= HIGH * memory.limit_bytes


def usable_processors(process: Path = PROCESS, groups: Path = GROUPS) -> int:
    """Return how many processors this process may keep busy: those that it may run on, or fewer whole ones that the
    quota of its group pays for; at least 1.
    """
    counts = [len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1]
    for folder, is_first in _groups_of("cpu", process, groups):
        names = ("cpu.cfs_quota_us", "cpu.cfs_period_us") if is_first else ("cpu.max",)
        quota, period, *_ = [*" ".join(_text(folder / name) for name in names).split(), "", ""]
        if quota.isdigit() and period.isdigit() and int(period):
            counts.append(int(quota) // int(period))
    return max(1, min(counts))


def _groups_of(controller: str, process: Path, groups: Path) -> Iterator[tuple[Path, bool]]:
    """Yield the folder of each group of this process, and whether it is of version 1.

    A container often sees its own group as the root of the mount, though the kernel names it by its path outside.
    """
    for line in _text(process / "cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        is_first = controller in controllers.split(",")
        if not is_first and (number, controllers) != ("0", ""):
            continue
        root = groups / controller if is_first else groups
        inside = root / path.strip("/")
        for folder in (inside, *inside.parents):
            yield folder, is_first
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
