"""A service that settles for too long, or is to end while it does (R54, R57)."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from apscheduler.schedulers.background import BackgroundScheduler

from aggregator.service import Service
from tests.feed_server import FeedServer, Held
from tests.patience import PATIENCE
from tests.sample_site import SampleSite, item, rss


def wait_for(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.01)  # another thread: there is no event to wait on


def test_r57_healthz_fails_while_a_group_of_polls_is_settled_for_a_minute(
    sample_site: SampleSite, publisher: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = [0.0]
    monkeypatch.setattr("aggregator.poll.workers.monotonic", lambda: time.monotonic() + late[0])
    sample_site.writes(f"sources: ['{publisher.says('/a', Held(200, rss(item(1))))}']\n")
    with sample_site.opened("serve") as app:
        service = Service(app, {})
        service.start()
        publisher.wait_until_asked(1)
        with app.store.begin():  # as long as this lasts, nobody settles anything
            publisher.release()
            wait_for(lambda: _moved_on(service, late))
        wait_for(service.is_alive)
        service.stop()


def _moved_on(service: Service, late: list[float]) -> bool:
    """Move time on by ten seconds, and return whether the service no longer says that it is alive."""
    late[0] += 10.0
    return not service.is_alive()


def test_r54_polls_stop_before_the_jobs_end(
    sample_site: SampleSite, publisher: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that takes its time, such as a large publication, must not let polls go on, nor their grace begin late."""
    sample_site.writes(f"sources: ['{publisher.serve('/a', rss(item(1)))}']\n")
    cut, going_on = threading.Event(), threading.Event()
    monkeypatch.setattr("aggregator.service.service.GRACE", 0.0)
    with sample_site.opened("serve") as app:
        ends = app.poller.cut

        def note() -> None:
            ends()
            cut.set()

        monkeypatch.setattr(app.poller, "cut", note)
        scheduler = BackgroundScheduler()
        service = Service(app, {}, scheduler=scheduler)
        service.start()

        def works() -> None:
            going_on.set()
            assert cut.wait(PATIENCE), "what is under way was cut only when the jobs had ended"

        # An interval, as all jobs of a service have: APScheduler drops one that runs once after it began, and a stop in
        # between makes that fail.
        scheduler.add_job(works, "interval", hours=1, next_run_time=datetime.now(UTC))
        assert going_on.wait(PATIENCE)
        service.stop()
    assert cut.is_set()
