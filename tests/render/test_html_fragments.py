"""Tests how foreign HTML is fitted into a page of ours."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html

from aggregator.clean.sanitiser import sanitise
from aggregator.clean.text import is_visible
from aggregator.render.html_fragments import dress, shorten
from tests.render.checks import Page

LATE = 'loading="lazy" referrerpolicy="no-referrer"'


@pytest.mark.parametrize(
    ("html", "dressed"),
    [
        pytest.param("<h1>a</h1><h2>b</h2>", "<h3>a</h3><h4>b</h4>", id="shifted"),
        pytest.param("<h2>a</h2><h4>b</h4>", "<h3>a</h3><h4>b</h4>", id="none-left-out"),
        pytest.param("<h6>a</h6><h1>b</h1><h3>c</h3>", "<h3>a</h3><h3>b</h3><h4>c</h4>", id="deepest-first"),
        pytest.param("<h2>a</h2><h5>b</h5><h3>c</h3>", "<h3>a</h3><h4>b</h4><h4>c</h4>", id="back-a-step"),
        pytest.param("".join(f"<h{n}></h{n}>" for n in range(1, 7)),
                     "<h3></h3><h4></h4><h5></h5><h6></h6><h6></h6><h6></h6>", id="no-deeper-than-six"),
        pytest.param("<h4>a</h4>", "<h3>a</h3>", id="lifted"),
        pytest.param('<h1 lang="de" title="<h1>">a</h1>', '<h3 lang="de" title="<h1>">a</h3>', id="attributes-stay"),
        pytest.param("<hr><header>x</header>", "<hr><header>x</header>", id="others-stay"),
        pytest.param('<img src="a">', f'<img {LATE} alt="" src="a">', id="image"),
        pytest.param('<img src="a" alt="x">', f'<img {LATE} src="a" alt="x">', id="alt-stays"),
        pytest.param('<img loading="x">', '<img referrerpolicy="no-referrer" alt="" loading="x">', id="has-one"),
        pytest.param('<a title="<img src=x>">y</a>', '<a title="<img src=x>">y</a>', id="not-inside-an-attribute"),
        pytest.param('<img alt="alt loading=x">', f'<img {LATE} alt="alt loading=x">', id="not-by-its-value"),
        pytest.param("<img src='a'>", f"<img {LATE} alt=\"\" src='a'>", id="single-quotes"),
        pytest.param('<img src="a', '<img src="a', id="not-as-our-sanitiser-writes"),
        pytest.param("a < b <img>", "a < b <img>", id="raw-sign"),
        pytest.param('<a rel="noopener" title="x">y</a>', '<a title="x">y</a>', id="a60-rel-without-href"),
        pytest.param('<a hreflang="de" href="x" rel="noopener">y</a>', '<a hreflang="de" href="x" rel="noopener">y</a>',
                     id="rel-with-href"),
        pytest.param('<img src="a" alt="" width="50%" height="9">', f'<img {LATE} src="a" alt="" height="9">',
                     id="a60-share-of-a-width"),
        pytest.param('<img alt="" srcset="a 300w, b 600w">',
                     f'<img {LATE} sizes="(min-width: 44rem) 39rem, 90vw" alt="" srcset="a 300w, b 600w">',
                     id="a60-widths-without-sizes"),
        pytest.param('<img alt="" srcset="a 2x, 9w.png" sizes="9rem">',
                     f'<img {LATE} alt="" srcset="a 2x, 9w.png" sizes="9rem">', id="densities"),
        pytest.param('<img alt="" sizes="9rem">', f'<img {LATE} alt="">', id="a60-sizes-alone"),
        pytest.param('<picture><source media="x"><source srcset="a 9w"><img alt=""></picture>',
                     '<picture><source sizes="(min-width: 44rem) 39rem, 90vw" srcset="a 9w">'
                     f'<img {LATE} alt=""></picture>', id="a60-source-of-nothing"),
        pytest.param('<audio><source src="a"></audio>', '<audio><source src="a"></audio>', id="source-of-a-sound"),
        pytest.param("", "", id="empty"),
    ],
)  # fmt: skip
def test_a61_a68_dress(html: str, dressed: str) -> None:
    assert dress(html) == dressed


@pytest.mark.parametrize(
    ("html", "dressed"),
    [
        pytest.param('<a href="https://e.example/x?y"><img alt=""></a>',
                     f'<a aria-label="e.example" href="https://e.example/x?y"><img {LATE} alt=""></a>', id="picture"),
        pytest.param('<a href="https://e.example/"><img alt="x"></a>',
                     f'<a href="https://e.example/"><img {LATE} alt="x"></a>', id="alt"),
        pytest.param('<a href="https://e.example/"><img alt=""> x</a>',
                     f'<a href="https://e.example/"><img {LATE} alt=""> x</a>', id="text"),
        pytest.param('<a href="https://e.example/" title="x"><img alt=""></a>',
                     f'<a href="https://e.example/" title="x"><img {LATE} alt=""></a>', id="title"),
        pytest.param('<a href="mailto:a@e.example"><video></video></a>',
                     '<a aria-label="a@e.example" href="mailto:a@e.example"><video></video></a>', id="no-host"),
        pytest.param('<a href="https://[&quot;>"><video></video></a>',
                     '<a aria-label="https://[&quot;&gt;" href="https://[&quot;>"><video></video></a>', id="odd"),
        pytest.param('x<a href="https://e.example/"><b>&#8203;&nbsp;</b></a>y', "x<b>&#8203;&nbsp;</b>y", id="unseen"),
        pytest.param("<a>x</a><a></a>", "<a>x</a><a></a>", id="no-link"),
        pytest.param('<a href="https://e.example/">', '<a href="https://e.example/">', id="no-end"),
    ],
)  # fmt: skip
def test_a60_every_link_says_where_it_leads(html: str, dressed: str) -> None:
    assert dress(html) == dressed


@given(st.lists(st.integers(1, 6), max_size=12))
def test_a61_no_rank_is_left_out(ranks: list[int]) -> None:
    page = Page(dress("".join(f"<h{rank}>x</h{rank}>" for rank in ranks)).encode())
    shown = [int(tag[1]) for tag, _ in page.tags if tag[1:].isdigit()]
    assert len(shown) == len(ranks)
    assert all(3 <= rank <= 6 and rank <= before + 1 for before, rank in zip([2, *shown], shown, strict=False))


@given(st.text(alphabet='<>"= abhi16mgrc/', max_size=60))
def test_dress_opens_no_hole(html: str) -> None:
    """Text inside an attribute stays inside it."""
    before, after = Page(html.encode()), Page(dress(html).encode())
    assert [tag for tag, _ in before.tags if not tag.startswith("h")] == [
        t for t, _ in after.tags if not t.startswith("h")
    ]
    known = {"loading", "referrerpolicy", "alt", "aria-label"}
    for (_, had), (_, has) in zip(before.tags, after.tags, strict=True):
        assert set(has) - set(had) <= known


PIECES = (
    '<a href="https://e.example/">', "</a>", '<img src="https://e.example/i">', "<b>", "</b>", "x", " ", "&nbsp;",
    "<h2>", "</h2>", "<h5>", "</h5>", "<table>", "</table>", "<pre>", "</pre>",
)  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=12).map(lambda pieces: sanitise("".join(pieces))))
def test_dress_loses_nothing_that_is_seen(html: str) -> None:
    before, after = (lxml_html.fromstring(f"<div>{text}</div>") for text in (html, dress(html)))
    assert "".join(map(str, before.itertext())) == "".join(map(str, after.itertext()))
    assert len(before.findall(".//img")) == len(after.findall(".//img"))
    links = list(after.iter("a"))
    assert all(is_visible("".join(map(str, link.itertext()))) or link.get("aria-label") for link in links)


@pytest.mark.parametrize("html", ["<" * 100_000, '<a "' * 30_000, "<img " * 30_000, '<a b="' + "x" * 100_000])
def test_s25_dress_takes_no_time_over_odd_text(html: str) -> None:
    started = time.thread_time()
    dress(html)
    assert time.thread_time() - started < 10


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        pytest.param("abc", 3, "abc", id="fits"),
        pytest.param("abcd", 3, "ab…", id="cut"),
        pytest.param("ab cd", 4, "ab…", id="no-blank-at-the-end"),
        pytest.param("日本語です", 4, "日本語…", id="cjk"),
        pytest.param("ae\u0301bcd", 3, "a…", id="combining"),
        pytest.param("a👩‍👩‍👧bc", 4, "a…", id="joined"),
        pytest.param("a👍🏽bc", 3, "a…", id="skin-tone"),
        pytest.param("a🇩🇪bc", 3, "a…", id="flag"),
        pytest.param("\u0301\u0301\u0301", 2, "…", id="nothing-left"),
    ],
)
def test_a65_shorten(text: str, limit: int, short: str) -> None:
    assert shorten(text, limit) == short


@given(st.text(max_size=30), st.integers(1, 30))
def test_a65_never_longer_than_asked(text: str, limit: int) -> None:
    assert len(shorten(text, limit)) <= limit
