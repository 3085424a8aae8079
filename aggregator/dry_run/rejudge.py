"""What stored entries would be to each other under other settings (DESIGN 3.1, dedupe). Pure.

Each is judged as a poll judges one that comes now, by the same code; nothing is decided by it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from aggregator.decide.limits import dedupe_settings
from aggregator.identify.matching import DedupeSettings, Match, StoryMatcher, dedupe_link
from aggregator.model.known import Known, KnownEntry, KnownStory, Stored
from aggregator.model.settings import Roster, Source, SourceKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """An entry of the source that is asked about, one of another source, and what speaks for one story."""

    one: KnownEntry
    other: KnownEntry
    match: Match


@dataclass(frozen=True, slots=True)
class Rejudged:
    """What would be otherwise."""

    merge: tuple[Pair, ...]  # two stories now
    part: tuple[Pair, ...]  # one story now; with what speaks for it under the settings as they are


Judged = Mapping[tuple[int, int], Pair]


def roster_under(roster: Roster, key: SourceKey, wish: Source) -> Roster:
    """Give the sources as they were if `defaults`, and one source, had the `dedupe` of `wish`."""
    sources = {
        each.key: replace(each, dedupe=wish.dedupe, near=wish.near, window=wish.window)
        if each.key == key or not each.own_dedupe
        else each
        for each in roster.sources.values()
    }
    return replace(roster, sources=sources)


def compare(now: Judged, then: Judged) -> Rejudged:
    """Say which pairs the settings alone would bring together, and which they would take apart."""
    return Rejudged(
        merge=tuple(pair for ids, pair in then.items() if ids not in now and pair.one.story != pair.other.story),
        part=tuple(pair for ids, pair in now.items() if ids not in then and pair.one.story == pair.other.story),
    )


def judge(
    stored: Sequence[Stored], copies: Sequence[tuple[Sequence[Stored], Known]], known: Known, roster: Roster
) -> Judged:
    """Judge the entries of a source against all that other sources tell, by the ids of both.

    Args:
        stored: entries of the source.
        copies: what tells their stories too, source by source, with what is known around it: a copy that came later was
            held against the entry that founded the story, not the other way round.
        known: what is known around `stored`.
        roster: the settings.
    """
    found = {
        (item.known.id, match.other.id): Pair(one=item.known, other=match.other, match=match)
        for item, matches in _matches(stored, known, roster)
        for match in matches
    }
    asked = {item.known.id: item.known for item in stored}
    for members, around in copies:
        for item, matches in _matches(members, around, roster):
            for match in matches:
                one = asked.get(match.other.id)
                if one is not None and match.story == item.known.story:
                    found.setdefault((one.id, item.known.id), Pair(one=one, other=item.known, match=match))
    return found


def _matches(stored: Sequence[Stored], known: Known, roster: Roster) -> Iterator[tuple[Stored, Sequence[Match]]]:
    tellers = StoryMatcher(known)
    for item in stored:
        ours = roster.sources.get(item.known.source_key)
        if ours is None:
            continue
        link = dedupe_link(item.entry)
        if link is not None and known.bearers.get(link, {}).get(item.known.source) != 1:
            link = None
        yield (
            item,
            tellers.matches(
                item.entry,
                item.known.source,
                link=link,
                seen=item.known.first_seen,
                near=known.near.get(item.known.form, frozenset()),
                settings_of=partial(_terms, ours, known, roster),
                stays=item.known.story,
            ).matches,
        )


def _terms(ours: Source, known: Known, roster: Roster, story: KnownStory, other: KnownEntry) -> DedupeSettings:
    return dedupe_settings(ours, other.source_key, story, known, roster)
