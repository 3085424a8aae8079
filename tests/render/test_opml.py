"""OPML: our feeds to import in a reader, and the sources."""

import feedparser
import pytest
from lxml import etree

from aggregator.model.poll import State
from aggregator.model.settings import CategoryKey, SourceKey
from aggregator.model.story import CategoryLine, SourceLine
from aggregator.render.opml import STATES, render_feeds_opml, render_sources_opml
from aggregator.urls import Url
from tests.fake_source import FakeSource, said
from tests.render.checks import attributes, parsed
from tests.render.records import SITE
from tests.sample_site import SampleSite

ALL_FORMATS = frozenset({"atom", "rss", "json", "html"})
STATE = f"{{{STATES}}}state"
PYTHON = CategoryLine(
    key=CategoryKey("python"), title="Python & <co>", description="News\nabout it", path="category/python", newest=()
)


def a_source(key: str, **changes: object) -> SourceLine:
    facts: dict[str, object] = {
        "key": SourceKey(key),
        "title": key.title(),
        "link": Url(f"https://{key}.example/"),
        "url": f"https://{key}.example/feed",
        "state": State.OK,
        "code": None,
        "categories": ("Python",),
    }
    return SourceLine(**(facts | changes))  # type: ignore[arg-type]  # by name


def outlines(data: bytes) -> list[dict[str, str]]:
    """Return the attributes of every outline, after checking that the document is OPML 2.0."""
    root = parsed(data)
    assert data.startswith(b"<?xml version='1.0' encoding='UTF-8'?>\n<!-- generator: aggregator -->\n")
    assert data.endswith(b"</opml>\n")
    assert (root.tag, root.get("version"), [child.tag for child in root]) == ("opml", "2.0", ["head", "body"])
    assert [(e.tag, e.text) for e in root.iterfind("head/*")] == [("title", "Example Planet")], "checkers know no docs"
    found = [attributes(outline) for outline in root.iter("outline")]
    assert all(outline["text"] and outline.get("type", "rss") == "rss" for outline in found)
    assert all(("type" in outline) == ("xmlUrl" in outline) for outline in found)
    assert b"date" not in data
    return found


def test_a56_each_category_is_one_feed_to_import() -> None:
    assert outlines(render_feeds_opml([PYTHON], SITE, ALL_FORMATS, html=True)) == [
        {
            "type": "rss",
            "text": "Python & <co>",
            "title": "Python & <co>",
            "xmlUrl": "https://planet.example.org/category/python.atom",
            "htmlUrl": "https://planet.example.org/category/python.html",
            "description": "News about it",
        }
    ]


@pytest.mark.parametrize(
    ("formats", "suffix"), [({"rss", "json", "html"}, "rss"), ({"json"}, "json"), ({"atom", "rss"}, "atom")]
)
def test_a56_the_first_format_there_is(formats: set[str], suffix: str) -> None:
    (outline,) = outlines(render_feeds_opml([PYTHON], SITE, frozenset(formats), html="html" in formats))
    assert outline["xmlUrl"].endswith(f"python.{suffix}")
    assert outline["htmlUrl"].endswith("python.html" if "html" in formats else "example.org/")


def test_a56_sources_stand_in_their_categories_with_a_word_for_their_state() -> None:
    lines = [a_source("heron"), a_source("egret", categories=("Python", "Web"), state=State.FAILING, code="timeout")]
    root = parsed(render_sources_opml(lines, SITE))
    found = {
        group.get("text"): [(source.get("text"), source.get(STATE)) for source in group]
        for group in root.iterfind("body/outline")
    }
    assert found == {"Python": [("Heron", "ok"), ("Egret", "failing")], "Web": [("Egret", "failing")]}
    assert [attributes(group) for group in root.iterfind("body/outline")] == [{"text": "Python"}, {"text": "Web"}], (
        "what is no feed has no title of its own"
    )
    assert b"timeout" not in render_sources_opml(lines, SITE)


