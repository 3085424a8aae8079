"""Queries for the pages of stories: digests of settings, dirty pages, and the content of each (N4, A42, T7)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, true, update

from aggregator.model.settings import CategoryKey, Show, SourceKey
from aggregator.model.story import Publication
from aggregator.store.publications import publications_of
from aggregator.store.schema import MAX_IN, category, entry, publication, source, store, story
from aggregator.store.stories import LATE, SOON, spoil_all, spoil_late

Dirty = Mapping[int, int]  # generation of the last change, as it was read, by story


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A category that publishes a story, as the store has it; it may have left feeds.yaml."""

    key: CategoryKey
    title: str
    slug: str
    show: Show
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPage:
    """Content of the page of a story.

    The story is shown (`shown`, `places`), or was shown and is withdrawn (`was_shown`), or was never public.
    """

    story: int
    page_id: str
    shown: Publication | None = None  # in the first of `places`, with all its copies (M7)
    places: tuple[Place, ...] = ()  # listed categories that publish the story, in order
    was_shown: bool = False  # withdrawn from a listed category in which readers may have seen it
    part_of: int | None = None  # story into which it was merged (T7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """Digests of the settings with which pages of stories were last rendered, and the order of the categories."""

    site: str | None
    categories: Mapping[CategoryKey, tuple[int, str | None, int | None]]  # id, digest, place in the order
    sources: Mapping[SourceKey, str]  # digest, of sources with settings that shape pages


