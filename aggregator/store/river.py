"""Closed pages of the river, the list of the newest stories of all categories: which stories each holds.

A closed page holds the stories of a span of `sort_at` that had entered when it was closed. Stories that enter later
with an earlier `sort_at`, as those of a new source do, are in the archive of their category alone, so a closed page
changes only when one of its stories does.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select, update

from aggregator.store.schema import publication, river_page


@dataclass(frozen=True, slots=True, kw_only=True)
class RiverPage:
    """A closed page."""

    number: int  # counted up from 1, the oldest
    since: datetime  # `sort_at` of its stories: from then
    until: datetime  # and before then
    closed_at: datetime
    dirty: int = 1  # raised by each change of one of its stories; 0: it is rendered
    look: str | None = None  # digest of what shaped it besides the store when it was rendered last


_LATEST = select(func.max(river_page.c.until))
_TIMES = (
    select(publication.c.sort_at)
    .where(
        publication.c.story_id.in_(bindparam("stories", expanding=True)),
        publication.c.sort_at < bindparam("latest"),
    )
    .distinct()
)
_RAISE = (
    update(river_page)
    .where(
        river_page.c.until > bindparam("then"),
        river_page.c.number
        == select(func.max(river_page.c.number)).where(river_page.c.since <= bindparam("then")).scalar_subquery(),
    )
    .values(dirty=river_page.c.dirty + 1)
)


class River:
    """Queries and updates of the closed pages: `tx.river`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def last(self) -> RiverPage | None:
        """Return the newest closed page; None if there is none."""
        query = select(river_page).order_by(river_page.c.number.desc()).limit(1)
        row = self._connection.execute(query).mappings().first()
        return None if row is None else RiverPage(**row)

    def stale(self, look: str) -> list[RiverPage]:
        """Return the pages with changed stories, and those that were rendered with another look, the newest first."""
        is_stale = (river_page.c.dirty > 0) | river_page.c.look.is_(None) | (river_page.c.look != look)
        query = select(river_page).where(is_stale).order_by(river_page.c.number.desc())
        return [RiverPage(**row) for row in self._connection.execute(query).mappings()]

    def close(self, pages: Sequence[RiverPage]) -> None:
        """Add pages."""
        if pages:
            names = [column.name for column in river_page.c]
            rows = [{name: getattr(page, name) for name in names} for page in pages]
            self._connection.execute(river_page.insert(), rows)

    def forget_looks(self) -> None:
        """Have all pages rendered again: their files may be gone."""
        self._connection.execute(update(river_page).values(look=None))

    def mark_rendered(self, pages: Collection[RiverPage], look: str) -> None:
        """Record that pages were rendered; one whose stories have changed since it was read stays dirty."""
        rows = [{"page": page.number, "seen": page.dirty, "new_look": look} for page in pages]
        if rows:
            chosen = update(river_page).where(
                river_page.c.number == bindparam("page"), river_page.c.dirty == bindparam("seen")
            )
            self._connection.execute(chosen.values(dirty=0, look=bindparam("new_look")), rows)


def raise_pages(connection: Connection, stories: Sequence[int]) -> None:
    """Mark the closed pages that hold some of these stories as dirty.

    Args:
        connection: a connection that writes.
        stories: ids of stories, as many as a statement takes.
    """
    latest = connection.execute(_LATEST).scalar()
    if latest is not None:
        times = connection.execute(_TIMES, {"stories": stories, "latest": latest}).scalars()
        if then := [{"then": one} for one in times]:
            connection.execute(_RAISE, then)
