"""Queries by id for the entries, stories, categories and verdicts that decisions need."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Column, Connection, RowMapping, Select, bindparam, case, func, select, type_coerce

from aggregator.decide.order import FUTURE, MICROSECOND
from aggregator.identify.ids import page_id_of
from aggregator.late import late
from aggregator.model.entry import Digest, Entry, EntryKey, KeyRule, Original
from aggregator.model.known import (
    EntryState,
    KnownCategory,
    KnownEntry,
    KnownPublication,
    KnownStory,
    ListedEntry,
)
from aggregator.model.settings import CategoryKey, SourceKey
from aggregator.model.stored_json import enclosures_of, origin_of, people_of, supplement_of, tags_of
from aggregator.model.story_changes import Verdict
from aggregator.store.schema import MAX_IN, category, entry, publication, source, story, verdict
from aggregator.urls import Url, host_key_of

if TYPE_CHECKING:
    from aggregator.clean import text
else:
    text = late("aggregator.clean.text")

Said = Mapping[int, frozenset[int]]  # ids of other entries, by id of an entry

KNOWN_SOURCE = (
    source.c.key.label("source_key"),
    source.c.url_in_use.label("source_url"),
    source.c.private.label("source_private"),
)

_KNOWN = (
    *(
        entry.c[name]
        for name in (
            "id source_id key key_hash own_id digest shown_digest id_hash text_digest match_link title link summary "
            "content published updated first_seen undated state story_id taken_back_at merged_from categories origin "
            "thinned"
        ).split()
    ),
    *KNOWN_SOURCE,
)

_OWN = func.coalesce(entry.c.published, entry.c.updated)
# An entry's own date, as far as it is believed (I42): by this, the newest of a source's stored entries are found.
OWN_DATE = case(
    (
        type_coerce(_OWN, BigInteger) > type_coerce(entry.c.first_seen, BigInteger) + FUTURE // MICROSECOND,
        entry.c.first_seen,
    ),
    else_=func.coalesce(_OWN, entry.c.first_seen),
)


def by(query: Select[Any], column: Column[Any]) -> Select[Any]:
    """Return a statement for `rows_by`: a query restricted to rows in which a column has one of the values.

    Statements are module constants: to build a statement for each poll costs as much as to run it.
    """
    return query.where(column.in_(bindparam("values", expanding=True)))


def rows_by(
    connection: Connection, statement: Select[Any], values: Sequence[Any], **bound: object
) -> Iterator[RowMapping]:
    """Yield the rows of a statement of `by`, run in parts of at most `MAX_IN` values.

    Args:
        connection: a reading connection suffices.
        statement: made by `by`.
        values: any number of values; no statement is run if there are none.
        bound: values of other parameters of the statement.
    """
    for start in range(0, len(values), MAX_IN):
        yield from connection.execute(statement, {"values": values[start : start + MAX_IN], **bound}).mappings()


ENTRIES = select(*_KNOWN).join(source, source.c.id == entry.c.source_id)  # rows for `known_entry`
_LISTED = tuple(
    entry.c[name] for name in "id key_hash digest title link published updated first_seen state taken_back_at".split()
)
LISTED = select(*_LISTED)  # rows for `listed_entry`
ENTRIES_BY_ID = by(ENTRIES, entry.c.id)
ENTRIES_BY_STORY = by(ENTRIES.order_by(entry.c.id), entry.c.story_id)
ROWS_BY_ID = by(select(entry), entry.c.id)  # whole rows, for `entry_of`
STORIES_OF = by(select(entry.c.story_id), entry.c.id)
_TAKEN = select(story.c.atom_id, story.c.page_id).where(
    story.c.atom_id.in_(bindparam("ids", expanding=True)) | story.c.page_id.in_(bindparam("pages", expanding=True))
)
PUBLICATIONS_BY_STORY = by(select(publication).order_by(publication.c.category_id), publication.c.story_id)
_SOURCES = by(select(entry.c.story_id, entry.c.source_id).distinct(), entry.c.story_id)
_STORIES = by(select(story), story.c.id)
_CATEGORIES = select(
    *(category.c[name] for name in ("id", "key", "slug", "feed_id", "active", "offered_at")),
    category.c.source_id.label("made_by"),
)
_VERDICTS = select(verdict).where(
    verdict.c.entry_id.in_(bindparam("values", expanding=True))
    | verdict.c.other_id.in_(bindparam("values", expanding=True))
)
_BEARERS = by(
    select(entry.c.match_link, entry.c.source_id, func.count().label("bearers")).group_by(
        entry.c.match_link, entry.c.source_id
    ),
    entry.c.match_link,
)


def listed_entry(row: RowMapping) -> ListedEntry:
    """Return the entry of a row of `LISTED`."""
    return ListedEntry(
        id=row["id"],
        form=row["key_hash"],
        digest=Digest(row["digest"]),
        title=row["title"],
        link=Url(row["link"]) if row["link"] else None,
        published=row["published"],
        updated=row["updated"],
        first_seen=row["first_seen"],
        state=EntryState(row["state"]),
        taken_back_at=row["taken_back_at"],
    )


def known_entries(connection: Connection, ids: Iterable[int]) -> dict[int, KnownEntry]:
    """Return entries by id."""
    return {row["id"]: known_entry(row) for row in rows_by(connection, ENTRIES_BY_ID, sorted(ids))}


def known_entry(row: RowMapping) -> KnownEntry:
    """Return the entry of a row of `ENTRIES`."""
    return KnownEntry(
        id=row["id"],
        source=row["source_id"],
        source_key=SourceKey(row["source_key"]),
        source_host=host_key_of(Url(row["source_url"])),
        key=row["key"],
        form=row["key_hash"],
        own_id=row["own_id"],
        digest=Digest(row["digest"]),
        shown_digest=Digest(row["shown_digest"] or row["digest"]),
        id_hash=row["id_hash"],
        text_digest=row["text_digest"],
        match_link=row["match_link"],
        title=row["title"],
        link=Url(row["link"]) if row["link"] else None,
        summary=row["summary"],
        content=row["content"],
        published=row["published"],
        updated=row["updated"],
        first_seen=row["first_seen"],
        undated=row["undated"],
        state=EntryState(row["state"]),
        story=row["story_id"],
        taken_back_at=row["taken_back_at"],
        merged_from=row["merged_from"],
        categories=tuple(row["categories"]),
        credited=bool(row["origin"] and row["origin"].get("own")),
        private=row["source_private"],
        thinned=row["thinned"] is not None,
    )


def copies_of(connection: Connection, stories: Collection[int]) -> dict[int, tuple[KnownEntry, ...]]:
    """Return the entries of stories, by story, in order of arrival."""
    found: dict[int, list[KnownEntry]] = defaultdict(list)
    for row in rows_by(connection, ENTRIES_BY_STORY, sorted(stories)):
        found[row["story_id"]].append(known_entry(row))
    return {number: tuple(copies) for number, copies in found.items()}


def known_stories(connection: Connection, ids: Iterable[int]) -> Iterator[tuple[int, KnownStory]]:
    """Yield (id, story) of stories, each with its publications and the ids of its sources."""
    numbers = sorted(ids)
    publications: dict[int, list[KnownPublication]] = defaultdict(list)
    for row in rows_by(connection, PUBLICATIONS_BY_STORY, numbers):
        publications[row["story_id"]].append(
            KnownPublication(
                story=row["story_id"],
                category=row["category_id"],
                entered_at=row["entered_at"],
                shown=row["shown_id"],
                digest=Digest(row["digest"]),
                updated=row["updated"],
                page=row["page"],
                withdrawn_at=row["withdrawn_at"],
            )
        )
    sources_of: dict[int, set[int]] = defaultdict(set)
    for row in rows_by(connection, _SOURCES, numbers):
        sources_of[row["story_id"]].add(row["source_id"])
    for row in rows_by(connection, _STORIES, numbers):
        yield (
            row["id"],
            KnownStory(
                id=row["id"],
                atom_id=row["atom_id"],
                page_id=row["page_id"],
                founder=row["founder_id"],
                created_at=row["created_at"],
                sources=frozenset(sources_of[row["id"]]),
                publications=tuple(publications[row["id"]]),
                merged_into=row["merged_into"],
                retracted_at=row["retracted_at"],
            ),
        )


def taken_ids(connection: Connection, possible: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the atom:ids and the page ids of stories that have one of some atom:ids, or a page id made of one."""
    ids, step = sorted(possible), MAX_IN // 2
    parts = [ids[start : start + step] for start in range(0, len(ids), step)]
    found = [connection.execute(_TAKEN, {"ids": part, "pages": list(map(page_id_of, part))}).all() for part in parts]
    rows = [row for some in found for row in some]
    return frozenset(row.atom_id for row in rows), frozenset(row.page_id for row in rows)


