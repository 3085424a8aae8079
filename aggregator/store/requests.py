"""Corrections that wait for the process that holds the store (R27): filed by a command, carried out once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from aggregator.model.correction import Outcome, Request
from aggregator.store.schema import request


def file_request(connection: Connection, command: str, arguments: Mapping[str, Any], now: datetime) -> int:
    """Write down what an operator wants; gives its number."""
    statement = request.insert().values(made_at=now, command=command, arguments=dict(arguments))
    return int(connection.execute(statement.returning(request.c.id)).scalar_one())


def pending(connection: Connection) -> list[Request]:
    """Give what waits, oldest first."""
    query = select(request.c.id, request.c.command, request.c.arguments).where(request.c.done_at.is_(None))
    rows = connection.execute(query.order_by(request.c.id)).all()
    return [Request(id=row.id, command=row.command, arguments=row.arguments) for row in rows]


def finish(connection: Connection, number: int, outcome: Outcome, now: datetime) -> bool:
    """Say what became of a request; False if somebody has, and then nothing may be done for it again."""
    said = {"done": outcome.done, "said": outcome.said, "facts": dict(outcome.facts)}
    statement = update(request).where(request.c.id == number, request.c.done_at.is_(None))
    return connection.execute(statement.values(done_at=now, outcome=said)).rowcount == 1


def outcome(connection: Connection, number: int) -> Outcome | None:
    """Give what became of a request; None as long as it waits."""
    query = select(request.c.outcome).where(request.c.id == number, request.c.done_at.is_not(None))
    said = connection.execute(query).scalar_one_or_none()
    return None if said is None else Outcome(**said)
