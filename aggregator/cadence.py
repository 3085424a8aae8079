"""When a source is due next (DESIGN, section 5; P50 to P72). Pure: everything it knows comes in as arguments.

Operator's interval, then the server's hints as lower bounds, then the hours that the feed asks to be spared, then
phase and jitter from a hash; Retry-After and backoff override upward only (P67). The rhythm of the source itself, which
`auto` is to follow (P62), is not read yet: `auto` is an hour.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from aggregator.model.entry import Hints

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEEK = timedelta(days=7)
AUTO = HOUR  # where `every: auto` starts (P51)
EARLY = 0.1  # of the interval: how much too soon a one-shot run may be (P52)
EARLY_CAP = timedelta(minutes=5)
SLACK = timedelta(seconds=2)
ASKED_AGAIN = timedelta(minutes=5)  # no source is asked sooner again, whoever wishes it (P69)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What feeds.yaml wants of a source."""

    every: timedelta | None = None  # None: auto
    min_interval: timedelta = timedelta(minutes=15)
    max_interval: timedelta = DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The decision: when a source is due, and why."""

    due_at: datetime  # with phase and jitter: what `serve` goes by
    earliest_at: datetime  # what a one-shot run goes by, whose caller's clock is the schedule (P52)
    interval: timedelta
    retry_until: datetime | None = None  # a Retry-After that runs until then
    because: str  # the input that decided: interval, ttl, syndication, freshness, skip, retry_after, backoff


def next_turn(
    *,
    key: str,
    asked_at: datetime,
    polls: int,
    pace: Pace,
    hints: Hints,
    failures: int = 0,
    retried: bool = False,
    gone: bool = False,
    rate_limited: bool = False,
) -> Turn:
    """Say when a source is due after a poll.

    Args:
        key: the source's; phase and jitter come from its hash (P63).
        asked_at: when the request left.
        polls: how many there were, this one included.
        pace: the operator's wish.
        hints: the publisher's, those of the last document that was read included.
        failures: in a row, this one included; 0 after a success.
        retried: the answer before carried a Retry-After too (P56).
        gone: the answer was a 410 (P29).
        rate_limited: it was a 429 (P30).
    """
    interval, because = pace.every or min(max(AUTO, pace.min_interval), pace.max_interval), "interval"
    for name, hint in (
        ("ttl", min(hints.ttl or timedelta(0), DAY)),
        ("syndication", min(hints.syndication or timedelta(0), DAY)),
        ("freshness", honoured_freshness(hints.freshness)),
    ):
        if hint > interval:
            interval, because = hint, name
    floor = interval if because != "interval" else timedelta(0)  # what a one-shot run may not come before, either
    if failures:
        wait = backoff(interval, failures, cap=max(pace.max_interval, interval))
        if gone:
            wait = max(wait, DAY)
        if rate_limited:
            wait = max(wait, 2 * interval)
        interval, because, floor = wait, "backoff", wait
    after = asked_at + interval
    retry_until = None
    if hints.retry_after:
        retry_until = asked_at + min(hints.retry_after, WEEK if retried else DAY)
        if retry_until > after:
            after, because, floor = retry_until, "retry_after", retry_until - asked_at
    spared = outside_skipped(after, hints)
    if spared != after:
        after, because, floor = spared, "skip", spared - asked_at
    early = after - min(interval * EARLY, EARLY_CAP)
    return Turn(
        due_at=after + jitter(key, interval, max(polls, 2) if failures else polls),  # no phase before a success
        earliest_at=max(early, asked_at + floor),
        interval=interval,
        retry_until=retry_until,
        because=because,
    )


def honoured_freshness(freshness: timedelta | None) -> timedelta:
    """Say how much of max-age or Expires binds us (P55): in full to 24 h; more needs a history that shows no loss."""
    return min(freshness or timedelta(0), DAY)


def backoff(interval: timedelta, failures: int, *, cap: timedelta) -> timedelta:
    """Say how long to leave a source alone after `failures` (1 or more) in a row (P50)."""
    return min(max(interval, HOUR) * (1 << min(failures, 12) - 1), max(cap, HOUR))


def jitter(key: str, interval: timedelta, polls: int) -> timedelta:
    """Spread equal intervals (P63): the first due time takes the source's phase, each later one up to 10 % more.

    It only adds, never subtracts (P52).
    """
    if polls <= 1:  # almost a whole interval: what is late as well must not become two
        return max(min(interval * _share(key), interval - SLACK), timedelta(0))
    return interval * 0.1 * _share(f"{key} {polls}")


def outside_skipped(when: datetime, hints: Hints) -> datetime:
    """Move a time out of the hours and days that a feed asks to be spared (P59); if none is left, ask all the same."""
    hours = hints.skip_hours if len(hints.skip_hours) < 24 else frozenset()
    days = hints.skip_days if len(hints.skip_days) < 7 else frozenset()
    for _ in range(24 * 7 + 1):
        if when.weekday() in days or when.hour in hours:
            when = when.replace(minute=0, second=0, microsecond=0) + HOUR
        else:
            break
    return when


def may_ask_again(now: datetime, attempted_at: datetime | None, retry_until: datetime | None) -> bool:
    """Tell whether an operator's `poll --all` or `poll KEY` may pass over a due time (P69)."""
    recently = attempted_at is not None and now - attempted_at < ASKED_AGAIN
    return not recently and (retry_until is None or retry_until <= now)


def crash_floor(claims: int) -> timedelta:
    """Say how far the claim itself moves the due time, before anything is known of the outcome (R13)."""
    return min(timedelta(minutes=5) * (1 << min(claims, 12)), DAY)


def _share(text: str) -> float:
    """Give a number from 0 to 1 that is the same for the same text, always and everywhere."""
    return int.from_bytes(sha256(text.encode()).digest()[:6], "big") / (1 << 48)
