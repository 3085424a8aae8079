"""Comparison of two entries by title and text: whether they tell the same story.

In doubt, two stories. What an agency, an editor or a site adds before and after a text is ignored only where the titles
are the same, or one contains the other. Numbers that differ inside a text make it another story, however similar the
rest is.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import Match
from functools import cached_property, lru_cache
from itertools import islice, pairwise
from operator import or_

from aggregator.identify.budget import BoundedMatcher, Steps, TooCostly
from aggregator.identify.tokens import Titles, compare_titles, have_one_slot, holds, is_number, tokens_of, weight

NEAR = 0.85  # text similarity that is required where the titles are the same
MAX_TOKENS = 1_500  # compared of each side
MAX_CHARACTERS = 65_536  # of a text, from which the tokens are taken: folding costs time for the whole length
MIN_TEXT = 16  # weight; a shorter text is no evidence by itself
MIN_TITLE = 12  # least weight of a title that is evidence alone, where there is no text
MIN_EXCERPT = 8  # and where the text of one entry is part of the other's
CORE = 0.6  # share of the shorter text that lies between its head and its tail
LINKED = 0.8  # similarity, under one link, where the titles are alike
EXCERPT = 0.9  # share of the shorter text, under one link, that is part of the longer
LONG = 200  # tokens; in a long text under one link a number in fifty may differ: a counter, a corrected figure
FIGURES = 0.02
RETITLED = 300  # tokens; a text under another title must have so many, or it may be a form that each issue fills in,
RETITLED_ALIKE = 0.98  # and be almost equal from the first word to the last
SPELLING = 0.6  # similarity of the letters of two words that may be spellings of one
_BLOCK = 2  # tokens; a single one is found in any text


@dataclass(frozen=True)
class Telling:
    """Title and plain text of one entry, tokenised once, however often they are compared."""

    title: str
    text: str
    instant: datetime | None = None  # its own date, if that has seconds and is not rounded to a day or an hour

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        """Tokens of the text, at most `MAX_TOKENS`."""
        return _tokens_of_text(self.text)

    @cached_property
    def pairs(self) -> frozenset[tuple[str, str]]:
        """Pairs of consecutive tokens of the text."""
        return frozenset(pairwise(self.tokens))

    @cached_property
    def is_short(self) -> bool:
        """Whether the text is no evidence by itself."""
        return weight(self.tokens[:MIN_TEXT]) < MIN_TEXT  # no token weighs less than 1

    @cached_property
    def title_weight(self) -> int:
        """Weight of the title, see `weight`."""
        return weight(tokens_of(self.title))


@lru_cache(64)  # the bands of a new entry, each comparison with it, and the candidates that documents share
def _tokens_of_text(text: str) -> tuple[str, ...]:
    return tuple(islice(tokens_of(text[:MAX_CHARACTERS]), MAX_TOKENS))


@dataclass(frozen=True, slots=True)
class Likeness:
    """Result of comparing two entries."""

    is_same: bool
    similarity: float  # of the texts between their heads and tails, 0 to 1
    because: str  # the reason, for `why`
    is_compared: bool = True  # False: comparing would have cost too much, so they count as two stories


NOT_COMPARED = Likeness(False, 0.0, "too costly to compare", is_compared=False)


def likeness(one: Telling, other: Telling, *, linked: bool = False, near: float = NEAR) -> Likeness:
    """Compare two entries.

    Args:
        one: an entry.
        other: another.
        linked: they have one link, or one id that is unlikely to occur twice by chance.
        near: the similarity that is required, 0 to 1.
    """
    try:
        return _likeness(one, other, linked=linked, near=near, steps=Steps())
    except TooCostly:
        return NOT_COMPARED


def _likeness(one: Telling, other: Telling, *, linked: bool, near: float, steps: Steps) -> Likeness:
    titles = compare_titles(one.title, other.title, steps)
    if titles is Titles.NUMBERS:
        return Likeness(False, 0.0, "numbers differ in the titles")
    if one.is_short or ((linked or titles is not Titles.OTHER) and other.is_short):
        return _by_title(one, other, titles, linked=linked)
    if not linked and not may_be_near(one, other, titles, near):
        return Likeness(False, 0.0, "the texts differ")
    texts = _Alignment.of(one.tokens, other.tokens, steps)
    if not linked and titles in (Titles.ALIKE, Titles.OTHER) and _is_form(one.title, other.title, texts):
        return Likeness(False, texts.inner, "one form, filled in for another title")
    return _by_text(texts, titles, linked=linked, near=near, steps=steps)


def may_be_versions(one: Telling, other: Telling) -> bool | None:
    """Return whether two entries under one `urn:` or `tag:` id can be two versions of one story.

    Such ids are made to be unique, yet `urn:post:1` and the example of RFC 4287 are found in many feeds.

    Returns:
        None if comparing would cost too much.
    """
    try:
        return _may_be_versions(one, other, Steps())
    except TooCostly:
        return None


def _may_be_versions(one: Telling, other: Telling, steps: Steps) -> bool:
    apart = (Titles.OTHER, Titles.NUMBERS)
    if one.title and other.title and compare_titles(one.title, other.title, steps) not in apart:
        return True
    if one.is_short or other.is_short:
        return False
    return _Alignment.of(one.tokens, other.tokens, steps).of_shorter >= CORE


def may_be_near(one: Telling, other: Telling, titles: Titles, near: float) -> bool:
    """Return whether two texts under different links share enough tokens for `_by_text` to find one story.

    Each run of an alignment has `_BLOCK` tokens or more, so each of its tokens is in a pair that both texts have.
    Counting these costs 0.1 ms, an alignment 1 to 5 ms, and most candidates share no more than a title or a sentence.
    """
    has_title = titles in (Titles.SAME, Titles.WITHIN)
    if not has_title and len(one.tokens) < RETITLED:
        return False  # before the other's text is read
    short, both = min(len(one.tokens), len(other.tokens)), len(one.tokens) + len(other.tokens)
    least = max(near, RETITLED_ALIKE)
    if not has_title and (short < RETITLED or 2 * short / both < least):
        return False
    there = list(map(one.pairs.__contains__, pairwise(other.tokens)))
    most: int = sum(map(or_, [False, *there], [*there, False]))
    return most / short >= CORE if has_title else 2 * most / both >= least


def _by_title(one: Telling, other: Telling, titles: Titles, *, linked: bool) -> Likeness:
    """Compare entries of which at least one has hardly any text."""
    short, long = sorted((one.tokens, other.tokens), key=len)
    enough = min(one.title_weight, other.title_weight)
    if titles is Titles.SAME and (linked or short == long or (not short and enough >= MIN_TITLE)):
        return Likeness(True, 1.0, "same title")
    if titles in (Titles.SAME, Titles.WITHIN) and short and enough >= MIN_EXCERPT and holds(long, short):
        return Likeness(True, 1.0, "same title, and the text of one stands in the other's")
    if titles is Titles.WITHIN and linked:
        return Likeness(True, 1.0, "same link, and one title goes on where the other ends")
    together = one.instant is not None and one.instant == other.instant
    if titles in (Titles.WITHIN, Titles.ALIKE) and together and not long:
        return Likeness(True, 1.0, "like titles of the same second")
    return Likeness(False, 0.0, "too little text to go by")


def _by_text(texts: "_Alignment", titles: Titles, *, linked: bool, near: float, steps: Steps) -> Likeness:
    differs = Likeness(False, texts.inner, "the texts differ")
    if texts.figures > (FIGURES * texts.core if linked and texts.core >= LONG else 0):
        return Likeness(False, texts.inner, "numbers differ in the texts")
    if not linked and texts.is_refilled(steps):
        return Likeness(False, texts.inner, "one form, filled in with another name")
    if titles in (Titles.SAME, Titles.WITHIN):
        if texts.inner < near or texts.of_shorter < CORE:
            return differs
        return Likeness(True, texts.inner, "same title, same text")
    if linked:
        least = LINKED if titles is Titles.ALIKE else EXCERPT
        if texts.inner < min(least, near) or texts.of_shorter < least:
            return differs
        return Likeness(True, texts.inner, "same link, agreeing text")
    if texts.core < RETITLED:
        return Likeness(False, texts.inner, "other titles, and the text may be a form")
    if texts.whole < max(near, RETITLED_ALIKE):
        return differs
    return Likeness(True, texts.inner, "same text under another title")


def _is_form(one: str, other: str, texts: "_Alignment") -> bool:
    """Return whether the difference between two titles was filled in: in one place, or in the texts as well."""
    ours, theirs = tuple(tokens_of(one)), tuple(tokens_of(other))
    if have_one_slot(ours, theirs):
        return True
    return any(
        (holds(ours, mine) and not holds(theirs, mine)) or (holds(theirs, yours) and not holds(ours, yours))
        for mine, yours in texts.gaps
        if mine and yours  # an agency's addition before the text has no counterpart
    )


@dataclass(frozen=True, slots=True)
class _Alignment:
    """Two texts side by side. The core is what lies from their first shared run of tokens to the last."""

    inner: float  # similarity of the cores
    whole: float  # similarity of the whole texts
    of_shorter: float  # share of the shorter text that the other has
    core: int  # tokens of the smaller core
    figures: int  # numbers that have no counterpart
    gaps: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]  # tokens between shared runs, before and after them

    @classmethod
    def of(cls, ours: Sequence[str], theirs: Sequence[str], steps: Steps) -> "_Alignment":
        if ours == theirs:  # same result as the matcher, which takes the square of the length for repetitive texts
            found = [Match(0, 0, len(ours))]
        else:
            found = BoundedMatcher(ours, theirs, steps).get_matching_blocks()
        blocks = [block for block in found if block.size >= _BLOCK]
        if not blocks:
            return cls(0.0, 0.0, 0.0, 0, 0, ())
        first, last = blocks[0], blocks[-1]
        one, other = last.a + last.size - first.a, last.b + last.size - first.b
        shared = sum(block.size for block in blocks)
        return cls(
            inner=2 * shared / (one + other),
            whole=2 * shared / (len(ours) + len(theirs)),
            of_shorter=shared / min(len(ours), len(theirs)),
            core=min(one, other),
            figures=_figures(ours, theirs, blocks),
            gaps=tuple(_gaps(ours, theirs, blocks)),
        )

    def is_refilled(self, steps: Steps) -> bool:
        """Return whether one phrase replaces another twice: a name, in a form that was filled in again."""
        swaps = Counter(gap for gap in self.gaps if all(gap))
        return any(count > 1 and not _are_spellings(*swap, steps) for swap, count in swaps.items())


def _are_spellings(one: Sequence[str], other: Sequence[str], steps: Steps) -> bool:
    """Return whether two runs of words may be spellings of one: Kiev and Kyiv, colour and color."""
    if len(one) != len(other):
        return "".join(one) == "".join(other)
    # The ratio depends on the order of the two.
    pairs = [pair for words in zip(one, other, strict=True) for pair in (words, words[::-1])]
    return all(BoundedMatcher(*pair, steps).ratio() >= SPELLING for pair in pairs)


def _gaps(
    ours: Sequence[str], theirs: Sequence[str], blocks: Sequence[Match]
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    a = b = 0
    for start_a, start_b, size in (*blocks, (len(ours), len(theirs), 0)):
        if start_a > a or start_b > b:
            yield tuple(ours[a:start_a]), tuple(theirs[b:start_b])
        a, b = start_a + size, start_b + size


def _figures(ours: Sequence[str], theirs: Sequence[str], blocks: Sequence[Match]) -> int:
    """Count the numbers outside of shared runs that the other text lacks."""
    count = 0
    for before, after in pairwise(blocks):
        count += sum(map(is_number, ours[before.a + before.size : after.a]))
        count += sum(map(is_number, theirs[before.b + before.size : after.b]))
    first, last = blocks[0], blocks[-1]
    for one, other in (
        (ours[: first.a], theirs[: first.b]),
        (ours[last.a + last.size :], theirs[last.b + last.size :]),
    ):  # one may have a dateline; where both begin or end with numbers, the numbers belong to the story
        count += min(sum(map(is_number, one)), sum(map(is_number, other)))
    return count
