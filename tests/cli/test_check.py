"""Tests of `aggregator check --live` as a process: findings, requests, nothing stored."""

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from aggregator.cli.check_words import in_words
from tests.command import Done, aggregator
from tests.feed_server import FeedServer, Hangs, Reply, redirect
from tests.patience import PATIENCE
from tests.sample_site import LOOPBACK, item, rss

PAGE = b"""<!doctype html><html><head><title>Site</title>
<link rel=alternate type=application/rss+xml title="Comments" href=/comments>
<link rel=alternate type=application/rss+xml href=/all.rss>
<link rel=alternate type=application/atom+xml title="All" href=/all.atom></head><body>Hello</body></html>"""


def command(folder: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "aggregator", "-c", str(folder / "feeds.yaml"), "check", *arguments]


def run(folder: Path, *arguments: str) -> Done:
    return aggregator("-c", str(folder / "feeds.yaml"), "check", *arguments)


def writes(folder: Path, **sources: str) -> None:
    lines = "".join(f"  - {{key: {key}, {said}}}\n" for key, said in sources.items())
    (folder / "feeds.yaml").write_text(f"{LOOPBACK}sources:\n{lines}", encoding="utf-8")


def found(folder: Path, *arguments: str) -> dict[str, dict[str, Any]]:
    """Return the rows of `--live --json` by key."""
    record = json.loads(run(folder, "--live", "--json", *arguments).stdout)
    assert record["version"] == 1
    return {row["key"]: row for row in record["live"]["results"]}


def advice(row: dict[str, Any]) -> dict[str, dict[str, str]]:
    return {each["code"]: each["write"] for each in row["advice"]}


def now(**ago: float) -> str:
    return (datetime.now(UTC) - timedelta(**ago)).strftime("%a, %d %b %Y %H:%M:%S GMT")


def test_nothing_is_wrong_with_a_good_feed_and_nothing_is_stored(tmp_path: Path, publisher: FeedServer) -> None:
    url = publisher.serve("/good", rss(item(1, pubDate=now(hours=3)), item(2, guid="", title="")))
    writes(tmp_path, good=f"url: '{url}'")
    done = run(tmp_path, "--live")
    assert done.returncode == 0, done.stderr
    assert "ok       A feed (good, line 3): HTTP 200, rss 2.0, utf-8, 2 entries" in done.stdout
    assert done.stdout.endswith("Checked 1 of 1 source; nothing is wrong.\n")
    row = found(tmp_path)["good"]
    assert row["entries"] == {"count": 2, "without_date": 1, "without_id": 1, "without_title": 1, "left_out": 0}
    assert row["conditional"] is True
    assert 3 * 3600 <= row["newest_age_s"] < 3 * 3600 + 60
    assert [path.name for path in tmp_path.iterdir()] == ["feeds.yaml"]


def test_i4_a_wrong_charset_is_told_with_what_to_write(tmp_path: Path, publisher: FeedServer) -> None:
    text = "记者从会上获悉，今年以来全省经济运行总体平稳，稳中有进，新闻发布会介绍了有关情况。"
    document = rss(*(item(n, title=f"新闻发布会{n}", description=text) for n in range(5)))
    body = document.decode().encode("gb18030")
    said = {"Content-Type": "application/rss+xml; charset=utf-8"}
    writes(tmp_path, gbk=f"url: '{publisher.says('/gbk', Reply(200, body, said))}'")
    row = found(tmp_path)["gbk"]
    assert advice(row) == {"charset": {"encoding": "gb18030"}}
    assert row["charset"]["against"] == ["header: utf-8", "declaration: utf-8"]
    writes(tmp_path, gbk=f"url: '{publisher.url('/gbk')}', encoding: gb18030")
    assert run(tmp_path, "--live").returncode == 0, "what it said to write was right"


def test_p41_the_address_that_permanent_redirects_lead_to_is_told(tmp_path: Path, publisher: FeedServer) -> None:
    start = publisher.says("/1", redirect("/2", 301))
    publisher.says("/2", redirect("/3", 308))
    target = publisher.says("/3", redirect("/4", 302))
    publisher.serve("/4", rss(item(1)))
    writes(tmp_path, moved=f"url: '{start}'", here=f"url: '{target}'")
    rows = found(tmp_path)
    assert advice(rows["moved"])["moved"] == {"url": target, "was": start}
    assert [hop["status"] for hop in rows["moved"]["redirects"]] == [301, 308, 302]
    assert rows["moved"]["ended_at"].endswith("/4")
    assert "moved" not in advice(rows["here"]), "a 302 is no reason to write another address"
    assert {code for row in rows.values() for code in advice(row)} == {"moved", "same_address"}
    texts = [each["text"] for row in rows.values() for each in row["advice"] if each["code"] == "same_address"]
    assert [text.split(";")[0] for text in texts] in (
        ["it ends at the same address as A feed (moved)"],
        ["it ends at the same address as A feed (here)"],
    )


