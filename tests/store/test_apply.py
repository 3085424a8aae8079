"""The order in which changes are written, and savepoints that roll back a part of a transaction."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from aggregator.app import App
from aggregator.model.changes import Correction, EntryChanges, MovedEntry, NewEntry, PlacedEntry
from aggregator.model.entry import Digest
from aggregator.model.event import Code, Event
from aggregator.model.known import EntryState
from aggregator.model.story_changes import NewPublication, NewStory, ShownChange, StoryChanges
from tests.fake_source import FakeSource, said
from tests.rows import rows
from tests.sample_site import START, SampleSite


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """Return an app whose store has two stories."""
    site = SampleSite(tmp_path)
    site.writes("sources: [{key: a, url: 'https://a.example/', dedupe: off}]")
    with site.opened() as app:
        FakeSource(app).says("a", said(1), said(2))
        yield app


def apply(app: App, changes: EntryChanges, source: int | None = None) -> bool:
    with app.store.begin() as tx:
        with tx.savepoint("store_correction", source="a") as savepoint:
            tx.apply(Correction(at=START, entries=changes, source=source))
        return savepoint.is_kept


SHOWN = ShownChange(story=1, category=1, shown=1, digest=Digest("1:new"), updated=START)


def withdrawn(app: App) -> list[tuple[int, str, bool]]:
    query = "SELECT story_id, digest, withdrawn_at IS NOT NULL FROM publication ORDER BY story_id"
    return [(row[0], row[1], bool(row[2])) for row in rows(app.store, query)]


def test_a_publication_that_is_shown_and_withdrawn_is_withdrawn(app: App) -> None:
    assert apply(app, EntryChanges(stories=StoryChanges(shown=(SHOWN,), withdrawn=((1, 1),))))
    assert withdrawn(app)[0] == (1, "1:new", True)
    assert apply(app, EntryChanges(stories=StoryChanges(shown=(SHOWN,))))
    assert withdrawn(app)[0] == (1, "1:new", False)


def test_a_publication_that_is_made_and_withdrawn_is_withdrawn(app: App) -> None:
    made = NewPublication(
        story=9,
        category=1,
        entered_at=START,
        sort_at=START,
        backfill=False,
        shown=1,
        digest=Digest("1:d"),
        updated=START,
    )
    story = NewStory(id=9, atom_id="urn:9", page_id="9" * 16, founder=1)
    assert apply(app, EntryChanges(stories=StoryChanges(new=(story,), publications=(made,), withdrawn=((9, 1),))))
    assert withdrawn(app)[-1] == (9, "1:d", True)
    assert rows(app.store, "SELECT next_story FROM store") == [(10,)]


def test_the_stories_that_an_entry_leaves_and_joins_are_marked(app: App) -> None:
    def touched() -> dict[int, int]:
        return {row[0]: row[1] for row in rows(app.store, "SELECT id, touched FROM story")}

    before = touched()
    moved = MovedEntry(id=2, from_story=2, story=1, merged_from=2)
    assert apply(app, EntryChanges(moved=(moved,)))
    after = touched()
    assert [after[number] > before[number] for number in (1, 2)] == [True, True]
    assert rows(app.store, "SELECT story_id, merged_from FROM entry WHERE id = 2") == [(1, 2)]
    assert apply(app, EntryChanges(placed=(PlacedEntry(1, (1, 7)),)))
    assert touched()[1] > after[1]
    assert rows(app.store, "SELECT categories FROM entry WHERE id = 1") == [("[1,7]",)]


def test_what_the_store_refuses_is_undone_and_logged(app: App, caplog: pytest.LogCaptureFixture) -> None:
    events = (Event(code=Code.MERGE_STORIES, story=1),)
    again = NewStory(id=1, atom_id="urn:x", page_id="f" * 16, founder=1)
    before = rows(app.store, "SELECT count(*) FROM event")
    with caplog.at_level(logging.ERROR):
        assert not apply(app, EntryChanges(stories=StoryChanges(withdrawn=((2, 1),), new=(again,)), events=events))
    assert [record.getMessage() for record in caplog.records] == ["store_correction"]
    assert [row[2] for row in withdrawn(app)] == [False, False]
    assert rows(app.store, "SELECT count(*) FROM event") == before


def test_a_retired_key_is_free_for_a_new_entry(app: App) -> None:
    (form,) = rows(app.store, "SELECT key_hash FROM entry WHERE id = 1")[0]
    new = NewEntry(id=3, entry=said(3), form=form, state=EntryState.KNOWN)
    assert not apply(app, EntryChanges(new=(new,)), source=1)
    assert apply(app, EntryChanges(new=(new,), retired=(1,)), source=1)
    assert rows(app.store, "SELECT key_hash FROM entry ORDER BY id")[0] == ("retired 1",)
