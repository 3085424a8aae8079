"""Attacks of hostile publishers and names: no private address is reached, and no response costs much."""

import gzip
import ipaddress
import time
import tracemalloc
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import brotli
import pytest

from aggregator.errors import AddressRefused
from aggregator.fetch import Client, guard
from aggregator.fetch.flight import REDIRECTED
from aggregator.fetch.guard import FORBIDDEN, PRIVATE, Reach, reach_of
from aggregator.model.poll import Failed
from aggregator.model.settings import Secret
from aggregator.urls import BadUrl, Url, normalise
from tests.feed_server import (
    Asked,
    Chunked,
    Closes,
    EndlessBody,
    FeedServer,
    Garbage,
    GzipBomb,
    Hangs,
    ManyHeaders,
    Reply,
    Reset,
    Slow,
    Talk,
    Truncated,
    TruncatedGzip,
    redirect,
)
from tests.fetch.conftest import ATOM, MakeClient, Names, ask_for, failed, fetched, network

try:
    from compression import zstd
except ImportError:
    from backports import zstd

OUTSIDE = "127.0.0.9"  # stands for the open internet

# Hosts that lead to 127.0.0.1, to this machine, or into its network, for some resolver or some reader of URLs.
SPELLINGS = (
    # decimal, octal, hexadecimal, short, mixed
    "127.0.0.1 2130706433 017700000001 0x7f000001 0X7F000001 0x7f.0.0.1 0x7f.0x0.0x0.0x1 0177.0.0.1 0177.0.0.01 "
    "0177.0000.0000.0001 00000177.0.0.1 127.1 127.0.1 0x7f.1 0177.1 127.0x1 127.0.0.01 127.65535 127.255.255.254 0 "
    "0.0.0.0 00 0x0 0.0 0x00000000 "
    # dots at the end, dots of other scripts, digits of other scripts, letters percent-encoded
    "127.0.0.1. 2130706433. 127。0。0。1 127.0.0｡1 127．0．0．1 １２７.0.0.1 ①②⑦.⓪.⓪.① ０ｘ７ｆ.1 %31%32%37.0.0.1 "
    "127%2e0%2e0%2e1 127.0.0.%31 localhost LOCALHOST ｌｏｃａｌｈｏｓｔ %6cocalhost ⓛocalhost "
    # IPv6, and IPv4 inside of it: mapped, compatible, translated, NAT64, 6to4, Teredo
    "[::1] [0:0:0:0:0:0:0:1] [0000::0001] [::] [::ffff:127.0.0.1] [::ffff:7f00:1] [0:0:0:0:0:ffff:7f00:1] "
    "[::FFFF:127.0.0.1] [::127.0.0.1] [::7f00:1] [::ffff:0:127.0.0.1] [::ffff:0:7f00:1] [64:ff9b::127.0.0.1] "
    "[64:ff9b::7f00:1] [64:ff9b:1::7f00:1] [2002:7f00:1::] [2002:7f00:0001::1] [2001:0:7f00:1::] "
    "[2001:0:4136:e378:8000:63bf:80ff:fffe] [fe80::1] [fec0::1] [fc00::1] [fd12:3456::1] [ff02::1] [2001:db8::1] "
    # other private networks
    "10.0.0.1 10.1 0xa.1 167772161 172.16.0.1 172.31.255.255 2886729729 192.168.0.1 192.168.1 3232235521 0xc0a80001 "
    "100.64.0.1 169.254.1.1 198.18.0.1 192.0.2.1 224.0.0.1 255.255.255.255 240.0.0.1 [::ffff:10.0.0.1] "
    "[::ffff:192.168.0.1] [64:ff9b::10.0.0.1] [2002:c0a8:1::] [::10.0.0.1]"
).split()
CLOUD = (
    "169.254.169.254 2852039166 0xa9fea9fe 0251.0376.0251.0376 169.254.43518 [::ffff:169.254.169.254] "
    "[::ffff:a9fe:a9fe] [64:ff9b::a9fe:a9fe] [2002:a9fe:a9fe::] [fd00:ec2::254] 169.254.170.2 100.100.100.200 "
    "192.0.0.192 168.63.129.16"
).split()
# Texts that some reader takes for a host inside, and that are no URL, or one of another host.
TRICKS = [
    "http://127.0.0.1\\@outside.example/",
    "http://outside.example\\@127.0.0.1/",
    "http://127.0.0.1\t/",
    "http://127.0.0.1%00.outside.example/",
    "http://127.0.0.1%0d%0a.outside.example/",
    "http://[::1%25lo]/",
    "http://[fe80::1%25eth0]/",
    "http://[::ffff:127.0.0.1/",
    "http://127.0.0.1:99999/",
    "http://256.256.256.256/",
    "http:127.0.0.1/",
    "http:///127.0.0.1/",
    "file://127.0.0.1/etc/passwd",
    "gopher://127.0.0.1/",
    "unix:/run/docker.sock",
    "//127.0.0.1/",
    "http://outside.example@127.0.0.1/",
    "http://outside.example:80@127.0.0.1/",
    "http://outside.example%40127.0.0.1/",
]


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch, names: Names) -> str:
    """Map outside.example to 127.0.0.9, which stands for the open internet."""
    public = ipaddress.ip_address(OUTSIDE)
    monkeypatch.setattr(guard, "reach_of", lambda address: Reach.PUBLIC if address == public else reach_of(address))
    names["outside.example"] = [OUTSIDE]
    return "outside.example"


