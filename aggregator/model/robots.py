"""Rules of a robots.txt for our user agent (RFC 9309; P89)."""

from datetime import datetime, timedelta
from typing import Final

from aggregator.model.record import record

FRESH: Final = timedelta(hours=24)  # a robots.txt is fetched again after this time (section 2.4)
KEPT: Final = timedelta(days=30)  # how long an old robots.txt is used if the new one can't be fetched (section 2.3.1.4)


@record
class Robots:
    """Rules of the robots.txt of one origin."""

    origin: str  # scheme://host:port
    asked_at: datetime
    rules: tuple[tuple[bool, str], ...] = ()  # (allowed, pattern); empty: everything is allowed
    delay: float = 0.0  # Crawl-delay in seconds, capped