def known_categories(connection: Connection) -> dict[CategoryKey, KnownCategory]:
    """Return all categories in the store, by key."""
    rows = connection.execute(_CATEGORIES).mappings()
    return {row["key"]: KnownCategory(**row) for row in rows}


def entry_of(row: RowMapping) -> Entry:
    """Return the entry of a whole row, as it came from its source as far as the store keeps it."""
    return Entry(
        key=EntryKey(row["key"]),
        key_rule=KeyRule(row["key_rule"]),
        id=row["own_id"],
        digest=Digest((row["shown_digest"] if row["original"] else None) or row["digest"]),
        text_digest=Digest(row["text_digest"]) if row["text_digest"] else None,
        title=row["title"],
        link=Url(row["link"]) if row["link"] else None,
        summary=row["summary"],
        content=row["content"],
        cleaned=tuple((row["cleaned"] or "").split()),
        text=text.plain_text(row["content"] or row["summary"]),
        authors=people_of(row["authors"]),
        tags=tags_of(row["tags"]),
        enclosures=enclosures_of(row["enclosures"]),
        filed=tuple(row["filed"] or ()),
        supplement=supplement_of(row["supplement"]),
        published=row["published"],
        updated=row["updated"],
        rights=row["rights"],
        language=row["language"],
        origin=origin_of(row["origin"]) if row["origin"] and row["origin"].get("own") else None,
        original=original_of(row),
    )


