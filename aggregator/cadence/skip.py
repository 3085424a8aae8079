"""Hours and days in which a feed asks not to be polled: skipHours and skipDays (P59)."""

from datetime import datetime, timedelta

from aggregator.model.entry import Hints

HOUR = timedelta(hours=1)
WEEK_HOURS = 24 * 7


def outside_skipped(when: datetime, hints: Hints) -> datetime:
    """Return the first time from `when` on that the feed does not exclude; `when` if it excludes every hour or day."""
    hours = hints.skip_hours if len(hints.skip_hours) < 24 else frozenset()
    days = hints.skip_days if len(hints.skip_days) < 7 else frozenset()
    if not hours and not days:
        return when
    for _ in range(WEEK_HOURS + 1):
        if when.weekday() not in days and when.hour not in hours:
            break
        when = when.replace(minute=0, second=0, microsecond=0) + HOUR
    return when
