"""Categories in the store: slug and feed id for ever, generations of what is dirty, archive pages."""

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
    news: int  # the generation of its last change that is more than a backfill (I62)
    dirty_pages: tuple[int, ...]
    rendered_at: datetime | None
    look: str | None  # digest of what shapes its outputs besides the store


@dataclass(frozen=True, slots=True, kw_only=True)
class RestingCategory:
    """A category that left feeds.yaml; its files stay where they are (A44)."""

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
    """What a category of feeds.yaml has been so far: its key then, and its slug for ever."""

    key: CategoryKey
    slug: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRow:
    """The generation of what shows all categories together."""

    created_at: datetime  # the store's
    dirty: int
    rendered: int
    news: int  # the generation of the last change of feeds that is more than a backfill (I62)
    look: str | None


class Categories:
    """What a transaction tells of categories, and notes of their outputs: `tx.categories`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def former(self, wanted: Sequence[Category]) -> dict[CategoryKey, FormerCategory]:
        """Return which categories would go on as what was published already, under their own or earlier keys (A45)."""
        rows = {row.key: row for row in self._connection.execute(select(category)).all()}
        feed_ids, keys = {row.feed_id: row for row in rows.values()}, {item.key for item in wanted}
        found = {item.key: rows.get(item.key) or _former(item, rows, feed_ids, keys) for item in wanted}
        return {key: FormerCategory(key=row.key, slug=row.slug) for key, row in found.items() if row is not None}

    def made(self, roster: Roster) -> dict[SourceKey, tuple[CategoryKey, ...]]:
        """Return the categories that items have named, oldest first, by the source whose item named each first.

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
        """Return all categories that stand in feeds.yaml, in the order in which they were made."""
        rows = self._connection.execute(select(category).where(category.c.active).order_by(category.c.id)).all()
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
        """Return the categories that left feeds.yaml, in the order in which they were made."""
        names = [field.name for field in fields(RestingCategory)]
        query = select(*(category.c[name] for name in names)).where(~category.c.active).order_by(category.c.id)
        return [RestingCategory(**row) for row in self._connection.execute(query).mappings()]

    def file(self, number: int, pages: Mapping[int, Sequence[int]], now: datetime, *, has_news: bool) -> None:
        """File publications on new archive pages, for ever (M2 to M4); what stays in the main document is no backfill.

        Args:
            number: of the category.
            pages: page number: the stories on it.
            now: the time.
            has_news: a hub is to know of what led to it, so of the main document that is shorter now, too (A86).
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
            dirty = before.dirty_pages | {str(page): before.dirty + 1 for page in pages}
            raised = _raised(category, backfill=not has_news)
            self._connection.execute(_of(number).values(pages=max(pages), dirty_pages=dirty, **raised))
        self._connection.execute(update(publication).where(of_category, publication.c.backfill).values(backfill=False))

    def offer(self, number: int | None, now: datetime) -> None:
        """Note that what stands in the store may be read from now on: files are about to be written (T6).

        The time noted is not before that of anything these files show, also when the clock was set back since.

        Args:
            number: of the category; None: of what shows all categories together.
            now: the time after everything was looked up that the files will show.
        """
        place = update(store) if number is None else _of(number)
        newest = select(func.max(publication.c.entered_at)).where(publication.c.page.is_(None))
        if number is None:  # what stands in a category that is rendered was noted there
            waiting = select(category.c.id).where(category.c.dirty != category.c.rendered)
            newest = newest.where(publication.c.category_id.in_(waiting))
        else:
            newest = newest.where(publication.c.category_id == number)
        entered = self._connection.execute(newest).scalar_one()
        self._connection.execute(place.values(offered_at=now if entered is None else max(now, entered)))

    def mark_rendered(self, row: CategoryRow, look: str, filed_at: datetime | None) -> None:
        """Note which generation stands in the files. What was changed meanwhile stays dirty, page by page.

        Args:
            row: the category as it was rendered.
            look: digest of what shaped it besides the store.
            filed_at: as of when it was filed (M3); None: it is empty, and its first entries are to be seen at once.
        """
        known = select(category.c.dirty_pages).where(category.c.id == row.id)
        left = {
            page: since for page, since in self._connection.execute(known).scalar_one().items() if since > row.dirty
        }
        values = {"rendered": row.dirty, "dirty_pages": left, "look": look, "rendered_at": filed_at}
        self._connection.execute(update(category).where(category.c.id == row.id).values(values))

    def unlisted(self) -> frozenset[CategoryKey]:
        """Return the categories that are in no index, those that left feeds.yaml among them."""
        return frozenset(self._connection.execute(select(category.c.key).where(category.c.unlisted)).scalars())

    def site(self) -> SiteRow:
        """Return the generation of index, all.* and the list of sources."""
        columns = (store.c.created_at, store.c.dirty, store.c.rendered, store.c.news, store.c.look)
        return SiteRow(**self._connection.execute(select(*columns)).mappings().one())

    def mark_site_rendered(self, row: SiteRow, look: str) -> None:
        """Note that they stand in the files as of that generation."""
        self._connection.execute(update(store).values(rendered=row.dirty, look=look))


def sync_categories(connection: Connection, wanted: Sequence[Category], now: datetime) -> None:
    """Give each category of feeds.yaml its slug and feed id, once and for ever (A2, A45).

    A category that comes back, under its key or a `was:`, is what it was.
    """
    rows = {row.key: row for row in connection.execute(select(category)).all()}
    slugs, feed_ids = {row.slug for row in rows.values()}, {row.feed_id: row for row in rows.values()}
    uuid: str = connection.execute(select(store.c.uuid)).scalar_one()
    keys = {item.key for item in wanted}
    number = max((row.id for row in rows.values()), default=0) + 1
    for item in wanted:
        row = rows.get(item.key) or _former(item, rows, feed_ids, keys)
        if row is not None:
            said = _said(item)
            if not row.active or any(getattr(row, name) != value for name, value in said.items()):
                back = {"active": True, "removed_at": None}
                connection.execute(_of(row.id).values(**_raised(category, backfill=False), **said, **back))
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
        more = {name: value for name, value in _said(item).items() if name != "key"}
        insert_category(connection, number, item.key, slug, feed_id, now, **more)
        number += 1
    left = (row for row in rows.values() if row.active or row.removed_at is None)  # a restore may not know the time
    gone = [row.id for row in left if row.key not in keys]
    if gone:
        still = select(category.c.id).where(category.c.key.in_(keys))
        resting = update(category).where(category.c.id.in_(gone), category.c.id.not_in(still))
        connection.execute(resting.values(active=False, removed_at=now))


def _said(item: Category) -> dict[str, Any]:
    """Give what feeds.yaml says of a category, and what holds for its pages also once it has left (A44)."""
    return {"key": item.key, "unlisted": item.unlisted, "title": item.title, "show": item.show.value}


def _former(item: Category, rows: Mapping[str, Any], feed_ids: Mapping[str, Any], wanted: Collection[str]) -> Any:
    """Find the row of a category that has a new key: one that `was:` names, or a resting one with its own feed id."""
    for name in item.was:
        if name in rows and name not in wanted:
            return rows[name]
    heir = feed_ids.get(item.id or "")
    return heir if heir is not None and heir.key not in wanted else None


def insert_category(
    connection: Connection, number: int, key: str, slug: str, feed_id: str, now: datetime, **more: object
) -> None:
    """Make a category's row. Its number is given: `decide` must know it, and none is ever free again."""
    fixed = {"active": True, "pages": 0, "dirty": 1, "rendered": 0, "dirty_pages": {}}
    usual = {"title": key, "unlisted": False, "show": Show.FULL.value}
    named = {"id": number, "key": key, "slug": slug, "feed_id": feed_id, "created_at": now}
    connection.execute(category.insert().values(fixed | usual | more | named))


