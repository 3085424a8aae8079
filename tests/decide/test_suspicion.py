"""Suspicion that a source became another feed (R44), and doubt about a list: each condition by itself."""

from dataclasses import replace
from typing import Any

import pytest

from aggregator.decide.suspect import doubt_of, identity_of, is_itself, is_release, suspect_since
from aggregator.model.entry import Feed
from aggregator.model.job import Gathered, Health
from aggregator.model.known import EntryState, Identity, Known, MatchedEntry
from aggregator.model.observed import NOTHING_OBSERVED
from aggregator.model.outline import Outline
from aggregator.model.poll import Failed, NotModified, State
from aggregator.model.settings import Kind, Reading
from aggregator.urls import Url
from tests.decide.records import DAY, HOUR, NOON, SOURCE, entry, job, known_entry

BEFORE = Identity(id="urn:a", title="A", host="a.example")
A_FEED = Feed(id="urn:a", title="A", link=Url("https://a.example/"), entries=(entry(),))
OTHER = Feed(id="urn:b", title="B", link=Url("https://a.example/"), entries=(entry(),))


def test_the_identity_of_a_document() -> None:
    assert identity_of(A_FEED) == BEFORE
    assert identity_of(Feed(id=None, title="A")) == Identity(id=None, title="A", host="")


@pytest.mark.parametrize(
    ("now", "differences"),
    [
        (BEFORE, 0),
        (replace(BEFORE, title="B"), 1),
        (replace(BEFORE, title="B", host="b.example"), 2),
        (Identity(id="urn:b", title="B", host="b.example"), 3),
        (Identity(id=None, title="", host="b.example"), 1),
    ],
)
def test_in_how_much_two_identities_differ(now: Identity, differences: int) -> None:
    assert now.differs_from(BEFORE) == differences
    assert BEFORE.differs_from(now) == differences


def since(feed: Feed, known: Known | None = None, **observed: Any) -> Any:
    facts = {name: observed.pop(name) for name in ("source", "stored_before") if name in observed}
    poll = job(observed=replace(NOTHING_OBSERVED, **observed), **facts)
    return suspect_since(poll, feed, known or Known(identity=BEFORE), NOON)


def test_two_changes_and_nothing_known_are_suspect() -> None:
    assert since(OTHER) == NOON
    assert since(replace(A_FEED, title="B")) is None
    assert since(OTHER, Known()) is None, "there was no document before"
    assert since(OTHER, stored_before=False) is None
    assert since(OTHER, source=replace(SOURCE, trust=True)) is None
    assert since(OTHER, source=replace(SOURCE, reading=Reading(kind=Kind.JSON))) is None
    assert since(replace(OTHER, entries=())) is None


def test_anything_known_ends_it() -> None:
    earlier = NOON - HOUR
    for known in (
        Known(identity=BEFORE, shares_items=True),
        Known(identity=BEFORE, matched={"f": MatchedEntry(entry=known_entry(), because="x")}),
        Known(identity=BEFORE, entries={"f": known_entry()}),
        Known(identity=BEFORE, reused={"f": known_entry()}),
    ):
        assert is_itself(known)
        assert since(OTHER, known, suspect_since=earlier) is None
    held = known_entry(state=EntryState.HELD)
    assert not is_itself(Known(entries={"f": held}))
    assert not is_itself(Known())


def test_how_long_it_lasts() -> None:
    same = Known(identity=identity_of(OTHER))
    assert since(OTHER, same, suspect_since=NOON - 2 * DAY + HOUR) == NOON - 2 * DAY + HOUR
    assert since(OTHER, same, suspect_since=NOON - 2 * DAY) is None, "it did not change again"
    assert since(OTHER, suspect_since=NOON - 2 * DAY) == NOON, "it changed again"
    assert since(replace(OTHER, entries=()), suspect_since=NOON - 9 * DAY) == NOON - 9 * DAY


def released(*, failed: bool = False, state: State = State.SUSPECT, **observed: Any) -> bool:
    poll = job(observed=replace(NOTHING_OBSERVED, **observed), health=Health(state=state))
    answer = Failed(asked_at=NOON, code="http", text="x") if failed else NotModified(asked_at=NOON)
    return is_release(Gathered(poll, answer))


def test_a_poll_without_a_document_ends_the_wait() -> None:
    assert released(suspect_since=NOON - 2 * DAY)
    assert not released(suspect_since=NOON - 2 * DAY + HOUR)
    assert not released(failed=True, suspect_since=NOON - 2 * DAY)
    assert not released()
    assert released(lost=("link",), lost_since=NOON - 2 * DAY)
    assert not released(lost=("link",), lost_since=NOON - 2 * DAY + HOUR)
    assert not released(lost=("date",), lost_since=NOON - 2 * DAY)
    assert not released(state=State.OK, lost=("link",), lost_since=NOON - 2 * DAY)


def outlines(*numbers: int) -> tuple[Outline, ...]:
    return tuple(Outline(url=Url(f"https://n.example/{n}")) for n in numbers)


@pytest.mark.parametrize(
    ("before", "now", "doubt"),
    [
        pytest.param((), (), None, id="no-list-before"),
        pytest.param((1, 2), (1, 2), None, id="same"),
        pytest.param((1, 2, 3), (), "a list that is empty, of 3 feeds", id="empty"),
        pytest.param((1, 2, 3), (1,), None, id="three-may-lose-two"),
        pytest.param((1, 2, 3, 4), (1, 2), None, id="half"),
        pytest.param((1, 2, 3, 4), (1,), "a list that lost 3 of its 4 feeds at once", id="more-than-half"),
        pytest.param((1, 2, 3, 4), (1, 7, 8, 9), "a list that lost 3 of its 4 feeds at once", id="others-came"),
    ],
)
def test_which_lists_are_doubted(before: tuple[int, ...], now: tuple[int, ...], doubt: str | None) -> None:
    found = doubt_of(SOURCE, Feed(outlines=outlines(*now)), outlines(*before))
    assert (found is None) if doubt is None else (found is not None and found.startswith(doubt))
    assert doubt_of(replace(SOURCE, trust=True), Feed(outlines=outlines(*now)), outlines(*before)) is None


def test_a_list_that_is_cut_off_is_doubted_if_anything_is_gone() -> None:
    cut = Feed(outlines=outlines(1, 2), cut=True)
    assert doubt_of(SOURCE, cut, outlines(1, 2)) is None
    said = doubt_of(SOURCE, cut, outlines(1, 2, 3))
    assert said == "a list that is cut off, without 1 of its 3 feeds: its last good copy stays in force"
