"""Statements that write rows of entries: one for each kind of change, for any number of entries.

`store/apply.py` defines the order in which they run.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, func, update

from aggregator.late import late
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
from aggregator.store.entries import keep_wordings
from aggregator.store.schema import ENTRY, alias, entry, insert
from aggregator.store.sequence import moving_times

if TYPE_CHECKING:
    from aggregator.identify import keys, matching
else:
    keys = late("aggregator.identify.keys")
    matching = late("aggregator.identify.matching")

_CHECKSUMS = 4  # of the present texts, and of those before `rewrite`


def _content(item: Entry) -> dict[str, Any]:
    return {
        "title": item.title,
        "link": item.link,
        "match_link": matching.dedupe_link(item),
        "summary": item.summary,
        "content": item.content,
        "cleaned": " ".join(item.cleaned[:_CHECKSUMS]) or None,
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
    """Insert new entries; `joined` is the `joined_at` of entries that join stories now, by id of the story."""
    if new:
        connection.execute(entry.insert(), [_new_row(item, source_id, now, joined) for item in new])


def _new_row(item: NewEntry, source_id: int, now: datetime, joined: Mapping[int, datetime]) -> dict[str, Any]:
    new_entry = item.entry
    return {
        "id": item.id,
        "source_id": source_id,
        "key_hash": item.form,
        "key": new_entry.key,
        "key_rule": new_entry.key_rule.value,
        "own_id": new_entry.id,
        "id_hash": keys.global_id_hash(new_entry.id) if new_entry.id else None,
        "digest": new_entry.told_digest,
        "shown_digest": new_entry.digest if new_entry.original else None,
        "text_digest": new_entry.text_digest,
        **_content(new_entry),
        "published": new_entry.published,
        "updated": new_entry.updated,
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
    if unseen:  # only the digests change: the stored content stays
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
    """Return the digest of the stored content if it differs from what the source lists (I61); else None."""
    return item.entry.digest if item.entry.digest != item.digest else None


def retire_keys(connection: Connection, ids: Sequence[int]) -> None:
    """Replace `key_hash` of entries whose key identifies another entry from now on; `key` itself stays (I35)."""
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
    """Write the content of entries whose details arrived; `digest` stays the digest of the list item (I38)."""
    statement = update(entry).where(entry.c.id == bindparam("row_id"))
    for item in completed:
        full = item.entry
        values = _content(full) | {"shown_digest": full.digest, "text_digest": full.text_digest}
        values |= {"published": full.published, "updated": full.updated}
        connection.execute(statement.values(values), {"row_id": item.id})


def write_rejudged(connection: Connection, rejudged: Sequence[RejudgedEntry]) -> None:
    """Write content, state and categories of entries after edited rules; `digest` stays that of the source (R47)."""
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
    """Insert other keys of entries; an alias that exists is changed to the entry given here."""
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
    """Mark entries as withdrawn by their source, with the time of it (I26)."""
    if gone:
        chosen = update(entry).where(entry.c.id == bindparam("row_id"))
        rows = [{"row_id": item.id, "at": item.at} for item in gone]
        connection.execute(chosen.values(state=EntryState.WITHDRAWN.value, taken_back_at=bindparam("at")), rows)


def relist(connection: Connection, relisted: Sequence[Relisted]) -> None:
    """Write the new state of withdrawn entries that their source lists again (I26)."""
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
    """Write the categories in which the source of an entry publishes the entry (N2)."""
    if placed:
        chosen = update(entry).where(entry.c.id == bindparam("row_id"))
        rows = [{"row_id": item.id, "new_categories": list(item.categories)} for item in placed]
        connection.execute(chosen.values(categories=bindparam("new_categories")), rows)


def move_entries(connection: Connection, moved: Sequence[MovedEntry], now: datetime) -> None:
    """Write the stories of entries that move to another story by a merge or its reversal (T7, T8)."""
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
