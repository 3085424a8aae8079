"""The categories of an entry under all rules that apply to the entry."""

from datetime import UTC, datetime

import pytest

from aggregator.model.changes import Hit
from aggregator.model.entry import Entry
from aggregator.model.settings import Category, CategoryKey, Rewrite, Route, Rule, Source, SourceKey
from aggregator.rules.judgement import Judgement, judge, matches
from aggregator.rules.rewriting import rewritten
from aggregator.urls import Url

SEEN = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
A, B, C = CategoryKey("a"), CategoryKey("b"), CategoryKey("c")


def titled(pattern: str) -> Rule:
    return Rule(patterns=(("title", pattern),))


def source(*, include: str = "", exclude: str = "", routes: tuple[Route, ...] = ()) -> Source:
    return Source(
        key=SourceKey("s"),
        url=Url("https://s.example/"),
        categories=(A, B),
        include=(titled(include),) if include else (),
        exclude=(titled(exclude),) if exclude else (),
        routes=routes,
    )


def judged(title: str, of: Source, **excludes: str) -> Judgement:
    categories = {
        key: Category(key=key, title=key, exclude=(titled(excludes[key]),) if key in excludes else ())
        for key in (A, B, C)
    }
    return judge(Entry(title=title), of, categories, seen=SEEN)


def test_a_source_s_rules_run_before_those_of_its_categories() -> None:
    judgement = judged("Sponsored Django", source(exclude="Sponsored"), a="Django")
    assert judgement.places == ()
    assert judgement.reason == "exclude title: Sponsored"
    assert judgement.hits == (Hit("", "exclude title: Sponsored"),)


def test_a_category_keeps_an_entry_out_of_itself_alone() -> None:
    judgement = judged("Django", source(), a="Django")
    assert judgement.places == (B,)
    assert judgement.reason is None
    assert judgement.kept_out == ((A, "exclude title: Django"),)


def test_an_entry_that_no_category_takes_is_rejected_with_all_reasons() -> None:
    judgement = judged("Django", source(), a="Django", b="D")
    assert judgement.places == ()
    assert judgement.reason == "a: exclude title: Django; b: exclude title: D"


@pytest.mark.parametrize(
    ("title", "excludes", "places"),
    [
        pytest.param("Flask", {}, (A, B), id="no-match"),
        pytest.param("Django", {}, (A, B, C), id="beside-its-own"),
        pytest.param("Django", {"a": "D", "b": "D"}, (C,), id="though-its-own-refuse"),
        pytest.param("Django", {"c": "D"}, (A, B), id="unless-the-target-refuses"),
    ],
)
def test_routes_come_last(title: str, excludes: dict[str, str], places: tuple[CategoryKey, ...]) -> None:
    routes = (Route(when=titled("Django"), to=C), Route(when=titled("jango"), to=C))
    judgement = judged(title, source(routes=routes), **excludes)
    assert judgement.places == places
    assert dict(judgement.routed) == ({C: "title: Django → c"} if C in places else {})


def test_what_a_source_refuses_is_not_routed() -> None:
    judgement = judged("Django", source(include="Python", routes=(Route(when=titled("D"), to=C),)))
    assert judgement.places == ()
    assert judgement.reason == "include: none matches"


def test_rules_see_what_the_source_told_and_routes_what_came_of_it() -> None:
    step = Rewrite(field="title", pattern="^\\[News\\] ", replacement="")
    entry = rewritten(Entry(title="[News] Django"), [step])
    routes = (Route(when=titled("^Django"), to=C),)
    judgement = judge(entry, source(exclude="^Django", routes=routes), {}, seen=SEEN)
    assert judgement.places == (A, B, C)
    assert judgement.hits[0] == Hit("", "rewrite title: ^\\[News\\] ")


@pytest.mark.parametrize(
    ("rule", "matching"),
    [
        (Rule(any_of=(titled("A"), titled("B"))), {"A", "B", "AB", "BC", "ABC"}),
        (Rule(all_of=(titled("A"), titled("B"))), {"AB", "ABC"}),
        (Rule(none_of=(titled("A"), titled("B"))), {"C", ""}),
        (Rule(patterns=(("title", "B"),), none_of=(titled("C"),)), {"B", "AB"}),
        (
            Rule(any_of=(Rule(all_of=(titled("A"), titled("B"))), Rule(none_of=(titled("B"),)))),
            {"A", "AB", "C", "", "ABC"},
        ),
    ],
)
def test_rules_inside_of_a_rule(rule: Rule, matching: set[str]) -> None:
    titles = ("A", "B", "C", "AB", "BC", "ABC", "")
    assert {title for title in titles if matches(rule, Entry(title=title), seen=SEEN)} == matching


def test_a_rule_with_rules_inside_is_told_as_it_is_written() -> None:
    rule = Rule(patterns=(("title", "D"),), any_of=(titled("A"), Rule(none_of=(titled("B"),))))
    assert str(rule) == "title: D, any: [title: A; not: [title: B]]"
    told = Source(key=SourceKey("s"), url=Url("https://s.example/"), categories=(A,), exclude=(rule,))
    assert judged("AD", told).reason == f"exclude {rule}"
