"""What differs between SQLite and PostgreSQL, and nothing else."""

import sqlite3
from typing import Any, Final

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite

PRAGMAS: tuple[str, ...] = (  # R4
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "busy_timeout=5000",
    "journal_size_limit=67108864",
)
DISK_FAULTS: Final = {  # by SQLite's primary result code
    sqlite3.SQLITE_FULL: "the disk it is on is full: make room",
    sqlite3.SQLITE_IOERR: "the disk it is on fails or is full: see to it",
    sqlite3.SQLITE_READONLY: "the disk it is on can't be written: see to its mount and permissions",
    sqlite3.SQLITE_CANTOPEN: "its files can't be opened: see to the disk and its permissions",
}
MAX_IN = 900  # values of one IN list; old builds of SQLite take 999 parameters a statement


def make_engine(url: str) -> Engine:
    """Open a database so that transactions mean what they say.

    sqlite3 begins by itself, too late and deferred: 60 of 80 concurrent read-then-write transactions met "database is
    locked" at once, whatever the timeout. So it must not, and what will write begins IMMEDIATE (R4).
    """
    engine = create_engine(url, hide_parameters=True)  # a traceback in the log would quote what sources told (S44)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)
    return engine


def insert(table: Table, database: str) -> Any:
    """Give the INSERT that knows `on_conflict_do_update`, of a database that SQLAlchemy calls so."""
    return (sqlite if database == "sqlite" else postgresql).insert(table)


def checkpoint(engine: Engine) -> None:
    """Bring everything into the one database file (R4)."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").close()


def disk_fault(error: BaseException) -> str | None:
    """Return what to say of the disk, if an error means that it is full or fails; None if it does not.

    SQLite then rolls back by itself, so that the error at hand may be the next one: "no such savepoint".
    """
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, sqlite3.Error):
            what = DISK_FAULTS.get(getattr(found, "sqlite_errorcode", 0) & 0xFF)  # the rest says more of the same
            if what is not None:
                return f"{what} ({found})"
        found = found.__cause__ or found.__context__
    return None


def set_foreign_keys(connection: Connection, *, on: bool) -> None:
    """Switch them for a migration, before it begins: SQLite remakes tables, and is deaf inside a transaction."""
    if connection.dialect.name == "sqlite":
        raw: Any = connection.connection.driver_connection
        raw.execute(f"PRAGMA foreign_keys={'ON' if on else 'OFF'}")


def broken_references(connection: Connection) -> int:
    """Count rows that point to nothing."""
    if connection.dialect.name != "sqlite":
        return 0
    return len(connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall())


def _on_connect(dbapi: Any, _record: object) -> None:
    dbapi.isolation_level = None  # sqlite3 must not begin by itself
    for pragma in PRAGMAS:
        dbapi.execute(f"PRAGMA {pragma}")


def _on_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
