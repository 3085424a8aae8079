"""One story, once, where its rules meet: tombstones, corrections, edits of feeds.yaml, changed ids, held sources."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from aggregator.app import App
from aggregator.model.correction import Outcome
from aggregator.model.event import Code
from aggregator.model.settings import SourceKey
from aggregator.model.story import Publication
from aggregator.poll.corrections import run_pending_requests
from aggregator.urls import normalise_link
from tests.fake_source import FakeSource, said
from tests.sample_site import START, SampleSite

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TEXT = "<p>This is what item 1 says at some length, so that it can be told from all others.</p>"
MORE = TEXT + "<p>And somebody has added more to it since, so that it is a revision.</p>"
OURS = {"id": "tag:one.example,2026:feed", "title": "Harbour news", "link": normalise_link("https://one.example/")}
THEIRS = {"id": "tag:casino.example,2026:feed", "title": "Casino", "link": normalise_link("https://casino.example/")}


def feeds(*, one: str = "x", two: str = "[x, y]", initial: int = 200) -> str:
    return f"""
publish: {{entries: 10, archive_page: 10, formats: [atom, json]}}
defaults: {{dedupe: exact, initial: {initial}}}
categories: {{x: {{}}, y: {{}}}}
sources:
  - {{key: one, url: 'https://one.example/feed', category: {one}}}
  - {{key: two, url: 'https://two.example/feed', category: {two}}}
