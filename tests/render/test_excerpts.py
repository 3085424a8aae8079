"""Beginnings of texts, as lists show them."""

import pytest

from aggregator.render.teaser import EXCERPT, cut, excerpt_of, without_heading, without_title


@pytest.mark.parametrize(
    ("text", "columns", "wanted"),
    [
        ("Short.", 20, "Short."),
        ("A first sentence. A second one that is longer", 24, "A first sentence."),
        ("One word after another without any end", 20, "One word after…"),
        ("Hi. A sentence that goes on for much longer", 24, "Hi. A sentence that…"),
        ("他说得很清楚。然后又说了很多别的话", 20, "他说得很清楚。"),
        ("没有标点的一段很长很长的文字在这里继续", 20, "没有标点的一段很长…"),
        ("Version 3.11 of the language is out now", 26, "Version 3.11 of the…"),
        ("", 20, ""),
        ("Aaaa. bbbbbbbbbbb", 11, "Aaaa."),  # half of what may be left,
        ("Aaaa. bbbbbbbbbbb", 12, "Aaaa. bbbbb…"),  # and less
        ("aaaaaaaaa bbbbbbbbb", 9, "aaaaaaaa…"),
        ("aaaaaaaaa bbbbbbbbb", 10, "aaaaaaaaa…"),
        ("aaaaaaaaa bbbbbbbbb", 14, "aaaaaaaaa…"),  # two thirds,
        ("aaaaaaaaa bbbbbbbbb", 15, "aaaaaaaaa bbbb…"),  # and less
        ("Aaaa. Bbbb. C", 11, "Aaaa."),
        ("Aaaa. Bbbb. C", 12, "Aaaa. Bbbb."),
    ],
)
def test_cut(text: str, columns: int, wanted: str) -> None:
    assert cut(text, columns) == wanted


@pytest.mark.parametrize(
    ("text", "title", "wanted"),
    [
        ("Herons are back — and nest here", "Herons are back", "and nest here"),
        ("HERONS ARE BACK: they nest", "Herons, are back!", "they nest"),
        ("Heronsarebackwards", "Herons are back", "Heronsarebackwards"),
        ("白鹭回来了。它们在这里筑巢", "白鹭回来了", "它们在这里筑巢"),
        ("Herons are back", "Herons are back", ""),
        ("They are back", "Herons", "They are back"),
        ("Title (and more)", "Title", "(and more)"),
        ("Beginning of a toot that goes on", "Beginning of a…", "toot that goes on"),
        ("Beginning of another toot", "Beginning of ano…", "another toot"),
        ("Word", "Wo…", "Word"),
        ("白鹭回来了它们在这里筑巢", "白鹭回来了…", "它们在这里筑巢"),
        ("Text", "!!!", "Text"),
    ],
)
def test_a_title_is_not_said_twice(text: str, title: str, wanted: str) -> None:
    assert without_title(text, title) == wanted


@pytest.mark.parametrize(
    ("html", "wanted"),
    [
        ("<h1>Herons &amp; storks</h1>\n<p>They nest.</p>", "<p>They nest.</p>"),
        ('<h2 id="a">herons &amp; storks!</h2><p>They nest.</p>', "<p>They nest.</p>"),
        ("<p><strong>Herons &amp; storks</strong></p><p>They nest.</p>", "<p>They nest.</p>"),
        ("<p>Herons &amp; storks</p>", ""),
        ("<p>Herons &amp; storks nest.</p>", None),
        ("<p>Herons</p><p>They nest.</p>", None),
        ('<h1><a href="https://a.example/">Herons &amp; storks</a></h1>', None),
        ('<p>Herons &amp; storks<img src="https://a.example/1.png" alt=""></p>', None),
        ("<p> </p><p>Herons &amp; storks</p>", None),
        ("<ul><li>Herons &amp; storks</li></ul>", None),
        ("<p>Herons &amp; storks<h1>", None),
    ],
)
def test_a_heading_that_repeats_the_title_is_left_out(html: str, wanted: str | None) -> None:
    assert without_heading(html, "Herons & storks") == (html if wanted is None else wanted)
    assert without_heading(html, "!") == html


def test_code_and_tables_are_no_beginning_of_a_text() -> None:
    text = "<pre>x = 1</pre><table><tr><td>1</td></tr></table><p>What this is about &amp; more.</p>"
    assert excerpt_of(text).text == "What this is about & more."
    assert excerpt_of("<pre>x = 1</pre>").text == "x = 1"


def test_what_is_short() -> None:
    words = "<p>" + "A word or two. " * 90 + "</p>"
    assert excerpt_of(words).is_short
    assert not excerpt_of(words * 2).is_short
    assert not excerpt_of("<p>" + "很" * 800 + "</p>").is_short
    assert not excerpt_of("<p>Pictures</p>" + '<img src="https://a.example/1.png" alt="">' * 4).is_short
    assert len(excerpt_of(words * 100).text) <= EXCERPT
