"""What was withdrawn before a store was lost: ids that are never given out again, and tombstones that stand (M8)."""

from collections.abc import Collection, Container, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, bindparam, select, update

from aggregator.decide.ids import page_id_of
from aggregator.identify.keys import key_form
from aggregator.model.changes import EntryChanges, NewEntry, NewPublication, NewStory
from aggregator.model.entry import Digest, Entry, EntryKey, Origin
from aggregator.model.known import EntryState
from aggregator.model.restored import Restored, RestoredTombstone
from aggregator.store import entries
from aggregator.store.publications import publication_row
from aggregator.store.records import observed_of, observed_to_json
from aggregator.store.schema import EPOCH, publication, source, story
from aggregator.store.touched import touch

TOMBSTONE_BEFORE = timedelta(days=1)


def bury_elsewhere(
    connection: Connection, restored: Restored, stories: Mapping[str, NewStory], places: Mapping[str, int]
) -> None:
    """Write where a story was withdrawn that still stands in another category: there its tombstone stays (M8)."""
    digests: dict[str, Digest] = {}
    for one in restored.entries:
        digests.setdefault(one.story, one.entry.digest)  # its founder's
    standing = {(one.story, one.category) for one in restored.publications}
    rows = [
        _grave_row(grave, stories[grave.ref], places[grave.category], digests[grave.ref])
        for grave in restored.tombstones
        if grave.ref in stories and grave.category in places and (grave.ref, grave.category) not in standing
    ]
    if rows:
        connection.execute(publication.insert(), rows)


def _grave_row(grave: RestoredTombstone, told: NewStory, place: int, digest: Digest) -> Mapping[str, object]:
    """Give the row of a publication of which all that is known is that it was withdrawn, and when."""
    before = grave.when - TOMBSTONE_BEFORE
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
    return publication_row(made) | {"withdrawn_at": grave.when}


def bury(
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
    """Write what was withdrawn: all that is known of it is its id, which is never given out again (M8).

    Args:
        connection: a writing one.
        restored: what was read.
        lost: number of the source that stands for the unknown ones.
        stories: the atom:ids that are known.
        places: ids of categories by their keys.
        free: the first number that no entry has.
        free_story: the first that no story has.
        now: the time.
    """
    refs = dict.fromkeys(grave.ref for grave in restored.tombstones if grave.ref not in stories)
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
    entries.write(connection, lost, EntryChanges(stories=tuple(made.values()), new=new), now)
    connection.execute(update(source).where(source.c.id == lost).values(entries=len(new)))
    chosen = update(story).where(story.c.id.in_([one.id for one in made.values()]))
    connection.execute(chosen.values(retracted_at=now))  # whatever copies come, nobody sees it
    rows = [
        _grave_row(grave, made[grave.ref], places[grave.category], new[0].entry.digest)
        for grave in restored.tombstones
        if grave.ref in made and grave.category in places
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
    """Withdraw from a store what was withdrawn after its backup, with the tombstones of then (M8).

    A story that stands nowhere any more counts as retracted, or the next poll of one of its sources would publish it.

    Args:
        connection: a writing one.
        restored: what was read.
        stories: numbers of stories by their atom:ids.
        places: ids of categories by their keys.
        known: publications of the store, by story and category.
        standing: story and category of each publication that was read.

    Returns:
        How many publications.
    """
    gone: dict[tuple[int, int], datetime] = {}
    for grave in restored.tombstones:
        at = (stories.get(grave.ref, 0), places.get(grave.category, 0))
        row = known.get(at)
        if row is not None and row["withdrawn_at"] is None and at not in standing and grave.when >= row["updated"]:
            gone[at] = grave.when
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
    """Let the next poll of each source mind that entries were restored.

    Some may be known by their tombstones alone, and others have titles and dates that we had made for them.
    """
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
