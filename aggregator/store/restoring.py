"""Fills an empty store from published documents: ids and categories before feeds.yaml is read, the rest after."""

from collections import defaultdict
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, bindparam, delete, select, update

from aggregator.cadence import ARRIVALS
from aggregator.identify.ids import page_id_of
from aggregator.identify.keys import key_form
from aggregator.identify.matching import telling
from aggregator.identify.minhash import bands_of
from aggregator.model.changes import Correction, EntryChanges, NewEntry
from aggregator.model.detail import PATIENCE
from aggregator.model.entry import Digest, Entry, EntryKey, Origin
from aggregator.model.known import LOST, EntryState
from aggregator.model.observed import Observed
from aggregator.model.poll import State
from aggregator.model.restored import Restored, RestoredCategory, RestoredEntry, RestoredTombstone
from aggregator.model.settings import Show, SourceKey
from aggregator.model.stored_json import arrivals_to_json, observed_of, observed_to_json, origin_to_json
from aggregator.model.story_changes import NewPublication, NewStory, StoryChanges
from aggregator.store.apply import apply
from aggregator.store.documents import ALL, MAIN, say
from aggregator.store.publications import publication_row
from aggregator.store.schema import EPOCH, MICROSECOND, category, document, entry, publication, source, store, story
from aggregator.store.stories import touch
from aggregator.urls import Url

LISTED = 500  # newest entries of a source, with which its next document is compared (I35)


