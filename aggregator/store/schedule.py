"""Due times of sources: which sources are due, and corrections of due times after a pause or a wrong clock."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import BigInteger, Connection, RowMapping, Select, bindparam, case, func, select, type_coerce, update

from aggregator.model.job import JobId
from aggregator.model.settings import SourceKey
from aggregator.model.status import Lag
from aggregator.store.schema import EPOCH, MAX_IN, MICROSECOND, source, store
from aggregator.urls import Url

SOONEST = timedelta(hours=1)  # `pull_back` leaves due times alone that are nearer than that
HOUR = timedelta(hours=1)  # the interval that is assumed of a source that was never polled
LATE = 4  # a source is late by more than a fourth of its interval (R19)
SHARE = 20  # one source in twenty is beyond the 95th percentile
SPAN = 500  # due sources that are ranked first; ranking 300,000 takes seconds
LATEST = 2.5  # intervals: phase and skipped hours put a due time ahead of one interval, but hardly beyond this

_WAITING = tuple(
    source.c[name] for name in "id key url host_key due_at attempted_at retry_until failures own_machine".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DueItem:
    """A source that may be claimed."""

    id: JobId
    key: SourceKey
    url: Url
    host_key: str
    due_at: datetime
    attempted_at: datetime | None = None
    retry_until: datetime | None = None
    failures: int = 0  # in a row
    own_machine: bool = False  # of the operator (P87)


class Schedule:
    """Statements on due times of sources: `tx.schedule`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def due(
        self,
        now: datetime,
        *,
        limit: int,
        blocked: Collection[str] = (),
        held_up: Collection[int] = (),
        per_host: int = 1,
        early: bool = False,
        failing: bool = True,
        own: bool | None = None,
        hosts: Collection[str] | None = None,
        ids: Collection[int] | None = None,
    ) -> list[DueItem]:
        """Return sources that are due, longest overdue first, at most `per_host` of a host key.

        Args:
            now: the time.
            limit: most sources to return.
            blocked: host keys that are in flight, pausing or inside their spacing; their sources are left out.
            held_up: ids of sources that wait for another host, to which they are redirected; they are left out.
            per_host: most sources of one host key.
            early: use the earlier due time of a one-shot run (P52).
            failing: include sources whose last poll failed (L16).
            own: True: only sources on the operator's own machines; False: only other sources (P87); None: both.
            hosts: only sources of these host keys; None: of all.
            ids: only sources with these ids; None: all.
        """
        lists = {"hosts": hosts, "ids": ids, "blocked": blocked or None, "held_up": held_up or None}
        given = {name: list(values)[:MAX_IN] for name, values in lists.items() if values is not None}
        statement = _due(frozenset(given), early=early, failing=failing, own=own)
        bound = {"now": now, "per_host": per_host, "limit": limit, **given}
        span = max(SPAN, limit * 8)
        while True:
            rows = self._connection.execute(statement, {"span": span, **bound}).mappings().all()
            if len(rows) == limit or not rows or rows[0]["read"] < span:
                return [_waiting(row) for row in rows]
            span *= 8  # few hosts have many sources that are due

    def named(self, keys: Collection[str] | None) -> list[DueItem]:
        """Return the sources with these keys, due or not, by due time; None: all sources that are not paused."""
        found = select(*_WAITING).where(source.c.active)
        if keys is None:
            asked = [found.where(~source.c.paused)]
        else:
            wanted = list(keys)
            parts = (wanted[start : start + MAX_IN] for start in range(0, len(wanted), MAX_IN))
            asked = [found.where(source.c.key.in_(part)) for part in parts]
        rows = (_waiting(row) for statement in asked for row in self._connection.execute(statement).mappings())
        return sorted(rows, key=lambda item: (item.due_at, item.id))

    def next_turn(self) -> tuple[int, datetime | None]:
        """Return the number of sources that are not paused, and when a one-shot run may poll the next one (P52)."""
        asked = select(func.count(), func.min(source.c.earliest_at)).where(source.c.active, ~source.c.paused)
        count, when = self._connection.execute(asked).one()
        return count, when

    def spread_overdue(self, now: datetime, *, over: timedelta, own: bool = True) -> int:
        """Spread the due times of overdue sources, longest overdue first, so that a start causes no burst (P64).

        No source is delayed by more than its own interval. Sources that were never polled stay due at once.

        Args:
            now: the time.
            over: most time that a source is delayed.
            own: include sources on the operator's own machines (P87).

        Returns:
            Number of overdue sources.
        """
        late = select(source.c.id, source.c.interval).where(
            source.c.active, ~source.c.paused, source.c.due_at < now, source.c.polls > 0
        )
        if not own:
            late = late.where(~source.c.own_machine)
        rows = self._connection.execute(late.order_by(source.c.due_at, source.c.id)).all()
        moved = [
            {"row_id": row.id, "later": now + min(over, row.interval * MICROSECOND) * (place / len(rows))}
            for place, row in enumerate(rows)
        ]
        if moved:
            statement = update(source).where(source.c.id == bindparam("row_id"))
            self._connection.execute(statement.values(due_at=bindparam("later")), moved)
        return len(rows)

    def pull_back(self, now: datetime) -> None:
        """Correct due times that are more than `LATEST` intervals ahead: the clock was wrong, or is now (R21)."""
        ahead = select(source.c.id, source.c.interval).where(source.c.active, source.c.due_at > now + SOONEST)
        ahead = ahead.where((source.c.retry_until.is_(None)) | (source.c.retry_until < source.c.due_at))
        rows = [
            {"row_id": row.id, "sooner": now + row.interval * MICROSECOND}
            for row in self._connection.execute(ahead.add_columns(source.c.due_at)).all()
            if row.due_at > now + row.interval * MICROSECOND * LATEST
        ]
        if rows:
            statement = update(source).where(source.c.id == bindparam("row_id"))
            self._connection.execute(
                statement.values(due_at=bindparam("sooner"), earliest_at=bindparam("sooner")), rows
            )

    def lag(self, now: datetime) -> Lag:
        """Return how late the sources are that are not paused (R19), not counting the wait for the next run of `poll`.

        Reads the part of the index that is overdue, and counts the rest.
        """
        row = self._connection.execute(_lag(), {"now": (now - EPOCH) // MICROSECOND}).one()
        sources, late, p95, waits = map(int, row)
        return Lag(sources=sources, late=late, p95=p95 * MICROSECOND, between_runs=waits * MICROSECOND)


@lru_cache(maxsize=64)  # made for each claim, it cost as much as all that dispatching does besides
def _due(lists: frozenset[str], *, early: bool, failing: bool, own: bool | None) -> Select[Any]:
    """Return the statement of `Schedule.due`; `lists` names those of its parameters that are given."""
    due = select(*_WAITING).where(source.c.active, ~source.c.paused)
    due = due.where((source.c.earliest_at if early else source.c.due_at) <= bindparam("now"))
    if not failing:
        due = due.where(source.c.failures == 0)
    if own is not None:
        due = due.where(source.c.own_machine == own)
    for name, column in (("hosts", source.c.host_key), ("ids", source.c.id)):
        if name in lists:
            due = due.where(column.in_(bindparam(name, expanding=True)))
    for name, column in (("blocked", source.c.host_key), ("held_up", source.c.id)):
        if name in lists:
            due = due.where(column.not_in(bindparam(name, expanding=True)))
    first = due.order_by(source.c.due_at, source.c.id).limit(bindparam("span", type_=BigInteger)).subquery()
    place = func.row_number().over(partition_by=first.c.host_key, order_by=(first.c.due_at, first.c.id))
    ranked = select(first, place.label("place"), func.count().over().label("read")).subquery()
    chosen = select(ranked).where(ranked.c.place <= bindparam("per_host", type_=BigInteger))
    return chosen.order_by(ranked.c.due_at, ranked.c.id).limit(bindparam("limit", type_=BigInteger))


@cache
def _lag() -> Select[Any]:
    asked = (source.c.active, ~source.c.paused)
    gap = select(func.coalesce(store.c.run_gap, 0)).scalar_subquery()
    now = bindparam("now", type_=BigInteger) - gap
    overdue = (*asked, type_coerce(source.c.due_at, BigInteger) < now)  # a part of the index: few, most of the time
    late_by = now - type_coerce(source.c.due_at, BigInteger)
    interval = case((source.c.interval > 0, source.c.interval), else_=HOUR // MICROSECOND)
    count = select(func.count()).select_from(source).where(*asked).scalar_subquery()
    late = select(func.count()).select_from(source).where(*overdue, late_by * LATE > interval).scalar_subquery()
    worst = select(late_by).where(*overdue).order_by(source.c.due_at).limit(1)
    return select(count, late, func.coalesce(worst.offset(count // SHARE).scalar_subquery(), 0), gap)


def _waiting(row: RowMapping) -> DueItem:
    fields = {column.name: row[column.name] for column in _WAITING}
    return DueItem(**fields | {"id": JobId("source", row["id"])})
