"""The list of published files. A file is listed before its first write, and only listed files are changed or removed.

The list is of one output folder. A file in another folder is foreign unless its bytes have the listed digest.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, select, update

from aggregator.store.hub_pings import HubPings
from aggregator.store.schema import MAX_IN, category, file, store
from aggregator.urls import Url

GONE = 410  # status of an address that is no longer published
FORGOTTEN = 404  # its status once its category has been removed for long (A44)
NOTHING: Mapping[str, int] = MappingProxyType({})
_NO_STORY = (file.c.path < "entry/") | (file.c.path >= "entry0")  # `0` comes after the slash
_ONE_OF = file.c.path.in_(bindparam("paths", expanding=True))
_LISTED = select(file.c.path).where(_ONE_OF)
_GONE = _LISTED.where(file.c.gone.is_not(None))
_DIGESTS = select(file.c.path, file.c.digest).where(_ONE_OF)
_NOTED = ("digest", "max_age", "gone", "copied", "facts")
_NEW: dict[str, Any] = {name: bindparam(f"new_{name}") for name in (*_NOTED, "written_at")}
_NOTE = update(file).where(file.c.path == bindparam("of_path")).values(_NEW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A published file as it was written last."""

    path: str
    digest: str
    max_age: int  # seconds (A75)
    gone: int | None = None  # status of its address if it is no longer published: 410
    topic: Url | None = None  # its address for the ping to the hub, if it may have news; None: no ping
    copied: bool = False  # see `Files.add`
    facts: str | None = None  # digests of what it shows; None: unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A listed file, with what it showed when it was written last."""

    digest: str | None  # None where nothing was written yet
    facts: str


