"""Connections are kept within a host, for a minute, and given up cleanly (P86)."""

import socket
import threading
from queue import SimpleQueue

import pytest

from aggregator.fetch import Client, connection, flight
from aggregator.fetch.adapter import Adapter
from aggregator.urls import Url
from tests.feed_server import Chunked, Closes, FeedServer, Garbage, ManyHeaders, Reply, Reset, redirect
from tests.fetch.conftest import ATOM, LOOPBACK, MakeClient, again, ask_for, failed, fetched, network, not_modified
from tests.patience import PATIENCE


def test_p86_a_connection_serves_many_polls(publisher: FeedServer, client: Client) -> None:
    ask = ask_for(publisher.serve("/feed.xml", ATOM))
    answer = client.fetch(ask)
    for _ in range(5):
        not_modified(client.fetch(again(ask, answer)))
    assert publisher.connections == 1


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(404, b"not here"), id="an-error"),
        pytest.param(Reply(503, b"x" * 60_000), id="a-long-error"),
        pytest.param(Chunked(500, b"x" * 5000), id="an-error-in-chunks"),
        pytest.param(Chunked(200, ATOM), id="chunks"),
        pytest.param(Reply(304), id="a-fault"),
        pytest.param(Reply(204), id="no-content"),
    ],
)
def test_p86_it_is_kept_after(publisher: FeedServer, client: Client, reply: Reply) -> None:
    ask = ask_for(publisher.says("/feed.xml", reply))
    for _ in range(3):
        client.fetch(ask)
    assert publisher.connections == 1


def test_p86_it_is_kept_through_a_redirect(publisher: FeedServer, client: Client) -> None:
    publisher.serve("/new.xml", ATOM)
    client.fetch(ask_for(publisher.says("/feed.xml", redirect("/new.xml"))))
    assert publisher.connections == 1


def test_what_is_not_read_to_its_end_is_not_kept(publisher: FeedServer, client: Client) -> None:
    url = publisher.says("/feed.xml", Reply(500, b"x" * 3_000_000), Reply(200, ATOM))
    failed(client.fetch(ask_for(url)))
    fetched(client.fetch(ask_for(url)))
    assert publisher.connections == 2


