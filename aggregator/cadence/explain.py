"""Explanation of a due time in words: what decided, and what it was stronger than (P67)."""

from collections.abc import Mapping
from typing import Any

from aggregator.text.durations import rounded_span

_BASES = {  # where the interval comes from, before lower bounds and overrides
    "every": "every {} as feeds.yaml says",
    "schedule": "the schedule in feeds.yaml",
    "rhythm": "the rhythm of {}",
    "start": "{} to begin with",
}
_BOUNDS = {
    "silence": "silent for a while, so every {}",
    "unconditional": "without ETag or Last-Modified, every {}",
    "ttl": "ttl {} of the feed",
    "syndication": "update period {} of the feed",
    "freshness": "max-age {seconds} from the server",
    "crowding": "{} for the many sources of its host",
}
_OVERRIDES = {
    "backoff": "{} after {failures}",
    "rate_limited": "{} since the host asked us to slow down",
    "gone": "{} since the feed is gone",
    "retry_after": "Retry-After {} from the server",
    "exhausted": "the server's count for us begins anew in {}",
    "skip": "the feed asks to be spared until then",
}


def explain(inputs: Mapping[str, Any]) -> str:
    """Return the reason for a due time, as a sentence without a period.

    Args:
        inputs: `Turn.inputs`, also as read back from the store.

    Returns:
        Such as "max-age 3600 from the server beats the rhythm of 22 min".
    """
    because = str(inputs.get("because", ""))
    asked: Mapping[str, float] = inputs.get("asked", {})
    base = next((name for name in _BASES if name in asked), "")
    reason = _said(because, asked, inputs)
    if because in _BASES or not base:
        return reason
    losers = _said(base, asked, inputs)
    if because in _BOUNDS:
        return f"{reason} beats {losers}"
    bound = max((name for name in _BOUNDS if name in asked), key=lambda name: asked[name], default=None)
    if bound is not None and asked[bound] > asked[base]:
        losers = _said(bound, asked, inputs)
    return f"{reason}, instead of {losers}"


def _said(name: str, asked: Mapping[str, float], inputs: Mapping[str, Any]) -> str:
    words = _BASES.get(name) or _BOUNDS.get(name) or _OVERRIDES.get(name) or name
    count = int(inputs.get("failures", 0))
    failures = f"{count} failures in a row" if count != 1 else "a failure"
    wish = asked.get(name, 0.0)
    return words.format(rounded_span(wish), seconds=round(wish), failures=failures)
