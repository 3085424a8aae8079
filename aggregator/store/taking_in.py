"""Adds publications of published documents to a store that was restored from an older backup.

The documents have the changes after the backup: stories with their categories, archive pages, revisions and tombstones.
Nothing that the store has is removed, and no date becomes earlier. Corrections of an operator after the backup
(`merge`, `unmerge`) are lost: no document has them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, func, select, update

from aggregator.identify.ids import page_id_of
from aggregator.identify.keys import key_form
from aggregator.identify.matching import telling
from aggregator.identify.minhash import bands_of
from aggregator.model.changes import (
    CompletedEntry,
    Correction,
    EntryChanges,
    NewEntry,
    ReleasedEntry,
    RevisedEntry,
)
from aggregator.model.entry import EntryKey
from aggregator.model.known import LOST, EntryState
from aggregator.model.restored import Restored, RestoredEntry, RestoredPublication
from aggregator.model.settings import SourceKey
from aggregator.model.story_changes import NewPublication, NewStory, ShownChange, StoryChanges
from aggregator.store import restoring
from aggregator.store.apply import apply
from aggregator.store.publications import publication_row
from aggregator.store.queries import PUBLICATIONS_BY_STORY, by, rows_by
from aggregator.store.schema import MICROSECOND, category, detail, entry, publication, source, store, story

_Key = tuple[SourceKey, str]  # source, and form of an entry's key

_STORIES = by(select(story), story.c.atom_id)
_ENTRIES = by(
    select(
        entry.c.id,
        entry.c.key_hash,
        entry.c.state,
        entry.c.story_id,
        entry.c.undated,
        func.coalesce(entry.c.shown_digest, entry.c.digest).label("shown_digest"),
        source.c.key.label("source_key"),
    ).join(source, source.c.id == entry.c.source_id),
    entry.c.key_hash,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """Counts of what was added to the store from the outputs."""

    stories: int = 0  # that the store did not know
    pages: int = 0  # of archives, likewise
    revised: int = 0  # entries
    withdrawn: int = 0  # publications


class TakingIn:
    """Statements that add published documents to a store from a backup: `tx.taking_in`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def take_in(self, restored: Restored, now: datetime) -> TakenIn:
        """Add to the store the changes that later outputs have. A second call changes nothing.

        Args:
            restored: content of the outputs.
            now: the time.

        Returns:
            Counts of the changes; all 0 if the outputs are those of another store.
        """
        uuid = self._connection.execute(select(store.c.uuid)).scalar_one()
        if restored.store is None or str(restored.store) != uuid:
            return TakenIn()
        return _TakingIn(self._connection, restored, now).done()


