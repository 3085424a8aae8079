"""Corrections by an operator: merge, unmerge, retract and restore of stories (T7, T8). Pure.

Each can be undone by another: nothing is deleted, ids and places stay.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from aggregator.decide.order import believed
from aggregator.decide.publications import PublicationDraft
from aggregator.errors import CorrectionRefused
from aggregator.identify.ids import minted_id, page_id_of
from aggregator.identify.matching import telling_of
from aggregator.identify.minhash import bands_of
from aggregator.model.changes import EntryChanges, MovedEntry
from aggregator.model.correction import StoryMembers
from aggregator.model.event import Code, Event
from aggregator.model.known import LOST, EntryState, KnownEntry, KnownStory
from aggregator.model.settings import Roster
from aggregator.model.story_changes import NewStory, Ruling, Verdict
from aggregator.text.iris import is_identifier

MICROSECOND = timedelta(microseconds=1)


def merge(known: StoryMembers, kept: int, merged: int, *, now: datetime, roster: Roster) -> EntryChanges:
    """Merge two stories (T7).

    Args:
        known: both stories.
        kept: the story that keeps its ids and places.
        merged: the story whose entries move and whose publications are withdrawn; its atom_id becomes an alias.
        now: the time of the act.
        roster: has the priorities of sources.

    Raises:
        CorrectionRefused: they are one story already, or one is retracted.
    """
    into, other = _existing_story(known, kept), _existing_story(known, merged)
    if kept == merged:
        raise CorrectionRefused(f"{into.atom_id} is one story already")
    for story in (into, other):
        if story.retracted_at is not None:
            raise CorrectionRefused(f"{story.atom_id} is retracted; bring it back first, by retract --undo")
    theirs = known.members[merged]
    founders = [entry.id for entry in theirs if entry.id in {other.founder, *known.same.get(other.founder, ())}]
    pairs = [*((into.founder, one) for one in founders), *_opposed(known, kept, merged)]
    rulings = [Ruling.on(*pair, Verdict.SAME) for pair in pairs]
    return _merged(known, into, other, now=now, roster=roster, because="merged", rulings=rulings)


def merge_unseen(known: StoryMembers, kept: int, merged: int, *, now: datetime, roster: Roster) -> EntryChanges | None:
    """Merge two stories because an entry matches both, and nobody has seen the one that ends (T6).

    Returns:
        None if an operator called them different, or one of them was merged meanwhile.
    """
    into, other = known.stories.get(kept), known.stories.get(merged)
    if into is None or other is None or into.merged_into or other.merged_into or _opposed(known, kept, merged):
        return None
    because = "an entry tells both, and nobody had seen it"
    return _merged(known, into, other, now=now, roster=roster, because=because, traceless=True)


def _opposed(known: StoryMembers, kept: int, merged: int) -> list[tuple[int, int]]:
    """Return the pairs of entries of two stories that an operator called different."""
    ours, theirs = known.members[kept], known.members[merged]
    return [(mine.id, entry.id) for mine in ours for entry in theirs if entry.id in known.different.get(mine.id, ())]


def _merged(
    known: StoryMembers,
    into: KnownStory,
    other: KnownStory,
    *,
    now: datetime,
    roster: Roster,
    because: str,
    rulings: Sequence[Ruling] = (),
    traceless: bool = False,
) -> EntryChanges:
    kept, merged = into.id, other.id
    ours, theirs = known.members[kept], known.members[merged]
    publications = PublicationDraft(now=now, roster=roster, categories=known.categories)
    publications.settle(other, (), because=because)
    publications.settle(
        into, sorted((*ours, *theirs), key=lambda entry: entry.id), gained={entry.id for entry in theirs}
    )
    moved = [
        MovedEntry(
            id=entry.id,
            from_story=merged,
            story=kept,
            merged_from=merged if entry.merged_from is None else entry.merged_from,
        )
        for entry in theirs
    ]
    entries = [entry.id for entry in theirs]
    facts = {"merged": merged, "atom_id": other.atom_id, "entries": entries, "because": because}
    return _changes(
        publications,
        moved=moved,
        merged=[(merged, kept)],
        rulings=rulings,
        traceless=traceless,
        events=[
            Event(code=Code.MERGE_STORIES, story=kept, facts=facts),
            Event(code=Code.MERGE_STORIES, story=merged, facts={"into": kept, "because": because}),
        ],
    )


def unmerge(known: StoryMembers, number: int, entry: int | None, *, now: datetime, roster: Roster) -> EntryChanges:
    """Take entries out of a story, with the verdict that they are different from the rest (T8).

    Entries that came together by one `merge` leave together, and the story they came from exists again; each other
    entry gets a story of its own.

    Args:
        known: the story.
        number: of it.
        entry: that leaves; None: all but the founding entry.
        now: the time of the act.
        roster: has the priorities of sources.

    Raises:
        CorrectionRefused: no entry can leave.
    """
    story = _existing_story(known, number)
    members = known.members[number]
    groups = _leaving(story, members, entry)
    gone = {member.id for group in groups for member in group}
    publications = PublicationDraft(now=now, roster=roster, categories=known.categories)
    left = [] if story.retracted_at is not None else [member for member in members if member.id not in gone]
    publications.settle(story, left, because="unmerged")
    naming = _Naming(known)
    moved: list[MovedEntry] = []
    merged: list[tuple[int, int | None]] = []
    rulings: set[Ruling] = set()
    events: list[Event] = []
    sort_at = now
    for group in groups:
        first = group[0]
        if first.merged_from is not None:
            target = known.stories[first.merged_from]
            merged.append((target.id, None))
        else:
            target = naming.found(first, now)
        publications.settle(target, group, sort_at=sort_at, because="unmerged")
        sort_at -= MICROSECOND  # each next story is listed below (M1)
        ids = {member.id for member in group}
        for member in group:
            moved.append(MovedEntry(id=member.id, from_story=number, story=target.id, merged_from=None))
            facts = {"to": target.id, "revived": first.merged_from is not None}
            events.append(Event(code=Code.UNMERGE_STORY, entry=member.id, story=number, facts=facts))
            rulings |= {Ruling.on(member.id, m.id, Verdict.DIFFERENT) for m in members if m.id not in ids}
        events.append(Event(code=Code.UNMERGE_STORY, story=target.id, facts={"parted": number}))
    ruled = sorted(rulings, key=lambda ruling: (ruling.entry, ruling.other))
    return _changes(publications, stories=naming.stories, moved=moved, merged=merged, rulings=ruled, events=events)


def retract(known: StoryMembers, number: int, *, now: datetime, roster: Roster) -> EntryChanges:
    """Withdraw a story from every category, whatever its sources say later.

    Raises:
        CorrectionRefused: it is retracted already.
    """
    story = _existing_story(known, number)
    if story.retracted_at is not None:
        raise CorrectionRefused(f"{story.atom_id} is retracted already")
    publications = PublicationDraft(now=now, roster=roster, categories=known.categories)
    publications.settle(story, (), because="retracted")
    return _changes(publications, retracted=[(number, now)], events=[Event(code=Code.RETRACT_STORY, story=number)])


def forget(known: StoryMembers, number: int, *, now: datetime, roster: Roster) -> EntryChanges:
    """Withdraw a story from every category; the caller removes its texts from the store.

    Raises:
        CorrectionRefused: it is forgotten already.
    """
    story = _existing_story(known, number)
    if _is_forgotten(known.members[number]):
        raise CorrectionRefused(f"{story.atom_id} is forgotten already")
    publications = PublicationDraft(now=now, roster=roster, categories=known.categories)
    publications.settle(story, (), because="forgotten")
    events = [Event(code=Code.RETRACT_STORY, story=number, facts={"forgotten": True})]
    return _changes(publications, retracted=[(number, now)], events=events)


def _is_forgotten(members: Sequence[KnownEntry]) -> bool:
    """Return whether an operator had the entries of a story forgotten: withdrawn at no time, never to be relisted."""
    return all(entry.state is EntryState.WITHDRAWN and entry.taken_back_at is None for entry in members)


def restore(known: StoryMembers, number: int, *, now: datetime, roster: Roster) -> EntryChanges:
    """Undo `retract`: same id, order and page. Where a copy was published meanwhile, the publication is new (N3).

    Raises:
        CorrectionRefused: it is not retracted, or nothing but its id came back when the store was lost.
    """
    story = _existing_story(known, number)
    if story.retracted_at is None:
        raise CorrectionRefused(f"{story.atom_id} is not retracted")
    if any(entry.id == story.founder and entry.source_key == LOST for entry in known.members[number]):
        raise CorrectionRefused(
            f"{story.atom_id} was withdrawn before the store was lost: its text and its place are in no document, so "
            "it can't come back, and stays withdrawn. If there is a backup of the store from before, `aggregator "
            "restore FILE` brings both back where no store is"
        )
    if _is_forgotten(known.members[number]):
        raise CorrectionRefused(f"{story.atom_id} was forgotten: its texts are no longer in the store")
    publications = PublicationDraft(now=now, roster=roster, categories=known.categories)
    publications.settle(story, known.members[number], because="restored")
    return _changes(publications, retracted=[(number, None)], events=[Event(code=Code.RESTORE_STORY, story=number)])


def _existing_story(known: StoryMembers, number: int) -> KnownStory:
    """Return a story that was not merged into another one."""
    story = known.stories.get(number)
    if story is None:
        raise CorrectionRefused(f"there is no story {number}")
    if story.merged_into is not None:
        raise CorrectionRefused(f"{story.atom_id} was merged into another story meanwhile")
    return story


def _leaving(story: KnownStory, members: Sequence[KnownEntry], wanted: int | None) -> list[list[KnownEntry]]:
    """Return the entries that leave a story, grouped by those that leave together."""
    if wanted is not None:
        entry = next((member for member in members if member.id == wanted), None)
        if entry is None:
            raise CorrectionRefused(f"entry {wanted} does not tell {story.atom_id}")
        if wanted == story.founder:
            raise CorrectionRefused(f"entry {wanted} founded {story.atom_id} and keeps that id; name another entry")
        if entry.merged_from is None and entry.state is not EntryState.PUBLISHED:
            raise CorrectionRefused(f"entry {wanted} is {entry.state}: it can't stand by itself")
    groups: dict[tuple[bool, int], list[KnownEntry]] = {}
    for member in members:
        came = member.merged_from is not None
        if member.id != story.founder and (came or member.state is EntryState.PUBLISHED):
            groups.setdefault((came, member.merged_from or member.id), []).append(member)
    found = [group for group in groups.values() if wanted is None or any(member.id == wanted for member in group)]
    if not found:
        raise CorrectionRefused(f"{story.atom_id} is told by its founding entry alone: there is nothing to take apart")
    return sorted(found, key=lambda group: _own_date(group[0]), reverse=True)


def _own_date(entry: KnownEntry) -> datetime:
    return believed(entry.published or entry.updated, entry.first_seen) or entry.first_seen


class _Naming:
    """Makes the stories that entries found when they leave a story, with ids for ever (T8, A4)."""

    def __init__(self, known: StoryMembers) -> None:
        self._known = known
        self.stories: list[NewStory] = []

    def found(self, entry: KnownEntry, now: datetime) -> KnownStory:
        """Return the story that an entry founds."""
        taken = self._known.taken | {story.atom_id for story in self.stories}
        own = entry.own_id if entry.own_id and is_identifier(entry.own_id) and not entry.private else None
        minted = minted_id(self._known.store_uuid, entry.source_key, entry.key)
        atom_id = own if own is not None and own not in taken else minted
        if atom_id in taken:  # its key named another entry before (I35)
            key = f"{entry.key}\0{entry.id}"
            atom_id = minted_id(self._known.store_uuid, entry.source_key, key)
        made = NewStory(
            id=self._known.next_story + len(self.stories),
            atom_id=atom_id,
            page_id=page_id_of(atom_id, self._known.taken_pages | {story.page_id for story in self.stories}),
            founder=entry.id,
            bands=() if entry.thinned else bands_of(telling_of(entry)),
        )
        self.stories.append(made)
        return KnownStory(
            id=made.id,
            atom_id=made.atom_id,
            page_id=made.page_id,
            founder=entry.id,
            created_at=now,
            sources=frozenset({entry.source}),
            publications=(),
        )


def _changes(
    publications: PublicationDraft,
    *,
    stories: Sequence[NewStory] = (),
    moved: Sequence[MovedEntry] = (),
    merged: Sequence[tuple[int, int | None]] = (),
    retracted: Sequence[tuple[int, datetime | None]] = (),
    rulings: Sequence[Ruling] = (),
    traceless: bool = False,
    events: Sequence[Event] = (),
) -> EntryChanges:
    of_stories = replace(
        publications.changes(new=stories),
        merged=tuple(merged),
        retracted=tuple(retracted),
        rulings=tuple(rulings),
        traceless=traceless,
    )
    return EntryChanges(moved=tuple(moved), stories=of_stories, events=(*events, *publications.events))
