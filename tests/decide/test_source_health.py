"""Observations of several answers: the next request to a source, its address, and when the source counts as gone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aggregator.decide.poll import decide
from aggregator.decide.source_health import permanent_target, with_addresses
from aggregator.model.ask import Validators
from aggregator.model.changes import Changes
from aggregator.model.entry import Digest, Feed, Hints
from aggregator.model.job import Claim, Gathered, Health, SourceJob
from aggregator.model.known import Identity, Known
from aggregator.model.observed import NOTHING_OBSERVED, RequestMode
from aggregator.model.poll import Answer, Failed, Fetched, Hop, NotModified, Outcome, State
from aggregator.model.settings import Roster, Source, SourceKey
from aggregator.urls import Url

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OLD, NEW, OTHER = (Url(f"https://{name}.example/feed") for name in ("old", "new", "other"))
SOURCE = Source(key=SourceKey("example"), url=OLD)
ROSTER = Roster({SOURCE.key: SOURCE}, {})
KNOWN = Known(
    store_uuid="00000000-0000-4000-8000-000000000000", identity=Identity(id="https://old.example/", title="", host="")
)
MOVED = (Hop(url=OLD, status=301),)


def due(**facts: Any) -> SourceJob:
    """Return the job of a source that has been read before."""
    said: dict[str, Any] = {
        "source": SOURCE,
        "source_id": 1,
        "url": OLD,
        "host_key": "old.example",
        "claim": Claim(due_at=NOON),
        "health": Health(state=State.OK),
        "validators": Validators(url=OLD, etag='"x"', last_modified="Wed, 04 Mar 2026 10:00:00 GMT"),
        "stored_before": True,
    }
    return SourceJob(**(said | facts))


def same(**facts: Any) -> Fetched:
    """Return a 200 answer with the stored body."""
    said: dict[str, Any] = {
        "asked_at": NOON,
        "url": OLD,
        "body": b"",
        "body_digest": Digest("x"),
        "etag": '"x"',
        "last_modified": "Wed, 04 Mar 2026 10:00:00 GMT",
        "same_body": True,
        "conditional": True,
    }
    return Fetched(**(said | facts))


def failed(status: int | None, code: str = "http", **facts: Any) -> Failed:
    said: dict[str, Any] = {"asked_at": NOON, "code": code, "text": "it failed", "status": status}
    return Failed(**(said | facts))


class Life:
    """A source from poll to poll, each a day after the one before."""

    def __init__(self, **facts: Any) -> None:
        self.job, self.now = due(**facts), NOON
        self.last: Changes | None = None

    def sees(self, answer: Answer, feed: Feed | None = None, *, after: timedelta = DAY) -> Changes:
        """Decide on an answer to the next poll; return the changes."""
        self.now += after
        poll = Gathered(self.job, replace(answer, asked_at=self.now), *([feed] if feed else []))
        self.last = decide(poll, KNOWN, ROSTER)
        move = self.last.update
        self.job = replace(
            self.job,
            url=move.url_in_use,
            host_key=move.host_key,
            validators=move.validators,
            observed=move.observed,
            identical=move.identical,
            failures=move.failures,
            health=Health(state=move.state, code=move.code),
        )
        return self.last


def test_p13_a_tag_that_never_matches_is_left_out_until_the_date_is_gone() -> None:
    life = Life()
    for _ in range(2):
        assert life.sees(same()).update.observed.ask is RequestMode.USUAL
    assert life.sees(same()).update.observed.ask is RequestMode.DATE_ONLY
    assert life.sees(NotModified(asked_at=NOON, conditional=True)).update.observed.ask is RequestMode.DATE_ONLY
    assert life.sees(same(last_modified=None)).update.observed.ask is RequestMode.USUAL


def test_p13_without_a_date_there_is_no_other_form() -> None:
    life = Life()
    for _ in range(5):
        assert life.sees(same(last_modified=None)).update.observed.ask is RequestMode.USUAL


def test_r43_a_304_goes_on_with_a_row_of_empty_documents_and_begins_none() -> None:
    life = Life()
    assert life.sees(NotModified(asked_at=NOON)).update.observed.empty_times == 0
    assert life.sees(same(same_body=False), Feed(format="rss20")).update.observed.empty_times == 1
    assert life.sees(NotModified(asked_at=NOON)).update.observed.empty_times == 2
    assert life.sees(same()).update.observed.empty_times == 3


@pytest.mark.parametrize(
    ("status", "hints", "slowed"),
    [
        (429, Hints(), True),
        (503, Hints(retry_after=DAY), True),
        (503, Hints(), False),
        (500, Hints(retry_after=DAY), False),
    ],
)
def test_p30_which_failures_ask_for_fewer_requests(status: int, hints: Hints, slowed: bool) -> None:
    assert ("rate_limited" in Life().sees(failed(status, hints=hints)).update.inputs["asked"]) is slowed


def test_p15_a_304_that_nobody_asked_for_drops_the_validators() -> None:
    move = Life().sees(failed(304)).update
    assert (move.validators, move.state, move.failures) == (None, State.FAILING, 1)


def test_p16_a_source_that_is_stuck_at_304_is_asked_afresh_once_a_month() -> None:
    arrivals = tuple(NOON - DAY * place for place in reversed(range(10)))
    life = Life(arrivals=arrivals)
    asks = []
    for _ in range(80):
        afresh = life.job.observed.ask is RequestMode.AFRESH
        asks.append(life.sees(same(conditional=False) if afresh else NotModified(asked_at=NOON)).update.observed.ask)
    assert [day for day, ask in enumerate(asks, 1) if ask is RequestMode.AFRESH] == [31, 63]


def test_p16_a_source_that_is_slow_anyway_is_not_doubted() -> None:
    arrivals = tuple(NOON - 20 * DAY * place for place in reversed(range(10)))
    life = Life(arrivals=arrivals)
    assert {life.sees(NotModified(asked_at=NOON)).update.observed.ask for _ in range(60)} == {RequestMode.USUAL}


@pytest.mark.parametrize("status", [400, 406, 415])
def test_p34_a_server_that_refuses_our_accept_is_asked_plainly_once_and_that_is_remembered(status: int) -> None:
    life = Life()
    assert life.sees(failed(status)).update.observed.ask is RequestMode.PLAIN
    assert life.sees(failed(None, "timeout")).update.observed.ask is RequestMode.PLAIN
    assert life.sees(same(conditional=False)).update.observed.ask is RequestMode.ANY_ACCEPT
    assert life.sees(NotModified(asked_at=NOON)).update.observed.ask is RequestMode.ANY_ACCEPT
    assert life.sees(failed(status)).update.observed.ask is RequestMode.ALWAYS_PLAIN
    assert life.sees(same(conditional=False)).update.observed.ask is RequestMode.ALWAYS_PLAIN


def test_p34_what_did_not_help_is_not_tried_again_until_it_works() -> None:
    life = Life()
    asks = [life.sees(failed(406)).update.observed.ask for _ in range(5)]
    assert asks == [RequestMode.PLAIN, RequestMode.USUAL, RequestMode.USUAL, RequestMode.USUAL, RequestMode.USUAL]
    life.sees(same())
    assert life.sees(failed(406)).update.observed.ask is RequestMode.PLAIN


def test_p29_three_410s_over_two_days_are_gone_and_a_200_revives() -> None:
    life = Life()
    first, second, third = (life.sees(failed(410, "gone")).update for _ in range(3))
    assert [first.state, second.state, third.state] == [State.FAILING, State.FAILING, State.GONE]
    assert first.due_at >= NOON + 2 * DAY
    assert third.due_at >= life.now + 30 * DAY
    assert life.sees(failed(None, "timeout")).update.state is State.GONE
    assert life.sees(same()).update.state is State.OK
    assert life.job.observed.gone_times == 0


def test_p29_three_410s_in_a_hurry_are_not_gone_yet() -> None:
    life = Life()
    assert [life.sees(failed(410, "gone"), after=HOUR).update.state for _ in range(3)] == [State.FAILING] * 3


def test_p29_another_answer_in_between_breaks_the_row() -> None:
    life = Life()
    answers = (410, 410, 404, 410, 410)
    assert {life.sees(failed(status)).update.state for status in answers} == {State.FAILING}


def test_p40_a_permanent_redirect_is_adopted_after_three_polls_over_two_days() -> None:
    life = Life()
    urls = [life.sees(same(url=NEW, hops=MOVED)).update.url_in_use for _ in range(3)]
    assert urls == [OLD, OLD, NEW]
    assert life.last is not None
    assert (life.last.update.outcome, life.last.update.host_key) == (Outcome.MOVED, "new.example")
    assert [event.facts for event in life.last.events] == [{"host": ["old.example", "new.example"]}]
    assert life.job.observed.moved_to is None


def test_p40_a_304_from_there_counts_as_well() -> None:
    life = Life(validators=Validators(url=NEW, etag='"x"'))
    urls = [life.sees(NotModified(asked_at=NOON, hops=MOVED)).update.url_in_use for _ in range(3)]
    assert urls == [OLD, OLD, NEW]


@pytest.mark.parametrize(
    ("answers", "after"),
    [
        pytest.param([same(url=NEW, hops=MOVED)] * 5, HOUR, id="in-a-hurry"),
        pytest.param([same(url=NEW, hops=MOVED), same()] * 3, DAY, id="not-in-a-row"),
        pytest.param([same(url=NEW, hops=MOVED), same(url=OTHER, hops=MOVED)] * 3, DAY, id="now-here-now-there"),
        pytest.param([same(url=NEW, hops=(Hop(url=OLD, status=302),))] * 5, DAY, id="p24-temporary"),
        pytest.param([failed(200, "not_a_feed", hops=MOVED)] * 5, DAY, id="p49-to-a-page"),
    ],
)
def test_p40_too_little_evidence_moves_nothing(answers: list[Answer], after: timedelta) -> None:
    life = Life()
    assert {life.sees(answer, after=after).update.url_in_use for answer in answers} == {OLD}


def test_p40_a_stranger_at_the_end_is_not_adopted() -> None:
    life = Life()
    stranger = Feed(format="rss 2.0", id="https://parked.example/")
    answer = same(url=NEW, hops=MOVED, same_body=False)
    assert {life.sees(answer, stranger).update.url_in_use for _ in range(5)} == {OLD}


def test_p40_what_a_stranger_brought_does_not_make_it_kin() -> None:
    life = Life()
    stranger = Feed(format="rss 2.0", id="https://parked.example/")
    life.sees(same(url=NEW, hops=MOVED, same_body=False), stranger)
    assert {life.sees(same(url=NEW, hops=MOVED)).update.url_in_use for _ in range(5)} == {OLD}
    life.sees(same())
    assert life.job.observed.strange is None


def test_p40_the_same_feed_id_is_evidence() -> None:
    life = Life()
    feed = Feed(format="rss 2.0", id="https://old.example/")
    answer = same(url=NEW, hops=MOVED, same_body=False)
    assert [life.sees(answer, feed).update.url_in_use for _ in range(3)] == [OLD, OLD, NEW]


@pytest.mark.parametrize(
    ("statuses", "target"),
    [
        pytest.param([301], OTHER, id="one"),
        pytest.param([308, 301], OTHER, id="all"),
        pytest.param([301, 302], NEW, id="the-leading-run"),
        pytest.param([302, 301], None, id="none-leads"),
        pytest.param([], None, id="no-redirect"),
    ],
)
def test_p41_only_the_leading_permanent_hops_count(statuses: list[int], target: Url | None) -> None:
    hops = [Hop(url=url, status=status) for url, status in zip((OLD, NEW), statuses, strict=False)]
    assert permanent_target(hops, OTHER if hops else OLD) == target


def test_p48_an_adopted_address_that_is_lost_three_times_gives_way_to_the_configured_one() -> None:
    life = Life(url=NEW, host_key="new.example")
    urls = [life.sees(failed(404, "not_found")).update.url_in_use for _ in range(3)]
    assert urls == [NEW, NEW, OLD]
    assert life.job.host_key == "old.example"


def test_p48_a_success_in_between_starts_the_count_again() -> None:
    life = Life(url=NEW)
    answers: list[Answer] = [failed(404), failed(404), same(url=NEW), failed(404), failed(404)]
    assert {life.sees(answer).update.url_in_use for answer in answers} == {NEW}


def test_p88_a_clock_that_is_off_is_noted_and_forgotten_when_it_is_right() -> None:
    life = Life()
    assert life.sees(same(skew=timedelta(minutes=11))).update.observed.skew_seconds == 660
    assert life.sees(same()).update.observed.skew_seconds == 660
    assert life.sees(same(skew=-timedelta(minutes=2))).update.observed.skew_seconds == 0


def test_i13_a_body_that_always_breaks_off_in_one_place_is_the_publishers_normal_state() -> None:
    life = Life(body_digest=Digest("whole"))
    cut = Feed(format="rss 2.0", cut=True)
    broken = same(same_body=False, etag='"cut"', body_digest=Digest("cut"))
    first = life.sees(broken, cut).update
    assert (first.validators, first.body_digest) == (due().validators, "whole")
    again = life.sees(broken, cut).update
    assert again.validators is not None
    assert (again.validators.etag, again.body_digest) == ('"cut"', "cut")


def test_p22_p23_a_delta_replaces_the_validators_and_not_the_body() -> None:
    life = Life(body_digest=Digest("whole"))
    answer = same(is_delta=True, same_body=False, status=226, etag='"y"', last_modified=None)
    move = life.sees(answer, Feed(format="rss 2.0")).update
    assert move.validators == Validators(url=OLD, etag='"y"')
    assert move.body_digest == "whole"
    assert move.outcome is Outcome.FETCHED


def test_s44_each_address_that_was_met_is_kept_once_and_the_configured_one_is_known_anyhow() -> None:
    one, two = Url("https://a.example/1"), Url("https://a.example/2")
    found = with_addresses(NOTHING_OBSERVED, OLD, [one, OLD, one])
    assert found.addresses == (one,)
    assert with_addresses(found, OLD, [two, one]).addresses == (one, two)
    assert with_addresses(found, OLD, [one, OLD]) is found
