"""Reads a document's hints about the pace of polls: ttl, sy:*, skipHours, skipDays (P57 to P59; I18)."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import islice

from lxml import etree

from aggregator.model.entry import Hints
from aggregator.parse.names import Child, text_of

_CAP = timedelta(days=1)  # P57, P58
_PERIODS = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(days=7),
    "monthly": timedelta(days=30),
    "yearly": timedelta(days=365),
}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def hints_of(children: Sequence[Child]) -> Hints:
    """Read the hints among a channel's children. An invalid value counts as missing."""
    ttl = syndication = None
    hours: frozenset[int] = frozenset()
    days: frozenset[int] = frozenset()
    period = frequency = None
    for name, child in children:
        match name:
            case "ttl":
                ttl = ttl or _ttl(text_of(child))
            case "sy:updateperiod":
                period = text_of(child).lower()
            case "sy:updatefrequency":
                frequency = text_of(child)
            case "skiphours":
                hours = hours or frozenset(hour for text in _members(child, 24) if (hour := _hour(text)) is not None)
            case "skipdays":
                days = days or frozenset(
                    _DAYS.index(text.lower()) for text in _members(child, 7) if text.lower() in _DAYS
                )
    if period is not None or frequency is not None:
        syndication = _syndication(period or "daily", frequency or "1")
    return Hints(ttl=ttl, syndication=syndication, skip_hours=hours, skip_days=days)


def _ttl(text: str) -> timedelta | None:
    """Read minutes, at most a day (P57)."""
    if not text.isascii() or not text.isdigit():
        return None
    minutes = int(text[:9])
    return min(timedelta(minutes=minutes), _CAP) if minutes else None


def _syndication(period: str, frequency: str) -> timedelta | None:
    """Return the period divided by the frequency, at most a day (P58)."""
    if period not in _PERIODS or not frequency.isascii() or not frequency.isdigit():
        return None
    times = int(frequency[:9])
    return min(_PERIODS[period] / times, _CAP) if times else None


def _members(element: etree._Element, limit: int) -> list[str]:
    return [text_of(child) for child in islice(element, limit)]


def _hour(text: str) -> int | None:
    """Read an hour in GMT; 24 means 0 (P59)."""
    if not text.isascii() or not text.isdigit():
        return None
    hour = int(text[:4])
    return hour % 24 if hour <= 24 else None
