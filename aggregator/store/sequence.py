"""Times of filing and joining that keep their order within a story although the clock may be set back (M7).

`publication.filed_at` and `entry.joined_at` are compared with each other: an archive page shows the copies that joined
before its filing. Each time is the time of the act, or a microsecond after the last act that it must follow.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Select, select

from aggregator.decide.order import MICROSECOND
from aggregator.model.changes import MovedEntry
from aggregator.store.queries import by, rows_by
from aggregator.store.schema import entry, publication

NONE: Final = timedelta(0)
_FILINGS = by(
    select(publication.c.story_id, publication.c.filed_at.label("at")).where(publication.c.filed_at.is_not(None)),
    publication.c.story_id,
)
_JOININGS = by(
    select(entry.c.story_id, entry.c.joined_at.label("at")).where(entry.c.joined_at.is_not(None)), entry.c.story_id
)
_MOVED = by(
    select(entry.c.id, entry.c.story_id, entry.c.merged_from, entry.c.joined_at, entry.c.first_seen), entry.c.id
)


def joining_times(connection: Connection, stories: Collection[int], now: datetime) -> dict[int, datetime]:
    """Return the `joined_at` of entries that join stories now, by story: later than each filing of the story so far.

    Args:
        connection: a reading connection suffices.
        stories: ids of the stories.
        now: the time.
    """
    filings = _times(connection, _FILINGS, stories)
    return {number: max([now, *(when + MICROSECOND for when in filings[number])]) for number in stories}


def filing_time(connection: Connection, stories: Collection[int], now: datetime) -> datetime:
    """Return the `filed_at` of publications that are filed now: not before any entry joined one of their stories.

    Args:
        connection: a reading connection suffices.
        stories: ids of the stories.
        now: the time.
    """
    joined = _times(connection, _JOININGS, stories)
    return max([now, *(when for some in joined.values() for when in some)])


def moving_times(connection: Connection, moved: Sequence[MovedEntry], now: datetime) -> dict[int, datetime]:
    """Return the `joined_at` of entries that an operator moves to another story, by the id of the entry.

    A merged entry joins at the time of the merge. The times of entries of one earlier story differ by one microsecond
    for each filing of that story between them, so that `unmerge` can restore the order: closed pages of the revived
    story credit the same entries again.

    Args:
        connection: a reading connection suffices; the entries are not moved yet.
        moved: the entries; each moves into `story`, from its own story (T7) or back to it (T8).
        now: the time of the act.
    """
    rows = {row["id"]: row for row in rows_by(connection, _MOVED, [one.id for one in moved])}
    first: dict[int, datetime] = {}  # by the story that merged entries came from: when the first of them joined
    for row in rows.values():
        came_from = row["merged_from"]
        if came_from is not None:
            first[came_from] = min(row["joined_at"], first.get(came_from, row["joined_at"]))
    stories = {one.story for one in moved} | {row["story_id"] for row in rows.values()}
    filings = {number: sorted(set(some)) for number, some in _times(connection, _FILINGS, stories).items()}
    merging = joining_times(connection, stories, now)
    times: dict[int, datetime] = {}
    for one in moved:
        row = rows[one.id]
        came_from = row["merged_from"]
        apart = row["joined_at"] - first[came_from] if came_from is not None else NONE
        if one.merged_from is None:
            times[one.id] = _back_in_order(row["first_seen"], filings.get(one.story, ()), apart)
            continue
        if came_from is None:
            before = sum(when < row["joined_at"] for when in filings.get(row["story_id"], ()))
            apart = before * MICROSECOND
        times[one.id] = merging[one.story] + apart
    return times


def _back_in_order(first_seen: datetime, filings: Sequence[datetime], apart: timedelta) -> datetime:
    """Return the `joined_at` of an entry that is back in its story, after one filing per microsecond of `apart`."""
    place = min(apart // MICROSECOND, len(filings))
    joined = max([first_seen, *(when + MICROSECOND for when in filings[:place])])
    return min([joined, *filings[place:]])


def _times(connection: Connection, statement: Select[Any], stories: Collection[int]) -> Mapping[int, list[datetime]]:
    """Return the times of filings or joinings, by story."""
    found: dict[int, list[datetime]] = defaultdict(list)
    for row in rows_by(connection, statement, sorted(stories)):
        found[row["story_id"]].append(row["at"])
    return found
