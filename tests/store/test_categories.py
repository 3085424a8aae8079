"""Rows of categories: what they are called, which are in use, and what their files show."""

from datetime import timedelta

from aggregator.app import App
from aggregator.config import load_config
from aggregator.store.categories import is_backfill
from tests.fake_source import FakeSource, said
from tests.rows import rows
from tests.sample_site import SampleSite

FEEDS = """
categories: {one: {title: One}, two: {}, hidden: {unlisted: true}}
sources:
  - {key: a, url: 'https://a.example/', category: one}
  - {key: b, url: 'https://b.example/', category: two}
  - {key: c, url: 'https://c.example/', category: hidden}
"""


def apply(site: SampleSite, app: App, *changes: tuple[str, str]) -> None:
    """Edit feeds.yaml and apply it."""
    yaml = FEEDS
    for old, new in changes:
        yaml = yaml.replace(old, new)
    site.writes(yaml)
    path = site.folder / "feeds.yaml"
    app.apply(load_config(path, {}), path.read_text(encoding="utf-8"))


def test_those_in_use_stand_in_the_order_of_their_creation(site: SampleSite, app: App) -> None:
    with app.store.read() as tx:
        assert [(row.key, row.slug) for row in tx.categories.rows()] == [(key, key) for key in ("one", "two", "hidden")]
        assert tx.categories.unlisted() == {"hidden"}
        assert tx.categories.resting() == []


def test_a_removed_one_rests_and_keeps_its_name_for_its_return(site: SampleSite, app: App) -> None:
    apply(site, app, ("hidden: {unlisted: true}", "three: {}"), ("category: hidden", "category: three"))
    with app.store.read() as tx:
        assert [row.key for row in tx.categories.rows()] == ["one", "two", "three"]
        (resting,) = tx.categories.resting()
        assert (resting.key, resting.slug) == ("hidden", "hidden")
        assert tx.categories.unlisted() == {"hidden"}, "its old pages stay unlisted"
    apply(site, app)
    with app.store.read() as tx:
        assert [row.key for row in tx.categories.rows()] == ["one", "two", "hidden"]


def test_one_under_a_new_key_is_found_by_its_old_one(site: SampleSite, app: App) -> None:
    site.writes(FEEDS.replace("one: {title: One}", "first: {was: [one]}").replace("category: one", "category: first"))
    wanted = load_config(site.folder / "feeds.yaml", {}).categories
    with app.store.read() as tx:
        found = tx.categories.former(list(wanted))
        assert {key: (one.key, one.slug) for key, one in found.items()} == {
            "first": ("one", "one"),
            "two": ("two", "two"),
            "hidden": ("hidden", "hidden"),
        }


def test_filing_moves_stories_to_pages_that_must_be_rendered(site: SampleSite, app: App) -> None:
    FakeSource(app).says("a", said(1), said(2))
    with app.store.begin() as tx:
        before = tx.categories.rows()[0]
        tx.categories.file(before.id, {1: [1]}, app.clock(), has_news=True)
        after = tx.categories.rows()[0]
    assert (after.pages, after.dirty_pages) == (1, (1,))
    assert after.dirty == after.news == before.dirty + 1
    assert rows(app.store, "SELECT story_id, page FROM publication ORDER BY story_id") == [(1, 1), (2, None)]


def test_what_is_offered_is_never_older_than_what_came_in(site: SampleSite, app: App) -> None:
    FakeSource(app).says("a", said(1))
    with app.store.begin() as tx:
        tx.categories.offer(1, app.clock() - timedelta(days=1))
        tx.categories.offer(2, app.clock() - timedelta(days=1))
    query = "SELECT (SELECT max(entered_at) FROM publication) - offered_at FROM category WHERE id < 3 ORDER BY id"
    assert [ago // 1_000_000 for (ago,) in rows(app.store, query)] == [0, 86400]


def test_the_site_is_clean_once_it_was_rendered(site: SampleSite, app: App) -> None:
    with app.store.begin() as tx:
        row = tx.categories.site()
        assert row.dirty != row.rendered
        tx.categories.mark_site_rendered(row, "look")
        row = tx.categories.site()
    assert (row.rendered, row.look) == (row.dirty, "look")


def test_no_publications_are_no_backfill() -> None:
    assert not is_backfill([])
