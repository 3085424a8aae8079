"""One site, now served and now polled: neither undoes what the other did, nor raises an alarm for it (R19, R30)."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from apscheduler.schedulers.background import BackgroundScheduler

from aggregator.service import Service
from aggregator.store.store_row import ONE_RUN, RUNS, SERVED_FOR
from tests.fake_source import FakeSource, said
from tests.feed_server import FeedServer
from tests.sample_site import SampleSite, item, rss


@pytest.fixture
def site(sample_site: SampleSite, publisher: FeedServer) -> SampleSite:
    url = publisher.serve("/feed", rss(item(1)))
    sample_site.writes(f"publish: {{formats: [atom, html]}}\nsources: [{{key: a, url: '{url}', every: 15m}}]\n")
    return sample_site


def serve(site: SampleSite, *, hours: int = 0) -> None:
    """Run a service, and do what it does each hour."""
    with site.opened("serve") as app:
        scheduler = BackgroundScheduler()
        service = Service(app, {}, scheduler=scheduler)
        service.start()
        scheduler.pause()
        for _ in range(hours):
            site.clock.move(hours=1)
            service.jobs["serving"].run()
        service.stop()


def pages(site: SampleSite) -> Mapping[str, tuple[bytes, int, int]]:
    return {path: file for path, file in site.files().items() if path.endswith(".html")}


def has_link(site: SampleSite) -> set[bool]:
    searched = {path: b"search" in data for path, (data, *_) in pages(site).items()}
    return set(searched.values())


def test_r30_served_and_polled_in_turn_nothing_is_rewritten(site: SampleSite) -> None:
    site.poll()
    assert has_link(site) == {False}
    serve(site)
    assert has_link(site) == {True}
    before = pages(site)
    for _ in range(3):
        site.clock.move(hours=1)
        site.poll(everything=False)
        assert pages(site) == before
        serve(site)
        assert pages(site) == before


def test_pages_lead_to_a_search_until_nobody_has_answered_it_for_a_week(site: SampleSite) -> None:
    serve(site)
    site.poll()
    serve(site, hours=24 * 9)
    site.clock.move(hours=SERVED_FOR / timedelta(hours=1) - 1)
    site.poll(everything=False)
    assert has_link(site) == {True}, "counted from the last hour of it"
    site.clock.move(hours=-1000)
    site.poll(everything=False)
    assert has_link(site) == {True}, "the clock was set back"
    site.clock.move(hours=1002)
    site.poll(everything=False)
    assert has_link(site) == {False}
    site.clock.move(hours=-500)
    site.poll(everything=False)
    assert has_link(site) == {False}


# Lag.


def alarms(site: SampleSite) -> list[str]:
    """Return the alarms that every reader of the site sees."""
    with site.opened() as app:
        status = app.store.status(app.in_force.roster, site.clock())
    return [f"{alarm.code}: {alarm.text}" for alarm in status.alarms]


def test_r19_between_the_runs_of_a_cron_job_no_source_is_late(site: SampleSite, publisher: FeedServer) -> None:
    for _ in range(3 * RUNS):
        site.poll(everything=False)
        for _ in range(5):
            site.clock.move(minutes=1)
            assert alarms(site) == []
    assert len(publisher.asked) >= RUNS


def test_r19_a_job_that_is_started_no_more_is_an_alarm(site: SampleSite) -> None:
    for _ in range(RUNS):
        site.poll(everything=False)
        site.clock.move(minutes=5)
    minutes = 0
    while not alarms(site):
        minutes += 1
        site.clock.move(minutes=1)
    assert minutes <= 20, "its interval, five minutes to the next run, and a fourth of the interval"
    assert alarms(site) == [
        "lag: 1 of 1 sources wait for over a fourth of their interval, and the 5 min between runs of poll; "
        "one in twenty over 9 min"
    ]
    site.poll(everything=False)
    assert alarms(site) == []


def test_r19_how_often_a_job_runs_is_known_after_two_runs_and_learnt_anew(site: SampleSite) -> None:
    def gap() -> timedelta:
        with site.opened() as app, app.store.read() as tx:
            return tx.schedule.lag(site.clock()).between_runs

    assert gap() == timedelta(0)
    site.poll()
    assert gap() == ONE_RUN
    for _ in range(2):
        site.clock.move(hours=1)
        site.poll()
    site.poll(["a"])
    assert gap() == timedelta(hours=1)
    for _ in range(RUNS):
        site.clock.move(minutes=5)
        site.poll(everything=False)
    assert gap() == timedelta(minutes=5)
    site.clock.move(days=-30)
    site.poll(everything=False)
    assert gap() == ONE_RUN
    serve(site)
    assert gap() == timedelta(0)


def test_r19_a_service_that_asks_nobody_is_late_at_once(site: SampleSite) -> None:
    with site.opened("serve") as app:
        with app.store.begin() as tx:
            tx.store_row.note_serving(app.clock())
        FakeSource(app).says("a", said(1))
        site.clock.move(minutes=40)
        assert [alarm.code.value for alarm in app.store.status(app.in_force.roster, site.clock()).alarms] == ["lag"]
