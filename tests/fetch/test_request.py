"""Headers that are sent, and headers that are not (P75 to P86)."""

from pathlib import Path

import pytest

from aggregator.fetch import Client
from aggregator.fetch.request import ACCEPT
from aggregator.model.settings import Secret
from tests.feed_server import Chunked, FeedServer, Reply, redirect
from tests.fetch.conftest import AGENT, ATOM, LOOPBACK, MakeClient, ask_for, failed, fetched


def test_p75_to_p80_a_plain_request_has_these_headers_and_no_others(publisher: FeedServer, client: Client) -> None:
    client.fetch(ask_for(publisher.serve("/feed.xml", ATOM)))
    headers = dict(publisher.asked[0].headers)
    assert headers == {
        "host": f"127.0.0.1:{publisher.port}",
        "user-agent": AGENT,
        "accept": ACCEPT,
        "accept-encoding": "gzip, deflate, br, zstd",
    }


def test_p77_a_source_may_have_an_accept_of_its_own(publisher: FeedServer, client: Client) -> None:
    client.fetch(ask_for(publisher.serve("/feed.xml", ATOM), accept="*/*"))
    assert publisher.asked[0].headers["Accept"] == "*/*"


def test_p75_a_contact_may_have_any_letters(publisher: FeedServer, make_client: MakeClient) -> None:
    client = make_client(LOOPBACK, user_agent="aggregator/0.1 (编辑)")
    fetched(client.fetch(ask_for(publisher.serve("/feed.xml", ATOM))))
    assert "aggregator/0.1 (编辑)".encode() in publisher.asked[0].raw


def test_p79_no_cookie_comes_back(publisher: FeedServer, client: Client) -> None:
    url = publisher.says("/feed.xml", Reply(200, ATOM, {"Set-Cookie": "a=1; Path=/"}))
    client.fetch(ask_for(url))
    client.fetch(ask_for(url))
    assert "Cookie" not in publisher.asked[1].headers


def test_p79_nor_in_the_same_chain(publisher: FeedServer, client: Client) -> None:
    publisher.serve("/b", ATOM)
    client.fetch(ask_for(publisher.says("/a", Reply(302, b"", {"Set-Cookie": "a=1; Path=/", "Location": "/b"}))))
    assert not {"cookie", "referer"} & set(publisher.asked[1].headers)


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/feed",
        "/feed/",
        "/feed?b=2&a=1&b=1",
        "/feed?",
        "/?a=b&&c",
        "/a//b",
        "/a;b=c,d",
        "/%7Euser/%E6%97%A5?q=%2F%26",
        "/a?url=http://b.example/?c=d",
        "/a'b(c)!*@:$",
    ],
)
def test_p79_the_url_is_asked_as_it_is(publisher: FeedServer, client: Client, target: str) -> None:
    url = publisher.serve(target, ATOM)
    assert fetched(client.fetch(ask_for(url))).url == url
    assert publisher.asked[0].path == target


def test_a_url_without_a_path(publisher: FeedServer, client: Client) -> None:
    publisher.serve("/?a=1", ATOM)
    fetched(client.fetch(ask_for(publisher.url("?a=1"))))


def test_p85_credentials_are_sent_as_basic(publisher: FeedServer, client: Client) -> None:
    client.fetch(ask_for(publisher.serve("/feed.xml", ATOM), auth=("me", Secret("pässword:x"))))
    assert publisher.asked[0].headers["Authorization"] == "Basic bWU6cMOkc3N3b3JkOng="


def test_p85_the_environment_is_not_read(
    publisher: FeedServer, client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")
    fetched(client.fetch(ask_for(publisher.serve("/feed.xml", ATOM))))
    assert "Authorization" not in publisher.asked[0].headers


def test_the_operators_headers_are_sent_as_written(publisher: FeedServer, client: Client) -> None:
    headers = (
        ("X-Api-Key", Secret("k 1")),
        ("user-agent", Secret("Mine/1.0")),
        ("ACCEPT", Secret("text/xml")),
        ("X-Name", Secret("Jürgen")),
        ("X-Chinese", Secret("标签")),
        ("authorization", Secret("Bearer t")),
    )
    client.fetch(ask_for(publisher.serve("/feed.xml", ATOM), headers=headers, auth=("me", Secret("pw"))))
    (asked,) = publisher.asked
    assert b"X-Api-Key: k 1\r\n" in asked.raw
    assert b"\r\nuser-agent: Mine/1.0\r\n" in asked.raw
    assert asked.headers["User-Agent"] == "Mine/1.0"
    assert asked.headers["Accept"] == "text/xml"
    assert asked.headers["Authorization"] == "Bearer t"
    assert "X-Name: Jürgen\r\n".encode("latin-1") in asked.raw
    assert "X-Chinese: 标签\r\n".encode() in asked.raw


@pytest.mark.parametrize(
    ("name", "value"), [("X-A", "a\r\nX-B: b"), ("X-A", "a\nb"), ("X A", "a"), ("X-A\r\nX-B", "a"), ("", "a")]
)
def test_s42_a_header_that_would_break_the_request_is_not_sent(
    publisher: FeedServer, client: Client, name: str, value: str
) -> None:
    answer = failed(client.fetch(ask_for(publisher.serve("/feed.xml", ATOM), headers=((name, Secret(value)),))))
    assert answer.code == "http"
    assert "headers:" in answer.text
    assert not publisher.asked


def test_s44_nothing_is_logged_by_the_libraries(
    publisher: FeedServer, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    url = publisher.says("/feed.xml?token=hush", Chunked(200, ATOM, {"Content-Length": "5"}))
    client.fetch(ask_for(url))
    assert not caplog.records


def test_s44_no_secret_is_in_an_error(publisher: FeedServer, client: Client) -> None:
    url = publisher.says("/feed.xml?token=hush", redirect("http://127.0.0.1:1/?token=hush"))
    ask = ask_for(url, headers=(("X-Api-Key", Secret("hush\n")),), auth=("me", Secret("hush")))
    assert "hush" not in failed(client.fetch(ask)).text
    assert "hush" not in failed(client.fetch(ask_for(url))).text
