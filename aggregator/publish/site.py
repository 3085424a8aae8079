"""What shows all categories together: `all.*`, the start page, the lists of categories and sources (DESIGN 3.3)."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

from aggregator.model.output import Output
from aggregator.model.settings import Category, Roster, Settings
from aggregator.model.story import CategoryLine, Document, Publication, Tombstone
from aggregator.publish.archiving import fitting
from aggregator.publish.formats import Formats
from aggregator.render.cache import Memory
from aggregator.render.fields import ALL, FEEDS, ICON
from aggregator.render.html_pages import Section, render_index, render_sources, section_of
from aggregator.render.opml import render_feeds_opml, render_sources_opml
from aggregator.render.theme import PageStyle
from aggregator.render.visibility import Visibility
from aggregator.store.categories import CategoryRow
from aggregator.store.transaction import Transaction

ON_INDEX = 5  # newest stories of a category on the start page
ALSO = frozenset({"status.html", "sources.opml"})  # of the start page
THEME_AGE = 3600  # seconds (A75)

Listed = Sequence[tuple[Category, CategoryRow]]


class SiteOutputs:
    """Gives those outputs, for as long as one set of settings holds.

    Each section of the start page is kept as it stood when its category last changed: of 200 only those are rendered
    that have news.

    Args:
        settings: the whole of feeds.yaml.
        formats: those of its documents.
        look: of all pages.
        has_story_pages: each story has a page of its own.
    """

    def __init__(self, settings: Settings, formats: Formats, look: PageStyle, *, has_story_pages: bool) -> None:
        self._settings, self._formats, self._look, self._has_story_pages = settings, formats, look, has_story_pages
        self._sections: Memory[Section] = Memory(4 * 1024 * 1024, each_bytes=1024)

    def outputs(
        self,
        tx: Transaction,
        everything: Document,
        rows: Sequence[CategoryRow],
        looks: Mapping[int, str],
        roster: Roster,
        showing: Visibility,
        age: int,
        *,
        has_news: bool,
    ) -> list[Output]:
        """Give them in the order in which they may replace the old (R31).

        Args:
            tx: a reading one: all is of one moment.
            everything: the document of that name, of the same moment.
            rows: the categories as they stand.
            looks: digest of what shapes a category besides the store, by its number.
            roster: sources and categories as feeds.yaml has them.
            showing: what may be seen.
            age: how many seconds whoever reads them may keep them (A75).
            has_news: more than a backfill may have changed `all.*` (I62).
        """
        site, names, html = self._settings.site, self._formats.names, self._formats.html
        listed = _listed(rows, roster)
        outputs = list(self._formats.outputs(everything, age, has_news=has_news))
        lines = [line for row in tx.sources.rows() if (line := showing.source_line(row)) is not None]
        also = ALSO
        if names & FEEDS:
            also |= {"opml.xml"}
            render = partial(render_feeds_opml, [_line_of(*pair, ()) for pair in listed], site, names, html=html)
            outputs.append(Output(path="opml.xml", render=render, max_age=age))
        told = hashlib.sha256(repr(lines).encode()).hexdigest()  # seldom another: there are no times in it
        blogroll = partial(render_sources_opml, lines, site)
        outputs.append(Output(path="sources.opml", render=blogroll, max_age=age, facts=told))
        if not html:
            return outputs
        look = self._look
        page_of_sources = partial(render_sources, lines, site, names, look, also=also)
        return [
            *outputs,
            Output(path="style.css", render=lambda: look.theme.stylesheet, max_age=THEME_AGE),
            Output(path=ICON, render=lambda: look.theme.icon, max_age=THEME_AGE),
            Output(path="sources.html", render=page_of_sources, max_age=age, facts=told),
            Output(path="index.html", render=self._start_page(tx, listed, looks, showing, also), max_age=age),
        ]

    def everything(
        self,
        tx: Transaction,
        rows: Sequence[CategoryRow],
        roster: Roster,
        showing: Visibility,
        created: datetime,
        said: datetime | None,
    ) -> Document:
        """Give the document over all categories.

        Args:
            tx: a reading one.
            rows: the categories as they stand.
            roster: sources and categories as feeds.yaml has them.
            showing: what may be seen.
            created: when a site without categories began.
            said: the latest `updated` that it has said so far (A7).
        """
        site, numbers = self._settings.site, [row.id for _, row in _listed(rows, roster)]
        created = min((row.created_at for row in rows), default=created)
        newest = tx.documents.newest(numbers, self._settings.publish.entries)
        publications = tuple(showing.publication(p, roster.categories[p.category]) for p in newest)
        publications = publications[: fitting([(p.summary, p.content) for p in publications])]  # each has a category
        graves = tuple(map(showing.tombstone, tx.documents.tombstones_of_all(numbers)))
        return Document(
            path=ALL,
            id=f"urn:uuid:{tx.store_row.uuid()}",
            title=site.title,
            description=None,
            language=site.language,
            updated=latest(publications, graves, created, said),
            publications=publications,
            tombstones=graves,
            has_story_pages=self._has_story_pages,
            hub=self._settings.publish.hub,
        )

    def _start_page(
        self, tx: Transaction, listed: Listed, looks: Mapping[int, str], showing: Visibility, also: frozenset[str]
    ) -> Callable[[], bytes]:
        """Give how to render the start page, from what is kept and what is read here."""
        keys = {row.id: (row.id, row.dirty, looks.get(row.id)) for _, row in listed}
        kept = {number: section for number, key in keys.items() if (section := self._sections.get(key)) is not None}
        unknown = [(category, row) for category, row in listed if row.id not in kept]
        newest = tx.documents.newest_of_each([row.id for _, row in unknown], ON_INDEX, fair=self._settings.publish.fair)
        lines = {
            row.id: _line_of(category, row, tuple(showing.publication(p, category) for p in newest.get(row.id, ())))
            for category, row in unknown
        }
        frame = (self._settings.site, self._formats.names, self._look)

        def render() -> bytes:
            for number, line in lines.items():
                section = section_of(line, *frame, has_story_pages=self._has_story_pages)
                self._sections.keep(keys[number], section, 2 * len(section.html))  # as text, and as the records in it
                kept[number] = section
            return render_index([kept[row.id] for _, row in listed], *frame, also=also)

        return render


def latest(
    publications: Sequence[Publication], graves: Sequence[Tombstone], created: datetime, said: datetime | None
) -> datetime:
    """Return the `updated` of a feed: the newest of its stories, and never less than it was before (A7).

    Args:
        publications: that stand in it.
        graves: its tombstones.
        created: when its category was made, for one that is empty.
        said: the latest that it has said so far; None: it has said nothing yet.
    """
    newest = max((*(p.updated for p in publications), *(grave.when for grave in graves)), default=created)
    return newest if said is None else max(newest, said)


def _listed(rows: Sequence[CategoryRow], roster: Roster) -> Listed:
    by_key = {row.key: row for row in rows}
    return [(c, by_key[c.key]) for c in roster.categories.values() if c.key in by_key and not c.unlisted]


def _line_of(category: Category, row: CategoryRow, newest: tuple[Publication, ...]) -> CategoryLine:
    return CategoryLine(
        key=category.key,
        title=category.title,
        description=category.description,
        path=f"category/{row.slug}",
        newest=newest,
    )
