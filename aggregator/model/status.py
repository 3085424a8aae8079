"""How things stand: the health of sources and categories, as `status` and the status page tell it (DESIGN 3.2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from aggregator.model.alarm import Alarm, AlarmCode
from aggregator.model.history import Fetching
from aggregator.model.poll import State
from aggregator.model.rest import Rest
from aggregator.model.settings import SourceKey
from aggregator.urls import Url


@dataclass(frozen=True, slots=True)
class RuleHits:
    """How often a rule had a say in what becomes of a source's new entries."""

    source: SourceKey
    place: str  # key of the category whose rule it is; empty: the source's own
    rule: str  # in words
    hits: int
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """The health of one source."""

    key: SourceKey
    url: Url | None  # without secrets
    title: str
    categories: tuple[str, ...]
    state: State
    last_attempt: datetime | None
    last_success: datetime | None
    next_due: datetime
    interval: timedelta
    because: str  # what decided on that, in words; empty before the first poll
    failures: int  # in a row
    failing_since: datetime | None
    code: str | None  # of DESIGN 3.2, while it fails
    error: str | None  # for the operator alone
    entries: int
    per_week: float  # new entries a week, over the last four
    lag: timedelta  # how late it is now
    advice: str | None  # what an operator may want to do
    moved_to: Url | None = None  # where its permanent redirects lead, without secrets
    clock_skew: timedelta = timedelta(0)  # of its clock ahead of ours, if they differ by more than ten minutes (P88)
    private: bool = False  # its address is shown to nobody (S44)
    quiet: AlarmCode | None = None  # it answers, and yet there is nothing new or nothing at all: silent, empty
    line: int | None = None  # of feeds.yaml where it is written; of a source that a list names, where the list is
    rest: Rest | None = None  # of its host
    is_titled: bool = True  # else `title` is made from its address

    @property
    def next_at(self) -> datetime:
        """Return when it may be asked next: when it is due, or, if that is later, when its host has rested."""
        return self.next_due if self.rest is None else max(self.next_due, self.rest.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryStatus:
    """What a category holds."""

    slug: str
    title: str
    stories: int
    newest: datetime | None
    sources: int
    unlisted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedCategory:
    """A category that left feeds.yaml; its files stay where they are (A44)."""

    slug: str
    title: str
    removed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigStatus:
    """Which feeds.yaml is in force."""

    path: str | None
    loaded_at: datetime | None
    error: str | None  # why a later edit is not


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """How late sources are asked, over all that are not paused (R19)."""

    sources: int
    late: int  # by more than a fourth of their interval
    p95: timedelta  # nineteen of twenty are no later than this
    between_runs: timedelta = timedelta(0)  # how long each may wait for the next run besides; zero under `serve`

    @property
    def late_share(self) -> float:
        """Give the share of late sources, 0 to 1."""
        return self.late / self.sources if self.sources else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """Since when the network has been down (P87); None: it is not, or nobody looks."""

    public: datetime | None = None  # the way out into the world
    own: datetime | None = None  # to the operator's own machines

    def since(self, *, own: bool) -> datetime | None:
        """Give the one or the other."""
        return self.own if own else self.public


NO_OUTAGE = Outage()


@dataclass(frozen=True, slots=True, kw_only=True)
class HubStatus:
    """How the hub takes what it is told (A86)."""

    topics: int  # feeds that it was ever to be told of
    owed: int  # of these it has yet to be told that they have changed
    failures: int  # in a row, of the one that it refused most often
    failing_since: datetime | None  # since when the oldest of those that it refused is owed
    error: str | None  # of the last refusal, for the operator


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What metrics ask the store for: a few numbers, cheap to come by."""

    sources: Mapping[State, int]  # each state, also those that none is in
    alarms: Mapping[AlarmCode, int]  # likewise
    stories: int
    lag: Lag
    pings_owed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """All of it, at one moment."""

    at: datetime
    sources: tuple[SourceStatus, ...]  # what needs a hand first
    categories: tuple[CategoryStatus, ...]
    config: ConfigStatus
    fetching: Fetching
    lag: Lag
    alarms: tuple[Alarm, ...]
    store_url: str  # without a password
    store_bytes: int
    schema: str
    removed: tuple[RemovedCategory, ...] = ()  # the last one first
    outage: Outage = NO_OUTAGE  # as the process that polls has found
    rests: tuple[Rest, ...] = ()  # hosts with sources of ours, the one that opens first before
    hub: HubStatus | None = None  # None: it never was owed a ping
