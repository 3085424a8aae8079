"""Budgets of hosts: spacing, and requests at a time (P61)."""

import threading
import time as wall
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from aggregator.fetch.budget import Budgets
from aggregator.model.hosts import AT_ADDRESS, parallel_of, ruling, slowed, spacing_of
from aggregator.model.settings import HostRule
from tests.examples import examples
from tests.fetch.conftest import name, network
from tests.patience import PATIENCE


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


def asks(budgets: Budgets, source: int, key: str) -> bool:
    """Take room and leave at once, if there is some."""
    if not budgets.take(source, key):
        return False
    budgets.leave(source)
    return True


def found_at(budgets: Budgets, key: str, address: str, *, source: int = 999) -> None:
    """Poll a host key once, with an answer from this address."""
    assert asks(budgets, source, key)
    budgets.finish(source, peer=address)


def led_to(budgets: Budgets, source: int, key: str, *others: str) -> None:
    """Poll a source once, with a redirect."""
    assert asks(budgets, source, key)
    for other in others:
        with budgets.passage(other, 0):
            pass
    budgets.finish(source)


def test_p61_one_at_a_time(time: Monotonic) -> None:
    budgets = Budgets((), time)
    assert asks(budgets, 1, "a.example")
    time.now += 3
    assert not budgets.take(2, "a.example")
    budgets.finish(1)
    assert budgets.take(2, "a.example")


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
    asks(budgets, 1, key)
    budgets.finish(1)
    time.now += seconds - 0.01
    assert not budgets.take(2, key)
    assert budgets.blocked() == {key}
    assert budgets.next_opening() == pytest.approx(0.01)
    time.now += 0.02
    assert budgets.blocked() == set()
    assert budgets.next_opening() is None
    assert budgets.take(2, key)


def test_p61_the_operator_may_override_a_platform(time: Monotonic) -> None:
    budgets = Budgets((name("reddit.com", **manners(1, 2)),), time)
    asks(budgets, 1, "reddit.com")
    time.now += 1
    assert budgets.take(2, "reddit.com")


@pytest.mark.parametrize(
    ("spacing", "parallel", "starts"),
    [
        pytest.param(0, 16, 16, id="all-at-once"),
        pytest.param(0, None, 1, id="no-spacing-one-at-a-time"),
        pytest.param(1, 4, 1, id="one-and-then-the-spacing"),
    ],
)
def test_how_many_start_at_once(time: Monotonic, spacing: float, parallel: int | None, starts: int) -> None:
    budgets = Budgets((name("a.example", **manners(spacing, parallel)),), time)
    assert sum(asks(budgets, source, "a.example") for source in range(20)) == starts


def test_p61_who_waits_for_a_worker_holds_the_spacing(time: Monotonic) -> None:
    """Else two that waited would leave together, however long ago they were chosen."""
    budgets = Budgets((name("a.example", **manners(2, 4)),), time)
    assert budgets.take(1, "a.example")
    time.now += 10
    assert not budgets.take(2, "a.example")
    budgets.leave(1)
    time.now += 1.9
    assert not budgets.take(2, "a.example")
    time.now += 0.1
    assert budgets.take(2, "a.example")


def test_room_that_was_not_used_is_given_back_whole(time: Monotonic) -> None:
    budgets = Budgets((), time)
    assert budgets.take(1, "a.example")
    budgets.finish(1)
    assert budgets.take(2, "a.example")


def test_a_source_is_never_asked_twice_at_once(time: Monotonic) -> None:
    budgets = Budgets((name("a.example", **manners(0, 4)),), time)
    assert budgets.take(1, "a.example")
    assert not budgets.take(1, "a.example")
    assert budgets.take(2, "a.example")


def test_keys_do_not_touch_each_other(time: Monotonic) -> None:
    budgets = Budgets((), time)
    budgets.take(1, "a.example")
    assert budgets.blocked() == {"a.example"}
    assert budgets.take(2, "b.example")


