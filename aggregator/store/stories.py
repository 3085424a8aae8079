"""Whole stories, for an operator's corrections: looked up with all their entries, written in one go (T7, T8, M8)."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from aggregator.identify.ids import minted_id, page_id_of
from aggregator.model.correction import StoryChanges, StoryMembers
from aggregator.model.known import KnownEntry
from aggregator.store.categories import is_backfill, raise_generations
from aggregator.store.dialect import insert
from aggregator.store.dirty import touch
from aggregator.store.documents import STANDING_TOMBSTONE
from aggregator.store.events import write_events
from aggregator.store.minhash_bands import band_founders
from aggregator.store.page_wordings import unpin
from aggregator.store.publications import publication_row, withdraw, write_shown
from aggregator.store.queries import (
    ATOM_IDS,
    ENTRIES_BY_STORY,
    PAGE_IDS,
    STORIES_OF,
    known_entry,
    known_stories,
    rows_by,
    verdicts,
)
from aggregator.store.schema import category, entry, publication, store, story, verdict
from aggregator.store.sequence import moving_times
from aggregator.text.iris import is_identifier


def members(connection: Connection, numbers: Collection[int]) -> StoryMembers:
    """Look up stories and all that bears on a correction of them."""
    found: dict[int, list[KnownEntry]] = {number: [] for number in numbers}
    for row in rows_by(connection, ENTRIES_BY_STORY, sorted(numbers)):
        found[row["story_id"]].append(known_entry(row))
    everyone = [member for some in found.values() for member in some]
    came_from = {member.merged_from for member in everyone if member.merged_from is not None}
    stories = dict(known_stories(connection, {*numbers, *came_from}))
    founders = {known.founder for known in stories.values()}
    same, different = verdicts(connection, {member.id for member in everyone} | founders)
    own = connection.execute(select(store.c.uuid, store.c.next_story)).one()
    may_be = {minted_id(own.uuid, member.source_key, member.key) for member in everyone}
    may_be |= {member.own_id for member in everyone if member.own_id and is_identifier(member.own_id)}
    pages_of = sorted(map(page_id_of, may_be))
    return StoryMembers(
        store_uuid=own.uuid,
        next_story=own.next_story,
        stories=stories,
        members={n: tuple(sorted(some, key=lambda e: e.id)) for n, some in found.items()},
        same=same,
        different=different,
        taken=frozenset(row["atom_id"] for row in rows_by(connection, ATOM_IDS, sorted(may_be))),
        taken_pages=frozenset(row["page_id"] for row in rows_by(connection, PAGE_IDS, pages_of)),
        categories=frozenset(connection.execute(select(category.c.id).where(category.c.active)).scalars()),
    )


def write(connection: Connection, changes: StoryChanges, now: datetime) -> None:
    """Write what becomes of stories, and make dirty what shows them (invariant 6)."""
    if changes.stories:
        rows = [
            {"id": s.id, "atom_id": s.atom_id, "page_id": s.page_id, "founder_id": s.founder, "created_at": now}
            for s in changes.stories
        ]
        connection.execute(story.insert(), rows)
        connection.execute(update(store).values(next_story=max(made.id for made in changes.stories) + 1))
        band_founders(connection, {made.founder for made in changes.stories})
    left = _stories_of(connection, [moved.id for moved in changes.moved])  # their pages credited what goes
    if changes.moved:
        statement = update(entry).where(entry.c.id == bindparam("row_id"))
        names = ("story_id", "merged_from", "joined_at")
        times = moving_times(connection, changes.moved, now)
        rows = [
            {"row_id": m.id, "new_story_id": m.story, "new_merged_from": m.merged_from, "new_joined_at": times[m.id]}
            for m in changes.moved
        ]
        connection.execute(statement.values({name: bindparam(f"new_{name}") for name in names}), rows)
    of_row = update(story).where(story.c.id == bindparam("row_id"))
    for column, pairs in (("merged_into", changes.merged), ("retracted_at", changes.retracted)):
        if pairs:
            connection.execute(
                of_row.values({column: bindparam("new")}), [{"row_id": number, "new": value} for number, value in pairs]
            )
    if changes.publications:
        connection.execute(publication.insert(), [publication_row(item) for item in changes.publications])
    unpin(connection, changes.unpinned)
    write_shown(connection, changes.shown)
    withdraw(connection, changes.withdrawn, now, traceless=changes.traceless)
    if changes.rulings:
        statement = insert(verdict, connection.dialect.name)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["entry_id", "other_id"],
                set_={"verdict": statement.excluded.verdict, "at": statement.excluded.at},
            ),
            [
                {"entry_id": ruling.entry, "other_id": ruling.other, "verdict": ruling.verdict.value, "at": now}
                for ruling in changes.rulings
            ],
        )
    stood = (item.story for some in (changes.moved, changes.publications, changes.shown) for item in some)
    ended = (number for some in (changes.merged, changes.retracted, changes.withdrawn) for number, _ in some)
    touch(connection, (*(made.id for made in changes.stories), *stood, *ended, *left))
    pages: dict[int, set[int]] = defaultdict(set)
    for place, page in changes.dirty:
        pages[place].update(() if page is None else (page,))
    raise_generations(connection, pages, backfill=is_backfill(changes.publications))
    write_events(connection, changes.events, now)


def _stories_of(connection: Connection, entries: Collection[int]) -> set[int]:
    """Give the stories that entries tell so far."""
    found = rows_by(connection, STORIES_OF, sorted(entries))
    return {row["story_id"] for row in found if row["story_id"] is not None}


class Stories:
    """Stories and where they stand: `tx.stories`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def touched_since(self, generation: int, *, after: tuple[int, int], limit: int) -> list[tuple[int, int]]:
        """Give stories that were touched after a generation, page by page.

        Args:
            generation: what is done already; 0 gives all stories.
            after: the last of the page before, (generation, number); `(0, 0)` for the first page.
            limit: how many at most.

        Returns:
            (generation, number) of each, in that order.
        """
        place = (story.c.touched > after[0]) | ((story.c.touched == after[0]) & (story.c.id > after[1]))
        query = select(story.c.touched, story.c.id).where(story.c.touched > generation, place)
        rows = self._connection.execute(query.order_by(story.c.touched, story.c.id).limit(limit)).all()
        return [(row.touched, row.id) for row in rows]

    def end_tombstones(self, *, before: datetime, now: datetime) -> int:
        """Take tombstones out of main documents that have stood there long enough, as a change that is rendered (M8).

        Args:
            before: what was withdrawn before that.
            now: the time.

        Returns:
            How many.
        """
        over = STANDING_TOMBSTONE & (publication.c.withdrawn_at < before)
        places = self._connection.execute(select(publication.c.category_id).where(over)).scalars().all()
        if places:
            self._connection.execute(update(publication).where(over).values(tombstone_ended_at=now))
            raise_generations(self._connection, {place: () for place in places})
        return len(places)
