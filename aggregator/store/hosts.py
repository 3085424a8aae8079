"""Backoff of host keys in trouble, and stored robots.txt rules (P17, P30, P61, P89).

The table `host` has few rows: only host keys with a backoff.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, func, select

from aggregator.cadence.hosts import HostBackoff, Trouble
from aggregator.model.robots import KEPT, Robots
from aggregator.store.schema import EPOCH, host, insert, robots, source

SECOND = timedelta(seconds=1)


class Hosts:
    """Queries and updates of backoffs and robots.txt rules of hosts: `tx.hosts`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def restraints(self) -> dict[str, HostBackoff]:
        """Return all stored backoffs, by host key."""
        return {
            row["key"]: HostBackoff(
                doublings=row["spacing"],
                troubled_at=row["troubled_at"],
                opens_at=row["opens_at"],
                troubles=tuple(_trouble_of(item) for item in row["troubles"] or ()),
            )
            for row in self._connection.execute(select(host)).mappings()
        }

    def keep(self, changed: Mapping[str, HostBackoff | None]) -> None:
        """Write changed backoffs by host key; None: the host has no backoff any more, and its row is deleted."""
        in_trouble = [
            {
                "key": key,
                "spacing": restraint.doublings,
                "troubled_at": restraint.troubled_at,
                "opens_at": restraint.opens_at,
                "troubles": [_trouble_to_json(trouble) for trouble in restraint.troubles] or None,
            }
            for key, restraint in changed.items()
            if restraint is not None
        ]
        if in_trouble:
            statement = insert(host, self._connection.dialect.name)
            values = {name: statement.excluded[name] for name in ("spacing", "troubled_at", "opens_at", "troubles")}
            self._connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_=values), in_trouble)
        free = [{"free": key} for key, restraint in changed.items() if restraint is None]
        if free:
            self._connection.execute(delete(host).where(host.c.key == bindparam("free")), free)

    def last_starts(self, since: datetime) -> dict[str, datetime]:
        """Return the start of the last poll of each host key polled since a time; redirects to a host don't count."""
        latest = func.max(source.c.attempted_at)
        asked = select(source.c.host_key, latest).where(source.c.attempted_at >= since).group_by(source.c.host_key)
        return {key: when for key, when in self._connection.execute(asked)}

    def robots(self) -> list[Robots]:
        """Return the stored robots.txt rules, by age, the oldest first; at most `MAX_KEPT`."""
        rows = self._connection.execute(select(robots).order_by(robots.c.asked_at).limit(MAX_KEPT)).all()
        return [
            Robots(
                origin=row.origin,
                asked_at=row.asked_at,
                rules=tuple((bool(allowed), str(pattern)) for allowed, pattern in row.rules),
                delay=row.delay / 1000,
            )
            for row in rows
        ]

    def keep_robots(self, learnt: Sequence[Robots]) -> None:
        """Write the robots.txt rules of sites; delete rules older than `KEPT` and those beyond `MAX_KEPT`.

        Args:
            learnt: the new rules; not empty.
        """
        statement = insert(robots, self._connection.dialect.name)
        values = {name: statement.excluded[name] for name in ("asked_at", "rules", "delay")}
        rows = [
            {
                "origin": each.origin,
                "asked_at": each.asked_at,
                "rules": [[allowed, pattern] for allowed, pattern in each.rules],
                "delay": round(each.delay * 1000),
            }
            for each in learnt
        ]
        self._connection.execute(statement.on_conflict_do_update(index_elements=["origin"], set_=values), rows)
        oldest = max(each.asked_at for each in learnt) - KEPT
        self._connection.execute(delete(robots).where(robots.c.asked_at < oldest))
        newest = select(robots.c.origin).order_by(robots.c.asked_at.desc(), robots.c.origin)
        self._connection.execute(delete(robots).where(robots.c.origin.in_(newest.offset(MAX_KEPT).limit(MAX_KEPT))))


def _trouble_to_json(trouble: Trouble) -> list[Any]:
    times = [None if when is None else (when - EPOCH) // SECOND for when in (trouble.at, trouble.until)]
    return [trouble.source, trouble.status, *times]


def _trouble_of(item: list[Any]) -> Trouble:
    source, status, at, until = item
    return Trouble(source, status, EPOCH + at * SECOND, None if until is None else EPOCH + until * SECOND)


MAX_KEPT: Final = 10_000  # sites whose robots.txt rules are kept
