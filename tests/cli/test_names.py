"""Tests of the names of sources that commands accept and reports print (R67)."""

import json
from pathlib import Path

import pytest

from aggregator.cli.names import matches, unclear
from aggregator.model.naming import name_of_source
from aggregator.model.settings import SourceKey
from tests.command import aggregator
from tests.config.reading import settings
from tests.feed_server import FeedServer
from tests.sample_site import LOOPBACK, item, rss

SAID = settings(
    "sources:\n"
    "  - {url: 'https://www.a.org/blog/feed/?x=1', title: 'The  Blog'}\n"
    "  - {url: 'https://b.org/feed', key: b}\n"
    "  - {url: 'https://c.org/feed', key: c}\n"
    "  - {url: feed.xml, kind: file, key: local}\n"
    "  - {url: 'https://secret.org/feed', private: true, key: hidden}\n"
)
OWN = {SourceKey("b"): "Twins", SourceKey("c"): "twins"}


def test_a_source_is_called_by_title_else_by_its_place() -> None:
    names = [name_of_source(source, OWN.get(source.key)) for source in SAID.sources]
    assert names == ["The Blog", "Twins", "twins", "feed.xml", "hidden"]
    assert name_of_source(SAID.sources[1]) == "b.org/feed"
    assert name_of_source(SAID.sources[1], "  ") == "b.org/feed"


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("b", ["b"]),
        ("https://b.org/feed", ["b"]),
        ("HTTPS://B.org:443/feed", ["b"]),
        ("the blog", ["blog"]),
        ("TWINS", ["b", "c"]),
        ("b.org/feed", ["b"]),
        ("a.org/blog/feed", ["blog"]),
        ("feed.xml", ["local"]),
        ("hidden", ["hidden"]),
        ("secret.org/feed", []),
        ("nothing", []),
        ("", []),
    ],
)
def test_a_source_is_found_by_what_it_is_called(name: str, keys: list[str]) -> None:
    found = matches(name, SAID.sources, lambda: OWN)
    blog = SAID.sources[0].key
    assert found == [blog if key == "blog" else key for key in keys]


def test_titles_are_looked_up_only_where_no_key_or_url_fits() -> None:
    assert matches("b", SAID.sources, lambda: pytest.fail("asked for titles")) == ["b"]


def test_a_title_of_two_sources_is_told_with_their_keys() -> None:
    keys = [SourceKey("b"), SourceKey("c")]
    said = '2 sources in feeds.yaml are called "Twins": b (line 3), c (line 4); write the key'
    assert unclear("Twins", keys, SAID, Path("feeds.yaml")) == said
    assert unclear("locall", [], SAID, Path("feeds.yaml")) == "no source locall in feeds.yaml; did you mean local?"


@pytest.mark.parametrize("name", ["the blgo", "the b"])
def test_a_title_that_is_misspelt_or_cut_is_found(name: str) -> None:
    assert unclear(name, [], SAID, Path("feeds.yaml")) == f'no source {name} in feeds.yaml; did you mean "The Blog"?'


def test_a_name_that_is_near_nothing_names_a_command_that_works_where_it_is_typed() -> None:
    lists = "see the titles and keys in `aggregator -c '/etc/my planet.yaml' status --all`"
    assert unclear("xyz", [], SAID, Path("/etc/my planet.yaml")) == f"no source xyz in /etc/my planet.yaml; {lists}"


def test_commands_take_titles_and_reports_say_them(tmp_path: Path, publisher: FeedServer) -> None:
    one = publisher.serve("/one", rss(item(1), title="Harbour News"))
    two = publisher.serve("/two", rss(item(2), title="Twins"))
    three = publisher.serve("/three", rss(item(3), title="Twins"))
    text = f"{LOOPBACK}sources:\n  - {one}\n  - {{url: '{two}', key: two}}\n  - {{url: '{three}', key: three}}\n"
    (tmp_path / "feeds.yaml").write_text(text, encoding="utf-8")
    config = ("-c", str(tmp_path / "feeds.yaml"))
    assert aggregator(*config, "poll").returncode == 0
    key = json.loads(aggregator(*config, "status", "--json").stdout)["sources"][0]["key"]
    place = f"Harbour News ({key}, line 3)"
    assert aggregator(*config, "status", "harbour news").stdout.startswith(f"{place}, {one}\n")
    assert aggregator(*config, "why", "Harbour News").stdout.startswith(f"Harbour News (source {key}, line 3), {one}\n")
    assert f"ok       {place}: HTTP 200" in aggregator(*config, "check", "--live", "Harbour News").stdout
    assert json.loads(aggregator(*config, "poll", "Harbour News", "--json").stdout)["sources"] == 1
    assert "Harbour News" in aggregator(*config, "preview", "Harbour News").stdout
    found = aggregator(*config, "search", "Title")
    assert " Harbour News, in general\n" in found.stdout
    (tmp_path / "feeds.yaml").write_text(text.replace(f"  - {one}\n", ""), encoding="utf-8")
    assert f"  - Harbour News ({key}): no longer polled" in aggregator(*config, "plan").stdout
    (tmp_path / "feeds.yaml").write_text(text, encoding="utf-8")
    for command in (["status"], ["poll"], ["check", "--live"], ["preview"], ["replay", "--stored"], ["accept"]):
        done = aggregator(*config, *command, "twins")
        assert done.returncode == 2, command
        assert 'are called "twins": two (line 4), three (line 5); write the key' in done.stderr, command
