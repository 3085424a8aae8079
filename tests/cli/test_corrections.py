"""Tests of `merge`, `unmerge` and `retract`: alone, and beside a process that holds the store (R27)."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from lxml import etree

from aggregator.cli import main
from aggregator.clock import utc_now
from aggregator.store.database import open_store
from tests.feed_server import FeedServer, Hangs, Held
from tests.rows import rows
from tests.running import Running
from tests.sample_site import LOOPBACK, item, rss

ATOM = "{http://www.w3.org/2005/Atom}"
DELETED = "{http://purl.org/atompub/tombstones/1.0}deleted-entry"
FAST = "publish: {formats: [atom, json, html]}\n"
MAIN = "category/general.atom"


# Runs a command and prints the modules that it has loaded, of the stages that a correction has no use for.
LOADED = """
import sys
from aggregator.cli import main
assert main(sys.argv[1:], {}) == 0
stages = ("aggregator.fetch", "aggregator.parse", "aggregator.reader", "aggregator.poll", "requests", "feedparser")
print(*sorted(name for name in sys.modules if name.startswith(stages)), file=sys.stderr)
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """Exit code and output of a command."""

    returncode: int
    stdout: str
    stderr: str


class Operator:
    """Runs commands for a folder, in this process: that is faster."""

    def __init__(self, folder: Path, heard: pytest.CaptureFixture[str]) -> None:
        self.folder, self._heard = folder, heard

    def types(self, *arguments: str) -> Ended:
        """Run a command."""
        self._heard.readouterr()
        code = main(["-c", str(self.folder / "feeds.yaml"), *arguments], {})
        return Ended(code, *self._heard.readouterr())

    def does(self, *arguments: str) -> str:
        """Run a command that must succeed, and return its output."""
        ended = self.types(*arguments)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout


@pytest.fixture
def operator(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Operator:
    """Return an operator for a folder without feeds.yaml."""
    return Operator(tmp_path, capsys)


def read(data: bytes) -> tuple[dict[str, str], list[str]]:
    """Return the titles of a feed by id, and the ids of its tombstones."""
    feed = etree.fromstring(data)
    titles = {str(e.findtext(f"{ATOM}id")): str(e.findtext(f"{ATOM}title")) for e in feed.iterchildren(f"{ATOM}entry")}
    return titles, [str(grave.get("ref")) for grave in feed.iterchildren(DELETED)]


def published(folder: Path) -> tuple[dict[str, str], list[str]]:
    return read((folder / "public" / MAIN).read_bytes())


@pytest.fixture
def planet(operator: Operator, publisher: FeedServer) -> Path:
    """A folder with two sources of two items each, polled once."""
    one = publisher.serve("/one.xml", rss(item(1), item(2, guid="tag:one,2026:2")))
    two = publisher.serve("/two.xml", rss(item(3), item(4)), host="127.0.0.2")
    sources = f"sources: [{{key: one, url: '{one}'}}, {{key: two, url: '{two}'}}]\n"
    (operator.folder / "feeds.yaml").write_text(LOOPBACK + FAST + sources, encoding="utf-8")
    operator.does("poll")
    return operator.folder


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("tag:one,2026:2", id="atom-id"),
        pytest.param("https://news.example/2", id="link"),
        pytest.param("http://www.news.example/2/?utm_source=x", id="link-in-other-words"),
        pytest.param("number", id="entry-number"),
        pytest.param("page", id="page-id"),
        pytest.param("http://127.0.0.1:8080/category/general.html#page", id="address-of-its-place"),
        pytest.param("http://127.0.0.1:8080/entry/xx/page.html", id="address-of-its-page"),
    ],
)
def test_a_story_is_named_by_whatever_is_seen_of_it(operator: Operator, planet: Path, name: str) -> None:
    query = "SELECT entry.id, page_id FROM entry JOIN story ON story_id = story.id WHERE own_id LIKE 'tag:one%'"
    [(number, page)] = rows(planet, query)[:1]
    name = name.replace("/xx/", f"/{page[:2]}/").replace("page", page, 1) if "page" in name else name
    operator.does("retract", str(number) if name == "number" else name)
    titles, graves = published(planet)
    assert "Title 2" not in titles.values()
    assert graves == ["tag:one,2026:2"]


