"""`schedule`: five cron fields."""

import contextlib
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.config.findings import Unfit
from aggregator.config.schedules import schedule, shortest_gap


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        pytest.param("*/20 9-15 * * mon-fri", "*/20 9-15 * * mon,tue,wed,thu,fri", id="names"),
        pytest.param("0 6 * * 0", "0 6 * * sun", id="zero-is-sunday"),
        pytest.param("0 6 * * 7", "0 6 * * sun", id="seven-is-sunday"),
        pytest.param("0 6 * * 1-5", "0 6 * * mon,tue,wed,thu,fri", id="digits"),
        pytest.param("0 6 * * 5-7", "0 6 * * fri,sat,sun", id="to-sunday"),
        pytest.param("0 6 * * 0-2", "0 6 * * mon,tue,sun", id="from-sunday"),
        pytest.param("0 6 * * fri-mon", "0 6 * * mon,fri,sat,sun", id="over-the-weekend"),
        pytest.param("0 6 * * */2", "0 6 * * tue,thu,sat,sun", id="every-second"),
        pytest.param("0 6 * * 0-7", "0 6 * * *", id="all"),
        pytest.param("0 0 1 JAN,jul *", "0 0 1 jan,jul *", id="months-lower-case"),
        pytest.param("0 0 1 jan-jun/2 *", "0 0 1 jan,mar,may *", id="months-with-a-step"),
        pytest.param("  5   4  *  *  * ", "5 4 * * *", id="blanks"),
        pytest.param("10-50/10 * * * *", "10-50/10 * * * *", id="range-with-a-step"),
        pytest.param("5/20 * * * *", "5/20 * * * *", id="start-with-a-step"),
    ],
)
def test_schedule(text: str, fields: str) -> None:
    assert schedule(text) == fields
    assert schedule(fields) == fields


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("* * * *", "is not five fields; write minute, hour, day, month and weekday, such as", id="four"),
        pytest.param("@daily", "is not five fields", id="nickname"),
        pytest.param("60 * * * *", '"60" is not a valid minute; write 0 to 59', id="minute"),
        pytest.param("* 24 * * *", '"24" is not a valid hour; write 0 to 23', id="hour"),
        pytest.param("* * 0 * *", '"0" is not a valid day of the month; write 1 to 31', id="day"),
        pytest.param("* * * 13 *", '"13" is not a valid month; write 1 to 12 or jan to dec', id="month"),
        pytest.param("* * * * 8", '"8" is not a valid day of the week; write 0 to 7 or sun to sat', id="weekday"),
        pytest.param(
            "* * * * monday", '"monday" is not a valid day of the week; write *, a number, a range or */n', id="word"
        ),
        pytest.param("50-10 * * * *", '"50-10" runs backwards; write 10-50', id="backwards"),
        pytest.param("*/0 * * * *", '"*/0" has a step of 0; write a step of 1 or more', id="no-step"),
        pytest.param("*/75 * * * *", '"*/75" has a step beyond its range, so that it means 0 alone', id="long-step"),
        pytest.param("0 0 31 2 *", "names a day that its months do not have; write another day or month", id="never"),
        pytest.param("1,,2 * * * *", '"" is not a valid minute; write', id="empty-item"),
    ],
)
def test_what_is_no_schedule(text: str, why: str) -> None:
    with pytest.raises(Unfit) as caught:
        schedule(text)
    assert str(caught.value).startswith(why)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        pytest.param("* * * * *", 1, id="each-minute"),
        pytest.param("*/20 9-15 * * *", 20, id="thrice-an-hour"),
        pytest.param("0,5 3 * * *", 5, id="twice-a-day"),
        pytest.param("59 23 * * *", 1440, id="once-a-day"),
        pytest.param("0 0,12 * * *", 720, id="twelve-hours"),
        pytest.param("1,58 0,23 * * *", 3, id="over-midnight"),
    ],
)
def test_shortest_gap(text: str, minutes: int) -> None:
    assert shortest_gap(text) == timedelta(minutes=minutes)


@given(st.text(alphabet="0123456789*/-, monsut", max_size=20))
def test_any_text_is_a_schedule_or_unfit(text: str) -> None:
    with contextlib.suppress(Unfit):
        read = schedule(text)
        assert schedule(read) == read
        assert timedelta(0) < shortest_gap(read) <= timedelta(days=1)
