"""From the store to the files: what is dirty is rendered, proven, and put in place whole (DESIGN 3.3; R30 to R35).

A category is rendered if its generation in the store has moved since it was last written, or if something else that
shapes its bytes has: its settings, the site's, the program's own version of the output. A crash at any point leaves it
dirty, and the next publication repairs it (invariant 6).
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from logging import getLogger

from aggregator.clean import display_title, plain_text
from aggregator.clock import Clock
from aggregator.errors import PublishError, StrangerInTheWay
from aggregator.model.poll import State
from aggregator.model.settings import Category, Kind, Roster, Settings, Show, Site, SourceKey
from aggregator.model.story import CategoryLine, Document, Publication, SourceLine, Tombstone
from aggregator.publish.atom import leave_out_faulty, render_atom
from aggregator.publish.files import Folder
from aggregator.publish.filing import Standing, file_pages
from aggregator.publish.jsonfeed import render_json
from aggregator.publish.page import render_archive, render_category, render_index, render_sources, stylesheet
from aggregator.publish.readback import read_back_atom, read_back_json
from aggregator.publish.shown import ALL
from aggregator.publish.status import render_status_json, render_status_page
from aggregator.store.categories import CategoryRow
from aggregator.store.database import Store
from aggregator.store.documents import SourceRow
from aggregator.store.outputs import Written
from aggregator.store.transaction import Transaction

log = getLogger(__name__)

OUTPUT = 1  # raised when the program itself renders other bytes; the changelog says so (A34)
WRITTEN = frozenset({"atom", "json", "html"})  # of `publish.formats`; RSS is not yet
ON_INDEX = 5  # newest stories of a category on the start page
MAX_AGE = (300, 3600)  # seconds (A75)
ALSO = frozenset({"status.html"})
STATUS_AGE = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One file to put in place; it is rendered when its turn comes, and what fails then harms no other."""

    path: str
    render: Callable[[], bytes]
    max_age: int  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What a publication did."""

    changed: tuple[str, ...]  # paths whose bytes changed, in order; twins are not named
    waiting: bool = False  # something dirty was rendered too short a while ago


class Publisher:
    """Renders what is dirty, for as long as one set of settings holds."""

    def __init__(self, store: Store, settings: Settings, folder: Folder, clock: Clock) -> None:
        self._store, self._settings, self._folder, self._clock = store, settings, folder, clock
        self._roster = Roster.of(settings)
        self._formats = settings.publish.formats & WRITTEN
        self._html = "html" in self._formats
        self._limits = sorted((s.key, s.show, s.private) for s in settings.sources if s.show or s.private)
        self._paces: dict[str, timedelta] = {}  # category: the shortest interval of its sources
        for source in settings.sources:
            pace = source.every or source.min_interval
            for key in source.categories:
                self._paces[key] = min(pace, self._paces.get(key, pace))

    def publish(
        self,
        *,
        everything: bool = False,
        take_over: bool = False,
        debounce: timedelta = timedelta(0),
        restate: bool = False,
    ) -> Published:
        """Bring the files to what the store says.

        Args:
            everything: render all of it, dirty or not.
            take_over: write over files that we did not write, if they bear our mark (DESIGN 3.3).
            debounce: leave alone what was rendered less long ago (R33).
            restate: say anew how things stand, whether or not anything else changes.

        Raises:
            StrangerInTheWay: somebody else's file stands where we want to write. It was not touched.
            StoreError: our side failed.
        """
        changed: list[str] = []
        waiting = False
        with self._store.read() as tx:
            rows = tx.categories()
        for row in rows:
            look = self._look(row)
            if not everything and row.dirty == row.rendered and row.look == look:
                continue
            if row.rendered_at is not None and self._clock() - row.rendered_at < debounce:
                waiting = True
                continue
            changed += self._publish_category(row, look, everything=everything, take_over=take_over)
        if waiting and not changed and not restate:
            return Published(changed=(), waiting=True)
        changed += self._publish_site(rows, everything=everything, take_over=take_over)
        changed += self._publish_status(stale=restate or bool(changed), take_over=take_over)
        return Published(changed=tuple(sorted(changed)), waiting=waiting)

    def _publish_category(self, row: CategoryRow, look: str, *, everything: bool, take_over: bool) -> list[str]:
        category = self._roster.categories[row.key]
        with self._store.begin() as tx:
            self._file(tx, row, category)
        with self._store.read() as tx:  # one moment for all formats (R31)
            row = next(found for found in tx.categories() if found.id == row.id)
            numbers = range(1, row.pages + 1) if everything or row.look != look else row.dirty_pages
            documents = [self._document(tx, row, category, number) for number in (*numbers, None)]
        age = self._max_age(category)
        outputs = [output for document in documents for output in self._outputs(document, age)]
        put = self._put(outputs, take_over=take_over)
        with self._store.begin() as tx:
            tx.note_written(put.written, self._clock())
            if put.whole:
                empty = not documents[-1].publications  # the first entries of a new category are seen at once
                tx.mark_rendered(row, look, None if empty else self._clock())
        return put.changed

    def _publish_site(self, rows: Sequence[CategoryRow], *, everything: bool, take_over: bool) -> list[str]:
        look = self._site_look(rows)
        with self._store.read() as tx:
            site = tx.site()
            if not everything and site.dirty == site.rendered and site.look == look:
                return []
            outputs = self._site_outputs(tx, tx.categories())
        put = self._put(outputs, take_over=take_over)
        with self._store.begin() as tx:
            tx.note_written(put.written, self._clock())
            if put.whole:
                tx.mark_site_rendered(site, look)
        return put.changed

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

    def _document(self, tx: Transaction, row: CategoryRow, category: Category, page: int | None) -> Document:
        path = f"category/{row.slug}"
        publications = tuple(self._shown(p, category) for p in tx.publications(row.id, page))
        graves = tx.tombstones(row.id) if page is None else ()
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
            prev_archive=f"{path}/archive/{before}" if before else None,
            current=None if page is None else path,
        )

    def _shown(self, publication: Publication, category: Category) -> Publication:
        """Leave away what the category or the publisher does not let us show, and credits that nobody may see."""
        source = self._roster.sources.get(publication.source)
        credits = tuple(c for c in publication.credits if not self._is_private(c.source))
        if credits != publication.credits:
            publication = replace(publication, credits=credits)
        if not publication.title:
            text = plain_text(publication.content or publication.summary)
            publication = replace(publication, title=display_title("", text, self._settings.site.language))
        if source and source.reading.allow_classes:
            publication = replace(publication, allow_classes=source.reading.allow_classes)
        shows = {category.show, source.show if source and source.show else Show.FULL}
        if Show.TITLE in shows:
            return replace(publication, content="", summary="")
        if Show.SUMMARY in shows and publication.summary:
            return replace(publication, content="")
        return publication

    def _is_private(self, key: SourceKey) -> bool:
        source = self._roster.sources.get(key)
        return source is not None and source.private

    def _outputs(self, document: Document, age: int) -> Iterator[Output]:
        """Give a document in every format."""
        site, formats, html = self._settings.site, self._formats, self._html
        document = leave_out_faulty(document, site, html=html)
        if "atom" in formats:
            yield Output(path=f"{document.path}.atom", render=partial(_proven_atom, document, site, html), max_age=age)
        if "json" in formats and document.archive is None:
            render = partial(_proven_json, document, site, str(self._store.uuid), html)
            yield Output(path=f"{document.path}.json", render=render, max_age=age)
        if html and document.path != ALL:
            page = render_category if document.archive is None else render_archive
            yield Output(path=f"{document.path}.html", render=partial(page, document, site, formats), max_age=age)

    def _site_outputs(self, tx: Transaction, rows: Sequence[CategoryRow]) -> list[Output]:
        """Give what shows all categories together, in the order in which it may replace the old (R31)."""
        site, publish = self._settings.site, self._settings.publish
        by_key = {row.key: row for row in rows}
        listed = [(c, by_key[c.key]) for c in self._settings.categories if c.key in by_key and not c.unlisted]
        age = min((self._max_age(category) for category, _ in listed), default=MAX_AGE[1])
        newest = tx.newest([row.id for _, row in listed], publish.entries)
        shown = tuple(self._shown(p, self._roster.categories[p.category]) for p in newest)
        document = Document(
            path=ALL,
            id=f"urn:uuid:{self._store.uuid}",
            title=site.title,
            description=None,
            language=site.language,
            updated=_latest(shown, (), min((row.created_at for row in rows), default=self._clock())),
            publications=shown,
        )
        outputs = list(self._outputs(document, age))
        if not self._html:
            return outputs
        lines = [self._source_line(row) for row in tx.sources()]
        sections = [
            CategoryLine(
                key=category.key,
                title=category.title,
                description=category.description,
                path=f"category/{row.slug}",
                newest=tuple(self._shown(p, category) for p in tx.newest_of(row.id, ON_INDEX)),
            )
            for category, row in listed
        ]
        formats = self._formats
        return [
            *outputs,
            Output(path="style.css", render=stylesheet, max_age=MAX_AGE[1]),
            Output(path="sources.html", render=partial(render_sources, lines, site, formats), max_age=age),
            Output(path="index.html", render=partial(render_index, sections, site, formats, also=ALSO), max_age=age),
        ]

    def _publish_status(self, *, stale: bool, take_over: bool) -> list[str]:
        """Say how things stand: when something else was written, or the last word is an hour old (DESIGN 3.3)."""
        now = self._clock()
        with self._store.read() as tx:
            last = tx.written_at("status.json")
        if not stale and last is not None and now - last < STATUS_AGE:
            return []
        status = self._store.status(self._roster, now)
        outputs = [Output(path="status.json", render=partial(render_status_json, status), max_age=MAX_AGE[0])]
        if self._html:
            page = partial(render_status_page, status, self._settings.site)
            outputs.append(Output(path="status.html", render=page, max_age=MAX_AGE[0]))
        put = self._put(outputs, take_over=take_over)
        with self._store.begin() as tx:
            tx.note_written(put.written, now)
        return put.changed

    def _source_line(self, row: SourceRow) -> SourceLine:
        source = self._roster.sources[row.key]
        categories = (self._roster.categories[key] for key in source.categories)
        address = source.safe_url if source.reading.kind is not Kind.FILE and not source.private else None
        return SourceLine(
            key=row.key,
            title=source.title or (row.feed.title if row.feed else "") or row.key,
            link=row.feed.link if row.feed else None,
            url=address,
            state=State.PAUSED if row.paused else row.state,
            code=row.code,
            categories=tuple(category.title for category in categories if not category.unlisted),
        )

    # Files.

    def _put(self, outputs: Sequence[Output], *, take_over: bool) -> "_Put":
        """Put files in place. One that can't be written leaves the old one there, and the others go on (R32)."""
        self._list([output.path for output in outputs], take_over=take_over)
        put = _Put()
        for output in outputs:
            try:
                data = output.render()
                if self._folder.replace(output.path, data, gzip=self._settings.publish.gzip):
                    put.changed.append(output.path)
                    log.info("write_output", extra={"output": output.path, "bytes": len(data)})
            except PublishError as error:
                put.whole = False
                log.error("write_output", extra={"output": error.output, "error": error.why})
            else:
                digest = hashlib.sha256(data).hexdigest()
                put.written.append(Written(path=output.path, digest=digest, max_age=output.max_age))
        return put

    def _list(self, paths: Sequence[str], *, take_over: bool) -> None:
        """Name files in the store before their first write; nobody else's file is ever written over."""
        with self._store.read() as tx:
            listed = tx.listed(paths)
        new = [path for path in paths if path not in listed]
        for path in new:
            ours = self._folder.stranger(path)
            if ours is not None and not (ours and take_over):
                raise StrangerInTheWay(path, self._folder.root / path, ours=ours)
        if new:
            with self._store.begin() as tx:
                tx.list_files(new, self._clock())

    # What shapes bytes besides the store.

    def _look(self, row: CategoryRow) -> str:
        category = self._roster.categories[row.key]
        return self._digest((category.title, category.description, category.show, row.slug, self._limits))

    def _site_look(self, rows: Sequence[CategoryRow]) -> str:
        slugs = {row.key: row.slug for row in rows}
        categories = [(c.title, c.description, c.unlisted, c.show, slugs.get(c.key)) for c in self._settings.categories]
        sources = [(s.key, s.title, s.url, s.private, s.paused, s.show, s.categories) for s in self._settings.sources]
        return self._digest((categories, sources, self._settings.publish.entries))

    def _digest(self, facts: object) -> str:
        site, publish = self._settings.site, self._settings.publish
        frame = (OUTPUT, site.title, site.base_url, site.language, site.timezone, sorted(self._formats), publish.gzip)
        return hashlib.sha256(json.dumps([frame, facts], default=str, sort_keys=True).encode()).hexdigest()

    def _max_age(self, category: Category) -> int:
        """Give half the shortest interval of a category's sources, in seconds, within 300 and 3600 (A75)."""
        pace = self._paces.get(category.key, timedelta(seconds=2 * MAX_AGE[1]))
        return int(min(max(pace.total_seconds() / 2, MAX_AGE[0]), MAX_AGE[1]))


@dataclass(slots=True)
class _Put:
    """What came of putting files in place."""

    changed: list[str] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)
    whole: bool = True


def _proven_atom(document: Document, site: Site, html: bool) -> bytes:
    """Render as Atom and read it back (A35)."""
    data = render_atom(document, site, html=html)
    read_back_atom(data, document)
    return data


def _proven_json(document: Document, site: Site, store_id: str, html: bool) -> bytes:
    """Render as JSON Feed and read it back (A35)."""
    data = render_json(document, site, store_id, html=html)
    read_back_json(data, document)
    return data


def _latest(publications: Sequence[Publication], graves: Sequence[Tombstone], created: datetime) -> datetime:
    """Give a feed's `updated`: the newest of what stands in it; of an empty one, when its category was made (A7)."""
    return max((*(p.updated for p in publications), *(grave.when for grave in graves)), default=created)
