"""Published records: publications and the documents that contain them. `store` reads them, `render` renders them.

Rendering depends on nothing else: not on the clock, and not on the order of a set (A30).
"""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from aggregator.model.alarm import AlarmCode
from aggregator.model.entry import Enclosure, KeyRule, Origin, Person, Tag
from aggregator.model.poll import State
from aggregator.model.record import record
from aggregator.model.settings import CategoryKey, PageShow, SourceKey
from aggregator.model.supplement import NO_SUPPLEMENT, Supplement
from aggregator.urls import Url


@record
class Credit:
    """Another copy of a story, with its source."""

    source: SourceKey
    title: str  # title of that source's feed; empty if it has none
    link: Url | None  # link of that copy
    site: Url | None = None  # web page of the source, for a copy without a link
    places: tuple[CategoryKey, ...] = ()  # categories in which that source publishes it
    key: str | None = None  # key of that copy in its source, from which a lost store is restored
    is_earlier: bool = False  # first seen before the shown copy; also for restoring


@record
class Publication:
    """A story in a category, with the content that is shown there."""

    story: int
    atom_id: str  # fixed for ever (A4)
    page_id: str  # 16 hex digits or more, fixed for ever
    sort_at: datetime  # decides the order, newest first; fixed (M1)
    page: int | None  # None: in the main document, else the archive page (M2)
    published: datetime | None  # the shown copy's own date, or first seen if that lies in the future (I42)
    updated: datetime  # T4
    source: SourceKey
    entry_key: str | None  # None if it contains a private source's address
    title: str  # plain text; may be empty here, rendering always shows a title (I51)
    link: Url | None
    summary: str  # sanitised HTML; empty if none
    content: str  # sanitised HTML; empty if none, or if `show` forbids it
    authors: tuple[Person, ...]
    tags: tuple[Tag, ...]
    enclosures: tuple[Enclosure, ...]
    rights: str | None
    language: str | None
    origin: Origin  # the `atom:source` of the shown copy, as stored with it (A9)
    credits: tuple[Credit, ...]  # the other copies, first seen first
    category: CategoryKey  # its (first listed) category, for the index and all.*
    supplement: Supplement = NO_SUPPLEMENT
    noindex: bool = False  # asks search engines to leave it out
    has_picture: bool = True  # pages may show its picture; feeds are not concerned
    key_rule: KeyRule = KeyRule.ID  # how `entry_key` was made
    digest: str = ""  # digest of the shown content
    entered_at: datetime | None = None  # when it entered the category; later than `sort_at` for a backfill
    home: str | None = None  # path of its document in `category`; all.* links there if it has no link
    founder: SourceKey | None = None  # source of the founding entry, whose id may be `atom_id` (T1)
    allow_classes: frozenset[str] = frozenset()  # class names of its source that sanitising at output keeps (S34)
    cleaned: tuple[str, ...] = field(default=(), compare=False, repr=False)  # checksums of sanitised HTML (S30)

    def __hash__(self) -> int:
        """Return the hash of what tells one from another: each format looks it up, and it has thirty fields."""
        return hash((self.atom_id, self.digest, self.page, self.category))


@record
class Tombstone:
    """A withdrawn publication that subscribers must drop (RFC 6721)."""

    ref: str  # atom_id of the story
    when: datetime
    source: SourceKey | None = None  # source of the founding entry, whose id may be `ref`


@record
class StoryPlace:
    """Target of a link on a story page: a category of the story, or the story into which it was merged."""

    title: str
    path: str  # without suffix


@record
class Near:
    """A category among those that stand next to it in feeds.yaml, itself included."""

    places: tuple[StoryPlace, ...]  # in order
    own: str  # path of the category, without suffix
    is_all: bool  # the site has no others


@record
class ArchiveSpan:
    """An archive page and the times of its stories."""

    number: int
    since: datetime
    until: datetime


@record
class Document:
    """One feed document: the main document of a category, an archive page, or all.*.

    Paths are relative to `publish.to` and have no suffix: `category/python`, `category/python/archive/3`, `all`.
    """

    path: str
    id: str  # id of the feed: the same in the main document and all archive pages (M6)
    title: str
    description: str | None
    language: str  # BCP 47, of the feed
    updated: datetime  # A7
    publications: tuple[Publication, ...]  # in order (M1)
    tombstones: tuple[Tombstone, ...] = ()
    archive: int | None = None  # number of an archive page
    category: CategoryKey | None = None  # None for all.*
    prev_archive: str | None = None  # path of the previous archive page (M6)
    current: str | None = None  # path of the main document, set in archive pages
    has_story_pages: bool = False  # each of its stories has a story page (N4)
    page_show: PageShow | None = None  # how much of each story its page shows; None: short texts in full
    newer: str | None = None  # path of the document after an archive page; the main document after the last one
    spans: tuple[ArchiveSpan, ...] = ()  # of a main document: its last archive pages, the newest first
    near: Near | None = None  # categories that its page leads to; None: to none
    hub: Url | None = None  # WebSub hub that notifies subscribers of changes (A85); None: no hub for this document


@record
class StoryPage:
    """A story page (N4)."""

    path: str  # relative to `publish.to`
    publication: Publication  # as in its first listed category, with all other copies
    places: tuple[StoryPlace, ...]  # its categories in order, as far as they still have a page
    source: str | None = None  # path of the page of its source, without suffix; None: there is none


@record
class StoryNote:
    """Note at the address of a withdrawn story (A42)."""

    path: str
    part_of: StoryPlace | None  # the story into which it was merged (T7)


@record
class CategoryLine:
    """A category in the index."""

    key: CategoryKey
    title: str
    description: str | None
    path: str
    newest: tuple[Publication, ...]  # as many as the start page shows
    count: int = 0  # all its stories


@record
class RiverTab:
    """A category above the river."""

    title: str
    path: str  # without suffix
    count: int


@record
class River:
    """The newest stories of all categories on one page, or a closed page of them."""

    publications: tuple[Publication, ...]  # in order (M1)
    places: Mapping[CategoryKey, StoryPlace]  # listed categories
    number: int | None = None  # of a closed page
    older: int | None = None  # number of the closed page before it
    tabs: tuple[RiverTab, ...] = ()  # categories with the most stories
    others: int = 0  # how many more there are
    has_story_pages: bool = False


@record
class SourceLine:
    """A source in the list of sources: its state as a word, and no times of polls, so that the list changes seldom."""

    key: SourceKey  # an invented key for a private source
    title: str
    link: Url | None  # web page of the site
    url: str | None  # of the feed, redacted; None if private
    state: State
    code: str | None  # error code (docs/alarms.md) while it fails
    categories: tuple[str, ...]  # titles of its categories
    quiet: AlarmCode | None = None  # it answers, but has nothing new (`SILENT`) or no entries (`EMPTY`)
    quiet_since: datetime | None = None  # arrival of its last entry
    since: datetime | None = None  # beginning of a state that needs attention
    format: str | None = None  # of its last document
    picture: Url | None = None  # logo or icon of its feed; None if private
    places: tuple[CategoryKey, ...] = ()  # its categories
    noindex: bool = False  # asks search engines to leave its page out


@record
class SourcePage:
    """The page of a source: what it is, how it is, and its stories."""

    path: str  # relative to `publish.to`
    line: SourceLine
    places: tuple[StoryPlace, ...]  # its categories in order
    publications: tuple[Publication, ...]  # those of its last document, in order (M1)
    has_story_pages: bool = False
