"""Reads the zone at the end of a date: an offset, or a name that publishers use (I41)."""

import re
from datetime import UTC, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

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
