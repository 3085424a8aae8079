"""Killed while details are fetched: each article is there once, with its text (R2, R13)."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.feed_server import FeedServer
from tests.rows import rows
from tests.sample_site import SampleSite
from tests.test_newsroom_details import YAML, item, listed, text

ROUNDS = int(os.environ.get("KILLS", "10"))  # more for whoever has more time
PAPERS = ("大众日报", "重庆日报")
A_ROUND = 4  # new articles


@pytest.mark.slow
def test_r2_kills_among_details_lose_and_double_nothing(tmp_path: Path, publisher: FeedServer) -> None:
    """The list gains articles each round; a poll is killed after a random time, and the last one is let through."""
    chance = random.Random(20260304)
    site = SampleSite(tmp_path)
    url, base = publisher.url("/list", host="127.0.0.2"), publisher.url("", host="127.0.0.3")
    site.writes("publish: {formats: [atom, json], jekyll: {to: posts}}\n" + YAML.format(url=url, base=base))
    articles = [item(n, **{"from": PAPERS[n % 2]}) for n in range(A_ROUND * (ROUNDS + 1))]
    for number in range(len(articles)):
        publisher.says(f"/text?id=NW{number}", text(number), host="127.0.0.3")
    command = [sys.executable, "-m", "aggregator", "-c", str(tmp_path / "feeds.yaml"), "poll", "--all"]

    def gains(rounds: int) -> None:
        publisher.says("/list", listed(*reversed(articles[: A_ROUND * rounds])), host="127.0.0.2")

    gains(1)
    began = time.monotonic()
    subprocess.run(command, capture_output=True, check=True, timeout=60)
    whole = time.monotonic() - began  # on this machine, under this load
    cut = 0
    for number in range(1, ROUNDS + 1):
        gains(number + 1)
        run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(whole * chance.uniform(0.4, 1.1))  # the only way to be killed at no special moment
        os.kill(run.pid, signal.SIGKILL)
        cut += run.wait() == -signal.SIGKILL
    assert cut, "none was killed under way"
    site.clock.now = datetime.now(UTC)
    for _ in range(3):  # what was claimed by a run that was killed is put off, lest a crash should hammer a host (R13)
        site.clock.move(hours=1)
        site.poll()
    published: Counter[str] = Counter()
    for path in (tmp_path / "public/category").rglob("*.json"):
        for one in json.loads(path.read_bytes())["items"]:
            published[one["title"]] += 1
            assert f"正文 {one['title'].split()[1]} " in one["content_html"], "complete"
    assert published == Counter(article["title"] for article in articles)
    assert len(list((tmp_path / "posts").iterdir())) == len(articles)
    assert rows(tmp_path, "PRAGMA integrity_check") == [("ok",)]
    assert rows(tmp_path, "PRAGMA foreign_key_check") == []
    assert rows(tmp_path, "SELECT count(*) FROM entry") == [(len(articles),)]
    assert rows(tmp_path, "SELECT count(*) FROM detail") == [(0,)]