def test_an_own_id_that_is_no_address_is_enough(operator: Operator, planet: Path) -> None:
    operator.does("retract", "item-3")
    assert sorted(published(planet)[0].values()) == ["Title 1", "Title 2", "Title 4"]


def test_alone_each_command_publishes_what_it_changed(operator: Operator, planet: Path) -> None:
    before, _ = published(planet)
    (lost,) = [atom_id for atom_id, title in before.items() if title == "Title 3"]
    record = json.loads(operator.does("merge", "tag:one,2026:2", "item-3", "--json"))
    assert record["done"] is True
    assert published(planet) == ({i: t for i, t in before.items() if i != lost}, [lost])
    assert "took tag:one,2026:2 apart" in operator.does("unmerge", lost)  # by the id that it had
    assert published(planet) == (before, [])
    operator.does("merge", "tag:one,2026:2", "item-3")
    operator.does("unmerge", "tag:one,2026:2", "item-3")
    assert published(planet) == (before, [])
    operator.does("retract", "item-3")
    operator.does("retract", "item-3", "--undo")
    assert published(planet) == (before, [])


@pytest.mark.parametrize("command", [("retract", "item-3"), ("publish", "--all")], ids=lambda command: command[0])
def test_a_correction_loads_no_network_client_and_no_parser(planet: Path, command: tuple[str, ...]) -> None:
    arguments = [sys.executable, "-c", LOADED, "-q", "-c", str(planet / "feeds.yaml"), *command]
    ended = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert ended.stderr.split() == ["aggregator.poll", "aggregator.poll.corrections"]


def test_a_broken_theme_stops_a_correction_before_it_changes_anything(operator: Operator, planet: Path) -> None:
    before = published(planet)
    feeds = planet / "feeds.yaml"
    good = feeds.read_text(encoding="utf-8")
    (planet / "theme").mkdir()
    (planet / "theme" / "base.html").write_text("{% if %}")
    feeds.write_text(good.replace("publish: {", "publish: {theme: theme/, "), encoding="utf-8")
    ended = operator.types("retract", "item-3")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "theme" in ended.stderr
    feeds.write_text(good, encoding="utf-8")
    operator.does("publish", "--all")
    assert published(planet) == before


def test_undo_says_so_where_nothing_stands_again(operator: Operator, publisher: FeedServer) -> None:
    feeds = operator.folder / "feeds.yaml"
    yaml = LOOPBACK + FAST + f"sources: [{{url: '{publisher.serve('/feed', rss(item(1)))}', exclude: []}}]\n"
    feeds.write_text(yaml)
    operator.does("poll")
    operator.does("retract", "item-1")
    feeds.write_text(yaml.replace("exclude: []", "exclude: [{title: 'Title 1'}]"))
    operator.does("publish", "--rules")
    said = operator.does("retract", "item-1", "--undo")
    assert "is retracted no more, but none of its entries is published now: it stands nowhere" in said
    feeds.write_text(yaml)
    operator.does("publish", "--rules")
    assert "Title 1" in (operator.folder / "public" / MAIN).read_text()


def test_what_is_unclear_or_makes_no_sense_is_said_and_ends_with_2(operator: Operator, planet: Path) -> None:
    for arguments, said in (
        (("retract", "nonsense"), "nothing in the store is called nonsense"),
        (("retract", "item-1", "--undo"), "is not retracted"),
        (("merge", "item-1", "item-1"), "is one story already"),
        (("unmerge", "item-1"), "nothing to take apart"),
        (("unmerge", "item-1", "item-4"), "no entry of that story is called item-4; its entries are:\n  "),
    ):
        done = operator.types(*arguments)
        assert (done.returncode, done.stdout) == (2, ""), arguments
        assert said in done.stderr
    assert len(published(planet)[0]) == 4


