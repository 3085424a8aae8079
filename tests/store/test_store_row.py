"""The one row of table `store`."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from aggregator.model.status import Outage
from aggregator.store.schema import store
from aggregator.store.store_row import ONE_RUN, RUNS, SERVED_FOR
from aggregator.store.transaction import Transaction
from tests.rows import change, rows
from tests.sample_site import SampleSite

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def site(sample_site: SampleSite) -> SampleSite:
    sample_site.writes("sources: [{key: a, url: 'https://a.example/'}]")
    return sample_site


@pytest.fixture
def tx(site: SampleSite) -> Iterator[Transaction]:
    with site.opened() as app, app.store.begin() as tx:
        yield tx


def test_a_new_store_has_counters_to_begin_with_and_an_id(site: SampleSite) -> None:
    with site.opened() as app:
        (row,) = rows(app.store, select(store))
        assert (row.next_entry, row.next_story, row.rendered, row.gone_stale, row.adopts) == (1, 1, 0, True, False)
        with app.store.read() as tx:
            assert str(tx.store_row.uuid()) == row.uuid


def test_the_configuration_in_force_and_why_a_later_one_is_not(tx: Transaction) -> None:
    row = tx.store_row
    row.note_config_error("line 3")
    row.keep_config("sources: []", "/etc/feeds.yaml", NOON)
    assert row.last_good_config() == "sources: []"
    row.note_output_error("public/: no room")
    assert row.output_error() == "public/: no room"
    row.note_output_error(None)
    assert row.output_error() is None


def test_r51_a_configuration_in_force_ends_the_error(site: SampleSite) -> None:
    with site.opened() as app:
        with app.store.begin() as tx:
            tx.store_row.note_config_error("line 3")
        assert rows(app.store, select(store.c.config_error))[0][0] == "line 3"
        with app.store.begin() as tx:
            tx.store_row.keep_config("sources: []", "/etc/feeds.yaml", NOON)
        (row,) = rows(app.store, select(store.c.config_error, store.c.config_path, store.c.config_loaded_at))
        assert tuple(row) == (None, "/etc/feeds.yaml", NOON)


def test_p87_an_outage_makes_the_site_dirty_once(site: SampleSite) -> None:
    down = Outage(public=NOON, own=NOON + HOUR)
    with site.opened() as app:

        def generation() -> int:
            return int(rows(app.store, select(store.c.dirty))[0][0])

        before = generation()
        with app.store.begin() as tx:
            assert tx.store_row.outage() == Outage()
            tx.store_row.note_network(Outage())
        assert generation() == before
        with app.store.begin() as tx:
            tx.store_row.note_network(down)
            assert tx.store_row.outage() == down
        assert generation() > before
        after = generation()
        with app.store.begin() as tx:
            tx.store_row.note_network(down)
        assert generation() == after


def run_gap(site: SampleSite, *times: datetime) -> tuple[timedelta, int]:
    """Return the longest gap between runs at these times, and the number of stored runs."""
    with site.opened() as app:
        change(app.store, store.update().values(runs=None, run_gap=None))
        with app.store.begin() as tx:
            for when in times:
                tx.store_row.note_run(when)
        (row,) = rows(app.store, select(store.c.runs, store.c.run_gap))
        return timedelta(microseconds=row.run_gap), len(row.runs)


def test_the_longest_gap_between_the_last_runs(site: SampleSite) -> None:
    assert run_gap(site, NOON) == (ONE_RUN, 1)
    assert run_gap(site, NOON, NOON + HOUR, NOON + 3 * HOUR) == (2 * HOUR, 3)
    regular = [NOON + HOUR * n for n in range(RUNS)]
    assert run_gap(site, NOON - 5 * HOUR, *regular) == (HOUR, RUNS), "older ones are forgotten"


def test_runs_in_the_future_are_forgotten(site: SampleSite) -> None:
    assert run_gap(site, NOON, NOON + 9 * HOUR, NOON + HOUR) == (HOUR, 2)
    assert run_gap(site, NOON, NOON) == (ONE_RUN, 1)


def test_pages_link_to_what_serve_answers_for_some_days(tx: Transaction) -> None:
    row = tx.store_row
    assert not row.is_served()
    row.note_served(NOON)
    row.end_serving(NOON + SERVED_FOR)
    assert row.is_served()
    row.end_serving(NOON + SERVED_FOR + HOUR)
    assert not row.is_served()
    row.note_serving(NOON)
    assert row.is_served()


def test_serve_forgets_the_runs_before_it(site: SampleSite) -> None:
    with site.opened() as app:
        with app.store.begin() as tx:
            tx.store_row.note_run(NOON)
            tx.store_row.note_serving(NOON)
        (row,) = rows(app.store, select(store.c.runs, store.c.run_gap, store.c.served_at))
        assert tuple(row) == (None, None, NOON)
