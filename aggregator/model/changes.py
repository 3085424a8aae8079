"""What a poll will write: the whole of it, decided before anything is written."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aggregator.model.ask import Validators
from aggregator.model.entry import Digest, Entry, Hints, Origin
from aggregator.model.event import Code, Event
from aggregator.model.known import EntryState, Identity
from aggregator.model.observed import NOTHING_OBSERVED, Observed
from aggregator.model.outline import Outline
from aggregator.model.poll import Aside, Due, Outcome, PackedBody, State
from aggregator.model.settings import CategoryKey
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
    held: bool = False  # stored, not shown (T4)
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
class NewStory:
    """A story to make."""

    id: int
    atom_id: str
    page_id: str
    founder: int


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
class NewPublication:
    """A story that enters a category."""

    story: int
    category: int
    entered_at: datetime
    sort_at: datetime
    backfill: bool
    shown: int
    digest: Digest
    updated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownChange:
    """A publication that shows something else from now on."""

    story: int
    category: int
    shown: int
    digest: Digest
    updated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """An entry that an archive page goes on to show as it is stored so far (M7)."""

    category: int
    story: int
    entry: int
    digest: Digest | None  # of what the page shows; None: the entry is only credited there


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpinned:
    """An entry of which an archive page shows the stored text from now on."""

    category: int
    story: int
    entry: int | None  # None: all that tell the story


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
    """What becomes of the entries of one document."""

    new: tuple[NewEntry, ...] = ()
    revised: tuple[RevisedEntry, ...] = ()
    stories: tuple[NewStory, ...] = ()
    publications: tuple[NewPublication, ...] = ()
    shown: tuple[ShownChange, ...] = ()
    kin: tuple[tuple[int, int], ...] = ()  # stories to be one: the second is merged into the first, without trace (T6)
    released: tuple[ReleasedEntry, ...] = ()
    aliases: tuple[Alias, ...] = ()
    categories: tuple[NewCategory, ...] = ()
    waiting: tuple[WaitingEntry, ...] = ()
    completed: tuple[CompletedEntry, ...] = ()
    retired: tuple[int, ...] = ()  # entries whose key names another one from now on (I35)
    taken_back: tuple[TakenBack, ...] = ()
    relisted: tuple[Relisted, ...] = ()
    withdrawn: tuple[tuple[int, int], ...] = ()  # story, category: publications without a copy left there (T9)
    dirty: frozenset[tuple[int, int | None]] = frozenset()  # (category, archive page or None for the main document)
    pins: frozenset[Pin] = frozenset()
    unpinned: frozenset[Unpinned] = frozenset()  # also of what `pins` names
    hits: tuple[tuple[Hit, int], ...] = ()  # of rules on those that are stored for the first time, with how many
    events: tuple[Event, ...] = ()

    @property
    def fresh(self) -> int:
        """How many are published for the first time, or rejected by a rule (DESIGN 3.2, `new`)."""
        return sum(state in _FRESH for state in self._states)

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


_FRESH = (EntryState.PUBLISHED, EntryState.REJECTED)
NOTHING_CHANGED = EntryChanges()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """All that one poll will write, in one transaction (R1)."""

    due: Due
    asked_at: datetime
    move: SourceUpdate
    read: Read | None = None  # None: nothing new was read
    entries: EntryChanges = NOTHING_CHANGED
    outlines: tuple[Outline, ...] | None = None  # of a list of sources; None: as before
    events: tuple[Event, ...] = ()  # of the source


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What a request for a detail will write."""

    due: Due
    asked_at: datetime
    entries: EntryChanges = NOTHING_CHANGED  # with the entry published, or rejected; else it waits on:
    retry_at: datetime | None = None
    all_of_host: bool = False  # so do all that wait for the same host for this source: it is in trouble
    code: str | None = None  # why
    error: str | None = None


Settled = Changes | Completion
