"""When a source is due next: a table for each rule."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.cadence import (
    Course,
    Pace,
    Turn,
    crash_floor,
    explain,
    later_arrivals,
    may_ask_again,
    next_turn,
    outside_skipped,
)
from aggregator.cadence.schedule import Schedule
from aggregator.cadence.turn import ARRIVALS, backoff, honoured_freshness, jitter, median_gap, silence
from aggregator.model.entry import NO_HINTS, Hints

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)  # a Wednesday
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def every(gap: timedelta, *, last: timedelta = timedelta(0), count: int = 10) -> tuple[datetime, ...]:
    """Return arrivals at equal distances, the last one `last` before noon."""
    return tuple(NOON - last - gap * place for place in reversed(range(count)))


def turn(hints: Hints = NO_HINTS, *, pace: Pace | None = None, **course: Any) -> Turn:
    """Return the next turn after a poll at noon: the second poll, without failures, unless `course` differs."""
    facts: dict[str, Any] = {"asked_at": NOON, "polls": 2, "hints": hints} | course
    return next_turn("example", pace or Pace(), Course(**facts))


@pytest.mark.parametrize(
    ("minutes", "failures", "hours"),
    [
        pytest.param(15, 1, 1, id="at-least-an-hour"),
        pytest.param(60, 3, 4, id="doubles"),
        pytest.param(60, 99, 24, id="capped-never-given-up"),
    ],
)
def test_p50_backoff(minutes: int, failures: int, hours: int) -> None:
    assert backoff(timedelta(minutes=minutes), failures, cap=DAY) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("arrivals", "earns", "because", "interval"),
    [
        pytest.param((), False, "start", HOUR, id="p51-auto-begins-with-an-hour"),
        pytest.param(every(DAY, count=2), True, "start", HOUR, id="p62-two-entries-are-no-rhythm"),
        pytest.param(every(10 * HOUR), False, "rhythm", 5 * HOUR, id="p62-half-the-median-gap"),
        pytest.param(every(HOUR), False, "rhythm", HOUR, id="p51-under-an-hour-only-where-304s-are-proven"),
        pytest.param(every(HOUR), True, "rhythm", 30 * MINUTE, id="p51-proven"),
        pytest.param(every(MINUTE), True, "rhythm", 15 * MINUTE, id="p51-never-under-a-quarter-of-an-hour"),
        pytest.param(every(10 * DAY, count=3), True, "rhythm", DAY, id="p51-never-over-a-day"),
        pytest.param(every(2 * HOUR, last=8 * DAY), True, "silence", 6 * HOUR, id="p62-silent-for-a-week"),
        pytest.param(every(2 * HOUR, last=15 * DAY), True, "silence", 12 * HOUR, id="p62-silent-for-two"),
        pytest.param(every(2 * HOUR, last=31 * DAY), True, "silence", DAY, id="p62-silent-for-a-month"),
    ],
)
def test_p62_auto_follows_the_rhythm(
    arrivals: tuple[datetime, ...], earns: bool, because: str, interval: timedelta
) -> None:
    found = turn(arrivals=arrivals, earns=earns)
    assert (found.because, found.interval) == (because, interval)


def test_p62_a_fixed_interval_knows_no_rhythm() -> None:
    found = turn(pace=Pace(every=20 * MINUTE), arrivals=every(DAY, last=60 * DAY), has_validators=False)
    assert (found.because, found.interval) == ("every", 20 * MINUTE)


def test_p51_the_operators_bounds_hold_for_the_rhythm() -> None:
    assert turn(pace=Pace(max_interval=2 * HOUR), arrivals=every(DAY)).interval == 2 * HOUR
    assert turn(pace=Pace(max_interval=2 * HOUR), arrivals=every(DAY, last=40 * DAY)).interval == 2 * HOUR
    assert turn(pace=Pace(min_interval=3 * HOUR), arrivals=every(MINUTE), earns=True).interval == 3 * HOUR


@pytest.mark.parametrize(
    ("body_bytes", "interval"),
    [
        pytest.param(1000, HOUR, id="hourly"),
        pytest.param(2**21, 6 * HOUR, id="large"),
    ],
)
def test_p70_without_validators_auto_is_rare(body_bytes: int, interval: timedelta) -> None:
    found = turn(arrivals=every(40 * MINUTE), earns=True, has_validators=False, body_bytes=body_bytes)
    assert (found.because, found.interval) == ("unconditional", interval)


def test_p72_a_crowd_on_one_host_bounds_the_interval() -> None:
    found = turn(pace=Pace(every=30 * MINUTE, crowding=2 * HOUR))
    assert (found.because, found.interval) == ("crowding", 2 * HOUR)


@pytest.mark.parametrize(
    ("hints", "because", "interval"),
    [
        pytest.param(Hints(ttl=90 * MINUTE), "ttl", 90 * MINUTE, id="p57-ttl"),
        pytest.param(Hints(ttl=10 * MINUTE), "start", HOUR, id="p57-ttl-is-a-lower-bound"),
        pytest.param(Hints(ttl=9 * DAY), "ttl", DAY, id="p57-ttl-capped"),
        pytest.param(Hints(syndication=12 * HOUR), "syndication", 12 * HOUR, id="p58-syndication"),
        pytest.param(Hints(freshness=2 * HOUR), "freshness", 2 * HOUR, id="p53-max-age"),
        pytest.param(Hints(freshness=365 * DAY), "freshness", DAY, id="p55-a-year-is-not-believed"),
        pytest.param(Hints(freshness=2 * HOUR, ttl=3 * HOUR), "ttl", 3 * HOUR, id="d25-the-longest"),
    ],
)
def test_p67_hints_are_lower_bounds(hints: Hints, because: str, interval: timedelta) -> None:
    found = turn(hints)
    assert (found.because, found.interval) == (because, interval)
    assert NOON + interval <= found.due_at <= NOON + 1.1 * interval


@pytest.mark.parametrize(
    ("days", "gap_days", "honoured"),
    [
        pytest.param(1, None, 1, id="a-day-in-full"),
        pytest.param(4, None, 1, id="more-needs-a-history"),
        pytest.param(4, 2, 4, id="that-shows-no-loss"),
        pytest.param(4, 1, 1, id="or-else-a-day"),
        pytest.param(365, 30, 7, id="a-week-at-most"),
        pytest.param(365, 1, 1, id="a-year-of-a-daily-blog"),
    ],
)
def test_p55_long_freshness(days: int, gap_days: int | None, honoured: int) -> None:
    gap = timedelta(days=gap_days) if gap_days else None
    assert honoured_freshness(timedelta(days=days), gap) == timedelta(days=honoured)


def test_p52_jitter_never_comes_early() -> None:
    for polls in range(1, 200):
        assert turn(polls=polls).due_at >= NOON + HOUR


def test_p52_a_one_shot_run_may_be_a_tenth_early_but_not_before_a_hint() -> None:
    assert turn(pace=Pace(every=30 * MINUTE)).earliest_at == NOON + 27 * MINUTE
    assert turn(pace=Pace(every=5 * HOUR)).earliest_at == NOON + 5 * HOUR - 5 * MINUTE
    assert turn(Hints(freshness=2 * HOUR)).earliest_at == NOON + 2 * HOUR
    assert turn(Hints(retry_after=2 * HOUR)).earliest_at == NOON + 2 * HOUR
    assert turn(Hints(freshness=59 * MINUTE)).earliest_at == NOON + 59 * MINUTE


def test_p56_retry_after_binds_and_is_capped() -> None:
    assert turn(Hints(retry_after=3 * HOUR)).because == "retry_after"
    assert turn(Hints(retry_after=30 * DAY)).retry_until == NOON + DAY
    assert turn(Hints(retry_after=30 * DAY), retried=True).retry_until == NOON + 7 * DAY
    assert turn(Hints(retry_after=MINUTE)).because == "start"


def test_p37_a_count_that_is_used_up_binds_and_is_capped() -> None:
    assert turn(Hints(exhausted=3 * HOUR)).because == "exhausted"
    assert turn(Hints(exhausted=3 * DAY)).interval == DAY


def test_p30_a_429_doubles_the_interval_and_honours_its_hints() -> None:
    slow = Pace(every=3 * HOUR)
    assert turn(pace=slow, failures=1, is_slowed=True).interval == 6 * HOUR
    assert turn(Hints(retry_after=9 * HOUR), pace=slow, failures=1, is_slowed=True).retry_until == NOON + 9 * HOUR
    assert turn(Hints(freshness=8 * HOUR), pace=slow, failures=1, is_slowed=True).interval >= 8 * HOUR


def test_p29_a_410_is_left_alone_for_a_day_and_once_gone_for_a_month() -> None:
    assert turn(failures=1, is_gone=True).due_at >= NOON + DAY
    given_up = turn(failures=3, is_gone=True, is_given_up=True)
    assert (given_up.because, given_up.interval) == ("gone", 30 * DAY)


WORKDAYS = Pace(schedule=Schedule("*/20 9-15 * * mon,tue,wed,thu,fri", "UTC"))


@pytest.mark.parametrize(
    ("asked", "hints", "due"),
    [
        pytest.param(NOON, NO_HINTS, NOON + 20 * MINUTE, id="next-turn"),
        pytest.param(NOON + 4 * HOUR, NO_HINTS, NOON + 21 * HOUR, id="tomorrow"),
        pytest.param(NOON + 2 * DAY + 4 * HOUR, NO_HINTS, NOON + 4 * DAY + 21 * HOUR, id="after-the-weekend"),
        pytest.param(NOON, Hints(freshness=HOUR), NOON + HOUR, id="not-before-a-hint"),
        pytest.param(NOON, Hints(retry_after=61 * MINUTE), NOON + 80 * MINUTE, id="p56-then-the-next-turn"),
        pytest.param(NOON, Hints(skip_hours=frozenset({12, 13})), NOON + 2 * HOUR, id="p59-outside-skipped-hours"),
        pytest.param(NOON, Hints(skip_hours=frozenset(range(9, 16))), NOON + 20 * MINUTE, id="p59-no-turn-left"),
    ],
)
def test_schedule_turns_are_exact(asked: datetime, hints: Hints, due: datetime) -> None:
    found = turn(hints, pace=WORKDAYS, asked_at=asked)
    assert (found.due_at, found.earliest_at) == (due, due)


def test_p50_a_schedule_backs_off_to_a_later_turn() -> None:
    assert turn(pace=WORKDAYS, failures=1).due_at == NOON + HOUR
    assert turn(pace=WORKDAYS, failures=2).due_at == NOON + 2 * HOUR


@pytest.mark.parametrize(
    ("when", "hints", "moved"),
    [
        pytest.param(NOON, Hints(skip_hours=frozenset({12, 13})), NOON + 2 * HOUR, id="hours"),
        pytest.param(NOON + 7 * MINUTE, Hints(skip_hours=frozenset({12})), NOON + HOUR, id="to-the-full-hour"),
        pytest.param(NOON, Hints(skip_days=frozenset({2})), NOON + 12 * HOUR, id="wednesday"),
        pytest.param(NOON, Hints(skip_hours=frozenset(range(24))), NOON, id="nothing-left-is-ignored"),
        pytest.param(NOON, Hints(skip_days=frozenset(range(7))), NOON, id="no-day-left-is-ignored"),
        pytest.param(NOON, Hints(skip_hours=frozenset({3})), NOON, id="outside"),
    ],
)
def test_p59_skip(when: datetime, hints: Hints, moved: datetime) -> None:
    assert outside_skipped(when, hints) == moved


@given(st.text(max_size=20), st.integers(1, 10**6))
def test_p63_phase_and_jitter_are_the_same_for_ever(key: str, polls: int) -> None:
    assert jitter(key, HOUR, polls) == jitter(key, HOUR, polls)
    assert timedelta(0) <= jitter(key, HOUR, polls) < (HOUR if polls == 1 else HOUR / 10)


def test_r13_a_crash_loop_comes_less_and_less_often() -> None:
    assert [crash_floor(n) for n in (0, 1, 3)] == [5 * MINUTE, 10 * MINUTE, 40 * MINUTE]
    assert crash_floor(99) == DAY


@pytest.mark.parametrize(
    ("attempted", "retry", "may"),
    [
        pytest.param(None, None, True, id="never-asked"),
        pytest.param(NOON - 6 * MINUTE, None, True, id="a-while-ago"),
        pytest.param(NOON - 4 * MINUTE, None, False, id="just-asked"),
        pytest.param(NOON - DAY, NOON + MINUTE, False, id="retry-after-runs"),
        pytest.param(NOON - DAY, NOON, True, id="retry-after-is-over"),
    ],
)
def test_p69_who_may_be_asked_again(attempted: datetime | None, retry: datetime | None, may: bool) -> None:
    assert may_ask_again(NOON, attempted, retry) is may


hints = st.builds(
    Hints,
    retry_after=st.none() | st.timedeltas(timedelta(0), 400 * DAY),
    freshness=st.none() | st.timedeltas(timedelta(0), 400 * DAY),
    ttl=st.none() | st.timedeltas(timedelta(0), 400 * DAY),
    exhausted=st.none() | st.timedeltas(timedelta(0), 400 * DAY),
    skip_hours=st.frozensets(st.integers(0, 23)),
    skip_days=st.frozensets(st.integers(0, 6)),
)
paces = st.builds(
    Pace,
    every=st.none() | st.timedeltas(timedelta(seconds=1), 30 * DAY),
    schedule=st.none() | st.just(WORKDAYS.schedule),
    crowding=st.timedeltas(timedelta(0), DAY),
)
courses = st.builds(
    Course,
    asked_at=st.timedeltas(timedelta(0), 7000 * DAY).map(lambda age: NOON + age),
    polls=st.integers(1, 10**6),
    hints=hints,
    arrivals=st.lists(st.timedeltas(timedelta(0), 400 * DAY), max_size=ARRIVALS).map(
        lambda ago: tuple(sorted(NOON - each for each in ago))
    ),
    earns=st.booleans(),
    has_validators=st.booleans(),
    failures=st.integers(0, 100),
    is_slowed=st.booleans(),
    retried=st.booleans(),
)


@given(st.text(max_size=20), paces, courses)
def test_p52_p53_p56_p59_no_turn_is_early(key: str, pace: Pace, course: Course) -> None:
    found = next_turn(key, pace, course)
    wishes = course.hints
    bound = max(min(wishes.ttl or timedelta(0), DAY), min(wishes.freshness or timedelta(0), DAY))
    bound = max(bound, min(wishes.retry_after or timedelta(0), DAY), min(wishes.exhausted or timedelta(0), DAY))
    assert course.asked_at + bound <= found.earliest_at <= found.due_at
    assert found.due_at >= course.asked_at + found.interval
    if pace.schedule is None:
        assert outside_skipped(found.due_at, wishes) == found.due_at
    assert found.because in found.asked
    assert explain(found.inputs())


@pytest.mark.parametrize(
    ("found", "said"),
    [
        pytest.param(
            turn(Hints(freshness=HOUR), arrivals=every(44 * MINUTE), earns=True),
            "every 60 min (max-age 3600 from the server) instead of every 22 min (the feed's usual pace)",
            id="the-issue's-example",
        ),
        pytest.param(turn(pace=Pace(every=HOUR)), "every 60 min (set in feeds.yaml)", id="every"),
        pytest.param(turn(), "every 60 min (first polls)", id="start"),
        pytest.param(
            turn(pace=Pace(every=HOUR), failures=3),
            "wait 4 h (3 failures in a row) instead of every 60 min (set in feeds.yaml)",
            id="backoff",
        ),
        pytest.param(
            turn(Hints(retry_after=5 * HOUR, ttl=2 * HOUR), failures=1),
            "wait 5 h (Retry-After from the server) instead of every 2 h (ttl of the feed)",
            id="retry-after",
        ),
    ],
)
def test_p67_a_decision_explains_itself(found: Turn, said: str) -> None:
    assert explain(found.inputs()) == said


def test_p62_entries_that_come_together_are_one_arrival() -> None:
    arrivals = later_arrivals((), [NOON, NOON, NOON + HOUR])
    assert arrivals == (NOON, NOON + HOUR)
    assert median_gap(later_arrivals(arrivals, [NOON + 5 * HOUR])) == 2.5 * HOUR


@given(st.lists(st.datetimes(timezones=st.just(UTC)), max_size=80), st.lists(st.datetimes(timezones=st.just(UTC))))
def test_p62_only_the_last_thirty_count(before: list[datetime], new: list[datetime]) -> None:
    found = later_arrivals(before, new)
    assert len(found) <= ARRIVALS
    assert list(found) == sorted(set(found))
    assert later_arrivals(found, []) == found


@pytest.mark.parametrize(
    ("quiet", "wait"),
    [
        (7 * DAY - timedelta(seconds=1), timedelta(0)),
        (7 * DAY, 6 * HOUR),
        (14 * DAY - timedelta(seconds=1), 6 * HOUR),
        (14 * DAY, 12 * HOUR),
        (30 * DAY - timedelta(seconds=1), 12 * HOUR),
        (30 * DAY, DAY),
    ],
)
def test_p62_silence_in_steps(quiet: timedelta, wait: timedelta) -> None:
    assert silence([NOON - 400 * DAY, NOON - quiet], NOON) == wait
    assert silence([], NOON) == timedelta(0)


def test_p62_three_entries_make_a_rhythm() -> None:
    assert median_gap([NOON, NOON + HOUR]) is None
    assert median_gap([NOON, NOON + HOUR, NOON + 4 * HOUR]) == 2 * HOUR
    assert later_arrivals([], [NOON + timedelta(microseconds=7)]) == (NOON,)
    assert later_arrivals(every(HOUR, count=30), [NOON + HOUR])[0] == NOON - 28 * HOUR


def test_p59_the_last_hour_of_a_week_is_found() -> None:
    hints = Hints(skip_hours=frozenset(range(23)), skip_days=frozenset({0, 1, 2, 3, 4, 5}))
    assert outside_skipped(NOON, hints) == NOON.replace(hour=23) + 4 * DAY  # Sunday
    only = Hints(skip_hours=frozenset(range(1, 24)), skip_days=frozenset(range(7)) - {2})
    assert outside_skipped(NOON, only) == NOON.replace(hour=0) + 7 * DAY


def test_p50_backoff_in_numbers() -> None:
    assert [backoff(HOUR, failures, cap=100 * DAY) for failures in (1, 2, 12, 13, 99)] == [
        HOUR,
        2 * HOUR,
        2048 * HOUR,
        2048 * HOUR,
        2048 * HOUR,
    ]
    assert backoff(2 * HOUR, 1, cap=MINUTE) == HOUR
    assert backoff(2 * HOUR, 1, cap=90 * MINUTE) == 90 * MINUTE


def test_r13_the_claim_in_numbers() -> None:
    assert crash_floor(8) == 1280 * MINUTE
    assert crash_floor(9) == DAY


def test_p63_phase_and_jitter_in_numbers() -> None:
    """Pinned: every installation would be polled at other times, if the hash or the shares changed."""
    assert jitter("example", HOUR, 1) == timedelta(seconds=1136, microseconds=884305)
    assert jitter("example", HOUR, 2) == timedelta(seconds=119, microseconds=809125)
    assert jitter("example", HOUR, 0) == jitter("example", HOUR, 1)
    assert jitter("example", timedelta(0), 1) == timedelta(0)
    assert max(jitter(f"s{number}", timedelta(seconds=3), 1) for number in range(99)) == timedelta(seconds=1)


def test_p63_a_source_gets_its_phase_with_its_first_success() -> None:
    due = NOON + HOUR
    assert turn(polls=1).due_at == due + jitter("example", HOUR, 1)
    assert turn(polls=2).due_at == due + jitter("example", HOUR, 2)
    assert turn(polls=1, failures=1).due_at == due + jitter("example", HOUR, 2)


@pytest.mark.parametrize(
    ("gap", "earns", "interval"),
    [
        (2 * HOUR, True, HOUR),
        (2 * HOUR - timedelta(seconds=2), True, HOUR - timedelta(seconds=1)),
        (2 * HOUR - timedelta(seconds=2), False, HOUR),
    ],
)
def test_p51_a_gap_under_two_hours_may_be_polled_more_often_than_hourly(
    gap: timedelta, earns: bool, interval: timedelta
) -> None:
    assert turn(arrivals=every(gap), earns=earns).interval == interval


def test_p51_a_gap_of_two_hours_is_polled_hourly_at_most_however_often_halved() -> None:
    assert turn(arrivals=every(2 * HOUR), earns=True, hurry=3).interval == HOUR
    assert turn(arrivals=every(2 * HOUR - timedelta(seconds=8)), earns=True, hurry=1).interval == HOUR / 2 - timedelta(
        seconds=2
    )


def test_r45_each_halving_of_the_interval_counts() -> None:
    found = [turn(arrivals=every(20 * HOUR), hurry=hurry).interval for hurry in range(4)]
    assert found == [10 * HOUR, 5 * HOUR, 2.5 * HOUR, 1.25 * HOUR]


@pytest.mark.parametrize(("body_bytes", "interval"), [(1024 * 1024, HOUR), (1024 * 1024 + 1, 6 * HOUR)])
def test_p70_a_large_body_is_over_a_mebibyte(body_bytes: int, interval: timedelta) -> None:
    assert turn(has_validators=False, body_bytes=body_bytes).asked["unconditional"] == interval


def test_p30_a_slowed_source_waits_twice_what_was_asked_without_the_freshness_of_that_answer() -> None:
    found = turn(Hints(ttl=2 * HOUR, freshness=8 * HOUR), failures=1, is_slowed=True)
    assert (found.because, found.asked["rate_limited"]) == ("freshness", 4 * HOUR)
    assert turn(Hints(ttl=2 * HOUR), failures=1, is_slowed=True).because == "rate_limited"


def test_what_a_turn_tells_of_itself() -> None:
    found = turn(Hints(retry_after=2 * HOUR), failures=1)
    assert found.failures == 1
    assert found.inputs() == {
        "because": "retry_after",
        "asked": {"start": 3600.0, "backoff": 3600.0, "retry_after": 7200.0},
        "failures": 1,
    }
    assert turn().inputs() == {"because": "start", "asked": {"start": 3600.0}}
    third = turn(pace=Pace(every=timedelta(seconds=1, microseconds=333_333)))
    assert third.inputs()["asked"] == {"every": 1.333}


def test_p59_an_hour_that_is_left_out_is_the_reason_and_binds_a_one_shot_run() -> None:
    found = turn(Hints(skip_hours=frozenset({13, 14})))
    assert (found.because, found.asked["skip"]) == ("skip", 3 * HOUR)
    assert found.earliest_at == NOON + 3 * HOUR
    assert found.due_at.hour == 15


def test_a_schedule_turn_that_is_left_out_is_the_reason() -> None:
    found = turn(Hints(skip_hours=frozenset({12, 13})), pace=WORKDAYS)
    assert (found.because, found.asked["skip"]) == ("skip", 2 * HOUR)
    assert turn(pace=WORKDAYS).because == "schedule"
    exact = Pace(schedule=Schedule("0 13 * * *", "UTC"))
    assert turn(Hints(ttl=HOUR), pace=exact).due_at == NOON + HOUR, "a turn at the very end of a bound counts"


@pytest.mark.parametrize(
    ("freshness", "gap", "honoured"),
    [
        (None, None, timedelta(0)),
        (DAY, None, DAY),
        (DAY + HOUR, None, DAY),
        (4 * DAY, DAY, DAY),
        (4 * DAY, DAY + HOUR, 4 * DAY),
        (8 * DAY, 3 * DAY, 7 * DAY),
    ],
)
def test_p55_freshness_in_steps(freshness: timedelta | None, gap: timedelta | None, honoured: timedelta) -> None:
    assert honoured_freshness(freshness, gap) == honoured


def test_p69_after_exactly_five_minutes() -> None:
    assert may_ask_again(NOON, NOON - 5 * MINUTE, None)
    assert not may_ask_again(NOON, NOON - 5 * MINUTE + timedelta(seconds=1), None)
