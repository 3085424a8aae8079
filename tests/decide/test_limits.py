"""`limit` of a category, and the dedupe settings of a pair of entries."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from aggregator.decide.limits import Newcomer, Passed, RuleVerdict, dedupe_settings, still_limited, within_limits
from aggregator.identify.matching import DedupeSettings
from aggregator.model.changes import Hit
from aggregator.model.entry import Digest
from aggregator.model.event import Code
from aggregator.model.known import Known, KnownPublication, KnownStory
from aggregator.model.settings import Category, CategoryKey, Dedupe, Roster, Source, SourceKey
from aggregator.rules.judgement import Judgement
from tests.decide.records import NOON, SOURCE, UUID, categories, draft, entry, roster

X, Y = CategoryKey("x"), CategoryKey("y")


def verdict(*keys: str, **fields: Any) -> RuleVerdict:
    return replace(RuleVerdict(Judgement(), tuple(map(CategoryKey, keys)), ()), **fields)


def passed(number: int, *keys: str, because: str = "") -> Passed:
    return number, Newcomer(entry(f"k{number}"), f"f{number}", NOON, because=because), verdict(*keys)


def test_a_category_takes_so_many_and_the_others_stay() -> None:
    work = draft(roster=roster(limit=2))
    kept, known = within_limits(work, [passed(1, "x"), passed(2, "x", "y"), passed(3, "x", "y"), passed(4, "x")])
    assert [(number, places.keys, places.limited) for number, _, places in kept] == [
        (1, (X,), ()),
        (2, (X, Y), ()),
        (3, (Y,), (1,)),
    ]
    assert [(number, places.keys, places.limited) for number, _, places in known] == [(4, (), (1,))]
    assert [(event.code, event.entry, event.facts) for event in work.events] == [
        (Code.KEEP_OUT, 3, {"category": 1, "rule": "limit 2"}),
        (Code.KEEP_OUT, 4, {"category": 1, "rule": "limit 2"}),
    ]
    assert dict(work.hits) == {Hit(X, "limit 2"): 2}


def test_what_edited_rules_let_in_counts_for_no_limit() -> None:
    work = draft(roster=roster(limit=1))
    kept, known = within_limits(work, [passed(1, "x", because="edited"), passed(2, "x"), passed(3, "x")])
    assert ([number for number, *_ in kept], [number for number, *_ in known]) == ([1, 2], [3])


def test_a_category_without_limit_or_without_a_row_takes_all() -> None:
    assert within_limits(draft(), [passed(1, "x"), passed(2, "x")])[1] == []
    unknown = draft(known=Known(store_uuid=UUID), roster=roster(limit=1))
    assert within_limits(unknown, [passed(1, "x"), passed(2, "x")])[1] == []
    assert within_limits(draft(roster=Roster({}, {})), [passed(1, "x"), passed(2, "x")])[1] == []


def test_an_entry_that_waited_stays_out_of_what_was_full_when_it_came() -> None:
    work = draft()
    assert still_limited(work, verdict("x", "y"), ()) == verdict("x", "y")
    assert still_limited(work, verdict("x", "y"), (1,)) == verdict("y", limited=(1,))
    assert still_limited(work, verdict("y"), (1, 9)) == verdict("y", limited=(1, 9))
    assert still_limited(work, verdict("z"), (1,)).keys == (CategoryKey("z"),)


def settings(
    ours: Source = SOURCE, theirs: Source | None = None, *, x: Category | None = None, y: Category | None = None
) -> DedupeSettings:
    """Return the settings between a copy for x and an entry of a story in y."""
    publication = KnownPublication(
        story=1, category=2, entered_at=NOON, shown=1, digest=Digest("1:d"), updated=NOON, page=None, withdrawn_at=None
    )
    story = KnownStory(
        id=1, atom_id="u", page_id="p", founder=1, created_at=NOON, sources=frozenset(), publications=(publication,)
    )
    named = {X: x or Category(key=X, title="X"), Y: y or Category(key=Y, title="Y")}
    to = Roster({theirs.key: theirs} if theirs else {}, named)
    return dedupe_settings(ours, SourceKey("other"), story, Known(categories=categories("x", "y")), to)


OTHER = replace(SOURCE, key=SourceKey("other"))


@pytest.mark.parametrize("side", ["ours", "theirs", "x", "y"])
def test_the_strictest_of_all_settings_counts(side: str) -> None:
    plain: dict[str, Any] = {
        "ours": SOURCE,
        "theirs": OTHER,
        "x": Category(key=X, title=""),
        "y": Category(key=Y, title=""),
    }
    assert settings(**plain) == DedupeSettings(dedupe=Dedupe.NEAR, near=0.85, window=timedelta(days=7))
    for mode in (Dedupe.OFF, Dedupe.EXACT):
        assert settings(**(plain | {side: replace(plain[side], dedupe=mode)})).dedupe is mode
    assert settings(**(plain | {side: replace(plain[side], near=0.95)})).near == 0.95
    assert settings(**(plain | {side: replace(plain[side], near=0.5)})).near == 0.85
    assert settings(**(plain | {side: replace(plain[side], window=timedelta(days=1))})).window == timedelta(days=1)


def test_a_source_that_left_feeds_yaml_is_compared_exactly() -> None:
    assert settings().dedupe is Dedupe.EXACT
    assert settings(replace(SOURCE, dedupe=Dedupe.OFF)).dedupe is Dedupe.OFF
