"""Tests of `doctor`: each trouble has its line and what mends it, and no file changes."""

import json
import os
import shutil
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aggregator.cli.doctor import examined
from aggregator.clock import utc_now
from aggregator.store.store_file import StoreLock
from tests.command import Done, aggregator
from tests.rows import change, rows
from tests.sample_site import SampleSite, item, rss

pytestmark = pytest.mark.only_sqlite

FEEDS = """\
site: {base_url: "https://planet.example/"}
sources:
  - {kind: file, url: a.xml, category: x, key: a}
  - {kind: file, url: b.xml, category: x, key: b}
  - {kind: file, url: c.xml, category: x, key: c}
"""


@pytest.fixture(scope="module")
def polled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("doctor")
    for number, name in enumerate("abc"):
        (folder / f"{name}.xml").write_bytes(rss(item(number)))
    (folder / "feeds.yaml").write_text(FEEDS, encoding="utf-8")
    assert aggregator("poll", cwd=folder).returncode == 0
    return folder


@pytest.fixture
def planet(polled: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "planet"
    shutil.copytree(polled, folder)
    change(folder, "UPDATE store SET folder = :to", to=str(folder / "public"))
    return folder


def doctor(folder: Path, *arguments: str) -> Done:
    return aggregator("doctor", *arguments, cwd=folder)


def wrong(folder: Path) -> dict[str, tuple[str, str]]:
    """Return what is to mend, and how, by what it is about."""
    done = doctor(folder, "--json")
    report = json.loads(done.stdout)
    found = {each["about"]: (each["said"], each["mend"]) for each in report["checks"] if not each["fine"]}
    assert report["fine"] is (not found)
    assert done.returncode == bool(found)
    return found


def said(folder: Path, about: str) -> str:
    [line] = [each["said"] for each in json.loads(doctor(folder, "--json").stdout)["checks"] if each["about"] == about]
    return str(line)


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Return the bytes and the time of each file, without the shared memory of SQLite."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith("-shm")
    }


def test_a_planet_without_trouble_is_fine_and_not_touched(planet: Path) -> None:
    before = files(planet)
    done = doctor(planet)
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith("Nothing to mend.\n")
    assert {line[:5] for line in done.stdout.splitlines()[:-1]} == {"fine "}
    assert files(planet) == before
    for name in ("mine.html", "my old notes.html", "notes.tar.gz"):
        (planet / "public" / name).write_bytes(b"<p>mine")
    assert "3 files of yours, never touched: mine.html, my old notes.html, notes.tar.gz" in said(planet, "outputs")
    assert "examples:" in doctor(planet, "--help").stdout


def test_what_a_killed_process_left_is_told_and_stays(planet: Path) -> None:
    (planet / "public" / "index.html").unlink()
    site = SampleSite(planet)
    site.clock.now = utc_now()
    assert site.dies_publishing(0)
    assert (planet / "var" / "aggregator.db-wal").exists()
    before = files(planet)
    assert wrong(planet).keys() == {"outputs"}
    assert "was killed" in said(planet, "lock")
    assert files(planet) == before
    lock = StoreLock(planet / "var" / "aggregator.db.lock")
    lock.take(command="serve", now=utc_now())
    assert f"held by serve, process {os.getpid()} on " in said(planet, "lock")
    assert said(planet, "runs") == "serve is running"
    lock.release()
    assert said(planet, "lock") == "free"


def test_without_store_and_with_a_broken_or_missing_feeds_yaml_it_works(planet: Path) -> None:
    (planet / "feeds.yaml").write_text("sorces: []\n", encoding="utf-8")
    found = wrong(planet)
    assert found.keys() == {"config"}
    assert found["config"][0].startswith('feeds.yaml:1:1: "sorces" is not a key')
    assert found["config"][0].endswith(" UTC goes on")
    (planet / "feeds.yaml").unlink()
    assert wrong(planet).keys() == {"config"}
    (planet / "var" / "aggregator.db").unlink()
    assert wrong(planet).keys() == {"config", "store"}
    (planet / "feeds.yaml").write_text(FEEDS, encoding="utf-8")
    lost, mend = wrong(planet)["store"]
    assert lost.endswith("although outputs of one exist")
    assert mend.endswith(f"restore --from-site {planet / 'public'}")
    shutil.rmtree(planet / "public")
    assert wrong(planet) == {"store": (f"there is none at {planet}/var/aggregator.db yet", "aggregator poll")}
    assert not (planet / "public").exists()


