"""Reads and writes durations: `90s` and `1d` of feeds.yaml, `90 min` and `3 h` of sentences."""

import re
from datetime import timedelta

UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h|d|w)")
_DAY, _HOUR, _MINUTE = (UNITS[unit].total_seconds() for unit in "dhm")


def parse_duration(text: str) -> timedelta | None:
    """Return the duration of a text such as `15m` or `1.5h`; None if it has another form."""
    match = _DURATION.fullmatch(text)
    return None if match is None else multiply_unit(match[1], match[2])


def multiply_unit(number: str, unit: str) -> timedelta:
    """Return a number of units, at most the longest duration that Python can represent."""
    try:
        return float(number) * UNITS[unit]
    except OverflowError:  # over 2.7 million years
        return timedelta.max


def duration_text(duration: timedelta) -> str:
    """Return a duration as feeds.yaml writes it, in the largest unit without a fraction: `90m`, `1d`."""
    for unit, length in reversed(UNITS.items()):
        if duration and not duration % length:
            return f"{duration // length}{unit}"
    return f"{duration / UNITS['s']:g}s"


def span_in_words(span: timedelta) -> str:
    """Return a duration for sentences, in the largest unit that gives a whole number: `1 d`, `90 min`, `45 s`."""
    seconds = round(span.total_seconds())
    for unit, size in (("d", _DAY), ("h", _HOUR), ("min", _MINUTE)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds} s"


def rounded_span(seconds: float) -> str:
    """Return a duration for sentences, rounded: `22 min`, `3 h`."""
    for unit, length, most in (("s", 1, 120), ("min", 60, 120), ("h", 3600, 48)):
        if seconds < most * length:
            return f"{round(seconds / length)} {unit}"
    return f"{round(seconds / _DAY)} d"
