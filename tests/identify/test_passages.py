"""An agency's text between sentences of a paper's own, and what looks like one: sequels, notes, sponsors, forms."""

from datetime import UTC, datetime, timedelta

import pytest

from aggregator.identify.minhash import bands_of
from aggregator.identify.similarity import likeness
from aggregator.identify.telling import Telling, are_strangers

FRAMED = (True, "same passages under another title")
AT = datetime(2026, 3, 4, 9, 0, 11, tzinfo=UTC)
AGENCY = (
    "Fifty trawlers have blocked the entrance of the harbour since dawn, in protest against lower quotas of sole.",
    "Two cargo ships are waiting offshore, the harbour master said.",
    'The crews will not leave without talks in the capital, said Ian Goring of the local committee. "We have fuel."',
    "The ministry is open to talks, but recalled that quotas are set by the union of all 27 countries.",
    "The prefect is to meet a delegation on Wednesday morning, and 140 lorries are parked along the coast road.",
    "Prices at the market rose by a tenth within a day; restaurants of the old town serve frozen fish for now.",
)
TITLE, OWN_TITLE = "Trawlers block the harbour over quotas of sole", "Anger on the quays and a ferry that never came"
HEAD = "Readers who take the nine o'clock boat have noticed it: this morning nothing moves, and coffee has run out."
TAIL = "The school boat will sail from the old jetty until further notice, the town hall told this newspaper."
CHINESE = (
    "约五十艘渔船自周二清晨起封锁港口入口，抗议下调比目鱼配额。两艘货船在外海等候，港务长表示。",
    "当地委员会发言人说，船员在得到会谈之前不会离开，船上的燃料足够使用一个星期。",
    "农业部表示愿意对话，但提醒说配额由各成员国共同决定，不能由一个国家单独更改。",
)


def judged(one: tuple[str, str], other: tuple[str, str], hours: float = 3, near: float = 0.85) -> tuple[bool, str]:
    """Return the verdict on two entries, which is the same in both directions."""
    mine, theirs = Telling(*one, AT), Telling(*other, AT + timedelta(hours=hours))
    there, back = likeness(mine, theirs, near=near), likeness(theirs, mine, near=near)
    assert (there.is_same, there.because) == (back.is_same, back.because)
    return there.is_same, there.because


def joined(*parts: str) -> str:
    return " ".join(parts)


WHOLE = joined(*AGENCY)


@pytest.mark.parametrize(
    ("title", "text", "hours"),
    [
        pytest.param(OWN_TITLE, joined(HEAD, WHOLE, TAIL), 3, id="framed"),
        pytest.param(
            OWN_TITLE, joined(WHOLE.replace("recalled", "remarked"), TAIL, TAIL[:60], HEAD), 8, id="long-tail"
        ),
        pytest.param(OWN_TITLE, joined(HEAD[:60], WHOLE.replace("the local", "a local"), TAIL), 21, id="next-morning"),
        pytest.param(OWN_TITLE, joined(HEAD, *AGENCY[:5], TAIL), 3, id="cut"),
        pytest.param("Anger on the quays of 40 towns as no ferry came", joined(HEAD, WHOLE, TAIL), 3, id="a-number"),
    ],
)
def test_a_text_stands_between_sentences_of_a_paper(title: str, text: str, hours: float) -> None:
    assert judged((TITLE, WHOLE), (title, text), hours) == FRAMED


def test_a_chinese_text_stands_between_sentences_of_a_paper() -> None:
    head, tail = "今天早上乘九点渡轮的读者都注意到，码头上一片寂静。", "镇政府告诉本报，校船将从旧码头出发。"
    text = "".join(CHINESE)
    assert judged(("渔船封锁港口抗议比目鱼配额", text), ("码头上的怒火与没有来的渡轮", f"{head}{text}{tail}")) == FRAMED


