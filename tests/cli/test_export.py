"""Tests of `aggregator export` as a process: what is in the document, and that `import` reads it back."""

from pathlib import Path

from lxml import etree

from aggregator.config import load_config
from tests.command import aggregator
from tests.feed_server import FeedServer
from tests.sample_site import LOOPBACK, item, rss

CONFIG = """site: {title: Our Planet}
categories:
  tech: {title: "Tech & Web"}
  大众日报: {}
sources:
  - {url: "https://a.example/?x=1&y=2", title: "A <b>", category: [tech, 大众日报]}
  - {url: "https://b.example/", category: other, paused: true}
  - {url: "https://secret.example/", title: S, private: true}
  - {url: "https://t.example/?key=${TOKEN}", title: T}
  - {url: "https://u:${TOKEN}@u.example/", title: U}
  - {url: feed.xml, kind: file, title: F}
  - {url: list.opml, kind: opml, category: tech}
"""
TOKEN = {"TOKEN": "a-long-secret"}


def outlines(document: str) -> list[tuple[str | None, list[str | None]]]:
    body = etree.fromstring(document.encode())[1]
    return [(group.get("text"), [outline.get("xmlUrl") for outline in group]) for group in body]


def test_an_export_has_what_another_reader_can_read_and_no_secret(tmp_path: Path, publisher: FeedServer) -> None:
    feed = publisher.serve("/feed", rss(item(1), title="Its Own Title"))
    (tmp_path / "list.opml").write_text(f"<opml><body><outline xmlUrl='{feed}'/></body></opml>")
    (tmp_path / "feed.xml").write_bytes(rss(item(2)))
    (tmp_path / "feeds.yaml").write_text(LOOPBACK + CONFIG, encoding="utf-8")
    done = aggregator("export", cwd=tmp_path, environ=TOKEN)
    assert done.returncode == 0, done.stderr
    mine = ["https://a.example/?x=1&y=2"]
    assert outlines(done.stdout) == [("Tech & Web", mine), ("大众日报", mine), ("other", ["https://b.example/"])]
    assert "a-long-secret" not in done.stdout + done.stderr
    assert "secret.example" not in done.stdout
    assert "--private adds them" in done.stderr
    assert "left out 3 sources" in done.stderr
    assert "https://secret.example/" in aggregator("export", "--private", cwd=tmp_path, environ=TOKEN).stdout
    aggregator("poll", "list.opml", cwd=tmp_path, environ=TOKEN)
    aggregator("poll", feed, cwd=tmp_path, environ=TOKEN)
    one = aggregator("export", "--category", "Tech & Web", cwd=tmp_path, environ=TOKEN)
    assert outlines(one.stdout) == [("Tech & Web", [*mine, feed])]
    assert "Its Own Title" in one.stdout
    assert "a list, whose feeds are exported" in one.stderr
    published = (tmp_path / "public" / "category" / "tech.opml").read_text(encoding="utf-8")
    assert sorted(published.splitlines()) == sorted(one.stdout.splitlines()), "the same is among the outputs"
    assert outlines((tmp_path / "public" / "category" / "dazhongribao.opml").read_text()) == [("大众日报", mine)]
    assert not any("secret.example" in path.read_text() for path in (tmp_path / "public").rglob("*.opml"))
    wrong = aggregator("export", "--category", "tehc", cwd=tmp_path, environ=TOKEN)
    assert (wrong.returncode, wrong.stderr) == (2, "aggregator: no category tehc; did you mean tech?\n")


def test_import_reads_an_export_back(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
    text = CONFIG.partition('  - {url: "https://secret')[0]
    (old / "feeds.yaml").write_text(text, encoding="utf-8")
    (new / "x.opml").write_text(aggregator("export", cwd=old).stdout, encoding="utf-8")
    assert aggregator("import", "x.opml", "--yes", cwd=new).returncode == 0
    before, after = (load_config(folder / "feeds.yaml", {}) for folder in (old, new))
    titles = [{category.key: category.title for category in settings.categories} for settings in (before, after)]

    def shown(number: int) -> list[tuple[str, list[str]]]:
        settings = (before, after)[number]
        return [(source.url, [titles[number][key] for key in source.categories]) for source in settings.sources]

    assert shown(0) == shown(1)
    assert [source.title for source in after.sources] == ["A <b>", "b.example"]
