"""Feeds that name a hub (A85): in every format, the main documents alone, and nothing else changes."""

import json

import feedparser
import jsonschema
import pytest
from lxml import etree

from aggregator.render.atom import render_atom
from aggregator.render.jsonfeed import render_json
from aggregator.render.rss import render_rss
from aggregator.urls import Url
from tests.fake_source import FakeSource, said
from tests.render.checks import SCHEMA, faults_of_atom, parsed
from tests.render.records import RICH, SITE, STORE, a_document
from tests.render.rss_profile import faults_of_rss
from tests.sample_site import SampleSite

HUB = Url("https://hub.example.org/?user=a&feed=b")
NAMED = a_document(RICH, hub=HUB)
BARE = a_document(RICH)


@pytest.mark.parametrize("form", ["atom", "rss"])
def test_a85_feedparser_finds_hub_and_canonical_address(form: str) -> None:
    data = render_atom(NAMED, SITE, html=True) if form == "atom" else render_rss(NAMED, SITE, ttl=5, html=True)
    links = [(link["rel"], link["href"]) for link in feedparser.parse(data).feed.links]
    assert ("hub", HUB) in links
    assert ("self", f"https://planet.example.org/category/python.{form}") in links
    assert feedparser.parse(data).feed.link == "https://planet.example.org/category/python.html"
    assert (faults_of_atom(data) if form == "atom" else faults_of_rss(data)) == []


def test_a85_json_feed_names_the_hub() -> None:
    feed = json.loads(render_json(NAMED, SITE, STORE, html=True))
    assert feed["hubs"] == [{"type": "WebSub", "url": HUB}]
    assert feed["feed_url"] == "https://planet.example.org/category/python.json"


@pytest.mark.corpus
@pytest.mark.skipif(not SCHEMA.exists(), reason="no ../shared/schema")
def test_a85_documents_with_a_hub_are_valid() -> None:
    schema = etree.RelaxNG(etree.parse(SCHEMA / "atom-extended.rng"))
    assert schema.validate(parsed(render_atom(NAMED, SITE, html=True))), schema.error_log
    json_schema = json.loads((SCHEMA / "jsonfeed-1.1.schema.json").read_text())
    jsonschema.validate(json.loads(render_json(NAMED, SITE, STORE, html=True)), json_schema)


def test_the_hub_is_all_that_changes() -> None:
    def without(data: bytes) -> list[bytes]:
        return [line for line in data.splitlines() if b"hub.example.org" not in line]

    assert without(render_atom(NAMED, SITE, html=True)) == render_atom(BARE, SITE, html=True).splitlines()
    named = render_rss(NAMED, SITE, ttl=5, html=True)
    assert without(named) == render_rss(BARE, SITE, ttl=5, html=True).splitlines()
    assert without(render_json(NAMED, SITE, STORE, html=True)) == render_json(BARE, SITE, STORE, html=True).splitlines()


def test_a85_main_documents_name_the_hub_and_archives_and_pages_do_not(sample_site: SampleSite) -> None:
    yaml = "publish: {entries: 10, archive_page: 10HUB}\nsources: [{key: a, url: 'https://a.example/', initial: 100}]\n"
    sample_site.writes(yaml.replace("HUB", ""))
    with sample_site.opened() as app:
        FakeSource(app).says("a", *map(said, range(45)))
        app.publisher.publish()
    before = sample_site.files()
    sample_site.writes(yaml.replace("HUB", f", hub: '{HUB}'"))
    with sample_site.opened() as app:
        app.publisher.publish()
    changed = {path.removesuffix(".gz") for path, file in sample_site.files().items() if file != before[path]}
    assert changed == {f"{name}.{form}" for name in ("all", "category/general") for form in ("atom", "rss", "json")}
    assert "category/general/archive/1.atom" in before
    sample_site.writes(yaml.replace("HUB", ""))
    with sample_site.opened() as app:
        app.publisher.publish()
    assert {path: file[0] for path, file in sample_site.files().items()} == {p: file[0] for p, file in before.items()}
