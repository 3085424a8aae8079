"""Lock of a store: one process at a time polls, publishes and migrates (R27).

The kernel releases the lock when the process ends, so a killed process blocks no other. The lock file names its holder
and is removed with the lock: after a one-shot run only the database file is left, which a CI cache can keep (R4).
"""

import contextlib
import fcntl
import json
import os
import socket
from datetime import datetime
from pathlib import Path

from aggregator.clock import rfc3339
from aggregator.errors import LockHeld, StoreError
from aggregator.store.rights import MODE


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
        who = json.loads(os.pread(fd, 4096, 0))
        return f"{who['command']}, process {who['pid']} on {who['host']}, since {who['since']}"
    except (ValueError, KeyError, TypeError):
        return "a process that has just started"


def _is_file_at(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except FileNotFoundError:
        return False
