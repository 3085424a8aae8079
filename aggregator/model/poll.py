"""Outcomes and states of polls, and the responses of publishers."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from aggregator.errors import AddressRefused, RobotsRefused, SourceError
from aggregator.model.entry import NO_HINTS, Digest, Hints
from aggregator.model.hosts import Rest
from aggregator.model.record import record
from aggregator.urls import Url

ABSENT: Final = frozenset({404, 410})  # a missing document beside a poll is not a failure
CRASHES: Final = 3  # in a row, with one source in flight: it is polled alone, and read in another process (R13)


class Outcome(StrEnum):
    """Result of a poll."""

    FETCHED = "fetched"
    NOT_MODIFIED = "not_modified"
    MOVED = "moved"
    GONE = "gone"
    FAILED = "failed"
    SKIPPED = "skipped"


class State(StrEnum):
    """The state of a source."""

    NEVER = "never"
    OK = "ok"
    FAILING = "failing"
    GONE = "gone"
    PAUSED = "paused"
    SUSPECT = "suspect"


@record
class Hop:
    """One redirect that was followed."""

    url: Url  # the address that answered with the redirect
    status: int


@record
class Aside:
    """The response to a request beside the poll's own: for robots.txt, or for a further document."""

    host_key: str  # that was asked
    asked_at: datetime
    wire_bytes: int
    status: int | None  # None: there was none
    failed: bool
    hints: Hints


@record
class Exchange:
    """The fields that every answer has."""

    asked_at: datetime  # when the request left; first-seen, `sort_at` and `updated` take this
    seconds: float = 0.0
    wire_bytes: int = 0
    hops: tuple[Hop, ...] = ()
    met: tuple[Url, ...] = ()  # where redirects led, including refused ones and those of further documents (S44)
    hints: Hints = NO_HINTS
    peer: str | None = None  # the address that answered first, in text form (P61)
    conditional: bool = False  # the last request carried a validator (P94)
    skew: timedelta | None = None  # the publisher's Date less our time, if it said one (P88)
    asides: tuple[Aside, ...] = ()  # further requests of the poll, in order


@record
class PackedBody:
    """A body that was read, deflated, without secrets (S44); `replay` may read it again."""

    digest: Digest  # of the body as it came
    headers: tuple[tuple[str, str], ...]  # those that reading depends on, names in lower case
    data: bytes


@record
class Fetched(Exchange):
    """A 200 with a body, decompressed, not decoded."""

    status: int = 200
    url: Url  # that answered
    body: bytes
    body_bytes: int = 0  # of the body, also once that was released
    body_digest: Digest
    packed: PackedBody | None = None  # the same, once it was read; None where it is too large to be kept
    etag: str | None = None
    last_modified: str | None = None
    content_type: str | None = None  # the header as received
    content_language: str | None = None
    content_location: str | None = None
    same_body: bool = False  # equal to the last body that was read and stored (P4)
    is_delta: bool = False  # a 226: only what is new; absent entries mean nothing (P22)


@record
class NotModified(Exchange):
    """A 304 to our validators. Fields that it carries replace the stored ones (P5)."""

    status: int = 304
    etag: str | None = None
    last_modified: str | None = None


@record
class Failed(Exchange):
    """A poll without a document, and why."""

    error: SourceError | None = None  # None: a fault of ours, `code` is internal
    code: str = "internal"  # docs/alarms.md lists the codes
    text: str = ""  # for the operator; redacted
    status: int | None = None

    @classmethod
    def of(cls, error: Exception, exchange: Exchange) -> "Failed":
        """Return an error as a recorded value; hints of an unreadable response still count."""
        ours = not isinstance(error, SourceError)
        return cls(
            asked_at=exchange.asked_at,
            seconds=exchange.seconds,
            wire_bytes=exchange.wire_bytes,
            hops=exchange.hops,
            met=exchange.met,
            hints=exchange.hints,
            conditional=exchange.conditional,
            skew=exchange.skew,
            asides=exchange.asides,
            peer=exchange.peer,
            error=error if isinstance(error, SourceError) else None,
            code=getattr(error, "code", "internal"),
            text=f"{type(error).__name__}: a fault in aggregator, see the log" if ours else str(error),
            status=getattr(error, "status", getattr(exchange, "status", None)),
        )


@record
class Cut(Exchange):
    """A fetch that we ended because the program stops: not counted as a poll, the due time is put back (R54)."""


@record
class Unreached(Cut):
    """A fetch that the network kept from its host, whose redirect led to a host without room, or whose body was not
    read.

    Not counted as a poll, and charged to no source (P87, P61, L5).
    """

    waits: bool  # the due time moves on by the source's interval; else it is put back


Answer = Fetched | NotModified | Failed | Cut


def stayed_here(answer: Exchange) -> bool:
    """Return whether no request left: we stop, the host has no room, robots.txt or the guard refuses."""
    is_refused = isinstance(answer, Failed) and isinstance(answer.error, RobotsRefused | AddressRefused)
    return isinstance(answer, Cut) or (is_refused and not answer.hops)


def asides_of(host_key: str, answer: Answer) -> tuple[Aside, ...]:
    """Return what is recorded of a response that is not a poll by itself, and of its own further requests."""
    if stayed_here(answer) or isinstance(answer, Cut):
        return answer.asides
    aside = Aside(
        host_key=host_key,
        asked_at=answer.asked_at,
        wire_bytes=answer.wire_bytes,
        status=answer.status,
        failed=isinstance(answer, Failed) and answer.status not in ABSENT,
        hints=answer.hints,
    )
    return (*answer.asides, aside)


@record
class Report:
    """One row of `poll --json`."""

    key: str
    url: Url | None  # without secrets
    outcome: Outcome
    status: int | None = None
    new: int = 0
    revised: int = 0
    duplicates: int = 0
    rejected: int = 0
    withdrawn: int = 0
    code: str | None = None
    error: str | None = None
    next_due: datetime | None = None
    rest: Rest | None = None  # of its host, if that is why it was not asked
