"""Earlier wordings of entries: stored with the revision, limited in number, and without cost if nothing changes."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from aggregator.app import App
from aggregator.model.trail import Earlier
from aggregator.store import entries
from tests.fake_source import FakeSource, said
from tests.sample_site import START, SampleSite


@pytest.fixture
def site(tmp_path: Path) -> SampleSite:
    site = SampleSite(tmp_path)
    site.writes("sources: [{key: a, url: 'https://a.example/'}]")
    return site


def earlier(app: App, number: int = 1) -> Sequence[Earlier]:
    with app.store.read() as tx:
        return tx.trail.entry(number)[0].earlier


def about_wordings(statements: Sequence[str]) -> list[str]:
    return [s for s in statements if s.startswith(("INSERT INTO revision", "DELETE FROM revision"))]


def noise(chance: random.Random, size: int) -> str:
    """Return a text that hardly compresses."""
    return f"<p>{chance.randbytes(size // 2).hex()}</p>"


def test_what_a_reader_saw_is_kept_until_when(site: SampleSite, app: App) -> None:
    fake_source = FakeSource(app)
    texts = [f"<p>The {n}. edition says this, and a little more.</p>" for n in range(3)]
    for text in texts:
        fake_source.says("a", said(1, text=text, title="A title", link="https://a.example/1"), said(2))
        site.clock.move(hours=1)
    kept = earlier(app)
    assert [(one.until - START, one.wording.content) for one in kept] == [
        (timedelta(hours=1), texts[0]),
        (timedelta(hours=2), texts[1]),
    ]
    assert (kept[0].wording.title, kept[0].wording.link) == ("A title", "https://a.example/1")
    assert earlier(app, 2) == ()


def test_a_poll_that_revises_nothing_asks_for_nothing(site: SampleSite, app: App) -> None:
    """Nor does a revision that is not shown: the lost text is kept (I61)."""
    fake_source, statements = FakeSource(app), list[str]()
    fake_source.says("a", said(1), said(2))
    with app.store.heard_statements(statements.append):
        fake_source.says("a", said(1), said(2))
        fake_source.says("a", said(1), said(2), said(3))
        fake_source.says("a", replace(said(1), content="", text=""), said(2), said(3))
    assert about_wordings(statements) == []


def test_revisions_cost_three_statements_however_many_there_are(site: SampleSite, app: App) -> None:
    costs = []
    fake_source = FakeSource(app)
    fake_source.says("a", *(said(n) for n in range(60)))
    for changed in (1, 60):
        statements: list[str] = []
        with app.store.heard_statements(statements.append):
            fake_source.says("a", *(said(n, title=f"Now {changed}" if n < changed else None) for n in range(60)))
        costs.append(len(statements))
        assert len(about_wordings(statements)) == 2, "besides a look at what was there"
    assert costs[0] == costs[1]


def test_only_the_newest_wordings_stay(site: SampleSite, app: App) -> None:
    fake_source, chance = FakeSource(app), random.Random(1)
    updated = START
    for number in range(entries.KEPT + 5):
        updated += timedelta(hours=1)  # dated, or the 25th would be held (T4)
        fake_source.says("a", said(1, text=f"<p>Number {number}</p>", updated=updated), said(2))
    assert [one.wording.content for one in earlier(app)] == [f"<p>Number {n}</p>" for n in range(4, 14)]
    for _ in range(4):
        updated += timedelta(hours=1)
        fake_source.says("a", said(1), said(2, text=noise(chance, 50_000), updated=updated))
    kept = earlier(app, 2)
    assert [len(one.wording.content) > 40_000 for one in kept] == [True, True], "each shrinks to about half"
    assert len(earlier(app)) == entries.KEPT, "one entry's do not count for another"


def test_a_wording_that_is_too_large_is_not_kept(site: SampleSite, app: App) -> None:
    fake_source, chance = FakeSource(app), random.Random(2)
    fake_source.says("a", said(1, text=noise(chance, 300_000)))
    fake_source.says("a", said(1, text="<p>Short now.</p>"))
    assert earlier(app) == ()


def test_another_date_alone_is_no_other_wording(site: SampleSite, app: App) -> None:
    fake_source = FakeSource(app)
    fake_source.says("a", said(1, published=START - timedelta(hours=1)))
    changes = fake_source.says("a", said(1, published=START - timedelta(hours=5)))
    assert changes.entries.revised
    assert earlier(app) == ()


def test_a_revision_that_is_held_replaces_nothing_that_was_seen(site: SampleSite, app: App) -> None:
    fake_source = FakeSource(app)
    for number in range(30):  # none is dated: from the 25th on they are stored, not shown (T4)
        fake_source.says("a", said(1, text=f"<p>Number {number}</p>"))
    kept = [one.wording.content for one in earlier(app)]
    assert kept[-1] == "<p>Number 23</p>", "24 is what is seen"
