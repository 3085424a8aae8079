"""Documents as Atom."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from aggregator.clean.sanitiser import checksums
from aggregator.errors import PublishError
from aggregator.model.entry import Enclosure, Origin, Person, Tag
from aggregator.model.settings import CategoryKey, SourceKey
from aggregator.model.story import CategoryLine, Credit, Document, Publication, Tombstone
from aggregator.model.supplement import Contributor, Image, ImageRole, Supplement
from aggregator.render import atom
from aggregator.render.atom import read_back_atom, render_atom, render_entry
from aggregator.render.elements import element
from aggregator.render.html_pages import render_category
from aggregator.render.jsonfeed import read_back_json, render_json
from aggregator.render.renderer import leave_out_faulty
from aggregator.urls import Url
from tests.answers import cleaned
from tests.render.checks import ATOM, HISTORY, LANG, SCHEMA, TOMBSTONES, faults_of_atom, parsed
from tests.render.records import (
    ARABIC,
    BARE,
    LINKLESS,
    NOON,
    ORIGIN,
    RICH,
    SAMPLE,
    SITE,
    STORE,
    a_document,
    a_publication,
    a_start_page,
    an_archive,
)


def rendered(*publications: Publication, html: bool = True) -> etree._Element:
    """Render a document with these publications, check it, and give its root."""
    document = a_document(*publications)
    data = render_atom(document, SITE, html=html)
    assert faults_of_atom(data) == []
    read_back_atom(data, document)
    return parsed(data)


def entry_of(publication: Publication, *, html: bool = True) -> etree._Element:
    """Render one publication, and give its element."""
    entry = rendered(publication, html=html).find(f"{ATOM}entry")
    assert entry is not None
    return entry


def links_of(parent: etree._Element, rel: str) -> list[dict[str, str]]:
    """Return the links of one kind, without their rel."""
    links = [dict(link.attrib) for link in parent.iterchildren(f"{ATOM}link") if link.get("rel") == rel]
    return [{str(k): str(v) for k, v in link.items() if k != "rel"} for link in links]


# --- golden files and other people's judgement


@pytest.mark.usefixtures("html_as_it_is")
def test_a32_main_document(golden: Callable[[str, bytes], None]) -> None:
    golden("category.atom", render_atom(SAMPLE, SITE, html=True))


@pytest.mark.usefixtures("html_as_it_is")
def test_a40_archive_page(golden: Callable[[str, bytes], None]) -> None:
    golden("archive.atom", render_atom(an_archive(2, BARE, LINKLESS), SITE, html=True))


@pytest.mark.corpus
@pytest.mark.skipif(not SCHEMA.exists(), reason="no ../shared/schema")
@pytest.mark.parametrize(
    "document",
    [
        pytest.param(SAMPLE, id="main"),
        pytest.param(an_archive(1, RICH), id="first-page"),
        pytest.param(an_archive(7, RICH, BARE), id="later-page"),
        pytest.param(a_document(), id="empty"),
        pytest.param(an_archive(2), id="empty-page"),
    ],
)
def test_a1_documents_are_valid(document: Document) -> None:
    schema = etree.RelaxNG(etree.parse(SCHEMA / "atom-extended.rng"))
    for html in (True, False):
        data = render_atom(document, SITE, html=html)
        assert schema.validate(parsed(data)), schema.error_log
        assert faults_of_atom(data) == []


def test_a35_feedparser_reads_back_what_went_in() -> None:
    read = feedparser.parse(render_atom(SAMPLE, SITE, html=True))
    assert not read.bozo
    assert read.feed.id == SAMPLE.id
    for publication, entry in zip(SAMPLE.publications, read.entries, strict=True):
        assert entry.id == publication.atom_id
        assert entry.title == publication.title
        assert entry.updated == publication.updated.strftime("%Y-%m-%dT%H:%M:%SZ")
        if publication.link:
            assert entry.link == publication.link
        assert ("published" in entry) == (publication.published is not None)


# --- the feed


def test_a1_generator_has_a_uri_and_no_version() -> None:
    generator = rendered().find(f"{ATOM}generator")
    assert generator is not None
    assert set(generator.attrib) == {"uri"}
    assert generator.text == "aggregator"


def test_a1_alternate_is_the_page_or_the_site() -> None:
    assert links_of(rendered(), "alternate")[0]["href"] == "https://planet.example.org/category/python.html"
    assert links_of(rendered(html=False), "alternate")[0]["href"] == "https://planet.example.org/"
    everything = parsed(render_atom(a_document(path="all"), SITE, html=True))
    assert links_of(everything, "alternate")[0]["href"] == "https://planet.example.org/"


def test_a11_empty_feed_has_an_author() -> None:
    assert rendered().findtext(f"{ATOM}author/{ATOM}name") == "Example Planet"


def test_a17_feed_says_its_language() -> None:
    assert rendered().get(LANG) == "en"


def test_a40_a_page_links_to_the_main_document_and_to_the_page_before() -> None:
    first = parsed(render_atom(an_archive(1, RICH), SITE, html=True))
    third = parsed(render_atom(an_archive(3, RICH), SITE, html=True))
    assert first.find(f"{HISTORY}archive") is not None
    assert links_of(first, "self")[0]["href"] == "https://planet.example.org/category/python/archive/1.atom"
    assert links_of(first, "current")[0]["href"] == "https://planet.example.org/category/python.atom"
    assert links_of(first, "prev-archive") == []
    assert links_of(third, "prev-archive")[0]["href"] == "https://planet.example.org/category/python/archive/2.atom"
    assert first.findtext(f"{ATOM}id") == SAMPLE.id


def test_a_feed_has_the_icon_that_stands_beside_its_pages() -> None:
    icon = "https://planet.example.org/icon.svg"
    assert parsed(render_atom(a_document(), SITE, html=True)).findtext(f"{ATOM}icon") == icon
    assert parsed(render_atom(a_document(), SITE, html=False)).find(f"{ATOM}icon") is None, "no pages, no icon.svg"


def test_a41_complete_and_next_archive_are_never_written() -> None:
    for document in (a_document(), an_archive(1)):
        data = render_atom(document, SITE, html=True)
        assert b"complete" not in data
        assert b"next" not in data


def test_a42_tombstones_stand_in_the_main_document_only() -> None:
    grave = Tombstone(ref="tag:heron.example,2025:99", when=NOON)
    main = rendered_with(a_document(RICH, tombstones=(grave,)))
    page = rendered_with(an_archive(1, RICH, tombstones=(grave,)))
    found = main.findall(f"{TOMBSTONES}deleted-entry")
    assert [dict(t.attrib) for t in found] == [{"ref": "tag:heron.example,2025:99", "when": "2025-03-01T12:00:00Z"}]
    assert page.findall(f"{TOMBSTONES}deleted-entry") == []


def test_t8_what_stands_again_has_no_tombstone() -> None:
    main = rendered_with(a_document(RICH, tombstones=(Tombstone(ref=RICH.atom_id, when=NOON),)))
    assert main.findall(f"{TOMBSTONES}deleted-entry") == []


def rendered_with(document: Document) -> etree._Element:
    data = render_atom(document, SITE, html=True)
    assert faults_of_atom(data) == []
    return parsed(data)


# --- an entry


def test_a8_dates_end_in_z_and_have_whole_seconds() -> None:
    east = NOON.astimezone(datetime.strptime("+0800", "%z").tzinfo).replace(microsecond=999_999)
    entry = entry_of(a_publication(published=east, updated=east))
    assert entry.findtext(f"{ATOM}updated") == "2025-03-01T12:00:00Z"
    assert entry.findtext(f"{ATOM}published") == "2025-03-01T12:00:00Z"


def test_a9_source_is_complete() -> None:
    source = entry_of(RICH).find(f"{ATOM}source")
    assert source is not None
    assert source.findtext(f"{ATOM}id") == "tag:heron.example,2019:feed"
    assert source.findtext(f"{ATOM}title") == "Heron Notes"
    assert source.findtext(f"{ATOM}updated") == "2025-03-01T10:00:00Z"
    assert links_of(source, "self") == [{"href": "https://heron.example/feed.atom"}]
    assert links_of(source, "alternate") == [{"type": "text/html", "href": "https://heron.example/"}]
    assert source.findtext(f"{ATOM}author/{ATOM}name") == "Ada Heron"
    assert source.findtext(f"{ATOM}rights") == "CC BY 4.0"
    assert source.findtext(f"{ATOM}icon") == "https://heron.example/icon.png"
    assert source.findtext(f"{ATOM}logo") == "https://heron.example/logo.png"
    birds = {"term": "birds", "scheme": "https://heron.example/tags", "label": "Birds"}
    assert [dict(tag.attrib) for tag in source.findall(f"{ATOM}category")] == [birds, {"term": "water"}]


def test_a9_two_sources_of_one_title_are_not_mixed_up() -> None:
    other = replace(ORIGIN, id="tag:other.example,2020:feed")
    root = rendered(a_publication(1), a_publication(2, origin=other), a_publication(3))
    found = [source.findtext(f"{ATOM}id") for source in root.iter(f"{ATOM}source")]
    assert found == [ORIGIN.id, other.id, ORIGIN.id]


def test_s44_credentials_never_get_out() -> None:
    origin = replace(ORIGIN, self_link=Url("https://user:secret@heron.example/feed.atom"))
    data = render_atom(a_document(a_publication(origin=origin)), SITE, html=True)
    assert b"secret" not in data
    assert b"https://heron.example/feed.atom" in data


@pytest.mark.parametrize(
    ("authors", "origin", "names"),
    [
        pytest.param((Person(name="Bea"),), ORIGIN, ["Bea"], id="its-own"),
        pytest.param((), ORIGIN, ["Ada Heron"], id="the-source's"),
        pytest.param((), replace(ORIGIN, authors=()), ["Heron Notes"], id="the-source"),
        pytest.param((Person(email="bea@crane.example"),), ORIGIN, ["Ada Heron"], id="i58-mail-only"),
        pytest.param((Person(name="bea@crane.example"),), ORIGIN, ["Ada Heron"], id="i58-mail-as-name"),
        pytest.param((Person(name="Bea"), Person(name="Bea")), ORIGIN, ["Bea"], id="twice"),
        pytest.param((Person(uri="https://bea.example/x"),), ORIGIN, ["bea.example"], id="address-only"),
        pytest.param((), replace(ORIGIN, authors=(), title=" "), ["heron"], id="nothing-named"),
    ],
)
def test_a11_every_entry_has_an_author(authors: tuple[Person, ...], origin: Origin, names: list[str]) -> None:
    entry = entry_of(a_publication(authors=authors, origin=origin))
    assert [name.text for name in entry.iterfind(f"{ATOM}author/{ATOM}name")] == names


def test_a12_an_entry_without_content_has_an_alternate_link() -> None:
    entry = entry_of(BARE)
    assert entry.find(f"{ATOM}content") is None
    assert links_of(entry, "alternate") == [{"type": "text/html", "href": "https://heron.example/5"}]


@pytest.mark.parametrize(
    ("summary", "type_", "text"),
    [
        pytest.param("<p>Short</p>", "html", "<p>Short</p>", id="markup"),
        pytest.param("Short", "text", "Short", id="plain"),
        pytest.param("A &amp; B &lt;c&gt;", "text", "A & B <c>", id="plain-with-signs"),
    ],
)
def test_a13_plain_summary_is_said_to_be_text(summary: str, type_: str, text: str) -> None:
    found = entry_of(a_publication(summary=summary)).find(f"{ATOM}summary")
    assert found is not None
    assert (found.get("type"), found.text) == (type_, text)


def test_a16_tags_rights_and_published_are_carried_along() -> None:
    entry = entry_of(RICH)
    assert [dict(c.attrib) for c in entry.iterfind(f"{ATOM}category")] == [
        {"term": "py", "scheme": "https://heron.example/tags", "label": "Python"},
        {"term": "wading"},
    ]
    assert entry.findtext(f"{ATOM}rights") == "© 2025 Bea Crane"


def test_a16_a_scheme_that_is_no_iri_and_an_empty_term_are_dropped() -> None:
    tags = (Tag(term=" "), Tag(term="a", scheme="my tags"), Tag(term="a"), Tag(term="b", scheme=""))
    assert [dict(c.attrib) for c in entry_of(a_publication(tags=tags)).iterfind(f"{ATOM}category")] == [
        {"term": "a"},
        {"term": "b"},
    ]


def test_a16_a_scheme_is_a_uri_that_keeps_the_rules_of_its_own_scheme() -> None:
    """RFC 3986 knows no letters beyond ASCII, RFC 4151 no tag without a date: checkers of feeds call both errors."""
    schemes = ("https://heron.example/é", "tag:heron.example", "tag:heron.example,2020:t", "http:/x", "urn:x:y")
    tags = tuple(Tag(term=str(number), scheme=scheme) for number, scheme in enumerate(schemes))
    found = [c.get("scheme") for c in entry_of(a_publication(tags=tags)).iterfind(f"{ATOM}category")]
    assert found == ["https://heron.example/%C3%A9", None, "tag:heron.example,2020:t", None, None]


@pytest.mark.parametrize("scheme", ["javascript:alert(1)", "file:///etc/passwd", "JavaScript:x", "data:,x", "app:open"])
def test_s33_a_scheme_that_a_reader_could_run_is_dropped(scheme: str) -> None:
    tags = (Tag(term="a", scheme=scheme), Tag(term="b", scheme="urn:example:b"))
    found = [c.get("scheme") for c in entry_of(a_publication(tags=tags)).iterfind(f"{ATOM}category")]
    assert found == [None, "urn:example:b"]


@pytest.mark.parametrize(
    ("source_id", "self_link", "identifier"),
    [
        pytest.param("tag:heron.example", "https://heron.example/é", "https://heron.example/%C3%A9", id="its-address"),
        pytest.param("tag:heron.example", None, "https://heron.example/", id="its-site"),
        pytest.param("tag:heron.example,2020:f", "https://heron.example/f", "tag:heron.example,2020:f", id="its-own"),
    ],
)
def test_a9_a_source_is_named_by_what_can_be_an_id(source_id: str, self_link: str | None, identifier: str) -> None:
    origin = replace(ORIGIN, id=source_id, self_link=Url(self_link) if self_link else None)
    assert entry_of(a_publication(origin=origin)).findtext(f"{ATOM}source/{ATOM}id") == identifier


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("zh-CN", "zh-CN"),
        ("not a language", None),
        ("yue", "zh-yue"),
        ("cmn-Hans", "zh-cmn-Hans"),
        ("ast", "ast"),
        ("ckb", None),
    ],
)
def test_a17_entry_says_its_language_where_checkers_of_feeds_know_it(language: str, said: str | None) -> None:
    """ISO 639-1 and 639-2 are what they know; to those a code of ISO 639-3 is an error (RFC 5646, section 2.2.2)."""
    assert entry_of(a_publication(language=language)).get(LANG) == said


def test_a18_enclosures_once_with_type_and_length_where_they_make_sense() -> None:
    url = Url("https://heron.example/a.mp3")
    odd = Enclosure(url=Url("https://heron.example/b"), type="audio", length=-1)
    entry = entry_of(
        a_publication(enclosures=(Enclosure(url=url, type="audio/mpeg", length=0), Enclosure(url=url), odd))
    )
    assert links_of(entry, "enclosure") == [
        {"type": "audio/mpeg", "href": "https://heron.example/a.mp3", "length": "0"},
        {"href": "https://heron.example/b"},
    ]


def test_a20_what_goes_with_an_entry_comes_back_as_it_went_out() -> None:
    read = cleaned(render_atom(a_document(RICH), SITE, html=True)).entries[0]
    told = replace(RICH.supplement, images=(), transcripts=())
    assert replace(read.supplement, images=(), transcripts=()) == told
    first, second = read.supplement.transcripts
    assert (first, second.type) == (RICH.supplement.transcripts[0], "text/plain"), "the format demands a type"
    pictures = [image.url for image in read.supplement.images if image.role is ImageRole.PICTURE]
    assert pictures == [image.url for image in RICH.supplement.images]
    assert [image.url for image in read.supplement.images if image.role is ImageRole.COVER] == pictures[1:2]
    assert [file.duration for file in read.enclosures] == [61, None]


def test_a20_namespaces_are_declared_where_they_are_used() -> None:
    picture = Supplement(images=(Image(url=Url("https://heron.example/1.jpg")),))
    data = render_atom(a_document(a_publication(1, supplement=picture), BARE), SITE, html=True)
    assert data.count(b"xmlns:media=") == 1
    assert b"xmlns:itunes=" not in data


def test_i57_a_number_that_is_none_to_itunes_is_said_to_others() -> None:
    entry = entry_of(a_publication(supplement=Supplement(episode="6.5")))
    assert entry.findtext("{https://podcastindex.org/namespace/1.0}episode") == "6.5"
    assert entry.find("{http://www.itunes.com/dtds/podcast-1.0.dtd}episode") is None
    prologue = entry_of(a_publication(supplement=Supplement(season=0, episode="0")))
    for name in ("season", "episode"):
        assert prologue.findtext(f"{{https://podcastindex.org/namespace/1.0}}{name}") == "0"
        assert prologue.find(f"{{http://www.itunes.com/dtds/podcast-1.0.dtd}}{name}") is None, "iTunes counts from 1"


def test_i57_itunes_is_given_covers_at_hosts_that_it_takes() -> None:
    urls = ("https://heron.example/c.jpg", "https://my_host.example/c.jpg", "http://localhost/c.jpg")
    covers = [Supplement(images=(Image(url=Url(url), role=ImageRole.COVER),)) for url in urls]
    found = [
        entry_of(a_publication(supplement=cover)).find("{http://www.itunes.com/dtds/podcast-1.0.dtd}image") is not None
        for cover in covers
    ]
    assert found == [True, False, False]


def test_a20_a_role_that_the_list_of_media_rss_lacks_names_another_scheme() -> None:
    """Roles are in lower case, and of the list `urn:ebu` unless a scheme is named (Media RSS 1.5.1, media:credit)."""
    people = (
        Contributor(name="A", role="Photographer"),
        Contributor(name="B", role="Owner"),
        Contributor(name="C"),
    )
    entry = entry_of(a_publication(supplement=Supplement(contributors=people)))
    assert [dict(credit.attrib) for credit in entry.iterfind("{http://search.yahoo.com/mrss/}credit")] == [
        {"role": "photographer"},
        {"role": "owner", "scheme": "https://aggregator.example/roles"},
        {},
    ]


def test_37_other_copies_are_credited_as_related() -> None:
    entry = entry_of(RICH)
    assert links_of(entry, "related") == [
        {"type": "text/html", "href": "https://egret.example/same", "title": "Egret Daily"}
    ]


def test_a_source_without_a_title_is_credited_by_its_key() -> None:
    credit = Credit(source=SourceKey("stork"), title="", link=Url("https://stork.example/1"))
    assert links_of(entry_of(a_publication(credits=(credit, credit))), "related")[0]["title"] == "stork"


@pytest.mark.parametrize(
    ("changes", "html", "address"),
    [
        pytest.param({}, True, "https://heron.example/1", id="the-original"),
        pytest.param({"link": None}, True, f"https://planet.example.org/category/python.html#{1:016x}", id="page"),
        pytest.param({"link": None}, False, "https://planet.example.org/", id="no-pages"),
        pytest.param({"link": Url("javascript:alert(1)")}, False, "https://planet.example.org/", id="s33-no-web-link"),
        pytest.param(
            {"link": Url("https://x.example/?{b}|#[e]")}, True, "https://x.example/?%7Bb%7D%7C#%5Be%5D", id="iri"
        ),
        pytest.param({"link": Url("https://x.example/#a#b%")}, True, "https://x.example/#a%23b%25", id="fragment"),
        pytest.param({"link": Url("https://[::1]/a")}, True, "https://[::1]/a", id="ipv6"),
    ],
)
def test_a15_alternate_link(changes: dict[str, Any], html: bool, address: str) -> None:
    entry = entry_of(a_publication(**changes), html=html)
    assert links_of(entry, "alternate") == [{"type": "text/html", "href": address}]


def test_a_linkless_story_in_all_leads_to_the_page_of_its_category() -> None:
    home = a_publication(link=None, home="category/python/archive/3")
    nowhere = a_publication(2, link=None)
    root = parsed(render_atom(a_document(home, nowhere, path="all"), SITE, html=True))
    found = [links_of(entry, "alternate")[0]["href"] for entry in root.iterfind(f"{ATOM}entry")]
    page = f"https://planet.example.org/category/python/archive/3.html#{home.page_id}"
    assert found == [page, "https://planet.example.org/"]


def test_a22_nothing_is_shortened() -> None:
    long = "<p>" + "word " * 400_000 + "</p>"
    assert entry_of(a_publication(content=long)).findtext(f"{ATOM}content") == long


def test_i51_an_empty_title_is_named() -> None:
    assert entry_of(a_publication(title="  ")).findtext(f"{ATOM}title") == "(untitled)"


def test_i53_a_summary_that_repeats_the_content_is_left_out() -> None:
    entry = entry_of(a_publication(content="<p>x</p>", summary="<p>x</p>"))
    assert entry.find(f"{ATOM}summary") is None


def test_s30_html_is_sanitised_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def sanitise(html: str, base: Url | None, allow_classes: frozenset[str]) -> str:
        asked.append((html, base, allow_classes))
        return html.replace("<script>x</script>", "")

    monkeypatch.setattr("aggregator.render.fields.sanitise", sanitise)
    classes = frozenset({"em_media"})
    publication = a_publication(
        content="<p>a</p><script>x</script>", summary="b<script>x</script>", allow_classes=classes
    )
    entry = entry_of(publication)
    assert entry.findtext(f"{ATOM}content") == "<p>a</p>"
    assert entry.findtext(f"{ATOM}summary") == "b"
    assert set(asked) == {(publication.content, None, classes), (publication.summary, None, classes)}


def test_s30_what_this_version_of_the_sanitiser_wrote_is_not_sanitised_again(monkeypatch: pytest.MonkeyPatch) -> None:
    classes = frozenset({"em_media"})
    written, evil = "<p class='em_media'>a</p>", "<p class='em_media'>a</p><script>x</script>"
    cleaned = checksums([written], classes)
    monkeypatch.setattr("aggregator.render.fields.sanitise", lambda *_: "sanitised")
    for html, classes_now, expected in (
        (written, classes, written),
        (written, frozenset({"em_media", "other"}), "sanitised"),  # an edited `allow_classes`
        (evil, classes, "sanitised"),  # an edited store
    ):
        shown = a_publication(content=html, summary="", allow_classes=classes_now, cleaned=cleaned)
        assert entry_of(shown).findtext(f"{ATOM}content") == expected
        short = a_publication(content="", summary=html, allow_classes=classes_now, cleaned=cleaned)
        assert entry_of(short).findtext(f"{ATOM}summary") == expected


def test_s34_class_names_that_the_source_allows_stay() -> None:
    content = '<p class="em_media other">x</p>'
    allowed = a_publication(content=content, allow_classes=frozenset({"em_media"}))
    assert entry_of(allowed).findtext(f"{ATOM}content") == '<p class="em_media">x</p>'
    assert entry_of(a_publication(content=content)).findtext(f"{ATOM}content") == "<p>x</p>"


def test_s30_script_never_gets_out() -> None:
    data = render_atom(a_document(a_publication(content="<p>a</p><script>steal()</script>")), SITE, html=True)
    assert b"steal" not in data


# --- hostile texts


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a\x00b\x0bc\x1f", id="controls"),
        pytest.param("a\ufffeb\uffffc", id="noncharacters"),
        pytest.param("a\ud800b", id="lone-surrogate"),
        pytest.param("]]>&#1;&lt;x", id="cdata-end"),
        pytest.param("\"'<!--&&amp;--><?x?>", id="markup"),
        pytest.param("\u202eabc\u2066", id="bidi"),
        pytest.param("🏳️‍🌈" * 1000, id="emoji"),
    ],
)
def test_a33_hostile_texts_are_published_without_what_xml_forbids(text: str) -> None:
    publication = a_publication(
        title=text,
        content=f"<p>{text}</p>",
        summary=text,
        rights=text,
        language=text,
        authors=(Person(name=text, uri=text),),
        tags=(Tag(term=text, scheme=text, label=text),),
        enclosures=(Enclosure(url=Url(text), title=text), Enclosure(url=Url(f"https://x.example/{text}"), title=text)),
        origin=Origin(id=text, title=text, link=Url(text), self_link=Url(f"https://x.example/?{text}"), rights=text),
        credits=(Credit(source=SourceKey("x"), title=text, link=Url(f"https://x.example/#{text}")),),
    )
    assert len(rendered(publication).findall(f"{ATOM}entry")) == 1


TEXT = st.text(st.characters(exclude_categories=()), max_size=40)


@settings(deadline=None)
@given(title=TEXT, content=TEXT, name=TEXT, tail=TEXT, term=TEXT, atom_id=TEXT)
def test_a33_any_text_gives_a_valid_document_or_is_left_out(
    title: str, content: str, name: str, tail: str, term: str, atom_id: str
) -> None:
    publication = a_publication(
        atom_id=f"tag:{atom_id}",
        title=title,
        content=content,
        summary=tail,
        authors=(Person(name=name, uri=f"https://{tail}"),),
        tags=(Tag(term=term, scheme=tail),),
        enclosures=(Enclosure(url=Url(f"https://x.example/{tail}"), type=tail),),
        link=Url(f"https://x.example/?{tail}"),
        language=tail,
        origin=Origin(id=atom_id, title=term, self_link=Url(tail)),
    )
    document = a_document(publication, a_publication(2))
    data = render_atom(document, SITE, html=True)
    assert faults_of_atom(data) == []
    sound = leave_out_faulty(document)
    assert a_publication(2) in sound.publications
    read_back_atom(data, sound)


@pytest.mark.parametrize(
    "faulty",
    [
        pytest.param(a_publication(2, atom_id="not an iri"), id="id-no-iri"),
        pytest.param(a_publication(2, atom_id=""), id="id-empty"),
        pytest.param(a_publication(2, atom_id="tag:x\ufffe"), id="id-no-xml"),
        pytest.param(a_publication(2, atom_id=a_publication(1).atom_id), id="a5-id-twice"),
        pytest.param(a_publication(2, updated=datetime(2025, 1, 1)), id="naive-updated"),  # noqa: DTZ001  # the fault
        pytest.param(a_publication(2, published=datetime(2025, 1, 1)), id="naive-published"),  # noqa: DTZ001  # the fault
        pytest.param(a_publication(2, sort_at=datetime(2025, 1, 1)), id="naive-sort-at"),  # noqa: DTZ001  # the fault
        pytest.param(a_publication(2, published=datetime.max.replace(tzinfo=UTC)), id="end-of-time"),
    ],
)
def test_a33_a_faulty_entry_is_left_out_with_a_warning(faulty: Publication, caplog: pytest.LogCaptureFixture) -> None:
    document = a_document(a_publication(1), faulty, a_publication(3))
    sound = leave_out_faulty(document)
    assert [p.story for p in sound.publications] == [1, 3]
    assert [(r.message, r.levelname, r.entry) for r in caplog.records] == [  # type: ignore[attr-defined]  # our extra
        ("leave_out_entry", "WARNING", faulty.atom_id)
    ]
    read_back_atom(render_atom(document, SITE, html=True), sound)
    if faulty.atom_id != document.publications[0].atom_id:
        read_back_json(render_json(document, SITE, STORE, html=True), sound)
        line = CategoryLine(key=CategoryKey("x"), title="x", description=None, path="x", newest=document.publications)
        for page in (render_category(document, SITE, frozenset()), a_start_page([line], SITE, frozenset())):
            assert b"Story 3" in page
            assert b"Story 2" not in page


def test_a33_a_sound_document_is_given_back_itself() -> None:
    assert leave_out_faulty(SAMPLE) is SAMPLE


def test_r32_a_feed_that_cannot_be_rendered_is_a_publish_error() -> None:
    with pytest.raises(PublishError):
        render_atom(a_document(id="no iri"), SITE, html=True)


# --- stability


def test_a30_the_same_records_give_the_same_bytes() -> None:
    once = render_atom(SAMPLE, SITE, html=True)
    atom.forget()
    assert render_atom(SAMPLE, SITE, html=True) == once
    assert render_atom(SAMPLE, SITE, html=True) == once


SCRIPT = """
import sys
import feedgen.entry, feedgen.feed
class Any(type):
    __instancecheck__ = lambda cls, value: True
