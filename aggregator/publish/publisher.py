"""From the store to the files: what is dirty is rendered, proven, and put in place whole (DESIGN 3.3; R30 to R35).

A category is rendered if its generation in the store has moved since it was last written, or if something else that
shapes its bytes has: its settings, the site's, the program's own version of the output. A crash at any point leaves it
dirty, and the next publication repairs it (invariant 6).
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from logging import getLogger

from aggregator.clock import Clock
from aggregator.errors import StrangerInTheWay
from aggregator.model.settings import Category, Roster, Settings, Site
from aggregator.model.story import CategoryLine, Document, Publication, Tombstone
from aggregator.publish.atom import leave_out_faulty, render_atom
from aggregator.publish.copies import Copies
from aggregator.publish.destination import Destination
from aggregator.publish.filing import Standing, file_pages
from aggregator.publish.jsonfeed import render_json
from aggregator.publish.look import Look, plain_look
from aggregator.publish.opml import render_feeds_opml, render_sources_opml
from aggregator.publish.page import render_archive, render_category, render_index, render_sources
from aggregator.publish.places import Output, Places, Put
from aggregator.publish.posts import Exported, Posts
from aggregator.publish.readback import read_back_atom, read_back_json, read_back_rss
from aggregator.publish.rss import render_rss
from aggregator.publish.showing import Showing
from aggregator.publish.shown import ALL, FEEDS
from aggregator.publish.status import render_status_json, render_status_page
from aggregator.publish.stories import LATE, StoryPages
from aggregator.store.categories import CategoryRow
from aggregator.store.database import Store
from aggregator.store.transaction import Transaction

log = getLogger(__name__)

OUTPUT = 1  # raised when the program itself renders other bytes; the changelog says so (A34)
ON_INDEX = 5  # newest stories of a category on the start page
MAX_AGE = (300, 3600)  # seconds (A75)
ALSO = frozenset({"status.html", "sources.opml"})  # of the start page
STATUS_AGE = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What a publication did."""

    changed: tuple[str, ...]  # paths whose bytes changed, in order; no twins, nor pages that only look otherwise
    waiting: bool = False  # something dirty was rendered too short a while ago, or was left for lack of time
    failed: tuple[str, ...] = ()  # paths that could not be written or removed, in order; what stood there still stands
    posts: tuple[str, ...] = ()  # posts that were written or removed, in order, relative to the folder of feeds.yaml


