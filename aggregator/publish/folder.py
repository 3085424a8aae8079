"""The only place that writes outputs: whole files, only where bytes differ, never outside the folder (R30, A31, S51).

`atomic_file.py` opens the folder of a file without following symbolic links, and writes it. A gzip copy (.gz) beside a
file can be served by nginx or a CDN as it is (A76).
"""

import contextlib
import ctypes
import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from aggregator.errors import PublishError
from aggregator.model.output_paths import GZIP_SUFFIX, MAX_DEPTH
from aggregator.publish import atomic_file
from aggregator.render.mark import HEAD_BYTES, bears_mark

_TEMPORARY = re.compile(rf"\..{{1,210}}\.[0-9a-f]{{16}}{re.escape(atomic_file.TEMPORARY)}", re.ASCII)
_SYNC = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)  # Python has no call of its own for it


class Folder:
    """The folder that outputs are written to (`publish.to`); its paths are relative, with slashes."""

    max_parallel = 1

    def __init__(self, root: Path) -> None:
        """Open the folder, and make it if it is missing.

        Raises:
            PublishError: it can't be made or is not a folder.
        """
        self.root = root
        self._unsynced: set[str] = set()
        with atomic_file.failing(str(root)):
            os.close(atomic_file.opened_root(self.root, make=True))

    def where(self) -> str:
        """Return the absolute path; of a link, that of its target, since a link may lead elsewhere tomorrow."""
        return str(self.root.resolve())

    def named(self, path: str) -> str:
        """Return the path of a file."""
        return str(self.root / path)

    def replace(
        self,
        path: str,
        data: bytes,
        *,
        gzip: bool,
        max_age: int = 0,
        durable: bool = True,
        like: str | None = None,
    ) -> bool:
        """Put a file in place, whole or not at all, unless it is there with these bytes already.

        Args:
            path: below the folder, of the shape `category/python.atom`.
            data: the whole content.
            gzip: whether it has a gzip copy.
            max_age: unused: the server that reads the folder sends it.
            durable: on the disk when this returns; False: after `sync_folders`, for what can be made again (R30).
            like: unused.

        Returns:
            Whether the bytes of the file itself changed.

        Raises:
            PublishError: it could not be written; the old file is still there.
        """
        with atomic_file.parent_of(self.root, path, make=True) as (folder, name):
            assert folder is not None
            same, touched = atomic_file.replace(folder, name, data, gzip=gzip, durable=durable)
            if touched and durable:
                os.fsync(folder)
            elif touched:
                self._unsynced.add(path.rpartition("/")[0])
            return not same

    def sync_folders(self) -> None:
        """Make files durable that were written with `durable=False`, by one call for all of them.

        Where the system has no such call, each folder is synced: names are durable then, and after a power cut a page
        may have to be made again.

        Raises:
            PublishError: it could not be made durable.
        """
        if self._unsynced:
            with atomic_file.failing(str(self.root)):
                if _sync_file_system(self.root):
                    self._unsynced.clear()
        while self._unsynced:
            inside = min(self._unsynced)
            named = inside or str(self.root)
            with atomic_file.parent_of(self.root, f"{inside}/_".lstrip("/"), make=False, named=named) as (folder, _):
                if folder is not None:
                    os.fsync(folder)
            self._unsynced.discard(inside)

    def remove(self, path: str) -> bool:
        """Remove a file of ours and its gzip copy; folders stay.

        Returns:
            Whether there was one of the two.

        Raises:
            PublishError: it could not be removed.
        """
        with atomic_file.parent_of(self.root, path, make=False) as (folder, name):
            if folder is None:
                return False
            gone = atomic_file.unlink(folder, name + GZIP_SUFFIX) | atomic_file.unlink(folder, name)
            if gone:
                os.fsync(folder)
            return gone

    def stranger(self, path: str) -> bool | None:
        """Return whose file is at a path that the store does not list.

        Returns:
            None: neither file nor gzip copy; True: a file with our mark, so a state was lost; False: a file, folder or
            link of somebody else.

        Raises:
            PublishError: it can't be read.
        """
        with atomic_file.parent_of(self.root, path, make=False) as (folder, name):
            if folder is None:
                return None
            heads = [atomic_file.head_of(folder, each, HEAD_BYTES) for each in (name, name + GZIP_SUFFIX)]
            stand = [head for head in heads if head is not None]
            return all(map(bears_mark, stand)) if stand else None

    def below(self, folder: str) -> Iterator[str]:
        """Return the paths of all files below a folder (empty: this one), ours and others'; no link is followed.

        Raises:
            PublishError: it can't be read.
        """
        start = self.root / "/".join(atomic_file.segments_of(folder)) if folder else self.root
        with atomic_file.failing(folder):
            if start.is_dir() and not start.is_symlink():
                yield from (
                    file.relative_to(self.root).as_posix() for file in _files_below(start, MAX_DEPTH, hidden=False)
                )

    def missing(self, names: Iterable[str]) -> set[str]:
        """Return those names, of files directly in this folder, at which no regular file stands.

        Raises:
            PublishError: the folder can't be read.
        """
        with atomic_file.failing(str(self.root)):
            stand = os.scandir(self.root) if self.root.is_dir() else contextlib.nullcontext(())
            with stand as found:
                return {*names}.difference([entry.name for entry in found if entry.is_file(follow_symlinks=False)])

    def digest(self, path: str) -> str | None:
        """Return the SHA-256 of a file, in hex; None if there is no regular file.

        Raises:
            PublishError: it can't be read.
        """
        with atomic_file.reading(self.root, path) as file:
            return None if file is None else hashlib.file_digest(file, "sha256").hexdigest()

    def digests(self, paths: Iterable[str]) -> dict[str, str | None]:
        """Return the SHA-256 of files by path; None where no regular file stands, or one that can't be read.

        Each folder is opened once: to open it for each file takes as long as to read the file.
        """
        found: dict[str, str | None] = dict.fromkeys(paths)
        together = defaultdict(list)
        for path in found:
            together[path.rpartition("/")[0]].append(path)
        for inside in together.values():
            with (
                contextlib.suppress(PublishError),
                atomic_file.parent_of(self.root, inside[0], make=False) as (folder, _),
            ):
                if folder is None:
                    continue
                for path in inside:
                    with contextlib.suppress(PublishError), atomic_file.failing(path):
                        if file := atomic_file.open_regular(folder, atomic_file.segments_of(path)[-1]):
                            with file:
                                found[path] = hashlib.file_digest(file, "sha256").hexdigest()
        return found

    def read(self, path: str, limit_bytes: int) -> bytes:
        """Read a file; no link is followed to it.

        Args:
            path: below the folder.
            limit_bytes: it may have at most so many.

        Raises:
            PublishError: no regular file stands there, it is larger, or it can't be read.
        """
        with atomic_file.reading(self.root, path) as file:
            if file is None:
                raise PublishError(path, "there is no such file")
            data = file.read(limit_bytes + 1)
        if len(data) > limit_bytes:
            raise PublishError(path, f"has over {limit_bytes // 2**20} MiB")
        return data

    def sweep(self) -> int:
        """Remove the temporary files that a killed run left. Call it at start, when no other process writes.

        Returns:
            How many there were.

        Raises:
            PublishError: one could not be removed.
        """
        with atomic_file.failing(str(self.root)):
            stale = [
                file for file in _files_below(self.root, MAX_DEPTH, hidden=True) if _TEMPORARY.fullmatch(file.name)
            ]
            for file in stale:
                file.unlink(missing_ok=True)
        return len(stale)


def _sync_file_system(folder: Path) -> bool:
    """Sync a file system to its disk; return False where the system has no call for that."""
    if _SYNC is None:
        return False
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if _SYNC(descriptor):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(descriptor)
    return True


def _files_below(folder: Path, depth: int, *, hidden: bool) -> Iterator[Path]:
    """Return the files whose names begin with a dot, or all others; no link is followed."""
    with os.scandir(folder) as found:
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                if depth > 1:
                    yield from _files_below(folder / entry.name, depth - 1, hidden=hidden)
            elif entry.name.startswith(".") is hidden:
                yield folder / entry.name
