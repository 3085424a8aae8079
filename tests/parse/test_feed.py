"""RSS, RDF and Atom (I16 to I31, I53 to I59)."""

import pytest

from aggregator.errors import NotAFeed
from aggregator.model.entry import Person, RawEntry, RawFeed, RawLink, RawText, Tag
from aggregator.model.settings import Reading
from tests.answers import URL, atom, cleaned, parsed, rss


def only(feed: RawFeed) -> RawEntry:
    assert len(feed.entries) == 1
    return feed.entries[0]


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ('<rss version="2.0"><channel><title>t</title></channel></rss>', "rss 2.0"),
        ('<rss version="0.92"><channel><title>t</title></channel></rss>', "rss 0.92"),
        ("<rss><channel><title>t</title></channel></rss>", "rss"),
        ('<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title></feed>', "atom 1.0"),
        ('<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title>t</title></feed>', "atom 0.3"),
        (
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">'
            "<channel><title>t</title></channel></rdf:RDF>",
            "rdf 1.0",
        ),
        (
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
            'xmlns="http://my.netscape.com/rdf/simple/0.9/"><channel><title>t</title></channel></rdf:RDF>',
            "rss 0.90",
        ),
        ('<a:feed xmlns:a="http://www.w3.org/2005/Atom"><a:title>t</a:title></a:feed>', "atom 1.0"),
        ('<RSS VERSION="2.0"><CHANNEL><TITLE>t</TITLE></CHANNEL></RSS>', "rss 2.0"),
    ],
)
def test_i20_formats(body: str, name: str) -> None:
    feed = parsed(body)
    assert feed.format == name
    assert feed.title is not None
    assert feed.title.value == "t"


@pytest.mark.parametrize(
    "body",
    [
        '<opml version="2.0"><body/></opml>',
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"/>',
        '<error code="1"/>',
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description/></rdf:RDF>',
    ],
)
def test_i1_other_xml_is_no_feed(body: str) -> None:
    with pytest.raises(NotAFeed):
        parsed(body)


def test_i31_ids_and_links_are_what_stands_there() -> None:
    entry = only(parsed(atom("<entry><id> 1 </id><title>t</title><link href='/a b'/></entry>")))
    assert (entry.id, entry.id_is_link, entry.links) == ("1", False, (RawLink(href="/a b"),))


@pytest.mark.parametrize(
    ("guid", "is_link"),
    [
        ("<guid>g</guid>", True),
        ('<guid isPermaLink="true">g</guid>', True),
        ('<guid ispermalink="TRUE">g</guid>', True),
        ('<guid isPermaLink="false">g</guid>', False),
        ('<guid isPermaLink="no">g</guid>', False),
        ("<id>g</id>", False),
    ],
)
def test_i31_a_guid_is_a_link_unless_it_says_otherwise(guid: str, is_link: bool) -> None:
    entry = only(parsed(rss(f"<item><title>t</title>{guid}</item>")))
    assert (entry.id, entry.id_is_link) == ("g", is_link)


def test_i46_updated_is_no_alias_of_published() -> None:
    entry = only(parsed(rss("<item><title>t</title><pubDate>then</pubDate></item>")))
    assert (entry.published, entry.updated) == ("then", None)


def test_i53_texts_keep_their_kinds_apart() -> None:
    feed = parsed(
        rss(
            "<item><description>a &lt;b&gt; c</description><media:description>m</media:description>"
            "<itunes:summary>s</itunes:summary><content:encoded><![CDATA[<p>x</p>]]></content:encoded></item>",
            namespaces='xmlns:content="http://purl.org/rss/1.0/modules/content/" '
            'xmlns:media="http://search.yahoo.com/mrss/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"',
        )
    )
    entry = only(feed)
    assert entry.summary == RawText(value="a <b> c", type="html")
    assert entry.contents == (RawText(value="<p>x</p>", type="html"),)


def test_i54_xml_base_travels_with_what_it_is_for() -> None:
    entry = only(
        parsed(
            atom(
                "<entry xml:base='sub/'><title>t</title><link href='a'/>"
                "<content type='html' xml:base='http://other.example/'>x</content></entry>",
                attributes="xml:base='http://site.example/x/'",
            )
        )
    )
    assert entry.links[0].base == "http://site.example/x/sub/"
    assert entry.contents[0].base == "http://other.example/"


def test_i55_the_original_address_of_a_proxied_link_is_kept() -> None:
    entry = only(
        parsed(
            rss(
                "<item><link>http://proxy.example/1</link><feedburner:origLink>http://a.example/</feedburner:origLink></item>"
            )
        )
    )
    assert [(link.rel, link.href) for link in entry.links] == [
        ("alternate", "http://proxy.example/1"),
        ("original", "http://a.example/"),
    ]


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("ann@x.example (Ann Chor)", Person(name="Ann Chor", email="ann@x.example")),
        ("Ann Chor <ann@x.example>", Person(name="Ann Chor", email="ann@x.example")),
        ("Ann Chor &lt;ann@x.example&gt;", Person(name="Ann Chor", email="ann@x.example")),
        ("ann@x.example", Person(name="", email="ann@x.example")),
        ("Ann (of the quay)", Person(name="Ann (of the quay)")),
        ("mailto:ann@x.example", Person(name="", email="ann@x.example")),
    ],
)
def test_i58_mail_and_name_are_split(text: str, person: Person) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    assert only(parsed(rss(f"<item><title>t</title><author>{escaped}</author></item>"))).authors == (person,)


