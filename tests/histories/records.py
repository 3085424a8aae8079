"""Records of the model of a planet: sources and their entries, stories, publications; and what is shown.

The names are those of the glossary.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One entry as a document tells it."""

    id: str
    title: str
    text: str  # plain
    link: str
    published: datetime | None = None
    updated: datetime | None = None

    @property
    def digest(self) -> tuple[str, str, str]:
        """Return what makes a revision if it differs (I38)."""
        return self.title, self.text, self.link


@dataclass(slots=True, kw_only=True, eq=False)
class Copy:
    """One entry of a source, as it is stored."""

    number: int  # in the order in which entries were stored
    source: str
    told: Told
    first_seen: datetime
    places: set[str]  # categories in which its own source publishes it (T2)
    story: "Story | None" = None  # None: it is known and was never published
    gone: datetime | None = None  # its source took it back, with a tombstone of that time (I26)
    came_from: "Story | None" = None  # the story that it told before a `merge` (T7)

    @property
    def own_date(self) -> datetime | None:
        """Return its own date as far as that is believed (I42)."""
        own = self.told.published or self.told.updated
        return self.first_seen if own is not None and own > self.first_seen + DAY else own

    @property
    def first_updated(self) -> datetime:
        """Return the `updated` of a publication that begins with this copy (T4, I42)."""
        own = self.told.updated or self.told.published
        return self.first_seen if own is None or own > self.first_seen + DAY else own


@dataclass(slots=True, kw_only=True, eq=False)
class Publication:
    """A story in a category."""

    story: "Story"
    category: str
    entered_at: datetime
    sort_at: datetime  # M1
    backfill: bool  # and not filed since (M4)
    shown: Copy
    text: Told  # what stands in the document
    updated: datetime  # T4
    page: int | None = None  # M2
    credited: set[Copy] = field(default_factory=set)  # on its page: what had joined when the page was filed (M7)
    withdrawn_at: datetime | None = None
    gone_at: datetime | None = None  # what its tombstone says
    ended: bool = False  # the tombstone has stood for its time (M8)

    @property
    def stands(self) -> bool:
        """Return whether it is in a document."""
        return self.withdrawn_at is None


@dataclass(slots=True, kw_only=True, eq=False)
class Story:
    """A story of the model."""

    number: int
    atom_id: str
    founder: Copy
    copies: list[Copy]  # in the order in which they were stored
    publications: dict[str, Publication] = field(default_factory=dict)
    retracted: bool = False
    merged_into: "Story | None" = None


@dataclass(slots=True, kw_only=True)
class Source:
    """A source of the model: its settings, and what is stored of it."""

    key: str
    categories: list[str]
    priority: int
    active: bool = True
    copies: dict[str, Copy] = field(default_factory=dict)  # by id


@dataclass(slots=True, kw_only=True)
class Category:
    """A category, by its slug, which never changes (A45)."""

    slug: str
    active: bool = True
    pages: int = 0
    edited: bool = True  # feeds.yaml says something else of it since it was published
    published: tuple["Shown", ...] = ()  # what its documents showed then, the main document first


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An entry of a document, as a subscriber reads it."""

    atom_id: str
    updated: datetime
    title: str
    text: str
    link: str
    credits: frozenset[str]  # links of the other copies


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A document, as a subscriber reads it."""

    lines: tuple[Line, ...]
    tombstones: frozenset[tuple[str, datetime]]
    before: int  # number of the archive page that it leads to; 0: none
