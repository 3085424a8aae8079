"""Where the stores of tests are: files of SQLite, or databases of a PostgreSQL server of our own.

A test runs on PostgreSQL while `using` is in force: then each folder of a site has a database, which is made of a
template at first use.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

from sqlalchemy import Engine

from aggregator.store import sqlite

TEMPLATE = "tables"  # database with the tables of a new store
_servers: list["Server"] = []  # the one in use; none: SQLite


class Server:
    """A running PostgreSQL server.

    Args:
        url: of its first database.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.place, self._first = f"postgresql://{parts.netloc}", parts.path.strip("/")
        self._made: set[str] = set()

    def url(self, name: str) -> str:
        """Return the URL of a database."""
        return f"{self.place}/{name}"

    def run(self, *statements: str) -> None:
        """Run statements, each in a transaction of its own."""
        import psycopg

        with psycopg.connect(self.url(self._first), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def make(self, name: str, *, template: str = TEMPLATE, more: str = "") -> str:
        """Make a database, unless it exists; return its URL."""
        if name not in self._made:
            self.run(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY {more}')
            self._made.add(name)
        return self.url(name)

    def of(self, folder: Path) -> str:
        """Return the URL of the database of a folder; it is made at first use."""
        return self.make(_name(folder))

    def empty(self, folder: Path) -> str:
        """Make a database without tables for a folder, and return its URL."""
        return self.make(_name(folder), template="template0")

    def copy(self, folder: Path, to: Path) -> None:
        """Copy the database of a folder."""
        self.make(_name(to), template=_name(folder))

    def lose(self, folder: Path) -> None:
        """Replace the database of a folder by a new one."""
        self.run(f'DROP DATABASE "{_name(folder)}" WITH (FORCE)')
        self._made.discard(_name(folder))
        self.of(folder)

    def end_sessions(self, folder: Path) -> None:
        """End all sessions of the database of a folder, as a restart of the server does."""
        sessions = f"SELECT pid FROM pg_stat_activity WHERE datname = '{_name(folder)}'"
        self.run(f"SELECT pg_terminate_backend(pid, 10000) FROM ({sessions}) AS ours")

    def allow(self, folder: Path, *, connections: bool) -> None:
        """Have the database of a folder take connections, or end all and refuse new ones."""
        self.run(f'ALTER DATABASE "{_name(folder)}" ALLOW_CONNECTIONS {connections}')
        if not connections:
            self.end_sessions(folder)

    def drop(self) -> None:
        """Drop all databases but the template."""
        self.run(*(f'DROP DATABASE "{name}" WITH (FORCE)' for name in self._made - {TEMPLATE}))
        self._made &= {TEMPLATE}


def _name(folder: Path) -> str:
    return hashlib.sha256(os.path.realpath(folder).encode()).hexdigest()[:20]


@contextmanager
def using(server: Server) -> Iterator[None]:
    """Have all sites store in databases of a server."""
    _servers.append(server)
    try:
        yield
    finally:
        _servers.pop()
        server.drop()


def url_of(folder: Path) -> str:
    """Return the URL of the store of a site's folder."""
    return _servers[-1].of(folder) if _servers else f"sqlite:///{quote(str(folder))}/var/aggregator.db"


def copy_store(folder: Path, to: Path) -> None:
    """Copy the store of a site whose folder was copied: a file is there already."""
    if _servers:
        _servers[-1].copy(folder, to)


def lose_store(folder: Path) -> None:
    """Lose the store of a site."""
    if _servers:
        _servers[-1].lose(folder)
    else:
        (folder / "var" / "aggregator.db").unlink()


def is_file() -> bool:
    """Return whether stores are files now."""
    return not _servers


def engine_of(url: str) -> Engine:
    """Return an engine as the program makes it."""
    if url.startswith("sqlite:"):
        return sqlite.make_engine(url)
    from aggregator.store import postgres

    return postgres.make_engine(url)
