"""Decides which publications of a story exist and which entry each one shows (T2 to T4, T8, T9, N3). Pure.

A story is published in a category as long as an entry of it is published there by its own source. Polls, corrections
and edits of feeds.yaml all use the one way into a category and the one way out.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from aggregator.decide.copies import OPEN, SECOND, best_of, compare, copy_of, moved_updated
from aggregator.decide.order import believed
from aggregator.model.entry import Digest
from aggregator.model.event import Code, Event
from aggregator.model.known import EntryState, KnownEntry, KnownPublication, KnownStory
from aggregator.model.settings import Roster
from aggregator.model.story_changes import NewPublication, NewStory, Pin, ShownChange, StoryChanges, Unpinned


def said_gone_at(withdrawn_at: datetime, updated: datetime) -> datetime:
    """Return the `when` of a tombstone: readers let the newer of entry and tombstone win, and disagree about ties.

    Args:
        withdrawn_at: when it was withdrawn.
        updated: of the publication; it may lie in the future (I42), or in the same second.
    """
    return max(withdrawn_at, updated.replace(microsecond=0) + SECOND)


@dataclass(kw_only=True)
class PublicationDraft:
    """Decides on publications, one act after the other; each act sees the changes of those before it."""

    now: datetime
    roster: Roster
    categories: frozenset[int]  # that take new publications
    source: int | None = None  # id of the source whose document is decided
    entered: list[NewPublication] = field(default_factory=list)
    shown: list[ShownChange] = field(default_factory=list)
    withdrawn: list[tuple[int, int]] = field(default_factory=list)
    dirty: set[tuple[int, int | None]] = field(default_factory=set)
    pins: set[Pin] = field(default_factory=set)
    unpinned: set[Unpinned] = field(default_factory=set)
    events: list[Event] = field(default_factory=list)
    _as_decided: dict[int, dict[int, KnownPublication]] = field(default_factory=dict)  # by story and category
    _updated_before: dict[tuple[int, int], datetime] = field(default_factory=dict)  # of what this act has moved

    def changes(self, *, new: Sequence[NewStory] = ()) -> StoryChanges:
        """Return what was decided so far; `new` are the stories that were made."""
        return StoryChanges(
            new=tuple(new),
            publications=tuple(self.entered),
            shown=tuple(self.shown),
            withdrawn=tuple(self.withdrawn),
            dirty=frozenset(self.dirty),
            pins=frozenset(self.pins),
            unpinned=frozenset(self.unpinned),
        )

    def publications_of(self, story: KnownStory) -> list[KnownPublication]:
        """Return a story's publications after the decisions so far."""
        before = {publication.category: publication for publication in story.publications}
        return list((before | self._as_decided.get(story.id, {})).values())

    def settle(
        self,
        story: KnownStory,
        members: Sequence[KnownEntry],
        *,
        gained: Collection[int] = (),
        sort_at: datetime | None = None,
        because: str = "",
        backfill: bool = False,
    ) -> None:
        """Bring a story's publications in line with its entries.

        Args:
            story: as stored.
            members: its entries from now on, first seen first; none: it is withdrawn everywhere.
            gained: ids of its new entries: in its first hour they may be shown (T3).
            sort_at: of publications that are made; None: now (M1).
            because: the reason, for events.
            backfill: whether publications that are made are part of one (M4).
        """
        published = [entry for entry in members if entry.state is EntryState.PUBLISHED]
        publications = self.publications_of(story)
        for publication in publications:
            copies = [entry for entry in published if publication.category in entry.categories]
            if not copies:
                self._withdraw(publication, because)
            elif publication.withdrawn:
                self._return(publication, copies, because)
            else:
                self.dirty.add((publication.category, publication.page))  # its credits may read otherwise
                self._choose(publication, copies, gained)
        there = {publication.category for publication in publications}
        for category in sorted({place for entry in published for place in entry.categories} - there):
            if category in self.categories:
                copies = [entry for entry in published if category in entry.categories]
                shown = best_of(copies, self.roster)
                self.enter(story.id, category, shown, sort_at or self.now, backfill=backfill)
                self._note(Code.PUBLISH_STORY, story.id, category, shown.id)

    def join(
        self,
        story: KnownStory,
        copy: KnownEntry,
        before: Mapping[int, KnownEntry],
        *,
        agrees: bool,
        sort_at: datetime,
        backfill: bool,
    ) -> None:
        """Publish a copy where its own source publishes it, beside the other copies of its story (N3, T10).

        Args:
            story: as stored.
            copy: the new entry.
            before: the entries that are shown of it, by id.
            agrees: its text agrees, so that it may be shown instead of another within the hour.
            sort_at: of publications that are made.
            backfill: whether those are part of one (M4).
        """
        publications = self.publications_of(story)
        for category in copy.categories:
            if category not in {publication.category for publication in publications}:
                self.enter(story.id, category, copy, sort_at, backfill=backfill)
                self._note(Code.PUBLISH_STORY, story.id, category, copy.id)
        for publication in publications:
            if publication.withdrawn:
                if publication.category in copy.categories:
                    self._return(publication, [copy], "a copy came")
            elif publication.page is None:  # a full page takes no notice of later copies (M7)
                self.dirty.add((publication.category, None))  # the credits change
                shown = before.get(publication.shown)
                if agrees and publication.category in copy.categories and shown is not None:
                    self._choose(publication, [shown, copy], {copy.id})

    def enter(self, story: int, category: int, shown: KnownEntry, sort_at: datetime, *, backfill: bool = False) -> None:
        """Publish a story in a category where it was never published."""
        own = believed(shown.updated or shown.published, shown.first_seen) or shown.first_seen
        made = NewPublication(
            story=story,
            category=category,
            entered_at=self.now,
            sort_at=sort_at,
            backfill=backfill,
            shown=shown.id,
            digest=shown.shown_digest,
            updated=own,
        )
        self.entered.append(made)
        self._as_decided.setdefault(story, {})[category] = KnownPublication(
            story=story,
            category=category,
            entered_at=self.now,
            shown=shown.id,
            digest=shown.shown_digest,
            updated=own,
            page=None,
            withdrawn_at=None,
        )
        self.dirty.add((category, None))

    def choose_anew(self, story: KnownStory, members: Sequence[KnownEntry], because: str) -> None:
        """Choose the shown copies as if all entries had come today; full pages do not change (T3, M7).

        Args:
            story: as stored.
            members: its entries, first seen first.
            because: the reason, for events.
        """
        for publication in self.publications_of(story):
            copies = [
                entry
                for entry in members
                if entry.state is EntryState.PUBLISHED and publication.category in entry.categories
            ]
            if copies and not publication.withdrawn and publication.page is None:
                self._switch(publication, best_of(copies, self.roster), because)

    def reword(
        self, publication: KnownPublication, entry: int, digest: Digest, own: datetime | None, *, template: bool
    ) -> None:
        """Change the text of an entry that a publication shows or credits (T4).

        Args:
            publication: as decided so far.
            entry: id of the entry whose text changed.
            digest: of the new text.
            own: the source's `updated` of the new text.
            template: by a change of much at once (R47), or by an edited rule: `updated` does not move, and an archive
                page goes on to show what it shows (M7).
        """
        is_shown = publication.shown == entry
        if template and publication.page is not None:
            shows = publication.digest if is_shown else None
            self.pins.add(Pin(category=publication.category, story=publication.story, entry=entry, digest=shows))
            self.dirty.add((publication.category, None))  # the start page may show it, though its page does not
        else:
            self._unpin(publication, entry)
            self.dirty.add((publication.category, publication.page))
        if is_shown and publication.digest != digest:
            updated = publication.updated if template else self._moved(publication, own)
            self._show(publication, entry, digest, updated)

    def _unpin(self, publication: KnownPublication, entry: int | None = None) -> None:
        if publication.page is not None:
            self.unpinned.add(Unpinned(category=publication.category, story=publication.story, entry=entry))

    def _withdraw(self, publication: KnownPublication, because: str) -> None:
        if publication.withdrawn:
            return
        self.withdrawn.append((publication.story, publication.category))
        self._unpin(publication)
        self.dirty |= {(publication.category, publication.page), (publication.category, None)}  # where its tombstone is
        self._as_decided.setdefault(publication.story, {})[publication.category] = replace(
            publication, withdrawn_at=self.now
        )
        self._note(Code.WITHDRAW_STORY, publication.story, publication.category, because=because)

    def _return(self, publication: KnownPublication, copies: Sequence[KnownEntry], because: str) -> None:
        """Publish a withdrawn publication again, with an `updated` newer than its tombstone (T8)."""
        assert publication.withdrawn_at is not None
        gone_at = said_gone_at(publication.withdrawn_at, publication.updated).replace(microsecond=0)
        shown = next((entry for entry in copies if entry.id == publication.shown), None) or best_of(copies, self.roster)
        self._show(publication, shown.id, shown.shown_digest, max(self.now, gone_at + SECOND))
        self._unpin(publication)
        self.dirty |= {(publication.category, publication.page), (publication.category, None)}  # where its tombstone is
        self._note(Code.RETURN_STORY, publication.story, publication.category, shown.id, because=because)

    def _choose(self, publication: KnownPublication, copies: Sequence[KnownEntry], gained: Collection[int]) -> None:
        """Switch to another copy if the shown one is gone, or a better one came within the hour (T3)."""
        before = next((entry for entry in copies if entry.id == publication.shown), None)
        if before is None:
            self._switch(publication, best_of(copies, self.roster), "the copy that was shown is gone")
        elif publication.page is None and self.now < publication.entered_at + OPEN:
            better = best_of([before, *(entry for entry in copies if entry.id in gained)], self.roster)
            _, merit = compare(copy_of(better, self.roster), copy_of(before, self.roster))
            self._switch(publication, better, merit)

    def _switch(self, publication: KnownPublication, shown: KnownEntry, because: str) -> None:
        if shown.id == publication.shown:
            return
        same = publication.digest == shown.shown_digest
        updated = publication.updated if same else self._moved(publication, shown.updated)
        self._show(publication, shown.id, shown.shown_digest, updated)
        self._unpin(publication)
        self.dirty.add((publication.category, publication.page))
        self._note(Code.SWITCH_COPY, publication.story, publication.category, shown.id, because=because)

    def _moved(self, publication: KnownPublication, own: datetime | None) -> datetime:
        """Return the `updated` of a publication that shows something else now; one act moves it once."""
        before = self._updated_before.setdefault((publication.story, publication.category), publication.updated)
        return max(publication.updated, moved_updated(before, own, self.now))

    def _show(self, publication: KnownPublication, shown: int, digest: Digest, updated: datetime) -> None:
        story, category = publication.story, publication.category
        change = ShownChange(story=story, category=category, shown=shown, digest=digest, updated=updated)
        self.shown.append(change)
        if publication.withdrawn and (story, category) in self.withdrawn:  # by this act: the last decision counts
            self.withdrawn.remove((story, category))
        self._as_decided.setdefault(story, {})[category] = replace(
            publication, shown=shown, digest=digest, updated=updated, withdrawn_at=None
        )

    def _note(self, code: Code, story: int, category: int, entry: int | None = None, **facts: object) -> None:
        facts["category"] = category
        self.events.append(Event(code=code, source=self.source, entry=entry, story=story, facts=facts))
