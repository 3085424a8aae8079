"""Budgets of hosts: how often a host is asked, and how many requests at a time (P61). In memory, for one process.

A budget belongs to a host key (`model.hosts.budget_key`), and to the address where the key was found last: many names
are on one server. A job takes room when it is chosen, before it is claimed, and holds it until its host has answered;
the spacing counts from when the request leaves. Idle gates are forgotten, so that ten thousand idle hosts cost nothing.
"""

import threading
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from aggregator.fetch.manners import HostPolicies
from aggregator.model.hosts import PARALLEL
from aggregator.model.settings import HostRule

_NEVER: Final = float("-inf")
_LOOK: Final = 1.0  # seconds between two checks whether a wait is over for another reason


@dataclass(slots=True)
class _Gate:
    """Requests under way at one host key or address, and when the next may start."""

    spacing: float
    in_flight: int = 0
    waiting: int = 0  # of those: jobs that wait for a worker; when they leave, a spacing begins
    expected: int = 0  # polls under way elsewhere that were redirected here the last time
    left_at: float = _NEVER
    rests_until: float = _NEVER

    @property
    def opens_at(self) -> float:
        return max(self.left_at + self.spacing, self.rests_until)

    def has_room(self, limit: int, now: float, *, hop: bool = False, spaced: bool = True) -> bool:
        """Return whether a job may start, or (`hop`) a redirect, which goes before jobs that may be redirected here."""
        expected = 0 if hop else self.expected
        opens_at = self.opens_at if spaced else self.rests_until
        is_reserved = spaced and self.spacing > 0 and (self.waiting or expected)
        return self.in_flight + expected < limit and now >= opens_at and not is_reserved

    def is_idle(self, now: float) -> bool:
        return not self.in_flight and not self.expected and now >= self.opens_at


@dataclass(slots=True, eq=False)
class _Flight:
    """A request that was chosen and is not answered yet."""

    key: str
    gates: list[_Gate] = field(default_factory=list)  # where it counts
    expected: dict[str, list[_Gate]] = field(default_factory=dict)  # where it may be redirected, by key
    reached: set[str] = field(default_factory=set)  # where it was redirected
    has_left: bool = False


