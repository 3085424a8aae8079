"""What our own side keeps from being asked: a network that is down (P87), and capacity that falls short (R19)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Connection, bindparam, case, func, literal, select, type_coerce, update

from aggregator.model.poll import Due
from aggregator.model.status import Lag, Outage
from aggregator.store.schema import EPOCH, MICROSECOND, source, store

HOUR = timedelta(hours=1)  # the interval of a source that was never polled, unless feeds.yaml says another
LATE = 4  # a source is late by more than a fourth of its interval (R19)
SHARE = 20  # one source in twenty lies beyond the 95th percentile


def put_off(connection: Connection, dues: Sequence[tuple[Due, datetime]]) -> None:
    """Move due times on by an interval, and nothing else: nobody is to blame for these polls (P87).

    The interval of a source that was never asked to the end is the one that feeds.yaml gives it (P52).

    Args:
        connection: a writing one.
        dues: claims, each with the time at which its request left.
    """
    if not dues:
        return
    interval = case((source.c.interval > 0, source.c.interval), else_=bindparam("first", type_=BigInteger))
    later = bindparam("asked", type_=BigInteger) + interval
    statement = update(source).where(source.c.id == bindparam("row_id"))
    statement = statement.values(due_at=later, earliest_at=later, claims=bindparam("before"))
    rows = [
        {
            "row_id": due.id,
            "asked": (asked_at - EPOCH) // MICROSECOND,
            "first": max(due.source.every or HOUR, due.source.crowding) // MICROSECOND,
            "before": due.claims,
        }
        for due, asked_at in dues
    ]
    connection.execute(statement, rows)


def note_network(connection: Connection, found: Outage) -> bool:
    """Note since when the network has been down, if it is (P87).

    Returns:
        Whether that is news.
    """
    if outage(connection) == found:
        return False
    connection.execute(update(store).values(network_down_since=found.public, own_down_since=found.own))
    return True


def outage(connection: Connection) -> Outage:
    """Give since when the network has been down, as it was noted last."""
    row = connection.execute(select(store.c.network_down_since, store.c.own_down_since)).one()
    return Outage(public=row.network_down_since, own=row.own_down_since)


def lag(connection: Connection, now: datetime) -> Lag:
    """Measure how late sources are that nobody paused (R19), beyond the wait for the next run where there are runs.

    One statement that reads the whole index of due times: 8 ms for 10,000, on a busy machine of two cores.
    """
    asked = (source.c.active, ~source.c.paused)
    gap = select(func.coalesce(store.c.run_gap, 0)).scalar_subquery()
    late_by = literal((now - EPOCH) // MICROSECOND, BigInteger) - type_coerce(source.c.due_at, BigInteger) - gap
    interval = case((source.c.interval > 0, source.c.interval), else_=HOUR // MICROSECOND)
    count = select(func.count()).select_from(source).where(*asked).scalar_subquery()
    worst = select(late_by).where(*asked, late_by > 0).order_by(source.c.due_at)
    row = connection.execute(
        select(
            func.count(),
            func.coalesce(func.sum(case((late_by * LATE > interval, 1), else_=0)), 0),
            func.coalesce(worst.limit(1).offset(count // SHARE).scalar_subquery(), 0),
            gap,
        )
        .select_from(source)
        .where(*asked)
    ).one()
    sources, late, p95, waits = map(int, row)
    return Lag(sources=sources, late=late, p95=p95 * MICROSECOND, between_runs=waits * MICROSECOND)
