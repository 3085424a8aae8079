"""Absolute URLs (I54, I55, S33)."""

import pytest

from aggregator.clean.links import alternate_of, resolve
from aggregator.model.entry import RawLink
from aggregator.urls import normalise
from tests.answers import URL, cleaned, rss

BASE = normalise("https://site.example/a/b.html")


@pytest.mark.parametrize(
    ("href", "url"),
    [
        ("c.html", "https://site.example/a/c.html"),
        ("../c", "https://site.example/c"),
        ("//cdn.example/x", "https://cdn.example/x"),
        ("HTTP://Other.Example:80/x", "http://other.example/x"),
        ("?q=1", "https://site.example/a/b.html?q=1"),
        ("#top", "https://site.example/a/b.html#top"),
        (" /two words.html\n", "https://site.example/two%20words.html"),
        ("/bro\n  ken", "https://site.example/bro%20%20ken"),
        ("/文章", "https://site.example/%E6%96%87%E7%AB%A0"),
        ("javascript:alert(1)", None),
        ("java\nscript:alert(1)", None),
        ("data:text/html,x", None),
        ("ftp://site.example/", None),
        ("mailto:a@site.example", None),
        ("http://", None),
        ("http://[bad", None),
        ("https:\\\\evil.example", None),
        ("", None),
        ("/" + "x" * 5000, None),
    ],
)
def test_s33_resolve(href: str, url: str | None) -> None:
    assert resolve(href, (None, BASE)) == url


def test_without_a_base_only_absolute_ones_count() -> None:
    assert resolve("/x", ()) is None
    assert resolve("http://a.example", ()) == "http://a.example/"


def test_i55_the_html_alternate_goes_first() -> None:
    links = (
        RawLink(href="/pdf", type="application/pdf"),
        RawLink(href="javascript:1", type="text/html"),
        RawLink(href="/page", type="text/html"),
        RawLink(href="/self", rel="self"),
    )
    assert alternate_of(links, URL) == "https://site.example/page"
    assert alternate_of(links[:1], URL) == "https://site.example/pdf"
    assert alternate_of(links[3:], URL) is None


def test_i54_without_a_site_the_address_that_answered_is_the_base() -> None:
    feed = cleaned(
        '<rss version="2.0"><channel><title>t</title><item><link>x</link><description>'
        '&lt;a href="y"&gt;y&lt;/a&gt;</description></item></channel></rss>'
    )
    assert feed.link is None
    assert feed.entries[0].link == "https://site.example/feeds/x"
    assert 'href="https://site.example/feeds/y"' in feed.entries[0].summary


def test_i55_a_permalink_then_a_file_stand_in_for_a_link() -> None:
    feed = cleaned(
        rss(
            "<item><guid>https://site.example/g</guid><enclosure url='/f.mp3'/></item>"
            "<item><guid>g</guid><enclosure url='/f.mp3'/></item>"
            "<item><guid isPermaLink='false'>https://site.example/g2</guid><title>t</title></item>"
        )
    )
    assert [entry.link for entry in feed.entries] == ["https://site.example/g", "https://site.example/f.mp3", None]
