"""Pause and spacing of a host key after its responses (P30, P31, P37, P61)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.cadence.hosts import HostBackoff, Trouble, after_answer, expired, rests_of
from aggregator.model.entry import Hints
from aggregator.model.hosts import SLOWEST, SPACING, slowed
from aggregator.model.settings import SourceKey

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Host:
    """The backoff of one host key, while it answers and time passes."""

    def __init__(self, spacing: timedelta = SPACING) -> None:
        self.now, self._spacing = NOON, spacing
        self.owed: HostBackoff | None = None

    def says(
        self, source: str, status: int | None, *, retry: timedelta | None = None, exhausted: timedelta | None = None
    ) -> "Host":
        """Take an answer of the host to a source."""
        hints = Hints(retry_after=retry, exhausted=exhausted)
        self.owed = after_answer(self.owed, source, status, hints, self.now, spacing=self._spacing)
        return self

    def waits(self, span: timedelta) -> "Host":
        """Advance the clock."""
        self.now += span
        return self

    @property
    def pause(self) -> timedelta:
        """The remaining pause of the host; zero if there is none."""
        owed = expired(self.owed, self.now)
        return owed.opens_at - self.now if owed and owed.opens_at else timedelta(0)

    @property
    def doublings(self) -> int:
        owed = expired(self.owed, self.now)
        return owed.doublings if owed else 0


@pytest.mark.parametrize(
    ("host", "pause"),
    [
        pytest.param(Host().says("a", 429), 10 * MINUTE, id="429"),
        pytest.param(Host().says("a", 429, retry=MINUTE), 10 * MINUTE, id="429-asks-for-less"),
        pytest.param(Host().says("a", 429, retry=6 * HOUR), 10 * MINUTE, id="429-asks-for-more-of-one-source"),
        pytest.param(Host().says("a", 429).says("b", 429, retry=6 * HOUR), 6 * HOUR, id="429-of-a-second-source"),
        pytest.param(Host().says("a", 429, retry=6 * HOUR).says("b", 429), 6 * HOUR, id="the-first-asked"),
        pytest.param(Host().says("a", 429, retry=6 * HOUR).says("b", 503), 6 * HOUR, id="503-of-a-second-source"),
        pytest.param(Host().says("a", 429).says("a", 429, retry=6 * HOUR), 10 * MINUTE, id="the-same-source-again"),
        pytest.param(Host().says("a", 403).says("b", 429, retry=6 * HOUR), 10 * MINUTE, id="403-is-another-matter"),
        pytest.param(
            Host().says("a", 429).waits(10 * MINUTE).says("b", 429, retry=6 * HOUR), 10 * MINUTE, id="long-ago"
        ),
        pytest.param(Host().says("a", 429).says("b", 429, retry=9 * DAY), DAY, id="never-over-a-day"),
        pytest.param(Host().says("a", 429, retry=9 * DAY).says("b", 429), DAY, id="nor-what-the-first-asked"),
        pytest.param(Host().says("a", 429, retry=HOUR, exhausted=2 * HOUR), 2 * HOUR, id="429-and-p37"),
        pytest.param(Host().says("a", 429, retry=2 * HOUR, exhausted=HOUR), 2 * HOUR, id="429-and-p37-retry-longer"),
        pytest.param(Host().says("a", 429, exhausted=MINUTE), 10 * MINUTE, id="429-and-p37-soon"),
        pytest.param(Host().says("a", 429).says("b", 200), 10 * MINUTE, id="a-good-answer-ends-no-pause"),
    ],
)
def test_p30_how_long_all_of_a_host_rests_after_a_429(host: Host, pause: timedelta) -> None:
    assert host.pause == pause


@pytest.mark.parametrize(
    ("host", "pause"),
    [
        pytest.param(Host().says("a", 503), timedelta(0), id="503"),
        pytest.param(Host().says("a", 503, retry=HOUR), timedelta(0), id="503-of-one-source"),
        pytest.param(Host().says("a", 503, retry=HOUR).says("b", 503, retry=2 * HOUR), 2 * HOUR, id="two-sources"),
        pytest.param(Host().says("a", 503, retry=2 * HOUR).says("b", 503, retry=HOUR), 2 * HOUR, id="the-longer"),
        pytest.param(Host().says("a", 503).says("b", 503), timedelta(0), id="no-wish"),
        pytest.param(Host().says("a", 503, retry=HOUR).says("a", 503, retry=HOUR), timedelta(0), id="one-source-twice"),
        pytest.param(
            Host().says("a", 503, retry=HOUR).waits(11 * MINUTE).says("b", 503, retry=HOUR),
            timedelta(0),
            id="long-ago",
        ),
        pytest.param(Host().says("a", 500, retry=HOUR).says("b", 500, retry=HOUR), timedelta(0), id="another-status"),
    ],
)
def test_p31_a_503_is_the_hosts_if_two_sources_get_it(host: Host, pause: timedelta) -> None:
    assert host.pause == pause


@pytest.mark.parametrize("status", [200, 304, 404, 503, None])
def test_p37_a_count_that_is_used_up_rests_the_host_whatever_the_status(status: int | None) -> None:
    assert Host().says("a", status, exhausted=5 * MINUTE).pause == 5 * MINUTE
    assert Host().says("a", status, exhausted=5 * DAY).pause == DAY
    assert Host().says("a", status, exhausted=5 * MINUTE).doublings == 0


@pytest.mark.parametrize(
    ("host", "doublings"),
    [
        pytest.param(Host().says("a", 429), 1, id="429-once"),
        pytest.param(Host().says("a", 403), 0, id="403-once"),
        pytest.param(Host().says("a", 403).says("a", 403), 0, id="403-to-one-source"),
        pytest.param(Host().says("a", 403).says("b", 403), 1, id="403-to-two"),
        pytest.param(Host().says("a", 403).says("b", 503), 1, id="403-and-503"),
        pytest.param(Host().says("a", 503).says("b", 503), 1, id="503-to-two"),
        pytest.param(Host().says("a", 403).waits(10 * MINUTE).says("b", 403), 0, id="403-long-after"),
        pytest.param(Host().says("a", 404).says("b", 404), 0, id="404"),
        pytest.param(Host().says("a", 429).says("b", 429), 1, id="asked-before-the-pause-began"),
        pytest.param(Host().says("a", 429).waits(10 * MINUTE).says("b", 429), 2, id="429-after-the-pause"),
        pytest.param(Host(timedelta(0)).says("a", 429), 0, id="nothing-to-double"),
        pytest.param(Host(timedelta(minutes=1)).says("a", 429), 0, id="slow-enough"),
    ],
)
def test_p61_when_the_spacing_is_doubled(host: Host, doublings: int) -> None:
    assert host.doublings == doublings


def test_p61_doubled_to_a_minute_and_taken_back_day_by_day() -> None:
    host = Host()
    seconds = []
    for _ in range(7):
        seconds.append(slowed(SPACING, host.says("a", 429).doublings).total_seconds())
        host.waits(HOUR)
    assert seconds == [4, 8, 16, 32, 60, 60, 60]
    host.waits(-HOUR)
    for _ in range(5):
        host.waits(DAY - MINUTE)
        before = slowed(SPACING, host.doublings)
        host.waits(MINUTE).says("b", 200)
        assert slowed(SPACING, host.doublings) in (before / 2, timedelta(seconds=32))
    assert host.owed is None


def test_p61_a_day_counts_from_the_last_trouble() -> None:
    host = Host().says("a", 429).waits(20 * HOUR).says("a", 429)
    assert host.waits(23 * HOUR).doublings == 2
    assert host.waits(HOUR).doublings == 1


def test_a_host_without_trouble_is_owed_nothing() -> None:
    assert Host().says("a", 200).says("b", 404).says("c", None).owed is None


def test_an_ordinary_answer_changes_nothing_that_would_have_to_be_stored() -> None:
    host = Host().says("a", 429)
    before = host.owed
    host.waits(MINUTE).says("b", 304)
    assert host.owed == before


def test_r21_times_beyond_reason_are_brought_back() -> None:
    owed = HostBackoff(doublings=1, troubled_at=NOON + 400 * DAY, opens_at=NOON + 400 * DAY)
    assert expired(owed, NOON) == HostBackoff(doublings=1, troubled_at=NOON, opens_at=NOON + DAY)


ANSWERS = st.tuples(
    st.sampled_from("abc"),
    st.sampled_from((200, 403, 429, 503, None)),
    st.none() | st.timedeltas(timedelta(seconds=1), 30 * DAY),
    st.none() | st.timedeltas(timedelta(seconds=1), 30 * DAY),
    st.timedeltas(timedelta(0), 2 * DAY),
)


@given(st.lists(ANSWERS, max_size=30), st.timedeltas(timedelta(seconds=1), 2 * MINUTE))
def test_whatever_is_answered_a_host_is_asked_again(
    answers: list[tuple[str, int | None, timedelta | None, timedelta | None, timedelta]], spacing: timedelta
) -> None:
    host = Host(spacing)
    for source, status, retry, exhausted, later in answers:
        before = host.pause
        host.says(source, status, retry=retry, exhausted=exhausted)
        assert before <= host.pause <= DAY
        assert host.owed == expired(host.owed, host.now)
        assert slowed(spacing, host.doublings) <= max(spacing, SLOWEST)
        assert len(host.owed.troubles if host.owed else ()) <= 3
        host.waits(later)
    assert expired(host.owed, host.now + 8 * DAY) is None


def test_p30_who_made_a_host_rest_is_known_as_long_as_it_does_and_counts_for_ten_minutes() -> None:
    host = Host().says("a", 429).says("b", 429, retry=6 * HOUR).waits(HOUR)
    owed = expired(host.owed, host.now)
    assert owed is not None
    (rest,) = rests_of({"x.example": owed}, host.now).values()
    assert (rest.host, rest.source, rest.status, rest.until) == ("x.example", "b", 429, NOON + 6 * HOUR)
    before = host.doublings
    assert host.says("c", 503).doublings == before, "of its own an hour later"
    assert rests_of({"x.example": owed}, host.now + 6 * HOUR) == {}


def test_a_host_rests_until_its_pause_is_over_and_names_the_last_source_that_was_not_forbidden() -> None:
    troubles = (Trouble("a", 429, NOON), Trouble("b", 403, NOON))
    backoff = HostBackoff(doublings=1, troubled_at=NOON, opens_at=NOON + HOUR, troubles=troubles)
    (rest,) = rests_of({"x.example": backoff}, NOON).values()
    assert (rest.source, rest.status, rest.until) == (SourceKey("a"), 429, NOON + HOUR)
    assert rests_of({"x.example": backoff}, NOON + HOUR) == {}
    assert rests_of({"x.example": HostBackoff(doublings=1, troubled_at=NOON)}, NOON) == {}
    (quiet,) = rests_of({"x.example": HostBackoff(troubled_at=NOON, opens_at=NOON + HOUR)}, NOON).values()
    assert (quiet.source, quiet.status) == (None, None)


def test_a_backoff_without_pause_expires_and_so_does_a_pause_that_is_over() -> None:
    assert expired(None, NOON) is None
    assert expired(HostBackoff(troubled_at=NOON), NOON) is None
    assert expired(HostBackoff(troubled_at=NOON, opens_at=NOON), NOON) is None
    pause = HostBackoff(troubled_at=NOON, opens_at=NOON + MINUTE)
    assert expired(pause, NOON) == pause
    old = HostBackoff(troubled_at=NOON, troubles=(Trouble("a", 403, NOON),))
    assert expired(old, NOON + 10 * MINUTE - timedelta(seconds=1)) == old
    assert expired(old, NOON + 10 * MINUTE) is None


def test_what_is_remembered_of_a_source_that_was_refused() -> None:
    host = Host().says("a", 503, retry=2 * DAY)
    assert host.owed == HostBackoff(troubled_at=NOON, troubles=(Trouble("a", 503, NOON, NOON + DAY),))
    assert Host().says("a", 503).owed == HostBackoff(troubled_at=NOON, troubles=(Trouble("a", 503, NOON),))
    spent = Host().says("a", 200, exhausted=HOUR)
    assert spent.owed == HostBackoff(troubled_at=NOON, opens_at=NOON + HOUR, troubles=(Trouble("a", 200, NOON),))
    many = Host()
    for number in range(10):
        many.says(f"s{number}", 403)
    assert many.owed is not None
    assert [trouble.source for trouble in many.owed.troubles] == [f"s{number}" for number in range(2, 10)]


def test_a_pause_is_never_shortened() -> None:
    assert Host().says("a", 200, exhausted=5 * HOUR).says("b", 429).pause == 5 * HOUR
    assert Host().says("a", 429).says("b", 200, exhausted=5 * HOUR).pause == 5 * HOUR
    assert Host().says("a", None, exhausted=HOUR).owed == HostBackoff(troubled_at=NOON, opens_at=NOON + HOUR)
