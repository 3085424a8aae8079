"""Removes old texts of entries (`keep`), never the columns by which an entry is recognised (K1 to K4; R63).

Archive pages are examined once a day, a few in each transaction. A page and the texts on it are thinned in one
transaction, which also makes its category dirty (invariant 6), so that a kill leaves no half-thinned page. Texts that a
main document shows are never removed.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, delete, or_, select, tuple_, type_coerce, update

from aggregator.model.event import Code, Event
from aggregator.model.known import EntryState
from aggregator.store.categories import raise_generations
from aggregator.store.events import write_events
from aggregator.store.minhash_bands import begin_trimming
from aggregator.store.page_wordings import let_go
from aggregator.store.schema import (
    EPOCH,
    MAX_IN,
    MICROSECOND,
    UNPUBLISHED,
    body,
    detail,
    entry,
    event,
    page_wording,
    publication,
    revision,
    source,
    store,
)
from aggregator.store.stories import touch

DAILY = timedelta(days=1)  # from the end of one pass over the archives to the beginning of the next
PAGES = 10  # archive pages in one transaction: 5 ms, or 50 ms if each loses the texts of 50 entries
ENTRIES = 500  # entries that are on no archive page, in one transaction
UNPUBLISHED_FOR = timedelta(days=30)  # K4


@dataclass(frozen=True, slots=True, kw_only=True)
class Thinned:
    """Counts of what one step thinned."""

    pages: int = 0
    entries: int = 0
    is_done: bool = True  # the pass of this day is complete


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An entry whose text will be removed some day, since its source has a `keep`."""

    id: int
    story: int
    source: int
    keep: timedelta


_READABLE = frozenset({"title", "key", "link"})  # facts of events that say what an entry told
_FORGOTTEN: Final[dict[str, Any]] = {
    "title": "",
    "link": None,
    "authors": None,
    "tags": None,
    "enclosures": None,
    "supplement": None,
    "rights": None,
    "state": EntryState.WITHDRAWN.value,
    "taken_back_at": None,
}
Place = tuple[int, int]  # category, archive page
BEHIND_ALL: Final = 2**31 - 1  # a page number after all pages of a category


