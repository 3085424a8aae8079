"""What people read on a terminal: nothing in it that the terminal would obey, and spans of time as one says them."""

import json
import re
from datetime import datetime, timedelta

from aggregator.text.durations import rounded_span

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


json_text = json.JSONEncoder(ensure_ascii=False).encode  # of what `--json` prints, and of log lines


def printable(text: str) -> str:
    """Take out whatever is no character or new line (S31)."""
    return _UNPRINTABLE.sub("", text)


def ahead_in_words(when: datetime, now: datetime) -> str:
    """Say how far ahead an instant is: `in 64 min`, `now`, `now, 5 min late`."""
    gap = when - now
    if gap <= timedelta(0):
        return f"now, {rounded_span(-gap.total_seconds())} late" if -gap > timedelta(minutes=1) else "now"
    return f"in {rounded_span(gap.total_seconds())}"


def counted(count: int, one: str, many: str = "") -> str:
    """Say how many: `1 source`, `1,200 sources`.

    Args:
        count: of them.
        one: what one of them is called.
        many: what several are called, if that is not `one` with an s.
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"
