"""Jobs: a claimed source, or an entry that waits for its detail, on the way through a poll."""

from dataclasses import field, replace
from datetime import datetime
from typing import Final, Generic, Literal, NamedTuple, TypeGuard, TypeVar

from aggregator.model.ask import CRAWLED, Ask, Validators
from aggregator.model.entry import NO_HINTS, NO_NEWS, Digest, Feed, Hints
from aggregator.model.observed import NOTHING_OBSERVED, Observed
from aggregator.model.poll import CRASHES, Answer, Fetched, State
from aggregator.model.record import record
from aggregator.model.settings import Reading, Request, Source
from aggregator.urls import Url

UNSTORED: Final = 0  # `source_id` of a source that the store does not know, in a dry run


class JobId(NamedTuple):
    """Identifies a job while it is under way."""

    kind: Literal["source", "entry", "probe"]
    row: int  # of the source, or of the entry that waits; a dry run has no rows, and counts


@record
class Claim:
    """A claim, and the values before it: a claim whose request never left is undone with them (R13)."""

    due_at: datetime
    claimed_at: datetime | None = None  # None: not claimed (a dry run, a source that shares a response)
    earliest_at: datetime | None = None  # None: as `due_at`
    attempted_at: datetime | None = None  # when the source was polled last
    crashes: int = 0  # claims in a row before this one without an outcome: the program ended first


@record
class Health:
    """State of a source after its last poll."""

    state: State = State.NEVER
    code: str | None = None  # of the last failure, while it lasts
    failing_since: datetime | None = None
    succeeded_at: datetime | None = None


NEVER_POLLED: Final = Health()


@record
class SourceJob:
    """A claimed source: everything that a poll of it needs from the store."""

    source: Source
    source_id: int  # of its row; `UNSTORED` in a dry run
    url: Url  # the address in use: the configured one, or an adopted one (P40)
    host_key: str
    claim: Claim
    health: Health = NEVER_POLLED
    validators: Validators | None = None
    body_digest: Digest | None = None  # of the last body that was read and stored
    failures: int = 0  # in a row
    identical: int = 0  # 200s in a row with the same body although If-None-Match was sent (P13)
    polls: int = 0  # before this one
    hints: Hints = NO_HINTS  # of the last document that was read
    retried: bool = False  # the response before carried a Retry-After (P56)
    stored_before: bool = False  # entries of the source are stored: this is no first poll (I62)
    is_twin: bool = False  # not polled itself: it shares the response of another source at its address (P66)
    observed: Observed = NOTHING_OBSERVED
    known: frozenset[str] = frozenset()  # key hashes of the last whole list, if its pages are followed
    window: bytes | None = None  # items of its last document, which need not be read; None: all must be
    arrivals: tuple[datetime, ...] = ()  # when the last 30 entries came, oldest first (P62)
    recent: str = ""  # the last polls, a line each, as the store keeps them (P93)

    @property
    def id(self) -> JobId:
        """The key under which budgets, the network monitor and the list of crash suspects know this job."""
        return JobId("source", self.source_id)

    @property
    def reading(self) -> Reading:
        """Settings for reading the response."""
        return self.source.reading

    def ask(self) -> Ask:
        """Return the request for the document of the source."""
        is_isolated = self.observed.overran or self.claim.crashes >= CRASHES
        ask = _ask(self, self.source.request, is_page=self.reading.kind in CRAWLED, is_isolated=is_isolated)
        return replace(
            ask, mode=self.observed.ask, validators=self.validators, body_digest=self.body_digest, window=self.window
        )


def unstored_job(source: Source, host_key: str, now: datetime) -> SourceJob:
    """Return the job of a source that the store does not know: a dry run fetches it as a first poll would."""
    return SourceJob(source=source, source_id=UNSTORED, url=source.url, host_key=host_key, claim=Claim(due_at=now))


@record
class Awaited:
    """The entry that waits for its detail."""

    id: int  # of its row
    link: Url | None
    date: datetime  # its own, for ordering (M1)
    backfill: bool  # it came by a backfill
    since: datetime  # when the list brought it
    limited: tuple[int, ...] = ()  # ids of categories that had enough from the poll that brought it


@record
class DetailJob:
    """A claimed entry that waits for its detail."""

    source: Source
    source_id: int
    awaited: Awaited
    url: Url
    host_key: str
    request: Request  # filled in
    reading: Reading
    claim: Claim
    failures: int = 0  # in a row

    @property
    def id(self) -> JobId:
        """The key under which budgets and the network monitor know this job."""
        return JobId("entry", self.awaited.id)

    def ask(self) -> Ask:
        """Return the request for the detail: never conditional, since a detail is fetched once."""
        is_isolated = self.claim.crashes >= CRASHES
        return _ask(self, self.request, is_page=self.reading.is_article, is_isolated=is_isolated)


Job = SourceJob | DetailJob
JobT = TypeVar("JobT", bound=Job)
JobT_co = TypeVar("JobT_co", bound=Job, covariant=True)


def _ask(job: Job, request: Request, *, is_page: bool, is_isolated: bool) -> Ask:
    source = job.source
    return Ask(
        url=job.url,
        configured=source.url,
        host_key=job.host_key,
        request=request,
        reading=job.reading,
        accept=None if job.reading.is_article else source.accept,
        headers=source.headers,
        auth=source.auth,
        timeout=source.timeout,
        path=source.path if source.is_local else None,
        program=source.program,
        source=source.key,
        obeys_robots=is_page and source.robots is None,
        own_port=source.listed_by is None,
        proxy=source.proxy,
        is_isolated=is_isolated,
    )


@record(kw_only=False)
class Gathered(Generic[JobT_co]):
    """Everything that one poll brought, before anything is decided."""

    job: JobT_co
    answer: Answer
    feed: Feed = NO_NEWS
    overran: bool = field(default=False, kw_only=True)  # reading took too much; the next bodies are read apart (S15)

    @property
    def is_quiet(self) -> bool:
        """True if nothing has to be compared with the store: a 304, the same body again, or a failure."""
        return not isinstance(self.answer, Fetched) or self.answer.same_body


def is_of_source(poll: Gathered[Job]) -> TypeGuard[Gathered[SourceJob]]:
    """Return whether a poll is that of a source."""
    return isinstance(poll.job, SourceJob)


def is_of_detail(poll: Gathered[Job]) -> TypeGuard[Gathered[DetailJob]]:
    """Return whether a poll is that of a detail."""
    return isinstance(poll.job, DetailJob)
