"""Tokens of a text, without word segmentation: results of segmenters differ between versions.

A word or a number is one token, and so is each character of a script that writes no blanks between words. Titles are
compared by their tokens, without what sites add to them.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum, auto
from functools import cache, lru_cache
from importlib.resources import files

from aggregator.identify.budget import BoundedMatcher, Steps
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


_WIRE = re.compile(r"^[A-Z]{3,12}(?: \d{1,2})?\s*[-–—:]\s*")  # "UPDATE 1-", as agencies count their versions
_BETWEEN = re.compile(r"\s[|\-–—·•»/]\s|[|_：:]|\s?[-–—](?=[^\x00-\x7f])")  # a site's name, a label, a section
_PIECE = 4  # weight from which a piece between such marks may be a whole title
_RUN = 8  # the same for consecutive words without a mark around them
_HALF = 0.5


class Titles(Enum):
    """Result of comparing two titles."""

    SAME = auto()  # apart from a site's name, a label, blanks
    WITHIN = auto()  # one title contains the other
    ALIKE = auto()  # half of it is shared
    OTHER = auto()
    NUMBERS = auto()  # another issue, version, price or date: two stories, however alike they are


def compare_titles(one: str, other: str, steps: Steps) -> Titles:
    """Compare two titles; a missing title is like any other.

    Raises:
        TooCostly: the steps are used up.
    """
    ours, theirs = _tokens_of_title(one), _tokens_of_title(other)
    if not ours or not theirs:
        return Titles.ALIKE
    if ours == theirs or _is_piece(ours, other) or _is_piece(theirs, one):
        return Titles.SAME
    short, long = sorted(("".join(ours), "".join(theirs)), key=len)  # a blank may have got into a word, or out of it
    if short == long:
        return Titles.SAME
    if min(weight(ours), weight(theirs)) >= _RUN and short in long:  # also one that was cut inside a word
        return Titles.NUMBERS if any(map(str.isdigit, long.replace(short, "", 1))) else Titles.WITHIN
    if _numbers(ours) != _numbers(theirs):
        return Titles.NUMBERS
    return Titles.ALIKE if BoundedMatcher(ours, theirs, steps).ratio() >= _HALF else Titles.OTHER


@lru_cache(256)  # a new entry is compared with several
def _tokens_of_title(title: str) -> tuple[str, ...]:
    return tuple(tokens_of(_WIRE.sub("", title)))


def pieces_of(title: str) -> list[tuple[str, ...]]:
    """Return the pieces of a title between the marks that sites put around additions."""
    return [piece for part in _BETWEEN.split(_WIRE.sub("", title)) if (piece := tuple(tokens_of(part)))]


def holds(long: Sequence[str], short: Sequence[str]) -> bool:
    """Return whether a sequence of tokens contains another one without a gap."""
    return not short or _spaced(short) in _spaced(long)  # no token has a blank in it; Python's `in` is linear


def have_one_slot(one: Sequence[str], other: Sequence[str]) -> bool:
    """Return whether two titles differ in one place only, and share half of the shorter title: "Open thread: Monday".

    Issues of a series have such titles, and their texts may be the same each time.
    """
    least = min(len(one), len(other))
    before = next((i for i in range(least) if one[i] != other[i]), least)
    after = next((i for i in range(least - before) if one[-1 - i] != other[-1 - i]), least - before)
    return before + after < least and before + after >= _HALF * least


def _is_piece(title: tuple[str, ...], other: str) -> bool:
    """Return whether a title is one piece of another, and no number is in the rest."""
    pieces = pieces_of(other)
    if weight(title) < _PIECE or title not in pieces:
        return False
    return not any(is_number(token) for piece in pieces if piece != title for token in piece)


def _numbers(tokens: Sequence[str]) -> list[str]:
    return [token for token in tokens if is_number(token)]


def _spaced(tokens: Sequence[str]) -> str:
    return f" {' '.join(tokens)} "