class Pages:
    """Statements on the pages of stories: `tx.story_pages`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def looks(self) -> Looks:
        """Return the digests and the order of categories with which the pages were last rendered."""
        columns = (category.c.key, category.c.id, category.c.stories_look, category.c.rank)
        of_sources = select(source.c.key, source.c.stories_look).where(source.c.stories_look.is_not(None))
        return Looks(
            site=self._connection.execute(select(store.c.stories_look)).scalar_one(),
            categories={
                r.key: (r.id, r.stories_look, r.rank) for r in self._connection.execute(select(*columns)).all()
            },
            sources={r.key: r.stories_look for r in self._connection.execute(of_sources).all()},
        )

    def look_anew(self, look: str, *, late: bool) -> None:
        """Mark all pages as dirty and record the new digest.

        Args:
            look: digest of the settings that shape all pages.
            late: no feed waits for the pages; False if the pages do not exist yet.
        """
        self._connection.execute(update(store).values(stories_look=look))
        if late:
            spoil_late(self._connection, true())
        else:
            spoil_all(self._connection)

    def look_anew_at_category(self, number: int, look: str) -> None:
        """Mark the pages that name a category as dirty, without haste, and record its new digest."""
        self._connection.execute(update(category).where(category.c.id == number).values(stories_look=look))
        stands = select(publication.c.story_id).where(publication.c.category_id == number)
        spoil_late(self._connection, story.c.id.in_(stands))

    def look_anew_at_sources(self, looks: Mapping[SourceKey, str | None]) -> None:
        """Mark the pages that show sources as dirty, without haste, and record the new digests of their facts (S44)."""
        keys = sorted(looks)
        for start in range(0, len(keys), MAX_IN):
            part = keys[start : start + MAX_IN]
            statement = update(source).where(source.c.key == bindparam("of_key")).values(stories_look=bindparam("look"))
            self._connection.execute(statement, [{"of_key": key, "look": looks[key]} for key in part])
            told = select(entry.c.story_id).join(source, source.c.id == entry.c.source_id)
            told = told.where(source.c.key.in_(part), entry.c.story_id.is_not(None))
            spoil_late(self._connection, story.c.id.in_(told))

    def rank_categories(self, ranks: Mapping[int, int], *, moved: bool) -> None:
        """Record the order of categories.

        Args:
            ranks: place in the order, by category.
            moved: the order of known categories changed, so that stories in several categories may show another copy
                (N4); their pages become dirty.
        """
        rows = [{"row_id": number, "new_rank": rank} for number, rank in ranks.items()]
        if rows:
            self._connection.execute(
                update(category).where(category.c.id == bindparam("row_id")).values(rank=bindparam("new_rank")), rows
            )
        if moved:
            several = select(publication.c.story_id).group_by(publication.c.story_id).having(func.count() > 1)
            spoil_late(self._connection, story.c.id.in_(several))

    def dirty(self, *, after: int, late: bool, limit: int) -> Dirty:
        """Return stories whose pages are dirty, in the order of ids.

        Args:
            after: only stories with higher ids.
            late: True: only pages for which no feed waits; False: only other pages.
            limit: most stories to return.
        """
        query = select(story.c.id, story.c.touched).where(story.c.id > after, story.c.dirty.is_not(None))
        query = query.where(story.c.dirty == (LATE if late else SOON)).order_by(story.c.id)
        return {row.id: row.touched for row in self._connection.execute(query.limit(limit)).all()}

    def clean(self, seen: Dirty) -> None:
        """Mark pages as rendered at these generations; pages of stories that have changed since stay dirty."""
        rows = [{"of_story": number, "seen": generation} for number, generation in seen.items()]
        if rows:
            chosen = update(story).where(story.c.id == bindparam("of_story"), story.c.touched == bindparam("seen"))
            self._connection.execute(chosen.values(dirty=None), rows)

    def clean_all(self) -> None:
        """Mark the pages of all stories as rendered: none are made, and none stand."""
        self._connection.execute(update(story).where(story.c.dirty.is_not(None)).values(dirty=None))

    def with_parts(self, numbers: Collection[int]) -> set[int]:
        """Return stories with all stories that were merged into them, whose pages name them (T7)."""
        found, more = set(numbers), set(numbers)
        while more:
            parts: set[int] = set()
            for part in _parts(sorted(more)):
                merged = select(story.c.id).where(story.c.merged_into.in_(part))
                parts.update(self._connection.execute(merged).scalars())
            more = parts - found
            found |= more
        return found

    def stored(self, numbers: Collection[int], order: Mapping[CategoryKey, int]) -> dict[int, StoredPage]:
        """Return the content of the pages of stories, and of the stories into which these were merged.

        Args:
            numbers: ids of the stories.
            order: place of each category of feeds.yaml; other categories come after them, oldest first.
        """
        heads = _heads(self._connection, numbers)
        stands: dict[int, list[Any]] = defaultdict(list)
        was_shown: set[int] = set()
        columns = (
            publication.c.story_id,
            publication.c.category_id,
            publication.c.withdrawn_at,
            publication.c.tombstone_ended_at,
            category.c.key,
            category.c.title,
            category.c.slug,
            category.c.show,
            category.c.active,
        )
        query = select(*columns).join(category, category.c.id == publication.c.category_id).where(~category.c.unlisted)
        for part in _parts(sorted(heads)):
            for row in self._connection.execute(query.where(publication.c.story_id.in_(part))).all():
                if row.withdrawn_at is None:
                    stands[row.story_id].append(row)
                elif row.withdrawn_at != row.tombstone_ended_at:  # else it was withdrawn before anybody saw it (T6)
                    was_shown.add(row.story_id)
        for rows in stands.values():
            rows.sort(key=lambda row: (order.get(row.key, len(order)), row.category_id))
        shown = publications_of(self._connection, {number: rows[0].category_id for number, rows in stands.items()})
        return {
            number: StoredPage(
                story=number,
                page_id=head.page_id,
                shown=shown.get(number),
                places=tuple(map(_place, stands.get(number, ()))),
                was_shown=number in was_shown,
                part_of=head.merged_into,
            )
            for number, head in heads.items()
        }


def _heads(connection: Connection, numbers: Collection[int]) -> dict[int, Any]:
    """Return the rows of stories, and of the stories into which these were merged."""
    found: dict[int, Any] = {}
    more = set(numbers)
    while more:
        for part in _parts(sorted(more)):
            query = select(story.c.id, story.c.page_id, story.c.merged_into).where(story.c.id.in_(part))
            found |= {row.id: row for row in connection.execute(query).all()}
        more = {head.merged_into for head in found.values() if head.merged_into is not None} - set(found)
    return found


def _place(row: Any) -> Place:
    return Place(key=CategoryKey(row.key), title=row.title, slug=row.slug, show=Show(row.show), active=row.active)


def _parts(values: Sequence[int]) -> Iterable[Sequence[int]]:
    return (values[start : start + MAX_IN] for start in range(0, len(values), MAX_IN))
