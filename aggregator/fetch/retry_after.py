"""The Retry-After header."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST = timedelta(days=366)  # above any cap; keeps absurd numbers out of date arithmetic


def retry_after(value: str, *, sent: datetime) -> timedelta | None:
    """Read a Retry-After header (RFC 9110, section 10.2.3; P56).

    Args:
        value: the header as received: delay seconds, or an HTTP-date.
        sent: the answer's own Date, aware UTC; an HTTP-date counts from there, since the two clocks may differ.

    Returns:
        The wait, above zero, not yet capped; None if there is nothing to obey. A typo is no reason to fail a poll.
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
    """Give a number of seconds, of whatever length, as a wait; at most `LONGEST`."""
    digits = digits.lstrip("0")[:12] or "0"  # twelve digits are 30,000 years
    return min(timedelta(seconds=int(digits)), LONGEST)


def http_date(value: str) -> datetime | None:
    """Read an HTTP-date in any of its three forms (RFC 9110, section 5.6.7), aware UTC; None if it is none."""
    try:
        when = parsedate_to_datetime(value.strip())
    except (ValueError, OverflowError):
        return None
    return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)  # asctime names no zone: it is UTC
