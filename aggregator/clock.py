"""The one place that asks what time it is; everything else is told (STYLE, section 6)."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import overload

Clock = Callable[[], datetime]  # gives the time now, aware UTC


def utc_now() -> datetime:
    """Tell the time, aware UTC."""
    return datetime.now(UTC)


@overload
def rfc3339(when: datetime) -> str: ...
@overload
def rfc3339(when: datetime | None) -> str | None: ...
def rfc3339(when: datetime | None) -> str | None:
    """Write an aware time as our JSON does, `2026-03-04T12:00:00Z`: whole seconds, UTC (DESIGN 3.2); None stays None.

    Not by strftime, which looks up the system's zone each time: 50 microseconds.
    """
    return when.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z" if when else None
