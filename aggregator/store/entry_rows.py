"""Rows of entries: a statement for each kind of change, however many entries it names.

`store/apply.py` says in which order they run.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, update

from aggregator.identify.keys import global_id_hash
from aggregator.identify.matching import dedupe_link
from aggregator.model.changes import (
    Alias,
    CompletedEntry,
    MovedEntry,
    NewEntry,
    PlacedEntry,
    RejudgedEntry,
    ReleasedEntry,
    Relisted,
    RevisedEntry,
    TakenBack,
)
from aggregator.model.entry import Entry
from aggregator.model.known import EntryState
from aggregator.model.stored_json import (
    enclosures_to_json,
    origin_to_json,
    original_to_json,
    people_to_json,
    supplement_to_json,
    tags_to_json,
)
from aggregator.store.dialect import insert
from aggregator.store.entries import keep_wordings
from aggregator.store.known import ENTRY
from aggregator.store.schema import alias, entry
from aggregator.store.sequence import moving_times


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


def insert_entries(
    connection: Connection, new: Sequence[NewEntry], source_id: int, now: datetime, joined: Mapping[int, datetime]
) -> None:
    """Insert new entries; `joined` has the `joined_at` of entries that join stories now, by story."""
    if new:
        connection.execute(entry.insert(), [_new_row(item, source_id, now, joined) for item in new])


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


def write_revised(connection: Connection, revised: Sequence[RevisedEntry], now: datetime) -> None:
    shown = [item for item in revised if not item.deferred and not item.unseen]
    deferred = [item for item in revised if item.deferred]
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
    if deferred:
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
                for item in deferred
            ],
        )


def _shown_digest(item: RevisedEntry) -> str | None:
    """Return the digest of what is kept, where the source says something else now (I61)."""
    return item.entry.digest if item.entry.digest != item.digest else None


def retire_keys(connection: Connection, ids: Sequence[int]) -> None:
    """Take from entries the form of their key, which names another entry from now on; the key itself stays (I35)."""
    if ids:
        statement = update(entry).where(entry.c.id == bindparam("row_id"))
        rows = [{"row_id": number, "form": f"retired {number}"} for number in ids]
        connection.execute(statement.values(key_hash=bindparam("form")), rows)


def write_released(connection: Connection, released: Sequence[ReleasedEntry], joined: Mapping[int, datetime]) -> None:
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


def write_completed(connection: Connection, completed: Sequence[CompletedEntry]) -> None:
    """Keep what is shown of entries that have their details now; their digests stay those of the list (I38)."""
    statement = update(entry).where(entry.c.id == bindparam("row_id"))
    for item in completed:
        told = item.entry
        values = _content(told) | {"shown_digest": told.digest, "text_digest": told.text_digest}
        values |= {"published": told.published, "updated": told.updated}
        connection.execute(statement.values(values), {"row_id": item.id})


def write_rejudged(connection: Connection, rejudged: Sequence[RejudgedEntry]) -> None:
    """Write what edited rules make of stored entries; their digests stay those of what the source says (R47)."""
    chosen = update(entry).where(entry.c.id == bindparam("row_id"))
    read = [
        {f"new_{name}": value for name, value in _content(item.entry).items()}
        | {
            "row_id": item.id,
            "new_shown_digest": item.entry.digest if item.entry.original else None,
            "new_text_digest": item.entry.text_digest,
        }
        for item in rejudged
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
        for item in rejudged
        if item.state is not None
    ]
    if placed:
        names = ["state", "categories", "refused"]
        connection.execute(chosen.values({name: bindparam(f"new_{name}") for name in names}), placed)


def write_aliases(connection: Connection, aliases: Sequence[Alias], source_id: int) -> None:
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


def take_back(connection: Connection, gone: Sequence[TakenBack]) -> None:
    """Mark entries that their source took back (I26)."""
    if gone:
        chosen = update(entry).where(entry.c.id == bindparam("row_id"))
        rows = [{"row_id": item.id, "at": item.at} for item in gone]
        connection.execute(chosen.values(state=EntryState.WITHDRAWN.value, taken_back_at=bindparam("at")), rows)


def relist(connection: Connection, relisted: Sequence[Relisted]) -> None:
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


def place_entries(connection: Connection, placed: Sequence[PlacedEntry]) -> None:
    """Write in which categories the source of an entry publishes it (N2)."""
    if placed:
        chosen = update(entry).where(entry.c.id == bindparam("row_id"))
        rows = [{"row_id": item.id, "new_categories": list(item.categories)} for item in placed]
        connection.execute(chosen.values(categories=bindparam("new_categories")), rows)


def move_entries(connection: Connection, moved: Sequence[MovedEntry], now: datetime) -> None:
    """Write which story entries tell from now on (T7, T8)."""
    if moved:
        times = moving_times(connection, moved, now)
        chosen = update(entry).where(entry.c.id == bindparam("row_id"))
        names = ("story_id", "merged_from", "joined_at")
        rows = [
            {
                "row_id": item.id,
                "new_story_id": item.story,
                "new_merged_from": item.merged_from,
                "new_joined_at": times[item.id],
            }
            for item in moved
        ]
        connection.execute(chosen.values({name: bindparam(f"new_{name}") for name in names}), rows)
