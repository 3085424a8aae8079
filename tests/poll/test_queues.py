"""Queues between threads: nothing is lost or taken twice, and no thread waits longer than needed (R42)."""

import threading
from collections.abc import Callable
from time import monotonic

import pytest

from aggregator.poll import queues
from aggregator.poll.queues import ResultBuffer, WorkQueue

PATIENCE = 10.0  # seconds; a hang becomes a failure


def crew(size: int, work: Callable[[], None]) -> list[threading.Thread]:
    """Start so many threads."""
    threads = [threading.Thread(target=work, daemon=True) for _ in range(size)]
    for thread in threads:
        thread.start()
    return threads


def ended(threads: list[threading.Thread]) -> bool:
    """Wait until all have ended."""
    end = monotonic() + PATIENCE
    for thread in threads:
        thread.join(max(0.0, end - monotonic()))
    return not any(thread.is_alive() for thread in threads)


def test_all_work_is_done_once_whoever_does_it() -> None:
    line: WorkQueue[int | None] = WorkQueue()
    done: list[int] = []

    def work() -> None:
        rested = True
        while (number := line.take(rested=rested)) is not None:
            done.append(number)
            rested = False

    threads = crew(8, work)
    for number in range(2000):
        line.put(number)
    for _ in threads:
        line.put(None)
    assert ended(threads)
    assert sorted(done) == list(range(2000))


def test_work_that_takes_its_time_brings_in_the_whole_crew() -> None:
    line: WorkQueue[int | None] = WorkQueue()
    together = threading.Barrier(8)

    def work() -> None:
        while line.take(rested=True) is not None:
            together.wait(PATIENCE)  # only if eight are at it at once

    threads = crew(8, work)
    for number in range(8):
        line.put(number)
    for _ in threads:
        line.put(None)
    assert ended(threads)
    assert not together.broken


def test_who_is_awake_takes_the_next_before_who_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "EAGER_SECONDS", PATIENCE)
    line: WorkQueue[int] = WorkQueue()
    line.put(0)
    assert line.take(rested=True) == 0
    taken: list[int] = []
    crew(1, lambda: taken.append(line.take(rested=True)))
    for number in range(1, 50):
        line.put(number)
        assert line.take(rested=False) == number
    assert taken == []


def test_what_nobody_has_taken_can_be_withdrawn() -> None:
    line: WorkQueue[str] = WorkQueue()
    for name in "abc":
        line.put(name)
    assert len(line) == 3
    assert line.withdraw() == ["a", "b", "c"]
    assert not len(line)


def always(number: int) -> bool:
    return True


def test_results_come_in_order_and_together() -> None:
    tray: ResultBuffer[int] = ResultBuffer(4, 100, always)
    for number in range(4):
        assert tray.put(number, seconds=0)
    assert not tray.put(4, seconds=0), "it is full"
    assert tray.take(linger=PATIENCE) == [0, 1, 2, 3], "a full one does not linger"
    assert tray.put(5, seconds=0)
    assert tray.take(linger=0) == [5]


def test_small_results_do_not_fill_it_until_there_are_very_many() -> None:
    tray: ResultBuffer[int] = ResultBuffer(2, 4, lambda number: number > 10)
    assert all(tray.put(number, seconds=0) for number in (1, 2, 3, 4))
    assert not tray.put(5, seconds=0), "it is full"
    assert tray.take(linger=PATIENCE) == [1, 2, 3, 4]
    assert all(tray.put(number, seconds=0) for number in (11, 1, 12))
    assert not tray.put(2, seconds=0), "of large ones it is full"
    assert tray.take(linger=PATIENCE) == [11, 1, 12]


def test_after_the_last_result_nobody_lingers() -> None:
    tray: ResultBuffer[int] = ResultBuffer(4, 100, always)
    tray.put(1, seconds=0)
    tray.put(2, seconds=0, is_last=True)
    assert tray.take(linger=PATIENCE) == [1, 2]
    tray.put(3, seconds=0, is_last=True)
    tray.put(4, seconds=0)
    assert tray.take(linger=0) == [3, 4], "another came all the same"


def test_who_waits_for_room_gets_it_and_the_end_is_told() -> None:
    tray: ResultBuffer[int] = ResultBuffer(2, 100, always)

    def bring() -> None:
        for number in range(10):
            tray.put(number, seconds=PATIENCE)

    threads = crew(20, bring)
    found: list[int] = []
    while len(found) < 200:
        found += tray.take(linger=0)
    assert ended(threads)
    assert sorted(found) == sorted(list(range(10)) * 20)
    tray.put(1, seconds=0)
    tray.close()
    assert tray.take(linger=PATIENCE) == [1], "what is there is taken first"
    assert tray.take(linger=PATIENCE) == []
