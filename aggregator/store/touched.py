"""Which stories have changed: what is published of each story alone (its page, its posts) is rendered for those only.

A story that changes in any way that its own outputs show gets the store's generation of that moment. Whoever renders
such outputs keeps the generation up to which they are done, and asks for what was touched since; the pages of stories
have a list of their own, from which each is taken when it stands (`pages`).
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select, update

from aggregator.store.dialect import MAX_IN
from aggregator.store.pages import spoil, spoil_late
from aggregator.store.schema import entry, store, story


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
    marked = update(story).values(touched=select(store.c.dirty).scalar_subquery())
    for part in _parts(tellers):
        told = select(entry.c.story_id).where(entry.c.id.in_(part), entry.c.story_id.is_not(None))
        found.update(connection.execute(told).scalars())
    numbers = sorted(found)
    for part in _parts(numbers):
        connection.execute(marked.where(story.c.id.in_(part)))
        if late:
            spoil_late(connection, select(story.c.id).where(story.c.id.in_(part)))
    if not late:
        spoil(connection, numbers)


def touched_since(
    connection: Connection, generation: int, *, after: tuple[int, int], limit: int
) -> list[tuple[int, int]]:
    """Give stories that were touched after a generation, page by page.

    Args:
        connection: a reading one.
        generation: what is done already; 0 gives all stories.
        after: the last of the page before, (generation, number); `(0, 0)` for the first page.
        limit: how many at most.

    Returns:
        (generation, number) of each, in that order.
    """
    place = (story.c.touched > after[0]) | ((story.c.touched == after[0]) & (story.c.id > after[1]))
    query = select(story.c.touched, story.c.id).where(story.c.touched > generation, place)
    rows = connection.execute(query.order_by(story.c.touched, story.c.id).limit(limit)).all()
    return [(row.touched, row.id) for row in rows]


def _parts(values: Sequence[int]) -> Iterable[Sequence[int]]:
    return (values[start : start + MAX_IN] for start in range(0, len(values), MAX_IN))
