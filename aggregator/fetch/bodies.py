"""Limits how much memory all bodies take together (R42).

Each fetch may hold a small body without asking. A larger one needs one of a few places, each as large as a body can be:
a fetch that has a place never waits for another, and a fetch that waits holds little.
"""

import threading
from collections import deque
from queue import SimpleQueue
from typing import Final

from aggregator.fetch.coding import MAX_DECODED_BYTES
from aggregator.fetch.flight import Flight
from aggregator.model.ask import Ask

MAX_BODIES_BYTES: Final = 64 * 1024 * 1024
LARGE_BODIES: Final = 2
SMALL_BYTES: Final = 1024 * 1024  # of a body without a place; less, if there are many workers


class Bodies:
    """Memory for bodies, of all clients of a program. Threads share it.

    A body keeps its place until it was parsed; then `release` must be called.

    Args:
        workers: how many polls may be under way.
        small_bytes: the largest body that needs no place.
        places: how many larger bodies there may be.
    """

    def __init__(self, workers: int, *, small_bytes: int = SMALL_BYTES, places: int = LARGE_BODIES) -> None:
        for_small = MAX_BODIES_BYTES - LARGE_BODIES * MAX_DECODED_BYTES
        self.small_bytes = min(small_bytes, for_small // workers)
        self._free = places
        self._lock = threading.Lock()
        self._holders: set[int] = set()  # identities of the requests, which live as long
        self._queue: deque[tuple[int, SimpleQueue[object]]] = deque()  # in the order of arrival

    def take(self, ask: Ask, flight: Flight, seconds: float) -> bool:
        """Wait for a place.

        Args:
            ask: the request whose body gets the place; `release` takes the same record.
            flight: the fetch; when it ends, the waiting ends.
            seconds: the longest wait.

        Returns:
            Whether the body has a place now.
        """
        mail: SimpleQueue[object] = SimpleQueue()
        with self._lock:
            if self._free:
                self._free -= 1
                self._holders.add(id(ask))
                return True
            self._queue.append((id(ask), mail))
        if flight.wait_for_mail(mail, seconds) is self:
            return True
        with self._lock:
            if (id(ask), mail) in self._queue:
                self._queue.remove((id(ask), mail))
        self.release(ask)  # a place may have been assigned at this very moment
        return False

    def release(self, ask: Ask) -> None:
        """Hand the place of a body, if it has one, to the fetch that waits longest."""
        with self._lock:
            if id(ask) not in self._holders:
                return
            self._holders.remove(id(ask))
            if not self._queue:
                self._free += 1
                return
            heir, mail = self._queue.popleft()
            self._holders.add(heir)
            mail.put(self)
