"""Moves a store from a file of SQLite to an empty database of PostgreSQL, in one transaction, and compares both."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql
from sqlalchemy import Boolean, Table

from aggregator.errors import StoreError
from aggregator.store.database import Store, upgrade
from aggregator.store.postgres import Postgres, fit_columns
from aggregator.store.schema import metadata

Row = tuple[Any, ...]
AT_ONCE = 1000  # rows that are fetched from the server at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Counts of what was moved."""

    tables: int
    rows: int


def move(store: Store, target: str, now: datetime) -> Moved:
    """Copy all rows of a store to an empty database; either all of them are there in the end, or nothing is.

    Args:
        store: the open store, in a file; this process has its lock.
        target: URL of the database.
        now: the time, for the lock of the new store.

    Raises:
        ExtraMissing: the extra for PostgreSQL is not installed.
        LockHeld: another process works on the target.
        StoreError: the target is not empty or can't be used, or a table differs after the copy.
    """
    assert store.path is not None
    backend = Postgres(target)
    try:
        backend.open(command="move-store", now=now, writes=True)
        if backend.exists():
            raise StoreError(f"the store {backend.where} is not empty; nothing was written: name an empty database")
        with (
            closing(sqlite3.connect(f"file:{quote(str(store.path))}?mode=ro", uri=True)) as source,
            backend.migrating() as connection,
        ):
            source.execute("BEGIN")
            upgrade(connection)
            fit_columns(connection)
            raw: Any = connection.connection.driver_connection
            rows = sum(_move_table(source, raw, table, backend.where) for table in metadata.sorted_tables)
        with backend.engine.connect().execution_options(writes=True) as connection, connection.begin():
            connection.exec_driver_sql("ANALYZE")
    except backend.errors as error:
        raise StoreError(f"the store {backend.where}: {str(error).splitlines()[0]}; nothing was written") from error
    finally:
        backend.close()
    return Moved(tables=len(metadata.sorted_tables), rows=rows)


def _move_table(source: sqlite3.Connection, target: psycopg.Connection, table: Table, where: str) -> int:
    """Copy a table, and return the number of its rows.

    Raises:
        StoreError: the copy has other rows.
    """
    names = [column.name for column in table.columns]
    quoted = ", ".join(f'"{name}"' for name in names)
    key = ", ".join(f'"{column.name}"' for column in table.primary_key.columns)
    asked = f'SELECT {quoted} FROM "{table.name}" ORDER BY {key}'
    flags = [place for place, column in enumerate(table.columns) if isinstance(column.type, Boolean)]
    with target.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({quoted}) FROM STDIN'.encode()) as copy:
        for row in _fitting(source.execute(asked), flags):
            copy.write_row(row)
    with target.cursor(name="moved") as copied:
        copied.itersize = AT_ONCE
        copied.execute(asked.encode())
        before, after = _summed(_fitting(source.execute(asked), flags)), _summed(copied)
    if before != after:
        raise StoreError(f"the table {table.name} of {where} differs after the copy; nothing was written")
    if "id" in table.columns:
        target.execute(
            sql.SQL(
                "SELECT setval(pg_get_serial_sequence({0}, 'id'), (SELECT max(id) FROM {1})) "
                "WHERE EXISTS (SELECT FROM {1}) AND pg_get_serial_sequence({0}, 'id') IS NOT NULL"
            ).format(sql.Literal(table.name), sql.Identifier(table.name))
        )
    return before[0]


def _fitting(rows: Iterable[Row], flags: Sequence[int]) -> Iterator[Row]:
    """Yield rows of SQLite as PostgreSQL takes them: with booleans, and without NUL in keys of old restores."""
    for row in rows:
        values = [value.replace("\0", "\n") if isinstance(value, str) and "\0" in value else value for value in row]
        for place in flags:
            values[place] = None if values[place] is None else bool(values[place])
        yield tuple(values)


def _summed(rows: Iterable[Row]) -> tuple[int, str]:
    """Return the number and a digest of rows."""
    digest, count = sha256(), 0
    for row in rows:
        digest.update(repr(row).encode("utf-8", "surrogatepass"))
        count += 1
    return count, digest.hexdigest()