def test_i14_a_page_is_no_feed_and_the_feeds_behind_it_are_named_best_first(
    tmp_path: Path, publisher: FeedServer
) -> None:
    page = publisher.says("/", Reply(200, PAGE, {"Content-Type": "text/html"}))
    login = publisher.says("/login", Reply(200, b"<html><title>Log in</title><input type=password></html>"))
    writes(tmp_path, page=f"url: '{page}'", login=f"url: '{login}'", gone=f"url: '{publisher.url('/none')}'")
    rows = found(tmp_path)
    assert [feed["url"].rpartition("/")[2] for feed in rows["page"]["feeds"]] == ["all.atom", "all.rss", "comments"]
    assert advice(rows["page"]) == {"not_a_feed": {"url": publisher.url("/all.atom")}}
    assert "a login page" in rows["login"]["error"]
    assert advice(rows["gone"]) == {"not_found": {}}
    assert [asked.path for asked in publisher.asked if asked.path != "/robots.txt"].count("/all.atom") == 0


def test_silence_and_the_future_and_an_empty_feed(tmp_path: Path, publisher: FeedServer) -> None:
    old = publisher.serve("/old", rss(*(item(n, pubDate=now(days=400 + n)) for n in range(4))))
    ahead = publisher.serve("/ahead", rss(item(1, pubDate=now(days=-3))))
    empty = publisher.serve("/empty", rss())
    writes(tmp_path, old=f"url: '{old}'", ahead=f"url: '{ahead}'", empty=f"url: '{empty}'")
    assert {key: list(advice(row)) for key, row in found(tmp_path).items()} == {
        "old": ["silent"],
        "ahead": ["future"],
        "empty": ["no_entries"],
    }


def test_the_worst_comes_first_and_what_is_alike_is_told_once(tmp_path: Path, publisher: FeedServer) -> None:
    dated = [item(n, pubDate=now(hours=n)) for n in range(8)]
    kept, copy = publisher.serve("/feed.atom", rss(*dated)), publisher.serve("/feed.rss", rss(*dated[:6]))
    part = publisher.serve("/tag", rss(*dated[:5], item(9, pubDate=now(hours=9))))  # of other entries as well
    few = publisher.serve("/few", rss(*dated[:4]))  # so few prove nothing
    sources = {f"lost{n}": f"url: '{publisher.says(f'/lost{n}', Reply(404))}'" for n in range(6)}
    sources |= {name: f"url: '{url}'" for name, url in (("copy", copy), ("kept", kept), ("part", part), ("few", few))}
    writes(tmp_path, **sources, bad=f"url: '{publisher.says('/bad', Reply(500))}'")
    done = run(tmp_path, "--live")
    told = done.stdout.splitlines()
    place = publisher.url("").removeprefix("http://")
    assert told[0].startswith(f"failed   {place}/bad (bad, line 13): HTTP 500")
    (names,) = (line for line in told if "6 sources answer 404 (not_found)" in line)
    assert names == "failed   6 sources answer 404 (not_found): " + ", ".join(
        f"{place}/lost{n} (line {n + 3})" for n in range(6)
    )
    assert told[told.index(names) + 1] == "         ! not_found: look for its new address on the site"
    assert [line.split()[0] for line in told if line[0] != " "][2:] == ["look", "ok", "ok", "ok", "1", "Checked"]
    (said,) = (line for line in told if "! copy" in line)
    assert said.strip() == (
        "! copy: all its 6 entries are in A feed (kept) too; keep that one, with the categories of both"
    )
    assert told[-2:] == ["1 http, 6 not_found, 1 copy, 3 ok", "Checked 11 of 11 sources; 8 need attention."]
    each = run(tmp_path, "--live", "--all").stdout
    assert each.count("! not_found: ") == 6
    record = json.loads(run(tmp_path, "--live", "--json").stdout)["live"]
    assert list(record["kinds"].items()) == [("http", 1), ("not_found", 6), ("copy", 1), ("ok", 3)]
    assert [row["kind"] for row in record["results"]] == ["not_found"] * 6 + ["copy", "ok", "ok", "ok", "http"]
    assert run(tmp_path, "--all").returncode == 2


