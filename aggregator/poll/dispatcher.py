"""Claims due sources and details, oldest first, as far as the budgets of their hosts and the workers allow (P61).

Service and one-shot `poll` differ only in the queue that they take jobs from (`due_queue.py`).
"""

import threading
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from logging import getLogger

from aggregator.errors import StoreError
from aggregator.in_force import InForce
from aggregator.model.changes import Changes, Settled
from aggregator.model.job import Gathered, Job, JobId
from aggregator.model.poll import Fetched, NotModified, Unreached
from aggregator.model.status import NO_OUTAGE
from aggregator.poll.due_queue import Backlog
from aggregator.poll.network_monitor import NetworkMonitor
from aggregator.poll.poller import Poller
from aggregator.poll.workers import Runner
from aggregator.store.database import Store
from aggregator.store.schedule import DueItem

CLAIM = 4  # times the workers: the largest number of jobs claimed at a time (R42)
TICK = 1.0  # seconds between two rounds, unless something wakes the dispatcher
PAUSE = 60.0  # seconds, when the store can't be written (R7)
SPREAD = timedelta(minutes=5)  # over which sources are spread that fell due while nothing was polled (P64)

log = getLogger(__name__)


class Dispatcher:
    """Claims jobs and hands them to the workers."""

    def __init__(
        self,
        store: Store,
        poller: Poller,
        in_force: InForce,
        backlog: Backlog,
        *,
        on_settled: Callable[[Sequence[Settled]], None] = lambda settled: None,
        on_network: Callable[[], None] = lambda: None,
        patient: bool = False,
    ) -> None:
        """Make a dispatcher.

        Args:
            store: where jobs are claimed.
            poller: the client and its limits.
            in_force: the settings.
            backlog: the queue of due sources and details.
            on_settled: called after each group that was stored.
            on_network: called when the network went down or came back.
            patient: when the store can't be written, wait and try again (R7) instead of raising.
        """
        self._store, self._poller, self._in_force, self._backlog = store, poller, in_force, backlog
        self._clock, self._budgets = poller.clock, poller.budgets
        self._report, self._patient = on_settled, patient
        self._runner = Runner(
            poller.ports,
            in_force.settings.workers,
            on_leave=self._leaves,
            on_return=self._returns,
            judge=self._judge,
            on_settled=self._settled,
        )
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._resting = threading.Event()
        self._lock = threading.Lock()
        self._in_flight = 0  # claimed and not yet settled
        self._failing = 0  # of those, polls under way of sources whose last poll failed
        self._network: NetworkMonitor[Job] = NetworkMonitor(poller.steady, in_force.host_count)
        self._on_network = on_network
        self._outage = NO_OUTAGE  # at the last check
        self._paused = False  # the last write to the store failed
        self._apart: set[JobId] = (
            set()
        )  # sources that may end this program: each is polled with nothing beside it (R13)
        self._alone: JobId | None = None  # the suspect that is being polled
        self._unreached: set[JobId] = set()  # the network kept these from their hosts, and they were not polled since
        self._slow_lane = max(1, in_force.settings.workers // 2)  # of sources that failed: they hang (L16)

    def run(self, *, until: Callable[[], bool] = lambda: False) -> None:
        """Poll until the queue is empty and everything is settled, or until `stop`.

        Args:
            until: called before each claim; once it returns True, nothing more is claimed, and polls under way end.

        Raises:
            StoreError: the store can't be written, and the dispatcher is not patient.
            WorkersLost: only a new process helps.
        """
        self._begin()
        self._runner.start()
        try:
            while not self._stop.is_set():
                self._wake.clear()
                over = until()
                self._look_after(claim=not over and not self._resting.is_set())
                if over or self._resting.is_set():
                    self._give_back(self._runner.withdraw())
                if self.is_idle() and (over or self._backlog.is_empty(own=self._own_alone)):
                    if not self._network.held:
                        break
                    self._runner.deliver(self._drained(charged=True))  # no other poll can show that the network is up
                self._wake.wait(min(TICK, self._budgets.next_opening() or TICK))
        finally:
            unasked = self._runner.stop()
            # Held polls are put back: at a stop it is not known whether their hosts or the network failed.
            self._runner.deliver(self._drained(charged=False))
            self._runner.close()
            if self._runner.fault is None and self._runner.store_error is None:
                self._give_back(unasked)
        if self._runner.fault is not None:
            raise self._runner.fault
        try:
            if self._runner.store_error is not None:
                raise self._runner.store_error
            self._follow_network()
            if self._patient:  # a service has ended, and nothing watches the network any more
                with self._store.begin() as tx:
                    tx.store_row.note_network(NO_OUTAGE)
        except StoreError as error:
            if not self._patient:
                raise
            self._note_store(error)

    def _begin(self) -> None:
        """Forget the outage that an earlier run left, and find sources that may have ended that run (R13)."""
        while not self._stop.is_set():
            try:
                with self._store.begin() as tx:
                    tx.store_row.note_network(NO_OUTAGE)
                    self._apart = {JobId("source", row) for row in tx.claims.find_crashed(self._clock())}
                return
            except StoreError as error:
                if not self._patient:
                    raise
                self._note_store(error)
                self._stop.wait(PAUSE)

    def _look_after(self, *, claim: bool) -> None:
        """Replace lost workers and claim jobs for free ones; wait a minute when the store can't be written (R7)."""
        try:
            self._runner.look_after()
            if self._runner.fault is not None:
                raise self._runner.fault
            if self._runner.store_error is not None:
                raise self._runner.store_error
            self._follow_network()
            if claim and not self._waits_for_one():
                self._claim()
                self._probe()
        except StoreError as error:
            if not self._patient:
                raise
            self._note_store(error)
            self._stop.wait(PAUSE)
            self._runner.store_error = None  # what was not stored keeps its claim (R13)

    def _note_store(self, error: StoreError | None) -> None:
        """Log once that the store can't be written, and once that it can again."""
        with self._lock:
            before, self._paused = self._paused, error is not None
        if error is not None and not before:
            advice = "polling goes on when the store can be written"
            log.error("pause_polls", extra={"error": str(error), "advice": advice})
        if error is None and before:
            log.warning("resume_polls", extra={"advice": "the store can be written again"})

    def stop(self) -> None:
        """Claim nothing more; `run` returns when polls under way have ended."""
        self._stop.set()
        self._wake.set()

    def wake(self) -> None:
        """Look for due jobs now."""
        self._wake.set()

    def rest(self, *, on: bool) -> None:
        """Start no new poll while `on` (R68)."""
        self._resting.set() if on else self._resting.clear()
        self._wake.set()

    def is_unreached(self, item: DueItem) -> bool:
        """Return whether a source was not polled because the network is down (P87)."""
        return item.id in self._unreached or self._outage.since(own=item.own_machine) is not None

    def _give_back(self, jobs: Sequence[Job]) -> None:
        """Undo claims whose request did not leave."""
        if not jobs:
            return
        try:
            with self._store.begin() as tx:
                tx.give_back(jobs)
        finally:
            for job in jobs:
                self._budgets.finish(job.id)
            with self._lock:
                self._in_flight -= len(jobs)
                self._failing -= sum(job.failures > 0 for job in jobs)
                self._end_alone({job.id for job in jobs})

    def _waits_for_one(self) -> bool:
        """Return whether nothing else may be claimed because a crash suspect is polled alone, or waits for that.

        A crash suspect is a source that was in flight at `CRASHES` crashes. It is claimed once everything else is
        settled: if the program crashes again, no other source is in doubt (R13).
        """
        if not self._apart or self._alone is not None:
            return self._alone is not None
        now, budgets = self._clock(), self._budgets
        item = self._backlog.alone(now, self._apart, budgets, own=self._own_alone)
        if item is None or not self.is_idle() or not budgets.take(item.id, item.host_key):
            return item is not None
        self._alone = item.id
        log.warning("poll_alone", extra={"source": item.key, "advice": "at each of the last crashes it was in flight"})
        jobs: Sequence[Job] = ()
        try:
            jobs = self._claimed([item], now)
        finally:
            if not jobs:
                self._end_alone({item.id})
        self._backlog.answered({item.id})
        self._submit(jobs)
        return True

    def _end_alone(self, ids: Collection[JobId]) -> None:
        """Allow other claims again, if the crash suspect that was polled alone is among these ids."""
        if self._alone in ids:
            self._alone = None

    def _claim(self) -> None:
        """Claim as many jobs as may wait for a worker, shortly before their requests leave (R13)."""
        room = min(self._runner.room(), CLAIM * self._in_force.settings.workers)
        budgets = self._budgets
        while room > 0:
            now = self._clock()
            chosen = self._backlog.take_due(
                now,
                limit=room,
                failing=self._slow_lane - self._failing,
                budgets=budgets,
                own=self._own_alone,
                apart=self._apart,
            )
            if not chosen:
                return
            jobs = self._claimed(chosen, now)
            self._submit(jobs)
            room = min(self._runner.room(), room - len(jobs))

    def _probe(self) -> None:
        """Poll one source to find out whether the network is back (P87)."""
        with self._lock:
            hosts = self._network.public.probe_hosts() if self._network.wants_probe() else None
        if hosts is None:
            return
        now = self._clock()
        chosen = self._backlog.probe(now, hosts, self._budgets, apart=self._apart)
        jobs = self._claimed(chosen, now) if chosen else ()
        with self._lock:
            for job in jobs:
                self._network.begin_probe(job)
        self._submit(jobs)

    def _submit(self, jobs: Sequence[Job]) -> None:
        with self._lock:
            self._in_flight += len(jobs)
            self._failing += sum(job.failures > 0 for job in jobs)
        for job in jobs:
            self._runner.submit(job)

    def _claimed(self, chosen: Sequence[DueItem], now: datetime) -> Sequence[Job]:
        """Claim jobs; return the room at the hosts of those that can't be claimed."""
        jobs: Sequence[Job] = ()
        try:
            with self._store.begin() as tx:
                claimed = tx.claim(chosen, now, self._in_force.roster.sources, spare=self._backlog.honours_skip_hours)
            jobs = claimed
            return jobs
        finally:
            for lost in {item.id for item in chosen} - {job.id for job in jobs}:
                self._budgets.finish(lost)

    def _leaves(self, job: Job) -> None:
        self._budgets.leave(job.id)

    def _returns(self, poll: Gathered[Job]) -> None:
        self._poller.host_limits.record_answer(poll)
        is_whole = isinstance(poll.answer, Fetched | NotModified)
        self._budgets.finish(poll.job.id, peer=poll.answer.peer, whole=is_whole)

    def _judge(self, poll: Gathered[Job]) -> Sequence[Gathered[Job]]:
        with self._lock:
            self._failing -= poll.job.failures > 0
            ready = self._network.judge(poll)
            self._unreached |= {
                each.job.id for each in ready if isinstance(each.answer, Unreached) and each is not poll
            }
            return ready

    def _drained(self, *, charged: bool) -> Sequence[Gathered[Job]]:
        with self._lock:
            return self._network.drain(charged=charged)

    def _settled(self, changes: Sequence[Settled], others: Sequence[Job]) -> None:
        self._note_store(None)
        self._poller.host_limits.keep()
        self._report(changes)
        twins = {change.job.id for change in changes if isinstance(change, Changes) and change.job.is_twin}
        self._backlog.answered(twins)
        with self._lock:
            self._in_flight -= len(changes) - len(twins) + len(others)
            settled = {change.job.id for change in changes}
            self._unreached -= settled
            self._apart -= settled  # their polls ended without a crash
            self._end_alone({*settled, *(job.id for job in others)})
        self._wake.set()

    def settling_seconds(self) -> float:
        """Return for how many seconds the current group of polls has been decided and stored; 0 if there is none."""
        return self._runner.settling_seconds()

    def is_idle(self) -> bool:
        """Return whether no poll is under way, except polls that are held (P87)."""
        with self._lock:
            return self._in_flight == self._network.held

    @property
    def _own_alone(self) -> bool | None:
        """True while only the operator's own machines are polled, because public hosts are unreachable; None: all are
        polled (P87).
        """
        return True if self._outage.public is not None else None

    def _follow_network(self) -> None:
        """Act on the network having gone down or come back, and settle polls that were held long enough (P87)."""
        now, before = self._clock(), self._outage
        with self._lock:
            lapsed = self._network.lapse()
            found = self._network.outage(now, before)
            probed = self._network.end_probes() if before.public and not found.public else ()
        self._runner.deliver(lapsed)
        if found == before:
            return
        if found.public and not before.public:
            unasked = self._runner.withdraw()
            away = [job for job in unasked if not job.source.own_machine]
            with self._lock:
                self._unreached |= {job.id for job in away}
            for job in unasked:
                if job.source.own_machine:
                    self._runner.submit(job)
            self._give_back(away)
        with self._store.begin() as tx:
            tx.store_row.note_network(found)
            tx.give_back(probed)
            if before.public and not found.public:
                tx.schedule.spread_overdue(now, over=SPREAD, own=False)
        self._outage = found
        for own in (False, True):
            _log_turn(before.since(own=own), found.since(own=own), own=own)
        self._on_network()


def _log_turn(before: datetime | None, since: datetime | None, *, own: bool) -> None:
    hosts = "own" if own else "public"
    if since and not before:
        advice = (
            "your own machines are asked as usual, and failures count against none of them"
            if own
            else "public hosts are not asked; one of them is probed each minute; check this machine's network"
        )
        log.warning("pause_network", extra={"hosts": hosts, "since": since.isoformat("T", "seconds"), "advice": advice})
    if before and not since:
        log.warning("resume_network", extra={"hosts": hosts, "since": before.isoformat("T", "seconds")})
