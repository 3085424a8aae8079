"""The one place that asks what time it is; everything else is told (STYLE, section 6)."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]  # gives the time now, aware UTC


def utc_now() -> datetime:
    """Tell the time, aware UTC."""
    return datetime.now(UTC)
