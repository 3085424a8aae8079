"""Conventions of publishers for dates: the day or the month first, and the zone at the end (I41).

The order follows from the unambiguous dates of a document. A zone is an offset, or a name that publishers use.
"""

import re
from collections.abc import Iterable
from datetime import UTC, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_FIGURES = re.compile(r"(?<![\d/.-])(\d{1,2})([/-])(\d{1,2})\2\d{4}(?![\d/.-])")
_MONTH_FIRST = frozenset({"en-US"})
_YEAR_FIRST = frozenset("fa hu ja ko lt mn zh".split())  # these languages do not write 03/04/2025


def is_in_figures(date: str) -> bool:
    """Return whether a date is written in figures, such as 3/4/2025, whose order other dates of the document tell."""
    return _FIGURES.search(date) is not None


def day_first(dates: Iterable[str | None], language: str | None) -> bool | None:
    """Return whether a document writes the day before the month.

    The unambiguous dates of the document decide. If there are none, its language decides, except English without a
    country, since English-speaking countries differ.

    Args:
        dates: all dates of the document, as written.
        language: BCP 47.

    Returns:
        None if the order is unknown or the dates contradict each other; then ambiguous dates are not read.
    """
    seen: set[bool] = set()
    for text in dates:
        figures = _FIGURES.search(text) if text else None
        if figures is None:
            continue
        first, second = int(figures[1]), int(figures[3])
        if first > 12 >= second:
            seen.add(True)
        elif second > 12 >= first:
            seen.add(False)
    if seen:
        return seen.pop() if len(seen) == 1 else None
    if language is None or language == "en":
        return None
    if language in _MONTH_FIRST:
        return False
    return None if language.partition("-")[0] in _YEAR_FIRST else True


# Hours from UTC (I41). Names of several zones (CST also in China, IST also in Israel) are read as the rule decides.
_HOURS = {
    0: "z ut utc gmt wet",
    -4: "edt",
    -5: "est et cdt",
    -6: "cst ct mdt",
    -7: "mst mt pdt",
    -8: "pst pt akdt",
    -9: "akst hdt",
    -10: "hst",
    1: "cet met mez west bst",
    2: "cest mest mesz eet",
    3: "eest msk",
    5.5: "ist",
    9: "jst",
}
_ZONES = {name: timezone(timedelta(hours=hours)) for hours, names in _HOURS.items() for name in names.split()}
OFFSET = re.compile(r"(?<![\w.])(?:(?:UTC|GMT|UT|Z)\s*)?([+\-−])(\d{1,2})(?::?(\d{2}))?(?![\d:])", re.IGNORECASE)
ISO_ZONE = re.compile(
    r"[A-Za-z]{1,5}|[A-Za-z]+(?:/[A-Za-z_+-]+){1,2}|(?:UTC|GMT|Z)?\s*[+\-−]\d{1,2}(?::?\d{2})?", re.IGNORECASE
)
_IANA_NAME = re.compile(r"[A-Z][A-Za-z]{1,14}(?:/[A-Za-z_+-]{2,20}){1,2}")  # Europe/Berlin
_HOUR_WORDS = frozenset(
    "uhr h hs hrs hours oclock г год года р року ч óra".split()
)  # words after a time that are not the name of a zone
_WORD = re.compile(r"[^\W\d_]+(?:\.[^\W\d_]+)*")


@lru_cache(maxsize=64)
def zone_of(name: str) -> tzinfo:
    """Return a zone by its IANA name."""
    return UTC if name == "UTC" else ZoneInfo(name)


def read_zone(text: str, zone: tzinfo) -> tuple[tzinfo, str | None]:
    """Read the zone at the end of a date (I41).

    Returns:
        The zone, and a notice if its name is unknown.

    Raises:
        ValueError: the offset does not exist.
    """
    if not text:
        return zone, None
    offset = OFFSET.search(text)
    if offset is not None:
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        if minutes > 14 * 60 or int(offset[3] or 0) > 59:
            raise ValueError("no such offset")
        return timezone(timedelta(minutes=minutes if offset[1] == "+" else -minutes)), None
    if re.search(r"\d", text):
        raise ValueError("no zone has a number in its name")
    if named_zone := _IANA_NAME.match(text):
        try:
            return zone_of(named_zone[0]), None
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return UTC, f"unknown zone {named_zone[0][:20]!r} read as UTC"
    word = _WORD.match(text)
    if word is None or word[0].casefold() in _HOUR_WORDS:
        return zone, None
    named = _ZONES.get(word[0].lower())
    return (named, None) if named else (UTC, f"unknown zone {word[0][:20]!r} read as UTC")
