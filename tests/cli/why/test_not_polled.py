"""Tests of `why` where something did not happen: late or paused polls, hosts that rest, entries that did not merge."""

from pathlib import Path

from aggregator.app import App
from aggregator.cli.why.command import explain
from aggregator.model.status import Outage
from tests.cli.why.test_command import FEEDS, TEXT, TITLE  # noqa: F401 - FEEDS is the feeds.yaml of `site`
from tests.command import aggregator
from tests.fake_source import FakeSource
from tests.fake_source import said as entry
from tests.feed_server import FeedServer, Reply
from tests.sample_site import LOOPBACK, START, SampleSite, item, rss


def why(folder: Path, thing: str) -> str:
    done = aggregator("-c", str(folder / "feeds.yaml"), "why", thing)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_host_that_rests_is_told_with_who_asked_for_it(tmp_path: Path, publisher: FeedServer) -> None:
    url = publisher.says("/one", Reply(429, headers={"Retry-After": "3600"}))
    other = publisher.serve("/two", rss(item(1)))
    text = f"{LOOPBACK}sources:\n  - {{url: '{url}', key: one}}\n  - {{url: '{other}', key: two, title: Two}}\n"
    (tmp_path / "feeds.yaml").write_text(text.replace("parallel: 16", "parallel: 1"), encoding="utf-8")
    aggregator("-c", str(tmp_path / "feeds.yaml"), "poll")
    told = why(tmp_path, "127.0.0.1").splitlines()
    assert told[0] == "127.0.0.1 (host of 2 sources)"
    assert "127.0.0.1 rests until " in told[1]
    assert told[1].endswith(f"since it answered 429 to {url.removeprefix('http://')}")
    assert any(line.startswith("  Two (two): next poll ") for line in told)
    assert "since it answered 429 to" in why(tmp_path, "two").splitlines()[2]


def test_a_paused_source_is_told_with_since_when_and_what_polls_it(tmp_path: Path) -> None:
    site = SampleSite(tmp_path)
    (tmp_path / "one.xml").write_bytes(rss(item(1)))
    for paused in ("", ", paused: true"):
        site.writes(f"sources: [{{kind: file, url: one.xml, key: one{paused}}}]\n")
        site.clock.move(days=1)
        site.poll()
    line = why(tmp_path, "one").splitlines()[2].strip()
    assert line == (
        "not polled, since feeds.yaml says paused: true, since 2026-03-06 12:00; last polled 2026-03-05 12:00; what it "
        "published stays; `aggregator resume one` polls it again"
    )


def test_a_poll_that_is_late_is_told_with_what_did_not_run(site: SampleSite, app: App) -> None:
    FakeSource(app).says("one", entry(1))

    def late() -> str:
        (section,) = explain("one", app.store, app.in_force.settings)
        return str(section.record["not_polled"])

    assert ": process " in late() or "is late" in late()
    with app.store.begin() as tx:
        tx.store_row.note_run(START)
    assert late().endswith(
        "not polled: no run of `aggregator poll` began since then, the last one began 2026-03-04 12:00"
    )
    with app.store.begin() as tx:
        tx.store_row.note_network(Outage(public=START))
    assert late().endswith("the network has been unreachable since 2026-03-04 12:00")


def test_a_story_is_told_with_what_came_nearest_to_it(site: SampleSite, app: App) -> None:
    fake_source = FakeSource(app)
    fake_source.says("one", entry(1, title="Ferry 12 is late", text=TEXT, link="https://one.example/lamp"))
    fake_source.says("three", entry(2, title="Ferry 14 is late", text=TEXT, link="https://three.example/lamp"))
    (section,) = explain("https://three.example/lamp", app.store, app.in_force.settings)
    (miss,) = section.record["near_misses"]
    assert (miss["source"], miss["matches_now"], miss["because"]) == ("one", False, "numbers differ in the titles")
    line = next(line for line in section.lines if "not one story" in line)
    assert line.strip() == (
        "not one story with entry 1 of Feed one (Ferry 12 is late): numbers differ in the titles; similarity 0.00, at "
        "least 0.85 is required"
    )
