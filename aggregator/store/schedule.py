"""Whose turn it is: sources that are due, and what becomes of due times when nothing ran or the clock was wrong."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, bindparam, func, select, update

from aggregator.model.settings import SourceKey
from aggregator.store.dialect import MAX_IN
from aggregator.store.schema import MICROSECOND, source
from aggregator.urls import Url

SOONEST = timedelta(hours=1)  # a due time nearer than that is left alone by `pull_back`
LATEST = 2.5  # intervals: phase and skipped hours put a due time ahead of one interval, but hardly beyond this

_WAITING = tuple(
    source.c[name] for name in "id key url host_key due_at attempted_at retry_until failures own_machine".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DueItem:
    """A source that may be claimed."""

    id: int
    key: SourceKey
    url: Url
    host_key: str
    due_at: datetime
    attempted_at: datetime | None = None
    retry_until: datetime | None = None
    failures: int = 0  # in a row
    own_machine: bool = False  # of the operator (P87)


class Schedule:
    """What a transaction tells of whose turn it is: `tx.turns`."""

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
        """Give sources that are due, oldest first, at most `per_host` of a host key.

        Args:
            now: the time.
            limit: how many at most.
            blocked: host keys that are in flight, pausing or inside their spacing; their sources wait, and hold up
                nobody.
            held_up: ids of sources that wait for another host, to which they are redirected.
            per_host: how many of one host key.
            early: count as a one-shot run does (P52).
            failing: those whose last poll failed as well (L16).
            own: only those on the operator's own machines, or only the others (P87).
            hosts: only those of these host keys.
            ids: only those of these rows.
        """
        when = source.c.earliest_at if early else source.c.due_at
        place = (
            func.row_number()
            .over(partition_by=source.c.host_key, order_by=(source.c.due_at, source.c.id))
            .label("place")
        )
        ripe = select(*_WAITING, place).where(source.c.active, ~source.c.paused, when <= now)
        if not failing:
            ripe = ripe.where(source.c.failures == 0)
        if own is not None:
            ripe = ripe.where(source.c.own_machine == own)
        if hosts is not None:
            ripe = ripe.where(source.c.host_key.in_(list(hosts)[:MAX_IN]))
        if ids is not None:
            ripe = ripe.where(source.c.id.in_(list(ids)[:MAX_IN]))
        if blocked:
            ripe = ripe.where(source.c.host_key.not_in(list(blocked)[:MAX_IN]))
        if held_up:
            ripe = ripe.where(source.c.id.not_in(list(held_up)[:MAX_IN]))
        ranked = ripe.subquery()
        chosen = select(ranked).where(ranked.c.place <= per_host).order_by(ranked.c.due_at, ranked.c.id).limit(limit)
        return [_waiting(row) for row in self._connection.execute(chosen).mappings()]

    def named(self, keys: Collection[str] | None) -> list[DueItem]:
        """Give the sources of these keys, or all that are not paused, due or not, the longest unasked first."""
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
        """Give how many sources are not paused, and when a one-shot run may next ask one (P52); None: there is none."""
        asked = select(func.count(), func.min(source.c.earliest_at)).where(source.c.active, ~source.c.paused)
        count, when = self._connection.execute(asked).one()
        return count, when

    def spread_overdue(self, now: datetime, *, over: timedelta, own: bool = True) -> int:
        """Spread what fell due while nothing was asked, oldest first, so that a start is no burst (P64).

        None is held back by more than its own interval; what was never polled stays due at once.

        Args:
            now: the time.
            over: how long the last one waits.
            own: those on the operator's own machines as well (P87).

        Returns:
            How many were overdue.
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
        """Bring back due times that lie further ahead than any reason allows: the clock was wrong, or is now (R21)."""
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


def _waiting(row: RowMapping) -> DueItem:
    return DueItem(**{column.name: row[column.name] for column in _WAITING})
