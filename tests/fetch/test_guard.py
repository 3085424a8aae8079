"""The address is judged when it is connected to (S3 to S6)."""

import ipaddress
import socket
from dataclasses import replace

import pytest

from aggregator.errors import AddressRefused
from aggregator.fetch import Client, guard
from aggregator.fetch.flight import REDIRECTED
from aggregator.fetch.guard import FORBIDDEN, LOCAL_NAME, PRIVATE, STRANGER, Guard, Reach, reach_of
from aggregator.model.settings import HostRule
from aggregator.urls import Url, normalise
from tests.feed_server import FeedServer, Reply, redirect
from tests.fetch.conftest import ATOM, LOOPBACK, MakeClient, Names, ask_for, failed, fetched, name, network


def rule(answer: object) -> str:
    error = failed(answer).error
    assert isinstance(error, AddressRefused), error
    return error.rule.removeprefix(REDIRECTED)


@pytest.mark.parametrize(
    "host",
    "127.0.0.1 localhost 127.1 0x7f.1 017700000001 2130706433 0177.0.0.1 [::1] [::ffff:127.0.0.1] 127.0.0.1. 0.0.0.0 "
    "[::] [64:ff9b::7f00:1] [2002:7f00:1::] 10.0.0.1 192.168.0.1 [fe80::1] [fc00::1] 169.254.1.1 224.0.0.1".split(),
)
def test_s4_s8_private_addresses_are_refused_in_any_spelling(
    publisher: FeedServer, make_client: MakeClient, host: str
) -> None:
    url = normalise(f"http://{host}:{publisher.port}/")
    assert rule(make_client().fetch(ask_for(url))) == PRIVATE
    assert publisher.connections == 0


def test_s4_a_name_that_leads_inside_is_refused(publisher: FeedServer, make_client: MakeClient, names: Names) -> None:
    names["inside.example"] = ["127.0.0.1", "::1"]
    assert rule(make_client().fetch(ask_for(publisher.url(host="inside.example")))) == PRIVATE
    assert publisher.connections == 0


def test_s3_of_mixed_answers_only_the_allowed_are_used(
    publisher: FeedServer, make_client: MakeClient, names: Names
) -> None:
    publisher.serve("/", ATOM, host="127.0.0.2")
    names["mixed.example"] = ["10.0.0.1", "127.0.0.1", "127.0.0.2"]
    client = make_client(network("127.0.0.2/32"))
    fetched(client.fetch(ask_for(publisher.url(host="mixed.example"))))
    assert [asked.host for asked in publisher.asked] == ["127.0.0.2"]


def test_s3_a_name_that_changes_its_mind_is_caught(
    publisher: FeedServer, make_client: MakeClient, names: Names
) -> None:
    publisher.serve("/", ATOM, host="127.0.0.2")
    answers = iter([["127.0.0.2"], ["127.0.0.1"]])
    names["rebinding.example"] = lambda: next(answers)
    client = make_client(network("127.0.0.2/32"))
    ask = ask_for(publisher.url(host="rebinding.example"))
    fetched(client.fetch(ask))
    publisher.hang_up()
    assert rule(client.fetch(ask)) == PRIVATE
    assert [asked.host for asked in publisher.asked] == ["127.0.0.2"]


def test_s3_host_and_port_stay_the_names(publisher: FeedServer, client: Client, names: Names) -> None:
    publisher.serve("/", ATOM)
    names["feeds.example"] = ["127.0.0.1"]
    fetched(client.fetch(ask_for(publisher.url(host="feeds.example"))))
    assert publisher.asked[0].headers["Host"] == f"feeds.example:{publisher.port}"


@pytest.mark.parametrize(
    ("hosts", "host"),
    [
        pytest.param((LOOPBACK,), "127.0.0.1", id="network-and-address"),
        pytest.param((LOOPBACK,), "inside.example", id="network-and-name-that-leads-there"),
        pytest.param((LOOPBACK,), "localhost", id="network-and-localhost"),
        pytest.param((name("inside.example"),), "inside.example", id="name"),
        pytest.param((name("example"),), "inside.example", id="name-above"),
    ],
)
def test_s6_what_the_operator_allows(
    publisher: FeedServer, make_client: MakeClient, names: Names, hosts: tuple[HostRule, ...], host: str
) -> None:
    publisher.serve("/", ATOM)
    names["inside.example"] = ["127.0.0.1"]
    fetched(make_client(*hosts).fetch(ask_for(publisher.url(host=host))))


