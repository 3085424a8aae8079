"""The decision itself: operator's interval or rhythm, hints, hours to spare, phase and jitter, backoff (P67)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Protocol

from aggregator.cadence.rhythm import median_gap, silence
from aggregator.cadence.skip import outside_skipped
from aggregator.model.entry import NO_HINTS, Hints

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEEK = timedelta(days=7)
NOTHING = timedelta(0)
START = HOUR  # where `every: auto` begins, and what it stays above unless 304s are proven (P51)
FAST = timedelta(hours=2)  # a median gap under which a source may be asked more often than hourly (P51)
UNCONDITIONAL = HOUR  # `auto`, for a source without validators (P70)
LARGE_BODY = 1024 * 1024  # bytes
LARGE_UNCONDITIONAL = timedelta(hours=6)
GONE_TIMES = 3  # 410s in a row (P29),
GONE_SPAN = timedelta(hours=48)  # spread over so much
GONE_PROBE = timedelta(days=30)
EARLY = 0.1  # of the interval: how much too soon a one-shot run may be (P52)
EARLY_CAP = timedelta(minutes=5)
SLACK = timedelta(seconds=2)
ASKED_AGAIN = timedelta(minutes=5)  # no source is asked sooner again, whoever wishes it (P69)
# What a one-shot run may not come before either (P52).
BINDING = frozenset("ttl syndication freshness backoff gone rate_limited retry_after exhausted".split())
TRIES = 500  # turns of a schedule that are looked at for one outside the hours to spare


class Timetable(Protocol):
    """A schedule."""

    def next_after(self, when: datetime) -> datetime:
        """Give the first turn later than `when`, UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What feeds.yaml wants of a source, and what the size of its host's crowd allows."""

    every: timedelta | None = None  # None: auto
    schedule: Timetable | None = None  # instead of an interval
    min_interval: timedelta = timedelta(minutes=15)
    max_interval: timedelta = DAY
    crowding: timedelta = NOTHING  # the least interval at which the host's budget serves all its sources (P72)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How a poll went, as far as the next turn depends on it."""

    asked_at: datetime  # when the request left
    polls: int  # how many there were, this one included
    hints: Hints = NO_HINTS  # the publisher's, those of the last document that was read included
    arrivals: tuple[datetime, ...] = ()  # when the last entries came, oldest first
    earns: bool = False  # its validators have earned a 304
    has_validators: bool = True
    body_bytes: int = 0  # of the last body
    failures: int = 0  # in a row, this poll included; 0 after a success
    retried: bool = False  # the answer before carried a Retry-After too (P56)
    hurry: int = 0  # halvings of the interval: entries may have been missed (R45)
    is_gone: bool = False  # the answer was a 410,
    is_given_up: bool = False  # and so often that the feed counts as gone (P29)
    is_slowed: bool = False  # a 429, or a 503 with Retry-After (P30, P31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """When a source is due, and why."""

    due_at: datetime  # with phase and jitter: what `serve` goes by
    earliest_at: datetime  # what a one-shot run goes by, whose caller's clock is the schedule (P52)
    interval: timedelta
    retry_until: datetime | None = None  # a Retry-After that runs until then
    because: str  # the input that decided
    asked: Mapping[str, timedelta]  # what each input asked for
    failures: int = 0

    def inputs(self) -> dict[str, Any]:
        """Give the decision as a record that `explain` reads."""
        said = {name: round(wish.total_seconds(), 3) for name, wish in self.asked.items()}
        return {"because": self.because, "asked": said} | ({"failures": self.failures} if self.failures else {})


def next_turn(key: str, pace: Pace, course: Course) -> Turn:
    """Say when a source is due after a poll.

    The interval is the longest of what feeds.yaml or the rhythm says and of the lower bounds; backoff, Retry-After and
    the hours to spare come on top of it and only ever make it longer; jitter is added last (P52, P67).

    Args:
        key: the source's; phase and jitter come from its hash (P63).
        pace: the operator's wish.
        course: of the poll.
    """
    asked = _base(pace, course) | _bounds(pace, course)
    because = _longest(asked)
    interval = asked[because]
    for name, wish in _overrides(pace, course, asked).items():
        asked[name] = wish
        if wish > interval:
            because, interval = name, wish
    floor = max(wish for name, wish in asked.items() if name in BINDING) if BINDING & asked.keys() else NOTHING
    after = course.asked_at + interval
    due, because = _placed(after, because, pace, course)
    if because == "skip":
        asked["skip"] = floor = due - course.asked_at
    early = due if pace.schedule else due - min(interval * EARLY, EARLY_CAP)
    wait = min(course.hints.retry_after or NOTHING, WEEK if course.retried else DAY)
    return Turn(
        due_at=_spread(due, key, interval, pace, course),
        earliest_at=max(early, course.asked_at + floor),
        interval=interval,
        retry_until=course.asked_at + wait if wait else None,
        because=because,
        asked=asked,
        failures=course.failures,
    )


