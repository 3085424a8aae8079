"""The open store and its transactions."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from logging import getLogger
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from sqlalchemy import Connection, Engine, event, inspect
from sqlalchemy.exc import OperationalError

from aggregator.errors import DiskFailed, StoreError
from aggregator.model.settings import Roster
from aggregator.model.status import Status
from aggregator.store.sqlite import Sqlite
from aggregator.store.transaction import Transaction

if TYPE_CHECKING:
    from aggregator.store.status import Holding

log = getLogger(__name__)

HEAD = "0011"  # the newest migration; a test compares it with the folder


class Backend(Protocol):
    """Database that a store is in. Nothing but a backend knows of which kind it is."""

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """All errors that a statement may raise."""

    @property
    def path(self) -> Path | None:
        """The file of the store; None: it is not a file."""

    @property
    def writing(self) -> Lock:
        """Held while a thread of this process writes."""

    @property
    def where(self) -> str:
        """The URL, without a password."""

    @property
    def engine(self) -> Engine:
        """The engine on the database."""

    def exists(self) -> bool:
        """Return whether there is a store. Raises StoreError if the database can't be used."""

    def open(self, *, command: str, now: datetime, writes: bool) -> None:
        """Take the lock of the store if the process writes; see `open_store`."""

    def close(self) -> None:
        """Close all connections and release the lock."""

    def migrating(self) -> AbstractContextManager[Connection]:
        """Yield a connection in one transaction in which tables may be changed."""

    def fault_of(self, error: BaseException) -> DiskFailed | None:
        """Return an error for the operator if the database and not the statement is at fault; None otherwise."""

    def size(self) -> int:
        """Return the size of the store in bytes."""

    def is_there(self) -> bool:
        """Return whether the opened store is still ours to work on."""

    def checkpoint(self) -> None:
        """Write the journal back."""

    def back_up(self, target: Path) -> int:
        """Copy the store to a file and return its size in bytes. Raises StoreError."""

    def restore(self, backup: Path, now: datetime) -> None:
        """Make the store from a backup. Raises StoreError."""

    def before_migration(self, revision: str, head: str) -> None:
        """Make a copy before a migration, where a failed one could do harm (R60)."""


def backend_of(url: str) -> Backend:
    """Return the backend for a URL, without opening the database.

    Raises:
        ExtraMissing: the database is on PostgreSQL, and the extra is not installed.
    """
    if url.startswith("sqlite:"):
        return Sqlite(url)
    from aggregator.store.postgres import Postgres  # late: a store in SQLite never needs its driver

    return Postgres(url)