class Publisher:
    """Renders what is dirty, for as long as one set of settings holds."""

    def __init__(
        self, store: Store, settings: Settings, folder: Destination, clock: Clock, look: Look | None = None
    ) -> None:
        self._store, self._settings, self._clock = store, settings, clock
        self._pages = look or plain_look()
        self._formats = settings.publish.formats
        self._html = "html" in self._formats
        self._places = Places(store, folder, clock, gzip=settings.publish.gzip)
        self._posts = Posts(store, settings, clock) if settings.publish.jekyll else None
        self._copies = Copies(store, folder, self._places, settings.publish)
        self._stories = StoryPages(store, settings, self._formats, self._pages, self._places, clock)
        self._classes = sorted(
            (s.key, sorted(s.reading.allow_classes)) for s in settings.sources if s.reading.allow_classes
        )
        self._looked = False  # whether what the store says stands there does
        self._failures: str | None = ""  # said last of files that could not be written; at first nobody knows
        self.adopt(Roster.of(settings))

    def adopt(self, roster: Roster) -> None:
        """Go by a roster to which categories were added that items have named."""
        paces: dict[str, timedelta] = {}  # category: the shortest interval of its sources
        for source in roster.sources.values():
            pace = source.every or source.min_interval
            for key in source.places:
                paces[key] = min(pace, paces.get(key, pace))
        self._roster, self._paces = roster, paces
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
        self._places.settle()
        if not self._looked:
            self._places.notice_losses()
            self._looked = True
        with self._store.read() as tx:
            rows = tx.categories()
            showing = Showing(self._roster, tx.limits(), self._settings.site.language, tx.uuid(), tx.unlisted())
        edition = _Edition(showing=showing, everything=everything, take_over=take_over)
        self._stories.look_around(showing, self._digest("stories"), everything=everything)
        with edition.going_on():  # before any feed leads there (R31)
            edition.waiting |= self._stories.publish(showing, edition.note, take_over=take_over, is_cut=is_cut)
        pages = len(edition.changed)
        for row in rows:
            look = self._look(row, showing)
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
            edition.note_posts(self._posts.export(showing, everything=everything, take_over=take_over, is_cut=is_cut))
        if is_cut():
            return edition.published()
        if not edition.waiting or edition.changed[pages:] or restate:
            moved = False
            with edition.going_on():
                moved = self._publish_site(rows, edition)
            self._note_failures(edition)
            with edition.going_on():
                self._publish_status(edition, stale=restate or moved or bool(edition.changed))
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
        return edition.published()

    def clear_lost(self) -> None:
        """Remove what a state that is lost has left; see `Places.clear_lost`."""
        self._places.clear_lost()

    def _note_failures(self, edition: "_Edition") -> None:
        """Remember which files could not be brought up to date, so that `status` and an alarm say so (R67)."""
        if edition.waiting and not edition.failed:  # what failed before may be waiting
            return
        said = None
        if edition.failed:
            more = f", and {len(edition.failed) - 1} more" if len(edition.failed) > 1 else ""
            said = f"{edition.failed[0]}{more}: {edition.why}; what stood there still stands"
        if said != self._failures:
            with self._store.begin() as tx:
                tx.note_output_error(said)
            self._failures = said

    def _publish_category(self, row: CategoryRow, look: str, edition: "_Edition") -> None:
        category = self._roster.categories[row.key]
        with self._store.begin() as tx:
            self._file(tx, row, category)
        with self._store.read() as tx:  # one moment for all formats (R31)
            row = next(found for found in tx.categories() if found.id == row.id)
            numbers = range(1, row.pages + 1) if edition.everything or row.look != look else row.dirty_pages
            documents = [self._document(tx, row, category, n, edition.showing) for n in (*numbers, None)]
        with self._store.begin() as tx:  # before the first file: after a kill nobody knows how many there are (T6)
            tx.offer(row.id, self._clock())
        age = self._max_age(category)
        outputs = [output for document in documents for output in self._outputs(document, age)]
        put = edition.note(self._places.put(outputs, take_over=edition.take_over))
        with self._store.begin() as tx:
            tx.note_written(put.written, self._clock())
            if not put.failed:
                empty = not documents[-1].publications  # the first entries of a new category are seen at once
                tx.mark_rendered(row, look, None if empty else self._clock())

    def _publish_site(self, rows: Sequence[CategoryRow], edition: "_Edition") -> bool:
        """Render what shows all categories together; tell whether anything had happened that it, or status.*, shows."""
        look = self._site_look(rows, edition.showing)
        with self._store.read() as tx:
            site = tx.site()
            if not edition.everything and site.dirty == site.rendered and site.look == look:
                return False
            outputs = self._site_outputs(tx, tx.categories(), edition.showing)
        with self._store.begin() as tx:
            tx.offer(None, self._clock())
        if edition.everything or site.look != look:
            with self._store.begin() as tx:
                tx.sync_gone()
        put = edition.note(self._places.put(outputs, take_over=edition.take_over))
        left = self._places.clear(self._formats) if edition.everything or site.look != look else []
        edition.failed += left
        with self._store.begin() as tx:
            tx.note_written(put.written, self._clock())
            if not put.failed and not left:
                tx.mark_site_rendered(site, look)
        return True

    def _file(self, tx: Transaction, row: CategoryRow, category: Category) -> None:
        """Move what is too much for the main document to archive pages, before anything is rendered (M3, M4)."""
        main = [
            Standing(story=p.story, sort_at=p.sort_at, atom_id=p.atom_id, entered_at=p.entered_at, backfill=p.backfill)
            for p in tx.main_rows(row.id)
        ]
        now = self._clock()
        pages = file_pages(
            main,
            now=now,
            entries=category.entries,
            archive_page=self._settings.publish.archive_page,
            pages=row.pages,
        )
        if pages or any(p.backfill for p in main):
            tx.file(row.id, dict(pages), now)

    # Documents.

    def _document(
        self, tx: Transaction, row: CategoryRow, category: Category, page: int | None, showing: Showing
    ) -> Document:
        path = f"category/{row.slug}"
        publications = tuple(showing.publication(p, category) for p in tx.publications(row.id, page))
        graves = tuple(map(showing.tombstone, tx.tombstones(row.id))) if page is None else ()
        before = row.pages if page is None else page - 1
        return Document(
            path=path if page is None else f"{path}/archive/{page}",
            id=row.feed_id,
            title=category.title,
            description=category.description,
            language=self._settings.site.language,
            updated=_latest(publications, graves, row.created_at),
            publications=publications,
            tombstones=graves,
            archive=page,
            category=row.key,
            prev_archive=f"{path}/archive/{before}" if before else None,
            current=None if page is None else path,
            has_story_pages=self._stories.are_made and not category.unlisted,
        )

    def _outputs(self, document: Document, age: int) -> Iterator[Output]:
        """Give a document in every format."""
        site, formats, html = self._settings.site, self._formats, self._html
        document = leave_out_faulty(document, site, html=html)
        if "atom" in formats:
            yield Output(path=f"{document.path}.atom", render=partial(_proven_atom, document, site, html), max_age=age)
        if "rss" in formats and document.archive is None:
            render = partial(_proven_rss, document, site, age // 60, html)
            yield Output(path=f"{document.path}.rss", render=render, max_age=age)
        if "json" in formats:  # archive pages too: with them a lost store is restored to the last entry
            render = partial(_proven_json, document, site, str(self._store.uuid), html)
            yield Output(path=f"{document.path}.json", render=render, max_age=age)
        if html and document.path != ALL:
            page = render_category if document.archive is None else render_archive
            render = partial(page, document, site, formats, self._pages)
            yield Output(path=f"{document.path}.html", render=render, max_age=age)

    def _site_outputs(self, tx: Transaction, rows: Sequence[CategoryRow], showing: Showing) -> list[Output]:
        """Give what shows all categories together, in the order in which it may replace the old (R31)."""
        site, publish = self._settings.site, self._settings.publish
        by_key = {row.key: row for row in rows}
        listed = [(c, by_key[c.key]) for c in self._roster.categories.values() if c.key in by_key and not c.unlisted]
        age = min((self._max_age(category) for category, _ in listed), default=MAX_AGE[1])
        newest = tx.newest([row.id for _, row in listed], publish.entries)
        shown = tuple(showing.publication(p, self._roster.categories[p.category]) for p in newest)
        graves = tuple(map(showing.tombstone, tx.tombstones_of_all([row.id for _, row in listed])))
        document = Document(
            path=ALL,
            id=f"urn:uuid:{self._store.uuid}",
            title=site.title,
            description=None,
            language=site.language,
            updated=_latest(shown, graves, min((row.created_at for row in rows), default=self._clock())),
            publications=shown,
            tombstones=graves,
            has_story_pages=self._stories.are_made,
        )
        outputs = list(self._outputs(document, age))
        lines = [line for row in tx.sources() if (line := showing.source_line(row)) is not None]
        sections = [
            CategoryLine(
                key=category.key,
                title=category.title,
                description=category.description,
                path=f"category/{row.slug}",
                newest=tuple(
                    showing.publication(p, category) for p in tx.newest_of(row.id, ON_INDEX, fair=publish.fair)
                ),
            )
            for category, row in listed
        ]
        formats, html, look = self._formats, self._html, self._pages
        also = ALSO
        if formats & FEEDS:
            also |= {"opml.xml"}
            render = partial(render_feeds_opml, sections, site, formats, html=html)
            outputs.append(Output(path="opml.xml", render=render, max_age=age))
        outputs.append(Output(path="sources.opml", render=partial(render_sources_opml, lines, site), max_age=age))
        if not html:
            return outputs
        page_of_sources = partial(render_sources, lines, site, formats, look, also=also)
        index = partial(render_index, sections, site, formats, look, also=also, has_story_pages=self._stories.are_made)
        return [
            *outputs,
            Output(path="style.css", render=lambda: look.theme.stylesheet, max_age=MAX_AGE[1]),
            Output(path="icon.svg", render=lambda: look.theme.icon, max_age=MAX_AGE[1]),
            Output(path="sources.html", render=page_of_sources, max_age=age),
            Output(path="index.html", render=index, max_age=age),
        ]

    def _publish_status(self, edition: "_Edition", *, stale: bool) -> None:
        """Say how things stand: when something else was written or has happened, or the last word is an hour old."""
        now = self._clock()
        with self._store.read() as tx:
            last = tx.written_at("status.json")
        if not stale and last is not None and now - last < STATUS_AGE:
            return
        status = edition.showing.status(self._store.status(self._roster, now))
        outputs = [Output(path="status.json", render=partial(render_status_json, status), max_age=MAX_AGE[0])]
        if self._html:
            page = partial(render_status_page, status, self._settings.site, self._pages)
            outputs.append(Output(path="status.html", render=page, max_age=MAX_AGE[0]))
        put = edition.note(self._places.put(outputs, take_over=edition.take_over))
        with self._store.begin() as tx:
            tx.note_written(put.written, now)

    def _publish_copies(self, edition: "_Edition") -> None:
        """Copy what has changed to its old addresses, and what the operator puts beside our outputs."""
        put = edition.note(self._copies.put(everything=edition.everything, take_over=edition.take_over))
        if put.written:
            with self._store.begin() as tx:
                tx.note_written(put.written, self._clock())

    # What shapes bytes besides the store.

    def _look(self, row: CategoryRow, showing: Showing) -> str:
        category = self._roster.categories[row.key]
        said = (category.title, category.description, category.show, row.slug, self._max_age(category))
        filed = (category.entries, self._settings.publish.archive_page)
        return self._digest((said, filed, self._classes, showing.digest))

    def _site_look(self, rows: Sequence[CategoryRow], showing: Showing) -> str:
        publish = self._settings.publish
        slugs = {row.key: row.slug for row in rows}
        categories = [
            (c.title, c.description, c.unlisted, c.show, self._max_age(c), slugs.get(c.key))
            for c in self._roster.categories.values()
        ]
        sources = [(s.key, s.title, s.url, s.paused, s.places) for s in self._roster.sources.values()]
        return self._digest((categories, sources, publish.entries, publish.fair, self._classes, showing.digest))

    def _digest(self, facts: object) -> str:
        site, publish = self._settings.site, self._settings.publish
        pages = self._pages.facts if self._html else ()
        shape = (sorted(self._formats), publish.gzip, self._stories.are_made)
        frame = (OUTPUT, site.title, site.base_url, site.language, site.timezone, *shape)
        return hashlib.sha256(json.dumps([frame, pages, facts], default=str, sort_keys=True).encode()).hexdigest()

    def _max_age(self, category: Category) -> int:
        """Give half the shortest interval of a category's sources, in seconds, within 300 and 3600 (A75)."""
        pace = self._paces.get(category.key, timedelta(seconds=2 * MAX_AGE[1]))
        return int(min(max(pace.total_seconds() / 2, MAX_AGE[0]), MAX_AGE[1]))


@dataclass(slots=True, kw_only=True)
class _Edition:
    """One publication on its way."""

    showing: Showing
    everything: bool
    take_over: bool
    changed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    why: str = ""  # the first of them failed
    posts: list[str] = field(default_factory=list)
    waiting: bool = False
    strangers: list[StrangerInTheWay] = field(default_factory=list)

    def note(self, put: Put) -> Put:
        """Count what came of some outputs."""
        self.changed += put.changed
        self.failed += put.failed
        self.why = self.why or put.why
        return put

    def note_posts(self, exported: Exported) -> None:
        """Count what came of the posts."""
        self.posts += exported.changed + exported.removed
        self.failed += exported.failed
        self.waiting |= exported.waiting

    def note_failed(self, put: Put) -> Put:
        """Count what could not be written."""
        self.failed += put.failed
        self.why = self.why or put.why
        return put

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Let a file of somebody else's stop the outputs beside it, and no others."""
        try:
            yield
        except StrangerInTheWay as stranger:
            if stranger.ours:
                raise
            self.strangers.append(stranger)

    def published(self) -> Published:
        """Say what was done."""
        for stranger in self.strangers[1:]:
            log.error("write_output", extra={"output": stranger.output, "error": stranger.why})
        if self.strangers:
            self.strangers[0].changed = tuple(sorted(self.changed))
            raise self.strangers[0]
        return Published(
            changed=tuple(sorted(self.changed)),
            waiting=self.waiting,
            failed=tuple(sorted(self.failed)),
            posts=tuple(sorted(set(self.posts))),
        )


def _proven_atom(document: Document, site: Site, html: bool) -> bytes:
    """Render as Atom and read it back (A35)."""
    data = render_atom(document, site, html=html)
    read_back_atom(data, document)
    return data


def _proven_rss(document: Document, site: Site, ttl: int, html: bool) -> bytes:
    """Render as RSS and read it back (A35)."""
    data = render_rss(document, site, ttl=ttl, html=html)
    read_back_rss(data, document)
    return data


def _proven_json(document: Document, site: Site, store_id: str, html: bool) -> bytes:
    """Render as JSON Feed and read it back (A35)."""
    data = render_json(document, site, store_id, html=html)
    read_back_json(data, document)
    return data


def _latest(publications: Sequence[Publication], graves: Sequence[Tombstone], created: datetime) -> datetime:
    """Give a feed's `updated`: the newest of what stands in it; of an empty one, when its category was made (A7)."""
    return max((*(p.updated for p in publications), *(grave.when for grave in graves)), default=created)
