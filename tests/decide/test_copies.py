"""T2 to T4: which copy of a story is shown, and what its `updated` is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from aggregator.decide.copies import Copy, Merit, best_of, compare, copy_of, is_better, moved_updated
from aggregator.model.settings import Roster
from aggregator.urls import Url
from tests.decide.records import SOURCE, known_entry

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
LINK = Url("https://news.example.org/a")


def copy(
    *,
    priority: int = 0,
    link: Url | None = LINK,
    host: str = "elsewhere.net",
    credited: bool = False,
    length: int = 100,
) -> Copy:
    return Copy(priority=priority, link=link, source_host=host, credited=credited, length=length)


@pytest.mark.parametrize(
    ("challenger", "shown", "better"),
    [
        pytest.param(copy(), copy(), False, id="first-seen-wins"),
        pytest.param(copy(priority=1), copy(host="example.org", length=9999), True, id="priority-before-all"),
        pytest.param(copy(host="example.org"), copy(length=9999), True, id="original-before-length"),
        pytest.param(copy(length=9999), copy(host="example.org"), False, id="scraper-is-longer"),
        pytest.param(copy(), copy(credited=True), True, id="without-atom-source"),
        pytest.param(copy(length=150), copy(), True, id="half-more-text"),
        pytest.param(copy(length=149), copy(), False, id="not-quite-half-more"),
        pytest.param(copy(length=900, link=Url("https://mirror.net/a")), copy(), False, id="length-on-another-host"),
        pytest.param(copy(length=900, link=None), copy(), False, id="no-link"),
    ],
)
def test_t2_which_copy_is_shown(challenger: Copy, shown: Copy, better: bool) -> None:
    assert is_better(challenger, shown) is better


@pytest.mark.parametrize(
    ("own", "moved"),
    [
        pytest.param(None, NOON, id="undated-takes-the-poll"),
        pytest.param(NOON - HOUR, NOON - HOUR, id="the-sources-own"),
        pytest.param(NOON - 3 * HOUR, NOON, id="earlier-than-before"),
        pytest.param(NOON + HOUR, NOON, id="after-the-poll"),
    ],
)
def test_t4_updated_moves_to_the_sources_own_or_the_poll(own: datetime | None, moved: datetime) -> None:
    assert moved_updated(NOON - 2 * HOUR, own, NOON) == moved


@pytest.mark.parametrize(
    "own",
    [
        pytest.param(None, id="undated"),
        pytest.param(NOON - HOUR, id="dated-before"),
        pytest.param(NOON + HOUR, id="dated-the-same"),
        pytest.param(NOON + 2 * HOUR, id="dated-after-the-poll"),
    ],
)
@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(milliseconds=300), HOUR], ids=str)
def test_t4_updated_moves_also_when_the_old_value_is_not_before_the_poll(
    own: datetime | None, ahead: timedelta
) -> None:
    before = NOON + ahead
    assert moved_updated(before, own, NOON) == before.replace(microsecond=0) + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("challenger", "shown", "merit"),
    [
        (copy(priority=1), copy(), Merit.PRIORITY),
        (copy(), copy(priority=1), Merit.PRIORITY),
        (copy(host="example.org"), copy(), Merit.ORIGINAL),
        (copy(), copy(credited=True), Merit.FIRST_HAND),
        (copy(length=150), copy(), Merit.LONGER),
        (copy(), copy(), Merit.FIRST),
        (copy(length=1), copy(length=0), Merit.FIRST),
        (copy(length=2), copy(length=0), Merit.LONGER),
        (copy(length=900), copy(link=None), Merit.FIRST),
    ],
)
def test_t2_the_reason(challenger: Copy, shown: Copy, merit: Merit) -> None:
    assert compare(challenger, shown)[1] is merit


def test_the_fields_by_which_a_copy_is_chosen() -> None:
    one = known_entry(1, content="<p>four</p>", summary="no", link=LINK, credited=True)
    ranked = Roster({SOURCE.key: replace(SOURCE, priority=3)}, {})
    assert copy_of(one, ranked) == Copy(priority=3, link=LINK, source_host="news.example", credited=True, length=4)
    assert copy_of(known_entry(1, content="", summary="<p>ab</p>"), Roster({}, {})).length == 2
    assert copy_of(one, Roster({}, {})).priority == 0


def test_the_best_of_several_comes_first_or_beats_all_before_it() -> None:
    first, second, third = (
        known_entry(n, link=LINK, content="x" * length) for n, length in ((1, 10), (2, 12), (3, 15))
    )
    empty = Roster({}, {})
    assert best_of([first], empty) is first
    assert best_of([first, second, third], empty) is third
    assert best_of([second, third, first], empty) is second
    assert best_of([third, second, first], empty) is third
