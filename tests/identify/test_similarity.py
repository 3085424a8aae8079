"""Similarity of two entries, by which they are one story."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.identify.budget import Steps
from aggregator.identify.minhash import MAX_PIECES, bands_of
from aggregator.identify.similarity import likeness
from aggregator.identify.telling import Telling
from aggregator.identify.tokens import Titles, compare_titles, folded, tokens_of
from aggregator.model.settings import NEAR
from aggregator.model.story_changes import BANDS

TEXT = (
    "After nine years in a workshop cellar, the lamp of the old lighthouse is back where it belongs. Four people "
    "carried its lens up the one hundred and twelve steps in the early morning, before the wind got up."
)
COMMENT = "Somebody should have filmed this. The little museum next door has a model of the mechanism; go and see."
ZH = "从周一起,江边到山顶的老缆车停运七天。工人要换下用了三十年的主缆,并给两个站台铺上防滑的石板。"
ZH_TRADITIONAL = "從周一起,江邊到山頂的老纜車停運七天。工人要換下用了三十年的主纜,並給兩個站臺鋪上防滑的石板。"
FORM = "This is the open thread of our little community; tell us what you read, and what made you laugh."
NOTICE = "本公司董事会及全体董事保证公告内容不存在任何虚假记载、误导性陈述或者重大遗漏，并承担法律责任。"
SECOND = datetime(2026, 3, 4, 12, 0, 35, tzinfo=UTC)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param(("Lamp is back", TEXT), ("Lamp is back", TEXT), True, id="equal"),
        pytest.param(("Lamp is back", TEXT), ("Lamp is back", TEXT[:100] + "… read more"), True, id="excerpt"),
        pytest.param(("Lamp is back", TEXT), ("The lamp", TEXT[:100]), True, id="excerpt-under-another-title"),
        pytest.param(("Lamp is back", TEXT), ("Lamp is back", ""), True, id="title-alone-where-one-has-no-text"),
        pytest.param(("Lamp is back", TEXT), ("Worth reading", ""), False, id="other-title-no-text"),
        pytest.param(("Lamp is back", TEXT), ("Lamp is back", COMMENT), False, id="link-blog-with-the-same-title"),
        pytest.param(("Lamp is back", TEXT), ("Filmed?", COMMENT), False, id="link-blog"),
        pytest.param(("Release 1.2.3", TEXT), ("Release 1.2.4", TEXT), False, id="other-version"),
        pytest.param(("老缆车停运一周", ZH), ("老缆车停运一周", ZH[:30]), True, id="chinese-excerpt"),
        pytest.param(("老缆车停运一周", ""), ("旧书店的冬天", ""), False, id="chinese-other"),
        pytest.param(("", ""), ("", ""), False, id="nothing-agrees-with-nothing"),
    ],
)
def test_one_link(one: tuple[str, str], other: tuple[str, str], same: bool) -> None:
    assert likeness(Telling(*one), Telling(*other), linked=True).is_same is same
    assert likeness(Telling(*other), Telling(*one), linked=True).is_same is same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(("Lamp is back", TEXT), ("LAMP IS BACK | The Harbour Post", TEXT), id="site-name"),
        pytest.param(("Lamp is back", TEXT), ("UPDATE 1-Lamp is back", f"HARBOUR (Agency) - {TEXT}"), id="wire-label"),
        pytest.param(("Lamp is back home", TEXT), ("Lamp is ba ck home", TEXT.replace(",", "")), id="stray-blank"),
        pytest.param(("Lamp is back", TEXT), ("Lamp is back", TEXT[:-60] + " Continue reading…"), id="excerpt"),
        pytest.param(("Lamp is back", TEXT), ("Lamp is back", f"{TEXT} Correction: {COMMENT[:30]}"), id="correction"),
        pytest.param(("Lamp is back", TEXT), ("Lamp is back", TEXT.replace("cellar", "celar")), id="typing-error"),
        pytest.param(
            ("老缆车停运一周", ZH), ("快讯：老缆车停运一周", f"（记者 张伟）{ZH}（编辑：李明）"), id="chinese-wire"
        ),
        pytest.param(("老缆车停运一周", ZH), ("老纜車停運一週", ZH_TRADITIONAL), id="traditional"),
        pytest.param(("老缆车停运一周", ZH), ("老缆车停运一周", ZH.replace(",", "，")), id="punctuation"),
        pytest.param(
            ("The lamp of the old lighthouse is back", ""), ("The lamp of the old lighthouse is back", ""), id="titles"
        ),
    ],
)
def test_one_story(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert likeness(Telling(*one), Telling(*other)).is_same
    assert likeness(Telling(*other), Telling(*one)).is_same
    assert set(bands_of(Telling(*one))) & set(bands_of(Telling(*other))), "they would never meet"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(("Weekly roundup 12", FORM), ("Weekly roundup 13", FORM), id="issue"),
        pytest.param(("Weekly roundup", FORM), ("Weekly roundup 13", FORM), id="issue-of-one"),
        pytest.param(("Acme 1.2.3", FORM), ("Acme 1.2.4", FORM), id="version"),
        pytest.param(("Lamps on offer", f"9 euros. {FORM}"), ("Lamps on offer", f"8 euros. {FORM}"), id="price-before"),
        pytest.param(("Lamps", f"{FORM} 9 euros. {FORM}"), ("Lamps", f"{FORM} 8 euros. {FORM}"), id="price-within"),
        pytest.param(("Open thread: Monday", FORM), ("Open thread: Tuesday", FORM), id="weekday"),
        pytest.param(("In memoriam: John Smith", FORM), ("In memoriam: Mary Jones", FORM), id="obituary"),
        pytest.param(("甲公司：董事会公告", NOTICE), ("乙公司：董事会公告", NOTICE), id="stock-notice"),
        pytest.param(("今日要闻（上）", NOTICE), ("今日要闻（下）", NOTICE), id="first-and-second-part"),
        pytest.param(("第一章 开始", NOTICE), ("第二章 开始", NOTICE), id="chapter"),
        pytest.param(("Amok", "content"), ("Amok again", ""), id="next-of-a-series-without-text"),
        pytest.param(("Lamp is back", TEXT), ("Lamp is back", f"{TEXT[:60]} {COMMENT}"), id="shared-beginning"),
        pytest.param(("Guide to the Micra", ""), ("Guide to the Mini", ""), id="one-word-in-a-title"),
    ],
)
def test_two_stories(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert not likeness(Telling(*one), Telling(*other)).is_same
    assert not likeness(Telling(*other), Telling(*one)).is_same


def test_like_titles_of_one_second_are_one_story_where_there_is_no_text() -> None:
    titles = ("早咖啡 · 2026年06月10日", "夜读 · 2026年06月10日")
    assert likeness(*(Telling(title, "", SECOND) for title in titles)).is_same
    assert not likeness(*(Telling(title, "") for title in titles)).is_same


def test_a_higher_threshold_asks_for_more() -> None:
    one, other = Telling("Lamp is back", TEXT), Telling("Lamp is back", TEXT.replace("workshop", "garden"))
    assert likeness(one, other, near=0.85).is_same
    assert not likeness(one, other, near=0.99).is_same


@pytest.mark.parametrize(
    ("one", "other", "verdict"),
    [
        pytest.param("A, B", "a b", Titles.SAME, id="punctuation-and-case"),
        pytest.param("The lamp is back", "News | The lamp is back | Post", Titles.SAME, id="piece"),
        pytest.param("The lamp is back", "The lamp is back at last", Titles.WITHIN, id="within"),
        pytest.param("The lamp is back", "The lamp is back 2", Titles.NUMBERS, id="numbers-around"),
        pytest.param("The lamp is back", "The lamp is lost", Titles.ALIKE, id="alike"),
        pytest.param("The lamp is back", "A bookshop in winter", Titles.OTHER, id="other"),
        pytest.param("", "A bookshop", Titles.ALIKE, id="missing"),
    ],
)
def test_titles(one: str, other: str, verdict: Titles) -> None:
    assert compare_titles(one, other, Steps()) is verdict
    assert compare_titles(other, one, Steps()) is verdict


def test_tokens_need_no_segmentation() -> None:
    assert list(tokens_of("Android 15 正式發布!")) == ["android", "15", "正", "式", "发", "布"]


GOLDEN = (
    -212190716067600,
    -174026505548333,
    -125174525092802,
    -99941478360815,
    9923487597322,
    53431407272755,
    57217782629185,
    81536894852936,
    106329486540021,
    139812308834987,
    150421930011178,
    236394284716303,
    240301496294447,
)


def test_a_sketch_is_the_same_for_ever() -> None:
    """Whoever changes this changes `VERSION`: stored bands are compared with new ones."""
    assert bands_of(Telling("老缆车停运一周 | 江城日报", ZH)) == GOLDEN


@given(st.text(), st.text(), st.text(), st.text())
def test_any_two_texts_can_be_compared(title: str, text: str, title2: str, text2: str) -> None:
    one, other = Telling(title, text), Telling(title2, text2)
    there, back = likeness(one, other), likeness(other, one)
    assert there.is_same is back.is_same
    assert 0 <= there.similarity <= 1
    assert len(bands_of(one)) <= BANDS + MAX_PIECES + 2
    assert folded(folded(text)) == folded(text) or not text.isascii()


@given(st.text(min_size=40))
def test_every_entry_is_like_itself_unless_it_says_next_to_nothing(text: str) -> None:
    telling = Telling("A title that is long enough", text)
    assert likeness(telling, telling).is_same


WORDS = st.sampled_from([f"wo{letter}d" for letter in "abcdefghijkl"])


@st.composite
def versions(draw: st.DrawFn) -> tuple[str, str]:
    """Return a text, and the same with words replaced, left out and added: from nearly equal to hardly alike."""
    words = draw(st.lists(WORDS, min_size=8, max_size=24)) * draw(st.sampled_from([1, 3, 40]))
    edited = list(words)
    for place, word in draw(st.lists(st.tuples(st.integers(0, len(words) - 1), WORDS | st.just("")), max_size=12)):
        edited[place] = word
    lead = draw(st.lists(WORDS, max_size=10))
    return " ".join(words), " ".join([*lead, *edited])


@given(
    versions(),
    st.sampled_from([("The lamp is back", "The lamp is back"), ("The lamp is back", "A lens of nine years")]),
    st.sampled_from([0.5, NEAR, 0.99]),
)
def test_what_is_dropped_without_an_alignment_would_be_dropped_after_it(
    texts: tuple[str, str], titles: tuple[str, str], near: float
) -> None:
    one, other = (Telling(*told) for told in zip(titles, texts, strict=True))
    quick = likeness(one, other, near=near).is_same, likeness(other, one, near=near).is_same
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("aggregator.identify.similarity.may_be_near", lambda *_: True)
        assert quick == (likeness(one, other, near=near).is_same, likeness(other, one, near=near).is_same)
