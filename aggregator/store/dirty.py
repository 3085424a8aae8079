"""Which stories have changed, and whose pages must be made again: two columns of a story, one of which remembers.

A story that changes in any way that its own outputs show gets the store's generation of that moment, `touched`. Who
renders from time to time what such stories come to (posts, the index of words) keeps the generation up to which that is
done, and asks for what was touched since. Pages are made one by one, and one may fail where others stand: so a story is
`dirty` until its page is as it was touched last. It may also be dirty without a change of its own, when all pages look
otherwise.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import ColumnElement, Connection, func, select, update

from aggregator.store.dialect import MAX_IN
from aggregator.store.schema import entry, store, story

SOON: Final = 1  # the page says something new, or is new itself: feeds that lead there wait for it (R31)
LATE: Final = 2  # it stands there and looks otherwise now


def touch(
    connection: Connection, stories: Iterable[int | None], entries: Iterable[int] = (), *, late: bool = False
) -> None:
    """Note that stories have changed, in the transaction that changes them (invariant 6).

    Args:
        connection: a writing one.
        stories: their numbers; None stands for no story.
        entries: whatever stories these tell are changed, too.
        late: their pages stand there, and are made again when there is time.
    """
    found = {number for number in stories if number is not None}
    tellers = sorted(set(entries))
    if not found and not tellers:
        return
    connection.execute(update(store).values(dirty=store.c.dirty + 1))
    for part in _parts(tellers):
        told = select(entry.c.story_id).where(entry.c.id.in_(part), entry.c.story_id.is_not(None))
        found.update(connection.execute(told).scalars())
    waits = func.coalesce(story.c.dirty, LATE) if late else SOON
    marked = update(story).values(touched=select(store.c.dirty).scalar_subquery(), dirty=waits)
    for part in _parts(sorted(found)):
        connection.execute(marked.where(story.c.id.in_(part)))


def spoil_late(connection: Connection, chosen: ColumnElement[bool]) -> None:
    """Have pages made again when there is time: in one statement, for it may be all of them."""
    clean = story.c.dirty.is_(None)  # what is dirty already will look so anyway
    connection.execute(update(story).where(clean, chosen).values(dirty=LATE))


def spoil_all(connection: Connection) -> None:
    """Have all pages made before any feed leads there: none stands."""
    connection.execute(update(story).values(dirty=SOON))


def _parts(values: Sequence[int]) -> Iterable[Sequence[int]]:
    return (values[start : start + MAX_IN] for start in range(0, len(values), MAX_IN))
