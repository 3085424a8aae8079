"""Slow clients lock nobody out: which connections are closed, and how other clients are served meanwhile (S67)."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from wsgiref.types import WSGIEnvironment

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.serve.application import Application, Endpoint, Reply, text_reply
from aggregator.serve.connection_limit import (
    CLIENT_SHARE,
    MAX_CONNECTIONS,
    WaitingConnection,
    client_of,
    connections_to_close,
)
from aggregator.serve.granian_server import GranianServer
from aggregator.serve.published_folder import PublishedFolder
from aggregator.serve.server import WebServer
from benchmarks.crowd import CROWD_ADDRESS, KINDS, LARGE, LARGE_BYTES, OTHER_ADDRESS, crowd, slow_socket, worst
from tests.serve.conftest import ATOM, Client, Folder

ENOUGH_SECONDS = 10.0  # for a response on a busy machine; without the limit there would be no response at all


def wait(client: str, since: float, *, is_idle: bool = False) -> WaitingConnection:
    return WaitingConnection(client, since, is_idle)


def test_s67_unfinished_requests_beyond_a_share_go_first_the_oldest_before_others() -> None:
    slow = [(f"slow{n}", wait("a", n)) for n in range(CLIENT_SHARE + 3)]
    others = [("idle", wait("b", -5, is_idle=True)), ("begun", wait("b", -9))]
    assert connections_to_close(slow + others, 3) == ["slow0", "slow1", "slow2"]
    assert connections_to_close(slow + others, 4)[3:] == ["idle"]
    assert connections_to_close(slow + others, 99)[-1] in {"begun", f"slow{CLIENT_SHARE + 2}"}


def test_s67_of_idle_connections_the_client_with_the_most_loses_its_oldest() -> None:
    proxy = [(f"proxy{n}", wait("127.0.0.1", n, is_idle=True)) for n in range(5)]
    assert connections_to_close([("reader", wait("b", -5, is_idle=True)), *proxy], 4) == [
        "proxy0",
        "proxy1",
        "proxy2",
        "proxy3",
    ]


def test_s67_connections_of_many_clients_make_room_by_age() -> None:
    assert connections_to_close([(n, wait(f"10.0.0.{n}", -n)) for n in range(9)], 2) == [8, 7]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 9), st.booleans()), max_size=80),
    st.integers(-3, 90),
)
def test_s67_as_many_are_closed_as_asked_for_and_the_newest_of_a_client_last(
    facts: list[tuple[str, float, bool]], number: int
) -> None:
    waits = [(n, WaitingConnection(*fact)) for n, fact in enumerate(facts)]
    out = connections_to_close(waits, number)
    assert len(out) == len(set(out)) == min(max(number, 0), len(waits))
    for a in out:
        for b in set(range(len(waits))) - set(out):
            if waits[a][1].client == waits[b][1].client and waits[a][1].is_idle == waits[b][1].is_idle:
                assert waits[a][1].since <= waits[b][1].since


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix", "unix"),
    ],
)
def test_s67_a_client_is_an_address_or_a_64(address: str, client: str) -> None:
    assert client_of(address) == client


@contextmanager
def slow(server: WebServer | GranianServer, number: int, *kinds: str) -> Iterator[list[socket.socket]]:
    """Open slow connections, once."""
    with ExitStack() as stack:
        yield [stack.enter_context(slow_socket(server.address[1], KINDS[kinds[n % len(kinds)]])) for n in range(number)]


def ask(server: WebServer | GranianServer, address: str, path: str) -> bytes:
    with socket.create_connection(server.address, ENOUGH_SECONDS, source_address=(address, 0)) as sock:
        sock.sendall(b"GET " + path.encode() + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return b"".join(iter(lambda: sock.recv(65536), b""))


@pytest.mark.parametrize("address", [CROWD_ADDRESS, OTHER_ADDRESS], ids=["same-address", "another-address"])
@pytest.mark.parametrize("kind", ["silent", "head", "reader"])
def test_s67_others_are_answered_beside_a_crowd(
    server: WebServer | GranianServer, folder: Folder, kind: str, address: str
) -> None:
    folder.publish(LARGE, b"x" * LARGE_BYTES, twin=False)
    with slow(server, 2 * MAX_CONNECTIONS, kind):
        assert ask(server, address, "/category/python.atom").endswith(ATOM)
        assert ask(server, address, "/healthz").endswith(b"ok\n")


def test_s67_a_kept_connection_that_asks_in_time_outlives_a_crowd_elsewhere(
    server: WebServer | GranianServer,
) -> None:
    kept = Client(server.address)  # from 127.0.0.1, as a reverse proxy would
    assert kept.ask("/all.atom").status == 200
    with ExitStack() as stack:
        for _ in range(2 * MAX_CONNECTIONS):
            sock = stack.enter_context(
                socket.create_connection(server.address, ENOUGH_SECONDS, source_address=(OTHER_ADDRESS, 0))
            )
            sock.sendall(b"GET / HTTP/1.1\r\nHos")
        assert ask(server, "127.0.0.3", "/healthz").endswith(b"ok\n")
        assert kept.ask("/all.atom").status == 200
    assert kept.connections == 1
    kept.close()


def test_s67_slow_readers_take_no_thread_and_get_their_further_answers(
    server: WebServer | GranianServer, folder: Folder, client: Client
) -> None:
    body = bytes(17 * 2**20)  # more unsent bytes than waitress accepts in one connection
    folder.publish(LARGE, body, twin=False)
    request = b"GET /" + LARGE.encode() + b" HTTP/1.1\r\nHost: x\r\n\r\nGET /status.json HTTP/1.1\r\nHost: x\r\n\r\n"
    readers = [Client(server.address) for _ in range(9)]
    try:
        for reader in readers:
            reader.connect().sendall(request * 2)
        assert client.ask("/status.json").status == 200
        assert client.ask("/healthz").status == 200
        assert [len(readers[0].hear().body) for _ in range(4)] == [len(body), 2, len(body), 2]
    finally:
        for reader in readers:
            reader.close()


@pytest.mark.parametrize("kind", [WebServer, GranianServer], ids=["waitress", "granian"])
def test_s67_health_is_told_while_every_other_thread_is_taken(
    published: PublishedFolder, kind: Callable[..., WebServer | GranianServer]
) -> None:
    may_answer = threading.Event()

    def think(environ: WSGIEnvironment) -> Reply:
        may_answer.wait(30)
        return text_reply(HTTPStatus.OK, "thought")

    application = Application(published, health=lambda: True, ready=lambda: True, endpoints={"/think": Endpoint(think)})
    server = kind(application, "127.0.0.1", 0)
    server.start()
    thinkers, doctor = [Client(server.address) for _ in range(20)], Client(server.address)
    try:
        for thinker in thinkers:
            thinker.connect().sendall(b"GET /think HTTP/1.1\r\nHost: x\r\n\r\n")
        assert doctor.ask("/healthz").body == b"ok\n"
        assert doctor.ask("/readyz").body == b"ok\n"
    finally:
        may_answer.set()
        for client in (*thinkers, doctor):
            client.close()
        server.stop()


@pytest.mark.slow
@pytest.mark.parametrize("number", [300, 1000])
def test_s67_a_crowd_that_comes_back_is_no_news_for_others(
    server: WebServer | GranianServer, folder: Folder, number: int
) -> None:
    folder.publish("category/harbour.atom", ATOM)
    folder.publish(LARGE, b"x" * LARGE_BYTES, twin=False)
    port = server.address[1]
    with crowd(port, number, list(KINDS)):
        for address in (CROWD_ADDRESS, OTHER_ADDRESS):
            assert max(worst(port, address=address, seconds=4).values()) < ENOUGH_SECONDS
