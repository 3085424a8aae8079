"""Answers that follow from each status (P20 to P37)."""

import gzip
from datetime import timedelta

import pytest

from aggregator.errors import BadStatus, EmptyBody
from aggregator.fetch import Client
from aggregator.text.challenges import is_challenge
from tests.feed_server import Closes, FeedServer, Hangs, Reply
from tests.fetch.conftest import ATOM, ask_for, failed, fetched


def test_p20_a_200_gives_body_and_headers(publisher: FeedServer, client: Client) -> None:
    headers = {
        "Content-Type": "application/rss+xml;charset=x",
        "Content-Language": "zh",
        "Content-Location": "/other.xml",
    }
    answer = fetched(client.fetch(ask_for(publisher.says("/feed.xml", Reply(200, ATOM, headers)))))
    assert (answer.status, answer.body, answer.content_type) == (200, ATOM, "application/rss+xml;charset=x")
    assert (answer.content_language, answer.content_location) == ("zh", "/other.xml")
    assert answer.wire_bytes > len(ATOM)
    assert answer.seconds > 0


@pytest.mark.parametrize(
    ("status", "code"),
    [
        pytest.param(400, "http", id="p34"),
        pytest.param(401, "auth", id="p26"),
        pytest.param(403, "forbidden", id="p27"),
        pytest.param(404, "not_found", id="p28"),
        pytest.param(407, "auth", id="p26-proxy"),
        pytest.param(408, "http", id="p32"),
        pytest.param(410, "gone", id="p29"),
        pytest.param(418, "http", id="p35"),
        pytest.param(429, "rate_limited", id="p30"),
        pytest.param(500, "http", id="p32-500"),
        pytest.param(503, "http", id="p31"),
        pytest.param(520, "http", id="p32-520"),
        pytest.param(999, "http", id="none-that-exists"),
        pytest.param(201, "http", id="created"),
    ],
)
def test_other_statuses_are_failures(publisher: FeedServer, client: Client, status: int, code: str) -> None:
    url = publisher.says("/feed.xml", Reply(status, ATOM, {"Retry-After": "120", "Cache-Control": "max-age=60"}))
    answer = failed(client.fetch(ask_for(url)))
    assert (answer.code, answer.status) == (code, status)
    assert isinstance(answer.error, BadStatus)
    assert answer.hints.retry_after == timedelta(seconds=120)
    assert answer.hints.freshness == timedelta(seconds=60)
    assert len(publisher.asked) == 1


@pytest.mark.parametrize("status", [300, 305, 306])
def test_p25_other_3xx_are_bad_redirects(publisher: FeedServer, client: Client, status: int) -> None:
    url = publisher.says("/feed.xml", Reply(status, b"", {"Location": "/new.xml"}))
    answer = failed(client.fetch(ask_for(url)))
    assert (answer.code, answer.status) == ("redirect", status)


def test_p22_a_delta_that_we_did_not_ask_for_is_a_fault(publisher: FeedServer, client: Client) -> None:
    url = publisher.says("/feed.xml", Reply(226, ATOM, {"IM": "feed"}))
    assert failed(client.fetch(ask_for(url))).code == "http"


@pytest.mark.parametrize("status", [200, 204, 205, 206])
def test_p33_no_body_is_a_failure(publisher: FeedServer, client: Client, status: int) -> None:
    answer = failed(client.fetch(ask_for(publisher.says("/feed.xml", Reply(status)))))
    assert (answer.code, answer.status) == ("empty", status)
    assert isinstance(answer.error, EmptyBody)


def test_p33_a_packed_nothing_is_no_body(publisher: FeedServer, client: Client) -> None:
    url = publisher.says("/feed.xml", Reply(200, gzip.compress(b""), {"Content-Encoding": "gzip"}))
    assert failed(client.fetch(ask_for(url))).code == "empty"


def test_p33_a_part_is_no_feed(publisher: FeedServer, client: Client) -> None:
    url = publisher.says("/feed.xml", Reply(206, ATOM, {"Content-Range": "bytes 0-9/100"}))
    assert failed(client.fetch(ask_for(url))).code == "empty"


