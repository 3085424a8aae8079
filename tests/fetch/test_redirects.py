"""Redirects are walked by our own loop (P40 to P49)."""

from dataclasses import replace

import pytest

from aggregator.errors import AddressRefused, BadRedirect
from aggregator.fetch import Client
from aggregator.fetch.trip import MAX_REDIRECTS, Chain
from aggregator.model.poll import Hop
from aggregator.model.settings import Secret
from aggregator.urls import Url
from tests.feed_server import EndlessRedirects, FeedServer, RedirectLoop, Reply, redirect
from tests.fetch.conftest import ATOM, ask_for, failed, fetched


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_p24_redirects_are_followed_and_recorded(publisher: FeedServer, client: Client, status: int) -> None:
    feed = publisher.serve("/new.xml", ATOM)
    url = publisher.says("/feed.xml", redirect("/new.xml", status))
    answer = fetched(client.fetch(ask_for(url)))
    assert answer.url == feed
    assert answer.hops == (Hop(url=url, status=status),)


def test_p41_each_hop_has_its_status(publisher: FeedServer, client: Client) -> None:
    publisher.serve("/c", ATOM)
    second = publisher.says("/b", redirect("/c", 302))
    first = publisher.says("/a", redirect("/b", 301))
    answer = fetched(client.fetch(ask_for(first)))
    assert answer.hops == (Hop(url=first, status=301), Hop(url=second, status=302))


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(302), id="none"),
        pytest.param(redirect(""), id="empty"),
        pytest.param(Reply(302, b"", [("Location", "/a"), ("Location", "/b")]), id="two"),
        pytest.param(redirect("http://"), id="no-host"),
        pytest.param(redirect("/" + "x" * 8200), id="s22-too-long"),
    ],
)
def test_p25_without_a_usable_location(publisher: FeedServer, client: Client, reply: Reply) -> None:
    answer = failed(client.fetch(ask_for(publisher.says("/feed.xml", reply))))
    assert (answer.code, answer.status) == ("redirect", 302)
    assert answer.hops == ()


def test_p25_the_same_location_twice_is_one(publisher: FeedServer, client: Client) -> None:
    publisher.serve("/new.xml", ATOM)
    reply = Reply(302, b"", [("Location", "/new.xml"), ("Location", "/new.xml")])
    fetched(client.fetch(ask_for(publisher.says("/feed.xml", reply))))


def test_p42_five_redirects_are_followed(publisher: FeedServer, client: Client) -> None:
    for step in range(MAX_REDIRECTS):
        publisher.says(f"/{step}", redirect(f"/{step + 1}"))
    publisher.serve(f"/{MAX_REDIRECTS}", ATOM)
    assert len(fetched(client.fetch(ask_for(publisher.url("/0")))).hops) == MAX_REDIRECTS


def test_p42_six_are_not(publisher: FeedServer, client: Client) -> None:
    answer = failed(client.fetch(ask_for(publisher.says("/0", EndlessRedirects()))))
    assert answer.code == "redirect"
    assert len(publisher.asked) == MAX_REDIRECTS + 1
    assert len(answer.hops) == MAX_REDIRECTS


def test_p42_a_loop_fails_at_once(publisher: FeedServer, client: Client) -> None:
    answer = failed(client.fetch(ask_for(publisher.says("/feed.xml", RedirectLoop()))))
    assert answer.code == "redirect"
    assert "circle" in answer.text
    assert len(publisher.asked) == 1


def test_p42_a_loop_of_two_fails_at_once(publisher: FeedServer, client: Client) -> None:
    publisher.says("/b", redirect("/a"))
    assert failed(client.fetch(ask_for(publisher.says("/a", redirect("/b"))))).code == "redirect"
    assert len(publisher.asked) == 2


def test_p42_a_fragment_makes_no_new_url(publisher: FeedServer, client: Client) -> None:
    assert "circle" in failed(client.fetch(ask_for(publisher.says("/a", redirect("/a#again"))))).text


def test_p43_https_to_http_is_refused() -> None:
    chain = Chain(Url("https://a.example/feed"), Url("https://a.example/feed"))
    with pytest.raises(BadRedirect, match="https to http"):
        chain.follow(301, ["http://a.example/feed"])


def test_p43_http_to_https_is_followed() -> None:
    chain = Chain(Url("http://a.example/feed"), Url("http://a.example/feed"))
    chain.follow(301, ["https://a.example/feed"])
    assert chain.url == "https://a.example/feed"


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "ftp://a.example/feed",
        "gopher://a.example/",
        "data:text/xml,<feed/>",
        "javascript:1",
        "feed:http://a.example/feed",
    ],
)
def test_p44_other_schemes_are_refused(location: str) -> None:
    chain = Chain(Url("http://a.example/feed"), Url("http://a.example/feed"))
    with pytest.raises(BadRedirect):
        chain.follow(302, [location])
    assert chain.url == "http://a.example/feed"


@pytest.mark.parametrize(
    "location",
    ["http://ex\\ample.org/", "http://a b.example/a", "http:// a.example/", "http://a.example/\x01", "\t/a\tb", " "],
)
def test_s8_odd_characters_are_refused(location: str) -> None:
    with pytest.raises(BadRedirect):
        Chain(Url("http://a.example/feed"), Url("http://a.example/feed")).follow(302, [location])


