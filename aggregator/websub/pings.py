"""Tells the hub which feeds have changed (A86), by the one way to the network (S1)."""

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
LONGEST: Final = timedelta(hours=2)  # pause after a failure; the first is a minute, and each further one doubles it
GIVE_UP: Final = timedelta(days=1)  # after which an old change is no news; the next one is told again
WHILE_SECONDS: Final = 60.0  # that a command gives to pings before it ends
LOOK_SECONDS: Final = 1.0  # between two looks for what is owed
# Statuses that may be due to the topic alone: a hub may not know it.
OF_TOPIC: Final = frozenset(range(400, 500)) - {401, 403, 407, 408, 429}


def tell_hub(app: App, *, is_over: Callable[[], bool], on_asked: Callable[[bool], None] = lambda taken: None) -> None:
    """Send the pings that are due, one after the other; what fails stays owed.

    Args:
        app: open.
        is_over: asked before each; once true, what is left stays owed, too.
        on_asked: called after each with whether the hub has taken it.

    Raises:
        StoreError: our side failed. At worst one ping is sent again.
    """
    while (hub := app.settings.publish.hub) is not None and not is_over():
        with app.store.read() as tx:
            ping = tx.hub_pings.next(app.clock())
        if ping is None:
            return
        answer = app.ports.fetch(_ask_of(ping, hub, app))
        if isinstance(answer, Cut):  # we end, or its host has no room for us now
            return
        if isinstance(answer, Failed):
            _note_failure(ping, answer, app)
        else:
            _note_told(ping, answer.seconds, app)
        on_asked(isinstance(answer, Fetched))


def tell_for_a_while(app: App, *, is_over: Callable[[], bool] = lambda: False) -> None:
    """Send what is due as a command that ends: for a minute at most. What is left the next run sends.

    Args:
        app: open.
        is_over: asked before each ping; once true, no other is sent.

    Raises:
        StoreError: our side failed.
    """
    end = monotonic() + WHILE_SECONDS
    tell_hub(app, is_over=lambda: is_over() or monotonic() >= end)


def pause_after(failures: int) -> timedelta:
    """Say how long to leave a hub alone after so many failures in a row, 1 or more."""
    return min(SPACING * (1 << min(failures, 12) - 1), LONGEST)


def _ask_of(ping: Ping, hub: Url, app: App) -> Ask:
    """Return the request of a ping: the usual form, with the topic under both its names (WebSub, section 6)."""
    form = urlencode({"hub.mode": "publish", "hub.url": ping.topic, "hub.topic": ping.topic})
    request = Request(method="POST", body=Secret(form), is_notice=True)
    return Ask(
        url=hub,
        configured=hub,
        host_key=budget_key(hub, app.settings.hosts),
        request=request,
        accept="*/*",
        is_further=True,  # no dispatcher has taken room at the host, so the client waits for its spacing (P61)
    )


def _note_told(ping: Ping, seconds: float, app: App) -> None:
    now = app.clock()
    with app.store.begin() as tx:
        tx.hub_pings.note_told(ping, now, due_at=now + SPACING)
    log.info("send_ping", extra={"topic": ping.topic, "seconds": round(seconds, 3)})


def _note_failure(ping: Ping, answer: Failed, app: App) -> None:
    now, held_up = app.clock(), answer.status not in OF_TOPIC
    pause = max(pause_after(ping.failures + 1), answer.hints.retry_after or SPACING)
    with app.store.begin() as tx:
        tx.hub_pings.note_failure(ping, f"{answer.code}: {answer.text}", due_at=now + pause, held_up=held_up)
        dropped = 0
        if now - ping.owed_at >= GIVE_UP:
            dropped = tx.hub_pings.give_up(ping, owed_before=now - GIVE_UP, held_up=held_up)
    facts = {"topic": ping.topic, "error": answer.text, "pause": round(pause.total_seconds())}
    log.log(INFO if ping.failures else WARNING, "fail_ping", extra=facts)  # once loud (R49)
    if dropped:
        advice = "their next change is told again; see whether publish.hub is still a hub"
        log.warning("drop_pings", extra={"topics": dropped, "advice": advice})


class Pinger:
    """Tells the hub while a service runs, in a thread of its own: a slow hub holds up nothing."""

    def __init__(self, app: App, on_asked: Callable[[bool], None]) -> None:
        self._world, self._on_asked = app, on_asked
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pings")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Send no further ping; one under way goes on."""
        self._stopping.set()

    def join(self) -> None:
        """Wait until that one has ended, or was cut with all other requests."""
        self._thread.join()

    def _run(self) -> None:
        hindered = ""
        while not self._stopping.wait(LOOK_SECONDS):
            try:
                tell_hub(self._world, is_over=self._stopping.is_set, on_asked=self._on_asked)
                hindered = ""
            except Exception as error:  # the disk is full, say, or a fault of ours: they stay owed, all else goes on
                if repr(error) != hindered:
                    log.exception("hinder_pings", extra={"advice": "they are tried again"})
                hindered = repr(error)
