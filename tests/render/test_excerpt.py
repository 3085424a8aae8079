"""Beginnings of texts."""

import pytest

from aggregator.clean.text import plain_text
from aggregator.render.html_fragments import EXCERPT, excerpt_of, shorten

LONG = "<p>One &amp; two, three &lt; four.</p>" * 500


def test_an_excerpt_is_text_written_as_html() -> None:
    assert excerpt_of("<p>One &amp; <b>two</b> &lt;three&gt;</p>") == "One &amp; two &lt;three&gt;"
    assert excerpt_of('<p><img src="https://heron.example/i.png"></p>') == ""


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(LONG, id="text-first"),
        pytest.param('<img src="https://heron.example/i.png" alt="">' * 200 + LONG, id="pictures-first"),
        pytest.param("word " * 2000, id="no-markup"),
        pytest.param("<p>" + "汉字，" * 2000 + "</p>", id="no-blanks"),
        pytest.param(f'<p><a href="https://heron.example/{"a" * 4000}">x</a></p>{LONG}', id="an-element-without-end"),
    ],
)
def test_the_rest_of_a_long_text_changes_nothing(content: str) -> None:
    excerpt = excerpt_of(content)
    assert excerpt.endswith("…")
    whole = shorten(plain_text(content), EXCERPT)
    assert plain_text(excerpt) == whole
