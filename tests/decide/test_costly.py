"""Entries that would cost too much to compare: they count as different, `why` says so, and no stop waits (R40, R54)."""

from dataclasses import replace
from itertools import count

import pytest

from aggregator.app import App
from aggregator.cli import main
from aggregator.errors import CutShort
from aggregator.model.changes import Changes
from aggregator.model.event import Code
from tests.fake_source import FakeSource, said
from tests.sample_site import SampleSite

TITLE = "The lamp is back in its lighthouse"
WORDS = "After nine years in a cellar the lamp of the old lighthouse is back where it belongs".split()
PART = " ".join(f"{word} here{number}" for number in range(100) for word in WORDS[:15])
END = " ".join(f"passage{number}" for number in range(3000))  # what both texts have, or they are not compared at all
LONG, OTHER = f"{PART} {END}", f"{PART.replace('here', 'there')} {END}"
FEEDS = """
sources:
  - {key: one, url: 'https://one.example/feed', every: 1h}
  - {key: two, url: 'https://two.example/feed', every: 1h}
"""


def facts(changes: Changes, code: Code) -> list[dict[str, object]]:
    return [dict(event.facts) for event in changes.entries.events if event.code is code]


def test_a_pair_that_is_too_costly_is_two_stories_and_why_says_so(
    app: App, site: SampleSite, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_source = FakeSource(app)
    fake_source.says("one", said(1, title=TITLE, text=f"<p>{LONG}", link="https://one.example/lamp"))
    made = fake_source.says("two", said(2, title=TITLE, text=f"<p>{OTHER}", link="https://two.example/lamp"))
    assert [fact["uncompared"] for fact in facts(made, Code.MAKE_STORY)] == [[1]]
    assert main(["-c", str(site.folder / "feeds.yaml"), "why", "https://two.example/lamp"], {}) == 0
    assert "1 copy it may be of was not compared: that would cost too much" in capsys.readouterr().out


def test_the_seconds_of_a_poll_are_spent_on_the_first_pairs(app: App) -> None:
    ticks = count(step=2)
    app.poller.ports = replace(app.poller.ports, worked=lambda: float(next(ticks)))
    text = " ".join(WORDS * 3)
    fake_source = FakeSource(app)
    fake_source.says("one", *(said(n, title=f"{TITLE} {n}", text=f"<p>{n} {text}</p>") for n in range(4)))
    other = [said(n, own_id=f"x{n}", title=f"{TITLE} {n}", text=f"<p>{n} {text} x</p>") for n in range(4)]
    changes = fake_source.says("two", *(replace(each, link=None) for each in other))
    assert len(facts(changes, Code.JOIN_STORY)) == 1
    made = facts(changes, Code.MAKE_STORY)
    assert len(made) == 3
    assert all(fact["uncompared"] for fact in made)


def test_r54_a_poll_that_is_not_decided_at_a_stop_changes_nothing(app: App) -> None:
    app.poller.ports = replace(app.poller.ports, is_cut=lambda: True)
    with pytest.raises(CutShort):
        FakeSource(app).says("one", said(1))
    assert app.store.status(app.in_force.roster, app.clock()).sources[0].entries == 0
