"""One poll on its way: the claimed source, the answer, and what was read."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from aggregator.errors import AddressRefused, RobotsRefused, SourceError
from aggregator.model.ask import CRAWLED, Ask, Validators
from aggregator.model.entry import NO_HINTS, NO_NEWS, Digest, Feed, Hints
from aggregator.model.observed import NOTHING_OBSERVED, Observed
from aggregator.model.rest import Rest
from aggregator.model.settings import Reading, Request, Source
from aggregator.urls import Url

ABSENT: Final = frozenset({404, 410})  # to ask beside a poll for what is not there is no failure
CRASHES: Final = 3  # in a row, with one source in flight: it is asked alone, and read in another process (R13)


class Outcome(StrEnum):
    """How a poll went (DESIGN 3.2)."""

    FETCHED = "fetched"
    NOT_MODIFIED = "not_modified"
    MOVED = "moved"
    GONE = "gone"
    FAILED = "failed"
    SKIPPED = "skipped"


class State(StrEnum):
    """What a source is."""

    NEVER = "never"
    OK = "ok"
    FAILING = "failing"
    GONE = "gone"
    PAUSED = "paused"
    SUSPECT = "suspect"


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaited:
    """An entry on its way to its detail."""

    entry: int  # of its row
    link: Url | None
    date: datetime  # its own, for ordering (M1)
    backfill: bool  # it came by one
    since: datetime  # when the list brought it
    limited: tuple[int, ...] = ()  # ids of categories that had enough from the poll that brought it
    request: Request  # filled in
    reading: Reading  # of the answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A claimed source, or an entry of it that waits, on its way through a poll: all that `gather` may know of it."""

    source: Source
    id: int  # of the row in the store
    url: Url  # the address in use: the configured one, or an adopted one (P40)
    host_key: str
    validators: Validators | None = None
    body_digest: Digest | None = None  # of the last body that was read and stored
    failures: int = 0  # in a row
    identical: int = 0  # 200s in a row with the same body although If-None-Match was sent (P13)
    due_at: datetime  # when it was due; put back if the request never leaves
    earliest_at: datetime | None = None  # likewise
    attempted_at: datetime | None = None  # when it was last asked; likewise
    state: State = State.NEVER
    code: str | None = None  # of the last failure, while it lasts
    polls: int = 0  # before this one
    failing_since: datetime | None = None
    succeeded_at: datetime | None = None
    hints: Hints = NO_HINTS  # of the last document that was read
    retried: bool = False  # the answer before carried a Retry-After (P56)
    stored_before: bool = False  # entries of it are stored: this is no first poll (I62)
    is_twin: bool = False  # not asked itself: it shares the answer of another source at its address (P66)
    observed: Observed = NOTHING_OBSERVED
    known: frozenset[str] = frozenset()  # forms of keys that its last whole list had, if its pages are followed
    arrivals: tuple[datetime, ...] = ()  # when its last 30 entries came, oldest first (P62)
    recent: str = ""  # its last polls, a line each, as the store keeps them (P93)
    claims: int = 0  # in a row before this one that had no outcome: the program ended first (R13)

    awaits: Awaited | None = None  # the entry whose detail is asked for; None: the source itself is

    @property
    def turn(self) -> int:
        """By what dispatcher and budgets know it: entries stand below zero, so that they are no source's."""
        return self.id if self.awaits is None else -self.awaits.entry

    @property
    def reading(self) -> Reading:
        """How its answer is read."""
        return self.source.reading if self.awaits is None else self.awaits.reading

    def ask(self) -> Ask:
        """Return the request for the document of this poll."""
        source, reading = self.source, self.reading
        is_page = reading.is_article if self.awaits is not None else reading.kind in CRAWLED
        return Ask(
            url=self.url,
            configured=source.url,
            host_key=self.host_key,
            request=source.request if self.awaits is None else self.awaits.request,
            reading=reading,
            accept=None if reading.is_article else source.accept,
            mode=self.observed.ask,
            headers=source.headers,
            auth=source.auth,
            timeout=source.timeout,
            path=source.path if source.is_local else None,
            validators=self.validators,
            body_digest=self.body_digest,
            obeys_robots=is_page and source.robots is None,
            own_port=source.listed_by is None,
            is_isolated=self.observed.overran or self.claims >= CRASHES,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One redirect that was followed."""

    url: Url  # the address that answered with the redirect
    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """The answer to a request that a poll made beside its own: for robots.txt, or for a further document."""

    host_key: str  # that was asked
    asked_at: datetime
    wire_bytes: int
    status: int | None  # None: there was none
    failed: bool
    hints: Hints


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What every answer has, whatever it says."""

    asked_at: datetime  # when the request left; first-seen, `sort_at` and `updated` take this
    seconds: float = 0.0
    wire_bytes: int = 0
    hops: tuple[Hop, ...] = ()
    met: tuple[Url, ...] = ()  # where redirects led, refused ones and those of further documents among them (S44)
    hints: Hints = NO_HINTS
    peer: str | None = None  # the address that answered first, in text form (P61)
    conditional: bool = False  # the last request carried a validator (P94)
    skew: timedelta | None = None  # the publisher's Date less our time, if it said one (P88)
    asides: tuple[Aside, ...] = ()  # what else the poll asked for, in order


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedBody:
    """A body that was read, deflated, without secrets (S44): it may be read once more later."""

    digest: Digest  # of the body as it came
    headers: tuple[tuple[str, str], ...]  # those that reading depends on, names in lower case
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched(Exchange):
    """A 200 with a body, decompressed, not decoded."""

    status: int = 200
    url: Url  # that answered
    body: bytes
    body_bytes: int = 0  # of the body, also once that has been let go
    body_digest: Digest
    packed: PackedBody | None = None  # the same, once it was read; None where it is too large to be kept
    etag: str | None = None
    last_modified: str | None = None
    content_type: str | None = None  # the header as received
    content_language: str | None = None
    content_location: str | None = None
    same_body: bool = False  # equals the last body that was read and stored (P4)
    is_delta: bool = False  # a 226: only what is new; what is absent means nothing (P22)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotModified(Exchange):
    """A 304 to our validators. Fields that it carries replace the stored ones (P5)."""

    status: int = 304
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(Exchange):
    """No news, and why."""

    error: SourceError | None = None  # None: a fault of ours, `code` is internal
    code: str = "internal"  # DESIGN 3.2
    text: str = ""  # for the operator; redacted
    status: int | None = None

    @classmethod
    def of(cls, error: Exception, exchange: Exchange) -> "Failed":
        """Make a recorded value of an error; the hints of an answer that can't be read still count."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut(Exchange):
    """A fetch that we ended ourselves because the program stops: no poll at all, the due time is put back (R54)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreached(Cut):
    """A fetch that the network kept from its publisher, whose redirect led to a host without room, or whose body nobody
    had time to read: no poll either.

    It counts against nobody (P87, P61, L5).
    """

    waits: bool  # the due time moves on by the source's interval; else it is put back


Answer = Fetched | NotModified | Failed | Cut


def stayed_here(answer: Exchange) -> bool:
    """Tell whether no request left: we end, its host has no room, robots.txt closes it, or we may not ask there."""
    is_refused = isinstance(answer, Failed) and isinstance(answer.error, RobotsRefused | AddressRefused)
    return isinstance(answer, Cut) or (is_refused and not answer.hops)


def asides_of(host_key: str, answer: Answer) -> tuple[Aside, ...]:
    """Give what is remembered of an answer that is no poll by itself, and of what it took besides."""
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


@dataclass(frozen=True, slots=True)
class Gathered:
    """All that one poll brought, before anything is decided."""

    due: Due
    answer: Answer
    feed: Feed = NO_NEWS
    overran: bool = field(default=False, kw_only=True)  # to read it took too much; its next bodies are read apart (S15)

    @property
    def is_quiet(self) -> bool:
        """Tell whether it brought nothing to hold against the store: a 304, the same body again, a failure."""
        return not isinstance(self.answer, Fetched) or self.answer.same_body


@dataclass(frozen=True, slots=True, kw_only=True)
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
