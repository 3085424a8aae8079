"""Order of new publications (M1)."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from aggregator.decide.order import believed, newest_first, own_dates, sort_times
from aggregator.model.entry import Entry

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TICK = timedelta(microseconds=1)


def dated(*dates: datetime | None) -> list[Entry]:
    return [Entry(published=date) for date in dates]


def test_m1_an_undated_entry_takes_the_date_above_it() -> None:
    dates = own_dates(dated(None, NOON - HOUR, None, NOON - DAY), fallback=NOON, asked_at=NOON)
    assert dates == [NOON, NOON - HOUR, NOON - HOUR, NOON - DAY]


def test_i42_a_future_date_counts_as_first_seen() -> None:
    assert believed(NOON + 2 * DAY, NOON) == NOON
    assert believed(NOON + HOUR, NOON) == NOON + HOUR
    assert own_dates(dated(NOON + 9 * DAY), fallback=NOON, asked_at=NOON) == [NOON]


def test_m1_a_feed_without_dates_keeps_its_document_order() -> None:
    dates = own_dates(dated(None, None, None), fallback=NOON, asked_at=NOON)
    assert newest_first(dates) == [0, 1, 2]
    assert sort_times(dates, backfill=False, asked_at=NOON) == [NOON, NOON - TICK, NOON - 2 * TICK]


def test_a25_a_backdated_entry_enters_at_the_time_of_the_poll() -> None:
    assert sort_times([NOON - 900 * DAY], backfill=False, asked_at=NOON) == [NOON]


def test_m1_a_backfill_takes_its_own_dates() -> None:
    assert sort_times([NOON - HOUR, NOON - DAY], backfill=True, asked_at=NOON) == [NOON - HOUR, NOON - DAY]


@given(st.lists(st.timedeltas(timedelta(days=-9999), HOUR).map(lambda ago: NOON + ago)), st.booleans())
def test_m1_times_fall_strictly_and_never_lie_after_the_poll(dates: list[datetime], backfill: bool) -> None:
    ordered = sorted(dates, reverse=True)
    times = sort_times(ordered, backfill=backfill, asked_at=NOON)
    assert times == sorted(set(times), reverse=True)
    assert all(time <= NOON for time in times)
