"""Who may read the store and what lies beside it: its owner (S61). Values of `${NAME}` and secret addresses are in it.

SQLite gives -wal, -shm and -journal the rights of their database.
"""

import os
import stat
from collections.abc import Iterator
from logging import getLogger
from pathlib import Path

log = getLogger(__name__)

MODE = 0o600
FOLDER_MODE = 0o755  # a web server may have to pass through it to the outputs; names of files are no secret
OTHERS = 0o007
_BESIDE = ("", "-wal", "-shm", "-journal", ".lock", ".search", ".search-wal", ".search-shm", ".search-journal")
_BEFORE = ".before-*"  # copies that were made before a migration


def make_private(path: Path, *, like: Path | None = None) -> None:
    """Make an empty file that its owner alone may read and write; nothing happens if one stands there.

    Args:
        path: of the file.
        like: a file that the new one will replace. What the group of that one may do is kept, unless everybody may.

    Raises:
        OSError: it can't be made.
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
    """Make a folder and those above it, where they are missing, so that others may pass through them.

    Raises:
        OSError: one can't be made.
    """
    for missing in reversed([each for each in (path, *path.parents) if not each.exists()]):
        missing.mkdir(exist_ok=True)
        missing.chmod(FOLDER_MODE)  # the umask took something away


def tighten(store: Path) -> None:
    """Let nobody but the owner read a store, and what belongs to it, where everybody may: older versions made them so.

    Rights that somebody gave to a group, and not to everybody, stay.
    """
    for path in open_to_others(store, ours=True):
        try:
            path.chmod(MODE)
        except OSError as error:  # it is another user's
            facts = {"file": str(path), "error": error.strerror, "advice": "its owner should run chmod 600 on it"}
            log.warning("tighten_store", extra=facts)
        else:
            log.info("tighten_store", extra={"file": str(path), "advice": "only its owner can read it now"})


def open_to_others(store: Path, *, ours: bool = False) -> Iterator[Path]:
    """Yield the files of a store that everybody may read or write.

    Args:
        store: the database.
        ours: only those that we wrote; False: all whose names begin with that of the database, as copies do.
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