def test_p30_a_pause_blocks_and_is_only_made_longer(time: Monotonic) -> None:
    budgets = Budgets((), time)
    budgets.restrain("a.example", seconds=600, doublings=0)
    budgets.restrain("a.example", seconds=60, doublings=0)
    time.now += 599
    assert budgets.blocked() == {"a.example"}
    assert budgets.rest_of("a.example") == pytest.approx(1)
    assert budgets.next_opening() == pytest.approx(1)
    time.now += 1
    assert budgets.rest_of("a.example") == 0
    assert budgets.take(1, "a.example")


@pytest.mark.parametrize(
    ("key", "doublings", "seconds"),
    [
        pytest.param("a.example", 1, 4, id="once"),
        pytest.param("a.example", 3, 16, id="thrice"),
        pytest.param("a.example", 9, 60, id="to-a-minute"),
        pytest.param("reddit.com", 2, 60, id="a-minute-is-enough"),
        pytest.param("slow.example", 2, 90, id="never-under-the-ordinary"),
        pytest.param("10.0.0.1", 5, 0, id="nothing-doubled-is-nothing"),
    ],
)
def test_p61_a_spacing_is_doubled(time: Monotonic, key: str, doublings: int, seconds: float) -> None:
    hosts = (name("slow.example", **manners(90, None)), network("10.0.0.0/8", **manners(0, 1)))
    budgets = Budgets(hosts, time)
    asks(budgets, 1, key)
    budgets.restrain(key, seconds=0, doublings=doublings)
    budgets.finish(1)
    assert budgets.next_opening() == (seconds or None)
    time.now += max(seconds, 2)
    assert asks(budgets, 1, key)
    budgets.finish(1)
    budgets.restrain(key, seconds=0, doublings=0)
    ordinary = {"reddit.com": 60, "slow.example": 90, "10.0.0.1": None}.get(key, 2)
    assert budgets.next_opening() == ordinary, "taken back"


def test_next_opening_is_the_first(time: Monotonic) -> None:
    budgets = Budgets((), time)
    budgets.restrain("a.example", seconds=30, doublings=0)
    budgets.restrain("b.example", seconds=20, doublings=0)
    assert budgets.next_opening() == pytest.approx(20)


def test_next_opening_does_not_wait_for_what_is_in_flight(time: Monotonic) -> None:
    budgets = Budgets((), time)
    asks(budgets, 1, "a.example")
    assert budgets.next_opening() is None


def test_p61_two_at_an_address(time: Monotonic) -> None:
    budgets = Budgets((), time)
    keys = [f"{number}.example" for number in range(4)]
    for number, key in enumerate(keys):
        found_at(budgets, key, "192.0.2.1", source=number)
    time.now += 10
    assert [asks(budgets, number, key) for number, key in enumerate(keys)] == [True, True, False, False]
    assert budgets.blocked() == set(keys)
    time.now += 10
    budgets.finish(0)
    assert budgets.blocked() == {keys[1]}
    assert asks(budgets, 3, keys[3])


def test_p61_an_address_is_counted_as_soon_as_it_is_known(time: Monotonic) -> None:
    budgets = Budgets((name("a.example", **manners(0, 3)), name("b.example", **manners(0, 2))), time)
    for source in range(3):
        assert asks(budgets, source, "a.example")
    found_at(budgets, "b.example", "192.0.2.1")
    budgets.finish(0, peer="192.0.2.1")
    assert not budgets.take(9, "b.example"), "two of the other are in flight there"
    budgets.finish(1)
    assert budgets.take(9, "b.example")


def test_p61_a_key_that_moved_counts_where_it_is_now(time: Monotonic) -> None:
    budgets = Budgets((), time)
    for key in ("a.example", "b.example", "c.example"):
        found_at(budgets, key, "192.0.2.1")
    time.now += 10
    found_at(budgets, "a.example", "192.0.2.2")
    asks(budgets, 1, "b.example")
    asks(budgets, 2, "c.example")
    time.now += 10
    assert budgets.take(3, "a.example")


