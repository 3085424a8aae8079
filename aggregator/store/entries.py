"""Entries, stories and publications, as a poll leaves them: a statement for each kind of row."""

import json
import zlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, case, delete, func, or_, select, update

from aggregator.identify.keys import global_id_hash
from aggregator.identify.matching import dedupe_link
from aggregator.model.changes import (
    Alias,
    CompletedEntry,
    EntryChanges,
    NewCategory,
    NewEntry,
    RejudgedEntry,
    ReleasedEntry,
    Relisted,
    RevisedEntry,
    TakenBack,
)
from aggregator.model.entry import Entry
from aggregator.model.known import EntryState
from aggregator.model.stored_json import (
    enclosures_of,
    enclosures_to_json,
    origin_to_json,
    original_to_json,
    people_of,
    people_to_json,
    supplement_to_json,
    tags_of,
    tags_to_json,
)
from aggregator.model.trail import Earlier, Wording
from aggregator.store.categories import insert_category, is_backfill, raise_generations
from aggregator.store.dialect import MAX_IN, insert
from aggregator.store.dirty import touch
from aggregator.store.history import write_hits
from aggregator.store.known import ENTRY
from aggregator.store.minhash_bands import write_bands
from aggregator.store.page_wordings import pin, unpin
from aggregator.store.publications import publication_row, withdraw, write_shown
from aggregator.store.queries import by, rows_by
from aggregator.store.schema import alias, category, entry, publication, revision, store, story
from aggregator.store.sequence import joining_times

KEPT = 10  # earlier wordings of one entry, the newest
KEPT_BYTES = 64 * 1024  # of them together, compressed; the newest that fit
WORDING = ("title", "link", "summary", "content", "authors", "tags", "enclosures")  # what digests are of (I38)
_WORDINGS = by(select(entry.c.id, *(entry.c[name] for name in WORDING)), entry.c.id)
_EARLIER = by(select(revision).order_by(revision.c.id), revision.c.entry_id)


def keep_wordings(connection: Connection, revised: Mapping[int, Mapping[str, Any]], now: datetime) -> None:
    """Keep what entries have said until now, before their rows say something else.

    Three statements, however many there are; what says the same once more (another date, I42) is not kept.

    Args:
        connection: a writing one.
        revised: what each will say, by its number: the columns of `WORDING`.
        now: the time of the revision.
    """
    numbers = sorted(revised)
    rows = []
    for row in rows_by(connection, _WORDINGS, numbers):
        said = {name: row[name] for name in WORDING if row[name]}
        if said != {name: revised[row["id"]][name] for name in WORDING if revised[row["id"]][name]}:
            data = zlib.compress(json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode())
            rows.append({"entry_id": row["id"], "replaced_at": now, "data": data})
    if not rows:
        return
    connection.execute(revision.insert(), rows)
    _trim(connection, [row["entry_id"] for row in rows])


def _trim(connection: Connection, numbers: list[int]) -> None:
    """Drop the oldest wordings of entries of which there are too many, or too much."""
    of_entry, newest_first = revision.c.entry_id, revision.c.id.desc()
    place = func.row_number().over(partition_by=of_entry, order_by=newest_first).label("place")
    length = func.length(revision.c.data)
    size = func.sum(length).over(partition_by=of_entry, order_by=newest_first).label("size")
    for start in range(0, len(numbers), MAX_IN):
        part = revision.c.entry_id.in_(numbers[start : start + MAX_IN])
        counted = select(revision.c.id, place, size).where(part).subquery()
        over = select(counted.c.id).where(or_(counted.c.place > KEPT, counted.c.size > KEPT_BYTES))
        connection.execute(delete(revision).where(revision.c.id.in_(over)))


def earlier_wordings(connection: Connection, entries: Collection[int]) -> Mapping[int, tuple[Earlier, ...]]:
    """Give what entries said before, by their numbers, the oldest first; without those that never said otherwise."""
    found: dict[int, list[Earlier]] = defaultdict(list)
    for row in rows_by(connection, _EARLIER, sorted(entries)):
        said = dict.fromkeys(WORDING) | json.loads(zlib.decompress(row["data"]))
        found[row["entry_id"]].append(Earlier(until=row["replaced_at"], wording=wording_of(said)))
    return {number: tuple(wordings) for number, wordings in found.items()}


