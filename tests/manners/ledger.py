"""The ledger as polls: what each poll may send, its outcome, and how long the source must be left alone.

Everything is derived from the rules and from the wire; of the fetcher only its feeds.yaml is known.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import chain
from urllib.parse import urljoin, urlsplit

from tests.manners.asked_for import NOTHING, freshness, retry_after
from tests.manners.exchange import Exchange, Habit
from tests.manners.habits import DAY, HOUR

WEEK = timedelta(days=7)
LONGEST_TAG = 1024
REDIRECTS = (301, 302, 303, 307, 308)
LONGEST_POLL = timedelta(seconds=30)
MERGING = "merging-"  # sources that redirect to one address


@dataclass(frozen=True, kw_only=True)
class Held:
    """Validators that a fetcher should hold, and their address (P8)."""

    url: str
    etag: str | None = None
    modified: str | None = None
    may_lack_date: bool = False  # the date is older than the tag of a delta: either may be sent (P22)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One poll, and its consequences."""

    habit: Habit
    exchanges: tuple[Exchange, ...]  # redirects included, in order
    held: Held | None  # before the poll: the validators to send
    may_be_bare: bool  # a rule allows other validators, or none (P9, P13, P16, P34)
    outcome: str  # fetched, not_modified, failed
    failures: int  # in a row, this one included
    bounds: Mapping[str, timedelta]  # rule to the time before which the source must not be polled
    facts: frozenset[str]  # special features, for the rules that check only these
    skipped: tuple[frozenset[int], frozenset[int]] = (frozenset(), frozenset())  # hours and days (P59)
    before: "Step | None" = field(default=None, repr=False)
    after: "Step | None" = field(default=None, repr=False)

    @property
    def first(self) -> Exchange:
        """The first request of the poll."""
        return self.exchanges[0]

    @property
    def last(self) -> Exchange:
        """The request that decided the outcome."""
        return self.exchanges[-1]

    @property
    def wait(self) -> timedelta:
        """The latest of the bounds."""
        return max(self.bounds.values(), default=NOTHING)


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """Everything that was recorded at the origin."""

    exchanges: Sequence[Exchange]
    habits: Mapping[str, Habit]
    addresses: Mapping[str, str]  # address of each habit in feeds.yaml, without port and login
    strays: Sequence[str] = ()  # requests that belong to no habit
    unproven: int = 0  # visits to the host with an untrusted certificate
    edits: Mapping[str, datetime] = field(default_factory=dict)  # sources whose fetch settings changed, and when (P9)
    spacing: Mapping[str, timedelta] = field(
        default_factory=dict
    )  # spacing of hosts with a setting in feeds.yaml (P61)

    @cached_property
    def steps(self) -> Mapping[str, Sequence[Step]]:
        """The polls of each source, without sources that share an address, whose polls can't be distinguished."""
        mine: dict[str, list[Exchange]] = defaultdict(list)
        for exchange in self.exchanges:
            if not exchange.source.startswith(MERGING):
                mine[exchange.source].append(exchange)
        return {name: walk(self.habits[name], found, self.edits.get(name)) for name, found in mine.items()}

    @property
    def polls(self) -> Iterator[Step]:
        """Every poll, source by source."""
        return chain.from_iterable(self.steps.values())

    @cached_property
    def hosts(self) -> Mapping[str, Sequence[Exchange]]:
        """Return the exchanges of each host."""
        found: dict[str, list[Exchange]] = defaultdict(list)
        for exchange in self.exchanges:
            found[exchange.host].append(exchange)
        return found


def walk(habit: Habit, exchanges: Iterable[Exchange], edited: datetime | None = None) -> Sequence[Step]:
    """Follow a source from poll to poll."""
    steps: list[Step] = []
    state = _State(habit)
    for group in _polls(exchanges):
        if edited is not None and group[0].at >= edited:
            state.held, edited = None, None
            state.facts.add("edited")
        steps.append(state.poll(tuple(group)))
    for place in range(len(steps) - 1):
        object.__setattr__(steps[place], "after", steps[place + 1])  # both ways, and frozen for all others
        object.__setattr__(steps[place + 1], "before", steps[place])
    return steps


