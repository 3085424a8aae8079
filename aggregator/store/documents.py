"""What a document shows, read in one go from one moment of the store (R31)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, select

from aggregator.decide.order import believed
from aggregator.model.entry import Origin
from aggregator.model.poll import State
from aggregator.model.settings import CategoryKey, Show, SourceKey
from aggregator.model.story import Credit, Publication, Tombstone
from aggregator.store.dialect import MAX_IN
from aggregator.store.records import enclosures_of, origin_of, people_of, tags_of
from aggregator.store.schema import category, entry, publication, source, story
from aggregator.urls import Url


@dataclass(frozen=True, slots=True, kw_only=True)
class MainRow:
    """A publication in the main document, as far as filing needs it."""

    story: int
    atom_id: str
    sort_at: datetime
    entered_at: datetime
    backfill: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """A source as the lists show it."""

    key: SourceKey
    url: Url
    state: State
    paused: bool
    code: str | None
    error: str | None
    feed: Origin | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What may not be shown of a source, as feeds.yaml said last: it holds also once the source is gone from there."""

    private: bool
    show: Show | None
    addresses: tuple[Url, ...]  # as configured, and in use


_SHOWN = (
    publication.c.story_id,
    publication.c.sort_at,
    publication.c.page,
    publication.c.updated,
    publication.c.shown_id,
    publication.c.filed_at,
    story.c.atom_id,
    story.c.page_id,
    category.c.key.label("category_key"),
    category.c.slug,
    source.c.key.label("source_key"),
    *(
        entry.c[name].label(f"entry_{name}")
        for name in (
            "key title link summary content authors tags enclosures rights language published first_seen origin"
        ).split()
    ),
)
_IN_ORDER = (publication.c.sort_at.desc(), story.c.atom_id)  # M1


def main_rows(connection: Connection, number: int) -> list[MainRow]:
    """Give the main document of a category in order, without its contents."""
    query = (
        select(
            publication.c.story_id,
            story.c.atom_id,
            publication.c.sort_at,
            publication.c.entered_at,
            publication.c.backfill,
        )
        .join(story, story.c.id == publication.c.story_id)
        .where(publication.c.category_id == number, publication.c.page.is_(None), publication.c.withdrawn_at.is_(None))
        .order_by(*_IN_ORDER)
    )
    return [
        MainRow(story=r.story_id, atom_id=r.atom_id, sort_at=r.sort_at, entered_at=r.entered_at, backfill=r.backfill)
        for r in connection.execute(query).all()
    ]


def publications(connection: Connection, number: int, page: int | None) -> tuple[Publication, ...]:
    """Give what stands in one document of a category, in order."""
    place = publication.c.page.is_(None) if page is None else publication.c.page == page
    query = _shown().where(publication.c.category_id == number, place, publication.c.withdrawn_at.is_(None))
    return _filled(connection, query.order_by(*_IN_ORDER))


def newest(connection: Connection, numbers: Sequence[int], limit: int) -> tuple[Publication, ...]:
    """Give the newest stories of some categories together, each once, by first publication (DESIGN 3.3, all.*)."""
    earlier = publication.alias()
    listed = list(numbers)
    before = (
        select(earlier.c.story_id)
        .where(
            earlier.c.story_id == publication.c.story_id,
            earlier.c.category_id.in_(listed),
            earlier.c.withdrawn_at.is_(None),
            (earlier.c.sort_at < publication.c.sort_at)
            | ((earlier.c.sort_at == publication.c.sort_at) & (earlier.c.category_id < publication.c.category_id)),
        )
        .exists()
    )
    query = _shown().where(publication.c.category_id.in_(listed), publication.c.withdrawn_at.is_(None), ~before)
    return _filled(connection, query.order_by(*_IN_ORDER).limit(limit))


def newest_of(connection: Connection, number: int, limit: int) -> tuple[Publication, ...]:
    """Give the newest stories of one category."""
    query = _shown().where(publication.c.category_id == number, publication.c.withdrawn_at.is_(None))
    return _filled(connection, query.order_by(*_IN_ORDER).limit(limit))


def tombstones(connection: Connection, number: int, since: datetime | None) -> tuple[Tombstone, ...]:
    """Give what was withdrawn from a category and still has a tombstone in its main document (M8)."""
    gone = publication.c.withdrawn_at.is_not(None)
    query = (
        select(story.c.atom_id, publication.c.withdrawn_at, source.c.key)
        .join(story, story.c.id == publication.c.story_id)
        .outerjoin(entry, entry.c.id == story.c.founder_id)
        .outerjoin(source, source.c.id == entry.c.source_id)
        .where(publication.c.category_id == number, gone)
    )
    if since is not None:
        query = query.where(publication.c.withdrawn_at >= since)
    rows = connection.execute(query.order_by(publication.c.withdrawn_at.desc(), story.c.atom_id)).all()
    return tuple(Tombstone(ref=row.atom_id, when=row.withdrawn_at, source=row.key) for row in rows)


