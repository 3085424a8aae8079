"""A source as lists of sources show it, and what may not be shown of a source."""

from dataclasses import dataclass

from aggregator.model.entry import Origin
from aggregator.model.poll import State
from aggregator.model.settings import Show, SourceKey
from aggregator.urls import Url


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """A source as the lists show it."""

    key: SourceKey
    url: Url
    state: State
    paused: bool
    code: str | None
    error: str | None
    feed: Origin | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What may not be shown of a source, as feeds.yaml said last: it holds also once the source is gone from there."""

    private: bool
    show: Show | None
    noindex: bool
    addresses: tuple[Url, ...]  # as configured
    met: tuple[Url, ...] = ()  # of a private source: in use, and whatever else its answers led to or named as its own
    rotates: bool = False  # there were more of the latter than are kept
