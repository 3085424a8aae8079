"""Text of reports: no control characters, times and counts in words, similar lines folded into a few.

Also the JSON text of `--json`, and the progress bar of a terminal.
"""

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TypeVar

from aggregator.model.alarm import Alarm, AlarmCode
from aggregator.model.settings import SourceKey
from aggregator.text.durations import rounded_span

FEW = 5  # alike things that are told one by one
SHOWN = 3  # of more than that

WIDTH = 60  # characters of a name

T = TypeVar("T")

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


json_text = json.JSONEncoder(ensure_ascii=False).encode  # of what `--json` prints, and of log lines


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on stderr while the block runs, if stderr is a terminal.

    Args:
        what: what is counted, in plural and with a verb: `sources checked`.

    Yields:
        A function that gets the number of things that are done, and of all (0: unknown). Threads may call it.
    """
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from aggregator.cli.look import Bar  # late: most runs have no terminal

    bar = Bar(what, sys.__stderr__ or sys.stderr)
    try:
        yield bar.show
    finally:
        bar.hide()


def printable(text: str) -> str:
    """Remove control characters and marks of direction, except tab and line feed (S31)."""
    return _UNPRINTABLE.sub("", text)


def ahead_in_words(when: datetime, now: datetime) -> str:
    """Return the time until an instant: `in 64 min`, `now`, `now, 5 min late`."""
    gap = when - now
    if gap <= timedelta(0):
        return f"now, {rounded_span(-gap.total_seconds())} late" if -gap > timedelta(minutes=1) else "now"
    return f"in {rounded_span(gap.total_seconds())}"


def counted(count: int, one: str, many: str = "") -> str:
    """Return a number with its noun: `1 source`, `1,200 sources`.

    Args:
        count: the number.
        one: the noun in singular.
        many: the noun in plural, if it is not `one` with an s.
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def shortened(name: str) -> str:
    """Return a name, cut to the width of a column."""
    return name if len(name) <= WIDTH else name[: WIDTH - 1] + "…"


def called(name: str, key: str, line: int | None = None) -> str:
    """Return the name of a source with its key and its line in feeds.yaml."""
    name = shortened(name)
    facts = ([] if name == key else [key]) + ([] if line is None else [f"line {line}"])
    return f"{name} ({', '.join(facts)})" if facts else name


def folded(things: Sequence[T], lines_of: Callable[[T], list[str]], rest: str) -> list[str]:
    """Return the lines of similar things: of all if they are few, else of the first ones and the number of the rest.

    Args:
        things: in the order of the report.
        lines_of: returns the lines of one thing.
        rest: line for the remaining things; {} stands for their number.
    """
    told = things if len(things) <= FEW else things[:SHOWN]
    lines = [line for thing in told for line in lines_of(thing)]
    more = len(things) - len(told)
    return [*lines, rest.format(counted(more, "more source"))] if more else lines


def grouped(things: Iterable[T], alike: Callable[[T], object]) -> list[list[T]]:
    """Return things in groups with equal keys, ordered by their first members. Order in a group is kept."""
    groups: dict[object, list[T]] = {}
    for thing in things:
        groups.setdefault(alike(thing), []).append(thing)
    return list(groups.values())


def alarm_lines(alarms: Iterable[Alarm], names: Mapping[SourceKey, str], everything: str = "") -> list[str]:
    """Return a line for each alarm, worst first; many alarms of one code are folded.

    Args:
        alarms: in any order.
        names: names of sources, by key.
        everything: the command that lists all alarms; empty if this command does.
    """

    def line_of(alarm: Alarm) -> list[str]:
        name = names.get(alarm.source, alarm.source) if alarm.source else "all"
        return [f"  alarm {alarm.code.value}: {name}: {alarm.text}"]

    lines = []
    order = list(AlarmCode)
    worst_first = sorted(alarms, key=lambda alarm: (order.index(alarm.code), line_of(alarm)))
    for same in grouped(worst_first, lambda alarm: alarm.code):
        rest = f"  alarm {same[0].code.value}: and {{}}; `{everything}` lists all"
        lines += folded(same, line_of, rest) if everything else [line for alarm in same for line in line_of(alarm)]
    return lines