class Later(feedgen.feed.datetime, metaclass=Any):
    @classmethod
    def now(cls, tz=None):
        return cls(2031, 1, 1, tzinfo=tz)
if sys.argv[1] == "later":
    feedgen.entry.datetime = feedgen.feed.datetime = Later
from aggregator.model.poll import State
from aggregator.model.story import CategoryLine, SourceLine
from aggregator.render import atom, jsonfeed, opml, html_pages as page, rss, source_pages
from tests.render.records import RICH, SAMPLE, SITE, STORE, a_start_page, an_archive
formats = frozenset({"json", "atom", "rss"})
lines = [CategoryLine(key="x", title="X", description=None, path="category/x", newest=(RICH, RICH))]
sources = [
    SourceLine(
        key=key, title=key, link=None, url="https://a.example/", state=State.OK, code=None, categories=("X", "Y")
    )
    for key in "ab"
]
sys.stdout.buffer.write(b"".join([
    atom.render_atom(SAMPLE, SITE, html=True), atom.render_atom(an_archive(3, RICH), SITE, html=True),
    jsonfeed.render_json(SAMPLE, SITE, STORE, html=True),
    rss.render_rss(SAMPLE, SITE, ttl=15, html=True),
    page.render_category(SAMPLE, SITE, formats), page.render_archive(an_archive(3, RICH), SITE, formats),
    a_start_page(lines, SITE, formats, also=frozenset({"opml.xml"})),
    source_pages.render_sources(sources, SITE, formats),
    opml.render_feeds_opml(lines, SITE, formats, html=True), opml.render_sources_opml(sources, SITE),
]))
"""


def test_a30_clock_hash_seed_zone_and_locale_change_no_byte() -> None:
    def run(clock: str, **environment: str) -> bytes:
        root = Path(__file__).parents[2]
        command = [sys.executable, "-c", SCRIPT, clock]
        return subprocess.run(
            command, env=os.environ | environment, cwd=root, check=True, stdout=subprocess.PIPE
        ).stdout

    once = run("now", PYTHONHASHSEED="1", TZ="UTC", LANG="C", LC_ALL="C")
    again = run("later", PYTHONHASHSEED="4711", TZ="Asia/Shanghai", LANG="de_DE.UTF-8", LC_ALL="C.UTF-8")
    assert len(once) > 10_000
    assert once == again


def test_m7_an_entry_is_the_same_in_every_document_of_its_category() -> None:
    """A page's bytes change for its entries only, not for where they stood before."""
    assert render_entry(ARABIC, SAMPLE, SITE, html=True) == render_entry(ARABIC, an_archive(9), SITE, html=True)


