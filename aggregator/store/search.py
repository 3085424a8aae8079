"""What a full-text index is made of, and what becomes of what it finds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, func, select

from aggregator.model.known import EntryState
from aggregator.model.settings import CategoryKey, SourceKey
from aggregator.model.stored_json import people_of, tags_of
from aggregator.model.story import Publication
from aggregator.store.publications import filled, shown
from aggregator.store.schema import category, entry, publication, source, store


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryText:
    """What may be searched of an entry."""

    id: int
    digest: str  # of what may be searched
    title: str
    body: str  # HTML
    names: tuple[str, ...]  # of authors and tags


@dataclass(frozen=True, slots=True, kw_only=True)
class Find:
    """An entry that was found, for an operator: published or not."""

    entry: int
    story: int | None
    state: EntryState
    source: SourceKey
    title: str
    link: str | None
    published: datetime | None  # or updated, if its source says no more
    first_seen: datetime
    categories: tuple[CategoryKey, ...]  # where it is shown now, or its story by another copy
    shown_by: int | None = None  # entry: that copy


class Searching:
    """What a transaction gives to a full-text index, and of what it finds: `tx.search`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def newest_marks(self) -> tuple[int, int]:
        """Return the highest number of an entry, and the generation up to which stories may have been touched."""
        last = self._connection.execute(select(func.max(entry.c.id))).scalar_one()
        return last or 0, self._connection.execute(select(store.c.dirty)).scalar_one()

    def texts_after(self, number: int, limit: int) -> list[EntryText]:
        """Return the texts of entries with numbers above one, in order."""
        return _texts(self._connection, _TEXT.where(entry.c.id > number).order_by(entry.c.id).limit(limit))

    def texts_of_stories(self, stories: Sequence[int]) -> list[EntryText]:
        """Return the texts of the entries that tell some stories; at most `MAX_IN` of them."""
        return _texts(self._connection, _TEXT.where(entry.c.story_id.in_(stories)).order_by(entry.c.id))

    def texts_thinned(self, after: int) -> tuple[list[EntryText], int]:
        """Return entries whose texts left the store at the next generation after one, and that generation (K2, K4)."""
        when = select(func.min(entry.c.thinned)).where(entry.c.thinned > after)
        generation = self._connection.execute(when).scalar_one()
        if generation is None:
            return [], after
        return _texts(self._connection, _TEXT.where(entry.c.thinned == generation).order_by(entry.c.id)), generation

    def public_finds(self, entries: Sequence[int]) -> tuple[Publication, ...]:
        """Return the publications that show some entries to anyone; at most `MAX_IN` of them.

        That leaves out what was withdrawn, rejected, or never published, what stands in unlisted categories only, and
        what private sources told.
        """
        query = shown().where(
            publication.c.shown_id.in_(entries),
            publication.c.withdrawn_at.is_(None),
            category.c.unlisted.is_(False),
            source.c.private.is_(False),
        )
        return filled(self._connection, query.order_by(publication.c.shown_id.desc(), publication.c.category_id))

    def finds(self, entries: Sequence[int]) -> list[Find]:
        """Give what an operator wants to know of some entries, newest first; at most `MAX_IN` of them."""
        told = select(entry.c.story_id).where(entry.c.id.in_(entries))
        shown_in = (
            select(publication.c.story_id, publication.c.shown_id, category.c.key)
            .join(category, category.c.id == publication.c.category_id)
            .where(publication.c.story_id.in_(told), publication.c.withdrawn_at.is_(None))
            .order_by(category.c.key)
        )
        places: dict[int, list[tuple[int, CategoryKey]]] = {}  # by story: who shows it where
        for place in self._connection.execute(shown_in).all():
            places.setdefault(place.story_id, []).append((place.shown_id, CategoryKey(place.key)))
        names = ("id", "story_id", "state", "title", "link", "published", "updated", "first_seen")
        query = (
            select(*(entry.c[name] for name in names), source.c.key.label("source"))
            .join(source, source.c.id == entry.c.source_id)
            .where(entry.c.id.in_(entries))
            .order_by(entry.c.id.desc())
        )
        found = []
        for row in self._connection.execute(query).all():
            everywhere = places.get(row.story_id, [])
            own = tuple(key for shown_id, key in everywhere if shown_id == row.id)
            find = Find(
                entry=row.id,
                story=row.story_id,
                state=EntryState(row.state),
                source=SourceKey(row.source),
                title=row.title,
                link=row.link,
                published=row.published or row.updated,
                first_seen=row.first_seen,
                categories=own or tuple(key for _, key in everywhere),
                shown_by=everywhere[0][0] if everywhere and not own else None,
            )
            found.append(find)
        return found


THINNED = " without its text"
_TEXT = select(*(entry.c[name] for name in "id digest shown_digest title summary content authors tags thinned".split()))


def _texts(connection: Connection, query: Select[tuple[int]]) -> list[EntryText]:
    return [
        EntryText(
            id=row.id,
            digest=(row.shown_digest or row.digest) + ("" if row.thinned is None else THINNED),
            title=row.title,
            body=f"{row.summary}\n{row.content}" if row.summary not in row.content else row.content,
            names=tuple(person.name for person in people_of(row.authors))
            + tuple(tag.label or tag.term for tag in tags_of(row.tags)),
        )
        for row in connection.execute(query).all()
    ]
