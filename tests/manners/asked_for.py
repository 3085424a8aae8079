"""Freshness (P53, P54) and Retry-After (P56) of a response, read independently of the program for the judge."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from tests.manners.exchange import Exchange

NOTHING = timedelta(0)


def freshness(fields: Mapping[str, str], exchange: Exchange) -> timedelta:
    """Return how long a response asks not to be fetched again, by Cache-Control and Expires (P53, P54)."""
    control = [part.strip().lower() for part in fields.get("Cache-Control", "").split(",")]
    if "no-cache" in control or "no-store" in control:
        return NOTHING
    age = exchange.answer.said("Age") or ""
    past = timedelta(seconds=min(int(age), 10**9)) if re.fullmatch(r"\d+", age) else NOTHING
    for part in control:
        name, _, value = part.partition("=")
        value = value.strip('"')  # both forms must be accepted (RFC 9111, section 5.2)
        if name == "max-age" and re.fullmatch(r"\d+", value):
            return max(timedelta(seconds=min(int(value), 10**9)) - past, NOTHING)
    lapses, now = date_of(fields.get("Expires")), date_of(exchange.answer.said("Date")) or exchange.at
    return max(lapses - now - past, NOTHING) if lapses else NOTHING


def retry_after(said: str | None, date: str | None, at: datetime) -> timedelta:
    """Return the wait of Retry-After (P56); None if there is nothing to obey."""
    if said is None:
        return NOTHING
    if re.fullmatch(r"\d+", said):
        return timedelta(seconds=min(int(said), 10**9))
    when = date_of(said)
    return max(when - (date_of(date) or at), NOTHING) if when else NOTHING


def date_of(text: str | None) -> datetime | None:
    """Read an HTTP-date in any of its forms; None if it is invalid."""
    try:
        when = parsedate_to_datetime(text or "")
    except (ValueError, OverflowError):
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
