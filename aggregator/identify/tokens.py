"""Tokens of a text, without word segmentation: results of segmenters differ between versions.

A word or a number is one token, and so is each character of a script that writes no blanks between words.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files

from aggregator.text.xml_chars import normalised

# Kana, bopomofo, hangul, Han with its extensions: scripts that write no blanks between words, or glue them together.
_CJK = (
    "\u3040-\u30ff\u3100-\u312f\u31a0-\u31bf\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_TOKEN = re.compile(rf"[{_CJK}]|\d+|[^\W\d_{_CJK}]+")
_HAN = re.compile("[\u4e00-\u9fff]")
# Optional marks in Hebrew and Arabic: points, vowel marks, the stroke that stretches a word.
_POINTS = re.compile(
    "[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed]"
)
WORD_WEIGHT = 2  # a word has about as much information as two characters


def folded(text: str) -> str:
    """Return the form in which texts are compared: NFKC, case folded, Han characters simplified, no points."""
    text = normalised("NFKC", text).casefold()
    if text.isascii():
        return text
    text = _POINTS.sub("", text)
    return text.translate(_simplified()) if _HAN.search(text) else text


def tokens_of(text: str) -> Iterator[str]:
    """Return the tokens of a text, in order."""
    return iter(_TOKEN.findall(folded(text)))  # at once: a generator takes twice as long


def is_number(token: str) -> bool:
    """Return whether a token is a number, or part of a version or a date. Where numbers differ, so do the stories."""
    return token[0].isdigit()


def weight(tokens: Iterable[str]) -> int:
    """Return how much information tokens have, in characters of a script like Chinese."""
    lengths = list(map(len, tokens))
    return WORD_WEIGHT * len(lengths) - (WORD_WEIGHT - 1) * lengths.count(1)


@cache
def _simplified() -> dict[int, str]:
    """Return the simplified form of each traditional character, from OpenCC's table; of several, the first."""
    table = files("opencc").joinpath("dictionary/TSCharacters.txt").read_text(encoding="utf-8")
    pairs = (line.split("\t") for line in table.splitlines() if "\t" in line)
    return {ord(old): new.split()[0] for old, new in pairs if len(old) == 1}
