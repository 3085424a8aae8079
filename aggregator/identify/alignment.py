"""Two texts side by side: the runs of tokens that they share, and what stands between."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from difflib import Match
from itertools import pairwise
from operator import add
from typing import NamedTuple

from aggregator.identify.budget import BoundedMatcher, Steps
from aggregator.identify.tokens import is_number, ratio, weight

SPELLING = 0.6  # similarity of the letters of two words that may be spellings of one
SWAPPED = 2  # weight from which words in place of others are a swap: a character may be a typing error
NUMERALS = frozenset("〇零一二两三四五六七八九十百千万")  # one in place of another is not a typing error
PHRASE = 8  # weight up to which words at an end of the text may be a name
HEAD_GOES_ON = 4  # tokens
SENTENCE = 12  # weight of words between two marks that are a sentence, not a field of a form
SPELLING_BEGUN = 0.8  # the same where they begin otherwise: Montag and Sonntag, two streets
GLUED, SPELLING_GLUED = 8, 0.9  # letters of words with a blank more or less, and their similarity
REWRITTEN = 16  # weight of words; where so many differ, another passage stands there, not another number
FAR = 40  # tokens
_BLOCK = 2  # tokens; a single one is found in any text


class Gap(NamedTuple):
    """Tokens of two texts between two runs that both share, and the index of the first token in each text."""

    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    start: int
    other_start: int


@dataclass(frozen=True, slots=True)
class Alignment:
    """Two texts side by side. The core is what lies from their first shared run of tokens to the last."""

    inner: float  # similarity of the cores
    of_shorter: float  # share of the shorter text that the other has
    core: int  # tokens of the smaller core
    begins: int  # tokens before the core, in the text that has more of them there
    changed: int  # numbers that differ where the words around them are the same
    places: int  # where they differ
    mistyped: int  # of these, where the same digits stand in another order
    gaps: tuple["Gap", ...]  # between shared runs, before and after them

    @classmethod
    def of(cls, ours: Sequence[str], theirs: Sequence[str], steps: Steps) -> "Alignment":
        if ours == theirs:  # same result as the matcher, which takes the square of the length for repetitive texts
            found = [Match(0, 0, len(ours))]
        else:
            found = BoundedMatcher(ours, theirs, steps).get_matching_blocks()
        blocks = [block for block in found if block.size >= _BLOCK]
        while len(blocks) > 1 and _is_far(blocks[-2], blocks[-1]):
            blocks.pop()
        if not blocks:
            return cls(0.0, 0.0, 0, 0, 0, 0, 0, ())
        first, last = blocks[0], blocks[-1]
        one, other = last.a + last.size - first.a, last.b + last.size - first.b
        shared = sum(block.size for block in blocks)
        changed = list(_changed(ours, theirs, blocks))
        gaps = tuple(_gaps(ours, theirs, blocks))
        return cls(
            inner=2 * shared / (one + other),
            of_shorter=shared / min(len(ours), len(theirs)),
            core=min(one, other),
            begins=max(first.a, first.b),
            changed=sum(changed),
            places=len(changed) - changed.count(0),
            mistyped=sum(_is_mistyped_number(*gap[:2]) for gap in gaps),
            gaps=gaps,
        )

    @property
    def replaced(self) -> int:
        """Weight of the words that stand in place of others, where most do."""
        return max((min(weight(gap.ours), weight(gap.theirs)) for gap in self.gaps), default=0)

    def is_refilled(self, steps: Steps) -> bool:
        """Return whether one phrase replaces another twice: a name, in a form that was filled in again."""
        swaps = Counter(gap[:2] for gap in self.gaps if gap.ours and gap.theirs)
        return any(count > 1 and not are_spellings(*swap, steps) for swap, count in swaps.items())

    def swaps(self, marks: Set[int], other_marks: Set[int], steps: Steps) -> Iterator[Gap]:
        """Yield the gaps in which one text has other words than the other inside of a sentence.

        An agency's head, another paragraph and a note at the end are no swaps: they are long, or there is a mark
        between them and the shared text.

        Args:
            marks: places of the tokens before which a mark stands, with the first one and the end of the text.
            other_marks: the same of the other text.
            steps: that comparing letters may take.
        """
        for gap in self.gaps:
            if not (gap.ours and gap.theirs) or all(map(is_number, gap.ours)) or all(map(is_number, gap.theirs)):
                continue
            ends = gap.start + len(gap.ours), gap.other_start + len(gap.theirs)
            is_passage = {gap.start, ends[0]} <= marks or {gap.other_start, ends[1]} <= other_marks
            lengths = weight(gap.ours), weight(gap.theirs)
            if gap.start == gap.other_start == 0:  # "(Harbour Press)" and "(Inland Press)" are heads
                goes_on = range(ends[0], ends[0] + HEAD_GOES_ON), range(ends[1], ends[1] + HEAD_GOES_ON)
                is_passage = max(lengths) > PHRASE or not (
                    marks.isdisjoint(goes_on[0]) and other_marks.isdisjoint(goes_on[1])
                )
            elif ends == (max(marks), max(other_marks)):
                is_passage |= max(lengths) > PHRASE
            else:
                is_passage &= min(lengths) >= SENTENCE
            is_swap = max(lengths) >= SWAPPED or NUMERALS.issuperset(gap.ours + gap.theirs)
            if is_swap and not is_passage and not are_spellings(gap.ours, gap.theirs, steps):
                yield gap


def are_spellings(one: Sequence[str], other: Sequence[str], steps: Steps) -> bool:
    """Return whether two runs of words may be spellings of one: Kiev and Kyiv, colour and color, teh and the."""
    if are_mistyped(one, other):
        return True
    if len(one) != len(other):  # childrens section borowers, children's section borrowers
        letters = "".join(one), "".join(other)
        return min(map(len, letters)) >= GLUED and ratio(*letters, steps) >= SPELLING_GLUED
    pairs = list(zip(one, other, strict=True))
    return all(ratio(*words, steps) >= (SPELLING if words[0][0] == words[1][0] else SPELLING_BEGUN) for words in pairs)


def are_mistyped(one: Sequence[str], other: Sequence[str]) -> bool:
    """Return whether two runs of words have the same letters in another order."""
    return sorted("".join(one)) == sorted("".join(other))


def _is_far(block: Match, last: Match) -> bool:
    """Return whether the last shared run is two words of any text, far behind the others: "Read on" of an excerpt."""
    return last.size <= _BLOCK and max(last.a - block.a, last.b - block.b) - block.size > FAR


def _is_mistyped_number(one: Sequence[str], other: Sequence[str]) -> bool:
    """Return whether the numbers of two runs have the same digits in another order: 187 and 178."""
    ours, theirs = ("".join(filter(is_number, side)) for side in (one, other))
    return len(ours) > 1 and ours != theirs and sorted(ours) == sorted(theirs)


def _gaps(ours: Sequence[str], theirs: Sequence[str], blocks: Sequence[Match]) -> Iterator[Gap]:
    a = b = 0
    for start_a, start_b, size in (*blocks, (len(ours), len(theirs), 0)):
        if start_a > a or start_b > b:
            yield Gap(tuple(ours[a:start_a]), tuple(theirs[b:start_b]), a, b)
        a, b = start_a + size, start_b + size


def _changed(ours: Sequence[str], theirs: Sequence[str], blocks: Sequence[Match]) -> Iterator[int]:
    """Return how many numbers differ in each gap in which hardly more than they differs."""
    first, last = blocks[0], blocks[-1]
    for before, after in pairwise(blocks):
        yield _numbers_of(ours[before.a + before.size : after.a], theirs[before.b + before.size : after.b], add)
    # One may have a dateline; where both begin or end with numbers, the numbers belong to the story.
    yield _numbers_of(ours[: first.a], theirs[: first.b], min)
    yield _numbers_of(ours[last.a + last.size :], theirs[last.b + last.size :], min)


def _numbers_of(one: Sequence[str], other: Sequence[str], choose: Callable[[int, int], int]) -> int:
    found = [sum(map(is_number, side)) for side in (one, other)]
    words = max(weight(side) - weight(filter(is_number, side)) for side in (one, other))
    return choose(*found) if words < REWRITTEN else 0
