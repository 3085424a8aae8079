"""What readers see: a publication, and the document it stands in. `store` fills these, `publish` renders them.

Rendering takes nothing else: no clock, no settings that change by the hour, no order of a set (A30).
"""

from dataclasses import dataclass
from datetime import datetime

from aggregator.model.entry import Enclosure, KeyRule, Origin, Person, Tag
from aggregator.model.poll import State
from aggregator.model.settings import CategoryKey, SourceKey
from aggregator.model.supplement import NO_SUPPLEMENT, Supplement
from aggregator.urls import Url


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """Another copy of a story: the source that told it too."""

    source: SourceKey
    title: str  # of that source's feed; empty if it has none
    link: Url | None  # of that copy
    site: Url | None = None  # the source's page, for a copy that has no link
    places: tuple[CategoryKey, ...] = ()  # where that source publishes it
    key: str | None = None  # of that copy in its source; what a lost store is restored from
    is_earlier: bool = False  # it came before the copy that is shown; for the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A story in a category, as it is shown there."""

    story: int
    atom_id: str  # fixed for ever (A4)
    page_id: str  # 16 hex digits or more, fixed for ever
    sort_at: datetime  # decides the order, newest first; fixed (M1)
    page: int | None  # None: in the main document, else the archive page (M2)
    published: datetime | None  # the shown copy's own date, or first seen if that lies in the future (I42)
    updated: datetime  # T4
    source: SourceKey
    entry_key: str | None  # None where it would tell a private source's address
    title: str  # plain text; empty as the store gives it, never as it is rendered (I51)
    link: Url | None
    summary: str  # sanitised HTML; empty if none
    content: str  # sanitised HTML; empty if none, or if `show` forbids it
    authors: tuple[Person, ...]
    tags: tuple[Tag, ...]
    enclosures: tuple[Enclosure, ...]
    rights: str | None
    language: str | None
    origin: Origin  # the `atom:source` of the shown copy, as it was when that was stored (A9)
    credits: tuple[Credit, ...]  # the other copies, first seen first
    category: CategoryKey  # the (first listed) category it is shown in; the index and all.* need it
    supplement: Supplement = NO_SUPPLEMENT
    noindex: bool = False  # search engines are asked to leave it out
    key_rule: KeyRule = KeyRule.ID  # by which it has `entry_key`
    digest: str = ""  # of what is shown
    entered_at: datetime | None = None  # when it was made: later than `sort_at` if it came by a backfill
    home: str | None = None  # path of that category's document in which it stands; all.* links there what has no link
    founder: SourceKey | None = None  # source of the founding entry, whose id `atom_id` may be (T1)
    allow_classes: frozenset[str] = frozenset()  # of its source: class names that sanitising at output leaves too (S34)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """A withdrawn publication that subscribers must drop (RFC 6721)."""

    ref: str  # the atom_id
    when: datetime
    source: SourceKey | None = None  # of the founding entry, whose id that may be


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One feed document: a category's main document, one of its archive pages, or all.*.

    Paths are below `publish.to` and without a suffix: `category/python`, `category/python/archive/3`, `all`.
    """

    path: str
    id: str  # of the feed: the same in the main document and all its archive pages (M6)
    title: str
    description: str | None
    language: str  # BCP 47, of the feed itself
    updated: datetime  # A7
    publications: tuple[Publication, ...]  # in order (M1)
    tombstones: tuple[Tombstone, ...] = ()
    archive: int | None = None  # the number, of an archive page
    category: CategoryKey | None = None  # None: of all together
    prev_archive: str | None = None  # path of the archive page before (M6)
    current: str | None = None  # path of the main document, in an archive page
    has_story_pages: bool = False  # each of its stories has a page of its own (N4)
    hub: Url | None = None  # that tells subscribers when it has changed (A85); None: there is none, or none for it


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryPlace:
    """Where a story's page leads: a category in which it stands, or the story that tells it now."""

    title: str
    path: str  # without suffix


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryPage:
    """The page of one story (N4)."""

    path: str  # below `publish.to`
    publication: Publication  # as the first listed category shows it, with all other copies
    places: tuple[StoryPlace, ...]  # the categories in which it stands, in order; those that still have a page


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryNote:
    """What stands at the address of a story that is withdrawn (A42)."""

    path: str
    part_of: StoryPlace | None  # the story that tells it now (T7)


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryLine:
    """A category as the index names it."""

    key: CategoryKey
    title: str
    description: str | None
    path: str
    newest: tuple[Publication, ...]  # five at most


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """A source as the list of sources names it: a word for its state, and no times, so that it changes seldom."""

    key: SourceKey  # a made-up one if private
    title: str
    link: Url | None  # the site's page
    url: str | None  # of the feed, redacted; None if private
    state: State
    code: str | None  # of DESIGN 3.2, while it is failing
    categories: tuple[str, ...]  # titles
