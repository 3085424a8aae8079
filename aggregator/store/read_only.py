"""A store opened without any change to its files, for `doctor`.

Other commands that read open a SQLite file for writing too: the last of them to close it writes the journal back, and
that would hide what a killed process has left. The connection here is read-only. SQLite makes a -wal and a -shm file
even for such a connection, and leaves them; so a store without a journal is opened as one that nobody changes.
"""

import sqlite3
from datetime import datetime
from functools import cached_property
from urllib.parse import quote

from sqlalchemy import Engine, NullPool, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError

from aggregator.errors import NoStore
from aggregator.store.database import Backend, Store, backend_of, open_backend
from aggregator.store.sqlite import Sqlite


class ReadOnlySqlite(Sqlite):
    """Backend for one SQLite file that is only read."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._where = make_url(url).render_as_string()

    @cached_property
    def engine(self) -> Engine:
        """The engine on the file; each transaction has a connection of its own."""
        engine = create_engine("sqlite://", creator=self._connect, poolclass=NullPool, hide_parameters=True)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
        return engine

    @property
    def where(self) -> str:
        """The URL of the file."""
        return self._where

    def open(self, *, command: str, now: datetime, writes: bool) -> None:
        """Check that the file exists.

        Raises:
            NoStore: it does not.
        """
        if not self.exists():
            raise NoStore(f"there is no store at {self.path}")

    def _connect(self) -> sqlite3.Connection:
        has_journal = self.path.with_name(f"{self.path.name}-wal").exists()
        how = "mode=ro" if has_journal else "immutable=1"
        return sqlite3.connect(f"file:{quote(str(self.path))}?{how}", uri=True, isolation_level=None)


def open_read_only(url: str, *, now: datetime) -> Store:
    """Open a store for reading, without a change to its files.

    Args:
        url: an SQLAlchemy URL.
        now: the time.

    Raises:
        NoStore: there is no store.
        StoreError: it can't be read, or its schema is not that of this version.
    """
    backend: Backend = ReadOnlySqlite(url) if url.startswith("sqlite:") else backend_of(url)
    return open_backend(backend, now=now, writes=False)


def damage_of(url: str) -> str | None:
    """Return what SQLite finds damaged in a store, in one line; None: nothing.

    All pages are read: 1 s for 1 GB in memory, longer from a disk.
    """
    backend = ReadOnlySqlite(url)
    found = ""
    for _ in range(2):  # if a process began to write meanwhile, there is a journal at the second time
        try:
            with backend.engine.connect() as connection:
                found = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
        except DBAPIError as error:
            found = str(error.orig)
        if found == "ok":
            return None
    return found.replace("\n", " ").strip()
