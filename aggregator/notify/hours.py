"""At which hours messages on alarms are sent (`alarms.quiet`, `alarms.digest`). Pure."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from aggregator.model.settings import Alarming

_DAY = timedelta(days=1)


def told_until(alarming: Alarming, zone: ZoneInfo, now: datetime) -> datetime | None:
    """Return the time up to which changes of alarms may be told now; None if no message may be sent.

    Args:
        alarming: setting `alarms`.
        zone: time zone of its hours: `site.timezone`.
        now: the time.
    """
    local = now.astimezone(zone)
    if alarming.digest is not None:
        today = _at(local, alarming.digest, zone)
        return today if today <= now else _at(local - _DAY, alarming.digest, zone)
    if alarming.quiet is not None and _is_within(local.time(), *alarming.quiet):
        return None
    return now


def _at(day: datetime, hour: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day.date(), hour, tzinfo=zone)


def _is_within(hour: time, begin: time, end: time) -> bool:
    return begin <= hour < end if begin < end else hour >= begin or hour < end
