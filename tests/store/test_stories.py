"""Stories that have changed since their documents were rendered (invariant 6)."""

from pathlib import Path

from sqlalchemy import select

from aggregator.app import App
from aggregator.poll.corrections import run_pending_requests
from aggregator.store.schema import store, story
from aggregator.store.stories import touch
from aggregator.store.story_pages import Dirty
from tests.fake_source import FakeSource, said
from tests.rows import connected, rows
from tests.sample_site import SampleSite


def generation(app: App) -> int:
    return int(rows(app.store, select(store.c.dirty))[0][0])


def touched(app: App, since: int) -> set[str]:
    """Return the atom:ids of the stories that were touched since a generation, read two at a time."""
    found: list[tuple[int, int]] = []
    with app.store.read() as tx:
        while part := tx.stories.touched_since(since, after=found[-1] if found else (0, 0), limit=2):
            found += part
    names = {row.id: row.atom_id for row in rows(app.store, select(story.c.id, story.c.atom_id))}
    assert found == sorted(set(found))
    return {names[number] for _, number in found}


def test_what_a_poll_changes_is_touched_and_nothing_else(tmp_path: Path) -> None:
    site = SampleSite(tmp_path)
    site.writes("sources: [{key: a, url: 'https://a.example/'}, {key: b, url: 'https://b.example/'}]")
    with site.opened() as app:
        fake_source = FakeSource(app)
        entries = [said(n, own_id=f"urn:example:{n}") for n in range(5)]
        fake_source.says("a", *entries)
        assert touched(app, 0) == {f"urn:example:{n}" for n in range(5)}
        before = generation(app)
        fake_source.says("a", *entries)
        assert touched(app, before) == set()
        fake_source.says("a", *entries[:3], said(3, own_id="urn:example:3", title="Another title"), entries[4])
        assert touched(app, before) == {"urn:example:3"}
        before = generation(app)
        fake_source.says("b", entries[1])
        assert touched(app, before) == {"urn:example:1"}, "told once more: its credits read otherwise"


def test_what_is_withdrawn_is_touched(tmp_path: Path) -> None:
    site = SampleSite(tmp_path)
    site.writes("sources: [{key: a, url: 'https://a.example/'}]")
    with site.opened() as app:
        fake_source = FakeSource(app)
        entries = [said(n, own_id=f"urn:example:{n}") for n in range(2)]
        fake_source.says("a", *entries)
        before = generation(app)
        fake_source.says("a", entries[0], deleted=(("urn:example:1", None),))
        assert touched(app, before) == {"urn:example:1"}
        before = generation(app)
        with app.store.begin() as tx:
            number = tx.finding.story("urn:example:0")
            assert number is not None
            tx.corrections.file("retract", {"story": number}, site.clock())
        run_pending_requests(app.store, app.in_force.roster, app.clock)
        assert touched(app, before) == {"urn:example:0"}


def dirty(app: App, *, late: bool) -> Dirty:
    with app.store.read() as tx:
        return tx.story_pages.dirty(after=0, late=late, limit=99)


def test_a_page_that_was_made_is_dirty_still_if_its_story_has_changed_meanwhile(tmp_path: Path) -> None:
    site = SampleSite(tmp_path)
    site.writes("sources: [{key: a, url: 'https://a.example/'}]")
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("a", said(1), said(2))
        seen = dirty(app, late=False)
        assert sorted(seen) == [1, 2]
        fake_source.says("a", said(1), said(2, title="Another title"))
        with app.store.begin() as tx:
            tx.story_pages.clean(seen)
        assert len(dirty(app, late=False)) == 1
        with app.store.begin() as tx:
            tx.story_pages.clean(dirty(app, late=False))
        assert dirty(app, late=False) == dirty(app, late=True) == {}


def test_what_looks_otherwise_waits_and_what_says_something_new_does_not(tmp_path: Path) -> None:
    site = SampleSite(tmp_path)
    site.writes("sources: [{key: a, url: 'https://a.example/'}]")
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("a", said(1), said(2), said(3))
        with app.store.begin() as tx:
            tx.story_pages.clean({number: seen for number, seen in dirty(app, late=False).items() if number != 3})
            tx.story_pages.look_anew("another", late=True)
        assert (sorted(dirty(app, late=False)), sorted(dirty(app, late=True))) == ([3], [1, 2])
        with connected(app.store, writes=True) as connection:
            touch(connection, [2, 3], late=True)
        assert (sorted(dirty(app, late=False)), sorted(dirty(app, late=True))) == ([3], [1, 2])
        with connected(app.store, writes=True) as connection:
            touch(connection, [2])
        assert (sorted(dirty(app, late=False)), sorted(dirty(app, late=True))) == ([2, 3], [1])
        with app.store.begin() as tx:
            tx.story_pages.look_anew("in another folder", late=False)
        assert (sorted(dirty(app, late=False)), dirty(app, late=True)) == ([1, 2, 3], {})
