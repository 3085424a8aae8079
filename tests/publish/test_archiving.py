"""Tests which publications go to which archive page."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.model.settings import Show
from aggregator.publish.archiving import HEAVIEST, Candidate, Page, file_pages, fitting, in_order, weight_of
from tests.examples import examples
from tests.fake_source import FakeSource, said
from tests.sample_site import ATOM, SampleSite

NOW = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def a_main(*spans: tuple[int, timedelta, bool], start: int = 0) -> list[Candidate]:
    """Return a main document, newest first, from spans: number, time since they entered, whether by a backfill."""
    rows = [(entered, backfill) for count, entered, backfill in spans for _ in range(count)]
    return [
        Candidate(
            story=start + place,
            sort_at=NOW - timedelta(minutes=place),
            atom_id=f"tag:x,2025:{place}",
            entered_at=NOW - entered,
            backfill=backfill,
        )
        for place, (entered, backfill) in enumerate(rows)
    ]


def filed(main: list[Candidate], *, entries: int = 50, archive_page: int = 50, pages: int = 0) -> list[Page]:
    return file_pages(main, now=NOW, entries=entries, archive_page=archive_page, pages=pages)


@pytest.mark.parametrize(
    ("main", "sizes"),
    [
        pytest.param(a_main((99, 2 * DAY, False)), [], id="one-too-few"),
        pytest.param(a_main((100, 2 * DAY, False)), [50], id="just-enough"),
        pytest.param(a_main((149, 2 * DAY, False)), [50], id="one-page-only"),
        pytest.param(a_main((150, 2 * DAY, False)), [50, 50], id="in-a-loop"),
        pytest.param(a_main((100, DAY / 2, False)), [], id="a-burst-rests"),
        pytest.param(a_main((99, DAY / 2, False), (1, 2 * DAY, False)), [], id="one-of-them-fresh-is-enough"),
        pytest.param(a_main((50, DAY / 2, False), (50, DAY, False)), [50], id="fresh-ones-that-stay-do-not-count"),
        pytest.param(a_main((199, DAY / 2, False)), [], id="a-burst-up-to-four-times"),
        pytest.param(a_main((200, DAY / 2, False)), [50], id="no-more-than-four-times"),
        pytest.param(a_main((300, DAY / 2, False)), [50, 50, 50], id="down-to-four-times"),
        pytest.param([], [], id="empty"),
    ],
)
def test_m3_filing_of_news(main: list[Candidate], sizes: list[int]) -> None:
    assert [len(ids) for _, ids in filed(main)] == sizes


def test_m3_the_last_ones_in_order_go_first() -> None:
    assert filed(a_main((150, 2 * DAY, False)), pages=7) == [(8, list(range(100, 150))), (9, list(range(50, 100)))]


def test_m3_a_large_archive_page_waits_until_there_is_one() -> None:
    assert filed(a_main((299, DAY / 2, False)), entries=50, archive_page=250) == []
    assert len(filed(a_main((300, DAY / 2, False)), entries=50, archive_page=250)) == 1


def weighed(*mebibytes: float) -> list[Candidate]:
    main = a_main((len(mebibytes), timedelta(0), False))
    return [replace(p, weight=int(size * 2**20)) for p, size in zip(main, mebibytes, strict=True)]


@pytest.mark.parametrize(
    ("main", "pages"),
    [
        pytest.param(weighed(4, 3, 2), [], id="just-light-enough"),
        pytest.param(weighed(3, 3, 2, 2), [[2, 3]], id="down-to-three-quarters-in-one-page"),
        pytest.param(weighed(12), [], id="the-newest-stays"),
        pytest.param(weighed(12, 1), [[1]], id="alone-if-need-be"),
        pytest.param(weighed(5, 5, 5, 5), [[3], [2], [1]], id="no-page-is-too-heavy-either"),
    ],
)
def test_a22_what_is_too_heavy_loses_its_last_ones(main: list[Candidate], pages: list[list[int]]) -> None:
    assert [ids for _, ids in filed(main)] == pages


def test_a22_a_weight_is_no_less_than_what_is_written() -> None:
    text = '<p>AT&amp;T says "no" to 大众日报\\\n</p>' * 20
    assert weight_of(Show.FULL, "", text) >= len(escape(text).encode())
    as_json = json.dumps(text, ensure_ascii=False)
    for sign in "<>&":
        as_json = as_json.replace(sign, f"\\u{ord(sign):04x}")
    assert weight_of(Show.FULL, "", text) >= len(as_json.encode()) - 2
    assert weight_of(Show.SUMMARY, "short", text) == 5
    assert weight_of(Show.TITLE, "short", text) == 0


@pytest.mark.parametrize(
    ("sizes", "held"),
    [
        pytest.param([], 0, id="empty"),
        pytest.param([4, 3, 2], 3, id="just-light-enough"),
        pytest.param([4, 3, 3, 1], 2, id="the-first-ones-in-order"),
        pytest.param([12, 1], 1, id="the-newest-stays"),
        pytest.param([1, 12, 1], 1, id="none-behind-one-that-is-too-heavy"),
    ],
)
def test_a22_a_document_without_archive_holds_what_is_not_too_heavy(sizes: list[int], held: int) -> None:
    assert fitting([("", "x" * (size * 2**20)) for size in sizes]) == held


@settings(max_examples=examples(50), deadline=None)
@given(st.lists(st.tuples(st.sampled_from("x<\n字"), st.integers(0, 2**21)), max_size=12))
def test_a22_what_it_holds_is_by_weight_and_not_by_how_it_is_found(texts: list[tuple[str, int]]) -> None:
    weights = [weight_of(Show.FULL, "", sign * length) for sign, length in texts]
    held = fitting([("", sign * length) for sign, length in texts])
    assert held <= 1 or sum(weights[:held]) <= HEAVIEST
    assert held == len(texts) or sum(weights[: held + 1]) > HEAVIEST


def test_a22_all_together_stays_light_and_the_rest_stands_in_its_categories(sample_site: SampleSite) -> None:
    rows = [f"  - {{key: {key}, url: 'https://{key}.example/', category: {key}}}" for key in "abcd"]
    sample_site.writes("\n".join(["publish: {formats: [atom, json]}", "defaults: {dedupe: off}", "sources:", *rows]))
    with sample_site.opened() as app:
        for key in "abcd":
            sample_site.clock.move(hours=1)
            FakeSource(app).says(key, said(key, text="long-" * 520_000))
        app.publisher.publish()
    assert sample_site.titles("all.atom") == ["Title d", "Title c", "Title b"]
    assert [item["title"] for item in sample_site.items("all.json")] == sample_site.titles("all.atom")
    assert sample_site.titles("category/a.atom") == ["Title a"]
    assert max((sample_site.folder / "public" / name).stat().st_size for name in ("all.atom", "all.json")) < 10 * 2**20


def test_a22_whoever_walks_the_archive_meets_each_once(sample_site: SampleSite) -> None:
    sample_site.writes(
        "publish: {formats: [atom]}\ndefaults: {dedupe: off}\nsources: [{key: a, url: 'https://a.example/'}]"
    )
    with sample_site.opened() as app:
        for number in range(4):
            sample_site.clock.move(hours=1)
            FakeSource(app).says("a", said(number, text="long-" * 520_000))
        app.publisher.publish()
    documents = ("category/general.atom", "category/general/archive/1.atom")
    told = [[entry.findtext(f"{ATOM}title") for entry in sample_site.entries(path)] for path in documents]
    assert told == [["Title 3", "Title 2"], ["Title 1", "Title 0"]]
    assert (sample_site.folder / "public" / documents[0]).stat().st_size < 10 * 2**20


def test_m4_a_backfill_is_filed_at_once_oldest_first_the_last_page_short() -> None:
    pages = filed(a_main((170, timedelta(0), True)))
    assert pages == [(1, list(range(120, 170))), (2, list(range(70, 120))), (3, list(range(50, 70)))]


def test_m4_news_between_a_backfill_stay() -> None:
    main = a_main((60, DAY / 2, False), (30, timedelta(0), True), (10, DAY / 2, False))
    assert filed(main) == [(1, list(range(60, 90)))]


def test_m4_what_has_been_seen_by_a_filing_is_pushed_down_like_news() -> None:
    """Else each new entry would push one out, and make a page of one."""
    assert filed(a_main((1, timedelta(0), False), (50, DAY, False))) == []


def test_m9_initial_of_a_source_in_an_empty_category_stays_in_the_main_document() -> None:
    assert filed(a_main((50, timedelta(0), True))) == []


def test_m9_initial_of_a_source_in_a_full_category() -> None:
    """Entries newer than the 50th of the category stay, the others are one short page."""
    old = a_main((50, 2 * DAY, False))
    new = [
        Candidate(
            story=1000 + place,
            sort_at=NOW - timedelta(minutes=20 + place, seconds=30),
            atom_id=f"tag:y,2025:{place}",
            entered_at=NOW,
            backfill=True,
        )
        for place in range(50)
    ]
    standing = in_order([*old, *new])
    stay = {p.story for p in standing[:50]}
    [(number, ids)] = filed([*old, *new], pages=9)
    assert number == 10
    assert ids == [p.story for p in new if p.story not in stay]
    assert 0 < len(ids) < 50


def test_m9_five_thousand_at_once_in_an_empty_category() -> None:
    pages = filed(a_main((2000, timedelta(0), True)))
    assert [len(ids) for _, ids in pages] == [50] * 39
    assert [number for number, _ in pages] == list(range(1, 40))
    assert 1999 in pages[0][1]
    assert {story for _, ids in pages for story in ids} == set(range(50, 2000))


def test_m1_order_is_sort_at_then_atom_id() -> None:
    def at(story: int, minutes: int, atom_id: str) -> Candidate:
        when = NOW - timedelta(minutes=minutes)
        return Candidate(story=story, sort_at=when, atom_id=atom_id, entered_at=NOW, backfill=False)

    assert [p.story for p in in_order([at(1, 5, "b"), at(2, 5, "a"), at(3, 1, "c")])] == [3, 2, 1]


STANDINGS = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 72), st.booleans()), max_size=160).map(
    lambda rows: [
        Candidate(
            story=number,
            sort_at=NOW - timedelta(hours=age),
            atom_id=f"tag:x,2025:{number % 7}-{number}",
            entered_at=NOW - timedelta(hours=entered),
            backfill=backfill,
        )
        for number, (age, entered, backfill) in enumerate(rows)
    ]
)


@settings(max_examples=examples(300), deadline=None)
@given(main=STANDINGS, entries=st.integers(1, 30), archive_page=st.integers(1, 25), count=st.integers(0, 5))
def test_m2_every_publication_stands_in_exactly_one_place(
    main: list[Candidate], entries: int, archive_page: int, count: int
) -> None:
    pages = filed(main, entries=entries, archive_page=archive_page, pages=count)
    gone = [story for _, ids in pages for story in ids]
    assert len(gone) == len(set(gone))
    assert {p.story for p in main} >= set(gone)
    assert [number for number, _ in pages] == list(range(count + 1, count + 1 + len(pages)))
    assert all(0 < len(ids) <= archive_page for _, ids in pages)
    order = [p.story for p in in_order(main)]
    assert not set(order[:entries]) & set(gone)  # M3, M4: the first ones always stay
    assert all(ids == sorted(ids, key=order.index) for _, ids in pages)
    left = [p for p in main if p.story not in gone]
    assert not [p for p in in_order(left)[entries:] if p.backfill]  # M4: at once
    assert len(left) < max(4 * entries, entries + archive_page)  # M3: from `entries` to about four times
    assert filed(left, entries=entries, archive_page=archive_page) == []  # nothing more to do
