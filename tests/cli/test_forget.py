"""Tests of `forget`: no file of the folder has the words any more, and nothing brings them back to readers."""

import gzip
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import aggregator
from tests.feed_server import FeedServer
from tests.rows import rows
from tests.sample_site import LOOPBACK, item, rss

TITLE, TEXT, SLUG = "Zanzibarquux", "Wobblefrotz", "secret-slug-77"
LINK = f"https://p.example/{SLUG}"
SAID = f"A text that tells of {TEXT} and of what nobody else would know, at such a length that a copy is recognised."
CONFIG = """publish: {formats: [atom, html], entries: 10, archive_page: 10, jekyll: {to: posts}}
sources:
"""


def dated(number: int, **fields: str) -> dict[str, str]:
    """Return an item of its own day, the lower the number the newer."""
    return item(number, pubDate=f"{28 - number:02} Jan 2026 12:00:00 GMT", **fields)


def feed(title: str, *, text: str = SAID) -> bytes:
    """Return a feed of 25 items, in which the words are on an archive page."""
    words = dated(20, title=title, link=LINK, description=text, author=f"{TITLE}@a.example", category=TEXT)
    return rss(*(words if number == 20 else dated(number) for number in range(25)))


def places(folder: Path, *words: str) -> Iterator[str]:
    """Name the files with one of some words."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        if any(word.encode() in data for word in words):
            yield str(path.relative_to(folder))


@pytest.mark.slow
def test_what_is_forgotten_is_nowhere_and_does_not_come_back(tmp_path: Path, publisher: FeedServer) -> None:
    first = publisher.serve("/first", feed(f"Early {TITLE}"))
    second = publisher.serve(
        "/second", rss(dated(3, guid="item-50", title="A copy", link=LINK, description=SAID)), host="127.0.0.2"
    )
    third = publisher.serve(
        "/third", rss(dated(4, guid="item-60", title="Other", description="A" * 90)), host="127.0.0.3"
    )
    addresses = "".join(f"  - {url}\n" for url in (first, second, third))
    (tmp_path / "feeds.yaml").write_text(LOOPBACK + CONFIG + addresses)

    def does(*arguments: str) -> str:
        done = aggregator(*arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    does("poll", first)
    does("poll", "--all")
    publisher.serve("/first", feed(f"About {TITLE}"))
    does("poll", first)
    assert TITLE in does("search", TEXT)
    before = set(places(tmp_path, TITLE, TEXT, SLUG))
    assert {"public/category/general/archive/1.atom", "var/aggregator.db"} <= before
    assert any(name.startswith("posts/") for name in before)
    assert rows(tmp_path, "SELECT count(*) FROM revision") == [(1,)]

    asked = aggregator("forget", LINK, cwd=tmp_path)
    assert (asked.returncode, asked.stderr) == (
        1,
        "aggregator: not done: there is nobody to ask here; --yes forgets it\n",
    )
    assert "leaves general: archive page 1" in asked.stdout
    assert asked.stdout.count(LINK) == 2, "with its copy"
    command = [sys.executable, "-m", "aggregator", "forget", "item-20"]
    for answer, code in ((b"\n", 1), (b"y\n", 0)):
        ours, theirs = pty.openpty()
        os.write(ours, answer)
        done = subprocess.run(
            command, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, check=False, timeout=60, cwd=tmp_path
        )
        assert b"Forget it for good? [y/N]" in os.read(ours, 65536)
        os.close(ours)
        os.close(theirs)
        assert done.returncode == code

    assert list(places(tmp_path, TITLE, TEXT)) == []
    assert [name for name in places(tmp_path, SLUG) if not name.startswith("var/")] == []
    assert rows(tmp_path, "SELECT count(*) FROM revision") == [(0,)]
    assert rows(
        tmp_path, "SELECT count(*) FROM body JOIN source ON source.id = source_id WHERE source.url = :u", u=first
    ) == [(0,)]
    assert "nothing found" in does("search", TEXT)
    said = does("why", "item-20")
    assert "forgotten" in said
    number = rows(tmp_path, "SELECT id FROM entry WHERE own_id = 'item-20'")[0][0]
    again = aggregator("forget", str(number), "--yes", cwd=tmp_path)
    assert (again.returncode, "is forgotten already" in again.stderr) == (2, True)
    undone = aggregator("retract", str(number), "--undo", cwd=tmp_path)
    assert (undone.returncode, "was forgotten" in undone.stderr) == (2, True)

    publisher.serve("/first", feed(f"Newer {TITLE}", text=SAID + " And more."))
    publisher.serve(
        "/third", rss(dated(2, guid="item-61", title=f"About {TITLE}", link=LINK, description=SAID)), host="127.0.0.3"
    )
    does("poll", "--all")
    does("publish", "--all")
    assert [name for name in places(tmp_path, TITLE, TEXT, SLUG) if not name.startswith("var/")] == []
    assert rows(tmp_path, "SELECT title, content FROM entry WHERE own_id = 'item-20'") == [("", "")]
    late = rows(tmp_path, "SELECT id FROM entry WHERE own_id = 'item-61'")[0][0]
    report = json.loads(does("forget", str(late), "--yes", "--json"))
    assert (report["done"], sorted(report["entries"])[-1]) == (True, late)
    assert list(places(tmp_path, TITLE, TEXT)) == []
