"""State of a lost store, as far as it can be read from the published files; `restore --from-site` writes it."""

from datetime import datetime
from uuid import UUID

from aggregator.model.entry import Digest, Entry, Origin
from aggregator.model.record import record
from aggregator.model.settings import CategoryKey, SourceKey
from aggregator.urls import Url


@record
class RestoredCategory:
    """A category with its permanent slug and feed id."""

    key: CategoryKey
    slug: str
    feed_id: str
    created_at: datetime
    said: tuple[datetime, ...]  # `updated` of its main document, then of each archive page from the first
    is_listed: bool  # declared in feeds.yaml
    is_unlisted: bool = True  # neither in the opml.xml nor in the gone.txt of the site
    is_forgotten: bool = False  # 404 in gone.txt: it was removed more than 90 days ago (A44)
    namer: SourceKey | None = None  # a source whose items name it

    @property
    def pages(self) -> int:
        """Number of archive pages of the category."""
        return len(self.said) - 1


@record
class RestoredEntry:
    """A published entry of a source."""

    source: SourceKey
    url: Url  # address of the source, needed if feeds.yaml does not have it
    entry: Entry
    origin: Origin
    story: str  # atom:id
    first_seen: datetime
    categories: tuple[CategoryKey, ...]
    rank: int = 0  # index among all copies of the story, first seen first
    layer: int = 0  # number of the first archive page that names it: earlier pages don't show this copy (M7)


@record
class RestoredPublication:
    """A publication."""

    story: str  # atom:id
    category: CategoryKey
    shown: tuple[SourceKey, str]  # source and key of the entry
    digest: Digest
    sort_at: datetime
    entered_at: datetime
    updated: datetime
    page: int | None
    layer: int = 0  # number of its archive page: pages that were closed earlier name fewer copies of the story
    thinned: bool = False  # its archive page does not show its text, another document does (K3)


@record
class RestoredTombstone:
    """A tombstone in a category."""

    category: CategoryKey
    ref: str
    when: datetime


@record
class Restored:
    """Everything that could be read from the published files."""

    store: UUID | None  # id of the lost store; None if no file has it
    categories: tuple[RestoredCategory, ...]
    entries: tuple[RestoredEntry, ...]  # unique by source and key; founding entries first
    publications: tuple[RestoredPublication, ...]
    tombstones: tuple[RestoredTombstone, ...]
    said: datetime | None = None  # `updated` of all.atom
    notices: tuple[str, ...] = ()  # what could not be read, for the operator
    orphans: tuple[str, ...] = ()  # slugs of categories with files but without publications
