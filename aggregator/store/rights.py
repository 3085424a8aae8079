"""File permissions of the store and its companion files: only the owner can read them (S61).

The store contains values of `${NAME}` and secret addresses. SQLite creates -wal, -shm and -journal with the permissions
of the database.
"""

import os
import stat
from collections.abc import Iterator
from logging import getLogger
from pathlib import Path

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
