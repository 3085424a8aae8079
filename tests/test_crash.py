"""Killed at any moment, nothing is lost, nothing is doubled, no file is torn (R2; invariants 1, 5, 6)."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from lxml import etree

from tests.feed_server import FeedServer
from tests.rows import rows
from tests.sample_site import ATOM, LOOPBACK, SampleSite, item, rss

SOURCES = 6
ROUNDS = int(os.environ.get("KILLS", "20"))  # more for whoever has more time


@pytest.mark.slow
def test_r2_kills_lose_and_double_nothing(tmp_path: Path, publisher: FeedServer) -> None:
    """Each source gains an entry a round; a poll is killed after a random time, and the last one is let through."""
    chance = random.Random(20260304)
    rooms = [[item(f"{source}-0")] for source in range(SOURCES)]
    urls = [publisher.serve(f"/{n}.xml", rss(*items), host=f"127.0.0.{n + 2}") for n, items in enumerate(rooms)]
    sample_site = SampleSite(tmp_path)
    sample_site.writes(
        "defaults: {dedupe: off}\npublish: {formats: [atom, json], entries: 10, archive_page: 10}\nsources:\n"
        + "".join(f"  - '{url}'\n" for url in urls),
        hosts=LOOPBACK,
    )
    command = [sys.executable, "-m", "aggregator", "-c", str(tmp_path / "feeds.yaml"), "poll", "--all", "--json"]
    began = time.monotonic()
    subprocess.run(command, capture_output=True, check=True, timeout=60)
    whole = time.monotonic() - began  # on this machine, under this load
    for number in range(1, ROUNDS + 1):
        for source, items in enumerate(rooms):
            items.insert(0, item(f"{source}-{number}"))
            publisher.edit(f"/{source}.xml", rss(*items), host=f"127.0.0.{source + 2}")
        run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(whole * chance.uniform(0.3, 1.1))  # the only way to be killed at no special moment
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
        _check_files(tmp_path / "public")
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    expected = sorted(f"Title {source}-{number}" for source in range(SOURCES) for number in range(ROUNDS + 1))
    path, published = "category/general", Counter[str]()
    while path:
        published.update(sample_site.titles(f"{path}.atom"))
        path = sample_site.previous(path)
    assert sorted(published.elements()) == expected
    assert rows(tmp_path, "PRAGMA integrity_check") == [("ok",)]
    assert rows(tmp_path, "PRAGMA foreign_key_check") == []
    assert rows(tmp_path, "SELECT count(*) FROM entry") == [(SOURCES * (ROUNDS + 1),)]
    assert not [path for path in (tmp_path / "public").rglob(".*")], "temporary files were swept"


def _check_files(root: Path) -> None:
    for path in root.rglob("*.atom"):
        assert etree.fromstring(path.read_bytes()).tag == f"{ATOM}feed"
