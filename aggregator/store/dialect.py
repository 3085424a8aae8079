"""The differences between SQL of SQLite and of PostgreSQL."""

from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

MAX_IN = 900  # values of one IN list; old builds of SQLite take 999 parameters a statement


def insert(table: Table, database: str) -> Any:
    """Return an INSERT that has `on_conflict_do_update`; `database`: the name of SQLAlchemy's dialect."""
    return (sqlite if database == "sqlite" else postgresql).insert(table)
