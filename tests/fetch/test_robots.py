"""robots.txt, by table (RFC 9309; P89)."""

import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from aggregator.fetch.crawl import MAX_WEIGHT, RobotsCache
from aggregator.fetch.robots import MAX_BYTES, may_fetch, rules_for
from aggregator.model.robots import Robots
from aggregator.urls import Url


@pytest.mark.parametrize(
    ("robots", "path", "may"),
    [
        pytest.param("", "/feed", True, id="empty"),
        pytest.param("User-agent: *\nDisallow: /\n", "/feed", False, id="all-barred"),
        pytest.param("User-agent: *\nDisallow:\n", "/feed", True, id="nothing-barred"),
        pytest.param(
            "User-agent: *\nDisallow: /\n\nUser-agent: Aggregator\nAllow: /\n", "/feed", True, id="ours-counts"
        ),
        pytest.param(
            "User-agent: *\nAllow: /\n\nuser-agent:aggregator\ndisallow:/feed\n", "/feed.xml", False, id="prefix"
        ),
        pytest.param("User-agent: other\nUser-agent: *\nDisallow: /f\n", "/feed", False, id="two-agents-one-group"),
        pytest.param("User-agent: other\nDisallow: /\n", "/feed", True, id="of-another"),
        pytest.param(
            "User-agent: *\nDisallow: /a\n\nUser-agent: *\nDisallow: /f\n", "/feed", False, id="groups-are-one"
        ),
        pytest.param("User-agent: *\nDisallow: /\nAllow: /feed\n", "/feed", True, id="the-longest-rule"),
        pytest.param("User-agent: *\nDisallow: /feed\nAllow: /feed\n", "/feed", True, id="allow-wins-a-tie"),
        pytest.param("User-agent: *\nDisallow: /*.xml$\n", "/feed.xml", False, id="star-and-end"),
        pytest.param("User-agent: *\nDisallow: /*.xml$\n", "/feed.xml?a", True, id="not-the-end"),
        pytest.param("User-agent: *\nDisallow: /feed$\n", "/feed.xml", True, id="end-alone"),
        pytest.param("User-agent: *\nDisallow: /*a*b*c\n", "/xaxbx", True, id="a-part-is-missing"),
        pytest.param("User-agent: *\nDisallow: *aa$\n", "/a", True, id="parts-don't-overlap"),
        pytest.param("User-agent: * # all\nCrawl-delay: 9\nDisallow: /feed # no\n", "/feed", False, id="comments"),
        pytest.param("\ufeffUser-agent: *\r\nDisallow: /feed\r\n", "/feed", False, id="bom-and-crlf"),
        pytest.param("Disallow: /\nUser-agent: *\n", "/feed", True, id="a-rule-for-nobody"),
        pytest.param("<!doctype html><title>Not found</title>", "/feed", True, id="a-page"),
    ],
)
def test_p89_what_a_site_leaves_open(robots: str, path: str, may: bool) -> None:
    assert may_fetch(robots.encode(), "aggregator", path) is may


def test_s25_a_hostile_file_takes_no_time_and_no_more_than_its_limit_is_read() -> None:
    robots = b"User-agent: *\nDisallow: /" + b"*a" * 100_000 + b"\n"
    assert may_fetch(robots, "aggregator", "/" + "a" * 4000)
    assert may_fetch(b"User-agent: *\n" + b"#" * MAX_BYTES + b"\nDisallow: /\n", "aggregator", "/feed")
    assert may_fetch(b"\xff\xfe\x00User-agent", "aggregator", "/feed")


@pytest.mark.parametrize("name", ["*", "aggregator", "another"])
def test_s25_names_before_rules_are_not_multiplied(name: str) -> None:
    """Ten thousand names, each with thirty thousand rules, would be gigabytes."""
    robots = f"user-agent:{name}\n".encode() * 10_000 + b"allow:/b\n" * 30_000 + b"disallow:/\n"
    assert peak_of(lambda: rules_for(robots, "aggregator")) < 16 * 2**20


def peak_of(call: Callable[[], object]) -> int:
    """Return the most memory that Python objects took during a call, in bytes."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_what_sites_say_is_forgotten_before_it_takes_too_much_room() -> None:
    when = datetime(2026, 3, 4, tzinfo=UTC)
    long = ((False, "/" + "x" * (MAX_WEIGHT // 4)),)
    sites = RobotsCache(Robots(origin=f"http://{n}.example:80", asked_at=when, rules=long) for n in range(3))
    assert sites.of(Url("http://0.example/")) is not None
    sites.learn(Robots(origin="http://0.example:80", asked_at=when))
    for n in (3, 4):
        sites.learn(Robots(origin=f"http://{n}.example:80", asked_at=when, rules=long))
    known = [n for n in range(5) if sites.of(Url(f"http://{n}.example/")) is not None]
    assert known == [0, 2, 3, 4], "the oldest goes, and what is said anew counts once"