def test_parallel_replaces_the_limit_of_an_address(time: Monotonic) -> None:
    budgets = Budgets((name("a.example", **manners(0, 4)), network("192.0.2.2/32", **manners(0, 1))), time)
    found_at(budgets, "a.example", "192.0.2.1")
    found_at(budgets, "b.example", "192.0.2.1")
    time.now += 10
    assert sum(asks(budgets, source, "a.example") for source in range(9)) == 4
    assert budgets.blocked() == {"a.example", "b.example"}
    for key in ("c.example", "d.example"):
        found_at(budgets, key, "192.0.2.2")
    assert asks(budgets, 11, "c.example")
    assert not budgets.take(12, "d.example")


def test_a_network_counts_each_address_by_itself(time: Monotonic) -> None:
    budgets = Budgets((network("10.0.0.0/8", **manners(0, 1)),), time)
    asks(budgets, 1, "10.0.0.1")
    assert not budgets.take(2, "10.0.0.1")
    assert budgets.take(2, "10.0.0.2")


def test_a_network_holds_for_the_names_that_lead_there(time: Monotonic) -> None:
    """Their spacing is of the address, but for a name that has a rule of its own."""
    hosts = (network("10.0.0.0/8", **manners(30, 4)), name("own.example", **manners(1, None)))
    budgets = Budgets(hosts, time)
    for key in ("a.example", "b.example", "own.example"):
        found_at(budgets, key, "10.0.0.1")
        time.now += 60
    assert asks(budgets, 1, "a.example")
    budgets.finish(1)
    time.now += 29
    assert budgets.blocked() == {"a.example", "b.example"}
    assert not budgets.take(2, "b.example")
    assert budgets.take(3, "own.example")
    budgets.finish(3)
    time.now += 1
    assert budgets.take(2, "b.example")


def test_r50_new_rules_hold_at_once_and_what_is_in_flight_counts_on(time: Monotonic) -> None:
    budgets = Budgets((), time)
    found_at(budgets, "b.example", "10.0.0.1")
    time.now += 10
    asks(budgets, 1, "a.example")
    budgets.adopt((name("a.example", **manners(5, 2)), network("10.0.0.0/8", **manners(0, 8))))
    assert budgets.widest() == 8
    time.now += 4.9
    assert not budgets.take(2, "a.example")
    time.now += 0.1
    assert asks(budgets, 2, "a.example")
    time.now += 5
    assert not budgets.take(3, "a.example"), "two are in flight"
    assert sum(asks(budgets, source, "b.example") for source in range(10, 20)) == 8


@pytest.mark.parametrize(
    ("hosts", "widest"),
    [((), 1), ((name("a.example"),), 1), ((name("a.example", parallel=4), network("10.0.0.0/8", parallel=16)), 16)],
)
def test_widest(time: Monotonic, hosts: tuple[HostRule, ...], widest: int) -> None:
    assert Budgets(hosts, time).widest() == widest


def test_what_is_over_is_forgotten(time: Monotonic) -> None:
    """Else each look at what is blocked would go through all hosts ever met."""
    budgets = Budgets((), time)
    for number in range(1000):
        found_at(budgets, f"{number}.example", f"10.0.{number // 256}.{number % 256}", source=number)
    assert len(budgets.blocked()) == budgets.size() == 1000
    time.now += 2
    assert budgets.blocked() == set()
    assert budgets.size() == 0


def test_an_end_without_a_beginning_does_no_harm(time: Monotonic) -> None:
    budgets = Budgets((), time)
    budgets.finish(1)
    budgets.leave(1)
    asks(budgets, 1, "a.example")
    budgets.finish(1)
    budgets.finish(1)
    time.now += 2
    assert asks(budgets, 2, "a.example")


# Redirects to other hosts.


