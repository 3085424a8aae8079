"""How often a host may be asked, and how much at a time (P61)."""

from datetime import timedelta

import pytest

from aggregator.fetch.budget import Budgets
from aggregator.model.settings import HostRule
from tests.fetch.conftest import name, network


class Monotonic:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Monotonic:
    return Monotonic()


def manners(spacing: float | None, parallel: int | None) -> dict[str, object]:
    return {"spacing": None if spacing is None else timedelta(seconds=spacing), "parallel": parallel}


def test_p61_one_at_a_time(time: Monotonic) -> None:
    budgets = Budgets((), time)
    assert budgets.room("a.example") == 1
    budgets.start("a.example")
    time.now += 3
    assert budgets.room("a.example") == 0
    budgets.finish("a.example")
    assert budgets.room("a.example") == 1


@pytest.mark.parametrize(
    ("key", "seconds"),
    [
        pytest.param("a.example", 2, id="default"),
        pytest.param("reddit.com", 60, id="reddit"),
        pytest.param("slow.example", 5, id="by-name"),
        pytest.param("below.slow.example", 5, id="by-name-above"),
        pytest.param("10.1.2.3", 0.5, id="by-network"),
        pytest.param("11.1.2.3", 2, id="address-without-a-rule"),
    ],
)
def test_p61_spacing_counts_between_starts(time: Monotonic, key: str, seconds: float) -> None:
    hosts = (name("slow.example", **manners(5, None)), network("10.0.0.0/8", **manners(0.5, None)))
    budgets = Budgets(hosts, time)
    budgets.start(key)
    budgets.finish(key)
    time.now += seconds - 0.01
    assert budgets.room(key) == 0
    assert budgets.blocked() == {key}
    assert budgets.next_opening() == pytest.approx(0.01)
    time.now += 0.02
    assert budgets.room(key) == 1
    assert budgets.blocked() == set()
    assert budgets.next_opening() is None


def test_p61_the_operator_may_override_a_platform(time: Monotonic) -> None:
    budgets = Budgets((name("reddit.com", **manners(1, 2)),), time)
    budgets.start("reddit.com")
    time.now += 1
    assert budgets.room("reddit.com") == 1


@pytest.mark.parametrize(
    ("spacing", "parallel", "in_flight", "room"),
    [
        pytest.param(0, 16, 0, 16, id="all-at-once"),
        pytest.param(0, 16, 5, 11, id="the-rest"),
        pytest.param(0, 16, 16, 0, id="full"),
        pytest.param(0, None, 0, 1, id="no-spacing-one-at-a-time"),
        pytest.param(1, 4, 0, 1, id="one-and-then-the-spacing"),
    ],
)
def test_room(time: Monotonic, spacing: float, parallel: int | None, in_flight: int, room: int) -> None:
    budgets = Budgets((name("a.example", **manners(spacing, parallel)),), time)
    for _ in range(in_flight):
        budgets.start("a.example")
    assert budgets.room("a.example") == room


def test_spacing_holds_though_there_is_room_beside(time: Monotonic) -> None:
    budgets = Budgets((name("a.example", **manners(1, 4)),), time)
    budgets.start("a.example")
    assert budgets.room("a.example") == 0
    time.now += 1
    assert budgets.room("a.example") == 1
    budgets.start("a.example")
    assert budgets.room("a.example") == 0


def test_a_network_counts_each_address_by_itself(time: Monotonic) -> None:
    budgets = Budgets((network("10.0.0.0/8", **manners(0, 1)),), time)
    budgets.start("10.0.0.1")
    assert budgets.room("10.0.0.1") == 0
    assert budgets.room("10.0.0.2") == 1


def test_keys_do_not_touch_each_other(time: Monotonic) -> None:
    budgets = Budgets((), time)
    budgets.start("a.example")
    assert budgets.room("b.example") == 1
    assert budgets.blocked() == {"a.example"}


def test_p52_a_request_that_waited_for_a_worker_counts_from_when_it_left(time: Monotonic) -> None:
    budgets = Budgets((), time)
    budgets.start("a.example")
    time.now += 10
    budgets.restart("a.example")
    budgets.finish("a.example")
    assert budgets.room("a.example") == 0
    time.now += 2
    assert budgets.room("a.example") == 1


def test_p30_a_pause_blocks_and_is_only_made_longer(time: Monotonic) -> None:
    budgets = Budgets((), time)
    budgets.pause("a.example", 600)
    budgets.pause("a.example", 60)
    time.now += 599
    assert budgets.blocked() == {"a.example"}
    assert budgets.next_opening() == pytest.approx(1)
    time.now += 1
    assert budgets.room("a.example") == 1


def test_next_opening_is_the_first(time: Monotonic) -> None:
    budgets = Budgets((), time)
    budgets.pause("a.example", 30)
    budgets.pause("b.example", 20)
    assert budgets.next_opening() == pytest.approx(20)


def test_next_opening_does_not_wait_for_what_is_in_flight(time: Monotonic) -> None:
    budgets = Budgets((), time)
    budgets.start("a.example")
    assert budgets.next_opening() is None


def test_what_is_over_is_forgotten(time: Monotonic) -> None:
    budgets = Budgets((), time)
    for number in range(1000):
        budgets.start(f"{number}.example")
        budgets.finish(f"{number}.example")
    time.now += 2
    budgets.blocked()
    assert not budgets._accounts


def test_finish_without_a_start_does_no_harm(time: Monotonic) -> None:
    budgets = Budgets((), time)
    budgets.finish("a.example")
    budgets.restart("a.example")
    assert budgets.room("a.example") == 1


@pytest.mark.parametrize(
    ("hosts", "widest"),
    [((), 1), ((name("a.example"),), 1), ((name("a.example", parallel=4), network("10.0.0.0/8", parallel=16)), 16)],
)
def test_widest(time: Monotonic, hosts: tuple[HostRule, ...], widest: int) -> None:
    assert Budgets(hosts, time).widest() == widest