def test_a_store_that_cannot_be_reached_hides_nothing_else(planet: Path) -> None:
    text = (planet / "feeds.yaml").read_text(encoding="utf-8")
    (planet / "feeds.yaml").write_text(f"store: sqlite:///var/{'x' * 300}.db\n{text}", encoding="utf-8")
    found = wrong(planet)
    assert found.keys() == {"store"}
    assert "can't be read" in found["store"][0]
    assert said(planet, "disk")


def damage(planet: Path) -> None:
    with (planet / "var" / "aggregator.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096)


def older(planet: Path) -> None:
    change(planet, "UPDATE alembic_version SET version_num = '0003'")


def newer(planet: Path) -> None:
    change(planet, "UPDATE alembic_version SET version_num = '9999'")


def readable(planet: Path) -> None:
    (planet / "var" / "aggregator.db.before-0008-from-0007").write_bytes(b"")
    (planet / "var" / "aggregator.db.before-0008-from-0007").chmod(0o644)


def removed(planet: Path) -> None:
    (planet / "public" / "category" / "x.atom").unlink()


def strange(planet: Path) -> None:
    for end in ("", ".gz"):
        shutil.copy(planet / "public" / "category" / f"x.atom{end}", planet / "public" / "category" / f"y.atom{end}")


def stopped(planet: Path) -> None:
    change(planet, "UPDATE store SET runs = :runs, run_gap = 300000000", runs="[1790000000, 1790000300]")


def unserved(planet: Path) -> None:
    change(planet, "UPDATE store SET runs = NULL, run_gap = NULL, served_at = created_at")


def set_back(planet: Path) -> None:
    change(planet, "UPDATE store SET runs = :runs", runs="[9790000000]")


def unnamed(planet: Path) -> None:
    text = (planet / "feeds.yaml").read_text(encoding="utf-8")
    (planet / "feeds.yaml").write_text(text.partition("\n")[2], encoding="utf-8")


@pytest.mark.parametrize(
    ("trouble", "about", "what", "mend"),
    [
        (damage, "store", " is damaged: ", "aggregator restore BACKUP"),
        (older, "store", "older schema", "aggregator poll"),
        (newer, "store", "newer aggregator", "docs/restore.md"),
        (readable, "permissions", ".before-0008-from-0007", "chmod 600 "),
        (removed, "outputs", "1 file missing in ", "aggregator publish"),
        (strange, "outputs", "that another store published: category/y.atom", "publish --take-over"),
        (stopped, "runs", "the longest time between runs was 5 min", "crontab -l"),
        (unserved, "runs", "and does not run", "aggregator serve"),
        (set_back, "clock", "but the last run began 2280-", "timedatectl"),
        (unnamed, "address", "where no other machine finds them", "base_url"),
    ],
)
def test_each_trouble_has_its_line_and_what_mends_it(
    planet: Path, trouble: Callable[[Path], None], about: str, what: str, mend: str
) -> None:
    trouble(planet)
    before = files(planet)
    found = wrong(planet)
    assert what in found[about][0]
    assert mend in found[about][1]
    assert files(planet) == before


def test_what_it_says_to_type_mends_it(planet: Path) -> None:
    removed(planet)
    assert "outputs" in wrong(planet)
    assert aggregator("publish", cwd=planet).returncode == 0
    readable(planet)
    store = planet / "var" / "aggregator.db"
    store.with_name(f"{store.name}.before-0008-from-0007").chmod(0o600)
    assert wrong(planet) == {}


def test_a_full_disk_is_told_before_a_migration_needs_it(planet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage: Any = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 1 << 20))
    [disk] = [each for each in examined(planet / "feeds.yaml", {}, utc_now(), live=False) if each.about == "disk"]
    assert disk.said.startswith("1 MB free below ")
    assert disk.mend is not None


def test_clocks_of_most_sources_tell_that_ours_is_wrong(planet: Path) -> None:
    [(held,), *_] = rows(planet, "SELECT observations FROM source")
    skewed = json.dumps((held if isinstance(held, dict) else json.loads(held or "{}")) | {"skew_seconds": 7200})
    change(planet, "UPDATE source SET observations = :skewed WHERE key <> 'c'", skewed=skewed)
    assert "clock" not in wrong(planet), "two sources prove nothing"
    change(planet, "UPDATE source SET observations = :skewed", skewed=skewed)
    assert "the clocks of 3 of 3 sources are 2 h ahead of it" in wrong(planet)["clock"][0]


def test_a_library_of_an_untested_version_is_named(
    planet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nh3-0.1.dist-info").mkdir()
    (tmp_path / "nh3-0.1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: nh3\nVersion: 0.1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    found, mend = wrong(planet)["versions"]
    assert found.endswith("nh3 0.1 is not in >=0.3.2")
    assert "install" in mend
    assert mend.endswith("'nh3>=0.3.2'")