class Store:
    """An open store: `begin` yields a transaction that writes, `read` a transaction that only reads.

    Usable from any thread: each transaction has a connection of its own.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.uuid: UUID | None = None  # None until the schema exists
        self._shares: bool | None = None  # whether two sources have the same address; None: not looked up yet
        self._counted: dict[int, Holding] = {}  # contents of categories at the last count by `status`, by id

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """Yield a transaction that writes: committed as a whole, or rolled back after an exception.

        Raises:
            StoreError: the database can't be written; nothing was committed.
        """
        with self._transaction(writes=True) as connection:
            yield Transaction(connection)

    def shares_addresses(self, tx: Transaction) -> bool:
        """Return whether any two sources have the same address (P66); cached until `forget_addresses`."""
        if self._shares is None:
            self._shares = tx.sources.share_addresses()
        return self._shares

    def forget_addresses(self) -> None:
        """Clear the cache of `shares_addresses`; called after sources or addresses have changed."""
        self._shares = None

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Yield a transaction that reads one snapshot of the store and does not wait for a writer."""
        with self._transaction(writes=False) as connection:
            yield Transaction(connection)

    @contextmanager
    def _transaction(self, *, writes: bool) -> Iterator[Connection]:
        try:
            with (
                self._backend.writing if writes else nullcontext(),
                self._backend.engine.connect().execution_options(writes=writes) as connection,
                connection.begin(),
            ):
                yield connection
        except self._backend.errors as error:
            raise self._error_of(error) from error

    def _error_of(self, error: Exception) -> StoreError:
        if (fault := self._backend.fault_of(error)) is not None:
            return fault
        if isinstance(error, OperationalError):
            return StoreError(f"the store {self.where}: {error.orig}")
        # For example, a file that is not a database.
        return StoreError(f"the store {self.where}: {str(error).splitlines()[0]}")

    @property
    def where(self) -> str:
        """The URL of the store, without a password."""
        return self._backend.where

    @property
    def path(self) -> Path | None:
        """The file of the store; None for a backend without one."""
        return self._backend.path

    def is_there(self) -> bool:
        """Return whether the opened file still exists at its path."""
        return self._backend.is_there()

    def status(self, roster: Roster, now: datetime, secrets: Iterable[str] = ()) -> Status:
        """Return the status of sources, categories and the store, in a transaction of its own; see `status_in`."""
        with self.read() as tx:
            return self.status_in(tx, roster, now, secrets)

    def status_in(self, tx: Transaction, roster: Roster, now: datetime, secrets: Iterable[str] = ()) -> Status:
        """Return the status of sources, categories and the store.

        Args:
            tx: a transaction that reads.
            roster: the sources and categories as feeds.yaml has them.
            now: the time.
            secrets: secret values in the settings; removed from the addresses in the status.
        """
        size, counted = self._backend.size(), self._counted
        return tx.status.of(roster, now, secrets=secrets, where=self.where, size=size, schema=HEAD, counted=counted)

    def back_up(self, target: Path) -> int:
        """Copy the store to a file, consistent even during writes (R62); return the size of the copy in bytes.

        Raises:
            StoreError: the copy could not be written; an earlier file at `target` is unchanged.
        """
        return self._backend.back_up(target)

    def checkpoint(self) -> None:
        """Write the journal back, so that the store is one file (R4). A failure is only logged: no data is lost."""
        try:
            self._backend.checkpoint()
        except self._backend.errors as error:
            log.warning("checkpoint_store", extra={"error": str(error).splitlines()[0]})

    def close(self) -> None:
        """Close all connections and release the lock."""
        self._backend.close()

    @contextmanager
    def heard_statements(self, call: Callable[[str], None]) -> Iterator[None]:
        """Call a function with each SQL statement while the context lasts: tests count statements."""

        def heard(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            call(statement)

        event.listen(self._backend.engine, "before_cursor_execute", heard)
        try:
            yield
        finally:
            event.remove(self._backend.engine, "before_cursor_execute", heard)


def open_store(url: str, *, now: datetime, command: str = "", writes: bool = True) -> Store:
    """Open the store, create or migrate it if necessary, and take its lock.

    Args:
        url: an SQLAlchemy URL; the path of a file is absolute, and its folder is created.
        now: the time, for a new store and for the lock.
        command: the command of this process, shown to other processes while this one holds the lock.
        writes: False for a command that only reads: no lock, no migration, and the store must exist.

    Raises:
        LockHeld: another process holds the lock.
        StoreError: the store can't be read or created, or was written by a newer version of the program.
    """
    return open_backend(backend_of(url), now=now, command=command, writes=writes)


def open_backend(backend: Backend, *, now: datetime, command: str = "", writes: bool = True) -> Store:
    """Open the store of a backend; see `open_store`."""
    opened = Store(backend)
    try:
        backend.open(command=command, now=now, writes=writes)
        _bring_up_to_date(opened, backend, now, writes=writes)
    except BaseException:
        opened.close()
        raise
    return opened


def _bring_up_to_date(opened: Store, backend: Backend, now: datetime, *, writes: bool) -> None:
    """Migrate the schema if it is older than `HEAD` (R60), and read the UUID of the store.

    Raises:
        StoreError: the schema is newer than `HEAD`, or older while `writes` is False.
    """
    with opened._transaction(writes=False) as connection:
        tables = inspect(connection).get_table_names()
        revision = None
        if "alembic_version" in tables:
            revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        if revision == HEAD:
            opened.uuid = Transaction(connection).store_row.uuid()
            return
    if revision is not None and revision > HEAD:
        raise StoreError(
            f"the store {opened.where} was written by a newer aggregator (schema {revision}, this one knows {HEAD}); "
            "install that version again, or restore the backup made before the upgrade"
        )
    if not writes:
        raise StoreError(f"the store {opened.where} has an older schema; run `aggregator poll` once to bring it up")
    if revision is not None:
        backend.before_migration(revision, HEAD)
    _migrate(backend)
    with opened.begin() if revision is None else opened.read() as tx:
        if revision is None:
            tx.store_row.make(now)
        opened.uuid = tx.store_row.uuid()


def _migrate(backend: Backend) -> None:
    with backend.migrating() as connection:
        upgrade(connection)


def upgrade(connection: Connection) -> None:
    """Create the tables of the newest schema, or bring older ones up to it."""
    from alembic import command  # the import costs 0.1 s and 10 MB: only for a migration
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
