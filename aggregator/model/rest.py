"""A host that asked to be left alone for a while."""

from dataclasses import dataclass
from datetime import datetime

from aggregator.model.settings import SourceKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """A host to which no request leaves for a while, for none of its sources (P30, P31, P37)."""

    host: str  # host key
    until: datetime
    source: SourceKey | None  # whose answer said so last; None: that is not known any more
    status: int | None  # of that answer
