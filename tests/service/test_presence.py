"""A service whose store or outputs somebody removes while it runs (R57, R25)."""

import json
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aggregator.app import App
from aggregator.search import open_index
from aggregator.service import Service
from aggregator.service.service import ServiceFailed
from tests.desk import FakeSource, said
from tests.newsroom import SampleSite

YAML = """
publish: {formats: [atom, html], aliases: {old.xml: all.atom}}
sources: [{key: a, url: 'https://a.example/', paused: true}]
"""


@contextmanager
def serving(room: SampleSite) -> Iterator[tuple[Service, App]]:
    """Run a service whose jobs the test does itself."""
    room.writes(YAML)
    with room.opened("serve") as app:
        FakeSource(app).says("a", said(1))
        service = Service(app, {})
        service.start()
        service._jobs.pause()
        try:
            yield service, app
        finally:
            service.stop()


def outputs(room: SampleSite) -> dict[str, bytes]:
    root = room.folder / "public"
    paths = (path for path in root.rglob("*") if path.is_file() and not path.name.startswith("status."))
    return {str(path.relative_to(root)): path.read_bytes() for path in paths}


@pytest.mark.parametrize("gone", ["", "category", "index.html", "status.json"])
def test_r57_outputs_that_are_removed_are_written_again_though_nothing_is_new(newsroom: SampleSite, gone: str) -> None:
    with serving(newsroom) as (service, _):
        assert service.is_ready()
        before = outputs(newsroom)
        path: Path = newsroom.folder / "public" / gone
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        assert service.is_ready() is (gone in ("category", "index.html")), "one file is looked at"
        newsroom.clock.move(minutes=1)
        service._look_at_outputs()
        service._flush()
        assert service.is_ready()
        assert outputs(newsroom) == before


def test_outputs_that_are_all_there_are_not_made_again(newsroom: SampleSite) -> None:
    with serving(newsroom) as (service, _):
        before = newsroom.files()
        newsroom.clock.move(minutes=1)
        service._look_at_outputs()
        assert not service._dirty.is_set()
        service._flush()
        assert newsroom.files() == before


def test_a_store_that_is_gone_is_not_searched(newsroom: SampleSite) -> None:
    newsroom.writes(YAML)
    with newsroom.opened("serve") as app:
        store = app.store.path
        assert store is not None
        service = Service(app, {}, index=open_index(app.store))
        shutil.rmtree(store.parent)
        service._catch_up()


def test_r67_a_publication_that_fails_under_serve_is_an_alarm_while_it_lasts(newsroom: SampleSite) -> None:
    def alarms() -> list[str]:
        return [one["code"] for one in json.loads(newsroom.published("status.json"))["alarms"]]

    with serving(newsroom) as (service, app):
        with app.store.begin() as tx:
            tx.files.unlist(["category/general.atom"])
            tx.files.forget_looks()
        for in_the_way, expected in ((True, ["output"]), (True, ["output"]), (False, [])):
            if not in_the_way:
                for name in ("general.atom", "general.atom.gz"):
                    (newsroom.folder / "public" / "category" / name).unlink(missing_ok=True)
            newsroom.clock.move(minutes=1)
            service._dirty.set()
            service._flush()
            assert alarms() == expected
            assert service.is_ready(), "the outputs of before are there"


@pytest.mark.parametrize("is_replaced", [False, True])
def test_r25_a_store_that_is_removed_ends_the_service(
    newsroom: SampleSite, caplog: pytest.LogCaptureFixture, is_replaced: bool
) -> None:
    with serving(newsroom) as (service, app):
        service._tick()
        assert (service.is_ready(), service.ended.is_set()) == (True, False)
        store = app.store.path
        assert store is not None
        copy = shutil.copyfile(store, store.with_name("copy"))
        store.unlink()
        if is_replaced:
            copy.rename(store)
        assert not service.is_ready()
        with caplog.at_level(logging.ERROR):
            service._tick()
            service._tick()
        assert [record.message for record in caplog.records].count("lose_store") == 1
        assert service.ended.is_set()
        assert isinstance(service.fault, ServiceFailed)
        assert f"{store} was removed or replaced" in str(service.fault)
