"""Which rule of `hosts:` applies to a host."""

import ipaddress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.model.hosts import (
    SLOWEST,
    budget_key,
    doublings_of,
    is_public,
    parallel_of,
    rule_for,
    ruling,
    slowed,
    spacing_of,
)
from aggregator.model.settings import HostRule
from aggregator.urls import normalise


def rule(name: str) -> HostRule:
    try:
        return HostRule(name=name, network=ipaddress.ip_network(name))
    except ValueError:
        return HostRule(name=name)


RULES = tuple(
    map(
        rule,
        ["example.org", "api.example.org", "example.com", "127.0.0.0/8", "127.1.0.0/16", "10.0.0.7/32", "fd00::/8"],
    )
)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        pytest.param("example.org", "example.org", id="itself"),
        pytest.param("www.example.org", "example.org", id="below"),
        pytest.param("notexample.org", None, id="another-name"),
        pytest.param("v1.api.example.org", "api.example.org", id="longest-name"),
        pytest.param("org", None, id="above"),
        pytest.param("127.0.0.1", "127.0.0.0/8", id="address"),
        pytest.param("127.1.2.3", "127.1.0.0/16", id="longest-prefix"),
        pytest.param("10.0.0.7", "10.0.0.7/32", id="one-address"),
        pytest.param("10.0.0.8", None, id="its-neighbour"),
        pytest.param("fd12::1", "fd00::/8", id="ipv6"),
        pytest.param("[fd12::1]", "fd00::/8", id="ipv6-in-brackets"),
        pytest.param("localhost", "127.0.0.0/8", id="localhost-is-loopback"),
        pytest.param("feeds.localhost", "127.0.0.0/8", id="below-localhost"),
        pytest.param("", None, id="no-host"),
    ],
)
def test_the_most_specific_rule_holds(host: str, name: str | None) -> None:
    found = rule_for(host, RULES)
    assert (found and found.name) == name


def test_a_name_rule_for_localhost_wins_over_its_network() -> None:
    found = rule_for("localhost", (*RULES, rule("localhost")))
    assert found is not None
    assert found.name == "localhost"


@pytest.mark.parametrize(
    ("url", "key"),
    [
        pytest.param("https://www.example.org/feed", "example.org", id="name-rule"),
        pytest.param("https://v1.api.example.org:8443/feed", "api.example.org", id="ports-never-count"),
        pytest.param("https://feeds.example.net/feed", "example.net", id="no-rule-registrable-domain"),
        pytest.param("http://127.0.0.1:8000/feed", "127.0.0.1", id="address-under-a-network-rule"),
        pytest.param("http://127.0.0.2:8000/feed", "127.0.0.2", id="each-address-by-itself"),
        pytest.param("http://localhost/feed", "localhost", id="localhost"),
    ],
)
def test_p61_budget_key(url: str, key: str) -> None:
    assert budget_key(normalise(url), RULES) == key


MANNERS = (
    HostRule(name="fast.example", spacing=timedelta(seconds=1), parallel=4),
    HostRule(name="plain.example", allow_private=True),
    HostRule(name="10.0.0.0/8", network=ipaddress.ip_network("10.0.0.0/8"), spacing=timedelta(0), parallel=16),
)


@pytest.mark.parametrize(
    ("key", "address", "seconds", "parallel"),
    [
        pytest.param("a.example", None, 2, 1, id="default"),
        pytest.param("reddit.com", None, 60, 1, id="platform"),
        pytest.param("file", None, 0, 1, id="files"),
        pytest.param("fast.example", None, 1, 4, id="name"),
        pytest.param("plain.example", "10.0.0.1", 2, 1, id="a-name-rule-that-says-nothing-holds-all-the-same"),
        pytest.param("fast.example", "10.0.0.1", 1, 4, id="a-name-goes-before-its-address"),
        pytest.param("10.0.0.1", None, 0, 16, id="address"),
        pytest.param("a.example", "10.0.0.1", 0, 16, id="found-in-a-network"),
        pytest.param("a.example", "192.0.2.1", 2, 1, id="found-elsewhere"),
    ],
)
def test_p61_how_much_a_host_allows(key: str, address: str | None, seconds: float, parallel: int) -> None:
    rule = ruling(key, MANNERS, address)
    assert spacing_of(key, rule) == timedelta(seconds=seconds)
    assert parallel_of(rule) == parallel


@given(st.timedeltas(timedelta(0), timedelta(hours=1)))
def test_p61_as_many_doublings_as_lead_to_a_minute(spacing: timedelta) -> None:
    most = doublings_of(spacing)
    assert slowed(spacing, most) == (max(spacing, SLOWEST) if spacing else spacing)
    assert most == 0 or slowed(spacing, most - 1) < SLOWEST


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("planet.example.org", True),
        ("localhost", False),
        ("planet", False),
        ("nas.local", False),
        ("127.0.0.1", False),
        ("[fd00::1]", False),
        ("10.1.2.3", False),
        ("8.8.8.8", True),
    ],
)
def test_which_hosts_the_world_may_see(host: str, public: bool) -> None:
    assert is_public(host) is public
