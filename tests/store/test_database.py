"""Opening the store: schema, lock, migrations, and isolation of transactions on SQLite."""

import re
import sqlite3
import threading
from datetime import UTC, datetime
from pathlib import Path
from traceback import format_exception
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, insert, make_url, select, update
from sqlalchemy.exc import IntegrityError

from aggregator.errors import LockHeld, StoreError
from aggregator.store import database, sqlite
from aggregator.store.database import open_store
from aggregator.store.schema import Count, Id, Instant, category, metadata, store
from tests.rows import connected

pytestmark = pytest.mark.only_sqlite

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/a%20b/aggregator.db"


def test_a_new_store_has_the_schema_that_the_code_knows(url: str) -> None:
    open_store(url, now=NOON).close()
    engine = create_engine(url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_migrations_make_the_tables_to_the_letter(url: str, tmp_path: Path) -> None:
    """`compare_metadata` looks at no defaults, keys, names of constraints or conditions of indexes."""
    opened = open_store(url, now=NOON)
    made = sqlite3.connect(opened.where.removeprefix("sqlite:///"))
    opened.close()
    engine = create_engine(f"sqlite:///{tmp_path}/known.db")
    metadata.create_all(engine)
    engine.dispose()
    known = sqlite3.connect(tmp_path / "known.db")
    of_migrations, of_code = tables_of(made), tables_of(known)
    made.close()
    known.close()
    of_migrations.pop("alembic_version")
    assert of_migrations == of_code


def tables_of(connection: sqlite3.Connection) -> dict[str, dict[str, Any]]:
    """Return columns, keys and indexes of each table."""
    tables: dict[str, dict[str, Any]] = {}
    found = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    for name, sql in found.fetchall():
        tables[name] = {
            "columns": {row[1]: row[2:] for row in connection.execute(f"PRAGMA table_info({name})")},
            "foreign keys": sorted(row[2:5] for row in connection.execute(f"PRAGMA foreign_key_list({name})")),
            "names": sorted(re.findall(r'CONSTRAINT "?(\w+)', sql)),
            "options": sql.rpartition(")")[2].split(),
            "indexes": {},
        }
    for name, table, sql in connection.execute("SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'index'"):
        columns = tuple(row[2] for row in connection.execute(f"PRAGMA index_info('{name}')"))
        if table in tables:
            where = None if sql is None else (name, sql.startswith("CREATE UNIQUE"), sql.partition(" WHERE ")[2])
            tables[table]["indexes"][columns, where] = True
    return tables


@pytest.mark.parametrize("column", [Id, Count])
def test_ids_and_counts_have_eight_bytes_on_both(column: Any) -> None:
    compiled = [column.compile(make_url(url).get_dialect()()) for url in ("sqlite://", "postgresql+psycopg://")]
    assert compiled == ["INTEGER", "BIGINT"]


def test_head_is_the_newest_migration() -> None:
    folder = Path(database.__file__).parent / "migrations"
    assert ScriptDirectory(str(folder)).get_current_head() == database.HEAD


def test_r60_a_store_of_a_newer_program_is_not_touched(url: str) -> None:
    opened = open_store(url, now=NOON)
    path = Path(opened.where.removeprefix("sqlite:///"))
    opened.close()
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="newer aggregator"):
        open_store(url, now=NOON)
    assert path.read_bytes() == before


def test_r27_a_second_process_is_told_who_holds_the_store(url: str) -> None:
    first = open_store(url, now=NOON, command="serve")
    with pytest.raises(LockHeld, match=r"serve, process \d+ on .+, since 2026-03-04T12:00:00Z"):
        open_store(url, now=NOON, command="poll")
    reader = open_store(url, now=NOON, writes=False)  # commands that only read work beside it
    reader.close()
    first.close()
    open_store(url, now=NOON, command="poll").close()


def test_r4_one_file_is_left(url: str, tmp_path: Path) -> None:
    opened = open_store(url, now=NOON)
    opened.checkpoint()
    opened.close()
    assert [path.name for path in (tmp_path / "a b").iterdir()] == ["aggregator.db"]


def test_a_command_that_reads_needs_a_store(url: str) -> None:
    with pytest.raises(StoreError, match="no store at"):
        open_store(url, now=NOON, writes=False)


def test_r4_reading_and_then_writing_never_meets_a_lock(url: str) -> None:
    open_store(url, now=NOON).close()
    engine = sqlite.make_engine(url)
    errors: list[Exception] = []

    def count() -> None:
        for _ in range(20):
            try:
                with engine.connect().execution_options(writes=True) as connection, connection.begin():
                    before = connection.execute(select(store.c.dirty)).scalar_one()
                    connection.execute(update(store).values(dirty=before + 1))
            except Exception as error:
                errors.append(error)
                raise

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engine.connect() as connection:
        assert connection.execute(select(store.c.dirty)).scalar_one() == 1 + 8 * 20
    engine.dispose()
    assert errors == []


def test_a_failed_transaction_leaves_nothing(url: str) -> None:
    opened = open_store(url, now=NOON)

    def break_off() -> None:
        with opened.begin() as tx:
            tx.store_row.keep_config("sources: []", "feeds.yaml", NOON)
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        break_off()
    with opened.read() as tx:
        assert tx.store_row.last_good_config() is None
    opened.close()


def test_r12_a_time_without_a_zone_is_refused(url: str) -> None:
    engine = sqlite.make_engine("sqlite://")
    with pytest.raises(ValueError, match="no zone"):
        Instant().bind_processor(engine.dialect)(datetime(2026, 3, 4))  # noqa: DTZ001 - that is the point
    bound = Instant().bind_processor(engine.dialect)(NOON.replace(microsecond=7))
    assert Instant().result_processor(engine.dialect, None)(bound) == NOON.replace(microsecond=7)
    engine.dispose()


def test_a_slug_belongs_to_one_category(url: str) -> None:
    opened = open_store(url, now=NOON)
    values = {
        "slug": "same",
        "created_at": NOON,
        "active": True,
        "pages": 0,
        "dirty": 1,
        "rendered": 0,
        "dirty_pages": {},
    }
    two = [values | {"key": "a", "feed_id": "urn:a"}, values | {"key": "b", "feed_id": "urn:b"}]
    with pytest.raises(IntegrityError), connected(opened, writes=True) as connection:
        connection.execute(insert(category), two)
    opened.close()


def test_s44_an_error_of_the_database_quotes_no_values(url: str) -> None:
    opened = open_store(url, now=NOON)
    value = "9f8e" * 4
    unfit: Any = {"a": value}  # what no column takes
    with pytest.raises(StoreError) as raised, opened.begin() as tx:
        tx.store_row.note_config_error(unfit)
    said = "".join(format_exception(raised.value))
    assert "UPDATE store" in said
    assert value not in said
    opened.close()