def test_a_source_waits_for_where_it_was_redirected(time: Monotonic) -> None:
    budgets = Budgets((), time)
    led_to(budgets, 1, "a.example", "hub.example")
    led_to(budgets, 2, "b.example", "hub.example", "b.example")  # where it found no room: the other was just there
    time.now += 10
    assert budgets.take(1, "a.example")
    assert budgets.blocked() == {"a.example", "hub.example"}, "its room there is held until it comes"
    assert budgets.held_up(budgets.blocked()) == {1, 2}
    assert not budgets.take(2, "b.example")
    assert budgets.take(3, "b.example"), "another source of that key goes elsewhere"
    budgets.finish(1)
    budgets.finish(3)
    assert budgets.take(2, "b.example")


def test_a_source_that_is_redirected_no_more_waits_no_more(time: Monotonic) -> None:
    budgets = Budgets((), time)
    led_to(budgets, 1, "a.example", "hub.example")
    time.now += 10
    asks(budgets, 1, "a.example")
    budgets.finish(1, whole=True)
    asks(budgets, 2, "hub.example")
    time.now += 10
    assert budgets.held_up(budgets.blocked()) == set()
    assert budgets.take(1, "a.example")


def test_a_poll_that_broke_off_before_it_was_redirected_unlearns_nothing(time: Monotonic) -> None:
    budgets = Budgets((), time)
    led_to(budgets, 1, "a.example", "hub.example")
    time.now += 10
    asks(budgets, 1, "a.example")
    budgets.finish(1)
    assert budgets.held_up(["hub.example"]) == {1}


def test_passage_counts_as_a_request_of_the_other_host(time: Monotonic) -> None:
    budgets = Budgets((), time)
    asks(budgets, 1, "a.example")
    with budgets.passage("b.example", 5) as passed:
        assert passed
        time.now += 3
        assert not budgets.take(2, "b.example")
        assert budgets.take(3, "a.example"), "the request before has been answered"
    assert asks(budgets, 2, "b.example")
    budgets.finish(1)
    assert not budgets.take(4, "a.example"), "the room given back at the hop is not given back twice"


def test_passage_that_would_come_too_late_is_refused_at_once(time: Monotonic) -> None:
    budgets = Budgets((), time)
    budgets.restrain("b.example", seconds=600, doublings=0)
    with budgets.passage("b.example", 5) as passed:
        assert not passed
    time.now += 600
    assert budgets.take(2, "b.example"), "nothing was started"


def test_passage_back_and_forth_does_not_wait_for_itself(time: Monotonic) -> None:
    budgets = Budgets((name("a.example", **manners(0, 1)), name("b.example", **manners(0, 1))), time)
    asks(budgets, 1, "a.example")
    with budgets.passage("b.example", 0) as there:
        assert there
        with budgets.passage("a.example", 0) as back:
            assert back


def test_passage_into_room_that_was_held_for_it(time: Monotonic) -> None:
    budgets = Budgets((), time)
    led_to(budgets, 1, "a.example", "hub.example")
    time.now += 10
    asks(budgets, 1, "a.example")
    with budgets.passage("hub.example", 0) as passed:
        assert passed
    time.now += 10
    assert budgets.blocked() == set(), "nothing more is expected there"
    budgets.finish(1)


def test_passage_waits_until_there_is_room() -> None:
    budgets = Budgets((name("b.example", **manners(0, 1)),), wall.monotonic)
    assert asks(budgets, 1, "b.example")
    waiting, passed = threading.Event(), threading.Event()

    def hop() -> None:
        waiting.set()
        with budgets.passage("b.example", 30) as may:
            if may:
                passed.set()

    thread = threading.Thread(target=hop)
    thread.start()
    assert waiting.wait(PATIENCE)
    budgets.finish(1)
    thread.join(PATIENCE)
    assert passed.is_set()


def test_passage_waits_out_a_spacing() -> None:
    budgets = Budgets((name("b.example", **manners(0.2, 1)),), wall.monotonic)
    asks(budgets, 1, "b.example")
    left_at = wall.monotonic()
    budgets.finish(1)
    with budgets.passage("b.example", 10) as passed:
        assert passed
        assert wall.monotonic() - left_at >= 0.19


# Whatever happens.

