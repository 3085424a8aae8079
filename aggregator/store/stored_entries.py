"""Queries for stored entries and for the records by which they are decided again (`preview --dedupe`, edited rules)."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import Connection, bindparam, select

from aggregator.identify.matching import dedupe_link, telling
from aggregator.identify.minhash import bands_of
from aggregator.model.known import EntryState, Known, Stored
from aggregator.model.settings import SourceKey
from aggregator.store.known import SLACK, told_by_others
from aggregator.store.minhash_bands import near_entries
from aggregator.store.queries import (
    KNOWN_SOURCE,
    OWN_DATE,
    bearers_of,
    by,
    entry_of,
    known_categories,
    known_entry,
    known_stories,
    rows_by,
    verdicts,
)
from aggregator.store.schema import entry, source

PART = 500  # entries that are read together
_STORED = select(entry, *KNOWN_SOURCE).join(source, source.c.id == entry.c.source_id)
_PUBLISHED = _STORED.where(entry.c.state == EntryState.PUBLISHED.value)
_BY_ID = by(_STORED, entry.c.id)
_COPIES = by(_PUBLISHED.where(entry.c.source_id != bindparam("source")).order_by(entry.c.id), entry.c.story_id)


class StoredEntries:
    """Queries for stored entries that are decided again: `tx.stored_entries`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def stored_since(self, source_id: int, since: datetime, *, most: int) -> list[Stored]:
        """Return at most `most` published entries of a source that arrived or are dated since a time, newest first."""
        query = _PUBLISHED.where(
            entry.c.source_id == source_id,
            entry.c.thinned.is_(None),  # two titles say too little
            (entry.c.first_seen >= since) | (entry.c.published >= since),
        )
        rows = self._connection.execute(query.order_by(entry.c.id.desc()).limit(most)).mappings()
        return [Stored(known=known_entry(row), entry=entry_of(row)) for row in rows]

    def filed(self, source_id: int, *, since: datetime | None = None) -> Iterator[list[Stored]]:
        """Yield the published and rejected entries of a source that have their texts, newest first, in parts.

        Entries without a text are left out, since rules search texts: `include` would now reject entries that it had
        accepted, and `exclude` accept entries that it had rejected.

        Args:
            source_id: id of the source.
            since: only entries that were first seen since then; None: all.
        """
        states = (EntryState.PUBLISHED.value, EntryState.REJECTED.value)
        ids = select(entry.c.id).where(
            entry.c.source_id == source_id, entry.c.state.in_(states), entry.c.thinned.is_(None)
        )
        if since is not None:
            ids = ids.where(entry.c.first_seen >= since)
        order = iter(self._connection.execute(ids.order_by(OWN_DATE.desc(), entry.c.id)).scalars().all())
        while part := list(islice(order, PART)):
            query = _STORED.where(entry.c.id.in_(part))
            found = {row["id"]: row for row in self._connection.execute(query).mappings()}
            yield [
                Stored(
                    known=known_entry(row),
                    entry=entry_of(row),
                    refused=tuple(row["refused"] or ()),
                    limited=tuple(row["limited"] or ()),
                    is_deferred=row["unpublished"] is not None,
                )
                for row in map(found.__getitem__, part)
            ]

    def ruled_sources(self) -> list[SourceKey]:
        """Return the keys of active sources with an entry that a rule has rejected, refused or rewritten."""
        had = (
            entry.c.refused.is_not(None) | entry.c.original.is_not(None) | (entry.c.state == EntryState.REJECTED.value)
        )
        touched = select(entry.c.id).where(entry.c.source_id == source.c.id, had).exists()
        return [
            SourceKey(key)
            for key in self._connection.execute(select(source.c.key).where(source.c.active, touched)).scalars()
        ]

    def tellers_of(self, stories: Collection[int], *, but: int) -> list[Stored]:
        """Return the published entries of stories, without those of one source."""
        rows = rows_by(self._connection, _COPIES, sorted(stories), source=but)
        return [Stored(known=known_entry(row), entry=entry_of(row)) for row in rows]

    def known_around(self, stored: Sequence[Stored], window: timedelta) -> Known:
        """Return the records that a poll would look up if entries of one source arrived now.

        Args:
            stored: entries of the source, at least one.
            window: longest time between two entries of a story.
        """
        number = stored[0].known.source
        bands = {item.known.form: bands_of(telling(item.entry)) for item in stored}
        oldest = min(
            when for item in stored for when in (item.known.first_seen, item.known.published) if when is not None
        )
        near, _ = near_entries(self._connection, bands, source=number, since=oldest - window - SLACK)
        own = {item.known.story for item in stored if item.known.story is not None}
        stories = dict(
            known_stories(
                self._connection, own | told_by_others(self._connection, number, [item.entry for item in stored], near)
            )
        )
        wanted = {
            teller for item in stories.values() for teller in (item.founder, *(p.shown for p in item.publications))
        }
        same, different = verdicts(self._connection, wanted)
        wanted.update(*same.values(), *different.values())
        rows = rows_by(self._connection, _BY_ID, sorted(wanted))
        return Known(
            stories=stories,
            others={row["id"]: known_entry(row) for row in rows},
            same=same,
            different=different,
            bearers=bearers_of(self._connection, {link for item in stored if (link := dedupe_link(item.entry))}),
            near=near,
            categories=known_categories(self._connection),
        )