def refused(answer: object) -> str:
    """Take an answer for a refusal, and give the rule."""
    error = failed(answer).error
    assert isinstance(error, AddressRefused), error
    return error.rule


def tells_nothing(answer: Failed, *inside: str) -> None:
    """Check that a message holds neither the address, in any spelling, nor our machinery (S10)."""
    for secret in (*inside, "Traceback", "urllib3", "Errno", "object at"):
        assert secret.strip("[]") not in answer.text, answer.text


# --- Private addresses -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", [*SPELLINGS, *CLOUD])
def test_s4_s8_in_feeds_yaml(publisher: FeedServer, make_client: MakeClient, host: str) -> None:
    try:
        url = normalise(f"http://{host}:{publisher.port}/")
    except BadUrl:
        return  # `check` says so; nothing is ever asked there
    assert refused(make_client().fetch(ask_for(url))) in (PRIVATE, FORBIDDEN)
    assert publisher.connections == 0


@pytest.mark.parametrize("host", [*SPELLINGS, *CLOUD])
def test_s3_s10_redirected_to(publisher: FeedServer, make_client: MakeClient, outside: str, host: str) -> None:
    publisher.serve("/secret", b"<secret/>")
    publisher.says("/", redirect(f"http://{host}:{publisher.port}/secret".encode()), host=OUTSIDE)
    answer = failed(make_client().fetch(ask_for(publisher.url(host=outside))))
    assert answer.code in ("refused", "redirect")
    if answer.code == "refused":
        assert refused(answer).removeprefix(REDIRECTED) in (PRIVATE, FORBIDDEN)
    tells_nothing(answer, *([host] if len(host) > 4 else []), "127.0.0.1", "secret")
    assert publisher.connections == 1


@pytest.mark.parametrize("text", TRICKS)
def test_s8_tricks(publisher: FeedServer, make_client: MakeClient, names: Names, outside: str, text: str) -> None:
    names["127.0.0.1\x00.outside.example"] = ["127.0.0.1"]  # where a resolver in C would stop reading
    text = text.replace("127.0.0.1/", f"127.0.0.1:{publisher.port}/")
    publisher.serve("/", b"<secret/>")
    publisher.says("/start", redirect(text), host=OUTSIDE)
    answer = failed(make_client().fetch(ask_for(publisher.url("/start", host=outside))))
    assert answer.code in ("refused", "redirect", "dns", "not_found")  # not found: it is a path outside
    assert {asked.host for asked in publisher.asked} == {OUTSIDE}


