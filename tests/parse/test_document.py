"""Any bytes give a feed or a ParseError (I1, I11 to I14)."""

import time
from contextlib import suppress

import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.errors import CutOff, NotAFeed, ParseError
from aggregator.model.entry import RawFeed
from aggregator.model.settings import Reading
from aggregator.parse.document import parse
from tests.answers import answer, atom, parsed, rss

ENTRY = "<item><title>One</title><link>https://site.example/1</link><description>First</description></item>"


@pytest.mark.parametrize("media_type", ["text/html", "text/plain", "application/octet-stream"])
def test_i11_the_media_type_is_a_hint_only(media_type: str) -> None:
    feed = parsed(rss(ENTRY), content_type=media_type)
    assert len(feed.entries) == 1
    assert feed.notices == (f"served as {media_type}",)


@pytest.mark.parametrize("media_type", [None, "application/rss+xml", "text/xml; charset=utf-8", "application/json"])
def test_i11_usual_media_types_are_no_news(media_type: str | None) -> None:
    assert parsed(rss(ENTRY), content_type=media_type).notices == ()


@pytest.mark.parametrize(
    "body",
    [
        "",
        "  \n ",
        "Service unavailable",
        "<!DOCTYPE html><html><body><p>404</body></html>",
        '<?xml version="1.0"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"/>',
        "<script>x</script>",
        "<<<<",
        "\x00",
    ],
)
def test_i14_what_is_no_feed(body: str) -> None:
    with pytest.raises(NotAFeed):
        parsed(body)


def test_i14_the_operator_sees_how_the_body_begins() -> None:
    with pytest.raises(NotAFeed) as caught:
        parsed("<html><body>" + "Down for\n\n maintenance " * 50)
    assert caught.value.shown.startswith("<html><body>Down for maintenance")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_i16_feedparser_gets_bytes_and_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[object, dict[str, object]]] = []
    real = feedparser.parse

    def watched(source: object, **options: object) -> object:
        calls.append((source, options))
        return real(source, **options)

    monkeypatch.setattr(feedparser, "parse", watched)
    parsed(rss(ENTRY))
    [(source, options)] = calls
    assert hasattr(source, "read")
    assert options["sanitize_html"] is options["resolve_relative_uris"] is False
    assert options["response_headers"] == {
        "content-location": "https://site.example/feeds/feed.xml",
        "content-type": "application/xml; charset=utf-8",
    }


def test_feedparser_may_raise_what_it_likes(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> object:
        raise KeyError("object doesn't have key 'x'")

    monkeypatch.setattr(feedparser, "parse", broken)
    with pytest.raises(ParseError, match="feedparser failed: KeyError"):
        parsed(rss(ENTRY))


def test_s11_external_entities_are_never_loaded() -> None:
    feed = parsed(
        '<!DOCTYPE rss [<!ENTITY f SYSTEM "file:///etc/hostname">]><rss version="2.0"><channel><title>&f;</title>'
        "</channel></rss>"
    )
    assert feed.title is not None
    assert feed.title.value == "&f;"


def test_s12_a_bomb_on_one_line_does_not_go_off() -> None:
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 9))
    start = time.process_time()
    feed = parsed(
        f'<!DOCTYPE r [<!ENTITY l0 "lol">{levels}]><rss version="2.0"><channel><title>&l8;</title></channel></rss>'
    )
    assert feed.title is not None
    assert feed.title.value == "&l8;"
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(rss(f"<item><author>{'a' * 200_000}</author></item>"), id="feedparsers-mail-pattern"),
        pytest.param(
            rss("<item>" + "".join(f"<category>{n}</category>" for n in range(20_000)) + "</item>"), id="tags"
        ),
        pytest.param(rss("<item>" + "".join(f"<author>{n}</author>" for n in range(20_000)) + "</item>"), id="people"),
        pytest.param("\n" * 200_000 + rss(ENTRY), id="blanks-before-the-root"),
        pytest.param(rss("<item>" * 20_000), id="items-in-items"),
        pytest.param(rss("<a>" * 50_000), id="deep"),
        pytest.param(rss("<item><title>" + "<b>" * 50_000), id="deep-title"),
        pytest.param(rss(f"<item><description>{'&lt;b ' * 100_000}</description></item>"), id="tags-that-never-end"),
        pytest.param(rss('<item><a x="' * 20_000), id="quotes"),
        pytest.param(rss(f"<item {' '.join(f'a{n}=1' for n in range(30_000))}/>"), id="attributes"),
        pytest.param(rss(f"<item><pubDate>{'1' * 200_000}</pubDate></item>"), id="date"),
    ],
)
def test_s25_hostile_bodies_take_no_longer_than_their_length(body: str) -> None:
    start = time.process_time()
    with suppress(CutOff):
        parsed(body)
    assert time.process_time() - start < 5


def read(body: bytes, **options: str | None) -> RawFeed | None:
    try:
        return parse(answer(body), Reading(**options))  # type: ignore[arg-type]  # all values are strings
    except ParseError:
        return None


@settings(max_examples=300)
@given(st.binary(max_size=400), st.sampled_from([None, "utf-8", "utf-16", "gb18030"]))
def test_any_bytes_give_a_feed_or_a_parse_error(body: bytes, encoding: str | None) -> None:
    read(body, encoding=encoding)


PIECES = (
    "<item>,</item>,<entry>,</entry>,<title>,</title>,<title type='html'>,<link>,<link href='x'/>,</link>,<guid>,"
    "</guid>,"
    "<description>,</description>,<![CDATA[,]]>,<b>,</b>,<br>,&amp;,&lt;,&nbsp;,&x;,&#8;,&#x1F600;,<!--,-->,<?x?>,text,"
    "<content type='xhtml'>,</content>,<div xmlns='http://www.w3.org/1999/xhtml'>,</div>,<source>,</source>,<author>,"
    "</author>,<name>,</name>,</channel>,<channel>,</rss>,<rss>,<media:content url='x'/>,<content mode='base64'>,"
    "<content type='image/png'>,<x xml:base='y'>,</x>,\x08,\ue0000,\ue0001,<id>,</id>,<updated>,</updated>,<category/>"
).split(",")


@settings(max_examples=400)
@given(st.lists(st.sampled_from(PIECES), max_size=40), st.booleans())
def test_any_soup_of_markup_gives_a_feed_or_a_parse_error(pieces: list[str], is_rss: bool) -> None:
    body = "".join(pieces)
    feed = read((rss(body) if is_rss else atom(body)).encode())
    if feed is not None:
        assert [entry.position for entry in feed.entries] == list(range(len(feed.entries)))


def test_i13_a_feed_cut_off_before_its_first_entry_ends_is_no_feed_without_entries() -> None:
    with pytest.raises(CutOff, match="truncated before its first entry ends") as caught:
        parsed(rss(ENTRY).partition("</item>")[0])
    assert caught.value.code == "short"
    assert parsed(rss("")).entries == ()


@settings(max_examples=200)
@given(st.integers(min_value=0, max_value=len(rss(ENTRY * 3))))
def test_i13_a_feed_cut_anywhere_keeps_what_closed(length: int) -> None:
    text = rss(ENTRY * 3)[:length]
    feed = read(text.encode())
    if feed is not None:
        assert len(feed.entries) == text.count("</item>")
        assert all(entry.summary and entry.summary.value == "First" for entry in feed.entries)