@pytest.mark.parametrize("url", [None, "https://egret.example/feed?…", "javascript:alert(1)"])
def test_s44_what_has_no_address_for_anyone_is_nothing_to_subscribe_to(url: str | None) -> None:
    _, outline = outlines(render_sources_opml([a_source("egret", url=url)], SITE))
    assert outline == {"text": "Egret", "title": "Egret", "htmlUrl": "https://egret.example/", STATE: "ok"}


def test_a33_any_text_stays_one_line_of_xml() -> None:
    line = a_source("egret", title='a\n"b" <c> \x00\x1f￾', categories=("x\n&\x07y",))
    group, outline = outlines(render_sources_opml([line], SITE))
    assert (group["text"], outline["text"]) == ("x &y", 'a "b" <c>')


TWO = """
publish: {formats: [atom, html]}
categories: {hidden: {unlisted: true}, open: {title: Open}}
sources:
  - {key: a, url: 'https://a.example/feed', category: open}
  - {key: b, url: 'https://b.example/secret-token-1234567890', category: [open], private: true}
  - {key: c, url: 'https://c.example/feed', category: hidden}
"""


def test_s44_neither_list_tells_of_private_addresses_or_unlisted_categories(site: SampleSite) -> None:
    site.writes(TWO)
    with site.opened() as app:
        for key in "abc":
            FakeSource(app).says(key, said(key), link=f"https://{key}.example/")
        app.publisher.publish()
    feeds, sources = site.published("opml.xml"), site.published("sources.opml")
    for data in (feeds, sources):
        assert b"hidden" not in data
        assert b"c.example" not in data
        assert b"secret-token" not in data
        assert b"b.example/s" not in data
    assert [o.get("xmlUrl") for o in parsed(feeds).iter("outline")] == ["http://127.0.0.1:8080/category/open.atom"]
    found = [(o.get("xmlUrl"), o.get(STATE)) for o in parsed(sources).iterfind("body/outline/outline")]
    assert found == [("https://a.example/feed", "ok"), (None, "ok")]
    index = site.published("index.html").decode()
    assert 'href="opml.xml"' in index
    assert b'href="sources.opml"' in site.published("sources.html")
    assert (site.folder / "public" / "opml.xml.gz").exists(), "A76"


def test_a31_a_poll_that_brings_nothing_leaves_both_alone_and_a_state_moves_one(site: SampleSite) -> None:
    site.writes(TWO)
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("a", said("a"))
        app.publisher.publish()
        before = site.files()
        site.clock.move(hours=3)
        fake_source.unchanged(["a"])
        app.publisher.publish()
        assert site.files() == before
        for _ in range(4):
            site.clock.move(days=2)
            fake_source.fails("a")
        changed = app.publisher.publish().changed
    assert "sources.opml" in changed
    assert "opml.xml" not in changed


def test_without_a_feed_there_is_nothing_to_import(site: SampleSite) -> None:
    site.writes(TWO)
    with site.opened() as app:
        app.publisher.publish()
    assert (site.folder / "public" / "opml.xml").exists()
    site.writes(TWO.replace("[atom, html]", "[html]"))
    with site.opened() as app:
        app.publisher.publish()
    assert not (site.folder / "public" / "opml.xml").exists()
    assert (site.folder / "public" / "sources.opml").exists()
    site.writes(TWO.replace("[atom, html]", "[json]"))
    with site.opened() as app:
        app.publisher.publish()
    assert b".json" in site.published("opml.xml")
    assert not (site.folder / "public" / "index.html").exists()


def test_what_a_reader_imports_can_be_read(site: SampleSite) -> None:
    site.writes(TWO)
    with site.opened() as app:
        FakeSource(app).says("a", said("a"))
        app.publisher.publish()
    for outline in etree.fromstring(site.published("opml.xml")).iter("outline"):
        path = str(outline.get("xmlUrl")).removeprefix("http://127.0.0.1:8080/")
        assert feedparser.parse(site.published(path)).entries
