"""The list of published files."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from aggregator.store.output_list import FORGOTTEN, GONE, Files, Written
from aggregator.store.schema import category, file, store
from aggregator.store.transaction import Transaction
from aggregator.urls import Url
from tests.rows import change, rows
from tests.sample_site import SampleSite

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TOPIC = Url("https://planet.example/category/a.atom")
YAML = "sources: [{key: a, url: 'https://a.example/', category: a}, {key: b, url: 'https://b.example/', category: b}]"


@pytest.fixture
def site(sample_site: SampleSite) -> SampleSite:
    sample_site.writes(YAML)
    return sample_site


@pytest.fixture
def tx(site: SampleSite) -> Iterator[Transaction]:
    with site.opened() as app, app.store.begin() as tx:
        yield tx


@pytest.fixture
def files(tx: Transaction) -> Files:
    files = tx.files
    files.mark_gone(stale=False)
    return files


def written(path: str, digest: str = "1", *, gone: int | None = None, topic: Url | None = None) -> Written:
    return Written(path=path, digest=digest, max_age=60, gone=gone, topic=topic)


def test_files_are_listed_before_they_are_written(files: Files) -> None:
    files.add([], NOON)
    files.add(["b.atom", "a.atom", "b.atom"], NOON)
    files.add(["copy.xml"], NOON, copied=True)
    assert files.listed(["a.atom", "other", "copy.xml"]) == {"a.atom", "copy.xml"}
    assert files.copies() == {"copy.xml"}
    assert files.digests() == {"a.atom": None, "b.atom": None, "copy.xml": None}
    assert files.oldest() is None
    files.note_written([written("b.atom", "x")], NOON)
    assert files.digests() == {"a.atom": None, "b.atom": "x", "copy.xml": None}
    assert (files.written_at("a.atom"), files.written_at("b.atom")) == (None, NOON)
    assert files.max_ages() == {"a.atom": 0, "b.atom": 60, "copy.xml": 0}


def test_the_oldest_is_no_copy_and_no_page_of_a_story(files: Files) -> None:
    paths = ["b.atom", "a.atom", "entry/ab/1.html", "copy.xml"]
    files.add(paths[:3], NOON)
    files.add(paths[3:], NOON, copied=True)
    files.note_written([replace(written("copy.xml"), copied=True), written("entry/ab/1.html")], NOON)
    assert files.oldest() is None
    files.note_written([written("b.atom")], NOON + HOUR)
    files.note_written([written("a.atom")], NOON + 2 * HOUR)
    assert files.oldest() == "b.atom"
    files.note_written([written("b.atom")], NOON + 2 * HOUR)
    assert files.oldest() == "a.atom"


def test_digests_page_by_page_with_and_without_stories(files: Files) -> None:
    files.add(["a.atom", "entry/ab/1.html", "entry0", "z.atom"], NOON)
    assert list(files.digests(limit=2)) == ["a.atom", "entry/ab/1.html"]
    assert list(files.digests(after="entry/ab/1.html", limit=5)) == ["entry0", "z.atom"]
    assert list(files.digests(stories=False)) == ["a.atom", "entry0", "z.atom"]
    assert list(files.max_ages()) == ["a.atom", "entry0", "z.atom"]


def test_what_is_gone_or_back_makes_gone_txt_stale(files: Files) -> None:
    files.add(["entry/ab/1.html", "entry/ab/2.html"], NOON)
    files.note_written([written("entry/ab/1.html")], NOON)
    assert not files.is_gone_stale()
    files.note_written([written("entry/ab/1.html", gone=GONE)], NOON)
    assert files.is_gone_stale()
    assert files.gone() == {"entry/ab/1.html": GONE}
    assert files.are_gone(["entry/ab/1.html", "entry/ab/2.html"]) == {"entry/ab/1.html"}
    files.mark_gone(stale=False)
    files.note_written([written("entry/ab/1.html", gone=GONE)], NOON)
    assert not files.is_gone_stale()
    files.note_written([written("entry/ab/1.html")], NOON)
    assert files.is_gone_stale()
    assert files.gone() == {}


def test_files_that_are_gone_may_be_listed_as_such_and_unlisted(files: Files) -> None:
    files.add(["entry/ab/1.html", "a.atom"], NOON, gone={"entry/ab/1.html": GONE})
    assert files.gone() == {"entry/ab/1.html": GONE}
    files.unlist(["a.atom"])
    assert not files.is_gone_stale()
    files.unlist(["entry/ab/1.html"])
    assert files.is_gone_stale()
    assert files.digests() == {}
    files.unlist([])


def test_a86_the_hub_is_owed_what_has_changed(tx: Transaction, files: Files) -> None:
    files.add(["category/a.atom", "b.atom"], NOON)
    files.note_written([written("category/a.atom", "1", topic=TOPIC), written("b.atom", "1")], NOON)
    ping = tx.hub_pings.next(NOON)
    assert ping is not None
    assert (ping.topic, ping.digest) == (TOPIC, "1")
    tx.hub_pings.note_told(ping, NOON, due_at=NOON)
    files.note_written([written("category/a.atom", "1", topic=TOPIC)], NOON + HOUR)
    assert tx.hub_pings.next(NOON + HOUR) is None
    files.note_written([written("category/a.atom", "2", topic=TOPIC)], NOON + HOUR)
    again = tx.hub_pings.next(NOON + HOUR)
    assert again is not None
    assert again.digest == "2"


PATHS = ("category/a.atom", "category/a/archive/1.atom", "category/a0.atom", "category/ab.atom", "category/b.atom")


def test_a44_files_of_a_removed_category_are_gone_and_forgotten_in_the_end(site: SampleSite) -> None:
    with site.opened() as app:
        with app.store.begin() as tx:
            tx.files.add(PATHS, NOON)
            tx.files.mark_gone(stale=False)
            tx.files.sync_gone()
            assert (tx.files.gone(), tx.files.is_gone_stale()) == ({}, False)
        of_a = category.c.slug == "a"
        change(app.store, category.update().where(of_a).values(active=False, removed_at=NOON))
        with app.store.begin() as tx:
            tx.files.sync_gone()
            assert tx.files.gone() == {"category/a.atom": GONE, "category/a/archive/1.atom": GONE}
            assert tx.files.is_gone_stale()
            tx.files.mark_gone(stale=False)
            assert tx.files.forget_removed(before=NOON) == 0
            assert not tx.files.is_gone_stale()
            assert tx.files.forget_removed(before=NOON + HOUR) == 1
            assert tx.files.gone() == {"category/a.atom": FORGOTTEN, "category/a/archive/1.atom": FORGOTTEN}
            assert tx.files.is_gone_stale()
            assert tx.files.forget_removed(before=NOON + HOUR) == 0
            tx.files.sync_gone()
            assert set(tx.files.gone().values()) == {FORGOTTEN}
        change(app.store, category.update().where(of_a).values(active=True, removed_at=None))
        with app.store.begin() as tx:
            tx.files.sync_gone()
            assert tx.files.gone() == {}


def test_a44_of_an_unlisted_category_nothing_is_told(site: SampleSite) -> None:
    with site.opened() as app:
        with app.store.begin() as tx:
            tx.files.add(PATHS, NOON)
        gone = {"active": False, "removed_at": NOON, "unlisted": True}
        change(app.store, category.update().where(category.c.slug == "a").values(**gone))
        with app.store.begin() as tx:
            tx.files.sync_gone()
            assert tx.files.gone() == {}


def test_in_another_folder_only_what_is_kept_is_ours_and_all_is_rendered(site: SampleSite) -> None:
    with site.opened() as app:
        change(app.store, category.update().values(look="x"))
        change(
            app.store, store.update().values(look="x", stories_look="x", posts_look="x", gone_stale=False, adopts=True)
        )
        with app.store.begin() as tx:
            tx.files.add(["a.atom", "b.atom"], NOON)
            tx.files.adopt_folder("/srv/www", ["b.atom"])
            assert tx.files.folder() == "/srv/www"
            assert tx.files.is_adopting()
            tx.files.end_adoption()
            assert not tx.files.is_adopting()
        assert [row.path for row in rows(app.store, select(file.c.path))] == ["b.atom"]
        (row,) = rows(app.store, select(store.c.look, store.c.stories_look, store.c.posts_look, store.c.gone_stale))
        assert tuple(row) == (None, None, None, True)
        assert {row.look for row in rows(app.store, select(category.c.look))} == {None}
