"""A service: polls, publishes and takes up edits of feeds.yaml until it is stopped.

APScheduler runs a handful of jobs, not one per source (R22, R23). The tick only wakes the dispatcher; publishing is a
job of its own, so that a slow disk holds up no poll.
"""

import threading
from collections.abc import Mapping, Sequence
from datetime import timedelta
from logging import getLogger
from time import monotonic
from typing import Any

from apscheduler.events import EVENT_JOB_ERROR, JobExecutionEvent
from apscheduler.schedulers.background import BackgroundScheduler

from aggregator.dispatcher import Dispatcher, DueBacklog
from aggregator.errors import AggregatorError
from aggregator.model.changes import Changes
from aggregator.model.settings import Settings
from aggregator.scheduler.watch import ConfigWatch
from aggregator.world import World

log = getLogger(__name__)

TICK = timedelta(seconds=5)
FLUSH = timedelta(seconds=1)
DEBOUNCE = timedelta(seconds=30)  # between two renderings of a category (R33)
HOURLY = timedelta(hours=1)  # the status page grows stale though nothing happens
GRACE = 5.0  # seconds that polls under way get when we stop (R54)
SPREAD = timedelta(minutes=5)  # over which what fell due in our absence is spread (P64)
JUMP = timedelta(minutes=5)  # of the wall clock against the steady one (R21)
ALIVE = timedelta(seconds=60)  # since the last tick (R57)


class Service:
    """Everything that a running `serve` does but serving.

    Args:
        world: open; the service does not close it.
        environ: where `${NAME}` in an edited feeds.yaml is looked up.
    """

    def __init__(self, world: World, environ: Mapping[str, str]) -> None:
        self._world = world
        self._dirty = threading.Event()
        self._publishing = threading.Lock()
        self._not_before = world.clock()  # when the next rendering may begin, after one that failed
        self._published = False  # what the store says stands in the files
        self._restate = False  # the status page says something that is no longer so
        self._ticked_at, self._steady = world.clock(), monotonic()
        self._dispatcher = Dispatcher(world, DueBacklog(world.store), on_settled=self._settled, patient=True)
        self._thread = threading.Thread(target=self._dispatch, name="dispatch")
        self._watch = ConfigWatch(world.settings, environ, apply=self._apply, refuse=self._refuse)
        self._jobs = BackgroundScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        self._jobs.add_listener(self._job_failed, EVENT_JOB_ERROR)
        self.ended = threading.Event()  # set when it can't go on
        self.fault: Exception | None = None

    def start(self) -> None:
        """Publish what the last run left dirty, then begin.

        Raises:
            PublishError: somebody else's file stands where we want to write.
        """
        with self._world.store.begin() as tx:
            tx.pull_back(self._world.clock())
            tx.spread_overdue(self._world.clock(), over=SPREAD)
        self._world.publish()
        self._published = True
        for name, job, every in (
            ("tick", self._tick, TICK),
            ("flush", self._flush, FLUSH),
            ("config", self._look, FLUSH),
            ("status", self._dirty.set, HOURLY),
        ):
            self._jobs.add_job(job, "interval", seconds=every.total_seconds(), id=name)
        self._thread.start()
        self._jobs.start()

    def stop(self) -> None:
        """End within ten seconds, with everything stored and published (R54)."""
        self._jobs.shutdown(wait=True)
        self._dispatcher.stop()
        cut = threading.Timer(GRACE, self._world.cut)
        cut.daemon = True
        cut.start()
        self._thread.join()
        cut.cancel()
        self._publish(debounce=timedelta(0))

    def reload(self) -> None:
        """Look at feeds.yaml now, changed or not (SIGHUP)."""
        self._watch.forget()

    def is_alive(self) -> bool:
        """Tell whether the clock of the service goes (R57, `/healthz`)."""
        return self._world.clock() - self._ticked_at < ALIVE and self._thread.is_alive()

    def is_ready(self) -> bool:
        """Tell whether the store can be read and what it says is published (R57, `/readyz`)."""
        try:
            with self._world.store.read() as tx:
                tx.site()
        except AggregatorError:
            return False
        return self._published

    def max_age(self, path: str) -> int:
        """Say how long who reads a file may keep it, in seconds (A75)."""
        return self._world.max_age(path)

    # Jobs.

    def _tick(self) -> None:
        wall, steady = self._world.clock(), monotonic()
        jump = (wall - self._ticked_at).total_seconds() - (steady - self._steady)
        self._ticked_at, self._steady = wall, steady
        if abs(jump) > JUMP.total_seconds():  # the clock was set, or the machine slept (R21, R29)
            log.warning("rebase_clock", extra={"seconds": round(jump)})
            with self._world.store.begin() as tx:
                tx.pull_back(wall)
                tx.spread_overdue(wall, over=SPREAD)
        self._dispatcher.wake()

    def _flush(self) -> None:
        if self._dirty.is_set() and self._world.clock() >= self._not_before:
            self._dirty.clear()
            self._publish(debounce=DEBOUNCE)

    def _look(self) -> None:
        self._watch.look(self._world.clock())

    def _job_failed(self, event: JobExecutionEvent) -> None:
        facts: dict[str, Any] = {"job": event.job_id, "error": str(event.exception)}
        log.error("crash_job", extra=facts, exc_info=event.exception)

    # What they set going.

    def _dispatch(self) -> None:
        try:
            self._dispatcher.run()
        except Exception as error:
            self.fault = error
            log.exception("dispatch_polls")
        self.ended.set()

    def _settled(self, changes: Sequence[Changes]) -> None:
        if any(change.events or change.read for change in changes):
            self._dirty.set()

    def _publish(self, *, debounce: timedelta) -> None:
        with self._publishing:
            try:
                restate, self._restate = self._restate, False
                published = self._world.publish(debounce=debounce, restate=restate)
                if published.waiting or published.failed:
                    self._dirty.set()
                if published.failed:
                    self._not_before = self._world.clock() + DEBOUNCE
            except AggregatorError as error:  # the old files stay, polling goes on, and we try again (R32)
                log.error("publish_outputs", extra={"error": str(error)})
                self._dirty.set()
                self._not_before = self._world.clock() + DEBOUNCE

    def _apply(self, settings: Settings, text: str) -> None:
        with self._publishing:
            self._world.apply(settings, text)
        self._dirty.set()
        self._dispatcher.wake()

    def _refuse(self, why: str | None) -> None:
        with self._world.store.begin() as tx:
            tx.note_config_error(why)
        self._restate = True
        self._dirty.set()
