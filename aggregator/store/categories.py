"""Rows of categories: permanent slug and feed id, generations of changes and of rendered files, archive pages."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from logging import getLogger
from typing import Any

from sqlalchemy import Connection, Table, Update, bindparam, func, select, update

from aggregator.errors import StoreError
from aggregator.identify.ids import minted_feed_id
from aggregator.model.settings import Category, CategoryKey, Roster, Show, SourceKey
from aggregator.model.story_changes import NewPublication
from aggregator.store.schema import category, publication, source, store
from aggregator.store.sequence import filing_time
from aggregator.text.slugs import free_slug

log = getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryRow:
    """A row of `category`: a category in use."""

    id: int
    key: CategoryKey
    slug: str
    feed_id: str
    created_at: datetime
    active: bool
    pages: int  # archive pages
    dirty: int  # generation of its last change
    rendered: int  # generation that its files show
    news: int  # generation of its last change that is more than a backfill (I62)
    dirty_pages: tuple[int, ...]
    rendered_at: datetime | None
    look: str | None  # digests of what shapes its outputs besides the store; see `publish/looks.py`


@dataclass(frozen=True, slots=True, kw_only=True)
class RestingCategory:
    """A category that was removed from feeds.yaml; its files stay published (A44)."""

    id: int
    key: CategoryKey
    slug: str
    title: str
    show: str
    unlisted: bool
    pages: int
    removed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerCategory:
    """Stored key and slug of a category of feeds.yaml; the key may be an earlier one, the slug never changes."""

    key: CategoryKey
    slug: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRow:
    """Generations of the outputs that show all categories: the index, `all.*` and the list of sources."""

    created_at: datetime  # the store's
    dirty: int
    rendered: int
    news: int  # generation of the last change of feeds that is more than a backfill (I62)
    look: str | None


_IN_USE = select(*(category.c[field.name] for field in fields(CategoryRow)))
_IN_USE = _IN_USE.where(category.c.active).order_by(category.c.id)


class Categories:
    """Queries and updates of categories and of the state of their outputs: `tx.categories`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def former(self, wanted: Sequence[Category]) -> dict[CategoryKey, FormerCategory]:
        """Return the stored key and slug of each configured category that continues a stored one (A45).

        Categories are found by their own keys, by the keys in `was:`, or by the feed id of a removed category.
        Categories that are new to the store are left out.
        """
        rows = {row.key: row for row in self._connection.execute(select(category)).all()}
        feed_ids, keys = {row.feed_id: row for row in rows.values()}, {item.key for item in wanted}
        found = {item.key: rows.get(item.key) or _former(item, rows, feed_ids, keys) for item in wanted}
        return {key: FormerCategory(key=row.key, slug=row.slug) for key, row in found.items() if row is not None}

    def made(self, roster: Roster) -> dict[SourceKey, tuple[CategoryKey, ...]]:
        """Return the categories that were created by items, oldest first, by the source whose item created each.

        Sources whose items may no longer name categories are left out.
        """
        query = select(source.c.key.label("source_key"), category.c.key)
        query = query.join(source, source.c.id == category.c.source_id).where(source.c.active)
        made: dict[SourceKey, tuple[CategoryKey, ...]] = {}
        for row in self._connection.execute(query.order_by(category.c.id)):
            configured = roster.sources.get(row.source_key)
            if configured is not None and configured.reading.filing:
                made[row.source_key] = (*made.get(row.source_key, ()), row.key)
        return made

    def rows(self) -> list[CategoryRow]:
        """Return the active categories, in the order of their creation."""
        rows = self._connection.execute(_IN_USE).all()
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
                news=row.news,
                dirty_pages=tuple(sorted(map(int, row.dirty_pages))),
                rendered_at=row.rendered_at,
                look=row.look,
            )
            for row in rows
        ]

    def resting(self) -> list[RestingCategory]:
        """Return the categories that were removed from feeds.yaml, in the order of their creation."""
        names = [field.name for field in fields(RestingCategory)]
        query = select(*(category.c[name] for name in names)).where(~category.c.active).order_by(category.c.id)
        return [RestingCategory(**row) for row in self._connection.execute(query).mappings()]

    def file(self, number: int, pages: Mapping[int, Sequence[int]], now: datetime, *, has_news: bool) -> None:
        """Move publications to new archive pages, permanently (M2 to M4), and end the backfill of the whole category.

        The publications that stay in the main document no longer count as backfill.

        Args:
            number: id of the category.
            pages: ids of the stories on each page, by page number.
            now: the time.
            has_news: the hub is pinged for the changes that led to the filing, so also for the main document that
                became shorter by it (A86).
        """
        of_category = publication.c.category_id == number
        filing = update(publication).where(of_category, publication.c.story_id == bindparam("of_story"))
        rows = [{"of_story": told, "on_page": page} for page, stories in pages.items() for told in stories]
        if rows:
            filed_at = filing_time(self._connection, {told for stories in pages.values() for told in stories}, now)
            values = {"page": bindparam("on_page"), "filed_at": filed_at, "backfill": False}
            self._connection.execute(filing.values(values), rows)
            known = select(category.c.dirty, category.c.dirty_pages).where(category.c.id == number)
            before = self._connection.execute(known).one()
            last = min(pages) - 1  # was the newest, and has a newer one now
            dirty = before.dirty_pages | {str(page): before.dirty + 1 for page in (*pages, last) if page}
            raised = _raised(category, backfill=not has_news)
            self._connection.execute(_of(number).values(pages=max(pages), dirty_pages=dirty, **raised))
        self._connection.execute(update(publication).where(of_category, publication.c.backfill).values(backfill=False))

    def offer(self, number: int | None, now: datetime) -> None:
        """Store the time from which readers may have seen the present publications: files are written next (T6).

        The stored time is never before `entered_at` of a publication in these files, even if the clock was set back.

        Args:
            number: id of the category; None: the outputs that show all categories.
            now: the time after all content of the files was read from the store.
        """
        place = update(store) if number is None else _of(number)
        newest = select(func.max(publication.c.entered_at)).where(publication.c.page.is_(None))
        if number is None:  # rendered categories have the time in their own rows
            waiting = select(category.c.id).where(category.c.dirty != category.c.rendered)
            newest = newest.where(publication.c.category_id.in_(waiting))
        else:
            newest = newest.where(publication.c.category_id == number)
        entered = self._connection.execute(newest).scalar_one()
        self._connection.execute(place.values(offered_at=now if entered is None else max(now, entered)))

    def mark_rendered(self, row: CategoryRow, look: str, filed_at: datetime | None) -> None:
        """Record the generation that the files of a category show. Pages that changed since `row` was read stay dirty.

        Args:
            row: the category as it was rendered.
            look: digest of everything besides the store that shaped its outputs.
            filed_at: the time with which its filing was decided (M3); None: the category is empty, so that its first
                entries are published at once.
        """
        known = select(category.c.dirty_pages).where(category.c.id == row.id)
        left = {
            page: since for page, since in self._connection.execute(known).scalar_one().items() if since > row.dirty
        }
        values = {"rendered": row.dirty, "dirty_pages": left, "look": look, "rendered_at": filed_at}
        self._connection.execute(update(category).where(category.c.id == row.id).values(values))

    def unlisted(self) -> frozenset[CategoryKey]:
        """Return the keys of unlisted categories, including categories that were removed from feeds.yaml."""
        return frozenset(self._connection.execute(select(category.c.key).where(category.c.unlisted)).scalars())

    def site(self) -> SiteRow:
        """Return the generations of the index, `all.*` and the list of sources."""
        columns = (store.c.created_at, store.c.dirty, store.c.rendered, store.c.news, store.c.look)
        return SiteRow(**self._connection.execute(select(*columns)).mappings().one())

    def mark_site_rendered(self, row: SiteRow, look: str) -> None:
        """Record the generation that the files of the index, `all.*` and the list of sources show."""
        self._connection.execute(update(store).values(rendered=row.dirty, look=look))


