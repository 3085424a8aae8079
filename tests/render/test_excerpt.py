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


@pytest.mark.parametrize(
    ("before", "char", "is_one"),
    [
        ("a", "\u0301", True),  # an accent, a mark around, a vowel sign
        ("a", "\u20dd", True),
        ("क", "\u093e", True),
        ("a", "\u200c", True),
        ("a", "\u200d", True),
        ("a", "b", False),
        ("a", "\U0001f3fa", False),  # skin tones
        ("a", "\U0001f3fb", True),
        ("a", "\U0001f3ff", True),
        ("a", "\U0001f400", False),
        ("\U0001f1e6", "\U0001f1ff", True),  # flags
        ("\U0001f1ff", "\U0001f1e6", True),
        ("\U0001f1e5", "\U0001f1e6", False),
        ("\U0001f200", "\U0001f1e6", False),
        ("\U0001f1e6", "\U0001f1e5", False),
        ("\U0001f1e6", "\U0001f200", False),
        ("\uac00", "\u1160", True),  # Hangul
        ("\ud7a3", "\u11ff", True),
        ("\uabff", "\u1160", False),
        ("\ud7a4", "\u1160", False),
        ("\uac00", "\u115f", False),
        ("\uac00", "\u1200", False),
    ],
)
def test_a65_what_people_see_as_one_is_not_cut(before: str, char: str, is_one: bool) -> None:
    text = f"ab{before}{char}cd"
    assert shorten(text, 4) == ("ab…" if is_one else f"ab{before}…")
    assert shorten(text, 6) == text
    assert shorten(f"{before}{char}c", 2) == ("…" if is_one else f"{before}…")


def test_a65_a_joiner_holds_both_sides() -> None:
    assert shorten("ab\u200dbcd", 4) == "a…"
