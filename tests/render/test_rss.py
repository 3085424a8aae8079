"""Documents as RSS 2.0."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from html import unescape

import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from aggregator.errors import PublishError
from aggregator.model.entry import Enclosure, Origin, Person, Tag
from aggregator.model.story import Document, Publication
from aggregator.render.atom import render_atom
from aggregator.render.html_fragments import EXCERPT
from aggregator.render.rss import read_back_rss, render_rss
from aggregator.urls import Url
from tests.examples import examples
from tests.render.checks import attributes, parsed
from tests.render.extension_profile import MEDIA
from tests.render.records import (
    ARABIC,
    BARE,
    CHINESE,
    LINKLESS,
    NOON,
    ORIGIN,
    RICH,
    SAMPLE,
    SITE,
    a_document,
    a_publication,
)
from tests.render.rss_profile import ATOM, CONTENT, DUBLIN_CORE, faults_of_rss


def rendered(document: Document, *, html: bool = True) -> bytes:
    """Render a document, hold it against the profile, and read it back."""
    data = render_rss(document, SITE, ttl=15, html=html)
    assert faults_of_rss(data) == []
    read_back_rss(data, document)
    return data


def channel_of(document: Document, *, html: bool = True) -> etree._Element:
    channel = parsed(rendered(document, html=html)).find("channel")
    assert channel is not None
    return channel


def item_of(publication: Publication) -> etree._Element:
    item = channel_of(a_document(publication)).find("item")
    assert item is not None
    return item


def test_a85_the_hub_stands_behind_the_address_of_the_feed() -> None:
    document = replace(a_document(), hub=Url("https://hub.example/"))
    own, hub = channel_of(document).findall(f"{ATOM}link")[:2]
    assert own.get("rel") == "self"
    assert (hub.get("href"), hub.get("rel")) == ("https://hub.example/", "hub")


@pytest.mark.usefixtures("html_as_it_is")
def test_a32_main_document(golden: Callable[[str, bytes], None]) -> None:
    golden("category.rss", render_rss(SAMPLE, SITE, ttl=15, html=True))


@pytest.mark.parametrize("document", [SAMPLE, a_document(), a_document(RICH, path="all")], ids=["main", "empty", "all"])
def test_a50_documents_follow_the_profile(document: Document) -> None:
    for html in (True, False):
        rendered(document, html=html)


def test_a50_channel_says_what_the_profile_asks_for() -> None:
    channel = channel_of(a_document(description=None))
    assert channel.findtext("title") == channel.findtext("description") == "Python", "RSS demands a description"
    assert channel.findtext("link") == "https://planet.example.org/category/python.html"
    assert channel.findtext("lastBuildDate") == "Sat, 01 Mar 2025 12:00:00 GMT"
    assert channel.findtext("ttl") == "15"
    assert channel.findtext("docs") == "https://www.rssboard.org/rss-specification"
    assert channel.findtext("generator") == "aggregator"
    assert channel.findtext("language") == "en"
    assert channel_of(a_document(), html=False).findtext("link") == "https://planet.example.org/"


def test_a51_guid_is_the_id_and_no_link_even_where_it_is_one() -> None:
    guid = item_of(CHINESE).find("guid")
    assert guid is not None
    assert (guid.text, attributes(guid)) == (CHINESE.atom_id, {"isPermaLink": "false"})


@pytest.mark.parametrize(
    ("published", "expected"),
    [
        pytest.param(
            datetime(2025, 3, 1, 1, 2, 3, 999, tzinfo=UTC), "Sat, 01 Mar 2025 01:02:03 GMT", id="whole-seconds"
        ),
        pytest.param(
            datetime(2025, 3, 1, 1, tzinfo=timezone(timedelta(hours=8))), "Fri, 28 Feb 2025 17:00:00 GMT", id="zone"
        ),
        pytest.param(datetime(987, 3, 1, tzinfo=UTC), "Thu, 01 Mar 0987 00:00:00 GMT", id="four-digits"),
        pytest.param(None, "Sat, 01 Mar 2025 11:05:00 GMT", id="undated-has-that-of-its-last-change"),
    ],
)
def test_a51_date_has_four_digits_of_a_year_and_gmt(published: datetime | None, expected: str) -> None:
    item = channel_of(a_document(a_publication(published=published))).find("item")
    assert item is not None
    assert item.findtext("pubDate") == expected
    assert item.findtext(f"{ATOM}updated") == "2025-03-01T11:05:00Z", "so that a revision shows"


def test_a52_full_text_short_text_and_authors_have_their_own_elements() -> None:
    item = item_of(RICH)
    assert (item.findtext("description") or "").startswith("<p>What it is")
    assert (item.findtext(f"{CONTENT}encoded") or "").startswith("<h1>Top</h1>")
    assert [creator.text for creator in item.iterchildren(f"{DUBLIN_CORE}creator")] == ["Bea Crane"]
    assert item.find("author") is None
    assert b"bea@crane.example" not in rendered(a_document(RICH))


def test_a52_a_text_without_a_summary_is_described_by_its_beginning() -> None:
    """Readers that know no content:encoded would show nothing; those that do look for a description before it."""
    short = item_of(ARABIC)
    assert short.findtext("description") == ARABIC.content
    assert short.find(f"{CONTENT}encoded") is None, "nothing is said twice"
    long = item_of(a_publication(content=f"<p>One &amp; <b>two</b>.</p>{'<p>Three, and more.</p>' * 50}"))
    assert (long.findtext("description") or "").startswith("One &amp; two.")
    assert len(long.findtext("description") or "") <= EXCERPT + len("amp;")
    assert (long.findtext(f"{CONTENT}encoded") or "").startswith("<p>One &amp; <b>two</b>.</p>")
    picture = '<p><img src="https://heron.example/i.png"></p>'
    assert "i.png" in (item_of(a_publication(content=picture)).findtext("description") or ""), "it has no words"


def test_a50_plain_texts_hold_ampersands_and_angles_as_the_profile_prefers_them() -> None:
    named = Origin(id="urn:example:1", title="R&D", self_link=Url("https://x.example/f?a=1&b=2"))
    publication = a_publication(
        title="Use <details> & <b>",
        tags=(Tag(term="a<b", scheme="https://x.example/?c&d"),),
        origin=named,
        summary="<p>a &amp; b</p>",
    )
    data = rendered(a_document(publication, title="A&B", description="<All> of it"))
    assert b"<title>A&#x26;B</title>" in data
    assert b"<description>&#x26;lt;All&#x26;gt; of it</description>" in data, "readers render it as HTML"
    assert b"<title>Use &#x3C;details&gt; &#x26; &#x3C;b&gt;</title>" in data
    assert b'<category domain="https://x.example/?c&amp;d">a&#x3C;b</category>' in data
    assert b'<source url="https://x.example/f?a=1&amp;b=2">R&#x26;D</source>' in data
    assert b"<description>&lt;p&gt;a &amp;amp; b&lt;/p&gt;</description>" in data, "HTML stays as it is"
    assert b"<description>R&#x26;D, 1 &#x3C; 2</description>" in rendered(a_document(description="R&D, 1 < 2"))


def test_s39_a_foreign_name_is_no_markup_where_a_description_is_rendered_as_html() -> None:
    name = "<img src=x onerror=alert(1)> &lt;b&gt;"
    said = channel_of(a_document(title=name, description=None)).findtext("description") or ""
    assert (unescape(said), "<" in said) == (name, False)


def test_a52_short_text_alone_is_html_too() -> None:
    assert item_of(LINKLESS).findtext("description") == "A &amp; B"
    bare = item_of(BARE)
    assert bare.find("description") is None
    assert bare.find(f"{CONTENT}encoded") is None


def test_a53_source_is_the_feed_and_its_title() -> None:
    source = item_of(RICH).find("source")
    assert source is not None
    assert (source.text, attributes(source)) == ("Heron Notes", {"url": "https://heron.example/feed.atom"})


def test_s44_source_without_an_address_is_named_in_another_element() -> None:
    hidden = item_of(a_publication(origin=replace(ORIGIN, self_link=None)))
    assert hidden.find("source") is None
    assert hidden.findtext(f"{DUBLIN_CORE}source") == "Heron Notes"
    origin = replace(ORIGIN, self_link=Url("https://user:secret@heron.example/feed.atom"))
    assert b"secret" not in rendered(a_document(a_publication(origin=origin)))


def test_a53_first_file_is_the_enclosure_and_others_are_media() -> None:
    item = item_of(RICH)
    (enclosure,) = item.findall("enclosure")
    assert attributes(enclosure) == {
        "url": "https://heron.example/1.mp3",
        "length": "1234567",
        "type": "audio/mpeg",
    }
    (other,) = item.findall(f"{MEDIA}content")
    assert attributes(other) == {"url": "https://heron.example/slides.pdf", "type": "application/pdf"}


def test_a53_what_a_publisher_left_out_of_a_file_is_filled_in() -> None:
    files = (Enclosure(url=Url("https://heron.example/x")), Enclosure(url=Url("https://heron.example/y"), title="Y"))
    item = item_of(a_publication(enclosures=files))
    enclosure, other = item.find("enclosure"), item.find(f"{MEDIA}content")
    assert enclosure is not None
    assert other is not None
    assert (enclosure.get("length"), enclosure.get("type")) == ("0", "application/octet-stream")
    assert other.get("fileSize") is None
    empty = (Enclosure(url=Url("https://heron.example/x")), Enclosure(url=Url("https://heron.example/y"), length=0))
    content = item_of(a_publication(enclosures=empty)).find(f"{MEDIA}content")
    assert content is not None
    assert content.get("fileSize") is None, "Media RSS has no file of no bytes"
    assert other.findtext(f"{MEDIA}title") == "Y"


def test_i57_what_goes_with_an_entry_stands_as_in_atom() -> None:
    def named(data: bytes) -> list[tuple[str, dict[str, str], str | None]]:
        root = parsed(data)
        wanted = ("{http://search", "{http://www.itunes", "{https://podcast", "{http://www.georss")
        found = [e for e in root.iter() if str(e.tag).startswith(wanted) and e.tag != f"{MEDIA}content"]
        return [(str(e.tag), attributes(e), e.text) for e in found]

    atom = named(render_atom(SAMPLE, SITE, html=True))
    assert len(atom) > 10
    assert named(rendered(SAMPLE)) == atom


def test_where_it_is_discussed() -> None:
    item = item_of(RICH)
    assert item.findtext("comments") == "https://heron.example/1#comments"
    assert item.findtext("{http://wellformedweb.org/CommentAPI/}commentRss") == "https://heron.example/1/comments.atom"
    assert b"xmlns:wfw=" in rendered(SAMPLE)


def test_t2_other_copies_are_credited() -> None:
    (link,) = item_of(RICH).findall(f"{ATOM}link")
    assert attributes(link) == {
        "rel": "related",
        "type": "text/html",
        "href": "https://egret.example/same",
        "title": "Egret Daily",
    }


def test_a42_there_are_no_tombstones_in_rss() -> None:
    assert SAMPLE.tombstones
    assert b"deleted-entry" not in rendered(SAMPLE)


def test_a33_what_is_faulty_is_left_out() -> None:
    document = a_document(a_publication(1), a_publication(2, atom_id="no iri"), a_publication(3))
    data = render_rss(document, SITE, ttl=15, html=True)
    assert faults_of_rss(data) == []
    assert [guid.text for guid in parsed(data).iter("guid")] == ["tag:heron.example,2025:1", "tag:heron.example,2025:3"]


def test_m7_an_item_is_the_same_whatever_stands_around_it() -> None:
    alone = rendered(a_document(RICH))
    among = rendered(a_document(CHINESE, RICH, BARE, title="Other", updated=NOON + timedelta(days=1)))
    item = alone[alone.index(b"    <item") : alone.index(b"</item>\n") + 8]
    assert item in among


def test_a35_feedparser_reads_back_what_went_in() -> None:
    read = feedparser.parse(rendered(SAMPLE))
    assert not read.bozo
    for publication, entry in zip(SAMPLE.publications, read.entries, strict=True):
        assert entry.id == publication.atom_id
        assert entry.updated == publication.updated.strftime("%Y-%m-%dT%H:%M:%SZ")
        assert "published" in entry
        if publication.link:
            assert entry.link == publication.link


def test_a33_a_channel_that_cannot_be_rendered_is_refused() -> None:
    with pytest.raises(PublishError, match=r"category/python\.rss"):
        render_rss(a_document(updated=datetime(2025, 3, 1)), SITE, ttl=15, html=True)  # noqa: DTZ001 - that's the fault


ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=40)


@settings(max_examples=examples(150), deadline=None)
@given(title=ANY_TEXT, text=ANY_TEXT, name=ANY_TEXT, tag=ANY_TEXT, rights=ANY_TEXT)
def test_a33_any_text_gives_a_sound_document(title: str, text: str, name: str, tag: str, rights: str) -> None:
    publication = a_publication(
        title=title,
        content=text,
        summary=text[:10],
        authors=(Person(name=name),),
        tags=(Tag(term=tag, label=rights),),
        rights=rights,
        enclosures=(Enclosure(url=Url("https://heron.example/1"), title=name, type=tag),) * 2,
    )
    rendered(a_document(publication, title=name, description=text))
