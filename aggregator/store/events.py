"""The trail of events: appended to by whatever happens, and cleared of what no longer explains anything (P93, R73)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, select

from aggregator.model.event import PASSING_FOR, Event
from aggregator.store.schema import event

TRIMMED: Final = 1000  # events that leave in one transaction


def write_events(connection: Connection, events: Sequence[Event], at: datetime) -> None:
    """Append to the trail."""
    if events:
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
            for e in events
        ]
        connection.execute(event.insert(), rows)


class Events:
    """The trail of events: `tx.events`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def trim(self, now: datetime) -> int:
        """Drop the oldest events that neither last nor are young, at most `TRIMMED`; give how many were dropped.

        Nothing but `why` reads events: what is polled, decided, published and undone follows from the other tables.
        """
        old = select(event.c.id).where(~event.c.lasts, event.c.at < now - PASSING_FOR)
        return self._connection.execute(
            delete(event).where(event.c.id.in_(old.order_by(event.c.at).limit(TRIMMED)))
        ).rowcount
