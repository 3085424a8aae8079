"""One site, now served and now polled: neither undoes what the other did, nor raises an alarm for it (R19, R30)."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from aggregator.service import Service
from aggregator.store.store_row import ONE_RUN, RUNS, SERVED_FOR
from tests.desk import FakeSource, said
from tests.newsroom import SampleSite, item, rss
from tests.publisher import Publisher


@pytest.fixture
def room(newsroom: SampleSite, publisher: Publisher) -> SampleSite:
    url = publisher.serve("/feed", rss(item(1)))
    newsroom.writes(f"publish: {{formats: [atom, html]}}\nsources: [{{key: a, url: '{url}', every: 15m}}]\n")
    return newsroom


def serve(room: SampleSite, *, hours: int = 0) -> None:
    """Run a service, and do what it does each hour."""
    with room.opened("serve") as app:
        service = Service(app, {})
        service.start()
        service._jobs.pause()
        for _ in range(hours):
            room.clock.move(hours=1)
            service._jobs.get_job("serving").func()
        service.stop()


def pages(room: SampleSite) -> Mapping[str, tuple[bytes, int, int]]:
    return {path: file for path, file in room.files().items() if path.endswith(".html")}


def has_link(room: SampleSite) -> set[bool]:
    searched = {path: b"search" in data for path, (data, *_) in pages(room).items()}
    return set(searched.values())


def test_r30_served_and_polled_in_turn_nothing_is_rewritten(room: SampleSite) -> None:
    room.poll()
    assert has_link(room) == {False}
    serve(room)
    assert has_link(room) == {True}
    before = pages(room)
    for _ in range(3):
        room.clock.move(hours=1)
        room.poll(everything=False)
        assert pages(room) == before
        serve(room)
        assert pages(room) == before


def test_pages_lead_to_a_search_until_nobody_has_answered_it_for_a_week(room: SampleSite) -> None:
    serve(room)
    room.poll()
    serve(room, hours=24 * 9)
    room.clock.move(hours=SERVED_FOR / timedelta(hours=1) - 1)
    room.poll(everything=False)
    assert has_link(room) == {True}, "counted from the last hour of it"
    room.clock.move(hours=-1000)
    room.poll(everything=False)
    assert has_link(room) == {True}, "the clock was set back"
    room.clock.move(hours=1002)
    room.poll(everything=False)
    assert has_link(room) == {False}
    room.clock.move(hours=-500)
    room.poll(everything=False)
    assert has_link(room) == {False}


# Lag.


def alarms(room: SampleSite) -> list[str]:
    """Say what alarms anybody who looks is told of."""
    with room.opened() as app:
        status = app.store.status(app.roster, room.clock())
    return [f"{alarm.code}: {alarm.text}" for alarm in status.alarms]


def test_r19_between_the_runs_of_a_cron_job_no_source_is_late(room: SampleSite, publisher: Publisher) -> None:
    for _ in range(3 * RUNS):
        room.poll(everything=False)
        for _ in range(5):
            room.clock.move(minutes=1)
            assert alarms(room) == []
    assert len(publisher.asked) >= RUNS


def test_r19_a_job_that_is_started_no_more_is_an_alarm(room: SampleSite) -> None:
    for _ in range(RUNS):
        room.poll(everything=False)
        room.clock.move(minutes=5)
    minutes = 0
    while not alarms(room):
        minutes += 1
        room.clock.move(minutes=1)
    assert minutes <= 20, "its interval, five minutes to the next run, and a fourth of the interval"
    assert alarms(room) == [
        "lag: 1 of 1 sources wait for over a fourth of their interval, and the 5 min between runs of poll; "
        "one in twenty over 9 min"
    ]
    room.poll(everything=False)
    assert alarms(room) == []


def test_r19_how_often_a_job_runs_is_known_after_two_runs_and_learnt_anew(room: SampleSite) -> None:
    def gap() -> timedelta:
        with room.opened() as app, app.store.read() as tx:
            return tx.schedule.lag(room.clock()).between_runs

    assert gap() == timedelta(0)
    room.poll()
    assert gap() == ONE_RUN
    for _ in range(2):
        room.clock.move(hours=1)
        room.poll()
    room.poll(["a"])
    assert gap() == timedelta(hours=1)
    for _ in range(RUNS):
        room.clock.move(minutes=5)
        room.poll(everything=False)
    assert gap() == timedelta(minutes=5)
    room.clock.move(days=-30)
    room.poll(everything=False)
    assert gap() == ONE_RUN
    serve(room)
    assert gap() == timedelta(0)


def test_r19_a_service_that_asks_nobody_is_late_at_once(room: SampleSite) -> None:
    with room.opened("serve") as app:
        app.note_serving()
        FakeSource(app).says("a", said(1))
        room.clock.move(minutes=40)
        assert [alarm.code.value for alarm in app.store.status(app.roster, room.clock()).alarms] == ["lag"]