class Budgets:
    """The budgets of all hosts. Threads may share it.

    Args:
        hosts: `hosts:` of the settings.
        monotonic: returns the time in seconds, from any beginning.
    """

    def __init__(self, hosts: Sequence[HostRule], monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._known = HostPolicies(hosts)
        self._widest = _widest(hosts)
        self._keys: dict[str, _Gate] = {}
        self._addresses: dict[str, _Gate] = {}
        self._flights: dict[Hashable, _Flight] = {}  # by job
        self._changed = threading.Condition()
        self._here = threading.local()  # .flight: the one that a thread is on

    # Sources.

    def take(self, job: Hashable, key: str) -> bool:
        """Take room for a job at its host key and where it was redirected last time; return whether there was some.

        Args:
            job: id of the request; `leave` and `finish` take the same one.
            key: its host key.
        """
        with self._changed:
            now = self._monotonic()
            others = self._known.ways_of(job)
            if job in self._flights or not all(self._has_room(each, now) for each in (key, *others)):
                return False
            flight = self._flights[job] = self._start(key)
            for other in others:
                flight.expected[other] = self._gates_of(other)
                for gate in flight.expected[other]:
                    gate.expected += 1
            return True

    def leave(self, job: Hashable) -> None:
        """Begin the spacing: the request leaves now, sent by the calling thread."""
        with self._changed:
            self._here.flight = flight = self._flights.get(job)
            if flight is not None:
                self._leave(flight)

    def finish(self, job: Hashable, *, peer: str | None = None, whole: bool = False) -> None:
        """Return the room of a job: its host has answered, or was not asked. A second call does nothing.

        Args:
            job: as taken.
            peer: the address that answered for its key; None: unknown.
            whole: the poll came to an end; if it was not redirected, the next one is not expected to be.
        """
        with self._changed:
            flight = self._flights.pop(job, None)
            if flight is None:
                return
            self._release(flight)
            for key in list(flight.expected):
                self._expect_no_more(flight, key)
            if peer is not None and peer != self._known.of(flight.key).address:
                self._move(flight.key, peer)
            if flight.reached or whole:
                self._known.lead(job, flight.reached - {flight.key})
            self._changed.notify_all()

    @contextmanager
    def passage(self, key: str, seconds: float, is_over: Callable[[], bool] = lambda: False) -> Iterator[bool]:
        """Start a request to another host key, to which a redirect leads, and finish it at the end of the context.

        The request before it has been answered: the job of this thread gives up its room first, or two jobs could wait
        for each other. The next time the job is chosen only if there is room at the target of its redirect as well.

        Args:
            key: of the host to be asked.
            seconds: the longest wait for room.
            is_over: called now and then while waiting; True ends the wait.

        Yields:
            False if there was no room in that time; then nothing was started.
        """
        with self._changed:
            source: _Flight | None = getattr(self._here, "flight", None)
            if source is not None:
                source.reached.add(key)
                self._release(source)
                self._changed.notify_all()
            hop = self._start(key) if self._waited_for_room(key, seconds, is_over) else None
            if hop is not None:
                self._leave(hop)
                if source is not None:
                    self._expect_no_more(source, key)
        try:
            yield hop is not None
        finally:
            if hop is not None:
                with self._changed:
                    self._release(hop)
                    self._changed.notify_all()

    # What has room.

    def is_full(self, key: str) -> bool:
        """Return whether a host key has no room for a job."""
        with self._changed:
            return not self._has_room(key, self._monotonic())

    def blocked(self) -> set[str]:
        """Return the host keys without room, including those whose address has none."""
        with self._changed:
            now = self._tidy()
            full = {key for key in self._keys if not self._has_room(key, now)}
            for address, gate in self._addresses.items():
                count = gate.in_flight + gate.expected
                rests = not gate.has_room(count + 1, now)
                residents = self._known.residents(address).items()  # thousands at some addresses: no call for each
                full |= {key for key, its in residents if its.at_address <= count or (rests and not its.is_named)}
            return full

    def held_up(self, blocked: Collection[str]) -> set[Hashable]:
        """Return the jobs that were redirected to one of these keys last time, whatever their own key is."""
        with self._changed:
            return self._known.jobs_to(blocked)

    def rest_of(self, key: str) -> float:
        """Return for how many seconds a key is to be left alone, beyond its spacing; 0.0 if it is not."""
        with self._changed:
            gate = self._keys.get(key)
            return max(0.0, gate.rests_until - self._monotonic()) if gate is not None else 0.0

    def next_opening(self) -> float | None:
        """Return in how many seconds the next spacing or pause ends; None if there is none, or all await an answer."""
        with self._changed:
            now = self._tidy()
            gates = [gate for key, gate in self._keys.items() if gate.in_flight < self._known.of(key).parallel]
            gates += self._addresses.values()
            return min((gate.opens_at - now for gate in gates if gate.opens_at > now), default=None)

    def asked(self) -> dict[str, int]:
        """Return how many requests to each key have left and are not answered; keys without any are left out."""
        with self._changed:
            counts = {key: gate.in_flight - gate.waiting for key, gate in self._keys.items()}
            return {key: count for key, count in counts.items() if count}

    def size(self) -> int:
        """Return how many keys, addresses and jobs are in memory; `blocked` forgets those that are idle."""
        with self._changed:
            return len(self._keys) + len(self._addresses) + len(self._flights)

    def widest(self) -> int:
        """Return the largest number of requests that any one key may have in flight."""
        return self._widest

    # What holds.

    def restrain(self, key: str, *, seconds: float, doublings: int) -> None:
        """Apply a pause and doublings of the spacing to a key (P30, P31, P37, P61).

        Args:
            key: the host key.
            seconds: length of the pause; a running pause is only ever made longer.
            doublings: of its ordinary spacing, from now on.
        """
        with self._changed:
            self._known.slow_down(key, doublings)
            gate = self._gates_of(key)[0]
            gate.spacing = self._known.of(key).spacing
            if seconds > 0:
                gate.rests_until = max(gate.rests_until, self._monotonic() + seconds)
            self._changed.notify_all()

    def recall(self, key: str, *, seconds: float) -> None:
        """Continue the spacing of a key that an earlier run began (P61).

        Args:
            key: the host key.
            seconds: how long ago a request to it left.
        """
        with self._changed:
            self._gates_of(key)[0].left_at = self._monotonic() - max(0.0, seconds)

    def delay(self, key: str, seconds: float) -> None:
        """Apply the Crawl-delay of a site, where `hosts:` says nothing else (P89)."""
        with self._changed:
            self._known.keep_distance(key, seconds)
            self._gates_of(key)[0].spacing = self._known.of(key).spacing
            self._changed.notify_all()

    def adopt(self, hosts: Sequence[HostRule]) -> None:
        """Apply another `hosts:`; requests in flight, and the time since they left, still count (R50)."""
        with self._changed:
            self._known.adopt(hosts)
            self._widest = _widest(hosts)
            for key, gate in self._keys.items():
                gate.spacing = self._known.of(key).spacing
            for address, gate in self._addresses.items():
                gate.spacing = self._known.spacing_at(address)
            self._changed.notify_all()

    # Under the lock.

    def _has_room(self, key: str, now: float, *, hop: bool = False) -> bool:
        manners = self._known.of(key)
        gate = self._keys.get(key)
        if gate is not None and not gate.has_room(manners.parallel, now, hop=hop):
            return False
        place = self._addresses.get(manners.address or "")
        return place is None or place.has_room(manners.at_address, now, hop=hop, spaced=not manners.is_named)

    def _waited_for_room(self, key: str, seconds: float, is_over: Callable[[], bool]) -> bool:
        end = self._monotonic() + seconds
        while not self._has_room(key, now := self._monotonic(), hop=True):
            own, *place = self._gates_of(key)
            opens_at = max(gate.opens_at for gate in ([own] if self._known.of(key).is_named else [own, *place]))
            if now >= end or opens_at > end or is_over():
                return False
            self._changed.wait(min(_LOOK, (opens_at if opens_at > now else end) - now))
        return True

    def _gates_of(self, key: str) -> list[_Gate]:
        manners = self._known.of(key)
        if key not in self._keys:
            self._keys[key] = _Gate(manners.spacing)
        if manners.address is None:
            return [self._keys[key]]
        if manners.address not in self._addresses:
            self._addresses[manners.address] = _Gate(self._known.spacing_at(manners.address))
        return [self._keys[key], self._addresses[manners.address]]

    def _start(self, key: str) -> _Flight:
        flight = _Flight(key)
        self._enter(flight)
        return flight

    def _enter(self, flight: _Flight) -> None:
        flight.gates = self._gates_of(flight.key)
        for gate in flight.gates:
            gate.in_flight += 1
            gate.waiting += not flight.has_left

    def _leave(self, flight: _Flight) -> None:
        for gate in flight.gates:
            gate.waiting -= not flight.has_left
            gate.left_at = self._monotonic()
        flight.has_left = True

    def _release(self, flight: _Flight) -> None:
        for gate in flight.gates:
            gate.in_flight -= 1
            gate.waiting -= not flight.has_left
        flight.gates = []

    def _expect_no_more(self, flight: _Flight, key: str) -> None:
        for gate in flight.expected.pop(key, ()):
            gate.expected -= 1

    def _move(self, key: str, address: str) -> None:
        """Count a key at the address that answered for it, with everything in flight there."""
        under_way = [flight for flight in self._flights.values() if flight.key == key and flight.gates]
        for flight in under_way:
            self._release(flight)
        self._known.find(key, address)
        for flight in under_way:
            self._enter(flight)
        self._gates_of(key)[0].spacing = self._known.of(key).spacing

    def _tidy(self) -> float:
        """Forget idle gates; return the time."""
        now = self._monotonic()
        for gates in (self._keys, self._addresses):
            for name in [name for name, gate in gates.items() if gate.is_idle(now)]:
                del gates[name]
        return now


def _widest(hosts: Sequence[HostRule]) -> int:
    return max((rule.parallel for rule in hosts if rule.parallel is not None), default=PARALLEL)
