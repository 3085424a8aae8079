"""Publishes what shows all categories together: `all.*`, the start page, the lists of categories and sources."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from aggregator.clock import Clock
from aggregator.late import late
from aggregator.model.formats import feeds_among
from aggregator.model.output import Output
from aggregator.model.output_paths import yields
from aggregator.model.settings import Category, Front, Settings
from aggregator.model.story import CategoryLine, Document, Publication, River, SourceLine, Tombstone
from aggregator.publish.archiving import fitting
from aggregator.publish.formats import Formats
from aggregator.publish.looks import OUTPUT, Listed, Looks, has_news
from aggregator.publish.output_list import OutputList, Put
from aggregator.publish.report import PublishRun
from aggregator.publish.river import LATEST, RiverPages, RiverTurn
from aggregator.publish.site_files import SiteFiles, SitePage
from aggregator.publish.source_pages import Lines, SourcePages, facts_of
from aggregator.render.cache import LruCache
from aggregator.render.theme import PageStyle
from aggregator.render.visibility import Visibility
from aggregator.store.categories import CategoryRow
from aggregator.store.database import Store
from aggregator.store.documents import ALL as ALL_CATEGORIES
from aggregator.store.river import RiverPage
from aggregator.store.transaction import Transaction
from aggregator.text.slugs import in_ascii

if TYPE_CHECKING:
    from aggregator.render import fields, html_pages, opml, source_pages
else:
    fields = late("aggregator.render.fields")
    html_pages = late("aggregator.render.html_pages")
    opml = late("aggregator.render.opml")
    source_pages = late("aggregator.render.source_pages")

NEWEST = 5  # stories on pages of errors
MANY = 24  # categories: with more the start page begins with the river, and has sections of the busiest alone
BUSIEST = 12  # categories with a section then
ABOVE = 12  # stories of the river above them
ALSO = frozenset({"status.html", "sources.opml"})  # of the start page
THEME_AGE = 3600  # seconds (A75)
ERRORS = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus.INTERNAL_SERVER_ERROR)  # that have a page


class SiteOutputs:
    """Publishes those outputs, for one set of settings.

    Each section of the start page is kept as it was rendered when its category last changed: of 200 sections only those
    with news are rendered.

    Args:
        store: open for writing.
        settings: the whole of feeds.yaml.
        formats: in which `all.*` is rendered.
        style: theme and texts of all pages.
        looks: of the same settings.
        files: the published files.
        clock: returns the current time.
        extras: robots.txt and the like.
        has_story_pages: whether each story has a page.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        formats: Formats,
        style: PageStyle,
        looks: Looks,
        files: OutputList,
        clock: Clock,
        extras: SiteFiles,
        *,
        has_story_pages: bool,
    ) -> None:
        self._store, self._settings, self._formats, self._style = store, settings, formats, style
        self._extras = extras
        self.has_river = style.river  # whether the river's first page was ours at the last publication
        self._looks, self._files, self._clock = looks, files, clock
        self._has_story_pages = has_story_pages
        self._river = RiverPages(store, settings, formats.names, style, files, has_story_pages=has_story_pages)
        self._sources = SourcePages(store, settings, formats.names, style, files, has_story_pages=has_story_pages)
        self._counts: dict[int, tuple[int, int]] = {}  # generation, and number of stories then, by category
        self._sections: LruCache[html_pages.Section] = LruCache(max_bytes=4 * 1024 * 1024, each_bytes=1024)

    def publish(self, rows: Sequence[CategoryRow], looks: Mapping[int, str], run: PublishRun) -> bool:
        """Write these outputs if anything has happened that they show.

        The stories that they show are recorded as seen after the snapshot was read and before the first file (T6): a
        story that enters in between counts as seen, which keeps its tombstone.

        Args:
            rows: the categories of feeds.yaml.
            looks: look of each category, by its number.
            run: the publication, which counts what was written.

        Returns:
            Whether anything had happened that these outputs, or status.*, show.

        Raises:
            StrangerInTheWay: a file that the list does not name stands at the path of one; nothing was written.
        """
        look = self._looks.of_site(rows, run.visibility)
        with self._store.read() as tx:
            site = tx.categories.site()
            is_new = run.everything or site.look != look
            if not is_new and site.dirty == site.rendered:
                return False
            rows = tx.categories.rows()
            before = tx.documents.said(ALL_CATEGORIES, [None]).get(None)
            of_id, turn, closed = {row.id: row for row in rows}, None, list[RiverPage]()
            places = [(category, of_id[row.id]) for category, row in run.listed]  # as the store has them now
            created = min((row.created_at for row in rows), default=site.created_at)
            document = self._document(tx, places, run, created, before)
            lines = self._lines(tx, run)
            everything = run.everything or site.look is None
            look_of_pages, age = self._looks.of_river(rows, run.visibility), self._looks.site_max_age()
            if self._formats.html:
                turn = self._river.read(
                    tx,
                    document.publications,
                    places,
                    self._count(tx, places),
                    look_of_pages,
                    self._clock(),
                    everything=everything,
                )
            river = self._river.outputs(turn, look, age) if turn else []
            outputs = self._outputs(tx, document, look, places, looks, run, turn, lines, has_news=has_news(site, look))
            of_sources = self._sources.read(tx, lines, places, look_of_pages, site.rendered, run, everything=everything)
            river += of_sources.outputs
            listed = tx.files.shown([output.path for output in (*river, *outputs)])
            self._files.recall(listed)
            pages = [output for output in (*river, *outputs) if yields(output.path)]
            stood = {path: one.digest for path, one in listed.items()}
            ours = {output.path for output in self._files.yielding(pages, stood)}
            river = [output for output in river if output.path in ours]
            outputs = [output for output in outputs if output.path in ours or not yields(output.path)]
            if turn:
                self.has_river = LATEST in ours
            linked = self._pages(tx, places, document, turn)
            extras = [*self._extras.outputs(linked, age)]
            digests = tx.files.digests_of([output.path for output in extras])
        with self._store.begin() as tx:
            offered = self._clock()
            tx.categories.offer(None, offered)
            tx.documents.say(ALL_CATEGORIES, {None: document.updated} if document.updated != before else {})
            if turn:
                tx.river.close(turn.closes)
            if is_new:
                tx.files.sync_gone()
        put = Put()
        if turn and turn.stale:
            with run.going_on():
                came, closed = self._river.put_closed(turn, places, run)
                put.add(came)
        with run.going_on():
            put.add(run.note(self._files.put(river, listed, take_over=run.take_over)))
        put.add(run.note(self._files.put(outputs, listed, take_over=run.take_over)))
        put.add(run.note(self._files.put(self._files.yielding(extras, digests), digests, take_over=True)))
        if of_sources.waiting or of_sources.orphans:
            with run.going_on():
                put.add(self._sources.put_more(of_sources, lines, places, run, offered))
        self._files.sync()  # pages of sources
        left = self._files.clear(self._formats.names) if is_new else []
        run.failed += left
        with self._store.begin() as tx:
            tx.files.note_written(put.written, offered)
            if turn:
                tx.river.mark_rendered(closed, turn.look)
            if not put.failed and not left:
                tx.categories.mark_site_rendered(site, look)
        return True

    def _outputs(
        self,
        tx: Transaction,
        document: Document,
        look: str,
        listed: Listed,
        looks: Mapping[int, str],
        run: PublishRun,
        turn: RiverTurn | None,
        sources: Lines,
        *,
        has_news: bool,
    ) -> list[Output]:
        """Return the outputs in the order in which they may replace the old ones (R31).

        Args:
            tx: a reading one: all outputs are of one moment.
            document: the document over all categories, of the same moment.
            look: of all that shows all categories together.
            listed: the categories.
            looks: look of each category, by its number.
            run: the publication.
            turn: what it does to the river; None: no pages are published.
            sources: those that anyone may know of.
            has_news: whether more than a backfill may have changed `all.*` (I62).
        """
        site, names, html = self._settings.site, self._formats.names, self._formats.html
        age = self._looks.site_max_age()
        outputs = list(self._formats.outputs(document, age, has_news=has_news))
        lines, also = [line for _, line in sources.values()], ALSO
        if feeds_among(names):
            also |= {"opml.xml"}
            render = partial(opml.render_feeds_opml, [_line_of(*pair, ()) for pair in listed], site, names, html=html)
            outputs.append(Output(path="opml.xml", render=render, max_age=age, facts=look))
        facts = _digest(look, [facts_of(line) for line in lines])  # seldom changes: there are no times in it
        blogroll = partial(opml.render_sources_opml, lines, site)
        outputs.append(Output(path="sources.opml", render=blogroll, max_age=age, facts=facts))
        outputs += (self._opml_of(category, row, lines, age) for category, row in listed)
        if turn is None:
            return outputs
        style = self._style
        outputs += self._errors(document.publications[:NEWEST], look, age)
        page_of_sources = partial(source_pages.render_sources, lines, site, names, style, also=also)
        return [
            *outputs,
            Output(path="style.css", render=lambda: style.theme.stylesheet, max_age=THEME_AGE),
            Output(path=fields.ICON, render=lambda: style.theme.icon, max_age=THEME_AGE),
            Output(path="sources.html", render=page_of_sources, max_age=age, facts=facts),
            Output(
                path="index.html",
                render=self._start_page(tx, listed, looks, run.visibility, also, turn.newest),
                max_age=age,
            ),
        ]

    def _opml_of(self, category: Category, row: CategoryRow, lines: Sequence[SourceLine], age: int) -> Output:
        """Return the sources of a category as OPML; it changes only when they do, whatever their states."""
        feeds = [
            opml.ExportedFeed(title=line.title, url=address, link=line.link)
            for line in lines
            if category.title in line.categories and (address := fields.web_address(line.url)) and "…" not in address
        ]
        facts = _digest(OUTPUT, category.title, feeds)
        render = partial(opml.render_export, {category.title: feeds}, category.title)
        return Output(path=f"category/{row.slug}.opml", render=render, max_age=age, facts=facts)

    def _errors(self, newest: Sequence[Publication], look: str, age: int) -> Iterator[Output]:
        frame = self._settings.site, self._formats.names, self._style
        for status in ERRORS:
            named = newest if status != HTTPStatus.INTERNAL_SERVER_ERROR else ()
            render = partial(html_pages.render_error, status, named, *frame, has_story_pages=self._has_story_pages)
            yield Output(path=f"{status}.html", render=render, max_age=age, facts=_digest(look, named))

    def _document(
        self,
        tx: Transaction,
        listed: Listed,
        run: PublishRun,
        created: datetime,
        before: datetime | None,
    ) -> Document:
        """Return the document over all listed categories.

        Args:
            tx: a reading one.
            listed: the categories.
            run: the publication.
            created: when the first category was made, or the store.
            before: the latest `updated` that was published of it (A7).
        """
        site, numbers = self._settings.site, [row.id for _, row in listed]
        newest = tx.documents.newest(numbers, self._settings.publish.entries)
        publications = run.visibility.publications(newest)
        publications = publications[: fitting([(p.summary, p.content) for p in publications])]  # each has a category
        tombstones = tuple(map(run.visibility.tombstone, tx.documents.tombstones_of_all(numbers)))
        return Document(
            path=fields.ALL,
            id=f"urn:uuid:{tx.store_row.uuid()}",
            title=site.title,
            description=None,
            language=site.language,
            updated=latest(publications, tombstones, created, before),
            publications=publications,
            tombstones=tombstones,
            has_story_pages=self._has_story_pages,
            hub=self._settings.publish.hub,
        )

    def _lines(self, tx: Transaction, run: PublishRun) -> Lines:
        found = ((row, run.visibility.source_line(row)) for row in tx.sources.rows())
        return {row.key: (row, line) for row, line in found if line is not None}

    def _count(self, tx: Transaction, listed: Listed) -> dict[int, int]:
        """Return the number of stories of each category; only those that changed are counted."""
        changed = [row for _, row in listed if self._counts.get(row.id, (None, 0))[0] != row.dirty]
        counts = tx.documents.counts([row.id for row in changed])
        self._counts |= {row.id: (row.dirty, counts[row.id]) for row in changed}
        return {row.id: self._counts[row.id][1] for _, row in listed}

    def _pages(self, tx: Transaction, listed: Listed, site: Document, turn: RiverTurn | None) -> list[SitePage]:
        """Return the pages that search engines are led to: those whose canonical address is their own (A60)."""
        said = tx.documents.said_last()
        rows = [row for _, row in listed]
        pages = [SitePage("", site.updated)]
        if turn and self.has_river:
            pages.append(SitePage(LATEST, site.updated))
        pages += (SitePage(f"category/{row.slug}.html", said.get(row.id)) for row in rows)
        pages += (SitePage(page.path) for page in self._style.theme.pages)
        pages += (SitePage(path) for path in (self._river.closed_paths(turn) if turn else ()))
        return pages + [
            SitePage(f"category/{row.slug}/archive/{page}.html") for row in rows for page in range(row.pages, 0, -1)
        ]

    def _start_page(
        self,
        tx: Transaction,
        listed: Listed,
        looks: Mapping[int, str],
        visibility: Visibility,
        also: frozenset[str],
        newest: River,
    ) -> Callable[[], bytes]:
        """Return the function that renders the start page, from kept sections and from what is read here."""
        site, counts = self._settings.site, {row.id: self._counts[row.id][1] for _, row in listed}
        front = site.front or (Front.LATEST if len(listed) == 1 else None)
        is_many = len(listed) > MANY
        shown: Listed = sorted(listed, key=lambda pair: not counts[pair[1].id])  # empty ones last
        if front is Front.LATEST:
            shown = ()
        elif front is None and is_many:
            shown = sorted(shown, key=lambda pair: -counts[pair[1].id])[:BUSIEST]
        names: Listed = listed if is_many and len(shown) < len(listed) else ()
        names = sorted(names, key=lambda pair: in_ascii(pair[0].title).casefold())
        keys = {row.id: (row.id, row.dirty, looks.get(row.id)) for _, row in shown}
        kept = {number: section for number, key in keys.items() if (section := self._sections.get(key)) is not None}
        unknown = [(category, row) for category, row in shown if row.id not in kept]
        of_each = tx.documents.newest_of_each(
            [row.id for _, row in unknown], site.headlines, fair=self._settings.publish.fair
        )
        lines = {
            row.id: _line_of(
                category, row, visibility.publications(of_each.get(row.id, ()), category), count=counts[row.id]
            )
            for category, row in unknown
        }
        frame = (site, self._formats.names, self._style)

        def render() -> bytes:
            for number, line in lines.items():
                section = html_pages.section_of(line, *frame, has_story_pages=self._has_story_pages)
                self._sections.keep(keys[number], section, 2 * len(section.html))  # as text, and as the records in it
                kept[number] = section
            sections = [kept[row.id] for _, row in shown]
            links = [html_pages.place_of("", category.title, f"category/{row.slug}") for category, row in names]
            river = None
            if front is Front.LATEST or (front is None and is_many):
                river = self._river.values(newest, ABOVE if sections else None)
            return html_pages.render_index(sections, *frame, also=also, names=links, river=river)

        return render


def latest(
    publications: Sequence[Publication], tombstones: Sequence[Tombstone], created: datetime, before: datetime | None
) -> datetime:
    """Return the `updated` of a feed: that of its newest story or tombstone, and never less than before (A7).

    Args:
        publications: in the feed.
        tombstones: in the feed.
        created: when its category was made; used for an empty feed.
        before: the latest `updated` that was published of it; None if none was.
    """
    newest = max((*(p.updated for p in publications), *(one.when for one in tombstones)), default=created)
    return newest if before is None else max(newest, before)


def _digest(*facts: object) -> str:
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _line_of(category: Category, row: CategoryRow, newest: tuple[Publication, ...], count: int = 0) -> CategoryLine:
    return CategoryLine(
        key=category.key,
        title=category.title,
        description=category.description,
        path=f"category/{row.slug}",
        newest=newest,
        count=count,
    )
