"""Stored data that a poll is compared with: looked up once before the decisions, never during them."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum

from aggregator.model.entry import Digest, Enclosure, Entry
from aggregator.model.outline import Outline
from aggregator.model.record import record
from aggregator.model.settings import CategoryKey, SourceKey
from aggregator.urls import Url

LOST = SourceKey("-lost")  # source of stories that were withdrawn before the store was lost: no document names theirs


class EntryState(StrEnum):
    """State of a stored entry."""

    PUBLISHED = "published"
    WAITING = "waiting"  # until its detail or full text is fetched
    REJECTED = "rejected"  # excluded by a rule
    KNOWN = "known"  # beyond `initial` on a first poll: not published, never new again
    HELD = "held"  # not published while its source is suspect; an operator or time ends that (R44)
    WITHDRAWN = "withdrawn"


@record
class ListedEntry:
    """The fields of a stored entry that show whether a document that lists it changes it."""

    id: int
    form: str  # column `key_hash`: hash of the key without its scheme (I32)
    digest: Digest  # digest of the newest revision
    title: str
    link: Url | None
    published: datetime | None
    updated: datetime | None
    first_seen: datetime
    state: EntryState
    taken_back_at: datetime | None  # time in its tombstone, if its source withdrew the entry (I26)


@record
class KnownEntry(ListedEntry):
    """The fields of a stored entry that decisions need."""

    source: int
    source_key: SourceKey
    source_host: str  # host key of the source
    key: str
    own_id: str | None
    shown_digest: Digest  # digest of the published revision; an earlier one if the newest is held or empty (T4, I61)
    id_hash: str | None
    text_digest: str | None
    match_link: str | None
    summary: str
    content: str
    undated: int
    story: int | None
    merged_from: int | None  # its story before an operator merged that story into this one (T7)
    categories: tuple[int, ...]  # categories in which its own source publishes it (T2)
    credited: bool  # the entry has an own `atom:source`
    private: bool  # its source is private (S44)
    thinned: bool = False  # its texts were removed from the store by `keep` (K2, K4)


@record
class Trace:
    """The fields of a stored entry by which it is recognised under another id (I35)."""

    id: int
    link: str | None  # in the form for comparison
    digest: Digest
    text_digest: str | None
    title: str
    published: datetime | None
    enclosures: tuple[Enclosure, ...]
    has_id: bool = False  # the source gave it an id


@record
class Stored:
    """A stored entry with its full content."""

    known: KnownEntry
    entry: Entry
    refused: tuple[int, ...] = ()  # categories of its source from which a rule excludes it
    limited: tuple[int, ...] = ()  # categories whose `limit` was reached by the poll that brought the entry
    is_deferred: bool = False  # a newer revision is stored and not shown (T4)


@record
class MatchedEntry:
    """A stored entry that a document lists under another id, with the evidence."""

    entry: KnownEntry
    because: str


@record
class Held:
    """A stored entry that is not published while its source is suspect (R44)."""

    id: int
    form: str
    entry: Entry  # its content as stored last


@record(kw_only=False)
class Identity:
    """Properties of a feed by which it is recognised at the next poll (R44)."""

    id: str | None = None  # id of the feed
    title: str = ""
    host: str = ""  # host of the web page of the site

    def differs_from(self, before: "Identity") -> int:
        """Return how many of the three properties are present in both and differ."""
        pairs = ((self.id, before.id), (self.title, before.title), (self.host, before.host))
        return sum(bool(now and then) and now != then for now, then in pairs)


@record
class KnownPublication:
    """A publication as stored."""

    story: int
    category: int
    entered_at: datetime
    shown: int  # id of the shown entry
    digest: Digest  # digest of the shown entry
    updated: datetime
    page: int | None
    withdrawn_at: datetime | None

    @property
    def withdrawn(self) -> bool:
        return self.withdrawn_at is not None


@record
class KnownStory:
    """A stored story with its publications and the sources of its copies."""

    id: int
    atom_id: str
    page_id: str
    founder: int  # id of the founding entry
    created_at: datetime
    sources: frozenset[int]
    publications: tuple[KnownPublication, ...]
    merged_into: int | None = None  # the story into which an operator merged it (T7)
    retracted_at: datetime | None = None  # an operator retracted it: no copy of it is published any more


@record
class KnownCategory:
    """A stored category; its slug and feed id never change."""

    id: int
    key: CategoryKey
    slug: str
    feed_id: str = ""
    active: bool = True  # declared in feeds.yaml, named by a source, or named by items
    made_by: int | None = None  # the source with the item that named it first
    offered_at: datetime | None = None  # stories that entered before were published in files; None: none was (T6)


@record
class Known:
    """Everything in the store that decisions about one poll depend on."""

    store_uuid: str = ""
    next_entry: int = 1  # first free id of entries
    next_story: int = 1
    next_category: int = 1
    entries: Mapping[str, ListedEntry] = field(default_factory=dict)  # entries of this source, by form of key or alias
    changing: Mapping[int, KnownEntry] = field(default_factory=dict)  # those that the document may change, by id
    # All stored fields of `changing`, by id; filled if details complete them, or if fields are lost.
    completed: Mapping[int, Entry] = field(default_factory=dict)
    reused: Mapping[str, KnownEntry] = field(default_factory=dict)  # form -> another article with that id (I35)
    matched: Mapping[str, MatchedEntry] = field(default_factory=dict)  # form -> the same entry under another id (I35)
    held: tuple[Held, ...] = ()  # all held entries of this source, if it is suspect (R44) or has lost fields
    identity: Identity | None = None  # identity of the document before; None if there was none
    lost: tuple[str, ...] = ()  # fields that no entry has, though most of the earlier entries had them (`losses`)
    shares_items: bool = False  # a link or a title of this document was in the document before
    deleted: Mapping[str, KnownEntry] = field(
        default_factory=dict
    )  # entries that the document withdraws, by form (I26)
    copies: Mapping[int, tuple[KnownEntry, ...]] = field(default_factory=dict)  # all entries of `stories`, by story
    others: Mapping[int, KnownEntry] = field(default_factory=dict)  # shown and founding entries of `stories`, by id
    stories: Mapping[int, KnownStory] = field(default_factory=dict)
    same: Mapping[int, frozenset[int]] = field(default_factory=dict)  # an operator's verdicts on `others`, by id
    different: Mapping[int, frozenset[int]] = field(default_factory=dict)
    bearers: Mapping[str, Mapping[int, int]] = field(default_factory=dict)  # match_link -> source -> number of entries
    bands: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # bands of the new entries, by form
    near: Mapping[str, frozenset[int]] = field(default_factory=dict)  # entries that share a band, by form
    taken: frozenset[str] = frozenset()  # atom:ids that other stories have
    taken_pages: frozenset[str] = frozenset()  # page ids that other stories have
    buried: frozenset[str] = frozenset()  # those of `taken` that were withdrawn before the store was lost
    outlines: tuple[Outline, ...] = ()  # last good copy of an OPML list
    categories: Mapping[CategoryKey, KnownCategory] = field(default_factory=dict)
    offered_at: datetime | None = None  # earlier stories were published in files of `all.*`; None: none was


NOTHING_KNOWN = Known()
