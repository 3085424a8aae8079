"""The record of `preview --json`. Fields are added, never removed or renamed."""

from datetime import timedelta
from typing import Any

from aggregator.clean.titles import display_title
from aggregator.clock import rfc3339
from aggregator.identify.keys import key_form
from aggregator.model.changes import EntryChanges
from aggregator.model.entry import Entry, Hints
from aggregator.model.event import Code
from aggregator.model.job import UNSTORED
from aggregator.model.known import EntryState
from aggregator.model.poll import Fetched
from aggregator.model.preview import Preview

EXCERPT = 300  # characters of a text

STATES = {
    EntryState.PUBLISHED: "new",
    EntryState.REJECTED: "rejected",
    EntryState.KNOWN: "beyond_initial",
    EntryState.WAITING: "waiting",
}


def preview_record(preview: Preview) -> dict[str, Any]:
    """Return a preview as a record.

    `entries` are in the order of the document. `state` is `new`, `rejected` (by the rule in `rule`), `beyond_initial`
    (stored, not shown: the source is new and `initial` is reached, or each category is full), `revised` or `known`.
    `kept_out` names the categories that a rule or their limit keeps the entry out of, `joins` the story that a new
    entry would join.
    """
    poll, move = preview.poll, preview.changes.update
    feed, answer = poll.feed, poll.answer
    fates = _fates(preview)
    entries = [_entry(entry, preview, fates.get(entry.key, {})) for entry in feed.entries]
    count = [entry["state"] for entry in entries].count
    return {
        "version": 1,
        "source": {
            "key": poll.job.source.key,
            "url": poll.job.source.safe_url,
            "known": poll.job.source_id != UNSTORED,
        },
        "asked": rfc3339(answer.asked_at),
        "outcome": move.outcome.value,
        "status": None if poll.job.source.path is not None else move.status,
        "error": f"{move.code}: {move.error}" if move.code else None,
        "bytes": answer.wire_bytes or (answer.body_bytes if isinstance(answer, Fetched) else 0),
        "ms": round(answer.seconds * 1000),
        "next_due": rfc3339(move.due_at),
        "feed": {
            "title": feed.title,
            "link": feed.link,
            "format": feed.format,
            "encoding": feed.encoding,
            "language": feed.language,
            "updated": rfc3339(feed.updated),
            "notices": list(feed.notices),
            "left_out": list(feed.left_out),
            "cut": feed.cut,
            "hints": hints_record(feed.hints, answer.hints),
        },
        **{state: count(state) for state in ("new", "revised", "known", "rejected", "beyond_initial", "waiting")},
        "duplicates": preview.changes.entries.duplicates,
        "entries": entries,
    }


def _fates(preview: Preview) -> dict[str, dict[str, Any]]:
    """Return the fields that differ from those of a known entry, by entry key."""
    changes: EntryChanges = preview.changes.entries
    slugs = {category.id: key for key, category in preview.known.categories.items()}
    slugs |= {made.id: made.key for made in preview.changes.entries.categories}
    found: dict[str, dict[str, Any]] = {}
    numbers: dict[int, dict[str, Any]] = {}
    for new in changes.new:
        fate = {"state": STATES.get(new.state, new.state.value), "categories": [slugs[n] for n in new.categories]}
        found[new.entry.key] = numbers[new.id] = fate
    for revised in changes.revised:
        found[revised.entry.key] = {"state": "revised"}
    for event in changes.events:
        if event.entry not in numbers:
            continue
        if event.code is Code.REJECT_ENTRY:
            numbers[event.entry]["rule"] = event.facts.get("rule")
        elif event.code is Code.KEEP_OUT:
            kept = {"category": slugs.get(event.facts["category"]), "rule": event.facts.get("rule")}
            numbers[event.entry].setdefault("kept_out", []).append(kept)
        elif event.code is Code.JOIN_STORY:
            other = preview.known.others.get(event.facts.get("with_entry", 0))
            numbers[event.entry]["joins"] = {
                "story": event.story,
                "title": other.title if other else None,
                "source": other.source_key if other else None,
                "evidence": event.facts.get("evidence"),
            }
    return found


def _entry(entry: Entry, preview: Preview, fate: dict[str, Any]) -> dict[str, Any]:
    known = preview.known.entries.get(key_form(entry.key))
    return {
        "key": entry.key,
        "key_rule": entry.key_rule.value,
        "title": display_title(entry.title, entry.text, entry.language or "en"),
        "link": entry.link,
        "published": rfc3339(entry.published),
        "updated": rfc3339(entry.updated),
        "written": preview.written.get(entry.position),
        "authors": [person.name for person in entry.authors if person.name],
        "tags": [tag.label or tag.term for tag in entry.tags],
        "files": [enclosure.url for enclosure in entry.enclosures],
        "language": entry.language,
        "text": entry.text[:EXCERPT],
        "state": "known",
        "categories": [],
        "rule": None,
        "kept_out": [],
        "joins": None,
        "first_seen": rfc3339(known.first_seen if known else None),
    } | fate


def hints_record(feed: Hints, answer: Hints) -> dict[str, Any]:
    """Return the hints of a document together with those of its response."""
    return _hints(feed) | {name: value for name, value in _hints(answer).items() if value}


def _hints(hints: Hints) -> dict[str, Any]:
    return {
        "retry_after_s": _seconds(hints.retry_after),
        "max_age_s": _seconds(hints.freshness),
        "ttl_s": _seconds(hints.ttl),
        "syndication_s": _seconds(hints.syndication),
        "skip_hours": sorted(hints.skip_hours),
        "skip_days": sorted(hints.skip_days),
    }


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else round(span.total_seconds())
