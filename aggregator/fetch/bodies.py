"""How much of all bodies may be in memory at once (R42).

Each fetch may hold a little without asking. What grows beyond that is large, and needs one of a few places, each as
large as a body can be; so nobody who has one ever waits for another, and whoever waits holds little.
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
SMALL_BYTES: Final = 1024 * 1024  # what each may hold without asking; less, if there are many workers


class Bodies:
    """The room for bodies, of all clients of a program. Threads share it.

    A body has its place until it was parsed: `release` then.

    Args:
        workers: how many polls may be under way.
        small_bytes: the most that each may hold without a place.
        places: how many may hold more.
    """

    def __init__(self, workers: int, *, small_bytes: int = SMALL_BYTES, places: int = LARGE_BODIES) -> None:
        for_small = MAX_BODIES_BYTES - LARGE_BODIES * MAX_DECODED_BYTES
        self.small_bytes = min(small_bytes, for_small // workers)
        self._free = places
        self._lock = threading.Lock()
        self._holders: set[int] = set()  # identities of the requests, which live as long
        self._queue: deque[tuple[int, SimpleQueue[object]]] = deque()  # first come, first served

    def take(self, ask: Ask, flight: Flight, seconds: float) -> bool:
        """Wait for a place.

        Args:
            ask: the request whose body gets the place; `release` takes the same record.
            flight: of that poll; if it ends, the waiting ends.
            seconds: the longest wait.

        Returns:
            Whether it has one now.
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
        self.release(ask)  # it may have been handed over in this very moment
        return False

    def release(self, ask: Ask) -> None:
        """Give back the place of a poll, if it has one, to who waits longest."""
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
