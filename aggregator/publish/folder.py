"""The only place that writes outputs: whole files, only where bytes differ, never outside the folder (R30, A31, S51).

Folders are opened one below the other without following symbolic links, and everything else is done relative to the
folder that was opened, so nobody can put a link in between. A gzip copy (.gz) beside a file can be served by
nginx or a CDN as it is (A76).
"""

import contextlib
import ctypes
import errno
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from io import BufferedReader
from pathlib import Path

from aggregator.errors import PublishError
from aggregator.model.output_paths import GZIP_SUFFIX, MAX_DEPTH, PATH
from aggregator.publish import atomic_file
from aggregator.render.mark import HEAD_BYTES, bears_mark

FOLDER_MODE = 0o755

_TEMPORARY = re.compile(rf"\..{{1,210}}\.[0-9a-f]{{16}}{re.escape(atomic_file.TEMPORARY)}", re.ASCII)
_SYNC = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)  # Python has no call of its own for it
_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_ADVICE = {
    errno.ENOSPC: "the disk is full: free some space",
    errno.EDQUOT: "the quota is used up: free some space",
    errno.EACCES: "permission denied: let the user that runs aggregator write there (publish.to)",
    errno.EPERM: "not permitted: let the user that runs aggregator write there (publish.to)",
    errno.EROFS: "the file system is read-only: choose another folder in publish.to",
    errno.ELOOP: "a symbolic link stands in the way, and links are not followed: replace it by a folder",
    errno.ENOTDIR: "a file or a symbolic link stands where a folder has to be: move it away",
    errno.EISDIR: "a folder stands where the file has to be: move it away",
    errno.EMFILE: "too many open files: raise the limit (ulimit -n)",
}


class Folder:
    """The folder that outputs are written to (`publish.to`); its paths are relative, with slashes."""

    max_parallel = 1

    def __init__(self, root: Path) -> None:
        """Open the folder, and make it if it is missing.

        Raises:
            PublishError: it can't be made or is no folder.
        """
        self.root = root
        self._unsynced: set[str] = set()
        with _failing(str(root)):
            os.close(self._opened_root(make=True))

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
        with _failing(path), self._parent(path, make=True) as (folder, name):
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
            with _failing(str(self.root)):
                if _sync_file_system(self.root):
                    self._unsynced.clear()
        while self._unsynced:
            inside = min(self._unsynced)
            with _failing(inside or str(self.root)), self._parent(f"{inside}/_".lstrip("/"), make=False) as (folder, _):
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
        with _failing(path), self._parent(path, make=False) as (folder, name):
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
        with _failing(path), self._parent(path, make=False) as (folder, name):
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
        start = self.root / "/".join(segments_of(folder)) if folder else self.root
        with _failing(folder):
            if start.is_dir() and not start.is_symlink():
                yield from (
                    file.relative_to(self.root).as_posix() for file in _files_below(start, MAX_DEPTH, hidden=False)
                )

    def missing(self, names: Iterable[str]) -> set[str]:
        """Return those names, of files directly in this folder, at which no regular file stands.

        Raises:
            PublishError: the folder can't be read.
        """
        with _failing(str(self.root)):
            stand = os.scandir(self.root) if self.root.is_dir() else contextlib.nullcontext(())
            with stand as found:
                return {*names}.difference([entry.name for entry in found if entry.is_file(follow_symlinks=False)])

    def digest(self, path: str) -> str | None:
        """Return the SHA-256 of a file, in hex; None if there is no regular file.

        Raises:
            PublishError: it can't be read.
        """
        with self._reading(path) as file:
            return None if file is None else hashlib.file_digest(file, "sha256").hexdigest()

    def read(self, path: str, limit_bytes: int) -> bytes:
        """Read a file; no link is followed to it.

        Args:
            path: below the folder.
            limit_bytes: it may have at most so many.

        Raises:
            PublishError: no regular file stands there, it is larger, or it can't be read.
        """
        with self._reading(path) as file:
            if file is None:
                raise PublishError(path, "there is no such file")
            data = file.read(limit_bytes + 1)
        if len(data) > limit_bytes:
            raise PublishError(path, f"has over {limit_bytes // 2**20} MiB")
        return data

    @contextlib.contextmanager
    def _reading(self, path: str) -> Iterator[BufferedReader | None]:
        """Open a regular file to read; None if there is none."""
        with _failing(path), self._parent(path, make=False) as (folder, name), contextlib.ExitStack() as stack:
            file = None if folder is None else atomic_file.open_regular(folder, name)
            yield None if file is None else stack.enter_context(file)

    def sweep(self) -> int:
        """Remove the temporary files that a killed run left. Call it at start, when no other process writes.

        Returns:
            How many there were.

        Raises:
            PublishError: one could not be removed.
        """
        with _failing(str(self.root)):
            stale = [
                file for file in _files_below(self.root, MAX_DEPTH, hidden=True) if _TEMPORARY.fullmatch(file.name)
            ]
            for file in stale:
                file.unlink(missing_ok=True)
        return len(stale)

    def _opened_root(self, *, make: bool) -> int:
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        try:
            return os.open(self.root, flags)
        except FileNotFoundError:
            if not make:
                raise
        for missing in reversed([p for p in (self.root, *self.root.parents) if not p.exists()]):
            _make_folder(missing, None)
        return os.open(self.root, flags)

    @contextlib.contextmanager
    def _parent(self, path: str, *, make: bool) -> Iterator[tuple[int | None, str]]:
        """Open the folder of a path; None if it is missing and not to be made."""
        *folders, name = segments_of(path)
        try:
            opened = [self._opened_root(make=make)]
        except FileNotFoundError:  # somebody removed it since
            yield None, name
            return
        try:
            for segment in folders:
                try:
                    opened.append(os.open(segment, _OPEN_FOLDER, dir_fd=opened[-1]))
                except FileNotFoundError:
                    if not make:
                        yield None, name
                        return
                    _make_folder(segment, opened[-1])
                    os.fsync(opened[-1])
                    opened.append(os.open(segment, _OPEN_FOLDER, dir_fd=opened[-1]))
            yield opened[-1], name
        finally:
            for descriptor in opened:
                os.close(descriptor)


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


def segments_of(path: str) -> list[str]:
    """Split a path into its names, each a plain one (S51)."""
    if not PATH.fullmatch(path):
        raise PublishError(path, "is no path that outputs may have")
    return path.split("/")


@contextlib.contextmanager
def _failing(output: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = _ADVICE.get(error.errno or 0, error.strerror or type(error).__name__)
        raise PublishError(output, why) from error


def _make_folder(name: str | Path, inside: int | None) -> None:
    with contextlib.suppress(FileExistsError):  # another process was quicker
        os.mkdir(name, FOLDER_MODE, dir_fd=inside)
        os.chmod(name, FOLDER_MODE, dir_fd=inside)  # the umask took something away


def _files_below(folder: Path, depth: int, *, hidden: bool) -> Iterator[Path]:
    """Return the files whose names begin with a dot, or all others; no link is followed."""
    with os.scandir(folder) as found:
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                if depth > 1:
                    yield from _files_below(folder / entry.name, depth - 1, hidden=hidden)
            elif entry.name.startswith(".") is hidden:
                yield folder / entry.name
