"""SQL that differs between SQLite and PostgreSQL."""

from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import sqlite

MAX_IN = 900  # values of one IN list; old builds of SQLite allow 999 parameters a statement


def insert(table: Table, database: str) -> Any:
    """Return an INSERT that supports `on_conflict_do_update`; `database` is the name of an SQLAlchemy dialect."""
    if database == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # late: 50 ms that a store in SQLite never needs

    return postgresql.insert(table)
