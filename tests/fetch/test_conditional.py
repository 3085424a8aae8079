"""Validators: kept as they come, sent back where they belong (P1 to P18)."""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest

from aggregator.fetch import Client
from aggregator.fetch.request import ACCEPT
from aggregator.model.ask import Validators
from aggregator.model.observed import Observed, RequestMode
from aggregator.model.settings import Secret
from aggregator.urls import Url
from tests.feed_server import FeedServer, Reply, redirect
from tests.fetch.conftest import ATOM, Names, again, ask_for, failed, fetched, not_modified


def test_p2_second_poll_sends_both_validators_back(publisher: FeedServer, client: Client) -> None:
    ask = ask_for(publisher.serve("/feed.xml", ATOM))
    answer = fetched(client.fetch(ask))
    not_modified(client.fetch(again(ask, answer)))
    assert publisher.asked[1].headers["If-None-Match"] == answer.etag
    assert publisher.asked[1].headers["If-Modified-Since"] == answer.last_modified


def test_p2_first_poll_sends_none(publisher: FeedServer, client: Client) -> None:
    client.fetch(ask_for(publisher.serve("/feed.xml", ATOM)))
    assert "If-None-Match" not in publisher.asked[0].headers
    assert "If-Modified-Since" not in publisher.asked[0].headers


def test_p3_an_absent_validator_is_absent_in_the_answer(publisher: FeedServer, client: Client) -> None:
    answer = fetched(client.fetch(ask_for(publisher.says("/feed.xml", Reply(200, ATOM, {"ETag": '"v1"'})))))
    assert (answer.etag, answer.last_modified) == ('"v1"', None)


def test_p4_same_body_is_told(publisher: FeedServer, client: Client) -> None:
    ask = ask_for(publisher.serve("/feed.xml", ATOM, tags=False))
    first = fetched(client.fetch(ask))
    assert not first.same_body
    assert fetched(client.fetch(again(ask, first))).same_body


def test_p5_a_304_gives_the_validators_it_carries(publisher: FeedServer, client: Client) -> None:
    url = publisher.says("/feed.xml", Reply(304, b"", {"ETag": '"v2"', "Cache-Control": "max-age=60"}))
    answer = not_modified(client.fetch(ask_for(url, validators=Validators(url=url, etag='"v1"'))))
    assert (answer.etag, answer.last_modified) == ('"v2"', None)
    assert answer.hints.freshness is not None


def test_p8_validators_go_only_to_the_url_that_gave_them(publisher: FeedServer, client: Client) -> None:
    feed = publisher.serve("/feed.xml", ATOM)
    url = publisher.says("/old.xml", redirect("/feed.xml"))
    answer = fetched(client.fetch(ask_for(url)))
    assert answer.url == feed
    not_modified(client.fetch(again(ask_for(url), answer)))
    assert "If-None-Match" not in publisher.asked[2].headers
    assert publisher.asked[3].headers["If-None-Match"] == answer.etag


def test_p8_validators_do_not_follow_a_redirect(publisher: FeedServer, client: Client) -> None:
    url = publisher.says("/feed.xml", redirect("/new.xml"))
    publisher.serve("/new.xml", ATOM)
    fetched(client.fetch(ask_for(url, validators=Validators(url=url, etag='"v1"', last_modified="x"))))
    assert publisher.asked[0].headers["If-None-Match"] == '"v1"'
    assert "If-None-Match" not in publisher.asked[1].headers
    assert "If-Modified-Since" not in publisher.asked[1].headers


@pytest.mark.parametrize(
    "tag",
    [
        pytest.param(b'W/"weak"', id="p10-weak"),
        pytest.param(b"no quotes", id="p11-no-quotes"),
        pytest.param(b'"inner " quote"', id="p11-inner-quote"),
        pytest.param(b'"a-gzip"', id="suffix"),
        pytest.param('"Überschrift"'.encode("latin-1"), id="p12-latin-1"),
        pytest.param('"标签"'.encode(), id="p12-utf-8"),
        pytest.param(b'"\x85\x80\xa0\xff"', id="p12-bytes-that-look-like-blanks"),
        pytest.param(b'"' + b"x" * 1022 + b'"', id="p11-longest"),
    ],
)
def test_p1_a_tag_comes_back_byte_for_byte(publisher: FeedServer, client: Client, tag: bytes) -> None:
    url = publisher.says("/feed.xml", Reply(200, ATOM, {"ETag": tag, "Last-Modified": b"garb\xe4ge"}), Reply(304))
    ask = ask_for(url)
    not_modified(client.fetch(again(ask, client.fetch(ask))))
    assert b"If-None-Match: " + tag + b"\r\n" in publisher.asked[1].raw
    assert b"If-Modified-Since: garb\xe4ge\r\n" in publisher.asked[1].raw