def sync_categories(connection: Connection, wanted: Sequence[Category], now: datetime) -> None:
    """Write the categories of feeds.yaml to the store; new categories get a permanent slug and feed id (A2, A45).

    A category that returns, under its key or a key in `was:`, keeps its row. Categories that are missing in `wanted`
    become inactive.

    Raises:
        StoreError: the feed id of a new category belongs to another category.
    """
    rows = {row.key: row for row in connection.execute(select(category)).all()}
    slugs, feed_ids = {row.slug for row in rows.values()}, {row.feed_id: row for row in rows.values()}
    uuid: str = connection.execute(select(store.c.uuid)).scalar_one()
    keys = {item.key for item in wanted}
    number = max((row.id for row in rows.values()), default=0) + 1
    for item in wanted:
        row = rows.get(item.key) or _former(item, rows, feed_ids, keys)
        if row is not None:
            configured = _configured(item)
            if not row.active or any(getattr(row, name) != value for name, value in configured.items()):
                back = {"active": True, "removed_at": None}
                connection.execute(_of(row.id).values(**_raised(category, backfill=False), **configured, **back))
            if item.slug is not None and item.slug != row.slug:
                advice = f"a slug never changes once it is published (A45): write slug: {row.slug}, or none"
                log.warning("keep_slug", extra={"category": item.key, "slug": row.slug, "advice": advice})
            continue
        slug = free_slug(item.slug or item.key, slugs)
        slugs.add(slug)
        feed_id = item.id or minted_feed_id(uuid, item.key, feed_ids)
        if feed_id in feed_ids:
            raise StoreError(
                f"category {item.key}: the feed id {feed_id} belongs to {feed_ids[feed_id].key}; write another id, "
                f"or was: {feed_ids[feed_id].key} if it is the same category under a new key"
            )
        more = {name: value for name, value in _configured(item).items() if name != "key"}
        insert_category(connection, number, item.key, slug, feed_id, now, **more)
        number += 1
    # `removed_at` of an inactive category is missing if a restore could not find it.
    left = (row for row in rows.values() if row.active or row.removed_at is None)
    gone = [row.id for row in left if row.key not in keys]
    if gone:
        still = select(category.c.id).where(category.c.key.in_(keys))
        resting = update(category).where(category.c.id.in_(gone), category.c.id.not_in(still))
        connection.execute(resting.values(active=False, removed_at=now))