def test_goal_18_a_known_entry_is_not_rendered_again(monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0

    def counted(indent: str, name: str, *rest: Any) -> str:
        nonlocal made
        made += name == "published"  # one in an entry
        return element(indent, name, *rest)

    monkeypatch.setattr("aggregator.render.atom.element", counted)
    old = [a_publication(number) for number in range(2, 30)]
    render_atom(a_document(*old), SITE, html=True)
    assert made == 28
    made = 0
    equal_but_other_objects = [replace(publication) for publication in old]
    render_atom(a_document(a_publication(1), *equal_but_other_objects), SITE, html=True)
    assert made == 1


def test_a_changed_entry_is_rendered_again() -> None:
    render_atom(a_document(RICH), SITE, html=True)
    later = replace(RICH, updated=RICH.updated + timedelta(hours=1))
    assert b"2025-03-01T12:05:00Z" in render_atom(a_document(later), SITE, html=True)


def test_a85_the_hub_stands_before_other_links() -> None:
    feed = parsed(render_atom(a_document(hub=Url("https://hub.example/")), SITE, html=True))
    links = [(link.get("rel"), link.get("href")) for link in feed.findall(f"{ATOM}link")]
    assert links[0] == ("self", "https://planet.example.org/category/python.atom")
    assert ("hub", "https://hub.example/") in links
    assert "hub" not in [link.get("rel") for link in rendered().findall(f"{ATOM}link")]