def test_of_several_that_may_be_meant_the_choice_is_shown(
    operator: Operator, planet: Path, publisher: FeedServer
) -> None:
    """Two sources use the same id for different entries."""
    bread = item(1, title="Bread", link="https://two.example/bread", description="Of bread and bakers, at length.")
    publisher.edit("/two.xml", rss(bread), host="127.0.0.2")
    (planet / "var" / "aggregator.db").unlink()
    operator.does("publish", "--take-over")
    operator.does("poll")
    done = operator.types("retract", "item-1")
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert lines[0] == "aggregator: item-1 fits several entries; write the number of one:"
    assert sorted(line.partition("  ")[2].lstrip(" 0123456789") for line in lines[1:]) == ["one: Title 1", "two: Bread"]
    number = next(line.split()[0] for line in lines[1:] if "Bread" in line)
    operator.does("retract", number)
    assert "Bread" not in published(planet)[0].values()


@pytest.mark.slow
def test_r27_beside_a_running_serve(operator: Operator, tmp_path: Path, publisher: FeedServer) -> None:
    """The process that holds the store carries it out and publishes at once; a faulty request before does no harm."""
    one = publisher.serve("/one.xml", rss(item(1), item(2)))
    two = publisher.serve("/two.xml", rss(item(3)), host="127.0.0.2")
    with Running(tmp_path, f"{LOOPBACK}{FAST}sources: ['{one}', '{two}']\n") as running:
        running.wait_for(lambda: len(read(running.get(MAIN)[1])[0]) == 3)
        before = read(running.get(MAIN)[1])
        (lost,) = [atom_id for atom_id, title in before[0].items() if title == "Title 3"]
        store = open_store(f"sqlite:///{tmp_path}/var/aggregator.db", now=utc_now(), writes=False)
        with store.begin() as tx:
            tx.corrections.file("merge", {"story": [], "other": {}}, utc_now())
            tx.corrections.file("explode", {}, utc_now())
        store.close()
        operator.does("merge", "item-1", "item-3")
        running.wait_for(lambda: read(running.get(MAIN)[1])[1] == [lost])
        operator.does("unmerge", "item-1", "item-3")
        running.wait_for(lambda: read(running.get(MAIN)[1]) == before)
        operator.does("retract", "item-2")
        running.wait_for(lambda: "Title 2" not in read(running.get(MAIN)[1])[0].values())
        operator.does("retract", "item-2", "--undo")
        running.wait_for(lambda: read(running.get(MAIN)[1]) == before)
        refused = operator.types("retract", "item-2", "--undo")
        assert (refused.returncode, "is not retracted" in refused.stderr) == (2, True)
        assert running.process is not None
        assert running.process.poll() is None
        assert running.get("healthz")[0] == 200
    assert rows(tmp_path, "SELECT count(*) FROM request WHERE done_at IS NULL") == [(0,)]
    told = [json.loads(str(said[0]))["done"] for said in rows(tmp_path, "SELECT outcome FROM request ORDER BY id")]
    assert told == [False, False, True, True, True, True, False]
    assert rows(tmp_path, "SELECT count(*) FROM event WHERE code = 'refuse_request'") == [(3,)]


