"""`/metrics` for Prometheus: totals only, not per source or host, since there may be ten thousand sources (R67).

prometheus-client comes with the extra `metrics` and takes 75 ms to import: only `serve` imports it, if it is installed.
Counters of polls start at zero with the process, as Prometheus expects. The other values are read from the store, at
most four times a minute however many clients there are.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from http import HTTPStatus
from logging import getLogger
from time import monotonic
from wsgiref.types import WSGIEnvironment

from aggregator.errors import AggregatorError, ExtraMissing
from aggregator.model.changes import Changes
from aggregator.model.event import Code
from aggregator.model.poll import Outcome
from aggregator.model.status import Figures
from aggregator.serve.application import SANDBOX, Endpoint, Reply, error_reply, text_reply
from aggregator.store.database import Store
from aggregator.store.history import NOT_MODIFIED, is_unconditional
from aggregator.store.status import ADVICE

log = getLogger(__name__)

FRESH_SECONDS = 15.0  # how long figures from the store are reused
BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)  # seconds; no poll may take longer (P81)
# Public: this text must not name paths or commands of this machine.
MISSING_TEXT = "there are no metrics: the extra metrics is not installed; the log of serve has the command"


def current_figures(store: Store, now: datetime) -> Figures:
    """Return the counts that metrics show, read from the store."""
    with store.read() as tx:
        return tx.status.figures(now)


class Meter:
    """Prometheus counters and gauges of polls. Thread-safe.

    Raises:
        ImportError: prometheus-client is not installed.
    """

    def __init__(self) -> None:
        from prometheus_client import (
            CollectorRegistry,
            Counter,
            Gauge,
            Histogram,
            ProcessCollector,
            disable_created_metrics,
        )

        # Otherwise each counter has a second line with its start time, which ProcessCollector reports already.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # it lacks `-> None`
        registry = self._registry = CollectorRegistry()
        ProcessCollector(registry=registry)  # memory, CPU time, open files

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"aggregator_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"aggregator_{name}", text, labels, registry=registry)

        self._polls = counter("polls", "Settled polls, by outcome.", "outcome")
        self._failures = counter("failures", "Failed polls, by error code.", "code")
        self._not_modified = counter("not_modified", "Polls that ended with 304.")
        self._unconditional = counter("unconditional", "Responses with 200 to requests without the known validators.")
        self._bytes = counter("fetched_bytes", "Bytes of responses as received, before decompression.")
        self._further = counter(
            "further_requests", "Additional requests of polls, for further documents and robots.txt."
        )
        self._new = counter("new_entries", "Entries stored for the first time.")
        self._revised = counter("revised_entries", "Entries stored again because their content changed.")
        self._overflows = counter(
            "overflows", "Documents in which every entry was new: some entries may have been missed."
        )
        whole = "Feeds that were read as a whole, not only what was new, by reason; docs/reading.md explains each."
        self._whole = counter("whole_readings", whole, "why")
        self._pings = counter("pings", "Pings to the hub, by whether the hub accepted them.", "taken")
        seconds = "Duration of polls, redirects included."
        self._seconds = Histogram("aggregator_poll_seconds", seconds, registry=registry, buckets=BUCKETS)
        self._sources = gauge("sources", "Sources of feeds.yaml, by state.", "state")
        self._alarms = gauge("alarms", "Current alarms, by code; docs/alarms.md explains each.", "code")
        self._stories = gauge("stories", "Stories in the store.")
        self._pings_owed = gauge("pings_owed", "Changed feeds for which the hub has not accepted a ping yet.")
        self._lag = gauge("lag_p95_seconds", "95 % of sources are late by at most this time.")
        self._late = gauge("late_share", "Share of sources that are late by over a fourth of their interval.")
        self._in_flight = gauge("requests_in_flight", "Requests to publishers in flight.")
        self._tick = gauge("tick_age_seconds", "Time since the scheduler last searched for due sources.")
        for outcome in set(Outcome) - {Outcome.SKIPPED}:
            self._polls.labels(outcome.value)  # events that have not happened yet are shown as zero
        for code in ADVICE:
            self._failures.labels(code)
        for taken in ("yes", "no"):
            self._pings.labels(taken)

    def count(self, changes: Sequence[Changes]) -> None:
        """Count polls that were stored."""
        for change in changes:
            move = change.update
            self._polls.labels(move.outcome.value).inc()
            self._seconds.observe(move.seconds)
            self._bytes.inc(move.wire_bytes + sum(aside.wire_bytes for aside in move.asides))
            self._further.inc(len(move.asides))
            if move.code is not None:
                self._failures.labels(move.code).inc()
            elif move.status == NOT_MODIFIED:
                self._not_modified.inc()
            elif is_unconditional(change):
                self._unconditional.inc()
            if change.read is not None and change.read.whole:
                self._whole.labels(change.read.whole).inc()
            self._new.inc(change.entries.new_count)
            self._revised.inc(change.entries.revisions)
            self._overflows.inc(sum(event.code is Code.OVERFLOW for event in change.entries.events))

    def count_ping(self, taken: bool) -> None:
        """Count a ping that was sent."""
        self._pings.labels("yes" if taken else "no").inc()

    def write(self, figures: Figures, *, in_flight: int, tick_age: float) -> tuple[str, bytes]:
        """Return media type and text."""
        from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

        for state, sources in figures.sources.items():
            self._sources.labels(state.value).set(sources)
        for code, alarms in figures.alarms.items():
            self._alarms.labels(code.value).set(alarms)
        self._stories.set(figures.stories)
        self._pings_owed.set(figures.pings_owed)
        self._lag.set(figures.lag.p95.total_seconds())
        self._late.set(figures.lag.late_share)
        self._in_flight.set(in_flight)
        self._tick.set(tick_age)
        return CONTENT_TYPE_LATEST, generate_latest(self._registry)


def load_meter() -> Meter | None:
    """Return a meter; None, with a line in the log, if the extra is not installed."""
    try:
        return Meter()
    except ImportError:
        log.info("lack_metrics", extra={"advice": str(ExtraMissing("/metrics", "metrics"))})
        return None


def metrics(
    meter: Meter | None,
    *,
    figures: Callable[[], Figures],
    in_flight: Callable[[], int],
    tick_age: Callable[[], float],
    steady: Callable[[], float] = monotonic,
) -> Endpoint:
    """Return the endpoint.

    Args:
        meter: None answers with the text that the extra is not installed.
        figures: reads the figures from the store.
        in_flight: returns the number of requests to publishers in flight.
        tick_age: returns the seconds since the scheduler last searched for due sources.
        steady: monotonic time in seconds.
    """
    lock = threading.Lock()
    known: tuple[float, Figures] | None = None

    def answer(_: WSGIEnvironment) -> Reply:
        nonlocal known
        if meter is None:
            return text_reply(HTTPStatus.NOT_IMPLEMENTED, MISSING_TEXT)
        with lock:  # of several clients at once, one reads the store
            try:
                if known is None or steady() - known[0] >= FRESH_SECONDS:
                    known = steady(), figures()
            except AggregatorError as error:
                log.warning("fail_metrics", extra={"error": str(error)})
                return error_reply(HTTPStatus.SERVICE_UNAVAILABLE)
            media_type, text = meter.write(known[1], in_flight=in_flight(), tick_age=tick_age())
        headers = (("Content-Type", media_type), ("Cache-Control", "no-store"), ("Content-Security-Policy", SANDBOX))
        return Reply(HTTPStatus.OK, headers, text)

    return Endpoint(answer)
