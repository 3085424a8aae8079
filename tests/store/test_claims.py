"""Claims on sources: two claimers never get the same one, and a claim is settled at most once (R13)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from aggregator.app import App
from aggregator.model.job import Gathered, SourceJob
from aggregator.model.poll import Failed, NotModified
from aggregator.poll.pipeline import settle
from aggregator.store.schedule import DueItem
from tests.rows import change, rows
from tests.sample_site import START, SampleSite

STATE = "SELECT due_at, attempted_at, claims, polls, failures FROM source ORDER BY id"


@pytest.fixture
def site(tmp_path: Path) -> SampleSite:
    site = SampleSite(tmp_path)
    site.writes("sources:\n" + "".join(f"  - {{key: s{n}, url: 'https://s{n}.example/'}}\n" for n in range(8)))
    return site


def due(app: App) -> list[DueItem]:
    with app.store.read() as tx:
        return tx.schedule.due(app.clock(), limit=99)


def claim(app: App, items: list[DueItem]) -> list[SourceJob]:
    with app.store.begin() as tx:
        return tx.claims.claim(items, app.clock(), app.in_force.roster.sources)


def test_r13_what_two_have_chosen_one_claims(app: App) -> None:
    chosen = due(app)
    assert len(claim(app, chosen[:3])) == 3
    assert [job.source_id for job in claim(app, chosen)] == [item.id.row for item in chosen[3:]]
    assert claim(app, chosen) == []


def test_r13_what_was_polled_since_it_was_chosen_is_not_claimed(site: SampleSite, app: App) -> None:
    chosen = due(app)
    settle([Gathered(job, NotModified(asked_at=app.clock())) for job in claim(app, chosen)], app.poller.ports)
    site.clock.move(hours=2)
    assert claim(app, chosen) == []
    assert len(claim(app, due(app))) == 8


def test_r13_claimers_beside_each_other_never_get_the_same(site: SampleSite, app: App) -> None:
    for _ in range(5):
        with ThreadPoolExecutor(4) as claimers:
            claimed = [job.source_id for some in claimers.map(claim, [app] * 4, [due(app)] * 4) for job in some]
        assert sorted(claimed) == sorted(set(claimed))
        assert len(claimed) == 8
        site.clock.move(days=1)


def test_r13_a_poll_whose_claim_was_taken_over_is_dropped(site: SampleSite, app: App) -> None:
    first = claim(app, due(app))
    site.clock.move(days=1)  # its process hangs; the sources are due again
    second = claim(app, due(app))
    assert len(second) == 8
    before = rows(app.store, STATE)
    late = app.clock()
    assert settle([Gathered(job, Failed(asked_at=late, code="timeout")) for job in first], app.poller.ports) == []
    assert rows(app.store, STATE) == before, "nothing of the first claimer is written"
    with app.store.begin() as tx:
        tx.claims.give_back(first)
        tx.claims.put_off([(job, late) for job in first])
    assert rows(app.store, STATE) == before, "nor does it undo the claim of the second"
    polls = [Gathered(job, NotModified(asked_at=late)) for job in second]
    assert len(settle(polls, app.poller.ports)) == 8


def test_p52_the_next_turn_of_a_run_is_that_of_the_first_that_may_be_polled(app: App) -> None:
    def turn() -> tuple[int, datetime | None]:
        with app.store.read() as tx:
            return tx.schedule.next_turn()

    at = {number: START + timedelta(hours=number) for number in range(1, 9)}
    for number, when in at.items():
        moment = int(when.timestamp() * 1e6)
        change(app.store, "UPDATE source SET earliest_at = :at, due_at = :at + 7 WHERE id = :id", at=moment, id=number)
    assert turn() == (8, at[1])
    change(app.store, "UPDATE source SET paused = TRUE WHERE id = 1")
    change(app.store, "UPDATE source SET active = FALSE WHERE id = 2")
    assert turn() == (6, at[3])
    change(app.store, "UPDATE source SET paused = TRUE")
    assert turn() == (0, None)
