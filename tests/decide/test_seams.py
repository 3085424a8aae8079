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
from aggregator.urls import normalise_link
from tests.desk import FakeSource, said
from tests.newsroom import START, SampleSite

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
def room(tmp_path: Path) -> SampleSite:
    room = SampleSite(tmp_path)
    room.writes(feeds())
    return room


@pytest.fixture
def desk(app: App) -> FakeSource:
    return FakeSource(app)


def publications(app: App, number: int) -> tuple[Publication, ...]:
    with app.store.read() as tx:
        return tx.documents.publications(number, None)


def shown(app: App, number: int = 1) -> list[tuple[str, str]]:
    """Give title and source of each publication in a category."""
    return [(p.title, p.source) for p in publications(app, number)]


def ask(app: App, command: str, **arguments: object) -> Outcome:
    with app.store.begin() as tx:
        number = tx.corrections.file(command, arguments, app.clock())
    app.take_requests()
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
    room = SampleSite(tmp_path)
    room.writes(feeds() + "  - {key: three, url: 'https://three.example/feed', category: y}\n")
    with room.opened() as app:
        desk = FakeSource(app)
        desk.says("two", said(1))
        desk.says("one", said(1, own_id="ours"))
        (before,) = publications(app, 2)
        room.clock.move(hours=2)
        desk.says("two", said(5), deleted=(("item-1", room.clock()),))
        assert shown(app, 2) == [("Title 5", "two")]
        room.clock.move(hours=2)
        changes = desk.says("three", said(1, own_id="theirs"))
        assert Code.RETURN_STORY in [event.code for event in changes.entries.events]
        (after,) = [p for p in publications(app, 2) if p.title == "Title 1"]
        assert (after.source, after.atom_id, after.sort_at) == ("three", before.atom_id, before.sort_at)
        assert after.updated == room.clock(), "newer than its tombstone (T8)"
        assert graves(app, 2) == []


def test_i26_what_is_taken_back_stays_so_though_the_document_lists_it_under_another_id(
    desk: FakeSource, app: App, room: SampleSite
) -> None:
    desk.says("one", said(1, published=START))
    desk.says("one", said(1, own_id="new-id", published=START))
    room.clock.move(hours=2)
    desk.says("one", said(1, text=MORE, published=START), deleted=(("new-id", room.clock()),))
    assert shown(app) == []
    assert len(graves(app, 1)) == 1


def test_i26_named_under_two_ids_it_is_taken_back_once(desk: FakeSource, app: App, room: SampleSite) -> None:
    desk.says("one", said(1, published=START))
    desk.says("one", said(1, own_id="new-id", published=START))
    changes = desk.says("one", said(2), deleted=(("new-id", room.clock()), ("item-1", room.clock())))
    assert len(changes.entries.withdrawn) == len(changes.entries.taken_back) == 1


def test_t4_a_copy_that_takes_over_and_is_revised_in_one_document_moves_updated(
    desk: FakeSource, app: App, room: SampleSite
) -> None:
    desk.says("one", said(1), said(2))
    assert ask(app, "merge", story=story_of(app, 1), other=story_of(app, 2)).done
    room.clock.move(hours=2)
    desk.says("one", said(2, text=MORE), deleted=(("item-1", room.clock()),))
    (after,) = publications(app, 1)
    assert (after.title, after.updated) == ("Title 2", room.clock())
    assert "added more" in after.content
    room.clock.move(hours=2)
    desk.says("one", said(2))
    (again,) = publications(app, 1)
    assert again.content != after.content
    assert again.updated == room.clock(), "it reads as before it took over, which nobody has seen here"


def test_n2_an_entry_of_the_far_future_counts_with_the_time_at_which_it_came(tmp_path: Path) -> None:
    room = SampleSite(tmp_path)
    room.writes(feeds(one="x"))
    with room.opened() as app:
        desk = FakeSource(app)
        desk.says("one", said(1, published=START + 300 * DAY))
        room.clock.move(days=5)
        desk.says("one", said(2, published=START + 4 * DAY), said(1, published=START + 300 * DAY))
    room.writes(feeds(one="[x, y]"))
    with room.opened() as app:
        assert [(p.title, p.sort_at) for p in publications(app, 2)] == [
            ("Title 2", START + 4 * DAY),
            ("Title 1", START),
        ]


