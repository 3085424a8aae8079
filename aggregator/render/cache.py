"""LRU caches of rendered parts, bounded by bytes, so that a category with one new entry costs one entry's work."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Any, Generic, TypeVar
from weakref import WeakSet

Value = TypeVar("Value")

_all: WeakSet["LruCache[Any]"] = WeakSet()


def forget_all() -> None:
    """Empty all caches; filling them again costs only time (R68)."""
    for cache in tuple(_all):
        cache.clear()


class LruCache(Generic[Value]):
    """LRU cache bounded by bytes, since values differ much in size. Threads may share it."""

    def __init__(self, *, max_bytes: int, each_bytes: int) -> None:
        """Make an empty cache.

        Args:
            max_bytes: of all that is kept.
            each_bytes: overhead of a key and its place besides the texts: without it, small values are too many (a soak
                of seven virtual hours had 50 MB of them where 8 were allowed).
        """
        self.max_bytes, self.each_bytes = max_bytes, each_bytes
        self._kept: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()
        _all.add(self)

    def get(self, key: Hashable) -> Value | None:
        """Return the value of a key; None if there is none."""
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            self._kept.move_to_end(key)
            return found[0]

    def keep(self, key: Hashable, value: Value, size_bytes: int) -> None:
        """Store a value, and drop those that were used least recently.

        Args:
            key: what the value is a function of; equal keys give equal values.
            value: never None.
            size_bytes: size of the texts in key and value; a value over a tenth of the limit is not kept.
        """
        if size_bytes > self.max_bytes // 10:
            return
        size_bytes += self.each_bytes
        with self._lock:
            if key in self._kept:
                self._bytes -= self._kept.pop(key)[1]
            self._kept[key] = (value, size_bytes)
            self._bytes += size_bytes
            while self._bytes > self.max_bytes:
                self._bytes -= self._kept.popitem(last=False)[1][1]

    def clear(self) -> None:
        """Remove all values."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0
