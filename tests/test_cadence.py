"""When a source is due next: a table for each rule."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.cadence import (
    Pace,
    Turn,
    backoff,
    crash_floor,
    jitter,
    may_ask_again,
    next_turn,
    outside_skipped,
)
from aggregator.model.entry import NO_HINTS, Hints

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)  # a Wednesday
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def turn(
    hints: Hints = NO_HINTS,
    *,
    every: timedelta | None = None,
    polls: int = 2,
    failures: int = 0,
    retried: bool = False,
    gone: bool = False,
    rate_limited: bool = False,
) -> Turn:
    return next_turn(
        key="example",
        asked_at=NOON,
        polls=polls,
        pace=Pace(every=every),
        hints=hints,
        failures=failures,
        retried=retried,
        gone=gone,
        rate_limited=rate_limited,
    )


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
    ("hints", "because", "interval"),
    [
        pytest.param(NO_HINTS, "interval", HOUR, id="p51-auto-is-an-hour"),
        pytest.param(Hints(ttl=90 * MINUTE), "ttl", 90 * MINUTE, id="p57-ttl"),
        pytest.param(Hints(ttl=10 * MINUTE), "interval", HOUR, id="p57-ttl-is-a-lower-bound"),
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


def test_p52_jitter_never_comes_early() -> None:
    for polls in range(1, 200):
        assert turn(polls=polls).due_at >= NOON + HOUR


def test_p52_a_one_shot_run_may_be_a_tenth_early_but_not_before_a_hint() -> None:
    assert turn(every=30 * MINUTE).earliest_at == NOON + 27 * MINUTE
    assert turn(every=5 * HOUR).earliest_at == NOON + 5 * HOUR - 5 * MINUTE
    assert turn(Hints(freshness=2 * HOUR)).earliest_at == NOON + 2 * HOUR
    assert turn(Hints(retry_after=2 * HOUR)).earliest_at == NOON + 2 * HOUR


def test_p56_retry_after_binds_and_is_capped() -> None:
    assert turn(Hints(retry_after=3 * HOUR)).because == "retry_after"
    assert turn(Hints(retry_after=30 * DAY)).retry_until == NOON + DAY
    assert turn(Hints(retry_after=30 * DAY), retried=True).retry_until == NOON + 7 * DAY
    assert turn(Hints(retry_after=MINUTE)).because == "interval"


def test_p30_a_429_doubles_the_interval_and_honours_retry_after() -> None:
    assert turn(every=3 * HOUR, failures=1, rate_limited=True).interval == 6 * HOUR
    assert turn(Hints(retry_after=9 * HOUR), failures=1, rate_limited=True).retry_until == NOON + 9 * HOUR


def test_p29_a_410_is_left_alone_for_a_day() -> None:
    assert turn(failures=1, gone=True).due_at >= NOON + DAY


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