def wording_of(said: Mapping[str, Any] | RowMapping) -> Wording:
    """Read the columns of `WORDING`."""
    return Wording(
        title=said["title"] or "",
        link=said["link"],
        summary=said["summary"] or "",
        content=said["content"] or "",
        authors=tuple(person.name for person in people_of(said["authors"])),
        tags=tuple(tag.label or tag.term for tag in tags_of(said["tags"])),
        enclosures=tuple(item.url for item in enclosures_of(said["enclosures"])),
    )


def write(
    connection: Connection, source_id: int, written: EntryChanges, now: datetime, *, is_first: bool = False
) -> None:
    """Write what becomes of a source's entries. All ids are given: a statement for each kind of row.

    Args:
        connection: a writing one.
        source_id: of the source.
        written: what is written.
        now: the time.
        is_first: by its first poll: that is no news to anyone who follows a category (I62).
    """
    if written.stories:
        rows = [
            {"id": s.id, "atom_id": s.atom_id, "page_id": s.page_id, "founder_id": s.founder, "created_at": now}
            for s in written.stories
        ]
        connection.execute(story.insert(), rows)
    _make_categories(connection, written.categories, now)
    _retire(connection, written.retired)
    told = {item.story for some in (written.new, written.released) for item in some if item.story is not None}
    joined = joining_times(connection, told, now)
    if written.new:
        connection.execute(entry.insert(), [_new_row(item, source_id, now, joined) for item in written.new])
    pin(connection, written.pins)
    unpin(connection, written.unpinned)
    _write_revised(connection, written.revised, now)
    _write_completed(connection, written.completed)
    _write_released(connection, written.released, joined)
    write_bands(connection, (*written.new, *written.released))
    _write_aliases(connection, written.aliases, source_id)
    _take_back(connection, written.taken_back)
    _relist(connection, written.relisted)
    withdraw(connection, written.withdrawn, now)
    if written.publications:
        connection.execute(publication.insert(), [publication_row(item) for item in written.publications])
    write_shown(connection, written.shown)
    _touch(connection, written)
    write_hits(connection, source_id, written.hits, now)
    _raise_generations(connection, written, is_first=is_first)
    _move_counters(connection, written)


def _content(item: Entry) -> dict[str, Any]:
    return {
        "title": item.title,
        "link": item.link,
        "match_link": dedupe_link(item),
        "summary": item.summary,
        "content": item.content,
        "authors": people_to_json(item.authors),
        "tags": tags_to_json(item.tags),
        "enclosures": enclosures_to_json(item.enclosures),
        "supplement": supplement_to_json(item.supplement),
        "rights": item.rights,
        "language": item.language,
        "filed": list(item.filed) or None,
        "original": original_to_json(item),
    }


def _origin(item: NewEntry | RevisedEntry) -> dict[str, Any] | None:
    value = origin_to_json(item.origin)
    return value if value is None or item.entry.origin is None else value | {"own": True}


def _new_row(item: NewEntry, source_id: int, now: datetime, joined: Mapping[int, datetime]) -> dict[str, Any]:
    told = item.entry
    return {
        "id": item.id,
        "source_id": source_id,
        "key_hash": item.form,
        "key": told.key,
        "key_rule": told.key_rule.value,
        "own_id": told.id,
        "id_hash": global_id_hash(told.id) if told.id else None,
        "digest": told.told_digest,
        "shown_digest": told.digest if told.original else None,
        "text_digest": told.text_digest,
        **_content(told),
        "published": told.published,
        "updated": told.updated,
        "first_seen": now,
        "revisions": 0,
        "undated": 0,
        "state": item.state.value,
        "story_id": item.story,
        "joined_at": joined[item.story] if item.story is not None else None,
        "categories": list(item.categories),
        "refused": list(item.refused) or None,
        "limited": list(item.limited) or None,
        "origin": _origin(item),
    }


