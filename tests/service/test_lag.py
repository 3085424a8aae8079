"""Late sources are measured in the store, and logged once (R19)."""

import logging
from datetime import timedelta
from pathlib import Path

import pytest

from aggregator.model.status import Lag
from aggregator.service.lag import LagWatch
from tests.fake_source import FakeSource
from tests.sample_site import START, SampleSite


def test_r19_lag_is_measured_over_all_that_are_not_paused(tmp_path: Path) -> None:
    sample_site = SampleSite(tmp_path)
    lines = "".join(f"  - {{key: s{n}, url: 'https://s{n}.example/', every: 1h}}\n" for n in range(40))
    sample_site.writes(f"sources:\n{lines}  - {{key: p, url: 'https://p.example/', paused: true}}\n", hosts="")
    statements: list[str] = []
    with sample_site.opened() as app:
        FakeSource(app).unchanged([f"s{n}" for n in range(40)])
        with app.store.read() as tx:
            dues = sorted(item.due_at for item in tx.schedule.named(None))
            now = dues[4] + timedelta(minutes=15, microseconds=1)
            with app.store.heard_statements(statements.append):
                lag = tx.schedule.lag(now)
            before = tx.schedule.lag(dues[0])
    late = sum(now - due > timedelta(minutes=15) for due in dues)
    assert late >= 5
    assert lag == Lag(sources=40, late=late, p95=now - dues[2])
    assert before == Lag(sources=40, late=0, p95=timedelta(0))
    assert [s for s in statements if not s.startswith("BEGIN")] == statements[-1:]


def test_r19_an_empty_store_has_no_lag(tmp_path: Path) -> None:
    sample_site = SampleSite(tmp_path)
    sample_site.writes("sources: [{url: 'https://a.example/', paused: true}]\n")
    with sample_site.opened() as app, app.store.read() as tx:
        assert tx.schedule.lag(START) == Lag(sources=0, late=0, p95=timedelta(0))


def test_r19_the_alarm_comes_once_and_goes_once(caplog: pytest.LogCaptureFixture) -> None:
    watch = LagWatch()
    late = Lag(sources=100, late=6, p95=timedelta(minutes=20))
    fine = Lag(sources=100, late=5, p95=timedelta(minutes=14))
    said = []
    for minute, lag in enumerate([late, late, fine, *[late] * 8, None, fine, late]):
        caplog.clear()
        with caplog.at_level(logging.INFO):
            watch.see(lag, START + timedelta(minutes=minute))
        said += [(minute, record.message) for record in caplog.records]
    assert said == [(8, "lag_polls"), (11, "keep_up")]
