"""Rewrites dates with digits of other scripts, Chinese numerals and years of eras, in ASCII digits (I40)."""

import re
import unicodedata
from typing import Final

from aggregator.text.xml_chars import normalised

_HAN: Final = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "○": 0, "元": 1}
_TENS = {"十": 1, "廿": 2, "卅": 3}
_HAN_NUMBER = re.compile(r"([〇零○一二三四五六七八九十廿卅]{1,6}|元(?=年))(?=\s*[年月日号號时時点點分秒])")
_HALF_PAST = re.compile(r"(?<=[时時点點])\s*半")
# The year before the first year of an era (Japan, Taiwan).
_ERAS = {"令和": 2018, "平成": 1988, "昭和": 1925, "民国": 1911, "民國": 1911}
_ERA_YEAR = re.compile(rf"(?:中華|中华)?({'|'.join(_ERAS)})\s*(\d{{1,3}})(?=\s*年)")
_TWO_WORDS = re.compile(r"(كانون|تشرين)\s+(?=ال)")  # month names of two words
_VIETNAMESE = re.compile(r"(\d{1,2})\s*tháng\s*(\d{1,2})[\s,/]*(?:năm\s*)?(\d{4})", re.IGNORECASE)
_INVISIBLE = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def normalise_numerals(text: str) -> str:
    """Rewrite digits of other scripts, Chinese numerals, and years of an era in a date as ASCII digits.

    A text that is not a date is returned with its digits rewritten; this function does not read the date.
    """
    text = "".join(_figure(char) for char in _INVISIBLE.sub("", normalised("NFKC", text)))
    text = _HAN_NUMBER.sub(lambda number: str(_han(number[1])), text)
    text = _HALF_PAST.sub("30分", text)
    text = _ERA_YEAR.sub(lambda year: str(_ERAS[year[1]] + int(year[2])), text)
    text = _TWO_WORDS.sub(r"\1", text)
    return _VIETNAMESE.sub(r"\3-\2-\1", text)


def _figure(char: str) -> str:
    if char.isascii():
        return char
    value = unicodedata.decimal(char, None)
    return char if value is None else str(value)


def _han(number: str) -> int:
    """Read 二〇二四 digit by digit, and 三十一 by its tens."""
    tens = next((char for char in number if char in _TENS), None)
    if tens is None:
        return int("".join(str(_HAN[char]) for char in number))
    before, _, after = number.partition(tens)
    factor = _HAN.get(before, 1) if tens == "十" else _TENS[tens]
    return factor * 10 + _HAN.get(after, 0)
