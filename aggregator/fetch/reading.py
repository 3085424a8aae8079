"""Turns the last response of a fetch into an answer (P20 to P36).

Bodies are read in chunks, within limits, completely or not at all (P82, P83). A local source (`kind: file`, and
`kind: opml` with a path) is a file below the folder of feeds.yaml (S2).
"""

import contextlib
import hashlib
import io
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit
from urllib.request import url2pathname

from urllib3 import HTTPHeaderDict
from urllib3.response import HTTPResponse

from aggregator.errors import BadRedirect, BadStatus, BodyTooLarge, EmptyBody, FetchError, FileUnreadable, ProtocolFault
from aggregator.fetch.coding import MAX_DECODED_BYTES, Decoding
from aggregator.fetch.faults import RAISED
from aggregator.fetch.head import number_of
from aggregator.fetch.request import Headers, asks_for_delta, is_delta, storable
from aggregator.fetch.trip import FOLLOWED, Trip
from aggregator.model.ask import Ask
from aggregator.model.entry import Digest
from aggregator.model.poll import Answer, Fetched, NotModified
from aggregator.text.challenges import is_challenge
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


def read_answer(trip: Trip, answer: HTTPResponse, sent: Headers, grow: Grow) -> Answer:
    """Read the last response of a fetch.

    Args:
        trip: the fetch.
        answer: the response, its body unread.
        sent: the headers of the request.
        grow: called before the body grows (R42).

    Raises:
        FetchError: the response brings no document.
    """
    url, headers, status = trip.chain.url, answer.headers, answer.status
    if status == 304:
        read_rest(trip, answer)
        if not trip.conditional:
            raise ProtocolFault(url, "HTTP 304 although we sent no validator")
        etag, modified = _validators(headers)
        return NotModified(**trip.said(), etag=etag, last_modified=modified)
    if trip.ask.request.is_notice and 200 <= status < 300:
        read_rest(trip, answer)
        return Fetched(**trip.said(), status=status, url=url, body=b"", body_digest=digest_of(b""))
    delta = status == 226 and asks_for_delta(sent) and is_delta(headers.get("im", ""))
    if status not in (200, 203) and not delta:
        raise _no_news(trip, answer)
    limit = MAX_ARTICLE_BYTES if trip.ask.reading.is_article else MAX_DECODED_BYTES
    length, coding = headers.get("content-length", ""), headers.get("content-encoding", "")
    body = read_body(answer, url, length=length, coding=coding, grow=grow, limit=limit)
    if is_challenge(status, headers, b""):
        raise BadStatus(url, status, trip.hints.retry_after, challenge=True)
    if not body:
        raise EmptyBody(url)
    posted = trip.ask.request.method != "GET"  # to which nobody may answer 304
    etag, modified = (None, None) if posted else _validators(headers)
    digest = digest_of(body)
    return Fetched(
        **trip.said(),
        status=status,
        url=url,
        body=body,
        body_bytes=len(body),
        body_digest=digest,
        etag=etag,
        last_modified=modified,
        content_type=headers.get("content-type"),
        content_language=headers.get("content-language"),
        content_location=headers.get("content-location"),
        same_body=digest == trip.ask.body_digest and not delta,  # a delta is never "the body" (P23)
        is_delta=delta,
    )


def read_file(ask: Ask, grow: Grow) -> bytes:
    """Read the file of a local source.

    `config` has checked that the path, symlinks resolved, lies below the folder of feeds.yaml, and has put the resolved
    path into the source's URL. A symlink may since lead to another file, but only within that file's folder.

    Raises:
        FileUnreadable: it does not exist, is not a regular file, or leads elsewhere now.
        BodyTooLarge: over 20 MiB.
        EmptyBody: the file is empty.
    """
    url = ask.url
    if ask.path is None:
        raise FileUnreadable(url, "it has no path")
    checked = Path(url2pathname(urlsplit(ask.configured).path))
    try:
        path = ask.path.resolve(strict=True)
        if not path.is_relative_to(checked.parent):
            raise FileUnreadable(url, "it now leads to another folder than when feeds.yaml was read; reload that")
        # NONBLOCK: opening a named pipe must not block the worker
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, "rb") as file:  # noqa: PTH123  # a descriptor, no path
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode):
                raise FileUnreadable(url, "it is no regular file")
            grow(min(found.st_size, MAX_DECODED_BYTES))
            body = file.read(MAX_DECODED_BYTES + 1)
    except (OSError, RuntimeError) as error:  # RuntimeError: symlinks in a circle
        raise FileUnreadable(
            url, f"it can't be read: {getattr(error, 'strerror', None) or 'symlinks in a circle'}"
        ) from error
    if len(body) > MAX_DECODED_BYTES:
        raise BodyTooLarge(url, "the file", MAX_DECODED_BYTES)
    if not body:
        raise EmptyBody(url)
    return body


def read_local(trip: Trip, grow: Grow) -> Answer:
    """Read the file of a local source, or run its program.

    Raises:
        FetchError: as `read_file`, or as `run_command`.
    """
    if trip.ask.program is not None:
        from aggregator.fetch.command import run_command  # late: few sources are programs

        return run_command(trip, trip.ask.program, grow)
    body = read_file(trip.ask, grow)
    digest = digest_of(body)
    return Fetched(
        **trip.said(),
        url=trip.ask.url,
        body=body,
        body_bytes=len(body),
        body_digest=digest,
        same_body=digest == trip.ask.body_digest,
    )


def read_rest(trip: Trip, answer: HTTPResponse) -> bytes:
    """Read the short body of a response whose head is enough, so that the connection can be kept.

    Returns:
        Up to 64 KiB of it, decompressed; less if the connection breaks, which does not matter then.
    """
    with contextlib.suppress(*RAISED):
        return read_some(answer, trip.chain.url, coding=answer.headers.get("content-encoding", ""))
    return b""


def _no_news(trip: Trip, answer: HTTPResponse) -> FetchError:
    """Return the error for a status that is no success."""
    url, status = trip.chain.url, answer.status
    text = read_rest(trip, answer)
    if status in (204, 205, 206):
        return EmptyBody(url)
    if status == 226:
        return ProtocolFault(url, "HTTP 226, a delta that we did not ask for")
    if trip.ask.request.is_notice and status in FOLLOWED:
        return BadRedirect(url, f"HTTP {status} redirects; write the final address")
    if 300 <= status < 400:
        return BadRedirect(url, f"HTTP {status} names no place to go to")
    return BadStatus(url, status, trip.hints.retry_after, challenge=is_challenge(status, answer.headers, text))


def _validators(headers: HTTPHeaderDict) -> tuple[str | None, str | None]:
    """Return ETag, several joined (P11), and Last-Modified, as received."""
    modified = headers.getlist("last-modified")
    return storable(headers.get("etag")), storable(modified[0] if modified else None)


def digest_of(body: bytes) -> Digest:
    """Return the digest of a decompressed body."""
    return Digest(hashlib.sha256(body).hexdigest())