"""


@pytest.fixture
def site(tmp_path: Path) -> SampleSite:
    site = SampleSite(tmp_path)
    site.writes(feeds())
    return site


@pytest.fixture
def fake_source(app: App) -> FakeSource:
    return FakeSource(app)


def publications(app: App, number: int) -> tuple[Publication, ...]:
    with app.store.read() as tx:
        return tx.documents.publications(number, None)


def shown(app: App, number: int = 1) -> list[tuple[str, str]]:
    """Return title and source of each publication in a category."""
    return [(p.title, p.source) for p in publications(app, number)]


def ask(app: App, command: str, **arguments: object) -> Outcome:
    with app.store.begin() as tx:
        number = tx.corrections.file(command, arguments, app.clock())
    run_pending_requests(app.store, app.in_force.roster, app.clock)
    with app.store.read() as tx:
        outcome = tx.corrections.outcome(number)
    assert outcome is not None
    return outcome


def story_of(app: App, entry: int) -> int:
    with app.store.read() as tx:
        found = tx.finding.entry(entry)
    assert found is not None
    assert found.story is not None
    return found.story


def graves(app: App, number: int) -> Sequence[str]:
    with app.store.read() as tx:
        return [tombstone.ref for tombstone in tx.documents.tombstones(number)]


def test_n3_a_withdrawn_publication_returns_with_the_next_copy(tmp_path: Path) -> None:
    site = SampleSite(tmp_path)
    site.writes(feeds() + "  - {key: three, url: 'https://three.example/feed', category: y}\n")
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("two", said(1))
        fake_source.says("one", said(1, own_id="ours"))
        (before,) = publications(app, 2)
        site.clock.move(hours=2)
        fake_source.says("two", said(5), deleted=(("item-1", site.clock()),))
        assert shown(app, 2) == [("Title 5", "two")]
        site.clock.move(hours=2)
        changes = fake_source.says("three", said(1, own_id="theirs"))
        assert Code.RETURN_STORY in [event.code for event in changes.entries.events]
        (after,) = [p for p in publications(app, 2) if p.title == "Title 1"]
        assert (after.source, after.atom_id, after.sort_at) == ("three", before.atom_id, before.sort_at)
        assert after.updated == site.clock(), "newer than its tombstone (T8)"
        assert graves(app, 2) == []


def test_i26_what_is_taken_back_stays_so_though_the_document_lists_it_under_another_id(
    fake_source: FakeSource, app: App, site: SampleSite
) -> None:
    fake_source.says("one", said(1, published=START))
    fake_source.says("one", said(1, own_id="new-id", published=START))
    site.clock.move(hours=2)
    fake_source.says("one", said(1, text=MORE, published=START), deleted=(("new-id", site.clock()),))
    assert shown(app) == []
    assert len(graves(app, 1)) == 1


def test_i26_named_under_two_ids_it_is_taken_back_once(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    fake_source.says("one", said(1, published=START))
    fake_source.says("one", said(1, own_id="new-id", published=START))
    changes = fake_source.says("one", said(2), deleted=(("new-id", site.clock()), ("item-1", site.clock())))
    assert len(changes.entries.stories.withdrawn) == len(changes.entries.taken_back) == 1


def test_t4_a_copy_that_takes_over_and_is_revised_in_one_document_moves_updated(
    fake_source: FakeSource, app: App, site: SampleSite
) -> None:
    fake_source.says("one", said(1), said(2))
    assert ask(app, "merge", story=story_of(app, 1), other=story_of(app, 2)).done
    site.clock.move(hours=2)
    fake_source.says("one", said(2, text=MORE), deleted=(("item-1", site.clock()),))
    (after,) = publications(app, 1)
    assert (after.title, after.updated) == ("Title 2", site.clock())
    assert "added more" in after.content
    site.clock.move(hours=2)
    fake_source.says("one", said(2))
    (again,) = publications(app, 1)
    assert again.content != after.content
    assert again.updated == site.clock(), "it reads as before it took over, which nobody has seen here"


def test_n2_an_entry_of_the_far_future_counts_with_the_time_at_which_it_came(tmp_path: Path) -> None:
    site = SampleSite(tmp_path)
    site.writes(feeds(one="x"))
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("one", said(1, published=START + 300 * DAY))
        site.clock.move(days=5)
        fake_source.says("one", said(2, published=START + 4 * DAY), said(1, published=START + 300 * DAY))
    site.writes(feeds(one="[x, y]"))
    with site.opened() as app:
        assert [(p.title, p.sort_at) for p in publications(app, 2)] == [
            ("Title 2", START + 4 * DAY),
            ("Title 1", START),
        ]


def test_t4_what_is_listed_again_enters_a_category_with_its_new_date(tmp_path: Path) -> None:
    site = SampleSite(tmp_path)
    site.writes(feeds(one="x"))
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("one", said(1, published=START - DAY))
        fake_source.says("one", said(2), deleted=(("item-1", START),))
    site.writes(feeds(one="[x, y]"))
    with site.opened() as app:
        FakeSource(app).says("one", said(2), said(1, published=START - DAY, updated=START + HOUR))
        assert [p.updated for p in publications(app, 2) if p.title == "Title 1"] == [START + HOUR]


def test_r44_what_is_taken_back_is_not_released(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    fake_source.says("one", said(1), **OURS)
    site.clock.move(days=1)
    fake_source.says("one", said("c1"), said("c2"), **THEIRS)
    site.clock.move(days=2, hours=1)
    fake_source.says("one", said("c2"), deleted=(("item-c1", site.clock()),), **THEIRS)
    assert {title for title, _ in shown(app)} == {"Title 1", "Title c2"}


def test_n2_a_retracted_story_enters_no_category(site: SampleSite) -> None:
    with site.opened() as app:
        FakeSource(app).says("one", said(1, published=START), said(2, published=START - DAY))
        assert ask(app, "retract", story=story_of(app, 1)).done
        gone = shown(app)
    site.writes(feeds(one="[x, y]", initial=1))
    with site.opened() as app:
        assert shown(app, 2) == gone, "the newest that can be seen"
        site.clock.move(hours=1)
        assert ask(app, "retract", story=story_of(app, 1), undo=True).done
        assert len(shown(app, 1)) == 2
        (newest, _) = publications(app, 2)
        assert (newest.title, newest.sort_at) == ("Title 1", site.clock()), "where it would stand, new there (N3)"


def test_n2_what_its_source_took_back_enters_once_it_is_listed_again(site: SampleSite) -> None:
    with site.opened() as app:
        FakeSource(app).says("one", said(1, updated=START), said(2))
        site.clock.move(hours=1)
        FakeSource(app).says("one", said(2), deleted=(("item-1", site.clock()),))
    site.writes(feeds(one="[x, y]"))
    with site.opened() as app:
        assert shown(app, 2) == [("Title 2", "one")]
        site.clock.move(hours=1)
        FakeSource(app).says("one", said(1, updated=site.clock()), said(2))
        assert sorted(shown(app, 2)) == sorted(shown(app, 1)) == [("Title 1", "one"), ("Title 2", "one")]


def test_n2_older_ones_that_nobody_sees_stay_out_like_any_other(site: SampleSite) -> None:
    with site.opened() as app:
        FakeSource(app).says("one", *(said(n, published=START - n * DAY) for n in (1, 2, 3)))
        assert ask(app, "retract", story=story_of(app, 3)).done
    site.writes(feeds(one="[x, y]", initial=2))
    with site.opened() as app:
        assert len(shown(app, 2)) == 2
        assert ask(app, "retract", story=story_of(app, 3), undo=True).done
        assert (len(shown(app, 1)), len(shown(app, 2))) == (3, 2)


def test_n2_a_story_that_was_withdrawn_there_returns_with_the_source_that_enters(site: SampleSite) -> None:
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("two", said(1))
        fake_source.says("one", said(1, own_id="ours"))
        site.clock.move(hours=2)
        fake_source.says("two", said(5), deleted=(("item-1", site.clock()),))
        assert shown(app, 2) == [("Title 5", "two")]
    site.clock.move(hours=2)
    site.writes(feeds(one="[x, y]"))
    with site.opened() as app:
        assert sorted(shown(app, 2)) == [("Title 1", "one"), ("Title 5", "two")]
        assert graves(app, 2) == []
        with app.store.read() as tx:
            (step,) = tx.trail.source_steps(SourceKey("one"), [Code.FILL_CATEGORY], 5)
        assert step.facts == {"category": 2, "entries": 0}, "it had them all"


def test_t8_an_entry_whose_minted_id_is_taken_can_leave(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    """Its key named another article before (I35), whose story has the id that would be minted from it."""
    text = "<p>The ferry to the outer islands will run twice a day again from Monday, the harbour office said.</p>"
    fake_source.says("one", said(1, own_id="plain-1", link="https://one.example/first", published=START))
    fake_source.says("two", said(9, text=text, own_id="other"))
    site.clock.move(days=1)
    ferry = said(9, text=text, own_id="plain-1", link="https://one.example/ferry", published=START + DAY)
    (new,) = fake_source.says("one", ferry).entries.new
    assert story_of(app, new.id) == story_of(app, 2), "a copy of what two told"
    outcome = ask(app, "unmerge", story=story_of(app, 2), entry=new.id)
    assert outcome.done, outcome.said
    assert sorted(title for title, _ in shown(app)) == ["Title 1", "Title 9", "Title 9"]


def test_i61_an_emptied_entry_that_was_retracted_meanwhile_changes_nothing_when_it_is_filled_again(
    fake_source: FakeSource, app: App, site: SampleSite
) -> None:
    full = said(1, text=TEXT)
    fake_source.says("one", full)
    site.clock.move(hours=1)
    fake_source.says("one", replace(full, content="", text=""))
    story = story_of(app, 1)
    assert ask(app, "retract", story=story).done
    assert ask(app, "retract", story=story, undo=True).done
    (before,) = publications(app, 1)
    assert before.content == TEXT
    site.clock.move(hours=1)
    changes = fake_source.says("one", full)
    assert changes.entries.revisions == 0
    assert publications(app, 1) == (before,)


RANKED = """
publish: {{entries: 10, archive_page: 10, formats: [atom, json]}}
defaults: {{dedupe: exact, initial: 200}}
categories: {{x: {{}}, y: {{}}}}
sources:
  - {{key: one, url: 'https://one.example/feed', category: [x, y]}}
  - {{key: two, url: 'https://two.example/feed', category: x, priority: {rank}}}
