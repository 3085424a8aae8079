"""The list of files that we wrote, each named before its first write: only those are ever changed or removed.

It is a list of one folder. What stands in another one is somebody else's, until its bytes are those that we remember.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, delete, select, update

from aggregator.store.dialect import MAX_IN
from aggregator.store.hub_pings import HubPings
from aggregator.store.schema import category, file, store
from aggregator.urls import Url

GONE = 410  # what an address answers when it is no longer published,
FORGOTTEN = 404  # and that of a removed category in the end (A44)
NOTHING: Mapping[str, int] = MappingProxyType({})
_NO_STORY = (file.c.path < "entry/") | (file.c.path >= "entry0")  # `0` comes after the slash


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What stands in a published file."""

    path: str
    digest: str
    max_age: int  # seconds (A75)
    gone: int | None = None  # what its address answers, if it is no longer published: 410
    topic: Url | None = None  # the address by which a hub is told of it, if it may have news; None: it is not


class Files:
    """What a transaction says and does of the files that we wrote: `tx.files`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def listed(self, paths: Sequence[str]) -> frozenset[str]:
        """Return which of some paths are ours."""
        parts = (paths[start : start + MAX_IN] for start in range(0, len(paths), MAX_IN))
        return frozenset(
            p
            for part in parts
            for p in self._connection.execute(select(file.c.path).where(file.c.path.in_(part))).scalars()
        )

    def add(
        self, paths: Iterable[str], now: datetime, *, copied: bool = False, gone: Mapping[str, int] = NOTHING
    ) -> None:
        """Name files before they are written, so that a crash leaves no stranger.

        Args:
            paths: none is listed yet.
            now: the time.
            copied: they are copies for the operator, and go when he no longer names them.
            gone: what the addresses of those answer that stand there and are no longer published.
        """
        new = {"listed_at": now, "max_age": 0, "copied": copied}
        rows = [{"path": path, "gone": gone.get(path)} | new for path in sorted(set(paths))]
        if rows:
            self._connection.execute(file.insert(), rows)

    def note_written(self, files: Iterable[Written], now: datetime) -> None:
        """Note what stands there now, and that the hub is owed word of topics that have changed (A86).

        What was gone and is back, or the other way round, makes gone.txt stale.
        """
        files = tuple(files)
        self._owe_pings([w for w in files if w.topic is not None], now)
        if self.are_gone([w.path for w in files]) != {w.path for w in files if w.gone}:
            self.mark_gone(stale=True)
        rows = [{"of_path": w.path, "new_digest": w.digest, "new_age": w.max_age, "new_gone": w.gone} for w in files]
        if rows:
            statement = update(file).where(file.c.path == bindparam("of_path"))
            values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in ("digest", "gone")}
            values |= {"max_age": bindparam("new_age"), "written_at": now}
            self._connection.execute(statement.values(values), rows)

    def _owe_pings(self, topics: Sequence[Written], now: datetime) -> None:
        """Compare what was written with what we remember: after a crash, nobody else knows that it is news."""
        before: dict[str, str | None] = {}
        for start in range(0, len(topics), MAX_IN):
            paths = [w.path for w in topics[start : start + MAX_IN]]
            known = select(file.c.path, file.c.digest).where(file.c.path.in_(paths))
            before |= {row.path: row.digest for row in self._connection.execute(known)}
        changed = {w.topic: w.digest for w in topics if w.topic is not None and before.get(w.path) != w.digest}
        HubPings(self._connection).owe(changed, now)

    def written_at(self, path: str) -> datetime | None:
        """Give when a file was last rendered; None if it never was."""
        when: datetime | None = self._connection.execute(
            select(file.c.written_at).where(file.c.path == path)
        ).scalar_one_or_none()
        return when

    def oldest(self) -> str | None:
        """Return the path of the file that was rendered longest ago, no page of a story; None if none was."""
        query = select(file.c.path).where(file.c.digest.is_not(None), ~file.c.copied, _NO_STORY)
        path: str | None = self._connection.execute(query.order_by(file.c.written_at, file.c.path).limit(1)).scalar()
        return path

    def max_ages(self) -> Mapping[str, int]:
        """Give how long who reads a file may keep it, in seconds, by path; not those of stories: all alike."""
        few = select(file.c.path, file.c.max_age).where(_NO_STORY)
        return {row.path: row.max_age for row in self._connection.execute(few).all()}

    def digests(self, *, after: str = "", limit: int | None = None, stories: bool = True) -> Mapping[str, str | None]:
        """Give listed files with the digest of what stands there; None where nothing was written yet.

        Args:
            after: the path after which to begin.
            limit: how many at most, by their paths; there is one for every story.
            stories: the pages of stories, too.
        """
        query = select(file.c.path, file.c.digest).where(file.c.path > after).order_by(file.c.path).limit(limit)
        rows = self._connection.execute(query if stories else query.where(_NO_STORY)).all()
        return {row.path: row.digest for row in rows}

    def gone(self) -> Mapping[str, int]:
        """Return the paths of what is no longer published, in order, with what each answers (A42, A44)."""
        query = select(file.c.path, file.c.gone).where(file.c.gone.is_not(None)).order_by(file.c.path)
        return {row.path: row.gone for row in self._connection.execute(query).all()}

    def are_gone(self, paths: Sequence[str]) -> frozenset[str]:
        """Return which of some paths answer that they are gone."""
        parts = (paths[start : start + MAX_IN] for start in range(0, len(paths), MAX_IN))
        query = select(file.c.path).where(file.c.gone.is_not(None))
        return frozenset(
            p for part in parts for p in self._connection.execute(query.where(file.c.path.in_(part))).scalars()
        )

    def sync_gone(self) -> None:
        """Let the addresses of categories that left feeds.yaml say so, and those of one that is back not (A44).

        Those of unlisted ones stay as they are: a list of what is gone would tell of them.
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
        """Let the addresses of categories that left feeds.yaml before some time be unknown, and no longer gone (A44).

        Returns:
            How many of these there were.
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
        """Return whether gone.txt says something that is no longer so."""
        return bool(self._connection.execute(select(store.c.gone_stale)).scalar_one())

    def mark_gone(self, *, stale: bool) -> None:
        """Note whether gone.txt says something that is no longer so."""
        self._connection.execute(update(store).values(gone_stale=stale))

    def copies(self) -> frozenset[str]:
        """Return the listed files that are copies: old addresses, and what the operator puts beside our outputs."""
        return frozenset(self._connection.execute(select(file.c.path).where(file.c.copied)).scalars())

    def unlist(self, paths: Collection[str]) -> None:
        """Take files off the list: they are gone, or none of ours."""
        rows = [{"of_path": path} for path in sorted(paths)]
        if self.are_gone([*paths]):
            self.mark_gone(stale=True)
        if rows:
            self._connection.execute(delete(file).where(file.c.path == bindparam("of_path")), rows)

    def folder(self) -> str | None:
        """Return the folder in which the listed files stand; None before the first."""
        where: str | None = self._connection.execute(select(store.c.folder)).scalar_one()
        return where

    def adopt_folder(self, where: str, kept: Collection[str]) -> None:
        """Go on in another folder: all is rendered there, and only what is kept of the list counts as ours.

        Args:
            where: the absolute path.
            kept: the listed files that stand there with the bytes that we remember.
        """
        self.unlist(set(self.digests()).difference(kept))
        self._connection.execute(update(store).values(folder=where))
        self.forget_looks()

    def is_adopting(self) -> bool:
        """Return whether the store was restored, and what stands in the folder has not been taken in since."""
        return bool(self._connection.execute(select(store.c.adopts)).scalar_one())

    def end_adoption(self) -> None:
        """Note that what stood in the folder was taken in."""
        self._connection.execute(update(store).values(adopts=False))

    def forget_looks(self) -> None:
        """Let everything be rendered again, archive pages, posts and all: something has changed that they may show."""
        self._connection.execute(update(category).values(look=None))
        self._connection.execute(update(store).values(look=None, stories_look=None, posts_look=None, gone_stale=True))


def _below(slug: str) -> ColumnElement[bool]:
    """Return the condition of a category's files: `.` of feeds and page, and `/` of the archive, come before `0`."""
    return (file.c.path >= f"category/{slug}.") & (file.c.path < f"category/{slug}0")
