"""Pages that are made to keep a parser busy are refused before parsing (S14, S64)."""

from pathlib import Path

import pytest

from aggregator.errors import NotAFeed
from aggregator.parse.articles import article_of
from aggregator.parse.page_limits import MAX_ATTRIBUTES, MAX_OPEN, MAX_TAGS, exceeded_limit
from aggregator.urls import Url

PAGES = sorted((Path(__file__).parent / "pages").rglob("*.html"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("<div>" * 400_000, "nested elements", id="deep"),
        pytest.param("<ul><li>" * 200_000, "nested elements", id="deep-lists"),
        pytest.param("<p>" + "<b>x" * 400_000, "nested elements", id="deep-formatting"),
        pytest.param("<p>" + "x<br>" * 400_000, "tags", id="many"),
        pytest.param("<div " + "a=1 " * 400_000 + ">", "attributes", id="attributes"),
        pytest.param("<a " * 400_000, "attributes", id="one-tag-without-end"),
        pytest.param("<a " * 400_000 + ">", "attributes", id="one-tag-with-a-late-end"),
    ],
)
def test_s64_what_would_take_minutes_is_not_parsed(text: str, why: str) -> None:
    fault = exceeded_limit(text)
    assert fault is not None
    assert why in fault
    with pytest.raises(NotAFeed, match="too expensive to parse"):
        article_of(f"<html><body>{text}", Url("https://example.org/a"))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("<table>" + "<tr><td>x" * (MAX_TAGS // 2 - 1), id="a-long-table"),
        pytest.param("<div>" * (MAX_OPEN - 1) + "</div>" * MAX_OPEN + "<div>x</div>" * MAX_OPEN, id="deep-and-back"),
        pytest.param("<ul>" + "<li>x" * MAX_OPEN * 3, id="items-without-end"),
        pytest.param(f'<img src="data:image/png;base64,{"A" * 100_000}">', id="a-picture-in-the-page"),
        pytest.param(f"<path d='{'M 1 2 ' * 20_000}'>", id="a-drawing-in-the-page"),
        pytest.param("<p " + "a " * (MAX_ATTRIBUTES - 1) + ">", id="attributes"),
        *(pytest.param(page.read_text(encoding="utf-8", errors="replace"), id=page.stem) for page in PAGES),
    ],
)
def test_what_people_write_is(text: str) -> None:
    assert exceeded_limit(text) is None