@pytest.mark.parametrize("hops", [1, 2, 5])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_s3_at_the_end_of_a_chain(
    publisher: FeedServer, make_client: MakeClient, outside: str, hops: int, status: int
) -> None:
    publisher.serve("/secret", b"<secret/>")
    for hop in range(1, hops):
        publisher.says(f"/{hop}", redirect(f"/{hop + 1}", status), host=OUTSIDE)
    publisher.says(f"/{hops}", redirect(publisher.url("/secret"), status), host=OUTSIDE)
    answer = failed(make_client().fetch(ask_for(publisher.url("/1", host=outside))))
    assert refused(answer) == REDIRECTED + PRIVATE
    assert answer.text.startswith(publisher.url(f"/{hops}", host=outside)), "it names who sent us there"
    assert {asked.host for asked in publisher.asked} == {OUTSIDE}


def test_s3_an_address_that_does_not_answer_is_no_way_to_the_next(
    publisher: FeedServer, make_client: MakeClient, names: Names, outside: str
) -> None:
    """The public one refuses the connection; the private one, which would accept it, is not tried."""
    names["two.example"] = [OUTSIDE, "127.0.0.1", "::1"]
    answer = failed(make_client().fetch(ask_for(publisher.url(host="two.example"))))
    assert answer.code == "connect"
    assert publisher.connections == 0


def test_s3_a_name_that_changes_its_mind_at_each_look_up(
    publisher: FeedServer, make_client: MakeClient, names: Names, outside: str
) -> None:
    looked_up = 0

    def look_up() -> list[str]:
        nonlocal looked_up
        looked_up += 1
        return [OUTSIDE] if looked_up % 2 else ["127.0.0.1"]

    names["rebinding.example"] = look_up
    for host in (OUTSIDE, "127.0.0.1"):
        publisher.says("/", Reply(302, b"", {"Location": "/feed", "Connection": "close"}), host=host)
        publisher.says("/feed", Reply(200, ATOM, {"Connection": "close"}), host=host)
    client = make_client()
    for _ in range(6):
        refused(client.fetch(ask_for(publisher.url(host="rebinding.example"))))
    assert {asked.host for asked in publisher.asked} == {OUTSIDE}


def test_s3_a_kept_connection_under_the_same_name(
    publisher: FeedServer, make_client: MakeClient, names: Names, outside: str
) -> None:
    """The connection was made for who may go inside; another source that is sent to the same name may not take it."""
    names["intranet.example"] = ["127.0.0.1"]
    inside = publisher.serve("/feed", ATOM)
    publisher.serve("/secret", b"<secret/>")
    publisher.says("/", redirect(publisher.url("/secret", host="intranet.example")), host=OUTSIDE)
    client = make_client(network("127.0.0.1/32"))
    fetched(client.fetch(ask_for(publisher.url("/feed", host="intranet.example"))))
    fetched(client.fetch(ask_for(inside)))
    for _ in range(3):
        refused(client.fetch(ask_for(publisher.url(host=outside))))
    assert "/secret" not in [asked.path for asked in publisher.asked]


@pytest.mark.parametrize("host", [*SPELLINGS, *CLOUD])
def test_s9_through_a_proxy(publisher: FeedServer, make_client: MakeClient, host: str) -> None:
    try:
        url = normalise(f"http://{host}/")
    except BadUrl:
        return
    proxy = Secret(f"http://127.0.0.1:{publisher.port}/")
    assert refused(make_client(proxy=proxy).fetch(ask_for(url))) in (PRIVATE, FORBIDDEN)
    assert publisher.connections == 0


def test_s6_slow_names_do_not_hold_a_worker(
    publisher: FeedServer, make_client: MakeClient, names: Names, outside: str
) -> None:
    """An adopted URL may lead inside only if the configured one does, whose name server may never answer."""
    publisher.serve("/secret", b"<secret/>")
    adopted = publisher.says("/", redirect(publisher.url("/secret")), host=OUTSIDE)
    names["silent.example"] = lambda: publisher.released.wait(10) and [OUTSIDE]
    ask = replace(ask_for(publisher.url(host="silent.example"), timeout=0.3), url=adopted)
    began = time.monotonic()
    failed(make_client(network("127.0.0.1/32")).fetch(ask))
    assert time.monotonic() - began < 8
    assert [asked.path for asked in publisher.asked] == ["/"]


