"""Queries for `aggregator why`: whole records of stories, entries and categories, and their events."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, func, or_, select

from aggregator.identify.keys import global_id_hash
from aggregator.model.entry import KeyRule
from aggregator.model.known import EntryState
from aggregator.model.settings import CategoryKey, SourceKey
from aggregator.model.story_changes import Verdict
from aggregator.model.trail import CategoryRecord, Earlier, EntryRecord, PlaceRecord, Step, StoryRecord, VerdictRecord
from aggregator.store.documents import STANDING_TOMBSTONE
from aggregator.store.entries import earlier_wordings, wording_of
from aggregator.store.minhash_bands import CANDIDATES, near_entries
from aggregator.store.queries import by, rows_by
from aggregator.store.schema import EPOCH, category, entry, event, publication, source, story, verdict
from aggregator.store.stories import members
from aggregator.store.titles import PAGE
from aggregator.urls import BadUrl, match_url, normalise_link

STEPS = 200  # newest events of one record that are shown
_ATOM_IDS = by(select(story.c.id, story.c.atom_id), story.c.id)


class Trail:
    """Queries for records and events: `tx.trail`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def story(self, number: int) -> StoryRecord:
        """Return the record of an existing story, with its entries, verdicts and events."""
        row = self._connection.execute(select(story).where(story.c.id == number)).mappings().one()
        into = story.alias()
        merged_into = self._connection.execute(
            select(into.c.atom_id).where(into.c.id == row["merged_into"])
        ).scalar_one_or_none()
        entries = _entries(self._connection, entry.c.story_id == number)
        ids = [found.id for found in entries]
        absorbed = sorted({found.merged_from for found in entries if found.merged_from is not None})
        places = (
            select(publication, category.c.key, category.c.slug)
            .join(category, category.c.id == publication.c.category_id)
            .where(publication.c.story_id == number)
            .order_by(publication.c.category_id)
        )
        ruled = or_(verdict.c.entry_id.in_(ids), verdict.c.other_id.in_(ids))
        return StoryRecord(
            id=number,
            atom_id=row["atom_id"],
            page_id=row["page_id"],
            founder=row["founder_id"],
            created_at=row["created_at"],
            merged_into=merged_into,
            retracted_at=row["retracted_at"],
            places=tuple(map(_place, self._connection.execute(places).mappings())),
            entries=entries,
            copies=members(self._connection, [number]).members[number],
            verdicts=tuple(
                VerdictRecord(entry=found.entry_id, other=found.other_id, verdict=Verdict(found.verdict), at=found.at)
                for found in self._connection.execute(select(verdict).where(ruled).order_by(verdict.c.at)).all()
            ),
            merged=tuple(found["atom_id"] for found in rows_by(self._connection, _ATOM_IDS, absorbed)),
            steps=steps(self._connection, or_(event.c.story_id == number, event.c.entry_id.in_(ids))),
        )

    def entry(self, number: int) -> tuple[EntryRecord, tuple[Step, ...]]:
        """Return the record and the events of an existing entry, also of one without a story."""
        (found,) = _entries(self._connection, entry.c.id == number)
        return found, steps(self._connection, event.c.entry_id == number)

    def near_entries(self, number: int, bands: Sequence[int]) -> list[int]:
        """Return the numbers of the entries that a poll may compare with an entry, by its fingerprints or its link.

        Args:
            number: of a stored entry.
            bands: of its title and text.
        """
        row = self._connection.execute(select(entry.c.source_id, entry.c.match_link).where(entry.c.id == number)).one()
        near, _ = near_entries(self._connection, {"": bands}, source=row.source_id, since=EPOCH)
        linked: Sequence[int] = ()
        if row.match_link:
            same = (entry.c.match_link == row.match_link) & (entry.c.source_id != row.source_id)
            linked = self._connection.execute(select(entry.c.id).where(same).limit(CANDIDATES)).scalars().all()
        return sorted({*near.get("", ()), *linked} - {number})

    def source_steps(self, key: str, codes: Collection[str], limit: int) -> tuple[Step, ...]:
        """Return the last events of a source with these codes, oldest first."""
        return steps(self._connection, (source.c.key == key) & event.c.code.in_(codes), limit)

    def read_whole(self, key: str) -> str | None:
        """Return why the last document of a source was read as a whole; None if only what was new was read."""
        return self._connection.execute(select(source.c.read_whole).where(source.c.key == key)).scalar_one_or_none()

    def resting_source(self, key: str) -> SourceKey | None:
        """Return the key of a source that left feeds.yaml, by key or URL; None if there is no such source."""
        named = or_(source.c.key == key, source.c.url == key)
        found = self._connection.execute(select(source.c.key).where(named, ~source.c.active)).scalars().first()
        return None if found is None else SourceKey(found)

    def entry_states(self, key: str) -> dict[EntryState, int]:
        """Return the number of entries of a source by state."""
        query = select(entry.c.state, func.count()).join(source, source.c.id == entry.c.source_id)
        rows = self._connection.execute(query.where(source.c.key == key).group_by(entry.c.state)).all()
        return {EntryState(state): count for state, count in rows}

    def category(self, name: str) -> CategoryRecord | None:
        """Return the record of a category by key or slug; None if there is no such category."""
        by_name = select(category).where(or_(category.c.key == name, category.c.slug == name))
        row = self._connection.execute(by_name.order_by(category.c.key != name)).mappings().first()
        if row is None:
            return None
        of_category = publication.c.category_id == row["id"]
        standing = of_category & publication.c.withdrawn_at.is_(None)

        def count(condition: ColumnElement[Any]) -> int:
            return int(
                self._connection.execute(select(func.count()).select_from(publication).where(condition)).scalar_one()
            )

        newest = select(func.max(publication.c.entered_at)).where(standing)
        return CategoryRecord(
            key=CategoryKey(row["key"]),
            slug=row["slug"],
            feed_id=row["feed_id"],
            created_at=row["created_at"],
            active=row["active"],
            stories=count(standing),
            main=count(standing & publication.c.page.is_(None)),
            pages=row["pages"],
            newest=self._connection.execute(newest).scalar_one(),
            withdrawn=count(of_category & publication.c.withdrawn_at.is_not(None)),
            tombstones=count(of_category & STANDING_TOMBSTONE),
            changes=row["dirty"] - row["rendered"],
            dirty_pages=tuple(sorted(map(int, row["dirty_pages"]))),
            rendered_at=row["rendered_at"],
            look=row["look"],
        )

    def category_keys(self) -> dict[int, CategoryKey]:
        """Return the key of every category in the store, by id."""
        rows: Iterable[Any] = self._connection.execute(select(category.c.id, category.c.key)).all()
        return {row.id: CategoryKey(row.key) for row in rows}

    def atom_ids(self, numbers: Collection[int]) -> dict[int, str]:
        """Return the atom:ids of stories, by id."""
        rows = rows_by(self._connection, _ATOM_IDS, sorted(numbers))
        return {row["id"]: row["atom_id"] for row in rows}


