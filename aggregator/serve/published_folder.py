"""Opens published files with their ETags and dates for the web server.

The files are checked on each request, so that a file that `os.replace` has just put in place is served at once, even if
the rest of the program has failed (R69). Only ETags are remembered, and the file versions they belong to.
"""

import errno
import hashlib
import os
import stat
import threading
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from aggregator.clock import Clock, utc_now
from aggregator.model.output_paths import GONE_LIST, GZIP_SUFFIX
from aggregator.render.gone_list import read_gone_list
from aggregator.render.media_types import STYLED_FEED, Role, is_styled, media_of
from aggregator.serve.links import link_of
from aggregator.serve.names import name_of, no_aliases

NOINDEX = b'<meta name="robots" content="noindex">'  # the form that our pages have, in their first bytes
HEAD_BYTES = 8192
CHUNK_BYTES = 256 * 1024  # read from a part of a file at a time
MAX_KNOWN = 4096  # documents whose ETags are remembered; about 1 kB each
# The clock of a file system advances every few milliseconds. Of two versions written within one step, the later may
# have the size, times and even the inode of the earlier. So nothing is remembered of a file that is this young.
YOUNG_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Encoding:
    """The bytes of a document in one content coding."""

    digest: str  # digest of exactly these bytes (A71)
    size: int
    coding: str | None = None  # None: identity


@dataclass(frozen=True, slots=True)
class _Known:
    """ETags and properties of a document, and the versions of the files from which they were read."""

    signature: tuple[int, ...]
    modified: int
    plain: Encoding
    gzip: Encoding | None
    noindex: bool = False
    link: str | None = None
    is_styled: bool = False  # a feed that names a stylesheet


class FilePart:
    """A part of a published file, with its own file descriptor; the server that sends the part closes it.

    Published files are replaced and never changed (R30), so the bytes always match the ETag.
    """

    def __init__(self, handle: int, start: int, size: int) -> None:
        """Open the part.

        Args:
            handle: descriptor of the whole file; may be closed afterwards.
            start: offset of the part in bytes.
            size: size of the part in bytes.

        Raises:
            OSError: no more files can be opened.
        """
        self._handle, self._start, self.size, self._position = os.dup(handle), start, size, 0

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, at most `CHUNK_BYTES`; b"" at the end."""
        left = min(self.size - self._position, CHUNK_BYTES)
        data = os.pread(self._handle, left if size < 0 else min(size, left), self._start + self._position)
        self._position += len(data)
        return data

    def seek(self, position: int, whence: int = os.SEEK_SET) -> int:
        """Set the position in the part, and return it."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        self._position = min(max(base + position, 0), self.size)
        return self._position

    def tell(self) -> int:
        """Return the position in the part."""
        return self._position

    def close(self) -> None:
        """Close the file. Can be called again."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


class Document:
    """A published document at one moment. ETags, date, and the bytes that `read` returns are of the same version.

    The document holds the open files, so that a new version can't be mixed with this one. Use as a context manager.
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

    def read(self, encoding: Encoding, start: int = 0, stop: int | None = None) -> bytes:
        """Return the bytes of an encoding, or those from `start` up to `stop`.

        Raises:
            OSError: the file can't be read, or was truncated.
        """
        return _read(self._handles[0 if encoding is self.plain else 1], start, encoding.size if stop is None else stop)

    def part(self, encoding: Encoding, start: int, size: int) -> FilePart:
        """Return bytes of an encoding as a part of the file, which stays open when the document is closed.

        Raises:
            OSError: no more files can be opened.
        """
        return FilePart(self._handles[0 if encoding is self.plain else 1], start, size)


