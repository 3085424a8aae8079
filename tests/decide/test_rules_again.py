"""Edited rules on a stored entry: each result by itself (N1, R47)."""

from dataclasses import replace
from typing import Any

import pytest

from aggregator.decide.rules_again import Reapplied, has_rules, reapply
from aggregator.model.known import EntryState, Stored
from aggregator.model.settings import Category, CategoryKey, Reading, Rewrite, Roster, Route, Rule
from tests.decide.records import SOURCE, entry, known_entry, roster

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
