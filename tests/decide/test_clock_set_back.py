"""What came first is told by the store, whatever the machine's clock says: it may have been set back (M7, T4, T6)."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from aggregator.app import App
from aggregator.model.entry import Entry
from tests.desk import FakeSource, said
from tests.newsroom import ATOM, SampleSite
from tests.twin import ask

YAML = """
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


@pytest.fixture
def room(tmp_path: Path) -> SampleSite:
    room = SampleSite(tmp_path)
    room.writes(YAML)
    return room


def file_a_page(room: SampleSite, app: App) -> bytes:
    """Publish twenty articles of `one`; return the archive page that ten of them are on."""
    FakeSource(app).says("one", *(said(number) for number in range(20, 0, -1)))
    app.publish()
    return room.published(PAGE)


def on_page(room: SampleSite) -> list[int]:
    """Return the numbers of the articles on the page."""
    return [int(str(entry.findtext(f"{ATOM}title")).removeprefix("Title ")) for entry in room.entries(PAGE)]


def copy_of(number: int, link: str) -> Entry:
    """Return an article of another source that says the same."""
    return said(link, title=f"Title {number}", text=said(number).content, link=link)


def updated_of(room: SampleSite, title: str) -> datetime:
    (entry,) = (e for e in room.entries("category/x.atom") if e.findtext(f"{ATOM}title") == title)
    return datetime.fromisoformat(str(entry.findtext(f"{ATOM}updated")))


def test_a_late_copy_is_not_credited_on_a_closed_page(room: SampleSite, app: App) -> None:
    page = file_a_page(room, app)
    number = on_page(room)[0]
    room.clock.move(hours=-5)
    FakeSource(app).says("two", copy_of(number, "https://two.example/a"))
    app.publish(everything=True)
    assert [str(e.findtext(f"{ATOM}title")) for e in room.entries("category/y.atom")] == [f"Title {number}"]
    assert room.published(PAGE) == page


def test_a_copy_that_came_before_the_page_was_filed_is_credited_on_it(room: SampleSite, app: App) -> None:
    desk = FakeSource(app)
    desk.says("one", *(said(number) for number in range(20, 0, -1)))
    desk.says("two", copy_of(1, "https://two.example/a"))
    room.clock.move(hours=-5)
    app.publish()
    assert b"https://two.example/a" in room.published(PAGE)


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_merge_adds_no_credit_to_a_closed_page(room: SampleSite, app: App, hours: int) -> None:
    page = file_a_page(room, app)
    kept = 21 - on_page(room)[0]  # the newest article founded the first story
    FakeSource(app).says("two", said("other"))
    room.clock.move(hours=hours)
    ask(app, "merge", story=kept, other=21)
    app.publish(everything=True)
    assert room.titles("category/y.atom") == ["Title other"]
    assert room.published(PAGE) == page


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_revived_story_has_the_credits_on_its_page_that_it_had(room: SampleSite, app: App, hours: int) -> None:
    desk = FakeSource(app)
    articles = [said(number) for number in range(20, 0, -1)]
    desk.says("one", *articles)
    desk.says("two", copy_of(1, "https://two.example/before"))
    app.publish()
    room.clock.move(hours=hours)
    desk.says("three", copy_of(1, "https://three.example/after"))
    credited = room.published(PAGE)
    assert b"two.example/before" in credited
    assert b"three.example/after" not in credited
    room.clock.move(minutes=5)
    ask(app, "merge", story=1, other=20)
    room.clock.move(minutes=5)
    ask(app, "unmerge", story=1, entry=None)
    app.publish()
    after = room.published(PAGE)
    assert b"two.example/before" in after
    assert b"three.example/after" not in after


@pytest.mark.parametrize("hours", [-5, 0], ids=["set-back", "standing-still"])
def test_a_revision_moves_updated(room: SampleSite, app: App, hours: int) -> None:
    desk = FakeSource(app)
    desk.says("one", said(1))
    app.publish()
    before = updated_of(room, "Title 1")
    room.clock.move(hours=hours)
    for text in ("once more", "and again"):
        desk.says(
            "one", said(1, text=f"<p>It is told {text}, at such length that all can tell it from the others.</p>")
        )
        app.publish()
        assert updated_of(room, "Title 1") == before + timedelta(seconds=1)
        before = updated_of(room, "Title 1")


def test_two_stories_that_readers_have_seen_stay_two(room: SampleSite, app: App) -> None:
    desk = FakeSource(app)
    desk.says("one", said(1))
    desk.says("two", said(2))
    room.clock.move(hours=-5)
    app.publish()  # readers see both, at a time before they entered
    room.clock.move(minutes=5)
    desk.says("two", said(2, title="Title 1", text=said(1).content))
    desk.says("three", said(3, title="Title 1", text=said(1).content))
    app.publish()
    assert room.titles("category/x.atom") == ["Title 1"]
    assert sorted(room.titles("category/y.atom")) == ["Title 1", "Title 1"]
