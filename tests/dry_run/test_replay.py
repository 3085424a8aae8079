"""`replay`: successive versions of a feed are polled from files."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from aggregator.dry_run.replay import NothingToReplay, versions_in
from tests.command import Done, aggregator
from tests.sample_site import item, rss

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
RULES = "sources: [{key: a, url: 'https://a.example/', initial: 1, exclude: [{title: Spam}]}]"


def write(folder: Path, *versions: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    for number, body in enumerate(versions):
        (folder / f"{number:03}.xml").write_bytes(body)
    return folder


def replay(folder: Path, *options: str) -> Done:
    return aggregator("replay", str(folder), *options, cwd=folder.parent)


def record_of(folder: Path, *options: str) -> dict[str, Any]:
    done = replay(folder, "--json", *options)
    record: dict[str, Any] = json.loads(done.stdout)
    return record


def titles(version: dict[str, Any], kind: str) -> list[str]:
    return [one["title"] for one in version[kind]]


def test_each_version_is_told_from_the_one_before(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "feed",
        rss(item(1), item(2)),
        rss(item(3), item(2, description="Number two says something else from now on."), item(1)),
        rss(item(3), item(2, description="Number two says something else from now on."), item(1)),
        rss(item(4), item(3)),
        rss(item(3), item(1)),
    )
    record = record_of(folder)
    first, second, third, fourth, fifth = record["versions"]
    assert titles(first, "new") == ["Title 1", "Title 2"]
    assert (titles(second, "new"), titles(second, "revised"), second["unchanged"]) == (["Title 3"], ["Title 2"], 1)
    assert (third["unchanged"], titles(third, "new")) == (3, []), "the same again"
    assert (titles(fourth, "new"), titles(fourth, "gone")) == (["Title 4"], ["Title 2", "Title 1"])
    assert (titles(fifth, "new"), fifth["unchanged"], titles(fifth, "gone")) == ([], 2, ["Title 4"]), "1 came back"
    assert (record["totals"]["new"], record["totals"]["revised"]) == (4, 1)


def test_it_goes_by_the_rules_of_a_source_and_touches_no_store(tmp_path: Path) -> None:
    (tmp_path / "feeds.yaml").write_text(RULES, encoding="utf-8")
    folder = write(tmp_path / "feed", rss(item(1), item(2), item(3, title="Spam")))
    (version,) = record_of(folder, "--source", "a")["versions"]
    assert (titles(version, "new"), titles(version, "unshown")) == (["Title 1"], ["Title 2"])
    assert titles(version, "rejected") == ["Spam"]
    assert not (tmp_path / "var").exists()
    refused = replay(folder, "--source", "b")
    assert (refused.returncode, refused.stderr) == (
        2,
        "aggregator: no source b in feeds.yaml; see the titles and keys in `aggregator status --all`\n",
    )


def test_a_version_that_is_no_feed_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    done = replay(write(tmp_path / "feed", rss(item(1)), b"<html>down</html>", rss(item(2), item(1))))
    assert done.returncode == 1
    assert "not_a_feed" in done.stdout.splitlines()[1]
    assert "2 listed, 1 new, 1 unchanged" in done.stdout.splitlines()[2]


def test_what_a_terminal_would_obey_is_not_shown(tmp_path: Path) -> None:
    folder = write(tmp_path / "feed", rss(item(1)))
    (folder / "000.xml").rename(folder / "000\x1b[2J.xml")
    assert replay(folder, "-v").stdout.startswith("000[2J.xml")


def test_an_index_says_when_and_with_which_headers(tmp_path: Path) -> None:
    folder = write(tmp_path / "feed", rss(item(1)), rss(item(2)), rss(item(3)))
    rows: list[dict[str, Any]] = [
        {"file": "000.xml", "committed": "2026-03-01T10:00:00+08:00", "headers": {"ETag": '"1"'}},
        {"file": "001.xml", "at": "2026-03-01T02:00:00Z"},
    ]
    (folder / "index.json").write_text(json.dumps({"versions": rows}))
    versions = versions_in(folder, NOON)
    assert [version.name for version in versions] == ["000.xml", "001.xml"], "what the index leaves out is left out"
    assert versions[0].at == datetime(2026, 3, 1, 2, tzinfo=UTC)
    assert versions[1].at == versions[0].at + timedelta(seconds=1), "never two at one time"
    assert versions[0].headers == {"etag": '"1"'}


def test_without_an_index_they_are_an_hour_apart_and_end_now(tmp_path: Path) -> None:
    folder = write(tmp_path / "feed", b"1", b"2", b"3")
    assert [version.at for version in versions_in(folder, NOON)] == [NOON - timedelta(hours=h) for h in (2, 1, 0)]


@pytest.mark.parametrize(
    ("index", "said"),
    [
        ("[]", "is not an index"),
        ('{"versions": [{"file": 3}]}', "is not an index"),
        ('{"versions": [{"file": "../outside.xml"}]}', "is not a file in that folder"),
        ('{"versions": [{"file": "000.xml", "at": "yesterday"}]}', "is not a time"),
        ('{"versions": [{"file": "000.xml", "headers": []}, {"file": "000.xml", "headers": "x"}]}', "not a mapping"),
    ],
)
def test_an_index_that_is_none_is_refused(tmp_path: Path, index: str, said: str) -> None:
    folder = write(tmp_path / "feed", rss(item(1)))
    (folder / "index.json").write_text(index)
    (tmp_path / "outside.xml").write_bytes(rss(item(1)))
    with pytest.raises(NothingToReplay, match=said):
        versions_in(folder, NOON)


def test_a_folder_without_versions_is_one_message(tmp_path: Path) -> None:
    done = replay(tmp_path / "nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    with pytest.raises(NothingToReplay, match=r"has no \*\.xml"):
        versions_in(tmp_path, NOON)
