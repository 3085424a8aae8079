"""The pool: what goes wrong in it harms one poll, and is seen (R24, R25, R40)."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pytest

from aggregator.app import App
from aggregator.identify.keys import identify
from aggregator.model.ask import Ask
from aggregator.model.changes import Changes, Settled
from aggregator.model.entry import Digest, Feed
from aggregator.model.job import Gathered, Job
from aggregator.model.poll import Answer, Failed, Fetched, NotModified, Outcome
from aggregator.poll.pipeline import Ports
from aggregator.poll.workers import Runner, WorkersLost
from tests.fake_source import FakeSource, numbered, said
from tests.patience import PATIENCE
from tests.rows import change
from tests.sample_site import START, SampleSite

YAML = "sources:\n" + "".join(f"  - {{key: s{n}, url: 'https://s{n}.example/'}}\n" for n in range(4))


@dataclass
class Watched:
    """A runner, and what it has told so far."""

    runner: Runner
    fake_source: FakeSource
    changes: list[Settled] = field(default_factory=list)
    lost: list[Job] = field(default_factory=list)
    told: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def settled(self, changes: Sequence[Settled], others: Sequence[Job]) -> None:
        self.changes += changes
        self.lost += others
        for _ in (*changes, *others):
            self.told.release()

    def wait(self, polls: int) -> None:
        """Wait until so many more polls were settled."""
        for _ in range(polls):
            assert self.told.acquire(timeout=PATIENCE)


def unchanged(ask: Ask) -> Answer:
    return NotModified(asked_at=START)


@contextmanager
def watched(
    folder: Path,
    fetch: Callable[[Ask], Answer] = unchanged,
    *,
    on_return: Callable[[Gathered[Job]], None] = lambda poll: None,
    patience: float = PATIENCE,
) -> Iterator[Watched]:
    sample_site = SampleSite(folder)
    sample_site.writes(YAML, hosts="")
    with sample_site.opened() as app:
        runner = Runner(
            replace(app.poller.ports, fetch=fetch),
            2,
            on_leave=lambda due: None,
            on_return=on_return,
            judge=lambda poll: [poll],
            on_settled=lambda changes, others: watch.settled(changes, others),
            patience=patience,
        )
        watch = Watched(runner, FakeSource(app))
        runner.start()
        try:
            yield watch
        finally:
            runner.stop()
            runner.close()


def until(happened: Callable[[], bool]) -> None:
    """Wait for what a thread does after it has told everybody."""
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.001)


def row(app: App, key: str) -> tuple[str, int]:
    """Return the state of a source and how often it failed."""
    (source,) = (s for s in app.store.status(app.in_force.roster, START, ()).sources if s.key == key)
    return source.state.value, source.failures


def naive(due: Job) -> Gathered[Job]:
    """Return a poll that can't be decided: an entry whose time has no zone."""
    entries = (said(1), replace(said(2), published=datetime(2026, 1, 1)))  # noqa: DTZ001 - that is the poison
    return document(due, identify(Feed(format="rss 2.0", title="T", entries=numbered(entries))))


def surrogate(due: Job) -> Gathered[Job]:
    """Return a poll that can't be stored: half a character in a title."""
    return document(due, identify(Feed(format="rss 2.0", title="\ud800", entries=numbered((said(1),)))))


def document(due: Job, feed: Feed) -> Gathered[Job]:
    return Gathered(due, Fetched(asked_at=START, url=due.url, body=b"", body_digest=Digest("x")), feed)


@pytest.mark.parametrize("poison", [naive, surrogate])
def test_r40_poison_falls_alone(tmp_path: Path, poison: Callable[[Job], Gathered[Job]]) -> None:
    with watched(tmp_path) as watch:
        fake_source = watch.fake_source
        good = document(
            fake_source.claim("s1"), identify(Feed(format="rss 2.0", title="T", entries=numbered((said(1),))))
        )
        quiet = Gathered(fake_source.claim("s2"), NotModified(asked_at=START))
        watch.runner.deliver([good, poison(fake_source.claim("s0")), quiet])
        watch.wait(3)
        assert [row(fake_source.app, key) for key in ("s0", "s1", "s2")] == [("failing", 1), ("ok", 0), ("ok", 0)]
        assert (watch.runner.fault, watch.runner.store_error) == (None, None)


def test_r7_a_store_that_cannot_be_written_is_nobodys_poison(tmp_path: Path) -> None:
    with watched(tmp_path) as watch:
        jobs = [watch.fake_source.claim(f"s{n}") for n in range(3)]
        change(watch.fake_source.app.store, "ALTER TABLE source RENAME TO elsewhere")
        watch.runner.deliver(Gathered(job, NotModified(asked_at=START)) for job in jobs)
        watch.wait(3)
        assert {job.id for job in watch.lost} == {job.id for job in jobs}
        assert watch.runner.store_error is not None
        assert watch.runner.fault is None
        change(watch.fake_source.app.store, "ALTER TABLE elsewhere RENAME TO source")


def test_r54_polls_that_are_not_decided_when_the_program_is_cut_are_put_back(tmp_path: Path) -> None:
    with watched(tmp_path) as watch:
        app = watch.fake_source.app
        with app.store.read() as tx:
            (before,) = tx.schedule.named(["s0"])
        poll = document(watch.fake_source.claim("s0"), identify(Feed(format="rss 2.0", entries=numbered((said(1),)))))
        app.poller.cut()
        watch.runner.deliver([poll])
        watch.wait(1)
        with app.store.read() as tx:
            assert tx.schedule.named(["s0"]) == [before]
        assert row(app, "s0") == ("never", 0)
        assert (watch.lost, watch.runner.fault, watch.runner.store_error) == ([poll.job], None, None)


