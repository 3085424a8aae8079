"""Reads dates and hints from response headers: how long a response is fresh, and how long to stay away."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from aggregator.model.entry import NO_HINTS, Hints

LONGEST = timedelta(days=366)  # above any cap; keeps absurd numbers out of date arithmetic

# The form that all but a few send. The e-mail parser takes ten times as long, and every answer has a Date.
_FIXDATE = re.compile(r"[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) ([1-9]\d{3}) (\d\d):(\d\d):(\d\d) GMT", re.ASCII)
_MONTHS = {name: n for n, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), start=1)}
_LONGEST_DATE = 64  # characters

# A quoted string, or what is open to the end; what is outside of them; a comma. Each character is looked at once (S25).
_PART = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?$)|[^",]+|,', re.DOTALL)
_RATE_PART = re.compile(r"\b(r|t|remaining|reset)\s*=\s*(\d{1,12})\b", re.IGNORECASE)
_EPOCH = 1_000_000_000  # a reset with such a number is an instant, as some send it, not a wait
_NOTHING = timedelta(0)


def hints_of(headers: Mapping[str, str], sent: datetime) -> Hints:
    """Read the hints in the headers of a response (P37, P53, P54, P56).

    Args:
        headers: names in any case; repeated fields joined by a comma.
        sent: the Date of the response; without one, when it came (P88).
    """
    wishes = [name for name in _NAMES if name in headers]
    if not wishes:
        return NO_HINTS
    fresh = freshness(headers, sent=sent)
    if wishes == ["cache-control"]:  # the usual case
        return Hints(freshness=fresh)
    wait = retry_after(headers.get("retry-after", ""), sent=sent)
    return Hints(retry_after=wait, exhausted=rate_limit(headers, sent=sent), freshness=fresh)


_NAMES = (
    "cache-control expires retry-after ratelimit ratelimit-remaining x-ratelimit-remaining x-rate-limit-remaining"
).split()


def freshness(headers: Mapping[str, str], *, sent: datetime) -> timedelta | None:
    """Return how long a response is fresh: max-age, else Expires - Date; less Age (RFC 9111, 4.2; P53, P54, D25).

    Args:
        headers: of the response.
        sent: its Date.

    Returns:
        What is left, not yet capped. Zero if it is stale already, or says no-cache or no-store. None if there is
            nothing usable.
    """
    cache = directives(headers.get("cache-control", ""))
    if cache.get("no-cache") == "" or "no-store" in cache:  # no-cache="field" is about that field only
        return _NOTHING
    if _is_number(cache.get("max-age", "")):
        lifetime = seconds_of(cache["max-age"])
    elif "expires" in headers:
        expires = http_date(headers["expires"])  # sent twice, it is none
        lifetime = min(expires - sent, LONGEST) if expires else _NOTHING
    else:
        return None
    age = headers.get("age", "").strip()
    return max(_NOTHING, lifetime - (seconds_of(age) if _is_number(age) else _NOTHING))


def directives(value: str) -> dict[str, str]:
    """Split a Cache-Control header into its directives, names in lower case; of repeated ones the first counts."""
    found: dict[str, str] = {}
    for member in _members(value) if '"' in value else value.split(","):
        name, _, text = member.partition("=")
        found.setdefault(name.strip().lower(), text.strip().strip('"'))
    return found


def _members(value: str) -> Iterator[str]:
    """Split a list at the commas outside of quotes."""
    member: list[str] = []
    for part in _PART.findall(value):
        if part == ",":
            yield "".join(member)
            member = []
        else:
            member.append(part)
    yield "".join(member)


def rate_limit(headers: Mapping[str, str], *, sent: datetime) -> timedelta | None:
    """Return how long to stay away because the rate limit of the publisher is used up (P37).

    Reads `X-RateLimit-Remaining` and `-Reset` (seconds; an instant as some send it), the same without `X-`, and the
    `RateLimit` field in its two drafts: `"default";r=0;t=30` and `limit=100, remaining=0, reset=30`.

    Returns:
        The wait, not yet capped; None if requests are left, or nothing was said.
    """
    for prefix in ("x-ratelimit-", "ratelimit-", "x-rate-limit-"):
        remaining, reset = headers.get(prefix + "remaining", "").strip(), headers.get(prefix + "reset", "").strip()
        if re.fullmatch(r"0+(\.0*)?", remaining) and re.fullmatch(r"\d{1,12}(\.\d*)?", reset):
            return _wait(float(reset), sent)
    parts = {name.lower(): int(number) for name, number in _RATE_PART.findall(headers.get("ratelimit", ""))}
    if parts.get("r", parts.get("remaining", 1)) == 0 and ("t" in parts or "reset" in parts):
        return _wait(parts.get("t", parts.get("reset", 0)), sent)
    return None


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
    """Read an HTTP-date in any of its three forms (RFC 9110, section 5.6.7), in UTC; None if the text is not one."""
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


def _wait(reset: float, sent: datetime) -> timedelta | None:
    seconds = reset - sent.timestamp() if reset > _EPOCH else reset
    return min(timedelta(seconds=seconds), LONGEST) if seconds > 0 else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()
