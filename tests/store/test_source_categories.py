"""Edits of the categories of a source: it moves to another category, or enters one more (N1, N2)."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from aggregator.app import App
from aggregator.model.settings import CategoryKey, SourceKey
from tests.fake_source import FakeSource, said
from tests.sample_site import START, SampleSite

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TEXT = "<p>This says something else than before, at some length, so that it is a revision for everyone.</p>"


def feeds(one: str, *, x: str = "{}", y: str = "{}", initial: int = 50) -> str:
    return (
        f"publish: {{entries: 10, archive_page: 10}}\ncategories: {{x: {x}, y: {y}}}\n"
        f"defaults: {{initial: {initial}}}\nsources:\n"
        f"  - {{key: one, url: 'https://one.example/feed', category: {one}}}\n"
        "  - {key: two, url: 'https://two.example/feed', category: y}\n"
    )


@pytest.fixture
def site(tmp_path: Path) -> SampleSite:
    site = SampleSite(tmp_path)
    site.writes(feeds("x"))
    return site


def titles(app: App, slug: str) -> list[str]:
    """Return the titles in a category: those of its main document, then those of its archive pages, newest first."""
    with app.store.read() as tx:
        (row,) = [row for row in tx.categories.rows() if row.slug == slug]
        pages: list[int | None] = [None, *range(row.pages, 0, -1)]
        return [p.title for page in pages for p in tx.documents.publications(row.id, page)]


def test_n2_a_category_gets_the_newest_entries_of_a_source_by_their_own_dates(site: SampleSite) -> None:
    with site.opened() as app:
        FakeSource(app).says("one", *(said(n, published=START - n * DAY) for n in range(5)))
    site.clock.move(days=1)
    site.writes(feeds("[x, y]", initial=3))
    with site.opened() as app:
        assert titles(app, "y") == ["Title 0", "Title 1", "Title 2"]
        assert len(titles(app, "x")) == 5
        with app.store.read() as tx:
            mine, theirs = tx.documents.publications(1, None), tx.documents.publications(2, None)
        assert [p.sort_at for p in theirs] == [START - n * DAY for n in range(3)], "their own dates (M1)"
        assert [p.atom_id for p in theirs] == [p.atom_id for p in mine][:3], "one story, one id (N4)"
        assert [p.updated for p in theirs] == [p.updated for p in mine][:3]
    site.clock.move(days=1)
    with site.opened() as app:
        assert len(titles(app, "y")) == 3, "once"


def test_n1_what_a_source_published_stays_where_it_was(site: SampleSite) -> None:
    with site.opened() as app:
        FakeSource(app).says("one", said(1), said(2))
    site.clock.move(days=1)
    site.writes(feeds("y"))
    with site.opened() as app:
        assert sorted(titles(app, "x")) == sorted(titles(app, "y")) == ["Title 1", "Title 2"]
        FakeSource(app).says("one", said(3), said(1, text=TEXT), said(2))
        assert sorted(titles(app, "x")) == ["Title 1", "Title 2"], "new entries go to the new category alone"
        assert titles(app, "y")[0] == "Title 3"
        with app.store.read() as tx:
            both = [next(p for p in tx.documents.publications(n, None) if p.title == "Title 1") for n in (1, 2)]
        assert all("something else" in p.content for p in both), "revisions still reach it there"


def test_n2_the_rules_of_the_category_hold(site: SampleSite) -> None:
    with site.opened() as app:
        FakeSource(app).says("one", *(said(n, published=START - n * DAY) for n in range(4)))
    site.writes(feeds("[x, y]", y="{exclude: [{title: '[02]$'}]}", initial=1))
    with site.opened() as app:
        assert titles(app, "y") == ["Title 1"]


def test_n2_a_story_that_is_there_already_stays_as_it_stands(site: SampleSite) -> None:
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("two", said(1, own_id="theirs"))
        site.clock.move(hours=2)
        fake_source.says("one", said(1), said(2))
        with app.store.read() as tx:
            before = [p for p in tx.documents.publications(2, None) if p.title == "Title 1"]
    site.clock.move(days=1)
    site.writes(feeds("[x, y]"))
    with site.opened() as app, app.store.read() as tx:
        after = [p for p in tx.documents.publications(2, None) if p.title == "Title 1"]
        assert [(p.source, p.sort_at, p.updated) for p in after] == [(p.source, p.sort_at, p.updated) for p in before]
        assert len(tx.documents.publications(2, None)) == 2


def test_n2_what_was_withdrawn_does_not_come_back_by_another_door(site: SampleSite) -> None:
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("one", said(1), said(2))
        fake_source.says("one", said(2), deleted=(("item-1", START),))
    site.writes(feeds("[x, y]"))
    with site.opened() as app:
        assert titles(app, "y") == ["Title 2"]


def test_n2_a_source_that_was_never_polled_has_nothing_to_give(site: SampleSite) -> None:
    with site.opened():
        pass
    site.writes(feeds("[x, y]"))
    with site.opened() as app:
        assert titles(app, "y") == []
        FakeSource(app).says("one", said(1))
        assert titles(app, "y") == ["Title 1"]


def test_m4_a_backfill_does_not_flood_the_main_document(site: SampleSite) -> None:
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("one", *(said(n, published=START - n * DAY) for n in range(40)))
        fake_source.says("two", *(said(f"t{n}", published=START - n * HOUR) for n in range(12)))
        app.publisher.publish()
    site.clock.move(hours=1)
    site.writes(feeds("[x, y]"))
    with site.opened() as app:
        app.publisher.publish()
        with app.store.read() as tx:
            (row,) = [row for row in tx.categories.rows() if row.slug == "y"]
            main = [p.title for p in tx.documents.publications(row.id, None)]
        assert sum(not title.startswith("Title t") for title in main) == 1, "those newer than the tenth (M9)"
        assert len(titles(app, "y")) == 52


def test_n2_moving_back_fills_the_gap(site: SampleSite) -> None:
    with site.opened() as app:
        FakeSource(app).says("one", said(1))
    site.clock.move(hours=1)
    site.writes(feeds("y"))
    with site.opened() as app:
        FakeSource(app).says("one", said(2), said(1))
    site.clock.move(hours=1)
    site.writes(feeds("x"))
    with site.opened() as app:
        assert sorted(titles(app, "x")) == ["Title 1", "Title 2"]


def would_fill(app: App, category: str, *, key: str = "one", initial: int = 50) -> tuple[int, int]:
    """Return how many publications a source would add to a category, and how many of them to its main document."""
    roster = app.in_force.roster
    was = roster.sources[SourceKey(key)]
    with app.store.read() as tx:
        return tx.source_categories.would_fill(
            was.key, replace(was, initial=initial), roster.categories[CategoryKey(category)], app.clock()
        )


def test_n2_what_a_source_would_bring_into_a_category(site: SampleSite) -> None:
    with site.opened() as app:
        assert would_fill(app, "y") == (0, 0)
        FakeSource(app).says("one", *(said(n, published=START - n * DAY) for n in range(5)))
        assert would_fill(app, "y") == (5, 5), "a category without stories"
        assert would_fill(app, "y", initial=3) == (3, 3)
        assert would_fill(app, "x") == (0, 0), "they are there"
        FakeSource(app).says("two", *(said(f"t{n}", published=START - (2 * n + 1) * DAY / 2) for n in range(10)))
        assert would_fill(app, "y") == (5, 5), "five of the ten that are shown are older than each of these"
    site.writes(
        feeds("x", y="{entries: 10}").replace("two.example/feed', category: y", "two.example/feed', category: x")
    )
    with site.opened() as app:
        old = app.in_force.roster.sources[SourceKey("two")]
        stranger = replace(old, key=SourceKey("stranger"))
        with app.store.read() as tx:
            category = app.in_force.roster.categories[CategoryKey("y")]
            assert tx.source_categories.would_fill(stranger.key, stranger, category, app.clock()) == (0, 0)
            new = replace(category, key=CategoryKey("new"), entries=2)
            assert tx.source_categories.would_fill(old.key, old, new, app.clock()) == (10, 2)


def test_n2_only_the_newest_of_what_would_come_are_shown_at_once(site: SampleSite) -> None:
    with site.opened() as app:
        FakeSource(app).says("one", *(said(n, published=START - n * DAY) for n in range(1, 9)))
        FakeSource(app).says("two", *(said(f"t{n}", published=START - n * HOUR) for n in range(8)))
        assert would_fill(app, "y") == (8, 2)
