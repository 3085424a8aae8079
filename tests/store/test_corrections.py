"""When finished requests for corrections are deleted (R27, R63)."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from aggregator.app import App
from aggregator.model.correction import Act, Outcome
from aggregator.model.event import Code
from aggregator.poll.maintenance import Maintenance
from aggregator.service.service import Service
from aggregator.store import corrections
from aggregator.store.schema import event, request
from tests.rows import rows
from tests.sample_site import SampleSite


@pytest.fixture
def site(tmp_path: Path) -> SampleSite:
    site = SampleSite(tmp_path)
    site.writes("sources: [{key: a, url: 'https://a.example/', paused: true}]\n")
    return site


def ask(app: App, *, answered: bool) -> int:
    """File a request for a correction, finished if `answered`; return its id."""
    with app.store.begin() as tx:
        number = tx.corrections.file(Act.RETRACT, {"story": 1, "undo": False}, app.clock())
        (asked,) = (one for one in tx.corrections.pending() if one.id == number)
        if answered:
            tx.corrections.finish(asked, Outcome(done=True, said="done", facts={}), app.clock())
    return number


def kept(app: App) -> list[int]:
    return [number for (number,) in rows(app.store, select(request.c.id).order_by(request.c.id))]


def test_r27_a_refusal_is_noted_by_whoever_answers_first_alone(app: App) -> None:
    number = ask(app, answered=False)
    refused = Outcome(done=False, said="there is no such story")
    with app.store.begin() as tx:
        (asked,) = tx.corrections.pending()
        assert [tx.corrections.finish(asked, refused, app.clock()) for _ in range(2)] == [True, False]
    facts = rows(app.store, select(event.c.facts).where(event.c.code == Code.REFUSE_REQUEST.value))
    assert [fact["request"] for (fact,) in facts] == [number]


def test_answered_ones_go_after_a_week_and_those_that_wait_stay(site: SampleSite, app: App) -> None:
    answered, waiting = ask(app, answered=True), ask(app, answered=False)
    site.clock.move(days=6)
    late, newest = ask(app, answered=True), ask(app, answered=True)
    site.clock.move(days=1)
    assert Maintenance(app.store, app.clock).trim_requests() == 0
    site.clock.move(seconds=1)
    assert Maintenance(app.store, app.clock).trim_requests() == 1
    assert kept(app) == [waiting, late, newest]
    assert answered not in kept(app)
    site.clock.move(days=-30)
    assert Maintenance(app.store, app.clock).trim_requests() == 0, "the clock was set back"


def test_the_newest_stays_so_that_no_number_is_given_out_twice(site: SampleSite, app: App) -> None:
    ask(app, answered=True)
    newest = ask(app, answered=True)
    site.clock.move(days=400)
    assert Maintenance(app.store, app.clock).trim_requests() == 1
    assert kept(app) == [newest]
    assert ask(app, answered=False) == newest + 1


def test_a_step_is_bounded(site: SampleSite, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(6):
        ask(app, answered=True)
    monkeypatch.setattr(corrections, "TRIMMED", 2)
    site.clock.move(days=8)
    assert [Maintenance(app.store, app.clock).trim_requests() for _ in range(4)] == [2, 2, 1, 0]


def test_a_poll_and_a_service_drop_them(site: SampleSite) -> None:
    with site.opened() as app:
        ask(app, answered=True), ask(app, answered=True)
        site.clock.move(days=8)
        newest = ask(app, answered=True)
        service = Service(app, {})
        service.start()
        try:
            job = service.jobs["answers"]
            job.run()
        finally:
            service.stop()
        assert job.every == timedelta(hours=1)
        assert kept(app) == [newest]
        last = ask(app, answered=True)
    site.clock.move(days=8)
    site.poll()
    with site.opened() as app:
        assert kept(app) == [last]


def test_the_outcome_of_a_request_is_there_once_it_is_finished(app: App) -> None:
    waiting, done = ask(app, answered=False), ask(app, answered=True)
    with app.store.read() as tx:
        outcomes = [tx.corrections.outcome(number) for number in (waiting, done, 99)]
    assert outcomes == [None, Outcome(done=True, said="done", facts={}), None]
