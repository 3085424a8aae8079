"""Pairs of entries in fifteen languages: what is one story, and what only looks like it."""

from collections import Counter

import pytest

from aggregator.identify.tokens import without_boilerplate, without_label
from benchmarks.nearness import judge, telling, year
from tests.identify.aside import aside_pairs
from tests.identify.pairs import LABELS, LANGUAGES, all_pairs, language, pairs_of

CODES = sorted(path.stem for path in LANGUAGES.glob("*.toml"))


def test_there_are_three_hundred_pairs_in_fifteen_languages() -> None:
    counted = Counter((pair["lang"], pair["label"]) for pair in all_pairs())
    assert len(CODES) == 15
    assert counted.total() >= 300
    assert {count for (_, label), count in counted.items() if label == "different"} == {13}
    assert {count for (_, label), count in counted.items() if label == "same"} == {17}


@pytest.mark.parametrize("code", CODES)
def test_versions_of_a_story_are_one_and_what_looks_alike_stays_apart(code: str) -> None:
    wrong = {
        (pair["label"], pair["kind"]): verdict.because
        for pair in pairs_of(code)
        if (verdict := judge(pair)).is_same != (pair["label"] == "same")
    }
    assert wrong == {}


@pytest.mark.parametrize("code", CODES)
def test_two_entries_are_judged_alike_in_both_orders(code: str) -> None:
    for pair in pairs_of(code):
        assert judge(pair).is_same is judge({**pair, "a": pair["b"], "b": pair["a"]}).is_same, pair["kind"]


@pytest.mark.parametrize("code", CODES)
def test_labels_and_notes_of_another_site_do_not_count(code: str) -> None:
    label, note = LABELS[code]
    said = language(code)["paragraphs"][0]
    for text in (
        f"{label}: {said}",
        f"[{label}] {said} {note}",
        f"【{label}】{said}（{note}）",
        f"{said} {note}\n{note}",
    ):
        assert without_boilerplate(text) == said
    assert without_label(f"[{label}] {said}") == said
    assert without_label(label) == label
    assert without_boilerplate(said) == said


def test_pairs_that_were_kept_aside_are_told_apart_in_every_language() -> None:
    right, missed, wrong = Counter[str](), Counter[str](), list[str]()
    for number, pair in enumerate(aside_pairs()):
        there = judge({**pair, "a": pair["b"], "b": pair["a"]} if number % 2 else pair).is_same
        right[pair["lang"]] += there and pair["label"] == "same"
        missed[pair["lang"]] += not there and pair["label"] == "same"
        if there and pair["label"] == "different":
            wrong.append(f"{pair['lang']}, {pair['kind']}")
    assert wrong == []
    assert right.total() >= 0.98 * (right + missed).total()
    assert {code for code in right if right[code] < 0.9 * (right[code] + missed[code])} == set()


def test_a_corrected_number_counts_only_on_the_same_day() -> None:
    [pair] = [pair for pair in pairs_of("en") if pair["kind"] == "one number corrected"]
    assert judge(pair).is_same
    later = {**pair, "b": {**pair["b"], "published": "2026-03-05T10:15:37+00:00"}}
    assert (judge(later).is_same, judge(later).because) == (False, "numbers differ in the texts")
    unknown = {**pair, "b": {**pair["b"], "published": ""}}
    assert not judge(unknown).is_same


def test_the_digits_of_another_script_are_the_same_numbers() -> None:
    [pair] = [pair for pair in pairs_of("hi") if pair["kind"] == "letters, digits and marks"]
    assert telling(pair["a"]).tokens != ()
    assert [token for token in telling(pair["a"]).tokens if token.isdigit()] == [
        token for token in telling(pair["b"]).tokens if token.isdigit()
    ]


def test_papers_that_copy_each_other_tell_one_story_and_their_forms_stay_apart() -> None:
    merged, missed = year(2)
    assert merged == 0
    assert missed <= 2, "a paragraph may be the longest by far, and moves"


LIST = "See the full list of closures on our website, with maps and diversions."


@pytest.mark.parametrize(
    ("one", "other", "texts"),
    [
        ("LEEDS: Road closures this weekend", "YORK: Road closures this weekend", (LIST, LIST)),
        ("GAME 3: Full highlights and analysis", "GAME 4: Full highlights and analysis", ("", "")),
        ("Men's 100m freestyle final: results", "Women's 100m freestyle final: results", (LIST, LIST)),
        ("Severe weather warning: Kent", "Severe weather warning: Surrey", ("", "")),
        ("Severe weather warning: Kent", "Severe weather warning: East Sussex", (LIST[:40], LIST[:40])),
        (
            "Deal of the day",
            "Deal of the day",
            (
                "Our deal of the day is here, so be quick. Read more about the drill for 49 euros",
                "Our deal of the day is here, so be quick. Read more about the kettle for 19 euros",
            ),
        ),
        *(
            (
                language("de")["title"].replace("Altstadtbrücke", f"Brücke in {one} am Fluss"),
                language("de")["title"].replace("Altstadtbrücke", f"Brücke in {other} am Fluss"),
                (" ".join(language("de")["paragraphs"]),) * 2,
            )
            for one, other in [("Köln", "Bonn")]
        ),
    ],
)
def test_places_and_names_in_titles_make_two_stories(one: str, other: str, texts: tuple[str, str]) -> None:
    sides = [
        {"title": title, "html": html, "link": f"https://{name}.example/", "published": "2026-03-04T10:15:37Z"}
        for title, html, name in zip((one, other), texts, "ab", strict=True)
    ]
    for first, second in (sides, sides[::-1]):
        assert not judge(
            {"a": {**first, "link": "https://a.example/1"}, "b": {**second, "link": "https://b.example/2"}}
        ).is_same
