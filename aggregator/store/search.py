"""Texts of entries for the full-text index, and records of the entries that it finds."""

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
    """Searchable text of an entry."""

    id: int
    digest: str  # of that text
    title: str
    body: str  # HTML
    names: tuple[str, ...]  # of authors and tags


@dataclass(frozen=True, slots=True, kw_only=True)
class Find:
    """An entry that a search of an operator found, published or not."""

    entry: int
    story: int | None
    state: EntryState
    source: SourceKey
    title: str
    link: str | None
    published: datetime | None  # `updated` if the source gave no `published`
    first_seen: datetime
    categories: tuple[CategoryKey, ...]  # that show the entry now; if none does, that show another copy of its story
    shown_by: int | None = None  # id of the entry that is that other copy

    @property
    def dated(self) -> datetime:
        """The date that is shown: its own, else when it was seen first."""
        return self.published or self.first_seen


class Searching:
    """Queries for the full-text index and for its results: `tx.search`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def newest_marks(self) -> tuple[int, int]:
        """Return the highest id of an entry (0: there is none), and the store's generation: no story's is later."""
        last = self._connection.execute(select(func.max(entry.c.id))).scalar_one()
        return last or 0, self._connection.execute(select(store.c.dirty)).scalar_one()

    def texts_after(self, number: int, limit: int) -> list[EntryText]:
        """Return the texts of at most `limit` entries with ids above `number`, by id."""
        return _texts(self._connection, _TEXT.where(entry.c.id > number).order_by(entry.c.id).limit(limit))

    def texts_of_stories(self, stories: Sequence[int]) -> list[EntryText]:
        """Return the texts of the entries of at most `MAX_IN` stories, by id."""
        return _texts(self._connection, _TEXT.where(entry.c.story_id.in_(stories)).order_by(entry.c.id))

    def texts_thinned(self, after: int) -> tuple[list[EntryText], int]:
        """Return the entries whose texts were removed at the first generation after `after` (K2, K4).

        Returns:
            The entries and that generation; no entries and `after` if there is none.
        """
        when = select(func.min(entry.c.thinned)).where(entry.c.thinned > after)
        generation = self._connection.execute(when).scalar_one()
        if generation is None:
            return [], after
        return _texts(self._connection, _TEXT.where(entry.c.thinned == generation).order_by(entry.c.id)), generation

    def public_finds(self, entries: Sequence[int]) -> tuple[Publication, ...]:
        """Return the public publications that show one of at most `MAX_IN` entries, newest entry first.

        Withdrawn, rejected and unpublished entries are left out, also entries that only unlisted categories show, and
        entries of private sources.
        """
        query = shown().where(
            publication.c.shown_id.in_(entries),
            publication.c.withdrawn_at.is_(None),
            category.c.unlisted.is_(False),
            source.c.private.is_(False),
        )
        return filled(self._connection, query.order_by(publication.c.shown_id.desc(), publication.c.category_id))

    def finds(self, entries: Sequence[int]) -> list[Find]:
        """Return the records of at most `MAX_IN` entries for an operator, newest first."""
        told = select(entry.c.story_id).where(entry.c.id.in_(entries))
        shown_in = (
            select(publication.c.story_id, publication.c.shown_id, category.c.key)
            .join(category, category.c.id == publication.c.category_id)
            .where(publication.c.story_id.in_(told), publication.c.withdrawn_at.is_(None))
            .order_by(category.c.key)
        )
        places: dict[int, list[tuple[int, CategoryKey]]] = {}  # by story: shown entry, category
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


THINNED = " without its text"  # end of the digest of an entry whose text was removed
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
