"""Which entry of `hosts:` holds (DESIGN 3.1, hosts)."""

import ipaddress

import pytest

from aggregator.model.hosts import budget_key, rule_for
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