def test_p11_several_tags_are_joined(publisher: FeedServer, client: Client) -> None:
    url = publisher.says("/feed.xml", Reply(200, ATOM, [("ETag", '"a"'), ("ETag", '"b"')]))
    assert fetched(client.fetch(ask_for(url))).etag == '"a", "b"'


@pytest.mark.parametrize(
    "tag",
    [
        pytest.param(b'"a\x00b"', id="nul"),
        pytest.param(b'"a\rb"', id="cr"),
        pytest.param(b'"' + b"x" * 1024 + b'"', id="too-long"),
        pytest.param(b"", id="empty"),
    ],
)
def test_p11_a_tag_that_cannot_be_sent_back_is_not_kept(publisher: FeedServer, client: Client, tag: bytes) -> None:
    url = publisher.says("/feed.xml", Reply(200, ATOM, {"ETag": tag}))
    assert fetched(client.fetch(ask_for(url))).etag is None


def test_p11_a_stored_tag_with_a_line_break_is_not_sent(publisher: FeedServer, client: Client) -> None:
    url = publisher.serve("/feed.xml", ATOM)
    validators = Validators(url=url, etag='"a"\r\nX-Evil: 1', last_modified="Thu")
    fetched(client.fetch(ask_for(url, validators=validators)))
    assert "If-None-Match" not in publisher.asked[0].headers
    assert "X-Evil" not in publisher.asked[0].headers


BOTH = {"if-none-match", "if-modified-since"}


@pytest.mark.parametrize(
    ("ask", "modified", "names", "accept"),
    [
        pytest.param(RequestMode.USUAL, "Thu", BOTH, ACCEPT, id="p2-usual"),
        pytest.param(RequestMode.DATE_ONLY, "Thu", {"if-modified-since"}, ACCEPT, id="p13-the-date-alone"),
        pytest.param(RequestMode.DATE_ONLY, None, {"if-none-match"}, ACCEPT, id="p13-no-date-known"),
        pytest.param(RequestMode.AFRESH, "Thu", set(), ACCEPT, id="p16-afresh"),
        pytest.param(RequestMode.PLAIN, "Thu", set(), "*/*", id="p34-plain"),
        pytest.param(RequestMode.ANY_ACCEPT, "Thu", BOTH, "*/*", id="p34-any-accept"),
        pytest.param(RequestMode.ALWAYS_PLAIN, "Thu", set(), "*/*", id="p34-always-plain"),
    ],
)
def test_a_source_is_asked_as_its_observations_say(
    publisher: FeedServer, client: Client, ask: RequestMode, modified: str | None, names: set[str], accept: str
) -> None:
    url = publisher.serve("/feed.xml", ATOM)
    validators = Validators(url=url, etag='"x"', last_modified=modified)
    answer = fetched(client.fetch(ask_for(url, observed=Observed(ask=ask), validators=validators)))
    headers = publisher.asked[0].headers
    assert {name for name in headers if name.startswith("if-")} == names
    assert ("a-im" in headers) == ("if-none-match" in names)  # P23
    assert headers["Accept"] == accept
    assert answer.conditional == bool(names)


def test_p34_the_operators_accept_goes_over_any(publisher: FeedServer, client: Client) -> None:
    url = publisher.serve("/feed.xml", ATOM)
    client.fetch(ask_for(url, observed=Observed(ask=RequestMode.PLAIN), accept="text/xml"))
    client.fetch(ask_for(url, observed=Observed(ask=RequestMode.PLAIN), headers=(("accept", Secret("text/plain")),)))
    assert [asked.headers["Accept"] for asked in publisher.asked] == ["text/xml", "text/plain"]


# --- Deltas ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("manipulations", ["feed", " Feed "])
def test_p22_a_delta_that_was_asked_for(publisher: FeedServer, client: Client, manipulations: str) -> None:
    url = publisher.says("/feed.xml", Reply(226, ATOM, {"IM": manipulations, "ETag": '"v2"'}))
    first = Validators(url=url, etag='"v1"', last_modified="Thu")
    answer = fetched(client.fetch(ask_for(url, validators=first, body_digest=sha256(ATOM).hexdigest())))
    assert publisher.asked[0].headers["A-IM"] == "feed"
    assert (answer.status, answer.is_delta, answer.body, answer.same_body) == (226, True, ATOM, False)
    assert (answer.etag, answer.last_modified) == ('"v2"', None)  # P3