def _write_revised(connection: Connection, revised: Sequence[RevisedEntry], now: datetime) -> None:
    shown = [item for item in revised if not item.held and not item.unseen]
    held = [item for item in revised if item.held]
    unseen = [
        {"row_id": item.id, "new_digest": item.digest, "new_shown_digest": _shown_digest(item)}
        for item in revised
        if item.unseen
    ]
    statement = update(entry).where(entry.c.id == bindparam("row_id"))
    if unseen:  # what is kept of them is what is shown
        kept: dict[str, Any] = {"digest": bindparam("new_digest"), "shown_digest": bindparam("new_shown_digest")}
        connection.execute(statement.values(kept), unseen)
    if shown:
        keep_wordings(connection, {item.id: _content(item.entry) for item in shown}, now)
        rows = [
            _content(item.entry)
            | {
                "digest": item.digest,
                "shown_digest": _shown_digest(item),
                "text_digest": item.entry.text_digest,
                "published": item.published,
                "updated": item.entry.updated,
                "undated": item.undated,
                "origin": _origin(item),
                "unpublished": None,
                "changed_at": now,
            }
            for item in shown
        ]
        values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in rows[0]}
        values["revisions"] = entry.c.revisions + 1
        prefixed = [
            {f"new_{name}": value for name, value in row.items()} | {"row_id": item.id}
            for row, item in zip(rows, shown, strict=True)
        ]
        connection.execute(statement.values(values), prefixed)
    if held:
        holding = statement.values(
            digest=bindparam("new_digest"),
            shown_digest=func.coalesce(entry.c.shown_digest, entry.c.digest),
            undated=bindparam("new_undated"),
            unpublished=bindparam("new_unpublished"),
            changed_at=now,
            revisions=entry.c.revisions + 1,
        )
        connection.execute(
            holding,
            [
                {
                    "row_id": item.id,
                    "new_digest": item.digest,
                    "new_undated": item.undated,
                    "new_unpublished": _content(item.entry),
                }
                for item in held
            ],
        )


def _shown_digest(item: RevisedEntry) -> str | None:
    """Give the digest of what is kept, where the source says something else now (I61)."""
    return item.entry.digest if item.entry.digest != item.digest else None


def _make_categories(connection: Connection, made: Sequence[NewCategory], now: datetime) -> None:
    """Make the categories that items were first to name, and wake those that rested."""
    for item in made:
        values: dict[str, Any] = {"active": True, "source_id": item.source}
        if item.is_new:
            insert_category(connection, item.id, item.key, item.slug, item.feed_id, now, **values)
        else:
            connection.execute(update(category).where(category.c.id == item.id).values(values))


def _retire(connection: Connection, ids: Sequence[int]) -> None:
    """Take from entries the form of their key, which names another entry from now on; the key itself stays (I35)."""
    if ids:
        statement = update(entry).where(entry.c.id == bindparam("row_id"))
        rows = [{"row_id": number, "form": f"retired {number}"} for number in ids]
        connection.execute(statement.values(key_hash=bindparam("form")), rows)


def _write_released(connection: Connection, released: Sequence[ReleasedEntry], joined: Mapping[int, datetime]) -> None:
    if released:
        statement = update(entry).where(entry.c.id == bindparam("row_id"))
        values: dict[str, Any] = {
            name: bindparam(f"new_{name}")
            for name in ("state", "story_id", "joined_at", "categories", "refused", "limited")
        }
        rows = [
            {
                "row_id": item.id,
                "new_state": item.state.value,
                "new_story_id": item.story,
                "new_joined_at": joined[item.story] if item.story is not None else None,
                "new_categories": list(item.categories),
                "new_refused": list(item.refused) or None,
                "new_limited": list(item.limited) or None,
            }
            for item in released
        ]
        connection.execute(statement.values(values), rows)


def _write_completed(connection: Connection, completed: Sequence[CompletedEntry]) -> None:
    """Keep what is shown of entries that have their details now; their digests stay those of the list (I38)."""
    statement = update(entry).where(entry.c.id == bindparam("row_id"))
    for item in completed:
        told = item.entry
        values = _content(told) | {"shown_digest": told.digest, "text_digest": told.text_digest}
        values |= {"published": told.published, "updated": told.updated}
        connection.execute(statement.values(values), {"row_id": item.id})


