"""Tests of `why`: recorded events as sentences and as JSON."""

import json
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from aggregator.app import App
from aggregator.cli import main
from aggregator.cli.why.sentences import SENTENCES, Names, said
from aggregator.model.event import Code
from aggregator.model.trail import Step
from aggregator.poll.corrections import run_pending_requests
from aggregator.poll.maintenance import Maintenance
from tests.fake_source import FakeSource
from tests.fake_source import said as entry
from tests.sample_site import START, SampleSite

TAG = "tag:one.example,2026:lamp"
TITLE = "The lamp is back in its lighthouse"
TEXT = (
    "<p>After nine years in a workshop cellar, the lamp of the old lighthouse is back where it belongs. Four people "
    "carried its lens up the hundred and twelve steps in the early morning, before the wind got up.</p>"
)
FEEDS = """
publish: {formats: [atom, json]}
categories: {x: {title: The X}, y: {exclude: [{title: Sponsored}]}}
sources:
  - {key: one, url: 'https://one.example/feed', category: x, every: 1h}
  - {key: two, url: 'https://two.example/feed', category: [x, y], priority: 1, every: 1h}
  - {key: three, url: 'https://three.example/feed', category: y, every: 1h}
"""


@pytest.fixture
def app(site: SampleSite) -> Iterator[App]:
    """An app with one story of two sources, and a source that was never polled."""
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("two", entry("old", title="About two", text="<p>two and only two " * 30))
        site.clock.move(days=1)
        fake_source.says("one", entry(1, own_id=TAG, title=TITLE, text=TEXT, link="https://one.example/lamp"))
        site.clock.move(minutes=10)
        wire = f"<p>HARBOUR (Agency) - {TEXT[3:-4]} Reporting by a staff writer.</p>"
        fake_source.says("two", entry(2, title=TITLE, text=wire, link="https://two.example/lamp", published=START))
        app.publisher.publish()
        yield app


class Asked:
    """Runs `why` in this process."""

    def __init__(self, site: SampleSite, heard: pytest.CaptureFixture[str]) -> None:
        self._room, self._heard = site, heard

    def __call__(self, thing: str) -> str:
        assert self.code(thing) == 0
        return self._heard.readouterr().out

    def code(self, *arguments: str) -> int:
        self._heard.readouterr()
        return main(["-c", str(self._room.folder / "feeds.yaml"), "why", *arguments], {})

    def error(self, thing: str) -> str:
        assert self.code(thing) == 2
        return self._heard.readouterr().err

    def record(self, thing: str) -> list[dict[str, Any]]:
        assert self.code(thing, "--json") == 0
        found: list[dict[str, Any]] = json.loads(self._heard.readouterr().out)["found"]
        return found


@pytest.fixture
def why(site: SampleSite, capsys: pytest.CaptureFixture[str]) -> Asked:
    return Asked(site, capsys)


def carry_out(app: App, command: str, **arguments: object) -> None:
    with app.store.begin() as tx:
        tx.corrections.file(command, arguments, app.clock())
    assert run_pending_requests(app.store, app.in_force.roster, app.clock) == 1


def test_a_story_is_told_from_the_first_entry_to_what_is_shown(app: App, why: Asked) -> None:
    lines = why("https://two.example/lamp").splitlines()
    assert lines[0] == TITLE
    assert lines[1].startswith(f"  story {TAG}, page ")
    assert "  x: category/x, entered 2026-03-05 12:00, updated 2026-03-05 12:10" in lines
    assert "    shows entry 3 (Feed two), before entry 2 (Feed one): its source has a higher priority" in lines
    assert "    shows entry 3 (Feed two): the only copy that is published there" in lines
    steps = [line for line in lines if line.startswith("  2026-")]
    assert steps == [
        "  2026-03-05 12:00  entry 2 was stored for the first time, from Feed one; it is known by its own id",
        "  2026-03-05 12:00  entry 2 (Feed one) matched no story that was there and founded one, with its place by its "
        "own date (a first poll)",
        "  2026-03-05 12:10  entry 3 was stored for the first time, from Feed two; it is known by its own id",
        "  2026-03-05 12:10  entry 3 (Feed two) joined: nearly the same (same title, same text), held against entry 2 "
        "(Feed one)",
        "  2026-03-05 12:10  entered y, by entry 3 (Feed two)",
        "  2026-03-05 12:10  x shows entry 3 (Feed two) from now on: its source has a higher priority",
    ]
    assert why(TAG) == why("2") == why("https://one.example/lamp") == "\n".join(lines) + "\n"


def test_the_json_has_the_same_steps_under_stable_names(app: App, why: Asked) -> None:
    (record,) = why.record(TAG)
    assert (record["kind"], record["id"], record["founder"]) == ("story", TAG, 2)
    assert [place["category"] for place in record["places"]] == ["x", "y"]
    assert [(e["entry"], e["source"], e["key_rule"]) for e in record["entries"]] == [(2, "one", "id"), (3, "two", "id")]
    codes = [step["code"] for step in record["steps"]]
    assert codes == ["store_entry", "make_story", "store_entry", "join_story", "publish_story", "switch_copy"]
    assert all(step["said"] and step["at"].endswith("Z") for step in record["steps"])


