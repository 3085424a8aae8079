"""Changes that a poll, a detail or a correction writes: all decided before the first statement."""

from datetime import datetime, timedelta
from typing import Any

from aggregator.model.ask import Validators
from aggregator.model.entry import Digest, Entry, Hints, Origin
from aggregator.model.event import Code, Event
from aggregator.model.job import DetailJob, SourceJob
from aggregator.model.known import EntryState, Identity
from aggregator.model.observed import NOTHING_OBSERVED, Observed
from aggregator.model.outline import Outline
from aggregator.model.poll import Aside, Outcome, PackedBody, State
from aggregator.model.record import record
from aggregator.model.settings import CategoryKey
from aggregator.model.story_changes import NO_STORY_CHANGES, StoryChanges
from aggregator.urls import Url


@record
class SourceUpdate:
    """State of a source after a poll. Validators, due time and counters are changed by this record only."""

    outcome: Outcome
    state: State
    status: int | None
    code: str | None = None
    error: str | None = None
    failures: int = 0
    failing_since: datetime | None = None
    succeeded_at: datetime | None = None
    due_at: datetime
    earliest_at: datetime
    retry_until: datetime | None = None
    interval: timedelta
    inputs: dict[str, Any]  # inputs of the decision on `due_at`, which `cadence.explain` reads (P67)
    url_in_use: Url
    host_key: str  # host key of `url_in_use`
    observed: Observed = NOTHING_OBSERVED
    validators: Validators | None = None
    body_digest: Digest | None = None
    identical: int = 0
    retried: bool = False
    seconds: float = 0.0  # duration of the poll
    wire_bytes: int = 0  # bytes received
    conditional: bool = False  # a validator was sent (P94)
    asides: tuple[Aside, ...] = ()  # further requests of the poll


@record(kw_only=False)
class Hit:
    """A rule that matched an entry, or a step of `rewrite` that changed one."""

    place: str  # key of the category that has the rule; empty for a rule of the source
    rule: str  # the rule as text, such as `exclude title: sponsored`


@record
class NewEntry:
    """An entry to store for the first time."""

    id: int
    entry: Entry
    form: str
    state: EntryState
    story: int | None = None
    categories: tuple[int, ...] = ()
    refused: tuple[int, ...] = ()  # categories of its source from which a rule excludes it
    limited: tuple[int, ...] = ()  # categories whose `limit` was reached by its poll
    origin: Origin | None = None
    bands: tuple[int, ...] = ()  # MinHash bands; empty if it is not a founding entry


@record
class RevisedEntry:
    """A known entry with a new digest."""

    id: int
    entry: Entry  # the new revision, shown or stored only
    digest: Digest  # digest of the source's content; differs from that of `entry` if old content is kept (I61)
    published: datetime | None
    undated: int
    deferred: bool = False  # stored, not shown (T4)
    unseen: bool = False  # the shown content does not change
    origin: Origin | None = None


@record
class ReleasedEntry:
    """A stored entry that is no longer held, with its new state (R44)."""

    id: int
    form: str
    state: EntryState
    story: int | None = None
    categories: tuple[int, ...] = ()
    refused: tuple[int, ...] = ()
    limited: tuple[int, ...] = ()
    bands: tuple[int, ...] = ()


@record
class WaitingEntry:
    """A new entry that is published once its detail was fetched."""

    id: int
    asked: tuple[tuple[str, str], ...]  # (path, value) for the request
    host_key: str  # host key of the request
    date: datetime  # its own date, made unique in the document: its order if it is a backfill (M1)
    backfill: bool
    due_at: datetime


@record
class CompletedEntry:
    """An entry that waited, with its complete content. Its digest is that of the list, and does not change."""

    id: int
    entry: Entry


@record
class RejudgedEntry:
    """A stored entry for which edited rules have another result."""

    id: int
    entry: Entry | None = None  # the new content; None if it does not change
    state: EntryState | None = None  # None: state and categories stay
    categories: tuple[int, ...] = ()
    refused: tuple[int, ...] = ()


@record
class MovedEntry:
    """An entry that moves to another story (T7, T8)."""

    id: int
    from_story: int
    story: int
    merged_from: int | None  # its story before a merge; None if it is back there, or starts a new story


@record(kw_only=False)
class PlacedEntry:
    """A stored entry that its source publishes in other categories from now on (N2)."""

    id: int
    categories: tuple[int, ...]  # all its categories


@record(kw_only=False)
class Alias:
    """Another id of a stored entry (I35)."""

    form: str
    key: str
    entry: int


@record(kw_only=False)
class TakenBack:
    """An entry that its source withdrew (I26)."""

    id: int
    at: datetime  # time of the tombstone, or of the poll
    again: bool = False  # withdrawn before, now by a later tombstone


