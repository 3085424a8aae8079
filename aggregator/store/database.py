"""Opening the store, and the transactions in which everything is read and written."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from logging import getLogger
from pathlib import Path
from threading import Lock
from urllib.parse import quote
from uuid import UUID

from sqlalchemy import Connection, Engine, event, inspect, make_url
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from aggregator.errors import DiskFailed, NoStore, StoreError
from aggregator.model.settings import Roster
from aggregator.model.status import Status
from aggregator.rights import make_folder, make_private, tighten
from aggregator.store import dialect
from aggregator.store.lock import StoreLock
from aggregator.store.status import Holding
from aggregator.store.transaction import Transaction

log = getLogger(__name__)

HEAD = "0003"  # the newest migration; a test compares it with the folder


class Store:
    """An open store. `begin` writes, `read` reads; both give the verbs of `Transaction`.

    Not tied to a thread: each transaction has a connection of its own.
    """

    def __init__(self, engine: Engine, lock: StoreLock | None) -> None:
        self._engine, self._lock = engine, lock
        self.uuid: UUID | None = None  # known once there is a schema
        self._shares: bool | None = None  # whether two sources are at one address; None: to be looked up
        self._counted: dict[int, Holding] = {}  # what categories held when `status` counted them last
        self._file: os.stat_result | None = None  # SQLite's, as it was when we opened it
        self._writing = Lock()  # our own threads wait for each other without a limit; SQLite's patience ends (R4)

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """Give a transaction that writes: all of it, or nothing.

        Raises:
            StoreError: the database can't be written; nothing was.
        """
        with self._writing, self._transaction(writes=True) as connection:
            yield Transaction(connection)

    def shares_addresses(self) -> bool:
        """Tell whether any two sources are at one address (P66): hardly ever, and each group of polls asks."""
        if self._shares is None:
            with self.read() as tx:
                self._shares = tx.sources.share_addresses()
        return self._shares

    def forget_addresses(self) -> None:
        """Look again when it is next asked for: sources or addresses have changed."""
        self._shares = None

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Give a transaction that sees one moment of the store, and does not wait for a writer."""
        with self._transaction(writes=False) as connection:
            yield Transaction(connection)

    @contextmanager
    def _transaction(self, *, writes: bool) -> Iterator[Connection]:
        try:
            with self._engine.connect().execution_options(writes=writes) as connection, connection.begin():
                yield connection
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise self._error_of(error) from error

    def _error_of(self, error: SQLAlchemyError | sqlite3.Error) -> StoreError:
        if (fault := dialect.disk_fault(error)) is not None:
            return DiskFailed(f"the store {self.where}: {fault}")
        if isinstance(error, OperationalError):
            return StoreError(f"the store {self.where}: {error.orig}")
        return StoreError(f"the store {self.where}: {str(error).splitlines()[0]}")  # where a file is no database, say

    @property
    def where(self) -> str:
        """Where it is, without a password."""
        return self._engine.url.render_as_string(hide_password=True)

    @property
    def path(self) -> Path | None:
        """The file it lies in; None if it is none of SQLite's."""
        return _path_of(self._engine.url.render_as_string(hide_password=False))

    def is_there(self) -> bool:
        """Tell whether the file that we opened stands in its place: SQLite writes on into one that was removed."""
        if self._file is None:
            return True
        try:
            return self.path is not None and os.path.samestat(self._file, self.path.stat())
        except OSError:
            return False

    def status(self, roster: Roster, now: datetime, secrets: Iterable[str] = ()) -> Status:
        """Count how things stand.

        Args:
            roster: the sources and categories as feeds.yaml has them.
            now: the time.
            secrets: of the settings, for whoever shows the operator where feeds have moved; the public is never told.
        """
        database = self._engine.url.database if self._engine.dialect.name == "sqlite" else None
        size = Path(database).stat().st_size if database else 0
        with self.read() as tx:
            counted = self._counted
            return tx.status.of(roster, now, secrets=secrets, where=self.where, size=size, schema=HEAD, counted=counted)

    def take_lock(self, *, command: str, now: datetime) -> None:
        """Become the one process that works on this store (R27).

        Raises:
            LockHeld: another one does.
        """
        if self._lock is not None:
            self._lock.take(command=command, now=now)

    def back_up(self, target: Path) -> int:
        """Copy the store to a file, consistent whatever is written meanwhile (R62); give its size in bytes.

        Raises:
            StoreError: it could not be written; what stood there before still stands.
        """
        path = _path_of(str(self._engine.url))
        if path is None:
            raise StoreError(f"the store {self.where} is copied by its own tools, such as pg_dump")
        if not target.parent.is_dir():
            raise StoreError(f"there is no folder {target.parent}; make it, or write another path")
        _copy(path, target)
        return target.stat().st_size

    def checkpoint(self) -> None:
        """Bring everything into the one database file (R4); where that can't be done, nothing is lost by it."""
        try:
            dialect.checkpoint(self._engine)
        except (SQLAlchemyError, sqlite3.Error) as error:
            log.warning("checkpoint_store", extra={"error": str(error).splitlines()[0]})

    def close(self) -> None:
        """Close all connections and give the lock back."""
        self._engine.dispose()
        if self._lock is not None:
            self._lock.release()

    @contextmanager
    def heard_statements(self, call: Callable[[str], None]) -> Iterator[None]:
        """Call something with each statement, as long as the context lasts: tests count what is exact."""

        def heard(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            call(statement)

        event.listen(self._engine, "before_cursor_execute", heard)
        try:
            yield
        finally:
            event.remove(self._engine, "before_cursor_execute", heard)


def open_store(url: str, *, now: datetime, command: str = "", writes: bool = True) -> Store:
    """Open the store, make or migrate it if need be, and take its lock.

    Args:
        url: as SQLAlchemy writes it; a SQLite path is absolute. Its folder is made.
        now: the time, for a new store and for the lock.
        command: what the process is about to do; whoever meets the lock reads it.
        writes: False for a command that only reads: no lock, no migration, and the store must be there.

    Raises:
        LockHeld: another process works on it.
        StoreError: it can't be read or made, or a newer program has written it.
    """
    path = _path_of(url)
    if path is not None:
        try:
            if writes:
                make_folder(path.parent)
            elif not path.exists():
                raise NoStore(f"there is no store at {path} yet; `aggregator poll` makes one")
        except OSError as error:
            raise StoreError(f"the folder of the store {path} can't be made: {error.strerror}") from error
    lock = StoreLock(path.with_name(path.name + ".lock")) if path is not None and writes else None
    opened = Store(dialect.make_engine(url), lock)
    try:
        if writes:
            opened.take_lock(command=command, now=now)
        if writes and path is not None:
            _make_private(path)
        _bring_up_to_date(opened, path, now, writes=writes)
        opened._file = None if path is None else path.stat()
    except BaseException:
        opened.close()
        raise
    return opened


def _make_private(path: Path) -> None:
    try:
        make_private(path)
    except OSError as error:
        raise StoreError(f"the store {path} can't be made: {error.strerror}") from error
    tighten(path)


def is_store(url: str) -> bool:
    """Tell whether a store may be there: one on a server is not looked for."""
    path = _path_of(url)
    return path is None or path.exists()


def restore_backup(backup: Path, url: str) -> None:
    """Put a copy that `back_up` made in place of a store that is not there, to take in the outputs that it finds.

    Raises:
        StoreError: there is one, or the copy can't be read.
    """
    path = _path_of(url)
    if path is None:
        raise StoreError("a store on PostgreSQL is restored by its own tools, such as psql")
    if path.exists():
        raise StoreError(f"there is a store at {path}; move it away to restore another one")
    if not backup.is_file():
        raise StoreError(f"{backup}: there is no such file")
    make_folder(path.parent)
    _copy(backup, path, adopts=True)


def _copy(path: Path, target: Path, *, adopts: bool = False) -> None:
    """Copy a database by SQLite's own backup, whole or not at all.

    Args:
        path: of the database.
        target: of the copy.
        adopts: the copy is to take in outputs of another time; it says so before it stands there, whatever kills us.
    """
    unfinished = target.with_name(f"{target.name}.unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        make_private(unfinished, like=target)
        with (
            closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(unfinished)) as copy,
        ):
            source.execute("SELECT version_num FROM alembic_version")
            source.backup(copy)
            if copy.execute("PRAGMA quick_check").fetchone() != ("ok",):
                raise StoreError(f"{path} is damaged")
            if adopts:
                copy.execute("UPDATE store SET adopts = 1")
                copy.commit()
        unfinished.replace(target)
    except (OSError, sqlite3.Error) as error:
        unfinished.unlink(missing_ok=True)
        raise StoreError(f"{path} can't be copied to {target}: {error}") from error


def _path_of(url: str) -> Path | None:
    parsed = make_url(url)
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


def _bring_up_to_date(opened: Store, path: Path | None, now: datetime, *, writes: bool) -> None:
    """Compare the schema with what this program knows; migrate if it is older (R60)."""
    with opened._transaction(writes=False) as connection:
        tables = inspect(connection).get_table_names()
        revision = None
        if "alembic_version" in tables:
            revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    if revision is not None and revision > HEAD:
        raise StoreError(
            f"the store {opened.where} was written by a newer aggregator (schema {revision}, this one knows {HEAD}); "
            "install that version again, or restore the backup made before the upgrade"
        )
    if revision != HEAD:
        if not writes:
            raise StoreError(f"the store {opened.where} has an older schema; run `aggregator poll` once to bring it up")
        if revision is not None and path is not None:
            _back_up(path, revision)
        _migrate(opened)
    with opened.begin() if revision is None else opened.read() as tx:
        if revision is None:
            tx.store_row.make(now)
        opened.uuid = tx.store_row.uuid()


def _back_up(path: Path, revision: str) -> None:
    """Copy the database before a migration, by SQLite's own backup (R60)."""
    target = path.with_name(f"{path.name}.before-{HEAD}-from-{revision}")
    if shutil.disk_usage(path.parent).free < 2 * path.stat().st_size:
        raise StoreError(f"not enough space beside {path} to back it up before migrating it; make room and start again")
    make_private(target)
    with sqlite3.connect(path) as source, sqlite3.connect(target) as copy:
        source.backup(copy)


def _migrate(opened: Store) -> None:
    from alembic import command  # 0.1 s and 10 MB: only when there is something to migrate
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    with opened._engine.connect().execution_options(writes=True) as connection:
        dialect.set_foreign_keys(connection, on=False)
        with connection.begin():
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            if dialect.broken_references(connection):
                raise StoreError(f"migrating the store {opened.where} would break references; nothing was changed")
        dialect.set_foreign_keys(connection, on=True)
