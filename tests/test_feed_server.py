"""The publisher of the tests does what it is told: what other tests lean on."""

import gzip
import socket
import threading
import urllib.request
from collections.abc import Callable

import pytest

from tests.feed_server import (
    Chunked,
    Closes,
    EndlessBody,
    EndlessRedirects,
    FeedServer,
    Garbage,
    GzipBomb,
    Hangs,
    Held,
    ManyHeaders,
    RedirectLoop,
    Reply,
    Reset,
    Slow,
    Truncated,
    TruncatedGzip,
    UntilClose,
    redirect,
)
from tests.patience import PATIENCE


def ask(publisher: FeedServer, path: str, *lines: str, host: str = "127.0.0.1", limit: int = 1 << 20) -> bytes:
    """Send a request by hand, and read what comes until the connection ends."""
    with socket.create_connection((host, publisher.port), timeout=PATIENCE) as sock:
        sock.sendall("\r\n".join([f"GET {path} HTTP/1.1", "Host: x", "Connection: close", *lines, "", ""]).encode())
        got = b""
        while len(got) < limit and (data := sock.recv(65536)):
            got += data
    return got


def test_replies_come_in_turn_and_the_last_repeats(publisher: FeedServer) -> None:
    publisher.says("/a", Reply(200, b"one"), Reply(500, b"two"))
    answers = [ask(publisher, "/a") for _ in range(3)]
    assert [answer[9:12] for answer in answers] == [b"200", b"500", b"500"]
    assert answers[0].endswith(b"Content-Length: 3\r\n\r\none")


def test_what_was_asked_is_kept(publisher: FeedServer) -> None:
    publisher.says("/a?b=c", Reply(200))
    ask(publisher, "/a?b=c", "X-One: 1", "x-one: 2", "X-Umlaut: \xe4")
    (asked,) = publisher.asked
    assert (asked.method, asked.path, asked.host, asked.connection) == ("GET", "/a?b=c", "127.0.0.1", 1)
    assert asked.headers["X-ONE"] == "1, 2"
    assert "x-none" not in asked.headers
    assert asked.raw.startswith(b"GET /a?b=c HTTP/1.1\r\n")
    assert asked.at > 0
    assert publisher.wait_until_asked(1, "/a?b=c") is asked


def test_unknown_paths_are_not_found(publisher: FeedServer) -> None:
    assert b"404" in ask(publisher, "/nowhere")


def test_one_server_plays_many_hosts(publisher: FeedServer) -> None:
    publisher.says("/", Reply(200, b"first"))
    url = publisher.says("/", Reply(200, b"second"), host="127.0.0.2")
    assert url == f"http://127.0.0.2:{publisher.port}/"
    assert ask(publisher, "/").endswith(b"first")
    assert ask(publisher, "/", host="127.0.0.2").endswith(b"second")
    assert [asked.host for asked in publisher.asked] == ["127.0.0.1", "127.0.0.2"]


def test_only_loopback_is_listened_on(publisher: FeedServer) -> None:
    with pytest.raises(AssertionError):
        publisher.says("/", Reply(200), host="0.0.0.0")


def test_a_resource_answers_304_by_itself(publisher: FeedServer) -> None:
    publisher.serve("/feed", b"one", {"Content-Type": "text/xml", "Cache-Control": "max-age=5"})
    first = ask(publisher, "/feed")
    etag = first.partition(b"ETag: ")[2].partition(b"\r\n")[0].decode()
    modified = first.partition(b"Last-Modified: ")[2].partition(b"\r\n")[0].decode()
    by_tag = ask(publisher, "/feed", f"If-None-Match: W/{etag}")
    assert by_tag.startswith(b"HTTP/1.1 304")
    assert b"Cache-Control" in by_tag
    assert b"Content-" not in by_tag
    assert b" 304 " in ask(publisher, "/feed", f"If-Modified-Since: {modified}")
    assert b" 200 " in ask(publisher, "/feed", 'If-None-Match: "x"', f"If-Modified-Since: {modified}")
    publisher.edit("/feed", b"two")
    again = ask(publisher, "/feed", f"If-None-Match: {etag}")
    assert again.endswith(b"two")
    assert b" 200 " in ask(publisher, "/feed", f"If-Modified-Since: {modified}")


def test_without_tags_there_is_never_a_304(publisher: FeedServer) -> None:
    publisher.serve("/feed", b"one", tags=False)
    assert b"ETag" not in ask(publisher, "/feed")
    publisher.edit("/feed", b"two")
    assert ask(publisher, "/feed").endswith(b"two")