@pytest.mark.parametrize(
    ("one", "other", "hours"),
    [
        pytest.param((TITLE, WHOLE), (OWN_TITLE, joined(HEAD, WHOLE, TAIL)), 23, id="another-day"),
        pytest.param(  # its news first, and as long as a third of what is repeated
            (TITLE, WHOLE), ("Police clear the quays with water", joined(HEAD, TAIL, *AGENCY)), 19, id="sequel"
        ),
        pytest.param(  # the first sentence was left out
            (TITLE, WHOLE), ("Police clear the quays with water", joined(HEAD, *AGENCY[1:])), 3, id="sequel-of-hours"
        ),
        pytest.param(  # what was counted first is another figure now
            (TITLE, WHOLE.replace("Fifty", "50")),
            ("Police clear the quays with water", joined(HEAD, WHOLE.replace("Fifty", "Some 90"), TAIL)),
            19,
            id="another-figure",
        ),
        pytest.param(  # an author's note
            ("Ten years of gardening", joined(HEAD, *AGENCY)), ("A wall of books", joined(TAIL, *AGENCY)), 3, id="note"
        ),
        pytest.param(("Bees in winter", WHOLE), ("Volcanoes at sea", joined(WHOLE, TAIL)), 3, id="sponsor"),
        pytest.param(
            ("Nurse wanted in Dunmore town", WHOLE.replace("harbour master", "ward in Dunmore")),
            ("Ashford looks for a good nurse", joined(WHOLE.replace("harbour master", "ward in Ashford"), TAIL)),
            3,
            id="form-with-towns-of-its-titles",
        ),
        pytest.param(
            ("Meeting 11 of the harbour committee, talks", WHOLE),
            ("What the crews said in part 12", WHOLE),
            3,
            id="issues",
        ),
    ],
)
def test_a_text_that_is_told_again_with_other_news(one: tuple[str, str], other: tuple[str, str], hours: float) -> None:
    assert not judged(one, other, hours)[0]


def test_the_similarity_that_an_operator_asks_for_holds() -> None:
    edited = WHOLE.replace("in protest against", "angry about").replace("are waiting offshore", "lie at anchor")
    other = (OWN_TITLE, joined(HEAD, edited, TAIL))
    assert judged((TITLE, WHOLE), other)[0]
    assert not judged((TITLE, WHOLE), other, near=0.99)[0]


@pytest.mark.parametrize(
    ("added", "hours", "is_same"),
    [
        pytest.param("By noon 71 people had been carried out by boat, the brigade said.", 1, True, id="told"),
        pytest.param("By noon 71 people had been carried out by boat, the brigade said.", 20, False, id="another-day"),
        pytest.param("The office is open from Monday to Friday, and closed on holidays.", 1, False, id="not-told"),
    ],
)
def test_a_report_that_grew_tells_what_its_title_says(added: str, hours: float, is_same: bool) -> None:
    one = ("Live: dam broken in Ramnagar, streets under water", WHOLE)
    other = ("Live: dam broken in Ramnagar, 71 people carried out by boat", joined(added, WHOLE))
    assert judged(one, other, hours)[0] is is_same


@pytest.mark.parametrize(
    ("order", "hours", "is_same"),
    [
        pytest.param((0, 3, 4, 1, 2, 5), 1, True, id="another-order"),
        pytest.param((0, 1, 2, 3, 4, 5), 1, False, id="the-rules-of-a-thread"),
        pytest.param((0, 3, 4, 1, 2, 5), 20, False, id="another-day"),
    ],
)
def test_sentences_in_another_order_under_an_edited_title(order: tuple[int, ...], hours: float, is_same: bool) -> None:
    titles = (
        ("Open thread: Monday", "Open thread: Sunday") if order == (0, 1, 2, 3, 4, 5) else ("All quiet here", "Quiet")
    )
    assert judged((titles[0], WHOLE), (titles[1], joined(*(AGENCY[n] for n in order))), hours)[0] is is_same


def test_passages_more_inside_a_text_under_one_title() -> None:
    one, other = ("On the quay", joined(*AGENCY[:2], HEAD, TAIL, HEAD[::-1], *AGENCY[2:])), ("On the quay", WHOLE)
    assert judged(one, other)[0]
    assert not judged(one, other, 20)[0]


def test_a_framed_text_shares_a_band_with_the_agencys() -> None:
    framed = joined(HEAD, TAIL, WHOLE, HEAD[::-1], TAIL[::-1])
    assert set(bands_of(Telling("", WHOLE))) & set(bands_of(Telling("", framed)))


