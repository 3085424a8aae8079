"""Advice for failures, and the figures of metrics."""

import pytest

from aggregator.app import App
from aggregator.model.poll import State
from aggregator.model.settings import Kind
from aggregator.store.status import ADVICE, OF_FILES, OF_LISTS, OF_PAGES, OF_SITEMAPS, advice_for
from tests.fake_source import FakeSource, said

FEEDS = """
sources:
  - {key: a, url: 'https://a.example/'}
  - {key: b, url: 'https://b.example/'}
  - {key: c, url: 'https://c.example/', paused: true}
"""


@pytest.mark.parametrize(
    ("code", "kind", "is_local", "advice"),
    [
        ("dns", Kind.FEED, False, ADVICE["dns"]),
        ("not_found", Kind.FEED, False, ADVICE["not_found"]),
        ("not_found", Kind.HTML, False, OF_PAGES["not_found"]),
        ("not_found", Kind.SITEMAP, False, OF_SITEMAPS["not_found"]),
        ("not_found", Kind.JSON, False, OF_LISTS["not_found"]),
        ("not_found", Kind.HTML, True, OF_FILES["not_found"]),
        ("dns", Kind.HTML, True, ADVICE["dns"]),
        ("unheard_of", Kind.FEED, False, None),
        (None, Kind.FEED, True, None),
    ],
)
def test_advice_fits_the_kind_of_source(code: str | None, kind: Kind, is_local: bool, advice: str | None) -> None:
    assert advice_for(code, kind, is_local=is_local) == advice


def test_figures_count_sources_by_state_and_stories(app: App) -> None:
    FakeSource(app).says("a", said(1), said(2))
    with app.store.read() as tx:
        figures = tx.status.figures(app.clock())
    assert figures.sources == {state: 0 for state in State} | {State.OK: 1, State.NEVER: 1, State.PAUSED: 1}
    assert figures.stories == 2
    assert not any(figures.alarms.values())
    assert figures.pings_owed == 0


def test_a_source_in_trouble_stands_before_one_that_is_well(app: App) -> None:
    FakeSource(app).says("a", said(1))
    status = app.store.status(app.in_force.roster, app.clock(), secrets=())
    states = {one.key: one.state for one in status.sources}
    assert list(states.items()) == [("b", State.NEVER), ("a", State.OK), ("c", State.PAUSED)]
    assert status.at == app.clock()
