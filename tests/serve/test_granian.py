"""The granian server where it differs from waitress (test_application.py runs on both)."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from wsgiref.types import WSGIEnvironment

import pytest

from aggregator.errors import AddressInUse
from aggregator.extras import install_command
from aggregator.serve.application import Application, Endpoint, Reply, text_reply
from aggregator.serve.granian_server import GranianServer
from aggregator.serve.published_folder import PublishedFolder
from tests import feed_server as planet
from tests.feed_server import FeedServer
from tests.running import Running
from tests.sample_site import LOOPBACK, item, rss
from tests.serve.conftest import ATOM, Client

FEED = "/category/python.atom"


@pytest.fixture
def server(application: Application) -> Iterator[GranianServer]:
    server = GranianServer(application, "127.0.0.1", 0, request_seconds=0.5)
    server.start()
    yield server
    server.stop()


def test_a73_a_connection_outlives_its_304s(client: Client) -> None:
    tag = client.ask(FEED).headers["etag"]
    for _ in range(20):
        assert client.ask(FEED, If_None_Match=tag).status == 304
    assert client.ask(FEED).body == ATOM
    assert client.connections == 1


@pytest.mark.parametrize(
    ("request_", "statuses"),
    [
        pytest.param(b"GET / HTTP/1.1\r\n<script>: x\r\n\r\n", {400}, id="header-name"),
        pytest.param(b"<script>\r\n\r\n", {400}, id="no-request"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", {400}, id="no-host"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", {431}, id="headers"),
        pytest.param(b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", {414}, id="request-line"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", {413}, id="body"),
        pytest.param(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999\r\n\r\n", {405, 413}, id="huge-body"),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            {413},
            id="chunked",
        ),
    ],
)
def test_s41_s67_what_is_no_request_for_us_is_refused_without_an_echo(
    client: Client, request_: bytes, statuses: set[int]
) -> None:
    said = client.say(request_)
    assert said.status in statuses
    assert b"script" not in said.body


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHos"])
def test_s67_a_client_that_does_not_get_to_the_point_is_dropped(client: Client, sent: bytes) -> None:
    client.connect().sendall(sent)
    began = time.monotonic()
    while client.connect().recv(1000):  # granian answers 408 before it closes the connection
        pass
    assert time.monotonic() - began < 30


def test_a_fault_of_ours_is_a_500_that_says_nothing_and_endpoints_get_their_query(published: PublishedFolder) -> None:
    def fail(environ: WSGIEnvironment) -> Reply:
        raise RuntimeError("a secret")

    endpoints = {
        "/fault": Endpoint(fail),
        "/echo": Endpoint(
            lambda environ: text_reply(HTTPStatus.OK, f"{environ['QUERY_STRING']} {environ['REMOTE_ADDR']}")
        ),
    }
    application = Application(published, health=lambda: True, ready=lambda: True, endpoints=endpoints)
    server = GranianServer(application, "127.0.0.1", 0)
    server.start()
    client = Client(server.address)
    try:
        assert client.ask("/fault").body == b"Internal Server Error\n"
        assert client.ask("/echo?q=%C3%A9").body == b"q=%C3%A9 127.0.0.1\n"
        assert server.is_alive()
    finally:
        client.close()
        server.stop()
    assert not server.is_alive()
    server.stop()  # stop can be called again


def test_an_address_in_use_is_named(application: Application) -> None:
    there = "another program listens there"
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(AddressInUse, match=there):
        GranianServer(application, "127.0.0.1", taken.getsockname()[1]).start()


@pytest.mark.slow
def test_r54_serve_on_granian_ends_in_time_whoever_hangs_on(tmp_path: Path, publisher: FeedServer) -> None:
    url = publisher.says("/feed.xml", planet.Reply(200, rss(item(1))), planet.Reply(304))
    with Running(tmp_path, f"{LOOPBACK}sources: ['{url}']\n") as running:
        running.stop()
        running.arguments = ("serve", "--server", "granian")
        running.start()
        running.wait_for(lambda: b"Title 1" in running.get("category/general.atom")[1])
        assert running.get("readyz")[0] == 200
        assert running.get("search?q=title")[0] == 200
        with socket.create_connection(("127.0.0.1", running.port)) as half:
            half.sendall(b"GET / HTTP/1.1\r\nHos")
            code, seconds = running.stop()
        assert (code, seconds < 10) == (0, True)


def test_the_extra_that_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "feeds.yaml").write_text("sources: ['https://a.example/']\n", encoding="utf-8")
    code = "import sys; sys.modules['granian'] = None; from aggregator.__main__ import run; sys.exit(run())"
    command = [sys.executable, "-c", code, "-c", str(tmp_path / "feeds.yaml"), "serve", "--server", "granian"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert install_command("granian") in done.stderr
    check = [*command[:-3], "check", "--server", "granian"]
    assert install_command("granian") in subprocess.run(check, capture_output=True, text=True, timeout=60).stderr
