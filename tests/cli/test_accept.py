"""Tests of `aggregator accept` as a process."""

import json
from pathlib import Path

import pytest

from tests.command import Done, aggregator
from tests.feed_server import FeedServer, Reply
from tests.running import Running
from tests.sample_site import LOOPBACK, item, rss

ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><id>urn:{0}</id><title>{0}</title>
<updated>2026-03-04T12:00:00Z</updated><link href="https://{0}.example/"/>
<entry><id>urn:{0}:1</id><title>From {0}</title><updated>2026-03-04T12:00:00Z</updated>
<content>Something that {0} says, and nobody else.</content></entry></feed>"""


def run(*arguments: str, cwd: Path) -> Done:
    return aggregator(*arguments, cwd=cwd)


def test_what_a_suspect_source_says_is_published_when_it_is_accepted(tmp_path: Path, publisher: FeedServer) -> None:
    url = publisher.says("/feed", *(Reply(200, ATOM.format(name).encode()) for name in ("harbour", "casino")))
    (tmp_path / "feeds.yaml").write_text(f"{LOOPBACK}sources: [{{url: '{url}', key: one}}]\n", encoding="utf-8")
    for _ in range(2):
        assert run("poll", "--all", cwd=tmp_path).returncode == 0
    feed = tmp_path / "public" / "category" / "general.atom"
    assert "From casino" not in feed.read_text(encoding="utf-8")
    status = run("status", "one", cwd=tmp_path).stdout
    assert "aggregator accept one" in status
    accepted = json.loads(run("accept", "one", "--json", cwd=tmp_path).stdout)
    assert (accepted["source"], accepted["released"]) == ("one", 1)
    assert "category/general.atom" in accepted["published"]
    assert "From casino" in feed.read_text(encoding="utf-8")
    assert accepted["said"].endswith("(one) is accepted: 1 entry held back until now")
    assert not accepted["said"].startswith("one ")
    again = run("accept", "one", cwd=tmp_path)
    assert (again.returncode, again.stderr) == (2, "aggregator: one is not suspect, so nothing of it is held back\n")


def test_a_key_that_is_none_is_one_message(tmp_path: Path, publisher: FeedServer) -> None:
    url = publisher.serve("/feed", rss(item(1)))
    (tmp_path / "feeds.yaml").write_text(f"{LOOPBACK}sources: [{{url: '{url}', key: one}}]\n", encoding="utf-8")
    done = run("accept", "on", cwd=tmp_path)
    assert (done.returncode, "there is no store" in done.stderr) == (3, True)
    assert run("poll", cwd=tmp_path).returncode == 0
    done = run("accept", "on", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, "aggregator: no source on in feeds.yaml; did you mean one?\n")


@pytest.mark.slow
def test_r27_beside_a_running_serve(tmp_path: Path, publisher: FeedServer) -> None:
    url = publisher.says("/feed", *(Reply(200, ATOM.format(name).encode()) for name in ("harbour", "casino")))
    running = Running(tmp_path, f"{LOOPBACK}sources: [{{url: '{url}', key: one}}]\n")
    for _ in range(2):
        assert run("poll", "--all", cwd=tmp_path).returncode == 0
    with running:
        assert b"From casino" not in running.get("category/general.atom")[1]
        accepted = run("accept", url, "--json", cwd=tmp_path)
        assert accepted.returncode == 0, accepted.stderr
        said = json.loads(accepted.stdout)
        assert (said["done"], said["source"], said["released"], said["published"]) == (True, "one", 1, None)
        running.wait_for(lambda: b"From casino" in running.get("category/general.atom")[1])
        again = run("accept", "one", cwd=tmp_path)
        assert (again.returncode, again.stderr) == (
            2,
            "aggregator: one is not suspect, so nothing of it is held back\n",
        )
    assert "by an operator" in run("why", "one", cwd=tmp_path).stdout
