"""The list of files that we wrote, each named before its first write: only those are ever changed or removed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from aggregator.store.dialect import MAX_IN
from aggregator.store.schema import file


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
