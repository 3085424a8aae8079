"""Titles as plain text (I50 to I52, A63, A65)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.clean.titles import display_title, title_of
from aggregator.model.entry import RawText


@pytest.mark.parametrize(
    ("kind", "value", "title"),
    [
        ("text", "AT&amp;T <b>x</b>", "AT&amp;T <b>x</b>"),
        ("html", "AT&amp;T <b>x</b> y<br>z", "AT&T x y z"),
        ("html", "a &lt; b", "a < b"),
        ("html", "<p>Open", "Open"),
        ("xhtml", "a &lt; <em>b</em>", "a < b"),
        ("unknown", "AT&T", "AT&T"),
        ("unknown", "AT&amp;T", "AT&T"),
        ("unknown", "<i>E. coli</i> found", "E. coli found"),
        ("unknown", "&lt;i&gt;E. coli&lt;/i&gt; found", "E. coli found"),
        ("unknown", "std::vector<int>", "std::vector<int>"),
        ("unknown", "<vector> and <b>bold</b>", "<vector> and bold"),
        ("unknown", "the <b> element", "the <b> element"),
        ("unknown", "<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("unknown", "5 < 6 & 7 > 3", "5 < 6 & 7 > 3"),
        ("unknown", "?a=1&copy=2", "?a=1&copy=2"),
        ("unknown", 'A <img src="x" alt="smile"> here', "A smile here"),
        ("unknown", "Fish &amp;amp; chips", "Fish & chips"),
        ("unknown", "&amp;lt;int&amp;gt;", "&lt;int&gt;"),
        ("unknown", "About &amp;nbsp; in HTML", "About &nbsp; in HTML"),
        ("unknown", " two\n lines\t\u00a0and  \u3000blanks ", "two lines and blanks"),
        ("unknown", "\u202etxt.exe\u202c \u2066x\u2069", "txt.exe x"),
        ("unknown", "\u200fעברית", "\u200fעברית"),
        ("unknown", "be\x08ll", "bell"),
        ("unknown", "\ud800x", "x"),
    ],
)
def test_i50_i52_titles(kind: str, value: str, title: str) -> None:
    assert title_of(RawText(value=value, type=kind)) == title


def test_i51_no_title_stays_empty() -> None:
    assert title_of(None) == ""


@pytest.mark.parametrize("kind", ["text", "html", "xhtml", "unknown"])
@pytest.mark.parametrize(
    "value", ["\u200b\u200b", "\u0301\u0308\u030a", "\u3164", "\u2800 \u2800", "\u200d\ufe0f", "\u2060\u00ad"]
)
def test_i51_a_title_of_which_nothing_is_seen_is_none(kind: str, value: str) -> None:
    assert title_of(RawText(value=value, type=kind)) == ""
    assert display_title("", value, "en") == "(untitled)"


@pytest.mark.parametrize("value", ["e\u0301", "…", "🦊", "❤\ufe0f", "한", "\ue000", "$"])
def test_i51_whatever_is_seen_is_a_title(value: str) -> None:
    assert title_of(RawText(value=value, type="unknown")) == value


@given(st.sampled_from(["text", "html", "xhtml", "unknown"]), st.text(max_size=80))
def test_titles_are_one_clean_line(kind: str, value: str) -> None:
    title = title_of(RawText(value=value, type=kind))
    assert title == " ".join(title.split())
    title.encode()


@given(st.text(alphabet="abc <>/&;#bix", max_size=60))
def test_a_title_without_known_tags_loses_no_letter(value: str) -> None:
    title = title_of(RawText(value=value.replace("<b", "<q").replace("<i", "<q").replace("&", "+"), type="unknown"))
    assert title.replace(" ", "") == value.replace("<b", "<q").replace("<i", "<q").replace("&", "+").replace(" ", "")


def test_i51_display_title() -> None:
    assert display_title("Title", "Text", "en") == "Title"
    assert display_title("", "Text", "en") == "Text"
    assert display_title("", "x" * 80, "en") == "x" * 80
    assert display_title("", "x" * 81, "en") == "x" * 80 + "…"
    assert display_title("", "word " * 40, "en") == ("word " * 16).strip() + "…"


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("en", "(untitled)"),
        ("zh-CN", "(无标题)"),
        ("zh-Hant", "(無標題)"),
        ("de-AT", "(ohne Titel)"),
        ("tlh", "(untitled)"),
    ],
)
def test_i51_untitled_in_the_language_of_the_output(language: str, title: str) -> None:
    assert display_title("", "", language) == title


@pytest.mark.parametrize("cluster", ["e\u0301", "👩\u200d🚀", "👍🏽", "❤\ufe0f"])
def test_a65_nothing_is_cut_inside_a_character(cluster: str) -> None:
    for before in range(76, 81):
        shown = display_title("", "x" * before + cluster + "y" * 9, "en").removesuffix("…")
        assert shown.endswith(("x", cluster, cluster + "y", cluster + "yy", cluster + "yyy"))
