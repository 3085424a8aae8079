"""A service: polls, publishes and takes up edits of feeds.yaml until it is stopped.

APScheduler runs a handful of jobs, not one per source (R22, R23). The tick only wakes the dispatcher; publishing is a
job of its own, so that a slow disk holds up no poll. The hub is told in a thread of its own.
"""

import gc
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from logging import ERROR, WARNING, getLogger
from pathlib import Path
from time import monotonic
from typing import Any

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED
from apscheduler.schedulers.background import BackgroundScheduler

from aggregator.app import App
from aggregator.errors import AggregatorError
from aggregator.model.changes import Changes, Settled
from aggregator.model.settings import Settings
from aggregator.poll.corrections import run_pending_requests
from aggregator.poll.details import end_waits
from aggregator.poll.dispatcher import SPREAD, Dispatcher
from aggregator.poll.due_queue import DueBacklog, WithDetails
from aggregator.poll.maintenance import Maintenance
from aggregator.publish.report import Published
from aggregator.render.cache import forget_all
from aggregator.search import SearchIndex
from aggregator.service.jobs import JobWatch
from aggregator.service.lag import LagWatch
from aggregator.service.memory import MemoryWatch, Pressure, give_back
from aggregator.service.outputs import OutputWatch
from aggregator.service.watch import ConfigWatch
from aggregator.websub import Pinger

log = getLogger(__name__)

TICK = timedelta(seconds=5)
FLUSH = timedelta(seconds=1)
REQUESTS = timedelta(seconds=1)  # between two looks for what an operator asked for (R27)
MEASURE = timedelta(minutes=1)  # between two looks at all sources
OUTPUTS = timedelta(minutes=1)  # between two looks whether they are all there
ALARMS = timedelta(minutes=5)  # between two looks for what is wrong with any of them (R67)
DEBOUNCE = timedelta(seconds=30)  # between two renderings of a category (R33)
SEARCH = timedelta(seconds=5)  # between two looks for what can't be searched yet
THIN = timedelta(minutes=1)  # between two looks for texts and events that leave the store: a bounded part each time
SPARE = timedelta(minutes=5)  # between two looks for memory that nobody needs
QUIET = timedelta(minutes=15)  # without a publication, after which what it would need is made anew
SEARCH_SECONDS = 0.5  # that one of them may take
HOURLY = timedelta(hours=1)  # the status page grows stale though nothing happens
GRACE = 5.0  # seconds that polls under way get when we stop (R54)
LAST_WORD = 6.5  # seconds after which a publication begins no further category: what is left is dirty at the next start
JUMP = timedelta(minutes=5)  # of the wall clock against the steady one (R21)
ALIVE = timedelta(seconds=60)  # since the last tick, or for which one group of polls is decided (R57)


class ServiceFailed(Exception):
    """Only a new process helps; the supervisor starts it (R25, R68)."""