class Retention:
    """Statements that remove old texts from the store: `tx.retention`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def is_due(self, now: datetime) -> bool:
        """Return whether a pass over the archives is due or unfinished."""
        row = self._connection.execute(select(store.c.thinned_at, store.c.thin_after)).one()
        if row.thin_after is not None or row.thinned_at is None:
            return True
        return not timedelta(0) <= now - row.thinned_at < DAILY  # also due after the clock was set back (R21)

    def thin(self, now: datetime) -> Thinned:
        """Take one step of the pass: thin a few archive pages; after the last page, entries that are on no page.

        The latter are withdrawn before they were filed on a page, or were never published.
        """
        after = self._connection.execute(select(store.c.thin_after)).scalar_one()
        keeps = self._keeps()
        places = self._next_pages(tuple(after) if after else (0, 0)) if keeps else []
        if places:
            ready, leaving, last = self._pages_to_thin(places, keeps, now)
            self._thin_pages(ready, keeps, now)
            gone = self._remove_texts(self._leaving(leaving, keeps, now))
            self._connection.execute(update(store).values(thin_after=list(last)))
            return Thinned(pages=len(ready), entries=gone, is_done=False)
        pageless, gone = self._thin_pageless(keeps, now) if keeps else (0, 0)
        lapsed = self._remove_texts(self._never_published(now))
        is_done = pageless < ENTRIES and lapsed < ENTRIES
        self._connection.execute(update(store).values(thin_after=None, thinned_at=now if is_done else None))
        if is_done:
            begin_trimming(self._connection)
        return Thinned(entries=gone + lapsed, is_done=is_done)

    def put_off(self, now: datetime) -> None:
        """Postpone the next pass by a day: `keep` of a source became shorter, which may be a mistake."""
        self._connection.execute(update(store).values(thin_after=None, thinned_at=now))

    def forget(self, number: int, entries: Sequence[int]) -> None:
        """Remove what can be read of a story, in the transaction that withdraws it.

        What remains are the ids and the links by which its entries are recognised, and digests, so that no poll and no
        copy brings it back. Its entries are withdrawn without a date, which no later date can follow (I26). Kept bodies
        of their sources are deleted, since they hold the same texts. SQLite overwrites what is deleted.

        Args:
            number: the story.
            entries: its entries.
        """
        with self._overwriting():
            self._remove_texts(entries)
            for part in _parts(entries):
                mine = entry.c.id.in_(part)
                sources = select(entry.c.source_id).where(mine)
                self._connection.execute(delete(body).where(body.c.source_id.in_(sources)))
                self._connection.execute(delete(detail).where(detail.c.entry_id.in_(part)))
                self._connection.execute(update(entry).where(mine).values(_FORGOTTEN))
            self._connection.execute(delete(page_wording).where(page_wording.c.story_id == number))
            told = or_(event.c.story_id == number, event.c.entry_id.in_(entries))
            for row in self._connection.execute(select(event.c.id, event.c.facts).where(told)).all():
                facts = {name: value for name, value in (row.facts or {}).items() if name not in _READABLE}
                if facts != row.facts:
                    self._connection.execute(update(event).where(event.c.id == row.id).values(facts=facts))

    @contextmanager
    def _overwriting(self) -> Iterator[None]:
        """Have SQLite overwrite deleted content with zeros."""
        if self._connection.dialect.name != "sqlite":
            yield
            return
        before = self._connection.exec_driver_sql("PRAGMA secure_delete").scalar_one()
        self._connection.exec_driver_sql("PRAGMA secure_delete = ON").close()
        try:
            yield
        finally:
            self._connection.exec_driver_sql(f"PRAGMA secure_delete = {int(before)}").close()

    def would_thin(self, key: str, keep: timedelta, now: datetime) -> int:
        """Return the number of entries of a source whose texts the next passes would remove with this `keep`.

        Args:
            key: key of the source.
            keep: proposed setting.
            now: the time.
        """
        of_story = publication.c.story_id == entry.c.story_id
        in_main = publication.c.page.is_(None) & publication.c.withdrawn_at.is_(None)
        if self._restored_at() > now - keep:
            return 0
        young = select(publication.c.story_id).where(of_story, or_(publication.c.entered_at > now - keep, in_main))
        query = select(entry.c.id).join(source, source.c.id == entry.c.source_id)
        mine = (source.c.key == key, entry.c.thinned.is_(None), entry.c.story_id.is_not(None))
        found = set(self._connection.execute(query.where(*mine, ~young.exists())).scalars())
        number = self._connection.execute(select(source.c.id).where(source.c.key == key)).scalar_one_or_none()
        return len(found - self._listed([] if number is None else [number]))

    def _keeps(self) -> dict[int, timedelta]:
        """Return `keep` by id, of the sources that have one."""
        rows = self._connection.execute(select(source.c.id, source.c.keep).where(source.c.keep.is_not(None))).all()
        return {row.id: row.keep * MICROSECOND for row in rows}

    def _restored_at(self) -> datetime:
        """Return when the store was restored from published documents; the epoch if it was not.

        Only JSON Feed says when a story entered, and only of backfills; the story's own date may be years earlier. So
        every restored story counts as entered at the restore: a text may stay longer than `keep`, and never less long.
        """
        return self._connection.execute(select(store.c.restored_at)).scalar_one() or EPOCH

    def _listed(self, sources: Collection[int]) -> set[int]:
        """Return the ids of the entries in the latest documents of sources; none for sources that left feeds.yaml."""
        found: set[int] = set()
        for part in _parts(sorted(sources)):
            query = select(source.c.listed).where(source.c.id.in_(part), source.c.active)
            for numbers in self._connection.execute(query).scalars():
                found.update(numbers or ())
        return found

    def _candidates(self, stories: Iterable[int], keeps: Mapping[int, timedelta]) -> list[_Candidate]:
        found = []
        for part in _parts(sorted(stories)):
            query = select(entry.c.id, entry.c.story_id, entry.c.source_id)
            for row in self._connection.execute(
                query.where(entry.c.story_id.in_(part), entry.c.thinned.is_(None))
            ).all():
                if row.source_id in keeps:
                    found.append(_Candidate(row.id, row.story_id, row.source_id, keeps[row.source_id]))
        return found

    def _next_pages(self, after: tuple[int, ...]) -> list[Place]:
        """Return the next archive pages that show a text, at most `PAGES`."""
        query = select(publication.c.category_id, publication.c.page).distinct()
        query = query.where(publication.c.page.is_not(None), publication.c.thinned_at.is_(None))
        query = query.where(tuple_(publication.c.category_id, publication.c.page) > after)
        query = query.order_by(publication.c.category_id, publication.c.page).limit(PAGES)
        return [(row.category_id, row.page) for row in self._connection.execute(query).all()]

    def _pages_to_thin(
        self, places: Sequence[Place], keeps: Mapping[int, timedelta], now: datetime
    ) -> tuple[list[Place], list[_Candidate], Place]:
        """Return the pages on which the texts of all candidates may be removed now.

        A text that its source still lists delays the whole page, since a page changes only once. Pages of a category
        are filed one after the other: all pages after one that is too young are skipped, so that the work of a pass
        does not grow with the archive.

        Returns:
            The pages, the candidates on them, and the page after which the next step begins.
        """
        on_page: dict[Place, list[Any]] = defaultdict(list)
        names = ("story_id", "category_id", "page", "entered_at")
        query = select(*(publication.c[name] for name in names))
        query = query.where(tuple_(publication.c.category_id, publication.c.page).in_(places))
        for row in self._connection.execute(query).all():
            on_page[row.category_id, row.page].append(row)
        restored_at = self._restored_at()
        youngest = now - min(keeps.values())
        old: list[Place] = []
        last: Place = (0, 0)
        for place in places:
            if place[0] == last[0] and last[1] == BEHIND_ALL:
                continue
            is_old = all(max(row.entered_at, restored_at) <= youngest for row in on_page[place])
            old += [place] if is_old else []
            last = place if is_old else (place[0], BEHIND_ALL)
        of_story: dict[int, list[_Candidate]] = defaultdict(list)
        for candidate in self._candidates({row.story_id for place in old for row in on_page[place]}, keeps):
            of_story[candidate.story].append(candidate)
        listed = self._listed({one.source for some in of_story.values() for one in some})
        ready, leaving = [], []
        for place in old:
            told = [(one, max(row.entered_at, restored_at)) for row in on_page[place] for one in of_story[row.story_id]]
            if told and all(entered + one.keep <= now and one.id not in listed for one, entered in told):
                ready.append(place)
                leaving += [one for one, _ in told]
        return ready, leaving, last

    def _thin_pages(self, places: Sequence[Place], keeps: Mapping[int, timedelta], now: datetime) -> None:
        """Mark publications on pages as thinned, except of sources without a `keep`; the pages are rendered again."""
        shown = select(publication.c.story_id, publication.c.category_id, entry.c.source_id)
        shown = shown.join(entry, entry.c.id == publication.c.shown_id)
        pages: dict[int, list[int]] = defaultdict(list)
        thinned: set[int] = set()
        events = []
        for category, page in places:
            on_page = (publication.c.category_id == category, publication.c.page == page)
            rows = self._connection.execute(shown.where(*on_page, publication.c.thinned_at.is_(None))).all()
            stories = [row.story_id for row in rows if row.source_id in keeps]
            for part in _parts(stories):
                chosen = update(publication).where(*on_page, publication.c.story_id.in_(part))
                self._connection.execute(chosen.values(thinned_at=now))
            if stories:
                let_go(self._connection, category, stories)
                thinned.update(stories)
                pages[category].append(page)
                facts = {"page": page, "entries": len(stories)}
                events.append(Event(code=Code.THIN_PAGE, category=category, facts=facts))
        raise_generations(self._connection, pages)
        touch(self._connection, thinned, late=True)  # a post is of a story in one category: it goes with the page
        write_events(self._connection, [(now, events)])

    def _leaving(self, candidates: Sequence[_Candidate], keeps: Mapping[int, timedelta], now: datetime) -> list[int]:
        """Return the ids of entries whose text no document shows any more, and whose `keep` has passed everywhere.

        While a story is in a main document, all its copies keep their texts: each may be shown there next (T3).
        """
        restored_at = self._restored_at()
        places: dict[int, list[Any]] = defaultdict(list)
        names = ("story_id", "page", "entered_at", "withdrawn_at", "thinned_at", "shown_id")
        query = select(*(publication.c[name] for name in names), entry.c.source_id)
        query = query.join(entry, entry.c.id == publication.c.shown_id)
        for part in _parts(sorted({one.story for one in candidates})):
            for row in self._connection.execute(query.where(publication.c.story_id.in_(part))).all():
                places[row.story_id].append(row)

        def shows_no_more(row: Any, one: _Candidate) -> bool:
            is_forever = row.page is not None and row.source_id not in keeps and row.shown_id != one.id
            return row.withdrawn_at is not None or row.thinned_at is not None or is_forever

        return [
            one.id
            for one in {one.id: one for one in candidates}.values()
            if restored_at + one.keep <= now
            and all(row.entered_at + one.keep <= now and shows_no_more(row, one) for row in places[one.story])
        ]

    def _thin_pageless(self, keeps: Mapping[int, timedelta], now: datetime) -> tuple[int, int]:
        """Thin publications that were withdrawn from main documents, and are on no page.

        Returns:
            Number of publications, and of entries whose texts were removed.
        """
        until = type_coerce(publication.c.entered_at, BigInteger) + source.c.keep
        query = select(publication.c.story_id, publication.c.category_id)
        query = query.join(entry, entry.c.id == publication.c.shown_id).join(source, source.c.id == entry.c.source_id)
        query = query.where(publication.c.page.is_(None), publication.c.withdrawn_at.is_not(None))
        query = query.where(publication.c.thinned_at.is_(None), until <= (now - EPOCH) // MICROSECOND)
        query = query.where(type_coerce(source.c.keep, BigInteger) <= (now - self._restored_at()) // MICROSECOND)
        rows = self._connection.execute(query.order_by(publication.c.entered_at).limit(ENTRIES)).all()
        candidates = self._candidates({row.story_id for row in rows}, keeps)
        listed = self._listed({one.source for one in candidates})
        waiting = {one.story for one in candidates if one.id in listed}
        over = [row for row in rows if row.story_id not in waiting]
        for row in over:
            place = (publication.c.story_id == row.story_id) & (publication.c.category_id == row.category_id)
            self._connection.execute(update(publication).where(place).values(thinned_at=now))
        stories = {row.story_id for row in over}
        leaving = self._leaving([one for one in candidates if one.story in stories], keeps, now)
        return len(over), self._remove_texts(leaving)

    def _never_published(self, now: datetime) -> list[int]:
        """Return the ids of entries that have been stored for `UNPUBLISHED_FOR` without being published (K4)."""
        query = select(entry.c.id).where(UNPUBLISHED, entry.c.first_seen < now - UNPUBLISHED_FOR)
        return list(self._connection.execute(query.order_by(entry.c.first_seen).limit(ENTRIES)).scalars())

    def _remove_texts(self, numbers: Sequence[int]) -> int:
        """Remove the texts and revisions of entries, and have their stories rendered again; return how many."""
        if not numbers:
            return 0
        touch(self._connection, (), numbers, late=True)  # raises the generation, by which the search index learns it
        gone: dict[str, Any] = {"summary": "", "content": "", "cleaned": None, "original": None, "unpublished": None}
        gone["id"] = entry.c.id  # otherwise SQLite shrinks the row in place, and its disk page is not reused
        generation = select(store.c.dirty).scalar_subquery()
        for part in _parts(numbers):
            self._connection.execute(delete(revision).where(revision.c.entry_id.in_(part)))
            self._connection.execute(update(entry).where(entry.c.id.in_(part)).values(gone | {"thinned": generation}))
        return len(numbers)


def _parts(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (values[start : start + MAX_IN] for start in range(0, len(values), MAX_IN))
