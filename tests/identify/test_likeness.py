"""Comparison of two entries, each threshold from both sides; `because` names the branch that decided."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from aggregator.identify.similarity import NOT_COMPARED, Likeness, likeness, may_be_versions
from aggregator.identify.telling import MAX_TOKENS, Telling

WORDS = ["".join(letters) for letters in product("bcdfghjk", "aeiou", "lmnprst", "aeo")]  # 840, each once
SAME, ALIKE, OTHER = "lamp of the old lighthouse", "lamp of the new station", "something else entirely written here"
SECOND = datetime(2026, 3, 4, 12, 0, 35, tzinfo=UTC)


def text(words: Iterable[str]) -> str:
    return " ".join(words)


def changed(count: int, places: Iterable[int]) -> str:
    """Return a text of so many words with other words at some places."""
    return text("z" + word if place in set(places) else word for place, word in enumerate(WORDS[:count]))


def compared(
    one: str, other: str, titles: tuple[str, str] = (SAME, SAME), *, linked: bool = False, near: float = 0.85
) -> tuple[bool, str]:
    there = likeness(Telling(titles[0], one), Telling(titles[1], other), linked=linked, near=near)
    back = likeness(Telling(titles[1], other), Telling(titles[0], one), linked=linked, near=near)
    assert (there.is_same, there.because, there.is_compared) == (back.is_same, back.because, True)
    return there.is_same, there.because


SAME_TEXT, DIFFERS = (True, "same title, same text"), (False, "the texts differ")
LITTLE = (False, "too little text to go by")


@pytest.mark.parametrize(
    ("titles", "texts", "linked", "expected"),
    [
        pytest.param(("issue 1", "issue 2"), ("", ""), True, (False, "numbers differ in the titles"), id="numbers"),
        pytest.param(("one two three four five six",) * 2, ("", ""), False, (True, "same title"), id="six-words"),
        pytest.param(("one two three four five",) * 2, ("", ""), False, (True, "same title"), id="both-without-text"),
        pytest.param(("one two three four five six",) * 2, ("", "a b"), False, (True, "same title"), id="one-has-none"),
        pytest.param(("one two three four five",) * 2, ("", "a b"), False, LITTLE, id="five-words"),
        pytest.param(("one",) * 2, ("a b", "a b"), False, (True, "same title"), id="equal-short-texts"),
        pytest.param(("one",) * 2, ("a b", "a c"), False, LITTLE, id="other-short-texts"),
        pytest.param(("one",) * 2, ("a b", "a c"), True, (True, "same title"), id="other-short-texts-linked"),
        pytest.param(
            ("one two three four",) * 2,
            ("b c", "a b c d"),
            False,
            (True, "same title, and the text of one stands in the other's"),
            id="a-part-of-the-text",
        ),
        pytest.param(("one two three",) * 2, ("b c", "a b c d"), False, LITTLE, id="a-part-under-three-words"),
        pytest.param(("one two three four",) * 2, ("b d", "a b c d"), False, LITTLE, id="no-part"),
        pytest.param(
            ("now one two three four", "one two three four"),
            ("b c", "a b c d"),
            False,
            (True, "same title, and the text of one stands in the other's"),
            id="a-part-within",
        ),
        pytest.param(
            ("now one two three four", "one two three four"),
            ("x", "y"),
            True,
            (True, "same link, and one title goes on where the other ends"),
            id="within-linked",
        ),
        pytest.param(("now one two three four", "one two three four"), ("x", "y"), False, LITTLE, id="within"),
        pytest.param(("one two a b", "one two c d"), ("", ""), True, LITTLE, id="alike-linked"),
    ],
)
def test_where_one_has_hardly_any_text(
    titles: tuple[str, str], texts: tuple[str, str], linked: bool, expected: tuple[bool, str]
) -> None:
    assert compared(*texts, titles, linked=linked) == expected
    found = likeness(Telling(titles[0], texts[0]), Telling(titles[1], texts[1]), linked=linked)
    assert found.similarity == (1.0 if found.is_same else 0.0)


def test_a_text_of_eight_words_is_compared_as_a_text() -> None:
    assert compared(text(WORDS[:8]), text(WORDS[:8])) == SAME_TEXT
    assert compared(text(WORDS[:7]), text(WORDS[:7])) == (True, "same title")


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (("one two a b", SECOND, ""), ("one two c d", SECOND, ""), True),
        (("now one two three four", SECOND, ""), ("one two three four", SECOND, ""), True),
        (("one two a b", SECOND, ""), ("one two c d", SECOND + timedelta(seconds=1), ""), False),
        (("one two a b", None, ""), ("one two c d", None, ""), False),
        (("one two a b", SECOND, ""), ("one two c d", SECOND, "x"), False),
        (("one a b c", SECOND, ""), ("two d e f", SECOND, ""), False),
        (("Severe weather here: Kent coast", SECOND, ""), ("Severe weather here: Surrey coast", SECOND, ""), False),
        (("Storm of 2026: Kent coast", SECOND, ""), ("Storm of 2026: Surrey coast", SECOND, ""), True),
        (("Severe weather: Kent: coast", SECOND, ""), ("Severe weather: Surrey: coast", SECOND, ""), True),
    ],
)
def test_like_titles_of_one_second(
    one: tuple[str, datetime | None, str], other: tuple[str, datetime | None, str], is_same: bool
) -> None:
    found = likeness(Telling(one[0], one[2], one[1]), Telling(other[0], other[2], other[1]))
    assert found.similarity == (1.0 if is_same else 0.0)
    assert (found.is_same, found.because) == (is_same, "like titles of the same second" if is_same else LITTLE[1])


@pytest.mark.parametrize(
    ("titles", "linked", "most"),
    [
        pytest.param((SAME, SAME), False, 3, id="same-titles-0.85"),
        pytest.param((SAME, SAME), True, 3, id="same-titles-linked-0.85"),
        pytest.param((SAME, ALIKE), True, 4, id="alike-titles-linked-0.8"),
        pytest.param((SAME, OTHER), True, 2, id="other-titles-linked-0.9-but-not-over-near"),
    ],
)
def test_how_many_words_of_twenty_may_differ(titles: tuple[str, str], linked: bool, most: int) -> None:
    one = text(WORDS[:20])
    near = 0.95 if most == 2 else 0.85
    for count in range(6):
        places = range(2, 2 + 3 * count, 3) if count <= 6 else ()
        is_same, because = compared(one, changed(20, places), titles, linked=linked, near=near)
        assert is_same is (count <= most), count
        assert because in (SAME_TEXT[1], "same link, agreeing text", DIFFERS[1])


def test_the_similarity_that_is_asked_for_bounds_what_a_link_needs() -> None:
    one, other = text(WORDS[:20]), changed(20, (2, 5, 8))
    assert compared(one, other, (SAME, OTHER), linked=True, near=0.5) == DIFFERS, "0.9 of the shorter is asked anyway"
    assert compared(one, changed(20, (2, 5)), (SAME, OTHER), linked=True, near=0.5)[0]
    assert compared(one, changed(20, (2, 5, 8, 11)), (SAME, ALIKE), linked=True, near=0.5)[0]


@pytest.mark.parametrize(("around", "is_same"), [(13, True), (14, False)])
def test_six_tenths_of_the_shorter_text_must_be_shared(around: int, is_same: bool) -> None:
    head, other_head = text(WORDS[400 : 400 + around]), text(WORDS[500 : 500 + around])
    core = text(WORDS[:20])
    assert compared(f"{head} {core}", f"{other_head} {core}") == (SAME_TEXT if is_same else DIFFERS)
    assert compared(f"{core} {head}", f"{core} {other_head}")[0] is is_same


def test_the_similarity_is_that_of_the_cores() -> None:
    one = likeness(Telling(SAME, text(WORDS[:20])), Telling(SAME, f"{text(WORDS[400:410])} {changed(20, (2, 5))}"))
    assert one.similarity == pytest.approx(0.9)
    none = likeness(Telling(SAME, text(WORDS[:20])), Telling(SAME, text(WORDS[100:120])))
    assert (none.is_same, none.similarity) == (False, 0.0)


@pytest.mark.parametrize(
    ("count", "other", "because"),
    [
        pytest.param(99, (), "the texts differ", id="short"),
        pytest.param(299, (), "other titles, and the text may be a form", id="no kinship"),
        pytest.param(300, (299,), "other titles, and the text may be a form", id="short core"),
        pytest.param(300, (), "same text under another title", id="long"),
        pytest.param(300, (50, 60, 70, 80, 90, 100), "same text under another title", id="0.98"),
        pytest.param(300, (50, 60, 70, 80, 90, 100, 110), "the texts differ", id="less"),
    ],
)
def test_one_text_under_another_title(count: int, other: tuple[int, ...], because: str) -> None:
    found = compared(text(WORDS[:count]), changed(count, other), (SAME, OTHER))
    assert found == (because == "same text under another title", because)


def test_a_higher_threshold_holds_under_another_title_too() -> None:
    one, other = text(WORDS[:300]), changed(300, (50, 60))
    assert compared(one, other, (SAME, OTHER))[0]
    assert not compared(one, other, (SAME, OTHER), near=0.999)[0]


def numbered(count: int, numbers: dict[int, str]) -> str:
    return text(numbers.get(place, word) for place, word in enumerate(WORDS[:count]))


NUMBERS = (False, "numbers differ in the texts")
FORM = (False, "one form, filled in with another name")


@pytest.mark.parametrize(
    ("count", "ours", "theirs", "linked", "expected"),
    [
        pytest.param(20, {9: "5"}, {9: "6"}, False, NUMBERS, id="one"),
        pytest.param(20, {9: "5"}, {9: "5"}, False, SAME_TEXT, id="equal"),
        pytest.param(20, {9: "5"}, {}, False, NUMBERS, id="one-side"),
        pytest.param(20, {9: "5"}, {9: "6"}, True, NUMBERS, id="short-and-linked"),
        pytest.param(200, {9: "5", 19: "7"}, {9: "6", 19: "8"}, True, SAME_TEXT, id="two-in-200-linked"),
        pytest.param(200, {9: "5", 19: "7"}, {9: "6", 19: "8"}, False, NUMBERS, id="two-in-200"),
        pytest.param(199, {9: "5"}, {9: "6"}, True, NUMBERS, id="one-in-199-linked"),
        pytest.param(200, {9: "5", 19: "7", 29: "1"}, {9: "6", 19: "8"}, True, NUMBERS, id="five-in-200-linked"),
        pytest.param(20, {0: "5"}, {}, False, SAME_TEXT, id="a-dateline"),
        pytest.param(20, {0: "5"}, {0: "6"}, False, NUMBERS, id="both-begin-with-a-number"),
        pytest.param(20, {19: "5"}, {19: "6"}, False, NUMBERS, id="both-end-with-a-number"),
        pytest.param(20, {19: "5"}, {}, False, SAME_TEXT, id="one-ends-with-a-number"),
    ],
)
def test_numbers(
    count: int, ours: dict[int, str], theirs: dict[int, str], linked: bool, expected: tuple[bool, str]
) -> None:
    assert compared(numbered(count, ours), numbered(count, theirs), linked=linked) == expected


def test_a_name_that_is_exchanged_twice_is_a_form() -> None:
    names = {9: "Smith", 29: "Smith"}
    one = numbered(40, names)
    assert compared(one, numbered(40, {9: "Jones", 29: "Jones"})) == FORM
    assert compared(one, numbered(40, {9: "Jones", 29: "Miller"})) == FORM
    assert compared(one, numbered(40, {9: "Smyth", 29: "Smyth"})) == SAME_TEXT, "spelt otherwise"
    assert compared(one, numbered(40, {9: "Smi th", 29: "Smi th"})) == SAME_TEXT, "a stray blank"
    assert compared(one, numbered(40, {9: "Mary Jones", 29: "Mary Jones"})) == FORM
    assert compared(one, numbered(40, {9: "Jones", 29: "Jones"}), linked=True) == SAME_TEXT, "one link is evidence"


TOLD = text([*WORDS[30:36], "today"])  # a title that has its words from the texts
RETOLD = text([WORDS[30], "newly", *WORDS[32:34], "also", WORDS[35], "today"])
EDITED = (True, "same text under an edited title")


@pytest.mark.parametrize(
    ("count", "ours", "theirs", "titles", "expected"),
    [
        pytest.param(99, "Smith", "Jones", (TOLD, TOLD), FORM, id="name"),
        pytest.param(100, "Smith", "Jones", (TOLD, TOLD), SAME_TEXT, id="name-in-a-long-text"),
        pytest.param(199, "Smith", "Jones", (SAME, SAME), FORM, id="name-under-a-general-title"),
        pytest.param(800, "Smith", "Jones", (SAME, SAME), FORM, id="name-under-a-general-title-in-a-longer-text"),
        pytest.param(199, "Smith", "Jones", (TOLD, RETOLD), FORM, id="name-under-an-edited-title"),
        pytest.param(200, "Smith", "Jones", (TOLD, RETOLD), EDITED, id="name-under-an-edited-title-in-a-longer-text"),
        pytest.param(99, "smith", "jones", (TOLD, TOLD), SAME_TEXT, id="words-without-capitals"),
        pytest.param(99, "Smith", "Smiht", (TOLD, TOLD), SAME_TEXT, id="typing-error"),
        pytest.param(99, "Montag", "Sonntag", (TOLD, TOLD), FORM, id="days"),
        pytest.param(98, "東京", "京都", (TOLD, TOLD), FORM, id="names-in-a-script-without-capitals"),
        pytest.param(99, "在", "再", (TOLD, TOLD), SAME_TEXT, id="one-character"),
        pytest.param(99, "三", "八", (TOLD, TOLD), FORM, id="one-numeral"),
        pytest.param(99, "Smith", "", (TOLD, TOLD), SAME_TEXT, id="nothing-in-its-place"),
    ],
)
def test_a_word_in_place_of_another(
    count: int, ours: str, theirs: str, titles: tuple[str, str], expected: tuple[bool, str]
) -> None:
    assert compared(numbered(count, {9: ours}), numbered(count, {9: theirs}), titles) == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param("LONDON (Press) - {}", "PARIS (Agency) - {}", SAME_TEXT, id="heads"),
        pytest.param("【北方通信】{}", "【海岸通信】{}", SAME_TEXT, id="heads-in-brackets"),
        pytest.param("London {}", "Paris {}", FORM, id="names-at-the-beginning"),
        pytest.param("{} Written by Mary Jones.", "{}. More to follow in the evening edition.", SAME_TEXT, id="notes"),
        pytest.param("{} London", "{} Paris", FORM, id="names-at-the-end"),
    ],
)
def test_words_before_and_after_the_same_text(one: str, other: str, expected: tuple[bool, str]) -> None:
    assert compared(one.format(text(WORDS[:40])), other.format(text(WORDS[:40]))) == expected


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        pytest.param({150: "in", 160: "house"}, {160: "garden"}, id="words-in-place-of-others"),
        pytest.param({150: f"{WORDS[150]} in"}, {}, id="a-word-more"),
    ],
)
def test_a_name_among_other_edits_of_a_long_text_is_an_edit(ours: dict[int, str], theirs: dict[int, str]) -> None:
    for count, expected in ((199, FORM), (200, SAME_TEXT)):
        one, other = numbered(count, {9: "Smith", **ours}), numbered(count, {9: "Jones", **theirs})
        assert compared(one, other) == expected


@pytest.mark.parametrize(("length", "expected"), [(5, FORM), (6, SAME_TEXT)])
def test_another_sentence_is_an_edit_and_no_field_of_a_form(length: int, expected: tuple[bool, str]) -> None:
    one, other = (
        f"{text(WORDS[:30])}. {text(words[:length])}. {text(WORDS[30:60])}"
        for words in (["zaq", "Smith", "zed", "zof", "zug", "zat"], ["yaq", "Jones", "yed", "yof", "yug", "yat"])
    )
    assert compared(one, other) == expected


def test_other_words_on_another_day_are_another_issue() -> None:
    one = Telling(SAME, text(WORDS[:40]), SECOND)
    for days, is_same in ((0, True), (1, False)):
        other = Telling(
            SAME,
            text(["zz" if place == 9 else word for place, word in enumerate(WORDS[:40])]),
            SECOND + timedelta(days),
        )
        assert likeness(one, other).is_same is is_same


@pytest.mark.parametrize(
    ("count", "hours", "titles", "is_same"),
    [
        pytest.param(45, 1, (TOLD, OTHER), True, id="other-title"),
        pytest.param(44, 1, (TOLD, OTHER), False, id="fewer-words"),
        pytest.param(45, 19, (TOLD, OTHER), False, id="another-day"),
        pytest.param(100, 19, (TOLD, OTHER), True, id="more-words-of-another-day"),
        pytest.param(45, 1, (SAME, OTHER), False, id="words-that-the-text-has-not"),
    ],
)
def test_a_text_of_one_day_under_another_title(count: int, hours: int, titles: tuple[str, str], is_same: bool) -> None:
    one, other = (
        Telling(title, text(WORDS[:count]), SECOND + timedelta(hours=after))
        for title, after in zip(titles, (0, hours), strict=True)
    )
    assert likeness(one, other).is_same is likeness(other, one).is_same is is_same


@pytest.mark.parametrize(
    ("count", "start", "hours", "titles", "is_same"),
    [
        pytest.param(24, 0, 1, (TOLD, RETOLD), True, id="beginning"),
        pytest.param(23, 0, 1, (TOLD, RETOLD), False, id="fewer-words"),
        pytest.param(24, 31, 1, (TOLD, RETOLD), False, id="from-the-middle"),
        pytest.param(24, 0, 19, (TOLD, RETOLD), False, id="another-day"),
        pytest.param(24, 0, 1, (SAME, ALIKE), False, id="titles-of-five-words"),
    ],
)
def test_the_beginning_of_a_text_under_an_edited_title(
    count: int, start: int, hours: int, titles: tuple[str, str], is_same: bool
) -> None:
    whole = Telling(titles[0], text(WORDS[:120]), SECOND)
    part = Telling(titles[1], text(WORDS[start : start + count]), SECOND + timedelta(hours=hours))
    assert likeness(whole, part).is_same is likeness(part, whole).is_same is is_same


@pytest.mark.parametrize(("news", "hours", "is_same"), [(15, 19, True), (16, 19, False), (16, 1, True)])
def test_news_before_an_older_text_is_a_sequel_on_another_day(news: int, hours: int, is_same: bool) -> None:
    one = Telling(TOLD, text(WORDS[:100]), SECOND)
    other = Telling(RETOLD, text([*WORDS[200 : 200 + news], *WORDS[:100]]), SECOND + timedelta(hours=hours))
    assert likeness(one, other).is_same is likeness(other, one).is_same is is_same


def test_paragraphs_in_another_order_under_an_edited_title() -> None:
    one, other = Telling(TOLD, text(WORDS[:120])), Telling(RETOLD, text([*WORDS[60:120], *WORDS[:60]]))
    assert likeness(one, other).because == "same text in other paragraphs under an edited title"
    assert likeness(other, one).is_same
    assert not likeness(one, Telling(RETOLD, text([*WORDS[60:120], *WORDS[200:220], *WORDS[:40]]))).is_same


def test_a_title_with_its_words_in_another_order_is_alike() -> None:
    words = TOLD.split()
    other = text([*words[4:], *words[2:4], *words[:2]])
    assert compared(text(WORDS[:70]), text(WORDS[:70]), (TOLD, other)) == (True, "same text under an edited title")


def test_numbers_are_corrected_in_articles_and_filled_in_under_general_titles() -> None:
    numbers = {9: "5", 29: "7", 49: "8"}
    for title, is_same in ((TOLD, True), (SAME, False)):
        one, other = (Telling(title, numbered(60, filled), SECOND) for filled in (numbers, {**numbers, 29: "9"}))
        assert likeness(one, other).is_same is likeness(other, one).is_same is is_same


@pytest.mark.parametrize(("places", "is_same"), [((9,), False), ((9, 29), True)])
def test_half_of_the_passages_with_numbers_may_be_corrected(places: tuple[int, ...], is_same: bool) -> None:
    numbers = dict.fromkeys(places, "5")
    one, other = (Telling(TOLD, numbered(60, filled), SECOND) for filled in (numbers, {**numbers, places[-1]: "9"}))
    assert likeness(one, other).is_same is likeness(other, one).is_same is is_same


@pytest.mark.parametrize(("kept", "is_same"), [(19, False), (20, True)])
def test_three_quarters_of_a_text_of_one_day_in_another_order_are_the_same_text(kept: int, is_same: bool) -> None:
    one = Telling(SAME, text(WORDS[:80]), SECOND)
    other = Telling(SAME, text([*WORDS[40 : 40 + kept], *WORDS[200 : 240 - kept], *WORDS[:40]]), SECOND)
    assert likeness(one, other).is_same is likeness(other, one).is_same is is_same


def test_what_tells_two_titles_apart_stands_in_their_texts() -> None:
    titles = ("statement of the board of alpha company today", "statement of the board of omega company today")
    assert not compared(text(WORDS[:40]), text(WORDS[:40]), titles)[0]
    others = ("alpha wins the cup of the whole county", "omega takes this prize before many people")
    one, other = numbered(320, {9: "alpha"}), numbered(320, {9: "omega"})
    assert not compared(one, other, others)[0]
    assert compared(one, other, others, linked=True)[0]


def test_entries_that_cost_too_much_are_not_compared() -> None:
    found = likeness(Telling(SAME, "漢" * 1400), Telling(SAME, "漢" * 1399 + "字"))
    assert found is NOT_COMPARED
    assert Likeness(False, 0.0, "too costly to compare", is_compared=False) == found


def test_no_more_than_so_many_tokens_are_compared() -> None:
    assert len(Telling("", "a " * 3000).tokens) == MAX_TOKENS == 1500
    assert len(Telling("", "abcdefgh " * 10_000).tokens) == 1500
    assert len(Telling("", "a" * 65_536 + " b").tokens) == 1


@pytest.mark.parametrize(
    ("one", "other", "may_be"),
    [
        pytest.param((SAME, ""), (SAME, ""), True, id="same-title"),
        pytest.param((SAME, ""), (ALIKE, ""), True, id="alike-title"),
        pytest.param((SAME, ""), (OTHER, ""), False, id="other-title"),
        pytest.param(("issue 1", ""), ("issue 2", ""), False, id="other-number"),
        pytest.param(("", ""), (SAME, ""), False, id="no-title-no-text"),
        pytest.param(("", text(WORDS[:20])), (SAME, text(WORDS[:20])), True, id="no-title-same-text"),
        pytest.param((SAME, text(WORDS[:20])), (OTHER, text(WORDS[:20])), True, id="same-text"),
        pytest.param((SAME, text(WORDS[:7])), (OTHER, text(WORDS[:20])), False, id="seven-words"),
        pytest.param((SAME, text(WORDS[:8])), (OTHER, text(WORDS[:20])), True, id="eight-words"),
        pytest.param((SAME, text(WORDS[:20])), (OTHER, text(WORDS[8:28])), True, id="0.6-of-the-shorter"),
        pytest.param((SAME, text(WORDS[:20])), (OTHER, text(WORDS[9:29])), False, id="0.55-of-the-shorter"),
    ],
)
def test_two_versions_under_one_id(one: tuple[str, str], other: tuple[str, str], may_be: bool) -> None:
    assert may_be_versions(Telling(*one), Telling(*other)) is may_be
    assert may_be_versions(Telling(*other), Telling(*one)) is may_be


MOMENT = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
NOTE = (
    "From Monday on Marta Lindqvist, formerly of Kestrel Maps, leads our cartography. Say hello at the spring meetup!"
)
ARTICLE = (
    "The health authority said on Monday that {0} people had fallen ill after a summer festival in Dunmore, which "
    "makes it the largest outbreak in the county for more than a decade. Nineteen were admitted to hospital and "
    "all but 3 have gone home since. Tests found salmonella in a batch of mayonnaise that had been kept in a cool "
    "box without ice. The thermometer in the box read 23 degrees when an officer opened it, and the food had "
    "stood there since Friday noon. The owner of the stall, who has traded there for 6 years, has handed in his "
    "licence. The organisers said that they would pay for a review and refund the cost of tickets to anyone with "
    "a doctor's note that week."
)


def judged(one: tuple[str, str], other: tuple[str, str], hours: float = 0) -> tuple[bool, str]:
    first = Telling(*one, MOMENT)
    second = Telling(*other, MOMENT + timedelta(hours=hours))
    there, back = likeness(first, second), likeness(second, first)
    assert (there.is_same, there.because) == (back.is_same, back.because)
    return there.is_same, there.because


@pytest.mark.parametrize(
    ("titles", "hours", "is_same"),
    [
        (("Marta Lindqvist is joining Brightwater", "Marta Lindqvist is now a part of Brightwater"), 0, True),
        (("Marta Lindqvist is joining Brightwater", "Marta Lindqvist is now a part of Brightwater"), 1, False),
        (("Marta Lindqvist is joining Brightwater", "Marta Holmgren is joining Brightwater"), 0, False),
        (("Brightwater names a new chairman", "Brightwater has opened its second studio"), 0, False),
        (("Two more for Brightwater", "Two are now a part of Brightwater"), 0, False),  # titles about nothing in it
        (("Marta joins the atelier Brume Noire", "Marta is now part of the atelier Brume Noire"), 0, True),
        (
            ("Marta Lindqvist leads cartography", "Kestrel Maps loses Marta Lindqvist"),
            0,
            True,
        ),  # both have words from it
        (("Marta Lindqvist leads cartography", "Good news for everybody here"), 0, False),
        (("South Leeds: Marta at the atelier Brume", "York: Marta at the atelier Brume"), 0, False),  # two towns
    ],
)
def test_a_short_text_of_one_moment_under_an_edited_title(titles: tuple[str, str], hours: float, is_same: bool) -> None:
    assert judged((titles[0], NOTE), (titles[1], NOTE), hours)[0] is is_same


@pytest.mark.parametrize(
    ("titles", "numbers", "hours", "is_same"),
    [
        (("{0} fall ill at a festival in Dunmore",) * 2, (214, 241), 3, True),
        (("{0} fall ill at a festival in Dunmore",) * 2, (214, 241), 30, False),  # the toll of the next day
        (("214 fall ill at a festival in Dunmore", "241 fall ill at a festival in Dunmore"), (214, 214), 3, False),
        (("Festival in Dunmore: {0}",) * 2, (214, 287), 3, False),  # it tells no story
        (("Festival in Dunmore: {0}",) * 2, (214, 241), 3, True),  # two digits were exchanged
        (("Festival in Dunmore: {0}",) * 2, (214, 241), 30, False),
    ],
)
def test_a_number_that_was_corrected_in_title_and_text(
    titles: tuple[str, str], numbers: tuple[int, int], hours: float, is_same: bool
) -> None:
    one, other = ((title.format(number), ARTICLE.format(number)) for title, number in zip(titles, numbers, strict=True))
    assert judged(one, other, hours)[0] is is_same


def test_a_title_of_its_own_may_have_a_number_that_the_text_has() -> None:
    text_of_both = ARTICLE.format(214)
    said = "Salmonella in mayonnaise spoils the summer festival"
    assert judged((said, text_of_both), ("Dunmore: all but 3 home again after the outbreak", text_of_both), 3)[0]
    assert judged((said, text_of_both), ("Dunmore: all but 5 home again after the outbreak", text_of_both), 3) == (
        False,
        "numbers differ in the titles",
    )
    alike = ("Dunmore: summer festival ends", "Dunmore: summer festival ends, 214 people ill")
    assert judged((alike[0], text_of_both), (alike[1], text_of_both), 3)[0]
    assert not judged((alike[0], text_of_both), ("Dunmore: summer festival ends, 5 ill", text_of_both), 3)[0]
    # Only one title has a number: a report that went on.
    assert judged((said, text_of_both), ("Dunmore: 214 people ill", f"{text_of_both} The stall is closed."), 3)[0]


@pytest.mark.parametrize(
    ("head", "tail", "hours", "is_same"),
    [
        ("In the end nobody on the quay wanted to talk about mayonnaise any more", "From our news agency", 3, True),
        ("In the end nobody on the quay wanted to talk about mayonnaise any more", "From our news agency", 30, False),
    ],
)
def test_an_agencys_text_under_a_papers_own_title(head: str, tail: str, hours: float, is_same: bool) -> None:
    text_of_both = ARTICLE.format(214)
    one = ("Summer festival: mayonnaise made hundreds ill", f"DUNMORE (Harbour Press Agency) - {text_of_both}")
    other = ("A cool box without ice", f"{head}. {text_of_both} {tail}")
    assert judged(one, other, hours)[0] is is_same


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("Thrusday in the libary, by the contracters", "Thursday in the library, by the contractors", True),
        ("Thrusday in the library, by the contractors", "Thursday in the library, by the contractors", False),
        ("Thrusday in the libary, by the contracters", "Thursday in the Guildhall, by the contractors", False),
    ],
)
def test_errors_of_typing_in_title_and_text(one: str, other: str, is_same: bool) -> None:
    text_of_one = f"The central one will close at noon on {one} of the boiler, and books may be kept until Saturday."
    text_of_other = (
        f"The central one will close at noon on {other} of the boiler, and books may be kept until Saturday."
    )
    titles = ("Libary closes early on Thrusday", "Library closes early on Thursday")
    assert judged((titles[0], text_of_one), (titles[1], text_of_other), 3)[0] is is_same


def test_an_excerpt_that_ends_in_two_words_of_the_whole_text() -> None:
    whole = ARTICLE.format(214)
    excerpt = f"{' '.join(whole.split()[:40])} that week."
    assert judged(("Festival in Dunmore", whole), ("Festival in Dunmore", excerpt), 3)[0]


@pytest.mark.parametrize(
    ("title", "hours", "is_same"),
    [
        ("Mayonnaise of a summer stall made hundreds of people ill", 3, True),
        ("Mayonnaise of a summer stall made hundreds of people ill", 30, False),
        ("Nobody wants that sandwich any longer", 3, False),  # a title about nothing in the text
    ],
)
def test_an_agencys_long_text_that_a_paper_edited_under_its_own_title(title: str, hours: float, is_same: bool) -> None:
    whole = f"{ARTICLE.format(214)} {' '.join(WORDS[:80])}."
    edited = whole.replace("said on Monday", "told us").replace("would pay for a review", "will pay for a study")
    assert judged(("Festival in Dunmore ends in an outbreak", whole), (title, edited), hours)[0] is is_same
