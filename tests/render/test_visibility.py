"""Tests what today's settings show of stored entries: excerpts, credits, names, and when they are rendered again."""

import json
from dataclasses import replace

import pytest
from lxml import etree

from aggregator.urls import Url
from tests.fake_source import FakeSource, said
from tests.sample_site import SampleSite

SOURCE = "{key: a, url: 'https://a.example/', category: x%s}"
OTHER = "{key: b, url: 'https://b.example/', category: x}"
LONG = "<p>" + "Words &amp; <em>more</em> words. " * 60 + "The end of it.</p>"


def holding(site: SampleSite, text: str) -> list[str]:
    root = site.folder / "public"
    files = [path for path in sorted(root.rglob("*")) if path.is_file() and path.suffix != ".gz"]
    return [str(path.relative_to(root)) for path in files if text.encode() in path.read_bytes()]


def publish(site: SampleSite, yaml: str) -> tuple[str, ...]:
    site.writes(yaml)
    with site.opened() as app:
        return app.publisher.publish().changed


def is_as_if_new(site: SampleSite) -> bool:
    """Return whether rendering everything gives the present files (R35)."""
    before = site.files()
    with site.opened() as app:
        app.publisher.publish(everything=True)
    return site.files() == before


# --- how much is shown


def test_show_summary_gives_an_excerpt_where_there_is_no_summary(site: SampleSite) -> None:
    site.writes(f"sources: [{SOURCE % ', show: summary'}]\n")
    with site.opened() as app:
        FakeSource(app).says("a", said(1, text=LONG))
        app.publisher.publish()
    assert holding(site, "The end of it.") == []
    (entry,) = site.entries("category/x.atom")
    summary = entry.find("{*}summary")
    assert summary is not None
    assert (summary.text or "").startswith("Words & more words.")
    assert (summary.text or "").endswith("…")
    assert 250 < len(summary.text or "") <= 300
    assert entry.find("{*}content") is None
    assert site.items("category/x.json")[0]["content_html"].startswith("Words &amp; more words.")


def test_show_summary_keeps_the_publishers_own(site: SampleSite) -> None:
    site.writes(f"sources: [{SOURCE % ', show: summary'}]\n")
    with site.opened() as app:
        FakeSource(app).says("a", replace(said(1), summary="<p>In short.</p>"))
        app.publisher.publish()
    (entry,) = site.entries("category/x.atom")
    assert entry.findtext("{*}summary") == "<p>In short.</p>"
    assert holding(site, "at some length") == []


def test_an_excerpt_of_markup_is_text(site: SampleSite) -> None:
    site.writes(f"sources: [{SOURCE % ', show: summary'}]\n")
    with site.opened() as app:
        FakeSource(app).says("a", said(1, text="<p>Write &lt;b&gt; for bold &amp;amp; wait.</p>"))
        app.publisher.publish()
    (entry,) = site.entries("category/x.atom")
    assert entry.findtext("{*}summary") == "Write <b> for bold &amp; wait."
    assert site.items("category/x.json")[0]["content_html"] == "Write &lt;b&gt; for bold &amp;amp; wait."


@pytest.mark.parametrize("show", ["summary", "title"])
def test_what_a_publisher_lets_us_show_holds_when_its_source_is_gone(site: SampleSite, show: str) -> None:
    site.writes(f"sources: [{SOURCE % f', show: {show}'}, {OTHER}]\n")
    with site.opened() as app:
        FakeSource(app).says("a", said(1, text=LONG))
        app.publisher.publish()
    publish(site, f"sources: [{OTHER}]\n")
    assert is_as_if_new(site)
    assert holding(site, "The end of it.") == []
    publish(site, f"sources: [{SOURCE % ''}]\n")
    assert holding(site, "The end of it.") != [], "it is for feeds.yaml to say"


# --- copies


def told(copy: dict[str, str]) -> dict[str, str]:
    """Return the parts of a copy's credit that readers see; the others restore a store."""
    return {name: copy[name] for name in ("source", "title", "url") if name in copy}


def test_every_copy_is_credited_in_every_format(site: SampleSite) -> None:
    site.writes(f"sources: [{SOURCE % ''}, {OTHER}]\n")
    with site.opened() as app:
        fake_source = FakeSource(app)
        same = "urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6b"
        fake_source.says("a", said(1, own_id=same, link=None))
        fake_source.says("b", said(1, own_id=same, link=None), link=Url("https://b.example/"))
        app.publisher.publish()
    (entry,) = site.entries("category/x.atom")
    related = [
        (link.get("href"), link.get("title")) for link in entry.findall("{*}link") if link.get("rel") != "alternate"
    ]
    assert related == [("https://b.example/", "Feed b")], "a copy without a link has its site's"
    (item,) = site.items("category/x.json")
    assert [told(copy) for copy in item["_aggregator"]["also"]] == [{"source": "b", "title": "Feed b"}]
    assert b"Feed b" in site.published("category/x.html")


