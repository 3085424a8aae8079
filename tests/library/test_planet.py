"""A Python program polls, reads, renders and publishes by `import aggregator` (docs/library.md)."""

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import feedparser
import pytest

import aggregator
from aggregator.errors import AggregatorError, ConfigError, LockHeld
from tests.feed_server import FeedServer
from tests.sample_site import LOOPBACK

ROOT = Path(aggregator.__file__).parents[1]
TEXT = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")


def rss(name: str, *days: int) -> bytes:
    """Return a feed whose stories are of these days of March 2026."""
    items = "".join(
        f"<item><guid>https://{name}.example/{day}</guid><title>{name} on day {day} of Python</title>"
        f"<link>https://{name}.example/{day}</link><pubDate>{day:02} Mar 2026 10:00:00 GMT</pubDate></item>"
        for day in days
    )
    return f'<rss version="2.0"><channel><title>{name}</title>{items}</channel></rss>'.encode()


@pytest.fixture
def config(tmp_path: Path, publisher: FeedServer) -> Path:
    first = publisher.serve("/first", rss("first", 2, 4, 6))
    second = publisher.serve("/second", rss("second", 3, 5))
    private = publisher.serve("/secret-token", rss("third", 1))
    path = tmp_path / "feeds.yaml"
    path.write_text(
        f"{LOOPBACK}defaults: {{initial: 100}}\npublish: {{formats: [atom], archive_page: 10, entries: 10}}\nsources:\n"
        f"  - {{key: first, url: '{first}', category: [one, both]}}\n"
        f"  - {{key: second, url: '{second}', category: [two, both]}}\n"
        f"  - {{key: third, url: '{private}', category: two, private: true}}\n"
        f"  - {{key: broken, url: '{publisher.url('/none')}'}}\n"
    )
    return path


@pytest.fixture
def polled(config: Path) -> Iterator[aggregator.Planet]:
    with aggregator.open_planet(config) as planet:
        reports = {report.key: report for report in planet.poll()}
        assert {key: report.new for key, report in reports.items()} == {
            "first": 3,
            "second": 2,
            "third": 1,
            "broken": 0,
        }
        assert reports["broken"].code == "not_found"
        yield planet


def test_stories_come_newest_first_and_once(polled: aggregator.Planet, publisher: FeedServer) -> None:
    stories = list(polled.stories())
    assert [story.sort_at.day for story in stories] == [6, 5, 4, 3, 2, 1]
    assert [story.sort_at.day for story in polled.stories("one")] == [6, 4, 2]
    assert [story.sort_at.day for story in polled.stories("both")] == [6, 5, 4, 3, 2]
    assert not any("secret-token" in repr(story) for story in stories)


def test_stories_of_archive_pages_follow_those_of_the_main_document(config: Path, publisher: FeedServer) -> None:
    publisher.serve("/first", rss("first", *range(1, 29)))
    with aggregator.open_planet(config) as planet:
        planet.poll("first")
        planet.publish()
        assert len(list(planet.stories("one"))) == 28
        assert (config.parent / "public" / "category" / "one" / "archive" / "1.atom").is_file()


@pytest.mark.parametrize("format", ["atom", "rss", "json"])
def test_chosen_stories_become_a_feed(polled: aggregator.Planet, format: str) -> None:
    chosen = [story for story in polled.stories() if story.sort_at >= datetime(2026, 3, 4, tzinfo=UTC)]
    data = polled.render(chosen, path="mine/late", title="Late ones", format=format)
    assert data == polled.render(chosen, path="mine/late", title="Late ones", format=format)
    assert b"Late ones" in data
    if format != "json":
        read = feedparser.parse(data)
        assert not read.bozo
        assert [entry.title for entry in read.entries] == [story.title for story in chosen]
    assert polled.render([], path="mine/none", title="None", format=format)


def test_what_is_published_is_what_the_command_publishes(polled: aggregator.Planet, config: Path) -> None:
    published = polled.publish()
    assert not published.failed
    assert "category/one.atom" in published.changed
    read = feedparser.parse((config.parent / "public" / "category" / "one.atom").read_bytes())
    assert [entry.id for entry in read.entries] == [story.atom_id for story in polled.stories("one")]
    assert polled.publish().changed == ()


def test_wrong_arguments_are_refused_with_what_there_is(polled: aggregator.Planet) -> None:
    with pytest.raises(ValueError, match="no source with the key 'frist'; it has first, second"):
        polled.poll("frist")
    with pytest.raises(ValueError, match="no category 'tow'; there are one, both"):
        next(polled.stories("tow"))
    with pytest.raises(ValueError, match="no feed format 'html'; there are atom, rss, json"):
        polled.render([], path="x", title="x", format="html")


def test_a_store_has_one_writer_and_a_broken_file_opens_nothing(polled: aggregator.Planet, config: Path) -> None:
    with pytest.raises(LockHeld), aggregator.open_planet(config):
        pass
    other = config.with_name("other.yaml")
    other.write_text("sources: [{url: 5}]\n")
    with pytest.raises(ConfigError, match=r"other\.yaml:1") as caught, aggregator.open_planet(other):
        pass
    assert isinstance(caught.value, AggregatorError)


def test_the_names_are_imported_late() -> None:
    with pytest.raises(AttributeError, match="no attribute 'planet_of'"):
        getattr(aggregator, "".join(["planet", "_of"]))
    assert all(getattr(aggregator, name) for name in aggregator.__all__)
    code = "import sys, aggregator; print(sorted(name for name in sys.modules if name.startswith('aggregator')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['aggregator']\n"


@pytest.mark.slow
def test_the_program_of_the_docs_runs_and_its_types_are_right(config: Path, tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(.+?)```", TEXT, re.DOTALL)
    (tmp_path / "mine.py").write_text(program)
    done = subprocess.run([sys.executable, "mine.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "first fetched 3" in done.stdout
    assert re.search(r"^\d+ stories, \d+ bytes$", done.stdout, re.MULTILINE)
    (tmp_path / "wrong.py").write_text(program.replace("story.title.lower()", "story.title.lover()"))
    check = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={tmp_path / 'cache'}"]
    done = subprocess.run([*check, "mine.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    done = subprocess.run([*check, "wrong.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "lover" in done.stdout
