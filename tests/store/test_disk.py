"""A disk that is full or fails while polls are stored: that is our side's fault, whoever was polled (R7)."""

import json
import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from aggregator.model.changes import Settled
from aggregator.poll.dispatcher import Dispatcher
from aggregator.poll.due_queue import DueBacklog
from aggregator.store import dialect
from tests.command import Done, aggregator
from tests.newsroom import SampleSite, item, rss
from tests.publisher import Publisher

PAGES = 8  # of 4 KiB that are free
LARGE = rss(*(item(number, description=f"{number} " + "many words " * 2_000) for number in range(1, 20)))
SMALL = rss(item(1))
Disk = Callable[[SampleSite, pytest.MonkeyPatch], AbstractContextManager[None]]


@contextmanager
def full(newsroom: SampleSite, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let SQLite find no room beyond a few pages."""
    with closing(sqlite3.connect(database(newsroom))) as store:
        (pages,) = store.execute("PRAGMA page_count").fetchone()
    with monkeypatch.context() as patch:
        patch.setattr(dialect, "PRAGMAS", (*dialect.PRAGMAS, f"max_page_count={pages + PAGES}"))
        yield


@contextmanager
def failing(newsroom: SampleSite, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let no file grow far beyond what the store has now: SQLite takes that for a disk that fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (database(newsroom).stat().st_size + PAGES * 4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def database(newsroom: SampleSite) -> Path:
    return newsroom.folder / "var" / "aggregator.db"


def blame(newsroom: SampleSite) -> tuple[str, int, int]:
    """Return state and failures of the one source, and how many of its claims ended in nothing."""
    with closing(sqlite3.connect(database(newsroom))) as store:
        (row,) = store.execute("SELECT state, failures, claims FROM source").fetchall()
    return tuple(row)


def poll(newsroom: SampleSite) -> Done:
    return aggregator("-c", str(newsroom.folder / "feeds.yaml"), "poll", "--all", "--json")


@pytest.mark.parametrize("disk", [full, failing])
def test_r7_a_full_disk_ends_a_poll_with_one_line_and_counts_against_nobody(
    newsroom: SampleSite, publisher: Publisher, monkeypatch: pytest.MonkeyPatch, disk: Disk
) -> None:
    newsroom.writes(f"sources: ['{publisher.serve('/a', SMALL)}']\n")
    poll(newsroom)
    publisher.edit("/a", LARGE)
    with disk(newsroom, monkeypatch):
        done = poll(newsroom)
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert "aggregator.db: the disk it is on " in line
    assert blame(newsroom) == ("ok", 0, 0)
    assert json.loads(poll(newsroom).stdout)["new"] == 18, "nothing was lost"


def test_r7_a_service_goes_on_trying_on_a_full_disk(
    newsroom: SampleSite, publisher: Publisher, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("aggregator.poll.dispatcher.PAUSE", 0.0)
    newsroom.writes(f"sources: ['{publisher.serve('/a', SMALL)}']\n")
    newsroom.poll()
    publisher.edit("/a", LARGE)
    newsroom.clock.move(hours=2)
    stored: list[Settled] = []

    def is_over() -> bool:
        if not stored and any(record.msg == "pause_polls" for record in caplog.records):
            publisher.edit("/a", SMALL)
            newsroom.clock.move(hours=2)
        return bool(stored)

    with full(newsroom, monkeypatch), newsroom.opened("serve") as app, caplog.at_level("WARNING"):
        Dispatcher(app, DueBacklog(app.store), on_settled=stored.extend, patient=True).run(until=is_over)
    assert [record.msg for record in caplog.records] == ["pause_polls", "resume_polls"]
    assert "the disk it is on is full" in caplog.records[0].__dict__["error"]
    assert blame(newsroom) == ("ok", 0, 0)
