"""Who is asked next: due sources, oldest first, as far as the budgets of their hosts and the workers allow.

Scheduler and one-shot `poll` differ in where the sources come from, and in nothing else. A source that waits for its
host is not claimed and holds no thread (DESIGN, section 5).
"""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from logging import getLogger
from typing import Protocol

from aggregator.errors import StoreError
from aggregator.fetch.budget import Budgets
from aggregator.model.changes import Changes
from aggregator.model.poll import Due, Gathered
from aggregator.runner import Runner
from aggregator.store.database import Store
from aggregator.store.sources import Waiting
from aggregator.world import World

CLAIM = 4  # times the workers: how many sources are claimed at a time, at most (R42)
TICK = 1.0  # seconds between two looks, if nothing else wakes us
TOO_MANY_REQUESTS = 429
HOST_PAUSE = 600.0  # seconds, for the other sources of a host that says so (P30)
PAUSE = 60.0  # seconds, when the store can't be written (R7)

log = getLogger(__name__)


class Backlog(Protocol):
    """Where sources come from."""

    def ripe(self, now: datetime, *, limit: int, failing: int, budgets: Budgets) -> Sequence[Waiting]:
        """Give sources that may be asked now, oldest first, no more of a host key than have room.

        Args:
            now: the time.
            limit: how many at most.
            failing: how many of them whose last poll failed, at most.
            budgets: of the hosts.
        """
        ...

    def is_empty(self) -> bool:
        """Tell whether nothing will come any more; False while that can't be known."""
        ...


