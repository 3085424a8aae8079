"""Entries that `include` and `exclude` accept."""

from datetime import UTC, datetime, timedelta

import pytest

from aggregator.model.entry import Entry, Person, Tag
from aggregator.model.settings import Rule
from aggregator.rules.judgement import refusal
from aggregator.urls import Url

SEEN = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
ENTRY = Entry(
    title="Python 3.15 is out",
    text="Faster, and no surprises.",
    authors=(Person(name="Ada"), Person(name="Bot of the week")),
    tags=(Tag(term="release"), Tag(term="py", label="Python")),
    link=Url("https://example.org/news/3.15"),
)


def rule(**patterns: str) -> Rule:
    return Rule(patterns=tuple(patterns.items()))


@pytest.mark.parametrize(
    ("include", "exclude", "reason"),
    [
        pytest.param([], [], None, id="no-rules"),
        pytest.param([rule(title="Python")], [], None, id="included"),
        pytest.param([rule(title="python")], [], "include: none matches", id="case-counts"),
        pytest.param([rule(title="(?i)python")], [], None, id="unless-told-otherwise"),
        pytest.param([rule(title="Rust"), rule(tag="^release$")], [], None, id="any-item-matches"),
        pytest.param([rule(title="Python", author="Eve")], [], "include: none matches", id="all-fields-of-an-item"),
        pytest.param([rule(title="Python")], [rule(author="Bot")], "exclude author: Bot", id="exclude-wins"),
        pytest.param([], [rule(content="surprise")], "exclude content: surprise", id="content-is-text"),
        pytest.param([], [rule(tag="Python")], "exclude tag: Python", id="label-of-a-tag"),
        pytest.param([], [rule(link="/news/")], "exclude link: /news/", id="link"),
    ],
)
def test_rules(include: list[Rule], exclude: list[Rule], reason: str | None) -> None:
    assert refusal(ENTRY, include, exclude, seen=SEEN) == reason


@pytest.mark.parametrize(
    ("days", "is_old"),
    [
        pytest.param(29, False, id="younger"),
        pytest.param(30, True, id="as-old"),
        pytest.param(None, False, id="undated"),
    ],
)
def test_age_counts_from_its_own_date_to_when_it_was_seen(days: int | None, is_old: bool) -> None:
    own = None if days is None else SEEN - timedelta(days=days)
    old = Rule(age=timedelta(days=30))
    for entry in (Entry(title="x", published=own), Entry(title="x", updated=own)):
        assert (refusal(entry, [], [old], seen=SEEN) is not None) == is_old


def test_s24_a_pattern_that_explodes_elsewhere_takes_no_time() -> None:
    hostile = Entry(title="a" * 100_000 + "!")
    assert refusal(hostile, [rule(title="^(a|a)*b$")], [], seen=SEEN) == "include: none matches"
