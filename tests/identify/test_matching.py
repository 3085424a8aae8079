"""Which story an entry may join: each kind of evidence, and what forbids it (T2, T5, T8)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aggregator.errors import CutShort
from aggregator.identify.budget import Budget
from aggregator.identify.keys import global_id_hash
from aggregator.identify.matching import (
    DedupeSettings,
    Evidence,
    Found,
    StoryMatcher,
    dedupe_link,
    telling,
    telling_of,
)
from aggregator.model.entry import Digest, Entry, EntryKey
from aggregator.model.known import EntryState, Known, KnownEntry, KnownPublication, KnownStory
from aggregator.model.settings import Dedupe, SourceKey
from aggregator.urls import Url

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
HOUR, WEEK = timedelta(hours=1), timedelta(days=7)
TITLE = "The lamp of the old lighthouse is back"
TEXT = (
    "After nine years in a workshop cellar, the lamp of the old lighthouse is back where it belongs. Four people "
    "carried its lens up the one hundred and twelve steps in the early morning, before the wind got up."
)
OTHER = "Somebody should have filmed this. The little museum next door has a model of the mechanism; go and see."
LINK = "news.example/lamp"
TAG, URL = "tag:news.example,2026:lamp", "https://news.example/?p=1"


def stored(number: int, **fields: Any) -> KnownEntry:
    """Return an entry of source 10 + its id, which founded story 100 + its id."""
    plain = KnownEntry(
        id=number,
        source=10 + number,
        source_key=SourceKey(f"s{number}"),
        source_host="news.example",
        key=f"k{number}",
        form=f"f{number}",
        own_id=None,
        digest=Digest("1:d"),
        shown_digest=Digest("1:d"),
        id_hash=None,
        text_digest=None,
        match_link=None,
        title=TITLE,
        link=None,
        summary="",
        content=TEXT,
        published=None,
        updated=None,
        first_seen=NOON,
        undated=0,
        state=EntryState.PUBLISHED,
        story=100 + number,
        taken_back_at=None,
        merged_from=None,
        categories=(1,),
        credited=False,
        private=False,
    )
    return replace(plain, **fields)


def story_of(founder: KnownEntry, *, shown: int | None = None, **fields: Any) -> KnownStory:
    """Return the story that an entry founded, which shows it in category 1."""
    assert founder.story is not None
    publication = KnownPublication(
        story=founder.story,
        category=1,
        entered_at=NOON,
        shown=founder.id if shown is None else shown,
        digest=founder.digest,
        updated=NOON,
        page=None,
        withdrawn_at=None,
    )
    plain = KnownStory(
        id=founder.story,
        atom_id=f"urn:{founder.story}",
        page_id=f"{founder.story:016x}",
        founder=founder.id,
        created_at=NOON,
        sources=frozenset({founder.source}),
        publications=(publication,),
    )
    return replace(plain, **fields)


def world(*entries: KnownEntry, stories: tuple[KnownStory, ...] | None = None, **fields: Any) -> Known:
    """Return what is known: these entries and their stories."""
    made = stories if stories is not None else tuple(map(story_of, entries))
    return Known(
        others={one.id: one for one in entries},
        stories={one.id: one for one in made},
        bearers={LINK: {one.source: 1 for one in entries}},
        **fields,
    )


def new(**fields: Any) -> Entry:
    return replace(Entry(key=EntryKey("new"), title=TITLE, text=TEXT), **fields)


def found(known: Known, entry: Entry, *, settings: DedupeSettings | None = None, **asked: Any) -> Found:
    """Return what a matcher finds for an entry of source 1, first seen at noon."""
    given = settings or DedupeSettings(dedupe=Dedupe.NEAR)
    budget = asked.pop("budget", None)
    arguments: dict[str, Any] = {"link": None, "seen": NOON, "near": (), "settings_of": lambda story, other: given}
    return StoryMatcher(known, budget).matches(entry, 1, **(arguments | asked))


def evidence(known: Known, entry: Entry, **asked: Any) -> list[tuple[int, Evidence, bool]]:
    return [(match.story, match.evidence, match.agrees) for match in found(known, entry, **asked).matches]


def test_one_digest() -> None:
    known = world(stored(1, text_digest="1:t"))
    (match,) = found(known, new(text_digest=Digest("1:t"))).matches
    assert (match.story, match.evidence, match.other.id, match.agrees) == (101, Evidence.DIGEST, 1, True)
    assert (match.similarity, match.because) == (1.0, "")
    assert evidence(known, new(text_digest=Digest("1:u"))) == []
    assert evidence(world(stored(1)), new()) == [], "no digest is no evidence"


@pytest.mark.parametrize(
    ("own_id", "text", "title", "expected"),
    [
        pytest.param(TAG, TEXT, TITLE, [(101, Evidence.ID, True)], id="tag-and-text"),
        pytest.param(URL, TEXT, TITLE, [(101, Evidence.ID, True)], id="url-and-text"),
        pytest.param(TAG, OTHER, TITLE, [(101, Evidence.ID, False)], id="tag-and-title"),
        pytest.param(URL, OTHER, TITLE, [], id="url-and-title"),
        pytest.param(TAG, OTHER, "Worth seeing", [], id="tag-alone"),
    ],
)
def test_one_id(own_id: str, text: str, title: str, expected: list[tuple[int, Evidence, bool]]) -> None:
    known = world(stored(1, id_hash=global_id_hash(own_id)))
    assert evidence(known, new(id=own_id, text=text, title=title)) == expected


def test_one_link_with_agreeing_text() -> None:
    known = world(stored(1, match_link=LINK))
    (match,) = found(known, new(), link=LINK).matches
    assert (match.evidence, match.agrees, match.similarity) == (Evidence.LINK, True, 1.0)
    assert match.because == "same title, same text"
    assert evidence(known, new(text=OTHER), link=LINK) == []
    assert evidence(known, new(), link="news.example/other") == []
    assert evidence(world(stored(1)), new(), link=LINK) == [], "the other has no link"


@pytest.mark.parametrize("bearers", [{}, {LINK: {}}, {LINK: {11: 2}}, {LINK: {11: 0}}, {LINK: {12: 1}}])
def test_a_link_that_its_source_uses_more_than_once_is_no_evidence(bearers: dict[str, dict[int, int]]) -> None:
    known = replace(world(stored(1, match_link=LINK)), bearers=bearers)
    assert evidence(known, new(), link=LINK) == []


def test_a_shared_band_with_nearly_the_same_text() -> None:
    known = world(stored(1))
    (match,) = found(known, new(text=f"{TEXT} Correction."), near={1}).matches
    assert (match.evidence, match.agrees) == (Evidence.NEAR, True)
    assert evidence(known, new(text=OTHER), near={1}) == []
    assert evidence(known, new(), near={2}) == []
    assert evidence(world(stored(1, thinned=True)), new(), near={1}) == [], "its text is gone"


@pytest.mark.parametrize(
    ("seen", "own", "theirs", "is_close"),
    [
        (WEEK, None, None, True),
        (-WEEK, None, None, True),
        (WEEK + HOUR, None, None, False),
        (-WEEK - HOUR, None, None, False),
        (2 * WEEK, NOON, NOON + WEEK, True),
        (2 * WEEK, NOON, NOON - WEEK, True),
        (2 * WEEK, NOON, NOON + WEEK + HOUR, False),
        (2 * WEEK, NOON, None, False),
        (2 * WEEK, None, NOON, False),
    ],
)
def test_near_duplicates_lie_in_one_window(
    seen: timedelta, own: datetime | None, theirs: datetime | None, is_close: bool
) -> None:
    for field in ("published", "updated"):
        known = world(stored(1, **{field: theirs}))
        assert bool(evidence(known, new(**{field: own}), near={1}, seen=NOON + seen)) is is_close


@pytest.mark.parametrize(
    ("dedupe", "kinds"),
    [
        (Dedupe.OFF, set()),
        (Dedupe.EXACT, {"text", "id", "link"}),
        (Dedupe.NEAR, {"text", "id", "link", "near"}),
    ],
)
def test_what_each_setting_allows(dedupe: Dedupe, kinds: set[str]) -> None:
    settings = DedupeSettings(dedupe=dedupe)
    by_kind: dict[str, list[tuple[int, Evidence, bool]]] = {
        "text": evidence(world(stored(1, text_digest="1:t")), new(text_digest=Digest("1:t")), settings=settings),
        "id": evidence(world(stored(1, id_hash=global_id_hash(TAG))), new(id=TAG), settings=settings),
        "link": evidence(world(stored(1, match_link=LINK)), new(), link=LINK, settings=settings),
        "near": evidence(world(stored(1)), new(), near={1}, settings=settings),
    }
    assert {kind for kind, matches in by_kind.items() if matches} == kinds


def test_the_similarity_that_the_settings_require() -> None:
    known, other = world(stored(1)), new(text=TEXT.replace("workshop", "garden"))
    assert evidence(known, other, near={1}, settings=DedupeSettings(dedupe=Dedupe.NEAR, near=0.9))
    assert not evidence(known, other, near={1}, settings=DedupeSettings(dedupe=Dedupe.NEAR, near=0.99))
    assert found(known, other, near={1}).matches[0].similarity == round(
        found(known, other, near={1}).matches[0].similarity, 3
    )


def test_t2_a_source_joins_a_story_once() -> None:
    one = stored(1, text_digest="1:t")
    told = story_of(one, sources=frozenset({11, 1}))
    known = world(one, stories=(told,))
    entry = new(text_digest=Digest("1:t"))
    assert evidence(known, entry) == []
    assert evidence(known, entry, stays=101) == [(101, Evidence.DIGEST, True)], "it tells that story already"
    assert evidence(known, entry, stays=102) == []
    own = world(replace(one, source=1), stories=(replace(told, sources=frozenset({1})),))
    assert evidence(own, entry, stays=101) == [], "nothing is a copy of itself"


def test_a_story_that_nobody_publishes_is_joined_only_if_an_operator_retracted_it() -> None:
    one = stored(1, text_digest="1:t")
    gone = story_of(one)
    gone = replace(gone, publications=tuple(replace(p, withdrawn_at=NOON) for p in gone.publications))
    entry = new(text_digest=Digest("1:t"))
    assert evidence(world(one, stories=(gone,)), entry) == []
    assert evidence(world(one, stories=(replace(gone, retracted_at=NOON),)), entry) == [(101, Evidence.DIGEST, True)]
    half = replace(
        gone, publications=(*gone.publications, replace(gone.publications[0], category=2, withdrawn_at=None))
    )
    assert evidence(world(one, stories=(half,)), entry) == [(101, Evidence.DIGEST, True)]


def test_t5_only_founding_and_shown_entries_count() -> None:
    founder, shown, member = stored(1, content=OTHER), stored(2, content=OTHER), stored(3, text_digest="1:t")
    shown, member = replace(shown, story=101), replace(member, story=101)
    told = story_of(founder, shown=2)
    entry = new(text_digest=Digest("1:t"))
    assert evidence(world(founder, shown, member, stories=(told,)), entry) == []
    assert evidence(world(founder, replace(shown, text_digest="1:t"), stories=(told,)), entry)
    assert evidence(world(replace(founder, text_digest="1:t"), shown, stories=(told,)), entry)
    left = replace(shown, text_digest="1:t", story=999)
    assert evidence(world(founder, left, stories=(told,)), entry) == [], "it tells another story now"
    merged = world(founder, shown, member, stories=(told,), same={1: frozenset({3})})
    assert evidence(merged, entry) == [(101, Evidence.DIGEST, True)], "an operator merged what it founded"


def test_the_oldest_story_comes_first_and_each_with_its_strongest_evidence() -> None:
    one = stored(2, match_link=LINK, text_digest="1:t")
    two = stored(1, match_link=LINK)
    entry = new(text_digest=Digest("1:t"))
    assert evidence(world(one, two), entry, link=LINK) == [(101, Evidence.LINK, True), (102, Evidence.DIGEST, True)]
    shown = replace(two, id=3, source=13, story=102)
    known = world(one, shown, stories=(story_of(one, shown=3),))
    assert evidence(known, entry, link=LINK) == [(102, Evidence.DIGEST, True)]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        pytest.param({"text_digest": "1:t"}, [], id="matches-both-as-well"),
        pytest.param({"content": TEXT}, [(101, Evidence.DIGEST, True)], id="matches-the-first-better"),
        pytest.param(
            {"content": OTHER, "title": "Another"}, [(101, Evidence.DIGEST, True)], id="matches-the-first-alone"
        ),
    ],
)
def test_t8_what_an_operator_called_different(
    other: dict[str, Any], expected: list[tuple[int, Evidence, bool]]
) -> None:
    one, opposed = stored(1, text_digest="1:t"), stored(2, **other)
    known = world(one, opposed, stories=(story_of(one),), different={1: frozenset({2})})
    assert evidence(known, new(text_digest=Digest("1:t"))) == expected


def test_t8_of_two_near_texts_the_more_similar_decides() -> None:
    entry = new()
    one, opposed = stored(1, content=f"{TEXT} Correction, of the number."), stored(2)
    known = world(one, opposed, stories=(story_of(one),), different={1: frozenset({2})})
    assert evidence(known, entry, near={1}) == []
    swapped = world(
        stored(1),
        stored(2, content=one.content.replace("workshop", "garden")),
        stories=(story_of(stored(1)),),
        different={1: frozenset({2})},
    )
    assert evidence(swapped, entry, near={1}) == [(101, Evidence.NEAR, True)]


def test_what_is_not_compared_counts_as_different_and_is_named() -> None:
    spent = Budget(seconds=0.0, clock=lambda: 0.0)
    result = found(world(stored(1)), new(), near={1}, budget=spent)
    assert (result.matches, result.uncompared) == ((), frozenset({1}))
    same = found(world(stored(1, text_digest="1:t")), new(text_digest=Digest("1:t")), near={1}, budget=spent)
    assert (len(same.matches), same.uncompared) == (1, frozenset())
    costly = stored(1, content="漢" * 1400)
    result = found(world(costly), new(text="漢" * 1399 + "字"), near={1})
    assert (result.matches, result.uncompared) == ((), frozenset({1}))


def test_r54_nothing_is_compared_once_the_program_stops() -> None:
    with pytest.raises(CutShort):
        found(world(stored(1)), new(), near={1}, budget=Budget(is_cut=lambda: True))


def test_what_is_compared_of_an_entry() -> None:
    when = NOON.replace(second=5)
    entry = new(title="x" * 5000, published=when, content="<p>ignored</p>")
    assert telling(entry).title == telling_of(stored(1, title="x" * 5000)).title
    assert len(telling(entry).title) < 5000
    assert telling(entry).text == TEXT
    assert telling_of(stored(1, content="<p>A <b>b</b></p>", summary="no")).text == "A b"
    assert telling_of(stored(1, content="", summary="<p>A</p>")).text == "A"
    assert (telling(entry).instant, telling(new(published=NOON)).instant, telling(new()).instant) == (when, None, None)
    assert telling_of(stored(1, published=when)).instant == when


def test_a_start_page_is_no_evidence() -> None:
    assert dedupe_link(new()) is None
    assert dedupe_link(new(link=Url("https://news.example/"))) is None
    assert dedupe_link(new(link=Url("https://www.news.example/lamp?utm_source=x"))) == LINK
