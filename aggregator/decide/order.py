"""`sort_at`: the fixed time by which publications are ordered (M1), and the dates that are believed (I42)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from aggregator.model.entry import Entry

FUTURE = timedelta(hours=24)  # a date further ahead of the poll is not believed (I42)
MICROSECOND = timedelta(microseconds=1)


def believed(date: datetime | None, seen: datetime) -> datetime | None:
    """Return a date as it may be published: one over a day ahead is replaced by the first-seen time (I42)."""
    return seen if date is not None and date > seen + FUTURE else date


def own_dates(entries: Sequence[Entry], *, fallback: datetime, asked_at: datetime) -> list[datetime]:
    """Return a date for each entry of a document, for ordering alone.

    Args:
        entries: in the order of the document.
        fallback: for undated entries above the first dated one: the feed's own date, or the time of the poll.
        asked_at: the time of the poll; nothing is later.

    Returns:
        As many dates; an undated entry has that of the nearest dated one above it.
    """
    dates: list[datetime] = []
    above = min(fallback, asked_at)
    for entry in entries:
        own = believed(entry.published or entry.updated, asked_at)
        above = above if own is None else min(own, asked_at)
        dates.append(above)
    return dates


def newest_first(dates: Sequence[datetime]) -> list[int]:
    """Return the positions of a document in the order of publication; equal dates keep their order."""
    return sorted(range(len(dates)), key=lambda place: dates[place], reverse=True)


def sort_times(dates: Sequence[datetime], *, backfill: bool, asked_at: datetime) -> list[datetime]:
    """Return the `sort_at` of publications that are made together (M1).

    Args:
        dates: their own dates, newest first, as `own_dates` gave them.
        backfill: they take their own dates; otherwise the time of the poll.
        asked_at: the time of the poll.

    Returns:
        As many times, strictly falling, so that the order is the same for ever.
    """
    times: list[datetime] = []
    for date in dates:
        time = min(date, asked_at) if backfill else asked_at
        if times:
            time = min(time, times[-1] - MICROSECOND)
        times.append(time)
    return times
