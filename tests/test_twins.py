"""Two sources that end at one address (P40, P47, P66): asked once, news for both."""

from datetime import timedelta
from pathlib import Path

import pytest

from aggregator.app import App
from aggregator.urls import Url
from tests.feed_server import FeedServer, redirect
from tests.sample_site import SampleSite, item, rss


def served(site: SampleSite) -> int:
    """Poll whatever is due once, as a service would; return the number of polls."""
    return len(site.poll(everything=False)["results"])


@pytest.fixture
def site(tmp_path: Path, publisher: FeedServer) -> SampleSite:
    """Return a site with two sources whose addresses both redirect permanently to a third."""
    site = SampleSite(tmp_path)
    publisher.serve("/feed", rss(item(1)))
    old, older = (publisher.says(f"/{name}", redirect("/feed", 301)) for name in ("old", "older"))
    site.writes(
        f"sources:\n  - {{key: old, url: '{old}', category: a, every: 1d}}\n"
        f"  - {{key: older, url: '{older}', category: b, every: 1d}}\n"
    )
    return site


def in_use(app: App) -> set[Url]:
    """Return the addresses that the next polls go to."""
    with app.store.read() as tx:
        return {due.url for source in app.in_force.settings.sources if (due := tx.claims.look_up(source))}


def test_p66_one_request_serves_both(site: SampleSite, publisher: FeedServer) -> None:
    for _ in range(3):
        site.poll()
        site.clock.move(days=1, hours=2)
    with site.opened() as app:
        assert len(in_use(app)) == 1
    del publisher.asked[:]
    publisher.edit("/feed", rss(item(2), item(1)))
    assert served(site) == 2
    assert [asked.path for asked in publisher.asked] == ["/feed"]
    assert site.titles("category/a.atom") == site.titles("category/b.atom") == ["Title 2", "Title 1"]
    site.clock.move(days=1, hours=2)
    del publisher.asked[:]
    assert served(site) == 2
    assert [asked.path for asked in publisher.asked] == ["/feed"]
    assert "If-None-Match" in publisher.asked[0].headers


def test_p40_the_operator_writes_the_new_address_and_nothing_is_asked_again(
    site: SampleSite, publisher: FeedServer
) -> None:
    for _ in range(3):
        site.poll()
        site.clock.move(days=1, hours=2)
    site.poll(["old"])
    new = publisher.asked[-1]
    url = f"http://{new.headers['Host']}/feed"
    site.writes(f"sources:\n  - {{key: old, url: '{url}', category: a, every: 1d}}\n")
    del publisher.asked[:]
    site.clock.move(hours=1)
    assert served(site) == 0
    site.clock.move(days=1)
    assert served(site) == 1
    assert "If-None-Match" in publisher.asked[0].headers


def test_p40_a_redirect_is_followed_but_not_adopted_before_its_time(site: SampleSite, publisher: FeedServer) -> None:
    site.poll()
    for _ in range(4):
        site.clock.now += timedelta(hours=6)
        site.poll()
    with site.opened() as app:
        assert {str(url).rpartition("/")[2] for url in in_use(app)} == {"old", "older"}
