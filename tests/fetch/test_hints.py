"""Hints about pace in headers (P37, P53, P54, P56, P88, D25)."""

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.fetch import Client
from aggregator.fetch.header_hints import LONGEST, freshness, hints_of, http_date, rate_limit, retry_after
from aggregator.model.entry import NO_HINTS
from tests.feed_server import FeedServer, Reply
from tests.fetch.conftest import ATOM, ask_for, failed, fetched

SENT = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        pytest.param("120", 120, id="seconds"),
        pytest.param(" 120 ", 120, id="blanks"),
        pytest.param("Sun, 06 Nov 1994 08:59:37 GMT", 600, id="imf-fixdate"),
        pytest.param("Sunday, 06-Nov-94 08:59:37 GMT", 600, id="rfc-850"),
        pytest.param("Sun Nov  6 08:59:37 1994", 600, id="asctime"),
        pytest.param("Sun, 06 Nov 1994 08:49:37 GMT", None, id="now"),
        pytest.param("Sun, 06 Nov 1994 08:39:37 GMT", None, id="past"),
        pytest.param("0", None, id="zero"),
        pytest.param("-5", None, id="negative"),
        pytest.param("", None, id="empty"),
        pytest.param("soon", None, id="garbage"),
        pytest.param("²", None, id="a-digit-that-is-no-number"),
        pytest.param("1.5", None, id="a-fraction"),
        pytest.param("9" * 30, LONGEST.total_seconds(), id="absurd"),
        pytest.param("9" * 5000, LONGEST.total_seconds(), id="more-digits-than-int-takes"),
        pytest.param("0" * 5000 + "7", 7, id="leading-zeros"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST.total_seconds(), id="the-end-of-time"),
        pytest.param("Fri, 31 Dec 99999 23:59:59 GMT", None, id="beyond-it"),
    ],
)
def test_p56_retry_after(value: str, seconds: float | None) -> None:
    assert retry_after(value, sent=SENT) == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param({}, None, id="nothing"),
        pytest.param({"cache-control": "max-age=300"}, 300, id="max-age"),
        pytest.param({"cache-control": "public, MAX-AGE = 300 , x"}, 300, id="among-others"),
        pytest.param({"cache-control": 'max-age="300"'}, 300, id="quoted"),
        pytest.param({"cache-control": "max-age=300", "age": "100"}, 200, id="less-age"),
        pytest.param({"cache-control": "max-age=300", "age": "400"}, 0, id="older-than-that"),
        pytest.param({"cache-control": "max-age=300", "age": "old"}, 300, id="garbled-age"),
        pytest.param({"cache-control": "max-age=60, max-age=300"}, 60, id="the-first-counts"),
        pytest.param({"cache-control": "max-age=x"}, None, id="garbage-is-absent"),
        pytest.param({"cache-control": "max-age=-1"}, None, id="negative-is-absent"),
        pytest.param({"cache-control": "max-age"}, None, id="no-value"),
        pytest.param({"cache-control": "max-age=" + "9" * 50}, LONGEST.total_seconds(), id="overflow"),
        pytest.param({"cache-control": "s-maxage=300"}, None, id="for-shared-caches-only"),
        pytest.param({"cache-control": "no-cache"}, 0, id="no-cache"),
        pytest.param({"cache-control": "no-store"}, 0, id="no-store"),
        pytest.param({"cache-control": "max-age=300, no-cache"}, 0, id="d25-no-cache-cancels"),
        pytest.param({"cache-control": 'no-cache="set-cookie, x", max-age=300'}, 300, id="no-cache-of-a-field"),
        pytest.param({"cache-control": "private, must-revalidate"}, None, id="nothing-about-it"),
        pytest.param({"expires": "Sun, 06 Nov 1994 08:59:37 GMT"}, 600, id="expires"),
        pytest.param({"expires": "Sun, 06 Nov 1994 08:59:37 GMT", "age": "100"}, 500, id="expires-less-age"),
        pytest.param({"expires": "Sun, 06 Nov 1994 08:39:37 GMT"}, 0, id="expired"),
        pytest.param({"expires": "0"}, 0, id="expires-0"),
        pytest.param({"expires": "-1"}, 0, id="expires-minus-1"),
        pytest.param({"cache-control": "max-age=60", "expires": "0"}, 60, id="max-age-before-expires"),
        pytest.param({"cache-control": "max-age=x", "expires": "0"}, 0, id="garbage-then-expires"),
        pytest.param({"expires": "Fri, 31 Dec 9999 23:59:59 GMT"}, LONGEST.total_seconds(), id="for-ever"),
    ],
)
def test_p53_p54_freshness(headers: dict[str, str], seconds: float | None) -> None:
    assert freshness(headers, sent=SENT) == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "345"}, 345, id="seconds"),
        pytest.param({"x-ratelimit-remaining": "0.0", "x-ratelimit-reset": "345"}, 345, id="reddit"),
        pytest.param({"x-ratelimit-remaining": "1", "x-ratelimit-reset": "345"}, None, id="something-left"),
        pytest.param({"x-ratelimit-remaining": "0"}, None, id="no-reset"),
        pytest.param({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "0"}, None, id="reset-now"),
        pytest.param(
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(1_800_000_600)},
            LONGEST.total_seconds(),
            id="instant",
        ),
        pytest.param({"ratelimit-remaining": "0", "ratelimit-reset": "30"}, 30, id="without-x"),
        pytest.param({"ratelimit": '"default";r=0;t=30'}, 30, id="draft"),
        pytest.param({"ratelimit": "limit=100, remaining=0, reset=30"}, 30, id="older-draft"),
        pytest.param({"ratelimit": "limit=100, remaining=50, reset=30"}, None, id="older-draft-something-left"),
        pytest.param({"ratelimit": "garbage"}, None, id="garbage"),
        pytest.param({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "nan"}, None, id="no-number"),
    ],
)
def test_p37_rate_limit(headers: dict[str, str], seconds: float | None) -> None:
    assert rate_limit(headers, sent=SENT) == (None if seconds is None else timedelta(seconds=seconds))


