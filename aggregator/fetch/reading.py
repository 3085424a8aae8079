"""Turns the last response of a fetch into an answer (P20 to P36)."""

import contextlib
import hashlib

from urllib3 import HTTPHeaderDict
from urllib3.response import HTTPResponse

from aggregator.errors import BadRedirect, BadStatus, EmptyBody, FetchError, ProtocolFault
from aggregator.fetch.body import MAX_ARTICLE_BYTES, Grow, read_body, read_some
from aggregator.fetch.coding import MAX_DECODED_BYTES
from aggregator.fetch.faults import RAISED
from aggregator.fetch.local import read_file
from aggregator.fetch.redirects import FOLLOWED
from aggregator.fetch.request import Headers, asks_for_delta, is_delta, storable
from aggregator.fetch.trip import Trip
from aggregator.model.entry import Digest
from aggregator.model.poll import Answer, Fetched, NotModified
from aggregator.text.challenges import is_challenge


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
        return Fetched(**trip.said(), status=status, url=url, body=b"", body_digest=_digest_of(b""))
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
    digest = _digest_of(body)
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


def read_local(trip: Trip, grow: Grow) -> Answer:
    """Read the file of a local source.

    Raises:
        FetchError: as `read_file`.
    """
    body = read_file(trip.ask, grow)
    digest = _digest_of(body)
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
        return BadRedirect(url, f"HTTP {status} leads elsewhere; write the address where it ends")
    if 300 <= status < 400:
        return BadRedirect(url, f"HTTP {status} names no place to go to")
    return BadStatus(url, status, trip.hints.retry_after, challenge=is_challenge(status, answer.headers, text))


def _validators(headers: HTTPHeaderDict) -> tuple[str | None, str | None]:
    """Return ETag, several joined (P11), and Last-Modified, as received."""
    modified = headers.getlist("last-modified")
    return storable(headers.get("etag")), storable(modified[0] if modified else None)


def _digest_of(body: bytes) -> Digest:
    """Return the digest of a decompressed body."""
    return Digest(hashlib.sha256(body).hexdigest())
