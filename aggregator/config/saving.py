"""Replaces feeds.yaml atomically, with its permissions."""

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from aggregator.config.positions import EditRefused


def replace_config(path: Path, before: bytes | None, after: bytes) -> None:
    """Replace feeds.yaml atomically; its permissions stay.

    Args:
        path: path of the file; the target of a symlink is replaced, and the link stays.
        before: content that was read before the edit; None if there was no file.
        after: new content.

    Raises:
        EditRefused: another program has changed the file since `before` was read; the file stays unchanged.
        OSError: the file can't be written; it stays unchanged.
    """
    real = path.resolve()
    descriptor, draft = tempfile.mkstemp(prefix=f".{real.name}.", dir=real.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(after)
            _take_rights(file.fileno(), real)
            file.flush()
            os.fsync(file.fileno())
        now = real.read_bytes() if real.exists() else None
        if now != before:
            raise EditRefused(f"{path} was changed by another program; run the command again")
        Path(draft).replace(real)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    folder = os.open(real.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _take_rights(descriptor: int, real: Path) -> None:
    """Set permissions of a new file to those of the file that it replaces, and the owner, if this user may."""
    try:
        old = real.stat()
    except FileNotFoundError:
        mask = os.umask(0o022)
        os.umask(mask)
        os.fchmod(descriptor, 0o666 & ~mask)
        return
    with contextlib.suppress(PermissionError):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode))
