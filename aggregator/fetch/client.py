"""The one way to the network, and to local files: `Client.fetch` (S1)."""

import contextlib
import hashlib
import ssl
import time
from collections.abc import Sequence
from datetime import datetime
from types import TracebackType
from typing import Self, TypedDict

from urllib3 import HTTPHeaderDict
from urllib3.response import HTTPResponse
from urllib3.util import Timeout

from aggregator.clock import Clock
from aggregator.errors import (
    BadRedirect,
    BadStatus,
    ConnectionLost,
    EmptyBody,
    FetchError,
    ProtocolFault,
    TimedOut,
    TlsFailed,
)
from aggregator.fetch.adapter import Adapter, system_trust
from aggregator.fetch.body import read_body, read_some
from aggregator.fetch.challenge import is_challenge
from aggregator.fetch.connection import CONNECT_SECONDS, check_names
from aggregator.fetch.faults import RAISED, READ_SECONDS, translate
from aggregator.fetch.flight import Ended, Flight, Watch
from aggregator.fetch.freshness import hints_of
from aggregator.fetch.guard import Guard
from aggregator.fetch.local import read_file
from aggregator.fetch.redirects import FOLLOWED, Chain, origin_of
from aggregator.fetch.request import Headers, headers_of, is_conditional, storable
from aggregator.fetch.resolver import addresses_of
from aggregator.model.entry import NO_HINTS, Digest, Hints
from aggregator.model.poll import Answer, Cut, Due, Failed, Fetched, Hop, NotModified
from aggregator.model.settings import HostRule, Kind, Secret

_TIMEOUT = Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)  # of one step; the whole is the watch's


class Trip:
    """One fetch: where it is, and what any kind of answer can tell of it."""

    def __init__(self, due: Due, guard: Guard, asked_at: datetime) -> None:
        self.due = due
        self.asked_at = asked_at
        self.chain = Chain(due.url, due.source.url)
        self.flight = Flight(guard.permit(due.source.url), due.source.timeout.total_seconds())
        self.hints = NO_HINTS
        self.status: int | None = None  # of the last answer
        self.reading: HTTPResponse | None = None  # the answer that is open now

    def said(self) -> "Common":
        """Give what every answer has."""
        return {
            "asked_at": self.asked_at,
            "seconds": time.monotonic() - self.flight.started,
            "wire_bytes": self.flight.received + (self.reading.tell() if self.reading is not None else 0),
            "hops": self.chain.hops,
            "hints": self.hints,
        }

    def failed(self, error: FetchError) -> Answer:
        """Give the answer to a fetch that failed, or that we ended: then whatever went wrong was our doing."""
        if self.flight.ended is Ended.CUT:
            return Cut(**self.said())
        if self.flight.ended is Ended.OVERDUE and not isinstance(error, BadStatus):
            error = TimedOut(self.chain.url, TimedOut.WHOLE, self.flight.seconds)
        # the record outlives the fetch: it must not hold frames, and with them bodies and sockets
        error.__traceback__ = error.__context__ = error.__cause__ = None
        return Failed.of(error, Failed(**self.said(), status=self.status))


class Common(TypedDict):
    """The fields of `Exchange`."""

    asked_at: datetime
    seconds: float
    wire_bytes: int
    hops: tuple[Hop, ...]
    hints: Hints


