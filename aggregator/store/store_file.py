"""The file of a store and those beside it: only their owner can read them (S61), one process at a time writes (R27).

The store contains values of `${NAME}` and secret addresses. SQLite creates -wal, -shm and -journal with the permissions
of the database.

The kernel releases the lock when the process ends, so a killed process blocks no other. The lock file names its holder
and is removed with the lock: after a one-shot run only the database file is left, which a CI cache can keep (R4).
"""

import contextlib
import fcntl
import json
import os
import socket
import stat
from collections.abc import Iterator, Mapping
from datetime import datetime
from logging import getLogger
from pathlib import Path
from typing import NamedTuple

from aggregator.clock import rfc3339
from aggregator.errors import LockHeld, StoreError

log = getLogger(__name__)

MODE = 0o600
FOLDER_MODE = 0o755  # a web server may need to pass through to the outputs; names of files are not secret
OTHERS = 0o007
_BESIDE = ("", "-wal", "-shm", "-journal", ".lock", ".search", ".search-wal", ".search-shm", ".search-journal")
_BEFORE = ".before-*"  # copies made before a migration


def make_private(path: Path, *, like: Path | None = None) -> None:
    """Create an empty file that only the owner may read and write; an existing file is not changed.

    Args:
        path: path of the file.
        like: the file that the new one will replace. Its permissions for the group are kept, unless everybody has them.

    Raises:
        OSError: the file can't be created.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
    except FileExistsError:
        return
    try:
        os.fchmod(descriptor, _mode_like(like))
    finally:
        os.close(descriptor)


def make_folder(path: Path) -> None:
    """Create a folder and its missing parents with permissions that let other users pass through.

    Raises:
        OSError: a folder can't be created.
    """
    for missing in reversed([each for each in (path, *path.parents) if not each.exists()]):
        missing.mkdir(exist_ok=True)
        missing.chmod(FOLDER_MODE)  # mkdir applied the umask


def tighten(store: Path) -> None:
    """Restrict files of a store that everybody may read to their owner; older versions of the program created such.

    Permissions of a group stay if not everybody has them.
    """
    for path in open_to_others(store, ours=True):
        try:
            path.chmod(MODE)
        except OSError as error:  # another user owns the file
            facts = {"file": str(path), "error": error.strerror, "advice": "its owner should run chmod 600 on it"}
            log.warning("tighten_store", extra=facts)
        else:
            log.info("tighten_store", extra={"file": str(path), "advice": "only its owner can read it now"})


def open_to_others(store: Path, *, ours: bool = False) -> Iterator[Path]:
    """Yield the files of a store that everybody may read or write.

    Args:
        store: the database.
        ours: only files that this program writes; False: all files whose names begin with that of the database.
    """
    names = [store.with_name(store.name + suffix) for suffix in _BESIDE]
    pattern = _escaped(store.name) + (_BEFORE if ours else "*")
    found = sorted(store.parent.glob(pattern)) if store.parent.is_dir() else []
    for path in dict.fromkeys((*names, *found)):
        try:
            mode = path.lstat().st_mode
        except OSError:
            continue
        if stat.S_ISREG(mode) and mode & OTHERS:
            yield path


def _mode_like(like: Path | None) -> int:
    try:
        mode = 0 if like is None else stat.S_IMODE(like.stat().st_mode)
    except OSError:
        return MODE
    return MODE if mode & OTHERS else MODE | mode & 0o060


def _escaped(name: str) -> str:
    return "".join(f"[{char}]" if char in "*?[" else char for char in name)


# --- the lock


class StoreLock:
    """A lock file beside the database, held from `take` to `release`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    def take(self, *, command: str, now: datetime) -> None:
        """Take the lock without waiting, and write the holder to the lock file.

        Args:
            command: the command of this process, shown to other processes that want the lock.
            now: the time, shown as the beginning of the lock.

        Raises:
            LockHeld: another process holds the lock; the error names that process.
            StoreError: the lock file can't be created.
        """
        while self._fd is None:
            try:
                fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, MODE)
            except OSError as error:
                raise StoreError(f"the lock {self._path} can't be made: {error.strerror}") from error
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                holder = _holder(fd)
                os.close(fd)
                raise LockHeld(holder) from error
            if not _is_file_at(fd, self._path):  # its last holder removed it between our open and our lock
                os.close(fd)
                continue
            who = {"pid": os.getpid(), "host": socket.gethostname(), "since": rfc3339(now), "command": command}
            self._fd = fd
            with contextlib.suppress(OSError):  # on a full disk the lock works, but without the name of its holder
                os.ftruncate(fd, 0)
                os.pwrite(fd, json.dumps(who).encode() + b"\n", 0)

    def release(self) -> None:
        """Release the lock and remove its file; does nothing if the lock is not held.

        The file is removed before the lock is released: a process that opened the file in between sees that the file is
        gone. If somebody else removed the file, another process may hold a new file by now; the new file stays.
        """
        if self._fd is not None:
            with contextlib.suppress(OSError):
                if _is_file_at(self._fd, self._path):
                    self._path.unlink()
            os.close(self._fd)
            self._fd = None


def _holder(fd: int) -> str:
    try:
        return _in_words(json.loads(os.pread(fd, 4096, 0)))
    except (ValueError, KeyError, TypeError):
        return "a process that has just started"


def _in_words(who: Mapping[str, object]) -> str:
    return f"{who['command']}, process {who['pid']} on {who['host']}, since {who['since']}"


class Holder(NamedTuple):
    """The process that a lock file names."""

    command: str
    who: str  # for the operator
    is_running: bool  # False: it was killed, and the lock is free; a process of another machine counts as running


def holder_of(store: Path) -> Holder | None:
    """Return who holds the lock of a store by its lock file, without a try to take it; None if that can't be read.

    Args:
        store: path of the database.
    """
    try:
        who = json.loads(store.with_name(f"{store.name}.lock").read_bytes()[:4096])
        is_running = who["host"] != socket.gethostname() or _is_running(int(who["pid"]))
        return Holder(str(who["command"]), _in_words(who), is_running)
    except OSError:  # no such file, or none that this user may read
        return None
    except (ValueError, KeyError, TypeError):
        return Holder("", "a process that has just started", is_running=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # a process of another user
        return True
    return True


def _is_file_at(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except FileNotFoundError:
        return False
