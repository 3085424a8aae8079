"""Durations: units, limits and messages."""

import contextlib
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.config.durations import duration_of
from aggregator.config.findings import Unfit
from aggregator.text.durations import duration_text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("250ms", 0.25, id="milliseconds"),
        pytest.param("0.3s", 0.3, id="decimals"),
        pytest.param("15m", 900, id="minutes"),
        pytest.param("1.5h", 5400, id="half-an-hour"),
        pytest.param("1d", 86400, id="day"),
        pytest.param("2w", 1209600, id="weeks"),
        pytest.param("0s", 0, id="none"),
    ],
)
def test_duration_of(text: str, seconds: float) -> None:
    assert duration_of(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "5", "m", "5 m", "5M", "-5m", "5 minuts", "5m3s", "1e3s", ".5s", "5.s", "٣m", "9" * 10 + "s"]
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(Unfit, match="is not a duration; write 5m, 2h or 1d"):
        duration_of(text)


@given(st.integers(min_value=0, max_value=10**9))
def test_duration_text_is_read_back(milliseconds: int) -> None:
    duration = timedelta(milliseconds=milliseconds)
    assert duration_of(duration_text(duration)) == duration


@given(st.text(max_size=12))
def test_any_text_is_a_duration_or_unfit(text: str) -> None:
    with contextlib.suppress(Unfit):
        assert duration_of(text) >= timedelta(0)
