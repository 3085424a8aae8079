"""Who is asked next: due sources, oldest first, as far as the budgets of their hosts and the workers allow.

Scheduler and one-shot `poll` differ in where the sources come from, and in nothing else. A source that waits for its
host is not claimed and holds no thread (DESIGN, section 5).
"""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from aggregator.fetch.budget import Budgets
from aggregator.model.changes import Changes
from aggregator.model.poll import Due
from aggregator.runner import Runner
from aggregator.store.database import Store
from aggregator.store.sources import Waiting
from aggregator.world import World

CLAIM = 4  # times the workers: how many sources are claimed at a time, at most (R42)
TICK = 1.0  # seconds between two looks, if nothing else wakes us


class Backlog(Protocol):
    """Where sources come from."""

    def ripe(self, now: datetime, *, limit: int, budgets: Budgets) -> Sequence[Waiting]:
        """Give sources that may be asked now, oldest first, no more of a host key than have room."""
        ...

    def is_empty(self) -> bool:
        """Tell whether nothing will come any more; False while that can't be known."""
        ...


class DueBacklog:
    """Whatever is due in the store: for a service."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def ripe(self, now: datetime, *, limit: int, budgets: Budgets) -> Sequence[Waiting]:
        """Ask the store."""
        with self._store.read() as tx:
            due = tx.due(now, limit=limit, blocked=budgets.blocked(), per_host=budgets.widest())
        return _with_room(due, limit, budgets)[0]

    def is_empty(self) -> bool:
        """Something may always fall due."""
        return False


class ListedBacklog:
    """A list that is fixed when it is made: for a one-shot run."""

    def __init__(self, waiting: Sequence[Waiting]) -> None:
        self.left = waiting  # what was not taken yet

    def ripe(self, now: datetime, *, limit: int, budgets: Budgets) -> Sequence[Waiting]:
        """Take them off the list."""
        chosen, self.left = _with_room(self.left, limit, budgets)
        return chosen

    def is_empty(self) -> bool:
        """Tell whether all were taken."""
        return not self.left


def _with_room(waiting: Sequence[Waiting], limit: int, budgets: Budgets) -> tuple[list[Waiting], list[Waiting]]:
    """Part sources into those whose host has room now, at most `limit`, and the others."""
    chosen: list[Waiting] = []
    others: list[Waiting] = []
    rooms: dict[str, int] = {}
    for item in waiting:
        room = rooms.setdefault(item.host_key, budgets.room(item.host_key))
        if room > 0 and len(chosen) < limit:
            rooms[item.host_key] = room - 1
            chosen.append(item)
        else:
            others.append(item)
    return chosen, others


class Dispatcher:
    """Claims sources and hands them to the workers."""

    def __init__(
        self, world: World, backlog: Backlog, *, on_settled: Callable[[Sequence[Changes]], None] = lambda changes: None
    ) -> None:
        self._world, self._backlog, self._report = world, backlog, on_settled
        self._runner = Runner(world.ports, world.settings.workers, on_leave=self._leaves, on_settled=self._settled)
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._in_flight = 0

    def run(self, *, until: Callable[[], bool] = lambda: False) -> None:
        """Work until the backlog is empty and all is settled, or until `stop`.

        Args:
            until: asked before each claim; once true, nothing more is claimed, and what is under way ends.

        Raises:
            StoreError: our side failed.
        """
        self._runner.start()
        try:
            while not self._stop.is_set() and self._runner.fault is None:
                self._wake.clear()
                over = until()
                if not over:
                    self._claim()
                if self._idle() and (over or self._backlog.is_empty()):
                    break
                self._wake.wait(min(TICK, self._world.budgets.next_opening() or TICK))
        finally:
            unasked = self._runner.stop()
            if unasked and self._runner.fault is None:
                with self._world.store.begin() as tx:
                    tx.give_back(unasked)
        if self._runner.fault is not None:
            raise self._runner.fault

    def stop(self) -> None:
        """Claim nothing more; `run` ends when what is under way has ended."""
        self._stop.set()
        self._wake.set()

    def wake(self) -> None:
        """Look for due sources now."""
        self._wake.set()

    def _claim(self) -> None:
        """Claim as many sources as may wait, shortly before their requests leave (R13)."""
        room = min(self._runner.room(), CLAIM * self._world.settings.workers)
        budgets = self._world.budgets
        while room > 0:
            now = self._world.clock()
            chosen = self._backlog.ripe(now, limit=room, budgets=budgets)
            if not chosen:
                return
            with self._world.store.begin() as tx:
                dues = tx.claim([item.id for item in chosen], now, self._world.roster.sources)
            with self._lock:
                self._in_flight += len(dues)
            for due in dues:
                budgets.start(due.host_key)
                self._runner.submit(due)
            room = min(self._runner.room(), room - len(dues))

    def _leaves(self, due: Due) -> None:
        self._world.budgets.restart(due.host_key)

    def _settled(self, changes: Sequence[Changes], others: Sequence[Due]) -> None:
        for due in (*(change.due for change in changes), *others):
            self._world.budgets.finish(due.host_key)
        self._report(changes)
        with self._lock:
            self._in_flight -= len(changes) + len(others)
        self._wake.set()

    def _idle(self) -> bool:
        with self._lock:
            return self._in_flight == 0