"""


def test_t3_another_priority_chooses_the_shown_copy_anew(tmp_path: Path) -> None:
    site = SampleSite(tmp_path)
    site.writes(RANKED.format(rank=0))
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("one", said(1, published=START - DAY))
        site.clock.move(hours=2)
        fake_source.says("two", said(1, own_id="theirs", published=START - DAY))
        assert shown(app) == [("Title 1", "one")]
        app.publisher.publish()
        (before,) = publications(app, 1)
    site.clock.move(days=1)
    site.writes(RANKED.format(rank=7))
    with site.opened() as app:
        assert shown(app, 1) == [("Title 1", "two")]
        assert shown(app, 2) == [("Title 1", "one")], "two is not published there"
        (after,) = publications(app, 1)
        assert (after.atom_id, after.sort_at, after.updated) == (before.atom_id, before.sort_at, before.updated)
        assert "category/x.atom" in app.publisher.publish().changed
    with site.opened() as app:
        assert app.publisher.publish().changed == (), "once"
        with app.store.read() as tx:
            steps = tx.trail.story(story_of(app, 1)).steps
        assert [step.code for step in steps].count(Code.SWITCH_COPY) == 1
    site.writes(RANKED.format(rank=-1))
    with site.opened() as app:
        assert shown(app, 1) == [("Title 1", "one")]


def test_t3_full_pages_take_no_notice_of_another_priority(tmp_path: Path) -> None:
    site = SampleSite(tmp_path)
    site.writes(RANKED.format(rank=0))
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("one", *(said(n, published=START - n * DAY) for n in range(15)))
        fake_source.says("two", *(said(n, own_id=f"theirs-{n}", published=START - n * DAY) for n in range(15)))
        app.publisher.publish()
        page = site.published("category/x/archive/1.atom")
    site.clock.move(days=1)
    site.writes(RANKED.format(rank=7))
    with site.opened() as app:
        assert {source for _, source in shown(app)} == {"two"}
        app.publisher.publish(everything=True)
    assert site.published("category/x/archive/1.atom") == page
