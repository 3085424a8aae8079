"""robots.txt binds what is made for people: pages, not the feeds that an operator names (P89; RFC 9309)."""

from contextlib import closing

import pytest

from aggregator.app import open_app
from aggregator.config import load_config
from tests.fake_source import FakeSource
from tests.feed_server import FeedServer, Reply
from tests.sample_site import SampleSite, item, rss

PAGE = Reply(
    200, b"<title>News</title><ul><li><a href=/1>One</a><li><a href=/2>Two</a></ul>", {"Content-Type": "text/html"}
)


def text(robots: str, status: int = 200) -> Reply:
    return Reply(status, robots.encode(), {"Content-Type": "text/plain"})


def feeds(url: str, more: str = "") -> str:
    return f"sources: [{{key: page, kind: html, url: '{url}', items: li, {more}}}]\n"


def paths(publisher: FeedServer) -> list[str]:
    return [request.path for request in publisher.asked]


def test_p89_robots_txt_is_asked_for_once_a_day(site: SampleSite, publisher: FeedServer) -> None:
    publisher.says("/robots.txt", text("User-agent: *\nDisallow: /private\n"))
    site.writes(feeds(publisher.says("/news", PAGE)))
    assert site.poll()["new"] == 2
    site.clock.move(hours=12)
    site.poll()
    assert paths(publisher) == ["/robots.txt", "/news", "/news"], "another run goes by what the first one learnt"
    site.clock.move(hours=13)
    site.poll()
    assert paths(publisher)[3:] == ["/robots.txt", "/news"]


def test_p89_a_page_that_a_site_closes_is_not_asked_for(site: SampleSite, publisher: FeedServer) -> None:
    publisher.says("/robots.txt", text("User-agent: aggregator\nDisallow: /news\n"))
    site.writes(feeds(publisher.says("/news", PAGE)))
    (row,) = site.poll()["results"]
    assert row["outcome"] == "failed"
    assert row["error"].startswith("forbidden: ")
    assert "write robots:" in row["error"]
    assert paths(publisher) == ["/robots.txt"]


def test_p89_the_operator_s_reason_opens_it(site: SampleSite, publisher: FeedServer) -> None:
    site.writes(feeds(publisher.says("/news", PAGE), "robots: we asked them"))
    assert site.poll()["new"] == 2
    assert paths(publisher) == ["/news"]


@pytest.mark.parametrize(
    ("status", "new"), [pytest.param(404, 2, id="none-there"), pytest.param(503, 0, id="not-to-be-known")]
)
def test_p89_what_a_site_without_robots_txt_means(
    site: SampleSite, publisher: FeedServer, status: int, new: int
) -> None:
    publisher.says("/robots.txt", text("", status))
    site.writes(feeds(publisher.says("/news", PAGE)))
    assert site.poll()["new"] == new
    assert ("/news" in paths(publisher)) == bool(new)


def test_p89_an_old_robots_txt_is_better_than_none(site: SampleSite, publisher: FeedServer) -> None:
    publisher.says("/robots.txt", text("User-agent: *\nDisallow: /private\n"), text("", 503))
    site.writes(feeds(publisher.says("/news", PAGE)))
    site.poll()
    site.clock.move(hours=30)
    assert site.poll()["fetched"] == 1


def test_p89_a_redirect_leads_to_no_closed_page(site: SampleSite, publisher: FeedServer) -> None:
    publisher.says("/robots.txt", text("User-agent: *\nDisallow: /private\n"))
    private = publisher.says("/private", PAGE)
    site.writes(feeds(publisher.says("/news", Reply(302, b"", {"Location": private}))))
    assert site.poll()["failed"] == 1
    assert paths(publisher) == ["/robots.txt", "/news"]


def test_p89_feeds_are_asked_without(site: SampleSite, publisher: FeedServer) -> None:
    url = publisher.says("/feed", Reply(200, rss(item(1))))
    site.writes(f"sources: ['{url}']\n")
    site.poll()
    assert paths(publisher) == ["/feed"]


def test_p89_crawl_delay_is_kept_in_this_run_and_the_next(site: SampleSite, publisher: FeedServer) -> None:
    publisher.says("/robots.txt", text("User-agent: *\nCrawl-delay: 7\n"))
    url = publisher.says("/news", PAGE)
    site.writes(feeds(url), hosts="hosts: {127.0.0.0/8: {allow_private: true}}\n")
    for _ in range(2):
        settings = load_config(site.folder / "feeds.yaml", {})
        with closing(open_app(settings, command="poll", clock=site.clock, steady=lambda: 1000.0)) as app:
            if not publisher.asked:
                app.poller.ports.fetch(FakeSource(app).claim("page").ask())
                app.poller.host_limits.keep()
            budgets = app.poller.budgets
            assert budgets.next_opening() == 7


@pytest.mark.parametrize(("robots", "new"), [("", 2), ("User-agent: *\nDisallow: /news\n", 0)])
def test_p89_a_redirect_to_another_site_asks_for_its_robots_txt_first(
    site: SampleSite, publisher: FeedServer, robots: str, new: int
) -> None:
    """Short links lead to sites that nobody has asked yet; each is asked once a day, as any other."""
    publisher.says("/robots.txt", Reply(404))
    publisher.says("/robots.txt", text(robots), host="127.0.0.2")
    there = publisher.says("/news", PAGE, host="127.0.0.2")
    site.writes(feeds(publisher.says("/go", Reply(302, b"", {"Location": there}))))
    assert site.poll()["new"] == new
    site.clock.move(hours=2)
    site.poll()
    asked = [(request.host[-1], request.path) for request in publisher.asked]
    page = [("2", "/news")] if new else []
    assert asked == [("1", "/robots.txt"), ("1", "/go"), ("2", "/robots.txt"), *page, ("1", "/go"), *page]


def test_p89_a_site_that_does_not_say_closes_what_a_redirect_leads_to(site: SampleSite, publisher: FeedServer) -> None:
    publisher.says("/robots.txt", Reply(404))
    publisher.says("/robots.txt", Reply(503), host="127.0.0.2")
    there = publisher.says("/news", PAGE, host="127.0.0.2")
    site.writes(feeds(publisher.says("/go", Reply(302, b"", {"Location": there}))))
    assert site.poll()["failed"] == 1
    assert [(each.host[-1], each.path) for each in publisher.asked][-1] == ("2", "/robots.txt")