def _configured(item: Category) -> dict[str, Any]:
    """Return the columns that feeds.yaml sets; they apply to the pages of a category also after its removal (A44)."""
    return {"key": item.key, "unlisted": item.unlisted, "title": item.title, "show": item.show.value}


def _former(item: Category, rows: Mapping[str, Any], feed_ids: Mapping[str, Any], wanted: Collection[str]) -> Any:
    """Return the row of a category that got a new key: the row of a key in `was:`, or of its feed id; None if none.

    A row whose key is still in feeds.yaml belongs to that category and is not returned.
    """
    for name in item.was:
        if name in rows and name not in wanted:
            return rows[name]
    same_id = feed_ids.get(item.id or "")
    return same_id if same_id is not None and same_id.key not in wanted else None


def insert_category(
    connection: Connection, number: int, key: str, slug: str, feed_id: str, now: datetime, **more: object
) -> None:
    """Insert a row of `category`. The caller passes the id, since `decide` must know it; ids are never used again.

    Args:
        connection: a connection that writes.
        number: id of the row.
        key: key of the category.
        slug: its name in paths.
        feed_id: its atom:id.
        now: the time.
        more: further columns, in place of the defaults.
    """
    fixed = {"active": True, "pages": 0, "dirty": 1, "rendered": 0, "dirty_pages": {}}
    usual = {"title": key, "unlisted": False, "show": Show.FULL.value}
    named = {"id": number, "key": key, "slug": slug, "feed_id": feed_id, "created_at": now}
    connection.execute(category.insert().values(fixed | usual | more | named))


def _of(number: int) -> Update:
    return update(category).where(category.c.id == number)


def raise_site(connection: Connection) -> None:
    """Mark the index, `all.*` and the list of sources as dirty."""
    connection.execute(update(store).values(dirty=store.c.dirty + 1))


def is_backfill(publications: Sequence[NewPublication]) -> bool:
    """Return whether new publications all come from backfills (M1), so that no hub is pinged for them (I62)."""
    return bool(publications) and all(made.backfill for made in publications)


def _raised(table: Table, *, backfill: bool) -> dict[str, Any]:
    later = table.c.dirty + 1
    return {"dirty": later} if backfill else {"dirty": later, "news": later}


_ONE = update(category).where(category.c.id == bindparam("row_id"))
_PAGES = select(category.c.id, category.c.dirty, category.c.dirty_pages).where(
    category.c.id.in_(bindparam("ids", expanding=True))
)
_RAISE = {
    backfill: _ONE.values(dirty_pages=bindparam("new_pages"), **_raised(category, backfill=backfill))
    for backfill in (False, True)
}
_RAISE_ALL = {backfill: update(store).values(_raised(store, backfill=backfill)) for backfill in (False, True)}


def raise_generations(connection: Connection, pages: Mapping[int, Iterable[int]], *, backfill: bool = False) -> None:
    """Mark categories as dirty, and with them the outputs that show all categories.

    Args:
        connection: a connection that writes.
        pages: numbers of the archive pages that must be rendered again too, by id of the category.
        backfill: all changes come from a backfill: they are no news to followers of the categories (I62).
    """
    if not pages:
        return
    rows = connection.execute(_PAGES, {"ids": sorted(pages)}).all()
    connection.execute(
        _RAISE[backfill],
        [
            {"row_id": row.id, "new_pages": row.dirty_pages | {str(page): row.dirty + 1 for page in pages[row.id]}}
            for row in rows
        ],
    )
    connection.execute(_RAISE_ALL[backfill])
