"""Pings the hub for each feed that has changed (A86). All requests go through `Client.fetch` (S1)."""

import threading
from collections.abc import Callable
from datetime import timedelta
from logging import INFO, WARNING, getLogger
from time import monotonic
from typing import Final
from urllib.parse import urlencode

from aggregator.app import App
from aggregator.model.ask import Ask
from aggregator.model.hosts import budget_key
from aggregator.model.poll import Cut, Failed, Fetched
from aggregator.model.settings import Request, Secret
from aggregator.store.hub_pings import Ping
from aggregator.urls import Url

log = getLogger(__name__)

SPACING: Final = timedelta(minutes=1)  # between two pings for one topic
MAX_PAUSE: Final = timedelta(
    hours=2
)  # longest pause after failures; the first pause is a minute, and each further failure doubles the pause
MAX_AGE: Final = timedelta(
    days=1
)  # a ping that failed for this long is dropped; the next change of its feed gives a new ping
COMMAND_SECONDS: Final = 60.0  # how long a command sends pings before it ends
CHECK_SECONDS: Final = 1.0  # between two checks for due pings
# Statuses that may concern one topic only: the hub may not know this topic.
TOPIC_STATUSES: Final = frozenset(range(400, 500)) - {401, 403, 407, 408, 429}


def send_pings(
    app: App, *, should_stop: Callable[[], bool], on_sent: Callable[[bool], None] = lambda taken: None
) -> None:
    """Send the due pings one after the other. A ping that fails stays queued.

    Args:
        app: the opened application.
        should_stop: called before each ping; when it returns True, the remaining pings stay queued.
        on_sent: called after each ping with True if the hub accepted the ping.

    Raises:
        StoreError: the store failed. At worst one ping is sent twice.
    """
    while (hub := app.in_force.settings.publish.hub) is not None and not should_stop():
        with app.store.read() as tx:
            ping = tx.hub_pings.next(app.clock())
        if ping is None:
            return
        answer = app.poller.ports.fetch(_ask_of(ping, hub, app))
        if isinstance(answer, Cut):  # the program ends, or the limits of the hub's host allow no request now
            return
        if isinstance(answer, Failed):
            _record_failure(ping, answer, app)
        else:
            _record_sent(ping, answer.seconds, app)
        on_sent(isinstance(answer, Fetched))


def send_pings_briefly(app: App, *, should_stop: Callable[[], bool] = lambda: False) -> None:
    """Send due pings for a minute at most, for a command that ends. The next run sends the remaining pings.

    Args:
        app: the opened application.
        should_stop: called before each ping; when it returns True, no more pings are sent.

    Raises:
        StoreError: the store failed.
    """
    end = monotonic() + COMMAND_SECONDS
    send_pings(app, should_stop=lambda: should_stop() or monotonic() >= end)


def pause_after(failures: int) -> timedelta:
    """Return the pause before the next ping to a hub after `failures` failures in a row (1 or more)."""
    return min(SPACING * (1 << min(failures, 12) - 1), MAX_PAUSE)


def _ask_of(ping: Ping, hub: Url, app: App) -> Ask:
    """Return the request of a ping: the usual form, with the topic under both its names (WebSub, section 6)."""
    form = urlencode({"hub.mode": "publish", "hub.url": ping.topic, "hub.topic": ping.topic})
    request = Request(method="POST", body=Secret(form), is_notice=True)
    return Ask(
        url=hub,
        configured=hub,
        host_key=budget_key(hub, app.in_force.settings.hosts),
        request=request,
        accept="*/*",
        is_further=True,  # no dispatcher reserved the host's budget: the client waits for the budget (P61)
    )


def _record_sent(ping: Ping, seconds: float, app: App) -> None:
    now = app.clock()
    with app.store.begin() as tx:
        tx.hub_pings.note_told(ping, now, due_at=now + SPACING)
    log.info("send_ping", extra={"topic": ping.topic, "seconds": round(seconds, 3)})


def _record_failure(ping: Ping, answer: Failed, app: App) -> None:
    now, held_up = app.clock(), answer.status not in TOPIC_STATUSES
    pause = max(pause_after(ping.failures + 1), answer.hints.retry_after or SPACING)
    with app.store.begin() as tx:
        tx.hub_pings.note_failure(ping, f"{answer.code}: {answer.text}", due_at=now + pause, held_up=held_up)
        dropped = 0
        if now - ping.owed_at >= MAX_AGE:
            dropped = tx.hub_pings.give_up(ping, owed_before=now - MAX_AGE, held_up=held_up)
    facts = {"topic": ping.topic, "error": answer.text, "pause": round(pause.total_seconds())}
    log.log(INFO if ping.failures else WARNING, "fail_ping", extra=facts)  # only the first failure is a warning (R49)
    if dropped:
        advice = "the next change of these feeds is sent again; check that publish.hub is still the address of a hub"
        log.warning("drop_pings", extra={"topics": dropped, "advice": advice})


class Pinger:
    """Thread that pings the hub while a service runs, so that a slow hub delays nothing else."""

    def __init__(self, app: App, on_sent: Callable[[bool], None]) -> None:
        self._app, self._on_sent = app, on_sent
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pings")

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Send no more pings; a ping in flight is completed."""
        self._stopping.set()

    def join(self) -> None:
        """Wait until the thread has ended."""
        self._thread.join()

    def _run(self) -> None:
        last_error = ""
        while not self._stopping.wait(CHECK_SECONDS):
            try:
                send_pings(self._app, should_stop=self._stopping.is_set, on_sent=self._on_sent)
                last_error = ""
            except (
                Exception
            ) as error:  # such as a full disk, or a bug: the pings stay queued, and the service continues
                if repr(error) != last_error:
                    log.exception("hinder_pings", extra={"advice": "the pings are sent again later"})
                last_error = repr(error)
