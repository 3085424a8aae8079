"""What was rendered lately, so that a category with one new entry costs one entry's work (SPEED, goal 18)."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Any, Generic, TypeVar
from weakref import WeakSet

Value = TypeVar("Value")

_all: WeakSet["Memory[Any]"] = WeakSet()


def forget_all() -> None:
    """Empty every memory there is: it costs time, and no more, to fill them again (R68)."""
    for memory in tuple(_all):
        memory.clear()


class Memory(Generic[Value]):
    """The values used last, bounded by bytes: entries differ too much in size to be counted by number."""

    def __init__(self, limit_bytes: int, *, each_bytes: int) -> None:
        """Make one.

        Args:
            limit_bytes: of all that is kept.
            each_bytes: what a key and its place weigh besides the texts: small entries would else be many (a soak of
                seven virtual hours had 50 MB of them where 8 were allowed).
        """
        self.limit_bytes, self.each_bytes = limit_bytes, each_bytes
        self._kept: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()
        _all.add(self)

    def get(self, key: Hashable) -> Value | None:
        """Give what was kept under a key, or None."""
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            self._kept.move_to_end(key)
            return found[0]

    def keep(self, key: Hashable, value: Value, size_bytes: int) -> None:
        """Keep a value, and forget those that were not asked for the longest time.

        Args:
            key: what the value is a function of; equal keys give equal values.
            value: never None.
            size_bytes: what the texts in key and value weigh together; a value over a tenth of the limit is not kept.
        """
        if size_bytes > self.limit_bytes // 10:
            return
        size_bytes += self.each_bytes
        with self._lock:
            if key in self._kept:
                self._bytes -= self._kept.pop(key)[1]
            self._kept[key] = (value, size_bytes)
            self._bytes += size_bytes
            while self._bytes > self.limit_bytes:
                self._bytes -= self._kept.popitem(last=False)[1][1]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0
