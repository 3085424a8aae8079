"""A redirect to another host waits its turn there (P24, P61)."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic

import pytest

from aggregator.fetch import Client
from aggregator.fetch.budget import Budgets
from aggregator.fetch.client import PASSAGE_SECONDS
from aggregator.model.poll import Answer, Cut
from aggregator.model.settings import HostRule
from tests.feed_server import FeedServer, Hangs, Reply, redirect
from tests.fetch.conftest import ATOM, LOOPBACK, MakeClient, ask_for, failed, fetched, name
from tests.patience import PATIENCE


class Turnstile:
    """A passage that notes who passes, and how many requests had been sent by then."""

    def __init__(self, publisher: FeedServer, *, shut: bool = False) -> None:
        self._publisher, self._shut = publisher, shut
        self.noted: list[tuple[str, str, int]] = []
        self.longest = PASSAGE_SECONDS

    @contextmanager
    def __call__(self, key: str, seconds: float, is_over: Callable[[], bool] = lambda: False) -> Iterator[bool]:
        """Yield whether the request may pass."""
        assert 0 < seconds <= self.longest
        assert not is_over()
        self.noted.append(("in", key, len(self._publisher.asked)))
        try:
            yield not self._shut
        finally:
            self.noted.append(("out", key, len(self._publisher.asked)))


@pytest.fixture
def turnstile(publisher: FeedServer) -> Turnstile:
    """Return an open turnstile."""
    return Turnstile(publisher)


@pytest.fixture
def passing(make_client: MakeClient, turnstile: Turnstile) -> Client:
    """Return a client that passes the turnstile."""
    return make_client(LOOPBACK, passage=turnstile)


def test_p61_a_request_to_another_host_passes(publisher: FeedServer, passing: Client, turnstile: Turnstile) -> None:
    publisher.says("/", Reply(200, ATOM), host="127.0.0.2")
    fetched(passing.fetch(ask_for(publisher.says("/", redirect(publisher.url("/", host="127.0.0.2"))))))
    assert turnstile.noted == [("in", "127.0.0.2", 1), ("out", "127.0.0.2", 2)]


def test_p24_a_hop_within_the_host_goes_at_once(publisher: FeedServer, passing: Client, turnstile: Turnstile) -> None:
    publisher.serve("/b", ATOM)
    fetched(passing.fetch(ask_for(publisher.says("/a", redirect("/b")))))
    assert turnstile.noted == []


def test_p24_also_within_the_other_host(publisher: FeedServer, passing: Client, turnstile: Turnstile) -> None:
    publisher.says("/a", redirect("/b"), host="127.0.0.2")
    publisher.serve("/b", ATOM, host="127.0.0.2")
    fetched(passing.fetch(ask_for(publisher.says("/", redirect(publisher.url("/a", host="127.0.0.2"))))))
    assert turnstile.noted == [("in", "127.0.0.2", 1), ("out", "127.0.0.2", 3)]


def test_p61_each_host_on_the_way_one_after_the_other(
    publisher: FeedServer, passing: Client, turnstile: Turnstile
) -> None:
    publisher.says("/", redirect(publisher.url("/home")), host="127.0.0.2")
    publisher.serve("/home", ATOM)
    fetched(passing.fetch(ask_for(publisher.says("/", redirect(publisher.url("/", host="127.0.0.2"))))))
    assert [entry[:2] for entry in turnstile.noted] == [
        ("in", "127.0.0.2"),
        ("out", "127.0.0.2"),
        ("in", "127.0.0.1"),
        ("out", "127.0.0.1"),
    ]


def test_p60_names_under_one_rule_are_one_host(
    publisher: FeedServer, make_client: MakeClient, turnstile: Turnstile, names: dict[str, list[str]]
) -> None:
    names["a.feeds.example"] = names["b.feeds.example"] = ["127.0.0.1"]
    publisher.serve("/b", ATOM)
    publisher.says("/a", redirect(publisher.url("/b", host="b.feeds.example")))
    ask = ask_for(publisher.url("/a", host="a.feeds.example"), host_key="feeds.example")
    fetched(make_client(name("feeds.example"), passage=turnstile).fetch(ask))
    assert turnstile.noted == []


@pytest.mark.parametrize("reply", [Reply(500), Hangs(), redirect("ftp://127.0.0.3/")])
def test_p61_a_failure_leaves_too(publisher: FeedServer, passing: Client, turnstile: Turnstile, reply: Reply) -> None:
    there = publisher.says("/", reply, host="127.0.0.2")
    failed(passing.fetch(ask_for(publisher.says("/", redirect(there)), timeout=1.0)))
    assert turnstile.noted[-1] == ("out", "127.0.0.2", 2)


def test_p61_without_room_the_poll_is_given_back(publisher: FeedServer, make_client: MakeClient) -> None:
    shut = Turnstile(publisher, shut=True)
    there = publisher.serve("/", ATOM, host="127.0.0.2")
    answer = make_client(LOOPBACK, passage=shut).fetch(ask_for(publisher.says("/", redirect(there))))
    assert isinstance(answer, Cut)
    assert [asked.host for asked in publisher.asked] == ["127.0.0.1"]
    assert [what for what, _, _ in shut.noted] == ["in", "out"]


def test_p61_a_further_document_waits_for_its_host_as_long_as_a_poll_may_take(
    publisher: FeedServer, passing: Client, turnstile: Turnstile
) -> None:
    turnstile.longest = 30.0
    ask = ask_for(publisher.says("/2", Reply(200, ATOM)), is_further=True)
    fetched(passing.fetch(ask))
    assert turnstile.noted == [("in", ask.host_key, 0), ("out", ask.host_key, 1)]


def test_r54_a_stop_ends_the_wait_for_a_turn(publisher: FeedServer, make_client: MakeClient) -> None:
    budgets = Budgets((HostRule(name="127.0.0.1", spacing=timedelta(seconds=25)),), monotonic)
    assert budgets.take(1, "127.0.0.1")
    budgets.leave(1)
    client = make_client(LOOPBACK, passage=budgets.passage)
    ask = ask_for(publisher.says("/2", Reply(200, ATOM)), is_further=True)
    answers: list[Answer] = []
    fetching = threading.Thread(target=lambda: answers.append(client.fetch(ask)))
    fetching.start()
    client.cut()
    fetching.join(PATIENCE)
    assert [type(answer) for answer in answers] == [Cut], "a poll that was cut is put back, not counted as crowded out"
    assert publisher.asked == []
