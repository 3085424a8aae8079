"""Three processes settle news of the same stories at once, in one database of PostgreSQL."""

import multiprocessing
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.synchronize import Barrier
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from aggregator.app import App
from aggregator.store import postgres
from aggregator.store.database import Store, backend_of
from tests.fake_source import FakeSource, said
from tests.patience import PATIENCE
from tests.rows import rows
from tests.sample_site import SampleSite
from tests.stores import Server, url_of, using

ROUNDS = 12
KEYS = ("a", "b", "c")
YAML = "sources:\n" + "".join(f"  - {{key: {key}, url: 'https://{key}.example/', category: x}}\n" for key in KEYS)

pytestmark = [pytest.mark.service, pytest.mark.only_sqlite]  # not run twice


@pytest.fixture(autouse=True)
def _server(postgresql: Server) -> Iterator[None]:
    with using(postgresql):
        yield


def worker(app: App, url: str, key: str, together: Barrier) -> None:
    """Be one of the processes: poll one source, which brings one more story each time."""
    store = Store(backend_of(url))  # the lock of the whole store is the parent's
    ports = replace(app.poller.ports, store=store)
    fake = SimpleNamespace(store=store, clock=app.clock, in_force=app.in_force, poller=SimpleNamespace(ports=ports))
    fake_source = FakeSource(cast("Any", fake))
    for number in range(ROUNDS):
        poll = fake_source.brings(key, said(number))
        together.wait(PATIENCE)
        fake_source.settles(poll)


def settled_by_three(site: SampleSite) -> tuple[list[int | None], int, int, int]:
    """Return exit codes of the processes, and the numbers of entries, stories and failed polls."""
    site.writes(YAML)
    forks = multiprocessing.get_context("fork")
    together = forks.Barrier(len(KEYS))
    with site.opened() as app:
        assert app.poller.ports
        workers = [forks.Process(target=worker, args=(app, url_of(site.folder), key, together)) for key in KEYS]
        for each in workers:
            each.start()
        for each in workers:
            each.join(PATIENCE)
    counts = "SELECT (SELECT count(*) FROM entry), (SELECT count(*) FROM story), (SELECT sum(failures) FROM poll_day)"
    [(entries, stories, failures)] = rows(site.folder, counts)
    return [each.exitcode for each in workers], entries, stories, failures


def test_nothing_is_lost_and_no_story_is_there_twice(tmp_path: Path) -> None:
    assert settled_by_three(SampleSite(tmp_path)) == ([0, 0, 0], 3 * ROUNDS, ROUNDS, 0)


def test_without_the_lock_of_writers_news_are_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above is worth something: it fails if transactions do not follow each other."""
    monkeypatch.setitem(postgres.BEGIN, True, "BEGIN ISOLATION LEVEL READ COMMITTED")
    assert settled_by_three(SampleSite(tmp_path)) != ([0, 0, 0], 3 * ROUNDS, ROUNDS, 0)
