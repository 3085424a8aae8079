"""What leaves the store in time, a bounded number at each call, so that no poll waits for it."""

from logging import getLogger

from aggregator.clock import Clock
from aggregator.poll.corrections import end_tombstones, forget_removed
from aggregator.store.database import Store
from aggregator.store.events import TRIMMED

log = getLogger(__name__)

THIN_PAGES = 10  # archive pages that lose their texts at once: their stories' pages are made again, a file each
THIN_STEPS = 50  # transactions of some 5 ms
BAND_STEPS = 10  # of some 5 ms: two thousand bands each
TRIM_STEPS = 5  # of some 4 ms: a thousand events each


class Maintenance:
    """What a service does now and then, and a one-shot run at its end."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def end_tombstones(self) -> int:
        """Let outputs forget what was withdrawn (M8) or removed (A44) long ago; give how much of it there was."""
        return end_tombstones(self._store, self._clock()) + forget_removed(self._store, self._clock())

    def trim_bodies(self) -> int:
        """Drop what is kept of bodies beyond the last few of each source; give how many were dropped."""
        with self._store.begin() as tx:
            return tx.bodies.trim(self._clock())

    def trim_events(self) -> int:
        """Drop some of the events that explain nothing any more; give how many were dropped. The next call goes on."""
        dropped = 0
        for _ in range(TRIM_STEPS):
            with self._store.begin() as tx:
                some = tx.events.trim(self._clock())
            dropped += some
            if some < TRIMMED:
                break
        return dropped

    def trim_requests(self) -> int:
        """Drop some of the corrections that were answered long ago; give how many were dropped."""
        with self._store.begin() as tx:
            return tx.corrections.trim(self._clock())

    def trim_bands(self) -> int:
        """Drop some of what near-duplicates of texts that are gone were found by; give how many bands were dropped."""
        dropped = 0
        for _ in range(BAND_STEPS):
            with self._store.read() as tx:
                if not tx.bands.is_trimming():
                    break
            with self._store.begin() as tx:
                dropped += tx.bands.trim()
        return dropped

    def thin(self) -> int:
        """Let some of the texts go that are kept no longer (K2 to K4); give how many entries lost theirs.

        What one call does is bounded, so that no poll waits for it; whatever is left is for the next.
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
