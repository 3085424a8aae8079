"""The `updated` of a feed never goes back, in any of its documents (A7, A50; invariant 3)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from lxml import etree

from aggregator.model.correction import Act
from aggregator.model.entry import Entry
from aggregator.poll.maintenance import Maintenance
from tests.fake_source import FakeSource, said
from tests.publish.test_forced import force
from tests.sample_site import ATOM, START, SampleSite
from tests.test_restored_planets import Site
from tests.twin import ask

YAML = """
site: {base_url: 'https://planet.example/'}
publish: {entries: 10, archive_page: 10, formats: [atom, rss, json]}
defaults: {dedupe: exact, initial: 200}
sources:
  - {key: one, url: 'https://one.example/', category: x}
"""
AHEAD = START + timedelta(hours=10)  # of a correction that its source dates later than all the rest


@pytest.fixture
def sample_site(tmp_path: Path) -> SampleSite:
    sample_site = SampleSite(tmp_path)
    sample_site.writes(YAML)
    return sample_site


def older(count: int) -> list[Entry]:
    """Return articles from before the category was made, newest first."""
    return [said(number, published=START - timedelta(days=9 + count - number)) for number in range(count, 0, -1)]


def updated(sample_site: SampleSite) -> dict[str, datetime]:
    """Return the `updated` of each document, by its path."""
    found = {}
    for path in sample_site.files():
        if path.endswith(".atom"):
            said_there = etree.fromstring(sample_site.published(path)).findtext(f"{ATOM}updated")
            found[path] = datetime.fromisoformat(str(said_there))
    return found


def went_back(before: Mapping[str, datetime], after: Mapping[str, datetime]) -> list[str]:
    return [path for path, when in before.items() if after[path] < when]


def numbers(sample_site: SampleSite, page: int | None) -> list[int]:
    """Return the stories of a document of the first category, in order."""
    with sample_site.opened() as app, app.store.read() as tx:
        row = tx.categories.rows()[0]
        return [one.story for one in tx.documents.publications(row.id, page)]


def withdraw(sample_site: SampleSite, story: int) -> None:
    with sample_site.opened() as app:
        ask(app, Act.RETRACT, story=story, undo=False)
        app.publisher.publish()


def test_a7_an_empty_category_that_gets_older_entries(sample_site: SampleSite) -> None:
    with sample_site.opened() as app:
        app.publisher.publish()
        before = updated(sample_site)
        assert set(before) == {"category/x.atom", "all.atom"}
        FakeSource(app).says("one", *older(5))
        app.publisher.publish()
    assert len(sample_site.entries("category/x.atom")) == 5
    assert went_back(before, updated(sample_site)) == []
    assert b"<lastBuildDate>Wed, 04 Mar 2026 12:00:00" in sample_site.published("category/x.rss")
    assert force(sample_site) == []


def test_a7_a_new_category_says_what_its_entries_say(sample_site: SampleSite) -> None:
    with sample_site.opened() as app:
        FakeSource(app).says("one", *older(5))
        app.publisher.publish()
    assert set(updated(sample_site).values()) == {START - timedelta(days=9)}


def test_a7_a_tombstone_that_ends(sample_site: SampleSite) -> None:
    with sample_site.opened() as app:
        FakeSource(app).says("one", *older(5))
        app.publisher.publish()
    sample_site.clock.move(hours=5)
    withdraw(sample_site, numbers(sample_site, None)[2])
    before = updated(sample_site)
    assert before["category/x.atom"] == START + timedelta(hours=5)
    sample_site.clock.move(days=31)
    with sample_site.opened() as app:
        assert Maintenance(app.store, app.clock).end_tombstones() == 1
        app.publisher.publish()
    assert b"deleted-entry" not in sample_site.published("category/x.atom")
    assert went_back(before, updated(sample_site)) == []
    assert force(sample_site) == []


def test_a7_a_story_that_was_corrected_last_leaves_the_main_document(sample_site: SampleSite) -> None:
    articles = older(19)
    with sample_site.opened() as app:
        FakeSource(app).says("one", *articles)
        app.publisher.publish()
        articles[9] = replace(articles[9], title="Corrected", updated=AHEAD)
        sample_site.clock.move(hours=20)
        FakeSource(app).says("one", *articles)
        app.publisher.publish()
        before = updated(sample_site)
        assert before["category/x.atom"] == AHEAD
        news = [said(f"new-{place}", published=START - timedelta(days=90)) for place in range(10)]
        sample_site.clock.move(hours=30)
        FakeSource(app).says("one", *news, *articles)
        app.publisher.publish()
        sample_site.clock.move(hours=30)
        FakeSource(app).says("one", said("last", published=START - timedelta(days=90)), *news, *articles)
        app.publisher.publish()
    assert "Corrected" in sample_site.titles("category/x/archive/2.atom")
    assert went_back(before, updated(sample_site)) == []
    assert force(sample_site) == []


def test_a7_the_newest_story_of_an_archive_page_is_withdrawn(sample_site: SampleSite) -> None:
    with sample_site.opened() as app:
        FakeSource(app).says("one", *older(20))
        app.publisher.publish()
    before = updated(sample_site)
    for story in numbers(sample_site, 1):
        sample_site.clock.move(minutes=1)
        withdraw(sample_site, story)
        assert went_back(before, updated(sample_site)) == []
    assert sample_site.entries("category/x/archive/1.atom") == []
    assert force(sample_site) == []


def test_a7_what_feeds_have_said_outlives_a_restore(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.sample_site.writes(YAML)
    with site.sample_site.opened() as app:
        app.publisher.publish()
    site.goes_through([("poll", "one", older(20), {}), ("publish", None, (), {})])
    withdraw(site.sample_site, numbers(site.sample_site, 1)[0])
    site.sample_site.clock.move(days=31)
    with site.sample_site.opened() as app:
        Maintenance(app.store, app.clock).end_tombstones()
        app.publisher.publish()
    before = updated(site.sample_site)
    changed = site.loses_its_state()
    assert [path for path in changed if path.startswith(("category/", "all."))] == []
    assert updated(site.sample_site) == before
    site.goes_through([("poll", "one", [said(21, published=START - timedelta(days=90)), *older(20)], {})])
    site.goes_through([("publish", None, (), {})])
    assert went_back(before, updated(site.sample_site)) == []
