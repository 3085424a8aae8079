"""An operator's corrections against a real store: T3, T7, T8, M1, M8, N3; what they say outlives what comes later."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from aggregator.app import App
from aggregator.model.changes import Changes
from aggregator.model.correction import Outcome
from aggregator.model.event import Code
from aggregator.model.story import Publication
from aggregator.poll.corrections import run_pending_requests
from aggregator.poll.maintenance import TOMBSTONE, Maintenance
from tests.fake_source import FakeSource, said
from tests.rows import change
from tests.sample_site import ATOM, START, SampleSite

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FEEDS = """
publish: {entries: 10, archive_page: 10, formats: [atom, json]}
categories: {x: {}, y: {}, z: {}}
sources:
  - {key: one, url: 'https://one.example/feed', category: x}
  - {key: two, url: 'https://two.example/feed', category: [x, y]}
  - {key: three, url: 'https://three.example/feed', category: z}
  - {key: high, url: 'https://high.example/feed', category: x, priority: 5}
"""
TEXT = (
    "<p>After nine years in a workshop cellar, the lamp of the old lighthouse is back where it belongs. Four people "
    "carried its lens up the hundred and twelve steps in the early morning, before the wind got up.</p>"
)
OTHER = (
    "<p>The ferry to the outer islands will run twice a day again from Monday, the harbour office said, since the new "
    "pier has been finished a week before it was expected to be, and the summer guests are many this year.</p>"
)
TAG = "tag:one.example,2026:lamp"


@pytest.fixture
def fake_source(app: App, site: SampleSite) -> FakeSource:
    fake_source = FakeSource(app)
    for key in ("one", "two", "three", "high"):
        fake_source.says(key, said(f"the-first-of-{key}", title=f"About {key}", text=f"<p>{key} and only {key} " * 30))
    site.clock.move(days=1)
    return fake_source


def tell(fake_source: FakeSource, key: str, text: str, title: str, number: str = "", **facts: Any) -> Changes:
    """Poll a source with one entry that has the source's own link and id."""
    link = f"https://{key}.example/{title[:8]}{number}".replace(" ", "-")
    return fake_source.says(key, said(f"{key}-{title}{number}", title=title, text=text, link=link, **facts))


def lamp(fake_source: FakeSource, key: str, number: str = "", **facts: object) -> Changes:
    return tell(fake_source, key, TEXT, "The lamp is back in its lighthouse", number, **facts)


def ferry(fake_source: FakeSource, key: str, number: str = "", **facts: object) -> Changes:
    return tell(fake_source, key, OTHER, "The ferry runs twice a day", number, **facts)


def story_of(changes: Changes) -> int:
    """Return the id of the story of the one new entry."""
    (new,) = changes.entries.new
    assert new.story is not None
    return new.story


def entry_of(changes: Changes) -> int:
    (new,) = changes.entries.new
    return new.id


def ask(app: App, command: str, **arguments: object) -> Outcome:
    """File a request and carry it out; return its outcome."""
    with app.store.begin() as tx:
        number = tx.corrections.file(command, arguments, app.clock())
    run_pending_requests(app.store, app.in_force.roster, app.clock)
    with app.store.read() as tx:
        outcome = tx.corrections.outcome(number)
    assert outcome is not None
    return outcome


def done(app: App, command: str, **arguments: object) -> Outcome:
    outcome = ask(app, command, **arguments)
    assert outcome.done, outcome.said
    return outcome


def standing(app: App, slug: str) -> dict[str, Publication]:
    """Return the publications of a category, by atom:id, without the first entries of the sources."""
    with app.store.read() as tx:
        (row,) = [row for row in tx.categories.rows() if row.slug == slug]
        pages = (None, *range(1, row.pages + 1))
        return {
            p.atom_id: p for page in pages for p in tx.documents.publications(row.id, page) if "About" not in p.title
        }


def tombstones(app: App, slug: str) -> dict[str, datetime]:
    with app.store.read() as tx:
        (row,) = [row for row in tx.categories.rows() if row.slug == slug]
        return {tombstone.ref: tombstone.when for tombstone in tx.documents.tombstones(row.id)}