@pytest.mark.parametrize(
    ("headers", "validators"),
    [
        pytest.param({}, {"etag": '"v1"'}, id="no-im"),
        pytest.param({"IM": "vcdiff"}, {"etag": '"v1"'}, id="another"),
        pytest.param({"IM": "feed, gzip"}, {"etag": '"v1"'}, id="more-than-that"),
        pytest.param({"IM": "feed"}, {"last_modified": "Thu"}, id="p23-no-tag-so-not-asked-for"),
        pytest.param({"IM": "feed"}, {}, id="no-validators"),
    ],
)
def test_p22_other_deltas_are_faults(
    publisher: FeedServer, client: Client, headers: dict[str, str], validators: dict[str, str]
) -> None:
    url = publisher.says("/feed.xml", Reply(226, ATOM, headers))
    answer = failed(client.fetch(ask_for(url, validators=Validators(url=url, **validators))))
    assert (answer.code, answer.status) == ("http", 226)


def test_p23_a_delta_is_asked_for_wherever_the_tag_goes(publisher: FeedServer, client: Client) -> None:
    feed = publisher.serve("/feed.xml", ATOM, host="127.0.0.2")
    url = publisher.says("/", redirect(feed))
    fetched(client.fetch(ask_for(url, validators=Validators(url=feed, etag='"v1"'))))
    assert ["a-im" in asked.headers for asked in publisher.asked] == [False, True]


# --- What is told of the exchange ------------------------------------------------------------------------------------


def test_p94_conditional_is_the_last_request(publisher: FeedServer, client: Client) -> None:
    url = publisher.says("/old.xml", redirect("/feed.xml"))
    feed = publisher.serve("/feed.xml", ATOM)
    assert not client.fetch(ask_for(url, validators=Validators(url=url, etag='"v1"'))).conditional
    assert client.fetch(ask_for(url, validators=Validators(url=feed, etag='"v1"'))).conditional


def test_p61_peer_is_where_the_first_hop_went(publisher: FeedServer, client: Client, names: Names) -> None:
    names["feeds.example"] = ["::ffff:127.0.0.2"]
    publisher.serve("/feed.xml", ATOM, host="127.0.0.3")
    publisher.says("/", redirect(publisher.url("/feed.xml", host="127.0.0.3")), host="127.0.0.2")
    ask = ask_for(publisher.url("/", host="feeds.example"))
    assert [fetched(client.fetch(ask)).peer for _ in ("new", "kept")] == ["127.0.0.2", "127.0.0.2"]


def test_p61_without_a_connection_there_is_no_peer(client: Client, names: Names) -> None:
    names["nowhere.example"] = OSError("no such name")
    assert failed(client.fetch(ask_for(Url("http://nowhere.example/")))).peer is None


@pytest.mark.parametrize(
    ("date", "skew"),
    [
        ("Mon, 01 Jun 2026 12:11:00 GMT", timedelta(minutes=11)),
        ("Monday, 01-Jun-26 11:00:00 GMT", timedelta(hours=-1)),
        ("garbage", None),
        (None, None),
    ],
)
def test_p88_skew_is_their_date_less_our_time(
    publisher: FeedServer, client: Client, date: str | None, skew: timedelta | None
) -> None:
    url = publisher.says("/feed.xml", Reply(200, ATOM, {"Date": date} if date else {}))
    assert fetched(client.fetch(ask_for(url))).skew == skew


@pytest.mark.parametrize("cache", [{"Expires": "0"}, {"Cache-Control": "no-cache"}, {"Cache-Control": "no-store"}])
def test_p14_validators_are_kept_whatever_caches_are_told(
    publisher: FeedServer, client: Client, cache: dict[str, str]
) -> None:
    ask = ask_for(publisher.serve("/feed.xml", ATOM, cache))
    not_modified(client.fetch(again(ask, client.fetch(ask))))


def test_p15_a_304_that_nobody_asked_for_is_a_fault(publisher: FeedServer, client: Client) -> None:
    answer = client.fetch(ask_for(publisher.says("/feed.xml", Reply(304))))
    assert (failed(answer).code, failed(answer).status) == ("http", 304)
    assert len(publisher.asked) == 1  # no second try


def test_p15_a_304_from_another_url_than_the_validators_is_a_fault(publisher: FeedServer, client: Client) -> None:
    url = publisher.says("/feed.xml", redirect("/new.xml"))
    publisher.says("/new.xml", Reply(304))
    answer = client.fetch(ask_for(url, validators=Validators(url=url, etag='"v1"')))
    assert failed(answer).code == "http"


def test_p18_a_poll_is_one_get(publisher: FeedServer, client: Client) -> None:
    client.fetch(ask_for(publisher.serve("/feed.xml", ATOM)))
    assert [asked.method for asked in publisher.asked] == ["GET"]


def test_an_edited_feed_is_fetched_again(publisher: FeedServer, client: Client) -> None:
    ask = ask_for(publisher.serve("/feed.xml", ATOM))
    ask = again(ask, client.fetch(ask))
    publisher.edit("/feed.xml", ATOM + b"<!-- -->")
    answer = fetched(client.fetch(ask))
    assert answer.body == ATOM + b"<!-- -->"
    assert answer.etag != (ask.validators and ask.validators.etag)
    assert replace(ask, validators=None) != ask