def write_refiled(connection: Connection, filed: Sequence[RejudgedEntry]) -> None:
    """Write what edited rules make of stored entries; their digests stay those of what the source told (R47)."""
    touch(connection, (), [item.id for item in filed])
    chosen = update(entry).where(entry.c.id == bindparam("row_id"))
    read = [
        {f"new_{name}": value for name, value in _content(item.entry).items()}
        | {
            "row_id": item.id,
            "new_shown_digest": item.entry.digest if item.entry.original else None,
            "new_text_digest": item.entry.text_digest,
        }
        for item in filed
        if item.entry is not None
    ]
    if read:
        names = [name.removeprefix("new_") for name in read[0] if name != "row_id"]
        connection.execute(chosen.values({name: bindparam(f"new_{name}") for name in names}), read)
    placed = [
        {
            "row_id": item.id,
            "new_state": item.state.value,
            "new_categories": list(item.categories),
            "new_refused": list(item.refused) or None,
        }
        for item in filed
        if item.state is not None
    ]
    if placed:
        names = ["state", "categories", "refused"]
        connection.execute(chosen.values({name: bindparam(f"new_{name}") for name in names}), placed)


def _write_aliases(connection: Connection, aliases: Sequence[Alias], source_id: int) -> None:
    """Keep other ids of entries; one that named another entry names this one from now on."""
    if aliases:
        statement = insert(alias, connection.dialect.name)
        place = ["kind", "source_id", "value_hash"]
        statement = statement.on_conflict_do_update(
            index_elements=place, set_={"target_id": statement.excluded.target_id, "value": statement.excluded.value}
        )
        rows = [
            {"kind": ENTRY, "source_id": source_id, "value_hash": a.form, "value": a.key, "target_id": a.entry}
            for a in aliases
        ]
        connection.execute(statement, rows)


def _take_back(connection: Connection, gone: Sequence[TakenBack]) -> None:
    """Mark entries that their source took back (I26)."""
    if gone:
        chosen = update(entry).where(entry.c.id == bindparam("row_id"))
        rows = [{"row_id": item.id, "at": item.at} for item in gone]
        connection.execute(chosen.values(state=EntryState.WITHDRAWN.value, taken_back_at=bindparam("at")), rows)


def _relist(connection: Connection, relisted: Sequence[Relisted]) -> None:
    """Unmark those that their source lists again (I26)."""
    if relisted:
        chosen = update(entry).where(entry.c.id == bindparam("row_id"))
        rows = [{"row_id": item.id, "new_state": item.state.value, "new_updated": item.updated} for item in relisted]
        values: dict[str, Any] = {
            "state": bindparam("new_state"),
            "updated": bindparam("new_updated"),
            "taken_back_at": None,
        }
        connection.execute(chosen.values(values), rows)


def _touch(connection: Connection, written: EntryChanges) -> None:
    """Note which stories are changed: made, told once more, told otherwise, or standing elsewhere."""
    told = (item.story for some in (written.new, written.released) for item in some)
    stood = (item.story for some in (written.publications, written.shown) for item in some)
    gone = (number for number, _ in written.withdrawn)
    otherwise = (item.id for item in written.revised if not item.held and not item.unseen)
    taken_back = (item.id for item in written.taken_back if not item.again)
    relisted = (item.id for item in written.relisted)
    touch(connection, (*told, *stood, *gone), (*otherwise, *taken_back, *relisted))


def _raise_generations(connection: Connection, written: EntryChanges, *, is_first: bool) -> None:
    """Raise the generation of what must be rendered again, in the transaction that changes it (invariant 6)."""
    pages: dict[int, set[int]] = defaultdict(set)
    for place, page in written.dirty:
        pages[place].update(() if page is None else (page,))
    raise_generations(connection, pages, backfill=is_first or is_backfill(written.publications))


def _move_counters(connection: Connection, written: EntryChanges) -> None:
    """Move what is free past what was written, never back: a restore writes source by source, not number by number."""
    values: dict[str, Any] = {}
    for counter, rows in ((store.c.next_entry, written.new), (store.c.next_story, written.stories)):
        if rows:
            free = max(item.id for item in rows) + 1
            values[counter.name] = case((counter > free, counter), else_=free)
    if values:
        connection.execute(update(store).values(values))
