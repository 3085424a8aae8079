"""The list of files that we wrote, each named before its first write: only those are ever changed or removed.

It is a list of one folder. What stands in another one is somebody else's, until its bytes are those that we remember.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select, update

from aggregator.store.dialect import MAX_IN
from aggregator.store.schema import category, file, store


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What stands in a published file."""

    path: str
    digest: str
    max_age: int  # seconds (A75)


def listed(connection: Connection, paths: Sequence[str]) -> frozenset[str]:
    """Tell which of some paths are ours."""
    parts = (paths[start : start + MAX_IN] for start in range(0, len(paths), MAX_IN))
    return frozenset(
        p for part in parts for p in connection.execute(select(file.c.path).where(file.c.path.in_(part))).scalars()
    )


def list_files(connection: Connection, paths: Iterable[str], now: datetime) -> None:
    """Name files before they are written, so that a crash leaves no stranger."""
    rows = [{"path": path, "listed_at": now, "max_age": 0} for path in sorted(set(paths))]
    if rows:
        connection.execute(file.insert(), rows)


def note_written(connection: Connection, files: Iterable[Written], now: datetime) -> None:
    """Note what stands there now."""
    rows = [{"of_path": w.path, "new_digest": w.digest, "new_age": w.max_age} for w in files]
    if rows:
        statement = update(file).where(file.c.path == bindparam("of_path"))
        values = {"digest": bindparam("new_digest"), "max_age": bindparam("new_age"), "written_at": now}
        connection.execute(statement.values(values), rows)


def written_at(connection: Connection, path: str) -> datetime | None:
    """Give when a file was last rendered; None if it never was."""
    when: datetime | None = connection.execute(
        select(file.c.written_at).where(file.c.path == path)
    ).scalar_one_or_none()
    return when


def max_ages(connection: Connection) -> Mapping[str, int]:
    """Give how long each published file may be kept by who reads it, in seconds."""
    return {row.path: row.max_age for row in connection.execute(select(file.c.path, file.c.max_age)).all()}


def digests(connection: Connection) -> Mapping[str, str | None]:
    """Give every listed file with the digest of what stands there; None where nothing was written yet."""
    return {row.path: row.digest for row in connection.execute(select(file.c.path, file.c.digest)).all()}


def unlist(connection: Connection, paths: Collection[str]) -> None:
    """Take files off the list: they are gone, or none of ours."""
    rows = [{"of_path": path} for path in sorted(paths)]
    if rows:
        connection.execute(delete(file).where(file.c.path == bindparam("of_path")), rows)


def folder(connection: Connection) -> str | None:
    """Give the folder in which the listed files stand; None before the first."""
    where: str | None = connection.execute(select(store.c.folder)).scalar_one()
    return where


def adopt_folder(connection: Connection, where: str, kept: Collection[str]) -> None:
    """Go on in another folder: all is rendered there, and only what is kept of the list counts as ours.

    Args:
        connection: a writing one.
        where: the absolute path.
        kept: the listed files that stand there with the bytes that we remember.
    """
    unlist(connection, set(digests(connection)).difference(kept))
    connection.execute(update(store).values(folder=where))
    forget_looks(connection)


def forget_looks(connection: Connection) -> None:
    """Let everything be rendered again, archive pages and all: something has changed that any of it may show."""
    connection.execute(update(category).values(look=None))
    connection.execute(update(store).values(look=None))
