"""Reads dates in the forms that publishers use (I40 to I44). A date that can't be read is None; nothing is guessed."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from aggregator.clean.date_conventions import ISO_ZONE, OFFSET, read_zone
from aggregator.clean.months import month_of
from aggregator.clean.numerals import normalise_numerals

EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)  # older dates are errors: epoch 0, year 0001 (I43)
_MAX_LENGTH = 100  # characters of a date

_AM_PM = re.compile(
    r"(?P<am>(?<![^\W\d])a\.?\s?m\b\.?|上午|早上|清晨|凌晨|오전|午前|صباح\w*|(?<!\w)(?:ص|π\.?μ|öö|sa)(?!\w))"
    r"|(?P<pm>(?<![^\W\d])p\.?\s?m\b\.?|下午|傍晚|晚上|오후|午後|مساء\w*|(?<!\w)(?:م|μ\.?μ|ös|ch)(?!\w))",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d")
_RFC822 = re.compile(
    r"(?:[A-Za-z]{3},? +)?(\d{1,2}) +([A-Za-z]{3}) +(\d{4}) +(\d{1,2}):(\d{2})(?::(\d{2}))? *"
    r"([+-]\d{4}|(?![APap][Mm]$)[A-Za-z]{1,5})?"
)
_ISO = re.compile(
    r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?|-?W(\d{2})(?:-?([1-7]))?|-(\d{3}))"
    r"(?:(?:[Tt_]|\s+|$)(?:(\d{1,2})(?::?(\d{2})(?::?(\d{2})(?:[.,]\d+|:\d{1,3})?)?)?)?\s*(\S[\S ]{0,40})?)?"
)
_BASIC = re.compile(r"(\d{4})(\d{2})(\d{2})(?:[Tt ]?(\d{2})(\d{2})(\d{2})?(?:[.,]\d+)?\s*(\S{0,10}))?|(\d{4})(\d{3})")
_SEPARATED = re.compile(
    r"(?<![\d/.-])(?:(\d{4})([/.-]) ?(\d{1,2})\2 ?(\d{1,2})\.?|(\d{1,2})\.(\d{1,2})\.(\d{4})"
    r"|(\d{1,2})([/-])(\d{1,2})\9(\d{4}))(?=[\s,]|$)"
)
_CJK = re.compile(r"(\d{4})\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日号號일]?")
_CJK_TIME = re.compile(r"(\d{1,2})\s*[时時点點시]\s*(?:(\d{1,2})\s*[分분])?\s*(?:(\d{1,2})\s*[秒초])?")
_TIME = re.compile(r"(?<![\d:])(\d{1,2})(?::|\s?h\s?)(\d{1,2})(?::(\d{1,2})(?:[.,]\d+)?)?(?![\d:])")
_DOTTED_TIME = re.compile(r"(?<=\d{4})(\W{1,3}(?:klo? |kl\. |alle |pukul )?\d{1,2})\.(\d{2})(?:\.(\d{2}))?(?![\d.])")
_EPOCH = re.compile(r"(\d{9,10})(?:\.\d+)?|(\d{12,13})|(\d{15,16})")
_IN_URL = re.compile(
    r"(?<=/)(?:((?:19|20)\d\d)([/-])(\d\d)\2(\d\d)(?=[/_.-]|$)|t?((?:19|20)\d\d)/?(\d\d)(\d\d)(?=[/_-]))"
)
_WORD = re.compile(r"[^\W\d_]+(?:\.[^\W\d_]+)*")
_NUMBER = re.compile(r"(?<![\d:])\d{1,4}(?![\d:])")


@dataclass(frozen=True, slots=True)
class ParsedDate:
    """The result of reading a date."""

    when: datetime | None  # aware UTC; None if the text is not a date
    notice: str | None = None  # an irregularity, such as an unknown zone


NO_DATE = ParsedDate(None)


def parse_date(text: str | None, zone: tzinfo = UTC, *, day_first: bool | None = None) -> datetime | None:
    """Read a date; None for a text without a date, and for dates before 1990 (I43).

    Args:
        text: as written.
        zone: the zone of the source, for a date without a zone (I41).
        day_first: whether 03/04/2025 is 3 April; with None such a date can't be read.
    """
    return read_date(text, zone, day_first=day_first).when


def read_date(text: str | None, zone: tzinfo = UTC, *, day_first: bool | None = None) -> ParsedDate:
    """Read a date as `parse_date` does, and return irregularities too."""
    text = _normal(text)
    if not text or len(text) > _MAX_LENGTH or not _DIGIT.search(text):
        return NO_DATE
    try:
        for read in (_rfc822, _iso, _epoch, _basic, _cjk):
            found = read(text, zone)
            if found is not None:
                return _in_range(found)
        found = _numeric(text, zone, day_first) or _with_month_name(text, zone)
    except (ValueError, OverflowError):  # the day or hour does not exist (I44)
        return NO_DATE
    return _in_range(found) if found is not None else NO_DATE


def date_in(url: str, zone: tzinfo = UTC) -> datetime | None:
    """Read the day in the path of a URL, such as /2024/03/04/ or /t20240304_1.html; None if there is none.

    Used for entries without any other date.
    """
    match = _IN_URL.search(url.partition("?")[0].partition("#")[0])
    if match is None:
        return None
    year, month, day = int(match[1] or match[5]), int(match[3] or match[6]), int(match[4] or match[7])
    try:
        return _in_range(_date_time(date(year, month, day), (0, 0, 0), "", zone)).when
    except (ValueError, OverflowError):
        return None


def _normal(text: str | None) -> str:
    if not text:
        return ""
    text = text[: 2 * _MAX_LENGTH].strip()
    if not text.isascii():
        text = normalise_numerals(text).strip()
    if "(" in text:  # Wed, 02 Oct 2002 15:00:00 +0200 (CEST); 2024年3月4日(月) 10:00
        text = re.sub(r"\([^()]*\)\s*$|\([^()\d]{1,12}\)", " ", text).strip()
    if text.endswith("]"):  # 2024-03-04T10:00:00+01:00[Europe/Berlin] (RFC 9557)
        text, _, name = text[:-1].partition("[")
        text += "" if re.search(r"(?:[+-]\d\d:?\d\d|[Zz])$", text) else f" {name}"
    return text


def _in_range(read: ParsedDate) -> ParsedDate:
    if read.when is None:
        return NO_DATE
    when = read.when.astimezone(UTC)
    return ParsedDate(when, read.notice) if when >= EARLIEST else NO_DATE


def _rfc822(text: str, zone: tzinfo) -> ParsedDate | None:
    """Read the form that most feeds use. `_with_month_name` reads the form too, but takes five times the time."""
    match = _RFC822.fullmatch(text)
    month = month_of(match[2]) if match else None
    if match is None or month is None:
        return None
    time = (int(match[4]), int(match[5]), int(match[6] or 0))
    return _date_time(date(int(match[3]), month, int(match[1])), time, match[7] or "", zone)


def _epoch(text: str, _: tzinfo) -> ParsedDate | None:
    """Read Unix time in seconds, milliseconds or microseconds."""
    match = _EPOCH.fullmatch(text)
    if match is None:
        return None
    seconds = int(match[1]) if match[1] else int(match[2]) / 1000 if match[2] else int(match[3]) / 1_000_000
    return ParsedDate(datetime.fromtimestamp(int(seconds), UTC))


def _iso(text: str, zone: tzinfo) -> ParsedDate | None:
    """Read RFC 3339, and ISO 8601 with hyphens: days, weeks, ordinal days, months."""
    match = _ISO.fullmatch(text)
    if match is None:
        is_year = re.fullmatch(r"(?:19|20)\d\d", text)
        return _date_time(date(int(text), 1, 1), (0, 0, 0), "", zone) if is_year else None
    year, month, day, week, weekday, ordinal, hour, minute, second, rest = match.groups()
    if week:
        found = date.fromisocalendar(int(year), int(week), int(weekday or 1))
    elif ordinal:
        found = _ordinal(int(year), int(ordinal))
    else:
        found = date(int(year), int(month), int(day or 1))
    if rest and (hour is None or not ISO_ZONE.fullmatch(rest) or _AM_PM.fullmatch(rest)):
        return None  # 2013-01-27-01, 2024-03-05 something, 2024-03-05 03:04 PM
    return _date_time(found, (int(hour or 0), int(minute or 0), int(second or 0)), rest or "", zone)


def _basic(text: str, zone: tzinfo) -> ParsedDate | None:
    """Read ISO 8601 without hyphens: 20250305T101112Z and 2025064."""
    match = _BASIC.fullmatch(text)
    if match is None:
        return None
    if match[8]:
        return _date_time(_ordinal(int(match[8]), int(match[9])), (0, 0, 0), "", zone)
    time = (int(match[4] or 0), int(match[5] or 0), int(match[6] or 0))
    return _date_time(date(int(match[1]), int(match[2]), int(match[3])), time, match[7] or "", zone)


def _cjk(text: str, zone: tzinfo) -> ParsedDate | None:
    """Read 2025年3月5日 下午 3:04 and 2004년 05월 28일 01:31:15."""
    match = _CJK.search(text)
    if match is None:
        return None
    rest = text[match.end() :]
    clock = _CJK_TIME.search(rest)
    if clock is not None:
        rest = f"{rest[: clock.start()]} {clock[1]}:{clock[2] or '00'}:{clock[3] or '00'} {rest[clock.end() :]}"
    return _with_time(date(int(match[1]), int(match[2]), int(match[3])), rest, zone)


def _numeric(text: str, zone: tzinfo, day_first: bool | None) -> ParsedDate | None:
    """Read 2025/03/05, 05.03.2025 and 3/5/2025."""
    match = _SEPARATED.search(text)
    if match is None:
        return None
    year, _, month, day, dotted_day, dotted_month, dotted_year, first, _, second, last = match.groups()
    if first:
        found = _date_of_two_orders(int(first), int(second), int(last), day_first)
    else:
        found = date(int(year or dotted_year), int(month or dotted_month), int(day or dotted_day))
    rest = f"{text[: match.start()]} {text[match.end() :]}"
    if found is None or (re.search(r"\d", rest) and not _TIME.search(rest)):
        return NO_DATE
    return _with_time(found, rest, zone)


def _date_of_two_orders(first: int, second: int, year: int, day_first: bool | None) -> date | None:
    """Return the date of 3/5/2025: a number above 12 is the day, otherwise `day_first` decides.

    Returns:
        None if `day_first` is needed and is None.
    """
    if first > 12 or second > 12:
        day_first = first > 12
    elif first != second and day_first is None:
        return None
    return date(year, second, first) if day_first else date(year, first, second)


def _with_month_name(text: str, zone: tzinfo) -> ParsedDate | None:
    """Read dates with the name of a month: RFC 822, asctime, and forms that people write."""
    words = [(word, month_of(word[0])) for word in _WORD.finditer(text)]
    # The last month name counts: "mar" may be a Tuesday in Italian and Spanish, as in "mar, 05 nov 2024".
    month = next(((word, number) for word, number in reversed(words) if number), None)
    if month is None:
        return None
    if not _TIME.search(text):
        return (
            _with_month_name(with_colons, zone)
            if (with_colons := _DOTTED_TIME.sub(_with_colons, text)) != text
            else _around_month_name(text, month, zone)
        )
    return _around_month_name(text, month, zone)


def _with_colons(time: re.Match[str]) -> str:
    return f"{time[1]}:{time[2]}:{time[3] or '00'}"


def _around_month_name(text: str, month: tuple[re.Match[str], int], zone: tzinfo) -> ParsedDate | None:
    word, number = month
    before, after = text[: word.start()], text[word.end() :]
    clock = _TIME.search(text)
    plain = OFFSET.sub(_kept_if_date, _TIME.sub(" ", f"{before} \x00 {after}")) if clock else f"{before} \x00 {after}"
    figures = [figure[0] for figure in _NUMBER.finditer(plain)]
    if len(figures) != 2:
        return None
    day, year = figures
    if len(day) == 4:  # 2004-july-13
        day, year = year, day
    return _with_time(date(_year(year), number, int(day)), _time_and_zone_of(text, word, figures), zone)


def _kept_if_date(offset: re.Match[str]) -> str:
    """Keep a hyphen and a number that are part of the date: 05-Mar-2025 has no offset."""
    rest = offset.string[offset.end() : offset.end() + 3]
    return offset[0] if "\x00" in rest or "\x00" in offset.string[max(0, offset.start() - 3) : offset.start()] else " "


def _time_and_zone_of(text: str, month: re.Match[str], figures: Iterable[str]) -> str:
    """Return the time and the zone of a date: remove the month's name and everything before the time."""
    clock = _TIME.search(text)
    if clock is None:
        return ""
    # asctime has the year after the time, sometimes after the zone: Sun Jul 15 01:16:00 +0000 2012
    rest = text[clock.start() :]
    behind = clock.end() - clock.start()
    for figure in figures:
        rest = rest[:behind] + re.sub(rf"(?<![\d:+\-−]){figure}(?!\d|:)", " ", rest[behind:], count=1)
    return rest if month.start() < clock.start() else rest.replace(month[0], " ", 1)


