"""Speedups for tests that change nothing the tests can see.

No power fails here: a process that is killed loses nothing that it wrote, flushed to the disk or not. The tables of a
new store are made once, by the real migrations, and copied from then on. And what SQLAlchemy made of a statement for
one store serves all: it would else be made anew for each test.
"""

# ruff: noqa: SLF001 - parts of the program are replaced here, private ones too

import os
import sqlite3
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Engine, inspect
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

from aggregator.store import database, sqlite
from aggregator.store.database import Backend
from aggregator.store.sqlite import Sqlite

_migrate = database._migrate
_make_engine = sqlite.make_engine
_statements: LRUCache[Any, Any] = LRUCache(2000)
_tables: list[bytes] = []  # of a new store, as SQLite writes them


class _Alike(SQLiteDialect_pysqlite):
    """A dialect that counts as equal to all others of its kind: statements are remembered by dialect."""

    supports_statement_cache = True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Alike)

    def __hash__(self) -> int:
        return hash(_Alike)


def speed_up() -> None:
    """Speed up this process and those that are forked from it."""
    os.fsync = lambda fd: None
    sqlite.PRAGMAS = tuple("synchronous=OFF" if each == "synchronous=FULL" else each for each in sqlite.PRAGMAS)
    sqlite.make_engine = _made
    database._migrate = _migrated


def _made(url: str) -> Engine:
    engine = _make_engine(url)
    if isinstance(engine.dialect, SQLiteDialect_pysqlite):
        engine.dialect.__class__ = _Alike
        engine._compiled_cache = _statements
    return engine


def _migrated(backend: Backend) -> None:
    """Copy the tables of a new store into an empty one; bring an older one up to date in earnest.

    A database that was made of a template has them, and an empty table of the version.
    """
    with backend.engine.connect() as connection:
        version = "SELECT version_num FROM alembic_version"
        if (
            connection.dialect.name == "postgresql"
            and inspect(connection).has_table("alembic_version")
            and connection.exec_driver_sql(version).first() is None
        ):
            with backend.migrating() as writing:
                writing.exec_driver_sql("INSERT INTO alembic_version VALUES (%s)", (database.HEAD,))
            return
        raw = connection.connection.driver_connection
        if isinstance(raw, sqlite3.Connection) and raw.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,):
            if not _tables:
                _tables.append(_new_tables())
            with sqlite3.connect(":memory:") as model:
                model.deserialize(_tables[0])
                model.backup(raw)
            model.close()
            return
    _migrate(backend)


def _new_tables() -> bytes:
    with TemporaryDirectory() as folder:
        backend = Sqlite(f"sqlite:///{folder}/model.db")
        try:
            _migrate(backend)
            with backend.engine.connect() as connection:
                raw: Any = connection.connection.driver_connection
                tables: bytes = raw.serialize()
            tables = tables[:18] + b"\1\1" + tables[20:]  # not WAL: a database in memory can't be
        finally:
            backend.close()
    return tables
