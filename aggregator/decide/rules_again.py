"""Effect of edited rules on stored entries: `publish --rules` applies it, `plan` shows it. Pure.

Rules judge each entry as on the day it was first seen. An entry that no rule mentions stays where it is, so that a
source that moved to another category, or a removed route, withdraws nothing (N1).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from aggregator.decide.draft import Draft
from aggregator.decide.limits import Newcomer
from aggregator.decide.new_entries import NewEntries
from aggregator.decide.order import believed
from aggregator.identify.matching import dedupe_link
from aggregator.model.alarm import FLOOD_SHOWN
from aggregator.model.changes import RejudgedEntry
from aggregator.model.correction import StoryMembers
from aggregator.model.entry import Entry
from aggregator.model.event import Code
from aggregator.model.known import EntryState, KnownEntry, KnownStory, Stored
from aggregator.model.settings import GENERAL, CategoryKey, Roster, Source
from aggregator.rules.judgement import Judgement, judge, refusal
from aggregator.rules.rewriting import rewritten

MICROSECOND = timedelta(microseconds=1)
BECAUSE = "by edited rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reapplied:
    """A stored entry whose result changes with the edited rules."""

    stored: Stored
    entry: Entry  # rewritten anew
    judgement: Judgement
    passes: bool = False  # it was rejected before: it is new, or published again where it was
    lost: tuple[CategoryKey, ...] = ()  # categories that a rule takes from it
    gained: tuple[CategoryKey, ...] = ()  # categories that it enters
    is_rewritten: bool = False  # its text changes

    @property
    def is_new(self) -> bool:
        """Return whether the entry is published for the first time."""
        return self.passes and self.stored.known.story is None

    @property
    def is_moved(self) -> bool:
        """Return whether the entry was and stays published, in other categories."""
        return bool(self.lost or self.gained) and not self.passes and not self.is_dropped

    @property
    def is_dropped(self) -> bool:
        """Return whether the entry is no longer published anywhere."""
        left = len(self.stored.known.categories) - len(self.lost) + len(self.gained)
        return bool(self.lost) and left <= 0


def reapply(stored: Stored, source: Source, roster: Roster, numbers: Mapping[CategoryKey, int]) -> Reapplied | None:
    """Apply the present rules to a stored entry.

    Args:
        stored: published or rejected.
        source: whose entry it is, as feeds.yaml has it now.
        roster: the sources and categories.
        numbers: ids of the categories.

    Returns:
        None if nothing changes for it.
    """
    known, seen = stored.known, stored.known.first_seen
    before = stored.entry if source.hooks else stored.entry.as_told  # what hooks made of it ends with the last of them
    entry = rewritten(before, source.rewrite, source.reading.allow_classes)
    judgement = judge(entry, source, roster.categories, seen=seen, own=_own_of(entry, source))
    if known.state is EntryState.REJECTED:
        places = tuple(key for key in judgement.places if key in numbers and numbers[key] not in stored.limited)
        return (
            Reapplied(stored=stored, entry=entry, judgement=judgement, passes=True, gained=places) if places else None
        )
    names = {number: key for key, number in numbers.items()}
    here = [names[number] for number in known.categories if number in names]
    is_refused = judgement.reason is not None and not judgement.kept_out
    lost = [key for key in here if is_refused or _keeps_out(key, entry, judgement, roster, seen)]
    routed = dict(judgement.routed)
    gained = [
        key
        for key in judgement.places
        if key not in here
        and key in numbers
        and numbers[key] not in stored.limited
        and (key in routed or numbers[key] in stored.refused)
    ]
    is_rewritten = entry.digest != stored.entry.digest and not stored.is_deferred
    if not (lost or gained or is_rewritten):
        return None
    return Reapplied(
        stored=stored,
        entry=entry if is_rewritten else stored.entry,
        judgement=judgement,
        lost=tuple(lost),
        gained=tuple(gained),
        is_rewritten=is_rewritten,
    )


def _own_of(entry: Entry, source: Source) -> tuple[CategoryKey, ...]:
    """Return the categories of an entry: those of its source, and those that it names."""
    if not source.reading.filing:
        return source.categories
    named = tuple(map(CategoryKey, entry.filed)) or (GENERAL,)
    return tuple(dict.fromkeys((*source.categories, *named)))


def has_rules(source: Source, roster: Roster) -> bool:
    """Return whether any rule applies to the entries of a source."""
    categories = [roster.categories[key] for key in source.places if key in roster.categories]
    own = source.include or source.exclude or source.rewrite or source.routes or source.hooks
    return bool(own) or any(category.include or category.exclude for category in categories)


def _keeps_out(key: CategoryKey, entry: Entry, judgement: Judgement, roster: Roster, seen: datetime) -> bool:
    if key in dict(judgement.kept_out):
        return True
    category = roster.categories.get(key)
    if category is None or key in judgement.places:
        return False
    return refusal(entry.as_told, category.include, category.exclude, seen=seen) is not None


def carry_out(
    draft: Draft, changes: Sequence[Reapplied], published: StoryMembers, numbers: Mapping[CategoryKey, int]
) -> None:
    """Decide on stored entries by edited rules: entries that pass are published, refused ones are withdrawn (M8).

    What is published now enters at the time of the act (M1); of a flood all but the newest are a backfill (R47).

    Args:
        draft: of one source; takes the changes of entries and stories.
        changes: its entries, newest first.
        published: the stories of those that are published, with all their entries.
        numbers: ids of the categories.
    """
    now = {change.stored.known.id: _rejudged(change, numbers) for change in changes}
    draft.rejudged += [one for one in now.values() if one.state is not None or one.entry is not None]
    sort_at, place = draft.asked_at, 0
    for change in changes:
        number = change.stored.known.story
        if number is None or number not in published.stories:
            continue
        place += bool(change.gained)
        _settle(
            draft,
            change,
            published.stories[number],
            published.members[number],
            now,
            sort_at,
            backfill=place > FLOOD_SHOWN,
        )
        sort_at -= MICROSECOND
        _note(draft, change, numbers)
    news = [
        Newcomer(
            change.entry,
            change.stored.known.form,
            _own_date(change.entry, change.stored.known.first_seen),
            change.stored.known.id,
            change.stored.known.first_seen,
            BECAUSE,
            change.stored.limited,
        )
        for change in changes
        if change.is_new
    ]
    news.sort(key=lambda one: one.date, reverse=True)
    links = [link for one in news if (link := dedupe_link(one.entry))]
    NewEntries(draft, links).add(news)


def _rejudged(change: Reapplied, numbers: Mapping[CategoryKey, int]) -> RejudgedEntry:
    known = change.stored.known
    written = change.entry if change.passes or change.is_rewritten else None
    if change.is_new:  # where it goes is for `NewEntries` to say
        return RejudgedEntry(id=known.id, entry=written)
    if not (change.lost or change.gained):
        return RejudgedEntry(id=known.id, entry=written)
    lost = {numbers[key] for key in change.lost}
    places = tuple(n for n in known.categories if n not in lost) + tuple(numbers[key] for key in change.gained)
    refused = tuple(numbers[key] for key, _ in change.judgement.kept_out if key in numbers)
    state = EntryState.PUBLISHED if places else EntryState.REJECTED
    return RejudgedEntry(id=known.id, entry=written, state=state, categories=places, refused=refused if places else ())


def _settle(
    draft: Draft,
    change: Reapplied,
    story: KnownStory,
    members: Sequence[KnownEntry],
    now: Mapping[int, RejudgedEntry],
    sort_at: datetime,
    *,
    backfill: bool,
) -> None:
    number = change.stored.known.id
    if (change.lost or change.gained) and story.retracted_at is None:
        after = [_as_filed(member, now.get(member.id)) for member in members]
        draft.publications.settle(story, after, sort_at=sort_at, because=BECAUSE, backfill=backfill)
    if change.is_rewritten:
        for publication in draft.publications.publications_of(story):
            if not publication.withdrawn:
                draft.publications.reword(publication, number, change.entry.digest, None, template=True)


def _as_filed(member: KnownEntry, filed: RejudgedEntry | None) -> KnownEntry:
    if filed is None:
        return member
    if filed.entry is not None:
        member = replace(member, shown_digest=filed.entry.digest)
    return member if filed.state is None else replace(member, state=filed.state, categories=filed.categories)


def _note(draft: Draft, change: Reapplied, numbers: Mapping[CategoryKey, int]) -> None:
    """Note which rule keeps an entry out now, or lets it pass."""
    known, judgement = change.stored.known, change.judgement
    if change.is_dropped:
        draft.note(Code.REJECT_ENTRY, known.id, known.story, rule=judgement.reason, because=BECAUSE)
        return
    if change.passes:
        draft.note(Code.RELEASE_ENTRY, known.id, known.story, because=BECAUSE)
    kept_out, routed = dict(judgement.kept_out), dict(judgement.routed)
    for key in change.lost:
        draft.note(Code.KEEP_OUT, known.id, known.story, category=numbers[key], rule=kept_out.get(key, BECAUSE))
    for key in change.gained:
        if key in routed:
            draft.note(Code.ROUTE_ENTRY, known.id, known.story, category=numbers[key], rule=routed[key])


def _own_date(entry: Entry, seen: datetime) -> datetime:
    return believed(entry.published or entry.updated, seen) or seen
