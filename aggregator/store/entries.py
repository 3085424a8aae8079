"""Earlier contents of entries (table `revision`): written when an entry changes, read by `why`."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, or_, select

from aggregator.model.stored_json import (
    enclosures_of,
    people_of,
    tags_of,
)
from aggregator.model.trail import Earlier, Wording
from aggregator.store.queries import by, rows_by
from aggregator.store.schema import MAX_IN, entry, revision

KEPT = 10  # maximum number of earlier wordings of one entry; the newest are kept
KEPT_BYTES = 64 * 1024  # maximum size of all of them together, compressed
WORDING = ("title", "link", "summary", "content", "authors", "tags", "enclosures")  # what digests cover (I38)
_WORDINGS = by(select(entry.c.id, *(entry.c[name] for name in WORDING)), entry.c.id)
_EARLIER = by(select(revision).order_by(revision.c.id), revision.c.entry_id)


def keep_wordings(connection: Connection, revised: Mapping[int, Mapping[str, Any]], now: datetime) -> None:
    """Store the present wordings of entries in `revision`, before their rows are rewritten.

    Three statements for any number of entries. Entries whose wording stays the same (only the date changes, I42) are
    skipped.

    Args:
        connection: a connection that writes.
        revised: the new values of the columns in `WORDING`, by id of the entry.
        now: the time of the revision.
    """
    numbers = sorted(revised)
    rows = []
    for row in rows_by(connection, _WORDINGS, numbers):
        before = {name: row[name] for name in WORDING if row[name]}
        if before != {name: revised[row["id"]][name] for name in WORDING if revised[row["id"]][name]}:
            rows.append({"entry_id": row["id"], "replaced_at": now, "data": before})
    if not rows:
        return
    connection.execute(revision.insert(), rows)
    _trim(connection, [row["entry_id"] for row in rows])


def _trim(connection: Connection, numbers: list[int]) -> None:
    """Delete the oldest wordings of entries beyond `KEPT` wordings or `KEPT_BYTES` bytes."""
    of_entry, newest_first = revision.c.entry_id, revision.c.id.desc()
    place = func.row_number().over(partition_by=of_entry, order_by=newest_first).label("place")
    length = func.length(revision.c.data)
    size = func.sum(length).over(partition_by=of_entry, order_by=newest_first).label("size")
    for start in range(0, len(numbers), MAX_IN):
        part = revision.c.entry_id.in_(numbers[start : start + MAX_IN])
        counted = select(revision.c.id, place, size).where(part).subquery()
        over = select(counted.c.id).where(or_(counted.c.place > KEPT, counted.c.size > KEPT_BYTES))
        connection.execute(delete(revision).where(revision.c.id.in_(over)))


def earlier_wordings(connection: Connection, entries: Collection[int]) -> Mapping[int, tuple[Earlier, ...]]:
    """Return the earlier wordings of entries by entry id, the oldest first; entries without any are left out."""
    found: dict[int, list[Earlier]] = defaultdict(list)
    for row in rows_by(connection, _EARLIER, sorted(entries)):
        columns = dict.fromkeys(WORDING) | row["data"]
        found[row["entry_id"]].append(Earlier(until=row["replaced_at"], wording=wording_of(columns)))
    return {number: tuple(wordings) for number, wordings in found.items()}


def wording_of(columns: Mapping[str, Any] | RowMapping) -> Wording:
    """Return the wording in the columns of `WORDING`; a None of a text becomes an empty text."""
    return Wording(
        title=columns["title"] or "",
        link=columns["link"],
        summary=columns["summary"] or "",
        content=columns["content"] or "",
        authors=tuple(person.name for person in people_of(columns["authors"])),
        tags=tuple(tag.label or tag.term for tag in tags_of(columns["tags"])),
        enclosures=tuple(item.url for item in enclosures_of(columns["enclosures"])),
    )