def test_only_what_is_named_is_asked_and_never_who_is_paused(tmp_path: Path, publisher: FeedServer) -> None:
    one, two = publisher.serve("/1", rss(item(1))), publisher.serve("/2", rss(item(2)))
    writes(tmp_path, one=f"url: '{one}'", two=f"url: '{two}', paused: true")
    assert found(tmp_path)["two"]["reason"] == "paused"
    assert list(found(tmp_path, one)) == ["one"]
    assert {asked.path for asked in publisher.asked} == {"/1"}
    done = run(tmp_path, "--live", "oen")
    assert (done.returncode, "did you mean one?" in done.stderr) == (2, True)
    for arguments in (["one"], ["--strict"]):
        done = run(tmp_path, *arguments)
        assert (done.returncode, "--live" in done.stderr, done.stdout) == (2, True, "")


def test_strict_minds_what_was_odd_too(tmp_path: Path, publisher: FeedServer) -> None:
    url = publisher.serve("/odd", rss(item(1, pubDate=now(hours=1))), {"Content-Type": "text/plain"})
    writes(tmp_path, odd=f"url: '{url}'")
    assert [run(tmp_path, "--live", *more).returncode for more in ([], ["--strict"])] == [0, 1]
    assert found(tmp_path)["odd"]["notices"] == ["served as text/plain"]


def test_p69_who_was_asked_a_moment_ago_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "feeds.yaml").write_text("sources: [{url: 'http://127.0.0.1:9/', key: one}]\n", encoding="utf-8")
    assert aggregator("poll", cwd=tmp_path).returncode == 0
    done = run(tmp_path, "--live")
    assert "skipped  127.0.0.1:9 (one, line 1): was asked at" in done.stdout
    assert done.returncode == 0


def test_p61_a_host_is_asked_one_request_at_a_time_with_its_spacing(tmp_path: Path, publisher: FeedServer) -> None:
    urls = [publisher.serve(f"/{n}", rss(item(n))) for n in range(3)]
    lines = "".join(f"  - '{url}'\n" for url in urls)
    hosts = "hosts: {127.0.0.0/8: {allow_private: true, spacing: 1s}}\n"
    (tmp_path / "feeds.yaml").write_text(f"{hosts}sources:\n{lines}", encoding="utf-8")
    assert run(tmp_path, "--live").returncode == 0
    first, _, third = (asked.at for asked in publisher.asked)
    assert third - first > 1, "two seconds, but that the publisher may be slow to see the first"


def test_p30_a_429_is_a_rest_for_the_others_of_its_host(tmp_path: Path, publisher: FeedServer) -> None:
    urls = [publisher.says(f"/{n}", Reply(429, b"")) for n in range(3)]
    hosts = "hosts: {127.0.0.0/8: {allow_private: true, spacing: 0.1s}}\n"
    lines = "".join(f"  - '{url}'\n" for url in urls)
    (tmp_path / "feeds.yaml").write_text(f"{hosts}sources:\n{lines}", encoding="utf-8")
    rows = found(tmp_path)
    assert sorted(row["outcome"] for row in rows.values()) == ["failed", "skipped", "skipped"]
    assert len(publisher.asked) == 1
    failed = next(row for row in rows.values() if row["outcome"] == "failed")
    told = f"its host answered 429 to {failed['name']} ({failed['key']}, line {failed['line']}), "
    assert [row["reason"].startswith(told) for row in rows.values() if row["reason"]] == [True, True]


def test_a_mapped_field_that_finds_nothing_is_named(tmp_path: Path, publisher: FeedServer) -> None:
    records = [{"id": n, "headline": f"News {n}", "link": f"https://e.example/{n}"} for n in range(5)]
    url = publisher.says("/api", Reply(200, json.dumps(records).encode(), {"Content-Type": "application/json"}))
    few = publisher.says("/few", Reply(200, json.dumps(records[:4]).encode(), {"Content-Type": "application/json"}))
    more = "kind: json, items: '@', entry: {id: id, link: url_w, title: headline}"
    writes(tmp_path, api=f"url: '{url}', {more}", few=f"url: '{few}', {more}")
    rows = found(tmp_path)
    (advice,) = rows["api"]["advice"]
    assert advice["code"] == "no_field"
    assert advice["text"].startswith("entry.link finds nothing in any of 5 entries; ")
    assert rows["few"]["advice"] == [], "so few prove nothing"