def steps(connection: Connection, condition: ColumnElement[Any], limit: int = STEPS) -> tuple[Step, ...]:
    """Return the newest `limit` events, oldest first."""
    query = (
        select(event, source.c.key.label("source_key"))
        .outerjoin(source, source.c.id == event.c.source_id)
        .where(condition)
        .order_by(event.c.at.desc(), event.c.id.desc())
        .limit(limit)
    )
    found = [
        Step(
            at=row["at"],
            code=row["code"],
            source=SourceKey(row["source_key"]) if row["source_key"] else None,
            entry=row["entry_id"],
            story=row["story_id"],
            facts=row["facts"] or {},
        )
        for row in connection.execute(query).mappings()
    ]
    return tuple(reversed(found))


def _entries(connection: Connection, condition: ColumnElement[Any]) -> tuple[EntryRecord, ...]:
    names = (
        "id key key_rule own_id title link published updated first_seen changed_at revisions original unpublished "
        "state story_id joined_at merged_from categories summary content authors tags enclosures "
        "thinned"
    ).split()
    query = select(*(entry.c[name] for name in names), source.c.key.label("source"))
    query = query.join(source, source.c.id == entry.c.source_id).where(condition)
    rows = connection.execute(query.order_by(entry.c.first_seen, entry.c.id)).mappings().all()
    earlier = earlier_wordings(connection, [row["id"] for row in rows if row["revisions"]])
    return tuple(_entry(row, earlier.get(row["id"], ())) for row in rows)


