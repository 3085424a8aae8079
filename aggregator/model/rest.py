"""Hosts that get no requests for a while, because an answer demanded it."""

from dataclasses import dataclass
from datetime import datetime

from aggregator.model.settings import SourceKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """A host that gets no requests until a time, for any of its sources (P30, P31, P37)."""

    host: str  # host key
    until: datetime
    source: SourceKey | None  # source of the answer that demanded it last; None if no longer known
    status: int | None  # HTTP status of that answer
