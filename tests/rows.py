"""Rows of a store, read and changed from outside the program: open stores and those of a planet's folder alike."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Executable, text

from aggregator.store.database import Store
from tests.stores import engine_of, url_of

Where = Store | Path  # an open store, or the folder of a planet


@contextmanager
def connected(store: Where, *, writes: bool = False) -> Iterator[Connection]:
    """Yield a connection of its own, in one transaction."""
    engine = engine_of(store.where if isinstance(store, Store) else url_of(store))
    try:
        with engine.connect().execution_options(writes=writes) as connection, connection.begin():
            yield connection
    finally:
        engine.dispose()


def rows(store: Where, statement: Executable | str, **values: object) -> list[Any]:
    """Return the rows of a query.

    Args:
        store: an open one, or the folder of a planet.
        statement: as SQLAlchemy builds it, or SQL with `:name` for values; the second returns columns as stored.
        values: by name.
    """
    with connected(store) as connection:
        return list(connection.execute(_executable(statement), values).all())


def change(store: Where, statement: Executable | str, **values: object) -> None:
    """Execute one statement and commit it; arguments as in `rows`."""
    with connected(store, writes=True) as connection:
        connection.execute(_executable(statement), values)


def _executable(statement: Executable | str) -> Executable:
    return text(statement) if isinstance(statement, str) else statement
