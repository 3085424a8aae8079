"""Recognises misspelt category names: undeclared names that probably mean a declared category. Pure.

A false alarm would refuse a valid configuration. A name therefore counts as misspelt only if it differs from a declared
name by one typing error. Pairs that differ like two words are two names: `web3` and `web`, `newsroom` and `news`,
`cooking` and `booking`, `german` and `germany`, `politics-uk` and `politics-us`, 河南 and 湖南.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator

from aggregator.text.slugs import HAN, pinyin

LEAST = 5  # characters of the shorter word: in words of four, one letter often makes another word (`book`, `boot`)
LEAST_SWAPPED = 4  # characters where two neighbours are swapped, which seldom makes another word

Words = tuple[str, ...]

_SEPARATORS = re.compile(r"[\s_-]+")


class DeclaredNames:
    """Index of the declared names, so that a look-up does not compare a name with all of them."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(names)
        self._same: dict[str, str] = {}  # name without case and separators -> name
        self._shortened: dict[Words, list[str]] = {}  # words of a name, whole or with one character left out -> names
        for name in names:
            words = _words(name)
            self._same.setdefault("".join(words), name)
            for form in _forms(words):
                self._shortened.setdefault(form, []).append(name)

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def meant_by(self, name: str) -> str | None:
        """Return the declared name that `name` probably means; None if `name` is a new name."""
        words = _words(name)
        same = self._same.get("".join(words)) if words else None
        if same is not None:
            return same
        near = dict.fromkeys(known for form in _forms(words) for known in self._shortened.get(form, ()))
        return next((known for known in near if _is_slip(words, _words(known))), None)


def _words(name: str) -> Words:
    folded = unicodedata.normalize("NFKC", name).casefold()
    return tuple(filter(None, _SEPARATORS.split(folded)))


def _forms(words: Words) -> Iterator[Words]:
    """Yield the words, then the words with one character left out. Names that differ by one edit share one of these."""
    yield words
    for place, word in enumerate(words):
        for index in range(len(word)):
            yield (*words[:place], word[:index] + word[index + 1 :], *words[place + 1 :])


def _is_slip(written: Words, known: Words) -> bool:
    """Report whether two names of the same number of words differ in one typing error of one word."""
    if len(written) != len(known):
        return False
    different = [pair for pair in zip(written, known, strict=True) if pair[0] != pair[1]]
    return len(different) == 1 and _is_slip_of_word(*different[0])


def _is_slip_of_word(written: str, known: str) -> bool:
    short, long = sorted((written, known), key=len)
    first = next((place for place, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(short) < len(long):
        return len(short) >= LEAST and short[first:] == long[first + 1 :] and _is_stray(long, first)
    one, other = short[first:], long[first:]
    if one[:2] == other[1::-1] and one[2:] == other[2:]:
        return len(short) >= LEAST_SWAPPED and one[:2].isalpha()
    if first == 0 or one[1:] != other[1:]:
        return False
    if HAN.match(one) and HAN.match(other):  # input methods offer characters by their reading: the wrong one was chosen
        return len(short) >= LEAST_SWAPPED and pinyin(one[0]) == pinyin(other[0])
    return len(short) >= LEAST and one[0].isalpha() and other[0].isalpha()


def _is_stray(long: str, place: int) -> bool:
    """Report whether the character at `place` of the longer word is probably a typing error.

    A first letter seldom is one. A different last letter mostly makes another word (`india`, `indian`), except for the
    s of a plural.
    """
    added = long[place]
    if not added.isalpha() or HAN.match(added):
        return False
    if added == long[place - 1] and place:
        return True
    return 0 < place < len(long) - 1 or (place == len(long) - 1 and added == "s")
