"""A lost store, as far as what was published can tell: what `restore --from-site` writes."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from aggregator.model.entry import Digest, Entry, Origin
from aggregator.model.settings import CategoryKey, SourceKey
from aggregator.urls import Url


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredCategory:
    """A category with what is fixed for ever."""

    key: CategoryKey
    slug: str
    feed_id: str
    created_at: datetime
    said: tuple[datetime, ...]  # the `updated` of its main document, and of each archive page, the first one first
    is_listed: bool  # stands in feeds.yaml
    is_unlisted: bool = True  # neither in the site's opml.xml nor in its gone.txt
    is_forgotten: bool = False  # gone.txt answers 404 for it: it was removed more than 90 days ago (A44)
    namer: SourceKey | None = None  # a source there whose items name it

    @property
    def pages(self) -> int:
        """Number of archive pages of the category."""
        return len(self.said) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredEntry:
    """An entry of a source."""

    source: SourceKey
    url: Url  # of the source, for one that feeds.yaml does not name
    entry: Entry
    origin: Origin
    story: str  # atom:id
    first_seen: datetime
    categories: tuple[CategoryKey, ...]
    rank: int = 0  # its place among all copies of the story, first seen first
    layer: int = 0  # of the archive pages with its story, the first that name it: others take no notice of it (M7)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredPublication:
    """A story in a category."""

    story: str  # atom:id
    category: CategoryKey
    shown: tuple[SourceKey, str]  # source and key of the entry
    digest: Digest
    sort_at: datetime
    entered_at: datetime
    updated: datetime
    page: int | None
    layer: int = 0  # of its archive page: those that were closed first name fewest copies of the story
    thinned: bool = False  # its archive page shows no text of it, and another document does (K3)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredTombstone:
    """What was withdrawn from a category and still has a tombstone there."""

    category: CategoryKey
    ref: str
    when: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """All of it."""

    store: UUID | None  # its id; None: nothing tells it
    categories: tuple[RestoredCategory, ...]
    entries: tuple[RestoredEntry, ...]  # no two of one source and key; those that found stories first
    publications: tuple[RestoredPublication, ...]
    tombstones: tuple[RestoredTombstone, ...]
    said: datetime | None = None  # the `updated` of all.atom
    notices: tuple[str, ...] = ()  # what could not be told
    orphans: tuple[str, ...] = ()  # slugs at which nothing is published any more
