"""Text for terminals: no control characters, times and counts in words. JSON text of `--json`."""

import json
import re
from datetime import datetime, timedelta

from aggregator.text.durations import rounded_span

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


json_text = json.JSONEncoder(ensure_ascii=False).encode  # of what `--json` prints, and of log lines


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
