"""Status as JSON, for the operator and for the public, and as a page."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from aggregator.model.alarm import Alarm, AlarmCode
from aggregator.model.history import AsideSums, DaySums, Fetching, HostSums, RecentPoll, SourceHistory, Sums
from aggregator.model.hosts import Rest
from aggregator.model.poll import Outcome, State
from aggregator.model.settings import SourceKey
from aggregator.model.status import (
    CategoryStatus,
    ConfigStatus,
    HubStatus,
    Lag,
    Outage,
    RemovedCategory,
    RuleHits,
    SourceStatus,
    Status,
)
from aggregator.render.status_json import history_record, render_status_json, rule_record, status_record
from aggregator.render.status_page import render_status_page
from aggregator.urls import Url
from tests.render.records import SITE

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
SUMS = Sums(polls=8, not_modified=5, unconditional=2, bytes=1_500_000, failures=1, new=3, future=4, past=6, late=90)
DETAILS = AsideSums(requests=7, bytes=70, failures=9)
FURTHER = AsideSums(requests=11, bytes=110, failures=12)
DETAILS_RECORD = {"requests": 7, "bytes": 70, "failures": 9}
FURTHER_RECORD = {"requests": 11, "bytes": 110, "failures": 12}
SOURCE = SourceStatus(
    key=SourceKey("heron"),
    url=Url("https://heron.example/feed"),
    title="Heron Notes",
    categories=("birds", "water"),
    state=State.FAILING,
    last_attempt=NOON,
    last_success=NOON - timedelta(hours=1),
    next_due=NOON + timedelta(hours=1),
    interval=timedelta(minutes=30, milliseconds=600),
    because="backoff",
    failures=2,
    failing_since=NOON - timedelta(minutes=30),
    code="dns",
    error="heron.example has no address",
    entries=40,
    per_week=2.5,
    lag=timedelta(seconds=90),
    advice="look at it",
    moved_to=Url("https://new.example/feed"),
    clock_skew=timedelta(minutes=20),
    line=7,
    http_status=503,
    since=NOON - timedelta(minutes=30),
    newest=NOON - timedelta(days=1),
    month=((0, 0), (3, 0), (0, 2)),
    rest=Rest(host="heron.example", until=NOON + timedelta(hours=2), source=SourceKey("heron"), status=429),
)
STATUS = Status(
    at=NOON,
    sources=(SOURCE,),
    categories=(
        CategoryStatus(slug="birds", title="Birds", stories=12, newest=NOON, sources=1),
        CategoryStatus(slug="secret", title="Secret", stories=1, newest=None, sources=1, unlisted=True),
    ),
    config=ConfigStatus(path="/etc/feeds.yaml", loaded_at=NOON, error="line 3"),
    fetching=Fetching(
        since=NOON - timedelta(days=7),
        sums=SUMS,
        details=DETAILS,
        further=FURTHER,
        hosts=(
            HostSums(
                host="heron.example",
                sources=1,
                sums=SUMS,
                details=DETAILS,
                further=FURTHER,
                spacing=timedelta(seconds=2.5),
                opens_at=NOON,
            ),
        ),
    ),
    lag=Lag(sources=6, late=1, p95=timedelta(seconds=61.6)),
    alarms=(
        Alarm(code=AlarmCode.SILENT, source=SourceKey("heron"), since=NOON, text="no news"),
        Alarm(code=AlarmCode.LAG, source=None, since=NOON, text="line 3"),
    ),
    store_url="sqlite:///a.db",
    store_bytes=4096,
    schema="0042",
    removed=(RemovedCategory(slug="old", title="Old", removed_at=NOON),),
    outage=Outage(public=NOON, own=NOON + timedelta(hours=1)),
    hub=HubStatus(topics=3, owed=2, failures=1, failing_since=NOON, error="503"),
    days=(DaySums(day=date(2026, 3, 4), polls=SUMS, details=DETAILS, further=FURTHER),),
)
DAY_RECORD = {
    "day": "2026-03-04",
    "polls": 8,
    "not_modified": 5,
    "unconditional": 2,
    "bytes": 1_500_000,
    "failures": 1,
    "new": 3,
    "future": 4,
    "past": 6,
    "late": 90,
    "details": DETAILS_RECORD,
    "further": FURTHER_RECORD,
}
FETCHING = {
    "since": "2026-02-25T12:00:00Z",
    "polls": 8,
    "not_modified": 5,
    "share_304": 0.625,
    "bytes": 1_500_000,
    "failures": 1,
    "unconditional": 2,
    "details": DETAILS_RECORD,
    "further": FURTHER_RECORD,
}
PUBLIC_SOURCE = {
    "key": "heron",
    "title": "Heron Notes",
    "url": "https://heron.example/feed",
    "categories": ["birds", "water"],
    "state": "failing",
    "quiet": None,
    "since": "2026-03-04T11:30:00Z",
    "status": 503,
    "newest": "2026-03-03T12:00:00Z",
    "last_attempt": "2026-03-04T12:00:00Z",
    "last_success": "2026-03-04T11:00:00Z",
    "next_due": "2026-03-04T13:00:00Z",
    "interval_s": 1801,
    "failures": 2,
    "error": "dns",
    "entries": 40,
    "per_week": 2.5,
    "lag_s": 90,
    "advice": None,
}
BIRDS = {"slug": "birds", "title": "Birds", "stories": 12, "newest": "2026-03-04T12:00:00Z", "sources": 1}
PUBLIC: dict[str, Any] = {
    "version": 1,
    "sources": [PUBLIC_SOURCE],
    "categories": [BIRDS],
    "config": {"loaded_at": "2026-03-04T12:00:00Z", "error": "refused"},
    "fetching": FETCHING,
    "lag": {"p95_s": 62, "late_share": 0.167},
    "alarms": [{"code": "lag", "source": None, "since": "2026-03-04T12:00:00Z"}],
    "network_down_since": "2026-03-04T12:00:00Z",
    "days": [DAY_RECORD],
}


def test_s69_the_public_record() -> None:
    assert status_record(STATUS, public=True) == PUBLIC


def test_the_operators_record() -> None:
    assert status_record(STATUS, public=False) == PUBLIC | {
        "sources": [
            PUBLIC_SOURCE
            | {
                "error": "dns: heron.example has no address",
                "advice": "look at it",
                "line": 7,
                "because": "backoff",
                "moved_to": "https://new.example/feed",
                "host_rests": {
                    "host": "heron.example",
                    "until": "2026-03-04T14:00:00Z",
                    "source": "heron",
                    "status": 429,
                },
                "clock_skew_s": 1200,
            }
        ],
        "categories": [BIRDS, {"slug": "secret", "title": "Secret", "stories": 1, "newest": None, "sources": 1}],
        "config": {"loaded_at": "2026-03-04T12:00:00Z", "error": "line 3", "path": "/etc/feeds.yaml"},
        "fetching": FETCHING
        | {
            "hosts": [
                {
                    "host": "heron.example",
                    "sources": 1,
                    "polls": 8,
                    "not_modified": 5,
                    "bytes": 1_500_000,
                    "failures": 1,
                    "details": DETAILS_RECORD,
                    "further": FURTHER_RECORD,
                    "spacing_s": 2.5,
                    "opens_at": "2026-03-04T12:00:00Z",
                }
            ]
        },
        "alarms": [
            {"code": "silent", "source": "heron", "since": "2026-03-04T12:00:00Z", "text": "no news"},
            {"code": "lag", "source": None, "since": "2026-03-04T12:00:00Z", "text": "line 3"},
        ],
        "own_down_since": "2026-03-04T13:00:00Z",
        "removed_categories": [{"slug": "old", "title": "Old", "removed_at": "2026-03-04T12:00:00Z"}],
        "hub": {"owed": 2, "failures": 1, "failing_since": "2026-03-04T12:00:00Z", "error": "503"},
        "store": {"url": "sqlite:///a.db", "bytes": 4096, "schema": "0042"},
    }


def test_what_is_not_there_is_null_or_left_out() -> None:
    calm = replace(SOURCE, because="", rest=None, clock_skew=timedelta(0), code=None, quiet=AlarmCode.SILENT)
    status = replace(STATUS, sources=(calm,), hub=None, config=replace(STATUS.config, error=None), outage=Outage())
    record: dict[str, Any] = status_record(status, public=False)
    (source,) = record["sources"]
    assert [source[name] for name in ("because", "host_rests", "clock_skew_s", "error")] == [None] * 4
    assert source["quiet"] == "silent"
    assert "hub" not in record
    assert record["network_down_since"] is record["own_down_since"] is None
    public: dict[str, Any] = status_record(status, public=True)
    assert public["config"]["error"] is None


def test_s44_the_address_of_a_private_source_is_for_the_operator() -> None:
    status = replace(STATUS, sources=(replace(SOURCE, private=True),))
    records: list[dict[str, Any]] = [status_record(status, public=public) for public in (True, False)]
    assert [record["sources"][0]["url"] for record in records] == [None, "https://heron.example/feed"]


def test_status_json_is_the_public_record_with_our_mark_a_source_a_line() -> None:
    data = render_status_json(STATUS)
    record = json.loads(data)
    assert record.pop("_aggregator").keys() == {"home"}
    assert record == PUBLIC
    lines = data.decode().splitlines()
    assert (lines[0], lines[-1]) == ("{", "}")
    assert data.endswith(b"}\n")
    assert [line[:9] for line in lines if '"advice"' in line] == ['{"advice"']
    names = [line.split('"')[1] for line in lines if line.startswith('"')]
    assert names == sorted(names)


def test_the_history_of_a_source() -> None:
    history = SourceHistory(
        recent=(
            RecentPoll(
                at=NOON,
                outcome=Outcome.FETCHED,
                status=200,
                wire_bytes=1234,
                milliseconds=56,
                new=2,
                revised=1,
                next_due=NOON + timedelta(hours=1),
                because="rhythm",
            ),
        ),
        days=(DaySums(day=date(2026, 3, 4), polls=SUMS, details=DETAILS, further=FURTHER),),
        etag=True,
        last_modified=False,
        notices=("odd",),
    )
    assert history_record(history) == {
        "validators": {"etag": True, "last_modified": False},
        "notices": ["odd"],
        "recent": [
            {
                "at": "2026-03-04T12:00:00Z",
                "outcome": "fetched",
                "status": 200,
                "bytes": 1234,
                "ms": 56,
                "new": 2,
                "revised": 1,
                "next_due": "2026-03-04T13:00:00Z",
                "because": "rhythm",
            }
        ],
        "days": [DAY_RECORD],
    }


def test_a_rule_of_a_category_and_one_of_a_source() -> None:
    hits = RuleHits(source=SourceKey("heron"), place="birds", rule="title: advert", hits=3, last_at=NOON)
    record = {"category": "birds", "rule": "title: advert", "hits": 3, "last": "2026-03-04T12:00:00Z"}
    assert rule_record(hits) == record
    assert rule_record(replace(hits, place="")) == record | {"category": None}


@pytest.mark.parametrize(
    ("bytes_", "said"),
    [(1_000_000, "1.0"), (999_000, "0.999"), (1_540_000, "1.5"), (100_000, "0.1"), (0, "0"), (12_345_678, "12.3")],
)
def test_the_page_says_what_polling_has_cost(bytes_: int, said: str) -> None:
    status = replace(STATUS, fetching=replace(STATUS.fetching, sums=replace(SUMS, bytes=bytes_)))
    page = render_status_page(status, SITE).decode()
    assert f"{said} MB" in page
    assert "62%" in page


def test_before_the_first_poll_the_page_says_nothing_of_cost() -> None:
    status = replace(STATUS, fetching=replace(STATUS.fetching, sums=Sums()), days=())
    assert " MB" not in render_status_page(status, SITE).decode()


def test_sources_stand_by_category_and_those_that_need_a_hand_above_all() -> None:
    ok = replace(SOURCE, state=State.OK, code=None, rest=None)
    quiet, shy = replace(ok, quiet=AlarmCode.SILENT, title="Quiet"), replace(ok, categories=("water",), title="Shy")
    categories = (
        *STATUS.categories,
        CategoryStatus(key="water", slug="w", title="Water", stories=1, newest=None, sources=1),
    )
    categories = (replace(categories[0], key="birds"), *categories[1:])
    status = replace(STATUS, sources=(SOURCE, quiet, replace(ok, title="Fine"), shy), categories=categories)
    page = render_status_page(status, SITE).decode()
    names = (
        "Need a hand</bdi>",
        "Heron Notes",
        "Birds</bdi>",
        ">Quiet</bdi>",
        ">Fine</bdi>",
        "Water</bdi>",
        ">Shy</bdi>",
    )
    places = [page.index(name) for name in names]
    assert places == sorted(places)
    assert page.count('scope="row"') == 4


def test_a_chart_says_in_words_what_it_shows() -> None:
    page = render_status_page(STATUS, SITE).decode()
    assert 'aria-label="Stories: 3, at most 3 a day. Days with failures: 1."' in page
    places = 6, 10  # of the second and the third day
    assert f'<path d="M{places[0]} 20v-20"/><path class="bad" d="M{places[1]} 21v3"/>' in page
    assert "<figcaption>Fetched <span>Last day: 1.5 MB. Highest of 30 days: 1.5 MB.</span></figcaption>" in page
    assert "<dt>Fetched today (UTC)</dt><dd>1.5 MB</dd>" in page


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "&lt; 1 min"), (90, "2 min"), (7199, "120 min"), (7200, "2 h"), (300_000, "3 d")]
)
def test_a_delay_is_said_in_a_unit_that_fits(seconds: int, said: str) -> None:
    status = replace(STATUS, lag=replace(STATUS.lag, p95=timedelta(seconds=seconds)))
    assert f"<dt>Delay</dt><dd>{said}</dd>" in render_status_page(status, SITE).decode()
