"""`schedule`: turns by the wall clock (R26)."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.cadence.schedule import Schedule
from aggregator.config.schedules import schedule
from tests.sample_site import SampleSite

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kolkata", "UTC")
NEW_YEAR = datetime(2026, 1, 1)  # noqa: DTZ001 - Hypothesis wants it naive, and adds the zone
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def turns(text: str, zone: str, start: str, count: int) -> list[str]:
    """Return the next turns after an instant, as day and UTC time to the minute."""
    when, found = datetime.fromisoformat(start).replace(tzinfo=UTC), []
    for _ in range(count):
        when = Schedule(schedule(text), zone).next_after(when)
        found.append(f"{when:%d %H:%M}")
    return found


@pytest.mark.parametrize(
    ("text", "zone", "start", "expected"),
    [
        pytest.param("30 2 * * *", "Europe/Berlin", "2026-03-28", "28 01:30, 29 01:00, 30 00:30", id="berlin-skipped"),
        pytest.param("0 3 * * *", "Europe/Berlin", "2026-03-28", "28 02:00, 29 01:00, 30 01:00", id="berlin-after"),
        pytest.param("*/30 2-3 * * *", "Europe/Berlin", "2026-03-29", "29 01:00, 29 01:30, 30 00:00", id="berlin-join"),
        pytest.param("30 2 * * *", "Europe/Berlin", "2026-10-24T01", "25 00:30, 26 01:30", id="berlin-doubled"),
        pytest.param("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:10", "25 00:30, 25 02:00", id="berlin-hour-once"),
        pytest.param("30 2 * * *", "Europe/Berlin", "2026-10-25T01:10", "26 01:30", id="berlin-from-within"),
        pytest.param("15 2 * * *", "America/New_York", "2026-03-07", "07 07:15, 08 07:00, 09 06:15", id="york-skipped"),
        pytest.param("15 1 * * *", "America/New_York", "2026-10-31T12", "01 05:15, 02 06:15", id="york-doubled"),
        pytest.param("15 2 * * *", "Australia/Lord_Howe", "2026-10-03", "03 15:30, 04 15:15", id="howe-half-hour"),
        pytest.param("45 2 * * *", "Australia/Lord_Howe", "2026-10-03", "03 15:45, 04 15:45", id="howe-not-skipped"),
        pytest.param("45 1 * * *", "Australia/Lord_Howe", "2026-04-04", "04 14:45, 05 15:15", id="howe-doubled"),
        pytest.param("0 12 30 12 *", "Pacific/Apia", "2011-12-01", "30 10:00, 29 22:00", id="a-day-that-never-was"),
        pytest.param("0 6 * * mon", "UTC", "2026-03-04", "09 06:00, 16 06:00", id="monday"),
        pytest.param("0 6 13 * fri", "UTC", "2026-03-04", "06 06:00, 13 06:00, 20 06:00", id="either-day-as-in-cron"),
        pytest.param("0 0 29 2 *", "UTC", "2096-03-01", "29 00:00", id="eight-years"),
        pytest.param("0 0 1 jan-jun/2 *", "UTC", "2026-01-02", "01 00:00, 01 00:00, 01 00:00", id="months-by-step"),
    ],
)
def test_r26_turns_over_the_changes_of_the_clock(text: str, zone: str, start: str, expected: str) -> None:
    assert turns(text, zone, start, expected.count(",") + 1) == expected.split(", ")


def test_months_by_step_are_every_second_one() -> None:
    read = Schedule(schedule("0 0 1 jan-jun/2 *"), "UTC")
    first = read.next_after(datetime(2026, 1, 2, tzinfo=UTC))
    assert (first.month, read.next_after(first).month) == (3, 5)


def numbers(low: int, high: int) -> st.SearchStrategy[str]:
    """Return a strategy of cron fields: a star, a list, a range or steps."""
    number = st.integers(low, high)
    return st.one_of(
        st.just("*"),
        st.sets(number, min_size=1, max_size=4).map(lambda chosen: ",".join(map(str, sorted(chosen)))),
        st.tuples(number, number).map(lambda pair: f"{min(pair)}-{max(pair)}"),
        st.integers(1, high - low).map(lambda step: f"*/{step}"),
    )


TIMES = st.tuples(numbers(0, 59), numbers(0, 23)).map(" ".join)
DAYS = st.tuples(numbers(1, 28), numbers(1, 12), numbers(0, 6)).map(" ".join)
ANYTIME = st.datetimes(NEW_YEAR, NEW_YEAR + 730 * DAY, timezones=st.just(UTC))


def hours_around(change: str) -> st.SearchStrategy[datetime]:
    """Return a strategy of instants in the three hours before and after a change of the clock."""
    return st.integers(-180, 180).map(lambda minutes: datetime.fromisoformat(change) + timedelta(minutes=minutes))


# A schedule, its zone, and an instant: anywhere, and on the days on which the clock changes.
CASES = st.one_of(
    st.tuples(st.tuples(TIMES, DAYS).map(" ".join), st.sampled_from(ZONES), ANYTIME),
    *(
        st.tuples(TIMES.map("{} * * *".format), st.just(zone), hours_around(change))
        for zone, change in (
            ("Europe/Berlin", "2026-03-29T01:00Z"),
            ("Europe/Berlin", "2026-10-25T01:00Z"),
            ("America/New_York", "2026-03-08T07:00Z"),
            ("America/New_York", "2026-11-01T06:00Z"),
            ("Australia/Lord_Howe", "2026-10-03T15:30Z"),
            ("Australia/Lord_Howe", "2026-04-04T15:00Z"),
        )
    ),
).map(lambda case: (Schedule(schedule(case[0]), case[1]), case[2]))


def allows(text: str, local: datetime) -> bool:
    """Return whether five cron fields match a local time: a second implementation, for comparison."""
    minute, hour, day, month, weekday = text.split()
    names = "mon tue wed thu fri sat sun".split()
    on_day = _has(day, local.day, 1)
    on_weekday = weekday == "*" or names[local.weekday()] in weekday.split(",")
    if "*" not in (day, weekday):
        on_day = on_weekday = on_day or on_weekday
    whole = (local.second, local.microsecond) == (0, 0)
    return (
        whole
        and _has(minute, local.minute)
        and _has(hour, local.hour)
        and on_day
        and on_weekday
        and _has(month, local.month, 1)
    )


def _has(field: str, number: int, low: int = 0) -> bool:
    for item in field.split(","):
        first, _, step = item.partition("/")
        start, _, end = first.partition("-")
        if first == "*":
            start, end = str(low), "99"
        if int(start) <= number <= int(end or start) and (number - int(start)) % int(step or 1) == 0:
            return True
    return False


def _follows_a_gap(instant: datetime, zone: ZoneInfo) -> bool:
    before = (instant - timedelta.resolution).astimezone(zone)
    return instant.astimezone(zone).replace(tzinfo=None) - before.replace(tzinfo=None) > timedelta(seconds=1)


@given(CASES)
def test_r26_a_turn_is_later_and_its_local_time_is_named(case: tuple[Schedule, datetime]) -> None:
    read, when = case
    turn = read.next_after(when)
    zone = ZoneInfo(read.zone)
    assert turn > when
    assert turn.tzinfo is UTC
    local = turn.astimezone(zone)
    assert _follows_a_gap(turn, zone) or (allows(read.text, local.replace(tzinfo=None)) and local.fold == 0)


@given(CASES)
def test_r26_no_local_time_has_two_turns(case: tuple[Schedule, datetime]) -> None:
    read, when = case
    seen: list[datetime] = []
    for _ in range(70):
        when = read.next_after(when)
        seen.append(when.astimezone(ZoneInfo(read.zone)).replace(tzinfo=None))
    assert len(set(seen)) == len(seen)


@given(CASES)
def test_r26_no_turn_is_left_out(case: tuple[Schedule, datetime]) -> None:
    """Every minute between an instant and the next turn is one that the fields don't name, or had its turn before."""
    read, when = case
    turn = min(read.next_after(when), when + 6 * HOUR)
    zone = ZoneInfo(read.zone)
    minute = when.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while minute < turn:
        local = minute.astimezone(zone)
        assert local.fold == 1 or not allows(read.text, local.replace(tzinfo=None))
        minute += timedelta(minutes=1)


def test_a_schedule_knows_the_zone_of_the_site(sample_site: SampleSite) -> None:
    sample_site.writes("site: {timezone: Asia/Kolkata}\nsources: [{url: 'http://127.0.0.1/', schedule: '0 6 * * *'}]\n")
    with sample_site.opened() as app:
        (source,) = app.in_force.settings.sources
    assert (source.schedule, source.schedule_zone) == ("0 6 * * *", "Asia/Kolkata")


def test_apscheduler_waits_for_the_first_schedule() -> None:
    code = "import sys, aggregator.cadence.schedule; sys.exit('apscheduler' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