@record(kw_only=False)
class Relisted:
    """An entry that its source withdrew, and lists again (I26)."""

    id: int
    state: EntryState  # the new state
    updated: datetime  # its own date, later than its tombstone


@record
class NewCategory:
    """A category that an item is the first to name; if not `is_new`, an inactive category that is named again."""

    id: int
    key: CategoryKey
    slug: str
    feed_id: str
    source: int  # id of the item's source
    is_new: bool = True


@record
class Read:
    """Data of a document that is stored with the source."""

    origin: Origin
    format: str
    encoding: str
    notices: tuple[str, ...]
    hints: Hints
    identity: Identity
    arrivals: tuple[datetime, ...] = ()  # arrival times of its last entries (P62)
    newest: datetime | None = None  # latest date of its entries (I42); None: none has a date
    listed: tuple[int, ...] | None = None  # ids of the entries that it lists; None if unchanged
    window: bytes | None = None  # its items, as the next reading may leave them out; None: it may leave out none
    whole: str = ""  # why it was read whole, or the next document will be; empty: it was not
    body: PackedBody | None = None  # body to store; None if it changed nothing or is too large


@record
class EntryChanges:
    """Changes of entries and of their stories."""

    new: tuple[NewEntry, ...] = ()
    revised: tuple[RevisedEntry, ...] = ()
    released: tuple[ReleasedEntry, ...] = ()
    waiting: tuple[WaitingEntry, ...] = ()
    completed: tuple[CompletedEntry, ...] = ()
    rejudged: tuple[RejudgedEntry, ...] = ()
    placed: tuple[PlacedEntry, ...] = ()
    moved: tuple[MovedEntry, ...] = ()
    retired: tuple[int, ...] = ()  # entries whose key another entry gets (I35)
    taken_back: tuple[TakenBack, ...] = ()
    relisted: tuple[Relisted, ...] = ()
    aliases: tuple[Alias, ...] = ()
    categories: tuple[NewCategory, ...] = ()
    stories: StoryChanges = NO_STORY_CHANGES
    merge_candidates: tuple[tuple[int, int], ...] = ()  # (kept story, story merged into it without trace; T6)
    hits: tuple[tuple[Hit, int], ...] = ()  # rules that matched new entries, with the number of entries
    events: tuple[Event, ...] = ()  # in the order in which `why` prints them

    @property
    def new_count(self) -> int:
        """Number of entries that are published for the first time or rejected by a rule; `new` in reports."""
        return sum(state in _NEW for state in self._states)

    @property
    def rejected(self) -> int:
        """Number of entries that a rule rejected."""
        return sum(state is EntryState.REJECTED for state in self._states)

    @property
    def _states(self) -> tuple[EntryState, ...]:
        """States of new entries and of entries that were held."""
        return (*(item.state for item in self.new), *(item.state for item in self.released))

    @property
    def revisions(self) -> int:
        """Number of known entries with other visible content (I61)."""
        return sum(not item.unseen for item in self.revised)

    @property
    def duplicates(self) -> int:
        """Number of entries that joined an existing story."""
        return sum(event.code is Code.JOIN_STORY for event in self.events)


_NEW = (EntryState.PUBLISHED, EntryState.REJECTED)
NOTHING_CHANGED = EntryChanges()


@record
class Changes:
    """Everything that one poll writes, in one transaction (R1)."""

    job: SourceJob
    asked_at: datetime
    update: SourceUpdate
    read: Read | None = None  # None: nothing new was read
    entries: EntryChanges = NOTHING_CHANGED
    outlines: tuple[Outline, ...] | None = None  # feeds of an OPML list; None if unchanged
    events: tuple[Event, ...] = ()  # events of the source, recorded before those of the entries


@record
class Completion:
    """Everything that one request for a detail writes."""

    job: DetailJob
    asked_at: datetime
    entries: EntryChanges = NOTHING_CHANGED  # the entry is published or rejected; empty if it goes on waiting
    answered: bool = False  # the host answers again: entries that waited for it get their due times back
    retry_at: datetime | None = None
    all_of_host: bool = False  # the host fails: all entries of this source that wait for it wait as long
    code: str | None = None  # error code of the failure
    error: str | None = None


@record
class Correction:
    """Everything that a correction, an accepted source, edited rules or an edit of feeds.yaml write."""

    at: datetime
    entries: EntryChanges
    source: int | None = None  # id of the entries' source; None for entries of several sources, none of them new
    accepted: SourceJob | None = None  # a source that is no longer suspect (R44)


Settled = Changes | Completion
