"""What was recorded of an entry, a story or a category, in the order in which it happened: `why` tells it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aggregator.model.correction import Verdict
from aggregator.model.entry import KeyRule
from aggregator.model.known import EntryState, KnownEntry
from aggregator.model.settings import CategoryKey, SourceKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of the trail."""

    at: datetime
    code: str  # of model.event.Code, unless another version of the program wrote it
    source: SourceKey | None
    entry: int | None
    story: int | None
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What a reader can see of an entry, or could."""

    title: str
    link: str | None
    summary: str  # HTML, like `content`
    content: str
    authors: tuple[str, ...]  # names
    tags: tuple[str, ...]
    enclosures: tuple[str, ...]  # addresses


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What an entry said before a revision."""

    until: datetime
    wording: Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRecord:
    """One stored entry."""

    id: int
    source: SourceKey
    key: str
    key_rule: KeyRule
    own_id: str | None
    title: str
    link: str | None
    published: datetime | None  # as the source says, believed or not
    updated: datetime | None
    first_seen: datetime
    changed_at: datetime | None
    revisions: int
    rewritten_by: tuple[str, ...]  # steps of `rewrite` that changed it
    told_title: str  # as its source has it
    held: bool  # a newer revision is stored and not shown (T4)
    thinned: bool  # its texts have left the store (K2, K4)
    state: EntryState
    story: int | None
    joined_at: datetime | None
    merged_from: int | None
    categories: tuple[int, ...]
    wording: Wording
    earlier: tuple[Earlier, ...]  # the last ones that are kept, the oldest first


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceRecord:
    """Where a story stands, or stood."""

    category: CategoryKey
    category_id: int
    slug: str
    entered_at: datetime
    sort_at: datetime
    shown: int  # entry
    updated: datetime
    page: int | None
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictRecord:
    """What an operator said of two entries."""

    entry: int
    other: int
    verdict: Verdict
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryRecord:
    """One story with all that was recorded of it."""

    id: int
    atom_id: str
    page_id: str
    founder: int
    created_at: datetime
    merged_into: str | None  # atom_id
    retracted_at: datetime | None
    places: tuple[PlaceRecord, ...]
    entries: tuple[EntryRecord, ...]
    copies: tuple[KnownEntry, ...]  # the same entries, as T2 chooses among them
    verdicts: tuple[VerdictRecord, ...]
    merged: tuple[str, ...]  # atom_ids of the stories that were merged into it
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryRecord:
    """How a category stands in the store."""

    key: CategoryKey
    slug: str
    feed_id: str
    created_at: datetime
    active: bool  # stands in feeds.yaml
    stories: int  # that stand in it
    main: int  # of those, in the main document
    pages: int
    newest: datetime | None  # when the last one entered
    withdrawn: int
    tombstones: int
    changes: int  # since it was last rendered; 0: the files are as the store says
    dirty_pages: tuple[int, ...]
    rendered_at: datetime | None
    look: str | None  # digest of what shaped its files besides the store
