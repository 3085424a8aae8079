"""The list of exported posts, each with its file, story and category. Only listed files are changed or removed."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from aggregator.store.schema import MAX_IN, post, publication, store
from aggregator.store.stories import touch


@dataclass(frozen=True, slots=True, kw_only=True)
class PostRow:
    """A listed post."""

    folder: str  # relative to that of feeds.yaml
    name: str  # below it
    story: int
    category: int
    digest: str | None  # of the written bytes; None: listed, and perhaps not written
    fault: str | None  # why the file could not be written; None: it was


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRow:
    """Progress of the export of posts."""

    generation: int  # stories that were touched later are not exported yet
    look: str | None  # digest of the settings and templates that shape posts
    names: str | None  # the template of their names


class Posts:
    """Statements on posts: `tx.posts`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def export_row(self) -> ExportRow:
        """Return the progress of the export; generation 0 before the first export."""
        row = self._connection.execute(select(store.c.posts_rendered, store.c.posts_look, store.c.posts_names)).one()
        return ExportRow(generation=row.posts_rendered, look=row.posts_look, names=row.posts_names)

    def mark_exported(self, row: ExportRow) -> None:
        """Record the progress of the export."""
        values = {"posts_rendered": row.generation, "posts_look": row.look, "posts_names": row.names}
        self._connection.execute(update(store).values(values))

    def of(self, stories: Collection[int]) -> list[PostRow]:
        """Return the posts of stories, by folder and name."""
        numbers = sorted(stories)
        parts = (numbers[start : start + MAX_IN] for start in range(0, len(numbers), MAX_IN))
        query = select(post).order_by(post.c.folder, post.c.name)
        return [
            _row(row)
            for part in parts
            for row in self._connection.execute(query.where(post.c.story_id.in_(part))).all()
        ]

    def bearers(self, names: Collection[str]) -> dict[str, set[tuple[int, int]]]:
        """Return (story, category) of the posts with these names in any folder, by name in lower case."""
        found: dict[str, set[tuple[int, int]]] = {}
        forms = sorted({name.lower() for name in names})
        for start in range(0, len(forms), MAX_IN):
            query = select(post.c.form, post.c.story_id, post.c.category_id)
            for row in self._connection.execute(query.where(post.c.form.in_(forms[start : start + MAX_IN]))).all():
                found.setdefault(row.form, set()).add((row.story_id, row.category_id))
        return found

    def unfinished(self) -> set[int]:
        """Return the stories whose posts are not written yet, or could not be written."""
        query = select(post.c.story_id).where(post.c.digest.is_(None) | post.c.fault.is_not(None)).distinct()
        return set(self._connection.execute(query).scalars())

    def has_any(self, folder: str) -> bool:
        """Return whether we have written any post into a folder."""
        found = self._connection.execute(
            select(post.c.name).where(post.c.folder == folder, post.c.digest.is_not(None)).limit(1)
        )
        return found.first() is not None

    def keep(self, rows: Sequence[PostRow], now: datetime) -> None:
        """Insert or replace the rows of posts."""
        self.forget([(row.folder, row.name) for row in rows])
        if rows:
            values = [
                {
                    "folder": row.folder,
                    "name": row.name,
                    "form": row.name.lower(),
                    "story_id": row.story,
                    "category_id": row.category,
                    "digest": row.digest,
                    "fault": row.fault,
                    "written_at": now,
                }
                for row in rows
            ]
            self._connection.execute(insert(post), values)

    def forget(self, places: Iterable[tuple[str, str]]) -> None:
        """Remove posts from the list: their files no longer exist.

        Args:
            places: (folder, name) of each post.
        """
        rows = [{"of_folder": folder, "of_name": name} for folder, name in places]
        if rows:
            chosen = (post.c.folder == bindparam("of_folder")) & (post.c.name == bindparam("of_name"))
            self._connection.execute(delete(post).where(chosen), rows)

    def cool(self, *, before: datetime, now: datetime) -> int:
        """Mark the posts of older stories as archived, as a change in the store (invariant 4); return how many."""
        over = publication.c.cooled_at.is_(None) & (publication.c.sort_at < before)
        stories = self._connection.execute(select(publication.c.story_id).where(over)).scalars().all()
        if stories:
            touch(self._connection, stories)
            self._connection.execute(update(publication).where(over).values(cooled_at=now))
        return len(stories)

    def warm(self, *, since: datetime | None) -> None:
        """Unmark archived posts of stories since a time; None: all archived posts."""
        cooled = update(publication).where(publication.c.cooled_at.is_not(None))
        if since is not None:
            cooled = cooled.where(publication.c.sort_at >= since)
        self._connection.execute(cooled.values(cooled_at=None))


def _row(row: Row[Any]) -> PostRow:
    return PostRow(
        folder=row.folder,
        name=row.name,
        story=row.story_id,
        category=row.category_id,
        digest=row.digest,
        fault=row.fault,
    )
