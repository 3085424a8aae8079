"""Warns when sources are polled late (R19)."""

from datetime import datetime, timedelta
from logging import getLogger

from aggregator.model.status import Lag

log = getLogger(__name__)

TOO_MANY = 0.05  # of the sources are late by a fourth of their interval: the 95th percentile lies beyond it
PATIENCE = timedelta(minutes=5)  # for which that has to last: a burst is no want of capacity


class LagWatch:
    """Logs once when sources become late, and once when they no longer are."""

    def __init__(self) -> None:
        self._since: datetime | None = None  # when it began
        self._alarmed = False

    def see(self, lag: Lag | None, now: datetime) -> None:
        """Record a measurement; None: sources are late for another reason."""
        if lag is None or lag.late_share <= TOO_MANY:
            if self._alarmed:
                log.warning("keep_up", extra={"advice": "sources are asked in time again"})
            self._since, self._alarmed = None, False
            return
        self._since = self._since or now
        if self._alarmed or now - self._since < PATIENCE:
            return
        self._alarmed = True
        log.warning(
            "lag_polls",
            extra={
                "late": lag.late,
                "sources": lag.sources,
                "p95_seconds": round(lag.p95.total_seconds()),
                "advice": "raise workers:, or spacing: of hosts with many sources is too long, or every: is too short",
            },
        )
