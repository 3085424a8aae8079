"""Changes that a poll, a detail or a correction writes: all decided before the first statement."""

from dataclasses import dataclass
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
from aggregator.model.settings import CategoryKey
from aggregator.model.story_changes import NO_STORY_CHANGES, StoryChanges
from aggregator.urls import Url


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceUpdate:
    """Where a source stands after a poll: the one place in which validators, due time and counters move."""

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
    inputs: dict[str, Any]  # of the decision on `due_at`, as `cadence.explain` reads them (P67)
    url_in_use: Url
    host_key: str  # of that
    observed: Observed = NOTHING_OBSERVED
    validators: Validators | None = None
    body_digest: Digest | None = None
    identical: int = 0
    retried: bool = False
    seconds: float = 0.0  # that the poll took
    wire_bytes: int = 0  # that came
    conditional: bool = False  # a validator was sent (P94)
    asides: tuple[Aside, ...] = ()  # what else was asked for


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that matched an entry, or a step that changed one."""

    place: str  # key of the category whose rule it is; empty: the source's own
    rule: str  # in words, such as `exclude title: sponsored`


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """An entry to store for the first time."""

    id: int
    entry: Entry
    form: str
    state: EntryState
    story: int | None = None
    categories: tuple[int, ...] = ()
    refused: tuple[int, ...] = ()  # those of its source that a rule of theirs keeps it out of
    limited: tuple[int, ...] = ()  # those that had enough from its poll
    origin: Origin | None = None
    bands: tuple[int, ...] = ()  # by which near-duplicates will find it; none if it founds no story


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisedEntry:
    """A known entry with a new digest."""

    id: int
    entry: Entry  # as it will be shown, or held
    digest: Digest  # as the source has it now; differs from the entry's where old content was kept (I61)
    published: datetime | None
    undated: int
    deferred: bool = False  # stored, not shown (T4)
    unseen: bool = False  # what is shown of it stays as it was
    origin: Origin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedEntry:
    """A stored entry that was held, and what becomes of it (R44)."""

    id: int
    form: str
    state: EntryState
    story: int | None = None
    categories: tuple[int, ...] = ()
    refused: tuple[int, ...] = ()
    limited: tuple[int, ...] = ()
    bands: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingEntry:
    """A new entry that is published once its detail is there."""

    id: int
    asked: tuple[tuple[str, str], ...]  # (path, value) for the request
    host_key: str  # that it goes to
    date: datetime  # its own, apart from those beside it: for ordering, if it came by a backfill (M1)
    backfill: bool
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletedEntry:
    """An entry that waited, as it is shown from now on. Its digest as the list has it stays."""

    id: int
    entry: Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class RejudgedEntry:
    """A stored entry of which edited rules say something else."""

    id: int
    entry: Entry | None = None  # as it reads now; None: as before
    state: EntryState | None = None  # None: state and categories stay
    categories: tuple[int, ...] = ()
    refused: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedEntry:
    """An entry that tells another story from now on (T7, T8)."""

    id: int
    from_story: int
    story: int
    merged_from: int | None  # the story that it told before a merge; None: it is back, or founds a story of its own


@dataclass(frozen=True, slots=True)
class PlacedEntry:
    """A stored entry that its source publishes in other categories from now on (N2)."""

    id: int
    categories: tuple[int, ...]  # all of them


@dataclass(frozen=True, slots=True)
class Alias:
    """Another id of a stored entry (I35)."""

    form: str
    key: str
    entry: int


@dataclass(frozen=True, slots=True)
class TakenBack:
    """An entry that its source withdrew (I26)."""

    id: int
    at: datetime  # as the tombstone says, else the time of the poll
    again: bool = False  # it was withdrawn before, and by a later tombstone now


@dataclass(frozen=True, slots=True)
class Relisted:
    """An entry that its source withdrew, and lists again (I26)."""

    id: int
    state: EntryState  # from now on
    updated: datetime  # its own, later than its tombstone


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCategory:
    """A category that an item was the first to name, or (not `is_new`) one that rested and is named again."""

    id: int
    key: CategoryKey
    slug: str
    feed_id: str
    source: int  # whose item it was
    is_new: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What a document said of itself, to be kept on the source."""

    origin: Origin
    format: str
    encoding: str
    notices: tuple[str, ...]
    hints: Hints
    identity: Identity
    arrivals: tuple[datetime, ...] = ()  # when its last entries came (P62)
    listed: tuple[int, ...] | None = None  # the entries that it lists; None: as before
    body: PackedBody | None = None  # to be kept; None: it changed nothing, or is too large


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryChanges:
    """Changes of entries, and of the stories that they tell."""

    new: tuple[NewEntry, ...] = ()
    revised: tuple[RevisedEntry, ...] = ()
    released: tuple[ReleasedEntry, ...] = ()
    waiting: tuple[WaitingEntry, ...] = ()
    completed: tuple[CompletedEntry, ...] = ()
    rejudged: tuple[RejudgedEntry, ...] = ()
    placed: tuple[PlacedEntry, ...] = ()
    moved: tuple[MovedEntry, ...] = ()
    retired: tuple[int, ...] = ()  # entries whose key names another entry from now on (I35)
    taken_back: tuple[TakenBack, ...] = ()
    relisted: tuple[Relisted, ...] = ()
    aliases: tuple[Alias, ...] = ()
    categories: tuple[NewCategory, ...] = ()
    stories: StoryChanges = NO_STORY_CHANGES
    merge_candidates: tuple[
        tuple[int, int], ...
    ] = ()  # stories to be one: the second is merged into the first, without trace (T6)
    hits: tuple[tuple[Hit, int], ...] = ()  # rules that matched entries stored for the first time: how many entries
    events: tuple[Event, ...] = ()  # in the order in which `why` prints them

    @property
    def new_count(self) -> int:
        """How many are published for the first time, or rejected by a rule (DESIGN 3.2, `new`)."""
        return sum(state in _NEW for state in self._states)

    @property
    def rejected(self) -> int:
        """How many of those a rule rejected."""
        return sum(state is EntryState.REJECTED for state in self._states)

    @property
    def _states(self) -> tuple[EntryState, ...]:
        """What became of those that were not published before."""
        return (*(item.state for item in self.new), *(item.state for item in self.released))

    @property
    def revisions(self) -> int:
        """How many known entries read otherwise now; not those whose change nobody sees (I61)."""
        return sum(not item.unseen for item in self.revised)

    @property
    def duplicates(self) -> int:
        """How many of those joined a story that was there."""
        return sum(event.code is Code.JOIN_STORY for event in self.events)


