"""Fields that every format shows."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from aggregator.render.fields import fault_of, whole_utc
from tests.render.records import NOON, a_publication


@pytest.mark.parametrize(("year", "is_usable"), [(1, False), (2, True), (9998, True), (9999, False)])
def test_dates_that_can_be_shown_in_any_zone(year: int, is_usable: bool) -> None:
    when = datetime(year, 6, 1, tzinfo=UTC)
    fault = fault_of(a_publication(published=when))
    if is_usable:
        assert fault is None
        assert whole_utc(when) == when
    else:
        assert fault is not None
        assert "lies where zones can't be changed" in fault
        with pytest.raises(ValueError, match="has no zone, or lies where zones can't be changed"):
            whole_utc(when)


def test_a_date_is_shown_in_utc_and_whole_seconds() -> None:
    assert whole_utc(NOON) == NOON
    shifted = (NOON + timedelta(microseconds=7)).astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert (whole_utc(shifted), whole_utc(shifted).tzinfo) == (NOON, UTC)
    with pytest.raises(ValueError, match="no zone"):
        whole_utc(NOON.replace(tzinfo=None))
