"""Hints about the pace of polls in documents (P57 to P59, I18)."""

from datetime import timedelta

import pytest

from aggregator.model.entry import NO_HINTS, Hints
from tests.answers import parsed, rss

SY = 'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"'


def hints(channel: str) -> Hints:
    return parsed(rss("", channel=channel, namespaces=SY)).hints


@pytest.mark.parametrize(
    ("ttl", "wait"),
    [
        ("60", timedelta(hours=1)),
        (" 60 ", timedelta(hours=1)),
        ("99999", timedelta(days=1)),
        ("9" * 400, timedelta(days=1)),
        ("0", None),
        ("-5", None),
        ("1.5", None),
        ("hourly", None),
        ("²", None),
    ],
)
def test_p57_ttl(ttl: str, wait: timedelta | None) -> None:
    assert hints(f"<ttl>{ttl}</ttl>").ttl == wait


@pytest.mark.parametrize(
    ("period", "frequency", "wait"),
    [
        ("hourly", "2", timedelta(minutes=30)),
        ("Daily", None, timedelta(days=1)),
        (None, "4", timedelta(hours=6)),
        ("weekly", "1", timedelta(days=1)),
        ("fortnightly", "1", None),
        ("daily", "0", None),
        ("daily", "often", None),
    ],
)
def test_p58_syndication(period: str | None, frequency: str | None, wait: timedelta | None) -> None:
    said = f"<sy:updatePeriod>{period}</sy:updatePeriod>" if period else ""
    said += f"<sy:updateFrequency>{frequency}</sy:updateFrequency>" if frequency else ""
    assert hints(said).syndication == wait


def test_i18_every_hour_is_read() -> None:
    hours = "".join(f"<hour>{hour}</hour>" for hour in ("0", "5", "24", "25", "-1", "x", "", "23"))
    assert hints(f"<skipHours>{hours}</skipHours>").skip_hours == {0, 5, 23}


def test_p59_at_most_24_hours_and_7_days_are_read() -> None:
    hours = "<hour>1</hour>" * 24 + "<hour>2</hour>"
    days = "<day>Monday</day>" * 7 + "<day>Sunday</day>"
    found = hints(f"<skipHours>{hours}</skipHours><skipDays>{days}</skipDays>")
    assert (found.skip_hours, found.skip_days) == (frozenset({1}), frozenset({0}))


def test_a_feed_that_says_nothing_has_no_wishes() -> None:
    assert hints("") == NO_HINTS
