"""Publishes the documents of one category: archives, reads and marks in one transaction, then writes the files.

The order is fixed by what a crash or a poll that settles in between may leave behind:

1. One write transaction moves publications to archive pages (M3, M4), reads the main document, and records that its
   stories may be seen from now on (T6). A page number is committed before the first byte of its page; no poll can come
   in between the reading and the record.
2. Names of new files are committed before these are written. New archive pages are written before the main document
   that leads to them. Those of a category's first publication, and pages that stand already, are written after the main
   documents of all categories if they are several (R31, decision 0174).
3. The rendered generation, digests and pings of the hub are committed once the files stand (R30). Pages that a poll
   changed since step 1 stay dirty.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from aggregator.clock import Clock
from aggregator.model.output import Output
from aggregator.model.settings import Category, Settings
from aggregator.model.story import Document, Near
from aggregator.publish.archiving import HEAVIEST, WIDEST, Candidate, file_pages, weight_of
from aggregator.publish.formats import Formats
from aggregator.publish.looks import Listed, Looks, are_feeds_same, has_news, is_same, near_of
from aggregator.publish.output_list import OutputList, Put
from aggregator.publish.report import PublishRun
from aggregator.publish.site import latest
from aggregator.store.categories import CategoryRow
from aggregator.store.database import Store
from aggregator.store.transaction import Transaction

MOST_SPANS = 40  # archive pages that a category's page lists; older ones are reached from the last of them
AT_ONCE = 20  # documents read in one transaction; a page holds up to `archive_page` publications


@dataclass(frozen=True, slots=True)
class ArchivePages:
    """Archive pages of a category that are written apart from its main document."""

    row: CategoryRow  # as its main document was read
    look: str
    filed_at: datetime | None  # see `mark_rendered`
    pages: Sequence[int]
    listed: Collection[str]  # paths that the list of files names
    with_feeds: Collection[int | None]  # documents that are rendered in every format
    has_failed: bool = False  # a file of the main document could not be written


class CategoryDocuments:
    """Publishes documents of categories, for one set of settings.

    Args:
        store: open for writing.
        settings: the whole of feeds.yaml.
        formats: in which each document is rendered.
        looks: of the same settings.
        outputs: the published files.
        clock: returns the current time.
        has_story_pages: whether each story has a page.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        formats: Formats,
        looks: Looks,
        outputs: OutputList,
        clock: Clock,
        *,
        has_story_pages: bool,
    ) -> None:
        self._store, self._settings, self._formats = store, settings, formats
        self._looks, self._outputs, self._clock = looks, outputs, clock
        self._has_story_pages = has_story_pages

    def publish(self, row: CategoryRow, look: str, run: PublishRun) -> ArchivePages | None:
        """Write the documents of a category that have changed, or all of them if its look has.

        Where only pages look otherwise, those feeds are left alone whose stories are the same.

        Args:
            row: the category, as it was read before.
            look: its look now.
            run: the publication, which counts what was written.

        Returns:
            Archive pages that are left to write, if they are several: of a category's first publication, or with
            another look or text. Until `publish_pages` has written them the category stays dirty.

        Raises:
            StrangerInTheWay: a file that the list does not name stands at the path of a document; nothing was written.
        """
        category = run.roster.categories[row.key]
        looks_same = is_same(row.look, look)
        is_changed = row.dirty != row.rendered or (row.look is not None and not looks_same)
        now = self._clock() if is_changed else row.rendered_at or self._clock()
        with self._store.begin() as tx:
            self._archive(tx, row, category, now, has_news=has_news(row, look))
            row = next(found for found in tx.categories.rows() if found.id == row.id)
            pages = row.dirty_pages if looks_same and not run.everything else range(1, row.pages + 1)
            apart: Sequence[int] = pages if len(pages) > 1 else ()
            documents = self._read(tx, row, category, [None] if apart else [*pages, None], run.listed)
            tx.categories.offer(row.id, self._clock())
            paths = [path for page in (*pages, None) for path in self._formats.paths(_path(row, page), page)]
            listed = tx.files.listed(paths)
        with_feeds: Collection[int | None] = {*pages, None}
        if not run.everything and are_feeds_same(row.look, look):
            with_feeds = {*row.dirty_pages, None} if row.dirty != row.rendered else row.dirty_pages
        waits = bool(apart) and (row.rendered_at is None or listed.issuperset(paths))  # nobody is led to nothing
        if apart:  # no name among all may be a stranger's
            listed = frozenset(self._outputs.reserve(paths, listed, take_over=run.take_over))
        empty = not documents[-1].publications  # the first entries of a new category are seen at once
        archive = ArchivePages(row, look, None if empty else now, apart, listed, with_feeds)
        put = Put() if waits else self._put_pages(archive, run)
        put.add(self._put(documents, category, listed, run, with_feeds, has_news=has_news(row, look)))
        self._record(put, archive, is_done=not waits)
        return replace(archive, has_failed=bool(put.failed)) if waits else None

    def publish_pages(self, archive: ArchivePages, run: PublishRun) -> None:
        """Write archive pages that `publish` has left."""
        self._record(self._put_pages(archive, run), archive, is_done=True)

    def _put_pages(self, archive: ArchivePages, run: PublishRun) -> Put:
        """Write archive pages in parts, as many may be too large for memory."""
        category = run.roster.categories[archive.row.key]
        put = Put()
        for start in range(0, len(archive.pages), AT_ONCE):
            with self._store.begin() as tx:
                part = self._read(tx, archive.row, category, archive.pages[start : start + AT_ONCE], run.listed)
            put.add(self._put(part, category, archive.listed, run, archive.with_feeds, has_news=False))
        return put

    def _record(self, put: Put, of: ArchivePages, *, is_done: bool) -> None:
        """Record what was written, and if that was all, which generation of the category the files show."""
        with self._store.begin() as tx:
            tx.files.note_written(put.written, self._clock())
            if is_done and not put.failed and not of.has_failed:
                tx.categories.mark_rendered(of.row, of.look, of.filed_at)

    def _put(
        self,
        documents: Sequence[Document],
        category: Category,
        listed: Collection[str],
        run: PublishRun,
        with_feeds: Collection[int | None],
        *,
        has_news: bool,
    ) -> Put:
        """Render documents as anyone may see them, and write them in this order.

        Those whose numbers are among `with_feeds` are rendered in every format, the others as pages.
        """
        age, outputs = self._looks.max_age(category), list[Output]()
        for document in documents:
            publications = run.visibility.publications(document.publications, category)
            tombstones = tuple(map(run.visibility.tombstone, document.tombstones))
            shown = replace(document, publications=publications, tombstones=tombstones)
            feeds = document.archive in with_feeds
            outputs += self._formats.outputs(shown, age, has_news=has_news, feeds=feeds)
        return run.note(self._outputs.put(outputs, listed, take_over=run.take_over))

    def _archive(self, tx: Transaction, row: CategoryRow, category: Category, now: datetime, *, has_news: bool) -> None:
        """Move what is too much for the main document to archive pages (M3, M4).

        Args:
            tx: a write transaction.
            row: the category.
            category: as feeds.yaml has it.
            now: the time of archiving. A category that is rendered again though nothing has changed is archived as of
                its last rendering, so that restoring or `publish --all` moves no publication early.
            has_news: whether a hub is to be told of the change that led to it.
        """
        rows = tx.documents.main_rows(row.id)
        weights: dict[int, int] = {}
        if sum(p.characters for p in rows) * WIDEST > HEAVIEST:
            weights = {story: weight_of(category.show, *texts) for story, *texts in tx.documents.main_texts(row.id)}
        main = [
            Candidate(
                story=p.story,
                sort_at=p.sort_at,
                atom_id=p.atom_id,
                entered_at=p.entered_at,
                backfill=p.backfill,
                weight=weights.get(p.story, 0),
            )
            for p in rows
        ]
        pages = file_pages(
            main,
            now=now,
            entries=category.entries,
            archive_page=self._settings.publish.archive_page,
            pages=row.pages,
        )
        if pages or any(p.backfill for p in main):
            tx.categories.file(row.id, dict(pages), now, has_news=has_news)

    def _read(
        self, tx: Transaction, row: CategoryRow, category: Category, pages: Sequence[int | None], listed: Listed
    ) -> list[Document]:
        """Read documents as they are stored, and record the `updated` that they are about to publish (A7).

        Args:
            tx: a write transaction.
            row: the category.
            category: as feeds.yaml has it.
            pages: numbers of archive pages; None: the main document.
            listed: categories to which pages may link.
        """
        before = tx.documents.said(row.id, pages)
        near = near_of(listed, row.key)
        documents = [self._document(tx, row, category, page, before.get(page), near) for page in pages]
        news = {one.archive: one.updated for one in documents if one.updated != before.get(one.archive)}
        tx.documents.say(row.id, news)
        return documents

    def _document(
        self,
        tx: Transaction,
        row: CategoryRow,
        category: Category,
        page: int | None,
        before: datetime | None,
        near: Near | None,
    ) -> Document:
        publications = tx.documents.publications(row.id, page)
        tombstones = tx.documents.tombstones(row.id) if page is None else ()
        previous = row.pages if page is None else page - 1
        has_spans = page is None and row.pages and self._formats.html
        return Document(
            path=_path(row, page),
            id=row.feed_id,
            title=category.title,
            description=category.description,
            language=self._settings.site.language,
            updated=latest(publications, tombstones, row.created_at, before),
            publications=publications,
            tombstones=tombstones,
            archive=page,
            category=row.key,
            prev_archive=_path(row, previous) if previous else None,
            current=None if page is None else _path(row, None),
            newer=None if page is None else _path(row, page + 1 if page < row.pages else None),
            spans=tx.documents.spans(row.id, row.pages - MOST_SPANS) if has_spans else (),
            near=near,
            has_story_pages=self._has_story_pages and not category.unlisted,
            page_show=category.page_show or self._settings.pages.show,
            hub=self._looks.hub_of(category) if page is None else None,
        )


def _path(row: CategoryRow, page: int | None) -> str:
    """Return the path of a document, without a suffix."""
    return f"category/{row.slug}" if page is None else f"category/{row.slug}/archive/{page}"