def test_p37_an_instant_counts_from_the_answers_date() -> None:
    sent = datetime.fromtimestamp(1_800_000_000, UTC)
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1800000600"}
    assert rate_limit(headers, sent=sent) == timedelta(minutes=10)


def test_no_headers_no_hints() -> None:
    assert hints_of({"date": "Sun, 06 Nov 1994 08:49:37 GMT"}, SENT) is NO_HINTS


def test_p88_dates_count_from_the_servers_own(publisher: FeedServer, client: Client) -> None:
    headers = {
        "Date": "Sun, 06 Nov 1994 08:49:37 GMT",
        "Retry-After": "Sun, 06 Nov 1994 08:59:37 GMT",
        "Expires": "Sun, 06 Nov 1994 08:54:37 GMT",
    }
    answer = failed(client.fetch(ask_for(publisher.says("/feed.xml", Reply(429, b"", headers)))))
    assert answer.hints.retry_after == timedelta(minutes=10)
    assert answer.hints.freshness == timedelta(minutes=5)


def test_p88_without_a_date_from_the_receipt(publisher: FeedServer, client: Client) -> None:
    url = publisher.says("/feed.xml", Reply(200, ATOM, {"Expires": "Mon, 01 Jun 2026 13:00:00 GMT"}))
    assert fetched(client.fetch(ask_for(url))).hints.freshness == timedelta(hours=1)


def test_p37_what_is_used_up_is_told_apart_from_retry_after(publisher: FeedServer, client: Client) -> None:
    headers = {"Retry-After": "10", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "60"}
    url = publisher.says("/feed.xml", Reply(200, ATOM, headers))
    hints = fetched(client.fetch(ask_for(url))).hints
    assert (hints.retry_after, hints.exhausted) == (timedelta(seconds=10), timedelta(minutes=1))


def test_hints_of_a_redirect_do_not_count(publisher: FeedServer, client: Client) -> None:
    publisher.serve("/new.xml", ATOM)
    url = publisher.says("/feed.xml", Reply(301, b"", {"Location": "/new.xml", "Cache-Control": "max-age=31536000"}))
    assert fetched(client.fetch(ask_for(url))).hints == NO_HINTS


@given(
    st.dictionaries(
        st.sampled_from(
            ["cache-control", "expires", "retry-after", "ratelimit", "age", "date", "x-ratelimit-remaining"]
        ),
        st.text(st.characters(max_codepoint=255), max_size=50),
    )
)
def test_any_header_is_survived(headers: dict[str, str]) -> None:
    hints = hints_of(headers, SENT)
    assert hints.retry_after is None or timedelta(0) < hints.retry_after <= LONGEST
    assert hints.freshness is None or timedelta(0) <= hints.freshness <= LONGEST


@given(st.text(max_size=40))
def test_any_text_is_a_date_or_none(text: str) -> None:
    found = http_date(text)
    assert found is None or found.tzinfo is UTC


@pytest.mark.parametrize("value", ["Fri, 31 Dec 9999 23:59:59 -2300", "Sat, 31 Feb 2026 10:00:00 GMT", "1" * 60_000])
def test_a_date_beyond_the_calendar_is_none(value: str) -> None:
    assert http_date(value) is None


@given(st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  # Hypothesis adds the zone
def test_each_date_that_is_written_is_read(when: datetime) -> None:
    when = when.replace(microsecond=0)
    assert http_date(format_datetime(when, usegmt=True)) == when


@pytest.mark.parametrize("unit", [" ", "a", "=", ",", '"', "\\", 'a="', 'a "', '"\\', "r", "r ", "r=", "1:", "Mon,"])
@pytest.mark.parametrize("name", ["cache-control", "ratelimit", "retry-after", "expires"])
def test_s25_the_longest_header_is_read_in_no_time(name: str, unit: str) -> None:
    """A Cache-Control of 60 kB of one letter once took 100 s, in which nothing else ran."""
    began = time.thread_time()
    for value in (unit * (60_000 // len(unit)), "a" + unit * (60_000 // len(unit)) + '"'):
        hints_of({name: value, "cache-control": value}, SENT)
    assert time.thread_time() - began < 10
