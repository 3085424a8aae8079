"""newsboat, of Debian's package, follows a category of a running service."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.feed_server import FeedServer
from tests.programs.conftest import Service
from tests.programs.program import Program
from tests.programs.relay import Relay
from tests.sample_site import item, rss

IRI = "http://e.example/ä"  # an id that is no URI (A4)
FEED = "/category/tech.atom"

pytestmark = [
    pytest.mark.service,
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("newsboat"), reason="newsboat is not installed: apt-get install newsboat"),
]


class Newsboat:
    """newsboat with one subscription, and nothing of its user's own."""

    def __init__(self, folder: Path, url: str) -> None:
        folder.mkdir()
        (folder / "urls").write_text(f"{url}\n")
        (folder / "config").write_text("download-retries 1\n")
        self._folder = folder

    def reload(self) -> None:
        """Reload the feed."""
        self._execute("reload")

    def unread(self) -> str:
        """Return newsboat's own sentence about unread articles."""
        return self._execute("print-unread").strip()

    def titles(self) -> dict[str, str]:
        """Return the titles of its articles, by newsboat's ids."""
        return {guid: title for guid, title, _ in self._articles()}

    def text(self, title: str) -> str:
        """Return the text of an article."""
        (text,) = (content for _, found, content in self._articles() if found == title)
        return text

    def _articles(self) -> list[tuple[str, str, str]]:
        with closing(sqlite3.connect(self._folder / "cache.db")) as cache:
            return cache.execute("SELECT guid, title, content FROM rss_item WHERE NOT deleted").fetchall()

    def _execute(self, command: str) -> str:
        files = ["-u", "urls", "-C", "config", "-c", "cache.db"]
        return Program(["newsboat", *files, "-x", command], self._folder).run()


def test_newsboat_shows_what_is_added_and_edited_and_gets_304_in_between(
    tmp_path: Path, publisher: FeedServer, service: Service, relay: Relay
) -> None:
    """About 33 s: a category that was rendered a moment ago is rendered again when 30 s are over (R33)."""
    source = publisher.serve("/tech.xml", rss(item(1, guid=IRI), item(2)))
    service.writes(f"sources: [{{url: '{source}', category: tech, every: 1s}}]\n")
    service.start()
    service.wait_for(FEED, "Title 1", "Title 2")
    newsboat = Newsboat(tmp_path / "newsboat", relay.opens(FEED))
    newsboat.reload()
    before = newsboat.titles()
    assert sorted(before.values()) == ["Title 1", "Title 2"]
    assert before[IRI] == "Title 1"
    assert "This is what item 1 says" in newsboat.text("Title 1")
    assert newsboat.unread() == "2 unread articles"

    newsboat.reload()  # newsboat keeps a feed's validators from its second request on
    newsboat.reload()
    assert relay.passed(FEED)[-1].is_not_modified

    publisher.edit("/tech.xml", rss(item(3), item(1, title="Title 1, corrected", guid=IRI), item(2)))
    service.wait_for(FEED, "Title 1, corrected", "Title 2", "Title 3")
    newsboat.reload()
    assert relay.passed(FEED)[-1].is_conditional
    after = newsboat.titles()
    assert sorted(after.values()) == ["Title 1, corrected", "Title 2", "Title 3"]
    assert before.keys() < after.keys(), "an edited article is no new one"
    assert "This is what item 3 says" in newsboat.text("Title 3")
    assert newsboat.unread() == "3 unread articles"

    newsboat.reload()
    assert relay.passed(FEED)[-1].is_not_modified
    assert [exchange.status for exchange in relay.passed(FEED)] == [200, 200, 304, 200, 304]
    assert sorted(newsboat.titles().values()) == sorted(after.values())