_NEW = (EntryState.PUBLISHED, EntryState.REJECTED)
NOTHING_CHANGED = EntryChanges()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Everything that one poll writes, in one transaction (R1)."""

    job: SourceJob
    asked_at: datetime
    update: SourceUpdate
    read: Read | None = None  # None: nothing new was read
    entries: EntryChanges = NOTHING_CHANGED
    outlines: tuple[Outline, ...] | None = None  # of a list of sources; None: as before
    events: tuple[Event, ...] = ()  # of the source; they come before those of the entries


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """Everything that one request for a detail writes."""

    job: DetailJob
    asked_at: datetime
    entries: EntryChanges = NOTHING_CHANGED  # with the entry published, or rejected; else it waits on:
    answered: bool = False  # the host is out of trouble: other entries that waited for it are due as they were
    retry_at: datetime | None = None
    all_of_host: bool = False  # all entries of this source that wait for the same host wait as long: it is in trouble
    code: str | None = None  # why
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """Everything that a correction, an accepted source, edited rules or an edit of feeds.yaml write."""

    at: datetime
    entries: EntryChanges
    source: int | None = None  # id of the source whose entries they are; None: of any sources, and none is new
    accepted: SourceJob | None = None  # a source that is suspect no longer (R44)


Settled = Changes | Completion
