"""`why` of stories and entries."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from aggregator.clean.text import plain_text
from aggregator.cli.why.pair import Compared, near_misses
from aggregator.cli.why.sentences import (
    Frame,
    Names,
    Section,
    becomes_of,
    indented,
    said,
    shown_because,
    stands,
    stored,
)
from aggregator.clock import rfc3339
from aggregator.identify.budget import BoundedMatcher, Steps, TooCostly
from aggregator.model.event import PASSING_FOR
from aggregator.model.trail import EntryRecord, Step, Wording
from aggregator.store.transaction import Transaction

TEXTS = ("title", "summary", "content")
LISTS = ("authors", "tags", "enclosures")
CHANGES = 3  # places in one text that are quoted
AROUND = 5  # words on either side of a change
QUOTED = 100  # characters of one quotation
COMPARED = 2000  # words that are compared one by one; more that differ are one change
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]|[^\s\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]+")


def revisions_of(entry: EntryRecord, frame: Frame) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the earlier wordings of an entry, oldest first: as records and as lines."""
    records, lines = [], []
    wordings = [*(earlier.wording for earlier in entry.earlier), entry.wording]
    for earlier, (before, after) in zip(entry.earlier, pairwise(wordings), strict=True):
        fields = changed_fields(before, after)
        records.append({"until": rfc3339(earlier.until), "fields": fields} | _record(before))
        lines.append(f"revised {frame.moment(earlier.until)}: {', '.join(fields)}")
        lines += [f"  {line}" for name in fields for line in _said(name, before, after)]
    return records, lines


def changed_fields(before: Wording, after: Wording) -> list[str]:
    """Return the fields that differ between two wordings."""
    return [name for name in ("title", "link", "summary", "content", *LISTS) if _differ(name, before, after)]


def _differ(name: str, before: Wording, after: Wording) -> bool:
    return bool(getattr(before, name) != getattr(after, name))


def _record(wording: Wording) -> dict[str, Any]:
    lists = {name: list(getattr(wording, name)) for name in LISTS}
    return {name: getattr(wording, name) for name in ("title", "link", "summary", "content")} | lists


def _said(name: str, before: Wording, after: Wording) -> Iterator[str]:
    old, new = getattr(before, name), getattr(after, name)
    if name in TEXTS:
        yield from (f"{name}: {change}" for change in text_changes(old, new))
    elif name in LISTS:
        gone, come = [item for item in old if item not in new], [item for item in new if item not in old]
        yield from (f"{name}: without {_quoted(', '.join(part))}" for part in (gone,) if part)
        yield from (f"{name}: with {_quoted(', '.join(part))}" for part in (come,) if part)
        if not gone and not come:
            yield f"{name}: in another order"
    else:
        yield f"{name}: {old or 'none'} became {new or 'none'}"


def text_changes(old: str, new: str) -> Iterator[str]:
    """Return the differences between two texts or HTML fragments, each with a few words of context."""
    old, new = plain_text(old), plain_text(new)
    if old == new:
        yield "the same words; its links, pictures or markup changed"
        return
    one, other = _words(old), _words(new)
    changes = _changes([word for word, _ in one], [word for word, _ in other])
    for low, high, start, end in changes[:CHANGES]:
        gone, come = _joined(one[low:high]), _joined(other[start:end])
        before = _passage(one, low, low)
        where = f"after “{before}”" if low else "at the beginning"
        if low == high:
            yield f"“{_cut(come)}” added {where}"
        elif start == end:
            yield f"“{_cut(gone)}” left out {where}"
        else:
            yield f"“{_cut(_passage(one, low, high))}” became “{_cut(_passage(other, start, end))}”"
    if len(changes) > CHANGES:
        yield f"and {len(changes) - CHANGES} changes more"
    if not changes:
        yield "white space only"


