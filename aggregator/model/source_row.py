"""Records of a source for lists of sources, and of the limits on what may be shown of it."""

from datetime import datetime

from aggregator.model.alarm import AlarmCode
from aggregator.model.entry import Origin
from aggregator.model.poll import State
from aggregator.model.record import record
from aggregator.model.settings import Show, SourceKey
from aggregator.urls import Url


@record
class SourceRow:
    """A source as lists of sources show it."""

    key: SourceKey
    url: Url
    state: State
    paused: bool
    code: str | None
    error: str | None
    feed: Origin | None
    quiet: AlarmCode | None = None  # of a source that answers, but brings nothing, as last noted (`QUIET`)
    quiet_since: datetime | None = None  # arrival of its last entry
    since: datetime | None = None  # beginning of a state that needs attention
    format: str | None = None  # of its last document
    listed: str = ""  # ids of the entries of its last document, as JSON


@record
class Limits:
    """Limits on what may be shown of a source, as last in feeds.yaml; they stay after the source was removed there."""

    private: bool
    show: Show | None
    noindex: bool
    addresses: tuple[Url, ...]  # addresses in feeds.yaml
    met: tuple[Url, ...] = ()  # of a private source: its redirect targets and self links, and the address in use
    rotates: bool = False  # there were more addresses in `met` than are stored
