"""Alarms: which are raised, and the one log record when an alarm begins or ends (R19, R43, R46, R48, P94, R67)."""

import json
import logging
from datetime import timedelta
from pathlib import Path

import pytest

from aggregator.app import App
from aggregator.model.alarm import Alarm
from aggregator.model.status import Outage
from tests.fake_source import FakeSource, said
from tests.rows import change
from tests.sample_site import SampleSite


@pytest.fixture
def site(tmp_path: Path) -> SampleSite:
    site = SampleSite(tmp_path)
    site.writes("sources: [{key: a, url: 'https://a.example/'}, {key: b, url: 'https://b.example/', paused: true}]")
    return site


def alarms(app: App) -> list[Alarm]:
    return list(app.store.status(app.in_force.roster, app.clock()).alarms)


def codes(app: App) -> list[str]:
    """Return the codes of the alarms of sources."""
    return [alarm.code.value for alarm in alarms(app) if alarm.source is not None]


def test_r43_a_feed_that_had_five_entries_and_says_none_three_times_is_empty(site: SampleSite) -> None:
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("a", *(said(n) for n in range(5)))
        for _ in range(2):
            fake_source.says("a")
        assert "empty" not in codes(app)
        fake_source.says("a")
        assert "empty" in codes(app)
        fake_source.says("a", said(9))
        assert "empty" not in codes(app)


def test_r43_a_feed_that_never_had_five_is_not(site: SampleSite) -> None:
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("a", *(said(n) for n in range(4)))
        for _ in range(4):
            fake_source.says("a")
        assert "empty" not in codes(app)


def test_r46_dead_after_seven_days_without_a_success(site: SampleSite) -> None:
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("a", said(1))
        for _ in range(3):
            site.clock.move(days=2)
            fake_source.fails("a", "dns")
        assert codes(app) == []
        site.clock.move(days=1)
        (alarm,) = (alarm for alarm in alarms(app) if alarm.source == "a")
        assert alarm.code == "dead"
        assert alarm.text == "no success since 2026-03-04; 3 failures in a row (dns)"
        fake_source.unchanged(["a"])
        assert codes(app) == []


def test_r46_one_failure_after_a_pause_of_our_own_is_no_death(site: SampleSite) -> None:
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("a", said(1))
        site.clock.move(days=30)
        fake_source.fails("a")
        assert codes(app) == []


@pytest.mark.parametrize(
    ("gap_days", "silent_after"),
    [pytest.param(1, 90, id="at-least-90-days"), pytest.param(20, 120, id="six-gaps")],
)
def test_r46_silent_after_six_median_gaps_and_at_least_90_days(
    site: SampleSite, gap_days: int, silent_after: int
) -> None:
    with site.opened() as app:
        fake_source = FakeSource(app)
        entries = []
        for n in range(15):
            entries.append(said(n, published=site.clock.now))
            fake_source.says("a", *entries)
            site.clock.move(days=gap_days)
        site.clock.move(days=silent_after - gap_days - 1)
        fake_source.unchanged(["a"])
        assert codes(app) == []
        site.clock.move(days=1)
        fake_source.unchanged(["a"])
        assert codes(app) == ["silent"]


def test_p94_unconditional_when_over_a_tenth_of_polls_and_three_at_least(site: SampleSite) -> None:
    with site.opened() as app:
        fake_source = FakeSource(app)
        for _ in range(3):
            fake_source.says("a", said(1))  # the first one knew of no validators
        assert codes(app) == []
        fake_source.says("a", said(1))
        assert codes(app) == ["unconditional"]
        for _ in range(26):
            fake_source.unchanged(["a"])
        assert codes(app) == [], "3 of 30 are no more than a tenth"
        fake_source.says("a", said(1))
        assert codes(app) == ["unconditional"]
        site.clock.move(days=2)
        assert codes(app) == [], "what was before yesterday is forgotten"


def test_r48_future_and_past(site: SampleSite) -> None:
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("a", said(1))
        now = site.clock.now
        fake_source.says(
            "a", said(2, published=now + timedelta(days=3)), said(3, published=now - timedelta(days=700)), said(1)
        )
        assert sorted(codes(app)) == ["future", "past"]


def test_p87_network_down_is_an_alarm(site: SampleSite) -> None:
    with site.opened() as app:
        FakeSource(app).unchanged(["a"])
        with app.store.begin() as tx:
            tx.store_row.note_network(Outage(public=app.clock()))
        site.clock.move(days=1)
        assert [(alarm.code, alarm.source) for alarm in alarms(app)] == [("network_down", None)], "that is why we lag"


def test_r19_lag_is_an_alarm(site: SampleSite) -> None:
    with site.opened() as app:
        FakeSource(app).unchanged(["a"])
        assert alarms(app) == []
        site.clock.move(days=1)
        assert [(alarm.code, alarm.source) for alarm in alarms(app)] == [("lag", None)]


def test_r46_one_notice_for_a_change_not_for_a_poll(site: SampleSite, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "aggregator.store.alarms")

    def notices() -> list[tuple[str, str, object, object]]:
        mine = [record for record in caplog.records if record.name == "aggregator.store.alarms"]
        return [(r.levelname, r.message, vars(r)["alarm"], vars(r)["source"]) for r in mine]

    def look(app: App) -> None:
        with app.store.begin() as tx:
            tx.alarms.note(app.clock())

    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("a", said(1))
        for _ in range(4):
            site.clock.move(days=2)
            fake_source.fails("a")
        look(app)
        noticed = site.clock.now
        site.clock.move(minutes=5)
    with site.opened() as app:  # nor for a start of the program
        look(app)
        assert [alarm.since for alarm in alarms(app) if alarm.source == "a"] == [noticed]
        assert notices() == [("WARNING", "raise_alarm", "dead", "a")]
        FakeSource(app).unchanged(["a"])
        look(app)
        look(app)
    assert notices()[1:] == [("INFO", "end_alarm", "dead", "a")]


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        (["title"], "no entry has title any more"),
        (["title", "link"], "no entry has title or link any more"),
        (["title", "date", "link"], "no entry has title, date or link any more"),
    ],
)
def test_fields_that_are_lost_are_named_and_the_operator_reads_what_to_do(
    site: SampleSite, lost: list[str], words: str
) -> None:
    with site.opened() as app:
        FakeSource(app).says("a", said(1))
        now = site.clock.now.timestamp()
        seen = json.dumps({"lost": lost, "lost_since": now})
        change(app.store, "UPDATE source SET observations = :seen WHERE key = 'a'", seen=seen)
        [alarm] = [alarm for alarm in alarms(app) if alarm.code == "fields_lost"]
        assert alarm.text.startswith(words)
        assert "held back" in alarm.text
        [source] = [one for one in app.store.status(app.in_force.roster, site.clock()).sources if one.key == "a"]
    assert source.advice == (
        f"look at the feed, and report to the publisher that its entries have no {' and no '.join(lost)}; "
        "if that is intended, aggregator accept a"
    )
