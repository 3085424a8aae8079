"""Limits on the cost of comparing entries: steps for a pair, seconds for all pairs of one poll.

`SequenceMatcher` takes up to the cube of the length: two texts of 1,500 tokens, made for that purpose, took 14 s. Texts
come from publishers, and while the settling thread compares them nothing else is stored.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from difflib import Match, SequenceMatcher
from itertools import accumulate
from time import thread_time
from typing import Final

from aggregator.errors import CutShort

MAX_STEPS: Final = 1_000_000  # for two entries: 0.1 s; two similar articles of 1,500 tokens take 40,000, others 230,000
MAX_SECONDS: Final = 10.0  # of the thread, for all of one poll; 1,000 new entries with a copy each take 1 to 5 s


class TooCostly(Exception):
    """A comparison took more steps than two articles ever need, and was not finished."""


class Steps:
    """Steps that comparing two entries may still take."""

    def __init__(self, most: int = MAX_STEPS) -> None:
        self._left = most

    def spend(self, steps: int) -> None:
        """Count steps.

        Raises:
            TooCostly: none are left.
        """
        self._left -= steps
        if self._left < 0:
            raise TooCostly


class BoundedMatcher(SequenceMatcher[str]):
    """`SequenceMatcher` with the same results, or `TooCostly`.

    Args:
        ours: tokens, or the letters of a word.
        theirs: the same of the other side.
        steps: that it may take.
    """

    def __init__(self, ours: Sequence[str], theirs: Sequence[str], steps: Steps) -> None:
        steps.spend(len(ours) + len(theirs))
        super().__init__(None, ours, theirs, autojunk=False)
        self._steps = steps
        there = Counter(theirs)
        self._up_to = [0, *accumulate(1 + there[token] for token in ours)]  # by place in ours

    def find_longest_match(self, alo: int = 0, ahi: int | None = None, blo: int = 0, bhi: int | None = None) -> Match:
        """Find the longest match as the base class does; its cost are all places of each of our tokens."""
        self._steps.spend(self._up_to[-1 if ahi is None else ahi] - self._up_to[alo])
        return super().find_longest_match(alo, ahi, blo, bhi)


class Budget:
    """Seconds that comparing the entries of one poll may take. One for each poll; not thread-safe.

    Args:
        seconds: in all.
        clock: processor seconds of this thread; with a wall clock, a busy machine would decide what is one story.
        is_cut: returns whether the program stops.
    """

    def __init__(
        self,
        seconds: float = MAX_SECONDS,
        *,
        clock: Callable[[], float] = thread_time,
        is_cut: Callable[[], bool] = lambda: False,
    ) -> None:
        self._left, self._clock, self._is_cut = seconds, clock, is_cut
        self._begun: float | None = None  # when what is being counted began, by the clock

    def is_spent(self) -> bool:
        """Return whether the budget is used up, so that nothing more is compared.

        Raises:
            CutShort: the program stops: the next poll finds the changes (R54).
        """
        if self._is_cut():
            raise CutShort
        running = 0.0 if self._begun is None else self._clock() - self._begun
        return self._left <= running

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count the seconds in which the context is active."""
        begun = self._begun = self._clock()
        try:
            yield
        finally:
            self._begun = None
            self._left -= self._clock() - begun
