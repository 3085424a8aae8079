"""Reads `schedule`, which has five cron fields."""

import itertools
import re
from dataclasses import dataclass
from datetime import timedelta

from aggregator.config.findings import Unfit

DAYS = "mon tue wed thu fri sat sun".split()
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()

_ITEM = re.compile(r"(?:(\*)|([a-z]{3}|[0-9]{1,2})(?:-([a-z]{3}|[0-9]{1,2}))?)(?:/([0-9]{1,2}))?")
_EXAMPLE = 'such as "*/20 9-15 * * mon-fri"'


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()  # names of the numbers low, low + 1, …


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, tuple(MONTHS)),
    _Field("day of the week", 0, 7, ("sun", "mon", "tue", "wed", "thu", "fri", "sat")),
)


def schedule(text: str) -> str:
    """Check a schedule and return it in the form for APScheduler.

    Returns:
        The five fields in lower case. Days of the week are names, because APScheduler counts from Monday and cron from
        Sunday. Months written as names are listed one by one, because APScheduler drops the step of `jan-jun/2`.

    Raises:
        Unfit: the text is not a schedule, or no date matches it.
    """
    fields = text.lower().split()
    if len(fields) != len(_FIELDS):
        raise Unfit(f"is not five fields; write minute, hour, day, month and weekday, {_EXAMPLE}")
    numbers = [_numbers(part, about) for part, about in zip(fields, _FIELDS, strict=True)]
    if not any(day <= _days_in(month) for day in numbers[2] for month in numbers[3]):
        raise Unfit("names a day that its months do not have; write another day or month")
    if fields[3].strip("0123456789*/-,"):
        fields[3] = ",".join(MONTHS[month - 1] for month in sorted(numbers[3]))
    if fields[4] != "*":
        days = {(number - 1) % 7 for number in numbers[4]}
        fields[4] = ",".join(DAYS[day] for day in sorted(days)) if len(days) < 7 else "*"
    return " ".join(fields)


def shortest_gap(schedule: str) -> timedelta:
    """Return the shortest time between two runs of a valid schedule, computed as if it ran on every day."""
    minute, hour = schedule.split()[:2]
    turns = sorted(h * 60 + m for h in _numbers(hour, _FIELDS[1]) for m in _numbers(minute, _FIELDS[0]))
    gaps = [later - earlier for earlier, later in itertools.pairwise([*turns, turns[0] + 24 * 60])]
    return timedelta(minutes=min(gaps))


def _days_in(month: int) -> int:
    return 29 if month == 2 else 30 if month in (4, 6, 9, 11) else 31


def _numbers(part: str, about: _Field) -> set[int]:
    """Return the numbers that a field matches."""
    numbers: set[int] = set()
    for item in part.split(","):
        match = _ITEM.fullmatch(item)
        if match is None:
            raise Unfit(f'"{item}" is not a valid {about.name}; write *, a number, a range or */n, {_EXAMPLE}')
        star, first, last, step = match.groups()
        low = about.low if star else _number(first, about)
        high = about.high if star else _number(last, about) if last else about.high if step else low
        if star and about.words and about.low == 0:
            high = 6  # 0 and 7 both mean Sunday
        if low > high:
            if about.low or not about.words:
                raise Unfit(f'"{item}" runs backwards; write {last}-{first}')
            high += 7  # fri-mon
        if step is not None and int(step) == 0:
            raise Unfit(f'"{item}" has a step of 0; write a step of 1 or more')
        if step is not None and int(step) > high - low:
            raise Unfit(f'"{item}" has a step beyond its range, so that it means {first or low} alone; write that')
        numbers.update(range(low, high + 1, int(step or 1)))
    return {number % 7 for number in numbers} if about.words and about.low == 0 else numbers


def _number(text: str, about: _Field) -> int:
    if text in about.words:
        return about.low + about.words.index(text)
    if not text.isdigit() or not about.low <= int(text) <= about.high:
        words = f" or {about.words[0]} to {about.words[-1]}" if about.words else ""
        raise Unfit(f'"{text}" is not a valid {about.name}; write {about.low} to {about.high}{words}')
    return int(text)
