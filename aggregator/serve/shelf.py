"""The published folder as a server sees it: the bytes behind a name, with their tags and their date.

Files are looked at on each request, so that what `os.replace` put there a moment ago is what is served, whether or not
the rest of the program still lives (R69). What is remembered are tags, and which files they are of.
"""

import errno
import hashlib
import os
import stat
import threading
import zlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from aggregator.clock import Clock, utc_now
from aggregator.render.media_types import Role, media_of
from aggregator.serve.links import link_of
from aggregator.serve.names import name_of, no_copies

TWIN = ".gz"
GONE = "gone.txt"
FORGOTTEN = "404="  # before a path in it
NOINDEX = b'<meta name="robots" content="noindex">'  # as our pages say it, in their first bytes
HEAD_BYTES = 8192
CHUNK_BYTES = 256 * 1024  # of a part of a file that are read at once
MAX_KNOWN = 4096  # documents whose tags are remembered; about 1 kB each
# A file system's clock ticks every few milliseconds: of versions written within one tick, a later one may have size,
# times and even the inode of an earlier one. What was read of a file as young as that isn't remembered.
YOUNG_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Encoding:
    """The bytes of a document in one content coding."""

    digest: str  # of exactly these bytes (A71)
    size: int
    coding: str | None = None  # None: identity


@dataclass(frozen=True, slots=True)
class _Known:
    """What reading the files gave, and which files those were."""

    signature: tuple[int, ...]
    modified: int
    plain: Encoding
    gzip: Encoding | None
    noindex: bool = False
    link: str | None = None


class FilePart:
    """A part of a published file as an open file of its own, which whoever reads it closes.

    Published files are replaced and never changed (R30), so that the bytes stay those that the tags are of.
    """

    def __init__(self, handle: int, start: int, size: int) -> None:
        """Open the part.

        Args:
            handle: of the whole file; may be closed afterwards.
            start: where the part begins, in bytes.
            size: of the part, in bytes.

        Raises:
            OSError: no further file can be opened.
        """
        self._handle, self._start, self.size, self._place = os.dup(handle), start, size, 0

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, at most `CHUNK_BYTES` at a time; none at the end."""
        left = min(self.size - self._place, CHUNK_BYTES)
        data = os.pread(self._handle, left if size < 0 else min(size, left), self._start + self._place)
        self._place += len(data)
        return data

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place of the part, and return it."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self.size}[whence]
        self._place = min(max(base + place, 0), self.size)
        return self._place

    def tell(self) -> int:
        """Return the place in the part."""
        return self._place

    def close(self) -> None:
        """Close the file; again is no harm."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


class Document:
    """A published document at one moment: its tags, its date and what `read` gives belong together.

    It holds the open files, so that nothing that is published in between can mix two versions. Use it in a `with`.
    """

    __slots__ = ("_handles", "gzip", "link", "max_age", "media_type", "modified", "name", "noindex", "plain", "role")

    def __init__(self, name: str, known: _Known, handles: Sequence[int], max_age: int, kind: tuple[str, Role]) -> None:
        self.name, self.max_age = name, max_age
        self.media_type, self.role = kind
        self.plain, self.gzip = known.plain, known.gzip
        self.modified = known.modified  # seconds since 1970
        self.noindex = known.noindex  # a page that asks search engines to leave it out
        self.link = known.link  # the header of a feed that names a hub
        self._handles = handles

    def __enter__(self) -> "Document":
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            os.close(handle)

    def read(self, copy: Encoding, start: int = 0, stop: int | None = None) -> bytes:
        """Give the bytes of a copy, or those from `start` up to `stop`.

        Raises:
            OSError: the file can't be read, or somebody cut it short.
        """
        return _read(self._handles[0 if copy is self.plain else 1], start, copy.size if stop is None else stop)

    def part(self, copy: Encoding, start: int, size: int) -> FilePart:
        """Return bytes of a copy as a part of its file, which stays open when the document is closed.

        Raises:
            OSError: no further file can be opened.
        """
        return FilePart(self._handles[0 if copy is self.plain else 1], start, size)


