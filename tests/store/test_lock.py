"""The lock of the store: who holds it, and that no other process can take it (R27)."""

import json
import os
import shutil
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aggregator.errors import LockHeld
from aggregator.store.store_file import StoreLock

pytestmark = pytest.mark.only_sqlite

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "aggregator.db.lock"


def taken(path: Path, command: str = "poll") -> StoreLock:
    lock = StoreLock(path)
    lock.take(command=command, now=NOW)
    return lock


def test_r27_one_at_a_time_and_the_file_goes_with_the_lock(path: Path) -> None:
    lock = taken(path, "serve")
    assert json.loads(path.read_text())["command"] == "serve"
    with pytest.raises(LockHeld, match="serve, process"):
        taken(path)
    lock.release()
    assert not path.exists()
    lock.release()
    taken(path).release()


def test_a_lock_of_another_process_stays(path: Path) -> None:
    first = taken(path, "serve")
    path.unlink()  # by an operator who took it for a leftover, say
    second = taken(path, "poll")
    first.release()
    with pytest.raises(LockHeld, match="poll, process"):
        taken(path)
    second.release()
    assert not path.exists()


def test_what_else_stands_there_stays(path: Path, tmp_path: Path) -> None:
    lock = taken(path)
    path.unlink()
    path.mkdir()
    lock.release()
    assert path.is_dir()
    path.rmdir()
    lock = taken(path)
    copy = tmp_path / "copy"
    shutil.copy(path, copy)
    copy.replace(path)  # as a backup that is played back does
    lock.release()
    assert path.is_file()
    taken(path).release()


def test_a_file_that_its_holder_removes_between_opening_and_locking_is_not_taken(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = taken(path)
    opened = os.open
    calls: list[int] = []

    def open_late(*args: object, **named: object) -> int:
        fd = opened(*args, **named)  # type: ignore[arg-type]  # as it was called
        calls.append(fd)
        if len(calls) == 1:
            first.release()
        return fd

    monkeypatch.setattr(os, "open", open_late)
    second = taken(path)
    assert len(calls) == 2, "the first was of a file that is gone"
    monkeypatch.undo()
    with pytest.raises(LockHeld):
        taken(path)
    second.release()


def test_of_many_that_come_and_go_never_two_hold_it(path: Path) -> None:
    holding, most = set[int](), list[int]()

    def come_and_go(number: int) -> None:
        for _ in range(200):
            lock = StoreLock(path)
            try:
                lock.take(command="poll", now=NOW)
            except LockHeld:
                continue
            holding.add(number)
            most.append(len(holding))
            holding.discard(number)
            lock.release()

    threads = [threading.Thread(target=come_and_go, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(most) == {1}
    assert not path.exists()
