"""Queues of due jobs: everything that is due in the store, or a fixed list of sources.

A source that waits for its host is not chosen, holds no thread, and delays no other source.
"""

from collections import deque
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from heapq import heappop, heappush
from typing import Protocol

from aggregator.clock import Clock
from aggregator.fetch.budget import Budgets
from aggregator.in_force import InForce
from aggregator.model.job import JobId
from aggregator.store.database import Store
from aggregator.store.schedule import DueItem

MAX_HOSTS = 1000  # that are read to find out whether a run may end
LONGEST_REST = 60.0  # seconds that a one-shot run waits for a host, in addition to the spacing


class Backlog(Protocol):
    """A queue of due jobs."""

    honours_skip_hours: bool  # skipHours and skipDays of a source are honoured (P59)

    def take_due(
        self,
        now: datetime,
        *,
        limit: int,
        failing: int,
        budgets: Budgets,
        own: bool | None = None,
        apart: Collection[JobId] = (),
    ) -> Sequence[DueItem]:
        """Choose jobs that may be polled now, oldest first, and take room at their hosts for them.

        Args:
            now: the time.
            limit: the largest number of jobs.
            failing: the largest number of jobs whose last poll failed.
            budgets: limits of the hosts.
            own: True: only jobs on the operator's own machines (P87).
            apart: ids of crash suspects, which only `alone` chooses.
        """
        ...

    def alone(
        self, now: datetime, apart: Collection[JobId], budgets: Budgets, *, own: bool | None = None
    ) -> DueItem | None:
        """Return a crash suspect of `apart` that is due, to be polled with nothing beside it; no room is taken yet
        (R13).
        """
        ...

    def probe(
        self, now: datetime, hosts: Sequence[str], budgets: Budgets, *, apart: Collection[JobId] = ()
    ) -> Sequence[DueItem]:
        """Choose one source to find out whether the network is back: of these hosts if possible; take its room."""
        ...

    def answered(self, ids: Collection[JobId]) -> None:
        """Remove sources that were polled alone, or share the response of another source (R13, P66)."""

    def is_empty(self, *, own: bool | None = None) -> bool:
        """Return whether no more jobs will come, on the operator's own machines or at all; False while unknown."""
        ...


class DueBacklog:
    """Everything that is due in the store: the queue of a service."""

    honours_skip_hours = True

    def __init__(self, store: Store) -> None:
        self._store = store

    def take_due(
        self,
        now: datetime,
        *,
        limit: int,
        failing: int,
        budgets: Budgets,
        own: bool | None = None,
        apart: Collection[JobId] = (),
    ) -> Sequence[DueItem]:
        """Read due sources from the store; read more if those of the first read share hosts without room."""
        chosen: Sequence[DueItem] = ()
        span = limit
        while not chosen:
            blocked = budgets.blocked()
            with self._store.read() as tx:
                due = tx.schedule.due(
                    now,
                    limit=span,
                    blocked=blocked,
                    held_up=source_rows([*budgets.held_up(blocked), *apart]),
                    per_host=budgets.widest(),
                    failing=failing > 0,
                    own=own,
                )
            chosen = _with_room(due, limit, failing, budgets)
            if len(due) < span:
                break
            span *= 8
        return chosen

    def alone(
        self, now: datetime, apart: Collection[JobId], budgets: Budgets, *, own: bool | None = None
    ) -> DueItem | None:
        """Return the crash suspect that has been due for the longest time."""
        blocked = budgets.blocked()
        with self._store.read() as tx:
            held_up = source_rows(budgets.held_up(blocked))
            due = tx.schedule.due(now, limit=1, blocked=blocked, held_up=held_up, own=own, ids=source_rows(apart))
        return due[0] if due else None

    def probe(
        self, now: datetime, hosts: Sequence[str], budgets: Budgets, *, apart: Collection[JobId] = ()
    ) -> Sequence[DueItem]:
        """Choose a source that is due, so that no host is polled more often than usual."""
        blocked = budgets.blocked()
        with self._store.read() as tx:
            held_up = source_rows([*budgets.held_up(blocked), *apart])
            look = partial(tx.schedule.due, now, blocked=blocked, held_up=held_up, own=False)
            due = look(limit=len(hosts), hosts=hosts) if hosts else []
            due = due or look(limit=1)
        turn = {host: place for place, host in enumerate(hosts)}
        due.sort(key=lambda item: turn.get(item.host_key, len(hosts)))
        return _with_room(due, 1, 1, budgets)

    def answered(self, ids: Collection[JobId]) -> None:
        """Do nothing: the due times of these sources have moved in the store."""

    def is_empty(self, *, own: bool | None = None) -> bool:
        """Return False: a source may always fall due."""
        return False


