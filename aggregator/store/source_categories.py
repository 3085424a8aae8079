"""Applies edits of feeds.yaml to publications: a source enters a category, or its priority changes (N1, N2, T3)."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

from sqlalchemy import Connection, bindparam, select, update

from aggregator.decide.backfill import Backfill, Published, backfill, with_places
from aggregator.decide.publications import PublicationDraft
from aggregator.model.changes import Correction, EntryChanges, PlacedEntry
from aggregator.model.event import Code, Event
from aggregator.model.known import EntryState
from aggregator.model.settings import Category, Roster, Source, SourceKey
from aggregator.store.apply import apply
from aggregator.store.documents import Documents
from aggregator.store.queries import OWN_DATE, STORIES_OF, copies_of, entry_of, known_categories, known_stories, rows_by
from aggregator.store.schema import category, entry, publication, source, story

PART = 200  # entries that are read together
RANKED = "its source has another priority"


class SourceCategories:
    """Statements for sources that enter categories after an edit of feeds.yaml: `tx.source_categories`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def place(self, sources: Sequence[Source], roster: Roster, now: datetime) -> list[Event]:
        """Record the categories of sources, and fill categories that a source enters; one it leaves is unchanged (N1).

        Args:
            sources: the sources of feeds.yaml; all are in the store.
            roster: the sources and categories of feeds.yaml; all are in the store.
            now: the time.

        Returns:
            An event for each category that was filled.
        """
        settings = {one.key: one for one in sources}
        numbers = {key: one.id for key, one in known_categories(self._connection).items()}
        events: list[Event] = []
        moved, ranked = [], []
        columns = (source.c.id, source.c.key, source.c.places, source.c.priority, source.c.first_stored_at)
        for row in self._connection.execute(select(*columns).where(source.c.active)).all():
            said = settings[row.key]
            if said.priority != row.priority:
                ranked.append({"row_id": row.id, "new_priority": said.priority})
            keys = [key for key in said.categories if key in numbers and key in roster.categories]
            places = sorted(numbers[key] for key in keys)
            if places == row.places:
                continue
            moved.append({"row_id": row.id, "new_places": places})
            if row.places is None or row.first_stored_at is None:
                continue  # the first poll of the source fills them (I62)
            for key in keys:
                if numbers[key] not in row.places:
                    publications = PublicationDraft(
                        now=now, roster=roster, categories=frozenset(numbers.values()), source=row.id
                    )
                    filled = _fill(self._connection, row.id, said, roster.categories[key], numbers[key], publications)
                    facts = {"category": numbers[key], "entries": filled}
                    events.append(Event(code=Code.FILL_CATEGORY, source=row.id, category=numbers[key], facts=facts))
        chosen = update(source).where(source.c.id == bindparam("row_id"))
        if moved:
            self._connection.execute(chosen.values(places=bindparam("new_places")), moved)
        if ranked:
            self._connection.execute(chosen.values(priority=bindparam("new_priority")), ranked)
            publications = PublicationDraft(now=now, roster=roster, categories=frozenset(numbers.values()))
            _choose_anew(self._connection, [int(str(row["row_id"])) for row in ranked], publications)
            _write(self._connection, publications)
        return events

    def would_fill(self, was: SourceKey, settings: Source, category: Category, now: datetime) -> tuple[int, int]:
        """Return how many publications a source would add to a category (N2), and how many to its main document.

        Args:
            was: the key of the source in the store.
            settings: the proposed settings of the source.
            category: the category that it would enter.
            now: the time.
        """
        number = self._connection.execute(select(source.c.id).where(source.c.key == was)).scalar_one_or_none()
        if number is None:
            return 0, 0
        place = known_categories(self._connection).get(category.key)
        in_place = select(publication.c.story_id).where(publication.c.category_id == (place.id if place else 0))
        there = frozenset(self._connection.execute(in_place).scalars())
        rows = Documents(self._connection).main_rows(place.id) if place else []
        chosen = backfill(
            _published(self._connection, number), category, 0, there=there, limit=settings.initial, at=now
        )
        times = sorted((*(row.sort_at for row in rows), *(made.sort_at for made in chosen.publications)), reverse=True)
        last = times[min(category.entries, len(times)) - 1] if times else now
        return len(chosen.publications), sum(made.sort_at >= last for made in chosen.publications)


