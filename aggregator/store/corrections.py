"""Requests for corrections: stored by a command, carried out once by the process that holds the lock (R27)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, delete, func, select, update

from aggregator.model.correction import Outcome, Request
from aggregator.model.event import Code, Event
from aggregator.store.events import write_events
from aggregator.store.schema import request

ANSWERED_FOR: Final = timedelta(days=7)  # the command waits for the outcome for seconds; events keep what was done
TRIMMED: Final = 1000  # requests that are deleted in one transaction, at most


class Corrections:
    """Requests for corrections and their outcomes: `tx.corrections`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def file(self, command: str, arguments: Mapping[str, Any], now: datetime) -> int:
        """Store a request of an operator and return its number."""
        statement = request.insert().values(made_at=now, command=command, arguments=dict(arguments))
        return int(self._connection.execute(statement.returning(request.c.id)).scalar_one())

    def pending(self) -> list[Request]:
        """Return the requests without an outcome, oldest first."""
        query = select(request.c.id, request.c.command, request.c.arguments).where(request.c.done_at.is_(None))
        rows = self._connection.execute(query.order_by(request.c.id)).all()
        return [Request(id=row.id, command=row.command, arguments=row.arguments) for row in rows]

    def finish(self, wanted: Request, outcome: Outcome, now: datetime) -> bool:
        """Store the outcome of a request; return False if another outcome was stored already.

        After False, the caller must not carry out the request.
        """
        result = {"done": outcome.done, "said": outcome.said, "facts": dict(outcome.facts)}
        statement = update(request).where(request.c.id == wanted.id, request.c.done_at.is_(None))
        is_first = self._connection.execute(statement.values(done_at=now, outcome=result)).rowcount == 1
        if is_first and not outcome.done:
            facts = {"request": wanted.id, "command": wanted.command, "because": outcome.said}
            write_events(self._connection, [(now, [Event(code=Code.REFUSE_REQUEST, facts=facts)])])
        return is_first

    def outcome(self, number: int) -> Outcome | None:
        """Return the outcome of a request; None if it waits or does not exist."""
        query = select(request.c.outcome).where(request.c.id == number, request.c.done_at.is_not(None))
        stored = self._connection.execute(query).scalar_one_or_none()
        return None if stored is None else Outcome(**stored)

    def trim(self, now: datetime) -> int:
        """Delete the oldest requests finished over `ANSWERED_FOR` ago, at most `TRIMMED`; return how many were deleted.

        The newest request stays: SQLite would use its number again, and events refer to requests by number.
        """
        newest = select(func.max(request.c.id)).scalar_subquery()
        old = select(request.c.id).where(request.c.done_at < now - ANSWERED_FOR, request.c.id != newest)
        chosen = request.c.id.in_(old.order_by(request.c.done_at).limit(TRIMMED))
        return self._connection.execute(delete(request).where(chosen)).rowcount
