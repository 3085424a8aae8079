"""HTML to plain text and back (I7, I51)."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aggregator.clean.sanitiser import sanitise
from aggregator.clean.text import html_of, plain_text, text_of
from aggregator.text.xml_chars import legal


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One</p><p>two<br>three</p>", "One two three"),
        ("f<b>oo</b>", "foo"),
        ("a &lt; b &amp;amp; c", "a < b &amp; c"),
        ("a &lt; b", "a < b"),
        ("<script>x</script>y<style>z</style>", "y"),
        ("<td>a</td><td>b</td>", "ab"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a b"),
        ('<img alt="a>b" src=x>c', "c"),
        ("plain\n text", "plain text"),
        ("<!-- no -->yes", "yes"),
        ("<title>no</title>yes", "yes"),
    ],
)
def test_plain_text(markup: str, text: str) -> None:
    assert plain_text(markup) == text


def test_s14_plain_text_of_what_is_very_deep() -> None:
    start = time.thread_time()
    assert plain_text("<div>" * 100_000 + "x<script>y</script>") == "x"
    assert time.thread_time() - start < 10


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("a < b & c", "a &lt; b &amp; c"),
        ("one\ntwo", "<p>one<br>two</p>"),
        ("one\r\n\r\ntwo\n \n\n", "<p>one</p><p>two</p>"),
        ("", ""),
    ],
)
def test_html_of(text: str, markup: str) -> None:
    assert html_of(text) == markup


@given(st.text(max_size=100))
def test_text_survives_html(text: str) -> None:
    text = legal(text)
    assert plain_text(html_of(text)).split() == plain_text(html_of(" ".join(text.split()))).split()


@given(st.text(max_size=100))
def test_i7_nothing_that_xml_forbids_is_left(text: str) -> None:
    for found in (legal(text), plain_text(text), plain_text(html_of(legal(text)))):
        found.encode()
        assert not any((c < " " and c not in "\t\n\r") or c in "\ufffe\uffff" for c in found)


@pytest.mark.parametrize("ending", ["", ";", "]"])
@pytest.mark.parametrize("form", ["&#{}", "&#x{:x}"])
def test_i7_references_name_no_character_that_xml_forbids(form: str, ending: str) -> None:
    # With a tag in the text nh3 resolves references; without a tag html.unescape does.
    for code in (*range(0x30), *range(0x7F, 0xA0), 0xD800, 0xFFFE, 0xFFFF):
        text = form.format(code) + ending
        for found in (plain_text(f"a {text} b"), plain_text(f"<b>a {text} b</b>")):
            assert legal(found) == found


PIECES = st.lists(
    st.sampled_from(
        "<p> </p> <b> </b> <i>x <br> <hr/> <ul><li> </li></ul> <pre> </pre> <!--no--> "
        "<script>no</script> <style>no</style> "
        "<td> <table> "
        "<img\talt='a&gt;b'\tsrc=/a.png> <a\thref='/?a=1&amp;b=2'> </a> <math><mi> "
        "<details><summary> <option> <q> &lt;i&gt; &amp;amp; "
        "&amp;lt; &#1; &#x202e; &nbsp; &shy; &copy &#8203; \u3000 \u202e \n one two 一 二 < > & \" '".split(" ")
    ),
    max_size=12,
)


@given(PIECES, st.sampled_from(["", " "]))
@example(["<q>", "<p>"], " ")
def test_the_text_of_sanitised_html_is_that_of_any_html(pieces: list[str], between: str) -> None:
    """Near-duplicates take the text of a stored entry by the short way, and that of a new one was taken so, too."""
    html = sanitise(between.join(pieces)).strip()  # as it is stored
    assert text_of(html) == plain_text(html)