@pytest.mark.parametrize("status", [100, 102, 103])
def test_p35_interim_answers_are_skipped(publisher: FeedServer, client: Client, status: int) -> None:
    early = b"HTTP/1.1 %d Early\r\nLink: </x.css>; rel=preload\r\n\r\n" % status
    url = publisher.says("/feed.xml", Closes(first=early + Reply(200, ATOM).head() + ATOM))
    assert fetched(client.fetch(ask_for(url))).body == ATOM


def test_p35_interim_answers_without_end_are_a_fault(publisher: FeedServer, client: Client) -> None:
    url = publisher.says("/feed.xml", Closes(first=b"HTTP/1.1 100 Continue\r\n\r\n" * 100))
    assert failed(client.fetch(ask_for(url))).code == "http"


def test_a_switch_of_protocols_is_a_fault(publisher: FeedServer, client: Client) -> None:
    url = publisher.says("/feed.xml", Closes(first=b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"))
    assert failed(client.fetch(ask_for(url))).code == "http"


def test_p36_an_error_body_is_read_to_64_kib(publisher: FeedServer, client: Client) -> None:
    url = publisher.says("/feed.xml", Reply(500, ATOM * 20_000))
    answer = failed(client.fetch(ask_for(url)))
    assert 65_536 <= answer.wire_bytes < 80_000


def test_p36_a_broken_error_body_changes_nothing(publisher: FeedServer, client: Client) -> None:
    url = publisher.says("/feed.xml", Closes(first=b"HTTP/1.1 404 Not Found\r\nContent-Length: 1000\r\n\r\nno"))
    assert failed(client.fetch(ask_for(url))).code == "not_found"


def test_p36_a_slow_error_body_changes_nothing(publisher: FeedServer, client: Client) -> None:
    url = publisher.says("/feed.xml", Hangs(first=b"HTTP/1.1 404 Not Found\r\nContent-Length: 1000\r\n\r\nno"))
    assert failed(client.fetch(ask_for(url, timeout=0.3))).code == "not_found"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        pytest.param({"cf-mitigated": "challenge"}, b"", id="cloudflare-says-so"),
        pytest.param({"Content-Type": "text/html"}, b"<title>Just a moment...</title>", id="cloudflare-page"),
        pytest.param({}, b'\n<!DOCTYPE html><script src="/cdn-cgi/challenge-platform/x.js">', id="no-type"),
        pytest.param({"x-amzn-waf-action": "challenge"}, b"", id="aws"),
    ],
)
def test_p27_a_challenge_is_named(publisher: FeedServer, client: Client, headers: dict[str, str], body: bytes) -> None:
    answer = failed(client.fetch(ask_for(publisher.says("/feed.xml", Reply(403, body, headers)))))
    assert (answer.code, answer.status) == ("challenge", 403)


def test_p27_a_packed_challenge_is_named(publisher: FeedServer, client: Client) -> None:
    page = gzip.compress(b"<html><title>Just a moment...</title>")
    url = publisher.says("/feed.xml", Reply(503, page, {"Content-Encoding": "gzip"}))
    assert failed(client.fetch(ask_for(url))).code == "challenge"


def test_p27_a_challenge_may_call_itself_a_success(publisher: FeedServer, client: Client) -> None:
    url = publisher.says("/feed.xml", Reply(200, b"<html>", {"cf-mitigated": "challenge"}))
    assert failed(client.fetch(ask_for(url))).code == "challenge"


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        pytest.param(403, {"content-type": "text/html"}, b"<h1>Access denied</h1>", id="refused"),
        pytest.param(403, {"content-type": "text/plain"}, b"we use px-captcha", id="no-page"),
        pytest.param(403, {"cf-mitigated": "block"}, b"", id="blocked"),
        pytest.param(404, {"content-type": "text/html"}, b'<form><div class="h-captcha">', id="a-form-in-a-404"),
    ],
)
def test_p27_a_refusal_is_no_challenge(status: int, headers: dict[str, str], body: bytes) -> None:
    assert not is_challenge(status, headers, body)
