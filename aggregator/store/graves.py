"""What was withdrawn before a store was lost: ids that are never given out again, and tombstones that stand (M8)."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, update

from aggregator.decide.ids import page_id_of
from aggregator.identity import key_form
from aggregator.model.changes import EntryChanges, NewEntry, NewPublication, NewStory
from aggregator.model.entry import Digest, Entry, EntryKey, Origin
from aggregator.model.known import EntryState
from aggregator.model.restored import Restored, RestoredTombstone
from aggregator.store import entries
from aggregator.store.publications import publication_row
from aggregator.store.schema import publication, source, story

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
    stories: Mapping[str, NewStory],
    places: Mapping[str, int],
    free: int,
    now: datetime,
) -> None:
    """Write what was withdrawn: all that is known of it is its id, which is never given out again (M8)."""
    refs = dict.fromkeys(grave.ref for grave in restored.tombstones if grave.ref not in stories)
    if lost is None or not refs:
        return
    made = {
        ref: NewStory(id=len(stories) + number, atom_id=ref, page_id=page_id_of(ref), founder=free + number - 1)
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
