"""What `why` says of an entry's earlier wordings: until when each could be read, and what the next one changed."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from aggregator.clean import plain_text
from aggregator.cli.why_frame import Frame
from aggregator.clock import rfc3339
from aggregator.identify.budget import BoundedMatcher, Steps, TooCostly
from aggregator.model.trail import EntryRecord, Wording

TEXTS = ("title", "summary", "content")
LISTS = ("authors", "tags", "enclosures")
CHANGES = 3  # places in one text that are quoted
AROUND = 5  # words on either side of a change
QUOTED = 100  # characters of one quotation
COMPARED = 2000  # words that are compared one by one; more that differ are one change
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]|[^\s\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]+")


def revisions_of(entry: EntryRecord, frame: Frame) -> tuple[list[dict[str, Any]], list[str]]:
    """Give what an entry said before, the oldest first: as records and as lines."""
    records, lines = [], []
    wordings = [*(earlier.wording for earlier in entry.earlier), entry.wording]
    for earlier, (before, after) in zip(entry.earlier, pairwise(wordings), strict=True):
        fields = changed_fields(before, after)
        records.append({"until": rfc3339(earlier.until), "fields": fields} | _record(before))
        lines.append(f"revised {frame.moment(earlier.until)}: {', '.join(fields)}")
        lines += [f"  {line}" for name in fields for line in _said(name, before, after)]
    return records, lines


def changed_fields(before: Wording, after: Wording) -> list[str]:
    """Name what one wording has otherwise than another."""
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
    """Say what one text, or HTML, has otherwise than another, with a few words around each change."""
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
        yield "blanks alone"


def _changes(one: Sequence[str], other: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """Give the ranges of two lists of words that differ, in order."""
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
    """Give the words of a text, each Chinese, Japanese or Korean character as one, and whether a blank goes before."""
    return [(found[0], found.start() > 0 and text[found.start() - 1].isspace()) for found in _WORD.finditer(text)]


def _passage(words: Sequence[tuple[str, bool]], low: int, high: int) -> str:
    """Give a range of words with those around it; of an empty one, those before."""
    start, end = max(0, low - AROUND), min(len(words), high + AROUND) if low < high else high
    return ("…" if start else "") + _joined(words[start:end]) + ("…" if low < high and end < len(words) else "")


def _joined(words: Sequence[tuple[str, bool]]) -> str:
    return "".join(f" {word}" if blank else word for word, blank in words).strip()


def _cut(text: str) -> str:
    """Shorten a quotation in its middle, where nothing stands that tells two of them apart."""
    if len(text) <= QUOTED:
        return text
    half = QUOTED // 2
    return f"{text[:half].rstrip()} … {text[-half:].lstrip()}"


def _quoted(text: str) -> str:
    return f"“{_cut(text)}”"