def _base(pace: Pace, course: Course) -> dict[str, timedelta]:
    """Give the interval as the operator wishes it, or as the source's rhythm suggests (P51, P62)."""
    if pace.schedule is not None:
        return {"schedule": pace.schedule.next_after(course.asked_at) - course.asked_at}
    if pace.every is not None:
        return {"every": pace.every}
    gap = median_gap(course.arrivals)
    name, wish = "start", START
    if gap is not None:
        least = NOTHING if course.earns and gap < FAST else START
        name, wish = "rhythm", max(gap / 2 / (1 << course.hurry), least)
    return {name: _within(wish, pace)}


def _bounds(pace: Pace, course: Course) -> dict[str, timedelta]:
    """Give what forbids a shorter interval, where it does."""
    hints = course.hints
    bounds = {
        "ttl": min(hints.ttl or NOTHING, DAY),
        "syndication": min(hints.syndication or NOTHING, DAY),
        "freshness": honoured_freshness(hints.freshness, median_gap(course.arrivals)),
        "crowding": pace.crowding,
    }
    if pace.every is None and pace.schedule is None:
        bounds["silence"] = _within(silence(course.arrivals, course.asked_at), pace)
        if not course.has_validators:
            bounds["unconditional"] = LARGE_UNCONDITIONAL if course.body_bytes > LARGE_BODY else UNCONDITIONAL
    return {name: wish for name, wish in bounds.items() if wish}


def _overrides(pace: Pace, course: Course, asked: Mapping[str, timedelta]) -> dict[str, timedelta]:
    """Give what comes on top of the interval: after failures, and where the server says when (P29 to P31, P50, P56)."""
    wishes = {}
    interval = asked[_longest(asked)]
    if course.failures:
        wishes["backoff"] = backoff(interval, course.failures, cap=max(pace.max_interval, interval))
    if course.is_gone:
        wishes["gone"] = GONE_PROBE if course.is_given_up else DAY
    if course.is_slowed:  # the freshness of that very answer counts once (P30)
        wishes["rate_limited"] = 2 * max(wish for name, wish in asked.items() if name != "freshness")
    if course.hints.retry_after:
        wishes["retry_after"] = min(course.hints.retry_after, WEEK if course.retried else DAY)
    if course.hints.exhausted:
        wishes["exhausted"] = min(course.hints.exhausted, DAY)
    return wishes


def _placed(after: datetime, because: str, pace: Pace, course: Course) -> tuple[datetime, str]:
    """Give the first moment from `after` on that is a turn of the schedule and not to be spared (P59)."""
    if pace.schedule is None:
        spared = outside_skipped(after, course.hints)
        return spared, "skip" if spared != after else because
    first = turn = pace.schedule.next_after(after - timedelta.resolution)
    for _ in range(TRIES):
        if outside_skipped(turn, course.hints) == turn:
            return turn, "skip" if turn != first else because
        turn = pace.schedule.next_after(turn)
    return first, because  # the schedule lies in the hours to spare: the operator's word counts


def _spread(due: datetime, key: str, interval: timedelta, pace: Pace, course: Course) -> datetime:
    """Add phase or jitter; none to a schedule, whose times are meant."""
    if pace.schedule is not None:
        return due
    polls = max(course.polls, 2) if course.failures else course.polls  # no phase before a success
    return outside_skipped(due + jitter(key, interval, polls), course.hints)


def _longest(asked: Mapping[str, timedelta]) -> str:
    return max(asked, key=lambda name: asked[name])  # of equal ones the first: the operator's


def _within(wish: timedelta, pace: Pace) -> timedelta:
    return min(max(wish, pace.min_interval), pace.max_interval) if wish else wish


def honoured_freshness(freshness: timedelta | None, gap: timedelta | None) -> timedelta:
    """Say how much of max-age or Expires binds us (P55).

    In full to 24 hours; to seven days only where entries are so far apart that little is missed, since a year that
    some system sets by default must not freeze a daily blog (D5).

    Args:
        freshness: what is left of it.
        gap: the median time between two entries; None if that isn't known.
    """
    wish = min(freshness or NOTHING, WEEK)
    if wish <= DAY or (gap is not None and gap > wish / 4):
        return wish
    return DAY


def backoff(interval: timedelta, failures: int, *, cap: timedelta) -> timedelta:
    """Say how long to leave a source alone after `failures` (1 or more) in a row (P50)."""
    return min(max(interval, HOUR) * (1 << min(failures, 12) - 1), max(cap, HOUR))


def jitter(key: str, interval: timedelta, polls: int) -> timedelta:
    """Spread equal intervals (P63): the first due time takes the source's phase, each later one up to 10 % more.

    It only adds, never subtracts (P52).
    """
    if polls <= 1:  # almost a whole interval: what is late as well must not become two
        return max(min(interval * _share(key), interval - SLACK), NOTHING)
    return interval * 0.1 * _share(f"{key} {polls}")


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
