"""A due time explained in words: a sentence for each input (P67)."""

from typing import Any

import pytest

from aggregator.cadence import explain


@pytest.mark.parametrize(
    ("because", "said"),
    [
        ("every", "every 60 min as feeds.yaml says"),
        ("schedule", "the schedule in feeds.yaml"),
        ("rhythm", "the rhythm of 60 min"),
        ("start", "60 min to begin with"),
    ],
)
def test_an_interval_alone(because: str, said: str) -> None:
    assert explain({"because": because, "asked": {because: 3600}}) == said


@pytest.mark.parametrize(
    ("because", "said"),
    [
        ("silence", "silent for a while, so every 2 h beats the rhythm of 60 min"),
        ("unconditional", "without ETag or Last-Modified, every 2 h beats the rhythm of 60 min"),
        ("ttl", "ttl 2 h of the feed beats the rhythm of 60 min"),
        ("syndication", "update period 2 h of the feed beats the rhythm of 60 min"),
        ("freshness", "max-age 7200 from the server beats the rhythm of 60 min"),
        ("crowding", "2 h for the many sources of its host beats the rhythm of 60 min"),
        ("backoff", "2 h after 2 failures in a row, instead of the rhythm of 60 min"),
        ("rate_limited", "2 h since the host asked us to slow down, instead of the rhythm of 60 min"),
        ("gone", "2 h since the feed is gone, instead of the rhythm of 60 min"),
        ("retry_after", "Retry-After 2 h from the server, instead of the rhythm of 60 min"),
        ("exhausted", "the server's count for us begins anew in 2 h, instead of the rhythm of 60 min"),
        ("skip", "the feed asks to be spared until then, instead of the rhythm of 60 min"),
    ],
)
def test_what_is_stronger_than_the_rhythm(because: str, said: str) -> None:
    assert explain({"because": because, "asked": {"rhythm": 3600, because: 7200}, "failures": 2}) == said


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({}, ""),
        ({"because": "backoff", "asked": {"backoff": 60}, "failures": 1}, "60 s after a failure"),
        ({"because": "backoff", "asked": {"backoff": 60}}, "60 s after 0 failures in a row"),
        ({"because": "of another version", "asked": {}}, "of another version"),
        (
            {"because": "gone", "asked": {"start": 3600, "ttl": 7200, "freshness": 10800, "gone": 86400}},
            "24 h since the feed is gone, instead of max-age 10800 from the server",
        ),
        (
            {"because": "gone", "asked": {"start": 3600, "ttl": 3600, "gone": 86400}},
            "24 h since the feed is gone, instead of 60 min to begin with",
        ),
    ],
)
def test_special_cases(inputs: dict[str, Any], said: str) -> None:
    assert explain(inputs) == said