def updated_by_id(site: SampleSite, path: str) -> dict[str, str]:
    """Return `updated` by id of the entries of a published Atom document, in order."""
    return {str(entry.findtext(f"{ATOM}id")): str(entry.findtext(f"{ATOM}updated")) for entry in site.entries(path)}


def joined(changes: Changes) -> bool:
    return any(event.code is Code.JOIN_STORY for event in changes.entries.events)


def test_t7_the_merged_ones_entries_move_and_its_publications_go(
    fake_source: FakeSource, app: App, site: SampleSite
) -> None:
    kept, merged = story_of(lamp(fake_source, "one", own_id=TAG)), story_of(ferry(fake_source, "two"))
    before = standing(app, "x")
    site.clock.move(days=1)
    done(app, "merge", story=kept, other=merged)
    assert list(standing(app, "x")) == [TAG]
    after = standing(app, "x")[TAG]
    assert (after.sort_at, after.updated, after.title) == (before[TAG].sort_at, before[TAG].updated, before[TAG].title)
    assert [credit.source for credit in after.credits] == ["two"]
    (gone,) = set(before) - {TAG}
    assert tombstones(app, "x") == tombstones(app, "y") == {gone: site.clock.now}


def test_t7_the_kept_one_enters_where_only_the_other_stood(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    kept = story_of(lamp(fake_source, "one", own_id=TAG))
    merged = story_of(ferry(fake_source, "two", published=START))
    site.clock.move(days=1)
    done(app, "merge", story=kept, other=merged)
    entered = standing(app, "y")[TAG]
    assert entered.sort_at == site.clock.now, "M1: the time of the merge"
    assert (entered.source, entered.updated) == ("two", START)


def test_t3_within_the_hour_a_merge_may_show_the_better_copy(
    fake_source: FakeSource, app: App, site: SampleSite
) -> None:
    kept, merged = story_of(lamp(fake_source, "one", own_id=TAG)), story_of(ferry(fake_source, "high"))
    done(app, "merge", story=kept, other=merged)
    assert standing(app, "x")[TAG].source == "high"


def test_t3_after_it_the_choice_is_fixed(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    kept, merged = story_of(lamp(fake_source, "one", own_id=TAG)), story_of(ferry(fake_source, "high"))
    site.clock.move(hours=1)
    done(app, "merge", story=kept, other=merged)
    assert standing(app, "x")[TAG].source == "one"


def test_t8_what_was_merged_is_revived_as_it_was(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    kept, merged = story_of(lamp(fake_source, "one", own_id=TAG)), story_of(ferry(fake_source, "two"))
    lamp(fake_source, "three")
    before, in_y, in_z = standing(app, "x"), standing(app, "y"), standing(app, "z")
    (other,) = set(before) - {TAG}
    site.clock.move(days=1)
    done(app, "merge", story=kept, other=merged)
    site.clock.move(days=1)
    done(app, "unmerge", story=kept, entry=entry_of_story(app, merged, kept, "two"))
    after = standing(app, "x")
    assert set(after) == set(before)
    again, was = after[other], before[other]
    assert (again.page_id, again.sort_at, again.page) == (was.page_id, was.sort_at, was.page)
    assert again.updated == site.clock.now, "RFC 6721: the newer of entry and tombstone wins"
    assert other not in tombstones(app, "x")
    assert after[TAG] == before[TAG]
    assert set(standing(app, "y")) == set(in_y)
    assert tombstones(app, "y") == {TAG: site.clock.now}, "there it stood by the other's copy alone"
    assert standing(app, "z") == in_z


def entry_of_story(app: App, merged: int, kept: int, source: str) -> int:
    with app.store.read() as tx:
        (entry,) = [entry.id for entry in tx.finding.entries_of(kept) if entry.source == source]
    return entry


def test_t8_otherwise_a_new_story_is_made_now(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    story = story_of(lamp(fake_source, "one", own_id=TAG))
    site.clock.move(hours=2)
    copy = lamp(fake_source, "two", own_id="tag:two.example,2026:lamp", published=START)
    assert story_of(copy) == story
    assert TAG in standing(app, "y")
    site.clock.move(days=1)
    done(app, "unmerge", story=story, entry=None)
    alone = standing(app, "x")["tag:two.example,2026:lamp"]
    assert (alone.sort_at, alone.updated, alone.credits) == (site.clock.now, START, ())
    assert standing(app, "x")[TAG].credits == ()
    assert set(standing(app, "y")) == {"tag:two.example,2026:lamp"}
    assert tombstones(app, "y") == {TAG: site.clock.now}


def test_t8_an_id_that_a_story_has_or_had_is_not_given_again(fake_source: FakeSource, app: App) -> None:
    story = story_of(lamp(fake_source, "one", own_id=TAG))
    assert story_of(lamp(fake_source, "two", own_id=TAG)) == story
    done(app, "unmerge", story=story, entry=None)
    ids = set(standing(app, "x"))
    assert TAG in ids
    assert all(atom_id.startswith("urn:uuid:") for atom_id in ids - {TAG})


def test_t3_the_shown_copy_leaves_and_another_is_shown(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    """The choice is fixed, and its copy goes: the best that is left is shown, with a new `updated` (T4)."""
    story = story_of(lamp(fake_source, "one", own_id=TAG))
    shown = lamp(fake_source, "high")
    assert standing(app, "x")[TAG].source == "high"
    tell(fake_source, "two", TEXT.replace("</p>", " It shone at once.</p>"), "The lamp is back in its lighthouse")
    site.clock.move(days=1)
    done(app, "unmerge", story=story, entry=entry_of(shown))
    after = standing(app, "x")[TAG]
    assert after.source == "one"
    assert [credit.source for credit in after.credits] == ["two"]


def test_t8_no_copy_joins_the_two_again(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    """A third copy tells what one of the two tells, word for word, and nearly what the other does."""
    story = story_of(lamp(fake_source, "one", own_id=TAG))
    title = "The lamp is back in its lighthouse"
    longer = TEXT.replace("</p>", " Reporting by a staff writer.</p>")
    copy = tell(fake_source, "two", longer, title)
    assert story_of(copy) == story
    done(app, "unmerge", story=story, entry=None)
    third = tell(fake_source, "three", longer, title)
    assert joined(third)
    assert story_of(third) != story
    assert set(standing(app, "z")) == set(standing(app, "y"))


def test_t8_a_source_that_issues_its_entry_anew_does_not_join_again(
    fake_source: FakeSource, app: App, site: SampleSite
) -> None:
    story = story_of(lamp(fake_source, "one", own_id=TAG))
    assert story_of(lamp(fake_source, "two")) == story
    done(app, "unmerge", story=story, entry=None)
    site.clock.move(hours=1)
    again = lamp(fake_source, "two", number="-again")
    assert not joined(again)


def test_t8_the_verdict_outlives_a_restart_and_the_source(site: SampleSite) -> None:
    with site.opened() as app:
        fake_source = FakeSource(app)
        story = story_of(lamp(fake_source, "one", own_id=TAG))
        lamp(fake_source, "two")
        done(app, "unmerge", story=story, entry=None)
    kept = FEEDS
    site.writes("\n".join(line for line in kept.splitlines() if "key: two" not in line))
    with site.opened():
        pass
    site.writes(kept)
    with site.opened() as app:
        assert not joined(lamp(FakeSource(app), "two", number="-again"))


def test_t7_a_copy_of_what_was_merged_joins_too(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    """T5 compares with what founds or is shown; an operator's `same` makes the merged one's founder such a one."""
    kept, merged = story_of(lamp(fake_source, "one", own_id=TAG)), story_of(ferry(fake_source, "two"))
    done(app, "merge", story=kept, other=merged)
    near = tell(fake_source, "three", OTHER.replace("</p>", " More follows.</p>"), "The ferry runs twice a day")
    assert joined(near)
    assert story_of(near) == kept
    assert set(standing(app, "z")) == {TAG}, "N3"


def test_merges_of_merges_come_apart_again(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    first, second = story_of(lamp(fake_source, "one", own_id=TAG)), story_of(ferry(fake_source, "two"))
    third = story_of(tell(fake_source, "three", "<p>Something third, about bread and bakers, at length.</p>", "Bread"))
    site.clock.move(days=1)
    before = [standing(app, slug) for slug in "xyz"]
    done(app, "merge", story=second, other=first)
    done(app, "merge", story=third, other=second)
    assert [len(standing(app, slug)) for slug in "xyz"] == [1, 1, 1]
    done(app, "unmerge", story=third, entry=None)
    after = [standing(app, slug) for slug in "xyz"]
    assert [set(some) for some in after] == [set(some) for some in before]
    assert [p.credits for some in after for p in some.values()] == [()] * 4


def test_retract_withdraws_everywhere_and_undo_brings_it_back(
    fake_source: FakeSource, app: App, site: SampleSite
) -> None:
    story = story_of(lamp(fake_source, "two", own_id=TAG))
    before = [standing(app, slug)[TAG] for slug in "xy"]
    site.clock.move(days=1)
    done(app, "retract", story=story, undo=False)
    assert TAG not in {*standing(app, "x"), *standing(app, "y")}
    assert tombstones(app, "x") == tombstones(app, "y") == {TAG: site.clock.now}
    site.clock.move(days=1)
    done(app, "retract", story=story, undo=True)
    for slug, was in zip("xy", before, strict=True):
        again = standing(app, slug)[TAG]
        assert (again.page_id, again.sort_at, again.page, again.updated) == (
            was.page_id,
            was.sort_at,
            was.page,
            site.clock.now,
        )
        assert tombstones(app, slug) == {}


def test_what_was_retracted_comes_back_by_no_revision_and_no_copy(
    fake_source: FakeSource, app: App, site: SampleSite
) -> None:
    story = story_of(lamp(fake_source, "one", own_id=TAG))
    done(app, "retract", story=story, undo=False)
    site.clock.move(hours=1)
    revised = fake_source.says("one", said("lamp", own_id=TAG, title="The lamp is back in its lighthouse!", text=TEXT))
    assert revised.entries.revised
    assert story_of(lamp(fake_source, "two")) == story
    assert not any(standing(app, slug) for slug in "xyz")
    done(app, "retract", story=story, undo=True)
    assert standing(app, "x")[TAG].title == "The lamp is back in its lighthouse!"
    in_y = standing(app, "y")[TAG]
    assert in_y.sort_at == site.clock.now, "N3: there it is new"


def test_m8_a_tombstone_ends_after_thirty_days_as_a_change_in_the_store(
    fake_source: FakeSource, app: App, site: SampleSite
) -> None:
    story = story_of(lamp(fake_source, "one", own_id=TAG))
    site.clock.move(days=1)
    done(app, "retract", story=story, undo=False)
    app.publisher.publish()
    assert b"deleted-entry" in site.published("category/x.atom")
    assert b"deleted-entry" in site.published("all.atom")
    assert TAG.encode() not in site.published("category/x.json")
    site.clock.now += TOMBSTONE
    assert Maintenance(app.store, app.clock).end_tombstones() == 0
    assert app.publisher.publish(everything=True).changed == ("status.json",), "rendering knows no time (invariant 4)"
    site.clock.move(seconds=1)
    assert Maintenance(app.store, app.clock).end_tombstones() == 1
    assert {"category/x.atom", "all.atom"} <= set(app.publisher.publish().changed)
    assert b"deleted-entry" not in site.published("category/x.atom")
    assert b"deleted-entry" not in site.published("all.atom")
    assert Maintenance(app.store, app.clock).end_tombstones() == 0


def test_m8_from_an_archive_page_it_leaves_and_comes_back_there(
    fake_source: FakeSource, app: App, site: SampleSite
) -> None:
    story = story_of(lamp(fake_source, "one", own_id=TAG))
    for number in range(30):
        site.clock.move(hours=1)
        fake_source.says("one", said(number, text=f"<p>{number} things were seen at {number} o'clock.</p>"))
    site.clock.move(days=2)
    app.publisher.publish()
    path = "category/x/archive/2.atom"  # on the first are those of the first polls
    before = updated_by_id(site, path)
    assert TAG in before
    done(app, "retract", story=story, undo=False)
    app.publisher.publish()
    assert TAG.encode() not in site.published(path)
    assert f'ref="{TAG}"'.encode() in site.published("category/x.atom")
    site.clock.move(minutes=1)
    done(app, "retract", story=story, undo=True)
    app.publisher.publish()
    assert TAG.encode() not in site.published("category/x.atom")
    after = updated_by_id(site, path)
    assert list(after) == list(before), "in the same order"
    assert after == before | {TAG: f"{site.clock.now:%Y-%m-%dT%H:%M:%SZ}"}


@pytest.mark.only_sqlite  # a trigger in its SQL
def test_a_correction_that_cannot_be_stored_leaves_nothing_and_harms_no_other(
    fake_source: FakeSource, app: App, site: SampleSite
) -> None:
    """The database itself refuses the last statement of the first request; the second is carried out."""
    kept, merged = story_of(lamp(fake_source, "one", own_id=TAG)), story_of(ferry(fake_source, "two"))
    other = story_of(tell(fake_source, "three", "<p>Something third, about bread and bakers, at length.</p>", "Bread"))
    before = standing(app, "x"), standing(app, "y")
    refuse = "CREATE TRIGGER refuse BEFORE INSERT ON event WHEN new.code = 'merge_stories' "
    change(app.store, refuse + "BEGIN SELECT RAISE(ABORT, 'no'); END")
    with app.store.begin() as tx:
        first = tx.corrections.file("merge", {"story": kept, "other": merged}, app.clock())
        second = tx.corrections.file("retract", {"story": other, "undo": False}, app.clock())
    assert run_pending_requests(app.store, app.in_force.roster, app.clock) == 2
    with app.store.read() as tx:
        outcomes = [tx.corrections.outcome(number) for number in (first, second)]
    assert [outcome is not None and outcome.done for outcome in outcomes] == [False, True]
    assert (standing(app, "x"), standing(app, "y")) == before
    assert standing(app, "z") == {}
    assert run_pending_requests(app.store, app.in_force.roster, app.clock) == 0


@pytest.mark.parametrize(
    ("command", "arguments", "why"),
    [
        pytest.param("merge", {"story": 1, "other": 1}, "one story already", id="itself"),
        pytest.param("merge", {"story": 1, "other": 99}, "there is no story 99", id="unknown"),
        pytest.param("unmerge", {"story": 1, "entry": None}, "nothing to take apart", id="alone"),
        pytest.param("unmerge", {"story": 1, "entry": 1}, "keeps that id", id="founder"),
        pytest.param("unmerge", {"story": 1, "entry": 2}, "does not tell", id="anothers-entry"),
        pytest.param("retract", {"story": 1, "undo": True}, "is not retracted", id="not-retracted"),
        pytest.param("retract", {"story": "one"}, "names no story", id="no-number"),
        pytest.param("explode", {}, "knows no request 'explode'", id="of-another-version"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    fake_source: FakeSource, app: App, command: str, arguments: dict[str, object], why: str
) -> None:
    app.publisher.publish()
    outcome = ask(app, command, **arguments)
    assert not outcome.done
    assert why in outcome.said
    assert app.publisher.publish(everything=True).changed == ()


def test_what_was_retracted_or_merged_is_not_merged(fake_source: FakeSource, app: App) -> None:
    first, second = story_of(lamp(fake_source, "one")), story_of(ferry(fake_source, "two"))
    done(app, "retract", story=second, undo=False)
    assert "is retracted; bring it back" in ask(app, "merge", story=first, other=second).said
    assert "retracted already" in ask(app, "retract", story=second, undo=False).said
    done(app, "retract", story=second, undo=True)
    done(app, "merge", story=first, other=second)
    assert "was merged into another" in ask(app, "merge", story=first, other=second).said
