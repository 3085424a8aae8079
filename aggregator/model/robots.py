"""What a site's robots.txt says to us (RFC 9309; P89)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

FRESH: Final = timedelta(hours=24)  # section 2.4: not used for longer, if a new one can be had
KEPT: Final = timedelta(days=30)  # section 2.3.1.4: how long an old one is better than none


@dataclass(frozen=True, slots=True, kw_only=True)
class Robots:
    """The rules of one origin for us."""

    origin: str  # scheme://host:port
    asked_at: datetime
    rules: tuple[tuple[bool, str], ...] = ()  # (allowed, pattern); none: all is open
    delay: float = 0.0  # seconds between two requests, as far as we go along with that