class WithDetails:
    """A queue of sources, followed by the entries whose details are due: details never delay a list.

    Args:
        backlog: the queue of sources.
        store: has the entries that wait.
        in_force: the settings; if no source has details, the store is not asked.
        clock: returns the time.
        sources: rows of the sources whose entries count; None: all.
    """

    def __init__(
        self,
        backlog: Backlog,
        store: Store,
        in_force: InForce,
        clock: Clock,
        *,
        sources: Collection[int] | None = None,
    ) -> None:
        self._backlog, self._store, self._clock = backlog, store, clock
        self._in_force, self._sources = in_force, sources
        self._budgets: Budgets | None = None
        self.honours_skip_hours = backlog.honours_skip_hours

    def take_due(
        self,
        now: datetime,
        *,
        limit: int,
        failing: int,
        budgets: Budgets,
        own: bool | None = None,
        apart: Collection[JobId] = (),
    ) -> Sequence[DueItem]:
        """Choose sources, and details for the room that is left."""
        self._budgets = budgets
        chosen = self._backlog.take_due(now, limit=limit, failing=failing, budgets=budgets, own=own, apart=apart)
        room = limit - len(chosen)
        if room <= 0 or not self._in_force.has_details:
            return chosen
        due = self._due(now, limit=room, blocked=budgets.blocked(), per_host=budgets.widest(), own=own)
        failing -= sum(item.failures > 0 for item in chosen)
        return [*chosen, *_with_room(due, room, failing, budgets)]

    def _due(
        self, now: datetime, *, limit: int, blocked: Collection[str], per_host: int, own: bool | None
    ) -> list[DueItem]:
        with self._store.read() as tx:
            return tx.details.due(now, limit=limit, blocked=blocked, per_host=per_host, own=own, sources=self._sources)

    def alone(
        self, now: datetime, apart: Collection[JobId], budgets: Budgets, *, own: bool | None = None
    ) -> DueItem | None:
        """Return a source: after crashes, bodies of details are read in another process, which suffices (R13)."""
        return self._backlog.alone(now, apart, budgets, own=own)

    def probe(
        self, now: datetime, hosts: Sequence[str], budgets: Budgets, *, apart: Collection[JobId] = ()
    ) -> Sequence[DueItem]:
        """Choose a source."""
        return self._backlog.probe(now, hosts, budgets, apart=apart)

    def answered(self, ids: Collection[JobId]) -> None:
        """Remove sources from the queue of sources."""
        self._backlog.answered(ids)

    def is_empty(self, *, own: bool | None = None) -> bool:
        """Return whether neither sources nor details are left, apart from details whose host rests for long (P30)."""
        if not self._backlog.is_empty(own=own):
            return False
        if not self._in_force.has_details or self._budgets is None:
            return True
        due = self._due(self._clock(), limit=MAX_HOSTS, blocked=(), per_host=1, own=own)
        return all(self._budgets.rest_of(item.host_key) > LONGEST_REST for item in due)


class _Line:
    """Sources that wait for one host: either those that failed last time or others, on the operator's own machines or
    not.
    """

    def __init__(self, first: DueItem) -> None:
        self.host_key, self.is_failing, self.own_machine = first.host_key, first.failures > 0, first.own_machine
        self.waiting: deque[tuple[int, DueItem]] = deque()  # each with its position in the list

    def take(self, budgets: Budgets, *, answered: Collection[JobId], apart: Collection[JobId]) -> DueItem | None:
        """Return the first source for which the budgets have room, and take the room; None if there is no such source.

        Args:
            budgets: limits of the hosts.
            answered: sources that need no poll any more, and are removed.
            apart: crash suspects, which are skipped.
        """
        passed: list[tuple[int, DueItem]] = []
        taken: DueItem | None = None
        while self.waiting and taken is None:
            _, item = first = self.waiting.popleft()
            if item.id in answered:
                continue
            if item.id not in apart and budgets.take(item.id, self.host_key):
                taken = item
                continue
            passed.append(first)
            if budgets.is_full(self.host_key):  # else this source is redirected to a full host, and the next may not be
                break
        self.waiting.extendleft(reversed(passed))
        return taken