def _polls(exchanges: Iterable[Exchange]) -> Iterator[list[Exchange]]:
    """Split the exchanges of a source into polls."""
    poll: list[Exchange] = []
    for exchange in exchanges:
        if poll and not (exchange.at == poll[-1].at or continues(poll[-1], exchange)):
            yield poll
            poll = []
        poll.append(exchange)
    yield poll


def continues(before: Exchange, exchange: Exchange) -> bool:
    """Return whether a request follows the redirect that came before it."""
    location = before.answer.said("Location") if before.answer.status in REDIRECTS else None
    if location is None or exchange.at - before.at > LONGEST_POLL:
        return False
    there = urlsplit(urljoin(before.url, location))
    return f"{there.scheme}://{there.hostname}" == exchange.host


class _State:
    """What a polite fetcher knows of a source."""

    def __init__(self, habit: Habit) -> None:
        self.habit = habit
        self.held: Held | None = None
        self.failures = 0
        self.gone: list[datetime] = []  # number of 410s in a row
        self.body = b""
        self.identical = 0  # 200s in a row with the same body, though a tag was sent and a date is known (P13)
        self.bare = False  # a rule has allowed another form of request permanently
        self.quiet_since: datetime | None = None  # only 304 since then (P16)
        self.fields: dict[str, str] = {}  # the last Cache-Control and Expires (P5)
        self.hints: dict[str, timedelta] = {}
        self.skipped: tuple[frozenset[int], frozenset[int]] = (frozenset(), frozenset())
        self.retried = False
        self.facts: set[str] = set()

    def poll(self, exchanges: tuple[Exchange, ...]) -> Step:
        last = exchanges[-1]
        outcome = outcome_of(last)
        quiet = self.quiet_since is not None and last.at - self.quiet_since >= timedelta(days=30)
        step = Step(
            habit=self.habit,
            exchanges=exchanges,
            held=self.held,
            may_be_bare=self.bare or quiet or self.identical >= 3,
            outcome=outcome,
            failures=0,
            bounds={},
            facts=frozenset(self.facts),
        )
        self.facts = set()
        self.failures = self.failures + 1 if outcome == "failed" else 0
        if last.answer.status in (400, 406, 415) or self.identical >= 3:
            self.bare = True
        if last.answer.status != 410:
            self.gone = []
        match outcome:
            case "fetched":
                self._fetched(step)
            case "not_modified":
                self._not_modified(step)
            case _:
                self._failed(step)
        bounds = self._failure_bounds(step) if self.failures else self._bounds(step)
        self.retried = last.answer.said("Retry-After") is not None
        return replace(step, failures=self.failures, bounds=bounds, skipped=self.skipped)

    def _fetched(self, step: Step) -> None:
        last, answer = step.last, step.last.answer
        body = answer.reply.body  # its digest
        sent = last.asked.headers
        if body == self.body:
            self.facts.add("same body")
        if answer.status == 200 and body == self.body and "If-None-Match" in sent and self.held and self.held.modified:
            self.identical += 1
        elif answer.status == 200:
            self.identical = 0
        if self.identical >= 3:
            self.facts.add("tag never matches")
        etag, modified = (
            answer.said("ETag") or None,
            answer.said("Last-Modified") or None,
        )  # a blank validator counts as missing
        before = self.held
        if etag is not None and len(etag) > LONGEST_TAG:
            etag = None
            self.facts.add("huge tag")
        if before and ((before.etag and not etag) or (before.modified and not modified)):
            self.facts.add("validator dropped")
        if before and before.etag != etag and before.modified == modified:
            self.facts.add("tag changed alone")
        older = answer.status == 226 and modified is None
        if answer.status == 226 and before:
            modified = modified or before.modified
            self.facts.add("delta")
        self.held = Held(url=last.url, etag=etag, modified=modified, may_lack_date=older) if etag or modified else None
        if answer.status == 200:
            self.body = body
            if answer.is_feed:
                self.hints = {"P57": answer.ttl or NOTHING, "P58": answer.update_period or NOTHING}
                self.skipped = (answer.skip_hours, answer.skip_days)
        self.fields = {name: said for name in _AGING if (said := answer.said(name)) is not None}
        self.quiet_since = None
        control = (answer.said("Cache-Control") or "").lower()
        if "no-cache" in control or "no-store" in control or answer.said("Expires") == "0":
            self.facts.add("no caching")

    def _not_modified(self, step: Step) -> None:
        answer = step.last.answer
        if self.held:
            etag, modified = answer.said("ETag") or self.held.etag, answer.said("Last-Modified") or self.held.modified
            if (etag, modified) != (self.held.etag, self.held.modified):
                self.facts.add("304 with validators")
            loose = self.held.may_lack_date and answer.said("Last-Modified") is None
            self.held = replace(self.held, etag=etag, modified=modified, may_lack_date=loose)
        self.fields |= {name: said for name in _AGING if (said := answer.said(name)) is not None}
        self.identical = 0
        if "If-None-Match" not in step.last.asked.headers and self.held and self.held.etag:
            self.facts.add("date earned 304")
        self.quiet_since = self.quiet_since or step.first.at

    def _failed(self, step: Step) -> None:
        answer = step.last.answer
        if answer.status == 304:
            self.held = None
            self.facts.add("304 unasked")
        elif answer.status == 200 and not answer.arrives:
            self.facts.add("cut short")
        elif answer.status == 200 and answer.reply.body:
            self.facts.add("unread")
        elif answer.status in (200, 204, 205):
            self.facts.add("empty")
        if answer.status == 410:
            self.gone.append(step.first.at)
        self.quiet_since = None
        self.facts.add("failure")

    def _bounds(self, step: Step) -> dict[str, timedelta]:
        bounds = {"P52": self.habit.every or timedelta(minutes=15)}
        if self.habit.schedule:
            bounds["P52"] = timedelta(minutes=1)
        bounds |= {rule: min(hint, DAY) for rule, hint in self.hints.items() if hint}
        fresh = freshness(self.fields, step.last)
        if fresh:
            bounds["P53"] = min(fresh, DAY)
        if retry := self._retry(step):
            bounds["P56"] = retry
        return bounds

    def _failure_bounds(self, step: Step) -> dict[str, timedelta]:
        interval = self.habit.every or HOUR
        answer, at = step.last.answer, step.first.at
        bounds = {"P50": min(max(interval, HOUR) * (1 << min(self.failures - 1, 12)), max(DAY, interval))}
        retry = self._retry(step)
        slowed = answer.status == 429 or (answer.status == 503 and retry)
        if retry:
            bounds["P56"] = retry
        if slowed:
            own = {name: said for name in _AGING if (said := answer.said(name)) is not None}
            rule = "P30" if answer.status == 429 else "P31"
            bounds[rule] = max(2 * interval, min(freshness(own, step.last), DAY))
        if answer.status == 410:
            lasting = len(self.gone) >= 3 and at - self.gone[0] >= timedelta(hours=48)
            bounds["P29"] = timedelta(days=30) if lasting else DAY
        return bounds

    def _retry(self, step: Step) -> timedelta:
        answer = step.last.answer
        wait = retry_after(answer.said("Retry-After"), answer.said("Date"), step.last.at)
        return min(wait, WEEK if self.retried else DAY)


_AGING = ("Cache-Control", "Expires")


def outcome_of(last: Exchange) -> str:
    """Return how a poll went that ended with this exchange."""
    answer, asked = last.answer, last.asked.headers
    conditional = "If-None-Match" in asked or "If-Modified-Since" in asked
    if not answer.arrives:
        return "failed"
    if answer.status == 304:
        return "not_modified" if conditional else "failed"
    if answer.status == 226:
        ours = "feed" in asked.get("A-IM", "") and "If-None-Match" in asked
        return "fetched" if ours and "feed" in (answer.said("IM") or "") else "failed"
    return "fetched" if answer.status == 200 and answer.is_feed else "failed"
