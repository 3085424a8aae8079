"""Calls that go on at once: no more than are allowed, and what came of each in its order."""

import threading
from collections.abc import Iterator

import pytest

from aggregator.errors import PublishError
from aggregator.publish.destination import parallel_map
from tests.patience import PATIENCE


def test_so_many_go_on_at_once_and_no_more() -> None:
    barrier, lock = threading.Barrier(4), threading.Lock()
    going, most = 0, 0

    def call(number: int) -> int:
        nonlocal going, most
        with lock:
            going += 1
            most = max(most, going)
        barrier.wait(PATIENCE)
        with lock:
            going -= 1
        return number * number

    assert list(parallel_map(call, range(12), 4)) == [(n, n * n) for n in range(12)]
    assert most == 4


def test_what_fails_is_given_in_its_place() -> None:
    def call(number: int) -> int:
        if number == 2:
            raise PublishError("it", "failed")
        return number

    for width in (1, 3):
        came = [result for _, result in parallel_map(call, range(4), width)]
        assert isinstance(came.pop(2), PublishError)
        assert came == [0, 1, 3]


@pytest.mark.parametrize("width", [1, 3])
def test_a_fault_of_ours_is_raised(width: int) -> None:
    def call(number: int) -> int:
        return 1 // number

    with pytest.raises(ZeroDivisionError):
        list(parallel_map(call, (1, 0, 1), width))


@pytest.mark.parametrize(("width", "held"), [(1, 1), (3, 3)])
def test_items_are_taken_when_there_is_room(width: int, held: int) -> None:
    """Each is a rendered page: a batch of them would be in memory at once."""
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for number in range(10):
            taken += 1
            assert threading.current_thread() is threading.main_thread()
            yield number

    for place, (number, _) in enumerate(parallel_map(str, items(), width)):
        assert number == place
        assert taken - place <= held + 1


def test_one_at_a_time_needs_no_thread() -> None:
    assert [came for _, came in parallel_map(lambda _: threading.current_thread(), range(3), 1)] == [
        threading.main_thread()
    ] * 3
