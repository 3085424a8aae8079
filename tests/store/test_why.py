"""Records that `aggregator why` shows: whole stories, entries and categories, and how an operator may name them."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from aggregator.app import App
from aggregator.identify.ids import page_id_of
from aggregator.model.entry import KeyRule
from aggregator.model.event import Code
from aggregator.model.known import EntryState
from aggregator.model.settings import CategoryKey, SourceKey
from aggregator.model.story_changes import Verdict
from aggregator.model.trail import CategoryRecord, StoryRecord, VerdictRecord
from aggregator.store.why import MOST
from tests.fake_source import FakeSource, said
from tests.rows import change, rows
from tests.sample_site import START, SampleSite
from tests.twin import ask

HOUR = timedelta(hours=1)
FEEDS = """
site: {base_url: 'https://planet.example/'}
publish: {entries: 10, archive_page: 10}
defaults: {dedupe: off}
sources:
  - {key: a, url: 'https://a.example/', category: [x, y]}
  - {key: b, url: 'https://b.example/', category: x}
"""


@pytest.fixture
def app(site: SampleSite) -> Iterator[App]:
    """Yield an app with the stories 1 and 2 of a, and 3 of b, an hour later."""
    with site.opened() as app:
        FakeSource(app).says("a", said(1), said(2))
        site.clock.move(hours=1)
        FakeSource(app).says("b", said(3))
        site.clock.move(hours=1)
        yield app


def story(app: App, number: int) -> StoryRecord:
    with app.store.read() as tx:
        return tx.trail.story(number)


def test_a_story_is_told_as_a_whole(app: App) -> None:
    told = story(app, 3)
    assert (told.id, told.founder, told.created_at, told.merged_into, told.retracted_at) == (
        3, 3, START + HOUR, None, None,
    )  # fmt: skip
    assert (told.page_id, told.merged, told.verdicts) == (page_id_of(told.atom_id), (), ())
    assert [(p.category, p.category_id, p.slug, p.shown, p.page, p.withdrawn_at) for p in told.places] == [
        ("x", 1, "x", 3, None, None)
    ]
    [entry] = told.entries
    assert (entry.id, entry.source, entry.own_id, entry.title, entry.told_title) == (
        3, "b", "item-3", "Title 3", "Title 3",
    )  # fmt: skip
    assert (entry.link, entry.key_rule, entry.state, entry.story) == (
        "https://news.example/3", KeyRule.ID, EntryState.PUBLISHED, 3,
    )  # fmt: skip
    assert (entry.first_seen, entry.joined_at, entry.changed_at) == (START + HOUR, START + HOUR, None)
    assert (entry.published, entry.updated, entry.revisions, entry.earlier) == (None, None, 0, ())
    assert (entry.held, entry.thinned, entry.rewritten_by, entry.merged_from) == (False, False, (), None)
    assert (entry.categories, entry.wording.title) == ((1,), "Title 3")
    assert [copy.id for copy in told.copies] == [3]
    assert [(step.code, step.source, step.entry, step.story) for step in told.steps] == [(Code.MAKE_STORY, "b", 3, 3)]
    assert [p.category for p in story(app, 1).places] == ["x", "y"]


def test_places_have_their_times_page_and_withdrawal(app: App) -> None:
    columns = ("entered_at", "sort_at", "updated", "filed_at", "withdrawn_at")
    for number, name in enumerate(columns, start=1):
        when = int((START + number * HOUR).timestamp() * 1e6)
        change(app.store, f"UPDATE publication SET {name} = :when, page = 4 WHERE story_id = 3", when=when)
    [found] = story(app, 3).places
    assert (found.entered_at, found.sort_at, found.updated, found.page, found.withdrawn_at) == (
        START + HOUR, START + 2 * HOUR, START + 3 * HOUR, 4, START + 5 * HOUR,
    )  # fmt: skip


def test_merges_and_verdicts_are_told(app: App, site: SampleSite) -> None:
    atom_id = story(app, 3).atom_id
    ask(app, "merge", story=1, other=3)
    told = story(app, 1)
    assert told.merged == (atom_id,)
    assert story(app, 3).merged_into == told.atom_id
    assert [(entry.id, entry.merged_from) for entry in told.entries] == [(1, None), (3, 3)]
    assert told.verdicts == (VerdictRecord(entry=1, other=3, verdict=Verdict.SAME, at=site.clock()),)
    site.clock.move(hours=1)
    ask(app, "retract", story=2, undo=False)
    assert story(app, 2).retracted_at == site.clock()
    assert all(place.withdrawn_at == site.clock() for place in story(app, 2).places)


def test_a_revised_entry_has_its_earlier_wordings(app: App, site: SampleSite) -> None:
    FakeSource(app).says("b", said(3, title="Other"))
    [entry] = story(app, 3).entries
    assert (entry.title, entry.revisions, entry.changed_at) == ("Other", 1, site.clock())
    [earlier] = entry.earlier
    assert (earlier.until, earlier.wording.title) == (site.clock(), "Title 3")
    with app.store.read() as tx:
        same, steps = tx.trail.entry(3)
    assert same == entry
    assert [step.code for step in steps] == [Code.MAKE_STORY, Code.REVISE_ENTRY]


def test_what_a_rewrite_changed_and_what_is_held_or_gone_is_told(app: App) -> None:
    change(
        app.store,
        """UPDATE entry SET original = '{"by": ["rule 1"], "title": "Old 3"}', unpublished = '{}', thinned = 1,"""
        " changed_at = NULL WHERE id = 3",
    )
    with app.store.read() as tx:
        entry, _ = tx.trail.entry(3)
    assert (entry.rewritten_by, entry.told_title, entry.held, entry.thinned) == (("rule 1",), "Old 3", True, True)


def test_steps_are_the_newest_of_a_source_with_these_codes_in_their_order(app: App, site: SampleSite) -> None:
    FakeSource(app).says("b", said(4), said(3))
    site.clock.move(hours=1)
    FakeSource(app).says("b", said(5, title="5"), said(4, title="4"), said(3))
    with app.store.read() as tx:
        every = tx.trail.source_steps("b", [Code.MAKE_STORY, Code.REVISE_ENTRY], 9)
        last = tx.trail.source_steps("b", [Code.MAKE_STORY], 2)
        others = tx.trail.source_steps("a", [Code.MAKE_STORY], 9)
    made = [step.entry for step in every if step.code == Code.MAKE_STORY]
    assert made == sorted(made, key=lambda n: n or 0)
    assert Code.REVISE_ENTRY in {step.code for step in every}
    assert [step.entry for step in last] == made[-2:]
    assert [step.at for step in last] == [START + 2 * HOUR, START + 3 * HOUR]
    assert {step.source for step in others} == {"a"}


def test_an_event_without_source_and_facts(app: App) -> None:
    change(app.store, "UPDATE event SET source_id = NULL, facts = NULL WHERE story_id = 3")
    [step] = story(app, 3).steps
    assert (step.source, step.facts, step.at) == (None, {}, START + HOUR)


def test_a_source_that_left_is_found_by_key_and_address(app: App, site: SampleSite) -> None:
    change(app.store, "UPDATE source SET active = FALSE WHERE key = 'b'")
    with app.store.read() as tx:
        named = [tx.trail.resting_source(name) for name in ("b", "https://b.example/", "a", "https://a.example/")]
        states = [tx.trail.entry_states(key) for key in "ab"]
    assert named == [SourceKey("b"), SourceKey("b"), None, None]
    assert states == [{EntryState.PUBLISHED: 2}, {EntryState.PUBLISHED: 1}]


def test_a_category_is_told_as_a_whole(app: App, site: SampleSite) -> None:
    app.publisher.publish()
    rendered = site.clock()
    site.clock.move(hours=1)
    FakeSource(app).says("a", said(4), said(1), said(2))
    ask(app, "retract", story=2, undo=False)
    change(app.store, "UPDATE publication SET page = 1 WHERE story_id = 1")
    change(app.store, """UPDATE category SET dirty_pages = '{"10": 5, "9": 4}', pages = 10, slug = 'ex' WHERE id = 1""")
    change(app.store, "UPDATE category SET slug = 'x' WHERE id = 2")
    with app.store.read() as tx:
        told, by_slug = tx.trail.category("x"), tx.trail.category("ex")
        assert tx.trail.category("none") is None
        assert tx.trail.category_keys() == {1: "x", 2: "y"}
        assert tx.trail.atom_ids([3, 1]) == {1: story(app, 1).atom_id, 3: story(app, 3).atom_id}
    assert told is not None
    assert told == by_slug, "a key is looked for before a slug"
    [(feed_id, dirty, done, look)] = rows(app.store, "SELECT feed_id, dirty, rendered, look FROM category WHERE id = 1")
    assert told == CategoryRecord(
        key=CategoryKey("x"), slug="ex", feed_id=feed_id, created_at=START, active=True, stories=3, main=2, pages=10,
        newest=START + 3 * HOUR, withdrawn=1, tombstones=1, changes=dirty - done, dirty_pages=(9, 10),
        rendered_at=rendered, look=look,
    )  # fmt: skip
    assert told.changes > 0


# How an operator names them.


def test_a_story_is_named_by_its_id_or_page(app: App) -> None:
    told = story(app, 3)
    page = told.page_id
    names = (
        told.atom_id,
        page,
        f"{page}.html",
        f"https://planet.example/entry/{page[:2]}/{page}.html",
        f"https://planet.example/category/x.html#{page}",
    )
    with app.store.read() as tx:
        assert [tx.finding.story(name) for name in names] == [3] * len(names)
        for other in ("f" * 16, page[:15], f"x{page}", f"entry/{page}", "item-3", ""):
            assert tx.finding.story(other) is None


def test_an_entry_is_named_by_number_id_or_link(app: App) -> None:
    change(app.store, "UPDATE entry SET own_id = 'urn:uuid:1', key = 'the-key' WHERE id = 2")
    named = {
        "3": [3], "item-3": [3], "https://news.example/3": [3], "http://news.example/3": [3], "the-key": [2],
        "urn:uuid:1": [2], "03": [], "99": [], "nothing": [],
    }  # fmt: skip
    with app.store.read() as tx:
        assert {name: [one.id for one in tx.finding.entries(name)] for name in named} == named
        [one] = tx.finding.entries("3")
        assert (one.source, one.title, one.link, one.state, one.story) == (
            "b", "Title 3", "https://news.example/3", EntryState.PUBLISHED, 3,
        )  # fmt: skip
        assert [found.id for found in tx.finding.entries_of(3)] == [3]
        entry, nobody = tx.finding.entry(3), tx.finding.entry(99)
    assert (entry, nobody) == (one, None)


def test_a_global_id_is_looked_for_before_ids_of_one_source(app: App) -> None:
    FakeSource(app).says("b", said(4, own_id="tag:b.example,2026:4"), said(5, own_id="tag:b.example,2026:5"))
    change(app.store, "UPDATE entry SET own_id = 'tag:b.example,2026:4' WHERE id = 1")
    with app.store.read() as tx:
        assert [found.title for found in tx.finding.entries("tag:b.example,2026:4")] == ["Title 4"]


def test_at_most_fifty_entries_are_listed_in_their_order(app: App) -> None:
    change(app.store, "UPDATE entry SET own_id = 'same'")
    FakeSource(app).says("b", *(said(n) for n in range(10, 20 + MOST)))
    change(app.store, "UPDATE entry SET own_id = 'same'")
    with app.store.read() as tx:
        found = [one.id for one in tx.finding.entries("same")]
    assert found == list(range(1, MOST + 1))