@pytest.mark.parametrize(
    ("reply", "is_right"),
    [
        pytest.param(
            Truncated(200, b"abc", missing=5), lambda got: got.endswith(b"Content-Length: 8\r\n\r\nabc"), id="t"
        ),
        pytest.param(
            UntilClose(200, b"abc"), lambda got: b"Content-Length" not in got and got.endswith(b"abc"), id="u"
        ),
        pytest.param(
            Chunked(200, b"abcd", size=3), lambda got: got.endswith(b"3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"), id="c"
        ),
        pytest.param(Chunked(200, b"abc", end=b""), lambda got: got.endswith(b"3\r\nabc\r\n"), id="chunks-cut"),
        pytest.param(Closes(), lambda got: got == b"", id="closes"),
        pytest.param(Garbage(), lambda got: not got.startswith(b"HTTP"), id="garbage"),
        pytest.param(ManyHeaders(count=300), lambda got: got.count(b"\r\n") > 300, id="many-headers"),
        pytest.param(redirect("/b", 301), lambda got: b"301" in got and b"Location: /b\r\n" in got, id="redirect"),
        pytest.param(RedirectLoop(), lambda got: b"Location: /x\r\n" in got, id="loop"),
        pytest.param(EndlessRedirects(), lambda got: b"Location: /1\r\n" in got, id="redirects"),
        pytest.param(Slow(200, b"ab", pause=0.01, head_too=True), lambda got: got.endswith(b"ab"), id="slow"),
        pytest.param(GzipBomb(unpacked=4 << 20), lambda got: len(unpacked(got)) == 4 << 20, id="bomb"),
        pytest.param(GzipBomb(unpacked=4 << 20, layers=2), lambda got: len(got) < 2000, id="packed-bomb"),
    ],
)
def test_replies_misbehave_as_named(publisher: FeedServer, reply: Reply, is_right: Callable[[bytes], bool]) -> None:
    publisher.says("/x", reply)
    assert is_right(ask(publisher, "/x"))


def unpacked(answer: bytes) -> bytes:
    return gzip.decompress(answer.partition(b"\r\n\r\n")[2])


def test_a_truncated_gzip_lacks_its_end(publisher: FeedServer) -> None:
    publisher.says("/x", TruncatedGzip(200, b"abc"))
    with pytest.raises(EOFError):
        unpacked(ask(publisher, "/x"))


def test_a_reset_is_a_reset(publisher: FeedServer) -> None:
    publisher.says("/x", Reset())
    with pytest.raises(ConnectionResetError):
        ask(publisher, "/x")


def test_an_endless_body_goes_on(publisher: FeedServer) -> None:
    publisher.says("/x", EndlessBody())
    assert len(ask(publisher, "/x", limit=5 << 20)) >= 5 << 20


@pytest.mark.parametrize(("reply", "end"), [(Held(200, b"abc"), b"abc"), (Hangs(first=b"ab"), b"ab")])
def test_what_waits_is_let_go(publisher: FeedServer, reply: Reply, end: bytes) -> None:
    publisher.says("/x", reply)
    got: list[bytes] = []
    asking = threading.Thread(target=lambda: got.append(ask(publisher, "/x")))
    asking.start()
    publisher.wait_until_asked()
    publisher.release()
    asking.join(PATIENCE)
    assert got[0].endswith(end)


def test_connections_are_kept_and_counted(publisher: FeedServer) -> None:
    publisher.says("/x", Reply(200, b"abc"))
    with (
        socket.create_connection(("127.0.0.1", publisher.port), timeout=PATIENCE) as sock,
        sock.makefile("rb") as incoming,
    ):
        for _ in range(2):
            sock.sendall(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
            assert incoming.readline() == b"HTTP/1.1 200 OK\r\n"
            while incoming.readline() != b"\r\n":
                pass
            assert incoming.read(3) == b"abc"
        assert publisher.connections == 1
        publisher.wait_until_open(1)
        publisher.hang_up()
        assert incoming.read() == b""


def test_it_ends_with_everything_that_hangs() -> None:
    before = threading.active_count()
    with FeedServer() as publisher:
        publisher.says("/x", Hangs())
        asking = threading.Thread(target=ask, args=(publisher, "/x"))
        asking.start()
        publisher.wait_until_asked()
    asking.join(PATIENCE)
    assert threading.active_count() == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", publisher.port), timeout=PATIENCE)


def test_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    with FeedServer(tls=True) as publisher:
        monkeypatch.setenv("SSL_CERT_FILE", str(publisher.authority))
        url = publisher.serve("/feed", b"one", host="127.0.0.2")
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            assert answer.read() == b"one"
