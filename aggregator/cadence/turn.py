"""Due time of a source: interval or rhythm, lower bounds, backoff, excluded hours, phase and jitter (P67).

The rhythm is the median gap between the entries, and the longest useful interval after a silence (P62).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from operator import sub
from typing import Any, Protocol

from aggregator.model.entry import NO_HINTS, Hints

ARRIVALS = 30  # moments that the rhythm is read from
FEWEST = 3  # with fewer there is no rhythm yet

# A source without news for the first span is polled at most once in the second, whatever its rhythm was.
_SILENCES = (
    (timedelta(days=30), timedelta(hours=24)),
    (timedelta(days=14), timedelta(hours=12)),
    (timedelta(days=7), timedelta(hours=6)),
)


def later_arrivals(arrivals: Sequence[datetime], new: Iterable[datetime]) -> tuple[datetime, ...]:
    """Return the arrival times with the new ones added: the last `ARRIVALS`, oldest first, in whole seconds.

    Entries that came together count once: that there is no time between them says nothing about a rhythm.
    """
    return tuple(sorted({when.replace(microsecond=0) for when in (*arrivals, *new)})[-ARRIVALS:])


def median_gap(arrivals: Sequence[datetime]) -> timedelta | None:
    """Return the median time between two entries.

    Args:
        arrivals: when entries came, oldest first.

    Returns:
        None if there are fewer than three entries.
    """
    if len(arrivals) < FEWEST:
        return None
    gaps: list[timedelta] = sorted(map(sub, arrivals[1:], arrivals))
    half = len(gaps) // 2
    return gaps[half] if len(gaps) % 2 else (gaps[half - 1] + gaps[half]) / 2


def silence(arrivals: Sequence[datetime], now: datetime) -> timedelta:
    """Return the shortest allowed interval of a source without recent news; zero if it had some lately."""
    quiet = now - arrivals[-1] if arrivals else timedelta(0)
    return next((wait for least, wait in _SILENCES if quiet >= least), timedelta(0))


HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEEK = timedelta(days=7)
NOTHING = timedelta(0)
START = HOUR  # `every: auto` begins with this, and stays above it unless the source answers 304 (P51)
FAST = timedelta(hours=2)  # a median gap below this lets a source be polled more often than hourly (P51)
UNCONDITIONAL = HOUR  # `auto`, for a source without validators (P70)
LARGE_BODY = 1024 * 1024  # bytes
LARGE_UNCONDITIONAL = timedelta(hours=6)
GONE_PROBE = timedelta(days=30)
EARLY = 0.1  # share of the interval by which a one-shot `poll` may come too soon (P52)
EARLY_CAP = timedelta(minutes=5)
SLACK = timedelta(seconds=2)
ASKED_AGAIN = timedelta(minutes=5)  # no source is polled again sooner, not even by `poll --all` (P69)
# Inputs that bind a one-shot `poll`, too (P52).
BINDING = frozenset("ttl syndication freshness backoff gone rate_limited retry_after exhausted".split())
TRIES = 500  # times of a schedule that are tried for one outside excluded hours


class Timetable(Protocol):
    """Schedule that returns wall-clock times."""

    def next_after(self, when: datetime) -> datetime:
        """Return the first time later than `when`, UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Intervals that feeds.yaml wants for a source, and the least interval that the crowd on its host allows."""

    every: timedelta | None = None  # None: auto
    schedule: Timetable | None = None  # instead of an interval
    min_interval: timedelta = timedelta(minutes=15)
    max_interval: timedelta = DAY
    crowding: timedelta = NOTHING  # least interval at which the host's budget suffices for all its sources (P72)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Facts of a poll from which the next due time is computed."""

    asked_at: datetime  # when the request left
    polls: int  # of this source, this one included
    hints: Hints = NO_HINTS  # of the response, and of the last document that was read
    arrivals: tuple[datetime, ...] = ()  # when the last entries came, oldest first
    earns: bool = False  # its validators brought a 304 before
    has_validators: bool = True
    body_bytes: int = 0  # of the last body
    failures: int = 0  # in a row, this poll included; 0 after a success
    retried: bool = False  # the response before had a Retry-After too (P56)
    hurry: int = 0  # halvings of the interval: entries may have been missed (R45)
    is_gone: bool = False  # the response was a 410,
    is_given_up: bool = False  # and so often that the feed counts as gone (P29)
    is_slowed: bool = False  # a 429, or a 503 with Retry-After (P30, P31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Next due time of a source, with the reason."""

    due_at: datetime  # with phase and jitter: used by `serve`
    earliest_at: datetime  # used by a one-shot `poll`, which somebody else schedules (P52)
    interval: timedelta
    retry_until: datetime | None = None  # end of a Retry-After
    because: str  # the input that decided
    asked: Mapping[str, timedelta]  # wait that each input wants
    failures: int

    def inputs(self) -> dict[str, Any]:
        """Return the decision as a record for the store, which `explain` reads."""
        said = {name: round(wish.total_seconds(), 3) for name, wish in self.asked.items()}
        return {"because": self.because, "asked": said} | ({"failures": self.failures} if self.failures else {})


