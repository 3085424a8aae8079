"""Tests transactions of a publication: there are few, and a poll that settles while files are written is never lost."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from threading import Thread

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from aggregator.app import App
from aggregator.errors import StrangerInTheWay
from aggregator.model.output import Output
from aggregator.publish.output_list import OutputList, Put
from tests.fake_source import FakeSource, said
from tests.sample_site import SampleSite

YAML = """site: {title: T}
publish: {formats: [atom, json], entries: 10, archive_page: 10}
sources: [{key: a, url: 'https://a.example/', category: a, initial: 500, paused: true}]
"""
PAGES = YAML.replace("[atom, json]", "[atom, rss, json, html]").replace("category: a", "category: b")


@contextmanager
def counted() -> Iterator[list[object]]:
    """Count the transactions that begin as long as the context lasts."""
    begun: list[object] = []

    @event.listens_for(Engine, "begin")
    def note(connection: object) -> None:
        begun.append(connection)

    try:
        yield begun
    finally:
        event.remove(Engine, "begin", note)


def archived(app: App, pages: int) -> FakeSource:
    """Publish a category with archive pages of ten stories each."""
    source = FakeSource(app)
    source.says("a", *(said(number) for number in range(10 * (pages + 1))))
    app.publisher.publish()
    return source


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Callable[[], object]]]:
    """Settle a poll in another thread once, right before a file of a category is rendered."""
    calls: dict[str, Callable[[], object]] = {}
    put = OutputList.put

    def putting(self: OutputList, outputs: Sequence[Output], listed: Collection[str], *, take_over: bool) -> Put:
        if any(output.path.startswith("category/") for output in outputs):
            call = calls.pop("settle", None)
            if call is not None:
                thread = Thread(target=call, daemon=True)
                thread.start()
                thread.join(60)
                assert not thread.is_alive(), "the store is locked while documents are rendered"
        return put(self, outputs, listed, take_over=take_over)

    monkeypatch.setattr(OutputList, "put", putting)
    yield calls
    assert not calls


def test_one_entry_is_published_in_few_transactions(sample_site: SampleSite) -> None:
    sample_site.writes(PAGES)
    with sample_site.opened() as app:
        source = archived(app, 0)
        sample_site.clock.move(hours=1)
        source.says("a", said("new"))
        with counted() as begun:
            app.publisher.publish()
        assert len(begun) <= 13
        with counted() as begun:
            app.publisher.publish()
        assert len(begun) <= 5, "nothing has changed"
    assert sample_site.titles("category/b.atom")[0] == "Title new"


@pytest.mark.parametrize("at_once", [2, 20])
def test_r31_what_settles_while_files_are_written_is_published_next(
    sample_site: SampleSite, meanwhile: dict[str, Callable[[], object]], monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("aggregator.publish.category_documents.AT_ONCE", at_once)
    sample_site.writes(YAML)
    with sample_site.opened() as app:
        source = archived(app, 4)
        on_page = sample_site.items("category/a/archive/1.json")[0]["title"].removeprefix("Title ")
        sample_site.clock.move(hours=1)
        changed = said(on_page, text="<p>Another text</p>")
        meanwhile["settle"] = lambda: source.says("a", said("new"), changed)
        app.publisher.publish(everything=True)
        assert "Title new" not in sample_site.titles("category/a.atom")
        app.publisher.publish()
        assert sample_site.titles("category/a.atom")[0] == "Title new"
        assert "Another text" in sample_site.items("category/a/archive/1.json")[0]["content_html"]
        before = sample_site.files()
        app.publisher.publish(everything=True)
        assert sample_site.files() == before


def test_documents_read_in_parts_are_the_same(sample_site: SampleSite, monkeypatch: pytest.MonkeyPatch) -> None:
    sample_site.writes(YAML)
    with sample_site.opened() as app:
        archived(app, 5)
        before = sample_site.files()
        monkeypatch.setattr("aggregator.publish.category_documents.AT_ONCE", 2)
        assert not app.publisher.publish(everything=True).failed
        assert sample_site.files() == before


def test_a_stranger_among_many_pages_stops_all_of_the_category(
    sample_site: SampleSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aggregator.publish.category_documents.AT_ONCE", 2)
    sample_site.writes(YAML)
    stranger = sample_site.folder / "public" / "category" / "a" / "archive" / "5.json"
    with sample_site.opened() as app:
        app.publisher.publish()
        stranger.parent.mkdir(parents=True)
        stranger.write_bytes(b"{}")
        source = FakeSource(app)
        source.says("a", *(said(number) for number in range(60)))
        with pytest.raises(StrangerInTheWay):
            app.publisher.publish()
        assert [path.name for path in stranger.parent.iterdir()] == ["5.json"]
        assert sample_site.titles("category/a.atom") == []
        stranger.unlink()
        app.publisher.publish()
        assert len(sample_site.titles("category/a.atom")) == 10
