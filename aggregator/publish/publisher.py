"""Publishes what has changed in the store: story pages, categories, posts, the site's own outputs, copies, status.

A category is rendered if its generation in the store has moved since its files were written, or if its look differs
(`looks.py`). A crash at any point leaves the category dirty, and the next publication repairs its files (invariant 6).
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from aggregator.clock import Clock
from aggregator.errors import PublishError
from aggregator.late import late
from aggregator.model.output import Output
from aggregator.model.output_paths import main_outputs, yields
from aggregator.model.settings import CategoryKey, Roster, Settings, SourceKey
from aggregator.model.source_row import Limits
from aggregator.model.status import Status
from aggregator.publish.aliases import Aliases, ListedFiles
from aggregator.publish.category_documents import ArchivePages, CategoryDocuments
from aggregator.publish.destination import Destination
from aggregator.publish.formats import Formats
from aggregator.publish.looks import MAX_AGE, Looks, is_same, listed_of
from aggregator.publish.output_list import OutputList, Put, expected_files
from aggregator.publish.report import Published, PublishRun, failure_of
from aggregator.publish.river import LATEST
from aggregator.publish.site import SiteOutputs
from aggregator.publish.site_files import SiteFiles
from aggregator.publish.story_pages import LATE, DirtyPages, StoryPages
from aggregator.render.theme import PageStyle, plain_style
from aggregator.render.visibility import Visibility
from aggregator.store import story_pages
from aggregator.store.categories import CategoryRow, RestingCategory
from aggregator.store.database import Store
from aggregator.store.transaction import Transaction

if TYPE_CHECKING:
    from aggregator.publish import adopt
    from aggregator.publish.posts import export
    from aggregator.render import status_json, status_page
else:
    adopt = late("aggregator.publish.adopt")
    export = late("aggregator.publish.posts.export")
    status_json = late("aggregator.render.status_json")
    status_page = late("aggregator.render.status_page")

STATUS_AGE = timedelta(hours=1)
STATUS = ("status.json", "status.html")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opening:
    """State of the store before a publication, read in one transaction."""

    uuid: UUID
    limits: Mapping[SourceKey, Limits]  # of sources of which not everything may be shown
    unlisted: frozenset[CategoryKey]
    categories: Sequence[CategoryRow]  # without one that an item has just named, until `adopt`
    resting: Sequence[RestingCategory]  # categories that left feeds.yaml
    page_looks: story_pages.Looks
    pages: DirtyPages
    folder: str | None  # the folder that the list of files is of
    has_latest_given_way: bool  # at the first publication: the operator has a file at the river's first page
    is_adopting: bool  # the store was restored; files in the folder that bear our mark are ours
    failure: str | None  # which outputs could not be written last time, and why
    expected: Collection[str]  # files that must stand in the folder; empty if that was checked before


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rest:
    """State of the store after the site's outputs were recorded, read in one transaction."""

    copies: ListedFiles | None  # None: there is nothing to copy
    has_late: bool  # story pages are dirty for which no feed waits
    has_gone: bool  # gone.txt may change
    status_at: datetime | None  # when status.json was last written
    listed: frozenset[str]  # files of `STATUS` that the list names

    @property
    def is_empty(self) -> bool:
        """Whether nothing but status.* is left to write."""
        return self.copies is None and not self.has_late and not self.has_gone


