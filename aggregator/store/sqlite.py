"""Backend of a store in a SQLite file: engine, transactions, lock, copies.

Only this module, `store_file.py` and the end of `schema.py` know that the store is a file of SQLite; `postgres.py` has
the same methods for a database of PostgreSQL.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import SQLAlchemyError

from aggregator.errors import DiskFailed, NoStore, StoreError
from aggregator.store.store_file import StoreLock, make_folder, make_private, tighten

PRAGMAS: tuple[str, ...] = (  # R4
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "busy_timeout=5000",
    "journal_size_limit=67108864",
)
DISK_FAULTS: Final = {  # by SQLite's primary result code
    sqlite3.SQLITE_FULL: "the disk it is on is full: make room",
    sqlite3.SQLITE_IOERR: "the disk it is on fails or is full: check it",
    sqlite3.SQLITE_READONLY: "the disk it is on can't be written: check its mount and permissions",
    sqlite3.SQLITE_CANTOPEN: "its files can't be opened: check the disk and its permissions",
}


class Sqlite:
    """Backend for one SQLite file, given by its URL. No file is opened or created before `open`."""

    errors: Final = (SQLAlchemyError, sqlite3.Error)  # all errors that a statement may raise

    def __init__(self, url: str) -> None:
        self._url = url
        self.path = Path(str(make_url(url).database))
        self._lock = StoreLock(self.path.with_name(f"{self.path.name}.lock"))
        self._opened: os.stat_result | None = None  # the file, as it was when it was opened
        self.writing = Lock()  # threads of this process wait for each other without a limit; SQLite gives up (R4)

    @cached_property
    def engine(self) -> Engine:
        """The engine on the file."""
        return make_engine(self._url)

    @property
    def where(self) -> str:
        """The URL of the file."""
        return self.engine.url.render_as_string()

    def exists(self) -> bool:
        """Return whether the file exists."""
        return self.path.exists()

    def open(self, *, command: str, now: datetime, writes: bool) -> None:
        """Take the lock of the store and create the file and its folder; if not `writes`, check that the file exists.

        Args:
            command: command of this process, which other processes report while this one holds the lock.
            now: the time, for the lock.
            writes: the process writes.

        Raises:
            LockHeld: another process holds the lock.
            NoStore: the file does not exist, and `writes` is False.
            StoreError: the folder or the file can't be created.
        """
        if writes:
            try:
                make_folder(self.path.parent)
            except OSError as error:
                raise StoreError(f"the folder of the store {self.path} can't be made: {error.strerror}") from error
            self._lock.take(command=command, now=now)
            try:
                make_private(self.path)
            except OSError as error:
                raise StoreError(f"the store {self.path} can't be made: {error.strerror}") from error
            tighten(self.path)
        elif not self.exists():
            raise NoStore(f"there is no store at {self.path} yet; `aggregator poll` makes one")
        self._opened = self.path.stat()

    def close(self) -> None:
        """Close all connections and release the lock."""
        if "engine" in self.__dict__:
            self.engine.dispose()
        self._lock.release()

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """Yield a connection in one transaction in which tables may be replaced although foreign keys refer to them.

        Raises:
            StoreError: a reference is broken at the end; the transaction is rolled back.
        """
        with self.engine.connect().execution_options(writes=True) as connection:
            _set_foreign_keys(connection, on=False)  # SQLite ignores this inside a transaction
            with connection.begin():
                yield connection
                if connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall():
                    raise StoreError(f"migrating the store {self.where} would break references; nothing was changed")
            _set_foreign_keys(connection, on=True)

    def fault_of(self, error: BaseException) -> DiskFailed | None:
        """Return an error for the operator if an error means that the disk is full or fails; None otherwise.

        The causes of the error are examined too: SQLite rolls back by itself on such an error, so that a later error
        may hide it ("no such savepoint").
        """
        found: BaseException | None = error
        while found is not None:
            if isinstance(found, sqlite3.Error):
                what = DISK_FAULTS.get(getattr(found, "sqlite_errorcode", 0) & 0xFF)  # higher bits only add detail
                if what is not None:
                    return DiskFailed(f"the store {self.where}: {what} ({found})")
            found = found.__cause__ or found.__context__
        return None

    def size(self) -> int:
        """Return the size of the file in bytes."""
        return self.path.stat().st_size

    def is_there(self) -> bool:
        """Return whether the opened file is still at its path: SQLite would go on writing to a removed file."""
        try:
            return self._opened is None or os.path.samestat(self._opened, self.path.stat())
        except OSError:
            return False

    def checkpoint(self) -> None:
        """Copy the write-ahead log into the database file, and truncate the log (R4)."""
        with self.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").close()

    def back_up(self, target: Path) -> int:
        """Copy the store to a file and return its size in bytes. Writes during the copy do no harm (R62).

        Raises:
            StoreError: the copy could not be written (an earlier file of that name is unchanged), or the target is a
                file of the store, or a file that is no copy of a store.
        """
        if not target.parent.is_dir():
            raise StoreError(f"there is no folder {target.parent}; make it, or write another path")
        if target.resolve() in self._files():
            raise StoreError(f"{target} is a file of the store itself; write another path for the copy")
        if os.path.lexists(target) and not _is_copy(target):
            raise StoreError(f"{target} exists and is no backup of aggregator; write another path, or move it away")
        _copy(self.path, target)
        return target.stat().st_size

    def restore(self, backup: Path, now: datetime) -> None:
        """Copy a backup to the path of a lost store, marked so that the store takes in existing outputs.

        Args:
            backup: path of the backup.
            now: the time, for the lock.

        Raises:
            LockHeld: another process uses the store.
            StoreError: the store exists, or the log of one that was moved away, or the backup can't be read.
        """
        if not backup.is_file():
            raise StoreError(f"{backup}: there is no such file")
        make_folder(self.path.parent)
        self._lock.take(command="restore", now=now)
        try:
            for path in self._files():
                if path.exists():
                    what = "there is a store at" if path == self.path.resolve() else "a lost store left"
                    beside = f", together with {self.path.name}-wal and {self.path.name}-shm if they exist"
                    raise StoreError(f"{what} {path}; move it away to restore another one{beside}")
            _copy(backup, self.path, adopts=True)
        finally:
            self._lock.release()

    def _files(self) -> tuple[Path, ...]:
        """Return the paths of the database and of the log that SQLite keeps beside it."""
        path = self.path.resolve()
        return path, *(path.with_name(f"{path.name}{end}") for end in ("-wal", "-shm", "-journal"))

    def before_migration(self, revision: str, head: str) -> None:
        """Copy the database to a file in its folder before it is migrated from `revision` to `head` (R60).

        Raises:
            StoreError: the disk has no room for the copy.
        """
        path = self.path
        target = path.with_name(f"{path.name}.before-{head}-from-{revision}")
        if shutil.disk_usage(path.parent).free < 2 * path.stat().st_size:
            advice = "make room and start again"
            raise StoreError(f"not enough space beside {path} to back it up before migrating it; {advice}")
        make_private(target)
        with sqlite3.connect(path) as source, sqlite3.connect(target) as copy:
            source.backup(copy)


def make_engine(url: str) -> Engine:
    """Return an engine on which every transaction has an explicit BEGIN; a writing one has BEGIN IMMEDIATE (R4).

    The implicit BEGIN of sqlite3 comes late and is deferred: 60 of 80 concurrent read-then-write transactions failed at
    once with "database is locked", whatever the timeout.
    """
    engine = create_engine(url, hide_parameters=True)  # a traceback in the log would quote texts of sources (S44)
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(dbapi: Any, _record: object) -> None:
    dbapi.isolation_level = None  # sqlite3 must not begin by itself
    for pragma in PRAGMAS:
        dbapi.execute(f"PRAGMA {pragma}")


def _on_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _set_foreign_keys(connection: Connection, *, on: bool) -> None:
    raw: Any = connection.connection.driver_connection
    raw.execute(f"PRAGMA foreign_keys={'ON' if on else 'OFF'}")


def _copy(path: Path, target: Path, *, adopts: bool = False) -> None:
    """Copy a database atomically with SQLite's backup function.

    Args:
        path: path of the database.
        target: path of the copy.
        adopts: mark the copy so that it takes in existing outputs. The mark is written before the copy gets its name,
            so that a kill in between loses nothing.
    """
    unfinished = target.with_name(f"{target.name}.unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        make_private(unfinished, like=target)
        with closing(_reader(path)) as source, closing(sqlite3.connect(unfinished)) as copy:
            source.execute("SELECT version_num FROM alembic_version")
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # a reader of the copy then makes no files beside it
            if copy.execute("PRAGMA quick_check").fetchone() != ("ok",):
                raise StoreError(f"{path} is damaged")
            if adopts:
                copy.execute("UPDATE store SET adopts = 1")
                copy.commit()
        unfinished.replace(target)
    except (OSError, sqlite3.Error) as error:
        unfinished.unlink(missing_ok=True)
        raise StoreError(f"{path} can't be copied to {target}: {error}") from error


def _reader(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)


def _is_copy(path: Path) -> bool:
    """Return whether a file is a store of this program, of any version, or empty."""
    try:
        if path.is_file() and path.stat().st_size == 0:
            return True
        with closing(_reader(path)) as found:
            return found.execute("SELECT 1 FROM alembic_version, store").fetchone() is not None
    except (OSError, sqlite3.Error):
        return False