def next_turn(key: str, pace: Pace, course: Course) -> Turn:
    """Return the due time of a source after a poll.

    The interval is the longest of: what feeds.yaml or the rhythm says, and the lower bounds. Backoff, Retry-After and
    excluded hours can only make it longer. Jitter is added last (P52, P67).

    Args:
        key: of the source; phase and jitter come from its hash (P63).
        pace: from feeds.yaml.
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
    """Return the interval that feeds.yaml sets, or that the source's rhythm suggests (P51, P62)."""
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
    """Return the lower bounds of the interval, by name."""
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
    """Return what may replace the interval: after failures, or where the server names a time (P29 to P31, P50, P56)."""
    wishes = {}
    interval = asked[_longest(asked)]
    if course.failures:
        wishes["backoff"] = backoff(interval, course.failures, cap=max(pace.max_interval, interval))
    if course.is_gone:
        wishes["gone"] = GONE_PROBE if course.is_given_up else DAY
    if course.is_slowed:  # the freshness of the same response counts once (P30)
        wishes["rate_limited"] = 2 * max(wish for name, wish in asked.items() if name != "freshness")
    if course.hints.retry_after:
        wishes["retry_after"] = min(course.hints.retry_after, WEEK if course.retried else DAY)
    if course.hints.exhausted:
        wishes["exhausted"] = min(course.hints.exhausted, DAY)
    return wishes


def _placed(after: datetime, because: str, pace: Pace, course: Course) -> tuple[datetime, str]:
    """Return the first time from `after` on that fits the schedule and no excluded hour (P59), and the reason."""
    if pace.schedule is None:
        spared = outside_skipped(after, course.hints)
        return spared, "skip" if spared != after else because
    first = turn = pace.schedule.next_after(after - timedelta.resolution)
    for _ in range(TRIES):
        if outside_skipped(turn, course.hints) == turn:
            return turn, "skip" if turn != first else because
        turn = pace.schedule.next_after(turn)
    return first, because  # all of the schedule lies in excluded hours: feeds.yaml wins


def _spread(due: datetime, key: str, interval: timedelta, pace: Pace, course: Course) -> datetime:
    """Add phase or jitter to a due time; a schedule gets none, for its times are meant literally."""
    if pace.schedule is not None:
        return due
    polls = max(course.polls, 2) if course.failures else course.polls  # no phase before the first success
    return outside_skipped(due + jitter(key, interval, polls), course.hints)


def _longest(asked: Mapping[str, timedelta]) -> str:
    return max(asked, key=lambda name: asked[name])  # of equal ones the first: that of feeds.yaml


def _within(wish: timedelta, pace: Pace) -> timedelta:
    return min(max(wish, pace.min_interval), pace.max_interval) if wish else wish


def honoured_freshness(freshness: timedelta | None, gap: timedelta | None) -> timedelta:
    """Return how much of max-age or Expires is honoured (P55).

    Up to 24 hours in full; up to seven days only where entries are so far apart that little is missed: a year that some
    system sends by default must not freeze a daily blog (D5).

    Args:
        freshness: what is left of it.
        gap: the median time between two entries; None if that isn't known.
    """
    wish = min(freshness or NOTHING, WEEK)
    if wish <= DAY or (gap is not None and gap > wish / 4):
        return wish
    return DAY


def backoff(interval: timedelta, failures: int, *, cap: timedelta) -> timedelta:
    """Return the wait after `failures` (1 or more) in a row (P50)."""
    return min(max(interval, HOUR) * (1 << min(failures, 12) - 1), max(cap, HOUR))


def jitter(key: str, interval: timedelta, polls: int) -> timedelta:
    """Return what is added to a due time to spread equal intervals (P63).

    The first due time gets the source's phase, each later one up to 10 % of the interval. Never negative (P52).
    """
    if polls <= 1:  # up to almost an interval: a poll that is late as well must not come two intervals later
        return max(min(interval * _share(key), interval - SLACK), NOTHING)
    return interval * 0.1 * _share(f"{key} {polls}")


def may_ask_again(now: datetime, attempted_at: datetime | None, retry_until: datetime | None) -> bool:
    """Return whether `poll --all` or `poll KEY` may poll a source before it is due (P69)."""
    recently = attempted_at is not None and now - attempted_at < ASKED_AGAIN
    return not recently and (retry_until is None or retry_until <= now)


def crash_floor(claims: int) -> timedelta:
    """Return how far a claim moves the due time, before the outcome is known (R13)."""
    return min(timedelta(minutes=5) * (1 << min(claims, 12)), DAY)


def _share(text: str) -> float:
    """Return a number from 0 to 1 that depends on the text alone, the same in every process."""
    return int.from_bytes(sha256(text.encode()).digest()[:6], "big") / (1 << 48)


def outside_skipped(when: datetime, hints: Hints) -> datetime:
    """Return the first time from `when` on that skipHours and skipDays of the feed do not exclude (P59).

    It is `when` if they exclude every hour or day.
    """
    hours = hints.skip_hours if len(hints.skip_hours) < 24 else frozenset()
    days = hints.skip_days if len(hints.skip_days) < 7 else frozenset()
    if not hours and not days:
        return when
    for _ in range(24 * 7 + 1):
        if when.weekday() not in days and when.hour not in hours:
            break
        when = when.replace(minute=0, second=0, microsecond=0) + HOUR
    return when
