"""Two queues between the threads of the runner, made for an interpreter that runs one thread at a time.

To wake a thread costs a good part of what a poll without news does, and threads that are awake fight for the
interpreter whenever one of them has waited for the network. So none is woken before it is needed.
"""

from collections import deque
from threading import Condition, Lock
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")

EAGER_SECONDS = 0.002  # since work was last taken, in which those who are awake anyway get along alone


class WorkQueue(Generic[T]):
    """Work for a crew of threads: whoever has just done some takes the next, one that rests only if nobody else does.

    A crew whose work waits for slow networks is up after so many times `EAGER_SECONDS` as it has threads; one whose
    work is quick does all of it with one or two of them.
    """

    def __init__(self) -> None:
        self._waiting: deque[T] = deque()
        self._changed = Condition()
        self._taken_at = 0.0
        self._is_watched = False  # a thread that rested waits to see whether anybody takes what there is

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, work: T) -> None:
        """Add to the end."""
        with self._changed:
            self._waiting.append(work)
            if not self._is_watched:
                self._changed.notify()

    def take(self, *, rested: bool) -> T:
        """Wait for work, and take it.

        Args:
            rested: the thread has not just done some.
        """
        with self._changed:
            if self._waiting and not rested:
                return self._first()
            while True:
                if not self._waiting or self._is_watched:
                    self._changed.wait()
                    continue
                self._is_watched = True
                while self._waiting and (left := self._taken_at + EAGER_SECONDS - monotonic()) > 0:
                    self._changed.wait(left)
                self._is_watched = False
                if self._waiting:
                    if len(self._waiting) > 1:
                        self._changed.notify()  # somebody else watches over the rest
                    return self._first()

    def withdraw(self) -> list[T]:
        """Take back all that nobody has taken."""
        with self._changed:
            left = list(self._waiting)
            self._waiting.clear()
            return left

    def _first(self) -> T:
        self._taken_at = monotonic()
        return self._waiting.popleft()


class ResultBuffer(Generic[T]):
    """Results for one thread, which takes them together. Bounded: who brings one waits while it is full.

    Args:
        size: how many it holds.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._results: list[T] = []
        self._closed = False
        self._lock = Lock()
        self._worth_a_look, self._has_room = Condition(self._lock), Condition(self._lock)

    def put(self, result: T, *, seconds: float) -> bool:
        """Add a result; False if there was no room in that time."""
        with self._lock:
            if not self._has_room.wait_for(lambda: len(self._results) < self._size, seconds):
                return False
            self._results.append(result)
            if len(self._results) in (1, self._size):
                self._worth_a_look.notify()
            return True

    def close(self) -> None:
        """Say that no more will come."""
        with self._lock:
            self._closed = True
            self._worth_a_look.notify()

    def take(self, *, linger: float) -> list[T]:
        """Wait for a result, and `linger` seconds for others to come with it; empty once there will be none.

        It does not linger once it is full or closed.
        """
        with self._lock:
            self._worth_a_look.wait_for(lambda: self._results or self._closed)
            self._worth_a_look.wait_for(lambda: len(self._results) >= self._size or self._closed, linger)
            taken, self._results = self._results, []
            self._has_room.notify_all()
            return taken
