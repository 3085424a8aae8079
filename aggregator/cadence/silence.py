"""When a source that answers, and brings nothing new, counts as silent. Pure.

A source that had news on most of the days on which it usually has some, such as the working days of a newspaper, is
silent after a few such days without news. How many depends on how regular it was, and on its longest pause so far. For
all others, nothing is learned from a week or a month without news.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final

from aggregator.cadence.turn import median_gap

LEAST: Final = timedelta(days=1)  # no source is silent sooner, whatever `silent_after` says
SILENT: Final = timedelta(days=90)  # an irregular source is silent after so long,
FEW: Final = 15  # with fewer entries its rhythm is hardly known, and it is silent
SILENT_OF_FEW: Final = timedelta(days=180)  # after so long;
GAPS: Final = 6  # and after at least so many of its median gaps; a regular one, too, but after a week at the earliest
LONGEST: Final = 3  # and of its longest gap, among the last thirty and in the last 400 days
WEEK: Final = timedelta(days=7)
LEARNED: Final = 56  # days for which its news were seen, before anything is learned from them,
LOOKED_AT: Final = 182  # and how many of the last ones count
USUAL: Final = 0.25  # share of Mondays with news from which on Mondays are usual days
REGULAR: Final = 0.6  # share of its usual days with news: below, a source is irregular;
STEADY: Final = 0.9  # from here on it is steady
PATIENCE: Final = ((STEADY, 7), (REGULAR, 28))  # usual days without news, at least
PAUSES: Final = 2  # times the longest pause so far
_WEEKDAYS: Final = 7
_EPOCH: Final = date(1970, 1, 1)
_YEAR_ENDS: Final = ((12, 24), (1, 2))  # days between these are usual days of nobody


def silence_of(
    arrivals: Sequence[datetime],
    news_days: Callable[[], Sequence[int]],
    now: datetime,
    silent_after: timedelta | None = None,
) -> str | None:
    """Return in words since when a source has been silent; None if it is not.

    Args:
        arrivals: when its last entries came, oldest first; not empty.
        news_days: returns the days on which it brought news, as days since 1970, UTC, in order: of the last 400 days,
            without that of its first poll. Called only if the answer depends on it.
        now: the time, or that of its last success if that is long ago.
        silent_after: of feeds.yaml, which replaces all that is learned.
    """
    last, quiet = arrivals[-1], now - arrivals[-1]
    if silent_after is not None:
        return f"no new entry since {last:%Y-%m-%d}, and silent_after is over" if quiet >= silent_after else None
    usual = median_gap(arrivals) or timedelta(0)
    if quiet < GAPS * usual or quiet < WEEK:
        return None
    if quiet >= (SILENT if len(arrivals) >= FEW else SILENT_OF_FEW):
        if quiet < LONGEST * max((later - earlier for earlier, later in pairwise(arrivals)), default=timedelta(0)):
            return None
        day, news = timedelta(days=1), news_days()
        if quiet < LONGEST * day * max((later - earlier for earlier, later in pairwise(news)), default=0):
            return None
        rhythm = f"; there used to be one every {round(usual / day)} d" if usual > day else ""
        return f"no new entry since {last:%Y-%m-%d}{rhythm}"
    missed = missed_days(news_days(), (now.date() - _EPOCH).days)
    if not missed:
        return None
    return f"no new entry since {last:%Y-%m-%d}; it had some on most of its usual days, and now on none of {missed}"


def missed_days(news: Sequence[int], today: int) -> int:
    """Return for how many of its usual days a regular source has had no news; 0: not long enough to be silent.

    Args:
        news: days with news, as days since 1970, in order.
        today: which is not over and does not count.
    """
    if not news or news[-1] - news[0] + 1 < LEARNED:
        return 0
    last = news[-1]
    lately = range(max(news[0], last - LOOKED_AT + 1), last + 1)
    days = frozenset(news)
    weekdays = _usual_weekdays(days, lately)
    usual = [day for day in lately if _is_usual(day, weekdays)]
    share = sum(day in days for day in usual) / len(usual) if usual else 0.0
    patience = next((least for from_share, least in PATIENCE if share >= from_share), None)
    if patience is None:
        return 0
    pauses = (sum(_is_usual(day, weekdays) for day in range(one + 1, other)) for one, other in pairwise(news))
    missed = sum(_is_usual(day, weekdays) for day in range(last + 1, today))
    return missed if missed >= max(patience, PAUSES * max(pauses, default=0) + 1) else 0


def _usual_weekdays(days: Collection[int], lately: range) -> frozenset[int]:
    total = Counter(day % _WEEKDAYS for day in lately)
    hits = Counter(day % _WEEKDAYS for day in lately if day in days)
    return frozenset(weekday for weekday, count in total.items() if hits[weekday] >= USUAL * count)


def _is_usual(day: int, weekdays: Collection[int]) -> bool:
    if day % _WEEKDAYS not in weekdays:
        return False
    when = _EPOCH + timedelta(days=day)
    begin, end = _YEAR_ENDS
    return not ((when.month, when.day) >= begin or (when.month, when.day) < end)
