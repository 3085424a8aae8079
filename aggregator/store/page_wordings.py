"""Earlier texts of entries that archive pages still show after a template change or an edited rule (M7).

A closed archive page ignores such a change. While the page shows an entry otherwise than the entry reads, table
`page_wording` has the earlier text, so that each rendering of the page is the same. A row is deleted with the next
revision of the entry, with the texts of the page (`keep`), and when the story is withdrawn there.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, delete, func, select, type_coerce

from aggregator.model.story_changes import Pin, Unpinned
from aggregator.store.queries import by, rows_by
from aggregator.store.schema import EPOCH, MAX_IN, MICROSECOND, Id, entry, insert, page_wording

PageWordings = Mapping[tuple[int, int, int], Mapping[str, Any]]  # by category, story and entry: columns of the entry

_CREDITED = ("link", "origin")  # columns that a page shows of a credited copy
_SHOWN = (
    *_CREDITED,
    *"title summary content authors tags enclosures supplement rights language published".split(),
)

_STORED = by(
    select(
        entry.c.id,
        *(
            type_coerce(entry.c[name], BigInteger if name == "published" else entry.c[name].type).label(name)
            for name in _SHOWN
        ),
    ),
    entry.c.id,
)
_OF_CATEGORY = by(
    select(page_wording).where(page_wording.c.category_id == bindparam("category")), page_wording.c.story_id
)


def pin(connection: Connection, pins: Collection[Pin]) -> None:
    """Store the texts that archive pages show of entries, before the rows of the entries change.

    A text that was stored at an earlier change stays.

    Args:
        connection: a connection that writes.
        pins: the entries, each with its story and category.
    """
    if not pins:
        return
    stored = {row["id"]: row for row in rows_by(connection, _STORED, sorted({one.entry for one in pins}))}
    rows = []
    for one in sorted(pins, key=lambda one: (one.category, one.story, one.entry)):
        names = _CREDITED if one.digest is None else _SHOWN
        said = {name: stored[one.entry][name] for name in names} | ({"digest": one.digest} if one.digest else {})
        rows.append({"category_id": one.category, "story_id": one.story, "entry_id": one.entry, "data": said})
    connection.execute(insert(page_wording, connection.dialect.name).on_conflict_do_nothing(), rows)


def unpin(connection: Connection, unpinned: Iterable[Unpinned]) -> None:
    """Delete earlier texts, so that archive pages show the entries as they are stored.

    Args:
        connection: a connection that writes.
        unpinned: the entries, each with its story and category; without an entry: all entries of the story.
    """
    rows = [{"of_category": one.category, "of_story": one.story, "of_entry": one.entry} for one in unpinned]
    if rows:
        chosen = delete(page_wording).where(
            page_wording.c.category_id == bindparam("of_category"),
            page_wording.c.story_id == bindparam("of_story"),
            page_wording.c.entry_id == func.coalesce(bindparam("of_entry", type_=Id), page_wording.c.entry_id),
        )
        connection.execute(chosen, rows)


def page_wordings(connection: Connection, places: Iterable[tuple[int, int]]) -> PageWordings:
    """Return the earlier texts that archive pages show, by category, story and entry.

    Args:
        connection: a reading connection suffices.
        places: (category, story) of publications on archive pages.
    """
    stories: dict[int, list[int]] = defaultdict(list)
    for category, story in places:
        stories[category].append(story)
    found: dict[tuple[int, int, int], Mapping[str, Any]] = {}
    for category, some in stories.items():
        for row in rows_by(connection, _OF_CATEGORY, some, category=category):
            said = row["data"]
            if said.get("published") is not None:
                said["published"] = EPOCH + said["published"] * MICROSECOND
            found[category, row["story_id"], row["entry_id"]] = said
    return found


def let_go(connection: Connection, category: int, stories: Collection[int]) -> None:
    """Delete the earlier texts of stories in a category: its archive pages show no texts of them any more (K3)."""
    chosen = delete(page_wording).where(page_wording.c.category_id == category)
    numbers = sorted(stories)
    for start in range(0, len(numbers), MAX_IN):
        connection.execute(chosen.where(page_wording.c.story_id.in_(numbers[start : start + MAX_IN])))
