"""Removes what the store keeps for a limited time. Each call does a bounded part, so that no poll waits for it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from logging import getLogger

from aggregator.clock import Clock
from aggregator.store.database import Store
from aggregator.store.events import TRIMMED
from aggregator.store.transaction import Transaction

log = getLogger(__name__)

REMOVED = timedelta(days=90)  # how long the addresses of a removed category say that they are gone (A44)
TOMBSTONE = timedelta(days=30)  # how long a main document says that something was withdrawn (M8, A42)
THIN_PAGES = 10  # archive pages that lose their texts at a time: each story page of them is rendered again
THIN_STEPS = 50  # transactions of some 5 ms
BAND_STEPS = 10  # of some 5 ms: two thousand bands each
TRIM_STEPS = 5  # of some 4 ms: a thousand events each


class Maintenance:
    """Jobs that a service does at intervals, and a one-shot run at its end."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def begin(self, tx: Transaction) -> Callable[[], None]:
        """Run the first step of each kind of maintenance in a transaction; return the function that runs the rest."""
        now = self._clock()
        _end_tombstones(tx, now)
        tx.bodies.trim(now)
        tx.corrections.trim(now)
        has_events = tx.events.trim(now) == TRIMMED
        has_texts, has_bands = tx.retention.is_due(now), tx.bands.is_trimming()

        def finish() -> None:
            if has_events:
                self.trim_events()
            if has_texts:
                self.thin()
            if has_texts or has_bands:  # bands go with the texts
                self.trim_bands()

        return finish

    def end_tombstones(self) -> int:
        """End tombstones (M8) and forget removed categories (A44) that are old enough; return how many of both."""
        with self._store.begin() as tx:
            return _end_tombstones(tx, self._clock())

    def trim_bodies(self) -> int:
        """Drop kept bodies beyond the last few of each source; return how many were dropped."""
        with self._store.begin() as tx:
            return tx.bodies.trim(self._clock())

    def trim_events(self) -> int:
        """Delete events that explain nothing any more; return how many were deleted. The next call continues."""
        dropped = 0
        for _ in range(TRIM_STEPS):
            with self._store.begin() as tx:
                some = tx.events.trim(self._clock())
            dropped += some
            if some < TRIMMED:
                break
        return dropped

    def trim_requests(self) -> int:
        """Delete requests of operators that were answered long ago; return how many were deleted."""
        with self._store.begin() as tx:
            return tx.corrections.trim(self._clock())

    def trim_bands(self) -> int:
        """Delete MinHash bands of texts that are gone; return how many were deleted."""
        dropped = 0
        for _ in range(BAND_STEPS):
            with self._store.read() as tx:
                if not tx.bands.is_trimming():
                    break
            with self._store.begin() as tx:
                dropped += tx.bands.trim()
        return dropped

    def thin(self) -> int:
        """Delete texts that are kept no longer (K2 to K4); return how many entries lost theirs.

        Each call does a bounded part, so that no poll waits for it; the next call continues.
        """
        now = self._clock()
        with self._store.read() as tx:
            if not tx.retention.is_due(now):
                return 0
        pages = entries = 0
        for _ in range(THIN_STEPS):
            with self._store.begin() as tx:
                thinned = tx.retention.thin(now)
            pages, entries = pages + thinned.pages, entries + thinned.entries
            if thinned.is_done or pages >= THIN_PAGES:
                break
        if entries:
            log.info("thin_pages", extra={"pages": pages, "entries": entries})
        return entries


def _end_tombstones(tx: Transaction, now: datetime) -> int:
    """End tombstones (M8) and forget removed categories (A44) that are old enough; return how many of both.

    Both are changes in the store, which the next publication shows (invariant 4).
    """
    ended = tx.stories.end_tombstones(before=now - TOMBSTONE, now=now)
    return ended + tx.files.forget_removed(before=now - REMOVED)
