"""Withdrawals of entries by a source, and entries that only leave its window (I26, T9)."""

from datetime import timedelta

import pytest

from aggregator.app import App
from aggregator.model.changes import Changes
from aggregator.model.event import Code
from aggregator.poll.corrections import run_pending_requests
from tests.fake_source import FakeSource, said
from tests.feed_server import FeedServer, Reply
from tests.sample_site import START, SampleSite

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FEEDS = """
defaults: {dedupe: exact, initial: 200}
categories: {x: {}, y: {}}
sources:
  - {key: one, url: 'https://one.example/feed', category: x}
  - {key: two, url: 'https://two.example/feed', category: [x, y]}
  - {key: high, url: 'https://high.example/feed', category: x, priority: 5}
"""


@pytest.fixture
def fake_source(app: App) -> FakeSource:
    return FakeSource(app)


def codes(changes: Changes) -> list[Code]:
    return [event.code for event in changes.entries.events]


def shown(app: App, number: int = 1) -> list[tuple[str, str, int]]:
    """Return title, source and number of credits of each publication of the main document."""
    with app.store.read() as tx:
        return [(p.title, p.source, len(p.credits)) for p in tx.documents.publications(number, None)]


def test_i26_a_tombstone_withdraws_the_story(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    fake_source.says("one", said(1, own_id="tag:one.example,2026:1"), said(2))
    site.clock.move(hours=1)
    changes = fake_source.says("one", said(2), deleted=(("tag:one.example,2026:1", site.clock()),))
    assert codes(changes) == [Code.WITHDRAW_ENTRY, Code.WITHDRAW_STORY]
    assert shown(app) == [("Title 2", "one", 0)]
    with app.store.read() as tx:
        (tombstone,) = tx.documents.tombstones(1)
    assert (tombstone.ref, tombstone.when) == ("tag:one.example,2026:1", site.clock())
    site.clock.move(hours=1)
    again = fake_source.says("one", said(2), deleted=(("tag:one.example,2026:1", site.clock()),))
    assert again.entries.events == (), "once is enough"


def test_i26_an_entry_that_was_updated_since_stays(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    fake_source.says("one", said(1))
    for when in (START, START + HOUR):
        assert Code.WITHDRAW_ENTRY not in codes(
            fake_source.says("one", said(1, updated=START + HOUR), deleted=(("item-1", when),))
        )
    assert Code.WITHDRAW_ENTRY not in codes(fake_source.says("one", said(1), deleted=(("item-1", None),)))
    assert shown(app) == [("Title 1", "one", 0)]
    site.clock.move(hours=2)
    changes = fake_source.says("one", said(1, updated=START + HOUR), deleted=(("item-1", START + 2 * HOUR),))
    assert codes(changes) == [Code.WITHDRAW_ENTRY, Code.WITHDRAW_STORY]
    assert shown(app) == []


def test_i26_other_sources_entries_are_untouched(fake_source: FakeSource, app: App) -> None:
    fake_source.says("one", said(1, own_id="tag:one.example,2026:1"))
    changes = fake_source.says("two", said(9), deleted=(("tag:one.example,2026:1", START),))
    assert Code.WITHDRAW_ENTRY not in codes(changes)
    assert len(shown(app)) == 2


def test_t9_the_story_stays_while_a_copy_is_left(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    fake_source.says("one", said(1, own_id="tag:one.example,2026:1"))
    site.clock.move(hours=2)
    fake_source.says("two", said(1, own_id="theirs"))
    fake_source.says("high", said(1, own_id="mine"))
    assert shown(app) == [("Title 1", "one", 2)]
    site.clock.move(hours=2)
    changes = fake_source.says("one", deleted=(("tag:one.example,2026:1", site.clock()),))
    assert codes(changes) == [Code.WITHDRAW_ENTRY, Code.SWITCH_COPY]
    assert shown(app) == [("Title 1", "high", 1)], "the better of the two (T2), and no credit for what is gone"
    with app.store.read() as tx:
        (publication,) = tx.documents.publications(1, None)
    assert publication.atom_id == "tag:one.example,2026:1"
    assert publication.sort_at == START
    assert publication.updated == START, "it says the same"


def test_t9_another_text_moves_updated(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    fake_source.says("one", said(1, own_id="tag:one.example,2026:1"))
    text = "<p>This is what item 1 says at some length, so that it can be told from all others.</p><p>And more.</p>"
    site.clock.move(hours=2)
    fake_source.says("two", said(1, own_id="tag:one.example,2026:1", text=text))
    site.clock.move(hours=2)
    fake_source.says("one", deleted=(("tag:one.example,2026:1", site.clock()),))
    with app.store.read() as tx:
        (publication,) = tx.documents.publications(1, None)
    assert (publication.source, publication.updated) == ("two", site.clock())


def test_t9_in_a_category_without_a_copy_it_is_withdrawn(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    fake_source.says("two", said(1))
    fake_source.says("one", said(1, own_id="other"))
    assert (len(shown(app, 1)), len(shown(app, 2))) == (1, 1)
    changes = fake_source.says("two", deleted=(("item-1", site.clock()),))
    assert (shown(app, 1), shown(app, 2)) == ([("Title 1", "one", 0)], [])
    assert len(changes.entries.stories.withdrawn) == 1


def test_a_copy_that_is_not_shown_is_no_credit_any_more(fake_source: FakeSource, app: App) -> None:
    fake_source.says("one", said(1))
    fake_source.says("two", said(1, own_id="other"))
    changes = fake_source.says("two", said(5), deleted=(("other", START),))
    assert (1, None) in changes.entries.stories.dirty
    assert ("Title 1", "one", 0) in shown(app)


def test_what_was_taken_back_stays_so(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    fake_source.says("one", said(1))
    fake_source.says("one", said(2), deleted=(("item-1", START),))
    site.clock.move(hours=1)
    changes = fake_source.says("one", said(1, title="Once more"), said(2))
    assert changes.entries.new == ()
    assert shown(app) == [("Title 2", "one", 0)]


def test_i26_listed_again_with_a_later_date_it_returns_where_it_stood(
    fake_source: FakeSource, app: App, site: SampleSite
) -> None:
    fake_source.says("one", said(1, updated=START), said(2))
    with app.store.read() as tx:
        before = {p.atom_id: p for p in tx.documents.publications(1, None)}
    site.clock.move(hours=1)
    fake_source.says("one", said(2), deleted=(("item-1", START + HOUR),))
    site.clock.move(hours=2)
    stale = fake_source.says("one", said(1, updated=START + HOUR), said(2))
    assert codes(stale) == [], "as old as its tombstone: a copy of the document from before"
    text = "<p>This is what item 1 says now, at some length, after a word was put right in it.</p>"
    changes = fake_source.says("one", said(1, text=text, updated=START + 2 * HOUR), said(2))
    assert codes(changes) == [Code.REVISE_ENTRY, Code.RELIST_ENTRY, Code.RETURN_STORY]
    assert changes.entries.new == ()
    with app.store.read() as tx:
        (back,) = [p for p in tx.documents.publications(1, None) if p.title == "Title 1"]
        assert tx.documents.tombstones(1) == ()
    assert (back.content, back.updated) == (text, site.clock()), "newer than its tombstone (T8)"
    assert back.sort_at == before[back.atom_id].sort_at
    site.clock.move(hours=1)
    once_more = fake_source.says("one", said(1, text=text, updated=START + 2 * HOUR), said(2))
    assert (once_more.entries.events, once_more.entries.relisted) == ((), ())


def test_i26_a_tombstone_that_outlasts_the_return_of_its_entry_withdraws_nothing(
    fake_source: FakeSource, app: App, site: SampleSite
) -> None:
    """The entry comes back unchanged but for its date, leaves the window, and the old tombstone still stands."""
    fake_source.says("one", said(1, updated=START), said(2))
    gone = (("item-1", START + HOUR),)
    site.clock.move(hours=3)
    fake_source.says("one", said(2), deleted=gone)
    fake_source.says("one", said(1, updated=START + 2 * HOUR), said(2), deleted=gone)
    assert len(shown(app)) == 2
    after = fake_source.says("one", said(2), deleted=gone)
    assert (codes(after), len(shown(app))) == ([], 2)
    site.clock.move(hours=1)
    later = fake_source.says("one", said(2), deleted=(("item-1", site.clock()),))
    assert codes(later) == [Code.WITHDRAW_ENTRY, Code.WITHDRAW_STORY]


def test_i26_it_returns_only_past_the_newest_tombstone_and_by_a_date_that_can_be_believed(
    fake_source: FakeSource, app: App, site: SampleSite
) -> None:
    fake_source.says("one", said(1, updated=START), said(2))
    site.clock.move(hours=5)
    fake_source.says("one", said(2), deleted=(("item-1", START + HOUR),))
    again = fake_source.says("one", said(2), deleted=(("item-1", START + 4 * HOUR),))
    assert codes(again) == []
    for updated in (START + 3 * HOUR, START + 4 * HOUR, START + 30 * DAY, None):
        assert codes(fake_source.says("one", said(1, updated=updated), said(2))) == []
    assert Code.RETURN_STORY in codes(fake_source.says("one", said(1, updated=START + 5 * HOUR), said(2)))


def test_i26_a_copy_that_returns_is_credited_beside_the_one_that_stands(
    fake_source: FakeSource, app: App, site: SampleSite
) -> None:
    fake_source.says("one", said(1, own_id="tag:one.example,2026:1", updated=START))
    fake_source.says("high", said(1, own_id="mine"))
    site.clock.move(hours=1)
    fake_source.says("high", said(3), deleted=(("mine", site.clock()),))
    assert ("Title 1", "one", 0) in shown(app)
    site.clock.move(hours=1)
    changes = fake_source.says("high", said(1, own_id="mine", updated=site.clock()), said(3))
    assert codes(changes) == [Code.RELIST_ENTRY]
    assert ("Title 1", "one", 1) in shown(app), "the hour of T3 is over"


def test_i26_what_an_operator_retracted_does_not_return(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    fake_source.says("one", said(1, updated=START), said(2))
    fake_source.says("one", said(2), deleted=(("item-1", START),))
    with app.store.begin() as tx:
        tx.corrections.file("retract", {"story": 2, "undo": False}, site.clock())
        tx.corrections.file("retract", {"story": 1, "undo": False}, site.clock())
    run_pending_requests(app.store, app.in_force.roster, app.clock)
    site.clock.move(hours=1)
    changes = fake_source.says("one", said(1, updated=site.clock()), said(2))
    assert codes(changes) == [Code.RELIST_ENTRY]
    assert shown(app) == []


def test_i26_what_was_never_published_is_not_by_returning(site: SampleSite) -> None:
    site.writes(FEEDS.replace("initial: 200", "initial: 1"))
    old = said(1, published=START - DAY, updated=START - DAY)
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("one", said(2, published=START), old)
        fake_source.says("one", said(2, published=START), deleted=(("item-1", START),))
        site.clock.move(hours=1)
        changes = fake_source.says(
            "one", said(2, published=START), said(1, published=START - DAY, updated=site.clock())
        )
        assert codes(changes) == [Code.RELIST_ENTRY]
        assert [title for title, *_ in shown(app)] == ["Title 2"]


def test_i35_a_tombstone_may_name_another_id_of_it(fake_source: FakeSource, app: App) -> None:
    old = said(1, published=START)
    fake_source.says("one", old)
    fake_source.says("one", said(1, own_id="new-id", published=START))
    fake_source.says("one", deleted=(("new-id", START),))
    assert shown(app) == []


def test_i27_to_leave_the_window_is_no_deletion_and_to_return_no_news(
    fake_source: FakeSource, app: App, site: SampleSite
) -> None:
    fake_source.says("one", said(1), said(2), said(3))
    site.clock.move(days=1)
    gone = fake_source.says("one", said(3))
    assert (gone.entries.stories.withdrawn, gone.entries.events) == ((), ())
    site.clock.move(days=1)
    back = fake_source.says("one", said(1), said(3))
    assert (back.entries.new, back.entries.revised, back.entries.events) == ((), (), ())
    assert {title for title, *_ in shown(app)} == {"Title 1", "Title 2", "Title 3"}


FEED = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:at="http://purl.org/atompub/tombstones/1.0">
<id>urn:feed</id><title>Harbour</title><updated>2026-03-04T12:00:00Z</updated>{0}
<entry><id>urn:two</id><title>Stays</title><updated>2026-03-04T10:00:00Z</updated><content>2</content></entry></feed>"""
ENTRY = (
    "<entry><id>urn:one</id><title>Goes</title><updated>2026-03-04T10:00:00Z</updated><content>One</content></entry>"
)
STONE = '<at:deleted-entry ref="urn:one" when="2026-03-04T11:00:00Z"/>'


def test_i26_from_the_wire_to_the_published_feed(sample_site: SampleSite, publisher: FeedServer) -> None:
    url = publisher.says("/feed", *(Reply(200, FEED.format(part).encode()) for part in (ENTRY, STONE)))
    sample_site.writes(f"sources: ['{url}']")
    assert sample_site.poll()["new"] == 2
    sample_site.clock.move(hours=2)
    report = sample_site.poll()
    assert (report["new"], report["revised"], report["withdrawn"]) == (0, 0, 1)
    assert sample_site.titles() == ["Stays"]
