"""Two texts side by side: the runs of tokens that they share, and what stands between."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import Match
from itertools import pairwise
from operator import add

from aggregator.identify.budget import BoundedMatcher, Steps
from aggregator.identify.tokens import is_number, weight

SPELLING = 0.6  # similarity of the letters of two words that may be spellings of one
REWRITTEN = 16  # weight of words; where so many differ, another passage stands there, not another number
_BLOCK = 2  # tokens; a single one is found in any text


@dataclass(frozen=True, slots=True)
class Alignment:
    """Two texts side by side. The core is what lies from their first shared run of tokens to the last."""

    inner: float  # similarity of the cores
    of_shorter: float  # share of the shorter text that the other has
    core: int  # tokens of the smaller core
    changed: int  # numbers that differ where the words around them are the same
    places: int  # where they differ
    gaps: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]  # tokens between shared runs, before and after them

    @classmethod
    def of(cls, ours: Sequence[str], theirs: Sequence[str], steps: Steps) -> "Alignment":
        if ours == theirs:  # same result as the matcher, which takes the square of the length for repetitive texts
            found = [Match(0, 0, len(ours))]
        else:
            found = BoundedMatcher(ours, theirs, steps).get_matching_blocks()
        blocks = [block for block in found if block.size >= _BLOCK]
        if not blocks:
            return cls(0.0, 0.0, 0, 0, 0, ())
        first, last = blocks[0], blocks[-1]
        one, other = last.a + last.size - first.a, last.b + last.size - first.b
        shared = sum(block.size for block in blocks)
        changed = list(_changed(ours, theirs, blocks))
        return cls(
            inner=2 * shared / (one + other),
            of_shorter=shared / min(len(ours), len(theirs)),
            core=min(one, other),
            changed=sum(changed),
            places=len(changed) - changed.count(0),
            gaps=tuple(_gaps(ours, theirs, blocks)),
        )

    @property
    def replaced(self) -> int:
        """Weight of the words that stand in place of others, where most do."""
        return max((min(map(weight, gap)) for gap in self.gaps), default=0)

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