def original_of(row: RowMapping) -> Original | None:
    """Return the source's own wording of a rewritten entry; None if no rule rewrote it.

    A field that `original` does not have was not rewritten: its value is the shown one.
    """
    said = row["original"]
    if said is None:
        return None
    content, summary = said.get("content", row["content"]), said.get("summary", row["summary"])
    link = said["link"] if "link" in said else row["link"]
    return Original(
        title=said.get("title", row["title"]),
        link=Url(link) if link else None,
        summary=summary,
        content=content,
        text=text.plain_text(content or summary),
        authors=people_of(said["authors"] if "authors" in said else row["authors"]),
        tags=tags_of(said["tags"] if "tags" in said else row["tags"]),
        digest=Digest(row["digest"]),
        text_digest=Digest(said["text_digest"]) if said["text_digest"] else None,
        by=tuple(said["by"]),
        dropped=said.get("dropped", ""),
    )


def verdicts(connection: Connection, ids: Iterable[int]) -> tuple[Said, Said]:
    """Return an operator's verdicts by entry: ids of entries of the same story, and ids of entries of another story."""
    said: dict[Verdict, dict[int, set[int]]] = {Verdict.SAME: defaultdict(set), Verdict.DIFFERENT: defaultdict(set)}
    wanted = frozenset(ids)
    numbers = sorted(wanted)
    for start in range(0, len(numbers), MAX_IN // 2):
        part = numbers[start : start + MAX_IN // 2]
        for row in connection.execute(_VERDICTS, {"values": part}).all():
            for one, other in ((row.entry_id, row.other_id), (row.other_id, row.entry_id)):
                if one in wanted:
                    said[Verdict(row.verdict)][one].add(other)
    same, different = ({one: frozenset(others) for one, others in found.items()} for found in said.values())
    return same, different


def bearers_of(connection: Connection, links: Iterable[str]) -> Mapping[str, Mapping[int, int]]:
    """Return the number of entries with a link, by link and source."""
    found: dict[str, dict[int, int]] = defaultdict(dict)
    for row in rows_by(connection, _BEARERS, sorted(links)):
        found[row["match_link"]][row["source_id"]] = row["bearers"]
    return found