def test_a_was_that_comes_too_late_is_said_not_to_work(tmp_path: Path) -> None:
    (tmp_path / "one.xml").write_bytes(rss(item(1)))
    config, text = tmp_path / "feeds.yaml", "sources: [{kind: file, url: one.xml, category: %s}]\n"
    for key in ("friends", "buddies"):
        config.write_text(text % key, encoding="utf-8")
        assert aggregator("-c", str(config), "poll").returncode == 0
    config.write_text("categories: {buddies: {was: friends}}\n" + text % "buddies", encoding="utf-8")
    said = run(tmp_path).stderr
    assert f'{config}: was: "friends" of category "buddies" has no effect: ' in said
    assert "for the readers of category/friends.* to get news again" in said
    config.write_text("categories: {friends: {title: Buddies}}\n" + text % "friends", encoding="utf-8")
    assert "friends" not in run(tmp_path).stderr, "as it says"
    assert "was:" not in aggregator("-c", str(config), "plan").stdout


def test_a_missing_server_is_told_with_all_else_that_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aggregator.cli.check.find_spec", lambda name: None)
    (tmp_path / "feeds.yaml").write_text("sources: [5]\n", encoding="utf-8")
    done = run(tmp_path, "--server", "granian")
    assert done.returncode == 2
    assert "--server granian needs the extra granian; install it: " in done.stderr
    assert "is a number without quotes" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_r54_a_signal_ends_it_with_what_was_found(
    tmp_path: Path, publisher: FeedServer, number: signal.Signals
) -> None:
    good, bad = publisher.serve("/good", rss(item(1))), publisher.says("/hangs", Hangs(), host="127.0.0.2")
    writes(tmp_path, good=f"url: '{good}'", bad=f"url: '{bad}', timeout: 60s")
    process = subprocess.Popen(command(tmp_path, "--live", "--json"), stdout=subprocess.PIPE, text=True)
    publisher.wait_until_asked(2)
    process.send_signal(number)
    out, _ = process.communicate(timeout=PATIENCE)
    rows = {row["key"]: row["outcome"] for row in json.loads(out)["live"]["results"]}
    assert process.returncode == 128 + number
    assert rows["bad"] == "skipped"


def test_r56_without_live_nobody_is_asked(tmp_path: Path, publisher: FeedServer) -> None:
    writes(tmp_path, good=f"url: '{publisher.serve('/good', rss(item(1)))}'")
    assert run(tmp_path).returncode == 0
    assert publisher.asked == []


def test_check_says_all_at_once_a_missing_theme_and_file_and_what_it_warns_of(tmp_path: Path) -> None:
    config = tmp_path / "feeds.yaml"
    config.write_text(
        "publish:\n  theme: them/\nsources:\n  - {url: samples/none.xml, kind: file}\n"
        "  - {url: 'https://a.example/?token=abcdefgh1234'}\n",
        encoding="utf-8",
    )
    done = run(tmp_path)
    assert done.returncode == 2
    theme = f"{config}:2:10: there is no folder them; make it, or take theme out"
    file = f"{config}:4:1: there is no file {tmp_path.resolve()}/samples/none.xml; put it there, or correct url"
    assert theme in done.stderr.splitlines()
    assert f"{file} (a warning)" in done.stderr.splitlines()
    assert "a password or token is written out" in done.stderr
    record = json.loads(run(tmp_path, "--json").stdout)
    assert [problem["line"] for problem in record["problems"]] == [2]
    assert len(record["warnings"]) == 2
    (tmp_path / "them").mkdir()
    good = run(tmp_path)
    assert (good.returncode, file in good.stderr.splitlines()) == (0, True)


def test_s44_an_address_shows_no_secret(tmp_path: Path, publisher: FeedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "s3cr3t-t0ken")
    publisher.says("/feed?t=s3cr3t-t0ken", redirect("/moved?t=s3cr3t-t0ken", 301))
    publisher.serve("/moved?t=s3cr3t-t0ken", rss(item(1)))
    writes(tmp_path, private=f"url: '{publisher.url('/feed')}?t=${{TOKEN}}'")
    done = run(tmp_path, "--live", "--json")
    assert "moved" in done.stdout
    assert "s3cr3t" not in done.stdout + done.stderr


def test_s31_a_terminal_is_told_nothing_it_would_obey() -> None:
    row: dict[str, Any] = dict.fromkeys(("status", "format", "newest", "hints", "ended_at"))
    row |= {
        "key": "k",
        "name": "k",
        "line": 1,
        "outcome": "fetched",
        "bytes": 1,
        "ms": 1,
        "redirects": [],
        "feeds": [],
        "advice": [],
    }
    assert all(char == "\n" or char.isprintable() for char in in_words(row | {"notices": ["\x1b[31m\x9b\u202e"]}))