def _changes(one: Sequence[str], other: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """Return the ranges in which two lists of words differ, in order."""
    head = 0
    while head < min(len(one), len(other)) and one[head] == other[head]:
        head += 1
    tail = 0
    while tail < min(len(one), len(other)) - head and one[-1 - tail] == other[-1 - tail]:
        tail += 1
    left, right = one[head : len(one) - tail], other[head : len(other) - tail]
    if not left and not right:
        return []
    if max(len(left), len(right)) > COMPARED:  # a comparison would take the square of it
        return [(head, head + len(left), head, head + len(right))]
    try:
        changes = BoundedMatcher(left, right, Steps()).get_opcodes()
    except TooCostly:
        return [(head, head + len(left), head, head + len(right))]
    return [
        (low + head, high + head, start + head, end + head)
        for kind, low, high, start, end in changes
        if kind != "equal"
    ]


def _words(text: str) -> list[tuple[str, bool]]:
    """Return the words of a text with a flag for a blank before; Chinese, Japanese and Korean characters are words."""
    return [(found[0], found.start() > 0 and text[found.start() - 1].isspace()) for found in _WORD.finditer(text)]


def _passage(words: Sequence[tuple[str, bool]], low: int, high: int) -> str:
    """Return a range of words with its context; for an empty range the words before it."""
    start, end = max(0, low - AROUND), min(len(words), high + AROUND) if low < high else high
    return ("…" if start else "") + _joined(words[start:end]) + ("…" if low < high and end < len(words) else "")


def _joined(words: Sequence[tuple[str, bool]]) -> str:
    return "".join(f" {word}" if blank else word for word, blank in words).strip()


def _cut(text: str) -> str:
    """Shorten a quotation in its middle."""
    if len(text) <= QUOTED:
        return text
    half = QUOTED // 2
    return f"{text[:half].rstrip()} … {text[-half:].lstrip()}"


def _quoted(text: str) -> str:
    return f"“{_cut(text)}”"


def story_section(tx: Transaction, number: int, frame: Frame) -> Section:
    """Return the section on a story: ids, publications with the copy each shows, entries, and events."""
    story = tx.trail.story(number)
    shown = next((e for e in story.entries if e.id == story.founder), None) or next(iter(story.entries), None)
    ruled = {number for verdict in story.verdicts for number in (verdict.entry, verdict.other)}
    names = names_of(tx, story.steps, story.entries, ruled, frame=frame)
    lines = [
        (shown.title if shown else "") or "(untitled)",
        *indented([f"story {story.atom_id}, page {story.page_id}, made {frame.moment(story.created_at)}"]),
    ]
    if story.retracted_at:
        lines += indented([f"retracted {frame.moment(story.retracted_at)}: published nowhere until `retract --undo`"])
    if story.merged_into:
        lines += indented([f"merged into {story.merged_into}, see aggregator why {story.merged_into}"])
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
        how = "are the same story" if verdict.verdict == "same" else "are different stories"
        lines += indented([f"an operator said {frame.moment(verdict.at)} that {pair} {how}"])
    steps, trail = trail_of(story.steps, story.entries, names, frame)
    misses = near_misses(tx, shown, frame) if shown is not None and not story.merged_into else []
    if misses:
        lines += indented(["nearest entries of other stories, compared now with the first:"])
        lines += indented(indented([_near_miss(other, compared, frame) for other, compared in misses]))
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
        "near_misses": [
            {
                "entry": other.id,
                "source": other.source,
                "matches_now": compared.found.is_same,
                "similarity": round(compared.found.similarity, 3),
                "required": compared.near,
                "because": compared.found.because,
            }
            for other, compared in misses
        ],
        "verdicts": [
            {"entries": [v.entry, v.other], "verdict": v.verdict.value, "at": rfc3339(v.at)} for v in story.verdicts
        ],
        "steps": steps,
    }
    return Section([*lines, *trail], record)


def _near_miss(other: EntryRecord, compared: Compared, frame: Frame) -> str:
    found = compared.found
    said = "one story by now" if found.is_same else "not one story"
    need = f"similarity {found.similarity:.2f}, at least {compared.near:g} is required"
    shared = [what for what, same in (("id", compared.same_id), ("link", compared.same_link)) if same]
    same = f", with the same {' and '.join(shared)}" if shared else ""
    title = other.title or "(untitled)"
    return f"{said} with entry {other.id} of {frame.name(other.source)} ({title}){same}: {found.because}; {need}"


def entry_section(tx: Transaction, number: int, frame: Frame) -> Section:
    """Return the section on an entry that belongs to no story."""
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
    """Return the names of everything that events mention."""
    facts = [step.facts for step in steps]
    told = {fact.get(name) for fact in facts for name in ("into", "to", "parted", "merged")}
    stories = {number for number in told if isinstance(number, int)}  # `to` may also be a state, or an address
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
    """Return the events, oldest first: as records and as lines."""
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
    """Return a line that older events of entries are no longer stored, if that is so."""
    since = frame.now - PASSING_FOR
    if not stored or min(stored) >= since:
        return []
    return [f"(of events before {frame.moment(since)}, only those are kept that explain the present state)"]


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
