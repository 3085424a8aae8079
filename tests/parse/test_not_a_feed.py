"""Names of bodies that are not feeds, and the feeds that a page names (I14, P49, P90, P91)."""

import html
import json
import time

import pytest

from aggregator.errors import NotAFeed, ParseError
from aggregator.parse.discovery import MAX_FEEDS, discover, guesses
from tests.answers import URL, parsed, rss

FEED = rss("<item><title>a &amp; b</title><guid>1</guid></item>")
LINK = '<link rel="alternate" type="application/rss+xml" title="All  news" href="/all.xml">'


def refused(body: str) -> NotAFeed:
    with pytest.raises(NotAFeed) as caught:
        parsed(body)
    return caught.value


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("", "nothing"),
        (" \n ", "nothing"),
        ("<html><form><input name=p type='password'></form></html>", "a login page"),
        ("<html><head><title>Sign in · Intranet</title></head></html>", "a login page"),
        ("<html><meta http-equiv=refresh content='0; url=https://sso.example/login?next=feed'></html>", "a login page"),
        ("<!doctype html><title>Before you continue</title><p>We use cookies.", "a consent page"),
        ("<html><title>quay.example</title><p>This domain is for sale!</html>", "a parked domain"),
        (
            "<html><title>Just a moment...</title><script src='/cdn-cgi/challenge-platform/x.js'></script>",
            "a bot challenge",
        ),
        ("<html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1></html>", "an error page"),
        ("<html><title>Quay</title><h1>Down for maintenance</h1></html>", "a maintenance page"),
        ("<html><title>Quay</title><h1>Tides</h1><p>High water at noon.</html>", "a web page"),
        ("<h1>It works!</h1>", "a web page"),
        ('{"error": {"code": 429, "message": "Too <b>many</b>"}}', "an API's error: Too <b>many</b>"),
        ('{"status": "error", "message": "no such feed"}', "an API's error: no such feed"),
        ('{"items": [{"title": "x"}]}', "JSON, but not a JSON Feed"),
        ('[{"title": "x"}]', "JSON, but not a JSON Feed"),
        ('<opml version="2.0"><body/></opml>', "an OPML list"),
        ('<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"/>', "a sitemap"),
        ("<sitemapindex/>", "an index of sitemaps"),
        ('<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><title>404</title></html>', "an error page"),
        ("Service temporarily unavailable", "a maintenance note"),
        ("Fatal: no database", "an error message"),
        ("hello", "plain text"),
        ("<stock><price>1</price></stock>", "XML with the root <stock>"),
    ],
)
def test_i14_the_reason_is_named(body: str, why: str) -> None:
    assert refused(body).why.startswith(why)


def test_i14_a_long_page_that_speaks_of_logins_and_errors_is_a_page() -> None:
    text = "How to avoid the error 404, and why a domain is for sale. We use cookies. " * 40
    assert refused(f"<html><title>Notes from the quay</title><p>{text}</html>").why == "a web page, not a feed"


def test_p91_the_one_feed_that_a_page_names_is_a_hint() -> None:
    error = refused(f"<html><head>{LINK}</head></html>")
    assert [feed.url for feed in error.feeds] == ["https://site.example/all.xml"]
    assert "it names one feed: https://site.example/all.xml; it begins: <html>" in str(error)
    assert "it names 2 feeds" in str(refused(f"<html>{LINK}{LINK.replace('all', 'two')}</html>"))


def test_s10_strangers_see_the_code_only() -> None:
    assert refused("<html>secret</html>").code == "not_a_feed"


def test_p90_all_feeds_of_a_page_in_its_order() -> None:
    page = (
        "<html><head><base href='https://other.example/blog/'><base href='/ignored/'>"
        "<link href=a.xml type='application/atom+xml; charset=utf-8' rel='ALTERNATE home'>"
        "<link rel='alternate stylesheet' type='application/rss+xml' href='no.css'>"
        "<link rel=alternate type=text/html hreflang=fr href=/fr>"
        "<!-- <link rel=alternate type=application/rss+xml href=/old> -->"
        "<script>'<link rel=alternate type=application/rss+xml href=/js>'</script>"
        "<link rel=alternate type=application/feed+json title='A &amp; B' href='/f.json?a=1&amp;b=2'>"
        "<link rel=alternate type=text/xml href=/rss.php><link rel=alternate type=text/xml href=/data.xml>"
        "<link rel=alternate type=application/rss+xml href='javascript:1'>"
        "<link rel=alternate type=application/atom+xml href=a.xml></head>"
    )
    assert [(each.url, each.title, each.format) for each in discover(page, URL)] == [
        ("https://other.example/blog/a.xml", "", "atom"),
        ("https://other.example/f.json?a=1&b=2", "A & B", "json"),
        ("https://other.example/rss.php", "", ""),
    ]


def test_p90_no_more_than_three_paths_are_guessed() -> None:
    assert len(guesses(URL)) == 3
    assert all(each.startswith("https://site.example/") for each in guesses(URL))


def test_p90_candidates_have_a_limit() -> None:
    page = "".join(LINK.replace("all", str(number)) for number in range(200))
    assert len(discover(page, URL)) == MAX_FEEDS


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(f"<html><head></head><body><pre>{html.escape(FEED)}</pre></body></html>", id="in-a-page"),
        pytest.param(json.dumps(FEED), id="a-json-string"),
        pytest.param(json.dumps({"code": 0, "data": FEED}), id="in-a-json-object"),
    ],
)
def test_i8_a_feed_inside_something_else_is_found_and_told(body: str) -> None:
    feed = parsed(body)
    assert [entry.id for entry in feed.entries] == ["1"]
    assert "wrapped" in feed.notices[0]


def test_i14_a_page_that_shows_an_example_stays_a_page() -> None:
    assert (
        refused(f"<html><body><p>So:</p><pre>{html.escape(FEED)}</pre></body></html>").why == "a web page, not a feed"
    )


@pytest.mark.parametrize(
    "piece",
    [
        *"< <link <!-- <script> <title> <pre> <meta <h1 <input <html <style <?xml &lt; { a= \\u003c".split(),
        "<link a='",
        "<base href=",
        '"',
        " ",
        "domain is for sale ",
        "<link rel=alternate type=application/rss+xml href=/x>",
    ],
)
def test_s25_takes_time_that_grows_with_the_length(piece: str) -> None:
    start = time.process_time()
    for opening in ("<html>", "", "{", '"'):
        refused_or_read(opening + piece * (100_000 // len(piece)))
    discover(piece * (1_000_000 // len(piece)), URL)
    assert time.process_time() - start < 5


def refused_or_read(body: str) -> None:
    try:
        parsed(body)
    except ParseError:
        return