# --- Answers ---------------------------------------------------------------------------------------------------------

ZEROS = 64 << 20


@dataclass
class Endless(Reply):
    """Sends `first`, and then `more` as long as the client reads."""

    first: bytes = b""
    more: bytes = b"x"

    def play(self, asked: Asked, talk: Talk) -> bool:
        talk.send(self.first)
        block = self.more * (65536 // len(self.more))
        while not talk.publisher.closed:
            talk.send(block)
        return False


def packed(coding: str, *packers: Callable[[bytes], bytes]) -> Reply:
    """Return a bomb: zeros, compressed by one coding after the other."""
    body = bytes(ZEROS)
    for packer in packers:
        body = packer(body)
    return Reply(200, body, {"Content-Encoding": coding})


def quick_brotli(data: bytes) -> bytes:
    return bytes(brotli.compress(data, quality=1))


HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKS = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("make", "code"),
    [
        pytest.param(lambda: GzipBomb(unpacked=ZEROS), "too_large", id="s21-gzip"),
        pytest.param(lambda: GzipBomb(unpacked=ZEROS, layers=2), "too_large", id="s21-gzip-in-gzip"),
        pytest.param(lambda: GzipBomb(unpacked=1 << 20, layers=3), "http", id="s21-three-layers"),
        pytest.param(lambda: packed("deflate", zlib.compress), "too_large", id="s21-deflate"),
        pytest.param(lambda: packed("br", quick_brotli), "too_large", id="s21-br"),
        pytest.param(lambda: packed("zstd", zstd.compress), "too_large", id="s21-zstd"),
        pytest.param(lambda: packed("zstd, gzip", zstd.compress, gzip.compress), "too_large", id="s21-zstd-in-gzip"),
        pytest.param(lambda: packed("br, deflate", quick_brotli, zlib.compress), "too_large", id="s21-br-in-deflate"),
        pytest.param(EndlessBody, "too_large", id="p82-a-body-without-end"),
        pytest.param(lambda: Endless(first=CHUNKS, more=b"4\r\nbody\r\n"), "http", id="p82-small-chunks-without-end"),
        pytest.param(
            lambda: Endless(first=CHUNKS, more=b"1;" + b"x" * 4000 + b"\r\n.\r\n"), "http", id="p82-extensions"
        ),
        pytest.param(lambda: Endless(first=CHUNKS + b"1;"), "short", id="p82-one-extension-without-end"),
        pytest.param(
            lambda: Endless(first=CHUNKS + b"4\r\nbody\r\n0\r\n", more=b"A: b\r\n"),
            "http",
            id="s22-trailers-without-end",
        ),
        pytest.param(lambda: Slow(200, ATOM, pause=1.0, head_too=True), "timeout", id="p81-a-byte-a-second"),
        pytest.param(lambda: Slow(200, ATOM, pause=1.0), "timeout", id="p81-a-byte-a-second-of-the-body"),
        pytest.param(lambda: ManyHeaders(count=10_000), "http", id="s22-ten-thousand-lines"),
        pytest.param(lambda: ManyHeaders(count=1, size=1 << 20), "http", id="s22-a-line-of-a-mib"),
        pytest.param(lambda: Endless(first=HEAD + b"X: "), "http", id="s22-a-line-without-end"),
        pytest.param(lambda: Endless(first=HEAD, more=b"X: y\r\n"), "http", id="s22-lines-without-end"),
        pytest.param(lambda: Endless(more=b"HTTP/1.1 100 Go on\r\n\r\n"), "http", id="p35-interim-without-end"),
        pytest.param(lambda: Endless(more=b"x"), "http", id="garbage-without-end"),
        pytest.param(lambda: TruncatedGzip(200, ATOM * 100), "short", id="p83-gzip-cut"),
        pytest.param(
            lambda: Reply(200, zstd.compress(ATOM * 100)[:-5], {"Content-Encoding": "zstd"}), "short", id="p83-zstd-cut"
        ),
        pytest.param(lambda: Truncated(200, ATOM), "short", id="p83-less-than-its-length"),
        pytest.param(lambda: Chunked(200, ATOM, end=b""), "short", id="p83-the-last-chunk-is-missing"),
        pytest.param(lambda: Chunked(200, ATOM, end=b"ff\r\nshort"), "short", id="p83-in-a-chunk"),
        pytest.param(lambda: Chunked(200, ATOM, end=b"f"), "short", id="p83-in-the-size-of-a-chunk"),
        pytest.param(Reset, "reset", id="p32-reset-before-the-head"),
        pytest.param(lambda: Reset(first=HEAD + b"X-H"), "reset", id="p32-reset-in-the-head"),
        pytest.param(lambda: Closes(first=HEAD + b"X-H"), "reset", id="p32-closed-in-the-head"),
        pytest.param(lambda: Closes(first=HEAD + b"Content-Length: 9\r\n\r\n<f"), "short", id="p83-closed-in-the-body"),
        pytest.param(lambda: Hangs(first=CHUNKS + b"4\r\nbody\r\n"), "timeout", id="p81-silent-after-a-chunk"),
        pytest.param(Garbage, "http", id="no-http"),
    ],
)
def test_it_is_named_in_bounded_time_and_memory_and_the_next_poll_works(
    publisher: FeedServer, client: Client, make: Callable[[], Reply], code: str
) -> None:
    fetched(client.fetch(ask_for(publisher.says("/", Reply(200, ATOM)))))  # what is made once is not what we measure
    publisher.hang_up()  # so that none of it meets a kept connection, which is replaced once
    url = publisher.says("/", make(), Reply(200, ATOM))
    tracemalloc.start()
    began = time.monotonic()
    try:
        answer = failed(client.fetch(ask_for(url, timeout=0.5 if code == "timeout" else 10)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.code == code, answer.text
    assert time.monotonic() - began < 20
    assert peak < 48 << 20  # 20 MiB at most unpacked, and what the publisher holds in this process
    tells_nothing(answer)
    publisher.release()
    assert fetched(client.fetch(ask_for(url))).body == ATOM


def test_p83_a_reset_in_the_body_is_one_or_the_other(publisher: FeedServer, client: Client) -> None:
    """The kernel may throw away what had arrived before the reset."""
    first = HEAD + b"Content-Length: 1000\r\n\r\n<feed>"
    url = publisher.says("/", Reset(first=first), Reply(200, ATOM))
    assert failed(client.fetch(ask_for(url))).code in ("reset", "short")
    assert fetched(client.fetch(ask_for(url))).body == ATOM


def test_p83_what_is_longer_than_its_length_ends_there(publisher: FeedServer, client: Client) -> None:
    reply = Reply(200, ATOM + b"HTTP/1.1 200 OK\r\n\r\nsmuggled", {"Content-Length": str(len(ATOM))})
    url = publisher.says("/", reply, Reply(200, b"<next/>"))
    assert [fetched(client.fetch(ask_for(url))).body for _ in range(2)] == [ATOM, b"<next/>"]


def test_p82_many_small_chunks_are_still_a_body(publisher: FeedServer, client: Client) -> None:
    url = publisher.says("/", Chunked(200, ATOM * 100, size=1))
    assert fetched(client.fetch(ask_for(url))).body == ATOM * 100


def test_p81_a_head_at_its_limits_costs_little(publisher: FeedServer, client: Client) -> None:
    """Each of the headers that we read is as long, and as nasty, as may be."""
    names = ("Cache-Control", "RateLimit", "Retry-After", "Expires", "Date", "Age", "ETag", "IM", "Content-Type")
    headers = {name: f'a="{" " * 3000}{chr(92) * 3000}"' for name in names}
    url = publisher.says("/", Reply(200, ATOM, headers))
    began = time.thread_time()
    fetched(client.fetch(ask_for(url)))
    assert time.thread_time() - began < 10


def test_s10_a_long_way_is_told_in_a_line(publisher: FeedServer, client: Client) -> None:
    url = Url(publisher.says("/" + "x" * 3000, Reply(500)))
    assert "\n" not in failed(client.fetch(ask_for(url))).text
