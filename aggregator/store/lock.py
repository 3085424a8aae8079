"""One process at a time polls, publishes and migrates a store (R27).

The kernel frees the lock with the process, so one that was killed blocks nobody. The file names its holder, and goes
with the lock: a one-shot run leaves one file behind, which a CI cache can keep (R4).
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
from aggregator.rights import MODE


class StoreLock:
    """A lock file beside the database, held from `take` to `release`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    def take(self, *, command: str, now: datetime) -> None:
        """Take the lock, or say who has it.

        Args:
            command: what we are about to do, for whoever meets the lock.
            now: since when.

        Raises:
            LockHeld: another process works on this store.
            StoreError: the folder can't be written.
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
            if not _is_still(fd, self._path):  # its last holder removed it between our open and our lock
                os.close(fd)
                continue
            who = {"pid": os.getpid(), "host": socket.gethostname(), "since": rfc3339(now), "command": command}
            self._fd = fd
            with contextlib.suppress(OSError):  # on a full disk the lock holds, only nobody reads whose it is
                os.ftruncate(fd, 0)
                os.pwrite(fd, json.dumps(who).encode() + b"\n", 0)

    def release(self) -> None:
        """Release the lock; nothing happens if it is not held.

        The file goes first and the lock after it: who opened the file in between sees that it is gone. Only its holder
        removes a file; where a stranger did, another process may hold a new one by now, and that one stays.
        """
        if self._fd is not None:
            with contextlib.suppress(OSError):
                if _is_still(self._fd, self._path):
                    self._path.unlink()
            os.close(self._fd)
            self._fd = None


def _holder(fd: int) -> str:
    try:
        who = json.loads(os.pread(fd, 4096, 0))
        return f"{who['command']}, process {who['pid']} on {who['host']}, since {who['since']}"
    except (ValueError, KeyError, TypeError):
        return "a process that has just started"


def _is_still(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except FileNotFoundError:
        return False
