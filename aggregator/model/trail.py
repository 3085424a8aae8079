"""Recorded history of an entry, a story or a category, which `why` prints."""

from datetime import datetime
from typing import Any

from aggregator.model.entry import KeyRule
from aggregator.model.known import EntryState, KnownEntry
from aggregator.model.record import record
from aggregator.model.settings import CategoryKey, SourceKey
from aggregator.model.story_changes import Verdict


@record
class Step:
    """One recorded event."""

    at: datetime
    code: str  # a model.event.Code, or a code that another version of the program wrote
    source: SourceKey | None
    entry: int | None
    story: int | None
    facts: dict[str, Any]


@record
class Wording:
    """The visible content of an entry, now or earlier."""

    title: str
    link: str | None
    summary: str  # HTML, as `content`
    content: str
    authors: tuple[str, ...]  # names
    tags: tuple[str, ...]
    enclosures: tuple[str, ...]  # addresses


@record
class Earlier:
    """The visible content of an entry before a revision."""

    until: datetime
    wording: Wording


@record
class EntryRecord:
    """A stored entry."""

    id: int
    source: SourceKey
    key: str
    key_rule: KeyRule
    own_id: str | None
    title: str
    link: str | None
    published: datetime | None  # as the source has it, used or not
    updated: datetime | None
    first_seen: datetime
    changed_at: datetime | None
    revisions: int
    rewritten_by: tuple[str, ...]  # steps of `rewrite` that changed it
    told_title: str  # title as its source has it, before `rewrite`
    held: bool  # a newer revision is stored and not shown (T4)
    thinned: bool  # its texts were removed from the store by `keep` (K2, K4)
    state: EntryState
    story: int | None
    joined_at: datetime | None
    merged_from: int | None
    categories: tuple[int, ...]
    wording: Wording
    earlier: tuple[Earlier, ...]  # earlier contents that are still stored, the oldest first


@record
class PlaceRecord:
    """A publication, current or withdrawn."""

    category: CategoryKey
    category_id: int
    slug: str
    entered_at: datetime
    sort_at: datetime
    shown: int  # id of the shown entry
    updated: datetime
    page: int | None
    withdrawn_at: datetime | None


@record
class VerdictRecord:
    """An operator's verdict on two entries."""

    entry: int
    other: int
    verdict: Verdict
    at: datetime


@record
class StoryRecord:
    """A story with its recorded history."""

    id: int
    atom_id: str
    page_id: str
    founder: int
    created_at: datetime
    merged_into: str | None  # atom_id
    retracted_at: datetime | None
    places: tuple[PlaceRecord, ...]
    entries: tuple[EntryRecord, ...]
    copies: tuple[KnownEntry, ...]  # the same entries, in the form in which T2 chooses the shown one
    verdicts: tuple[VerdictRecord, ...]
    merged: tuple[str, ...]  # atom_ids of stories that were merged into this one
    steps: tuple[Step, ...]


@record
class CategoryRecord:
    """State of a category in the store."""

    key: CategoryKey
    slug: str
    feed_id: str
    created_at: datetime
    active: bool  # declared in feeds.yaml, named by a source, or named by items
    stories: int  # publications that are not withdrawn
    main: int  # publications in the main document
    pages: int
    newest: datetime | None  # when the last publication entered
    withdrawn: int
    tombstones: int
    changes: int  # generations since it was last rendered; 0: the files are up to date
    dirty_pages: tuple[int, ...]
    rendered_at: datetime | None
    look: str | None  # digest of everything besides the store that shaped its files: theme, settings, version
