"""Sources that are asked and read as a poll does it, with the same manners, and nothing is stored.

`check --live` and `add` find out this way what a source is. What the store knows binds them too: a source that was
asked a moment ago, or that wants to be left alone, is not asked (P69), and no more is a host that rests (P30).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from queue import Empty, SimpleQueue
from time import monotonic

from aggregator.cadence import may_ask_again
from aggregator.cadence.hosts import HostBackoff
from aggregator.clock import Clock
from aggregator.config.lists import has_lists
from aggregator.errors import NoStore
from aggregator.fetch import Bodies, Client
from aggregator.fetch.budget import Budgets
from aggregator.in_force import listed_settings
from aggregator.model.ask import Ask
from aggregator.model.entry import Feed
from aggregator.model.hosts import budget_key, widest_spacing
from aggregator.model.job import Claim, Gathered, JobId, SourceJob, unstored_job
from aggregator.model.poll import Fetched, NotModified
from aggregator.model.redactor import Redactor
from aggregator.model.settings import Settings, Source, SourceKey
from aggregator.poll.due_queue import ListedBacklog
from aggregator.poll.host_limits import HostLimits
from aggregator.poll.network_monitor import NetworkMonitor
from aggregator.poll.pipeline import Intake, gather
from aggregator.poll.poller import user_agent_of
from aggregator.reader import Readers
from aggregator.store import open_store
from aggregator.store.schedule import DueItem
from aggregator.urls import Url

TICK = 0.2  # seconds between two looks at who may be asked next, if no answer comes sooner


@dataclass(frozen=True, slots=True)
class Past:
    """What earlier polls left behind that binds a trial."""

    jobs: Mapping[SourceKey, SourceJob] = field(default_factory=dict)
    waiting: Mapping[SourceKey, DueItem] = field(default_factory=dict)
    restraints: Mapping[str, HostBackoff] = field(default_factory=dict)  # by host key
    starts: Mapping[str, datetime] = field(default_factory=dict)  # when each host key was last asked


def past_of(settings: Settings, now: datetime) -> Past:
    """Read what the store knows of the sources; nothing, where nothing was polled yet.

    Raises:
        StoreError: there is a store, and it can't be read.
    """
    try:
        store = open_store(settings.store, now=now, writes=False)
    except NoStore:
        return Past()
    try:
        with store.read() as tx:
            found = ((source.key, tx.look_up(source)) for source in settings.sources)
            jobs = {key: job for key, job in found if job is not None}
            waiting = {item.key: item for item in tx.schedule.named(list(jobs))}
            return Past(
                jobs, waiting, tx.hosts.restraints(), tx.hosts.last_starts(now - widest_spacing(settings.hosts))
            )
    finally:
        store.close()


def listed_of(settings: Settings, now: datetime) -> Settings:
    """Return the settings with the sources that lists name (`kind: opml`), as far as a store knows the lists.

    Raises:
        StoreError: there is a store, and it can't be read.
    """
    if not has_lists(settings):
        return settings
    try:
        store = open_store(settings.store, now=now, writes=False)
    except NoStore:
        return settings
    try:
        return listed_settings(store, settings)
    finally:
        store.close()


def why_not_now(source: Source, item: DueItem | None, now: datetime) -> str | None:
    """Say why a source must not be asked now, though the operator wants it (P69); None if it may be."""
    if item is None or source.own_machine or may_ask_again(now, item.attempted_at, item.retry_until):
        return None
    if item.retry_until is not None and item.retry_until > now:
        return f"asks to be left alone until {item.retry_until:%Y-%m-%d %H:%M} UTC"
    return f"was asked at {item.attempted_at:%H:%M:%S} UTC; wait five minutes"


class Prober:
    """Asks sources. One for a command; its `close` must follow.

    Args:
        settings: of which `hosts`, `workers`, `proxy`, `site` and the secrets count.
        clock: tells the time.
        past: what earlier polls left behind.
    """

    def __init__(self, settings: Settings, clock: Clock, past: Past | None = None) -> None:
        self._past = past or Past()
        self._clock, self._hosts_rules, self._workers = clock, settings.hosts, settings.workers
        self._budgets = Budgets(settings.hosts, monotonic)
        self._hosts = HostLimits(None, self._budgets, clock, rules=lambda: self._hosts_rules)
        self._hosts.adopt(self._past.restraints, self._past.starts)
        self._redactor = Redactor.of(settings)
        self._readers, self._bodies = Readers(), Bodies(settings.workers)
        self._client = Client(
            user_agent=user_agent_of(settings.site),
            clock=clock,
            hosts=settings.hosts,
            proxy=settings.proxy,
            bodies=self._bodies,
            passage=self._budgets.passage,
            sites=self._hosts.sites,
        )
        self._numbers = count(1)  # of requests: sources that the store does not know have no row to tell them apart
        self._stopped = False

    def keep_secrets(self, settings: Settings) -> None:
        """Let no answer echo the secrets of these settings either (S44)."""
        self._redactor = Redactor.of(settings)

    def run(
        self, sources: Sequence[Source], *, read: Callable[[Fetched, Ask], Feed] | None = None
    ) -> Iterator[Gathered[SourceJob]]:
        """Ask sources, as many at once as `workers` and their hosts allow, and give each as it comes back.

        Some may be left out: those whose host rests for over a minute, and after `stop` whatever was not asked yet.
        Those that a broken network of ours keeps from being reached come back as `Unreached`, or not at all (P87).

        Args:
            sources: which.
            read: instead of reading a feed.
        """
        now = self._clock()
        yield from self._run([self._due(source, now) for source in sources], read or self._readers.read)

    def ask(
        self, source: Source, url: Url | None = None, *, read: Callable[[Fetched, Ask], Feed] | None = None
    ) -> Gathered[SourceJob] | None:
        """Ask one source, or for its sake another address, for which no more is allowed than for a redirect (S70).

        Args:
            source: which.
            url: the other address: one that a page names, or a guess.
            read: instead of reading a feed.

        Returns:
            None if its host wants to be left alone for over a minute.
        """
        job = self._due(source, self._clock())
        if url is not None and url != job.url:
            key = budget_key(url, self._hosts_rules)
            job = replace(job, url=url, host_key=key)
        return next(iter([*self._run([job], read or self._readers.read)]), None)

    def _run(self, jobs: Sequence[SourceJob], read: Callable[[Fetched, Ask], Feed]) -> Iterator[Gathered[SourceJob]]:
        now = self._clock()
        by_id = {JobId("probe", next(self._numbers)): job for job in jobs}
        keys = {(job.source.own_machine, job.host_key) for job in jobs}
        network: NetworkMonitor[SourceJob] = NetworkMonitor(monotonic, lambda own: sum(mine == own for mine, _ in keys))
        backlog = ListedBacklog([_waiting(number, job) for number, job in by_id.items()], spares=False)
        intake = Intake(
            fetch=self._client.fetch,
            release=self._bodies.release,
            read=read,
            redactor=lambda: self._redactor,
            clock=self._clock,
        )
        answers: SimpleQueue[Gathered[SourceJob]] = SimpleQueue()
        with ThreadPoolExecutor(self._workers, thread_name_prefix="trial") as pool, self._cut_by_interrupt():
            under_way = 0
            while True:
                own = True if network.public.down_seconds is not None else None
                if not self._stopped:
                    room = self._workers - under_way
                    for item in backlog.ripe(now, limit=room, failing=room, budgets=self._budgets, own=own):
                        pool.submit(self._poll, item.id, by_id[item.id], intake, answers)
                        under_way += 1
                if not under_way and (self._stopped or backlog.is_empty(own=own)):
                    break
                try:
                    poll = answers.get(timeout=min(TICK, self._budgets.next_opening() or TICK))
                except Empty:
                    continue
                under_way -= 1
                yield from network.judge(poll)
            yield from network.drain(charged=True)

    @contextmanager
    def _cut_by_interrupt(self) -> Iterator[None]:
        """End what is under way when Ctrl-C is pressed and nobody else heeds it: the pool would wait for it."""
        try:
            yield
        except KeyboardInterrupt:
            self.stop()
            raise

    @property
    def stopped(self) -> bool:
        """Tell whether it was stopped."""
        return self._stopped

    def stop(self) -> None:
        """Ask nobody any more, and end what is under way; another thread may do so."""
        self._stopped = True
        self._client.cut()
        self._readers.close()

    def close(self) -> None:
        """Let go of connections, threads and processes."""
        self._client.close()
        self._readers.close()

    def _due(self, source: Source, now: datetime) -> SourceJob:
        """Give what a poll would be given; no validators, for a 304 would show nothing."""
        known = self._past.jobs.get(source.key)
        if known is None:
            return unstored_job(source, budget_key(source.url, self._hosts_rules), now)
        return SourceJob(
            source=source,
            source_id=known.source_id,
            url=known.url,
            host_key=known.host_key,
            claim=Claim(due_at=now, crashes=known.claim.crashes),
            observed=known.observed,
        )

    def _poll(self, number: JobId, job: SourceJob, intake: Intake, answers: "SimpleQueue[Gathered[SourceJob]]") -> None:
        self._budgets.leave(number)
        poll = gather(job, intake)
        try:
            self._hosts.record_answer(poll)
            is_whole = isinstance(poll.answer, Fetched | NotModified)
            self._budgets.finish(number, peer=poll.answer.peer, whole=is_whole)
        finally:
            answers.put(poll)


def _waiting(number: JobId, job: SourceJob) -> DueItem:
    return DueItem(
        id=number,
        key=job.source.key,
        url=job.url,
        host_key=job.host_key,
        due_at=job.claim.due_at,
        own_machine=job.source.own_machine,
    )
