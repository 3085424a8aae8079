"""What sites' robots.txt say to us, so that one run of a cron job needn't ask again after another (P89)."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, delete, select

from aggregator.model.robots import KEPT, Robots
from aggregator.store.dialect import insert
from aggregator.store.schema import robots

MAX_KEPT: Final = 10_000


def known_robots(connection: Connection) -> list[Robots]:
    """Give all that is kept."""
    rows = connection.execute(select(robots).order_by(robots.c.asked_at).limit(MAX_KEPT)).all()
    return [
        Robots(
            origin=row.origin,
            asked_at=row.asked_at,
            rules=tuple((bool(allowed), str(pattern)) for allowed, pattern in row.rules),
            delay=row.delay / 1000,
        )
        for row in rows
    ]


def keep_robots(connection: Connection, learnt: Sequence[Robots]) -> None:
    """Keep what sites said, and forget what is too old to go by."""
    statement = insert(robots, connection.dialect.name)
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
    connection.execute(statement.on_conflict_do_update(index_elements=["origin"], set_=values), rows)
    oldest = max(each.asked_at for each in learnt) - KEPT
    connection.execute(delete(robots).where(robots.c.asked_at < oldest))
    newest = select(robots.c.origin).order_by(robots.c.asked_at.desc(), robots.c.origin)
    connection.execute(delete(robots).where(robots.c.origin.in_(newest.offset(MAX_KEPT).limit(MAX_KEPT))))