class Files:
    """Statements on the list of published files: `tx.files`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def listed(self, paths: Sequence[str]) -> frozenset[str]:
        """Return those of the paths that are on the list."""
        parts = (paths[start : start + MAX_IN] for start in range(0, len(paths), MAX_IN))
        return frozenset(p for part in parts for p in self._connection.execute(_LISTED, {"paths": part}).scalars())

    def shown(self, paths: Sequence[str]) -> dict[str, Shown]:
        """Return what those of the paths show that are on the list."""
        parts = (paths[start : start + MAX_IN] for start in range(0, len(paths), MAX_IN))
        return {path: one for part in parts for path, one in self._shown(file.c.path.in_(part)).items()}

    def add(
        self, paths: Iterable[str], now: datetime, *, copied: bool = False, gone: Mapping[str, int] = NOTHING
    ) -> None:
        """List files before they are written, so that a crash leaves no unlisted file.

        Args:
            paths: paths of the files; none is listed yet.
            now: the time.
            copied: the files are copies for the operator, to be removed once feeds.yaml no longer names them.
            gone: status by path, for files that exist and are no longer published.
        """
        new = {"listed_at": now, "max_age": 0, "copied": copied}
        rows = [{"path": path, "gone": gone.get(path)} | new for path in sorted(set(paths))]
        if rows:
            self._connection.execute(file.insert(), rows)

    def note_written(self, files: Iterable[Written], now: datetime) -> None:
        """Record the digests of written files, and a ping to the hub for each topic that has changed (A86).

        A file that becomes gone, or is published again, makes gone.txt stale.
        """
        files = tuple(files)
        if topics := [w for w in files if w.topic is not None]:
            self._owe_pings(topics, now)
        if self.are_gone([w.path for w in files]) != {w.path for w in files if w.gone}:
            self.mark_gone(stale=True)
        when: dict[str, Any] = {"new_written_at": now}
        rows = [{"of_path": w.path} | when | {f"new_{name}": getattr(w, name) for name in _NOTED} for w in files]
        if rows:
            self._connection.execute(_NOTE, rows)

    def _owe_pings(self, topics: Sequence[Written], now: datetime) -> None:
        """Record a ping for each topic whose digest differs from the stored one, also one written before a crash."""
        before: dict[str, str | None] = {}
        for start in range(0, len(topics), MAX_IN):
            paths = [w.path for w in topics[start : start + MAX_IN]]
            before |= {row.path: row.digest for row in self._connection.execute(_DIGESTS, {"paths": paths})}
        changed = {w.topic: w.digest for w in topics if w.topic is not None and before.get(w.path) != w.digest}
        HubPings(self._connection).owe(changed, now)

    def written_at(self, path: str) -> datetime | None:
        """Return the time at which a file was last rendered; None if it never was."""
        when: datetime | None = self._connection.execute(
            select(file.c.written_at).where(file.c.path == path)
        ).scalar_one_or_none()
        return when

    def oldest(self) -> str | None:
        """Return the path of the file that was rendered longest ago, pages of stories left out; None if none was."""
        query = select(file.c.path).where(file.c.digest.is_not(None), ~file.c.copied, _NO_STORY)
        path: str | None = self._connection.execute(query.order_by(file.c.written_at, file.c.path).limit(1)).scalar()
        return path

    def max_ages(self) -> Mapping[str, int]:
        """Return the max-age in seconds by path, without pages of stories, which all have the same."""
        few = select(file.c.path, file.c.max_age).where(_NO_STORY)
        return {row.path: row.max_age for row in self._connection.execute(few).all()}

    def digests(self, *, after: str = "", limit: int | None = None, stories: bool = True) -> Mapping[str, str | None]:
        """Return the digest of each listed file, in the order of the paths; None where nothing was written yet.

        Args:
            after: path after which to begin.
            limit: most files to return; every story has one.
            stories: include the pages of stories.
        """
        query = select(file.c.path, file.c.digest).where(file.c.path > after).order_by(file.c.path).limit(limit)
        rows = self._connection.execute(query if stories else query.where(_NO_STORY)).all()
        return {row.path: row.digest for row in rows}

    def digests_of(self, paths: Sequence[str]) -> Mapping[str, str | None]:
        """Return the digest of each of a few paths that is on the list; None where nothing was written yet."""
        rows = self._connection.execute(_DIGESTS, {"paths": paths}).all()
        return {row.path: row.digest for row in rows}

    def below(self, folder: str) -> dict[str, Shown]:
        """Return the listed files of a folder, by path."""
        return self._shown((file.c.path > f"{folder}/") & (file.c.path < f"{folder}0") & ~file.c.copied)

    def _shown(self, where: ColumnElement[bool]) -> dict[str, Shown]:
        rows = self._connection.execute(select(file.c.path, file.c.digest, file.c.facts).where(where))
        return {row.path: Shown(digest=row.digest, facts=row.facts or "") for row in rows}

    def has_story_pages(self) -> bool:
        """Return whether the page of any story is listed."""
        of_stories = select(file.c.path).where(file.c.path >= "entry/", file.c.path < "entry0")
        return self._connection.execute(of_stories.limit(1)).first() is not None

    def count_story_pages(self) -> int:
        """Return the number of listed pages of stories."""
        return int(self._connection.execute(select(func.count()).select_from(file).where(~_NO_STORY)).scalar_one())

    def gone(self) -> Mapping[str, int]:
        """Return the status, 410 or 404, of each file that is no longer published, in the order of paths (A42, A44)."""
        query = select(file.c.path, file.c.gone).where(file.c.gone.is_not(None)).order_by(file.c.path)
        return {row.path: row.gone for row in self._connection.execute(query).all()}

    def are_gone(self, paths: Sequence[str]) -> frozenset[str]:
        """Return those of the paths that are no longer published."""
        parts = (paths[start : start + MAX_IN] for start in range(0, len(paths), MAX_IN))
        return frozenset(p for part in parts for p in self._connection.execute(_GONE, {"paths": part}).scalars())

    def sync_gone(self) -> None:
        """Mark files of categories that left feeds.yaml as gone, and unmark files of categories that are back (A44).

        Files of unlisted categories are not marked: gone.txt would reveal them.
        """
        rows = self._connection.execute(select(category.c.slug, category.c.active, category.c.unlisted)).all()
        changed = 0
        for row in rows:
            rests = not row.active and not row.unlisted
            wrong = file.c.gone.is_(None) if rests else file.c.gone.is_not(None)
            gone = update(file).where(_below(row.slug), wrong).values(gone=GONE if rests else None)
            changed += self._connection.execute(gone).rowcount
        if changed:
            self.mark_gone(stale=True)

    def forget_removed(self, *, before: datetime) -> int:
        """Change the status of files from 410 to 404 if their category left feeds.yaml before a time (A44).

        Returns:
            Number of categories whose files changed.
        """
        query = select(category.c.slug).where(~category.c.active, category.c.removed_at < before)
        forgotten = 0
        for slug in self._connection.execute(query).scalars().all():
            still = update(file).where(_below(slug), file.c.gone == GONE).values(gone=FORGOTTEN)
            forgotten += bool(self._connection.execute(still).rowcount)
        if forgotten:
            self.mark_gone(stale=True)
        return forgotten

    def is_gone_stale(self) -> bool:
        """Return whether gone.txt must be written again."""
        return bool(self._connection.execute(select(store.c.gone_stale)).scalar_one())

    def mark_gone(self, *, stale: bool) -> None:
        """Record whether gone.txt must be written again."""
        self._connection.execute(update(store).values(gone_stale=stale))

    def copies(self) -> frozenset[str]:
        """Return the paths of listed copies: `publish.aliases` and `publish.static`."""
        return frozenset(self._connection.execute(select(file.c.path).where(file.c.copied)).scalars())

    def unlist(self, paths: Collection[str]) -> None:
        """Remove from the list files that no longer exist or are foreign."""
        rows = [{"of_path": path} for path in sorted(paths)]
        if self.are_gone([*paths]):
            self.mark_gone(stale=True)
        if rows:
            self._connection.execute(delete(file).where(file.c.path == bindparam("of_path")), rows)

    def folder(self) -> str | None:
        """Return the absolute path of the folder of the listed files; None before the first publication."""
        where: str | None = self._connection.execute(select(store.c.folder)).scalar_one()
        return where

    def adopt_folder(self, where: str, kept: Collection[str]) -> None:
        """Change the output folder. Everything is rendered again, and only the kept files stay on the list.

        Args:
            where: absolute path of the new folder.
            kept: listed files that exist in the new folder and have the listed digest.
        """
        self.unlist(set(self.digests()).difference(kept))
        self._connection.execute(update(store).values(folder=where))
        self.forget_looks()

    def is_adopting(self) -> bool:
        """Return whether the store was restored and the existing outputs have not been listed since."""
        return bool(self._connection.execute(select(store.c.adopts)).scalar_one())

    def end_adoption(self) -> None:
        """Record that the existing outputs have been listed after a restore."""
        self._connection.execute(update(store).values(adopts=False))

    def forget_looks(self) -> None:
        """Clear the digests of settings and templates, so that all is rendered again, with archive and posts."""
        self._connection.execute(update(category).values(look=None))
        self._connection.execute(update(store).values(look=None, stories_look=None, posts_look=None, gone_stale=True))


def _below(slug: str) -> ColumnElement[bool]:
    """Return the condition for the files of a category.

    After the slug comes `.` (feeds and page) or `/` (archive); both sort before `0`.
    """
    return (file.c.path >= f"category/{slug}.") & (file.c.path < f"category/{slug}0")
