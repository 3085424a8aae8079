"""`fix`: each thing that polls have proven becomes one edit with its reason, and nothing else does."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from aggregator.config import load_config
from aggregator.model.settings import Source
from tests.command import Done, aggregator
from tests.feed_server import FeedServer, Reply, redirect
from tests.sample_site import LOOPBACK, SampleSite, item, rss

pytestmark = pytest.mark.only_sqlite

PAGE = b"<html><head><link rel=alternate type='application/rss+xml' href='/real'></head><body>Hello</body></html>"
CYRILLIC = '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>T</title><item><guid>1</guid>'
CYRILLIC += "<title>Заголовок новости дня</title><description>Текст новости на русском языке, достаточно длинный"
CYRILLIC += ", чтобы кодировка была определена верно</description></item></channel></rss>"


@pytest.fixture(scope="module")
def server() -> Iterator[FeedServer]:
    with FeedServer() as server:
        yield server


@pytest.fixture(scope="module")
def polled(server: FeedServer, tmp_path_factory: pytest.TempPathFactory) -> SampleSite:
    """A planet whose polls over a hundred days have proven one thing of each source."""
    site = SampleSite(tmp_path_factory.mktemp("fix"))
    for path in ("/well", "/new", "/kept"):
        server.serve(path, rss(item(1), title=path[1:]))
    server.says("/gone", Reply(410))
    server.says("/dead", Reply(500))
    server.says("/page", Reply(200, PAGE, {"Content-Type": "text/html"}))
    server.says("/cyrillic", Reply(200, CYRILLIC.encode("cp1251"), {"Content-Type": "application/rss+xml"}))
    names = ("well", "old", "twin", "kept", "gone", "dead", "page", "cyrillic", "many")
    every = {"many": ", every: 12h"}
    for old in ("/old", "/twin"):
        server.serve(old, rss(item(1)))
    lines = [
        f"  - {{url: {server.url('/' + name)}, key: {name}, category: {name}{every.get(name, '')}}}  # {name}"
        for name in names
    ]
    site.writes("# mine\nsources:\n" + "\n".join(lines))
    for turn, days in enumerate((0, 2, 2, 2, *[15] * 6)):
        site.clock.move(days=days)
        server.serve("/many", rss(*(item(10 * turn + n) for n in range(10))), tags=False)
        if turn == 1:
            server.says("/old", redirect("/new", 301))
            server.says("/twin", redirect("/kept", 301))
        site.poll()
    return site


@pytest.fixture
def site(polled: SampleSite, tmp_path: Path) -> SampleSite:
    return polled.copied(tmp_path / "site")


def fix(site: SampleSite, *arguments: str) -> Done:
    return aggregator("-c", str(site.folder / "feeds.yaml"), "fix", *arguments)


def text_of(site: SampleSite) -> str:
    return (site.folder / "feeds.yaml").read_text(encoding="utf-8")


def sources(site: SampleSite) -> dict[str, Source]:
    return {source.key: source for source in load_config(site.folder / "feeds.yaml", {}).sources}


def test_what_is_proven_is_shown_as_a_patch_with_reasons_and_nothing_is_written(site: SampleSite) -> None:
    before = text_of(site)
    done = fix(site)
    assert done.returncode == 0, done.stderr
    assert text_of(site) == before
    lines = done.stdout.splitlines()[:7]
    reasons = {re.findall(r"^(?:.*\()?(\w+)\)?: ", line.partition(": ")[0] + ": ")[0]: line for line in lines}
    assert reasons.keys() == {"old", "twin", "gone", "dead", "page", "cyrillic", "many"}, done.stdout
    assert "moved there for good" in reasons["old"]
    assert "the same feed as kept" in reasons["twin"]
    assert "gone (410)" in reasons["gone"]
    assert "it is dead: 10 failures in a row since 2026-03-04 (http)" in reasons["dead"]
    assert "which names this feed" in reasons["page"]
    assert "some may be missed" in reasons["many"]
    assert "+++" in done.stdout
    assert "well" not in [line[1:] for line in done.stdout.splitlines() if line[:1] in "+-"]


def test_apply_writes_just_that_and_the_second_time_there_is_nothing_to_do(
    site: SampleSite, server: FeedServer
) -> None:
    before = sources(site)
    asked = len(server.asked)
    refused = fix(site, "--apply")
    assert refused.returncode == 1
    assert "--yes writes it" in refused.stderr
    done = fix(site, "--apply", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["written"] is True
    assert len(report["fixes"]) == 7
    after = sources(site)
    assert before.keys() - after.keys() == {"twin"}
    assert after["old"].url == server.url("/new")
    assert after["old"].was == (str(server.url("/old")),)
    assert after["kept"].categories == ("kept", "twin")
    assert after["gone"].paused
    assert after["dead"].paused
    assert after["page"].url == server.url("/real")
    assert after["cyrillic"].reading.encoding == "windows-1251"
    assert after["many"].every == timedelta(hours=6)
    assert after["well"].url == before["well"].url
    assert text_of(site).startswith(LOOPBACK + "# mine\n")
    assert "# old\n" in text_of(site)
    again = fix(site)
    assert (again.returncode, again.stdout) == (0, "nothing is proven to be wrong\n")
    assert len(server.asked) == asked, "it sends no request"
    server.serve("/real", rss(item(3)))
    assert site.poll()["failed"] == 0
    assert fix(site, "--json").returncode == 0


def test_a_single_observation_proves_nothing(server: FeedServer, tmp_path: Path) -> None:
    site = SampleSite(tmp_path)
    server.serve("/there", rss(item(1)))
    server.says("/once", redirect("/there", 301))
    server.says("/off", Reply(410))
    server.says("/html", Reply(200, PAGE, {"Content-Type": "text/html"}))
    site.writes("sources:\n" + "".join(f"  - {{url: {server.url(path)}}}\n" for path in ("/once", "/off", "/html")))
    site.poll()
    done = fix(site, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "version": 1,
        "written": False,
        "done": "nothing is proven to be wrong",
        "fixes": [],
        "waiting": json.loads(done.stdout)["waiting"],
    }
    moved, gone, page = (each["why"] for each in json.loads(done.stdout)["waiting"])
    there, real = server.url("/there"), server.url("/real")
    assert f"it redirects permanently to {there} since 2026-03-04 12:00 UTC, at 1 poll; proven after 3 polls" in moved
    assert "2026-03-06 12:00 UTC at the earliest" in moved
    assert f"--url {there}`" in moved
    assert "it answers that it is gone (410) since 2026-03-04 12:00 UTC" in gone
    assert f"it is a page which names the feed {real} since 2026-03-04 12:00 UTC, 1 time in a row" in page
    told = fix(site)
    assert told.stdout.endswith("nothing is proven to be wrong yet\n")
    assert moved in told.stdout


def test_a_feed_that_moved_is_readdressed_by_the_command_that_the_messages_name(
    server: FeedServer, tmp_path: Path
) -> None:
    site, config = SampleSite(tmp_path), tmp_path / "feeds.yaml"
    new = server.serve("/home", rss(item(1), title="Lab Ledger"))
    old, page = server.url("/left"), server.says("/front", Reply(200, PAGE, {"Content-Type": "text/html"}))
    server.serve("/left", rss(item(1), title="Lab Ledger"))
    site.writes(f"sources:\n  - {old}  # mine\n  - {{url: {page}, key: front}}\n")
    site.poll()
    server.says("/left", redirect("/home", 301))
    site.clock.move(hours=1)
    site.poll()
    key = next(key for key in sources(site) if key != "front")
    for typed in (old, new):
        done = aggregator("-c", str(config), "add", typed)
        assert done.returncode == 1
        named = f"`aggregator -c {config} rename {key} --url {new}`"
        assert f"should have the address {new}; {named} writes that" in done.stderr
    done = aggregator("-c", str(config), "add", page)
    assert f"rename front --url {server.url('/real')}` writes that" in done.stderr
    assert f"`aggregator rename {key} --url {new}` writes" in aggregator("-c", str(config), "status", key).stdout
    assert aggregator("-c", str(config), "rename", key, "--url", new, "--category").returncode == 2
    assert aggregator("-c", str(config), "rename", key, "--url", "ftp://x.example/").returncode == 2
    later = site.copied(tmp_path / "later")
    for _ in range(2):
        later.clock.move(days=2)
        later.poll()
    assert fix(later, "--apply", "--yes").returncode == 0
    done = aggregator("-c", str(config), "rename", "Lab Ledger", "--url", new, "--yes")
    assert done.returncode == 0, done.stderr
    assert "keeps its history" in done.stdout
    assert f"  - {{url: {new}, was: {old}}}  # mine\n" in text_of(site)
    assert f"  - {{url: {new}, was: {old}}}  # mine\n" in text_of(later)
    site.clock.move(hours=1)
    site.poll()
    with site.opened() as app, app.store.read() as tx:
        assert len(tx.finding.entries("https://news.example/1")) == 1, "the same source, with its entries"


def test_yes_without_apply_is_refused(site: SampleSite) -> None:
    done = fix(site, "--yes")
    assert done.returncode == 2
    assert "add --apply" in done.stderr