def _fill(
    connection: Connection,
    number: int,
    settings: Source,
    category: Category,
    place: int,
    publications: PublicationDraft,
) -> int:
    """Publish the newest entries of a source in a category; return the number of new publications."""
    in_place = select(publication.c.story_id).where(publication.c.category_id == place)
    told = select(entry.c.story_id).where(entry.c.source_id == number)
    there = frozenset(connection.execute(in_place.where(publication.c.story_id.in_(told))).scalars())
    limit, at = settings.initial, publications.now
    chosen = backfill(_published(connection, number), category, place, there=there, limit=limit, at=at)
    publications.entered.extend(chosen.publications)
    if chosen.publications:
        publications.dirty.add((place, None))
    _settle(connection, chosen, publications)
    _credit_anew(connection, chosen.placed, place, publications)
    _write(connection, publications, chosen.placed)
    return len(chosen.publications)


def _settle(connection: Connection, chosen: Backfill, publications: PublicationDraft) -> None:
    """Decide on the publications of stories that are already in the category."""
    copies = copies_of(connection, chosen.joined)
    for number, told in known_stories(connection, chosen.joined):
        members = with_places(copies[number], chosen.placed)
        publications.settle(told, members, gained={chosen.joined[number]}, because="its source entered the category")


def _credit_anew(
    connection: Connection, placed: Sequence[PlacedEntry], place: int, publications: PublicationDraft
) -> None:
    """Mark documents as dirty whose credits change: they may name entries that only unlisted categories had (S44)."""
    unlisted = set(connection.execute(select(category.c.id).where(category.c.unlisted)).scalars())
    if place in unlisted:
        return
    seen = [one.id for one in placed if unlisted.issuperset(one.categories[:-1])]
    told = {row["story_id"] for row in rows_by(connection, STORIES_OF, seen)}
    for _, one in known_stories(connection, {number for number in told if number is not None}):
        stands = (publication for publication in one.publications if not publication.withdrawn)
        publications.dirty.update((publication.category, publication.page) for publication in stands)


def _choose_anew(connection: Connection, ranked: Sequence[int], publications: PublicationDraft) -> None:
    """Choose again the shown copies of stories that main documents show and that have copies of these sources."""
    other = entry.alias()
    beside = select(other.c.id).where(other.c.story_id == entry.c.story_id, other.c.id != entry.c.id).exists()
    in_main = publication.c.page.is_(None) & publication.c.withdrawn_at.is_(None)
    query = (
        select(entry.c.story_id)
        .join(publication, (publication.c.story_id == entry.c.story_id) & in_main)
        .where(entry.c.source_id.in_(ranked), entry.c.state == EntryState.PUBLISHED.value, beside)
        .distinct()
        .order_by(entry.c.story_id)
    )
    numbers = iter(connection.execute(query).scalars().all())
    while part := list(islice(numbers, PART)):
        copies = copies_of(connection, part)
        for number, told in known_stories(connection, part):
            publications.choose_anew(told, copies[number], RANKED)


def _write(connection: Connection, publications: PublicationDraft, placed: Sequence[PlacedEntry] = ()) -> None:
    """Write the decided changes of entries and publications, with their events."""
    changes = EntryChanges(placed=tuple(placed), stories=publications.changes(), events=tuple(publications.events))
    apply(connection, [Correction(at=publications.now, entries=changes)])


def _published(connection: Connection, number: int) -> Iterator[Published]:
    """Yield the published entries of a source, newest first by their own dates; read in parts, since few are needed.

    Entries that the source or an operator withdrew are included, with `stands` false.
    """
    ids = select(entry.c.id).join(story, story.c.id == entry.c.story_id)
    ids = ids.where(entry.c.source_id == number, entry.c.state.in_((EntryState.PUBLISHED, EntryState.WITHDRAWN)))
    order = iter(connection.execute(ids.order_by(OWN_DATE.desc(), entry.c.id)).scalars().all())
    while part := list(islice(order, PART)):
        updated: dict[int, datetime] = {}
        shown = select(publication.c.shown_id, publication.c.updated).where(publication.c.shown_id.in_(part))
        for of, when in connection.execute(shown).all():
            updated[of] = max(when, updated.get(of, when))
        rows = select(entry, story.c.retracted_at).join(story, story.c.id == entry.c.story_id)
        found = {row["id"]: row for row in connection.execute(rows.where(entry.c.id.in_(part))).mappings()}
        for one in part:
            row = found[one]
            yield Published(
                id=one,
                story=row["story_id"],
                entry=entry_of(row),
                first_seen=row["first_seen"],
                places=tuple(row["categories"]),
                stands=row["retracted_at"] is None and row["state"] == EntryState.PUBLISHED,
                updated=updated.get(one),
            )
