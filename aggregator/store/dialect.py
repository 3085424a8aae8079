"""What differs between SQLite and PostgreSQL, and nothing else."""

from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite

PRAGMAS: tuple[str, ...] = (  # R4
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "busy_timeout=5000",
    "journal_size_limit=67108864",
)
MAX_IN = 900  # values of one IN list; old builds of SQLite take 999 parameters a statement


def make_engine(url: str) -> Engine:
    """Open a database so that transactions mean what they say.

    sqlite3 begins by itself, too late and deferred: 60 of 80 concurrent read-then-write transactions met "database is
    locked" at once, whatever the timeout. So it must not, and what will write begins IMMEDIATE (R4).
    """
    engine = create_engine(url)
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
