"""One poll on its way: the claimed source, the answer, and what was read."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from aggregator.errors import SourceError
from aggregator.model.entry import NO_HINTS, NO_NEWS, Digest, Feed, Hints
from aggregator.model.settings import Source
from aggregator.urls import Url


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
class Validators:
    """The ETag and Last-Modified that we send back, byte for byte (P1), and the URL they belong to (P8)."""

    url: Url
    etag: str | None = None
    last_modified: str | None = None

    def __bool__(self) -> bool:
        return bool(self.etag or self.last_modified)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A claimed source on its way through a poll: all that `gather` and `decide` may know of it."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One redirect that was followed."""

    url: Url  # the address that answered with the redirect
    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What every answer has, whatever it says."""

    asked_at: datetime  # when the request left; first-seen, `sort_at` and `updated` take this
    seconds: float = 0.0
    wire_bytes: int = 0
    hops: tuple[Hop, ...] = ()
    hints: Hints = NO_HINTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched(Exchange):
    """A 200 with a body, decompressed, not decoded."""

    status: int = 200
    url: Url  # that answered
    body: bytes
    body_digest: Digest
    etag: str | None = None
    last_modified: str | None = None
    content_type: str | None = None  # the header as received
    content_language: str | None = None
    content_location: str | None = None
    same_body: bool = False  # equals the last body that was read and stored (P4)


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
            hints=exchange.hints,
            error=error if isinstance(error, SourceError) else None,
            code=getattr(error, "code", "internal"),
            text=f"{type(error).__name__}: a fault in aggregator, see the log" if ours else str(error),
            status=getattr(error, "status", getattr(exchange, "status", None)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut(Exchange):
    """A fetch that we ended ourselves because the program stops: no poll at all, the due time is put back (R54)."""


Answer = Fetched | NotModified | Failed | Cut


@dataclass(frozen=True, slots=True)
class Gathered:
    """All that one poll brought, before anything is decided."""

    due: Due
    answer: Answer
    feed: Feed = NO_NEWS


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