@pytest.mark.parametrize(
    ("numbers", "hours", "is_same"),
    [
        pytest.param(("14", "60"), 3, True, id="one-of-four"),
        pytest.param(("14", "70"), 3, False, id="two-of-four"),
        pytest.param(("14", "60"), 20, False, id="another-day"),
    ],
)
def test_an_article_keeps_most_of_its_numbers(numbers: tuple[str, str], hours: float, is_same: bool) -> None:
    counted = " They counted {} herons, {} ducks, 33 geese and 48 gulls."
    text = WHOLE.replace("all 27", "all").replace("140", "many")
    mine, theirs = (text + counted.format(*found) for found in (("12", "60"), numbers))
    assert judged((TITLE, mine), (TITLE, theirs), hours)[0] is is_same


def test_a_blank_more_in_a_word_is_an_error_of_typing() -> None:
    titles = ("Libary reopens after flood repairs", "Library reopens after flood repairs")
    texts = (
        "The childrens section borowers know opens next month, and the reading room upstairs a week later.",
        "The children's section borrowers know opens next months, and the reading room upstairs a week later.",
    )
    rest = " Books may be returned at the desk of the town hall until then, and fines are waived for the whole week."
    assert judged((titles[0], texts[0] + rest), (titles[1], texts[1] + rest))[0]
    other = texts[1].replace("section borrowers", "Dunmore corner")
    assert not judged((titles[0], texts[0] + rest), (titles[1], other + rest))[0]


@pytest.mark.parametrize("titles", [(TITLE, OWN_TITLE), (TITLE, TITLE)])
def test_texts_that_share_a_sentence_are_not_compared_further(titles: tuple[str, str]) -> None:
    one, other = (
        Telling(titles[0], joined(AGENCY[1], HEAD, TAIL, HEAD[::-1], TAIL[::-1]), AT),
        Telling(titles[1], joined(*AGENCY), AT),
    )
    assert likeness(one, other).because == "the texts differ"
    assert are_strangers(one, other)
    assert are_strangers(other, one)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(joined(*AGENCY[::-1]), id="another-order"),
        pytest.param(joined(*AGENCY[:2]), id="an-excerpt"),
        pytest.param(joined(HEAD, TAIL, *AGENCY, HEAD[::-1], TAIL[::-1], HEAD.upper()), id="framed"),
        pytest.param(WHOLE.upper().replace(" ", "\N{NO-BREAK SPACE}"), id="upper-case"),
        pytest.param(
            " ".join(f"{word} of" if n % 12 == 0 else word for n, word in enumerate(WHOLE.split())), id="edits"
        ),
        pytest.param(joined(*AGENCY[:4], HEAD, TAIL), id="cut"),
    ],
)
def test_texts_that_may_be_one_story_are_no_strangers(text: str) -> None:
    assert not are_strangers(Telling("", WHOLE), Telling("", text))


def test_a_title_may_share_few_words_with_a_short_text_of_its_moment() -> None:
    text = (
        "From Monday on the biologist Renata Quiroz runs our tree nursery, which will grow to 80,000 seedlings a year."
    )
    titles = ("Renata Quiroz takes over the tree nursery", "Welcome, Renata! Four new faces")
    assert judged((titles[0], text), (titles[1], text), 0)[0]
    assert not judged((titles[0], text), ("Many new faces arrive at the old mill in Dunmore", text), 0)[0]


@pytest.mark.parametrize(
    ("times", "hours", "is_same"),
    [(2, 4, True), (2, 14, False), (1, 4, False)],
    ids=["long", "another-day", "shorter"],
)
def test_a_long_text_may_have_its_one_number_corrected(times: int, hours: float, is_same: bool) -> None:
    text = WHOLE.replace("all 27", "all").replace("140", "many")
    rest = " ".join(word[::-1] for word in text.split()) if times == 2 else ""
    mine, theirs = (f"They counted {count} herons on the roofs. {text} {rest}" for count in ("12,400", "14,200"))
    title = "Trawlers and herons block the harbour over quotas"
    assert judged((title, mine), (title, theirs.replace("14,200", "14,300")), hours)[0] is is_same
