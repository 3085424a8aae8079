"""Matches stored entries again under other `dedupe` settings (`preview --dedupe`). Pure.

The code that matches new entries of a poll is used, and nothing is changed.
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
    """An entry of the source in question, an entry of another source, and the evidence that both are one story."""

    one: KnownEntry
    other: KnownEntry
    match: Match


@dataclass(frozen=True, slots=True)
class Rejudged:
    """Differences between two settings."""

    merge: tuple[Pair, ...]  # pairs of two stories that would become one
    part: tuple[Pair, ...]  # pairs of one story that would become two, with the evidence under current settings


Judged = Mapping[tuple[int, int], Pair]


def roster_under(roster: Roster, key: SourceKey, wish: Source) -> Roster:
    """Return the roster with the `dedupe` settings of `wish` for one source and for all that follow `defaults`."""
    sources = {
        each.key: replace(each, dedupe=wish.dedupe, near=wish.near, window=wish.window)
        if each.key == key or not each.own_dedupe
        else each
        for each in roster.sources.values()
    }
    return replace(roster, sources=sources)


def compare(now: Judged, then: Judged) -> Rejudged:
    """Return the pairs that the new settings would merge, and those that they would part."""
    return Rejudged(
        merge=tuple(pair for ids, pair in then.items() if ids not in now and pair.one.story != pair.other.story),
        part=tuple(pair for ids, pair in now.items() if ids not in then and pair.one.story == pair.other.story),
    )


def judge(
    stored: Sequence[Stored], copies: Sequence[tuple[Sequence[Stored], Known]], known: Known, roster: Roster
) -> Judged:
    """Match the entries of a source with those of other sources; the result is keyed by the ids of both.

    Args:
        stored: entries of the source.
        copies: copies of their stories, source by source, with the stored data around each: a copy that came later is
            matched with the founding entry, not the other way round.
        known: stored data around `stored`.
        roster: sources and categories with the settings to use.
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
    matcher = StoryMatcher(known)
    for item in stored:
        ours = roster.sources.get(item.known.source_key)
        if ours is None:
            continue
        link = dedupe_link(item.entry)
        if link is not None and known.bearers.get(link, {}).get(item.known.source) != 1:
            link = None
        yield (
            item,
            matcher.matches(
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