class _TakingIn:
    def __init__(self, connection: Connection, restored: Restored, now: datetime) -> None:
        self._connection, self._restored, self._now = connection, restored, now
        self._layers = now - timedelta(seconds=1)  # earlier than any entry that joins from now on
        self._places, self._pages = self._categories()
        self._stories = self._known_stories()
        known = {(SourceKey(row["source_key"]), row["key_hash"]): row for row in self._known_entries()}
        self._known: Mapping[_Key, RowMapping] = known
        self._told = [one for one in restored.entries if self._may_join(one)]
        self._shown = {(p.shown[0], key_form(EntryKey(p.shown[1]))) for p in restored.publications}

    def done(self) -> TakenIn:
        made = self._make_stories()
        self._write_entries(made)
        revised = self._write_publications()
        withdrawn = self._withdraw()
        restoring.note_said(self._connection, self._restored, self._places)
        return TakenIn(stories=len(made), pages=self._pages, revised=revised, withdrawn=withdrawn)

    # Known records.

    def _categories(self) -> tuple[dict[str, int], int]:
        """Return the ids of categories by their keys in the outputs, and the number of unknown archive pages.

        Categories that items named after the backup are inserted.
        """
        rows = self._connection.execute(select(category)).all()
        by_feed, by_key = {row.feed_id: row for row in rows}, {row.key: row for row in rows}
        keys, slugs = set(by_key), {row.slug for row in rows}
        places, pages, number = {}, 0, max((row.id for row in rows), default=0) + 1
        for one in self._restored.categories:
            row = by_feed.get(one.feed_id) or by_key.get(one.key)
            if row is not None:
                places[str(one.key)] = row.id
            elif one.key not in keys and one.slug not in slugs:
                values = restoring.category_values(one, self._now) | {"id": number}
                self._connection.execute(category.insert().values(values))
                places[str(one.key)] = number
                number += 1
            else:
                continue
            pages += max(0, one.pages - (row.pages if row is not None else 0))
            taller = (category.c.id == places[str(one.key)]) & (category.c.pages < one.pages)
            self._connection.execute(update(category).where(taller).values(pages=one.pages))
        return places, pages

    def _known_stories(self) -> dict[str, RowMapping]:
        atom_ids = sorted({one.story for one in self._restored.entries} | {t.ref for t in self._restored.tombstones})
        return {row["atom_id"]: row for row in rows_by(self._connection, _STORIES, atom_ids)}

    def _known_entries(self) -> list[RowMapping]:
        forms = sorted({key_form(one.entry.key) for one in self._restored.entries})
        return list(rows_by(self._connection, _ENTRIES, forms))

    def _may_join(self, one: RestoredEntry) -> bool:
        """Return whether an entry may join its story: no if it is in another story, withdrawn, or the story merged."""
        known = self._stories.get(one.story)
        if known is not None and known["merged_into"] is not None:
            return False
        row = self._known.get(_key_of(one))
        if row is None or row["story_id"] is None:
            return row is None or row["state"] != EntryState.WITHDRAWN
        return known is not None and row["story_id"] == known["id"]

    # New stories and entries.

    def _make_stories(self) -> dict[str, NewStory]:
        """Return the stories that the store does not have, by atom:id; also sets the ids of entries and stories."""
        counters = self._connection.execute(select(store.c.next_entry, store.c.next_story)).one()
        new = [one for one in self._told if _key_of(one) not in self._known]
        first = counters.next_entry or 1
        self._numbers: dict[_Key, int] = {key: row["id"] for key, row in self._known.items()}
        ranked = sorted(new, key=lambda one: (one.story, one.rank))
        self._numbers |= {_key_of(one): number for number, one in enumerate(ranked, start=first)}
        self._free = first + len(ranked)
        taken = {row.page_id for row in self._connection.execute(select(story.c.page_id))}
        made: dict[str, NewStory] = {}
        for one in self._told:
            if one.story in self._stories or one.story in made:
                continue
            page_id = page_id_of(one.story, frozenset(taken))
            taken.add(page_id)
            number = (counters.next_story or 1) + len(made)
            made[one.story] = NewStory(
                id=number, atom_id=one.story, page_id=page_id, founder=self._numbers[_key_of(one)]
            )
        self._story_ids = {atom_id: row["id"] for atom_id, row in self._stories.items()}
        self._story_ids |= {atom_id: one.id for atom_id, one in made.items()}
        self._free_story = (counters.next_story or 1) + len(made)
        return made

    def _write_entries(self, made: Mapping[str, NewStory]) -> None:
        of_source: dict[SourceKey, list[RestoredEntry]] = {}
        for one in self._told:
            of_source.setdefault(one.source, []).append(one)
        lost = any(tombstone.ref not in self._story_ids for tombstone in self._restored.tombstones)
        sources = restoring.sources(self._connection, of_source, self._now, lost=lost)
        self._lost = sources.get(LOST)
        made_stories = StoryChanges(new=tuple(made.values()))
        apply(self._connection, [Correction(at=self._now, entries=EntryChanges(stories=made_stories))])
        founders = {one.founder for one in made.values()}
        joined = []
        for key, some in of_source.items():
            new = [one for one in some if _key_of(one) not in self._known]
            late = [
                one for one in some if _key_of(one) in self._known and self._known[_key_of(one)]["story_id"] is None
            ]
            changes = EntryChanges(
                new=tuple(
                    NewEntry(
                        id=self._numbers[_key_of(one)],
                        entry=one.entry,
                        form=key_form(one.entry.key),
                        state=EntryState.PUBLISHED,
                        story=self._story_ids[one.story],
                        categories=self._places_of(one),
                        origin=one.origin,
                        bands=self._bands_of(one, founders),
                    )
                    for one in new
                ),
                completed=tuple(
                    CompletedEntry(id=self._numbers[_key_of(one)], entry=one.entry)
                    for one in late
                    if _key_of(one) in self._shown
                ),
                released=tuple(
                    ReleasedEntry(
                        id=self._numbers[_key_of(one)],
                        form=key_form(one.entry.key),
                        state=EntryState.PUBLISHED,
                        story=self._story_ids[one.story],
                        categories=self._places_of(one),
                        bands=self._bands_of(one, founders),
                    )
                    for one in late
                ),
            )
            apply(self._connection, [Correction(at=self._now, entries=changes, source=sources[key])])
            self._connection.execute(delete(detail).where(detail.c.entry_id.in_([one.id for one in changes.released])))
            self._settle(sources[key], some)
            joined += [(one, True) for one in new] + [(one, False) for one in late]
        rows = [
            {
                "row_id": self._numbers[_key_of(one)],
                "new_joined": self._layers + one.layer * MICROSECOND
                if one.layer
                else min(one.first_seen, self._layers),
            }
            | ({"new_seen": one.first_seen} if is_new else {})
            for one, is_new in joined
        ]
        of_row = update(entry).where(entry.c.id == bindparam("row_id"))
        for names in ({"joined_at": "new_joined", "first_seen": "new_seen"}, {"joined_at": "new_joined"}):
            some_rows = [row for row in rows if len(row) == len(names) + 1]
            if some_rows:
                self._connection.execute(of_row.values({k: bindparam(v) for k, v in names.items()}), some_rows)

    def _settle(self, number: int, some: list[RestoredEntry]) -> None:
        asked = select(source.c.first_stored_at, source.c.listed).where(source.c.id == number)
        row = self._connection.execute(asked).one()
        if row.first_stored_at is None:  # its first poll came after the backup
            ids = {(one.source, one.entry.key): self._numbers[_key_of(one)] for one in some}
            restoring.settle_source(self._connection, number, some, ids, self._now, initial=None)
        else:
            new = sorted((one for one in some if _key_of(one) not in self._known), key=lambda one: one.first_seen)
            later = [self._numbers[_key_of(one)] for one in reversed(new)][: restoring.LISTED]
            values = {"entries": source.c.entries + len(new), "listed": [*later, *(row.listed or ())]}
            self._connection.execute(update(source).where(source.c.id == number).values(values))

    def _places_of(self, one: RestoredEntry) -> tuple[int, ...]:
        return tuple(self._places[place] for place in one.categories if place in self._places)

    def _bands_of(self, one: RestoredEntry, founders: set[int]) -> tuple[int, ...]:
        is_founder = self._numbers[_key_of(one)] in founders
        return bands_of(telling(one.entry)) if one.entry.text and is_founder else ()

    # Publications.

    def _write_publications(self) -> int:
        numbers = sorted(set(self._story_ids.values()))
        rows = rows_by(self._connection, PUBLICATIONS_BY_STORY, numbers)
        self._standing = {(row["story_id"], row["category_id"]): row for row in rows}
        told = {_key_of(one): one for one in self._told}
        new: list[dict[str, Any]] = []
        paged: list[dict[str, Any]] = []
        otherwise: list[ShownChange] = []
        revised: dict[int, RevisedEntry] = {}
        back: list[int] = []  # stories that were brought back after the backup
        for one in self._restored.publications:
            key = (one.shown[0], key_form(EntryKey(one.shown[1])))
            place = self._places.get(one.category)
            if place is None or key not in told:
                continue
            number, shown = self._story_ids[one.story], self._numbers[key]
            row = self._standing.get((number, place))
            filed_at = self._layers + one.layer * MICROSECOND
            if row is None:
                new.append(self._row_of(one, number, place, shown, filed_at))
                continue
            if row["page"] is None and one.page is not None:
                paged.append({"of_story": number, "of_category": place, "new_page": one.page, "new_filed": filed_at})
            if not self._is_later(one, row, shown):
                continue
            if row["withdrawn_at"] is not None:
                back.append(number)
            otherwise.append(
                ShownChange(story=number, category=place, shown=shown, digest=one.digest, updated=one.updated)
            )
            before, entry_ = self._known.get(key), told[key].entry
            if before is not None and before["story_id"] is not None and before["shown_digest"] != entry_.digest:
                revised[shown] = RevisedEntry(
                    id=shown,
                    entry=entry_,
                    digest=entry_.told_digest,
                    published=entry_.published,
                    undated=before["undated"],
                    origin=told[key].origin,
                )
        if new:
            self._connection.execute(publication.insert(), new)
        if paged:
            filing = update(publication).where(
                publication.c.story_id == bindparam("of_story"), publication.c.category_id == bindparam("of_category")
            )
            values = {"page": bindparam("new_page"), "filed_at": bindparam("new_filed"), "backfill": False}
            self._connection.execute(filing.values(values), paged)
        if back:
            self._connection.execute(update(story).where(story.c.id.in_(back)).values(retracted_at=None))
        changes = EntryChanges(revised=tuple(revised.values()), stories=StoryChanges(shown=tuple(otherwise)))
        apply(self._connection, [Correction(at=self._now, entries=changes)])
        return len(revised)

    def _is_later(self, one: RestoredPublication, row: RowMapping, shown: int) -> bool:
        """Return whether the outputs show another entry or text of a publication than the store, and no older text.

        Another copy may have the same date (T3). A publication that is withdrawn in the store is later if its date is
        after the withdrawal: `retract --undo` sets such a date.
        """
        before = self._known.get((one.shown[0], key_form(EntryKey(one.shown[1]))))
        if before is not None and before["state"] == EntryState.WITHDRAWN:
            return False
        if row["withdrawn_at"] is not None:
            return bool(one.updated > row["withdrawn_at"])
        is_same = (one.digest, one.updated, shown) == (row["digest"], row["updated"], row["shown_id"])
        return bool(one.updated >= row["updated"]) and not is_same

    def _row_of(
        self, one: RestoredPublication, number: int, place: int, shown: int, filed_at: datetime
    ) -> dict[str, Any]:
        made = NewPublication(
            story=number,
            category=place,
            entered_at=one.entered_at,
            sort_at=one.sort_at,
            backfill=False,
            shown=shown,
            digest=one.digest,
            updated=one.updated,
        )
        paged = {"page": one.page, "filed_at": filed_at if one.page else None}
        return publication_row(made) | paged | {"thinned_at": self._now if one.thinned else None}

    def _withdraw(self) -> int:
        stand = {(self._story_ids.get(p.story), self._places.get(p.category)) for p in self._restored.publications}
        gone = restoring.withdraw_since(
            self._connection, self._restored, self._story_ids, self._places, self._standing, stand
        )
        has_unknown = not self._story_ids.keys() >= {tombstone.ref for tombstone in self._restored.tombstones}
        if has_unknown or any(_key_of(one) not in self._known for one in self._told):
            restoring.mind_restored(self._connection)
        free, free_story = self._free, self._free_story
        restoring.insert_tombstones(
            self._connection,
            self._restored,
            self._lost,
            self._story_ids,
            self._places,
            free=free,
            free_story=free_story,
            now=self._now,
        )
        return gone


def _key_of(one: RestoredEntry) -> _Key:
    return one.source, key_form(one.entry.key)
