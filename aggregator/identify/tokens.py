"""Tokens of a text, without word segmentation: results of segmenters differ between versions.

A word or a number is one token, and so is each character of a script that writes no blanks between words. Titles are
compared by their tokens, without what sites add to them.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum, auto
from functools import cache, lru_cache
from importlib.resources import files

from aggregator.identify.boilerplate import without_label
from aggregator.identify.budget import BoundedMatcher, Steps
from aggregator.text.xml_chars import normalised

# Kana, bopomofo, hangul, Han with its extensions: scripts that write no blanks between words, or glue them together.
_CJK = (
    "\u3040-\u30ff\u3100-\u312f\u31a0-\u31bf\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_SINGLE = re.compile(rf"[{_CJK}]")
_TOKEN = re.compile(rf"[{_CJK}]|\d+|[^\W\d_{_CJK}]+")
# What a text may have or lack without being another text: soft hyphens, joiners, marks of direction; accents of Latin,
# Greek and Cyrillic letters; points, vowel marks and stretching strokes of Hebrew and Arabic; the nukta of Devanagari.
_OPTIONAL = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff\u0300-\u036f\u0483-\u0487"
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed\u093c]"
)
_NON_JOINER = re.compile("(?<=[\u0600-\u06ff])\u200c(?=[\u0600-\u06ff])")  # Persian: so, or a blank
_ACCENTED = re.compile("[\u00c0-\u024f\u0370-\u0451\u0457\u045e\u1e00-\u1fff]")
_FOLDED = re.compile("[\u0131\u02bc\u0621-\u06ff\u0901\u4e00-\u9fff]|(?![0-9])\\d")
# A form of a letter and the form in which it is compared, in turn: Arabic and Persian, Turkish, a mark used as an
# apostrophe, Devanagari.
_FORMS = "أاإاآاٱاىيیيېيۍيةهۀهہهک\u0643ڪ\u0643ؤوıi\u02bc'\u0901\u0902"
WORD_WEIGHT = 2  # a word has about as much information as two characters


def folded(text: str) -> str:
    """Return the form in which texts are compared.

    NFKC, case folded, without optional marks; one form for letters that writers of a language exchange (Arabic and
    Persian yeh and kaf, alef with and without hamza, Turkish dotless i), ASCII digits, simplified Han characters.
    """
    text = normalised("NFKC", text).casefold()
    if text.isascii():
        return text
    is_accented = _ACCENTED.search(text)
    text = _OPTIONAL.sub("", _NON_JOINER.sub(" ", normalised("NFD", text) if is_accented else text))
    if is_accented:  # kana and hangul were taken apart as well
        text = normalised("NFC", text)
    return text.translate(_letters()) if _FOLDED.search(text) else text


def tokens_of(text: str) -> Iterator[str]:
    """Return the tokens of a text, in order."""
    return iter(_TOKEN.findall(folded(text)))  # at once: a generator takes twice as long


def is_number(token: str) -> bool:
    """Return whether a token is a number, or part of a version or a date. Where numbers differ, so do the stories."""
    return token[0].isdigit()


def is_single(token: str) -> bool:
    """Return whether a token is a character of a script that writes no blanks between words."""
    return len(token) == 1 and _SINGLE.match(token) is not None


def weight(tokens: Iterable[str]) -> int:
    """Return how much information tokens have, in characters of a script like Chinese."""
    lengths = list(map(len, tokens))
    return WORD_WEIGHT * len(lengths) - (WORD_WEIGHT - 1) * lengths.count(1)


@cache
def _letters() -> dict[int, str]:
    """Return the form in which a letter or digit is compared, of those that have several.

    Traditional characters become simplified by OpenCC's table; of several forms, the first.
    """
    table = files("opencc").joinpath("dictionary/TSCharacters.txt").read_text(encoding="utf-8")
    pairs = (line.split("\t") for line in table.splitlines() if "\t" in line)
    digits = (code for code in range(0x80, 0x20000) if chr(code).isdecimal())
    return {
        **{ord(old): new.split()[0] for old, new in pairs if len(old) == 1},
        **{code: str(int(chr(code))) for code in digits},
        **{ord(form): letter for form, letter in zip(_FORMS[::2], _FORMS[1::2], strict=True)},
    }


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
    return tuple(tokens_of(_bare(title)))


@lru_cache(256)
def pieces_of(title: str) -> tuple[tuple[str, ...], ...]:
    """Return the pieces of a title between the marks that sites put around additions."""
    return tuple(piece for part in _BETWEEN.split(_bare(title)) if (piece := tuple(tokens_of(part))))


def holds(long: Sequence[str], short: Sequence[str]) -> bool:
    """Return whether a sequence of tokens contains another one without a gap."""
    return not short or _spaced(short) in _spaced(long)  # no token has a blank in it; Python's `in` is linear


def slot_of(one: Sequence[str], other: Sequence[str]) -> tuple[Sequence[str], Sequence[str]] | None:
    """Return what two titles have in the one place in which they differ: "Open thread: Monday".

    Issues of a series have such titles, and their texts may be the same each time.

    Returns:
        None if only one title has something there, or less than half of the shorter title is shared.
    """
    least = min(len(one), len(other))
    before = next((i for i in range(least) if one[i] != other[i]), least)
    after = next((i for i in range(least - before) if one[-1 - i] != other[-1 - i]), least - before)
    if before + after >= least or before + after < _HALF * least:
        return None
    return one[before : len(one) - after], other[before : len(other) - after]


def _bare(title: str) -> str:
    """Return a title without an agency's count of its versions and labels."""
    return without_label(_WIRE.sub("", title))


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
