"""`why ENTRY OTHER`: compares two stored entries as a poll does, and tells what agrees and what does not."""

from collections.abc import Iterator
from typing import NamedTuple

from aggregator.clean.text import plain_text
from aggregator.clean.titles import bounded_title
from aggregator.cli.why.sentences import Frame, Section, indented
from aggregator.clock import rfc3339
from aggregator.identify.alignment import Alignment
from aggregator.identify.budget import Steps, TooCostly
from aggregator.identify.keys import global_id_hash
from aggregator.identify.minhash import bands_of
from aggregator.identify.similarity import Likeness, likeness
from aggregator.identify.telling import Telling
from aggregator.identify.tokens import Titles, compare_titles
from aggregator.model.settings import NEAR, Dedupe
from aggregator.model.trail import EntryRecord
from aggregator.store.transaction import Transaction
from aggregator.urls import Url, is_start_page, match_url

_TITLES = {
    Titles.SAME: "the same but for what sites add",
    Titles.WITHIN: "one is part of the other",
    Titles.ALIKE: "alike",
    Titles.OTHER: "different",
    Titles.NUMBERS: "with different numbers",
}


def pair_section(tx: Transaction, numbers: tuple[int, int], frame: Frame) -> Section:
    """Return the section on two entries, given by their numbers in the store."""
    pair = one, other = [tx.trail.entry(number)[0] for number in numbers]
    ours, theirs = (_telling(entry) for entry in pair)
    compared = _compared(one, other, frame)
    found, same_id, same_link, near, dedupe = compared
    bands = [set(bands_of(each)) for each in (ours, theirs)]
    shared = len(bands[0] & bands[1])
    together = one.story is not None and one.story == other.story
    lines = [
        f"{'One story' if together else 'Two stories'}: {one.title or '(untitled)'} / {other.title or '(untitled)'}",
        *indented(
            [
                *(
                    f"entry {each.id} of {frame.name(each.source)}, dated {frame.moment(each.published)}"
                    for each in pair
                ),
                f"compared now: {'one story' if found.is_same else 'two stories'}, because of “{found.because}”;"
                f" similarity {found.similarity:.2f}, at least {near} is required",
                f"dedupe: {dedupe}; id {_said(same_id)}, link {_said(same_link)},"
                f" {shared} of {min(map(len, bands))} fingerprints shared",
                *_parts(ours, theirs),
                *(["entries of one source are never merged"] if one.source == other.source else []),
                *([_NEVER_MET] if not (shared or same_id or same_link) else []),
            ]
        ),
    ]
    record = {
        "kind": "pair",
        "entries": [{"id": each.id, "source": each.source, "published": rfc3339(each.published)} for each in pair],
        "one_story": together,
        "matches_now": found.is_same,
        "because": found.because,
        "similarity": round(found.similarity, 3),
        "required": near,
        "dedupe": str(dedupe),
        "same_id": same_id,
        "same_link": same_link,
        "fingerprints_shared": shared,
    }
    return Section(lines, record)


class Compared(NamedTuple):
    """Result of a comparison of two entries, made now."""

    found: Likeness
    same_id: bool
    same_link: bool
    near: float  # the similarity that is required
    dedupe: Dedupe


def _compared(one: EntryRecord, other: EntryRecord, frame: Frame) -> Compared:
    pair = (one, other)
    sources = [frame.roster.sources[each.source] for each in pair if each.source in frame.roster.sources]
    dedupe = min((source.dedupe for source in sources), key=tuple(Dedupe).index, default=Dedupe.EXACT)
    near = max((source.near for source in sources), default=NEAR)
    ids = {global_id_hash(each.own_id) if each.own_id else None for each in pair}
    same_id = len(ids) == 1 and None not in ids
    links = {_link(each) for each in pair}
    same_link = len(links) == 1 and None not in links
    found = likeness(_telling(one), _telling(other), linked=same_id or same_link, near=near)
    return Compared(found, same_id, same_link, near, dedupe)


def near_misses(tx: Transaction, one: EntryRecord, frame: Frame) -> list[tuple[EntryRecord, Compared]]:
    """Return the entries of other stories and sources that come nearest to an entry, the nearest first.

    Of each such story one entry is returned, at most `NEAREST` in all.
    """
    nearest: dict[int, tuple[EntryRecord, Compared]] = {}
    for number in tx.trail.near_entries(one.id, bands_of(_telling(one))):
        other, _ = tx.trail.entry(number)
        if other.story is None or other.story == one.story or other.source == one.source:
            continue
        compared = _compared(one, other, frame)
        before = nearest.get(other.story)
        if before is None or compared.found.similarity > before[1].found.similarity:
            nearest[other.story] = other, compared
    ranked = sorted(nearest.values(), key=lambda each: (-each[1].found.similarity, each[0].id))
    return ranked[:NEAREST]


NEAREST = 3
_NEVER_MET = "without a shared id, link or fingerprint, a poll does not compare them"


def _telling(entry: EntryRecord) -> Telling:
    words = entry.wording
    return Telling(bounded_title(entry.title), plain_text(words.content or words.summary), entry.published)


def _link(entry: EntryRecord) -> str | None:
    return match_url(Url(entry.link)) if entry.link and not is_start_page(Url(entry.link)) else None


def _dated(entry: EntryRecord, frame: Frame) -> str:
    return f"dated {frame.moment(entry.published)}" if entry.published else "without a date"


def _said(same: bool) -> str:
    return "the same" if same else "different"


def _parts(one: Telling, other: Telling) -> Iterator[str]:
    """Return what titles and texts have in common, and what differs."""
    try:
        yield f"titles: {_TITLES[compare_titles(one.title, other.title, Steps())]}"
        if not one.tokens or not other.tokens:
            yield "texts: one or both have none"
            return
        texts = Alignment.of(one.tokens, other.tokens, Steps())
    except TooCostly:
        yield "texts: too costly to compare"
        return
    yield (
        f"texts: {len(one.tokens)} and {len(other.tokens)} words or characters, {texts.of_shorter:.0%} of the shorter"
        f" one in the same order, {texts.changed} numbers differ"
    )