def _of(number: int) -> Update:
    return update(category).where(category.c.id == number)


def raise_site(connection: Connection) -> None:
    """Make index, all.* and the list of sources dirty."""
    connection.execute(update(store).values(dirty=store.c.dirty + 1))


def is_backfill(publications: Sequence[NewPublication]) -> bool:
    """Return whether what enters categories all at once came by backfills (M1), so that none of it pings (I62)."""
    return bool(publications) and all(made.backfill for made in publications)


def raise_generations(connection: Connection, pages: Mapping[int, Iterable[int]], *, backfill: bool = False) -> None:
    """Make categories dirty, and with them the site's own pages.

    Args:
        connection: a writing one.
        pages: category: the archive pages that must be rendered again as well.
        backfill: by nothing but a backfill: that is no news to anyone who follows them (I62).
    """
    if not pages:
        return
    known = select(category.c.id, category.c.dirty, category.c.dirty_pages).where(category.c.id.in_(list(pages)))
    rows = connection.execute(known).all()
    statement = update(category).where(category.c.id == bindparam("row_id"))
    connection.execute(
        statement.values(dirty_pages=bindparam("new_pages"), **_raised(category, backfill=backfill)),
        [
            {"row_id": row.id, "new_pages": row.dirty_pages | {str(page): row.dirty + 1 for page in pages[row.id]}}
            for row in rows
        ],
    )
    connection.execute(update(store).values(_raised(store, backfill=backfill)))


def _raised(table: Table, *, backfill: bool) -> dict[str, Any]:
    later = table.c.dirty + 1
    return {"dirty": later} if backfill else {"dirty": later, "news": later}
