"""How things stand: the health of sources and categories, as `status` and the status page tell it (DESIGN 3.2)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from aggregator.model.poll import State
from aggregator.model.settings import SourceKey
from aggregator.urls import Url


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """The health of one source."""

    key: SourceKey
    url: Url | None  # without secrets
    title: str
    categories: tuple[str, ...]
    state: State
    last_attempt: datetime | None
    last_success: datetime | None
    next_due: datetime
    interval: timedelta
    because: str | None  # the input that decided the interval
    failures: int  # in a row
    failing_since: datetime | None
    code: str | None  # of DESIGN 3.2, while it fails
    error: str | None  # for the operator alone
    entries: int
    per_week: float  # new entries a week, over the last four
    lag: timedelta  # how late it is now
    advice: str | None  # what an operator may want to do
    private: bool = False  # its address is shown to nobody (S44)


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryStatus:
    """What a category holds."""

    slug: str
    title: str
    stories: int
    newest: datetime | None
    sources: int
    unlisted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigStatus:
    """Which feeds.yaml is in force."""

    path: str | None
    loaded_at: datetime | None
    error: str | None  # why a later edit is not


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """All of it, at one moment."""

    at: datetime
    sources: tuple[SourceStatus, ...]  # what needs a hand first
    categories: tuple[CategoryStatus, ...]
    config: ConfigStatus
    store_url: str  # without a password
    store_bytes: int
    schema: str