class PublishedFolder:
    """The published folder, read only. Thread-safe."""

    def __init__(
        self,
        root: Path,
        max_age: Callable[[str], int],
        *,
        copy_of: Callable[[str], str | None] = no_aliases,
        clock: Clock = utc_now,
    ) -> None:
        """Create a view of a folder, which need not exist yet.

        Args:
            root: the folder; may be a symlink whose target changes while the program runs.
            max_age: returns for how many seconds clients may cache a name (`category/python.atom`; A75). Must not
                raise: files are served even without a store (R69).
            copy_of: returns the output that a listed name copies; its own name for a file of the operator; None for
                other names. Must not raise.
            clock: current time, to recognise files that are too young to be remembered.
        """
        self._root, self._max_age, self._copy_of, self._clock = root, max_age, copy_of, clock
        self._folder = str(root)  # as text: a path is joined at each request
        self._known: dict[str, _Known] = {}
        self._gone: tuple[tuple[int, ...], Mapping[str, int]] = ((), {})
        self._lock = threading.Lock()

    def open(self, path: str) -> Document | None:
        """Open the file of a URL path.

        Returns:
            The document; None if there is no file with that name, or no regular file inside the root.

        Raises:
            OSError: the file exists and can't be read.
        """
        name = name_of(path, self._copy_of)
        handle = _open(f"{self._folder}/{name}") if name else None
        if name is None or handle is None:
            return None
        handles = [handle]
        try:
            with suppress(OSError):  # without a .gz there is still the plain file
                if (gzip_handle := _open(f"{self._folder}/{name}{GZIP_SUFFIX}")) is not None:
                    handles.append(gzip_handle)
            like = self._copy_of(name)
            kind = media_of(name, like)
            known = self._examine(name, handles, kind[1])
            if known is not None and known.is_styled and like is None:  # a copy may stand elsewhere than its stylesheet
                kind = STYLED_FEED, kind[1]
            document = Document(name, known, handles, self._max_age(name), kind) if known else None
        except BaseException:
            _close(handles)
            raise
        if document is None:
            _close(handles)
        return document

    def absence_status(self, name: str) -> HTTPStatus | None:
        """Return the status to answer instead of an existing file that `gone.txt` lists; None to send the file.

        Returns:
            410 for the page of a withdrawn story (A42) and for the files of a removed category, 404 for those of a
                category that was removed long ago (A44).
        """
        answer = self._listed().get(name) if name.startswith(("entry/", "category/")) else None
        return None if answer is None else HTTPStatus(answer)

    def _listed(self) -> Mapping[str, int]:
        """Return what `gone.txt` lists."""
        path = f"{self._folder}/{GONE_LIST}"
        with suppress(OSError):  # if the file can't be read, the last known list is used
            try:
                signature = _signature(os.stat(path))  # noqa: PTH116 - on each request; a Path costs more than the stat
            except FileNotFoundError:
                return {}
            if signature != self._gone[0] and (handle := _open(path)) is not None:
                try:
                    file = os.fstat(handle)
                    self._gone = _signature(file), read_gone_list(_read(handle, 0, file.st_size))
                finally:
                    os.close(handle)
        return self._gone[1]

    def _examine(self, name: str, handles: Sequence[int], role: Role) -> _Known | None:
        """Return what is known of open files; read them if they are not the versions that are remembered."""
        files = [os.fstat(handle) for handle in handles]
        signature = _signature(files[0]) + (_signature(files[1]) if len(files) == 2 else ())
        known = self._known.get(name)
        if known is not None and known.signature == signature:
            return known
        if not self._is_publishable(name, files[0]):
            return None
        body = _read(handles[0], 0, files[0].st_size)
        gzip = None
        if len(files) == 2 and self._is_publishable(name + GZIP_SUFFIX, files[1]):
            packed = _read(handles[1], 0, files[1].st_size)
            if _unpacks_to(packed, body):
                gzip = _encoding_of(packed, "gzip")
        noindex, link = NOINDEX in body[:HEAD_BYTES], link_of(body) if role is Role.FEED else None
        styled = role is Role.FEED and is_styled(body)
        known = _Known(signature, int(files[0].st_mtime), _encoding_of(body, None), gzip, noindex, link, styled)
        if self._clock().timestamp() - max(file.st_ctime for file in files) > YOUNG_SECONDS:
            self._remember(name, known)
        return known

    def _is_publishable(self, name: str, file: os.stat_result) -> bool:
        """Return True if an open file is a regular file inside the root, and not hidden."""
        root = Path(os.path.realpath(self._root))
        real = Path(os.path.realpath(root / name))
        if not stat.S_ISREG(file.st_mode) or not real.is_relative_to(root):
            return False
        return not any(part.startswith(".") and part != ".well-known" for part in real.relative_to(root).parts)

    def _remember(self, name: str, known: _Known) -> None:
        with self._lock:
            self._known.pop(name, None)
            if len(self._known) >= MAX_KNOWN:
                del self._known[next(iter(self._known))]  # the document that was read first
            self._known[name] = known


def _signature(file: os.stat_result) -> tuple[int, ...]:
    return file.st_dev, file.st_ino, file.st_size, file.st_mtime_ns, file.st_ctime_ns


def _open(path: str) -> int | None:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # O_NONBLOCK: do not block at a named pipe
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


def _encoding_of(body: bytes, coding: str | None) -> Encoding:
    return Encoding(hashlib.sha256(body).hexdigest()[:32], len(body), coding)


def _unpacks_to(packed: bytes, body: bytes) -> bool:
    """Return True if a .gz has the same content. It is written before the plain file, so it may be newer."""
    reader = zlib.decompressobj(wbits=31)  # 31: a gzip header, and nothing else
    try:
        same = (
            reader.decompress(packed, len(body) + 1) == body
        )  # one byte more than expected: limits a decompression bomb
    except zlib.error:
        return False
    return same and reader.eof and not reader.unused_data
