"""Corrections that wait for the process that holds the store (R27): filed by a command, carried out once."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, delete, func, select, update

from aggregator.model.correction import Outcome, Request
from aggregator.model.event import Code, Event
from aggregator.store.events import write_events
from aggregator.store.schema import request

ANSWERED_FOR: Final = timedelta(days=7)  # whoever asked looks for the answer for a minute; what was done, events tell
TRIMMED: Final = 1000  # requests that leave in one transaction


class Corrections:
    """Corrections that wait: `tx.corrections`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def file(self, command: str, arguments: Mapping[str, Any], now: datetime) -> int:
        """Write down what an operator wants; gives its number."""
        statement = request.insert().values(made_at=now, command=command, arguments=dict(arguments))
        return int(self._connection.execute(statement.returning(request.c.id)).scalar_one())

    def pending(self) -> list[Request]:
        """Give what waits, oldest first."""
        query = select(request.c.id, request.c.command, request.c.arguments).where(request.c.done_at.is_(None))
        rows = self._connection.execute(query.order_by(request.c.id)).all()
        return [Request(id=row.id, command=row.command, arguments=row.arguments) for row in rows]

    def finish(self, wanted: Request, outcome: Outcome, now: datetime) -> bool:
        """Say what became of a request; False if somebody has, and then nothing may be done for it again."""
        said = {"done": outcome.done, "said": outcome.said, "facts": dict(outcome.facts)}
        statement = update(request).where(request.c.id == wanted.id, request.c.done_at.is_(None))
        is_first = self._connection.execute(statement.values(done_at=now, outcome=said)).rowcount == 1
        if is_first and not outcome.done:
            facts = {"request": wanted.id, "command": wanted.command, "because": outcome.said}
            write_events(self._connection, [Event(code=Code.REFUSE_REQUEST, facts=facts)], now)
        return is_first

    def outcome(self, number: int) -> Outcome | None:
        """Give what became of a request; None as long as it waits."""
        query = select(request.c.outcome).where(request.c.id == number, request.c.done_at.is_not(None))
        said = self._connection.execute(query).scalar_one_or_none()
        return None if said is None else Outcome(**said)

    def trim(self, now: datetime) -> int:
        """Drop the oldest requests that were answered long ago, at most `TRIMMED`; give how many were dropped.

        The newest stays: SQLite would give its number to the next one, and events name requests by number.
        """
        newest = select(func.max(request.c.id)).scalar_subquery()
        old = select(request.c.id).where(request.c.done_at < now - ANSWERED_FOR, request.c.id != newest)
        chosen = request.c.id.in_(old.order_by(request.c.done_at).limit(TRIMMED))
        return self._connection.execute(delete(request).where(chosen)).rowcount
