"""A disk that is full or fails while polls are stored: no source is charged with a failure (R7)."""

import json
import resource
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from aggregator.model.changes import Settled
from aggregator.poll.dispatcher import Dispatcher
from aggregator.poll.due_queue import DueBacklog
from aggregator.store import sqlite
from tests.command import Done, aggregator
from tests.feed_server import FeedServer
from tests.rows import rows
from tests.sample_site import SampleSite, item, rss

pytestmark = pytest.mark.only_sqlite

PAGES = 8  # of 4 KiB that are free
LARGE = rss(*(item(number, description=f"{number} " + "many words " * 2_000) for number in range(1, 20)))
SMALL = rss(item(1))
Disk = Callable[[SampleSite, pytest.MonkeyPatch], AbstractContextManager[None]]


@contextmanager
def full(sample_site: SampleSite, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Limit the database to a few more pages, as if the disk were full."""
    [(pages,)] = rows(sample_site.folder, "PRAGMA page_count")
    with monkeypatch.context() as patch:
        patch.setattr(sqlite, "PRAGMAS", (*sqlite.PRAGMAS, f"max_page_count={pages + PAGES}"))
        yield


@contextmanager
def failing(sample_site: SampleSite, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Limit the size of files to little more than that of the database, which SQLite reports as a failing disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (database(sample_site).stat().st_size + PAGES * 4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def database(sample_site: SampleSite) -> Path:
    return sample_site.folder / "var" / "aggregator.db"


def blame(sample_site: SampleSite) -> tuple[str, int, int]:
    """Return state, failures and claims without an outcome of the one source."""
    [(state, failures, claims)] = rows(sample_site.folder, "SELECT state, failures, claims FROM source")
    return state, failures, claims


def poll(sample_site: SampleSite) -> Done:
    return aggregator("-c", str(sample_site.folder / "feeds.yaml"), "poll", "--all", "--json")


@pytest.mark.parametrize("disk", [full, failing])
def test_r7_a_full_disk_ends_a_poll_with_one_line_and_counts_against_nobody(
    sample_site: SampleSite, publisher: FeedServer, monkeypatch: pytest.MonkeyPatch, disk: Disk
) -> None:
    sample_site.writes(f"sources: ['{publisher.serve('/a', SMALL)}']\n")
    poll(sample_site)
    publisher.edit("/a", LARGE)
    with disk(sample_site, monkeypatch):
        done = poll(sample_site)
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert "aggregator.db: the disk it is on " in line
    assert blame(sample_site) == ("ok", 0, 0)
    assert json.loads(poll(sample_site).stdout)["new"] == 18, "nothing was lost"


def test_r7_a_service_goes_on_trying_on_a_full_disk(
    sample_site: SampleSite, publisher: FeedServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("aggregator.poll.dispatcher.PAUSE", 0.0)
    sample_site.writes(f"sources: ['{publisher.serve('/a', SMALL)}']\n")
    sample_site.poll()
    publisher.edit("/a", LARGE)
    sample_site.clock.move(hours=2)
    stored: list[Settled] = []

    def is_over() -> bool:
        if not stored and any(record.msg == "pause_polls" for record in caplog.records):
            publisher.edit("/a", SMALL)
            sample_site.clock.move(hours=2)
        return bool(stored)

    with full(sample_site, monkeypatch), sample_site.opened("serve") as app, caplog.at_level("WARNING"):
        Dispatcher(
            app.store, app.poller, app.in_force, DueBacklog(app.store), on_settled=stored.extend, patient=True
        ).run(until=is_over)
    assert [record.msg for record in caplog.records] == ["pause_polls", "resume_polls"]
    assert "the disk it is on is full" in caplog.records[0].__dict__["error"]
    assert blame(sample_site) == ("ok", 0, 0)
