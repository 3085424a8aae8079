"""Rows of hosts: pauses, troubles, robots.txt."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from aggregator.cadence.hosts import HostBackoff, Trouble
from aggregator.model.robots import KEPT, Robots
from aggregator.store.hosts import Hosts
from tests.fake_source import FakeSource
from tests.sample_site import START, SampleSite

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
BACKOFF = HostBackoff(
    doublings=3,
    troubled_at=NOON,
    opens_at=NOON + timedelta(hours=1),
    troubles=(Trouble("a", 429, NOON, NOON + SECOND), Trouble("b", 503, NOON - SECOND, None)),
)
PLAIN = HostBackoff(doublings=0, troubled_at=NOON, opens_at=NOON, troubles=())


@pytest.fixture
def hosts(sample_site: SampleSite) -> Iterator[Hosts]:
    sample_site.writes("sources: [{key: a, url: 'https://a.example/'}, {key: b, url: 'https://b.example/'}]")
    with sample_site.opened() as app, app.store.begin() as tx:
        yield tx.hosts


def test_what_is_kept_comes_back_changes_and_ends(hosts: Hosts) -> None:
    assert hosts.restraints() == {}
    hosts.keep({"a.example": BACKOFF, "b.example": PLAIN, "c.example": None})
    assert hosts.restraints() == {"a.example": BACKOFF, "b.example": PLAIN}
    hosts.keep({"a.example": PLAIN, "b.example": None})
    assert hosts.restraints() == {"a.example": PLAIN}
    hosts.keep({})
    assert hosts.restraints() == {"a.example": PLAIN}


def robots(name: str, asked_at: datetime, delay: float = 0) -> Robots:
    rules = ((True, "/news"), (False, "/"))
    return Robots(origin=f"https://{name}.example", asked_at=asked_at, rules=rules, delay=delay)


def test_robots_come_back_oldest_first_and_old_ones_go(hosts: Hosts) -> None:
    a, b = robots("a", NOON, 2.5), robots("b", NOON - SECOND)
    hosts.keep_robots([a, b])
    assert hosts.robots() == [b, a]
    newer = robots("b", NOON + KEPT, 1)
    hosts.keep_robots([newer])
    assert hosts.robots() == [a, newer], "just young enough"
    newest = robots("b", NOON + KEPT + SECOND)
    hosts.keep_robots([newest])
    assert hosts.robots() == [newest]


def test_no_more_robots_are_kept_than_have_a_place(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aggregator.store.hosts.MAX_KEPT", 3)
    many = [robots(str(n), NOON + n * SECOND) for n in range(5)]
    hosts.keep_robots(many)
    assert hosts.robots() == many[2:]


def test_the_last_start_at_each_host(sample_site: SampleSite) -> None:
    sample_site.writes("sources: [{key: a, url: 'https://a.example/'}, {key: b, url: 'https://b.example/'}]")
    with sample_site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.unchanged(["a"])
        sample_site.clock.move(hours=1)
        fake_source.unchanged(["b"])
        later = START + timedelta(hours=1)
        with app.store.read() as tx:
            assert tx.hosts.last_starts(START) == {"a.example": START, "b.example": later}
            assert tx.hosts.last_starts(START + SECOND) == {"b.example": later}