def _entry(row: RowMapping, earlier: tuple[Earlier, ...]) -> EntryRecord:
    return EntryRecord(
        id=row["id"],
        source=SourceKey(row["source"]),
        key=row["key"],
        key_rule=KeyRule(row["key_rule"]),
        own_id=row["own_id"],
        title=row["title"],
        link=row["link"],
        published=row["published"],
        updated=row["updated"],
        first_seen=row["first_seen"],
        changed_at=row["changed_at"],
        revisions=row["revisions"],
        rewritten_by=tuple((row["original"] or {}).get("by", ())),
        told_title=(row["original"] or {}).get("title", row["title"]),
        held=row["unpublished"] is not None,
        thinned=row["thinned"] is not None,
        state=EntryState(row["state"]),
        story=row["story_id"],
        joined_at=row["joined_at"],
        merged_from=row["merged_from"],
        categories=tuple(row["categories"]),
        wording=wording_of(row),
        earlier=earlier,
    )


def _place(row: RowMapping) -> PlaceRecord:
    return PlaceRecord(
        category=CategoryKey(row["key"]),
        category_id=row["category_id"],
        slug=row["slug"],
        entered_at=row["entered_at"],
        sort_at=row["sort_at"],
        shown=row["shown_id"],
        updated=row["updated"],
        page=row["page"],
        withdrawn_at=row["withdrawn_at"],
    )


MOST = 50  # entries that are listed at most, for an operator to choose from
_NUMBER = re.compile(r"[1-9][0-9]{0,14}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundEntry:
    """An entry that an operator may have named."""

    id: int
    source: SourceKey
    title: str
    link: str | None
    state: EntryState
    story: int | None


class Finding:
    """Queries for the story or entry that an operator names: `tx.finding`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def story(self, thing: str) -> int | None:
        """Return the story with an atom:id, a page id or an address of its page, also a merged story; None if none."""
        of_id = self._connection.execute(select(story.c.id).where(story.c.atom_id == thing)).scalar_one_or_none()
        if of_id is not None:
            return int(of_id)
        page = PAGE.fullmatch(thing)
        if page is None:
            return None
        found: int | None = self._connection.execute(
            select(story.c.id).where(story.c.page_id == page[1])
        ).scalar_one_or_none()
        return found

    def entries(self, thing: str) -> list[FoundEntry]:
        """Return the entries with this number, id or link.

        Columns with an index are searched first; ids that are unique only within a source are searched last.
        """
        for condition in _conditions(thing):
            found = self._entries_where(condition)
            if found:
                return found
        return []

    def entries_of(self, number: int) -> list[FoundEntry]:
        """Return the entries of a story."""
        return self._entries_where(entry.c.story_id == number)

    def entry(self, number: int) -> FoundEntry | None:
        """Return the entry with this id; None if there is none."""
        return next(iter(self._entries_where(entry.c.id == number)), None)

    def _entries_where(self, condition: ColumnElement[Any]) -> list[FoundEntry]:
        columns = [entry.c[name] for name in ("id", "title", "link", "state", "story_id")]
        query = select(*columns, source.c.key.label("source")).join(source, source.c.id == entry.c.source_id)
        return [
            FoundEntry(
                id=row.id,
                source=SourceKey(row.source),
                title=row.title,
                link=row.link,
                state=EntryState(row.state),
                story=row.story_id,
            )
            for row in self._connection.execute(query.where(condition).order_by(entry.c.id).limit(MOST)).all()
        ]


def _conditions(thing: str) -> Iterator[ColumnElement[Any]]:
    if _NUMBER.fullmatch(thing):
        yield entry.c.id == int(thing)
    hashed = global_id_hash(thing)
    borne = [] if hashed is None else [entry.c.id_hash == hashed]
    link = None
    with suppress(BadUrl):
        link = normalise_link(thing)
        borne.append(entry.c.match_link == match_url(link))
    if borne:
        yield or_(*borne)
    yield or_(entry.c.own_id == thing, entry.c.key == thing, entry.c.link == (link or thing))