def test_p86_an_idle_connection_is_not_taken_up_after_a_minute(
    publisher: FeedServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = ask_for(publisher.serve("/feed.xml", ATOM))
    fetched(client.fetch(ask))
    monkeypatch.setattr(connection, "IDLE_SECONDS", -1.0)
    fetched(client.fetch(ask))
    assert publisher.connections == 2


def test_p86_idle_connections_are_closed_though_nobody_asks(
    publisher: FeedServer, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweeps: SimpleQueue[bool] = SimpleQueue()
    really = Adapter.sweep

    def sweep(adapter: Adapter) -> bool:
        left = really(adapter)
        sweeps.put(left)
        return left

    monkeypatch.setattr(Adapter, "sweep", sweep)
    monkeypatch.setattr(flight, "SWEEP_SECONDS", 0.02)
    fetched(make_client(LOOPBACK).fetch(ask_for(publisher.serve("/feed.xml", ATOM))))
    sweeps.get(timeout=PATIENCE)  # it may have begun before the connection was idle
    assert sweeps.get(timeout=PATIENCE), "not idle long enough"
    publisher.wait_until_open(1)
    monkeypatch.setattr(connection, "IDLE_SECONDS", -1.0)
    publisher.wait_until_open(0)
    while sweeps.get(timeout=PATIENCE):
        pass


def test_a_connection_that_the_server_closed_in_between_is_replaced(publisher: FeedServer, client: Client) -> None:
    ask = ask_for(publisher.serve("/feed.xml", ATOM))
    fetched(client.fetch(ask))
    publisher.hang_up()
    fetched(client.fetch(ask))
    assert publisher.connections == 2


@pytest.mark.parametrize("reply", [Closes(), Reset()])
def test_one_that_is_closed_in_the_moment_of_asking_is_replaced_once(
    publisher: FeedServer, client: Client, reply: Reply
) -> None:
    url = publisher.says("/feed.xml", Reply(200, ATOM), reply, Reply(200, ATOM))
    fetched(client.fetch(ask_for(url)))
    fetched(client.fetch(ask_for(url)))
    assert publisher.connections == 2


@pytest.mark.parametrize("reply", [Closes(), Reset()])
def test_p32_a_new_connection_that_breaks_is_a_failure(publisher: FeedServer, client: Client, reply: Reply) -> None:
    url = publisher.says("/feed.xml", reply)
    answer = failed(client.fetch(ask_for(url)))
    assert answer.code == "reset"
    assert len(publisher.asked) == 1


@pytest.mark.parametrize("reply", [Closes(), Reset()])
def test_p32_a_kept_connection_is_replaced_only_once(publisher: FeedServer, client: Client, reply: Reply) -> None:
    url = publisher.says("/feed.xml", Reply(200, ATOM), reply)
    fetched(client.fetch(ask_for(url)))
    assert failed(client.fetch(ask_for(url))).code == "reset"
    assert len(publisher.asked) == 3


def test_p32_a_kept_connection_that_breaks_in_the_answer_is_a_failure(publisher: FeedServer, client: Client) -> None:
    url = publisher.says("/feed.xml", Reply(200, ATOM), Closes(first=b"HTTP/1.1 200 OK\r\nX-Ha"), Reply(200, ATOM))
    fetched(client.fetch(ask_for(url)))
    assert failed(client.fetch(ask_for(url))).code == "reset"
    assert len(publisher.asked) == 2


def test_a_server_that_closes_is_believed(publisher: FeedServer, client: Client) -> None:
    ask = ask_for(publisher.says("/feed.xml", Reply(200, ATOM, {"Connection": "close"})))
    fetched(client.fetch(ask))
    fetched(client.fetch(ask))
    publisher.wait_until_open(0)


def test_connections_are_kept_to_few_hosts(publisher: FeedServer, client: Client) -> None:
    for last in range(1, 200):
        fetched(client.fetch(ask_for(publisher.says("/", Reply(200, ATOM), host=f"127.0.1.{last}"))))
    publisher.wait_until_open(128)


def test_what_comes_behind_a_body_is_not_the_next_answer(publisher: FeedServer, client: Client) -> None:
    behind = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
    url = publisher.says("/feed.xml", Reply(200, b"<feed/>" + behind, {"Content-Length": "7"}), Reply(200, ATOM))
    assert fetched(client.fetch(ask_for(url))).body == b"<feed/>"
    assert fetched(client.fetch(ask_for(url))).body == ATOM


def test_ipv6(make_client: MakeClient) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n<feed/>"
    asked: list[bytes] = []

    def serve(server: socket.socket) -> None:
        sock, _ = server.accept()
        with sock:
            asked.append(sock.recv(65536))
            sock.sendall(answer)

    try:
        server = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 here")
    with server:
        port = server.getsockname()[1]
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        client = make_client(network("::1/128"))
        assert fetched(client.fetch(ask_for(Url(f"http://[::1]:{port}/feed")))).body == b"<feed/>"
        thread.join()
    assert f"Host: [::1]:{port}\r\n".encode() in asked[0]


# --- Heads -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        pytest.param(Garbage(), "http", id="no-http"),
        pytest.param(Garbage(body=b"<html>HTTP/0.9 has no head</html>"), "http", id="http-0.9"),
        pytest.param(Garbage(body=b"HTTP/2 200 OK\r\n\r\n"), "http", id="http-2"),
        pytest.param(Garbage(body=b"HTTP/1.1 abc OK\r\n\r\n"), "http", id="no-status"),
        pytest.param(Garbage(body=b"HTTP/1.1 20 OK\r\n\r\n"), "http", id="two-digits"),
        pytest.param(Garbage(body=b"HTTP/1.1 200 " + b"x" * 100_000), "http", id="a-status-line-without-end"),
        pytest.param(Garbage(body=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000), "http", id="s22-a-header-without-end"),
        pytest.param(ManyHeaders(200, ATOM, count=100), "http", id="s22-too-many"),
        pytest.param(ManyHeaders(200, ATOM, count=90, size=1000), "http", id="s22-too-much"),
        pytest.param(Garbage(body=b"HTTP/1.1 200 OK\r\nX: y\r\n"), "reset", id="a-head-without-its-end"),
        pytest.param(Garbage(body=b""), "reset", id="nothing"),
    ],
)
def test_heads_that_are_none(publisher: FeedServer, client: Client, reply: Reply, code: str) -> None:
    answer = failed(client.fetch(ask_for(publisher.says("/feed.xml", reply))))
    assert answer.code == code, answer.text


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"HTTP/1.1 200\r\n", id="no-reason"),
        pytest.param(b"HTTP/1.1 200 \r\n", id="an-empty-one"),
        pytest.param(b"HTTP/1.0 200 OK\r\n", id="http-1.0"),
        pytest.param("HTTP/1.1 200 Schön\r\n".encode("latin-1"), id="latin-1"),
        pytest.param(b"HTTP/1.1 200 OK\n", id="no-cr"),
        pytest.param(b"HTTP/1.1 200 OK\r\nthis is no header\r\n", id="a-line-that-is-none"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX-Folded: a\r\n b\r\n", id="folded"),
        pytest.param(b"HTTP/1.1 200 OK\r\n folded\r\n", id="folded-to-nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\n: nameless\r\nname : blank\r\n", id="odd-names"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: \x80\x85\xa0\x00\r\n", id="odd-bytes"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 98, id="as-many-as-may-be"),
    ],
)
def test_heads_that_are_odd(publisher: FeedServer, client: Client, head: bytes) -> None:
    rest = b'ETag:  "v1" \t\r\nContent-Length: 7\r\n\r\n<feed/>'
    answer = fetched(client.fetch(ask_for(publisher.says("/feed.xml", Closes(first=head + rest)))))
    assert (answer.body, answer.etag) == (b"<feed/>", '"v1"')
