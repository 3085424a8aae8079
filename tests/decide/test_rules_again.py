"""Edited rules on a stored entry: each result by itself (N1, R47)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from aggregator.decide.rules_again import Reapplied, carry_out, has_rules, reapply
from aggregator.model.alarm import FLOOD_SHOWN
from aggregator.model.changes import EntryChanges
from aggregator.model.correction import StoryMembers
from aggregator.model.entry import Digest
from aggregator.model.event import Code
from aggregator.model.known import EntryState, KnownEntry, KnownPublication, KnownStory, Stored
from aggregator.model.settings import GENERAL, Category, CategoryKey, Reading, Rewrite, Roster, Route, Rule
from tests.decide.records import HOUR, NOON, SOURCE, UUID, draft, entry, known_entry, roster

X, Y = CategoryKey("x"), CategoryKey("y")
NUMBERS = {X: 1, Y: 2}
NO = (Rule(patterns=(("title", "T"),)),)
TO_Y = (Route(to=Y, when=Rule(patterns=(("title", "T"),))),)
RETITLE = (Rewrite(field="title", pattern="T", replacement="U"),)


def applied(to: Roster | None = None, *, stored: dict[str, Any] | None = None, **source: Any) -> Reapplied | None:
    """Return the result for an entry with the title T that is published in x."""
    fields = stored or {}
    entry_fields = {name: fields.pop(name) for name in ("state", "categories", "story") if name in fields}
    known = known_entry(7, **entry_fields)
    ours = replace(SOURCE, **source)
    return reapply(Stored(known=known, entry=entry(), **fields), ours, to or roster(ours), NUMBERS)


REJECTED = {"state": EntryState.REJECTED, "categories": (), "story": None}


def test_nothing_changes() -> None:
    assert applied() is None
    assert applied(stored={"categories": (2,)}) is None, "a source that moved takes nothing back (N1)"
    assert applied(stored={"categories": (9,)}) is None
    assert applied(stored=dict(REJECTED), exclude=NO) is None


def test_an_entry_that_is_refused() -> None:
    found = applied(exclude=NO)
    assert found is not None
    assert (found.lost, found.gained, found.passes, found.is_dropped, found.is_moved) == ((X,), (), False, True, False)
    two = applied(stored={"categories": (1, 2)}, exclude=NO)
    assert two is not None
    assert two.lost == (X, Y)
    by_category = applied(roster(exclude=NO), stored={"categories": (1, 2)})
    assert by_category is not None
    assert (by_category.lost, by_category.is_dropped, by_category.is_moved) == ((X,), False, True)


def test_a_category_that_the_source_left_may_still_refuse() -> None:
    to = Roster({}, {X: Category(key=X, title="X"), Y: Category(key=Y, title="Y", exclude=NO)})
    found = applied(to, stored={"categories": (1, 2)})
    assert found is not None
    assert found.lost == (Y,)


def test_an_entry_that_passes_now() -> None:
    found = applied(stored=dict(REJECTED))
    assert found is not None
    assert (found.passes, found.gained, found.is_new, found.is_moved, found.is_dropped) == (
        True,
        (X,),
        True,
        False,
        False,
    )
    again = applied(stored=REJECTED | {"story": 107})
    assert again is not None
    assert not again.is_new
    assert applied(stored=REJECTED | {"limited": (1,)}) is None
    assert applied(stored=dict(REJECTED), categories=(CategoryKey("z"),)) is None


def test_an_entry_that_a_route_or_a_category_takes_as_well() -> None:
    found = applied(routes=TO_Y)
    assert found is not None
    assert (found.lost, found.gained, found.is_moved) == ((), (Y,), True)
    assert applied(routes=TO_Y, stored={"limited": (2,)}) is None
    assert applied(routes=TO_Y, stored={"categories": (1, 2)}) is None
    assert applied(categories=(X, Y)) is None, "it came before the source entered y"
    refused = applied(categories=(X, Y), stored={"refused": (2,)})
    assert refused is not None
    assert refused.gained == (Y,)


def test_an_entry_stands_in_the_categories_that_it_names() -> None:
    ours = replace(SOURCE, reading=Reading(filing=("{section}",)))
    for filed, gained in ((("y",), (Y,)), ((), (GENERAL,))):
        stored = Stored(known=known_entry(7), entry=entry(filed=filed), refused=(2, 3))
        found = reapply(stored, ours, roster(ours), NUMBERS | {GENERAL: 3})
        assert found is not None
        assert found.gained == gained


def test_an_entry_that_is_rewritten() -> None:
    found = applied(rewrite=RETITLE)
    assert found is not None
    assert (found.is_rewritten, found.entry.title, found.lost, found.gained) == (True, "U", (), ())
    assert applied(rewrite=RETITLE, stored={"is_deferred": True}) is None
    dropped = applied(rewrite=RETITLE, exclude=NO, stored={"is_deferred": True})
    assert dropped is not None
    assert (dropped.is_rewritten, dropped.entry.title) == (False, "T")


@pytest.mark.parametrize(
    ("fields", "has"),
    [
        ({}, False),
        ({"include": NO}, True),
        ({"exclude": NO}, True),
        ({"rewrite": RETITLE}, True),
        ({"routes": TO_Y}, True),
    ],
)
def test_which_sources_have_rules(fields: dict[str, Any], has: bool) -> None:
    assert has_rules(replace(SOURCE, **fields), roster()) is has


def test_rules_of_a_category_count_for_its_sources() -> None:
    assert has_rules(SOURCE, roster(include=NO))
    assert has_rules(SOURCE, roster(exclude=NO))
    assert not has_rules(replace(SOURCE, categories=(Y,)), roster(exclude=NO))
    assert not has_rules(SOURCE, Roster({}, {}))
    named = replace(SOURCE, categories=(), reading=Reading(filing=("{a}",)))
    assert not has_rules(named, roster(exclude=NO))


# What is carried out.

MICROSECOND = timedelta(microseconds=1)


def story_of(known: KnownEntry, *places: int, **fields: Any) -> KnownStory:
    """Return the story of an entry, published in some categories."""
    assert known.story is not None
    publications = tuple(
        KnownPublication(
            story=known.story, category=place, entered_at=NOON - HOUR, shown=known.id, digest=known.digest,
            updated=NOON - HOUR, page=None, withdrawn_at=None,
        )
        for place in places
    )  # fmt: skip
    plain = KnownStory(
        id=known.story,
        atom_id=f"urn:{known.story}",
        page_id=f"{known.story:016x}",
        founder=known.id,
        created_at=NOON - HOUR,
        sources=frozenset({1}),
        publications=publications,
    )
    return replace(plain, **fields)


def carried_out(
    changes: Sequence[Reapplied | None], *stories: KnownStory, others: Sequence[KnownEntry] = ()
) -> EntryChanges:
    """Carry out the results for entries of some stories, each of which has its entry and `others`."""
    found = [change for change in changes if change is not None]
    assert len(found) == len(changes)
    own = {change.stored.known.story: change.stored.known for change in found}
    drafted = draft()
    published = StoryMembers(
        store_uuid=UUID,
        next_story=900,
        stories={story.id: story for story in stories},
        members={story.id: (own[story.id], *others) for story in stories},
    )
    carry_out(drafted, found, published, NUMBERS)
    return drafted.changes()


def result(number: int = 7, *, date: datetime | None = None, **settings: Any) -> Reapplied | None:
    """Return the result for one of several entries."""
    fields = settings.pop("stored", {})
    names = [name for name in ("state", "categories", "story", "first_seen") if name in fields]
    known = known_entry(number, **{name: fields.pop(name) for name in names})
    ours = replace(SOURCE, **settings)
    stored = Stored(known=known, entry=entry(f"k{number}", published=date), **fields)
    return reapply(stored, ours, roster(ours), NUMBERS)


def test_a_refused_entry_is_withdrawn_and_the_rule_is_noted() -> None:
    change = result(exclude=NO)
    done = carried_out([change], story_of(known_entry(7), 1))
    [one] = done.rejudged
    assert (one.id, one.entry, one.state, one.categories, one.refused) == (7, None, EntryState.REJECTED, (), ())
    assert done.stories.withdrawn == ((107, 1),)
    [*_, event] = done.events
    assert (event.code, event.entry, event.story, event.facts["because"]) == (
        Code.REJECT_ENTRY,
        7,
        107,
        "by edited rules",
    )
    assert event.facts["rule"] == "exclude title: T"


def test_an_entry_that_one_category_refuses_stays_in_the_other() -> None:
    known = known_entry(7, categories=(1, 2))
    change = reapply(Stored(known=known, entry=entry()), SOURCE, roster(exclude=NO), NUMBERS)
    done = carried_out([change], story_of(known, 1, 2))
    [one] = done.rejudged
    assert (one.state, one.categories, one.refused) == (EntryState.PUBLISHED, (2,), (1,))
    assert done.stories.withdrawn == ((107, 1),)
    [event] = [event for event in done.events if event.code is Code.KEEP_OUT]
    assert (event.entry, event.story, event.facts) == (7, 107, {"category": 1, "rule": "exclude title: T"})


def test_an_entry_that_a_route_takes_enters_now() -> None:
    done = carried_out([result(routes=TO_Y)], story_of(known_entry(7), 1))
    [one] = done.rejudged
    assert (one.entry, one.state, one.categories) == (None, EntryState.PUBLISHED, (1, 2))
    [made] = done.stories.publications
    assert (made.story, made.category, made.shown, made.sort_at, made.entered_at, made.backfill) == (
        107, 2, 7, NOON, NOON, False,
    )  # fmt: skip
    [event] = [event for event in done.events if event.code is Code.ROUTE_ENTRY]
    assert (event.entry, event.story, event.facts) == (7, 107, {"category": 2, "rule": "title: T → y"})


def test_several_enter_in_their_order_and_of_a_flood_the_first_are_news() -> None:
    numbers = range(1, FLOOD_SHOWN + 3)
    stories = [story_of(known_entry(number), 1) for number in numbers]
    done = carried_out([result(number, routes=TO_Y) for number in numbers], *stories)
    made = {one.story - 100: one for one in done.stories.publications}
    assert [made[number].sort_at for number in (1, 2, 3)] == [NOON, NOON - MICROSECOND, NOON - 2 * MICROSECOND]
    assert [number for number in numbers if made[number].backfill] == [FLOOD_SHOWN + 1, FLOOD_SHOWN + 2]


def test_a_retracted_story_and_one_that_is_gone_stay_as_they_are() -> None:
    retracted = story_of(known_entry(7), 1, retracted_at=NOON - HOUR)
    done = carried_out([result(exclude=NO), result(8, exclude=NO)], retracted)
    assert [one.id for one in done.rejudged] == [7, 8]
    assert done.stories.withdrawn == ()
    assert [event.entry for event in done.events] == [7]


def test_another_copy_is_shown_in_place_of_a_refused_one() -> None:
    copy = known_entry(9, source=2, story=107)
    done = carried_out([result(exclude=NO)], story_of(known_entry(7), 1), others=[copy])
    assert done.stories.withdrawn == ()
    assert [(one.category, one.shown) for one in done.stories.shown] == [(1, 9)]


def test_a_rewritten_entry_is_shown_as_rewritten() -> None:
    change = result(rewrite=RETITLE)
    assert change is not None
    change = replace(change, entry=replace(change.entry, digest=Digest("1:new")))
    done = carried_out([change], story_of(known_entry(7), 1, 2))
    [one] = done.rejudged
    assert (one.entry, one.state) == (change.entry, None)
    assert [(shown.category, shown.digest, shown.updated) for shown in done.stories.shown] == [
        (1, "1:new", NOON - HOUR), (2, "1:new", NOON - HOUR),
    ]  # fmt: skip


def test_entries_that_pass_for_the_first_time_are_new_the_newest_first() -> None:
    rejected = {"state": EntryState.REJECTED, "categories": (), "story": None}
    changes = [
        result(7, stored=rejected | {"first_seen": NOON - 3 * HOUR}),
        result(8, stored=dict(rejected), date=NOON - HOUR),
        result(9, stored=dict(rejected), date=NOON - 2 * HOUR),
    ]
    done = carried_out(changes)
    assert [(one.id, one.state, one.entry is None) for one in done.rejudged] == [
        (7, None, False), (8, None, False), (9, None, False),
    ]  # fmt: skip
    assert [one.id for one in done.released] == [8, 9, 7]
    assert [one.sort_at for one in done.stories.publications] == [NOON, NOON - MICROSECOND, NOON - 2 * MICROSECOND]
    assert {event.facts.get("because") for event in done.events if event.code is Code.RELEASE_ENTRY} == {
        "by edited rules"
    }


def test_an_entry_that_passes_again_comes_back_where_it_was() -> None:
    back = {"state": EntryState.REJECTED, "categories": (), "story": 107}
    change = result(stored=back)
    withdrawn = story_of(known_entry(7), 1)
    [publication] = withdrawn.publications
    withdrawn = replace(withdrawn, publications=(replace(publication, withdrawn_at=NOON - HOUR),))
    done = carried_out([change], withdrawn)
    [one] = done.rejudged
    assert (one.entry is not None, one.state, one.categories) == (True, EntryState.PUBLISHED, (1,))
    assert [(shown.category, shown.shown) for shown in done.stories.shown] == [(1, 7)]
    assert Code.RELEASE_ENTRY in {event.code for event in done.events if event.entry == 7}
