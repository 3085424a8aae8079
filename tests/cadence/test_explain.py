"""A due time explained in words: a sentence for each input (P67)."""

from typing import Any

import pytest

from aggregator.cadence import explain


@pytest.mark.parametrize(
    ("because", "said"),
    [
        ("every", "every 60 min (set in feeds.yaml)"),
        ("schedule", "the schedule in feeds.yaml"),
        ("rhythm", "every 60 min (the feed's usual pace)"),
        ("start", "every 60 min (first polls)"),
    ],
)
def test_an_interval_alone(because: str, said: str) -> None:
    assert explain({"because": because, "asked": {because: 3600}}) == said


@pytest.mark.parametrize(
    ("because", "said"),
    [
        ("silence", "every 2 h (no news for a while) instead of every 60 min (the feed's usual pace)"),
        ("unconditional", "every 2 h (no ETag or Last-Modified) instead of every 60 min (the feed's usual pace)"),
        ("ttl", "every 2 h (ttl of the feed) instead of every 60 min (the feed's usual pace)"),
        ("syndication", "every 2 h (update period of the feed) instead of every 60 min (the feed's usual pace)"),
        ("freshness", "every 2 h (max-age 7200 from the server) instead of every 60 min (the feed's usual pace)"),
        ("crowding", "every 2 h (many sources on one host) instead of every 60 min (the feed's usual pace)"),
        ("backoff", "wait 2 h (2 failures in a row) instead of every 60 min (the feed's usual pace)"),
        ("rate_limited", "wait 2 h (the host asked to slow down) instead of every 60 min (the feed's usual pace)"),
        ("gone", "wait 2 h (the feed is gone) instead of every 60 min (the feed's usual pace)"),
        ("retry_after", "wait 2 h (Retry-After from the server) instead of every 60 min (the feed's usual pace)"),
        ("exhausted", "wait 2 h (request quota of the server used up) instead of every 60 min (the feed's usual pace)"),
        ("skip", "wait (skipHours or skipDays of the feed) instead of every 60 min (the feed's usual pace)"),
    ],
)
def test_what_is_stronger_than_the_rhythm(because: str, said: str) -> None:
    assert explain({"because": because, "asked": {"rhythm": 3600, because: 7200}, "failures": 2}) == said


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({}, ""),
        ({"because": "backoff", "asked": {"backoff": 60}, "failures": 1}, "wait 60 s (1 failure)"),
        ({"because": "backoff", "asked": {"backoff": 60}}, "wait 60 s (0 failures in a row)"),
        ({"because": "of another version", "asked": {}}, "of another version"),
        (
            {"because": "gone", "asked": {"start": 3600, "ttl": 7200, "freshness": 10800, "gone": 86400}},
            "wait 24 h (the feed is gone) instead of every 3 h (max-age 10800 from the server)",
        ),
        (
            {"because": "gone", "asked": {"start": 3600, "ttl": 3600, "gone": 86400}},
            "wait 24 h (the feed is gone) instead of every 60 min (first polls)",
        ),
    ],
)
def test_special_cases(inputs: dict[str, Any], said: str) -> None:
    assert explain(inputs) == said