class Client:
    """Asks sources for their news. One for the whole program; any number of threads may use it at once.

    Connections are kept for a minute, 128 hosts at most, and the threads share them.

    Args:
        user_agent: who we are (P75).
        clock: for `asked_at`, and in place of a missing Date.
        hosts: of the settings; those with `allow_private` open private addresses (S6).
        proxy: the URL of an HTTP proxy, with its credentials; the environment's is never used (P85).
        tls: another trust store than the system's.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        clock: Clock,
        hosts: Sequence[HostRule] = (),
        proxy: Secret | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._user_agent = user_agent
        self._clock = clock
        self._guard = Guard(hosts, addresses_of)
        self._is_proxied = proxy is not None
        self._adapter = Adapter(tls=tls or system_trust(), proxy=None if proxy is None else str.__str__(proxy))
        self._watch = Watch(self._adapter.sweep)

    def fetch(self, due: Due) -> Answer:
        """Ask one source, redirects included, in no more than its `timeout`.

        What is wrong on the publisher's side, or with a file, comes back as `Failed`, with the hints, the hops and the
        bytes there were. `Cut` means that we ended it ourselves.
        """
        trip = Trip(due, self._guard, self._clock())
        error: FetchError
        try:
            if due.source.reading.kind is Kind.FILE:
                return Cut(**trip.said()) if self._watch.is_cut else _read_local(trip)
            with self._watch.over(trip.flight):
                answer = self._walk(trip)
            error = TimedOut(due.url, TimedOut.WHOLE, trip.flight.seconds)
            if trip.flight.ended is None:
                return answer
        except FetchError as fault:
            error = fault
        except RAISED as fault:
            error = translate(fault, trip.chain.url)
        return trip.failed(error)

    def cut(self) -> None:
        """End every fetch under way, and each later one at once: the program stops (R54)."""
        self._watch.cut()

    def close(self) -> None:
        """Cut, and let go of every connection and thread."""
        self._watch.close()
        self._adapter.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _walk(self, trip: Trip) -> Answer:
        """Ask hop after hop until one answers with something else than a redirect."""
        chain, flight = trip.chain, trip.flight
        chain.check()
        while True:
            headers = headers_of(trip.due, chain.url, user_agent=self._user_agent, is_home=chain.is_home)
            trip.hints, trip.status = NO_HINTS, None
            trip.reading = answer = self._ask(trip, headers)
            try:
                trip.hints, trip.status = hints_of(answer.headers, self._clock()), answer.status
                if answer.status not in FOLLOWED:
                    return _read(trip, answer, is_conditional(headers))
                _read_rest(trip, answer)
                chain.follow(answer.status, answer.headers.getlist("location"))
                flight.first = False
            finally:
                flight.received += answer.tell()
                trip.reading = None
                answer.close()
                answer.release_conn()

    def _ask(self, trip: Trip, headers: Headers) -> HTTPResponse:
        """Send one request.

        A kept connection may have been closed by the other side in the moment we take it up again. That is no fault of
        the publisher, and no retry in the sense of P32: such a request was never seen, and is sent anew (RFC 9112,
        section 9.3.1), once and on a new connection.
        """
        flight, url = trip.flight, trip.chain.url
        if flight.ended:
            raise TimedOut(url, TimedOut.WHOLE, flight.seconds)
        flight.url, flight.kept, flight.fresh, flight.answered = url, False, False, False
        if self._is_proxied:
            _, host, port = origin_of(url)
            check_names(host, port, flight)
        try:
            return self._adapter.ask(url, headers, _TIMEOUT)
        except RAISED as error:
            is_lost = isinstance(translate(error, url), (ConnectionLost, TlsFailed))
            if flight.ended or flight.answered or not flight.kept or not is_lost:
                raise
        flight.fresh = True
        return self._adapter.ask(url, headers, _TIMEOUT)


def _read(trip: Trip, answer: HTTPResponse, is_conditional: bool) -> Answer:
    """Read the last answer of the way (P20 to P36).

    Raises:
        FetchError: it brings no news.
    """
    url, headers, status = trip.chain.url, answer.headers, answer.status
    if status == 304:
        _read_rest(trip, answer)
        if not is_conditional:
            raise ProtocolFault(url, "HTTP 304 although we sent no validator")
        etag, modified = _validators(headers)
        return NotModified(**trip.said(), etag=etag, last_modified=modified)
    if status not in (200, 203):
        raise _no_news(trip, answer)
    body = read_body(answer, url, length=headers.get("content-length", ""), coding=headers.get("content-encoding", ""))
    if is_challenge(status, headers, b""):
        raise BadStatus(url, status, trip.hints.retry_after, challenge=True)
    if not body:
        raise EmptyBody(url)
    etag, modified = _validators(headers)
    digest = digest_of(body)
    return Fetched(
        **trip.said(),
        status=status,
        url=url,
        body=body,
        body_digest=digest,
        etag=etag,
        last_modified=modified,
        content_type=headers.get("content-type"),
        content_language=headers.get("content-language"),
        content_location=headers.get("content-location"),
        same_body=digest == trip.due.body_digest,
    )


def _no_news(trip: Trip, answer: HTTPResponse) -> FetchError:
    """Say what it means that the status is no success."""
    url, status = trip.chain.url, answer.status
    text = _read_rest(trip, answer)
    if status in (204, 205, 206):
        return EmptyBody(url)
    if status == 226:
        return ProtocolFault(url, "HTTP 226, a delta that we did not ask for")
    if 300 <= status < 400:
        return BadRedirect(url, f"HTTP {status} names no place to go to")
    return BadStatus(url, status, trip.hints.retry_after, challenge=is_challenge(status, answer.headers, text))


def _read_rest(trip: Trip, answer: HTTPResponse) -> bytes:
    """Read what little there may be behind a head that says it all: then the connection can be kept.

    Returns:
        Up to 64 KiB of it, unpacked; less if the connection breaks, which changes nothing any more.
    """
    with contextlib.suppress(*RAISED):
        return read_some(answer, trip.chain.url, coding=answer.headers.get("content-encoding", ""))
    return b""


def _validators(headers: HTTPHeaderDict) -> tuple[str | None, str | None]:
    """Give ETag, several joined (P11), and Last-Modified, as received."""
    modified = headers.getlist("last-modified")
    return storable(headers.get("etag")), storable(modified[0] if modified else None)


def _read_local(trip: Trip) -> Answer:
    body = read_file(trip.due.source, trip.due.url)
    digest = digest_of(body)
    return Fetched(
        **trip.said(), url=trip.due.url, body=body, body_digest=digest, same_body=digest == trip.due.body_digest
    )


def digest_of(body: bytes) -> Digest:
    """Give the digest of a body, unpacked."""
    return Digest(hashlib.sha256(body).hexdigest())
