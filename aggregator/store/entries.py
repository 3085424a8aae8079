"""Entries, stories and publications: looked up once before a poll is decided, written once after."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, RowMapping, Select, bindparam, func, select, update

from aggregator.decide.entries import minted_id, page_id_of
from aggregator.dedupe.exact import evident_link
from aggregator.identity import global_id_hash, is_iri, key_form
from aggregator.model.changes import Changes, EntryChanges, NewEntry, RevisedEntry
from aggregator.model.entry import Digest, Entry, Feed
from aggregator.model.event import Event
from aggregator.model.known import EntryState, Known, KnownCategory, KnownEntry, KnownPublication, KnownStory
from aggregator.model.poll import Due
from aggregator.model.settings import CategoryKey, SourceKey
from aggregator.store.dialect import MAX_IN
from aggregator.store.records import enclosures_to_json, origin_to_json, people_to_json, tags_to_json
from aggregator.store.schema import category, entry, event, publication, source, store, story
from aggregator.urls import Url

_KNOWN = (
    *(
        entry.c[name]
        for name in (
            "id source_id key_hash own_id digest id_hash text_digest match_link title link summary content "
            "published updated first_seen undated state story_id categories origin"
        ).split()
    ),
    source.c.key.label("source_key"),
    source.c.host_key.label("source_host"),
)


def known(connection: Connection, due: Due, feed: Feed) -> Known:
    """Look up all that bears on a document: its own entries, and the stories that others may have told before.

    About ten statements, whatever the number of entries.
    """
    forms = [key_form(item.key) for item in feed.entries]
    mine = {
        row["key_hash"]: _known_entry(row)
        for row in _by(connection, _entries().where(entry.c.source_id == due.id), entry.c.key_hash, forms)
    }
    fresh = [item for item, form in zip(feed.entries, forms, strict=True) if form not in mine]
    ids = {hashed for item in fresh if item.id and (hashed := global_id_hash(item.id))}
    texts = {item.text_digest for item in fresh if item.text_digest}
    links = {link for item in fresh if (link := evident_link(item))}
    candidates: set[int] = set()
    told = select(entry.c.story_id).where(entry.c.story_id.is_not(None), entry.c.source_id != due.id).distinct()
    for column, values in ((entry.c.id_hash, ids), (entry.c.text_digest, texts), (entry.c.match_link, links)):
        candidates.update(row["story_id"] for row in _by(connection, told, column, sorted(values)))
    own = {item.story for item in mine.values() if item.story is not None}
    stories = dict(_stories(connection, candidates | own))
    wanted = {number for item in stories.values() for number in (item.founder, *(p.shown for p in item.publications))}
    others = {row["id"]: _known_entry(row) for row in _by(connection, _entries(), entry.c.id, sorted(wanted))}
    row = connection.execute(select(store.c.uuid, store.c.next_entry, store.c.next_story)).mappings().one()
    may_be = {minted_id(row["uuid"], due.source.key, item.key) for item in fresh}
    may_be |= {item.id for item in fresh if item.id and is_iri(item.id)}
    pages = sorted(map(page_id_of, may_be))
    return Known(
        store_uuid=row["uuid"],
        next_entry=row["next_entry"],
        next_story=row["next_story"],
        entries=mine,
        others=others,
        stories=stories,
        bearers=_bearers(connection, links),
        taken=frozenset(
            r["atom_id"] for r in _by(connection, select(story.c.atom_id), story.c.atom_id, sorted(may_be))
        ),
        taken_pages=frozenset(r["page_id"] for r in _by(connection, select(story.c.page_id), story.c.page_id, pages)),
        categories=known_categories(connection),
    )


def known_categories(connection: Connection) -> dict[CategoryKey, KnownCategory]:
    """Give the categories that have a slug."""
    rows = connection.execute(select(category.c.id, category.c.key, category.c.slug)).mappings()
    return {row["key"]: KnownCategory(id=row["id"], key=row["key"], slug=row["slug"]) for row in rows}


def _entries() -> Select[Any]:
    return select(*_KNOWN).join(source, source.c.id == entry.c.source_id)


def _by(connection: Connection, query: Select[Any], column: Column[Any], values: Sequence[Any]) -> Iterator[RowMapping]:
    """Run a query for any number of values, in as few statements as the database's limit allows."""
    for start in range(0, len(values), MAX_IN):
        yield from connection.execute(query.where(column.in_(values[start : start + MAX_IN]))).mappings()


