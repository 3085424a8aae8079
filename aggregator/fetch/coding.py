"""Decompresses bodies piece by piece, with a limit on the total (S21, P78).

A few kB can unpack to gigabytes. So each step returns at most 64 KiB, and stops at 20 MiB, or when the output exceeds
200 times the input and its first MiB. A stream without its end is an incomplete body (P83).
"""

import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

from aggregator.errors import BodyCut, BodyTooLarge, ProtocolFault
from aggregator.urls import Url

try:
    import brotli
except ImportError:
    brotli = None
try:
    from compression import zstd  # from Python 3.14 on
except ImportError:
    try:
        from backports import zstd
    except ImportError:
        zstd = None

PIECE_BYTES: Final = 64 * 1024
MAX_DECODED_BYTES: Final = 20 * 1024 * 1024
MAX_RATIO: Final = 200
FREE_BYTES: Final = 1024 * 1024  # the ratio counts from here on
MAX_CODINGS: Final = 2
MAX_MEMBERS: Final = 16  # streams that follow each other in one body
ZSTD_WINDOW_LOG: Final = 23  # 8 MiB, all that a server may use (RFC 9659)


class Broken(Exception):
    """A stream does not match its coding."""


class Decoder(Protocol):
    """Decoder of one coding: `feed` bytes, then take pieces until there are none."""

    def feed(self, data: bytes) -> None:
        """Take compressed bytes."""

    def piece(self) -> bytes:
        """Return up to 64 KiB of decompressed bytes; none if more must be fed first. Raises Broken."""

    def is_whole(self) -> bool:
        """Return whether the stream came to its own end."""


class _Inflater:
    """gzip and deflate: zlib in three wrappings."""

    def __init__(self, wrapping: int) -> None:
        self._wrapping = wrapping  # of zlib: 31 is gzip, 15 zlib, -15 none
        self._packed = b""
        self._members = 0
        self._stream: Any = None

    def feed(self, data: bytes) -> None:
        self._packed += data

    def piece(self) -> bytes:
        while self._packed or (self._stream is not None and not self._stream.eof):
            if self._stream is None and not self._begin():
                return b""
            try:
                piece: bytes = self._stream.decompress(self._packed, PIECE_BYTES)
            except zlib.error as error:
                raise Broken(str(error)) from error
            if self._stream.eof:
                self._packed, self._stream = self._stream.unused_data, None
            else:
                self._packed = self._stream.unconsumed_tail
            if piece or self._stream is not None:
                return piece
        return b""

    def _begin(self) -> bool:
        if self._members:
            # after the end of a member: another one, or something to overlook, padding mostly
            if not b"\x1f\x8b".startswith(self._packed[:2]) or self._wrapping != 31:
                self._packed = b""
                return False
            if len(self._packed) < 2:
                return False
            if self._members == MAX_MEMBERS:
                raise Broken(f"over {MAX_MEMBERS} members")
        elif self._wrapping == 15:
            if len(self._packed) < 2:
                return False
            # "deflate" means zlib's wrapping, but many servers send none
            first, second = self._packed[:2]
            if first & 15 != 8 or (first << 8 | second) % 31:
                self._wrapping = -15
        self._members += 1
        self._stream = zlib.decompressobj(self._wrapping)
        return True

    def is_whole(self) -> bool:
        return self._members > 0 and self._stream is None


class _Unbrotler:
    def __init__(self) -> None:
        self._stream = brotli.Decompressor()
        self._packed = b""

    def feed(self, data: bytes) -> None:
        self._packed += data

    def piece(self) -> bytes:
        try:
            if self._stream.is_finished():
                return b""
            if self._stream.can_accept_more_data():
                packed, self._packed = self._packed, b""
            else:
                packed = b""
            piece: bytes = self._stream.process(packed, output_buffer_limit=PIECE_BYTES)
        except brotli.error as error:
            raise Broken("no brotli") from error
        return piece

    def is_whole(self) -> bool:
        return bool(self._stream.is_finished())


