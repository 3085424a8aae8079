"""`Service`: polls, publishes and takes up edits of feeds.yaml until it is stopped.

APScheduler runs a handful of jobs, not one for each source (R22, R23). They stand in two tables: those of this process
here, and those of the store in `store_jobs.py`. The tick only wakes the dispatcher. Publishing is a job of its own: a
slow disk delays no poll. Hub pings are sent by a thread of their own.
"""

import gc
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from logging import ERROR, WARNING, getLogger
from time import monotonic

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED
from apscheduler.schedulers.background import BackgroundScheduler

from aggregator.app import App
from aggregator.container import give_back
from aggregator.errors import AggregatorError
from aggregator.model.changes import Changes, Settled
from aggregator.model.settings import Settings
from aggregator.poll.dispatcher import SPREAD, Dispatcher
from aggregator.poll.due_queue import DueBacklog, WithDetails
from aggregator.publish.report import Published
from aggregator.render.cache import forget_all
from aggregator.search import SearchIndex
from aggregator.service.jobs import Job, JobWatch
from aggregator.service.memory import MemoryWatch, Pressure
from aggregator.service.outputs import OutputWatch
from aggregator.service.publish_loop import PublishLoop
from aggregator.service.store_jobs import StoreJobs
from aggregator.service.watch import ConfigWatch
from aggregator.websub import Pinger

log = getLogger(__name__)

TICK = timedelta(seconds=5)
CONFIG = timedelta(seconds=1)  # between two checks of feeds.yaml and the theme
TRIM_MEMORY = timedelta(minutes=5)  # between two releases of unused memory
QUIET = timedelta(minutes=15)  # without a change of outputs, after which caches of rendering are emptied
HOUR = timedelta(hours=1)
GRACE = 5.0  # seconds that polls under way get at a stop (R54)
JUMP = timedelta(minutes=5)  # of the wall clock against the steady one (R21)
ALIVE = timedelta(seconds=60)  # since the last tick, or for which one group of polls is decided (R57)


class ServiceFailed(Exception):
    """The service can't go on in this process; the supervisor starts a new one (R25, R68)."""


