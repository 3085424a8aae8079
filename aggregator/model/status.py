"""Records of the health of sources, categories and the program, for `status` and the status page."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from aggregator.model.alarm import Alarm, AlarmCode
from aggregator.model.history import DaySums, Fetching
from aggregator.model.hosts import Rest
from aggregator.model.poll import State
from aggregator.model.record import record
from aggregator.model.settings import SourceKey
from aggregator.urls import Url


@record(kw_only=False)
class RuleHits:
    """Number of new entries of a source that a rule matched."""

    source: SourceKey
    place: str  # key of the category that has the rule; empty for a rule of the source
    rule: str  # the rule as text
    hits: int
    last_at: datetime


@record
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
    because: str  # the input that decided the interval, in words; empty before the first poll
    failures: int  # in a row
    failing_since: datetime | None
    code: str | None  # error code (docs/alarms.md) while it fails
    error: str | None  # for the operator only
    entries: int
    per_week: float  # new entries a week, average of four weeks
    lag: timedelta  # time since it was due
    advice: str | None  # advice for the operator
    moved_to: Url | None = None  # target of its permanent redirects, without secrets
    clock_skew: timedelta = timedelta(0)  # how far its clock is ahead of ours, if over ten minutes (P88)
    private: bool = False  # its address is never shown (S44)
    quiet: AlarmCode | None = None  # it answers, but has nothing new (`SILENT`) or no entries (`EMPTY`)
    line: int | None = None  # its line in feeds.yaml; for a source of an OPML list, the line of the list
    rest: Rest | None = None  # its host gets no requests for a while
    is_titled: bool = True  # False: `title` is made from the address
    http_status: int | None = None  # of the last answer
    since: datetime | None = None  # beginning of the state, if it needs attention or if the source is quiet
    newest: datetime | None = None  # latest date of its entries, by their own dates (I42)
    month: tuple[tuple[int, int], ...] = ()  # new entries and failed polls of each day, oldest first; empty: not read

    @property
    def next_at(self) -> datetime:
        """Earliest time of its next poll: its due time, or the end of its host's rest if that is later."""
        return self.next_due if self.rest is None else max(self.next_due, self.rest.until)

    @property
    def shown_state(self) -> str:
        """The state as pages and lists name it: a source that answers and yet brings nothing is not ok."""
        return self.quiet.value if self.state is State.OK and self.quiet is not None else self.state.value


@record
class CategoryStatus:
    """Number and age of the stories of one category."""

    key: str = ""
    slug: str
    title: str
    stories: int
    newest: datetime | None
    sources: int
    unlisted: bool = False


@record
class RemovedCategory:
    """A category that was removed from feeds.yaml; its files stay published (A44)."""

    slug: str
    title: str
    removed_at: datetime


@record
class ConfigStatus:
    """The feeds.yaml in force."""

    path: str | None
    loaded_at: datetime | None
    error: str | None  # why a later edit is not in force


@record
class Lag:
    """Delays of polls after their due times; paused sources do not count (R19)."""

    sources: int
    late: int  # sources late by more than a quarter of their interval
    p95: timedelta  # 95 % of the sources are at most this late
    between_runs: timedelta = timedelta(0)  # additional wait for the next run of `poll`; zero under `serve`

    @property
    def late_share(self) -> float:
        """Share of late sources, from 0 to 1."""
        return self.late / self.sources if self.sources else 0.0


@record
class Outage:
    """Start of a network outage (P87); None if there is none, or if no process polls."""

    public: datetime | None = None  # the internet can't be reached
    own: datetime | None = None  # the operator's own machines can't be reached

    def since(self, *, own: bool) -> datetime | None:
        """Return `own` or `public`."""
        return self.own if own else self.public


NO_OUTAGE = Outage()


@record
class HubStatus:
    """Pings to the WebSub hub (A86)."""

    topics: int  # feeds with a ping, ever
    owed: int  # feeds whose ping is not yet accepted
    failures: int  # failed attempts in a row of the ping that failed most often
    failing_since: datetime | None  # age of the oldest ping that failed
    error: str | None  # error of the last failure, for the operator


@record
class Figures:
    """Numbers of the store for metrics, which are cheap to query."""

    sources: Mapping[State, int]  # number of sources in each state, zeros included
    alarms: Mapping[AlarmCode, int]  # number of alarms of each code, zeros included
    stories: int
    lag: Lag
    pings_owed: int = 0


@record
class Status:
    """Status of the whole program at one moment."""

    at: datetime
    sources: tuple[SourceStatus, ...]  # those that need attention first
    categories: tuple[CategoryStatus, ...]
    config: ConfigStatus
    fetching: Fetching
    lag: Lag
    alarms: tuple[Alarm, ...]
    store_url: str  # without a password
    store_bytes: int
    schema: str
    removed: tuple[RemovedCategory, ...] = ()  # removed last first
    outage: Outage = NO_OUTAGE  # as the polling process recorded it
    rests: tuple[Rest, ...] = ()  # hosts of our sources, the earliest end first
    hub: HubStatus | None = None  # None if there never was a ping
    days: tuple[DaySums, ...] = ()  # sums over all sources, newest first; days without requests are left out