class ListedBacklog:
    """A fixed list: the queue of a one-shot run, which waits for spacings, but not for longer rests (P30).

    The cost of choosing depends on the number of hosts, not on the number of sources that wait.

    Args:
        waiting: the list.
        honours_skip_hours: see `Backlog`; False where the operator names the sources.
    """

    def __init__(self, waiting: Sequence[DueItem], *, honours_skip_hours: bool) -> None:
        self.honours_skip_hours = honours_skip_hours
        lines: dict[tuple[str, bool, bool], _Line] = {}
        for place, item in enumerate(waiting):
            sort = (item.host_key, item.failures > 0, item.own_machine)
            lines.setdefault(sort, _Line(item)).waiting.append((place, item))
        self._turns = [(line.waiting[0][0], line) for line in lines.values()]  # a heap: positions differ
        self._answered: set[JobId] = set()

    def take_due(
        self,
        now: datetime,
        *,
        limit: int,
        failing: int,
        budgets: Budgets,
        own: bool | None = None,
        apart: Collection[JobId] = (),
    ) -> Sequence[DueItem]:
        """Choose sources and remove them from the list."""
        chosen: list[DueItem] = []
        standing: list[_Line] = []
        while self._turns and len(chosen) < limit:
            _, line = heappop(self._turns)
            if (own and not line.own_machine) or (line.is_failing and failing <= 0):
                standing.append(line)
                continue
            item = line.take(budgets, answered=self._answered, apart=apart)
            if item is not None:
                chosen.append(item)
                failing -= line.is_failing
                self._queue(line)
            elif budgets.rest_of(line.host_key) <= LONGEST_REST:  # else the host is left for another run
                standing.append(line)
        for line in standing:
            self._queue(line)
        return chosen

    def _queue(self, line: _Line) -> None:
        if line.waiting:
            heappush(self._turns, (line.waiting[0][0], line))

    def alone(
        self, now: datetime, apart: Collection[JobId], budgets: Budgets, *, own: bool | None = None
    ) -> DueItem | None:
        """Return a crash suspect once no other source is left: the results of the others are stored before a crash."""
        waiting = list(self._left(own=own))
        if any(item.id not in apart for item in waiting):
            return None
        return next((item for item in waiting if not budgets.is_full(item.host_key)), None)

    def probe(
        self, now: datetime, hosts: Sequence[str], budgets: Budgets, *, apart: Collection[JobId] = ()
    ) -> Sequence[DueItem]:
        """Choose none: the run ends, and the next run finds out."""
        return ()

    def answered(self, ids: Collection[JobId]) -> None:
        """Remove sources from the list. Thread-safe."""
        self._answered.update(ids)

    def is_empty(self, *, own: bool | None = None) -> bool:
        """Return whether every source was chosen, apart from those left for another run."""
        return next(self._left(own=own), None) is None

    def _left(self, *, own: bool | None) -> Iterator[DueItem]:
        for _, line in self._turns:
            if line.own_machine or not own:
                yield from (item for _, item in line.waiting if item.id not in self._answered)


def source_rows(jobs: Iterable[Hashable]) -> set[int]:
    """Return the row numbers of the sources among jobs; details of entries are skipped."""
    return {job.row for job in jobs if isinstance(job, JobId) and job.kind == "source"}


def _with_room(waiting: Sequence[DueItem], limit: int, failing: int, budgets: Budgets) -> list[DueItem]:
    """Take room for at most `limit` sources; return those for which there was some."""
    chosen: list[DueItem] = []
    full: set[str] = set()  # each host key is checked once, however many sources it has
    for item in waiting:
        if len(chosen) == limit:
            break
        if item.host_key in full or (item.failures and failing <= 0):
            continue
        if budgets.take(item.id, item.host_key):
            failing -= bool(item.failures)
            chosen.append(item)
        elif budgets.is_full(item.host_key):
            full.add(item.host_key)
    return chosen