def test_a_worker_is_started_for_each_of_the_first_jobs(tmp_path: Path) -> None:
    at_work: set[threading.Thread] = set()
    both = threading.Barrier(2)

    def meets(ask: Ask) -> Answer:
        at_work.add(threading.current_thread())
        both.wait(PATIENCE)
        return unchanged(ask)

    with watched(tmp_path, meets) as watch:
        before = set(threading.enumerate())
        watch.runner.look_after()
        for number, started in ((0, 1), (1, 2), (2, 2), (3, 2)):
            watch.runner.submit(watch.fake_source.claim(f"s{number}"))
            assert len(set(threading.enumerate()) - before) == started
        watch.wait(4)
        assert at_work == set(threading.enumerate()) - before


def test_r25_a_worker_that_dies_is_replaced_and_its_poll_is_settled(tmp_path: Path) -> None:
    dying: list[threading.Thread] = []

    def dies(poll: Gathered[Job]) -> None:
        if threading.current_thread() not in dying:  # what a dying worker delivers comes through here again
            dying.append(threading.current_thread())
        raise RuntimeError("a fault of ours")

    with watched(tmp_path, on_return=dies) as watch:
        for number in range(3):
            watch.runner.submit(watch.fake_source.claim(f"s{number}"))
            watch.wait(1)
            dying[-1].join(PATIENCE)
            watch.runner.look_after()
        assert len(watch.changes) == 3
        until(lambda: watch.runner.fault is not None)
        assert isinstance(watch.runner.fault, WorkersLost), "three deaths within a minute are no accident"


def test_r25_the_settling_thread_outlives_a_fault_and_it_is_seen(tmp_path: Path) -> None:
    with watched(tmp_path) as watch:
        watch.settled = None  # type: ignore[assignment, method-assign]  # calling it is the fault
        watch.runner.submit(watch.fake_source.claim("s0"))
        until(lambda: watch.runner.fault is not None)
        assert isinstance(watch.runner.fault, TypeError)


def test_r24_a_worker_that_hangs_is_given_up_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aggregator.poll.workers.SPARE_SECONDS", -1000.0)  # whatever is under way hangs
    asked, released = threading.Event(), threading.Event()

    def hangs(ask: Ask) -> Answer:
        if ask.url == "https://s0.example/":
            asked.set()
            assert released.wait(PATIENCE)
        return unchanged(ask)

    with watched(tmp_path, hangs) as watch:
        watch.runner.submit(watch.fake_source.claim("s0"))
        assert asked.wait(PATIENCE)
        watch.runner.look_after()
        watch.wait(1)
        assert row(watch.fake_source.app, "s0") == ("failing", 1)
        assert isinstance(watch.runner.fault, WorkersLost), "one of two is over a fourth"
        released.set()
        for number in (1, 2, 3):  # two workers are at work again
            watch.runner.submit(watch.fake_source.claim(f"s{number}"))
        watch.wait(3)
        assert sum(change.job.source.key == "s0" for change in watch.changes) == 1, "what it brings comes too late"


def test_r24_a_poll_that_goes_on_asking_does_not_hang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each document has its own time, however many there are."""
    clock = [0.0]
    monkeypatch.setattr("aggregator.poll.workers.monotonic", lambda: clock[0])

    def walks(due: Job, ports: Ports) -> Gathered[Job]:
        for _ in range(5):
            clock[0] += 100
            answer = ports.fetch(due.ask())
            watch.runner.look_after()
        return Gathered(due, answer)

    monkeypatch.setattr("aggregator.poll.workers.gather", walks)
    with watched(tmp_path) as watch:
        watch.runner.submit(watch.fake_source.claim("s0"))
        watch.wait(1)
        [change] = watch.changes
    assert isinstance(change, Changes)
    assert change.update.outcome is Outcome.NOT_MODIFIED


def test_r24_one_that_came_back_hangs_no_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aggregator.poll.workers.TOO_MANY_STUCK", 1.0)
    asked, released = threading.Semaphore(0), threading.Semaphore(0)
    hanging: list[threading.Thread] = []

    def hangs(ask: Ask) -> Answer:
        hanging.append(threading.current_thread())
        asked.release()
        assert released.acquire(timeout=PATIENCE)
        return unchanged(ask)

    with watched(tmp_path, hangs) as watch:
        for number in range(3):
            watch.runner.submit(watch.fake_source.claim(f"s{number}"))
            assert asked.acquire(timeout=PATIENCE)
            with monkeypatch.context() as patch:
                patch.setattr("aggregator.poll.workers.SPARE_SECONDS", -1000.0)
                watch.runner.look_after()
            released.release()
            hanging[-1].join(PATIENCE)
            watch.runner.look_after()
        assert watch.runner.fault is None, "three hung, one at a time"


def test_r54_a_stop_leaves_behind_what_hangs_and_its_claim_stands(tmp_path: Path) -> None:
    asked, released = threading.Event(), threading.Event()

    def hangs(ask: Ask) -> Answer:
        asked.set()
        assert released.wait(PATIENCE)
        return Failed(asked_at=START)

    with watched(tmp_path, hangs, patience=0.05) as watch:
        watch.runner.submit(watch.fake_source.claim("s0"))
        assert asked.wait(PATIENCE)
        watch.runner.stop()
        watch.runner.close()
        (source,) = (
            s
            for s in watch.fake_source.app.store.status(watch.fake_source.app.in_force.roster, START, ()).sources
            if s.key == "s0"
        )
        assert source.next_due > START, "as after a crash (R13)"
        assert (source.state.value, watch.changes) == ("never", [])
        released.set()
