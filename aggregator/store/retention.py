"""What leaves the store in time: texts, and never what tells an entry from all others (K1 to K4; R63).

Archive pages are looked through once a day, a few in each transaction: whenever we are killed, a page and the texts on
it went together, or not at all, and its category is dirty (invariant 6). What a main document shows is never touched.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, delete, or_, select, tuple_, type_coerce, update

from aggregator.model.event import Code, Event
from aggregator.store.categories import raise_generations
from aggregator.store.dialect import MAX_IN
from aggregator.store.dirty import touch
from aggregator.store.events import write_events
from aggregator.store.minhash_bands import begin_trimming
from aggregator.store.page_wordings import let_go
from aggregator.store.schema import EPOCH, MICROSECOND, UNPUBLISHED, entry, publication, revision, source, store

DAILY = timedelta(days=1)  # from the end of one look through the archives to the beginning of the next
PAGES = 10  # that are looked at in one transaction: 5 ms, or 50 if they all lose the texts of 50 entries each
ENTRIES = 500  # others that are
UNPUBLISHED_FOR = timedelta(days=30)  # K4


@dataclass(frozen=True, slots=True, kw_only=True)
class Thinned:
    """What one step took out."""

    pages: int = 0
    entries: int = 0
    is_done: bool = True  # for today


@dataclass(frozen=True, slots=True)
class _Teller:
    """An entry whose text may go some day: its source says when."""

    id: int
    story: int
    source: int
    keep: timedelta


Place = tuple[int, int]  # category, archive page
BEHIND_ALL: Final = 2**31 - 1  # the pages of a category


class Retention:
    """Texts that leave the store in time: `tx.retention`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def is_due(self, now: datetime) -> bool:
        """Return whether the archives have to be looked through, or a look through them has not come to its end."""
        row = self._connection.execute(select(store.c.thinned_at, store.c.thin_after)).one()
        if row.thin_after is not None or row.thinned_at is None:
            return True
        return not timedelta(0) <= now - row.thinned_at < DAILY

    def thin(self, now: datetime) -> Thinned:
        """Take the next step: a few archive pages, then what was withdrawn before it was filed, and never published."""
        after = self._connection.execute(select(store.c.thin_after)).scalar_one()
        keeps = self._keeps()
        places = self._next_pages(tuple(after) if after else (0, 0)) if keeps else []
        if places:
            ripe, leaving, last = self._ripe_pages(places, keeps, now)
            self._thin_pages(ripe, keeps, now)
            gone = self._forget(self._leaving(leaving, keeps, now))
            self._connection.execute(update(store).values(thin_after=list(last)))
            return Thinned(pages=len(ripe), entries=gone, is_done=False)
        pageless, gone = self._thin_pageless(keeps, now) if keeps else (0, 0)
        lapsed = self._forget(self._never_published(now))
        is_done = pageless < ENTRIES and lapsed < ENTRIES
        self._connection.execute(update(store).values(thin_after=None, thinned_at=now if is_done else None))
        if is_done:
            begin_trimming(self._connection)
        return Thinned(entries=gone + lapsed, is_done=is_done)

    def put_off(self, now: datetime) -> None:
        """Begin no look for a day: a source is to keep its texts less long, and that may be a slip of the pen."""
        self._connection.execute(update(store).values(thin_after=None, thinned_at=now))

    def would_thin(self, key: str, keep: timedelta, now: datetime) -> int:
        """Count the entries of a source whose texts would leave, by and by, if it kept them so long.

        Args:
            key: of the source.
            keep: as its settings would have it.
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
        """Give how long texts are kept, of the sources that don't keep them forever."""
        rows = self._connection.execute(select(source.c.id, source.c.keep).where(source.c.keep.is_not(None))).all()
        return {row.id: row.keep * MICROSECOND for row in rows}

    def _restored_at(self) -> datetime:
        """Return when the store was restored from published documents; the epoch if it was not.

        Only JSON Feed says when a story entered, and only of backfills; the story's own date may be years earlier. So
        every restored story counts as entered at the restore: a text may stay longer than `keep`, and never less long.
        """
        return self._connection.execute(select(store.c.restored_at)).scalar_one() or EPOCH

    def _listed(self, sources: Collection[int]) -> set[int]:
        """Return the entries that sources list; one that left feeds.yaml lists none any more."""
        found: set[int] = set()
        for part in _parts(sorted(sources)):
            query = select(source.c.listed).where(source.c.id.in_(part), source.c.active)
            for numbers in self._connection.execute(query).scalars():
                found.update(numbers or ())
        return found

    def _tellers(self, stories: Iterable[int], keeps: Mapping[int, timedelta]) -> list[_Teller]:
        found = []
        for part in _parts(sorted(stories)):
            query = select(entry.c.id, entry.c.story_id, entry.c.source_id)
            for row in self._connection.execute(
                query.where(entry.c.story_id.in_(part), entry.c.thinned.is_(None))
            ).all():
                if row.source_id in keeps:
                    found.append(_Teller(row.id, row.story_id, row.source_id, keeps[row.source_id]))
        return found

    def _next_pages(self, after: tuple[int, ...]) -> list[Place]:
        """Return the next archive pages that show a text."""
        query = select(publication.c.category_id, publication.c.page).distinct()
        query = query.where(publication.c.page.is_not(None), publication.c.thinned_at.is_(None))
        query = query.where(tuple_(publication.c.category_id, publication.c.page) > after)
        query = query.order_by(publication.c.category_id, publication.c.page).limit(PAGES)
        return [(row.category_id, row.page) for row in self._connection.execute(query).all()]

    def _ripe_pages(
        self, places: Sequence[Place], keeps: Mapping[int, timedelta], now: datetime
    ) -> tuple[list[Place], list[_Teller], Place]:
        """Find the pages on which every text that may go some day may go now.

        One text that its source still lists has the whole page wait: a page changes once. Pages are filed one after the
        other, so behind one that is too young none is looked for, and what is looked at does not grow with the archive.

        Returns:
            Those pages, the entries whose texts they show, and after which page to look next.
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
        of_story: dict[int, list[_Teller]] = defaultdict(list)
        for teller in self._tellers({row.story_id for place in old for row in on_page[place]}, keeps):
            of_story[teller.story].append(teller)
        listed = self._listed({one.source for some in of_story.values() for one in some})
        ripe, leaving = [], []
        for place in old:
            told = [(one, max(row.entered_at, restored_at)) for row in on_page[place] for one in of_story[row.story_id]]
            if told and all(entered + one.keep <= now and one.id not in listed for one, entered in told):
                ripe.append(place)
                leaving += [one for one, _ in told]
        return ripe, leaving, last

    def _thin_pages(self, places: Sequence[Place], keeps: Mapping[int, timedelta], now: datetime) -> None:
        """Have pages show no texts any more, but of sources that keep theirs forever."""
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
        write_events(self._connection, events, now)

    def _leaving(self, tellers: Sequence[_Teller], keeps: Mapping[int, timedelta], now: datetime) -> list[int]:
        """Return the entries whose texts no document shows any more, and whose `keep` has passed in every category.

        While a story is in a main document, its other copies keep their texts as well: one of them may be shown there
        next (T3).
        """
        restored_at = self._restored_at()
        places: dict[int, list[Any]] = defaultdict(list)
        names = ("story_id", "page", "entered_at", "withdrawn_at", "thinned_at", "shown_id")
        query = select(*(publication.c[name] for name in names), entry.c.source_id)
        query = query.join(entry, entry.c.id == publication.c.shown_id)
        for part in _parts(sorted({one.story for one in tellers})):
            for row in self._connection.execute(query.where(publication.c.story_id.in_(part))).all():
                places[row.story_id].append(row)

        def shows_no_more(row: Any, one: _Teller) -> bool:
            is_forever = row.page is not None and row.source_id not in keeps and row.shown_id != one.id
            return row.withdrawn_at is not None or row.thinned_at is not None or is_forever

        return [
            one.id
            for one in {one.id: one for one in tellers}.values()
            if restored_at + one.keep <= now
            and all(row.entered_at + one.keep <= now and shows_no_more(row, one) for row in places[one.story])
        ]

    def _thin_pageless(self, keeps: Mapping[int, timedelta], now: datetime) -> tuple[int, int]:
        """Let go what was withdrawn from main documents, and so stands on no page; count publications and entries."""
        until = type_coerce(publication.c.entered_at, BigInteger) + source.c.keep
        query = select(publication.c.story_id, publication.c.category_id)
        query = query.join(entry, entry.c.id == publication.c.shown_id).join(source, source.c.id == entry.c.source_id)
        query = query.where(publication.c.page.is_(None), publication.c.withdrawn_at.is_not(None))
        query = query.where(publication.c.thinned_at.is_(None), until <= (now - EPOCH) // MICROSECOND)
        query = query.where(type_coerce(source.c.keep, BigInteger) <= (now - self._restored_at()) // MICROSECOND)
        rows = self._connection.execute(query.order_by(publication.c.entered_at).limit(ENTRIES)).all()
        tellers = self._tellers({row.story_id for row in rows}, keeps)
        listed = self._listed({one.source for one in tellers})
        waiting = {one.story for one in tellers if one.id in listed}
        over = [row for row in rows if row.story_id not in waiting]
        for row in over:
            place = (publication.c.story_id == row.story_id) & (publication.c.category_id == row.category_id)
            self._connection.execute(update(publication).where(place).values(thinned_at=now))
        stories = {row.story_id for row in over}
        leaving = self._leaving([one for one in tellers if one.story in stories], keeps, now)
        return len(over), self._forget(leaving)

    def _never_published(self, now: datetime) -> list[int]:
        """Return entries that were never published, and have been there for long (K4)."""
        query = select(entry.c.id).where(UNPUBLISHED, entry.c.first_seen < now - UNPUBLISHED_FOR)
        return list(self._connection.execute(query.order_by(entry.c.first_seen).limit(ENTRIES)).scalars())

    def _forget(self, numbers: Sequence[int]) -> int:
        """Take texts out of the store, for good; give of how many entries. What is published of them is made anew."""
        if not numbers:
            return 0
        touch(
            self._connection, (), numbers, late=True
        )  # with it the store's generation, by which the index of words learns it
        gone: dict[str, Any] = {"summary": "", "content": "", "original": None, "unpublished": None}
        gone["id"] = entry.c.id  # or SQLite would shrink the row where it is, and leave its page to it: no room is won
        generation = select(store.c.dirty).scalar_subquery()
        for part in _parts(numbers):
            self._connection.execute(delete(revision).where(revision.c.entry_id.in_(part)))
            self._connection.execute(update(entry).where(entry.c.id.in_(part)).values(gone | {"thinned": generation}))
        return len(numbers)


# a clock that was set back stops nothing (R21)


# Whose texts may go.


# Archive pages (K3).


# Entries (K2, K4).


def _parts(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (values[start : start + MAX_IN] for start in range(0, len(values), MAX_IN))
