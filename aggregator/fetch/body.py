"""Reads bodies in chunks, within limits, completely or not at all (P82, P83)."""

import io
from collections.abc import Callable
from typing import Protocol

from aggregator.errors import BodyTooLarge, FetchError
from aggregator.fetch.coding import MAX_DECODED_BYTES, Decoding
from aggregator.fetch.head import number_of
from aggregator.urls import Url

CHUNK_BYTES = 64 * 1024
MAX_WIRE_BYTES = 10 * 1024 * 1024
MAX_ARTICLE_BYTES = 2 * 1024 * 1024  # of a page, decompressed: a longer one is no article, and too expensive to parse
MAX_ERROR_BYTES = 64 * 1024  # P36


Grow = Callable[[int], None]  # called with the size that a body is about to have; may wait, or raise (R42)


class Stream(Protocol):
    """The part of urllib3's response that reads a body from the wire."""

    def read(self, amt: int, *, decode_content: bool) -> bytes:
        """Read up to `amt` bytes; none at the end."""


def read_body(
    stream: Stream, url: Url, *, length: str, coding: str, grow: Grow, limit: int = MAX_DECODED_BYTES
) -> bytes:
    """Read a body to its end and decompress it.

    Args:
        stream: the response.
        url: for messages.
        length: Content-Length as received; empty if there is none.
        coding: Content-Encoding as received; likewise.
        grow: called before the body grows.
        limit: largest number of decompressed bytes.

    Raises:
        BodyTooLarge: by its length, before anything is read, or while reading.
        BodyCut: a compressed stream lacks its end.
        ProtocolFault: the body can't be decompressed.
    """
    promised = number_of(length) or 0
    on_wire = min(limit, MAX_WIRE_BYTES)
    if promised > on_wire:
        raise BodyTooLarge(url, "the body", on_wire)
    decoding = Decoding(coding, url) if coding else None
    body = io.BytesIO()  # gives what it holds without a copy; pieces to be joined would be there twice
    grow(promised)
    wire = 0
    while data := stream.read(CHUNK_BYTES, decode_content=False):
        wire += len(data)
        if wire > on_wire:
            raise BodyTooLarge(url, "the body", on_wire)
        for piece in (data,) if decoding is None else decoding.decode(data):
            if body.tell() + len(piece) > limit:
                raise BodyTooLarge(url, "the unpacked body", limit)
            grow(body.tell() + len(piece))
            body.write(piece)
    if decoding is not None:
        decoding.finish()
    return body.getvalue()


def read_some(stream: Stream, url: Url, *, coding: str) -> bytes:
    """Read the beginning of the body of an error response, as far as it is readable (P36).

    The caller ignores errors of the connection.
    """
    data = stream.read(MAX_ERROR_BYTES, decode_content=False) or b""
    if not coding or not data:
        return data
    text = b""
    try:
        for piece in Decoding(coding, url).decode(data):
            text += piece
            if len(text) >= MAX_ERROR_BYTES:
                break
    except FetchError:
        pass
    return text[:MAX_ERROR_BYTES]


assert MAX_DECODED_BYTES >= MAX_WIRE_BYTES  # or an unpacked body could be over its limit unseen
