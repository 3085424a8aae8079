"""Tests of file permissions: outputs are readable by everybody, all else by its owner (S61)."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import aggregator
from tests.sample_site import item, rss

FEEDS = """\
publish: {to: var/public, jekyll: {to: posts/_posts}, static: static, aliases: {atom.xml: all.atom}}
sources: [{kind: file, url: feed.xml, category: x}]
"""


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def planet(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "CNAME").write_text("planet.example", encoding="utf-8")
    (tmp_path / "static" / "CNAME").chmod(0o600)
    (tmp_path / "feed.xml").write_bytes(rss(item(1)))
    (tmp_path / "feeds.yaml").write_text(FEEDS, encoding="utf-8")
    (tmp_path / "feeds.yaml").chmod(0o640)
    before = os.umask(request.param)
    yield tmp_path
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    """Return the permissions of a folder and of all files below it, by path."""
    return {str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.rglob("*"))}


def test_s61_a_web_server_of_another_user_reads_all_outputs_and_nothing_else(planet: Path) -> None:
    assert aggregator("poll", cwd=planet).returncode == 0
    for outputs in (planet / "var" / "public", planet / "posts" / "_posts"):
        found = modes(outputs)
        assert len(found) > 1
        assert {mode for path, mode in found.items() if (outputs / path).is_file()} == {0o644}
        assert {mode for path, mode in found.items() if (outputs / path).is_dir()} == {0o755}
    assert {"index.html", "category/x.atom.gz", "CNAME", "atom.xml"} <= modes(planet / "var" / "public").keys()
    assert stat.S_IMODE((planet / "var").stat().st_mode) == 0o755
    assert aggregator("search", "item", cwd=planet).returncode == 0
    assert aggregator("backup", "copy.db", cwd=planet).returncode == 0
    kept = [planet / "copy.db", *(path for path in (planet / "var").iterdir() if path.is_file())]
    assert {path.name for path in kept} == {"copy.db", "aggregator.db", "aggregator.db.search"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}
    assert modes(planet)["feeds.yaml"] == 0o640


def test_s61_check_names_a_store_that_others_can_read(planet: Path) -> None:
    aggregator("poll", cwd=planet)
    said = aggregator("check", cwd=planet)
    assert "chmod" not in said.stderr
    (planet / "var" / "aggregator.db").chmod(0o644)
    (planet / "var" / "aggregator.db.old").write_bytes(b"")
    (planet / "var" / "aggregator.db.old").chmod(0o604)
    said = aggregator("check", cwd=planet)
    store = planet / "var" / "aggregator.db"
    for path in (store, f"{store}.old"):
        assert (
            f"{path}: every user of this machine can read it, and it contains secrets: chmod 600 '{path}'"
            in said.stderr
        )
    assert said.returncode == 0
    said = aggregator("poll", "--log", "json", "-v", cwd=planet)
    assert '"event": "tighten_store"' in said.stderr
    assert stat.S_IMODE(store.stat().st_mode) == 0o600
