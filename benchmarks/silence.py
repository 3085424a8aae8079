"""False alarms `silent` in a simulated year of 500 sources, and how soon sources that end are noticed.

Rhythms are made up: newspapers that pause on weekends and holidays, news of every day, weeklies, diligent and lazy
bloggers whose gaps have heavy tails, holidays of weeks, seasons. Nothing ends in the first part, so that every alarm is
false. In the second part every source ends on one day.
"""

import argparse
import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from statistics import median

from aggregator.cadence import later_arrivals, median_gap
from aggregator.cadence.silence import silence_of

SOURCES, YEAR = 500, 365
START = date(2026, 1, 5)
EPOCH = date(1970, 1, 1)
HOLIDAYS = {
    (1, 1),
    (1, 6),
    (4, 3),
    (4, 6),
    (5, 1),
    (5, 14),
    (5, 25),
    (8, 15),
    (10, 3),
    (11, 1),
    (12, 24),
    (12, 25),
    (12, 26),
}
SILENT, GAPS = timedelta(days=90), 6  # what was the rule alone before weekdays were learned


def newspaper(chance: random.Random, days: int) -> Iterator[tuple[int, int]]:
    """News on working days, on some with a pause at the end of the year."""
    long_pause = chance.random() < 0.5
    for day in range(days):
        when = START + timedelta(days=day)
        pauses = long_pause and ((when.month, when.day) >= (12, 22) or (when.month, when.day) <= (1, 6))
        if when.weekday() < 5 and (when.month, when.day) not in HOLIDAYS and not pauses and chance.random() < 0.985:
            yield day, chance.randint(3, 20)


def agency(chance: random.Random, days: int) -> Iterator[tuple[int, int]]:
    """News on every day."""
    for day in range(days):
        if chance.random() < 0.99:
            yield day, chance.randint(5, 60)


def weekly(chance: random.Random, days: int) -> Iterator[tuple[int, int]]:
    """An issue a week, with a summer break of some."""
    weekday, summer = chance.randrange(7), chance.choice([0, 0, 3, 6])
    for day in range(weekday, days, 7):
        when = START + timedelta(days=day)
        if not (when.month in (7, 8) and day % (8 * 7) < summer * 7) and chance.random() < 0.93:
            yield min(day + (chance.random() < 0.1), days - 1), 1


def diligent(chance: random.Random, days: int) -> Iterator[tuple[int, int]]:
    """A blog with a post on most days; one to three weeks of holidays twice a year, at times of its own."""
    rate, weekends = chance.uniform(0.45, 0.9), chance.uniform(0.2, 1.0)
    pauses = [(begin, begin + chance.randint(7, 24)) for begin in (chance.randrange(days), chance.randrange(days))]
    for day in range(days):
        part = weekends if (START + timedelta(days=day)).weekday() > 4 else 1.0
        if not any(begin <= day < end for begin, end in pauses) and chance.random() < rate * part:
            yield day, chance.choice([1, 1, 1, 2, 3])


def lazy(chance: random.Random, days: int) -> Iterator[tuple[int, int]]:
    """A blog whose gaps have a heavy tail: Pareto, with medians from a day to two months."""
    least, tail, day = chance.lognormvariate(1.5, 1.0), chance.uniform(1.1, 2.0), 0.0
    while True:
        day += max(least * (chance.paretovariate(tail) - 0.5), 0.05)
        if day >= days:
            return
        yield int(day), 1


def seasonal(chance: random.Random, days: int) -> Iterator[tuple[int, int]]:
    """A club or a course: weeks with posts on some days, then months with none."""
    begin, length = chance.randrange(60), chance.randint(50, 110)
    for day in range(days):
        if (day - begin) % 182 < length and chance.random() < 0.5:
            yield day, 1


KINDS: tuple[tuple[Callable[[random.Random, int], Iterator[tuple[int, int]]], int], ...] = (
    (newspaper, 90),
    (agency, 50),
    (weekly, 60),
    (diligent, 110),
    (lazy, 160),
    (seasonal, 30),
)


def alarms_of(news: dict[int, int], chance: random.Random, days: int, *, is_learned: bool) -> list[int]:
    """Return the days on which the alarm begins."""
    arrivals: tuple[datetime, ...] = ()
    known, began, is_silent = list[int](), list[int](), False
    first = min(news, default=0)
    for day in range(days):
        midnight = datetime.combine(START + timedelta(days=day), time(), UTC)
        if day in news:
            moments = [midnight + timedelta(minutes=chance.randrange(360, 1380)) for _ in range(news[day])]
            arrivals = later_arrivals(arrivals, moments)
            if day != first:
                known.append((START - EPOCH).days + day)
        if not arrivals:
            continue
        now = midnight + timedelta(hours=23, minutes=59)
        if is_learned:
            found = silence_of(arrivals, lambda: known, now) is not None
        else:
            found = now - arrivals[-1] >= max(SILENT, GAPS * (median_gap(arrivals) or timedelta(0)))
        if found and not is_silent:
            began.append(day)
        is_silent = found
    return began


def sources(seed: int, days: int) -> Iterator[tuple[str, dict[int, int]]]:
    """Yield the kind of each source and how many entries came on each day with news."""
    chance = random.Random(seed)
    for kind, count in KINDS:
        for _ in range(count):
            news = dict(kind(chance, days))
            if news:
                yield kind.__name__, news


def false_alarms(seed: int) -> Counter[str]:
    """Return the number of false alarms in a year, by kind of source."""
    chance = random.Random(seed + 1)
    found = Counter[str]()
    for kind, news in sources(seed, YEAR):
        found[kind] += len(alarms_of(news, chance, YEAR, is_learned=True))
    return found


def delays(seed: int, *, is_learned: bool) -> dict[str, list[float]]:
    """Return after how many days the end of sources is noticed, by kind; infinity: not in 200 days."""
    chance = random.Random(seed + 2)
    found: dict[str, list[float]] = {}
    for kind, news in sources(seed, YEAR):
        end = chance.randrange(150, 165)
        left = {day: count for day, count in news.items() if day < end}
        if left:
            last = max(left)
            began = [day - last for day in alarms_of(left, chance, YEAR, is_learned=is_learned) if day >= end]
            found.setdefault(kind, []).append(began[0] if began else float("inf"))
    return found


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--years", type=int, default=3, help="simulated years, each with other sources")
    years = parser.parse_args().years
    for seed in range(years):
        found = false_alarms(seed)
        told = ", ".join(f"{kind} {count}" for kind, count in sorted(found.items()))
        print(f"year {seed}: {found.total()} false alarms, {found.total() / (YEAR / 7):.2f} a week ({told})")
    before, now = delays(0, is_learned=False), delays(0, is_learned=True)
    for kind in now:
        after, earlier = median(now[kind]), median(before[kind])
        print(f"end of {kind:10} noticed after {after:5.0f} days (median); before, {earlier:5.0f}")


if __name__ == "__main__":
    main()
