"""From the store to the files: what is dirty is rendered, proven, and put in place whole (DESIGN 3.3; R30 to R35).

A category is rendered if its generation in the store has moved since it was last written, or if something else that
shapes its bytes has: its settings, the site's, the program's own version of the output. A crash at any point leaves it
dirty, and the next publication repairs it (invariant 6).
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from logging import getLogger

from aggregator.clock import Clock
from aggregator.errors import PublishError
from aggregator.model.output import Output
from aggregator.model.output_paths import main_outputs
from aggregator.model.settings import Category, Roster, Settings
from aggregator.model.story import Document
from aggregator.publish.adopt import adopt_outputs
from aggregator.publish.aliases import Aliases
from aggregator.publish.archiving import HEAVIEST, WIDEST, Candidate, file_pages, weight_of
from aggregator.publish.destination import Destination
from aggregator.publish.formats import Formats
from aggregator.publish.output_list import OutputList
from aggregator.publish.posts.export import Posts
from aggregator.publish.report import Edition, Published, failure_of
from aggregator.publish.site import SiteOutputs, latest
from aggregator.publish.story_pages import LATE, StoryPages
from aggregator.render.status_page import render_status_json, render_status_page
from aggregator.render.theme import PageStyle, plain_style
from aggregator.render.visibility import Visibility
from aggregator.store.categories import CategoryRow, SiteRow
from aggregator.store.database import Store
from aggregator.store.documents import ALL
from aggregator.store.transaction import Transaction
from aggregator.urls import Url

log = getLogger(__name__)

OUTPUT = 1  # raised when the program itself renders other bytes; the changelog says so (A34)
MAX_AGE = (300, 3600)  # seconds (A75)
STATUS_AGE = timedelta(hours=1)


class Publisher:
    """Renders what is dirty, for as long as one set of settings holds."""

    def __init__(
        self, store: Store, settings: Settings, folder: Destination, clock: Clock, look: PageStyle | None = None
    ) -> None:
        self._store, self._settings, self._folder, self._clock = store, settings, folder, clock
        self._pages = look or plain_style()
        self._formats = Formats(settings, self._pages, store)
        self._places = OutputList(store, folder, clock, gzip=settings.publish.gzip)
        self._posts = Posts(store, settings, clock) if settings.publish.jekyll else None
        self._copies = Aliases(store, folder, self._places, settings.publish)
        self._stories = StoryPages(store, settings, self._formats.names, self._pages, self._places, clock)
        self._site = SiteOutputs(settings, self._formats, self._pages, has_story_pages=self._stories.are_made)
        self._classes = sorted(
            (s.key, sorted(s.reading.allow_classes)) for s in settings.sources if s.reading.allow_classes
        )
        self._adopted = False  # what a restored store found was listed; a kill before the rest is done lets it be again
        self._recopies = False  # outputs are gone, and so may copies be
        self._looked = False  # whether what the store says stands there does
        self._failure: str | None = ""  # said last of files that could not be written; at first nobody knows
        self.adopt(Roster.of(settings))

    def adopt(self, roster: Roster) -> None:
        """Go by a roster to which categories were added that items have named."""
        paces: dict[str, timedelta] = {}  # category: the shortest interval of its sources
        for source in roster.sources.values():
            pace = source.every or source.min_interval
            for key in source.places:
                paces[key] = min(pace, paces.get(key, pace))
        self._roster, self._paces = roster, paces
        self._looks: dict[int, str] = {}  # of categories, for as long as the same may be seen:
        self._looks_seen = ""
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
    ) -> Published:
        """Bring the files to what the store says.

        Args:
            everything: render all of it, dirty or not.
            take_over: write over files that we did not write, if they bear our mark (DESIGN 3.3).
            debounce: leave alone what was rendered less long ago (R33).
            restate: say anew how things stand, whether or not anything else changes.
            is_cut: asked before each category; once true, what is left stays dirty for the next publication (R54).

        Raises:
            StrangerInTheWay: a file that the list does not name stands where we want to write. It was not touched, and
                nothing was written of the category it stands in. Somebody else's harms no other category; one of ours
                means that the state was lost, and then nothing more is mixed into what stands there.
            StoreError: our side failed.
        """
        with self._store.read() as tx:
            showing = Visibility(
                self._roster,
                tx.sources.limits(),
                self._settings.site.language,
                tx.store_row.uuid(),
                tx.categories.unlisted(),
            )
        edition = Edition(showing=showing, everything=everything, take_over=take_over)
        self._settle(take_over=take_over)
        try:
            self._bring(edition, debounce=debounce, restate=restate, is_cut=is_cut)
            return edition.published()
        except PublishError as error:  # to be seen for as long as it lasts (R67)
            with suppress(PublishError):
                if self._note_failure(edition.failure() or failure_of(error)):
                    self._publish_status(edition, stale=True)
            raise

    def _settle(self, *, take_over: bool) -> None:
        """See whether we publish where we did before; in a folder that is new to us, no file of others is in the way.

        Raises:
            StrangerInTheWay: one is; nothing was written, and that is an alarm of `status` (R67).
            PublishError: it can't be told where the folder is.
        """
        with self._store.read() as tx:  # a restored store takes what bears our mark for its own
            adopts = tx.files.is_adopting()
        try:
            self._places.settle(self._first_outputs, take_over=take_over or adopts)
        except PublishError as error:
            self._note_failure(failure_of(error))
            raise

    def _first_outputs(self) -> Iterator[Output]:
        """Return what is written in a new folder, as far as its names are known before anything is rendered."""
        with self._store.read() as tx:
            slugs = [row.slug for row in tx.categories.rows()]
        for path in main_outputs(slugs, self._formats.names):
            yield Output(path=path, render=bytes, max_age=0)
        yield from self._copies.first_outputs()

    def _bring(self, edition: Edition, *, debounce: timedelta, restate: bool, is_cut: Callable[[], bool]) -> None:
        showing, everything, take_over = edition.showing, edition.everything, edition.take_over
        adopts = self._adopt()
        if not self._looked:
            self.notice_losses()
            self._looked = True
        with self._store.read() as tx:
            rows = tx.categories.rows()
        self._stories.look_around(showing, self._digest("stories"), everything=everything)
        with edition.going_on():  # before any feed leads there (R31)
            edition.waiting |= self._stories.publish(showing, edition.note, take_over=take_over, is_cut=is_cut)
        pages = len(edition.changed)
        looks = {row.id: self._look(row, showing) for row in rows}
        for row in rows:
            look = looks[row.id]
            if not everything and row.dirty == row.rendered and row.look == look:
                continue
            if is_cut():
                edition.waiting = True
                break
            if row.rendered_at is not None and timedelta(0) <= self._clock() - row.rendered_at < debounce:
                edition.waiting = True
                continue
            with edition.going_on():
                self._publish_category(row, look, edition)
        if self._posts is not None and not is_cut():
            edition.note_posts(
                self._posts.export(showing, everything=everything, take_over=take_over, adopts=adopts, is_cut=is_cut)
            )
        if is_cut():
            return
        if adopts:
            with self._store.begin() as tx:
                tx.files.end_adoption()
        waiting, moved = edition.waiting, False
        tells = not waiting or bool(edition.changed[pages:]) or restate
        if tells:
            with edition.going_on():
                moved = self._publish_site(rows, looks, edition)
        stale = restate or moved or bool(edition.changed)
        with edition.going_on():
            self._publish_copies(edition)
        with edition.going_on():
            edition.waiting |= self._stories.publish(
                showing,
                edition.note_failed,  # they may be too many to be named
                take_over=take_over,
                is_cut=is_cut,
                late=True,
                limit=LATE if debounce else None,
            )
        with edition.going_on():
            self._stories.list_gone(edition.note, everything=everything, take_over=take_over)
        if tells:  # last: it says what failed
            failure = edition.failure()
            if failure or not waiting:  # what failed before may be waiting
                stale |= self._note_failure(failure)
            with edition.going_on():
                self._publish_status(edition, stale=stale)
            if not edition.strangers and any(path.startswith("status.") for path in edition.changed):
                with edition.going_on():  # an old address may be one of it
                    self._publish_copies(edition)

    def notice_losses(self) -> bool:
        """Let what is gone be made again; see `Places.notice_losses`."""
        is_lost = self._places.notice_losses()
        self._recopies |= is_lost
        return is_lost

    def clear_lost(self) -> None:
        """Remove what a state that is lost has left; see `Places.clear_lost`."""
        self._places.clear_lost()

    def clear_orphans(self, slugs: Collection[str]) -> None:
        """Remove what stands at addresses of categories that go on elsewhere; see `Places.clear_orphans`."""
        self._places.clear_orphans(slugs)

    def _adopt(self) -> bool:
        """Take in what a restored store finds in the folder; tell whether posts are to be known again, too."""
        with self._store.read() as tx:
            adopts = tx.files.is_adopting()
        if adopts and not self._adopted:
            adopt_outputs(self._store, self._folder, self._clock, dict(self._settings.publish.aliases).keys())
            self._adopted = True
        return adopts

    def _note_failure(self, said: str | None) -> bool:
        """Remember what could not be brought up to date, for `status` and an alarm; tell whether it is news."""
        if said == self._failure:
            return False
        with self._store.begin() as tx:
            is_news = tx.store_row.note_output_error(said)
        self._failure = said
        return is_news

    def _publish_category(self, row: CategoryRow, look: str, edition: Edition) -> None:
        category = self._roster.categories[row.key]
        is_changed = row.dirty != row.rendered or (row.look is not None and row.look != look)
        now = self._clock() if is_changed else row.rendered_at or self._clock()
        with self._store.begin() as tx:
            self._file(tx, row, category, now, has_news=_has_news(row, look))
        with self._store.read() as tx:  # one moment for all formats (R31)
            row = next(found for found in tx.categories.rows() if found.id == row.id)
            numbers = range(1, row.pages + 1) if edition.everything or row.look != look else row.dirty_pages
            said = tx.documents.said(row.id, (*numbers, None))
            documents = [self._document(tx, row, category, n, edition.showing, said.get(n)) for n in (*numbers, None)]
        news = {one.archive: one.updated for one in documents if one.updated != said.get(one.archive)}
        with self._store.begin() as tx:  # before the first file: after a kill nobody knows how many there are (T6)
            tx.categories.offer(row.id, self._clock())
            tx.documents.say(row.id, news)
        age = self._max_age(category)
        has_news = _has_news(row, look)
        outputs = [o for document in documents for o in self._formats.outputs(document, age, has_news=has_news)]
        put = edition.note(self._places.put(outputs, take_over=edition.take_over))
        with self._store.begin() as tx:
            tx.files.note_written(put.written, self._clock())
            if not put.failed:
                empty = not documents[-1].publications  # the first entries of a new category are seen at once
                tx.categories.mark_rendered(row, look, None if empty else now)

    def _publish_site(self, rows: Sequence[CategoryRow], looks: Mapping[int, str], edition: Edition) -> bool:
        """Render what shows all categories together; tell whether anything had happened that it, or status.*, shows."""
        look = self._site_look(rows, edition.showing)
        with self._store.read() as tx:
            site = tx.categories.site()
            if not edition.everything and site.dirty == site.rendered and site.look == look:
                return False
            listed = (c for c in self._roster.categories.values() if not c.unlisted)
            age = min(map(self._max_age, listed), default=MAX_AGE[1])
            rows, news = tx.categories.rows(), _has_news(site, look)
            said = tx.documents.said(ALL, [None]).get(None)
            everything = self._site.everything(tx, rows, self._roster, edition.showing, site.created_at, said)
            outputs = self._site.outputs(tx, everything, rows, looks, self._roster, edition.showing, age, has_news=news)
        with self._store.begin() as tx:
            tx.categories.offer(None, self._clock())
            tx.documents.say(ALL, {None: everything.updated} if everything.updated != said else {})
        if edition.everything or site.look != look:
            with self._store.begin() as tx:
                tx.files.sync_gone()
        put = edition.note(self._places.put(outputs, take_over=edition.take_over))
        left = self._places.clear(self._formats.names) if edition.everything or site.look != look else []
        edition.failed += left
        with self._store.begin() as tx:
            tx.files.note_written(put.written, self._clock())
            if not put.failed and not left:
                tx.categories.mark_site_rendered(site, look)
        return True

    def _file(self, tx: Transaction, row: CategoryRow, category: Category, now: datetime, *, has_news: bool) -> None:
        """Move what is too much for the main document to archive pages, before anything is rendered (M3, M4).

        Args:
            tx: a writing one.
            row: the category as it stands.
            category: as feeds.yaml has it.
            now: the time of the filing. What is rendered again though nothing has changed is filed as it was then: a
                burst that has rested since goes with the next change, however often a restore, or `publish --all`, came
                in between.
            has_news: a hub is to know of what led to it.
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

    # Documents.

    def _document(
        self,
        tx: Transaction,
        row: CategoryRow,
        category: Category,
        page: int | None,
        showing: Visibility,
        said: datetime | None,
    ) -> Document:
        path = f"category/{row.slug}"
        publications = tuple(showing.publication(p, category) for p in tx.documents.publications(row.id, page))
        graves = tuple(map(showing.tombstone, tx.documents.tombstones(row.id))) if page is None else ()
        before = row.pages if page is None else page - 1
        return Document(
            path=path if page is None else f"{path}/archive/{page}",
            id=row.feed_id,
            title=category.title,
            description=category.description,
            language=self._settings.site.language,
            updated=latest(publications, graves, row.created_at, said),
            publications=publications,
            tombstones=graves,
            archive=page,
            category=row.key,
            prev_archive=f"{path}/archive/{before}" if before else None,
            current=None if page is None else path,
            has_story_pages=self._stories.are_made and not category.unlisted,
            hub=self._hub_of(category) if page is None else None,
        )

    def _hub_of(self, category: Category) -> Url | None:
        """Give the hub of a category; none for an unlisted one, whose address we would tell to somebody."""
        return None if category.unlisted else self._settings.publish.hub

    def _publish_status(self, edition: Edition, *, stale: bool) -> None:
        """Say how things stand: when something else was written or has happened, or the last word is an hour old."""
        now = self._clock()
        with self._store.read() as tx:
            last = tx.files.written_at("status.json")
        if not stale and last is not None and timedelta(0) <= now - last < STATUS_AGE:
            return
        status = edition.showing.status(self._store.status(self._roster, now))
        outputs = [Output(path="status.json", render=partial(render_status_json, status), max_age=MAX_AGE[0])]
        if self._formats.html:
            page = partial(render_status_page, status, self._settings.site, self._pages)
            outputs.append(Output(path="status.html", render=page, max_age=MAX_AGE[0]))
        for output in outputs:  # each for itself: a file where one belongs does not silence the other
            put = edition.note(self._places.put([output], take_over=edition.take_over))
            with self._store.begin() as tx:
                tx.files.note_written(put.written, now)

    def _publish_copies(self, edition: Edition) -> None:
        """Copy what has changed to its old addresses, and what the operator puts beside our outputs."""
        everything = edition.everything or self._recopies
        put = edition.note(self._copies.put(everything=everything, take_over=edition.take_over))
        self._recopies = self._recopies and bool(put.failed)
        if put.written:
            with self._store.begin() as tx:
                tx.files.note_written(put.written, self._clock())

    # What shapes bytes besides the store.

    def _look(self, row: CategoryRow, showing: Visibility) -> str:
        if self._looks_seen != showing.digest:
            self._looks, self._looks_seen = {}, showing.digest
        if row.id in self._looks:
            return self._looks[row.id]
        category = self._roster.categories[row.key]
        said = (row.key, category.title, category.description, category.show, row.slug, self._max_age(category))
        hub = self._hub_of(category)
        filed = (category.entries, self._settings.publish.archive_page)
        look = self._digest((said, filed, hub, self._classes, showing.digest))
        self._looks[row.id] = look
        return look

    def _site_look(self, rows: Sequence[CategoryRow], showing: Visibility) -> str:
        publish = self._settings.publish
        slugs = {row.key: row.slug for row in rows}
        categories = [
            (c.title, c.description, c.unlisted, c.show, self._max_age(c), slugs.get(c.key))
            for c in self._roster.categories.values()
        ]
        sources = [(s.key, s.title, s.url, s.paused, s.places) for s in self._roster.sources.values()]
        shape = (publish.entries, publish.fair, publish.hub)
        return self._digest((categories, sources, shape, self._classes, showing.digest))

    def _digest(self, facts: object) -> str:
        site, publish = self._settings.site, self._settings.publish
        pages = self._pages.facts if self._formats.html else ()
        shape = (sorted(self._formats.names), publish.gzip, self._stories.are_made)
        frame = (OUTPUT, site.title, site.base_url, site.language, site.timezone, *shape)
        return hashlib.sha256(json.dumps([frame, pages, facts], default=str, sort_keys=True).encode()).hexdigest()

    def _max_age(self, category: Category) -> int:
        """Give half the shortest interval of a category's sources, in seconds, within 300 and 3600 (A75)."""
        pace = self._paces.get(category.key, timedelta(seconds=2 * MAX_AGE[1]))
        return int(min(max(pace.total_seconds() / 2, MAX_AGE[0]), MAX_AGE[1]))


def _has_news(row: CategoryRow | SiteRow, look: str) -> bool:
    """Tell whether a hub is to know of a change: of news, or of other settings alone, but of no backfill (I62)."""
    return row.news > row.rendered or (row.dirty == row.rendered and row.look not in (None, look))