class Restoring:
    """Statements that fill a store from published documents: `tx.restoring`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def is_filled(self) -> bool:
        """Return whether the store has any entry."""
        return self._connection.execute(select(entry.c.id).limit(1)).first() is not None

    def lay_ground(self, restored: Restored, now: datetime) -> None:
        """Write the store id and the categories of a lost store into a store without entries.

        No document tells when a category was removed from feeds.yaml. Its addresses answer 410 for 90 days from `now`
        on, and 404 where gone.txt says so (A44).

        Args:
            restored: content of the published documents.
            now: the time.
        """
        self._connection.execute(delete(category))
        self._connection.execute(delete(document))
        self._connection.execute(update(store).values(adopts=True))
        if restored.store is not None:
            self._connection.execute(update(store).values(uuid=str(restored.store)))
        rows = [category_values(one, now) for one in restored.categories]
        if rows:
            self._connection.execute(category.insert(), rows)
        numbers = {row.key: row.id for row in self._connection.execute(select(category.c.key, category.c.id)).all()}
        note_said(self._connection, restored, numbers)

    def fill(self, restored: Restored, now: datetime, *, detailed: Mapping[SourceKey, int]) -> None:
        """Write the entries of sources, the stories and the publications, each in the document that had it.

        Args:
            restored: content of the published documents.
            now: the time.
            detailed: `initial` of each source whose entries wait for a detail or an article.
        """
        self._connection.execute(update(store).values(restored_at=now))
        of_source: dict[SourceKey, list[RestoredEntry]] = defaultdict(list)
        for one in restored.entries:
            of_source[one.source].append(one)
        told = {one.story for one in restored.entries}
        numbered = sources(
            self._connection, of_source, now, lost=any(tombstone.ref not in told for tombstone in restored.tombstones)
        )
        for place in restored.categories:
            if place.namer is not None and place.namer in numbered:  # feeds.yaml has the source, whose items name it
                named = update(category).where(category.c.key == place.key)
                values = {"source_id": numbered[place.namer], "active": True, "unlisted": False, "removed_at": None}
                self._connection.execute(named.values(values))
        places = {row.key: row.id for row in self._connection.execute(select(category.c.key, category.c.id)).all()}
        numbers = _numbers(restored.entries)
        founders: dict[str, int] = {}
        for one in restored.entries:
            founders.setdefault(one.story, numbers[one.source, one.entry.key])

        def is_founder(one: RestoredEntry) -> bool:
            return founders[one.story] == numbers[one.source, one.entry.key]

        stories: dict[str, NewStory] = {}
        taken: set[str] = set()
        for number, (atom_id, founder) in enumerate(founders.items(), start=1):
            page_id = page_id_of(atom_id, frozenset(taken))
            taken.add(page_id)
            stories[atom_id] = NewStory(id=number, atom_id=atom_id, page_id=page_id, founder=founder)
        _write_stories(self._connection, list(stories.values()), now)
        for key, some in of_source.items():
            new = tuple(
                NewEntry(
                    id=numbers[one.source, one.entry.key],
                    entry=one.entry,
                    form=key_form(one.entry.key),
                    state=EntryState.PUBLISHED,
                    story=stories[one.story].id,
                    categories=tuple(places[place] for place in one.categories if place in places),
                    origin=one.origin,
                    bands=bands_of(telling(one.entry)) if one.entry.text and is_founder(one) else (),
                )
                for one in some
            )
            apply(self._connection, [Correction(at=now, entries=EntryChanges(new=new), source=numbered[key])])
            settle_source(self._connection, numbered[key], some, numbers, now, initial=detailed.get(key))
        layers = now - timedelta(seconds=1)  # earlier than any entry that joins from now on
        seen = [
            {
                "row_id": numbers[one.source, one.entry.key],
                "new_seen": one.first_seen,
                "new_joined": layers + one.layer * MICROSECOND if one.layer else min(one.first_seen, layers),
            }
            for one in restored.entries
        ]
        if seen:
            of_row = update(entry).where(entry.c.id == bindparam("row_id"))
            self._connection.execute(
                of_row.values(first_seen=bindparam("new_seen"), joined_at=bindparam("new_joined")), seen
            )
        rows = [
            publication_row(
                NewPublication(
                    story=stories[one.story].id,
                    category=places[one.category],
                    entered_at=one.entered_at,
                    sort_at=one.sort_at,
                    backfill=False,
                    shown=numbers[one.shown[0], EntryKey(one.shown[1])],
                    digest=one.digest,
                    updated=one.updated,
                )
            )
            | {"page": one.page, "filed_at": layers + one.layer * MICROSECOND if one.page else None}
            | {"thinned_at": now if one.thinned else None}
            for one in restored.publications
        ]
        if rows:
            self._connection.execute(publication.insert(), rows)
        rendered = {"rendered": category.c.dirty, "rendered_at": category.c.created_at}  # as far as documents tell
        self._connection.execute(update(category).where(category.c.id.in_(list(places.values()))).values(rendered))
        insert_other_tombstones(self._connection, restored, stories, places)
        lost = numbered.get(LOST)
        free, free_story = len(numbers) + 1, len(stories) + 1
        insert_tombstones(self._connection, restored, lost, stories, places, free=free, free_story=free_story, now=now)


def note_said(connection: Connection, restored: Restored, numbers: Mapping[str, int]) -> None:
    """Record the `updated` of each document that was read: no document may have an earlier one again (invariant 3).

    Args:
        connection: a connection that writes.
        restored: content of the published documents.
        numbers: ids of categories by key; other categories are left out.
    """
    said = {(ALL, MAIN): restored.said} if restored.said is not None else {}
    for one in restored.categories:
        if one.key in numbers:
            said |= {(numbers[one.key], page): when for page, when in enumerate(one.said, start=MAIN)}
    say(connection, said)


def category_values(one: RestoredCategory, now: datetime) -> dict[str, object]:
    """Return the row of a restored category, without an id; documents do not tell all of the settings."""
    return {
        "key": one.key,
        "slug": one.slug,
        "feed_id": one.feed_id,
        "created_at": one.created_at,
        "active": one.is_listed,
        "removed_at": None if one.is_listed else one.created_at if one.is_forgotten else now,
        "unlisted": not one.is_listed and one.is_unlisted,
        "title": one.key,
        "show": Show.FULL.value,
        "pages": one.pages,
        "dirty": 1,
        "rendered": 0,
        "dirty_pages": {},
    }


def _numbers(restored: Sequence[RestoredEntry]) -> dict[tuple[SourceKey, EntryKey], int]:
    """Return an id for each entry; entries of one story get theirs in the order in which they came (A9: credits)."""
    of_story: dict[str, list[tuple[int, RestoredEntry]]] = defaultdict(list)
    for number, one in enumerate(restored, start=1):
        of_story[one.story].append((number, one))
    return {
        (one.source, one.entry.key): number
        for some in of_story.values()
        for (number, _), one in zip(some, sorted((one for _, one in some), key=lambda one: one.rank), strict=True)
    }


def sources(
    connection: Connection, wanted: Mapping[SourceKey, Sequence[RestoredEntry]], now: datetime, *, lost: bool
) -> dict[SourceKey, int]:
    """Return the ids of sources by key. A source that is not in the store gets an inactive row (R53).

    Args:
        connection: a connection that writes.
        wanted: the restored entries of each source.
        now: the time.
        lost: include the source `LOST`, to which entries of unknown sources belong.
    """
    found = {SourceKey(row.key): row.id for row in connection.execute(select(source.c.key, source.c.id)).all()}
    resting = {key: some[0].url for key, some in wanted.items() if key not in found}
    if lost:
        resting.setdefault(LOST, Url("about:blank"))
    for key, url in resting.items():
        values = {
            "key": key,
            "url": url,
            "url_in_use": url,
            "host_key": "",
            "settings_digest": "",
            "active": False,
            "paused": False,
            "own_machine": False,
            "private": False,
            "noindex": False,
            "priority": 0,
            "created_at": now,
            "due_at": now,
            "earliest_at": now,
            "identical": 0,
            "claims": 0,
            "polls": 0,
            "interval": 0,
            "failures": 0,
            "retried": False,
            "state": State.NEVER.value,
        }
        found[key] = connection.execute(source.insert().values(values).returning(source.c.id)).scalar_one()
    return found


def _write_stories(connection: Connection, made: Sequence[NewStory], now: datetime) -> None:
    if made:
        apply(connection, [Correction(at=now, entries=EntryChanges(stories=StoryChanges(new=tuple(made))))])


def settle_source(
    connection: Connection,
    number: int,
    some: Sequence[RestoredEntry],
    numbers: Mapping[tuple[SourceKey, EntryKey], int],
    now: datetime,
    *,
    initial: int | None,
) -> None:
    """Write the state of a restored source, so that its next poll does not count as its first.

    Unknown entries of the next document that are not newer than `restored_until` are not new. In a source with details,
    such an entry may have waited for its detail when the store was lost, and is not published yet. But no entry waits
    longer than a day; and if `initial` entries were published, entries beyond `initial` are older than all of these.

    Args:
        connection: a connection that writes.
        number: id of the source.
        some: its restored entries, at least one.
        numbers: ids of entries by source and key.
        now: the time.
        initial: setting of a source with details; None: its entries wait for no detail.
    """
    newest = sorted(some, key=lambda one: one.first_seen, reverse=True)
    dates = [when for one in some if (when := one.entry.published or one.entry.updated) is not None]
    until = max(dates, default=EPOCH)
    if dates and initial is not None:
        until = max(until - PATIENCE, min(dates)) if len(some) >= initial else until - PATIENCE
    observed = Observed(restored_until=until)
    values = {
        "first_stored_at": min(now, min(one.first_seen for one in some)),
        "observations": observed_to_json(observed),
        "listed": [numbers[one.source, one.entry.key] for one in newest[:LISTED]],
        "arrivals": arrivals_to_json(tuple(sorted(min(one.first_seen, now) for one in newest[:ARRIVALS]))),
        "feed": origin_to_json(newest[0].origin),
        "entries": len(some),
    }
    connection.execute(update(source).where(source.c.id == number).values(values))


TOMBSTONE_BEFORE = timedelta(days=1)  # from the assumed publication of a withdrawn story to its withdrawal


def insert_other_tombstones(
    connection: Connection, restored: Restored, stories: Mapping[str, NewStory], places: Mapping[str, int]
) -> None:
    """Insert withdrawn publications of stories that are still published in another category (M8)."""
    digests: dict[str, Digest] = {}
    for one in restored.entries:
        digests.setdefault(one.story, one.entry.digest)  # the founder's
    standing = {(one.story, one.category) for one in restored.publications}
    rows = [
        _tombstone_row(tombstone, stories[tombstone.ref], places[tombstone.category], digests[tombstone.ref])
        for tombstone in restored.tombstones
        if tombstone.ref in stories
        and tombstone.category in places
        and (tombstone.ref, tombstone.category) not in standing
    ]
    if rows:
        connection.execute(publication.insert(), rows)


def _tombstone_row(tombstone: RestoredTombstone, told: NewStory, place: int, digest: Digest) -> Mapping[str, object]:
    """Return the row of a withdrawn publication, of which only the time of the withdrawal is known."""
    before = tombstone.when - TOMBSTONE_BEFORE
    made = NewPublication(
        story=told.id,
        category=place,
        entered_at=before,
        sort_at=before,
        backfill=False,
        shown=told.founder,
        digest=digest,
        updated=before,
    )
    return publication_row(made) | {"withdrawn_at": tombstone.when}


def insert_tombstones(
    connection: Connection,
    restored: Restored,
    lost: int | None,
    stories: Container[str],
    places: Mapping[str, int],
    *,
    free: int,
    free_story: int,
    now: datetime,
) -> None:
    """Insert withdrawn stories of which only the atom:id is known, so that the id is never used again (M8).

    Args:
        connection: a connection that writes.
        restored: content of the published documents.
        lost: id of the source `LOST`, which stands for unknown sources; None: nothing is inserted.
        stories: known atom:ids.
        places: ids of categories by key.
        free: first unused id of an entry.
        free_story: first unused id of a story.
        now: the time.
    """
    refs = dict.fromkeys(tombstone.ref for tombstone in restored.tombstones if tombstone.ref not in stories)
    if lost is None or not refs:
        return
    made = {
        ref: NewStory(id=free_story + number - 1, atom_id=ref, page_id=page_id_of(ref), founder=free + number - 1)
        for number, ref in enumerate(refs, start=1)
    }
    origin = Origin(id="", title="")
    new = tuple(
        NewEntry(
            id=one.founder,
            entry=Entry(key=EntryKey(ref), id=ref),
            form=key_form(ref),
            state=EntryState.WITHDRAWN,
            story=one.id,
            origin=origin,
        )
        for ref, one in made.items()
    )
    changes = EntryChanges(new=new, stories=StoryChanges(new=tuple(made.values())))
    apply(connection, [Correction(at=now, entries=changes, source=lost)])
    connection.execute(update(source).where(source.c.id == lost).values(entries=len(new)))
    chosen = update(story).where(story.c.id.in_([one.id for one in made.values()]))
    connection.execute(chosen.values(retracted_at=now))  # later copies do not publish it again
    rows = [
        _tombstone_row(tombstone, made[tombstone.ref], places[tombstone.category], new[0].entry.digest)
        for tombstone in restored.tombstones
        if tombstone.ref in made and tombstone.category in places
    ]
    connection.execute(publication.insert(), rows)


def withdraw_since(
    connection: Connection,
    restored: Restored,
    stories: Mapping[str, int],
    places: Mapping[str, int],
    known: Mapping[tuple[int, int], RowMapping],
    standing: Collection[tuple[int | None, int | None]],
) -> int:
    """Withdraw publications that were withdrawn after the backup, at the times of their tombstones (M8).

    A story without any publication left counts as retracted, or the next poll of one of its sources would publish it.

    Args:
        connection: a connection that writes.
        restored: content of the published documents.
        stories: ids of stories by atom:id.
        places: ids of categories by key.
        known: publications of the store, by story and category.
        standing: (story, category) of each publication that was read.

    Returns:
        Number of publications that were withdrawn.
    """
    gone: dict[tuple[int, int], datetime] = {}
    for tombstone in restored.tombstones:
        at = (stories.get(tombstone.ref, 0), places.get(tombstone.category, 0))
        row = known.get(at)
        if row is not None and row["withdrawn_at"] is None and at not in standing and tombstone.when >= row["updated"]:
            gone[at] = tombstone.when
    if not gone:
        return 0
    chosen = update(publication).where(
        publication.c.story_id == bindparam("of_story"), publication.c.category_id == bindparam("of_category")
    )
    rows = [{"of_story": number, "of_category": place, "at": when} for (number, place), when in gone.items()]
    connection.execute(chosen.values(withdrawn_at=bindparam("at"), tombstone_ended_at=None), rows)
    left = {number for number, _ in standing}
    left |= {at[0] for at, row in known.items() if row["withdrawn_at"] is None and at not in gone}
    nowhere = [{"row_id": number, "at": when} for (number, _), when in gone.items() if number not in left]
    if nowhere:
        retracted = update(story).where(story.c.id == bindparam("row_id"))
        connection.execute(retracted.values(retracted_at=bindparam("at")), nowhere)
    touch(connection, [number for number, _ in gone])
    return len(gone)


def mind_restored(connection: Connection) -> None:
    """Mark each source as restored, so that its next poll compares its entries with restored ones.

    Some entries may be known by their tombstones alone; others may have titles and dates that we had made up.
    """
    connection.execute(update(source).values(window=None))
    rows = connection.execute(select(source.c.id, source.c.observations)).all()
    seen = [(row.id, observed_of(row.observations)) for row in rows]
    values = [
        {"row_id": number, "new": observed_to_json(replace(observed, restored_until=EPOCH))}
        for number, observed in seen
        if observed.restored_until is None
    ]
    if values:
        statement = update(source).where(source.c.id == bindparam("row_id"))
        connection.execute(statement.values(observations=bindparam("new")), values)