RULES = (
    (),
    (name("a.example", **manners(0, 3)), network("192.0.2.1/32", **manners(4, 2))),
    (name("b.example", **manners(5, 4)), network("192.0.2.0/24", **manners(0, 3))),
)
KEYS = ("a.example", "b.example", "c.example", "reddit.com", "192.0.2.1")
ADDRESSES = ("192.0.2.1", "192.0.2.2")
ROUNDING = 1e-6


@dataclass
class Trip:
    """A request that was chosen, and the least spacing that was in force since then."""

    key: str
    address: str | None
    spacing: float
    spacing_at: float
    reached: set[str] = field(default_factory=set)


class AnyOrder(RuleBasedStateMachine):
    """Keeps books of its own beside the budgets, in the plainest way.

    Rules, doublings and addresses change under way: a start is held to the least that was asked of it meanwhile.
    """

    def __init__(self) -> None:
        super().__init__()
        self.time = Monotonic()
        self.hosts: tuple[HostRule, ...] = ()
        self.budgets = Budgets(self.hosts, self.time)
        self.peers: dict[str, str] = {"192.0.2.1": "192.0.2.1"}
        self.doublings: dict[str, int] = {}
        self.rests: dict[str, float] = {}
        self.ways: dict[int, set[str]] = {}
        self.waiting: dict[int, Trip] = {}
        self.flying: dict[int, Trip] = {}
        self.answered: dict[int, Trip] = {}  # and redirected to elsewhere
        self.hops: list[tuple[AbstractContextManager[bool], Trip]] = []
        self.here: int | None = None  # the source that this thread is on
        self.starts: dict[str, tuple[float, float]] = {}  # by key or address: the last, and the least spacing since

    def spacing(self, key: str) -> float:
        spacing = spacing_of(key, ruling(key, self.hosts, self.peers.get(key)))
        return slowed(spacing, self.doublings.get(key, 0)).total_seconds()

    def spacing_at(self, key: str, address: str | None) -> float:
        holding = ruling(key, self.hosts, address)
        spacing = None if holding is None or holding.network is None else holding.spacing
        return 0.0 if spacing is None else spacing.total_seconds()

    def trip(self, key: str) -> Trip:
        address = self.peers.get(key)
        return Trip(key, address, self.spacing(key), self.spacing_at(key, address))

    def chosen(self, trip: Trip) -> None:
        """Check what was let in just now."""
        under_way = [*self.waiting.values(), *self.flying.values(), *(hop for _, hop in self.hops)]
        allowed = parallel_of(ruling(trip.key, self.hosts, trip.address))
        assert sum(each.key == trip.key for each in under_way) <= allowed
        assert self.time.now >= self.rests.get(trip.key, 0) - ROUNDING
        if trip.address is not None:
            holding = ruling(trip.key, self.hosts, trip.address)
            limit = AT_ADDRESS if holding is None or holding.parallel is None else holding.parallel
            assert sum(each.address == trip.address for each in under_way) <= limit

    def started(self, trip: Trip) -> None:
        """Check a request that leaves now."""
        now = self.time.now
        places = [(trip.key, trip.spacing, self.spacing(trip.key))]
        if trip.address is not None:
            places.append((trip.address + " ", trip.spacing_at, self.spacing_at(trip.address, None)))
        for place, promised, from_now_on in places:
            before, spacing = self.starts.get(place, (0.0, 0.0))
            assert now >= before + min(spacing, promised) - ROUNDING
            self.starts[place] = (now, from_now_on)
        if trip.address is not None and trip.spacing_at == 0:  # its name goes before the network's spacing
            for other in self.waiting.values():  # chosen before, and not to wait for it
                other.spacing_at = 0.0 if other.address == trip.address else other.spacing_at

    def changed(self) -> None:
        """Take what is in force now for what was promised, where it is less."""
        for trip in self.waiting.values():
            trip.spacing = min(trip.spacing, self.spacing(trip.key))
            trip.spacing_at = min(trip.spacing_at, self.spacing_at(trip.key, trip.address))
        for place, (before, spacing) in self.starts.items():
            now = self.spacing_at(place.strip(), None) if place.endswith(" ") else self.spacing(place)
            self.starts[place] = (before, min(spacing, now))

    @rule(key=st.sampled_from(KEYS), number=st.integers(0, 3))
    def take(self, key: str, number: int) -> None:
        source = KEYS.index(key) * 10 + number
        is_full = self.budgets.is_full(key)  # from now on the key is known, and `blocked` names it
        blocked = self.budgets.blocked()
        assert is_full == (key in blocked)
        is_under_way = source in self.waiting | self.flying | self.answered
        must_wait = key in blocked or is_under_way or bool(self.ways.get(source, set()) & blocked)
        assert self.budgets.take(source, key) is not must_wait
        if not must_wait:
            trip = self.waiting[source] = self.trip(key)
            self.chosen(trip)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        source = self.here = data.draw(st.sampled_from(sorted(self.waiting)))
        trip = self.flying[source] = self.waiting.pop(source)
        self.budgets.leave(source)
        self.started(trip)

    @precondition(lambda self: self.flying or self.waiting or self.answered)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        source = data.draw(st.sampled_from(sorted(self.waiting | self.flying | self.answered)))
        trip = (self.waiting | self.flying | self.answered)[source]
        has_left = source not in self.waiting
        for stage in (self.waiting, self.flying, self.answered):
            stage.pop(source, None)
        peer = data.draw(st.sampled_from((None, *ADDRESSES))) if has_left else None
        whole = data.draw(st.booleans())
        self.budgets.finish(source, peer=peer, whole=whole)
        if trip.reached or whole:
            self.ways[source] = trip.reached - {trip.key}
        if peer is not None and trip.key not in ADDRESSES and peer != self.peers.get(trip.key):
            self.peers[trip.key] = peer
            for each in (*self.waiting.values(), *self.flying.values()):
                if each.key == trip.key:
                    each.address, each.spacing_at = peer, 0.0
            self.changed()

    @rule(key=st.sampled_from(KEYS))
    def hop(self, key: str) -> None:
        passage = self.budgets.passage(key, 0)
        passed = passage.__enter__()
        if self.here is not None and self.here in self.flying | self.answered:
            (self.flying | self.answered)[self.here].reached.add(key)
        if self.here in self.flying:
            self.answered[self.here] = self.flying.pop(self.here)
        if passed:
            trip = self.trip(key)
            self.hops.append((passage, trip))
            self.chosen(trip)
            self.started(trip)
        else:
            passage.__exit__(None, None, None)

    @precondition(lambda self: self.hops)
    @rule()
    def arrive(self) -> None:
        passage, _ = self.hops.pop(0)
        passage.__exit__(None, None, None)

    @rule(key=st.sampled_from(KEYS), seconds=st.sampled_from((0, 7, 600)), doublings=st.integers(0, 3))
    def restrain(self, key: str, seconds: int, doublings: int) -> None:
        self.budgets.restrain(key, seconds=seconds, doublings=doublings)
        self.doublings[key] = doublings
        self.rests[key] = max(self.rests.get(key, 0), self.time.now + seconds)
        self.changed()

    @rule(hosts=st.sampled_from(RULES))
    def adopt(self, hosts: tuple[HostRule, ...]) -> None:
        self.budgets.adopt(hosts)
        self.hosts = hosts
        self.changed()

    @rule(seconds=st.sampled_from((0.5, 2, 5, 60, 1000)))
    def wait(self, seconds: float) -> None:
        self.time.now += seconds

    def teardown(self) -> None:
        """Once all is over and time has gone by, nothing is left behind."""
        for passage, _ in self.hops:
            passage.__exit__(None, None, None)
        for source in self.waiting | self.flying | self.answered:
            self.budgets.finish(source)
        self.time.now += 10_000
        assert self.budgets.blocked() == set()
        assert self.budgets.size() == 0


AnyOrder.TestCase.settings = settings(max_examples=examples(150), stateful_step_count=40, deadline=None)
TestAnyOrder = AnyOrder.TestCase
