"""Answers to searches, as a page and as JSON."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from aggregator.render import theme_check
from aggregator.render.search_page import Answer, Choice, links_to_search, render_found, render_found_json
from aggregator.render.status_page import render_status_page
from aggregator.urls import Url
from tests.render.checks import Page
from tests.render.records import NOON, SITE, a_publication

FAR = "word " * 40 + "Heron " + "after " * 60


def found(*contents: str, terms: tuple[str, ...] = ("heron",)) -> list[str]:
    """Return the excerpts of publications with these contents."""
    publications = [a_publication(number, content=text) for number, text in enumerate(contents, 1)]
    record = json.loads(render_found_json("heron", terms, publications, Answer.FOUND))
    return [item["excerpt"] for item in record["found"]]


def test_the_record_of_a_find() -> None:
    data = render_found_json("heron", ["text"], [a_publication(1)], Answer.FOUND)
    assert json.loads(data) == {
        "version": 1,
        "query": "heron",
        "complete": True,
        "found": [
            {
                "id": "tag:heron.example,2025:1",
                "title": "Story 1",
                "url": "https://heron.example/1",
                "date": "2025-03-01T11:00:00Z",
                "source": "Heron Notes",
                "category": "python",
                "excerpt": "Text of story 1.",
            }
        ],
    }
    assert data.endswith(b"}\n")
    assert data.startswith(b'{\n "version"')


def test_a_find_without_a_date_of_its_own_has_that_of_its_update() -> None:
    record = json.loads(render_found_json("x", [], [a_publication(1, published=None)], Answer.FOUND))
    assert record["found"][0]["date"] == "2025-03-01T11:05:00Z"


@pytest.mark.parametrize("answer", list(Answer))
def test_only_the_newest_are_not_complete(answer: Answer) -> None:
    assert json.loads(render_found_json("x", [], [], answer))["complete"] is (answer is not Answer.NEWEST)


def test_letters_stay_letters() -> None:
    assert "鹭".encode() in render_found_json("鹭", [], [], Answer.NOTHING)


def test_an_excerpt_begins_before_the_first_word_that_was_looked_for() -> None:
    (excerpt,) = found(f"<p>{FAR}</p>")
    assert excerpt.startswith("…word ")
    assert excerpt.index("Heron") in range(50, 62)
    assert len(excerpt) <= 242


def test_an_excerpt_of_several_terms_begins_before_the_earliest() -> None:
    (excerpt,) = found(f"<p>{FAR} crane</p>", terms=("crane", "heron", "absent"))
    assert "Heron" in excerpt


def test_an_excerpt_whose_word_is_near_the_beginning_is_the_beginning() -> None:
    texts = ("<p>A Heron at the lake</p>", f"<p>{'x' * 59} heron</p>", "<p>No such bird</p>")
    assert found(*texts) == ["A Heron at the lake", f"{'x' * 59} heron", "No such bird"]


def test_an_excerpt_without_blanks_begins_anywhere() -> None:
    (excerpt,) = found(f"<p>{'字' * 100}鹭{'字' * 300}</p>", terms=("鹭",))
    assert excerpt.startswith("…字")
    assert excerpt.index("鹭") == 61


def test_an_excerpt_whose_letters_fold_to_more_is_the_beginning() -> None:
    (excerpt,) = found(f"<p>ß {FAR}</p>")
    assert excerpt.startswith("ß word")


def test_an_entry_without_content_shows_its_summary() -> None:
    publication = a_publication(1, content="", summary="<p>Seen by the lake</p>")
    record = json.loads(render_found_json("lake", ["lake"], [publication], Answer.FOUND))
    assert record["found"][0]["excerpt"] == "Seen by the lake"


@pytest.mark.parametrize(
    ("answer", "said"),
    [(Answer.FOUND, "found: 2,"), (Answer.NEWEST, "newest 2")],
)
def test_the_page_counts_what_was_found(answer: Answer, said: str) -> None:
    stories = [a_publication(1, content=f"<p>{FAR}</p>"), a_publication(2)]
    page = render_found("heron", ["heron"], stories, answer, SITE).decode()
    assert said in page
    assert "…word" in page
    assert "Story 2" in page
    assert 'value="heron"' in page
    assert "https://planet.example.org/search" in page


def test_a_story_links_to_pages_of_its_home() -> None:
    elsewhere = replace(a_publication(1), home="category/water")
    pages = [render_found("x", [], [each], Answer.FOUND, SITE) for each in (elsewhere, a_publication(1))]
    assert all(b"Story 1" in page for page in pages)


@pytest.mark.parametrize(
    ("page", "links"),
    [
        ('<a href="/search">Search</a>', True),
        ('<form action="search?q="></form>', True),
        ('<a href="https://planet.example.org/search?q=x">', True),
        ('<a href="/searching">', False),
        ('<a href="https://other.example/search">', False),
        ("<a>search</a>", False),
        ("", False),
    ],
)
def test_whether_an_index_links_to_search(page: str, links: bool) -> None:
    assert links_to_search(page.encode(), base_url=str(Url("https://planet.example.org/"))) is links


def test_results_and_status_announce_the_feeds_of_all_categories() -> None:
    formats = frozenset({"atom", "html"})
    for data in (
        render_found("x", [], [], Answer.NOTHING, SITE, formats),
        render_status_page(theme_check.STATUS, SITE, formats),
    ):
        (feed,) = Page(data).all("link", rel="alternate")
        assert (feed["type"], feed["href"]) == ("application/atom+xml", "https://planet.example.org/all.atom")


@pytest.mark.parametrize(
    ("choice", "is_kept"),
    [
        (Choice(), True),
        (Choice(category="python"), True),
        (Choice(category="web"), False),
        (Choice(source="heron"), True),
        (Choice(source="egret"), False),
        (Choice(days=7), True),
        (Choice(days=6), False),
        (Choice(category="python", source="heron", days=7), True),
    ],
)
def test_what_a_choice_keeps(choice: Choice, is_kept: bool) -> None:
    now = NOON + timedelta(days=7, hours=-1)
    assert choice.keeps(a_publication(1), now) is is_kept
    assert not replace(choice, days=6).keeps(a_publication(1, published=None), now + timedelta(hours=1))


@pytest.mark.usefixtures("html_as_it_is")
def test_a_later_page_of_chosen_results(golden: Callable[[str, bytes], None]) -> None:
    chosen = Choice(category="web", source="heron", days=7, page=3, has_more=True)
    data = render_found(
        "heron",
        ["story"],
        [a_publication(1), a_publication(2)],
        Answer.FOUND,
        SITE,
        frozenset({"atom", "html"}),
        choice=chosen,
        categories=[("python", "Python"), ("web", "Web & more")],
    )
    golden("search-chosen.html", data)
