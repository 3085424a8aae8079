"""TLS: always verified, one context for all (P84)."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from aggregator.fetch import Client, adapter, connection
from aggregator.fetch.adapter import system_trust
from aggregator.model.poll import Answer, Cut
from aggregator.urls import Url
from tests.feed_server import FeedServer, Hangs, Reply, Reset, Slow, Truncated, redirect
from tests.fetch.conftest import ATOM, LOOPBACK, MakeClient, Names, again, ask_for, failed, fetched, not_modified
from tests.patience import PATIENCE


@pytest.fixture
def secure() -> Iterator[FeedServer]:
    """Return a feed server over TLS, for localhost and feeds.example."""
    with FeedServer(tls=True, names=("localhost", "feeds.example")) as publisher:
        yield publisher


@pytest.fixture
def trusting(secure: FeedServer, make_client: MakeClient) -> Client:
    """Return a client that trusts the server."""
    return make_client(LOOPBACK, tls=ssl.create_default_context(cafile=secure.authority))


def test_a_feed_over_tls(secure: FeedServer, trusting: Client) -> None:
    ask = ask_for(secure.serve("/feed.xml", ATOM))
    answer = fetched(trusting.fetch(ask))
    for _ in range(3):
        not_modified(trusting.fetch(again(ask, answer)))
    assert secure.connections == 1


def test_s3_the_certificate_is_checked_against_the_name(secure: FeedServer, trusting: Client, names: Names) -> None:
    secure.serve("/", ATOM)
    names["feeds.example"] = names["other.example"] = ["127.0.0.1"]
    fetched(trusting.fetch(ask_for(secure.url(host="feeds.example"))))
    answer = failed(trusting.fetch(ask_for(secure.url(host="other.example"))))
    assert answer.code == "tls"
    assert "certificate" in answer.text
    assert len(secure.asked) == 1


def test_p84_an_unknown_authority_is_refused(secure: FeedServer, client: Client) -> None:
    answer = failed(client.fetch(ask_for(secure.serve("/", ATOM))))
    assert answer.code == "tls"
    assert not secure.asked


def test_p84_the_systems_trust_store_counts(
    secure: FeedServer, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(secure.authority))
    fetched(make_client(LOOPBACK).fetch(ask_for(secure.serve("/", ATOM))))


def test_p84_without_a_system_store_there_is_certifis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    monkeypatch.setenv("SSL_CERT_DIR", "/nowhere")
    context = system_trust()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.cert_store_stats()["x509_ca"] > 50


def test_one_context_serves_all(secure: FeedServer, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading a trust store for each connection would cost 5 ms and 1 MB."""
    context = ssl.create_default_context(cafile=secure.authority)
    monkeypatch.setattr(adapter, "system_trust", lambda: pytest.fail("made anew"))
    client = make_client(LOOPBACK, tls=context)
    before = context.cert_store_stats()
    for last in range(1, 6):
        fetched(client.fetch(ask_for(secure.serve("/", ATOM, host=f"127.0.0.{last}"))))
    assert context.cert_store_stats() == before


def test_the_trust_store_is_read_for_the_first_https_address_and_once(
    secure: FeedServer, publisher: FeedServer, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Commands that ask nobody, or no https host, have no use for it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(secure.authority))
    read: list[ssl.SSLContext] = []

    def noted() -> ssl.SSLContext:
        read.append(system_trust())
        return read[-1]

    monkeypatch.setattr(adapter, "system_trust", noted)
    client = make_client(LOOPBACK)
    fetched(client.fetch(ask_for(publisher.serve("/", ATOM))))
    assert not read
    for host in ("127.0.0.1", "127.0.0.2"):
        fetched(client.fetch(ask_for(secure.serve("/", ATOM, host=host))))
    assert len(read) == 1


def test_a_plain_server_where_tls_should_be(client: Client) -> None:
    with listener(b"HTTP/1.1 400 Bad Request\r\n\r\n") as (port, _):
        answer = failed(client.fetch(ask_for(Url(f"https://127.0.0.1:{port}/"))))
    assert answer.code == "tls"


def test_p43_from_https_to_http_is_refused(secure: FeedServer, trusting: Client, publisher: FeedServer) -> None:
    answer = failed(trusting.fetch(ask_for(secure.says("/", redirect(publisher.serve("/", ATOM))))))
    assert answer.code == "redirect"
    assert not publisher.asked


def test_p43_from_http_to_https_is_followed(secure: FeedServer, trusting: Client, publisher: FeedServer) -> None:
    feed = secure.serve("/", ATOM)
    assert fetched(trusting.fetch(ask_for(publisher.says("/", redirect(feed))))).url == feed


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        pytest.param(Hangs(), "timeout", id="hangs"),
        pytest.param(Slow(200, ATOM, pause=0.02), "timeout", id="slow"),
        pytest.param(Hangs(first=b"HTTP/1.1 200 OK\r\n\r\n<feed/>"), "timeout", id="half"),
        pytest.param(Truncated(200, ATOM), "short", id="truncated"),
        pytest.param(Reset(), "reset", id="reset"),
    ],
)
def test_troubles_over_tls(secure: FeedServer, trusting: Client, reply: Reply, code: str) -> None:
    assert failed(trusting.fetch(ask_for(secure.says("/", reply), timeout=0.4))).code == code


@contextmanager
def listener(says: bytes = b"") -> Iterator[tuple[int, threading.Event]]:
    """Accept a connection, and say something or nothing; the event tells that the client has begun to talk."""
    greeted, over = threading.Event(), threading.Event()

    def listen(server: socket.socket) -> None:
        sock, _ = server.accept()
        with sock:
            sock.recv(65536)
            greeted.set()
            sock.sendall(says)
            over.wait(10)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=listen, args=(server,))
        thread.start()
        yield server.getsockname()[1], greeted
        over.set()
        thread.join()


def test_p81_a_handshake_has_the_time_of_connecting(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 0.2)
    with listener() as (port, _):
        answer = failed(client.fetch(ask_for(Url(f"https://127.0.0.1:{port}/"))))
    assert answer.code == "timeout"
    assert "handshake" in answer.text


def test_p81_a_handshake_that_hangs(client: Client) -> None:
    with listener() as (port, _):
        answer = failed(client.fetch(ask_for(Url(f"https://127.0.0.1:{port}/"), timeout=0.3)))
    assert answer.code == "timeout"


def test_r54_cut_ends_a_handshake(client: Client) -> None:
    answers: list[Answer] = []
    with listener() as (port, greeted):
        ask = ask_for(Url(f"https://127.0.0.1:{port}/"))
        fetching = threading.Thread(target=lambda: answers.append(client.fetch(ask)))
        fetching.start()
        assert greeted.wait(PATIENCE)
        client.cut()
        fetching.join(PATIENCE)
    assert isinstance(answers[0], Cut)


def test_a_kept_connection_that_the_server_closed_is_replaced(secure: FeedServer, trusting: Client) -> None:
    ask = ask_for(secure.serve("/", ATOM))
    fetched(trusting.fetch(ask))
    secure.hang_up()
    fetched(trusting.fetch(ask))
    assert secure.connections == 2