def test_an_operators_word_is_told_with_its_request(app: App, why: Asked, site: SampleSite) -> None:
    site.clock.move(days=1)
    carry_out(app, "unmerge", story=2, entry=None)
    said = why(TAG)
    assert (
        "an operator said 2026-03-06 12:10 that entry 2 (Feed one) and entry 3 (Feed two) are different stories" in said
    )
    assert "y: withdrawn 2026-03-06 12:10" in said
    assert "x shows entry 2 (Feed one) from now on: the copy that was shown is gone (request 1)" in said
    carry_out(app, "merge", story=2, other=3)
    carry_out(app, "retract", story=2, undo=False)
    said = why(TAG)
    assert "retracted 2026-03-06 12:10: published nowhere" in said
    assert "was merged into it" in said
    (merged,) = [line for line in said.splitlines() if "an operator merged" in line]
    assert merged.endswith("into it, with 1 entry (request 2)")
    other = merged.partition("merged ")[2].partition(" ")[0]
    assert f"merged into {TAG}, see aggregator why" in why(other)


def test_an_entry_that_was_rejected_says_by_which_rule(app: App, why: Asked) -> None:
    FakeSource(app).says("three", entry(7, title="Sponsored bread"))
    said = why("item-7")
    assert "entry 4 of Feed three: rejected by a rule" in said
    assert "entry 4 (Feed three) was rejected: y: exclude title: Sponsored" in said
    assert [found["kind"] for found in why.record("4")] == ["entry"]


def test_a_source_is_told_by_its_turn_its_states_and_what_it_told(app: App, why: Asked, site: SampleSite) -> None:
    site.clock.move(hours=1)
    FakeSource(app).fails("two", "dns")
    said = why("two")
    assert said.startswith("Feed two (source two, line 7), https://two.example/feed\n  failing; publishes in x, y\n")
    assert "1 failed in a row, dns: it failed" in said
    assert "2026-03-05 13:10  failed; next by " in said
    assert "from ok to failing: dns: it failed" in said
    assert "entry 3 (Feed two) joined: nearly the same" in said
    assert why("https://two.example/feed") == said
    (record,) = why.record("two")
    assert (record["kind"], record["state"], record["entries"]) == ("source", "failing", {"published": 2})


def test_a_source_that_left_feeds_yaml_is_told_too(app: App, why: Asked, site: SampleSite) -> None:
    app.close()
    site.writes("\n".join(line for line in FEEDS.splitlines() if "key: two" not in line))
    with site.opened():
        pass
    said = why("two")
    assert "it left feeds.yaml: it is no longer polled; what it published stays\n  entries: 2 published" in said
    assert "entry 3 (two) joined" in why("https://two.example/lamp")


def test_a_category_is_told_by_its_look_its_stories_and_whether_it_is_rendered(
    app: App, why: Asked, site: SampleSite
) -> None:
    said = why("x")
    assert "“The X”, shows full, 50 or more in its main feed, listed" in said
    assert "2 stories, 2 in the main feed, 0 archive pages" in said
    assert "its files are up to date; last rendered 2026-03-05 12:10" in said
    assert why("category/x.atom") == said
    assert why("http://127.0.0.1:8080/category/x.atom") == said
    site.clock.move(hours=2)
    carry_out(app, "retract", story=2, undo=False)
    said = why("x")
    assert "1 withdrawn, 1 of them with a tombstone" in said
    assert "to be rendered: main feed (1 changes since then)" in said


def test_what_bears_two_names_is_told_as_both(site: SampleSite, why: Asked) -> None:
    site.writes("sources: [{key: x, url: 'https://x.example/', category: x}]")
    with site.opened() as app:
        FakeSource(app).says("x", entry(1))
    assert [found["kind"] for found in why.record("x")] == ["source", "category"]


def test_of_an_unknown_thing_it_says_what_was_looked_up(app: App, why: Asked) -> None:
    error = why.error("https://nowhere.example/article")
    assert error.startswith(
        "aggregator: nothing is called https://nowhere.example/article. Looked up: the keys, titles and URLs"
    )


def test_every_code_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Code) - {Code.REFUSE_REQUEST}, "that one is about nothing that is stored"


@pytest.mark.parametrize("code", sorted(Code))
def test_an_event_without_facts_can_be_said_too(code: Code) -> None:
    """Other versions of the program record other facts."""
    step = Step(at=START, code=code, source=None, entry=None, story=None, facts={})
    assert said(step, Names({}, {}, {}, ZoneInfo("UTC")))


def test_r73_what_lasts_is_told_of_an_old_story_and_that_the_rest_has_gone(
    site: SampleSite, app: App, why: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aggregator.cli.why.command.utc_now", site.clock)
    young = why(TAG)
    assert "only those are kept that explain" not in young
    assert "founded one" in young
    site.clock.move(days=91)
    assert Maintenance(app.store, app.clock).trim_events() > 0
    old = why(TAG)
    assert "founded one" not in old
    (joined,) = (line for line in young.splitlines() if "joined:" in line)
    assert joined in old.splitlines(), "the evidence of a merge stays"
    assert old.endswith("only those are kept that explain the present state)\n")
