"""A source that ends the program is found out, and harms nobody else (R13)."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from aggregator.app import App
from aggregator.model.poll import CRASHES, State
from aggregator.poll.dispatcher import Dispatcher
from aggregator.poll.due_queue import DueBacklog
from aggregator.store.schema import source
from tests.command import aggregator
from tests.fake_source import FakeSource
from tests.feed_server import FeedServer, Hangs, Held, Reply
from tests.patience import PATIENCE
from tests.rows import change, rows
from tests.sample_site import LOOPBACK, SampleSite, item, rss

HANGS = "/hangs"


class Crashing:
    """A one-shot `poll` of everything, killed as soon as a publisher was asked for a path."""

    def __init__(self, folder: Path, publisher: FeedServer) -> None:
        self._feeds, self._publisher = str(folder / "feeds.yaml"), publisher

    def killed_at(self, path: str, *, look: bool = False) -> dict[str, Any]:
        """Run it, look at `status` if so told, and kill it."""
        before = sum(asked.path == path for asked in self._publisher.asked)
        command = [sys.executable, "-m", "aggregator", "-c", self._feeds, "poll", "--all"]
        run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self._publisher.wait_until_asked(before + 1, path)
            return self.status() if look else {}
        finally:
            os.kill(run.pid, signal.SIGKILL)
            run.wait()

    def whole(self) -> dict[str, Any]:
        """Run it to its end."""
        report: dict[str, Any] = json.loads(self._printed("poll", "--all", "--json"))
        return report

    def status(self) -> dict[str, Any]:
        """Return the states of sources by key, and the codes of the alarms, from `status --json`."""
        said = json.loads(self._printed("status", "--json"))
        codes = [(alarm["code"], alarm["source"]) for alarm in said["alarms"]]
        return {row["key"]: row["state"] for row in said["sources"]} | {"alarms": codes}

    def _printed(self, *arguments: str) -> str:
        done = aggregator("-c", self._feeds, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.mark.slow
def test_r13_a_source_that_ends_the_program_is_asked_last_and_alone_and_becomes_suspect(
    tmp_path: Path, publisher: FeedServer
) -> None:
    good = publisher.says("/good", Held(200, rss(item(1))))
    bad = publisher.says(HANGS, Hangs(), host="127.0.0.2")
    late = publisher.serve("/late", rss(item(2)), host="127.0.0.3")
    sources = f"sources: [{{url: '{good}', key: good}}, {{url: '{bad}', key: bad}}]\n"
    (tmp_path / "feeds.yaml").write_text(LOOPBACK + sources, encoding="utf-8")
    crashing = Crashing(tmp_path, publisher)
    for _ in range(CRASHES):
        crashing.killed_at(HANGS)
    assert crashing.status() == {"bad": "never", "good": "never", "alarms": []}, "either of them may have been it"
    publisher.serve("/good", rss(item(1)))
    sources = sources.replace("]\n", f", {{url: '{late}', key: late}}]\n")
    (tmp_path / "feeds.yaml").write_text(LOOPBACK + sources, encoding="utf-8")
    assert crashing.killed_at(HANGS, look=True) == {"bad": "never", "good": "ok", "late": "ok", "alarms": []}
    seen = crashing.killed_at(HANGS, look=True)
    assert (seen["bad"], seen["good"]) == ("suspect", "ok")
    publisher.says(HANGS, Reply(200, rss(item(3))), host="127.0.0.2")
    assert crashing.whole()["new"] == 1
    assert crashing.status() == {"bad": "ok", "good": "ok", "late": "ok", "alarms": []}


def crashed(app: App, **claims: int) -> None:
    """Store how many crashes in a row met each source in flight; the sources are due."""
    for key, count in claims.items():
        change(app.store, update(source).where(source.c.key == key).values(claims=count))


def claims_of(app: App, key: str) -> int:
    return int(rows(app.store, select(source.c.claims).where(source.c.key == key))[0][0])


def test_r13_in_a_service_it_waits_for_the_others_and_they_for_it(
    sample_site: SampleSite, publisher: FeedServer
) -> None:
    urls = {
        name: publisher.says(f"/{name}", Held(200, rss(item(name))), host=f"127.0.0.{n}")
        for n, name in enumerate(("one", "two", "odd"), 1)
    }
    sample_site.writes("sources:\n" + "".join(f"  - {{key: {key}, url: '{url}'}}\n" for key, url in urls.items()))
    with sample_site.opened() as app:
        crashed(app, odd=CRASHES)
        settled = threading.Semaphore(0)
        dispatcher = Dispatcher(
            app.store, app.poller, app.in_force, DueBacklog(app.store), on_settled=lambda _: settled.release()
        )
        thread = threading.Thread(target=dispatcher.run)
        thread.start()
        publisher.wait_until_asked(1, "/odd")
        assert [asked.path for asked in publisher.asked] == ["/odd"], "the others are due as well"
        publisher.release()
        publisher.wait_until_asked(3)
        for _ in range(2):
            settled.acquire(timeout=PATIENCE)
        dispatcher.stop()
        thread.join(PATIENCE)
        assert claims_of(app, "odd") == 0


def test_r13_what_is_under_way_ends_before_it_is_asked(sample_site: SampleSite, publisher: FeedServer) -> None:
    slow = publisher.says("/slow", Held(200, rss(item(1))))
    odd = publisher.serve("/odd", rss(item(2)), host="127.0.0.2")
    sample_site.writes(f"sources: [{{key: slow, url: '{slow}'}}, {{key: odd, url: '{odd}'}}]\n")
    with sample_site.opened() as app:
        crashed(app, odd=CRASHES)
        later = app.clock().replace(minute=30)
        change(app.store, update(source).where(source.c.key == "odd").values(due_at=later))
        dispatcher = Dispatcher(app.store, app.poller, app.in_force, DueBacklog(app.store))
        thread = threading.Thread(target=dispatcher.run)
        thread.start()
        publisher.wait_until_asked(1, "/slow")
        sample_site.clock.move(hours=1)
        dispatcher.wake()
        publisher.release()
        publisher.wait_until_asked(1, "/odd")
        claims = claims_of(app, "slow")
        dispatcher.stop()
        thread.join(PATIENCE)
        assert claims == 0, "its poll was settled first"


def test_r13_suspicion_is_said_once_and_lifted_by_the_first_poll_that_ends(
    sample_site: SampleSite, caplog: pytest.LogCaptureFixture
) -> None:
    sample_site.writes(
        "sources: [{key: odd, url: 'https://odd.example/'}, {key: fine, url: 'https://fine.example/'}]\n"
    )
    with sample_site.opened() as app:
        crashed(app, odd=CRASHES + 1, fine=CRASHES)
        for _ in range(2):
            with caplog.at_level(logging.INFO), app.store.begin() as tx:
                assert len(tx.claims.find_crashed(app.clock())) == 2
                tx.alarms.note(app.clock())
        states = {one.key: one.state for one in app.store.status(app.in_force.roster, app.clock()).sources}
        assert states == {"odd": State.SUSPECT, "fine": State.NEVER}
        assert [record.alarm for record in caplog.records if record.message == "raise_alarm"] == ["crash"]  # type: ignore[attr-defined]
        FakeSource(app).fails("odd")
        status = app.store.status(app.in_force.roster, app.clock())
        assert {one.key: one.state for one in status.sources} == {"odd": State.FAILING, "fine": State.NEVER}
        assert "crash" not in [alarm.code for alarm in status.alarms]


def test_r13_what_is_given_back_counts_neither_for_nor_against(sample_site: SampleSite) -> None:
    sample_site.writes("sources: [{key: odd, url: 'https://odd.example/'}]\n")
    with sample_site.opened() as app:
        crashed(app, odd=CRASHES)
        due = FakeSource(app).claim("odd")
        with app.store.begin() as tx:
            tx.claims.give_back([due])
        assert claims_of(app, "odd") == CRASHES
        due = FakeSource(app).claim("odd")
        with app.store.begin() as tx:
            tx.claims.put_off([(due, app.clock())])
        assert claims_of(app, "odd") == CRASHES


@pytest.mark.parametrize(("every", "hours"), [("", 1), (", every: 3h", 3)])
def test_p52_what_is_put_off_at_its_first_poll_waits_for_its_interval(
    sample_site: SampleSite, every: str, hours: int
) -> None:
    sample_site.writes(f"sources: [{{key: led, url: 'https://led.example/'{every}}}]\n")
    with sample_site.opened() as app:
        due = FakeSource(app).claim("led")
        with app.store.begin() as tx:
            tx.claims.put_off([(due, app.clock())])
        with app.store.read() as tx:
            (waiting,) = tx.schedule.named(["led"])
        assert waiting.due_at == app.clock() + timedelta(hours=hours)
