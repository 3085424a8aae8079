"""The waitress server for its clients: kept connections, limits, and stopping."""

import errno
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

import pytest
from waitress import wasyncore

from aggregator.errors import AddressInUse, AggregatorError
from aggregator.serve.application import Application, Endpoint, text_reply
from aggregator.serve.connection_limit import MAX_CONNECTIONS
from aggregator.serve.published_folder import PublishedFolder
from aggregator.serve.server import WebServer, listen
from tests.patience import PATIENCE
from tests.serve.conftest import ATOM, Client, Folder

FEED = "/category/python.atom"


@pytest.fixture
def serve(application: Application) -> Iterator[Callable[..., WebServer]]:
    """Yield a function that starts servers; they are stopped at the end."""
    servers = []

    def start(app: Application = application, host: str = "127.0.0.1", port: int = 0, **settings: Any) -> WebServer:
        server = WebServer(app, host, port, **settings)
        server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def server(application: Application) -> Iterator[WebServer]:
    """Yield a waitress server; test_granian.py tests granian."""
    server = WebServer(application, "127.0.0.1", 0)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Hold a response back until the test continues."""
    event = threading.Event()
    yield event
    event.set()


def seconds(do: Callable[[], object]) -> float:
    begun = time.monotonic()
    do()
    return time.monotonic() - begun


# --- kept connections


def test_a73_a_connection_outlives_its_304s(client: Client) -> None:
    tag = client.ask(FEED).headers["etag"]
    for _ in range(20):
        said = client.ask(FEED, If_None_Match=tag)
        assert said.status == 304
        assert "connection" not in said.headers
    assert client.ask(FEED).body == ATOM
    assert client.ask("/nothing").status == 404
    assert client.connections == 1


def test_a73_a_304_can_be_the_last_word(client: Client) -> None:
    said = client.ask(FEED, If_None_Match="*", Connection="close")
    assert (said.status, said.headers["connection"]) == (304, "close")
    client.ask(FEED)
    assert client.connections == 2


def test_http_1_0_is_answered_and_closed(client: Client) -> None:
    said = client.say(b"GET /all.atom HTTP/1.0\r\nIf-None-Match: *\r\n\r\n")
    assert (said.status, said.headers["connection"]) == (304, "close")


def test_requests_one_after_the_other_are_answered_in_order(client: Client) -> None:
    client.connect().sendall(
        b"".join(b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n" % name for name in (b"all.atom", b"none", b"status.json"))
    )
    assert [client.hear().status for _ in range(3)] == [200, 404, 200]
    assert client.connections == 1


# --- limits


def test_s67_headers_over_16_kib_are_a_431(client: Client) -> None:
    assert client.ask(FEED, X_Padding="a" * 15_000).status == 200
    said = client.ask(FEED, X_Padding="a" * 17_000)
    assert (said.status, said.body) == (431, b"Request Header Fields Too Large\n")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n<script>: x\r\n\r\n", 400, id="header-name"),
        pytest.param(b"GET /\r\x00<script> HTTP/1.1\r\nHost: x\r\n\r\n", 400, id="request-line"),
        pytest.param(b"<script>\r\n\r\n", 400, id="no-request"),
        pytest.param(b"get / HTTP/1.1\r\nHost: x\r\n\r\n", 400, id="small-letters"),
        pytest.param(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 400, id="no-host"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n", 400, id="two-hosts"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: <script>\r\nConnection: close\r\n\r\n", 400, id="no-host-name"),
        pytest.param(b"GET http://[/ HTTP/1.1\r\nHost: x\r\n\r\n", 400, id="bad-host"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: <script>\r\n\r\n", 400, id="length"),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", 400, id="long-length"
        ),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: <script>\r\n\r\n", 501, id="transfer-encoding"),
        pytest.param(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", 413, id="body"),
        pytest.param(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999\r\n\r\n", 413, id="huge-body"),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", 413, id="expects"
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            413,
            id="chunked",
        ),
    ],
)
def test_s41_s67_what_is_no_request_for_us_is_refused_without_an_echo(
    client: Client, request_: bytes, status: int
) -> None:
    said = client.say(request_)
    assert said.status == status
    assert b"script" not in said.body
    assert said.headers["content-type"] == "text/plain; charset=utf-8"
    assert said.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert said.headers["x-content-type-options"] == "nosniff"
    assert said.headers["referrer-policy"] == "no-referrer"
    assert said.headers["connection"] == "close"
    assert client.ask(FEED).status == 200


def test_an_expectation_without_a_body_is_just_a_request(client: Client) -> None:
    assert client.ask(FEED, Expect="100-continue").status == 200


def test_a_fault_of_ours_is_a_500_that_says_nothing(
    published: PublishedFolder, serve: Callable[..., WebServer], caplog: pytest.LogCaptureFixture
) -> None:
    def health() -> bool:
        raise RuntimeError("secret")

    client = Client(serve(Application(published, health=health, ready=bool)).address)
    said = client.ask("/healthz")
    assert (said.status, said.body) == (500, b"Internal Server Error\n")
    assert said.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert "secret" in caplog.text
    client.close()


def test_s67_a_body_is_read_where_one_is_expected_up_to_its_limit(
    published: PublishedFolder, serve: Callable[..., WebServer]
) -> None:
    read = Endpoint(
        lambda environ: text_reply(HTTPStatus.OK, environ["wsgi.input"].read().decode()),
        methods=("POST",),
        takes_body=True,
    )
    application = Application(published, health=bool, ready=bool, endpoints={"/websub/": read})
    client = Client(serve(application, max_body_bytes=5).address)
    post = b"POST /websub/a HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s"
    assert client.say(post % (5, b"hello")).body == b"hello\n"
    assert client.say(post % (6, b"hello!")).status == 413
    assert client.say(b"GET /all.atom HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello").status == 413
    client.close()


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n"])
def test_s67_a_client_that_does_not_get_to_the_point_is_dropped(serve: Callable[..., WebServer], sent: bytes) -> None:
    client = Client(serve(request_seconds=0.1).address)
    client.connect().sendall(sent)
    assert client.is_dropped()
    client.close()


def test_s67_bytes_that_trickle_in_do_not_help(serve: Callable[..., WebServer]) -> None:
    client = Client(serve(request_seconds=0.3).address)
    connection = client.connect()
    connection.settimeout(0.05)
    connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
    begun = time.monotonic()
    dropped = False
    while not dropped and time.monotonic() - begun < 10:
        try:
            connection.sendall(b"X-A: b\r\n")
            dropped = connection.recv(1) == b""
        except TimeoutError:
            continue
        except OSError as error:
            dropped = error.errno in (errno.EPIPE, errno.ECONNRESET)
    assert dropped
    client.close()


def test_s67_a_slow_answer_does_not_use_up_patience(
    published: PublishedFolder, serve: Callable[..., WebServer], gate: threading.Event
) -> None:
    asked = threading.Event()

    def health() -> bool:
        asked.set()
        return gate.wait(PATIENCE)

    server = serve(Application(published, health=health, ready=bool), request_seconds=0.1)
    slow, idle = Client(server.address), Client(server.address)
    slow.connect().sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert asked.wait(PATIENCE)
    idle.connect()
    assert idle.is_dropped()  # simulate that this much time has passed
    gate.set()
    assert slow.hear().body == b"ok\n"
    for client in (slow, idle):
        client.close()


def test_s67_over_100_connections_idle_ones_make_room(server: WebServer, client: Client) -> None:
    idle = [socket.create_connection(server.address, timeout=10) for _ in range(MAX_CONNECTIONS)]
    assert client.ask(FEED).status == 200  # wait until one connection is closed
    assert any(connection.recv(1) == b"" for connection in idle)
    for connection in idle:
        connection.close()


def test_readers_that_hang_up_are_no_news(server: WebServer, client: Client, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(5):
        connection = socket.create_connection(server.address)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close with a reset
        connection.sendall(b"GET /all.atom HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
        connection.close()
    assert client.ask(FEED).status == 200
    assert not [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")]


# --- start


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "::1", "0.0.0.0", "[::]"])
def test_any_spelling_of_an_address_binds_one(serve: Callable[..., WebServer], host: str) -> None:
    if ":" in host and not has_ipv6():
        pytest.skip("no IPv6 here")
    server = serve(host=host)
    bound, port = server.address
    assert port
    assert ":" in bound or bound[0].isdigit()
    client = Client(({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bound, bound), port))
    assert client.ask(FEED).status == 200
    client.close()


def has_ipv6() -> bool:
    try:
        listen("::1", 0).close()
    except AddressInUse:
        return False
    return True


def test_an_address_in_use_is_named(server: WebServer, application: Application) -> None:
    port = server.address[1]
    other = WebServer(application, "127.0.0.1", port)
    with pytest.raises(AddressInUse) as caught:
        other.start()
    assert str(caught.value) == (
        f"can't serve on 127.0.0.1:{port}: another program listens there; "
        "free it, or choose another address in serve.bind"
    )
    assert isinstance(caught.value, AggregatorError)
    assert not other.is_alive()
    other.stop()


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_that_is_not_ours_is_named(application: Application, host: str) -> None:
    with pytest.raises(AddressInUse, match=rf"can't serve on {host}:0: .+; free it, or choose another"):
        WebServer(application, host, 0).start()


def test_a_port_is_free_again_at_once(application: Application, serve: Callable[..., WebServer]) -> None:
    first = serve()
    client = Client(first.address)
    client.ask(FEED)
    first.stop()
    second = serve(port=first.address[1])
    assert second.address == first.address
    client.close()


# --- stop


def test_r54_stop_ends_kept_connections_and_half_requests(server: WebServer, folder: Folder) -> None:
    kept, half, silent = (Client(server.address) for _ in range(3))
    assert kept.ask(FEED).status == 200
    half.connect().sendall(b"GET / HTTP/1.1\r\nHost: x\r\nHost:")
    silent.connect()
    assert server.is_alive()
    assert seconds(server.stop) < 1
    assert not server.is_alive()
    for client in (kept, half, silent):
        assert client.is_dropped()
        client.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(server.address)
    assert seconds(server.stop) < 0.1, "again is no harm"


def test_r54_stop_finishes_the_answers_under_way(folder: Folder, server: WebServer) -> None:
    body = b"0123456789abcdef" * 400_000  # more than a socket buffers
    folder.publish("all.atom", body, twin=False)
    client = Client(server.address)
    client.connect().sendall(b"GET /all.atom HTTP/1.1\r\nHost: x\r\n\r\n")
    assert client.connect().recv(1, socket.MSG_PEEK)  # the request has begun
    stopper = threading.Thread(target=server.stop)
    stopper.start()
    assert client.hear().body == body
    stopper.join()
    client.close()


def test_r54_stop_answers_what_has_arrived(
    published: PublishedFolder, serve: Callable[..., WebServer], gate: threading.Event
) -> None:
    asked = threading.Event()

    def health() -> bool:
        asked.set()
        return gate.wait(PATIENCE)

    server = serve(Application(published, health=health, ready=bool))
    client = Client(server.address)
    client.connect().sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /all.atom HTTP/1.1\r\nHost: x\r\n\r\n")
    assert asked.wait(PATIENCE)
    stopper = threading.Thread(target=server.stop)
    stopper.start()
    gate.set()
    assert client.hear().body == b"ok\n"
    assert client.hear().body == ATOM
    stopper.join()
    client.close()


def test_r54_stop_does_not_wait_for_ever(
    published: PublishedFolder, serve: Callable[..., WebServer], gate: threading.Event, folder: Folder
) -> None:
    asked = threading.Event()

    def health() -> bool:
        asked.set()
        return gate.wait(PATIENCE)

    folder.publish("all.atom", bytes(20_000_000), twin=False)
    server = serve(Application(published, health=health, ready=bool))
    hanging, stalled = Client(server.address), Client(server.address)
    hanging.connect().sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    stalled.connect().sendall(b"GET /all.atom HTTP/1.1\r\nHost: x\r\n\r\n")
    assert stalled.connect().recv(1, socket.MSG_PEEK)
    assert asked.wait(PATIENCE)
    assert seconds(lambda: server.stop(0.5)) < 2
    gate.set()
    for client in (hanging, stalled):
        client.close()


def test_stop_before_start_is_nothing(application: Application) -> None:
    server = WebServer(application, "127.0.0.1", 0)
    assert not server.is_alive()
    server.stop()


def test_a_dead_loop_is_seen(
    server: WebServer, client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.ask(FEED).status == 200
    loops = [thread for thread in threading.enumerate() if thread.name == "web"]
    died = threading.Event()

    def poll2(*_: object) -> None:
        died.set()
        raise RuntimeError("the loop is dead")

    monkeypatch.setattr(wasyncore, "poll2", poll2)
    client.connect().sendall(
        b"GET / HTTP/1.1\r\nHost: x\r\n"
    )  # wakes the loop; a worker might still answer a complete request
    assert died.wait(PATIENCE)
    for thread in loops:
        thread.join(PATIENCE)  # the server closes its connections when it stops
    assert not server.is_alive()
    assert client.is_dropped()
    assert "crash_web" in caplog.text


def test_no_thread_and_no_handle_stays_behind(application: Application, folder: Folder) -> None:
    before = threading.active_count()
    for _ in range(3):
        server = WebServer(application, "127.0.0.1", 0)
        server.start()
        client = Client(server.address)
        assert client.ask(FEED).status == 200
        server.stop()
        client.close()
    workers = [thread for thread in threading.enumerate() if thread.name.startswith(("waitress", "web"))]
    for thread in workers:
        thread.join(PATIENCE)
    assert threading.active_count() == before
