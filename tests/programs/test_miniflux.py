"""Miniflux, of Debian's package, follows categories of a running service."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.feed_server import FeedServer
from tests.programs.conftest import Service
from tests.programs.miniflux import Miniflux
from tests.programs.postgres import postgres, postgres_programs
from tests.programs.relay import Relay
from tests.sample_site import item, rss

IRI = "https://news.example/头条"  # an id that is no URI (A4)
TECH, TECH_JSON, NEWS = "/category/tech.atom", "/category/tech.json", "/category/dazhongribao.atom"

pytestmark = [
    pytest.mark.service,
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("miniflux"), reason="Miniflux is not installed: apt-get install miniflux"),
    pytest.mark.skipif(not postgres_programs(), reason="PostgreSQL is not installed: apt-get install postgresql"),
]


@pytest.fixture
def miniflux(tmp_path: Path) -> Iterator[Miniflux]:
    """Yield a running Miniflux with a PostgreSQL of its own; both are stopped after the test."""
    programs = postgres_programs()
    assert programs is not None
    folder = tmp_path / "miniflux"
    folder.mkdir()
    with postgres(programs) as database:
        miniflux = Miniflux(folder, database)
        try:
            miniflux.start()
            yield miniflux
        finally:
            miniflux.stop()


def test_miniflux_follows_categories_through_additions_edits_and_a_restart(
    publisher: FeedServer, service: Service, relay: Relay, miniflux: Miniflux
) -> None:
    """About 37 s: a category that was rendered a moment ago is rendered again when 30 s are over (R33)."""
    tech = publisher.serve("/tech.xml", rss(item(1), item(2)))
    news = publisher.serve("/news.xml", rss(item(11, title="头条", guid=IRI), item(12, title="要闻")), host="127.0.0.2")
    service.writes(
        f"sources:\n  - {{url: '{tech}', category: tech, every: 1s}}\n"
        f"  - {{url: '{news}', category: 大众日报, every: 1s}}\n"
    )
    service.start()
    for path, titles in ((TECH, ["Title 1", "Title 2"]), (TECH_JSON, ["Title 1", "Title 2"]), (NEWS, ["头条", "要闻"])):
        service.wait_for(path, *titles)
    feeds = {path: miniflux.subscribe(relay.opens(path)) for path in (TECH, TECH_JSON, NEWS)}
    first = {path: miniflux.entries(feed) for path, feed in feeds.items()}
    assert sorted(first[TECH].values()) == sorted(first[TECH_JSON].values()) == ["Title 1", "Title 2"]
    assert sorted(first[NEWS].values()) == ["头条", "要闻"]
    for path, feed in feeds.items():
        miniflux.refresh(feed)
        assert relay.passed(path)[-1].is_not_modified

    # One source adds and edits while the service runs.
    publisher.edit("/tech.xml", rss(item(3), item(1, title="Title 1, corrected"), item(2)))
    for path in (TECH, TECH_JSON):
        service.wait_for(path, "Title 1, corrected", "Title 2", "Title 3")
    for path in (TECH, TECH_JSON):
        miniflux.refresh(feeds[path])
        assert relay.passed(path)[-1].is_conditional
        entries = miniflux.entries(feeds[path])
        assert sorted(entries.values()) == ["Title 1, corrected", "Title 2", "Title 3"]
        assert first[path].keys() < entries.keys(), "an edited entry is no new one"
    miniflux.refresh(feeds[NEWS])
    assert relay.passed(NEWS)[-1].is_not_modified, "what one category gains is no news in the other"

    # The other one while the service is down.
    service.stop()
    publisher.edit(
        "/news.xml",
        rss(item(13, title="快讯"), item(11, title="头条（更正）", guid=IRI), item(12, title="要闻")),
        host="127.0.0.2",
    )
    for feed in feeds.values():
        miniflux.refresh_in_vain(feed)
    service.start()
    service.wait_for(NEWS, "头条（更正）", "要闻", "快讯")
    for feed in feeds.values():
        miniflux.refresh(feed)
    entries = miniflux.entries(feeds[NEWS])
    assert sorted(entries.values()) == sorted(["头条（更正）", "要闻", "快讯"])
    assert first[NEWS].keys() < entries.keys(), "an edited entry is no new one"
    for path in (TECH, TECH_JSON):
        assert relay.passed(path)[-1].is_not_modified, "validators outlive a restart"
        assert sorted(miniflux.entries(feeds[path]).values()) == ["Title 1, corrected", "Title 2", "Title 3"]

    seen = {path: [exchange.status for exchange in relay.passed(path)] for path in feeds}
    assert seen == {
        TECH: [200, 304, 200, 502, 304],
        TECH_JSON: [200, 304, 200, 502, 304],
        NEWS: [200, 304, 304, 502, 200],
    }