class PublishedFolder:
    """The published folder, read only."""

    def __init__(
        self,
        root: Path,
        max_age: Callable[[str], int],
        *,
        copy_of: Callable[[str], str | None] = no_copies,
        clock: Clock = utc_now,
    ) -> None:
        """Make a shelf of a folder, which need not exist yet.

        Args:
            root: the folder; may be a symlink, and change its target while we run.
            max_age: how many seconds a name (`category/python.atom`) may be kept by whoever fetched it (A75). Must not
                raise: files are served even without a store (R69).
            copy_of: tells which names are listed besides our outputs, and of which output each is a copy; its own name:
                it is the operator's own file. Must not raise either.
            clock: tells which files are so young that they may change without a trace.
        """
        self._root, self._max_age, self._copy_of, self._clock = root, max_age, copy_of, clock
        self._folder = str(root)  # as text: a path is joined at each request
        self._known: dict[str, _Known] = {}
        self._gone: tuple[tuple[int, ...], frozenset[str]] = ((), frozenset())
        self._lock = threading.Lock()

    def open(self, path: str) -> Document | None:
        """Open what a URL path asks for.

        Returns:
            The document; None if there is none by that name, or what is there is no regular file inside the root.

        Raises:
            OSError: the file is there and can't be read.
        """
        name = name_of(path, self._copy_of)
        handle = _open(f"{self._folder}/{name}") if name else None
        if name is None or handle is None:
            return None
        handles = [handle]
        try:
            with suppress(OSError):  # without a twin there is still the plain file
                if (twin := _open(f"{self._folder}/{name}{TWIN}")) is not None:
                    handles.append(twin)
            kind = media_of(name, self._copy_of(name))
            known = self._look(name, handles, kind[1])
            document = Document(name, known, handles, self._max_age(name), kind) if known else None
        except BaseException:
            _close(handles)
            raise
        if document is None:
            _close(handles)
        return document

    def absence_of(self, name: str) -> HTTPStatus | None:
        """Say what is answered in place of a file that stands there, as `gone.txt` lists it; None: the file itself.

        Returns:
            410 for the page of a withdrawn story (A42) and the files of a removed category, 404 once that is long ago
            (A44).
        """
        listed = self._listed(name)
        if f"{FORGOTTEN}{name}" in listed:
            return HTTPStatus.NOT_FOUND
        return HTTPStatus.GONE if name in listed else None

    def _listed(self, name: str) -> frozenset[str]:
        """Give what `gone.txt` lists, if a name may be in it."""
        if not name.startswith(("entry/", "category/")):
            return frozenset()
        path = f"{self._folder}/{GONE}"
        with suppress(OSError):  # what is listed there was listed a moment ago as well
            try:
                signature = _signature(os.stat(path))  # noqa: PTH116 - at each request, and a Path costs more than the look
            except FileNotFoundError:
                return frozenset()
            if signature != self._gone[0] and (handle := _open(path)) is not None:
                try:
                    file = os.fstat(handle)
                    names = _read(handle, 0, file.st_size).decode("utf-8", "replace").split()
                    self._gone = _signature(file), frozenset(names)
                finally:
                    os.close(handle)
        return self._gone[1]

    def _look(self, name: str, handles: Sequence[int], role: Role) -> _Known | None:
        """Give what is known of open files; read them if they are others than those we know."""
        files = [os.fstat(handle) for handle in handles]
        signature = _signature(files[0]) + (_signature(files[1]) if len(files) == 2 else ())
        known = self._known.get(name)
        if known is not None and known.signature == signature:
            return known
        if not self._is_ours(name, files[0]):
            return None
        body = _read(handles[0], 0, files[0].st_size)
        gzip = None
        if len(files) == 2 and self._is_ours(name + TWIN, files[1]):
            packed = _read(handles[1], 0, files[1].st_size)
            if _unpacks_to(packed, body):
                gzip = _copy(packed, "gzip")
        noindex, link = NOINDEX in body[:HEAD_BYTES], link_of(body) if role is Role.FEED else None
        known = _Known(signature, int(files[0].st_mtime), _copy(body, None), gzip, noindex, link)
        if self._clock().timestamp() - max(file.st_ctime for file in files) > YOUNG_SECONDS:
            self._remember(name, known)
        return known

    def _is_ours(self, name: str, file: os.stat_result) -> bool:
        """Tell whether an open file is a regular one that really lies inside the root, and not hidden."""
        root = Path(os.path.realpath(self._root))
        real = Path(os.path.realpath(root / name))
        if not stat.S_ISREG(file.st_mode) or not real.is_relative_to(root):
            return False
        return not any(part.startswith(".") and part != ".well-known" for part in real.relative_to(root).parts)

    def _remember(self, name: str, known: _Known) -> None:
        with self._lock:
            self._known.pop(name, None)
            if len(self._known) >= MAX_KNOWN:
                del self._known[next(iter(self._known))]  # the one that was read first
            self._known[name] = known


def _signature(file: os.stat_result) -> tuple[int, ...]:
    return file.st_dev, file.st_ino, file.st_size, file.st_mtime_ns, file.st_ctime_ns


def _open(path: str) -> int | None:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # O_NONBLOCK: nor hang at a named pipe
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):  # a symlink to itself, a socket
            return None
        raise


def _close(handles: Iterable[int]) -> None:
    for handle in handles:
        os.close(handle)


def _read(handle: int, start: int, stop: int) -> bytes:
    body = os.pread(handle, stop - start, start)
    while len(body) < stop - start:
        more = os.pread(handle, stop - start - len(body), start + len(body))
        if not more:
            raise OSError(errno.EIO, "the file was cut short while it was read")
        body += more
    return body


def _copy(body: bytes, coding: str | None) -> Encoding:
    return Encoding(hashlib.sha256(body).hexdigest()[:32], len(body), coding)


def _unpacks_to(packed: bytes, body: bytes) -> bool:
    """Tell whether a .gz is of this version: it is written before its plain file, so for a moment it may be ahead."""
    reader = zlib.decompressobj(wbits=31)  # 31: a gzip header, and nothing else
    try:
        same = reader.decompress(packed, len(body) + 1) == body  # a byte more than it may be: no bomb goes off
    except zlib.error:
        return False
    return same and reader.eof and not reader.unused_data