class _Unzstd:
    def __init__(self) -> None:
        self._packed = b""
        self._frames = 0
        self._stream: Any = None

    def feed(self, data: bytes) -> None:
        self._packed += data

    def piece(self) -> bytes:
        while self._packed or (self._stream is not None and not self._stream.needs_input):
            if self._stream is None:
                if self._frames == MAX_MEMBERS:
                    raise Broken(f"over {MAX_MEMBERS} frames")
                self._frames += 1
                options = {zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG}
                self._stream = zstd.ZstdDecompressor(options=options)
            packed, self._packed = self._packed, b""
            try:
                piece: bytes = self._stream.decompress(packed, PIECE_BYTES)
            except zstd.ZstdError as error:
                raise Broken(str(error)) from error
            if self._stream.eof:
                self._packed, self._stream = self._stream.unused_data, None
            if piece:
                return piece
        return b""

    def is_whole(self) -> bool:
        return self._frames > 0 and self._stream is None


_MAKERS: Final[dict[str, Callable[[], Decoder]]] = {
    "gzip": lambda: _Inflater(31),
    "deflate": lambda: _Inflater(15),
}
if brotli is not None and hasattr(brotli.Decompressor, "can_accept_more_data"):  # older ones know no limit
    _MAKERS["br"] = _Unbrotler
if zstd is not None:
    _MAKERS["zstd"] = _Unzstd

ACCEPT_ENCODING: Final = ", ".join(_MAKERS)  # what this build can undo, no more and no less


class Decoding:
    """Decodes the codings of one body, in order.

    Args:
        header: Content-Encoding as received; empty if there is none.
        url: for messages.

    Raises:
        ProtocolFault: a coding that was not in Accept-Encoding, or more than two.
    """

    def __init__(self, header: str, url: Url) -> None:
        names = [name for name in (part.strip().lower() for part in header.split(",")) if name not in ("", "identity")]
        names = ["gzip" if name == "x-gzip" else name for name in names]
        if len(names) > MAX_CODINGS:
            raise ProtocolFault(url, f"it is packed {len(names)} times over")
        if unknown := [name for name in names if name not in _MAKERS]:
            raise ProtocolFault(url, f"its content coding {unknown[0][:20]!r} is none that we asked for")
        self._url = url
        self._steps = [_Step(_MAKERS[name](), name, url) for name in reversed(names)]
        self._wire = 0

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Decompress bytes from the wire; yield pieces.

        Raises:
            BodyTooLarge: the result is too large.
            ProtocolFault: the bytes do not match the coding.
        """
        self._wire += len(data)
        yield from self._run(data, self._steps)

    def _run(self, data: bytes, steps: "list[_Step]") -> Iterator[bytes]:
        if not steps:
            if data:
                yield data
            return
        for piece in steps[0].run(data, self._wire):
            yield from self._run(piece, steps[1:])

    def finish(self) -> None:
        """Check that all streams have ended.

        Raises:
            BodyCut: a stream lacks its end.
        """
        for step in self._steps:
            step.finish()


class _Step:
    """One coding, with its limits."""

    def __init__(self, decoder: Decoder, name: str, url: Url) -> None:
        self._decoder, self._name, self._url = decoder, name, url
        self._out = 0
        self._fed = False

    def run(self, data: bytes, wire: int) -> Iterator[bytes]:
        self._fed = self._fed or bool(data)
        self._decoder.feed(data)
        while True:
            try:
                piece = self._decoder.piece()
            except Broken as error:
                raise ProtocolFault(self._url, f"the body is no good {self._name}: {error}") from error
            if not piece:
                return
            self._out += len(piece)
            if self._out > MAX_DECODED_BYTES or (self._out > FREE_BYTES and self._out > MAX_RATIO * wire):
                raise BodyTooLarge(
                    self._url, "the unpacked body", max(FREE_BYTES, min(MAX_DECODED_BYTES, MAX_RATIO * wire))
                )
            yield piece

    def finish(self) -> None:
        if self._fed and not self._decoder.is_whole():
            raise BodyCut(self._url, f"its {self._name} stream lacks its end")
