"""Decisions on what came first after the clock was set back: the order in the store counts (M7, T4, T6)."""

from datetime import datetime, timedelta

import pytest

from aggregator.app import App
from aggregator.model.entry import Entry
from tests.fake_source import FakeSource, said
from tests.sample_site import ATOM, SampleSite
from tests.twin import ask

FEEDS = """
site: {base_url: 'https://planet.example/'}
publish: {entries: 10, archive_page: 10, formats: [atom, json]}
defaults: {dedupe: exact, initial: 200}
categories: {x: {}, y: {}}
sources:
  - {key: one, url: 'https://one.example/feed', category: x}
  - {key: two, url: 'https://two.example/feed', category: y}
  - {key: three, url: 'https://three.example/feed', category: y}
"""
PAGE = "category/x/archive/1.atom"


def file_a_page(site: SampleSite, app: App) -> bytes:
    """Publish twenty articles of `one`; return the archive page that ten of them are on."""
    FakeSource(app).says("one", *(said(number) for number in range(20, 0, -1)))
    app.publisher.publish()
    return site.published(PAGE)


def on_page(site: SampleSite) -> list[int]:
    """Return the numbers of the articles on the page."""
    return [int(str(entry.findtext(f"{ATOM}title")).removeprefix("Title ")) for entry in site.entries(PAGE)]


def copy_of(number: int, link: str) -> Entry:
    """Return an article of another source that says the same."""
    return said(link, title=f"Title {number}", text=said(number).content, link=link)


def updated_of(site: SampleSite, title: str) -> datetime:
    (entry,) = (e for e in site.entries("category/x.atom") if e.findtext(f"{ATOM}title") == title)
    return datetime.fromisoformat(str(entry.findtext(f"{ATOM}updated")))


def test_a_late_copy_is_not_credited_on_a_closed_page(site: SampleSite, app: App) -> None:
    page = file_a_page(site, app)
    number = on_page(site)[0]
    site.clock.move(hours=-5)
    FakeSource(app).says("two", copy_of(number, "https://two.example/a"))
    app.publisher.publish(everything=True)
    assert [str(e.findtext(f"{ATOM}title")) for e in site.entries("category/y.atom")] == [f"Title {number}"]
    assert site.published(PAGE) == page


def test_a_copy_that_came_before_the_page_was_filed_is_credited_on_it(site: SampleSite, app: App) -> None:
    fake_source = FakeSource(app)
    fake_source.says("one", *(said(number) for number in range(20, 0, -1)))
    fake_source.says("two", copy_of(1, "https://two.example/a"))
    site.clock.move(hours=-5)
    app.publisher.publish()
    assert b"https://two.example/a" in site.published(PAGE)


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_merge_adds_no_credit_to_a_closed_page(site: SampleSite, app: App, hours: int) -> None:
    page = file_a_page(site, app)
    kept = 21 - on_page(site)[0]  # the newest article founded the first story
    FakeSource(app).says("two", said("other"))
    site.clock.move(hours=hours)
    ask(app, "merge", story=kept, other=21)
    app.publisher.publish(everything=True)
    assert site.titles("category/y.atom") == ["Title other"]
    assert site.published(PAGE) == page


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_revived_story_has_the_credits_on_its_page_that_it_had(site: SampleSite, app: App, hours: int) -> None:
    fake_source = FakeSource(app)
    articles = [said(number) for number in range(20, 0, -1)]
    fake_source.says("one", *articles)
    fake_source.says("two", copy_of(1, "https://two.example/before"))
    app.publisher.publish()
    site.clock.move(hours=hours)
    fake_source.says("three", copy_of(1, "https://three.example/after"))
    credited = site.published(PAGE)
    assert b"two.example/before" in credited
    assert b"three.example/after" not in credited
    site.clock.move(minutes=5)
    ask(app, "merge", story=1, other=20)
    site.clock.move(minutes=5)
    ask(app, "unmerge", story=1, entry=None)
    app.publisher.publish()
    after = site.published(PAGE)
    assert b"two.example/before" in after
    assert b"three.example/after" not in after


@pytest.mark.parametrize("hours", [-5, 0], ids=["set-back", "standing-still"])
def test_a_revision_moves_updated(site: SampleSite, app: App, hours: int) -> None:
    fake_source = FakeSource(app)
    fake_source.says("one", said(1))
    app.publisher.publish()
    before = updated_of(site, "Title 1")
    site.clock.move(hours=hours)
    for text in ("once more", "and again"):
        fake_source.says(
            "one", said(1, text=f"<p>It is told {text}, at such length that all can tell it from the others.</p>")
        )
        app.publisher.publish()
        assert updated_of(site, "Title 1") == before + timedelta(seconds=1)
        before = updated_of(site, "Title 1")


def test_two_stories_that_readers_have_seen_stay_two(site: SampleSite, app: App) -> None:
    fake_source = FakeSource(app)
    fake_source.says("one", said(1))
    fake_source.says("two", said(2))
    site.clock.move(hours=-5)
    app.publisher.publish()  # readers see both, at a time before they entered
    site.clock.move(minutes=5)
    fake_source.says("two", said(2, title="Title 1", text=said(1).content))
    fake_source.says("three", said(3, title="Title 1", text=said(1).content))
    app.publisher.publish()
    assert site.titles("category/x.atom") == ["Title 1"]
    assert sorted(site.titles("category/y.atom")) == ["Title 1", "Title 1"]
