"""Decisions on new and revised entries, against a real store (T1 to T5, M1, I61, R47)."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from aggregator.app import App
from aggregator.model.entry import Origin
from aggregator.model.event import Code
from aggregator.model.known import EntryState
from tests.fake_source import FakeSource, said
from tests.sample_site import START, SampleSite

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LONG = "<p>" + "A good deal more is said here about the very same thing, word after word after word. " * 6 + "</p>"
FEEDS = """
defaults: {dedupe: exact}
categories: {x: {}, y: {}}
sources:
  - {key: one, url: 'https://one.example/feed', category: x}
  - {key: two, url: 'https://two.example/feed', category: x}
  - {key: high, url: 'https://high.example/feed', category: x, priority: 5}
  - {key: why, url: 'https://why.example/feed', category: y}
  - {key: apart, url: 'https://apart.example/feed', category: x, dedupe: off}
"""


@pytest.fixture
def fake_source(app: App) -> FakeSource:
    return FakeSource(app)


def shown(app: App, slug: str = "x") -> list[tuple[str, str, int]]:
    """Return title, source and number of credits of each publication of the main document."""
    with app.store.read() as tx:
        (row,) = [row for row in tx.categories.rows() if row.slug == slug]
        return [(p.title, p.source, len(p.credits)) for p in tx.documents.publications(row.id, None)]


def test_t1_a_story_keeps_the_id_of_its_founding_entry(fake_source: FakeSource, app: App) -> None:
    fake_source.says("one", said(1, own_id="tag:one.example,2026:1"), said(2, own_id="not an iri"))
    with app.store.read() as tx:
        ids = [p.atom_id for p in tx.documents.publications(1, None)]
    assert ids[0] == "tag:one.example,2026:1"
    assert ids[1].startswith("urn:uuid:")


@pytest.mark.parametrize(
    "own_id",
    [
        pytest.param("tag:one.example:1", id="a-tag-without-a-date"),
        pytest.param("urn:uuid:1", id="a-short-uuid"),
    ],
)
def test_a4_an_id_that_checkers_of_feeds_refuse_is_minted(fake_source: FakeSource, app: App, own_id: str) -> None:
    fake_source.says("one", said(1, own_id=own_id))
    with app.store.read() as tx:
        (publication,) = tx.documents.publications(1, None)
    assert publication.atom_id.startswith("urn:uuid:")


@pytest.mark.parametrize(
    ("ahead", "said_of_it"),
    [
        pytest.param(2 * DAY, START, id="not-believed"),
        pytest.param(HOUR, START + HOUR, id="a-clock-that-is-fast"),
    ],
)
def test_i42_a_source_that_changes_in_days_to_come_is_not_believed(
    fake_source: FakeSource, app: App, ahead: timedelta, said_of_it: datetime
) -> None:
    """Checkers of feeds find a date over a day ahead implausible, in the source of an entry as well."""
    fake_source.says("one", said(1), updated=START + ahead)
    carried = Origin(id="tag:two.example,2020:f", title="Two", updated=START + ahead)
    fake_source.says("two", replace(said(2), origin=carried))
    with app.store.read() as tx:
        publications = tx.documents.publications(1, None)
    assert [p.origin.updated for p in publications] == [said_of_it, said_of_it]


def test_t5_a_copy_joins_and_is_credited(fake_source: FakeSource, app: App) -> None:
    fake_source.says("one", said(1))
    changes = fake_source.says("two", said(1, own_id="other"))
    assert changes.entries.duplicates == 1
    assert shown(app) == [("Title 1", "one", 1)]


def test_t2_two_entries_of_one_source_never_join_by_link(fake_source: FakeSource, app: App) -> None:
    fake_source.says("one", said(1, link="https://news.example/a"))
    fake_source.says(
        "one", said(1, own_id="again", link="https://news.example/a"), said(1, link="https://news.example/a")
    )
    assert len(shown(app)) == 2


def test_t2_a_second_entry_of_the_second_source_does_not_join_either(fake_source: FakeSource, app: App) -> None:
    fake_source.says("one", said(1))
    changes = fake_source.says("two", said(1, own_id="a"), said(1, own_id="b", link="https://other.example/1"))
    assert changes.entries.duplicates == 1
    assert len(shown(app)) == 2


def test_dedupe_off_keeps_a_source_apart(fake_source: FakeSource, app: App) -> None:
    fake_source.says("one", said(1))
    fake_source.says("apart", said(1, own_id="other"))
    fake_source.says("two", said(1, own_id="third"))
    assert sorted(shown(app)) == [("Title 1", "apart", 0), ("Title 1", "one", 1)]


def test_t3_priority_switches_within_the_hour(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    fake_source.says("one", said(1))
    site.clock.move(minutes=59)
    changes = fake_source.says(
        "high", said(1, own_id="other", text="<p>This is what item 1 says at some length, so that</p>")
    )
    assert Code.SWITCH_COPY in {event.code for event in changes.entries.events}
    assert shown(app) == [("Title 1", "high", 1)]


def test_t3_after_an_hour_the_choice_is_fixed(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    fake_source.says("one", said(1))
    site.clock.move(hours=1)
    fake_source.says("high", said(1, own_id="other"))
    assert shown(app) == [("Title 1", "one", 1)]


def test_t2_the_original_is_shown_before_a_mirror(fake_source: FakeSource, app: App) -> None:
    link = "https://two.example/articles/1"
    fake_source.says("one", said(1, link=link, text=LONG))
    fake_source.says("two", said(1, own_id="other", link=link, text=LONG))
    assert shown(app) == [("Title 1", "two", 1)]


def test_t2_the_original_is_told_by_its_domain_whatever_hosts_says(tmp_path: Path) -> None:
    """A rule under hosts: makes a budget of its own, and says nothing about whose articles those are (P60)."""
    site = SampleSite(tmp_path)
    site.writes(FEEDS.replace("two.example/feed", "feeds.two.example/feed"), hosts="hosts: {feeds.two.example: {}}\n")
    link = "https://two.example/articles/1"
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("one", said(1, link=link, text=LONG))
        fake_source.says("two", said(1, own_id="other", link=link, text=LONG))
        assert shown(app) == [("Title 1", "two", 1)]


def test_t2_a_copy_is_never_shown_where_its_source_is_not_published(tmp_path: Path) -> None:
    site = SampleSite(tmp_path)
    high = "{key: why, url: 'https://why.example/feed', category: y, priority: 9, private: true}"
    site.writes(FEEDS.replace("{key: why, url: 'https://why.example/feed', category: y}", high))
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("one", said(1))
        fake_source.says("why", said(1, own_id="other"))
        assert (shown(app, "x"), shown(app, "y")) == ([("Title 1", "one", 1)], [("Title 1", "why", 1)])


def test_n3_a_copy_from_another_category_is_published_there_now(
    fake_source: FakeSource, app: App, site: SampleSite
) -> None:
    fake_source.says("why", said(0))
    fake_source.says("one", said(1))
    site.clock.move(days=1)
    fake_source.says("why", said(1, own_id="other"), said(0))
    with app.store.read() as tx:
        mine, theirs = (tx.documents.publications(row.id, None)[0] for row in tx.categories.rows()[:2])
    assert (mine.atom_id, mine.sort_at) == (theirs.atom_id, START)
    assert theirs.sort_at == START + DAY


def test_a5_a_foreign_id_does_not_become_ours(fake_source: FakeSource, app: App) -> None:
    own_id = "https://one.example/1"
    fake_source.says("one", said(1, own_id=own_id))
    changes = fake_source.says(
        "two", said(2, own_id=own_id, text="<p>Something quite different, under a stolen id, and long enough.</p>")
    )
    assert changes.entries.duplicates == 0
    assert Code.MINT_ID in {event.code for event in changes.entries.events}
    assert len(shown(app)) == 2


def test_t4_undated_revisions_are_published_24_times(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    fake_source.says("one", said(1))
    for number in range(30):
        site.clock.move(hours=1)
        fake_source.says("one", said(1, title=f"Revision {number}"))
    assert shown(app) == [("Revision 23", "one", 0)]


def test_t4_updated_moves_to_the_sources_own_date(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    fake_source.says("one", said(1, published=START - DAY))
    site.clock.move(days=1)
    fake_source.says("one", said(1, title="New", published=START - DAY, updated=START + HOUR))
    with app.store.read() as tx:
        (publication,) = tx.documents.publications(1, None)
    assert publication.updated == START + HOUR
    assert publication.published == START - DAY


def test_i45_published_moves_only_earlier(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    fake_source.says("one", said(1, published=START - DAY))
    fake_source.says("one", said(1, title="a", published=START))
    with app.store.read() as tx:
        assert tx.documents.publications(1, None)[0].published == START - DAY
    fake_source.says("one", said(1, title="b", published=START - 2 * DAY))
    with app.store.read() as tx:
        assert tx.documents.publications(1, None)[0].published == START - 2 * DAY


def test_i61_an_emptied_entry_keeps_its_content(fake_source: FakeSource, app: App) -> None:
    fake_source.says("one", said(1))
    changes = fake_source.says("one", said(1, text=" ").__class__(id="item-1", title="Title 1", link=said(1).link))
    assert Code.KEEP_CONTENT in {event.code for event in changes.entries.events}
    with app.store.read() as tx:
        assert "item 1 says" in tx.documents.publications(1, None)[0].content
    again = fake_source.says("one", said(1, text=" ").__class__(id="item-1", title="Title 1", link=said(1).link))
    assert again.entries.events == ()


def test_r47_a_template_change_moves_no_updated(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    fake_source.says("one", *(said(n) for n in range(12)))
    site.clock.move(days=1)
    fake_source.says(
        "one", *(said(n, text=f"<p>{n} in a new frame, in which everything is said again.</p>") for n in range(12))
    )
    with app.store.read() as tx:
        publications = tx.documents.publications(1, None)
    assert {p.updated for p in publications} == {START}
    assert all("new frame" in p.content for p in publications)


def test_r47_of_a_flood_fifty_are_new_and_the_rest_a_backfill(
    fake_source: FakeSource, app: App, site: SampleSite
) -> None:
    fake_source.says("one", said("first"))
    app.publisher.publish()
    site.clock.move(days=1)
    old = [said(n, published=START - n * DAY) for n in range(1, 251)]
    fake_source.says("one", *old, said("first"))
    app.publisher.publish()
    with app.store.read() as tx:
        main = tx.documents.publications(1, None)
    assert sum(p.sort_at > START for p in main) == 50
    assert len(main) == 51, "the others went to the archive at once (M4)"


def test_i62_what_is_beyond_initial_never_comes_back_as_new(
    fake_source: FakeSource, app: App, site: SampleSite
) -> None:
    entries = [said(n, published=START - n * HOUR) for n in range(60)]
    changes = fake_source.says("one", *entries)
    states = [new.state for new in changes.entries.new]
    assert (states.count(EntryState.PUBLISHED), states.count(EntryState.KNOWN)) == (50, 10)
    assert changes.entries.new_count == 50
    site.clock.move(hours=1)
    assert fake_source.says("one", *reversed(entries)).entries.new == ()


def test_t4_a_dated_revision_is_published_after_any_number_of_undated_ones(fake_source: FakeSource, app: App) -> None:
    fake_source.says("one", said(1, updated=START - DAY))
    for number in range(30):
        fake_source.says("one", said(1, title=f"Revision {number}", updated=START - DAY))
    fake_source.says("one", said(1, title="Dated at last", updated=START))
    assert shown(app) == [("Dated at last", "one", 0)]


def test_i42_a_corrected_future_date_is_taken(fake_source: FakeSource, app: App) -> None:
    fake_source.says("one", said(1, published=START + 900 * DAY))
    fake_source.says("one", said(1, published=START - 9 * DAY))
    with app.store.read() as tx:
        assert tx.documents.publications(1, None)[0].published == START - 9 * DAY


@pytest.mark.parametrize("own_id", ["urn:post:1", "tag:localhost,2005:Post/1"])
def test_unrelated_entries_under_one_careless_id_stay_apart(fake_source: FakeSource, app: App, own_id: str) -> None:
    garden = "<p>In spring the beds are dug over, and the seeds go in before the last of the frost is gone.</p>"
    fake_source.says("one", said(1, own_id=own_id))
    changes = fake_source.says(
        "two", said(2, own_id=own_id, title="Gardening", text=garden, link="https://two.example/garden")
    )
    assert changes.entries.duplicates == 0


def test_s66_a_copied_id_and_title_never_show_another_text(fake_source: FakeSource, app: App) -> None:
    own_id = "tag:bank.example,2026:results"
    fake_source.says("one", said(1, own_id=own_id, title="Bank announces results"))
    pills = "<p>Buy pills, buy pills, buy pills, at the best price anywhere in this world, today and tomorrow.</p>"
    fake_source.says(
        "two", said(1, own_id=own_id, title="Bank announces results", text=pills, link="https://two.example/x")
    )
    with app.store.read() as tx:
        assert all("pills" not in p.content for p in tx.documents.publications(1, None) if p.source == "one")
        assert "item 1 says" in next(p for p in tx.documents.publications(1, None) if p.atom_id == own_id).content


def test_a_key_used_again_after_a_rename_is_a_new_category(site: SampleSite) -> None:
    feeds = "sources: [{{key: one, url: 'https://one.example/', category: {0}}}]\ncategories: {1}\n"
    ids = []
    for key, categories in (("py", "{py: {}}"), ("python", "{python: {was: py}}"), ("py", "{python: {}, py: {}}")):
        site.writes(feeds.format(key, categories))
        with site.opened() as app, app.store.read() as tx:
            ids.append({str(row.key): (row.slug, row.feed_id) for row in tx.categories.rows()})
    assert ids[1]["python"] == ids[0]["py"]
    assert ids[2]["python"] == ids[0]["py"]
    assert ids[2]["py"][0] == "py-2"
    assert ids[2]["py"][1] != ids[0]["py"][1]