@pytest.mark.parametrize(
    ("hosts", "host"),
    [
        pytest.param((name("other.example"),), "inside.example", id="another-name"),
        pytest.param((network("10.0.0.0/8"),), "127.0.0.1", id="another-network"),
        pytest.param((network("127.0.0.0/8", allow_private=False),), "127.0.0.1", id="an-entry-without-allow-private"),
        pytest.param((LOOPBACK, network("127.0.0.1/32", allow_private=False)), "127.0.0.1", id="the-nearest-wins"),
        pytest.param((name("127.0.0.1.example"),), "127.0.0.1", id="a-name-is-no-address"),
    ],
)
def test_s6_what_the_operator_does_not_allow(
    publisher: FeedServer, make_client: MakeClient, names: Names, hosts: tuple[HostRule, ...], host: str
) -> None:
    names["inside.example"] = ["127.0.0.1"]
    assert rule(make_client(*hosts).fetch(ask_for(publisher.url(host=host)))) == PRIVATE
    assert publisher.connections == 0


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "100.100.100.200", "[fd00:ec2::254]", "192.0.0.192", "[::ffff:169.254.169.254]"]
)
def test_s6_metadata_stays_closed_whatever_is_allowed(make_client: MakeClient, host: str) -> None:
    client = make_client(network("0.0.0.0/0"), network("::/0"))
    assert rule(client.fetch(ask_for(Url(f"http://{host}/latest/meta-data")))) == FORBIDDEN


def test_s6_metadata_stays_closed_under_an_allowed_name(make_client: MakeClient, names: Names) -> None:
    names["metadata.internal.example"] = ["169.254.169.254"]
    client = make_client(name("internal.example"))
    assert rule(client.fetch(ask_for(Url("http://metadata.internal.example/")))) == FORBIDDEN


# --- Redirects inwards: the source must be at home there -------------------------------------------------------------


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> str:
    """Map a name to 127.0.0.9, which stands for the open internet."""
    public = ipaddress.ip_address("127.0.0.9")
    monkeypatch.setattr(guard, "reach_of", lambda address: Reach.PUBLIC if address == public else reach_of(address))
    return str(public)


@pytest.mark.parametrize("entry", [network("127.0.0.1/32"), name("inside.example")])
@pytest.mark.parametrize("target", ["127.0.0.1", "localhost", "inside.example"])
def test_s6_a_source_elsewhere_is_not_redirected_inwards(
    publisher: FeedServer, make_client: MakeClient, names: Names, outside: str, entry: HostRule, target: str
) -> None:
    names["inside.example"], names["outside.example"] = ["127.0.0.1"], [outside]
    publisher.serve("/secret", b"<secret/>")
    publisher.says("/", redirect(publisher.url("/secret", host=target)), host=outside)
    answer = make_client(entry).fetch(ask_for(publisher.url(host="outside.example")))
    assert rule(answer) in (STRANGER, PRIVATE)
    assert [asked.path for asked in publisher.asked] == ["/"]


def test_s6_a_name_outside_that_turns_inside_is_a_stranger(
    publisher: FeedServer, make_client: MakeClient, names: Names, outside: str
) -> None:
    answers = iter([[outside], ["127.0.0.1"]])
    names["rebinding.example"] = lambda: next(answers)
    publisher.serve("/secret", b"<secret/>")
    # a connection that is kept would ask the first address again
    publisher.says("/", Reply(302, b"", {"Location": "/secret", "Connection": "close"}), host=outside)
    client = make_client(network("127.0.0.1/32"))
    assert rule(client.fetch(ask_for(publisher.url(host="rebinding.example")))) == STRANGER
    assert [asked.host for asked in publisher.asked] == [outside]


def test_s6_a_source_inside_may_be_redirected_inside(
    publisher: FeedServer, make_client: MakeClient, names: Names
) -> None:
    names["inside.example"], names["home.example"] = ["127.0.0.1"], ["127.0.0.2"]
    publisher.serve("/feed", ATOM)
    publisher.says("/", redirect(publisher.url("/feed", host="inside.example")), host="127.0.0.2")
    client = make_client(network("127.0.0.2/32"), name("inside.example"))
    fetched(client.fetch(ask_for(publisher.url(host="home.example"))))


def test_s6_but_only_to_what_an_entry_covers(publisher: FeedServer, make_client: MakeClient) -> None:
    publisher.serve("/feed", ATOM)
    url = publisher.says("/", redirect(publisher.url("/feed")), host="127.0.0.2")
    assert rule(make_client(network("127.0.0.2/32")).fetch(ask_for(url))) == PRIVATE


