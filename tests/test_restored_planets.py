"""A site that lost its state goes on, byte for byte, as one beside it that did not (A9, M3, M7)."""

import os
import random
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aggregator.config import load_config
from aggregator.model.entry import Entry
from aggregator.restore.combine import merged
from aggregator.restore.restore import read_site, restore
from tests.fake_source import FakeSource, said
from tests.sample_site import START, SampleSite
from tests.stores import lose_store

KEYS = ("one", "two", "three", "four", "five")
YAML = """
site: {base_url: 'https://planet.example/'}
publish: {entries: 10, archive_page: 10, formats: [atom, json]}
defaults: {dedupe: exact, initial: 200}
categories: {x: {}, y: {}, z: {}}
sources:
  - {key: one, url: 'https://one.example/feed', category: x}
  - {key: two, url: 'https://two.example/feed', category: [x, y]}
  - {key: three, url: 'https://three.example/feed', category: y, priority: 1}
  - {key: four, url: 'https://four.example/feed', category: [z, x]}
  - {key: five, url: 'https://five.example/feed', category: [z, y], priority: 2}
"""
Step = tuple[str, Any, Sequence[Entry], Mapping[str, Any]]
PUBLISH: Step = ("publish", None, (), {})


class Authors:
    """Whoever writes what five sources tell, and tells again what others have told."""

    def __init__(self, chance: random.Random) -> None:
        self.chance, self.now = chance, START
        self.feeds: dict[str, list[Entry]] = {key: [] for key in KEYS}
        self.made = 0
        self.are_dated = chance.random() < 0.5  # do feeds have dates of their own

    def steps(self, count: int) -> list[Step]:
        """Take `count` steps."""
        found: list[Step] = []
        for _ in range(count):
            found += self.chance.choice((self.write, self.copy, self.edit, self.poll, self.poll, self.publish))()
            found += self.wait(minutes=1)
        return found

    def round(self) -> list[Step]:
        """Poll all sources, each a minute after the other, and publish."""
        return [step for key in KEYS for step in (*self.wait(minutes=1), *self.poll(key))] + self.publish()

    def write(self) -> list[Step]:
        feed = self.feeds[self.chance.choice(KEYS)]
        for _ in range(self.chance.randint(1, 9)):
            self.made += 1
            age = timedelta(hours=self.chance.randint(0, 2000))
            feed.insert(0, said(self.made, published=self.now - age if self.chance.random() < 0.5 else None))
        return []

    def copy(self) -> list[Step]:
        for key in KEYS:
            theirs = self.feeds[self.chance.choice(KEYS)]
            if theirs:
                one = self.chance.choice(theirs)
                self.feeds[key] = [own for own in self.feeds[key] if own.id != f"{key}-{one.title}"]
                self.feeds[key].insert(0, replace(one, id=f"{key}-{one.title}"))
        return []

    def edit(self) -> list[Step]:
        feed = self.feeds[self.chance.choice(KEYS)]
        if feed:
            at = self.chance.randrange(len(feed))
            self.made += 1
            content = f"{feed[at].content} Edit {self.made}."
            feed[at] = replace(feed[at], content=content, text=f"{feed[at].text} Edit {self.made}.")
        return []

    def poll(self, key: str | None = None) -> list[Step]:
        key = key or self.chance.choice(KEYS)
        facts = {"id": f"tag:{key}", "title": f"Feed {key}"} | ({"updated": self.now} if self.are_dated else {})
        return [("poll", key, tuple(self.feeds[key]), facts)]

    def publish(self) -> list[Step]:
        return [PUBLISH, *self.wait(hours=self.chance.choice([0, 0, 5, 30]), minutes=1)]

    def wait(self, **by: float) -> list[Step]:
        self.now += timedelta(**by)
        return [("wait", by, (), {})]


class Site:
    """A site that goes through what happens."""

    def __init__(self, folder: Path) -> None:
        self.sample_site = SampleSite(folder)

    def goes_through(self, steps: Sequence[Step]) -> None:
        with self.sample_site.opened() as app:
            for what, which, entries, facts in steps:
                if what == "poll":
                    FakeSource(app).says(which, *entries, **facts)
                elif what == "wait":
                    self.sample_site.clock.move(**which)
                else:
                    app.publisher.publish()

    def copied(self, folder: Path) -> "Site":
        shutil.copytree(self.sample_site.folder, folder)
        copy = Site(folder)
        copy.sample_site.clock.now = self.sample_site.clock.now
        return copy

    def loses_its_state(self) -> tuple[str, ...]:
        lose_store(self.sample_site.folder)
        loaded = load_config(self.sample_site.folder / "feeds.yaml", {})
        restored = read_site("public", loaded, self.sample_site.clock, folder=self.sample_site.folder)
        app = restore(restored, loaded, self.sample_site.clock)
        try:
            return app.publisher.publish(everything=True, take_over=True).changed
        finally:
            app.close()

    def documents(self) -> dict[str, bytes]:
        """Return every feed; the state of sources, as lists and pages show it, is unknown after a loss."""
        return {
            path: data for path, (data, *_) in self.sample_site.files().items() if path.endswith((".atom", ".json"))
        }


# Always the same planets: of random ones about one in four still differs once (decision 0117, what stays).
@settings(
    max_examples=int(os.environ.get("PLANETS", "3")),
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(st.randoms(use_true_random=False))
def test_a_restored_site_goes_on_byte_for_byte(chance: random.Random) -> None:
    with tempfile.TemporaryDirectory() as folder:
        authors = Authors(chance)
        site = Site(Path(folder) / "site")
        site.sample_site.folder.mkdir()
        site.sample_site.writes(YAML)
        site.goes_through([*authors.round(), *authors.steps(25), *authors.round()])
        other = site.copied(Path(folder) / "other")
        changed = other.loses_its_state()
        feeds = [path for path in changed if not path.endswith(".opml")]
        assert [path for path in feeds if path.startswith(("category/", "all."))] == []
        assert other.documents() == site.documents()
        for steps in (authors.round(), [*authors.steps(12), *authors.round()], authors.round()):
            for one in (site, other):
                one.goes_through(steps)
            assert other.documents() == site.documents()


@pytest.mark.parametrize(
    ("orders", "together"),
    [
        pytest.param([], "", id="nothing"),
        pytest.param(["abc"], "abc", id="one"),
        pytest.param(["ac", "bc", "ab"], "abc", id="what-one-leaves-out-another-has"),
        pytest.param(["cd", "ab", "bc"], "abcd", id="the-last-one-tells"),
        pytest.param(["ab", "ba"], "ab", id="the-first-holds"),
        pytest.param(["abc", "ca"], "abc", id="also-over-others"),
        pytest.param(["aba"], "ab", id="twice-in-one"),
        pytest.param(["xb", "ab"], "xab", id="nothing-tells"),
    ],
)
def test_orders_are_put_together(orders: list[str], together: str) -> None:
    assert "".join(merged(orders)) == together


def test_publishing_everything_files_nothing(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.sample_site.writes(YAML)
    articles = [said(number) for number in range(25, 0, -1)]
    site.goes_through([("poll", "one", articles[15:], {}), PUBLISH, ("wait", {"hours": 1}, (), {})])
    site.goes_through([("poll", "one", articles, {}), PUBLISH])
    before = site.sample_site.files()
    site.sample_site.clock.move(hours=30)
    with site.sample_site.opened() as app:
        app.publisher.publish(everything=True)
    assert site.sample_site.files() == before
    site.goes_through([("poll", "one", [said(26), *articles], {}), PUBLISH])
    assert len(site.sample_site.entries("category/x/archive/1.atom")) == 10