class Service:
    """Everything that a running `serve` does besides HTTP.

    Args:
        app: open; the service does not close it.
        environ: where `${NAME}` in an edited feeds.yaml is looked up.
        memory: measures memory.
        on_settled: called after each group of polls that was stored.
        on_pinged: called after each ping with whether the hub accepted it.
        on_published: called after each publication; None: it failed.
        index: for full-text search; extended while the service runs.
        outputs: looks for lost outputs; None: a new one.
        scheduler: runs the jobs; None: a new one.
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
        outputs: OutputWatch | None = None,
        scheduler: BackgroundScheduler | None = None,
    ) -> None:
        self._app, self._on_settled = app, on_settled
        self._memory, self._pressure = memory or MemoryWatch(), Pressure.NONE
        self.loop = PublishLoop(
            app, outputs or OutputWatch(app), on_published, is_polling=lambda: not self._dispatcher.is_idle()
        )
        self._store_jobs = StoreJobs(app, self.loop, index, lambda: self._pressure is not Pressure.NONE)
        self._ticked_at, self._steady = app.clock(), monotonic()
        self._has_jumped = False  # the clock was set, and due times are not adapted yet
        backlog = WithDetails(DueBacklog(app.store), app.store, app.in_force, app.clock)
        self._dispatcher = Dispatcher(
            app.store,
            app.poller,
            app.in_force,
            backlog,
            on_settled=self._settled,
            on_network=self.loop.request,
            patient=True,
        )
        self._thread = threading.Thread(target=self._dispatch, name="dispatch")
        self._pinger = Pinger(app, on_pinged)
        self._watch = ConfigWatch(app.in_force.written, environ, apply=self._apply, refuse=self._refuse)
        self._scheduler = scheduler or BackgroundScheduler()
        defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        self._scheduler.configure(timezone="UTC", job_defaults=defaults)
        watch = JobWatch(give_up=lambda why: self._fail(ServiceFailed(why)))
        self._scheduler.add_listener(watch.see, EVENT_JOB_ERROR | EVENT_JOB_EXECUTED)
        self.jobs = {job.name: job for job in (*self._process_jobs(), *self._store_jobs.table())}
        self.ended = threading.Event()  # set when it can't go on
        self.fault: Exception | None = None

    def _process_jobs(self) -> tuple[Job, ...]:
        """Return the jobs that each process does for itself."""
        return (
            Job("tick", self._tick, TICK),
            Job("config", lambda: self._watch.look(self._app.clock()), CONFIG),
            Job("serving", self._note_serving, HOUR),
            Job("spare", self._trim_memory, TRIM_MEMORY),
        )

    def start(self, is_stopping: Callable[[], bool] = lambda: False) -> None:
        """Publish what the last run left dirty, then begin.

        Args:
            is_stopping: returns whether `stop` follows at once; then dirty outputs wait for the next start.

        Raises:
            PublishError: another program's file stands where an output would be written.
        """
        self._store_jobs.begin()
        self._note_serving()
        self.loop.begin(is_stopping)
        self._trim_memory(forget=True)  # after a large publication caches hold only its last pages, by chance
        for job in self.jobs.values():
            self._scheduler.add_job(job.run, "interval", seconds=job.every.total_seconds(), id=job.name)
        self._thread.start()
        self._pinger.start()
        self._scheduler.start()

    def stop(self, told_at: float | None = None) -> None:
        """End within ten seconds, with everything stored and published (R54).

        Args:
            told_at: when the stop was asked for, by `time.monotonic`: perhaps during the start; None: just now.
        """
        begun = monotonic() if told_at is None else told_at
        self.loop.stop(begun)
        self._pinger.stop()
        self._dispatcher.stop()
        cut = threading.Timer(max(0.0, begun + GRACE - monotonic()), self._app.poller.cut)  # whatever the jobs do
        cut.daemon = True
        cut.start()
        self._scheduler.shutdown(wait=True)
        self.loop.finish(begun)  # what is stored so far, while polls under way have their grace
        self._thread.join()
        self._pinger.join()
        cut.cancel()
        if not self.loop.is_cut():
            self.loop.publish()

    def reload(self) -> None:
        """Read feeds.yaml at the next check, changed or not (SIGHUP)."""
        self._watch.forget()

    def is_alive(self) -> bool:
        """Return whether the tick runs, and polls are decided and stored in time (R57, `/healthz`)."""
        is_deciding_long = self._dispatcher.settling_seconds() >= ALIVE.total_seconds()
        return self._app.clock() - self._ticked_at < ALIVE and self._thread.is_alive() and not is_deciding_long

    def tick_age(self) -> float:
        """Return the seconds since the last tick."""
        return (self._app.clock() - self._ticked_at).total_seconds()

    def is_ready(self) -> bool:
        """Return whether the store can be read and its outputs are published (R57, `/readyz`)."""
        try:
            with self._app.store.read() as tx:
                tx.categories.site()
        except AggregatorError:
            return False
        return self.loop.is_published and self._app.store.is_there() and self.loop.has_outputs()

    # Jobs of the process.

    def _tick(self) -> None:
        wall, steady = self._app.clock(), monotonic()
        jump = (wall - self._ticked_at).total_seconds() - (steady - self._steady)
        self._ticked_at, self._steady = wall, steady
        if not self._app.store.is_there():
            self._lose_store()
            return
        self._check_memory()
        if abs(jump) > JUMP.total_seconds():  # the clock was set, or the machine slept (R21, R29)
            log.warning("rebase_clock", extra={"seconds": round(jump)})
            self._has_jumped = True
        if self._has_jumped:
            with self._app.store.begin() as tx:
                tx.schedule.pull_back(wall)
                tx.schedule.spread_overdue(wall, over=SPREAD)
            self._has_jumped = False
        self._dispatcher.wake()

    def _check_memory(self) -> None:
        """Do less when memory is short, and end before the kernel kills the process (R68)."""
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
        self._trim_memory(forget=True)
        if pressure is Pressure.FULL:
            self._fail(ServiceFailed("the memory limit is near"))

    def _lose_store(self) -> None:
        """End the service because its store file was removed: what it would write would be lost."""
        where = self._app.store.path
        why = f"{where} was removed or replaced while we worked on it; put it back, or see docs/restore.md"
        if self.fault is None:
            log.error("lose_store", extra={"store": str(where), "advice": why})
        self._fail(ServiceFailed(why))

    def _note_serving(self) -> None:
        """Record that a service runs, for the runs of `poll` in between and after it."""
        with self._app.store.begin() as tx:
            tx.store_row.note_serving(self._app.clock())

    def _trim_memory(self, *, forget: bool = False) -> None:
        """Return unused memory to the system; after a quiet time, or if `forget`, that of caches as well."""
        if forget or self._app.clock() - self.loop.changed_at > QUIET:
            forget_all()
        give_back()

    def _fail(self, why: Exception) -> None:
        """End; the caller of `start` sees `ended` and calls `stop`."""
        self.fault = self.fault or why
        self.ended.set()

    # Callbacks.

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
            self.loop.request()

    def _apply(self, settings: Settings, text: str) -> None:
        with self.loop.pause():
            self._app.apply(settings, text)
        self.loop.note_edit()
        self._dispatcher.wake()

    def _refuse(self, why: str | None) -> None:
        with self._app.store.begin() as tx:
            tx.store_row.note_config_error(why)
        self.loop.restate()
