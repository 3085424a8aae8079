"""Cleaning of entries and feeds (I7, I25, I53, I56, I58 to I60, R41)."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.clean.feed import clean
from aggregator.clean.titles import people_of, tags_of
from aggregator.model.entry import Enclosure, Person, RawEntry, RawFeed, RawLink, RawOrigin, RawText, Tag
from aggregator.model.settings import Reading
from aggregator.urls import normalise
from tests.answers import URL, atom, cleaned, rss

NO_READING = Reading()


def test_r41_an_empty_entry_is_left_out_and_named() -> None:
    feed = cleaned(rss("<item/><item><title>One</title></item><item><pubDate>x</pubDate></item>"))
    assert [entry.title for entry in feed.entries] == ["One"]
    assert feed.left_out == (
        "entry 1 '' is empty: no id, title, text, link or file",
        "entry 3 '' is empty: no id, title, text, link or file",
    )


def test_an_entry_with_nothing_but_an_id_stays() -> None:
    assert [entry.id for entry in cleaned(atom("<entry><id>urn:x</id></entry>")).entries] == ["urn:x"]


@pytest.mark.parametrize(
    ("summary", "contents", "expected"),
    [
        ("S", (), ("S", "")),
        ("S", ("<p>C</p>",), ("S", "<p>C</p>")),
        ("<p>Same</p>", ("<div>Same</div>",), ("", "<div>Same</div>")),
        ("S", ("<p>short</p>", "<p>longer one</p>"), ("S", "<p>longer one</p>")),
        ('<img src="http://a.example/1.png">', ("<p>C</p>",), ("IMG", "<p>C</p>")),
    ],
)
def test_i53_content_and_summary(summary: str, contents: tuple[str, ...], expected: tuple[str, str]) -> None:
    raw = RawEntry(
        id="1",
        summary=RawText(value=summary),
        contents=tuple(RawText(value=content) for content in contents),
    )
    entry = clean(RawFeed(format="x", url=URL, entries=(raw,)), NO_READING).entries[0]
    found = "IMG" if entry.summary.startswith("<img") else entry.summary
    assert (found, entry.content) == expected


def test_i21_markup_is_preferred_to_its_own_plain_text() -> None:
    contents = (RawText(value="<p>x</p>"), RawText(value="x, but longer", type="text"))
    raw = RawEntry(id="1", contents=contents)
    assert clean(RawFeed(format="x", url=URL, entries=(raw,)), NO_READING).entries[0].content == "<p>x</p>"


def test_i25_only_an_entry_that_carries_one_has_an_origin() -> None:
    assert cleaned(atom("<entry><id>1</id></entry>")).entries[0].origin is None
    raw = RawEntry(id="1", origin=RawOrigin(links=(RawLink(href="https://o.example/f", rel="self"),)))
    origin = clean(RawFeed(format="x", url=URL, entries=(raw,)), NO_READING).entries[0].origin
    assert origin is not None
    assert origin.id == origin.self_link == "https://o.example/f"


def test_i56_enclosures_of_one_address_are_one() -> None:
    links = (
        RawLink(href="/a.mp3", rel="enclosure", type="Audio/MPEG; x"),
        RawLink(href="https://site.example/a.mp3", rel="enclosure", length="12", duration="1:01"),
        RawLink(href="javascript:1", rel="enclosure"),
        RawLink(href="/b", rel="enclosure", type="nonsense", length="-1", duration="x"),
    )
    feed = clean(RawFeed(format="x", url=URL, entries=(RawEntry(enclosures=links),)), NO_READING)
    assert feed.entries[0].enclosures == (
        Enclosure(url=normalise("https://site.example/a.mp3"), type="audio/mpeg", length=12, duration=61),
        Enclosure(url=normalise("https://site.example/b")),
    )


def test_i58_a_bare_mail_address_is_nobody() -> None:
    people = (
        Person(email="a@x.example"),
        Person(name="a@x.example", email="a@x.example"),
        Person(name="<b>Ann</b> &amp; Co", uri="/ann", email="a@x.example"),
        Person(name="Ann & Co", uri="/ann"),
        Person(uri="javascript:1"),
    )
    assert people_of(people, (URL,)) == (Person(name="Ann & Co", uri="https://site.example/ann", email="a@x.example"),)


def test_i59_tags_are_trimmed_and_each_there_once() -> None:
    tags = [Tag(term=" Ropes\n"), Tag(term="ROPES"), Tag(term="ropes", scheme="urn:s"), Tag(term=""), Tag(term="\x08")]
    assert tags_of(tags) == (Tag(term="Ropes"), Tag(term="ropes", scheme="urn:s"))
    assert len(tags_of(Tag(term=str(n)) for n in range(99))) == 50


def test_s33_icons_and_links_of_the_feed() -> None:
    raw = RawFeed(
        format="x",
        url=URL,
        icon="data:image/png;base64,x",
        logo="/logo.png",
        links=(RawLink(href="ftp://x"), RawLink(href="/s", rel="self")),
    )
    feed = clean(raw, NO_READING)
    assert (feed.icon, feed.logo) == (None, "https://site.example/logo.png")
    assert (feed.link, feed.self_link) == (None, "https://site.example/s")


def test_dates_without_a_zone_are_in_the_sources() -> None:
    feed = cleaned(
        rss("<item><title>t</title><pubDate>2025-03-05 10:00</pubDate></item>"), Reading(timezone="Asia/Tokyo")
    )
    assert feed.entries[0].published == datetime(2025, 3, 5, 1, tzinfo=UTC)


def test_s34_allowed_classes_stay() -> None:
    body = rss("<item><title>t</title><description>&lt;p class='em_media x'&gt;t&lt;/p&gt;</description></item>")
    allowed = Reading(allow_classes=frozenset({"em_media"}))
    assert cleaned(body, allowed).entries[0].summary == '<p class="em_media">t</p>'
    assert cleaned(body).entries[0].summary == "<p>t</p>"


TEXT = st.text(max_size=30)
RAW_TEXT = st.none() | st.builds(
    RawText, value=TEXT, type=st.sampled_from(["text", "html", "xhtml", "unknown"]), base=st.none() | TEXT
)
RAW_LINK = st.builds(RawLink, href=TEXT, rel=st.sampled_from(["alternate", "self", "original"]), base=st.none() | TEXT)
RAW_ENTRY = st.builds(
    RawEntry,
    id=st.none() | TEXT,
    id_is_link=st.booleans(),
    title=RAW_TEXT,
    links=st.lists(RAW_LINK, max_size=2).map(tuple),
    summary=RAW_TEXT,
    contents=st.lists(RAW_TEXT.filter(bool), max_size=2).map(tuple),
    authors=st.lists(st.builds(Person, name=TEXT, uri=TEXT, email=TEXT), max_size=2).map(tuple),
    tags=st.lists(st.builds(Tag, term=TEXT, scheme=TEXT), max_size=2).map(tuple),
    enclosures=st.lists(RAW_LINK, max_size=2).map(tuple),
    published=TEXT,
    updated=TEXT,
    rights=RAW_TEXT,
    language=TEXT,
)


@given(RAW_ENTRY)
def test_i7_whatever_comes_in_no_record_holds_what_xml_forbids(raw: RawEntry) -> None:
    feed = clean(RawFeed(format="x", url=URL, entries=(raw, replace(raw, position=1))), NO_READING)
    for entry in feed.entries:
        for text in (entry.title, entry.summary, entry.content, entry.text, entry.id or "", entry.rights or ""):
            text.encode()
            assert not any((c < " " and c not in "\t\n\r") or c in "\ufffe\uffff" for c in text)
