"""What the store knows that a poll must be held against. One look-up before the decisions, none in between."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from aggregator.model.entry import Digest, Enclosure, Entry
from aggregator.model.outline import Outline
from aggregator.model.settings import CategoryKey, SourceKey
from aggregator.urls import Url

LOST = SourceKey("-lost")  # the source of what was withdrawn before the store was lost: no document names it


class EntryState(StrEnum):
    """What became of a stored entry."""

    PUBLISHED = "published"
    WAITING = "waiting"  # for its detail or full text
    REJECTED = "rejected"  # by a rule
    KNOWN = "known"  # beyond `initial` on a first poll: never new again, not shown
    HELD = "held"  # until an operator or time says that its source is the one it was (R44)
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownEntry:
    """A stored entry, as far as decisions need it."""

    id: int
    source: int
    source_key: SourceKey
    source_host: str  # host key of the source
    key: str
    form: str  # hash of the key without its scheme (I32)
    own_id: str | None
    digest: Digest  # of its newest revision
    shown_digest: Digest  # of what is kept of it to be shown: of an earlier one, where that was held or empty (T4, I61)
    id_hash: str | None
    text_digest: str | None
    match_link: str | None
    title: str
    link: Url | None
    summary: str
    content: str
    published: datetime | None
    updated: datetime | None
    first_seen: datetime
    undated: int
    state: EntryState
    story: int | None
    taken_back_at: datetime | None  # as its tombstone says, if its source took it back (I26)
    merged_from: int | None  # the story it told until an operator merged that one into this (T7)
    categories: tuple[int, ...]  # where its own source publishes it (T2)
    credited: bool  # carries an `atom:source` of its own
    private: bool  # its source is (S44)
    thinned: bool = False  # its texts have left the store, for good (K2, K4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A stored entry, as far as another id of it can be recognised (I35)."""

    id: int
    link: str | None  # as it is compared
    digest: Digest
    text_digest: str | None
    title: str
    published: datetime | None
    enclosures: tuple[Enclosure, ...]
    has_id: bool = False  # of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A stored entry as decisions see it, and as it came."""

    known: KnownEntry
    entry: Entry
    refused: tuple[int, ...] = ()  # categories of its source that a rule keeps it out of
    limited: tuple[int, ...] = ()  # those that had enough from the poll that brought it
    is_held: bool = False  # a newer revision is stored and not shown (T4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """A stored entry that a document lists under another id."""

    entry: KnownEntry
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A stored entry that waits for an operator or for time to pass, because its source looked like another (R44)."""

    id: int
    form: str
    entry: Entry  # as it was stored last


@dataclass(frozen=True, slots=True)
class Identity:
    """By what a source is known to be the one it was (R44)."""

    id: str | None = None  # of the feed
    title: str = ""
    host: str = ""  # of the site's page

    def differs_from(self, before: "Identity") -> int:
        """Count how many of the three are said both times, and differ."""
        pairs = ((self.id, before.id), (self.title, before.title), (self.host, before.host))
        return sum(bool(now and then) and now != then for now, then in pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPublication:
    """A story in a category, as it stands."""

    story: int
    category: int
    entered_at: datetime
    shown: int  # entry
    digest: Digest  # of what is shown
    updated: datetime
    page: int | None
    withdrawn_at: datetime | None

    @property
    def withdrawn(self) -> bool:
        """Tell whether nobody sees it."""
        return self.withdrawn_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownStory:
    """A story with its publications and the sources that tell it."""

    id: int
    atom_id: str
    page_id: str
    founder: int  # entry
    created_at: datetime
    sources: frozenset[int]
    publications: tuple[KnownPublication, ...]
    merged_into: int | None = None  # the story that tells it now, by an operator's word (T7)
    retracted_at: datetime | None = None  # an operator took it back: whatever copies come, nobody sees it


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCategory:
    """A category that has a slug and a feed id, both for ever."""

    id: int
    key: CategoryKey
    slug: str
    feed_id: str = ""
    active: bool = True  # stands in feeds.yaml, or is named by items
    made_by: int | None = None  # the source whose item named it first
    offered_at: datetime | None = None  # what entered it before may have been seen; None: nothing has (T6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The answer to `Transaction.known`: all that may bear on one poll."""

    store_uuid: str = ""
    next_entry: int = 1  # ids from here on are free
    next_story: int = 1
    next_category: int = 1
    entries: Mapping[str, KnownEntry] = field(default_factory=dict)  # of this source, by form of a key or an alias
    completed: Mapping[int, Entry] = field(
        default_factory=dict
    )  # whole, if details complete them, or fields are lost: those that may change
    reused: Mapping[str, KnownEntry] = field(default_factory=dict)  # by form: bears that id, and is another article
    partners: Mapping[str, Partner] = field(default_factory=dict)  # by form: known under another id (I35)
    held: tuple[Held, ...] = ()  # all of this source, if it is suspect (R44), or has lost fields
    identity: Identity | None = None  # of the document before; None: there was none
    lost: tuple[str, ...] = ()  # fields that none of its entries has, though most of those before had (`losses`)
    is_akin: bool = False  # a link or a title of this document was in the one before
    deleted: Mapping[str, KnownEntry] = field(default_factory=dict)  # what the document takes back, by form (I26)
    copies: Mapping[int, tuple[KnownEntry, ...]] = field(default_factory=dict)  # all that tell those stories, by story
    others: Mapping[int, KnownEntry] = field(default_factory=dict)  # shown and founding entries of `stories`, by id
    stories: Mapping[int, KnownStory] = field(default_factory=dict)
    same: Mapping[int, frozenset[int]] = field(default_factory=dict)  # as an operator said, of `others`
    different: Mapping[int, frozenset[int]] = field(default_factory=dict)
    bearers: Mapping[str, Mapping[int, int]] = field(
        default_factory=dict
    )  # match_link: source: how many entries bear it
    bands: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # of the new entries, by form
    near: Mapping[str, frozenset[int]] = field(default_factory=dict)  # entries that share one of those, by form
    taken: frozenset[str] = frozenset()  # atom ids that belong to a story already
    taken_pages: frozenset[str] = frozenset()
    buried: frozenset[str] = frozenset()  # those of them that were withdrawn before the store was lost
    outlines: tuple[Outline, ...] = ()  # the last good copy, if it is a list of sources
    categories: Mapping[CategoryKey, KnownCategory] = field(default_factory=dict)
    offered_at: datetime | None = None  # what was published before may have been seen in `all.*`; None: nothing has


NOTHING_KNOWN = Known()
