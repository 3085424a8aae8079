"""Entries that a category gets when a source enters it (N2)."""

from dataclasses import replace
from typing import Any

from aggregator.decide.backfill import Backfill, Published, backfill, with_places
from aggregator.identify.keys import digest_of
from aggregator.model.changes import PlacedEntry
from aggregator.model.settings import Category, CategoryKey, Rule
from tests.decide.records import DAY, HOUR, NOON, entry, known_entry

PLACE = Category(key=CategoryKey("x"), title="X")


def published(number: int, **fields: Any) -> Published:
    plain = Published(
        id=number,
        story=100 + number,
        entry=entry(f"k{number}", published=NOON - number * HOUR),
        first_seen=NOON - HOUR / 2,
        places=(1,),
        stands=True,
        updated=None,
    )
    return replace(plain, **fields)


def filled(*entries: Published, limit: int = 50, there: frozenset[int] = frozenset(), **rules: Any) -> Backfill:
    return backfill(entries, replace(PLACE, **rules), 7, there=there, limit=limit, at=NOON)


def test_the_newest_entries_are_published_at_their_own_dates() -> None:
    found = filled(published(1), published(2), published(3), limit=2)
    assert [(made.story, made.category, made.shown, made.sort_at) for made in found.publications] == [
        (101, 7, 1, NOON - HOUR),
        (102, 7, 2, NOON - 2 * HOUR),
    ]
    assert all(made.backfill and made.entered_at == NOON for made in found.publications)
    assert found.publications[0].digest == digest_of(published(1).entry)
    assert found.placed == (PlacedEntry(1, (1, 7)), PlacedEntry(2, (1, 7)))
    assert found.joined == {}


def test_the_date_of_what_is_shown() -> None:
    dated = replace(published(1).entry, updated=NOON - DAY)
    ahead = replace(published(1).entry, updated=NOON + 3 * DAY)
    shown = [
        filled(published(1, **fields)).publications[0].updated
        for fields in ({"updated": NOON - 2 * DAY}, {"entry": dated}, {"entry": ahead}, {})
    ]
    assert shown == [NOON - 2 * DAY, NOON - DAY, NOON - HOUR / 2, NOON - HOUR]
    assert published(1, entry=entry(updated=NOON - DAY)).date == NOON - DAY
    assert published(1, entry=entry()).date == NOON - HOUR / 2
    assert published(1, entry=entry(published=NOON + 9 * DAY)).date == NOON - HOUR / 2


def test_rules_of_the_category_decide() -> None:
    one, other = published(1, entry=entry(title="Sponsored")), published(2)
    found = filled(one, other, limit=1, exclude=(Rule(patterns=(("title", "Sponsored"),)),))
    assert [made.story for made in found.publications] == [102]
    old = Rule(age=DAY)
    found = filled(published(1), published(30), exclude=(old,))
    assert [made.story for made in found.publications] == [101]


def test_one_story_is_taken_once() -> None:
    found = filled(published(1), published(2, story=101), published(3))
    assert [made.story for made in found.publications] == [101, 103]
    assert [one.id for one in found.placed] == [1, 3]


def test_a_story_that_is_there_gets_a_copy() -> None:
    found = filled(published(1), published(2, places=(1, 7)), there=frozenset({101, 102}))
    assert (found.publications, found.joined) == ((), {101: 1})
    assert found.placed == (PlacedEntry(1, (1, 7)),)


def test_a_withdrawn_entry_takes_no_place_and_may_come_back_there() -> None:
    found = filled(published(1, stands=False), published(2), published(3), limit=1)
    assert [made.story for made in found.publications] == [102]
    assert found.placed == (PlacedEntry(2, (1, 7)), PlacedEntry(1, (1, 7)))
    late = filled(published(2), published(1, stands=False), limit=1)
    assert late.placed == (PlacedEntry(2, (1, 7)),)


def test_the_categories_of_a_story_after_the_edit() -> None:
    one, other = known_entry(1), known_entry(2)
    found = with_places([one, other], [PlacedEntry(2, (1, 7))])
    assert [member.categories for member in found] == [(1,), (1, 7)]
