"""Fetches under way, and the one thread that ends those that take too long (P81).

The timeouts of a socket are for each read: a publisher that sends a byte now and then would hold a worker for ever. So
a watch shuts the socket of a fetch whose time is up; a read on it then fails at once. Stopping the program shuts all
sockets.

The socket is watched, not the connection: http.client forgets the socket of a connection once a response has taken it.
"""

import contextlib
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from enum import Enum, auto

from aggregator.errors import AddressRefused
from aggregator.fetch.guard import Permit
from aggregator.urls import Url

REDIRECTED = "its redirect leads to where fetching must not go: "

SWEEP_SECONDS = 15.0
_AGAIN_SECONDS = 0.1  # a socket that was shut just before it began to connect must be shut once more


class Ended(Enum):
    """Why we ended a fetch."""

    OVERDUE = auto()
    CUT = auto()


class Crowded(Exception):
    """Limits of our own left no room for a fetch in time: its claim is undone, and no source is charged (P61, R42)."""


class Flight:
    """One fetch under way, from its first name lookup to the last byte of the last hop. Belongs to one thread."""

    def __init__(self, permit: Permit, seconds: float) -> None:
        self.permit = permit
        self.seconds = seconds
        self.started = time.monotonic()
        self.deadline = self.started + seconds
        self.url: Url  # of the hop under way
        self.came_from: Url | None = None  # the hop before, which redirected us
        self.peer: str | None = None  # the address that the first hop went to, as text
        self.received = 0  # bytes, over all hops: heads, and bodies as they came
        self.kept = False  # the request left on a connection that had served before
        self.fresh = False  # the next request must not
        self.answered = False  # something came back
        self.waited = 0.0  # seconds, for something of ours: they are not the publisher's
        self.ended: Ended | None = None  # by us; what was read since is not proof of anything
        self._lock = threading.RLock()  # a signal's handler may cut what its own thread is about to watch
        self._socket: socket.socket | None = None
        self._mail: queue.SimpleQueue[object] | None = None

    @property
    def first(self) -> bool:
        """True on the first hop: no redirect yet."""
        return self.came_from is None

    def patience(self) -> float:
        """Return for how many more seconds the fetch may wait for limits of ours: in all, for its own timeout."""
        return max(0.0, self.seconds - self.waited)

    def taken(self) -> float:
        """Return how many seconds the fetch has taken, without waits for limits of ours."""
        return time.monotonic() - self.started - self.waited

    def refused(self, rule: str) -> AddressRefused:
        """Return the error for a refused address. It does not show an address that a redirect named (S10)."""
        if self.came_from is None:
            return AddressRefused(self.url, rule)
        return AddressRefused(self.came_from, REDIRECTED + rule)

    def remaining(self, at_most: float) -> float:
        """Return the seconds left, as a timeout: never zero, which means "do not wait" to a socket."""
        return max(0.001, min(at_most, self.deadline - time.monotonic()))

    def watch(self, sock: socket.socket) -> None:
        """Have this socket shut when the fetch must end."""
        with self._lock:
            self._socket = sock
            if self.ended:
                _shut(sock)

    def let_go(self) -> None:
        """Forget the socket: another fetch may use it."""
        with self._lock:
            self._socket = None

    def wait_for_mail(self, mail: "queue.SimpleQueue[object]", seconds: float) -> object:
        """Wait for what another thread puts into a queue; None once the fetch must end or the time is up."""
        with self._lock:
            if self.ended:
                return None
            self._mail = mail
        try:
            return mail.get(timeout=max(0.0, seconds))
        except queue.Empty:
            return None
        finally:
            with self._lock:
                self._mail = None

    def end(self, why: Ended) -> None:
        """End the fetch, from another thread, whatever it waits for."""
        with self._lock:
            self.ended = self.ended or why
            if self._mail is not None:
                self._mail.put(None)
            if self._socket is not None:
                _shut(self._socket)


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it may be closed already; a socket that is connecting is woken too
        socket.socket.shutdown(sock, socket.SHUT_RDWR)  # not SSLSocket's own, which drops the TLS state under a reader


# --- The flight of the thread we are in: what urllib3's hooks, deep down, have no argument for -----------------------

_here = threading.local()


def under_way() -> Flight:
    """Return the fetch of this thread."""
    flight: Flight = _here.flight
    return flight


# --- The watch ------------------------------------------------------------------------------------------------------


class Watch:
    """Ends fetches when their time is up, or all of them at once, and calls `sweep` now and then.

    Args:
        sweep: closes idle connections; returns whether some are left.
    """

    def __init__(self, sweep: Callable[[], bool]) -> None:
        self._sweep = sweep
        self._flights: set[Flight] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._wake_at = float("inf")
        self._closed = False
        self.is_cut = False

    @contextlib.contextmanager
    def over(self, flight: Flight) -> Iterator[None]:
        """Watch a fetch, which is the one of this thread within the context."""
        with self._changed:
            if self.is_cut:
                flight.end(Ended.CUT)
            self._flights.add(flight)
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="fetch-watch", daemon=True)
                self._thread.start()
            elif flight.deadline < self._wake_at:
                self._changed.notify()
        _here.flight = flight
        try:
            yield
        finally:
            del _here.flight
            with self._changed:
                self._flights.discard(flight)

    @contextlib.contextmanager
    def paused(self, flight: Flight) -> Iterator[None]:
        """Stop the clock of a fetch while it waits for limits of ours."""
        began = time.monotonic()
        left = flight.deadline - began
        flight.deadline = float("inf")
        try:
            yield
        finally:
            now = time.monotonic()
            with self._changed:
                flight.waited += now - began
                flight.deadline = now + left
                if flight.deadline < self._wake_at:
                    self._changed.notify()

    def cut(self) -> None:
        """End every fetch, and each new one as it begins."""
        with self._changed:
            self.is_cut = True
            for flight in self._flights:
                flight.end(Ended.CUT)
            self._changed.notify()

    def close(self) -> None:
        """Cut, and end the thread."""
        self.cut()
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        sweep_at = time.monotonic() + SWEEP_SECONDS
        while not self._closed:
            now = time.monotonic()
            if now >= sweep_at:
                sweep_at = now + SWEEP_SECONDS if self._sweep() or self._flights else float("inf")
            with self._changed:
                if self._closed:
                    return
                over = [flight for flight in self._flights if flight.ended or flight.deadline <= now]
                for flight in over:
                    flight.end(Ended.OVERDUE)
                if self._flights and sweep_at == float("inf"):
                    sweep_at = now + SWEEP_SECONDS
                # not shortened when a flight ends: to wake up once in vain is cheaper than to be woken by each
                waiting = (now + _AGAIN_SECONDS if flight in over else flight.deadline for flight in self._flights)
                self._wake_at = min(sweep_at, *waiting, float("inf"))
                self._changed.wait(None if self._wake_at == float("inf") else max(0.0, self._wake_at - now))
