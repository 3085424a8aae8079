"""Backend of a store in a PostgreSQL database: engine, locks, snapshots and faults.

Imported only for such a store. Two advisory locks of the database take the place of the lock file and of SQLite's
single writer:

- `HOLDER` belongs to the process that works on the store, for as long as it works. A session of its own has it; the
  server releases it when the process or its machine is gone (R27).
- `WRITER` belongs to one transaction that writes. Transactions that write follow each other, whatever process they
  belong to: what was looked up before a decision still holds when the decision is written.

A transaction that reads has one snapshot and waits for nobody.
"""

import os
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, Final, NoReturn

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.exc import DisconnectionError, SQLAlchemyError

from aggregator.clock import rfc3339
from aggregator.errors import DiskFailed, ExtraMissing, LockHeld, NoStore, StoreAway, StoreError

try:
    import psycopg
except ImportError as error:
    raise ExtraMissing("a store on PostgreSQL", "postgres") from error

OLDEST: Final = 15
WRITER: Final = 0x61676772  # keys of advisory locks; each database has its own
HOLDER: Final = WRITER + 1
BEGIN: Final = {
    # Two statements in one message. Each statement sees what was committed before it began, so those that follow see
    # all that earlier holders of the lock have written.
    True: f"BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock({WRITER})",
    False: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
}
# A machine that vanished must not keep a lock for the two hours after which Linux notices by default.
ALIVE: Final = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}
SERVER_ALIVE: Final = "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
CONNECT_SECONDS: Final = 10
PATIENCE: Final = "1s"  # of the lock of a process that was killed, the server knows a moment later
FAULTS: Final = {  # by SQLSTATE, whole or its class
    "53100": "the disk of its server is full: make room",
    "53": "its server is short of resources: look into its log",
    "57P": "its server is stopping or starting: wait, or look into its log",
    "58": "the disk of its server fails: look into its log",
    "XX": "its server or its data are damaged: look into its log",
    "25006": "its server only reads, as a standby does: write the address of the primary server",
    "08": "its server can't be reached: start it, or check the address",
}
AWAY: Final = ("57P", "08")
STARTS: Final = "the database system is "  # starting up, shutting down, in recovery mode; a refused client gets no code
# Text sorts by bytes, as in SQLite, whatever the language of the database is; and numbers that strangers or operators
# write fit in eight bytes.
COLUMNS: Final = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_collation o ON o.oid = a.attcollation
WHERE n.nspname = current_schema() AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
AND (a.atttypid = 'integer'::regtype OR a.atttypid = 'text'::regtype AND o.collname <> 'C') ORDER BY 1, 2
"""


class Postgres:
    """Backend for one PostgreSQL database, given by its URL. No connection is made before `exists` or `open`."""

    errors: Final = (SQLAlchemyError, psycopg.Error)  # all errors that a statement may raise
    path: Final = None

    def __init__(self, url: str) -> None:
        self._url = make_url(url).set(drivername="postgresql+psycopg")
        self.where = self._url.set(drivername="postgresql").render_as_string(hide_password=True)
        self._holder: psycopg.Connection | None = None  # the session that has `HOLDER`; None: no process of ours has
        self._held_as = ""
        self._holding = Lock()
        self.writing = Lock()  # threads of this process wait here, not each with a transaction of its own

    @cached_property
    def engine(self) -> Engine:
        """The engine on the database."""
        engine = make_engine(self._url)
        event.listen(engine, "begin", self._keep_holding)
        return engine

    def exists(self) -> bool:
        """Return whether the database has a store.

        Raises:
            StoreError: the database can't be used.
        """
        with self._connected() as connection:
            return _has_store(connection)

    def open(self, *, command: str, now: datetime, writes: bool) -> None:
        """Check that the database can be used, and take the lock of the store; if not `writes`, check that it exists.

        Args:
            command: command of this process, which other processes report while this one holds the lock.
            now: the time, for the lock.
            writes: the process writes.

        Raises:
            LockHeld: another process holds the lock.
            NoStore: the database has no store, and `writes` is False.
            StoreError: the database can't be used.
        """
        with self._connected() as connection:
            has_store = _has_store(connection)
            if not has_store and not writes:
                raise NoStore(f"there is no store in {self.where} yet; `aggregator poll` makes one")
            if writes:
                self._check_rights(connection, has_store=has_store)
        if writes:
            host = socket.gethostname()
            self._held_as = f"{command or 'aggregator'},{os.getpid()},{rfc3339(now)},{host}"[:63]  # PostgreSQL's limit
            with self._holding:
                self._take_lock()

    def close(self) -> None:
        """Close all connections; the server releases the lock."""
        if "engine" in self.__dict__:
            self.engine.dispose()
        with self._holding:
            if self._holder is not None:
                with suppress(psycopg.Error):  # a server that is away holds no lock
                    self._holder.execute("SELECT pg_advisory_unlock(%s)", [HOLDER])
                self._holder.close()
            self._holder, self._held_as = None, ""

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """Yield a connection in one transaction for changes of tables; no other transaction writes meanwhile."""
        with self.engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection
            fit_columns(connection)

    def fault_of(self, error: BaseException) -> DiskFailed | None:
        """Return an error for the operator if an error means that the server fails or is away; None otherwise."""
        found: BaseException | None = error
        while found is not None:
            if isinstance(found, psycopg.Error):
                state = found.sqlstate or ""
                if not state and isinstance(found, psycopg.OperationalError):  # there is no connection
                    if "FATAL:" in str(found) and STARTS not in str(found):  # the server says why
                        return DiskFailed(f"the store {self.where}: {_line_of(found)}")
                    state = "57P" if STARTS in str(found) else "08"
                for code, what in FAULTS.items():
                    if state.startswith(code):
                        kind = StoreAway if code in AWAY else DiskFailed
                        return kind(f"the store {self.where}: {what} ({_line_of(found)})")
            found = found.__cause__ or found.__context__
        return None

    def size(self) -> int:
        """Return the size of the database in bytes."""
        with self.engine.connect() as connection:
            return int(connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one())

    def is_there(self) -> bool:
        """Return False if another process has taken the lock of the store after our session was lost."""
        try:
            self._keep_holding()
        except LockHeld:
            return False
        except (StoreError, *self.errors):  # the server is away: it may come back
            return True
        return True

    def checkpoint(self) -> None:
        """Do nothing: the server looks after its files."""

    def back_up(self, target: Path) -> int:
        """Refuse; the message has the command that copies the database."""
        dump = f"pg_dump --format=custom --file={target} {self.where}"
        raise StoreError(f"a store on PostgreSQL is copied by PostgreSQL's own program, also while we work: {dump}")

    def restore(self, backup: Path, now: datetime) -> None:
        """Refuse; the message has the commands that restore the database."""
        adopt = f"psql {self.where} -c 'UPDATE store SET adopts = true'"
        raise StoreError(
            "a store on PostgreSQL is restored by PostgreSQL's own programs, into an empty database: "
            f"pg_restore --no-owner --dbname={self.where} {backup} && {adopt}; the next command takes in what was "
            "published since"
        )

    def before_migration(self, revision: str, head: str) -> None:
        """Do nothing: a migration that fails leaves the database as it was (R60)."""

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection]:
        """Yield a connection of its own to a database that can be used.

        Raises:
            StoreError: the server is away or too old, or the database has another encoding.
        """
        connection = self._connect("aggregator")
        try:
            with connection:
                if connection.info.server_version < OLDEST * 10_000:
                    version = connection.info.parameter_status("server_version")
                    raise StoreError(
                        f"the store {self.where}: its server is PostgreSQL {version}; use {OLDEST} or a later one"
                    )
                encoding = connection.info.parameter_status("server_encoding")
                if encoding != "UTF8":
                    raise StoreError(
                        f"the store {self.where}: the database has the encoding {encoding}; make one with "
                        "CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
                    )
                yield connection
        except psycopg.Error as error:
            self._fail(error)

    def _connect(self, name: str) -> psycopg.Connection:
        try:
            return psycopg.connect(**_arguments(self._url) | {"application_name": name})
        except psycopg.Error as error:
            self._fail(error)

    def _fail(self, error: psycopg.Error) -> NoReturn:
        raise self.fault_of(error) or StoreError(f"the store {self.where}: {_line_of(error)}") from error

    def _check_rights(self, connection: psycopg.Connection, *, has_store: bool) -> None:
        """Check that tables may be created or changed.

        Raises:
            StoreError: the user has no right to, or the database has tables of another program.
        """
        asked = (
            "SELECT current_user, current_schema(), pg_is_in_recovery(), "
            "coalesce(has_schema_privilege(current_schema(), 'CREATE'), false), "
            "EXISTS (SELECT FROM pg_tables WHERE schemaname = current_schema() AND tablename IN ('source', 'entry')) "
            "AND to_regclass('alembic_version') IS NULL, "
            "coalesce(has_table_privilege(to_regclass('store'), 'UPDATE'), true)"
        )
        found = connection.execute(asked).fetchone()
        assert found is not None
        user, schema, is_standby, may_create, is_used, may_write = found
        if is_standby:
            raise StoreError(f"the store {self.where}: {FAULTS['25006']}")
        if not has_store and is_used:
            raise StoreError(f"the store {self.where}: the database has tables of another program; make an empty one")
        if not has_store and not may_create:
            grant = f'GRANT CREATE ON SCHEMA {schema or "public"} TO "{user}"'
            raise StoreError(f"the store {self.where}: {user} may not create tables; its owner should run {grant}")
        if not may_write:
            raise StoreError(
                f"the store {self.where}: {user} may not write its tables; use the user who owns them, or have that "
                f'user run GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO "{user}"'
            )

    def _keep_holding(self, connection: Connection | None = None) -> None:
        """Take the lock of the store again if the server was restarted; called as each transaction begins.

        Raises:
            LockHeld: another process has the lock by now.
            StoreError: the server is away.
        """
        if connection is not None and not connection.get_execution_options().get("writes"):
            return
        with self._holding:
            if self._holder is not None and _is_cut(self._holder):
                self._holder.close()
                self._take_lock()

    def _take_lock(self) -> None:
        session = self._connect(self._held_as)
        try:
            session.execute(f"SET lock_timeout = '{PATIENCE}'")
            try:
                session.execute("SELECT pg_advisory_lock(%s)", [HOLDER])
            except psycopg.errors.LockNotAvailable:
                asked = (
                    "SELECT application_name FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE locktype = "
                    "'advisory' AND granted AND objid = %s::bigint::oid AND pg_locks.database = "
                    "(SELECT oid FROM pg_database WHERE datname = current_database())"
                )
                raise LockHeld(_told(session.execute(asked, [HOLDER]).fetchone())) from None
        except psycopg.Error as error:
            session.close()
            self._fail(error)
        except BaseException:
            session.close()
            raise
        self._holder = session


def fit_columns(connection: Connection) -> None:
    """Set the collation and the width of new columns to those that all columns have (`COLUMNS`)."""
    for table, column, kind in connection.exec_driver_sql(COLUMNS).fetchall():
        fit = "bigint" if kind == "integer" else 'text COLLATE "C"'
        connection.exec_driver_sql(f'ALTER TABLE "{table}" ALTER COLUMN "{column}" TYPE {fit}')


def make_engine(url: URL | str) -> Engine:
    """Return an engine on which a transaction that writes has the lock `WRITER`, and one that reads a snapshot.

    Connections that the server has closed, as by a restart, are replaced when they are taken from the pool: the closed
    socket shows it, without a question to the server.
    """
    url = make_url(url).set(drivername="postgresql+psycopg")
    engine = create_engine(
        url,
        hide_parameters=True,  # a traceback in the log would quote texts of sources (S44)
        connect_args=_arguments(url.set(username=None, password=None, host=None, port=None, database=None)),
        use_native_hstore=False,
        max_overflow=30,
    )
    event.listen(engine, "checkout", _on_checkout)
    event.listen(engine, "begin", _on_begin)
    event.listen(engine, "handle_error", _on_error)
    return engine


def _arguments(url: URL) -> dict[str, Any]:
    """Return arguments of psycopg for a URL: transactions begin where we say so, and a lost peer is noticed."""
    given: dict[str, Any] = url.translate_connect_args(username="user", database="dbname") | dict(url.query)
    options = f"{SERVER_ALIVE} {given.pop('options', '')}".strip()
    return {"connect_timeout": CONNECT_SECONDS} | ALIVE | given | {"autocommit": True, "options": options}


def _on_checkout(dbapi: Any, _record: object, _proxy: object) -> None:
    if _is_cut(dbapi):
        raise DisconnectionError


def _on_begin(connection: Connection) -> None:
    raw: Any = connection.connection.driver_connection
    raw.execute(BEGIN[bool(connection.get_execution_options().get("writes"))], prepare=False)


def _on_error(context: ExceptionContext) -> None:
    """Keep the first line of an error: the others quote values of rows (S44)."""
    for error in (context.original_exception, context.sqlalchemy_exception):
        if error is not None and error.args:
            error.args = (str(error.args[0]).partition("\n")[0], *error.args[1:])


def _is_cut(connection: psycopg.Connection) -> bool:
    """Return whether the server has closed an idle connection: then its socket has something to read."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _has_store(connection: psycopg.Connection) -> bool:
    if connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
        return False
    return connection.execute("SELECT FROM alembic_version").fetchone() is not None


def _line_of(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].partition("FATAL:")[2].strip() or lines[0] if lines else type(error).__name__


def _told(found: tuple[Any, ...] | None) -> str:
    """Return who has the lock, from the name of its session."""
    name = str(found[0]) if found and found[0] else ""
    parts = name.split(",")
    if len(parts) != 4:
        return "a session of the database server"
    command, pid, since, host = parts
    return f"{command}, process {pid} on {host}, since {since}"
