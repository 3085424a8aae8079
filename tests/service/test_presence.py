"""A service whose store or outputs somebody removes while it runs (R57, R25)."""

import json
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from apscheduler.schedulers.background import BackgroundScheduler

from aggregator.app import App
from aggregator.search import open_index
from aggregator.service import Service
from aggregator.service.service import ServiceFailed
from tests.fake_source import FakeSource, said
from tests.sample_site import SampleSite

YAML = """
publish: {formats: [atom, html], aliases: {old.xml: all.atom}}
sources: [{key: a, url: 'https://a.example/', paused: true}]
"""


@contextmanager
def serving(site: SampleSite) -> Iterator[tuple[Service, App]]:
    """Run a service whose jobs the test does itself."""
    site.writes(YAML)
    with site.opened("serve") as app:
        FakeSource(app).says("a", said(1))
        scheduler = BackgroundScheduler()
        service = Service(app, {}, scheduler=scheduler)
        service.start()
        scheduler.pause()
        try:
            yield service, app
        finally:
            service.stop()


def outputs(site: SampleSite) -> dict[str, bytes]:
    root = site.folder / "public"
    paths = (path for path in root.rglob("*") if path.is_file() and not path.name.startswith("status."))
    return {str(path.relative_to(root)): path.read_bytes() for path in paths}


@pytest.mark.parametrize("gone", ["", "category", "index.html", "status.json"])
def test_r57_outputs_that_are_removed_are_written_again_though_nothing_is_new(
    sample_site: SampleSite, gone: str
) -> None:
    with serving(sample_site) as (service, _):
        assert service.is_ready()
        before = outputs(sample_site)
        path: Path = sample_site.folder / "public" / gone
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        assert service.is_ready() is (gone in ("category", "index.html")), "one file is looked at"
        sample_site.clock.move(minutes=1)
        service.jobs["outputs"].run()
        service.jobs["flush"].run()
        assert service.is_ready()
        assert outputs(sample_site) == before


def test_outputs_that_are_all_there_are_not_made_again(sample_site: SampleSite) -> None:
    with serving(sample_site) as (service, _):
        before = sample_site.files()
        sample_site.clock.move(minutes=1)
        service.jobs["outputs"].run()
        assert not service.loop.is_dirty
        service.jobs["flush"].run()
        assert sample_site.files() == before


def test_a_store_that_is_gone_is_not_searched(sample_site: SampleSite) -> None:
    sample_site.writes(YAML)
    with sample_site.opened("serve") as app:
        store = app.store.path
        assert store is not None
        service = Service(app, {}, index=open_index(app.store, sample_site.folder))
        shutil.rmtree(store.parent)
        service.jobs["search"].run()


def test_r67_a_publication_that_fails_under_serve_is_an_alarm_while_it_lasts(sample_site: SampleSite) -> None:
    def alarms() -> list[str]:
        return [one["code"] for one in json.loads(sample_site.published("status.json"))["alarms"]]

    with serving(sample_site) as (service, app):
        with app.store.begin() as tx:
            tx.files.unlist(["category/general.atom"])
            tx.files.forget_looks()
        for in_the_way, expected in ((True, ["output"]), (True, ["output"]), (False, [])):
            if not in_the_way:
                for name in ("general.atom", "general.atom.gz"):
                    (sample_site.folder / "public" / "category" / name).unlink(missing_ok=True)
            sample_site.clock.move(minutes=1)
            service.loop.request()
            service.jobs["flush"].run()
            assert alarms() == expected
            assert service.is_ready(), "the outputs of before are there"


@pytest.mark.parametrize("is_replaced", [False, True])
def test_r25_a_store_that_is_removed_ends_the_service(
    sample_site: SampleSite, caplog: pytest.LogCaptureFixture, is_replaced: bool
) -> None:
    with serving(sample_site) as (service, app):
        service.jobs["tick"].run()
        assert (service.is_ready(), service.ended.is_set()) == (True, False)
        store = app.store.path
        assert store is not None
        copy = shutil.copyfile(store, store.with_name("copy"))
        store.unlink()
        if is_replaced:
            copy.rename(store)
        assert not service.is_ready()
        with caplog.at_level(logging.ERROR):
            service.jobs["tick"].run()
            service.jobs["tick"].run()
        assert [record.message for record in caplog.records].count("lose_store") == 1
        assert service.ended.is_set()
        assert isinstance(service.fault, ServiceFailed)
        assert f"{store} was removed or replaced" in str(service.fault)