class Publisher:
    """Publishes what is dirty, for one set of settings."""

    def __init__(
        self, store: Store, settings: Settings, folder: Destination, clock: Clock, style: PageStyle | None = None
    ) -> None:
        self._store, self._settings, self._folder, self._clock = store, settings, folder, clock
        self._outputs = OutputList(store, folder, clock, settings.publish)
        self._posts = export.Posts(store, settings, clock) if settings.publish.jekyll else None
        self._roster = Roster.of(settings)
        self._has_adopted = False  # the files of a restored store are listed; stays in the store until posts are too
        self._must_copy_all = False  # outputs are gone, so copies may be gone
        self._has_checked_losses = False
        self._wear(style or plain_style())

    def _wear(self, style: PageStyle) -> None:
        """Render all pages in a style from now on."""
        self.style = style
        store, settings, clock, outputs = self._store, self._settings, self._clock, self._outputs
        self._formats = Formats(settings, style, str(store.uuid))
        extras = SiteFiles(settings, style)
        self._aliases = Aliases(self._folder, outputs, settings, extras)
        self._stories = StoryPages(store, settings, self._formats.names, style, outputs, clock)
        pages = self._stories.are_made
        self._looks = looks = Looks(settings, style, self._roster, has_story_pages=pages)
        parts = (looks, outputs, clock)
        self._documents = CategoryDocuments(store, settings, self._formats, *parts, has_story_pages=pages)
        self._site = SiteOutputs(store, settings, self._formats, style, *parts, extras, has_story_pages=pages)

    def adopt(self, roster: Roster) -> None:
        """Use a roster to which categories were added that items have named."""
        self._roster = roster
        self._looks.adopt(roster)
        if self._posts is not None:
            self._posts.adopt(roster)

    def publish(
        self,
        *,
        everything: bool = False,
        take_over: bool = False,
        debounce: timedelta = timedelta(0),
        restate: bool = False,
        is_cut: Callable[[], bool] = lambda: False,
        on_written: Callable[[int], None] | None = None,
    ) -> Published:
        """Publish what changed in the store.

        Args:
            everything: render all outputs, dirty or not.
            take_over: write over files that the store does not list, if they bear our mark.
            debounce: skip categories that were rendered less long ago (R33).
            restate: write status.* anew, whether or not anything else changes.
            is_cut: called before each category; once true, the remaining outputs stay dirty for the next publication
                (R54).
            on_written: called after each group of files with the number of those that are up to date.

        Raises:
            StrangerInTheWay: a file that the list does not name stands where we want to write. The file was not
                touched, and nothing was written of the category that it stands in. A file without our mark stops no
                other category; one with our mark means that the state was lost, and ends the publication.
            StoreError: our side failed.
        """
        opening = self._open()
        run = PublishRun(
            roster=self._roster,
            visibility=self._visibility(opening),
            everything=everything,
            take_over=take_over,
            listed=listed_of(opening.categories, self._roster),
            noted_failure=opening.failure,
            on_written=on_written,
        )
        try:
            adopts = take_over or opening.is_adopting
            first = partial(self._first_outputs, opening.categories)
            if self._outputs.adopt_folder(opening.folder, first, take_over=adopts):
                opening = self._open()
        except PublishError as error:
            self._note_failure(run, failure_of(error))
            raise
        try:
            self._publish(run, opening, debounce=debounce, restate=restate, is_cut=is_cut)
            return run.published()
        except PublishError as error:  # shown by status.* for as long as it lasts (R67)
            with suppress(PublishError):
                if self._note_failure(run, run.failure() or failure_of(error)):
                    with self._store.read() as tx:
                        listed = tx.files.listed(STATUS)
                    self._publish_status(run, listed)
            raise

    def _open(self) -> _Opening:
        with self._store.read() as tx:
            return _Opening(
                uuid=tx.store_row.uuid(),
                limits=tx.sources.limits(),
                unlisted=tx.categories.unlisted(),
                categories=[row for row in tx.categories.rows() if row.key in self._roster.categories],
                resting=tx.categories.resting(),
                page_looks=tx.story_pages.looks(),
                pages=self._stories.read(tx),
                folder=tx.files.folder(),
                is_adopting=tx.files.is_adopting(),
                failure=tx.store_row.output_error(),
                expected=() if self._has_checked_losses else expected_files(tx),
                has_latest_given_way=not self._has_checked_losses and self._outputs.is_yielding(LATEST, tx),
            )

    def _visibility(self, opening: _Opening) -> Visibility:
        language = self._settings.site.language
        return Visibility(self._roster, opening.limits, language, opening.uuid, opening.unlisted)

    def _first_outputs(self, categories: Sequence[CategoryRow]) -> Iterator[Output]:
        """Return what is written in a new folder, as far as its names are known before anything is rendered."""
        for path in main_outputs([row.slug for row in categories], self._formats.names):
            if not yields(path):
                yield Output(path=path, render=bytes, max_age=0)
        yield from self._aliases.first_outputs()

    def _publish(
        self,
        run: PublishRun,
        opening: _Opening,
        *,
        debounce: timedelta,
        restate: bool,
        is_cut: Callable[[], bool],
    ) -> None:
        everything, take_over = run.everything, run.take_over
        opening = self._with_folder(opening)
        has_marked = self._stories.mark_stale(
            run.visibility, self._looks.of_stories(), opening.page_looks, opening.resting, everything=everything
        )
        with run.going_on():  # before any feed leads to a page (R31)
            first = None if has_marked or not opening.pages.dirty else opening.pages
            run.waiting |= self._stories.publish(
                run.visibility, run.note, first=first, take_over=take_over, is_cut=is_cut
            )
        pages = len(run.changed)
        looks = {row.id: self._looks.of_category(row, run.visibility, run.listed) for row in opening.categories}
        left = list[ArchivePages]()
        for row in opening.categories:
            if not everything and row.dirty == row.rendered and is_same(row.look, looks[row.id]):
                continue
            if is_cut():
                run.waiting = True
                break
            if row.rendered_at is not None and timedelta(0) <= self._clock() - row.rendered_at < debounce:
                run.due.append(row.rendered_at + debounce)
                continue
            with run.going_on():
                left += filter(None, [self._documents.publish(row, looks[row.id], run)])
        if self._posts is not None and not is_cut():
            adopts = opening.is_adopting
            run.note_posts(
                self._posts.export(
                    run.visibility, everything=everything, take_over=take_over, adopts=adopts, is_cut=is_cut
                )
            )
        if is_cut():
            run.waiting |= bool(left)
            return
        if opening.is_adopting:
            with self._store.begin() as tx:
                tx.files.end_adoption()
        waiting, moved = run.waiting or bool(run.due), False
        has_site = not waiting or bool(run.changed[pages:]) or restate
        if has_site:
            with run.going_on():
                moved = self._site.publish(opening.categories, looks, run)
        for archive in left:
            if is_cut():
                run.waiting = True
                break
            with run.going_on():
                self._documents.publish_pages(archive, run)
        stale = restate or moved or bool(run.changed)
        with self._store.read() as tx:
            rest, now = self._read_rest(tx, run), self._clock()
            stale |= rest.status_at is None or not timedelta(0) <= now - rest.status_at < STATUS_AGE
            status = None
            if has_site and stale and rest.is_empty:  # nothing but status.* is left to write
                status = self._store.status_in(tx, self._roster, now)
        if not rest.is_empty:
            self._publish_rest(rest, run, is_cut=is_cut, limit=LATE if debounce else None)
        if has_site:  # last: status.* shows what failed
            failure = run.failure()
            if (failure or not waiting) and self._note_failure(run, failure):  # what failed before may be waiting
                stale, status = True, None
            if stale:
                self._publish_status(run, rest.listed, status)
                is_written = any(path in STATUS for path in run.changed)
                if is_written and self._aliases.has_status and not run.strangers:
                    with self._store.read() as tx:
                        copied = self._aliases.read(tx)
                    with run.going_on():
                        self._publish_copies(run, copied)

    def _with_folder(self, opening: _Opening) -> _Opening:
        """List the files that a restored store finds, and have lost files made again; read anew what that changes."""
        changed = False
        if opening.is_adopting and not self._has_adopted:
            aliases = {*dict(self._settings.publish.aliases), *filter(None, [self._settings.alarms.feed])}
            adopt.adopt_outputs(self._store, self._folder, self._clock, aliases)
            self._has_adopted = changed = True
        has_river = self._site.has_river
        if not self._has_checked_losses:
            changed |= self._notice_losses(opening.expected)
            self._has_checked_losses = True
            has_river = not opening.has_latest_given_way
        if has_river != self.style.river:  # pages lead to it no more, or again
            self._wear(replace(self.style, river=has_river))
            changed = True
        return self._open() if changed else opening

    def _read_rest(self, tx: Transaction, run: PublishRun) -> _Rest:
        copies, has_late = self._aliases.read(tx), bool(tx.story_pages.dirty(after=0, late=True, limit=1))
        return _Rest(
            copies=copies,
            has_late=has_late,
            has_gone=run.everything or has_late or copies is not None or tx.files.is_gone_stale(),
            status_at=tx.files.written_at(STATUS[0]),
            listed=tx.files.listed(STATUS),
        )

    def _publish_rest(self, rest: _Rest, run: PublishRun, *, is_cut: Callable[[], bool], limit: int | None) -> None:
        """Write copies, story pages for which no feed waits, and `gone.txt`."""
        if rest.copies is not None:
            with run.going_on():
                self._publish_copies(run, rest.copies)
        if rest.has_late:
            with run.going_on():
                run.waiting |= self._stories.publish(
                    run.visibility,
                    run.note_failed,  # they may be too many to be named
                    take_over=run.take_over,
                    is_cut=is_cut,
                    late=True,
                    limit=limit,
                )
        if rest.has_gone:
            with run.going_on():
                self._stories.list_gone(run.note, everything=run.everything, take_over=run.take_over)

    def notice_losses(self) -> bool:
        """Have outputs made again that somebody removed; return whether any are gone.

        Raises:
            PublishError: the folder can't be read.
        """
        with self._store.read() as tx:
            expected = expected_files(tx)
        return self._notice_losses(expected)

    def _notice_losses(self, expected: Collection[str]) -> bool:
        is_lost = self._outputs.notice_losses(expected)
        self._must_copy_all |= is_lost
        return is_lost

    def clear_lost(self) -> None:
        """Remove the pages and archives that a lost state has left; see `OutputList.clear_lost`."""
        self._outputs.clear_lost()

    def clear_orphans(self, slugs: Collection[str]) -> None:
        """Remove documents of categories that go on elsewhere; see `OutputList.clear_orphans`."""
        self._outputs.clear_orphans(slugs)

    def _note_failure(self, run: PublishRun, failure: str | None) -> bool:
        """Record for `status` and its alarm what could not be brought up to date; return whether that is new."""
        if failure == run.noted_failure:
            return False
        with self._store.begin() as tx:
            tx.store_row.note_output_error(failure)
        run.noted_failure = failure
        return True

    def _publish_status(self, run: PublishRun, listed: Collection[str], read: Status | None = None) -> None:
        """Write status.json and status.html.

        Args:
            run: the publication, which counts what was written.
            listed: those of both that the list names.
            read: the status after the last commit, since it shows what failed; None: it is read here.
        """
        now = self._clock()
        status = run.visibility.status(read or self._store.status(self._roster, now))
        outputs = [Output(path=STATUS[0], render=partial(status_json.render_status_json, status), max_age=MAX_AGE[0])]
        if self._formats.html:
            page = partial(status_page.render_status_page, status, self._settings.site, self._formats.names, self.style)
            outputs.append(Output(path=STATUS[1], render=page, max_age=MAX_AGE[0]))
        put = Put()
        with run.going_on():
            try:
                for output in outputs:  # each by itself: a file in the way of status.html does not stop status.json
                    put.add(self._outputs.put([output], listed, take_over=run.take_over))
            finally:
                run.note(put)
                with self._store.begin() as tx:
                    tx.files.note_written(put.written, now)

    def _publish_copies(self, run: PublishRun, files: ListedFiles | None) -> None:
        """Copy what has changed to its old addresses, and what the operator puts beside our outputs."""
        if files is None:
            return
        everything = run.everything or self._must_copy_all
        put = run.note(self._aliases.put(files, everything=everything, take_over=run.take_over))
        self._must_copy_all = self._must_copy_all and bool(put.failed)
        if put.written:
            with self._store.begin() as tx:
                tx.files.note_written(put.written, self._clock())
