"""`schedule:` in feeds.yaml: five cron fields, as turns of the wall clock in a time zone (R26)."""

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
    """Turns by the wall clock.

    A turn whose local time is skipped, as the clock goes forward, comes at the instant in which it does; one whose
    local time comes twice, as the clock goes back, comes the first time alone (R26). As in every cron, a day is meant
    if the day of the month or the day of the week is, where both are given.

    Args:
        text: five fields as `config.schedules.schedule` gives them, days of the week as names; it comes sometimes.
        zone: an IANA name, such as Europe/Berlin.
    """

    text: str
    zone: str

    def next_after(self, when: datetime) -> datetime:
        """Give the first turn later than `when`, both aware; UTC."""
        zone = ZoneInfo(self.zone)
        local = when.astimezone(zone).replace(tzinfo=None, fold=0)  # a fold would stick to all that is made of it
        while True:  # once, but for the hour that comes twice: the turns of its second run were had in its first
            local = min(_next(trigger, local) for trigger in _triggers(self.text))
            turn = _instant(local, zone)
            if turn > when:
                return turn
            local += MICROSECOND


def _instant(local: datetime, zone: ZoneInfo) -> datetime:
    """Give the instant at which the clocks of a zone show a local time first, or pass over it; UTC."""
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
    """Give the first turn at or after a local time.

    The trigger counts in UTC, where no hour is missing or double: its own way with them differs from ours.
    """
    turn: datetime | None = trigger.get_next_fire_time(None, local.replace(tzinfo=UTC))
    assert turn is not None, "a schedule that was read comes sometimes"
    return turn.replace(tzinfo=None)


@lru_cache(maxsize=1024)
def _triggers(text: str) -> tuple["CronTrigger", ...]:
    """Give the triggers of which the earliest counts: theirs alone wants the day of month and of week to agree."""
    from apscheduler.triggers.cron import CronTrigger  # here, since few have a schedule, and it costs 70 ms

    minute, hour, day, month, weekday = text.split()
    days = [(day, weekday)] if "*" in (day, weekday) else [(day, "*"), ("*", weekday)]
    return tuple(
        CronTrigger(minute=minute, hour=hour, day=day, month=month, day_of_week=weekday, timezone=UTC)
        for day, weekday in days
    )
