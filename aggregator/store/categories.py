"""Categories in the store: slug and feed id for ever, generations of what is dirty, archive pages."""

from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection, Update, bindparam, select, update

from aggregator.errors import StoreError
from aggregator.model.settings import Category, CategoryKey
from aggregator.slugs import free_slug
from aggregator.store.schema import category, publication, store


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryRow:
    """A category as it stands."""

    id: int
    key: CategoryKey
    slug: str
    feed_id: str
    created_at: datetime
    active: bool
    pages: int  # archive pages
    dirty: int
    rendered: int
    dirty_pages: tuple[int, ...]
    rendered_at: datetime | None
    look: str | None  # digest of what shapes its outputs besides the store


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRow:
    """The generation of what shows all categories together."""

    dirty: int
    rendered: int
    look: str | None


def sync_categories(connection: Connection, wanted: Sequence[Category], now: datetime) -> None:
    """Give each category of feeds.yaml its slug and feed id, once and for ever (A2, A45).

    A category that comes back, under its key or a `was:`, is what it was.
    """
    rows = {row.key: row for row in connection.execute(select(category)).all()}
    slugs, feed_ids = {row.slug for row in rows.values()}, {row.feed_id: row for row in rows.values()}
    uuid = UUID(connection.execute(select(store.c.uuid)).scalar_one())
    keys = {item.key for item in wanted}
    for item in wanted:
        row = rows.get(item.key) or _former(item, rows, feed_ids, keys)
        if row is not None:
            if not row.active or row.key != item.key:
                connection.execute(_of(row.id).values(key=item.key, active=True, dirty=category.c.dirty + 1))
            continue
        slug = free_slug(item.slug or item.key, slugs)
        slugs.add(slug)
        feed_id = item.id or _minted_feed_id(uuid, item.key, feed_ids)
        if feed_id in feed_ids:
            raise StoreError(
                f"category {item.key}: the feed id {feed_id} belongs to {feed_ids[feed_id].key}; write another id, "
                f"or was: {feed_ids[feed_id].key} if it is the same category under a new key"
            )
        values = {"key": item.key, "slug": slug, "feed_id": feed_id, "created_at": now, "active": True}
        fixed = {"pages": 0, "dirty": 1, "rendered": 0, "dirty_pages": {}}
        connection.execute(category.insert().values(values | fixed))
    gone = [row.id for row in rows.values() if row.active and row.key not in keys]
    if gone:
        still = select(category.c.id).where(category.c.key.in_(keys))
        resting = update(category).where(category.c.id.in_(gone), category.c.id.not_in(still))
        connection.execute(resting.values(active=False))


def _former(item: Category, rows: Mapping[str, Any], feed_ids: Mapping[str, Any], wanted: Collection[str]) -> Any:
    """Find the row of a category that has a new key: one that `was:` names, or a resting one with its own feed id."""
    for name in item.was:
        if name in rows and name not in wanted:
            return rows[name]
    heir = feed_ids.get(item.id or "")
    return heir if heir is not None and heir.key not in wanted else None


def _minted_feed_id(uuid: UUID, key: str, taken: Container[str]) -> str:
    """Mint a feed id (A2). A key that is used again after its first category was renamed gets another one."""
    number, feed_id = 1, uuid5(uuid, f"category\0{key}").urn
    while feed_id in taken:
        number += 1
        feed_id = uuid5(uuid, f"category\0{key}\0{number}").urn
    return feed_id


def _of(number: int) -> Update:
    return update(category).where(category.c.id == number)


def category_rows(connection: Connection) -> list[CategoryRow]:
    """Give all categories that stand in feeds.yaml, in the order in which they were made."""
    rows = connection.execute(select(category).where(category.c.active).order_by(category.c.id)).all()
    return [
        CategoryRow(
            id=row.id,
            key=row.key,
            slug=row.slug,
            feed_id=row.feed_id,
            created_at=row.created_at,
            active=row.active,
            pages=row.pages,
            dirty=row.dirty,
            rendered=row.rendered,
            dirty_pages=tuple(sorted(map(int, row.dirty_pages))),
            rendered_at=row.rendered_at,
            look=row.look,
        )
        for row in rows
    ]


def file_publications(connection: Connection, number: int, pages: Mapping[int, Sequence[int]], now: datetime) -> None:
    """File publications on new archive pages, for ever (M2 to M4); what stays in the main document is no backfill now.

    Args:
        connection: a writing one.
        number: of the category.
        pages: page number: the stories on it.
        now: the time.
    """
    of_category = publication.c.category_id == number
    filing = update(publication).where(of_category, publication.c.story_id == bindparam("of_story"))
    rows = [{"of_story": told, "on_page": page} for page, stories in pages.items() for told in stories]
    if rows:
        connection.execute(filing.values(page=bindparam("on_page"), filed_at=now, backfill=False), rows)
        known = select(category.c.dirty, category.c.dirty_pages).where(category.c.id == number)
        before = connection.execute(known).one()
        dirty = before.dirty_pages | {str(page): before.dirty + 1 for page in pages}
        of_row = update(category).where(category.c.id == number)
        connection.execute(of_row.values(pages=max(pages), dirty_pages=dirty, dirty=before.dirty + 1))
    connection.execute(update(publication).where(of_category, publication.c.backfill).values(backfill=False))


def mark_rendered(connection: Connection, row: CategoryRow, look: str, now: datetime | None) -> None:
    """Note which generation stands in the files. What was changed meanwhile stays dirty, page by page."""
    known = select(category.c.dirty_pages).where(category.c.id == row.id)
    left = {page: since for page, since in connection.execute(known).scalar_one().items() if since > row.dirty}
    values = {"rendered": row.dirty, "dirty_pages": left, "look": look, "rendered_at": now}
    connection.execute(update(category).where(category.c.id == row.id).values(values))


def site_row(connection: Connection) -> SiteRow:
    """Give the generation of index, all.* and the list of sources."""
    row = connection.execute(select(store.c.dirty, store.c.rendered, store.c.look)).one()
    return SiteRow(dirty=row.dirty, rendered=row.rendered, look=row.look)


def mark_site_rendered(connection: Connection, row: SiteRow, look: str) -> None:
    """Note that they stand in the files as of that generation."""
    connection.execute(update(store).values(rendered=row.dirty, look=look))


def raise_site(connection: Connection) -> None:
    """Make index, all.* and the list of sources dirty."""
    connection.execute(update(store).values(dirty=store.c.dirty + 1))
