"""Reads the Retry-After header, and dates in headers."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST = timedelta(days=366)  # above any cap; keeps absurd numbers out of date arithmetic

# The form that all but a few send. The e-mail parser takes ten times as long, and every answer has a Date.
_FIXDATE = re.compile(r"[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) ([1-9]\d{3}) (\d\d):(\d\d):(\d\d) GMT", re.ASCII)
_MONTHS = {name: n for n, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), start=1)}
_LONGEST_DATE = 64  # characters


def retry_after(value: str, *, sent: datetime) -> timedelta | None:
    """Read a Retry-After header (RFC 9110, section 10.2.3; P56).

    Args:
        value: the header as received: delay seconds, or an HTTP-date.
        sent: the Date of the response, aware UTC; an HTTP-date counts from there, since the two clocks may differ.

    Returns:
        The wait, above zero, not yet capped; None if there is nothing to obey. A typo does not fail a poll.
    """
    text = value.strip()
    if text.isascii() and text.isdigit():  # isascii: "²".isdigit() is true, and int("²") raises
        wait = seconds_of(text)
    else:
        when = http_date(text)
        if when is None:
            return None
        wait = min(when - sent, LONGEST)
    return wait if wait > timedelta(0) else None


def seconds_of(digits: str) -> timedelta:
    """Return a number of seconds, with any number of digits, as a wait; at most `LONGEST`."""
    digits = digits.lstrip("0")[:12] or "0"  # twelve digits are 30,000 years
    return min(timedelta(seconds=int(digits)), LONGEST)


def http_date(value: str) -> datetime | None:
    """Read an HTTP-date in any of its three forms (RFC 9110, section 5.6.7), aware UTC; None if it is none."""
    value = value.strip()
    if len(value) > _LONGEST_DATE:
        return None
    try:
        if (parts := _FIXDATE.fullmatch(value)) and parts[2] in _MONTHS:
            day, year, hour, minute, second = map(int, parts.group(1, 3, 4, 5, 6))
            return datetime(year, _MONTHS[parts[2]], day, hour, minute, second, tzinfo=UTC)
        when = parsedate_to_datetime(value)
        return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)  # asctime names no zone: it is UTC
    except (ValueError, OverflowError):  # OverflowError: 23:59 on the last day there is, west of Greenwich
        return None
