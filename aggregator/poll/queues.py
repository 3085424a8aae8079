"""Two queues between threads, made for an interpreter that runs one thread at a time.

Waking a thread costs a good part of what a quiet poll does, and threads that are awake compete for the interpreter
whenever one of them has waited for the network. So no thread is woken before it is needed.
"""

from collections import deque
from collections.abc import Callable
from threading import Condition, Lock
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")

EAGER_SECONDS = 0.002  # since work was last taken, during which no resting thread is woken


class WorkQueue(Generic[T]):
    """Work for several threads: a thread that has just done some takes the next; a resting thread only if no other
    does.

    Threads whose work waits for slow networks are all awake after `EAGER_SECONDS` times their number; quick work is
    done by one or two of them.
    """

    def __init__(self) -> None:
        self._waiting: deque[T] = deque()
        self._changed = Condition()
        self._taken_at = 0.0
        self._is_watched = False  # a resting thread waits to see whether another takes the work

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, work: T) -> None:
        """Add work to the end."""
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
                        self._changed.notify()  # another thread watches the rest
                    return self._first()

    def withdraw(self) -> list[T]:
        """Take back all work that no thread has taken."""
        with self._changed:
            left = list(self._waiting)
            self._waiting.clear()
            return left

    def _first(self) -> T:
        self._taken_at = monotonic()
        return self._waiting.popleft()


class ResultBuffer(Generic[T]):
    """Results for one thread, which takes them together. A thread that adds one waits while the buffer is full.

    Args:
        large: how many large results it holds (R42).
        most: how many results it holds.
        is_large: returns whether a result holds much memory.
    """

    def __init__(self, large: int, most: int, is_large: Callable[[T], bool]) -> None:
        self._large, self._most, self._is_large = large, most, is_large
        self._results: list[T] = []
        self._larges = 0  # of these
        self._is_last = False  # no other result is on its way
        self._closed = False
        self._lock = Lock()
        self._worth_a_look, self._has_room = Condition(self._lock), Condition(self._lock)

    def put(self, result: T, *, seconds: float, is_last: bool = False) -> bool:
        """Add a result; return False if there was no room within `seconds`.

        Args:
            result: the result.
            seconds: the longest wait.
            is_last: no other is on its way, so that lingering for it would be of no use.
        """
        with self._lock:
            if not self._has_room.wait_for(lambda: not self._is_full, seconds):
                return False
            self._results.append(result)
            self._larges += self._is_large(result)
            self._is_last = is_last
            if len(self._results) == 1 or self._is_full or is_last:
                self._worth_a_look.notify()
            return True

    def close(self) -> None:
        """Signal that no more results come."""
        with self._lock:
            self._closed = True
            self._worth_a_look.notify()

    def take(self, *, linger: float) -> list[T]:
        """Wait for a result, and `linger` seconds for others; return an empty list once no more come.

        There is no lingering once the buffer is full or closed, or has the last result.
        """
        with self._lock:
            self._worth_a_look.wait_for(lambda: self._results or self._closed)
            self._worth_a_look.wait_for(lambda: self._is_full or self._is_last or self._closed, linger)
            taken, self._results = self._results, []
            self._larges, self._is_last = 0, False
            self._has_room.notify_all()
            return taken

    @property
    def _is_full(self) -> bool:
        return self._larges >= self._large or len(self._results) >= self._most