def test_s6_a_source_inside_may_be_redirected_outside(
    publisher: FeedServer, make_client: MakeClient, outside: str
) -> None:
    publisher.serve("/feed", ATOM, host=outside)
    url = publisher.says("/", redirect(publisher.url("/feed", host=outside)))
    fetched(make_client(network("127.0.0.1/32")).fetch(ask_for(url)))


def test_s3_a_kept_connection_is_judged_for_each_source(
    publisher: FeedServer, make_client: MakeClient, outside: str
) -> None:
    """A connection into the intranet, kept for the source that may use it, must not serve a stranger's redirect."""
    inside = publisher.serve("/feed", ATOM)
    stranger = publisher.says("/", redirect(inside), host=outside)
    client = make_client(network("127.0.0.1/32"))
    fetched(client.fetch(ask_for(inside)))
    assert rule(client.fetch(ask_for(stranger))) == STRANGER
    assert [asked.path for asked in publisher.asked] == ["/feed", "/"]
    fetched(client.fetch(ask_for(inside)))
    assert publisher.connections <= 3


def test_p40_an_adopted_url_is_judged_by_the_configured_one(
    publisher: FeedServer, make_client: MakeClient, names: Names, outside: str
) -> None:
    names["home.example"], names["outside.example"] = ["127.0.0.2"], [outside]
    adopted = publisher.serve("/feed", ATOM)
    client = make_client(network("127.0.0.1/32"), network("127.0.0.2/32"))
    fetched(client.fetch(replace(ask_for(publisher.url(host="home.example")), url=adopted)))
    assert rule(client.fetch(replace(ask_for(publisher.url(host="outside.example")), url=adopted))) == STRANGER


def test_s10_the_message_names_the_rule_and_no_address(
    publisher: FeedServer, make_client: MakeClient, names: Names
) -> None:
    names["inside.example"] = ["10.1.2.3"]
    text = failed(make_client().fetch(ask_for(Url("http://inside.example/feed?token=secret")))).text
    assert "10.1.2.3" not in text
    assert "secret" not in text
    assert "allow_private" in text


@pytest.mark.parametrize(
    "error", [socket.gaierror(-2, "Name or service not known"), UnicodeError("label too long"), OSError("resolver")]
)
def test_a_name_without_address_is_told(make_client: MakeClient, names: Names, error: Exception) -> None:
    names["nowhere.example"] = error
    answer = failed(make_client().fetch(ask_for(Url("http://nowhere.example/feed"))))
    assert answer.code == "dns"
    assert "nowhere.example" in answer.text


# --- Names that only a proxy could resolve ---------------------------------------------------------------------------


def refusal_of_name(host: str, *hosts: HostRule, configured: str = "https://feeds.example/") -> str | None:
    """Return why a source with this URL may not have a proxy connect to a name."""
    own = Guard(hosts, lambda name: [ipaddress.ip_address("10.0.0.1")] if name == "home.example" else [])
    return own.permit(Url(configured)).refusal_of_name(host)


@pytest.mark.parametrize(
    "host",
    "a.localhost a.local a.internal a.intranet a.lan a.corp a.home a.home.arpa a.private router A.LOCAL".split(),
)
def test_s9_names_of_local_networks_are_not_for_a_proxy(host: str) -> None:
    """RFC 6761, 6762 and 8375, ICANN's .internal, and what routers and firms use."""
    assert refusal_of_name(host) == LOCAL_NAME
    assert refusal_of_name(host, name("home.example")) == LOCAL_NAME
    assert refusal_of_name(host, name(host.lower())) == STRANGER
    assert refusal_of_name(host, name(host.lower()), configured=f"http://{host}/") is None
    assert refusal_of_name(host, name(host.lower()), network("10.0.0.0/8"), configured="http://home.example/") is None


@pytest.mark.parametrize(
    "host",
    "metadata metadata.goog metadata.google.internal instance-data instance-data.ec2.internal METADATA.goog".split(),
)
def test_s9_names_of_metadata_services_stay_closed_whatever_is_allowed(host: str) -> None:
    own = host.lower()
    assert refusal_of_name(host, name(own), configured=f"http://{own}/") == FORBIDDEN


@pytest.mark.parametrize("host", ["feeds.example", "local.example", "xlocal.example", "a.lan.example", "homes.arpa"])
def test_s9_public_names_are_for_the_proxy_to_filter(host: str) -> None:
    assert refusal_of_name(host) is None
