"""Rhythm of a source: the median gap between its entries, and the longest useful interval after a silence (P62)."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from operator import sub

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
