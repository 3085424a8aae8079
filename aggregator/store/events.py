"""The table `event`: recorded changes with their reasons; events that do not last are deleted in time (P93, R73)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, select

from aggregator.model.event import PASSING_FOR, Event
from aggregator.store.schema import event

_INSERT = event.insert()
TRIMMED: Final = 1000  # events that are deleted in one transaction, at most


def write_events(connection: Connection, noted: Iterable[tuple[datetime, Sequence[Event]]]) -> None:
    """Insert events in their order, each with the time with which it was noted."""
    rows = [
        {
            "at": at,
            "code": e.code.value,
            "source_id": e.source,
            "entry_id": e.entry,
            "story_id": e.story,
            "category_id": e.category,
            "facts": e.facts or None,
            "lasts": e.lasts,
        }
        for at, events in noted
        for e in events
    ]
    if rows:
        connection.execute(_INSERT, rows)


class Events:
    """Deletes old events: `tx.events`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def trim(self, now: datetime) -> int:
        """Delete the oldest events that do not last and are over `PASSING_FOR` old, at most `TRIMMED`.

        Only `why` reads events: what is polled, decided, published and undone follows from the other tables.

        Returns:
            The number of deleted events.
        """
        old = select(event.c.id).where(~event.c.lasts, event.c.at < now - PASSING_FOR)
        return self._connection.execute(
            delete(event).where(event.c.id.in_(old.order_by(event.c.at).limit(TRIMMED)))
        ).rowcount
