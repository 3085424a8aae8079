"""Jobs that the store needs, whichever process does them: one process of a fleet would do them for all."""

from collections.abc import Callable
from datetime import timedelta
from logging import getLogger
from typing import TYPE_CHECKING

from aggregator.app import App
from aggregator.errors import AggregatorError
from aggregator.late import late
from aggregator.poll.corrections import run_pending_requests
from aggregator.poll.details import end_waits
from aggregator.poll.dispatcher import SPREAD
from aggregator.poll.maintenance import Maintenance
from aggregator.search import SearchIndex
from aggregator.service.jobs import Job
from aggregator.service.lag import LagWatch
from aggregator.service.publish_loop import DEBOUNCE, PublishLoop

if TYPE_CHECKING:
    from aggregator.notify import messages
else:
    messages = late("aggregator.notify.messages")

log = getLogger(__name__)

FLUSH = timedelta(seconds=1)
REQUESTS = timedelta(seconds=1)  # between two checks for requests of operators (R27)
SEARCH = timedelta(seconds=5)  # between two additions to the search index
SEARCH_SECONDS = 0.5  # how long one of these may take
MINUTE = timedelta(minutes=1)
ALARMS = timedelta(minutes=5)  # between two evaluations of alarms (R67)
MESSAGES = timedelta(seconds=10)  # between two looks for messages on alarms that are due
HOUR = timedelta(hours=1)


class StoreJobs:
    """The table of jobs of the store.

    Args:
        app: open.
        loop: publishes what the jobs make dirty.
        index: for full-text search; None: there is none.
        is_pressed: returns whether memory is short: then jobs that can wait are left out (R68).
    """

    def __init__(self, app: App, loop: PublishLoop, index: SearchIndex | None, is_pressed: Callable[[], bool]) -> None:
        self._app, self._loop, self._index, self._is_pressed = app, loop, index, is_pressed
        self._maintenance = Maintenance(app.store, app.clock)
        self._lag = LagWatch()
        self._was_told = True  # whether the operator was told of alarms when messages were last sent
        self._requests_from = app.clock()  # when requests are tried again, after they could not be carried out

    def table(self) -> tuple[Job, ...]:
        """Return all jobs."""
        maintenance = self._maintenance
        return (
            Job("flush", self._loop.flush, FLUSH),
            Job("status", self._loop.request, HOUR),  # the status page shows ages, which grow though nothing happens
            Job("outputs", self._loop.restore_outputs, MINUTE),
            Job("requests", self._run_requests, REQUESTS),
            Job("measure", self._measure_lag, MINUTE),
            Job("alarms", self._note_alarms, ALARMS),
            Job("messages", self._send_messages, MESSAGES),
            Job("search", self._extend_index, SEARCH),
            Job("tombstones", self._end_tombstones, HOUR),
            Job("bodies", maintenance.trim_bodies, HOUR),
            Job("answers", maintenance.trim_requests, HOUR),
            Job("events", maintenance.trim_events, MINUTE),
            Job("keep", self._thin, MINUTE),
            Job("bands", maintenance.trim_bands, MINUTE),
        )

    def begin(self) -> None:
        """Adapt due times to a start, and end tombstones, before the first publication."""
        now = self._app.clock()
        with self._app.store.begin() as tx:
            tx.schedule.pull_back(now)
            tx.schedule.spread_overdue(now, over=SPREAD)
        self._maintenance.end_tombstones()

    def _end_tombstones(self) -> None:
        """End tombstones that stood long enough (M8, invariant 4), and the waits of entries without a detail."""
        if end_waits(self._app.store, self._app.in_force, self._app.clock):
            self._loop.request()
        if self._maintenance.end_tombstones():
            self._loop.request()

    def _measure_lag(self) -> None:
        """Measure whether sources are polled in time (R19), unless the network or memory keeps them from it."""
        now = self._app.clock()
        with self._app.store.read() as tx:
            is_held_up = tx.store_row.outage().public is not None or self._is_pressed()
            self._lag.see(None if is_held_up else tx.schedule.lag(now), now)

    def _note_alarms(self) -> None:
        """Note alarms that begin or end, and publish the feed of alarms (`alarms.feed`)."""
        with self._app.store.begin() as tx:
            begun, over = tx.alarms.note(self._app.clock())
        if begun or over:
            self._loop.request()

    def _send_messages(self) -> None:
        """Send messages about alarms that began or ended (`alarms`)."""
        alarms = self._app.in_force.settings.alarms
        is_told = alarms.webhook is not None or bool(alarms.notify)
        if is_told or self._was_told:
            messages.send_messages(self._app)
        self._was_told = is_told

    def _run_requests(self) -> None:
        """Carry out the requests of operators, and publish what they changed (R27)."""
        if self._app.clock() < self._requests_from:
            return
        try:
            taken = run_pending_requests(self._app.store, self._app.in_force.roster, self._app.clock)
        except AggregatorError as error:  # a full disk, for example: requests that were not carried out still wait
            log.error("take_requests", extra={"error": str(error), "advice": "they are tried again"})
            self._requests_from = self._app.clock() + DEBOUNCE
            return
        if taken:
            self._loop.publish()

    def _thin(self) -> None:
        """Remove texts that are kept no longer (K2 to K4), and have the pages rendered that showed them."""
        if not self._is_pressed() and self._maintenance.thin():
            self._loop.request()

    def _extend_index(self) -> None:
        if self._index is not None and not self._is_pressed() and self._app.store.is_there():
            self._index.update(seconds=SEARCH_SECONDS)
