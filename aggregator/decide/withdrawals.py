"""Entries that their source withdraws or lists again (I26), and the effect on their stories (T9). Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from aggregator.decide.draft import Draft
from aggregator.decide.order import FUTURE
from aggregator.identify.keys import key_form
from aggregator.model.changes import Relisted, TakenBack
from aggregator.model.entry import Entry, Feed
from aggregator.model.event import Code
from aggregator.model.known import EntryState, KnownEntry, ListedEntry


class Withdrawals:
    """Decides on the tombstones of one document.

    Args:
        draft: what is known, and where decisions go.
    """

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._again: dict[int, KnownEntry] = {}  # what is listed again, by its id

    def take_back(self, feed: Feed) -> frozenset[str]:
        """Withdraw the entries that a document's tombstones name, by any of their ids, if they are of this source.

        An entry that the same document lists with an `updated` at or after the tombstone's time has come back since; so
        has an entry beside a tombstone without time. An entry that came back by an earlier document stays, too: the
        tombstone may remain longer than the entry.

        Returns:
            The forms of ids that count as not listed, whatever the document says.
        """
        listed = {key_form(entry.key): entry for entry in feed.entries}
        forms = set()
        for ref, when in feed.deleted:
            form = key_form(ref)
            entry = listed.get(form)
            if entry is not None and (when is None or (entry.updated is not None and entry.updated >= when)):
                continue
            before = self._draft.known.deleted.get(form)
            if before is not None and self._outlives(before, when):
                continue
            forms.add(form)
            if before is not None:
                self._note(before, when)
        gone = {before.id: before for before in self._draft.known.deleted.values()}
        for item in self._draft.taken_back.values():
            if not item.again:
                self._leave(gone[item.id])
        return frozenset(forms)

    def relist(self, before: KnownEntry, updated: datetime) -> None:
        """Publish an entry again that its source had withdrawn; one that never had a story stays unpublished.

        Args:
            before: as it is kept to be shown.
            updated: as it is listed now.
        """
        state = EntryState.KNOWN if before.story is None else EntryState.PUBLISHED
        self._draft.relisted.append(Relisted(before.id, state, updated))
        said = updated.isoformat(timespec="seconds")
        self._draft.note(Code.RELIST_ENTRY, before.id, before.story, updated=said)
        self._again[before.id] = replace(before, state=state, updated=updated)
        story = self._draft.known.stories.get(before.story) if before.story is not None else None
        if story is None or story.retracted_at is not None:
            return
        copies = self._copies(story.id)
        self._draft.publications.settle(story, copies, gained={before.id}, because="its source lists it again")

    def _outlives(self, before: KnownEntry, when: datetime | None) -> bool:
        """Return whether a published entry is newer than a tombstone; a date in the future does not count (I42)."""
        if before.state is EntryState.WITHDRAWN or when is None or before.updated is None:
            return False
        return when < before.updated <= self._draft.asked_at + FUTURE

    def _note(self, before: KnownEntry, when: datetime | None) -> None:
        at = when or self._draft.asked_at
        if before.state is EntryState.WITHDRAWN:
            if when is not None and before.taken_back_at is not None and when > before.taken_back_at:
                self._draft.taken_back[before.id] = TakenBack(before.id, at, again=True)
        elif before.id not in self._draft.taken_back:  # it may be named twice, by two ids
            said = when.isoformat(timespec="seconds") if when else None
            self._draft.note(Code.WITHDRAW_ENTRY, before.id, before.story, when=said)
            self._draft.taken_back[before.id] = TakenBack(before.id, at)

    def _leave(self, gone: KnownEntry) -> None:
        """Withdraw a copy from its story, and the story if no copy is left."""
        story = self._draft.known.stories.get(gone.story) if gone.story is not None else None
        if story is None or story.retracted_at is not None:
            return
        self._draft.publications.settle(story, self._copies(story.id), because="its source took it back")

    def _copies(self, number: int) -> list[KnownEntry]:
        """Return the entries of a story that their sources have not withdrawn."""
        copies = self._draft.known.copies.get(number, ())
        return [self._again.get(copy.id, copy) for copy in copies if copy.id not in self._draft.taken_back]


def relisted_at(before: ListedEntry, entry: Entry, asked_at: datetime) -> datetime | None:
    """Return the date with which a withdrawn entry is listed again: later than its tombstone (I26).

    Returns:
        None if it stays withdrawn; so it does with a date that lies too far ahead to be believed (I42).
    """
    if before.state is not EntryState.WITHDRAWN or before.taken_back_at is None or entry.updated is None:
        return None
    return entry.updated if before.taken_back_at < entry.updated <= asked_at + FUTURE else None


def without(entries: Sequence[Entry], forms: frozenset[str]) -> tuple[Entry, ...]:
    """Return the entries of a document without those that it withdraws."""
    return tuple(entry for entry in entries if key_form(entry.key) not in forms)