def _known_entry(row: RowMapping) -> KnownEntry:
    return KnownEntry(
        id=row["id"],
        source=row["source_id"],
        source_key=SourceKey(row["source_key"]),
        source_host=row["source_host"],
        form=row["key_hash"],
        own_id=row["own_id"],
        digest=Digest(row["digest"]),
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
        categories=tuple(row["categories"]),
        credited=bool(row["origin"] and row["origin"].get("own")),
    )


def _stories(connection: Connection, ids: Iterable[int]) -> Iterator[tuple[int, KnownStory]]:
    numbers = sorted(ids)
    publications: dict[int, list[KnownPublication]] = defaultdict(list)
    order = publication.c.category_id
    for row in _by(connection, select(publication).order_by(order), publication.c.story_id, numbers):
        publications[row["story_id"]].append(
            KnownPublication(
                story=row["story_id"],
                category=row["category_id"],
                entered_at=row["entered_at"],
                shown=row["shown_id"],
                digest=Digest(row["digest"]),
                updated=row["updated"],
                page=row["page"],
                withdrawn=row["withdrawn_at"] is not None,
            )
        )
    tellers: dict[int, set[int]] = defaultdict(set)
    for row in _by(connection, select(entry.c.story_id, entry.c.source_id).distinct(), entry.c.story_id, numbers):
        tellers[row["story_id"]].add(row["source_id"])
    for row in _by(connection, select(story), story.c.id, numbers):
        yield (
            row["id"],
            KnownStory(
                id=row["id"],
                atom_id=row["atom_id"],
                founder=row["founder_id"],
                created_at=row["created_at"],
                sources=frozenset(tellers[row["id"]]),
                publications=tuple(publications[row["id"]]),
            ),
        )


def _bearers(connection: Connection, links: Iterable[str]) -> Mapping[str, Mapping[int, int]]:
    found: dict[str, dict[int, int]] = defaultdict(dict)
    count = func.count().label("bearers")
    query = select(entry.c.match_link, entry.c.source_id, count).group_by(entry.c.match_link, entry.c.source_id)
    for row in _by(connection, query, entry.c.match_link, sorted(links)):
        found[row["match_link"]][row["source_id"]] = row["bearers"]
    return found


def write(connection: Connection, changes: Changes) -> None:
    """Write what becomes of a document's entries. All ids are given: a statement for each kind of row."""
    written, now = changes.entries, changes.asked_at
    if written.stories:
        rows = [
            {"id": s.id, "atom_id": s.atom_id, "page_id": s.page_id, "founder_id": s.founder, "created_at": now}
            for s in written.stories
        ]
        connection.execute(story.insert(), rows)
    if written.new:
        connection.execute(entry.insert(), [_new_row(item, changes.due.id, now) for item in written.new])
    _write_revised(connection, written.revised, now)
    if written.publications:
        connection.execute(publication.insert(), [_publication_row(item) for item in written.publications])
    if written.shown:
        statement = update(publication).where(
            publication.c.story_id == bindparam("of_story"), publication.c.category_id == bindparam("of_category")
        )
        statement = statement.values(
            shown_id=bindparam("new_shown"), digest=bindparam("new_digest"), updated=bindparam("new_updated")
        )
        rows = [
            {
                "of_story": s.story,
                "of_category": s.category,
                "new_shown": s.shown,
                "new_digest": s.digest,
                "new_updated": s.updated,
            }
            for s in written.shown
        ]
        connection.execute(statement, rows)
    _raise_generations(connection, written)
    _move_counters(connection, written)


