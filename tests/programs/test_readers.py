"""Whoever reads our feeds reads the same: entries, titles, dates, links and content, in every format and reader."""

import json
import re
import shutil
import sqlite3
from calendar import timegm
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import feedparser
import pytest

from tests.feed_server import FeedServer
from tests.programs.program import Program
from tests.sample_site import SampleSite

READER = Path(__file__).parents[2] / ".cache" / "reader"  # where .ci/services installs the library
SCRIPTS = Path(__file__).parent
FORMATS = {"atom": "application/atom+xml", "rss": "application/rss+xml", "json": "application/feed+json"}

SOURCE = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>Heron &amp; Co</title><id>tag:heron.example,2020:feed</id>
<updated>2026-03-01T00:00:00Z</updated><link href="https://heron.example/"/><author><name>Ada Heron</name></author>
<entry><id>tag:heron.example,2020:1</id><title>Plain title, “quoted” &amp; more — €5</title>
<link href="https://heron.example/1?a=1&amp;b=2"/>
<published>2026-03-01T08:00:00+08:00</published><updated>2026-03-02T00:00:00Z</updated>
<summary>In short.</summary><content type="html">&lt;p&gt;One &amp;amp; &lt;em&gt;two&lt;/em&gt;,
&lt;a href="/x?y=1&amp;amp;z=2"&gt;three&lt;/a&gt;.&lt;/p&gt;</content></entry>
<entry><id>https://heron.example/ä?第=二</id><title>大众日报：第二条新闻 🐦</title><link href="https://heron.example/2"/>
<published>2026-02-28T23:59:59Z</published><updated>2026-02-28T23:59:59Z</updated>
<content type="html">&lt;p&gt;正文，&lt;strong&gt;强调&lt;/strong&gt;。&lt;/p&gt;&lt;ul&gt;
&lt;li&gt;一&lt;/li&gt;&lt;/ul&gt;</content></entry>
<entry><id>urn:uuid:60a76c80-d399-11d9-b93c-0003939e0af6</id><title>Only a summary</title><link href="https://heron.example/3"/>
<updated>2026-02-27T00:00:00Z</updated>
<summary type="html">&lt;p&gt;Nothing &amp;amp; no more.&lt;/p&gt;</summary></entry>
<entry><id>tag:heron.example,2020:4</id><title>With a file</title><link href="https://heron.example/4"/>
<published>2026-02-26T00:00:00Z</published><updated>2026-02-26T00:00:00Z</updated>
<link rel="enclosure" href="https://heron.example/4.mp3" type="audio/mpeg" length="12345"/>
<link rel="enclosure" href="https://heron.example/4.pdf" type="application/pdf"/>
<content type="html">&lt;p&gt;Listen.&lt;/p&gt;</content></entry>
</feed>"""

Entry = tuple[str, str, str, str, str]  # id, title, link, date, text
EXPECTED: dict[str, Entry] = {
    number: (number, title, link, date, text)
    for number, title, link, date, text in (
        (
            "tag:heron.example,2020:1",
            "Plain title, “quoted” & more — €5",
            "https://heron.example/1?a=1&b=2",
            "2026-03-01T00:00:00Z",
            "One & two, three.|https://heron.example/x?y=1&z=2",
        ),
        (
            "https://heron.example/ä?第=二",
            "大众日报：第二条新闻 🐦",
            "https://heron.example/2",
            "2026-02-28T23:59:59Z",
            "正文，强调。 一|",
        ),
        (
            "urn:uuid:60a76c80-d399-11d9-b93c-0003939e0af6",
            "Only a summary",
            "https://heron.example/3",
            "2026-02-27T00:00:00Z",
            "Nothing & no more.|",
        ),
        ("tag:heron.example,2020:4", "With a file", "https://heron.example/4", "2026-02-26T00:00:00Z", "Listen.|"),
    )
}


@pytest.fixture
def planet(sample_site: SampleSite, publisher: FeedServer) -> dict[str, str]:
    """Publish one category of one source, serve its feeds, and give their addresses by format."""
    url = publisher.serve("/feed", SOURCE.encode(), {"Content-Type": "application/atom+xml"})
    sample_site.writes(f"sources: [{{url: '{url}', category: birds}}]\n")
    report = sample_site.poll()
    assert report["new"] == len(EXPECTED)
    return {
        name: publisher.serve(f"/out.{name}", sample_site.published(f"category/birds.{name}"), {"Content-Type": kind})
        for name, kind in FORMATS.items()
    }


def normal(entry: Mapping[str, Any]) -> Entry:
    """Return an entry of a reader in a form that can be compared: text and links without markup, date in UTC."""
    content = str(entry["content"] or "")
    links = ",".join(unescape(link) for link in re.findall(r"""<a [^>]*href=["']([^"']*)""", content))
    text = " ".join(unescape(re.sub("<[^>]*>", "", content)).split())
    date = entry["date"]
    when = datetime.fromisoformat(date.replace("Z", "+00:00")) if isinstance(date, str) else date
    stamp = when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(entry["id"]), str(entry["title"]), str(entry["link"]), stamp, f"{text}|{links}"


def reads(entries: Iterable[Mapping[str, Any]]) -> dict[str, Entry]:
    return {found[0]: found for found in map(normal, entries)}


@pytest.mark.parametrize("name", ["atom", "rss"])
def test_feedparser(planet: dict[str, str], sample_site: SampleSite, name: str) -> None:
    read = feedparser.parse(sample_site.published(f"category/birds.{name}"))
    assert not read.bozo
    assert [entry.id for entry in read.entries] == list(EXPECTED), "the order is ours"
    entries = [
        {
            "id": entry.id,
            "title": entry.title,
            "link": entry.link,
            "date": datetime.fromtimestamp(timegm(entry.get("published_parsed") or entry.updated_parsed), UTC),
            "content": entry.content[0].value if "content" in entry else entry.summary,
        }
        for entry in read.entries
    ]
    assert reads(entries) == EXPECTED
    assert read.entries[3].enclosures[0].href == "https://heron.example/4.mp3"


def test_a_reader_of_json_feed_by_the_letter(planet: dict[str, str], sample_site: SampleSite) -> None:
    entries = [
        {
            "id": item["id"],
            "title": item["title"],
            "link": item["url"],
            "date": item.get("date_published") or item["date_modified"],
            "content": item["content_html"],
        }
        for item in sample_site.items("category/birds.json")
    ]
    assert reads(entries) == EXPECTED


@pytest.mark.service
@pytest.mark.skipif(not shutil.which("node"), reason="Node.js is not installed: apt-get install npm, then .ci/services")
@pytest.mark.skipif(
    not (SCRIPTS / "node_modules" / "rss-parser").is_dir(), reason="its parsers are not installed: run .ci/services"
)
def test_two_parsers_of_npm(planet: dict[str, str], sample_site: SampleSite) -> None:
    files = [str(sample_site.folder / "public" / "category" / f"birds.{name}") for name in ("atom", "rss")]
    command = ["node", str(SCRIPTS / "readers.mjs"), str(SCRIPTS), *files]
    said = json.loads(Program(command, sample_site.folder).run())
    found = {
        f"{parser} {file.rpartition('.')[2]}": reads(entries)
        for file, parsers in said.items()
        for parser, entries in parsers.items()
    }
    assert found == dict.fromkeys(found, EXPECTED)
    assert len(found) == 4


@pytest.mark.service
@pytest.mark.skipif(not READER.is_dir(), reason="the library reader is not installed: run .ci/services")
def test_reader(planet: dict[str, str], sample_site: SampleSite) -> None:
    command = [str(READER / "bin" / "python"), str(SCRIPTS / "readers.py"), *planet.values()]
    said = json.loads(Program(command, sample_site.folder).run())
    assert {url: reads(entries) for url, entries in said.items()} == dict.fromkeys(planet.values(), EXPECTED)


@pytest.mark.service
@pytest.mark.skipif(not shutil.which("newsboat"), reason="newsboat is not installed: apt-get install newsboat")
@pytest.mark.parametrize("name", ["atom", "rss"])  # Debian's knows no JSON Feed
def test_newsboat(planet: dict[str, str], sample_site: SampleSite, name: str) -> None:
    folder = sample_site.folder / "newsboat"
    folder.mkdir()
    (folder / "urls").write_text(f"{planet[name]}\n", encoding="utf-8")
    (folder / "config").write_text("download-retries 1\n", encoding="utf-8")
    Program(["newsboat", "-u", "urls", "-C", "config", "-c", "cache.db", "-x", "reload"], folder).run()
    with closing(sqlite3.connect(folder / "cache.db")) as cache:
        rows = cache.execute("SELECT guid, title, url, pubDate, content FROM rss_item").fetchall()
    entries = [
        {"id": guid, "title": title, "link": link, "date": datetime.fromtimestamp(date, UTC), "content": content}
        for guid, title, link, date, content in rows
    ]
    assert reads(entries) == EXPECTED
