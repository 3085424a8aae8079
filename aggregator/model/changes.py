"""What a poll will write: the whole of it, decided before anything is written."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from aggregator.model.entry import Digest, Entry, Hints, Origin
from aggregator.model.event import Code, Event
from aggregator.model.known import EntryState
from aggregator.model.poll import Due, Outcome, State, Validators


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
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
    because: str
    validators: Validators | None = None
    body_digest: Digest | None = None
    identical: int = 0
    retried: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """An entry to store for the first time."""

    id: int
    entry: Entry
    form: str
    state: EntryState
    story: int | None = None
    categories: tuple[int, ...] = ()
    origin: Origin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisedEntry:
    """A known entry with a new digest."""

    id: int
    entry: Entry  # as it will be shown, or held
    digest: Digest  # as the source has it now; differs from the entry's where old content was kept (I61)
    published: datetime | None
    undated: int
    held: bool = False  # stored, not shown (T4)
    origin: Origin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStory:
    """A story to make."""

    id: int
    atom_id: str
    page_id: str
    founder: int


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
class Read:
    """What a document said of itself, to be kept on the source."""

    origin: Origin
    format: str
    encoding: str
    notices: tuple[str, ...]
    hints: Hints


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryChanges:
    """What becomes of the entries of one document."""

    new: tuple[NewEntry, ...] = ()
    revised: tuple[RevisedEntry, ...] = ()
    stories: tuple[NewStory, ...] = ()
    publications: tuple[NewPublication, ...] = ()
    shown: tuple[ShownChange, ...] = ()
    dirty: frozenset[tuple[int, int | None]] = frozenset()  # (category, archive page or None for the main document)
    events: tuple[Event, ...] = ()

    @property
    def fresh(self) -> int:
        """How many were stored for the first time, and published or rejected by a rule (DESIGN 3.2, `new`)."""
        return sum(new.state in (EntryState.PUBLISHED, EntryState.REJECTED) for new in self.new)

    @property
    def rejected(self) -> int:
        """How many of those a rule rejected."""
        return sum(new.state is EntryState.REJECTED for new in self.new)

    @property
    def duplicates(self) -> int:
        """How many of those joined a story that was there."""
        return sum(event.code is Code.JOIN_STORY for event in self.events)


NOTHING_CHANGED = EntryChanges()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """All that one poll will write, in one transaction (R1)."""

    due: Due
    asked_at: datetime
    move: Move
    read: Read | None = None  # None: nothing new was read
    entries: EntryChanges = NOTHING_CHANGED
    events: tuple[Event, ...] = ()  # of the source