def write_events(connection: Connection, events: Sequence[Event], at: datetime) -> None:
    """Append to the trail."""
    if events:
        rows = [
            {
                "at": at,
                "code": e.code.value,
                "source_id": e.source,
                "entry_id": e.entry,
                "story_id": e.story,
                "category_id": e.category,
                "facts": e.facts or None,
            }
            for e in events
        ]
        connection.execute(event.insert(), rows)


def _content(item: Entry) -> dict[str, Any]:
    return {
        "title": item.title,
        "link": item.link,
        "match_link": evident_link(item),
        "summary": item.summary,
        "content": item.content,
        "authors": people_to_json(item.authors),
        "tags": tags_to_json(item.tags),
        "enclosures": enclosures_to_json(item.enclosures),
        "rights": item.rights,
        "language": item.language,
    }


def _origin(item: NewEntry | RevisedEntry) -> dict[str, Any] | None:
    value = origin_to_json(item.origin)
    return value if value is None or item.entry.origin is None else value | {"own": True}


def _new_row(item: NewEntry, source_id: int, now: datetime) -> dict[str, Any]:
    told = item.entry
    return {
        "id": item.id,
        "source_id": source_id,
        "key_hash": item.form,
        "key": told.key,
        "key_rule": told.key_rule.value,
        "own_id": told.id,
        "id_hash": global_id_hash(told.id) if told.id else None,
        "digest": told.digest,
        "text_digest": told.text_digest,
        **_content(told),
        "published": told.published,
        "updated": told.updated,
        "first_seen": now,
        "revisions": 0,
        "undated": 0,
        "state": item.state.value,
        "story_id": item.story,
        "joined_at": now if item.story is not None else None,
        "categories": list(item.categories),
        "origin": _origin(item),
    }


def _write_revised(connection: Connection, revised: Sequence[RevisedEntry], now: datetime) -> None:
    shown = [item for item in revised if not item.held]
    held = [item for item in revised if item.held]
    statement = update(entry).where(entry.c.id == bindparam("row_id"))
    if shown:
        rows = [
            _content(item.entry)
            | {
                "digest": item.digest,
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


def _publication_row(item: Any) -> dict[str, Any]:
    return {
        "story_id": item.story,
        "category_id": item.category,
        "entered_at": item.entered_at,
        "sort_at": item.sort_at,
        "backfill": item.backfill,
        "shown_id": item.shown,
        "digest": item.digest,
        "updated": item.updated,
    }


def _raise_generations(connection: Connection, written: EntryChanges) -> None:
    """Raise the generation of what must be rendered again, in the transaction that changes it (invariant 6)."""
    pages: dict[int, set[int]] = defaultdict(set)
    for place, page in written.dirty:
        pages[place].update(() if page is None else (page,))
    raise_generations(connection, pages)


def raise_generations(connection: Connection, pages: Mapping[int, Iterable[int]]) -> None:
    """Make categories dirty, and with them the site's own pages.

    Args:
        connection: a writing one.
        pages: category: the archive pages that must be rendered again as well.
    """
    if not pages:
        return
    known = select(category.c.id, category.c.dirty, category.c.dirty_pages).where(category.c.id.in_(list(pages)))
    rows = connection.execute(known).all()
    statement = update(category).where(category.c.id == bindparam("row_id"))
    connection.execute(
        statement.values(dirty=category.c.dirty + 1, dirty_pages=bindparam("new_pages")),
        [
            {"row_id": row.id, "new_pages": row.dirty_pages | {str(page): row.dirty + 1 for page in pages[row.id]}}
            for row in rows
        ],
    )
    connection.execute(update(store).values(dirty=store.c.dirty + 1))


def _move_counters(connection: Connection, written: EntryChanges) -> None:
    values: dict[str, Any] = {}
    if written.new:
        values["next_entry"] = max(item.id for item in written.new) + 1
    if written.stories:
        values["next_story"] = max(item.id for item in written.stories) + 1
    if values:
        connection.execute(update(store).values(values))
