"""Pings that the hub is owed (A86)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from aggregator.model.status import HubStatus
from aggregator.store.hub_pings import HubPings, Ping
from aggregator.urls import Url
from tests.sample_site import SampleSite

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
A, B = Url("https://planet.example/a"), Url("https://planet.example/b")


@pytest.fixture
def pings(sample_site: SampleSite) -> Iterator[HubPings]:
    sample_site.writes("sources: [{key: a, url: 'https://a.example/'}]")
    with sample_site.opened() as app, app.store.begin() as tx:
        yield tx.hub_pings


def test_without_a_topic_there_is_no_status_and_no_ping(pings: HubPings) -> None:
    assert pings.status() is None
    assert pings.next(NOON) is None
    pings.owe({}, NOON)
    assert pings.status() is None


def test_a_change_is_owed_once_until_it_is_told(pings: HubPings) -> None:
    pings.owe({B: "b1", A: "a1"}, NOON)
    assert pings.next(NOON - MINUTE) is None, "not due yet"
    ping = pings.next(NOON)
    assert ping == Ping(topic=A, digest="a1", owed_at=NOON, failures=0)
    pings.note_told(ping, NOON, due_at=NOON + MINUTE)
    assert pings.next(NOON) == Ping(topic=B, digest="b1", owed_at=NOON, failures=0)
    pings.owe({A: "a1"}, NOON + MINUTE)
    assert pings.status() == HubStatus(topics=2, owed=1, failures=0, failing_since=None, error=None)


def test_a_second_change_keeps_the_time_of_the_first(pings: HubPings) -> None:
    pings.owe({A: "a1"}, NOON)
    pings.owe({A: "a2"}, NOON + MINUTE)
    assert pings.next(NOON + MINUTE) == Ping(topic=A, digest="a2", owed_at=NOON, failures=0)


def test_what_changed_while_it_was_told_is_owed_anew_and_later(pings: HubPings) -> None:
    pings.owe({A: "a1"}, NOON)
    ping = pings.next(NOON)
    assert ping is not None
    pings.owe({A: "a2"}, NOON)
    pings.note_told(ping, NOON + MINUTE, due_at=NOON + 2 * MINUTE)
    assert pings.next(NOON + MINUTE) is None
    assert pings.next(NOON + 2 * MINUTE) == Ping(topic=A, digest="a2", owed_at=NOON + MINUTE, failures=0)


def test_a_failure_of_one_topic_waits_and_the_others_go_on(pings: HubPings) -> None:
    pings.owe({A: "a1", B: "b1"}, NOON)
    ping = pings.next(NOON)
    assert ping is not None
    pings.note_failure(ping, "503", due_at=NOON + MINUTE, held_up=False)
    following = pings.next(NOON)
    assert following is not None
    assert following.topic == B
    pings.note_failure(following, "gone", due_at=NOON + 3 * MINUTE, held_up=False)
    again = pings.next(NOON + MINUTE)
    assert again == Ping(topic=A, digest="a1", owed_at=NOON, failures=1)
    pings.note_failure(again, "502", due_at=NOON + 2 * MINUTE, held_up=False)
    assert pings.status() == HubStatus(topics=2, owed=2, failures=2, failing_since=NOON, error="502")


def test_a_hub_in_trouble_is_left_alone_and_that_ping_goes_first(pings: HubPings) -> None:
    pings.owe({A: "a1"}, NOON)
    pings.owe({B: "b1"}, NOON + MINUTE)
    late = NOON + 5 * MINUTE
    ping = Ping(topic=B, digest="b1", owed_at=NOON + MINUTE, failures=0)
    pings.note_failure(ping, "429", due_at=late, held_up=True)
    assert pings.next(NOON + 2 * MINUTE) is None
    first = pings.next(late)
    assert first is not None
    assert first.topic == B
    pings.note_told(first, late, due_at=late)
    second = pings.next(late)
    assert second is not None
    assert second.topic == A


@pytest.mark.parametrize(("held_up", "given_up"), [(False, 1), (True, 2)])
def test_what_is_owed_too_long_is_given_up(pings: HubPings, held_up: bool, given_up: int) -> None:
    pings.owe({A: "a1", B: "b1"}, NOON)
    ping = pings.next(NOON)
    assert ping is not None
    assert pings.give_up(ping, owed_before=NOON, held_up=held_up) == 0, "not that old"
    pings.note_failure(ping, "503", due_at=NOON, held_up=held_up)
    assert pings.give_up(ping, owed_before=NOON + MINUTE, held_up=held_up) == given_up
    status = pings.status()
    assert status is not None
    assert (status.owed, status.failures) == (2 - given_up, 0)
    pings.owe({A: "a2"}, NOON + MINUTE)
    assert pings.give_up(ping, owed_before=NOON, held_up=True) == 0


def test_topics_that_ended_are_forgotten(pings: HubPings) -> None:
    pings.owe({A: "a1", B: "b1"}, NOON)
    pings.keep([A, Url("https://planet.example/new")])
    status = pings.status()
    assert status is not None
    assert status.topics == 1
    pings.keep([A])
    pings.keep([])
    assert pings.status() is None
