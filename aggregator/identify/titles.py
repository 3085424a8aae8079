"""Comparison of two titles, without what sites add to them."""

import re
from collections.abc import Sequence
from enum import Enum, auto
from functools import lru_cache

from aggregator.identify.budget import BoundedMatcher, Steps
from aggregator.identify.tokens import is_number, tokens_of, weight

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
