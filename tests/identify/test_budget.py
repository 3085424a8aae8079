"""Limits of the cost of comparing two entries, whatever their content (I15, R40)."""

from difflib import SequenceMatcher

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.clean.titles import MAX_TITLE
from aggregator.errors import CutShort
from aggregator.identify.budget import BoundedMatcher, Budget, Steps, TooCostly
from aggregator.identify.similarity import likeness, may_be_versions
from aggregator.identify.telling import MAX_TOKENS, Telling
from aggregator.identify.tokens import compare_titles, holds

TOKENS = st.lists(st.sampled_from("abcd"), max_size=30)
# One word between words that are only here: a match at every place, and none of two words. It took 14 s.
ONE = " ".join(f"word one{number}" for number in range(MAX_TOKENS))
OTHER = " ".join(f"word other{number}" for number in range(MAX_TOKENS))
LETTERS = "a" * 20_000


@given(TOKENS, TOKENS)
def test_a_bounded_matcher_finds_what_difflib_finds(ours: list[str], theirs: list[str]) -> None:
    plain = SequenceMatcher(None, ours, theirs, autojunk=False)
    assert BoundedMatcher(ours, theirs, Steps()).get_matching_blocks() == plain.get_matching_blocks()


@given(TOKENS, TOKENS)
def test_a_run_is_found_where_it_stands(long: list[str], short: list[str]) -> None:
    places = range(len(long) - len(short) + 1)
    assert holds(long, short) is any(long[place : place + len(short)] == short for place in places)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(("Title", ONE), ("Title", OTHER), id="one-word-everywhere"),
        pytest.param(("Title", "漢" * 2000), ("Title", "漢" * 1400 + "字" + "漢" * 99), id="one-character"),
        pytest.param(("漢" * MAX_TITLE, "漢"), ("漢" * (MAX_TITLE - 9) + "字字", "漢"), id="title-of-one-character"),
        pytest.param(
            ("Title", f"{'q w e r t z ' * 9} {LETTERS} u i o p {LETTERS} a s d f"),
            ("Title", f"{'q w e r t z ' * 9} {LETTERS}b u i o p {LETTERS}b a s d f"),
            id="words-of-one-letter",
        ),
    ],
)
def test_r40_what_would_cost_too_much_counts_as_two(one: tuple[str, str], other: tuple[str, str]) -> None:
    linked = one[1] == ONE  # else it is dropped before anything is aligned: no piece of one stands in the other
    found = likeness(Telling(*one), Telling(*other), linked=linked)
    assert (found.is_same, found.is_compared) == (False, False)
    assert not likeness(Telling(*one), Telling(*other)).is_same


def test_equal_texts_are_the_same_however_often_they_repeat_themselves() -> None:
    one, other = (Telling(title, "漢" * 2000) for title in ("Title", "Another"))
    assert likeness(one, other, linked=True).is_same
    assert may_be_versions(Telling("", "漢" * 2000), Telling("", "漢" * 2000))


def test_r40_whether_two_are_kin_is_not_told_at_any_price() -> None:
    assert may_be_versions(Telling("", ONE), Telling("", OTHER)) is None


def test_titles_of_one_character_are_not_compared_token_by_token() -> None:
    with pytest.raises(TooCostly):
        compare_titles("漢" * 5000, "漢" * 4999 + "字", Steps())
    assert likeness(Telling("漢" * 5000, ""), Telling("漢" * 5000, ""), linked=True).is_same, "equal ones need no steps"


def test_the_seconds_of_a_poll_come_to_an_end() -> None:
    now = [0.0]
    budget = Budget(5.0, clock=lambda: now[0])
    with budget.counting():
        now[0] += 4.0
        assert not budget.is_spent()
    now[0] += 100.0  # deciding and storing
    assert not budget.is_spent()
    with budget.counting():
        now[0] += 1.0
        assert budget.is_spent()
    assert budget.is_spent()


def test_r54_nothing_is_compared_when_the_program_stops() -> None:
    with pytest.raises(CutShort):
        Budget(is_cut=lambda: True).is_spent()
