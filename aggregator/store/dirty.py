"""Marks of changed stories, `story.touched` and `story.dirty`.

- `story.touched`: generation of the store (`store.dirty`) at the last change of the story that its outputs show. Never
  cleared. The export of posts and the word index store the generation up to which they are done, and look up the
  stories with a later `touched`.
- `story.dirty`: the page of the story must be rendered: `SOON` or `LATE`; cleared once the page is written. Pages are
  rendered one by one, and one may fail while others succeed, so one generation for all pages is not enough. A new theme
  makes pages dirty too, without a change of their stories.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, bindparam, func, select, update

from aggregator.store.dialect import MAX_IN
from aggregator.store.schema import entry, store, story

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
    """Mark stories as changed, in the transaction that changes them (invariant 6).

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


def spoil_late(connection: Connection, chosen: ColumnElement[bool]) -> None:
    """Mark the pages of chosen stories as `LATE`, in one statement, since this may be all stories."""
    clean = story.c.dirty.is_(None)  # dirty pages are rendered with the new look anyway
    connection.execute(update(story).where(clean, chosen).values(dirty=LATE))


def spoil_all(connection: Connection) -> None:
    """Mark the pages of all stories as `SOON`: no page exists, so they are rendered before feeds link to them."""
    connection.execute(update(story).values(dirty=SOON))


def _parts(values: Sequence[int]) -> Iterable[Sequence[int]]:
    return (values[start : start + MAX_IN] for start in range(0, len(values), MAX_IN))
