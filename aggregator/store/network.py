"""What our own side keeps from being asked: a network that is down (P87), and capacity that falls short (R19)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Connection, bindparam, case, update

from aggregator.model.job import SourceJob
from aggregator.store.schema import EPOCH, MICROSECOND, source

HOUR = timedelta(hours=1)  # the interval of a source that was never polled, unless feeds.yaml says another
LATE = 4  # a source is late by more than a fourth of its interval (R19)
SHARE = 20  # one source in twenty lies beyond the 95th percentile


def put_off(connection: Connection, dues: Sequence[tuple[SourceJob, datetime]]) -> None:
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
            "row_id": due.source_id,
            "asked": (asked_at - EPOCH) // MICROSECOND,
            "first": max(due.source.every or HOUR, due.source.crowding) // MICROSECOND,
            "before": due.claim.crashes,
        }
        for due, asked_at in dues
    ]
    connection.execute(statement, rows)
