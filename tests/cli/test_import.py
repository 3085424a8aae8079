"""Tests of `aggregator import` as a process: files of other programs, and the edited feeds.yaml."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aggregator.config import load_config
from tests.command import Done, aggregator

KEPT = """# mine
site: {title: Mine}   # ours

categories:  # all
  python: {title: Py}

# the feeds
sources:
  - 'https://b.example/feed'   # b
# the end
"""
FRESHRSS = """<?xml version="1.0" encoding="UTF-8"?>
<!-- exported
  by -->
<opml version="2.0" xmlns:frss="https://freshrss.org/opml">
  <head><title>FreshRSS</title></head>
  <body>
    <outline text="Tech &amp;amp; Web">
      <outline text="LWN" type="rss" xmlUrl="https://l.example/" htmlUrl="x" frss:ttl="-36" frss:cssFullContent="p"/>
      <outline text="Scraped" type="HTML+XPath" xmlUrl="https://x.example/" frss:xPathItem="//a"/>
      <outline text="Local"><outline text="A" xmlUrl="https://a.example/feed?x=1&amp;amp;y=2"/></outline>
    </outline>
    <outline text="World"><outline text="Local"><outline text="B" xmlUrl="https://b.example/feed"/>
      <outline text="A again" xmlUrl="https://www.a.example/feed?x=1&amp;y=2"/></outline></outline>
    <outline text="C++"><outline text="c1" xmlUrl="https://c1.example/"/></outline>
    <outline text="C"><outline title="c2 &lt;b>bold" xmlUrl="https://c2.example/"/></outline>
    <outline text="c"><outline text="c3" xmlUrl="https://c3.example/"/></outline>
    <outline text="PY"><outline text="c4" xmlUrl="https://c4.example/"/></outline>
    <outline text="大众日报"><outline text="${X}" xmlUrl="https://c5.example/"/></outline>
    <outline text="Dyn" frss:opmlUrl="https://dyn.example/list.opml"/>
    <outline text="No url" type="rss" htmlUrl="https://n.example/"/>
    <outline text="pw" type="rss" xmlUrl="https://u:secret@pw.example/"/>
    <outline text="tagged" category="/news/world,tag" xmlUrl="https://t.example/"/>
    <outline xmlUrl="https://again.example/"/><outline xmlUrl="https://again.example/"/>
  </body>
</opml>
"""
# As Miniflux writes it: no type, groups with both names, and its own date in the head.
MINIFLUX = """<?xml version="1.0" encoding="UTF-8"?>
<opml version="2.0">
    <head><title>Miniflux</title><dateCreated>Tue, 01 Dec 2026 00:00:00 UTC</dateCreated></head>
    <body>
        <outline title="All" text="All">
            <outline title="Ärger" text="Ärger" xmlUrl="https://m.example/feed" htmlUrl="https://m.example/"></outline>
        </outline>
    </body>
</opml>
"""
VENUS = """# Planet
[Planet]
name = Planet Schmanet
link = http://planet.schmanet.example/index.html
owner_email = janet@example.org
template_files = examples/basic/index.html.tmpl atom.xml.tmpl
  rss20.xml.tmpl
  opml.xml.tmpl foafroll.xml.tmpl heads.txt.tmpl