def test_t4_what_is_listed_again_enters_a_category_with_its_new_date(tmp_path: Path) -> None:
    room = SampleSite(tmp_path)
    room.writes(feeds(one="x"))
    with room.opened() as app:
        desk = FakeSource(app)
        desk.says("one", said(1, published=START - DAY))
        desk.says("one", said(2), deleted=(("item-1", START),))
    room.writes(feeds(one="[x, y]"))
    with room.opened() as app:
        FakeSource(app).says("one", said(2), said(1, published=START - DAY, updated=START + HOUR))
        assert [p.updated for p in publications(app, 2) if p.title == "Title 1"] == [START + HOUR]


def test_r44_what_is_taken_back_is_not_released(desk: FakeSource, app: App, room: SampleSite) -> None:
    desk.says("one", said(1), **OURS)
    room.clock.move(days=1)
    desk.says("one", said("c1"), said("c2"), **THEIRS)
    room.clock.move(days=2, hours=1)
    desk.says("one", said("c2"), deleted=(("item-c1", room.clock()),), **THEIRS)
    assert {title for title, _ in shown(app)} == {"Title 1", "Title c2"}


def test_n2_a_retracted_story_enters_no_category(room: SampleSite) -> None:
    with room.opened() as app:
        FakeSource(app).says("one", said(1, published=START), said(2, published=START - DAY))
        assert ask(app, "retract", story=story_of(app, 1)).done
        gone = shown(app)
    room.writes(feeds(one="[x, y]", initial=1))
    with room.opened() as app:
        assert shown(app, 2) == gone, "the newest that can be seen"
        room.clock.move(hours=1)
        assert ask(app, "retract", story=story_of(app, 1), undo=True).done
        assert len(shown(app, 1)) == 2
        (newest, _) = publications(app, 2)
        assert (newest.title, newest.sort_at) == ("Title 1", room.clock()), "where it would stand, new there (N3)"


def test_n2_what_its_source_took_back_enters_once_it_is_listed_again(room: SampleSite) -> None:
    with room.opened() as app:
        FakeSource(app).says("one", said(1, updated=START), said(2))
        room.clock.move(hours=1)
        FakeSource(app).says("one", said(2), deleted=(("item-1", room.clock()),))
    room.writes(feeds(one="[x, y]"))
    with room.opened() as app:
        assert shown(app, 2) == [("Title 2", "one")]
        room.clock.move(hours=1)
        FakeSource(app).says("one", said(1, updated=room.clock()), said(2))
        assert sorted(shown(app, 2)) == sorted(shown(app, 1)) == [("Title 1", "one"), ("Title 2", "one")]


def test_n2_older_ones_that_nobody_sees_stay_out_like_any_other(room: SampleSite) -> None:
    with room.opened() as app:
        FakeSource(app).says("one", *(said(n, published=START - n * DAY) for n in (1, 2, 3)))
        assert ask(app, "retract", story=story_of(app, 3)).done
    room.writes(feeds(one="[x, y]", initial=2))
    with room.opened() as app:
        assert len(shown(app, 2)) == 2
        assert ask(app, "retract", story=story_of(app, 3), undo=True).done
        assert (len(shown(app, 1)), len(shown(app, 2))) == (3, 2)


def test_n2_a_story_that_was_withdrawn_there_returns_with_the_source_that_enters(room: SampleSite) -> None:
    with room.opened() as app:
        desk = FakeSource(app)
        desk.says("two", said(1))
        desk.says("one", said(1, own_id="ours"))
        room.clock.move(hours=2)
        desk.says("two", said(5), deleted=(("item-1", room.clock()),))
        assert shown(app, 2) == [("Title 5", "two")]
    room.clock.move(hours=2)
    room.writes(feeds(one="[x, y]"))
    with room.opened() as app:
        assert sorted(shown(app, 2)) == [("Title 1", "one"), ("Title 5", "two")]
        assert graves(app, 2) == []
        with app.store.read() as tx:
            (step,) = tx.trail.source_steps(SourceKey("one"), [Code.FILL_CATEGORY], 5)
        assert step.facts == {"category": 2, "entries": 0}, "it had them all"


