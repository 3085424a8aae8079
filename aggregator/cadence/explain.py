"""Explanation of a due time in words: the wish that decided, and the weaker wish that it replaced (P67)."""

from collections.abc import Mapping
from typing import Any

from aggregator.text.durations import rounded_span

_BASES = {  # where the interval comes from, before lower bounds and overrides
    "every": "every {} (set in feeds.yaml)",
    "schedule": "the schedule in feeds.yaml",
    "rhythm": "every {} (the feed's usual pace)",
    "start": "every {} (first polls)",
}
_BOUNDS = {
    "silence": "every {} (no news for a while)",
    "unconditional": "every {} (no ETag or Last-Modified)",
    "ttl": "every {} (ttl of the feed)",
    "syndication": "every {} (update period of the feed)",
    "freshness": "every {} (max-age {seconds} from the server)",
    "crowding": "every {} (many sources on one host)",
}
_OVERRIDES = {
    "backoff": "wait {} ({failures})",
    "rate_limited": "wait {} (the host asked to slow down)",
    "gone": "wait {} (the feed is gone)",
    "retry_after": "wait {} (Retry-After from the server)",
    "exhausted": "wait {} (request quota of the server used up)",
    "skip": "wait (skipHours or skipDays of the feed)",
}


def explain(inputs: Mapping[str, Any]) -> str:
    """Return the reason for a due time, as a sentence without a period.

    Args:
        inputs: `Turn.inputs`, also as read back from the store.

    Returns:
        Such as "every 60 min (max-age 3600 from the server) instead of every 22 min (the feed's usual pace)".
    """
    because = str(inputs.get("because", ""))
    asked: Mapping[str, float] = inputs.get("asked", {})
    base = next((name for name in _BASES if name in asked), "")
    reason = _sentence(because, asked, inputs)
    if because in _BASES or not base:
        return reason
    weaker = base
    bound = max((name for name in _BOUNDS if name in asked), key=lambda name: asked[name], default=None)
    if because in _OVERRIDES and bound is not None and asked[bound] > asked[base]:
        weaker = bound
    return f"{reason} instead of {_sentence(weaker, asked, inputs)}"


def _sentence(name: str, asked: Mapping[str, float], inputs: Mapping[str, Any]) -> str:
    words = _BASES.get(name) or _BOUNDS.get(name) or _OVERRIDES.get(name) or name
    count = int(inputs.get("failures", 0))
    failures = "1 failure" if count == 1 else f"{count} failures in a row"
    wish = asked.get(name, 0.0)
    return words.format(rounded_span(wish), seconds=round(wish), failures=failures)