@pytest.mark.slow
def test_r27_killed_around_a_request_nothing_is_lost_or_done_twice(tmp_path: Path, publisher: FeedServer) -> None:
    """Retractions and their undoing alternate: one that is lost, or done twice, leaves a refusal."""
    url = publisher.serve("/feed.xml", rss(item(1), item(2)))
    running = Running(tmp_path, f"{LOOPBACK}{FAST}sources: ['{url}']\n")
    running.start()
    running.wait_for(lambda: len(read(running.get(MAIN)[1])[0]) == 2)
    store = open_store(f"sqlite:///{tmp_path}/var/aggregator.db", now=utc_now(), writes=False)
    with store.read() as tx:
        (entry,) = tx.finding.entries("item-1")
    for number in range(6):
        with store.begin() as tx:
            tx.corrections.file("retract", {"story": entry.story, "undo": number % 2 == 1}, utc_now())
        if number % 3:  # it is taken within a second: now before, now while or after that
            running.wait_for(lambda: (tmp_path / "log").read_text().count("take_request") > number // 2)  # noqa: B023
        running.kill()
        running.start()
    running.wait_for(lambda: rows(tmp_path, "SELECT count(*) FROM request WHERE done_at IS NULL") == [(0,)])
    store.close()
    assert running.stop()[0] == 0
    told = [json.loads(str(said[0]))["done"] for said in rows(tmp_path, "SELECT outcome FROM request ORDER BY id")]
    assert told == [True] * 6
    codes = rows(tmp_path, "SELECT code FROM event WHERE code LIKE 're%_story' ORDER BY id")
    assert [code for (code,) in codes if code != "return_story"] == ["retract_story", "restore_story"] * 3
    assert "Title 1" in published(tmp_path)[0].values()


@pytest.mark.slow
def test_r27_a_request_waits_for_a_one_shot_run_that_ends(
    operator: Operator, planet: Path, publisher: FeedServer
) -> None:
    """The run carries the request out before it publishes; the command, ended or waiting, finds it done."""
    slow = publisher.says("/slow.xml", Hangs(), host="127.0.0.3")
    text = (planet / "feeds.yaml").read_text(encoding="utf-8").replace("]\n", f", {{url: '{slow}', timeout: 3s}}]\n")
    (planet / "feeds.yaml").write_text(text, encoding="utf-8")
    holder = subprocess.Popen(
        [sys.executable, "-m", "aggregator", "-c", str(planet / "feeds.yaml"), "poll"], stdout=subprocess.DEVNULL
    )
    publisher.wait_until_asked(1, "/slow.xml")
    said = operator.does("retract", "item-3")
    assert said.startswith("retracted ")
    assert holder.wait(30) == 0
    assert "Title 3" not in published(planet)[0].values()


@pytest.mark.slow
def test_r27_what_takes_longer_is_kept_and_the_command_says_so(
    operator: Operator, planet: Path, publisher: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if feeds.yaml was broken meanwhile: the process that holds the store uses the last good one."""
    monkeypatch.setattr("aggregator.cli.corrections.PATIENCE", 0.5)
    slow = publisher.says("/slow.xml", Held(body=rss(item(9))), host="127.0.0.3")
    whole = (planet / "feeds.yaml").read_text(encoding="utf-8")
    text = whole.replace("]\n", f", {{url: '{slow}', timeout: 30s}}]\n")
    (planet / "feeds.yaml").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "aggregator", "-c", str(planet / "feeds.yaml"), "poll"]
    holder = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    publisher.wait_until_asked(1, "/slow.xml")
    (planet / "feeds.yaml").write_text("sources: [{url: nonsense}]\n", encoding="utf-8")
    ended = operator.types("retract", "item-3")
    assert ended.returncode == 4
    assert f"not done yet: poll, process {holder.pid} on " in ended.stderr
    publisher.release()
    assert holder.wait(30) == 0
    assert "Title 3" not in published(planet)[0].values()
    ended = operator.types("retract", "item-4")
    assert ended.returncode == 2
    assert "feeds.yaml:1:" in ended.stderr
    assert "Title 4" in published(planet)[0].values(), "nobody holds the store, and a broken feeds.yaml changes nothing"


def test_r27_what_a_killed_command_asked_for_is_done_by_the_next_holder_once(operator: Operator, planet: Path) -> None:
    store = open_store(f"sqlite:///{planet}/var/aggregator.db", now=utc_now(), writes=False)
    with store.begin() as tx:
        (entry,) = tx.finding.entries("item-3")
        tx.corrections.file("retract", {"story": entry.story, "undo": False}, utc_now())
    store.close()
    operator.does("poll")
    assert "Title 3" not in published(planet)[0].values()
    operator.does("retract", "item-3", "--undo")
    operator.does("poll")
    assert "Title 3" in published(planet)[0].values(), "what was done is not done again"
