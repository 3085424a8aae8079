"""Two sources that end at one address (P40, P47, P66): asked once, news for both."""

from datetime import timedelta
from pathlib import Path

import pytest

from aggregator.app import App
from aggregator.urls import Url
from tests.newsroom import SampleSite, item, rss
from tests.publisher import Publisher, redirect


def served(room: SampleSite) -> int:
    """Let whatever is due be asked once, as a service would; give how many polls that were."""
    return len(room.poll(everything=False)["results"])


@pytest.fixture
def room(tmp_path: Path, publisher: Publisher) -> SampleSite:
    """Give two sources whose addresses both lead, for good, to a third."""
    room = SampleSite(tmp_path)
    publisher.serve("/feed", rss(item(1)))
    old, older = (publisher.says(f"/{name}", redirect("/feed", 301)) for name in ("old", "older"))
    room.writes(
        f"sources:\n  - {{key: old, url: '{old}', category: a, every: 1d}}\n"
        f"  - {{key: older, url: '{older}', category: b, every: 1d}}\n"
    )
    return room


def in_use(app: App) -> set[Url]:
    """Give the addresses that the next polls go to."""
    with app.store.read() as tx:
        return {due.url for source in app.settings.sources if (due := tx.look_up(source))}


def test_p66_one_request_serves_both(room: SampleSite, publisher: Publisher) -> None:
    for _ in range(3):
        room.poll()
        room.clock.move(days=1, hours=2)
    with room.opened() as app:
        assert len(in_use(app)) == 1
    del publisher.asked[:]
    publisher.edit("/feed", rss(item(2), item(1)))
    assert served(room) == 2
    assert [asked.path for asked in publisher.asked] == ["/feed"]
    assert room.titles("category/a.atom") == room.titles("category/b.atom") == ["Title 2", "Title 1"]
    room.clock.move(days=1, hours=2)
    del publisher.asked[:]
    assert served(room) == 2
    assert [asked.path for asked in publisher.asked] == ["/feed"]
    assert "If-None-Match" in publisher.asked[0].headers


def test_p40_the_operator_writes_the_new_address_and_nothing_is_asked_again(
    room: SampleSite, publisher: Publisher
) -> None:
    for _ in range(3):
        room.poll()
        room.clock.move(days=1, hours=2)
    room.poll(["old"])
    new = publisher.asked[-1]
    url = f"http://{new.headers['Host']}/feed"
    room.writes(f"sources:\n  - {{key: old, url: '{url}', category: a, every: 1d}}\n")
    del publisher.asked[:]
    room.clock.move(hours=1)
    assert served(room) == 0
    room.clock.move(days=1)
    assert served(room) == 1
    assert "If-None-Match" in publisher.asked[0].headers


def test_p40_a_redirect_is_followed_but_not_adopted_before_its_time(room: SampleSite, publisher: Publisher) -> None:
    room.poll()
    for _ in range(4):
        room.clock.now += timedelta(hours=6)
        room.poll()
    with room.opened() as app:
        assert {str(url).rpartition("/")[2] for url in in_use(app)} == {"old", "older"}
