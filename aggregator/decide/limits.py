"""`limit` of a category: how many entries of one poll it takes; and the dedupe settings of a pair of entries. Pure."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from aggregator.decide.draft import Draft
from aggregator.identify.matching import DedupeSettings
from aggregator.model.changes import Hit
from aggregator.model.entry import Entry
from aggregator.model.event import Code
from aggregator.model.known import Known, KnownStory
from aggregator.model.settings import Category, CategoryKey, Dedupe, Roster, Source, SourceKey
from aggregator.rules.judgement import Judgement


@dataclass(frozen=True, slots=True)
class Newcomer:
    """An entry to be published for the first time."""

    entry: Entry
    form: str
    date: datetime  # its own, for ordering
    id: int | None = None  # it is stored already, and was held (R44)
    first_seen: datetime | None = None  # of one that is stored
    because: str = ""  # why one that is stored is published now, for the trail
    limited: tuple[int, ...] = ()  # ids of categories that had enough from the poll that brought it


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """Categories of an entry after all rules."""

    judgement: Judgement
    keys: tuple[CategoryKey, ...]
    refused: tuple[int, ...]  # ids of the categories that keep it out
    limited: tuple[int, ...] = ()  # ids of those that had enough from the poll that brought it


Passed = tuple[int, Newcomer, RuleVerdict]  # its number, itself, where it goes


def within_limits(draft: Draft, passed: Sequence[Passed]) -> tuple[list[Passed], list[Passed]]:
    """Remove entries from categories whose `limit` is reached.

    Args:
        draft: takes what is noted.
        passed: the new entries of one poll that the rules let pass, the newest first.

    Returns:
        Those that are published, and those that stand nowhere by that: they are known, and no edit brings them. What
        edited rules let in comes by no poll, and counts for none.
    """
    taken: Counter[CategoryKey] = Counter()
    kept: list[Passed] = []
    known: list[Passed] = []
    for number, one, places in passed:
        limits = {} if one.because else {key: _limit_of(draft, key) for key in places.keys}
        over = [key for key, limit in limits.items() if limit is not None and taken[key] >= limit]
        for key in over:
            rule = f"limit {limits[key]}"
            draft.note(Code.KEEP_OUT, number, category=draft.known.categories[key].id, rule=rule)
            draft.hits[Hit(key, rule)] += 1
        left = _without(draft, places, over)
        taken.update(key for key in left.keys if key in limits)
        (kept if left.keys else known).append((number, one, left))
    return kept, known


def still_limited(draft: Draft, places: RuleVerdict, ids: Collection[int]) -> RuleVerdict:
    """Remove the categories from an entry whose `limit` was reached when it came; it has waited since."""
    if not ids:
        return places
    known = draft.known.categories
    left = _without(draft, places, [key for key in places.keys if key in known and known[key].id in ids])
    return replace(left, limited=tuple(ids))


def _limit_of(draft: Draft, key: CategoryKey) -> int | None:
    category = draft.roster.categories.get(key)
    return category.limit if category is not None and key in draft.known.categories else None


def _without(draft: Draft, places: RuleVerdict, over: Collection[CategoryKey]) -> RuleVerdict:
    if not over:
        return places
    limited = tuple(draft.known.categories[key].id for key in over)
    return replace(places, keys=tuple(key for key in places.keys if key not in over), limited=limited)


def dedupe_settings(ours: Source, theirs: SourceKey, story: KnownStory, known: Known, roster: Roster) -> DedupeSettings:
    """Return the dedupe settings for a copy and an entry of a story: the strictest of both sources and categories."""
    names = {category.id: key for key, category in known.categories.items()}
    keys = {names[publication.category] for publication in story.publications if publication.category in names}
    keys.update(ours.places)
    other = roster.sources.get(theirs)
    wishes: Sequence[Source | Category] = [
        *(roster.categories[key] for key in keys if key in roster.categories),
        *((ours,) if other is None else (ours, other)),
    ]
    modes = [wish.dedupe for wish in wishes if wish.dedupe is not None]
    if other is None:
        modes.append(Dedupe.EXACT)  # it left feeds.yaml, and its settings with it
    return DedupeSettings(
        dedupe=min(modes, key=tuple(Dedupe).index),
        near=max(wish.near for wish in wishes if wish.near is not None),
        window=min(wish.window for wish in wishes if wish.window is not None),
    )
