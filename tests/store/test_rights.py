"""Permissions of files: only the owner may read the store, everybody the outputs (S61)."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aggregator.search import open_index
from aggregator.store import database
from aggregator.store.database import backend_of, open_store
from aggregator.store.store_file import open_to_others

pytestmark = pytest.mark.only_sqlite
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct, autouse=True)
def _umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "var" / "aggregator.db"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_s61_the_store_and_what_lies_beside_it_is_its_owners(place: Path) -> None:
    store = open_store(f"sqlite:///{place}", now=NOON, command="poll")
    try:
        open_index(store, place.parent).update()
        with store.read():
            found = {path.name: mode(path) for path in place.parent.iterdir()}
    finally:
        store.close()
    assert {"aggregator.db", "aggregator.db-wal", "aggregator.db.lock", "aggregator.db.search"} <= found.keys()
    assert set(found.values()) == {0o600}
    assert mode(place.parent) == 0o755, "outputs may lie below it, and a web server passes through"


def test_s61_backups_are_their_owners(place: Path, tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{place}", now=NOON)
    copy = tmp_path / "copy.db"
    store.back_up(copy)
    assert mode(copy) == 0o600
    copy.chmod(0o640)
    store.back_up(copy)
    assert mode(copy) == 0o640, "somebody gave it to a group"
    copy.chmod(0o644)
    store.back_up(copy)
    assert mode(copy) == 0o600
    store.close()
    place.unlink()
    copy.chmod(0o644)
    backend_of(f"sqlite:///{place}").restore(copy, NOON)
    assert mode(place) == 0o600


def test_s61_a_copy_from_before_a_migration_is_its_owners(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_store(f"sqlite:///{place}", now=NOON).close()
    with sqlite3.connect(place) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '0000'")
    raw.close()
    with pytest.raises(Exception, match="0000"):  # no migration leads from there
        open_store(f"sqlite:///{place}", now=NOON)
    (copy,) = place.parent.glob("*.before-*")
    assert (mode(copy), database.HEAD in copy.name) == (0o600, True)


def test_s61_a_store_of_an_older_version_is_tightened(place: Path) -> None:
    open_store(f"sqlite:///{place}", now=NOON).close()
    old = place.with_name("aggregator.db.before-0001-from-0000")
    strange = place.with_name("aggregator.db.copy")
    for path in (old, strange):
        path.write_bytes(b"")
    for path in (place, old, strange):
        path.chmod(0o644)
    assert set(open_to_others(place)) == {place, old, strange}
    open_store(f"sqlite:///{place}", now=NOON).close()
    assert (mode(place), mode(old), mode(strange)) == (0o600, 0o600, 0o644), "what we did not write is not touched"
    assert list(open_to_others(place)) == [strange]


def test_s61_what_a_group_was_given_stays(place: Path) -> None:
    open_store(f"sqlite:///{place}", now=NOON).close()
    place.chmod(0o640)
    open_store(f"sqlite:///{place}", now=NOON).close()
    assert mode(place) == 0o640
    assert list(open_to_others(place)) == []


def test_s61_a_reader_changes_no_rights(place: Path) -> None:
    open_store(f"sqlite:///{place}", now=NOON).close()
    place.chmod(0o644)
    open_store(f"sqlite:///{place}", now=NOON, writes=False).close()
    assert mode(place) == 0o644
