"""Queries on stories for corrections and exports, and the statements that write rows of stories (T7, T8, M8).

Changed stories are marked in two columns:

- `story.touched`: generation of the store (`store.dirty`) at the last change of the story that its outputs show. Never
  cleared. The export of posts and the word index store the generation up to which they are done, and look up the
  stories with a later `touched`.
- `story.dirty`: the page of the story must be rendered: `SOON` or `LATE`; cleared once the page is written. Pages are
  rendered one by one, and one may fail while others succeed, so one generation for all pages is not enough. A new theme
  makes pages dirty too, without a change of their stories.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, bindparam, func, select, update

from aggregator.identify.ids import minted_id
from aggregator.model.correction import StoryMembers
from aggregator.model.known import KnownEntry
from aggregator.model.story_changes import NewStory, Ruling
from aggregator.store.categories import raise_generations
from aggregator.store.documents import STANDING_TOMBSTONE
from aggregator.store.queries import (
    ENTRIES_BY_STORY,
    known_entry,
    known_stories,
    rows_by,
    taken_ids,
    verdicts,
)
from aggregator.store.river import raise_pages
from aggregator.store.schema import MAX_IN, category, entry, insert, publication, store, story, verdict
from aggregator.text.iris import is_identifier


def members(connection: Connection, numbers: Collection[int]) -> StoryMembers:
    """Return stories with their entries, verdicts, taken ids and categories, for a correction."""
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
    taken, taken_pages = taken_ids(connection, may_be)
    return StoryMembers(
        store_uuid=own.uuid,
        next_story=own.next_story,
        stories=stories,
        members={n: tuple(sorted(some, key=lambda e: e.id)) for n, some in found.items()},
        same=same,
        different=different,
        taken=taken,
        taken_pages=taken_pages,
        categories=frozenset(connection.execute(select(category.c.id).where(category.c.active)).scalars()),
    )


def insert_stories(connection: Connection, made: Sequence[NewStory], now: datetime) -> None:
    if made:
        rows = [
            {"id": s.id, "atom_id": s.atom_id, "page_id": s.page_id, "founder_id": s.founder, "created_at": now}
            for s in made
        ]
        connection.execute(story.insert(), rows)


def merge_stories(connection: Connection, merged: Sequence[tuple[int, int | None]]) -> None:
    """Write into which story other stories are merged (T7); None: the story is separate again (T8)."""
    _write_column(connection, "merged_into", merged)


def retract_stories(connection: Connection, retracted: Sequence[tuple[int, datetime | None]]) -> None:
    """Write when stories were retracted; None: they no longer are."""
    _write_column(connection, "retracted_at", retracted)


def _write_column(connection: Connection, name: str, pairs: Sequence[tuple[int, object]]) -> None:
    if pairs:
        chosen = update(story).where(story.c.id == bindparam("row_id"))
        rows = [{"row_id": number, "new": value} for number, value in pairs]
        connection.execute(chosen.values({name: bindparam("new")}), rows)


def write_rulings(connection: Connection, rulings: Sequence[Ruling], now: datetime) -> None:
    """Write verdicts on pairs of entries; a later verdict replaces an earlier one."""
    if rulings:
        statement = insert(verdict, connection.dialect.name)
        statement = statement.on_conflict_do_update(
            index_elements=["entry_id", "other_id"],
            set_={"verdict": statement.excluded.verdict, "at": statement.excluded.at},
        )
        rows = [
            {"entry_id": ruling.entry, "other_id": ruling.other, "verdict": ruling.verdict.value, "at": now}
            for ruling in rulings
        ]
        connection.execute(statement, rows)


class Stories:
    """Statements on changed stories and their tombstones: `tx.stories`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def touched_since(self, generation: int, *, after: tuple[int, int], limit: int) -> list[tuple[int, int]]:
        """Return a part of the stories that were touched after a generation.

        Args:
            generation: last generation that is done already; 0: return all stories.
            after: last (generation, story) of the part before; `(0, 0)` for the first part.
            limit: most stories to return.

        Returns:
            (generation, story) of each story, in that order.
        """
        place = (story.c.touched > after[0]) | ((story.c.touched == after[0]) & (story.c.id > after[1]))
        query = select(story.c.touched, story.c.id).where(story.c.touched > generation, place)
        rows = self._connection.execute(query.order_by(story.c.touched, story.c.id).limit(limit)).all()
        return [(row.touched, row.id) for row in rows]

    def end_tombstones(self, *, before: datetime, now: datetime) -> int:
        """Remove old tombstones from main documents, which become dirty (M8).

        Args:
            before: publications that were withdrawn earlier lose their tombstone.
            now: the time.

        Returns:
            Number of tombstones.
        """
        over = STANDING_TOMBSTONE & (publication.c.withdrawn_at < before)
        places = self._connection.execute(select(publication.c.category_id).where(over)).scalars().all()
        if places:
            self._connection.execute(update(publication).where(over).values(tombstone_ended_at=now))
            raise_generations(self._connection, {place: () for place in places})
        return len(places)


SOON: Final = 1  # the page is new or has new content: feeds that link to it are published after it (R31)
LATE: Final = 2  # the page exists, and only its look has changed

_NEXT = update(store).values(dirty=store.c.dirty + 1)
_VALUES: Any = bindparam("values", expanding=True)
_STORIES = select(entry.c.story_id).where(entry.c.id.in_(_VALUES), entry.c.story_id.is_not(None))
_MARK = {
    late: update(story)
    .where(story.c.id.in_(_VALUES))
    .values(touched=select(store.c.dirty).scalar_subquery(), dirty=urgency)
    for late, urgency in ((False, SOON), (True, func.coalesce(story.c.dirty, LATE)))
}


def touch(
    connection: Connection, stories: Iterable[int | None], entries: Iterable[int] = (), *, late: bool = False
) -> None:
    """Mark stories as changed, and the closed pages of the river that show them, in the transaction that changes them.

    (Invariant 6.)

    Args:
        connection: a connection that writes.
        stories: ids of stories; None is skipped.
        entries: ids of entries; the stories of these entries are marked too.
        late: the pages exist and may be rendered again later (`LATE`); a page that is already `SOON` stays so.
    """
    found = {number for number in stories if number is not None}
    entry_ids = sorted(set(entries))
    if not found and not entry_ids:
        return
    connection.execute(_NEXT)
    for part in _parts(entry_ids):
        found.update(connection.execute(_STORIES, {"values": part}).scalars())
    for part in _parts(sorted(found)):
        connection.execute(_MARK[late], {"values": part})
        raise_pages(connection, part)


def spoil_late(connection: Connection, chosen: ColumnElement[bool]) -> None:
    """Mark the pages of chosen stories as `LATE`, in one statement, since this may be all stories."""
    clean = story.c.dirty.is_(None)  # dirty pages are rendered with the new look anyway
    connection.execute(update(story).where(clean, chosen).values(dirty=LATE))


def spoil_all(connection: Connection) -> None:
    """Mark the pages of all stories as `SOON`: no page exists, so they are rendered before feeds link to them."""
    connection.execute(update(story).values(dirty=SOON))


def _parts(values: Sequence[int]) -> Iterable[Sequence[int]]:
    return (values[start : start + MAX_IN] for start in range(0, len(values), MAX_IN))
