"""What the store knows that a poll must be held against. One look-up before the decisions, none in between."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from aggregator.model.entry import Digest
from aggregator.model.settings import CategoryKey, SourceKey
from aggregator.urls import Url


class EntryState(StrEnum):
    """What became of a stored entry."""

    PUBLISHED = "published"
    WAITING = "waiting"  # for its detail or full text
    REJECTED = "rejected"  # by a rule
    KNOWN = "known"  # beyond `initial` on a first poll: never new again, not shown
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownEntry:
    """A stored entry, as far as decisions need it."""

    id: int
    source: int
    source_key: SourceKey
    source_host: str  # host key of the source
    form: str  # hash of the key without its scheme (I32)
    own_id: str | None
    digest: Digest  # of its newest revision
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
    categories: tuple[int, ...]  # where its own source publishes it (T2)
    credited: bool  # carries an `atom:source` of its own


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
    withdrawn: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownStory:
    """A story with its publications and the sources that tell it."""

    id: int
    atom_id: str
    founder: int  # entry
    created_at: datetime
    sources: frozenset[int]
    publications: tuple[KnownPublication, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCategory:
    """A category that has a slug and a feed id, both for ever."""

    id: int
    key: CategoryKey
    slug: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The answer to `Transaction.known`: all that may bear on one poll."""

    store_uuid: str = ""
    next_entry: int = 1  # ids from here on are free
    next_story: int = 1
    entries: Mapping[str, KnownEntry] = field(default_factory=dict)  # of this source, by form
    others: Mapping[int, KnownEntry] = field(default_factory=dict)  # shown and founding entries of `stories`, by id
    stories: Mapping[int, KnownStory] = field(default_factory=dict)
    bearers: Mapping[str, Mapping[int, int]] = field(
        default_factory=dict
    )  # match_link: source: how many entries bear it
    taken: frozenset[str] = frozenset()  # atom ids that belong to a story already
    taken_pages: frozenset[str] = frozenset()
    categories: Mapping[CategoryKey, KnownCategory] = field(default_factory=dict)


NOTHING_KNOWN = Known()
