"""Times at which a source may be polled.

`schedule:` in feeds.yaml is five cron fields, read as wall-clock times of a time zone (R26).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from apscheduler.triggers.cron import CronTrigger

MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Wall-clock times at which a source is due.

    A time that does not exist because the clock goes forward is taken at the instant of the change; a time that
    exists twice because the clock goes back is taken the first time only (R26). As in every cron, a day matches if
    the day of the month or the day of the week does, where both are given.

    Args:
        text: five fields as `config.schedules.schedule` returns them, with names of weekdays; some date matches them.
        zone: an IANA name, such as Europe/Berlin.
    """

    text: str
    zone: str

    def next_after(self, when: datetime) -> datetime:
        """Return the first time later than `when` (aware), in UTC."""
        zone = ZoneInfo(self.zone)
        local = when.astimezone(zone).replace(
            tzinfo=None, fold=0
        )  # a fold would be kept by everything computed from it
        while True:  # once, except in the hour that comes twice: its times were taken in the first run
            local = min(_next(trigger, local) for trigger in _triggers(self.text))
            turn = _instant(local, zone)
            if turn > when:
                return turn
            local += MICROSECOND


def _instant(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant at which the clocks of a zone first show a local time, or skip it; UTC."""
    turn = local.replace(tzinfo=zone)  # fold 0: the earlier of two; in a gap, by the offset that held before it
    if turn.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == local:
        return turn.astimezone(UTC)
    early, late = turn.replace(fold=1).astimezone(UTC), turn.astimezone(UTC)
    while late - early > MICROSECOND:  # the offset changes once in between: look for where
        middle = early + (late - early) // 2
        if middle.astimezone(zone).utcoffset() == early.astimezone(zone).utcoffset():
            early = middle
        else:
            late = middle
    return late


def _next(trigger: "CronTrigger", local: datetime) -> datetime:
    """Return the first local time at or after a local time.

    The trigger computes in UTC, where no hour is missing or double: its own handling of them differs from ours.
    """
    turn: datetime | None = trigger.get_next_fire_time(None, local.replace(tzinfo=UTC))
    assert turn is not None, "the configuration accepts only schedules that match some date"
    return turn.replace(tzinfo=None)


@lru_cache(maxsize=1024)
def _triggers(text: str) -> tuple["CronTrigger", ...]:
    """Return the triggers of which the earliest counts: one trigger requires both day of month and of week."""
    from apscheduler.triggers.cron import CronTrigger  # late: few sources have a schedule, and the import costs 70 ms

    minute, hour, day, month, weekday = text.split()
    days = [(day, weekday)] if "*" in (day, weekday) else [(day, "*"), ("*", weekday)]
    return tuple(
        CronTrigger(minute=minute, hour=hour, day=day, month=month, day_of_week=weekday, timezone=UTC)
        for day, weekday in days
    )
