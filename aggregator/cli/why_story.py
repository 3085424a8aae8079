"""What `why` says of stories and entries."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from aggregator.cli.why_frame import Frame, Section
from aggregator.cli.why_revisions import revisions_of
from aggregator.cli.why_words import Names, becomes_of, indented, said, shown_because, stands, stored
from aggregator.clock import rfc3339
from aggregator.model.event import PASSING_FOR
from aggregator.model.trail import EntryRecord, Step
from aggregator.store.transaction import Transaction


def story_section(tx: Transaction, number: int, frame: Frame) -> Section:
    """Tell a story: its ids, where it stands and why that copy is shown, who tells it, and what happened."""
    story = tx.trail.story(number)
    shown = next((e for e in story.entries if e.id == story.founder), None) or next(iter(story.entries), None)
    ruled = {number for verdict in story.verdicts for number in (verdict.entry, verdict.other)}
    names = names_of(tx, story.steps, story.entries, ruled, frame=frame)
    lines = [
        (shown.title if shown else "") or "(untitled)",
        *indented([f"story {story.atom_id}, page {story.page_id}, made {frame.moment(story.created_at)}"]),
    ]
    if story.retracted_at:
        lines += indented([f"retracted {frame.moment(story.retracted_at)}: seen nowhere until `retract --undo`"])
    if story.merged_into:
        lines += indented([f"merged into {story.merged_into}, which tells it now: aggregator why {story.merged_into}"])
    lines += indented([f"{merged} was merged into it" for merged in story.merged])
    places = []
    for place in story.places:
        because = None if place.withdrawn_at else shown_because(place, story, frame.roster, frame.now, frame.name)
        lines += indented([stands(place, frame.zone), *indented([because] if because else [])])
        places.append(
            {
                "category": place.category,
                "page": place.page,
                "entered": rfc3339(place.entered_at),
                "sort_at": rfc3339(place.sort_at),
                "updated": rfc3339(place.updated),
                "withdrawn": rfc3339(place.withdrawn_at),
                "shown": place.shown,
                "because": because,
            }
        )
    for entry in story.entries:
        lines += _entry_lines(entry, frame)
    for verdict in story.verdicts:
        pair = f"{names.entry(verdict.entry)} and {names.entry(verdict.other)}"
        how = "tell the same" if verdict.verdict == "same" else "tell different stories"
        lines += indented([f"an operator said {frame.moment(verdict.at)} that {pair} {how}"])
    steps, trail = trail_of(story.steps, story.entries, names, frame)
    record = {
        "kind": "story",
        "id": story.atom_id,
        "page": story.page_id,
        "made": rfc3339(story.created_at),
        "founder": story.founder,
        "retracted": rfc3339(story.retracted_at),
        "merged_into": story.merged_into,
        "merged": list(story.merged),
        "places": places,
        "entries": [_entry_record(entry, frame) for entry in story.entries],
        "verdicts": [
            {"entries": [v.entry, v.other], "verdict": v.verdict.value, "at": rfc3339(v.at)} for v in story.verdicts
        ],
        "steps": steps,
    }
    return Section([*lines, *trail], record)


def entry_section(tx: Transaction, number: int, frame: Frame) -> Section:
    """Tell of an entry that tells no story."""
    entry, steps = tx.trail.entry(number)
    told, trail = trail_of(steps, [entry], names_of(tx, steps, [entry], frame=frame), frame)
    lines = [entry.title or "(untitled)", *_entry_lines(entry, frame), *trail]
    return Section(lines, {"kind": "entry"} | _entry_record(entry, frame) | {"steps": told})


def _entry_lines(entry: EntryRecord, frame: Frame) -> list[str]:
    dates = [f"seen {frame.moment(entry.first_seen)}"]
    dated = entry.published or entry.updated
    dates += [f"dated {frame.moment(dated)}"] if dated else ["without a date"]
    line = f"entry {entry.id} of {frame.name(entry.source)}: {becomes_of(entry)}; {', '.join(dates)}"
    known = [part for part in (entry.link, f"id {entry.own_id}" if entry.own_id else None) if part]
    if entry.rewritten_by:
        was = f"; its source says: {entry.told_title}" if entry.told_title != entry.title else ""
        known.append(f"rewritten by {', by '.join(entry.rewritten_by)}{was}")
    _, revised = revisions_of(entry, frame)
    return indented([line, *indented([*known, *revised])])


def names_of(
    tx: Transaction,
    steps: Sequence[Step],
    entries: Iterable[EntryRecord],
    also: Collection[int] = (),
    *,
    frame: Frame,
) -> Names:
    """Find the names of whatever the steps mention."""
    facts = [step.facts for step in steps]
    stories = {fact[name] for fact in facts for name in ("into", "to", "parted", "merged") if name in fact}
    stories |= {number for fact in facts for number in fact.get("others", ())}
    sources = {entry.id: entry.source for entry in entries}
    wanted = {*also, *(step.entry for step in steps if step.entry)} | {fact.get("with_entry") or 0 for fact in facts}
    for number in sorted(wanted - set(sources) - {0}):
        if (found := tx.finding.entry(number)) is not None:
            sources[number] = found.source
    named = {number: frame.name(key) for number, key in sources.items()}
    return Names(tx.trail.category_keys(), tx.trail.atom_ids(stories), named, frame.zone)


def trail_of(
    steps: Sequence[Step], entries: Iterable[EntryRecord], names: Names, frame: Frame
) -> tuple[list[dict[str, Any]], list[str]]:
    """Give what happened, first things first: as records and as lines."""
    found: list[tuple[datetime, str, str, dict[str, Any]]] = [
        (entry.first_seen, "store_entry", stored(entry, frame.name(entry.source)), {"entry": entry.id})
        for entry in entries
    ]
    found += [(step.at, step.code, said(step, names), {"entry": step.entry, **step.facts}) for step in steps]
    found.sort(key=lambda step: (step[0], step[1] != "store_entry"))
    records = [{"at": rfc3339(at), "code": code, "said": words} | facts for at, code, words, facts in found]
    lines = [f"{frame.moment(at)}  {words}" for at, _, words, _ in found]
    return records, indented(["", *lines, *_left_out([at for at, code, _, _ in found if code == "store_entry"], frame)])


def _left_out(stored: Sequence[datetime], frame: Frame) -> list[str]:
    """Say that not all that happened to entries is told any more, if some are so old."""
    since = frame.now - PASSING_FOR
    if not stored or min(stored) >= since:
        return []
    return [f"(of what happened before {frame.moment(since)}, what explains how things stand is kept, and no more)"]


def _entry_record(entry: EntryRecord, frame: Frame) -> dict[str, Any]:
    earlier, _ = revisions_of(entry, frame)
    return {
        "entry": entry.id,
        "source": entry.source,
        "key": entry.key,
        "key_rule": entry.key_rule.value,
        "own_id": entry.own_id,
        "title": entry.title,
        "link": entry.link,
        "state": entry.state.value,
        "published": rfc3339(entry.published),
        "updated": rfc3339(entry.updated),
        "first_seen": rfc3339(entry.first_seen),
        "revised": rfc3339(entry.changed_at),
        "revisions": entry.revisions,
        "held": entry.held,
        "thinned": entry.thinned,
        "earlier": earlier,
    }
