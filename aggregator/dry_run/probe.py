"""Polls sources within the usual limits and stores nothing, for `check --live` and `add`.

Limits in the store apply as well: a source that was polled a moment ago or asked for a pause is not polled (P69), and
a host that rests gets no request (P30).
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
from aggregator.reader.pool import Readers
from aggregator.store.database import open_store
from aggregator.store.schedule import DueItem
from aggregator.urls import Url

TICK = 0.2  # seconds after which due sources are looked up again, if no answer comes earlier


@dataclass(frozen=True, slots=True)
class Past:
    """Limits that earlier polls stored."""

    jobs: Mapping[SourceKey, SourceJob] = field(default_factory=dict)
    waiting: Mapping[SourceKey, DueItem] = field(default_factory=dict)
    restraints: Mapping[str, HostBackoff] = field(default_factory=dict)  # by host key
    starts: Mapping[str, datetime] = field(default_factory=dict)  # host key -> start of its last request


def past_of(settings: Settings, now: datetime) -> Past:
    """Return the stored limits of the sources; empty if there is no store yet.

    Raises:
        StoreError: the store exists and can't be read.
    """
    try:
        store = open_store(settings.store, now=now, writes=False)
    except NoStore:
        return Past()
    try:
        with store.read() as tx:
            found = ((source.key, tx.claims.look_up(source)) for source in settings.sources)
            jobs = {key: job for key, job in found if job is not None}
            waiting = {item.key: item for item in tx.schedule.named(list(jobs))}
            return Past(
                jobs, waiting, tx.hosts.restraints(), tx.hosts.last_starts(now - widest_spacing(settings.hosts))
            )
    finally:
        store.close()


def listed_of(settings: Settings, now: datetime) -> Settings:
    """Return the settings with the sources of OPML lists, as far as the store has the lists.

    Raises:
        StoreError: the store exists and can't be read.
    """
    if not settings.has_lists:
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
    """Return why a source must not be polled now, even by an operator (P69); None if it may be polled."""
    if item is None or source.own_machine or may_ask_again(now, item.attempted_at, item.retry_until):
        return None
    if item.retry_until is not None and item.retry_until > now:
        return f"asks to be left alone until {item.retry_until:%Y-%m-%d %H:%M} UTC"
    return f"was asked at {item.attempted_at:%H:%M:%S} UTC; wait five minutes"


class Prober:
    """Polls sources without storing anything. A command makes one and must call `close`.

    Args:
        settings: `hosts`, `workers`, `proxy`, `site` and the secrets are used.
        clock: returns the current time.
        past: limits that earlier polls stored.
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
        """Use these settings for the secrets that are removed from answers (S44)."""
        self._redactor = Redactor.of(settings)

    def run(
        self, sources: Sequence[Source], *, read: Callable[[Fetched, Ask], Feed] | None = None
    ) -> Iterator[Gathered[SourceJob]]:
        """Poll sources, as many in parallel as `workers` and their hosts allow, and yield each as it completes.

        Sources whose host rests for over a minute are left out, and after `stop` all that were not polled yet. Sources
        that can't be reached because our own network is down are yielded as `Unreached`, or left out (P87).

        Args:
            sources: the sources to poll.
            read: reads the answer in place of the feed parser.
        """
        now = self._clock()
        yield from self._run([self._due(source, now) for source in sources], read or self._readers.read)

    def ask(
        self, source: Source, url: Url | None = None, *, read: Callable[[Fetched, Ask], Feed] | None = None
    ) -> Gathered[SourceJob] | None:
        """Poll one source, or another address for it, within the limits of a redirect (S70).

        Args:
            source: the source to poll.
            url: another address: linked by a page, or guessed.
            read: reads the answer in place of the feed parser.

        Returns:
            None if its host rests for over a minute.
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
        backlog = ListedBacklog([_waiting(number, job) for number, job in by_id.items()], honours_skip_hours=False)
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
                    for item in backlog.take_due(now, limit=room, failing=room, budgets=self._budgets, own=own):
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
        """End running requests on Ctrl-C, if the command does not handle the signal: the pool would wait for them."""
        try:
            yield
        except KeyboardInterrupt:
            self.stop()
            raise

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stopped

    def stop(self) -> None:
        """Start no more requests, and end those that are running. May be called from another thread."""
        self._stopped = True
        self._client.cut()
        self._readers.close()

    def close(self) -> None:
        """Close connections, threads and processes."""
        self._client.close()
        self._readers.close()

    def _due(self, source: Source, now: datetime) -> SourceJob:
        """Return the claimed source as for a poll, without validators, because a 304 would show nothing."""
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
