"""What include and exclude let pass (DESIGN 3.1, Rules)."""

import pytest

from aggregator.model.entry import Entry, Person, Tag
from aggregator.model.settings import Rule
from aggregator.rules import refusal
from aggregator.urls import Url

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
    assert refusal(ENTRY, include, exclude) == reason


def test_s24_a_pattern_that_explodes_elsewhere_takes_no_time() -> None:
    hostile = Entry(title="a" * 100_000 + "!")
    assert refusal(hostile, [rule(title="^(a|a)*b$")], []) == "include: none matches"