@pytest.mark.parametrize(
    ("location", "target"),
    [
        pytest.param("new.xml", "http://a.example/x/new.xml", id="relative"),
        pytest.param("../new.xml", "http://a.example/new.xml", id="up"),
        pytest.param("?page=2", "http://a.example/x/feed.xml?page=2", id="query"),
        pytest.param("//b.example/feed", "http://b.example/feed", id="no-scheme"),
        pytest.param("/a#fragment", "http://a.example/a", id="fragment"),
        pytest.param("/日报.xml".encode().decode("latin-1"), "http://a.example/%E6%97%A5%E6%8A%A5.xml", id="utf-8"),
        pytest.param("/f\xfcr.xml", "http://a.example/f%FCr.xml", id="other-bytes-as-they-are"),
        pytest.param("/new feed.xml?a b", "http://a.example/new%20feed.xml?a%20b", id="blanks"),
        pytest.param("  /new.xml \t", "http://a.example/new.xml", id="blanks-around"),
        pytest.param("http://bücher.example/".encode().decode("latin-1"), "http://xn--bcher-kva.example/", id="idn"),
        pytest.param("http://me:secret@b.example/", "http://b.example/", id="credentials-stay-behind"),
        pytest.param("HTTP://B.example:80/a/../b", "http://b.example/b", id="normalised"),
    ],
)
def test_p46_locations(location: str, target: str) -> None:
    chain = Chain(Url("http://a.example/x/feed.xml"), Url("http://a.example/x/feed.xml"))
    chain.follow(302, [location])
    assert chain.url == target


@pytest.mark.parametrize(
    "target",
    [
        pytest.param("http://127.0.0.2:{port}/feed.xml", id="another-host"),
        pytest.param("http://localhost:{port}/feed.xml", id="another-name-of-the-host"),
    ],
)
def test_p45_the_operators_headers_stay_at_home(publisher: FeedServer, client: Client, target: str) -> None:
    publisher.serve("/feed.xml", ATOM, host="127.0.0.2")
    publisher.serve("/feed.xml", ATOM)
    url = publisher.says("/start", redirect(target.format(port=publisher.port)))
    ask = ask_for(
        url,
        headers=(("X-Api-Key", Secret("k")), ("Cookie", Secret("c=1")), ("User-Agent", Secret("mine"))),
        auth=("me", Secret("pw")),
    )
    fetched(client.fetch(ask))
    first, second = publisher.asked
    assert first.headers["X-Api-Key"] == "k"
    assert first.headers["Authorization"].startswith("Basic ")
    assert first.headers["User-Agent"] == "mine"
    assert not {"x-api-key", "cookie", "authorization"} & set(second.headers)
    assert second.headers["User-Agent"].startswith("aggregator/")


def test_p45_and_do_not_come_back_in_the_same_chain(publisher: FeedServer, client: Client) -> None:
    publisher.serve("/feed.xml", ATOM)
    publisher.says("/there", redirect(publisher.url("/feed.xml")), host="127.0.0.2")
    url = publisher.says("/start", redirect(publisher.url("/there", host="127.0.0.2")))
    fetched(client.fetch(ask_for(url, headers=(("X-Api-Key", Secret("k")),))))
    assert ["x-api-key" in asked.headers for asked in publisher.asked] == [True, False, False]


def test_p45_they_follow_within_the_origin(publisher: FeedServer, client: Client) -> None:
    publisher.serve("/feed.xml", ATOM)
    url = publisher.says("/start", redirect("/feed.xml"))
    fetched(client.fetch(ask_for(url, headers=(("X-Api-Key", Secret("k")),))))
    assert publisher.asked[1].headers["X-Api-Key"] == "k"


def test_p45_an_adopted_url_elsewhere_never_gets_them(publisher: FeedServer, client: Client) -> None:
    adopted = publisher.serve("/feed.xml", ATOM, host="127.0.0.2")
    ask = ask_for(publisher.url("/old"), headers=(("X-Api-Key", Secret("k")),), auth=("me", Secret("pw")))
    fetched(client.fetch(replace(ask, url=adopted)))
    assert not {"x-api-key", "authorization"} & set(publisher.asked[0].headers)


@pytest.mark.parametrize(
    ("target", "refused"),
    [
        pytest.param("http://b.example/", False, id="80"),
        pytest.param("https://b.example/", False, id="443"),
        pytest.param("http://b.example:8080/", False, id="web"),
        pytest.param("http://b.example:40000/", False, id="high"),
        pytest.param("http://b.example:81/", False, id="as-configured"),
        pytest.param("http://b.example:22/", True, id="ssh"),
        pytest.param("http://b.example:25/", True, id="mail"),
        pytest.param("http://b.example:82/", True, id="low"),
        pytest.param("http://b.example:6379/", True, id="redis"),
        pytest.param("http://b.example:3306/", True, id="mysql"),
        pytest.param("http://b.example:5432/", True, id="postgresql"),
        pytest.param("http://b.example:9200/", True, id="elasticsearch"),
        pytest.param("http://b.example:11211/", True, id="memcached"),
    ],
)
def test_s7_ports(target: str, refused: bool) -> None:
    chain = Chain(Url("http://a.example:81/feed"), Url("http://a.example:81/feed"))
    chain.check()
    if refused:
        with pytest.raises(AddressRefused, match="port"):
            chain.follow(302, [target])
        with pytest.raises(AddressRefused, match="port"):
            Chain(Url(target), Url("http://a.example:81/feed")).check()  # a link from a feed
    else:
        chain.follow(302, [target])
        assert chain.url == target


def test_s2_a_start_with_another_scheme_is_refused(client: Client) -> None:
    answer = client.fetch(ask_for(Url("file:///etc/passwd")))
    assert failed(answer).code == "refused"