class DueBacklog:
    """Whatever is due in the store: for a service."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def ripe(self, now: datetime, *, limit: int, failing: int, budgets: Budgets) -> Sequence[Waiting]:
        """Ask the store."""
        with self._store.read() as tx:
            due = tx.due(now, limit=limit, blocked=budgets.blocked(), per_host=budgets.widest(), failing=failing > 0)
        return _with_room(due, limit, failing, budgets)[0]

    def is_empty(self) -> bool:
        """Something may always fall due."""
        return False


class ListedBacklog:
    """A list that is fixed when it is made: for a one-shot run."""

    def __init__(self, waiting: Sequence[Waiting]) -> None:
        self.left = waiting  # what was not taken yet

    def ripe(self, now: datetime, *, limit: int, failing: int, budgets: Budgets) -> Sequence[Waiting]:
        """Take them off the list."""
        chosen, self.left = _with_room(self.left, limit, failing, budgets)
        return chosen

    def is_empty(self) -> bool:
        """Tell whether all were taken."""
        return not self.left


def _with_room(
    waiting: Sequence[Waiting], limit: int, failing: int, budgets: Budgets
) -> tuple[list[Waiting], list[Waiting]]:
    """Part sources into those whose host has room now, at most `limit`, and the others."""
    chosen: list[Waiting] = []
    others: list[Waiting] = []
    rooms: dict[str, int] = {}
    for item in waiting:
        room = rooms.get(item.host_key)
        if room is None:
            room = rooms[item.host_key] = budgets.room(item.host_key)
        if room > 0 and len(chosen) < limit and (failing > 0 or not item.failures):
            rooms[item.host_key] = room - 1
            failing -= bool(item.failures)
            chosen.append(item)
        else:
            others.append(item)
    return chosen, others


class Dispatcher:
    """Claims sources and hands them to the workers."""

    def __init__(
        self,
        world: World,
        backlog: Backlog,
        *,
        on_settled: Callable[[Sequence[Changes]], None] = lambda changes: None,
        patient: bool = False,
    ) -> None:
        """Make a dispatcher.

        Args:
            world: open.
            backlog: where sources come from.
            on_settled: called after each group that was stored.
            patient: when the store can't be written, wait and try again (R7), instead of giving up.
        """
        self._world, self._backlog, self._report, self._patient = world, backlog, on_settled, patient
        self._runner = Runner(
            world.ports,
            world.settings.workers,
            on_leave=self._leaves,
            on_return=self._returns,
            on_settled=self._settled,
        )
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.unserved: list[Due] = []  # claimed, and then neither asked nor stored
        self._in_flight = 0
        self._failing = 0  # of those, polls of sources whose last poll failed
        self._slow_lane = max(1, world.settings.workers // 2)  # how many of those at once: they tend to hang (L16)

    def run(self, *, until: Callable[[], bool] = lambda: False) -> None:
        """Work until the backlog is empty and all is settled, or until `stop`.

        Args:
            until: asked before each claim; once true, nothing more is claimed, and what is under way ends.

        Raises:
            StoreError: the store can't be written, and we are not patient.
            WorkersLost: only a new process helps.
        """
        self._runner.start()
        try:
            while not self._stop.is_set():
                self._wake.clear()
                over = until()
                self._look_after(claim=not over)
                if over:
                    self._give_back(self._runner.withdraw())
                if self._idle() and (over or self._backlog.is_empty()):
                    break
                self._wake.wait(min(TICK, self._world.budgets.next_opening() or TICK))
        finally:
            unasked = self._runner.stop()
            if self._runner.fault is None:
                self._give_back(unasked)
        if self._runner.fault is not None:
            raise self._runner.fault

    def _look_after(self, *, claim: bool) -> None:
        """See that the workers work, and give them work; wait a minute when the store can't be written (R7)."""
        try:
            self._runner.look_after()
            if self._runner.fault is not None:
                raise self._runner.fault
            if claim:
                self._claim()
        except StoreError as error:
            if not self._patient:
                raise
            log.error(
                "pause_polls", extra={"error": str(error), "advice": "polling goes on when the store can be written"}
            )
            self._runner.fault = None
            self.unserved.clear()  # their claims have moved them on a little (R13)
            self._stop.wait(PAUSE)

    def stop(self) -> None:
        """Claim nothing more; `run` ends when what is under way has ended."""
        self._stop.set()
        self._wake.set()

    def wake(self) -> None:
        """Look for due sources now."""
        self._wake.set()

    def _give_back(self, dues: Sequence[Due]) -> None:
        """Undo claims whose request did not leave."""
        if not dues:
            return
        with self._world.store.begin() as tx:
            tx.give_back(dues)
        self.unserved += dues
        for due in dues:
            self._world.budgets.finish(due.host_key)
        self._count_off(dues)

    def _count_off(self, dues: Sequence[Due]) -> None:
        with self._lock:
            self._in_flight -= len(dues)
            self._failing -= sum(due.failures > 0 for due in dues)

    def _claim(self) -> None:
        """Claim as many sources as may wait, shortly before their requests leave (R13)."""
        room = min(self._runner.room(), CLAIM * self._world.settings.workers)
        budgets = self._world.budgets
        while room > 0:
            now = self._world.clock()
            chosen = self._backlog.ripe(now, limit=room, failing=self._slow_lane - self._failing, budgets=budgets)
            if not chosen:
                return
            with self._world.store.begin() as tx:
                dues = tx.claim([item.id for item in chosen], now, self._world.roster.sources)
            with self._lock:
                self._in_flight += len(dues)
                self._failing += sum(due.failures > 0 for due in dues)
            for due in dues:
                budgets.start(due.host_key)
                self._runner.submit(due)
            room = min(self._runner.room(), room - len(dues))

    def _leaves(self, due: Due) -> None:
        self._world.budgets.restart(due.host_key)

    def _returns(self, poll: Gathered) -> None:
        if getattr(poll.answer, "status", None) == TOO_MANY_REQUESTS:
            self._world.budgets.pause(poll.due.host_key, HOST_PAUSE)  # the rest of the host as well (P30)
        self._world.budgets.finish(poll.due.host_key)

    def _settled(self, changes: Sequence[Changes], others: Sequence[Due]) -> None:
        self._report(changes)
        self.unserved += others
        self._count_off([*(change.due for change in changes), *others])
        self._wake.set()

    def _idle(self) -> bool:
        with self._lock:
            return self._in_flight == 0