def test_t8_an_entry_whose_minted_id_is_taken_can_leave(desk: FakeSource, app: App, room: SampleSite) -> None:
    """Its key named another article before (I35), whose story has the id that would be minted from it."""
    text = "<p>The ferry to the outer islands will run twice a day again from Monday, the harbour office said.</p>"
    desk.says("one", said(1, own_id="plain-1", link="https://one.example/first", published=START))
    desk.says("two", said(9, text=text, own_id="other"))
    room.clock.move(days=1)
    ferry = said(9, text=text, own_id="plain-1", link="https://one.example/ferry", published=START + DAY)
    (new,) = desk.says("one", ferry).entries.new
    assert story_of(app, new.id) == story_of(app, 2), "a copy of what two told"
    outcome = ask(app, "unmerge", story=story_of(app, 2), entry=new.id)
    assert outcome.done, outcome.said
    assert sorted(title for title, _ in shown(app)) == ["Title 1", "Title 9", "Title 9"]


def test_i61_an_emptied_entry_that_was_retracted_meanwhile_changes_nothing_when_it_is_filled_again(
    desk: FakeSource, app: App, room: SampleSite
) -> None:
    full = said(1, text=TEXT)
    desk.says("one", full)
    room.clock.move(hours=1)
    desk.says("one", replace(full, content="", text=""))
    story = story_of(app, 1)
    assert ask(app, "retract", story=story).done
    assert ask(app, "retract", story=story, undo=True).done
    (before,) = publications(app, 1)
    assert before.content == TEXT
    room.clock.move(hours=1)
    changes = desk.says("one", full)
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
    room = SampleSite(tmp_path)
    room.writes(RANKED.format(rank=0))
    with room.opened() as app:
        desk = FakeSource(app)
        desk.says("one", said(1, published=START - DAY))
        room.clock.move(hours=2)
        desk.says("two", said(1, own_id="theirs", published=START - DAY))
        assert shown(app) == [("Title 1", "one")]
        app.publish()
        (before,) = publications(app, 1)
    room.clock.move(days=1)
    room.writes(RANKED.format(rank=7))
    with room.opened() as app:
        assert shown(app, 1) == [("Title 1", "two")]
        assert shown(app, 2) == [("Title 1", "one")], "two is not published there"
        (after,) = publications(app, 1)
        assert (after.atom_id, after.sort_at, after.updated) == (before.atom_id, before.sort_at, before.updated)
        assert "category/x.atom" in app.publish().changed
    with room.opened() as app:
        assert app.publish().changed == (), "once"
        with app.store.read() as tx:
            steps = tx.trail.story(story_of(app, 1)).steps
        assert [step.code for step in steps].count(Code.SWITCH_COPY) == 1
    room.writes(RANKED.format(rank=-1))
    with room.opened() as app:
        assert shown(app, 1) == [("Title 1", "one")]


def test_t3_full_pages_take_no_notice_of_another_priority(tmp_path: Path) -> None:
    room = SampleSite(tmp_path)
    room.writes(RANKED.format(rank=0))
    with room.opened() as app:
        desk = FakeSource(app)
        desk.says("one", *(said(n, published=START - n * DAY) for n in range(15)))
        desk.says("two", *(said(n, own_id=f"theirs-{n}", published=START - n * DAY) for n in range(15)))
        app.publish()
        page = room.published("category/x/archive/1.atom")
    room.clock.move(days=1)
    room.writes(RANKED.format(rank=7))
    with room.opened() as app:
        assert {source for _, source in shown(app)} == {"two"}
        app.publish(everything=True)
    assert room.published("category/x/archive/1.atom") == page
