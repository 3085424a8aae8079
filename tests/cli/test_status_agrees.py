"""`status`, `status --json`, status.json and status.html say the same of each source, over a month (S69)."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from lxml import html

from aggregator.app import App
from aggregator.cli.status import in_words, one_in_words
from aggregator.model.status import Status
from aggregator.render.status_json import status_record
from aggregator.render.translations import load_messages
from tests.rows import rows
from tests.sample_site import SampleSite
from tests.troubled_planet import DAYS, SECRET, live_a_month

WORDS = load_messages("en")
KEYS = {"daily", "busy", "silent", "refused", "broken", "gone", "paused", "never", "mended", "hidden"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> SampleSite:
    site = SampleSite(tmp_path_factory.mktemp("planet"))
    live_a_month(site)
    return site


@pytest.fixture(scope="module")
def app(site: SampleSite) -> Iterator[App]:
    with site.opened() as app:
        yield app


@pytest.fixture(scope="module")
def status(app: App) -> Status:
    return app.store.status(app.in_force.roster, app.clock())


@pytest.fixture(scope="module")
def record(status: Status) -> dict[str, Any]:
    return status_record(status, public=False)


@pytest.fixture(scope="module")
def page(site: SampleSite) -> html.HtmlElement:
    return html.fromstring(site.published("status.html"))


def cells_of(page: html.HtmlElement) -> dict[str, list[str]]:
    """Return the cells of each source on the page, by its title, after its group."""
    found = {}
    for group in page.iterfind(".//table/tbody"):
        heading = group.find("tr[@class='heading']/th/bdi").text
        for row in group.xpath("tr[not(@class='heading')]"):
            (title,) = row.xpath("th/bdi/text()")
            found[title] = [heading, *(cell.text_content().strip() for cell in row.iterfind("td"))]
    return found


def minute(text: str) -> str:
    return f"{datetime.strptime(text, '%d %B %Y, %H:%M').replace(tzinfo=UTC):%Y-%m-%dT%H:%M}" if text else ""


def day(text: str) -> str:
    return f"{datetime.strptime(text, '%d %B %Y').replace(tzinfo=UTC):%Y-%m-%d}" if text else ""


def test_the_page_says_of_each_source_what_the_json_says(record: dict[str, Any], page: html.HtmlElement) -> None:
    cells = cells_of(page)
    shown = [row for row in record["sources"] if row["key"] != "hidden"]
    assert len(cells) == len(shown) == len(KEYS)
    for row in shown:
        title = row["title"] if row["key"] != "secret" else next(name for name in cells if name.startswith("private-"))
        group, word, http, since, tries, newest, due, _ = cells[title]
        state = row["quiet"] or row["state"]
        assert word == WORDS.state(state), title
        assert http == str(row["status"] or ""), title
        assert tries == str(row["failures"] or ""), title
        if state == "silent":
            assert day(since) == row["since"][:10], title
        else:
            assert minute(since) == (row["since"] or "")[:16], title
        assert day(newest) == (row["newest"] or "")[:10], title
        assert minute(due) == ("" if state == "paused" else row["next_due"][:16]), title
        places = {"harbour": "Harbour", "valley": "The Valley"}
        assert group == ("Need a hand" if state in ("failing", "gone") else places[row["categories"][0]]), title


def test_both_jsons_say_the_same_of_each_source(site: SampleSite, record: dict[str, Any]) -> None:
    public = {row["title"]: row for row in json.loads(site.published("status.json"))["sources"]}
    for row in record["sources"]:
        if row["key"] in ("hidden", "secret"):
            continue
        said = public[row["title"]]
        for name in ("state", "quiet", "status", "since", "failures", "newest", "next_due", "last_success", "per_week"):
            assert said[name] == row[name], (row["key"], name)


def test_the_sentences_say_of_each_source_what_the_json_says(status: Status, record: dict[str, Any], app: App) -> None:
    lines = in_words(status, folds=False).splitlines()
    for source, row in zip(status.sources, record["sources"], strict=True):
        (at,) = (number for number, line in enumerate(lines) if re.match(rf"  \w+ +{re.escape(row['title'])}  ", line))
        assert lines[at].split()[0] == (row["quiet"] or row["state"])
        assert f" {row['entries']} entries" in lines[at]
        with app.store.read() as tx:
            history = tx.history.of(source.key, status.at, days=7)
        told = one_in_words(source, history, (), (), status, ZoneInfo("UTC"))
        assert f"  {row['quiet'] or row['state']}, last success {said(row['last_success'])}; " in told
        assert f"the newest of {said(row['newest'])};" in told
        if row["state"] != "paused":
            assert f"  next at {said(row['next_due'])}, " in told
        if row["failures"]:
            http = f", the last with HTTP {row['status']}" if row["status"] else ""
            failed = f"{row['failures']} failures in a row, since {said(row['since'])}{http}"
            assert failed in lines[at + 3]
            assert failed in told


def said(when: str | None) -> str:
    return f"{datetime.fromisoformat(when):%Y-%m-%d %H:%M}" if when else "never"


def test_states_of_the_month_are_those_that_were_lived(record: dict[str, Any]) -> None:
    states = {row["key"]: row["quiet"] or row["state"] for row in record["sources"]}
    assert states == {
        **dict.fromkeys(("daily", "busy", "mended", "hidden"), "ok"),
        **dict.fromkeys(("refused", "broken", "secret"), "failing"),
        **{key: key for key in ("gone", "paused", "never")},
        "silent": "silent",
    }
    told = {row["key"]: (row["status"], row["failures"], row["newest"]) for row in record["sources"]}
    assert told["broken"] == (503, 3, "2026-03-01T07:00:00Z")
    assert told["refused"] == (None, 3, "2026-02-03T12:00:00Z")  # its one entry has no date: when it came
    assert told["daily"] == (200, 0, "2026-03-04T07:00:00Z")
    assert told["silent"] == (304, 0, "2025-07-17T12:00:00Z")


def test_newest_is_the_latest_date_of_the_stored_entries(site: SampleSite, record: dict[str, Any]) -> None:
    query = (
        "SELECT source.key, max(coalesce(published, updated, first_seen)) FROM entry "
        "JOIN source ON source.id = source_id GROUP BY source.key"
    )
    for key, newest in rows(site.folder, query):
        (row,) = (row for row in record["sources"] if row["key"] == key)
        assert datetime.fromisoformat(row["newest"]).timestamp() == newest / 1e6, key


def test_days_are_the_sums_of_all_sources(site: SampleSite, record: dict[str, Any]) -> None:
    days = record["days"]
    assert len(days) == DAYS
    assert days[0]["day"] == "2026-03-04"
    for name in ("polls", "not_modified", "bytes", "failures", "new", "late"):
        query = f"SELECT sum({name}) FROM poll_day GROUP BY day ORDER BY day DESC LIMIT {DAYS}"
        assert [one[name] for one in days] == [count for (count,) in rows(site.folder, query)], name
    assert days[0]["details"] == days[0]["further"] == {"requests": 0, "bytes": 0, "failures": 0}
    assert days[0]["late"] > 0


def test_bars_show_the_stories_and_the_failures_of_each_day(page: html.HtmlElement) -> None:
    row = next(row for row in page.iterfind(".//table/tbody/tr") if "Broken" in row.text_content())
    (chart,) = row.iterfind(".//svg")
    bars, failed = (path.get("d") for path in chart.iterfind("path"))
    assert bars.count("M") == DAYS - 3 - 1  # what its first poll brought is no news
    assert failed == "".join(f"M{at} 21v3" for at in (110, 114, 118))
    assert chart.get("aria-label") == "Stories: 26, at most 1 a day. Days with failures: 3."


def test_nothing_private_or_unlisted_is_on_the_page(site: SampleSite) -> None:
    for path in ("status.html", "status.json"):
        text = site.published(path).decode()
        assert SECRET not in text
        assert "secret.example" not in text
        assert "hidden" not in text.replace('aria-hidden="true"', "").lower()
