"""Pings by `serve`, `poll` and `publish`, as an operator runs these commands."""

import json
import shutil
from functools import partial
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from tests.command import aggregator
from tests.feed_server import FeedServer, Hangs, Reply
from tests.running import Running
from tests.sample_site import LOOPBACK, SampleSite, item, rss

HUB = "127.0.0.2"
PLANET = "https://planet.example.org/"
TOPICS = [f"{PLANET}all.atom", f"{PLANET}category/general.atom"]


def yaml_of(publisher: FeedServer) -> str:
    hub, feed = publisher.url("/hub", host=HUB), publisher.serve("/feed.xml", rss(item(1)))
    publish = f"site: {{base_url: '{PLANET}'}}\npublish: {{hub: '{hub}', formats: [atom]}}\n"
    return f"{publish}sources: [{{url: '{feed}', every: 1s}}]\n"


def topics(publisher: FeedServer) -> list[str]:
    forms = [dict(parse_qsl(asked.body.decode())) for asked in publisher.asked if asked.path == "/hub"]
    return sorted(form["hub.url"] for form in forms)


@pytest.fixture
def owing(sample_site: SampleSite, publisher: FeedServer) -> Running:
    """A site that was killed before its hub, which never answers, was pinged for Title 2."""
    publisher.says("/hub", Hangs(), host=HUB)
    yaml = yaml_of(publisher)
    sample_site.writes(yaml)
    sample_site.poll()
    publisher.edit("/feed.xml", rss(item(2), item(1)))
    sample_site.clock.move(hours=1)
    sample_site.poll()
    return Running(sample_site.folder, f"{LOOPBACK}{yaml}")


@pytest.mark.slow
def test_a86_a_hub_that_hangs_holds_up_nothing_and_is_told_after_a_kill(owing: Running, publisher: FeedServer) -> None:
    with owing as running:
        publisher.wait_until_asked(1, "/hub")  # the hub does not answer
        publisher.edit("/feed.xml", rss(item(3), item(2), item(1)))
        running.wait_for(lambda: b"Title 3" in running.get("category/general.atom")[1])
        running.kill()
        publisher.says("/hub", Reply(202), host=HUB)
        publisher.asked.clear()
        running.start()
        running.wait_for(lambda: len(topics(publisher)) == 2)
        assert topics(publisher) == TOPICS
        running.wait_for(lambda: b'aggregator_pings_total{taken="yes"} 2.0' in running.get("metrics")[1])
        assert running.status()["hub"] == {"owed": 0, "failures": 0, "failing_since": None, "error": None}


@pytest.mark.slow
def test_r54_a_hub_that_hangs_holds_up_no_end(owing: Running, publisher: FeedServer) -> None:
    with owing as running:
        publisher.wait_until_asked(1, "/hub")
        code, seconds = running.stop()
    assert code == 0
    assert seconds < 10


def typed(folder: Path, *arguments: str) -> str:
    """Run a command, check that it succeeds, and return its output."""
    done = aggregator("-c", str(folder / "feeds.yaml"), *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_poll_and_publish_tell_the_hub_and_what_it_does_not_take_waits(tmp_path: Path, publisher: FeedServer) -> None:
    publisher.says("/hub", Reply(400, headers={"Retry-After": "86400"}), Reply(204), host=HUB)
    (tmp_path / "feeds.yaml").write_text(LOOPBACK + yaml_of(publisher), encoding="utf-8")
    run = partial(typed, tmp_path)
    run("poll")
    assert "hub" not in json.loads(run("status", "--json")), "nothing was news"
    publisher.edit("/feed.xml", rss(item(2), item(1)))
    run("poll", "--all")
    assert topics(publisher) == TOPICS
    hub = json.loads(run("status", "--json"))["hub"]
    assert (hub["owed"], hub["failures"]) == (1, 1)
    assert "The hub has not yet received the pings of 1 feed; it has refused them since " in run("status")
    run("publish")
    assert len(topics(publisher)) == 2, "not before its time"
    assert "hub" not in json.loads((tmp_path / "public" / "status.json").read_bytes()), "nobody's business"


def test_a86_after_a_restore_nobody_is_told_of_what_stands_there_already(tmp_path: Path, publisher: FeedServer) -> None:
    publisher.says("/hub", Reply(204), host=HUB)
    yaml = LOOPBACK + yaml_of(publisher).replace("[atom]", "[atom, json]")
    (tmp_path / "feeds.yaml").write_text(yaml, encoding="utf-8")
    run = partial(typed, tmp_path)
    run("poll")
    publisher.edit("/feed.xml", rss(item(2), item(1)))
    run("poll", "--all")
    assert len(topics(publisher)) == 4
    publisher.asked.clear()
    shutil.rmtree(tmp_path / "var")
    run("restore", "--from-site", str(tmp_path / "public"))
    run("publish")
    run("publish", "--all")
    run("poll", "--all")
    assert topics(publisher) == []
    publisher.edit("/feed.xml", rss(item(3), item(2), item(1)))
    run("poll", "--all")
    assert len(topics(publisher)) == 4