def source_rows(connection: Connection) -> list[SourceRow]:
    """Give the sources of feeds.yaml as the lists show them, in the order of their keys."""
    names = ("key", "url", "state", "paused", "code", "error", "feed")
    query = select(*(source.c[name] for name in names)).where(source.c.active).order_by(source.c.key)
    return [
        SourceRow(**(dict(row) | {"state": State(row["state"]), "feed": origin_of(row["feed"])}))
        for row in connection.execute(query).mappings()
    ]


def limits(connection: Connection) -> dict[SourceKey, Limits]:
    """Give the sources of which not everything may be shown, in the order of their keys."""
    names = ("key", "url", "url_in_use", "private", "show")
    query = select(*(source.c[name] for name in names)).where(source.c.private | source.c.show.is_not(None))
    return {
        SourceKey(row.key): Limits(
            private=row.private,
            show=Show(row.show) if row.show else None,
            addresses=tuple(dict.fromkeys((Url(row.url), Url(row.url_in_use)))),
        )
        for row in connection.execute(query.order_by(source.c.key)).all()
    }


def _shown() -> Select[Any]:
    return (
        select(*_SHOWN)
        .join(story, story.c.id == publication.c.story_id)
        .join(category, category.c.id == publication.c.category_id)
        .join(entry, entry.c.id == publication.c.shown_id)
        .join(source, source.c.id == entry.c.source_id)
    )


def _filled(connection: Connection, query: Select[Any]) -> tuple[Publication, ...]:
    rows = connection.execute(query).mappings().all()
    credits = _credits(connection, {row["story_id"]: row for row in rows})
    return tuple(_publication(row, credits.get(row["story_id"], ())) for row in rows)


def _credits(connection: Connection, shown: Mapping[int, RowMapping]) -> dict[int, tuple[Credit, ...]]:
    """Give the other copies of each story, first seen first; a page takes no notice of later ones (M7)."""
    found: dict[int, list[Credit]] = defaultdict(list)
    for ids in _parts(sorted(shown)):
        query = (
            select(entry.c.story_id, entry.c.id, entry.c.link, entry.c.joined_at, entry.c.origin, source.c.key)
            .join(source, source.c.id == entry.c.source_id)
            .where(entry.c.story_id.in_(ids))
            .order_by(entry.c.id)
        )
        for row in connection.execute(query).all():
            told = shown[row.story_id]
            if row.id == told["shown_id"] or (told["filed_at"] is not None and row.joined_at > told["filed_at"]):
                continue
            origin = origin_of(row.origin)
            found[row.story_id].append(
                Credit(
                    source=SourceKey(row.key),
                    title=origin.title if origin else "",
                    link=_url(row.link),
                    site=origin.link if origin else None,
                )
            )
    return {told: tuple(copies) for told, copies in found.items()}


def _parts(values: Sequence[int]) -> Iterable[Sequence[int]]:
    return (values[start : start + MAX_IN] for start in range(0, len(values), MAX_IN))


def _publication(row: RowMapping, copies: tuple[Credit, ...]) -> Publication:
    origin = origin_of(row["entry_origin"])
    assert origin is not None, "every entry is stored with its origin (A9)"
    return Publication(
        story=row["story_id"],
        atom_id=row["atom_id"],
        page_id=row["page_id"],
        sort_at=row["sort_at"],
        page=row["page"],
        published=believed(row["entry_published"], row["entry_first_seen"]),
        updated=row["updated"],
        source=SourceKey(row["source_key"]),
        entry_key=row["entry_key"],
        title=row["entry_title"],
        link=_url(row["entry_link"]),
        summary=row["entry_summary"],
        content=row["entry_content"],
        authors=people_of(row["entry_authors"]),
        tags=tags_of(row["entry_tags"]),
        enclosures=enclosures_of(row["entry_enclosures"]),
        rights=row["entry_rights"],
        language=row["entry_language"],
        origin=origin,
        credits=copies,
        category=CategoryKey(row["category_key"]),
        home=f"category/{row['slug']}" + (f"/archive/{row['page']}" if row["page"] else ""),
    )


def _url(value: str | None) -> Url | None:
    return None if value is None else Url(value)