class Service:
    """Everything that a running `serve` does but serving.

    Args:
        app: open; the service does not close it.
        environ: where `${NAME}` in an edited feeds.yaml is looked up.
        memory: watches it.
        on_settled: called after each group of polls that was stored.
        on_pinged: called after each ping with whether the hub has taken it.
        on_published: called after each publication; None: it failed.
        index: for full-text search; kept up to date while we run.
    """

    def __init__(
        self,
        app: App,
        environ: Mapping[str, str],
        *,
        memory: MemoryWatch | None = None,
        on_settled: Callable[[Sequence[Changes]], None] = lambda changes: None,
        on_pinged: Callable[[bool], None] = lambda taken: None,
        on_published: Callable[[Published | None], None] = lambda published: None,
        index: SearchIndex | None = None,
    ) -> None:
        self._index = index
        self._world, self._on_settled, self._on_published = app, on_settled, on_published
        self._memory, self._pressure = memory or MemoryWatch(), Pressure.NONE
        self._lag = LagWatch()
        self._outputs = OutputWatch(app)
        self._dirty = threading.Event()
        self._publishing = threading.Lock()
        self._not_before = app.clock()  # when the next rendering may begin, after one that failed
        self._deaf_until = app.clock()  # to requests, after they could not be carried out
        self._publish_until: float | None = None  # by the steady clock, once we stop
        self._published_at = app.clock()  # something
        self._published = False  # what the store says stands in the files
        self._edited = False  # an operator's edit was taken up, and is not shown yet
        self._restate = False  # the status page says something that is no longer so
        self._ticked_at, self._steady = app.clock(), monotonic()
        self._jumped = False  # between two ticks, and due times are not yet re-based
        backlog = WithDetails(DueBacklog(app.store), app.store, app.in_force, app.clock)
        self._dispatcher = Dispatcher(
            app.store,
            app.poller,
            app.in_force,
            backlog,
            on_settled=self._settled,
            on_network=self._dirty.set,
            patient=True,
        )
        self._thread = threading.Thread(target=self._dispatch, name="dispatch")
        self._pinger = Pinger(app, on_pinged)
        self._watch = ConfigWatch(app.in_force.written, environ, apply=self._apply, refuse=self._refuse)
        self._jobs = BackgroundScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        jobs = JobWatch(give_up=lambda why: self._fail(ServiceFailed(why)))
        self._jobs.add_listener(jobs.see, EVENT_JOB_ERROR | EVENT_JOB_EXECUTED)
        self.ended = threading.Event()  # set when it can't go on
        self.fault: Exception | None = None

    def start(self, is_stopping: Callable[[], bool] = lambda: False) -> None:
        """Publish what the last run left dirty, then begin.

        Args:
            is_stopping: tells that `stop` will follow at once, so that what is dirty may wait for the next start.

        Raises:
            PublishError: somebody else's file stands where we want to write.
        """
        with self._world.store.begin() as tx:
            tx.schedule.pull_back(self._world.clock())
            tx.schedule.spread_overdue(self._world.clock(), over=SPREAD)
        Maintenance(self._world.store, self._world.clock).end_tombstones()
        self._note_serving()
        self._write_outputs(is_cut=is_stopping)
        self._published = True
        self._spare(forget=True)  # of a large publication only the last pages are remembered, and by chance
        for name, job, every in (
            ("tick", self._tick, TICK),
            ("flush", self._flush, FLUSH),
            ("config", self._look, FLUSH),
            ("status", self._dirty.set, HOURLY),
            ("measure", self._measure, MEASURE),
            ("outputs", self._look_at_outputs, OUTPUTS),
            ("alarms", self._note_alarms, ALARMS),
            ("requests", self._take_requests, REQUESTS),
            ("tombstones", self._end_tombstones, HOURLY),
            ("search", self._catch_up, SEARCH),
            ("bodies", Maintenance(self._world.store, self._world.clock).trim_bodies, HOURLY),
            ("answers", Maintenance(self._world.store, self._world.clock).trim_requests, HOURLY),
            ("serving", self._note_serving, HOURLY),
            ("events", Maintenance(self._world.store, self._world.clock).trim_events, THIN),
            ("keep", self._thin, THIN),
            ("bands", Maintenance(self._world.store, self._world.clock).trim_bands, THIN),
            ("spare", self._spare, SPARE),
        ):
            self._jobs.add_job(job, "interval", seconds=every.total_seconds(), id=name)
        self._thread.start()
        self._pinger.start()
        self._jobs.start()

    def stop(self, told_at: float | None = None) -> None:
        """End within ten seconds, with everything stored and published (R54).

        Args:
            told_at: when we were told to, by `time.monotonic`: perhaps while we were starting; None: just now.
        """
        begun = monotonic() if told_at is None else told_at
        self._publish_until = begun  # a publication under way ends at its next category
        self._pinger.stop()
        self._dispatcher.stop()
        cut = threading.Timer(max(0.0, begun + GRACE - monotonic()), self._world.poller.cut)  # whatever the jobs are at
        cut.daemon = True
        cut.start()
        self._jobs.shutdown(wait=True)
        self._publish_until = begun + LAST_WORD
        self._publish(debounce=timedelta(0))  # what is stored so far, while polls under way have their grace
        self._thread.join()
        self._pinger.join()
        cut.cancel()
        if not self._is_cut():
            self._publish(debounce=timedelta(0))

    def reload(self) -> None:
        """Look at feeds.yaml now, changed or not (SIGHUP)."""
        self._watch.forget()

    def is_alive(self) -> bool:
        """Return whether the tick runs, and polls are decided and stored in time (R57, `/healthz`)."""
        is_deciding_long = self._dispatcher.settling_seconds() >= ALIVE.total_seconds()
        return self._world.clock() - self._ticked_at < ALIVE and self._thread.is_alive() and not is_deciding_long

    def tick_age(self) -> float:
        """Give the seconds since the last tick."""
        return (self._world.clock() - self._ticked_at).total_seconds()

    def is_ready(self) -> bool:
        """Tell whether the store is there and can be read, and what it says is published (R57, `/readyz`)."""
        try:
            with self._world.store.read() as tx:
                tx.categories.site()
        except AggregatorError:
            return False
        return self._published and self._world.store.is_there() and self._has_outputs()

    def _has_outputs(self) -> bool:
        """Return whether the file that is always written stands in the folder; True for a bucket."""
        to = self._world.in_force.settings.publish.to
        return not isinstance(to, Path) or (to / "status.json").is_file()

    # Jobs.

    def _tick(self) -> None:
        wall, steady = self._world.clock(), monotonic()
        jump = (wall - self._ticked_at).total_seconds() - (steady - self._steady)
        self._ticked_at, self._steady = wall, steady
        if not self._world.store.is_there():
            self._lose_store()
            return
        self._look_at_memory()
        if abs(jump) > JUMP.total_seconds():  # the clock was set, or the machine slept (R21, R29)
            log.warning("rebase_clock", extra={"seconds": round(jump)})
            self._jumped = True
        if self._jumped:
            with self._world.store.begin() as tx:
                tx.schedule.pull_back(wall)
                tx.schedule.spread_overdue(wall, over=SPREAD)
            self._jumped = False
        self._dispatcher.wake()

    def _look_at_memory(self) -> None:
        """Do less when memory gets short, and end before we are ended (R68)."""
        pressure, memory = self._memory.look()
        before, self._pressure = self._pressure, pressure
        if memory is not None and pressure > before:
            level, what = (ERROR, "end_for_memory") if pressure is Pressure.FULL else (WARNING, "spare_memory")
            facts = {"held": memory.held_bytes, "own": memory.own_bytes, "limit": memory.limit_bytes}
            log.log(level, what, extra=facts | {"advice": "raise the memory limit, or have fewer workers"})
        if pressure is not before:
            self._dispatcher.rest(on=pressure is not Pressure.NONE)
        if pressure is Pressure.NONE:
            if before is not Pressure.NONE:
                log.warning("resume_polls", extra={"advice": "there is memory again"})
            return
        gc.collect()
        self._spare(forget=True)
        if pressure is Pressure.FULL:
            self._fail(ServiceFailed("the memory limit is near"))

    def _lose_store(self) -> None:
        """End before more is read into a file that nobody finds again; the next start says what helps."""
        where = self._world.store.path
        why = f"{where} was removed or replaced while we worked on it; put it back, or see docs/restore.md"
        if self.fault is None:
            log.error("lose_store", extra={"store": str(where), "advice": why})
        self._fail(ServiceFailed(why))

    def _look_at_outputs(self) -> None:
        """Write again what somebody removed from the folder, or from the bucket."""
        with self._publishing:  # which removes files, too
            is_lost = self._outputs.look()
        if is_lost:
            self._dirty.set()

    def _measure(self) -> None:
        """See whether sources are asked in time (R19); with the network down, they can't be."""
        now = self._world.clock()
        with self._world.store.read() as tx:
            is_held_up = tx.store_row.outage().public is not None or self._pressure is not Pressure.NONE
            self._lag.see(None if is_held_up else tx.schedule.lag(now), now)

    def _note_serving(self) -> None:
        """Note that a service runs, for the runs of `poll` in between and after it."""
        with self._world.store.begin() as tx:
            tx.store_row.note_serving(self._world.clock())

    def _note_alarms(self) -> None:
        with self._world.store.begin() as tx:
            tx.alarms.note(self._world.clock())

    def _take_requests(self) -> None:
        """Carry out what operators ask for, and let it be seen at once (R27)."""
        if self._world.clock() < self._deaf_until:
            return
        try:
            taken = run_pending_requests(self._world.store, self._world.in_force.roster, self._world.clock)
        except AggregatorError as error:  # the disk is full, say: what was not done still waits
            log.error("take_requests", extra={"error": str(error), "advice": "they are tried again"})
            self._deaf_until = self._world.clock() + DEBOUNCE
            return
        if taken:
            self._publish(debounce=timedelta(0))

    def _end_tombstones(self) -> None:
        """Let main documents forget what was withdrawn long ago (M8, invariant 4)."""
        if end_waits(self._world.store, self._world.in_force, self._world.clock):
            self._dirty.set()
        if Maintenance(self._world.store, self._world.clock).end_tombstones():
            self._dirty.set()

    def _thin(self) -> None:
        """Let texts go that are kept no longer; what shows them is dirty then (K2 to K4)."""
        if self._pressure is Pressure.NONE and Maintenance(self._world.store, self._world.clock).thin():
            self._dirty.set()

    def _spare(self, *, forget: bool = False) -> None:
        """Hold no memory for what happens seldom."""
        if forget or self._world.clock() - self._published_at > QUIET:
            forget_all()
        give_back()

    def _catch_up(self) -> None:
        if self._index is not None and self._pressure is Pressure.NONE and self._world.store.is_there():
            self._index.update(seconds=SEARCH_SECONDS)

    def _flush(self) -> None:
        if self._dirty.is_set() and self._world.clock() >= self._not_before:
            self._dirty.clear()
            edited, self._edited = self._edited, False
            self._publish(debounce=timedelta(0) if edited else DEBOUNCE)

    def _look(self) -> None:
        self._watch.look(self._world.clock())

    def _fail(self, why: Exception) -> None:
        """End; whoever started us sees it and calls `stop`."""
        self.fault = self.fault or why
        self.ended.set()

    # What they set going.

    def _dispatch(self) -> None:
        try:
            self._dispatcher.run()
        except Exception as error:
            log.exception("dispatch_polls")
            self._fail(error)
        self.ended.set()

    def _settled(self, settled: Sequence[Settled]) -> None:
        changes = [one for one in settled if isinstance(one, Changes)]
        self._on_settled(changes)
        if any(change.events or change.read for change in changes) or len(changes) < len(settled):
            self._dirty.set()

    def _publish(self, *, debounce: timedelta) -> None:
        with self._publishing:
            try:
                restate, self._restate = self._restate, False
                published = self._write_outputs(debounce=debounce, restate=restate, is_cut=self._is_cut)
                if published.changed:
                    self._published_at = self._world.clock()
                if published.waiting or published.failed:
                    self._dirty.set()
                if published.failed:
                    self._not_before = self._world.clock() + DEBOUNCE
            except AggregatorError as error:  # the old files stay, polling goes on, and we try again (R32)
                log.error("publish_outputs", extra={"error": str(error)})
                self._dirty.set()
                self._not_before = self._world.clock() + DEBOUNCE

    def _write_outputs(self, **how: Any) -> Published:
        try:
            published = self._world.publisher.publish(**how)
        except AggregatorError:
            self._on_published(None)
            raise
        self._on_published(published)
        return published

    def _is_cut(self) -> bool:
        return self._publish_until is not None and monotonic() >= self._publish_until

    def _apply(self, settings: Settings, text: str) -> None:
        with self._publishing:
            self._world.apply(settings, text)
        self._edited = True
        self._dirty.set()
        self._dispatcher.wake()

    def _refuse(self, why: str | None) -> None:
        with self._world.store.begin() as tx:
            tx.store_row.note_config_error(why)
        self._restate = True
        self._dirty.set()
