"""What other settings would change, as `preview --dedupe --json`: it gains fields, and never loses or renames one."""

from typing import Any

from aggregator.clean import display_title, plain_text
from aggregator.clock import rfc3339
from aggregator.decide.rejudge import Pair, Rejudged
from aggregator.model.known import KnownEntry
from aggregator.model.settings import Source


def rejudged_record(source: Source, tried: Source, looked_at: int, found: Rejudged) -> dict[str, Any]:
    """Give it in plain values.

    Args:
        source: as feeds.yaml has it.
        tried: the same with the settings that are tried.
        looked_at: how many of its entries were.
        found: what would be otherwise.
    """
    return {
        "version": 1,
        "source": source.key,
        "now": _settings(source),
        "tried": _settings(tried),
        "looked_at": looked_at,
        "merge": [_pair(pair) for pair in found.merge],
        "part": [_pair(pair) for pair in found.part],
    }


def _settings(source: Source) -> dict[str, Any]:
    return {"dedupe": source.dedupe.value, "near": source.near, "window_s": round(source.window.total_seconds())}


def _pair(pair: Pair) -> dict[str, Any]:
    return {
        "entry": _entry(pair.one),
        "other": _entry(pair.other),
        "evidence": pair.match.evidence.value,
        "similarity": pair.match.similarity,
        "because": pair.match.because or None,
    }


def _entry(known: KnownEntry) -> dict[str, Any]:
    text = plain_text(known.content or known.summary)
    return {
        "id": known.id,
        "story": known.story,
        "source": known.source_key,
        "title": display_title(known.title, text, "en"),
        "link": known.link,
        "published": rfc3339(known.published),
        "first_seen": rfc3339(known.first_seen),
    }