def _year(text: str) -> int:
    """Read a year of two, three or four digits (RFC 5322, section 4.3)."""
    number = int(text)
    if len(text) == 2:
        return number + (2000 if number < 50 else 1900)
    return number + 1900 if len(text) == 3 else number


def _with_time(day: date, rest: str, zone: tzinfo) -> ParsedDate | None:
    """Add the time and the zone in the rest of the text to a date; midnight if the rest has no time."""
    clock = _TIME.search(rest)
    if clock is None:
        return _date_time(day, (0, 0, 0), "", zone)
    hour, minute, second = int(clock[1]), int(clock[2]), int(clock[3] or 0)
    before, after = rest[: clock.start()].strip(), rest[clock.end() :].strip()
    am_pm = _AM_PM.search(after) or _AM_PM.search(before)
    if am_pm is not None:
        hour = hour % 12 + (12 if am_pm["pm"] else 0) if 1 <= hour <= 12 else hour
        after = _AM_PM.sub(" ", after)
    return _date_time(day, (hour, minute, second), after, zone)


def _date_time(day: date, time: tuple[int, int, int], rest: str, zone: tzinfo) -> ParsedDate:
    """Combine a day, a time and a zone.

    Raises:
        ValueError: the time or the offset does not exist.
    """
    hour, minute, second = time
    days = 0
    if hour == 24 and minute == second == 0:  # 24:00 is 00:00 of the next day (I44)
        hour, days = 0, 1
    if second == 60:  # a leap second
        second = 59
    own, notice = read_zone(rest.strip(), zone)
    when = datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=own)
    return ParsedDate(when + timedelta(days=days), notice)


def _ordinal(year: int, day: int) -> date:
    found = date(year, 1, 1) + timedelta(days=day - 1)
    if day < 1 or found.year != year:
        raise ValueError("no such day of the year")
    return found