filters = excerpt.py
items_per_page = 60
[excerpt.py]
omit = img
[DEFAULT]
facewidth = 65
[http://s.example/index.rss]
name = Scott James Remnant ; in the middle
face = keybuk.png
[http://j.example/~jdub/blog/?flav=rss]
name: Jéff
face = j.png
[feed:http://u.example/edd]
garbage
[http://s.example/index.rss/]
[notaurl]
name = X
[http://lists.example/x.opml]
content_type = opml
"""
PLUTO = """title = Planet Ruby

[rubyflow]
  title  = Ruby Flow
  link   = http://rubyflow.example
  feed   = http://feeds.example/Rubyflow?format=xml
[x]
  title = none
"""
OSMOSFEED = """# comment
cacheUrl: https://me.github.io/planet/cache.json
sources:
  - href: https://one.example/feed/
  - hrf: x
  - href: nope
siteTitle: "osmos::feed"
timezone: Europe/Berlin
"""


def run(folder: Path, *arguments: str) -> Done:
    return aggregator("import", *arguments, cwd=folder)


def report(folder: Path, name: str, data: str | bytes, *options: str) -> dict[str, Any]:
    """Import a file with --yes; give the report."""
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    done = run(folder, name, "--yes", "--json", *options)
    assert done.returncode in (0, 1), done.stderr
    record: dict[str, Any] = json.loads(done.stdout)
    return record


def sources(folder: Path) -> list[tuple[str, str | None, tuple[str, ...]]]:
    return [(s.url, s.title, s.categories) for s in load_config(folder / "feeds.yaml", {}).sources]


def lines(record: dict[str, Any], *, left_out: bool) -> list[int | None]:
    return [remark["line"] for remark in record["remarks"] if remark["left_out"] == left_out]


def test_an_export_of_a_reader_keeps_groups_and_titles_and_all_that_stands_there(tmp_path: Path) -> None:
    (tmp_path / "feeds.yaml").write_text(KEPT, encoding="utf-8")
    record = report(tmp_path, "f.opml", FRESHRSS)
    assert record["format"] == "OPML"
    assert len(record["known"]) == 1
    assert lines(record, left_out=True) == [9, 20, 21]
    assert lines(record, left_out=False) == [8, 13, 23]
    assert sources(tmp_path) == [
        ("https://b.example/feed", None, ("general",)),
        ("https://l.example/", "LWN", ("tech-web",)),
        ("https://a.example/feed?x=1&y=2", "A", ("tech-web-local", "world-local")),
        ("https://c1.example/", "c1", ("c++",)),
        ("https://c2.example/", "c2 <b>bold", ("c",)),
        ("https://c3.example/", "c3", ("c",)),
        ("https://c4.example/", "c4", ("python",)),
        ("https://c5.example/", "${X}", ("大众日报",)),
        ("https://dyn.example/list.opml", None, ("dyn",)),
        ("https://t.example/", "tagged", ("world", "tag")),
        ("https://again.example/", None, ("general",)),
    ]
    settings = load_config(tmp_path / "feeds.yaml", {})
    titles = {str(category.key): category.title for category in settings.categories if category.declared}
    assert titles["world-local"] == "World: Local"
    assert titles["c++"] == "C++"
    assert [source.paused for source in settings.sources[1:3]] == [True, False], "muted in FreshRSS"
    text = (tmp_path / "feeds.yaml").read_text(encoding="utf-8")
    kept = [line for line in text.splitlines() if f"+{line}" not in record["diff"].splitlines()]
    assert kept == KEPT.splitlines()
    assert "secret" not in record["diff"]
    again = run(tmp_path, "f.opml", "--yes")
    assert (tmp_path / "feeds.yaml").read_text(encoding="utf-8") == text
    assert "11 of them sources already" in again.stdout


@pytest.mark.parametrize("charset", ["utf-16", "iso-8859-1"])
def test_bytes_of_another_charset_than_the_file_says_are_read(tmp_path: Path, charset: str) -> None:
    report(tmp_path, "m.opml", MINIFLUX.encode(charset))
    assert sources(tmp_path) == [("https://m.example/feed", "Ärger", ("all",))]


def test_an_opml_file_that_was_escaped_as_a_whole_or_is_cut_off_is_read(tmp_path: Path) -> None:
    escaped = MINIFLUX.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    record = report(tmp_path, "m.opml", escaped.partition("&lt;/body")[0], "--category", "x", "--category", "y")
    assert sources(tmp_path) == [("https://m.example/feed", "Ärger", ("x", "y"))]
    assert any("cut off" in remark["text"] for remark in record["remarks"])


def test_a_planet_of_venus_keeps_its_name_and_its_old_addresses(tmp_path: Path) -> None:
    record = report(tmp_path, "config.ini", VENUS)
    assert record["format"] == "Planet Venus"
    assert record["aliases"] == {"atom.xml": "all.atom", "rss20.xml": "all.rss", "foafroll.xml": "sources.opml"}
    assert lines(record, left_out=True) == [24]
    said = {remark["line"]: remark["text"] for remark in record["remarks"]}
    assert said.keys() == {6, 9, 17, 22, 23, 24}
    assert said[23] == "the same address as in line 15: one source"
    settings = load_config(tmp_path / "feeds.yaml", {})
    assert (settings.site.title, settings.site.base_url) == ("Planet Schmanet", "http://planet.schmanet.example/")
    assert (settings.site.contact, settings.publish.entries) == ("janet@example.org", 60)
    assert dict(settings.publish.aliases) == record["aliases"]
    assert [(s.url, s.title, s.reading.kind.value) for s in settings.sources] == [
        ("http://s.example/index.rss", "Scott James Remnant", "feed"),
        ("http://j.example/~jdub/blog/?flav=rss", "Jéff", "feed"),
        ("http://u.example/edd", None, "feed"),
        ("http://lists.example/x.opml", None, "opml"),
    ]


def test_planets_of_pluto_and_osmosfeed(tmp_path: Path) -> None:
    record = report(tmp_path, "ruby.ini", PLUTO)
    assert (record["format"], lines(record, left_out=True)) == ("Pluto", [7])
    assert record["aliases"] == {"atom.xml": "all.atom", "rss.xml": "all.rss", "ruby.html": "index.html"}
    assert sources(tmp_path) == [("http://feeds.example/Rubyflow?format=xml", "Ruby Flow", ("general",))]
    (tmp_path / "feeds.yaml").rename(tmp_path / "ruby.yaml")
    record = report(tmp_path, "osmosfeed.yaml", OSMOSFEED)
    assert (record["format"], record["aliases"]) == ("osmosfeed", {"feed.atom": "all.atom"})
    assert lines(record, left_out=True) == [5, 6]
    site = load_config(tmp_path / "feeds.yaml", {}).site
    assert (site.title, site.timezone) == ("osmos::feed", "Europe/Berlin")
    (tmp_path / "ruby.yaml").rename(tmp_path / "feeds.yaml")
    report(tmp_path, "osmosfeed.yaml", OSMOSFEED)
    settings = load_config(tmp_path / "feeds.yaml", {})
    assert settings.site.title == "Planet Ruby", "what feeds.yaml says already stays"
    assert (settings.site.timezone, settings.site.base_url) == ("UTC", "https://me.github.io/planet/")
    assert set(dict(settings.publish.aliases)) == {"atom.xml", "rss.xml", "ruby.html", "feed.atom"}


def test_what_can_t_be_imported_is_said_in_one_line_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "feeds.yaml").write_text(KEPT, encoding="utf-8")
    for name, data, why in (
        ("x.txt", "hello", "is neither OPML nor"),
        ("feeds2.yaml", KEPT, "is neither OPML nor"),
        ("x.rss", "<rss><channel/></rss>", "a feed, not a list of feeds"),
        ("x.html", "<!doctype html><html><body>Sign in</body></html>", "a web page"),
    ):
        (tmp_path / name).write_text(data)
        done = run(tmp_path, name, "--yes")
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert why in done.stderr
    assert run(tmp_path, "none.opml", "--yes").returncode == 2
    (tmp_path / "empty.opml").write_text("<opml><body/></opml>")
    assert run(tmp_path, "empty.opml", "--yes").returncode == 1
    assert (tmp_path / "feeds.yaml").read_text(encoding="utf-8") == KEPT
    (tmp_path / "feeds.yaml").write_text("sources: &x\n  - https://a.example/\nbroken: 1\n")
    (tmp_path / "m.opml").write_text(MINIFLUX, encoding="utf-8")
    done = run(tmp_path, "m.opml", "--yes")
    assert done.returncode == 2
    assert "broken" in done.stderr


def test_nothing_is_written_before_somebody_said_yes(tmp_path: Path) -> None:
    (tmp_path / "m.opml").write_text(MINIFLUX, encoding="utf-8")
    done = run(tmp_path, "m.opml")
    assert done.returncode == 1
    assert done.stderr == "aggregator: not written: there is nobody to ask here; --yes writes it\n"
    assert run(tmp_path, "m.opml", "--dry-run").returncode == 0
    assert not (tmp_path / "feeds.yaml").exists()
    command = [sys.executable, "-m", "aggregator", "import", "m.opml"]
    for answer, code in ((b"\n", 1), (b"n\n", 1), (b"y\n", 0)):
        ours, theirs = pty.openpty()
        os.write(ours, answer)
        done_there = subprocess.run(
            command, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, check=False, timeout=60, cwd=tmp_path
        )
        shown = os.read(ours, 65536).decode()
        os.close(ours)
        os.close(theirs)
        assert "Write this to feeds.yaml? [y/N]" in shown
        assert done_there.returncode == code
        assert (tmp_path / "feeds.yaml").exists() == (code == 0)
