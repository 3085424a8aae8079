"""Choice between the text of a feed and the text of its article."""

from dataclasses import replace

import pytest

from aggregator.decide.article import is_better, with_article
from aggregator.model.entry import Enclosure
from aggregator.model.supplement import Image
from aggregator.urls import Url
from tests.decide.records import NOON, entry

IMAGE = Image(url=Url("https://e.org/lead.jpg"))


def words(first: int, last: int) -> str:
    return " ".join(f"w{'abcdefghij'[n // 10]}{'abcdefghij'[n % 10]}" for n in range(first, last))


@pytest.mark.parametrize(
    ("article", "content", "summary", "title", "expected"),
    [
        pytest.param((0, 30), "", "", words(0, 3), True, id="30-words"),
        pytest.param((0, 29), "", "", words(0, 3), False, id="29-words"),
        pytest.param((0, 40), "", "", words(50, 53), False, id="another-title"),
        pytest.param((0, 40), "", "", f"{words(0, 2)} {words(50, 53)}", True, id="0.4-of-the-title"),
        pytest.param((0, 40), "", "", f"{words(0, 1)} {words(50, 53)}", False, id="0.25-of-the-title"),
        pytest.param((0, 40), "", "", "", True, id="no-title"),
        pytest.param((0, 40), words(0, 39), "", "", True, id="longer-than-the-content"),
        pytest.param((0, 40), words(0, 40), "", "", False, id="as-long-as-the-content"),
        pytest.param((0, 40), f"{words(0, 13)} {words(50, 57)}", "", "", True, id="0.6-of-the-pairs"),
        pytest.param((0, 40), f"{words(0, 11)} {words(50, 59)}", "", "", False, id="0.53-of-the-pairs"),
        pytest.param((0, 40), "", f"{words(0, 4)} {words(50, 56)}", "", True, id="0.4-of-the-summary"),
        pytest.param((0, 40), "", f"{words(0, 3)} {words(50, 57)}", "", False, id="0.3-of-the-summary"),
        pytest.param((0, 40), "", words(0, 40), "", False, id="as-long-as-the-summary"),
    ],
)
def test_which_text_is_better(article: tuple[int, int], content: str, summary: str, title: str, expected: bool) -> None:
    assert is_better(f"<p>{words(*article)}</p>", content, summary, title=title) is expected


def test_the_headline_of_the_page_counts_for_the_title() -> None:
    assert is_better(words(0, 40), "", "", title=words(50, 53), headline=words(50, 53))
    assert not is_better(words(0, 40), "", "", title=words(50, 53), headline=words(60, 63))


def test_what_is_taken_of_an_article() -> None:
    images = replace(entry().supplement, images=(IMAGE,))
    article = entry(
        title="A", content=f"<p>{words(0, 40)}</p>", text="long", published=NOON, language="de", supplement=images
    )
    listed = entry(title="", content="", summary="", text="", published=None, language=None)
    found = with_article(listed, article)
    assert (found.title, found.content, found.text, found.published, found.language) == (
        "A",
        article.content,
        "long",
        NOON,
        "de",
    )
    assert found.supplement.images == (IMAGE,)
    kept = with_article(entry(title="T", content=words(50, 99), text="own", language="en"), article)
    assert (kept.title, kept.content, kept.text, kept.language) == ("T", words(50, 99), "own", "en")
    picture = Enclosure(url=Url("https://e.org/a.png"), type="image/png")
    assert with_article(replace(listed, enclosures=(picture,)), article).supplement.images == ()
    sound = Enclosure(url=Url("https://e.org/a.mp3"), type="audio/mpeg")
    assert with_article(replace(listed, enclosures=(sound,)), article).supplement.images == (IMAGE,)
    assert with_article(replace(listed, enclosures=(replace(sound, type=None),)), article).supplement.images == (IMAGE,)
