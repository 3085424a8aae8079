"""Tests of `status`: sentences, one source, JSON, and what is public (S44, S69)."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from aggregator.app import App, open_app
from aggregator.cli.status import in_words, one_in_words
from aggregator.config.loader import read_config
from aggregator.render.status_json import status_record
from aggregator.store.history import KEPT
from tests.command import Done, aggregator
from tests.fake_source import FakeSource, said
from tests.feed_server import FeedServer, Reply, redirect
from tests.sample_site import LOOPBACK, START, SampleSite, item, rss

MISSPELT = "categories: {python: {}}\nsources: [{key: a, url: 'https://a.example/', category: pyhton}]\n"
BERLIN = ZoneInfo("Europe/Berlin")
FORMATS = "publish: {formats: [atom, json, html]}\n"


def run(folder: Path, *arguments: str, **environ: str) -> Done:
    return aggregator("-c", str(folder / "feeds.yaml"), *arguments, environ=environ)


def told(folder: Path, *arguments: str, **environ: str) -> dict[str, Any]:
    done = run(folder, "status", "--json", *arguments, **environ)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def record(app: App) -> dict[str, Any]:
    return status_record(app.store.status(app.in_force.roster, app.clock()), public=False)


@pytest.fixture
def site(tmp_path: Path) -> SampleSite:
    site = SampleSite(tmp_path)
    site.writes(
        "sources: [{key: a, url: 'https://a.example/', every: 1h}, {key: b, url: 'https://b.a.example/', every: 1h}]"
    )
    return site


def one(app: App, key: str) -> str:
    status = app.store.status(app.in_force.roster, app.clock())
    (source,) = (source for source in status.sources if source.key == key)
    with app.store.read() as tx:
        history = tx.history.of(source.key, status.at, days=7)
    alarms = [alarm for alarm in status.alarms if alarm.source == key]
    return one_in_words(source, history, alarms, (), status, BERLIN)


def test_status_key_says_why_it_is_due_and_shows_the_last_polls_and_days(site: SampleSite) -> None:
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says(
            "a", said(1, published=START - timedelta(days=9)), said(2, published=START - timedelta(days=2))
        )
        site.clock.move(days=1)
        fake_source.unchanged(["a"])
        lines = one(app, "a").splitlines()
        due = app.store.status(app.in_force.roster, app.clock()).sources[-1]
    assert lines[0] == "Feed a (a, line 2), https://a.example/"
    newest = "the newest of 2026-03-02 13:00"
    assert lines[1] == f"  ok, last success 2026-03-05 13:00; 2 entries, 0.5 a week, {newest}; in general"
    assert lines[2] == "  validators: ETag"
    assert lines[3].startswith(f"  next at {due.next_due.astimezone(BERLIN):%Y-%m-%d %H:%M}, in ")
    assert lines[3].endswith(": every 60 min (set in feeds.yaml)")
    table = [line.split() for line in lines[lines.index("Last polls (Europe/Berlin):") + 1 :]]
    assert table[1][:8] == ["2026-03-05", "13:00:00", "not_modified", "304", "0", "B", "0", "0"]
    assert table[2][:8] == ["2026-03-04", "13:00:00", "fetched", "200", "0", "B", "0", "2"]
    assert table[-2:] == [
        ["2026-03-05", "1", "1", "0", "0", "0", "B", "0"],
        ["2026-03-04", "1", "0", "0", "0", "0", "B", "2"],
    ]


def test_r67_status_in_words_names_what_is_wrong_and_what_polling_costs(site: SampleSite) -> None:
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.unchanged(["a", "b"])
        for _ in range(3):
            site.clock.move(days=3)
            fake_source.fails("a", "dns")
        fake_source.unchanged(["b"])
        lines = in_words(app.store.status(app.in_force.roster, app.clock())).splitlines()
        in_full = one(app, "a")
    assert lines[0] == "2 sources, 1 in trouble; 0 stories."
    assert lines[1] == (
        "Since 2026-03-12 00:00 UTC: 2 polls, 50% not modified, 1 failed, 0 B; busiest host a.example with 2."
    )
    assert lines[2].startswith("  failing  a.example        0 entries  next in ")
    assert [line.strip() for line in lines[3:7]] == [
        "a (line 2)",
        "dns: it failed",
        "3 failures in a row, since 2026-03-07 12:00",
        "alarm dead: no success since 2026-03-04; 3 failures in a row (dns)",
    ]
    assert "  3 failures in a row, since 2026-03-07 13:00; dns: it failed" in in_full
    assert "  alarm dead: no success since" in in_full


def test_json_says_what_fetching_costs_by_host_the_busiest_first(site: SampleSite) -> None:
    site.writes(
        "sources: [{key: a, url: 'https://a.example/'}, {key: b, url: 'https://b.example/'}, "
        "{key: c, url: 'https://c.b.example/'}]",
        hosts="hosts: {b.example: {spacing: 5s}}\n",
    )
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.unchanged(["a", "b", "c"])
        fake_source.fails("c")
        fetching = record(app)["fetching"]
    hosts = fetching.pop("hosts")
    assert fetching == {
        "since": "2026-03-04T12:00:00Z",
        "polls": 4,
        "not_modified": 3,
        "share_304": 0.75,
        "bytes": 0,
        "failures": 1,
        "unconditional": 0,
        "details": {"requests": 0, "bytes": 0, "failures": 0},
        "further": {"requests": 0, "bytes": 0, "failures": 0},
    }
    assert [(host["host"], host["sources"], host["polls"], host["spacing_s"]) for host in hosts] == [
        ("b.example", 2, 3, 5.0),
        ("a.example", 1, 1, 2.0),
    ]


def test_json_names_at_most_50_hosts(site: SampleSite) -> None:
    site.writes("sources:\n" + "".join(f"  - {{key: s{n}, url: 'https://s{n}.example/'}}\n" for n in range(60)))
    with site.opened() as app:
        FakeSource(app).unchanged(["s59"])
        hosts = record(app)["fetching"]["hosts"]
    assert len(hosts) == 50
    assert hosts[0]["host"] == "s59.example"


def test_a_source_never_polled_has_no_reason_yet(site: SampleSite) -> None:
    with site.opened() as app:
        (row, _) = record(app)["sources"]
        assert (row["because"], row["moved_to"], row["clock_skew_s"]) == (None, None, None)
        assert "Last polls" not in one(app, "a")


def test_p40_where_a_feed_has_moved_is_proposed(tmp_path: Path, publisher: FeedServer) -> None:
    new = publisher.serve("/new.xml?feed=1", rss(item(1)))
    old = publisher.says("/old.xml", redirect(new, 301))
    (tmp_path / "feeds.yaml").write_text(f"{LOOPBACK}{FORMATS}sources: [{{key: a, url: '{old}'}}]")
    assert run(tmp_path, "poll").returncode == 0
    (row,) = told(tmp_path)["sources"]
    assert row["moved_to"] == new
    named = f"`aggregator rename a --url '{new}'`"
    assert row["advice"] == f"it redirects permanently; {named} writes that address into feeds.yaml"
    assert f"redirects permanently to {new}" in run(tmp_path, "status", "a").stdout
    public = (tmp_path / "public/status.json").read_text()
    assert "new.xml" not in public


def test_s44_where_a_feed_has_moved_shows_no_secret(tmp_path: Path, publisher: FeedServer) -> None:
    publisher.serve("/new.xml", rss(item(1)))
    new = publisher.serve("/new.xml?token=1f2e3d4c5b6a", rss(item(1)))
    old = publisher.says("/old.xml?token=1f2e3d4c5b6a", redirect(new, 301))
    text = f"{LOOPBACK}{FORMATS}sources: [{{key: a, url: '{old.replace('1f2e3d4c5b6a', '${TOKEN}')}'}}]"
    (tmp_path / "feeds.yaml").write_text(text)
    assert run(tmp_path, "poll", TOKEN="1f2e3d4c5b6a").returncode == 0
    for arguments in (("status",), ("status", "a"), ("status", "--json"), ("status", "a", "--json")):
        said = run(tmp_path, *arguments, TOKEN="1f2e3d4c5b6a").stdout
        assert "/new.xml" in said
        assert "1f2e3d4c5b6a" not in said
        assert "rename" not in said, "the address that is shown is not the whole one"


def test_p88_a_clock_that_is_off_is_shown(tmp_path: Path, publisher: FeedServer) -> None:
    ahead = {"Date": "Sat, 01 Jan 2050 00:00:00 GMT"}
    url = publisher.says("/feed.xml", Reply(200, rss(item(1)), ahead))
    (tmp_path / "feeds.yaml").write_text(f"{LOOPBACK}{FORMATS}sources: [{{key: a, url: '{url}'}}]")
    run(tmp_path, "poll")
    (row,) = told(tmp_path)["sources"]
    assert row["clock_skew_s"] > timedelta(days=365).total_seconds()
    assert "ahead of ours" in run(tmp_path, "status", "a").stdout


def test_status_key_as_json_has_polls_days_validators_and_alarms(tmp_path: Path, publisher: FeedServer) -> None:
    url = publisher.serve("/feed.xml", rss(item(1), item(2)))
    (tmp_path / "feeds.yaml").write_text(f"{LOOPBACK}{FORMATS}sources: [{{key: a, url: '{url}'}}]")
    for _ in range(2):
        run(tmp_path, "poll", "--all")
    row = told(tmp_path, "a")
    assert row["validators"] == {"etag": True, "last_modified": True}
    assert [poll["status"] for poll in row["recent"]] == [304, 200]
    assert row["recent"][1]["new"] == 2
    assert row["recent"][1]["bytes"] > 500
    assert row["recent"][0]["next_due"] == row["next_due"]
    assert sum(day["polls"] for day in row["days"]) == 2
    assert row["alarms"] == []
    assert told(tmp_path, url) == row, "a URL names a source as well"


def test_p93_no_more_than_20_polls_are_shown(site: SampleSite) -> None:
    with site.opened() as app:
        for _ in range(KEPT + 5):
            FakeSource(app).unchanged(["a"])
        assert one(app, "a").count("not_modified") == KEPT


def test_p75_status_asks_for_a_contact(tmp_path: Path, publisher: FeedServer) -> None:
    url = publisher.serve("/feed.xml", rss(item(1)))
    text = f"{LOOPBACK}{FORMATS}sources: ['{url}']\n"
    (tmp_path / "feeds.yaml").write_text(text)
    run(tmp_path, "poll")
    assert "site.contact" in run(tmp_path, "status").stdout
    (tmp_path / "feeds.yaml").write_text(f"site: {{contact: ops@example.org}}\n{text}")
    assert "site.contact" not in run(tmp_path, "status").stdout


def test_s69_the_public_is_told_totals_alone(site: SampleSite) -> None:
    site.writes(
        "sources: [{key: a, url: 'https://a.example/'}, "
        "{key: secret, url: 'https://hidden.example/f00/', private: true}]"
    )
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.unchanged(["a", "secret"])
        for _ in range(3):
            site.clock.move(days=3)
            fake_source.fails("secret", "dns")
        app.publisher.publish()
        kept = record(app)
    public = json.loads(site.published("status.json"))
    assert [alarm["source"] for alarm in kept["alarms"] if alarm["code"] == "dead"] == ["secret"]
    assert public["fetching"] == {name: value for name, value in kept["fetching"].items() if name != "hosts"}
    assert {alarm["code"] for alarm in public["alarms"]} <= {"lag", "network_down"}
    assert public["lag"] == kept["lag"]
    for path in ("status.json", "status.html"):
        assert b"hidden" not in site.published(path)
        assert b"it failed" not in site.published(path)
    assert "polls" in site.published("status.html").decode()


def test_a_misspelt_category_that_is_in_force_stays_so_beside_the_error(tmp_path: Path) -> None:
    """As after an upgrade from a version that made a category of it."""
    site = SampleSite(tmp_path)
    site.writes(MISSPELT)
    path = tmp_path / "feeds.yaml"
    settings = read_config(path.read_bytes(), path, {}, was_in_force=True)
    open_app(settings, command="poll", clock=site.clock).close()
    record = told(tmp_path)
    assert [category["slug"] for category in record["categories"]] == ["python", "pyhton"]
    assert 'write "python"' in record["config"]["error"]
    assert run(tmp_path, "poll").returncode == 2


def test_a_rate_leaves_out_what_the_first_poll_found(site: SampleSite) -> None:
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("a", *(said(number, published=START - timedelta(days=40 * number)) for number in range(1, 30)))
        assert record(app)["sources"][0]["per_week"] == 0, "none of them is of the last four weeks"
        site.clock.move(days=7)
        fake_source.says("a", said("x", published=site.clock.now), said("y", published=site.clock.now))
        site.clock.move(days=7)
        fake_source.unchanged(["a"])
        (a,) = (source for source in record(app)["sources"] if source["key"] == "a")
    assert a["per_week"] == 1


def test_what_polling_cost_is_told_since_the_first_start_at_most(site: SampleSite) -> None:
    with site.opened() as app:
        assert record(app)["fetching"]["since"] == "2026-03-04T12:00:00Z"
        site.clock.move(days=3)
        assert record(app)["fetching"]["since"] == "2026-03-06T00:00:00Z"


def test_the_newest_of_a_category_is_the_latest_date_of_its_stories(site: SampleSite) -> None:
    with site.opened() as app:
        fake_source = FakeSource(app)
        assert record(app)["categories"][0]["newest"] is None
        fake_source.says(
            "a", said(1, published=START - timedelta(days=30)), said(2, published=START - timedelta(days=90))
        )
        assert record(app)["categories"][0]["newest"] == "2026-02-02T12:00:00Z"
        site.clock.move(days=1)
        fake_source.says("b", said("late", published=START - timedelta(days=60)))
        assert record(app)["categories"][0]["newest"] == "2026-02-02T12:00:00Z", "it arrived last, and is older"
        fake_source.says(
            "b", said("late", published=START - timedelta(days=60)), said("ahead", published=START + timedelta(99))
        )
        assert record(app)["categories"][0]["newest"] == "2026-03-05T12:00:00Z", "as pages show a date ahead (I42)"
        fake_source.says("a", said("undated"))
        assert record(app)["categories"][0]["newest"] == "2026-03-05T12:00:00Z"


def test_a_paused_source_promises_no_poll_anywhere(site: SampleSite) -> None:
    site.writes("sources: [{key: a, url: 'https://a.example/', paused: true}, {key: b, url: 'https://b.example/'}]")
    with site.opened() as app:
        assert "\n  not polled\n" in one(app, "a") + "\n"
    done = run(site.folder, "why", "a")
    assert "not polled, since feeds.yaml says paused: true" in done.stdout
    assert "next poll" not in done.stdout


def test_a_page_that_names_its_feed_is_advised_with_that_address(tmp_path: Path, publisher: FeedServer) -> None:
    link = "<link rel=alternate type=application/rss+xml href={}>"
    page = "<!doctype html><html><head><title>Site</title>{}</head><body>Hello</body></html>"
    html = {"Content-Type": "text/html"}
    publisher.says("/one", Reply(200, page.format(link.format("/all.rss")).encode(), html))
    two = link.format("/a.rss") + link.format("/b.rss")
    publisher.says("/two", Reply(200, page.format(two).encode(), html))
    publisher.says("/none", Reply(200, page.format("").encode(), html))
    lines = "".join(f"  - {{key: {key}, url: '{publisher.url(f'/{key}')}'}}\n" for key in ("one", "two", "none"))
    site = SampleSite(tmp_path)
    site.writes(f"sources:\n{lines}")
    site.poll()
    with site.opened() as app:
        advice = {source["key"]: source["advice"] for source in record(app)["sources"]}
    assert advice == {
        "one": f"`aggregator rename one --url {publisher.url('/all.rss')}` writes that",
        "two": "`aggregator check --live two` lists them",
        "none": "the answer is not a feed; look for the feed's own address",
    }


def test_a_character_set_that_was_guessed_is_advised_in_the_list(tmp_path: Path, publisher: FeedServer) -> None:
    text = "山东省政府召开新闻发布会，介绍今年以来全省经济运行情况。" * 20
    body = rss(item(1, title=text)).decode().replace("utf-8", "gb2312").encode("gb18030")
    url = publisher.serve("/gbk", body.replace(b"gb2312", b"utf-8"))
    site = SampleSite(tmp_path)
    site.writes(f"sources: [{{key: gbk, url: '{url}'}}]")
    site.poll()
    (source,) = told(tmp_path)["sources"]
    assert (source["state"], source["advice"].endswith("the bytes are gb18030; write encoding: gb18030")) == (
        "ok",
        True,
    )
    assert "→ " in run(tmp_path, "status").stdout
    site.writes(f"sources: [{{key: gbk, url: '{url}', encoding: gb18030}}]")
    assert told(tmp_path)["sources"][0]["advice"] is None


def test_what_answers_and_brings_nothing_is_not_fine_on_the_status_page(tmp_path: Path) -> None:
    site = SampleSite(tmp_path)
    names = [f"s{number}" for number in range(8)]
    site.writes(
        "sources:\n" + "".join(f"  - {{key: {key}, url: 'https://{key}.example/feed', every: 1h}}\n" for key in names)
    )
    with site.opened() as app:
        fake_source = FakeSource(app)
        for key in names:
            fake_source.says(key, said(key, published=START - timedelta(days=400)))
        fake_source.says("s0", said("new", published=START))
        app.publisher.publish()
        public = json.loads(site.published("status.json"))
    assert [source["quiet"] for source in public["sources"]] == ["silent"] * 7 + [None]
    page = site.published("status.html").decode()
    assert page.count("<strong>quiet</strong>") == 7
    assert page.count("<strong>fine</strong>") == 1
    assert "<dt>Quiet</dt><dd>7</dd>" in page
