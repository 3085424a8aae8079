"""Limits of the cost of comparing entries: steps for a pair, seconds for all pairs of one poll.

`SequenceMatcher` takes up to the cube of the length: two texts of 1,500 tokens, made for that, took 14 s. The texts are
other people's, and whoever settles polls would poll nothing else meanwhile.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from difflib import Match, SequenceMatcher
from itertools import accumulate
from time import thread_time
from typing import Final

from aggregator.errors import CutShort

MAX_STEPS: Final = 1_000_000  # of two entries: 0.1 s; two articles of 1,500 tokens take 40,000, unlike ones 230,000
MAX_SECONDS: Final = 10.0  # of the thread, for all of one poll; 1,000 new entries with a copy each take 1 to 5 s


class TooCostly(Exception):
    """Two entries were not compared to the end: they take more steps than two articles ever do."""


class Steps:
    """The steps that comparing two entries may still take."""

    def __init__(self, most: int = MAX_STEPS) -> None:
        self._left = most

    def spend(self, steps: int) -> None:
        """Count some of them.

        Raises:
            TooCostly: there are no more.
        """
        self._left -= steps
        if self._left < 0:
            raise TooCostly


class BoundedMatcher(SequenceMatcher[str]):
    """A `SequenceMatcher` that finds what that finds, or raises `TooCostly`.

    Args:
        ours: tokens, or the letters of a word.
        theirs: the same of the other side.
        steps: what it may take.
    """

    def __init__(self, ours: Sequence[str], theirs: Sequence[str], steps: Steps) -> None:
        steps.spend(len(ours) + len(theirs))
        super().__init__(None, ours, theirs, autojunk=False)
        self._steps = steps
        there = Counter(theirs)
        self._up_to = [0, *accumulate(1 + there[token] for token in ours)]  # by place in ours

    def find_longest_match(self, alo: int = 0, ahi: int | None = None, blo: int = 0, bhi: int | None = None) -> Match:
        """Find it as the base class does, which looks at all places of each of our tokens."""
        self._steps.spend(self._up_to[-1 if ahi is None else ahi] - self._up_to[alo])
        return super().find_longest_match(alo, ahi, blo, bhi)


class Budget:
    """The seconds that comparing the entries of one poll may take. Made anew for each poll; one thread's.

    Args:
        seconds: in all.
        clock: seconds that this thread has worked; a wall clock would let a busy machine decide what is one story.
        is_cut: tells that the program stops.
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
            CutShort: the program stops: what the poll changes is for the next one to find out (R54).
        """
        if self._is_cut():
            raise CutShort
        running = 0.0 if self._begun is None else self._clock() - self._begun
        return self._left <= running

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count the seconds that the context lasts."""
        begun = self._begun = self._clock()
        try:
            yield
        finally:
            self._begun = None
            self._left -= self._clock() - begun