def test_i59_schemes_are_kept() -> None:
    entry = only(
        parsed(rss('<item><title>t</title><category domain="urn:s"> a </category><category>b</category></item>'))
    )
    assert entry.tags == (Tag(term="a", scheme="urn:s"), Tag(term="b"))


def test_i15_limits_are_kept_and_told() -> None:
    many = "".join(f"<link rel='related' href='/{n}'/><category>{n}</category>" for n in range(200))
    feed = parsed(rss(f"<item><title>{'t' * (1 << 20)}tt</title>{many}</item>" + "<item><title>u</title></item>" * 3))
    entry = feed.entries[0]
    assert (len(entry.links), len(entry.tags), len(entry.title.value if entry.title else "")) == (100, 50, 1 << 20)
    assert len(feed.notices) == 3
    assert len(parsed(rss("<item><title>u</title></item>" * 5001)).entries) == 5000
    limited = parsed(rss("<item><title>u</title></item>" * 9), Reading(limit=4))
    assert len(limited.entries) == 4
    assert limited.notices == ("9 entries, of which the first 4 were read",)


def test_entries_inside_entries_are_lifted_out() -> None:
    feed = parsed(rss("<item><title>a</title><item><title>b</title></item></item><item><title>c</title></item>"))
    assert [entry.title and entry.title.value for entry in feed.entries] == ["a", "b", "c"]


def test_texts_stay_with_their_entries_whatever_stands_between() -> None:
    items = "<item><title>a</title></item><item/><foo><item><title>b</title><description><p>x</p></description></item>"
    feed = parsed(rss(items + "</foo><item><description>c</description></item>"))
    assert [(e.title and e.title.value, e.summary and e.summary.value) for e in feed.entries] == [
        ("a", None),
        (None, None),
        ("b", "<p>x</p>"),
        (None, "c"),
    ]


def test_i23_no_entries_is_a_feed() -> None:
    assert parsed(rss("")).entries == ()


def test_the_address_that_answered_is_kept() -> None:
    assert parsed(rss("")).url == URL


def test_i53_a_video_has_its_text_in_a_group() -> None:
    entry = (
        "<entry><id>v</id><title>V</title><media:group><media:title>V</media:title>"
        "<media:content url='https://v.example/1' type='video/mp4'/>"
        "<media:description>Line &lt;one&gt;</media:description>"
        "</media:group></entry>"
    )
    (found,) = cleaned(atom(entry, attributes='xmlns:media="http://search.yahoo.com/mrss/"')).entries
    assert found.summary == "Line &lt;one&gt;"
    assert [file.url for file in found.enclosures] == ["https://v.example/1"]


def test_i53_a_word_that_is_no_type_means_plain_text() -> None:
    told = only(parsed(atom('<entry><id>1</id><summary type="markdown">*So* &amp;amp; so</summary></entry>'))).summary
    assert told == RawText(value="*So* &amp; so", type="text")


def test_i53_each_entry_has_its_own_texts_where_only_some_hold_markup() -> None:
    shapes = (
        '<content type="html">{}</content>',
        '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">{}</div></content>',
    )
    entries = "".join(f"<entry><id>{n}</id><title>{n}</title>{shapes[n % 2].format(n)}</entry>" for n in range(6))
    feed = cleaned(atom(entries))
    assert [(entry.title, entry.text) for entry in feed.entries] == [(str(n), str(n)) for n in range(6)]


@pytest.mark.parametrize("name", ["summary", "title", "body", "dc:title", "content", "author", "width", "source"])
@pytest.mark.parametrize("markup", ["<{0}>y<b>z</b></{0}> w", "x <p>p</p> <{0}>y</{0}> w"])
def test_i53_an_element_that_is_named_like_a_text_ends_no_text(name: str, markup: str) -> None:
    markup = markup.format(name)
    items = "".join(
        f"<item><title>{title}</title><guid>{title}</guid><description>{text}</description></item>"
        for title, text in (
            ("one", "d1"),
            ("two", markup),
            ("three", "d3"),
            ("four", "d<i>4</i>"),
            ("five", "<b>5</b>"),
        )
    )
    feed = parsed(rss(items, namespaces='xmlns:dc="http://purl.org/dc/elements/1.1/"'))
    assert [entry.title.value for entry in feed.entries if entry.title] == ["one", "two", "three", "four", "five"]
    assert [entry.summary.value for entry in feed.entries if entry.summary] == [
        "d1",
        markup.replace("dc:", ""),
        "d3",
        "d<i>4</i>",
        "<b>5</b>",
    ]
