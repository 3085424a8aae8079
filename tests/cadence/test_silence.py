"""When a source is silent: learned from its days with news (R46)."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from aggregator.cadence import later_arrivals
from aggregator.cadence.silence import missed_days, silence_of
from benchmarks.silence import YEAR, false_alarms

EPOCH = date(1970, 1, 1)
MONDAY = (date(2026, 5, 4) - EPOCH).days
WORKING_DAYS = [MONDAY + week * 7 + day for week in range(20) for day in range(5)]
DAY = timedelta(days=1)


def at(day: int, hour: int = 12) -> datetime:
    return datetime.combine(EPOCH + timedelta(days=day), time(hour), UTC)


def silent_on(news: list[int]) -> int:
    """Return the first day on which a source is silent, counted from its last day with news."""
    arrivals = later_arrivals((), map(at, news))
    return next(days for days in range(1, 400) if silence_of(arrivals, lambda: news, at(news[-1] + days, 13)))


def test_a_newspaper_is_silent_after_seven_working_days() -> None:
    assert silent_on(WORKING_DAYS) == 12, "Friday; then seven working days, of which the last is over on Wednesday"
    everyday = [MONDAY + day for day in range(100)]
    assert silent_on(everyday) == 8


def test_the_end_of_the_year_is_nobodys_working_day() -> None:
    christmas = (date(2026, 12, 23) - EPOCH).days
    news = [day for day in range(christmas - 140, christmas + 1) if (day - MONDAY) % 7 < 5]
    assert not missed_days(news, (date(2027, 1, 9) - EPOCH).days), "Saturday: six working days"
    assert missed_days(news, (date(2027, 1, 13) - EPOCH).days) == 7


def test_a_pause_that_it_made_before_teaches_patience() -> None:
    pause = range(MONDAY + 70, MONDAY + 84)  # two weeks, ten working days
    news = [day for day in WORKING_DAYS if day not in pause]
    assert silent_on(news) == 32, "21 working days: more than twice ten"


def test_nothing_is_learned_in_the_first_weeks_or_from_an_irregular_source() -> None:
    assert silent_on(WORKING_DAYS[:30]) == 90
    irregular = [MONDAY + day for day in (0, 1, 5, 17, 20, 33, 34, 50, 51, 70, 78, 80, 81, 90, 91, 100)]
    assert silent_on(irregular) == 90
    assert silent_on(irregular[:10]) == 180, "a rhythm of ten entries is hardly known"


def test_three_of_its_longest_pauses_are_not_silence() -> None:
    news = [MONDAY + day for day in (*range(0, 40, 2), 100, 102, 104)]
    assert silent_on(news) == 186, "it paused for 62 days, and that is nothing new"


@pytest.mark.parametrize(
    ("days_with_news", "missed"),
    [(55, 0), (56, 7), (57, 7)],
)
def test_eight_weeks_of_news_are_learned_from(days_with_news: int, missed: int) -> None:
    news = [MONDAY + day for day in range(days_with_news)]
    assert missed_days(news, news[-1] + 8) == missed


@pytest.mark.parametrize(
    ("with_news", "least"),
    [(100, 7), (90, 7), (89, 28), (60, 28), (59, None)],  # of a hundred days on which it might have some
)
def test_how_regular_a_source_was_decides_after_how_many_days_it_is_silent(with_news: int, least: int | None) -> None:
    inner = with_news - 1  # days with news after the first, the last of a hundred among them, spread evenly
    news = [MONDAY, *(MONDAY + day for day in range(1, 100) if day * inner // 99 > (day - 1) * inner // 99)]
    assert len(news) == with_news
    silent = [day for day in range(1, 60) if missed_days(news, news[-1] + 1 + day)]
    assert silent[:1] == ([] if least is None else [least])


@pytest.mark.parametrize(("gap", "told"), [(1, ""), (2, "; there used to be one every 2 d")])
def test_an_irregular_source_is_told_with_its_rhythm(gap: int, told: str) -> None:
    arrivals = [at(MONDAY + gap * day) for day in range(20)]
    news = [MONDAY]  # as after a loss of what is known of its days
    last = arrivals[-1]
    assert silence_of(arrivals, lambda: news, last + 90 * DAY) == f"no new entry since {last:%Y-%m-%d}{told}"
    assert silence_of(arrivals, lambda: news, last + 90 * DAY - timedelta(seconds=1)) is None
    assert silence_of(arrivals[-14:], lambda: news, last + 180 * DAY - timedelta(seconds=1)) is None, "few entries"
    assert silence_of(arrivals[-14:], lambda: news, last + 180 * DAY) is not None


def test_the_median_gap_is_waited_for_six_times() -> None:
    arrivals = [at(MONDAY + 30 * month) for month in range(20)]
    assert silence_of(arrivals, list, arrivals[-1] + 180 * DAY - timedelta(seconds=1)) is None
    assert silence_of(arrivals, list, arrivals[-1] + 180 * DAY) is not None


@pytest.mark.parametrize(("after", "days"), [(1, 1), (30, 30), (300, 300)])
def test_silent_after_replaces_what_is_learned(after: int, days: int) -> None:
    arrivals = later_arrivals((), map(at, WORKING_DAYS))
    last = arrivals[-1]

    def found(quiet: timedelta) -> str | None:
        return silence_of(arrivals, lambda: WORKING_DAYS, last + quiet, after * DAY)

    assert not found(days * DAY - timedelta(seconds=1))
    assert found(days * DAY) == "no new entry since 2026-09-18, and silent_after is over"


@pytest.mark.slow
def test_500_sources_that_go_on_raise_at_most_one_false_alarm_a_week() -> None:
    found = false_alarms(0)
    assert found.total() <= YEAR / 7
    assert found["newspaper"] + found["agency"] + found["weekly"] + found["diligent"] <= 2