def test_a_copy_with_a_link_is_credited_with_it(site: SampleSite) -> None:
    site.writes(f"sources: [{SOURCE % ''}, {OTHER}]\n")
    with site.opened() as app:
        fake_source = FakeSource(app)
        same = "urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6b"
        fake_source.says("a", said(1, own_id=same))
        fake_source.says("b", said(1, own_id=same, link="https://c.example/1"), title="")
        app.publisher.publish()
    (item,) = site.items("category/x.json")
    assert [told(copy) for copy in item["_aggregator"]["also"]] == [
        {"source": "b", "title": "b", "url": "https://c.example/1"}
    ]


# --- R35: what stands there is what would be rendered


def test_r35_class_names_that_are_taken_back_are_rendered_again(site: SampleSite) -> None:
    site.writes(f"sources: [{SOURCE % ', allow_classes: [em_media]'}]\n")
    with site.opened() as app:
        FakeSource(app).says("a", said(1, text='<p class="em_media">Some text of an entry.</p>'))
        app.publisher.publish()
    assert "category/x.atom" in holding(site, "em_media")
    assert "category/x.atom" in publish(site, f"sources: [{SOURCE % ''}]\n")
    assert holding(site, "em_media") == []
    assert is_as_if_new(site)


def test_r35_a_renamed_source_is_named_anew_everywhere(site: SampleSite) -> None:
    head = "publish: {entries: 10, archive_page: 10}\ndefaults: {initial: 40}\n"
    site.writes(f"{head}sources: [{SOURCE % ''}]\n")
    with site.opened() as app:
        FakeSource(app).says("a", *(said(n) for n in range(30)), title="")
        app.publisher.publish()
    publish(site, f"{head}sources: [{{key: nice, url: 'https://a.example/', category: x, was: a}}]\n")
    assert site.items("category/x.json")[0]["_aggregator"]["source"] == "nice"
    assert is_as_if_new(site)
    (first, *_) = site.entries("category/x/archive/1.atom")
    assert first.findtext("{*}source/{*}title") == "nice", "for want of a title of its own"


def test_r35_fewer_entries_are_filed_at_once(site: SampleSite) -> None:
    site.writes(f"publish: {{archive_page: 10}}\nsources: [{SOURCE % ''}]\n")
    with site.opened() as app:
        FakeSource(app).says("a", *(said(n) for n in range(30)))
        app.publisher.publish()
    site.clock.move(days=2)
    publish(site, f"publish: {{archive_page: 10, entries: 10}}\nsources: [{SOURCE % ''}]\n")
    assert len(site.entries("category/x.atom")) == 10
    assert is_as_if_new(site)


def test_r35_a_feed_that_changes_its_name_is_listed_anew(site: SampleSite) -> None:
    site.writes(f"sources: [{SOURCE % ''}]\n")
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("a", said(1))
        app.publisher.publish()
        fake_source.says("a", said(1), title="Renamed", link=Url("https://a.example/site"))
        assert "sources.html" in app.publisher.publish().changed
    assert b"Renamed" in site.published("sources.html")
    assert is_as_if_new(site)


# --- status


@pytest.mark.parametrize("formats", ["[atom]", "[atom, json, html]"])
def test_status_is_rewritten_when_a_state_changed(site: SampleSite, formats: str) -> None:
    site.writes(f"publish: {{formats: {formats}}}\nsources: [{SOURCE % ''}]\n")
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("a", said(1))
        app.publisher.publish()
        fake_source.fails("a", "not_found")
        assert "status.json" in app.publisher.publish().changed
        (source,) = json.loads(site.published("status.json"))["sources"]
        assert (source["state"], source["error"]) == ("failing", "not_found")
        assert app.publisher.publish().changed == ()


def test_a_feed_without_a_title_is_called_by_its_key(site: SampleSite) -> None:
    site.writes(f"sources: [{SOURCE % ''}]\n")
    with site.opened() as app:
        FakeSource(app).says("a", said(1), title="")
        app.publisher.publish()
    assert etree.fromstring(site.published("category/x.atom")).findtext("{*}entry/{*}source/{*}title") == "a"
