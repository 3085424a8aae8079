"""What people read on a terminal: nothing in it that the terminal would obey, and spans of time as one says them."""

import re
from datetime import datetime, timedelta

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """Take out whatever is no character or new line (S31)."""
    return _UNPRINTABLE.sub("", text)


def span_in_words(span: timedelta) -> str:
    """Say a span in the largest unit that gives a whole number: `1 d`, `90 min`, `45 s`."""
    seconds = round(span.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def about(span: timedelta) -> str:
    """Say a span roughly: `90 min`, `48 h`."""
    minutes = round(span.total_seconds() / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"


def ahead_in_words(when: datetime, now: datetime) -> str:
    """Say how far ahead an instant is: `in 64 min`, `now`, `now, 5 min late`."""
    gap = when - now
    if gap <= timedelta(0):
        return f"now, {about(-gap)} late" if -gap > timedelta(minutes=1) else "now"
    return f"in {about(gap)}"


def counted(count: int, one: str, many: str = "") -> str:
    """Say how many: `1 source`, `1,200 sources`.

    Args:
        count: of them.
        one: what one of them is called.
        many: what several are called, if that is not `one` with an s.
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"
