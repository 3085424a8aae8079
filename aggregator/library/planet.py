"""`Planet`: the sources of a feeds.yaml, its store and its outputs, for programs in Python."""

import os
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from heapq import merge
from pathlib import Path
from uuid import uuid5

from aggregator.app import App
from aggregator.cli.open import opened_app
from aggregator.cli.poll import OneShot
from aggregator.model.formats import FORMATS, feeds_among
from aggregator.model.poll import Report
from aggregator.model.settings import Settings
from aggregator.model.story import Document, Publication
from aggregator.poll import corrections
from aggregator.publish.looks import MAX_AGE
from aggregator.publish.report import Published
from aggregator.render.renderer import RenderContext, renderer_of
from aggregator.render.visibility import Visibility
from aggregator.store.categories import CategoryRow


@contextmanager
def open_planet(config: str | Path = "feeds.yaml", environ: Mapping[str, str] | None = None) -> Iterator["Planet"]:
    """Load a feeds.yaml, open its store for writing, and close the store afterwards.

    Only one process at a time may write to a store: close the planet before a command such as `poll` runs.

    Args:
        config: path of feeds.yaml.
        environ: variables for `${NAME}`; None: those of the process.

    Raises:
        ConfigError: feeds.yaml or its theme has problems; the message lists all of them. Nothing was opened.
        LockHeld: another process has the store open for writing.
        StoreError: the store can't be opened or read.
        StateLost: outputs exist whose store is lost; no new store was made.
        PublishError: the folder for the outputs can't be made.
    """
    options = Namespace(config=Path(config), command="library", quiet=True)
    with opened_app(options, os.environ if environ is None else environ, goes_on=True) as app:
        yield Planet(app)


class Planet:
    """An open planet; `open_planet` makes it. Not for use by several threads at once."""

    def __init__(self, app: App) -> None:
        self._app = app

    @property
    def settings(self) -> Settings:
        """The settings in force, with the sources that OPML lists name."""
        return self._app.in_force.settings

    def poll(
        self, *keys: str, everything: bool = False, limit: timedelta = timedelta(minutes=10)
    ) -> tuple[Report, ...]:
        """Poll sources and store their new entries, as the command `poll` does; nothing is published yet.

        Args:
            keys: sources to poll, due or not; none: the sources that are due.
            everything: poll all sources that are not paused, due or not.
            limit: no poll begins later than this; 0: no limit.

        Returns:
            A report for each source, sorted by key. A source that failed has `code` and `error`; it raises nothing.

        Raises:
            ValueError: feeds.yaml has no source with one of the keys.
            StoreError: the store can't be written.
        """
        sources = self._app.in_force.roster.sources
        if unknown := [key for key in keys if key not in sources]:
            raise ValueError(f"feeds.yaml has no source with the key {unknown[0]!r}; it has {', '.join(sources)}")
        shot = OneShot(self._app)
        shot.poll(keys, everything=everything, limit=limit)
        if shot.has_requests:
            corrections.run_pending_requests(self._app.store, self._app.in_force.roster, self._app.clock)
        return tuple(shot.rows())

    def stories(self, category: str | None = None) -> Iterator[Publication]:
        """Yield stories, the newest first, with what may be published of them: private addresses are struck out.

        Stories are read document by document while they are consumed, so that a large store needs little memory.

        Args:
            category: key of a category; None: all categories, where each story comes once.

        Raises:
            ValueError: there is no such category.
            StoreError: the store can't be read.
        """
        with self._app.store.read() as tx:
            rows = [row for row in tx.categories.rows() if category in (None, row.key)]
            settings, roster = self.settings, self._app.in_force.roster
            limits, unlisted = tx.sources.limits(), tx.categories.unlisted()
            visibility = Visibility(roster, limits, settings.site.language, tx.store_row.uuid(), unlisted)
        if category is not None and not rows:
            raise ValueError(f"there is no category {category!r}; there are {', '.join(roster.categories)}")
        found = merge(*(self._of_category(row, visibility) for row in rows), key=_age)
        seen = set[str]()
        for story in found:
            if story.atom_id not in seen:
                seen.add(story.atom_id)
                yield story

    def _of_category(self, row: CategoryRow, visibility: Visibility) -> Iterator[Publication]:
        """Yield the stories of a category, first those of its main document, then those of its archive pages."""
        category = self._app.in_force.roster.categories[row.key]
        for page in (None, *range(row.pages, 0, -1)):
            with self._app.store.read() as tx:
                publications = tx.documents.publications(row.id, page)
            for publication in publications:
                yield visibility.publication(publication, category)

    def render(self, stories: Iterable[Publication], *, path: str, title: str, format: str = "atom") -> bytes:
        """Return stories as a feed of their own.

        Args:
            stories: from `stories`, in the order in which the feed has them.
            path: where the feed will be served below `site.base_url`, without a suffix, such as `mine/python`. Keep
                it: the id of the feed is made from it.
            title: of the feed.
            format: `atom`, `rss` or `json`.

        Raises:
            ValueError: there is no such format of feeds.
            PublishError: the feed can't be rendered.
        """
        names = [one.name for one in feeds_among(FORMATS)]
        if format not in names:
            raise ValueError(f"there is no feed format {format!r}; there are {', '.join(names)}")
        with self._app.store.read() as tx:
            uuid = tx.store_row.uuid()
        publications, site = tuple(stories), self.settings.site
        document = Document(
            path=path,
            id=f"urn:uuid:{uuid5(uuid, path)}",
            title=title,
            description=None,
            language=site.language,
            updated=max((one.updated for one in publications), default=self._app.clock()),
            publications=publications,
        )
        context = RenderContext(
            site=site,
            formats=frozenset([format]),
            html=False,
            style=self._app.look,
            store_id=str(uuid),
            max_age=MAX_AGE[0],
        )
        return renderer_of(FORMATS[format]).verified(document, context)

    def publish(self, *, everything: bool = False) -> Published:
        """Write the outputs that changed, as the command `publish` does.

        Args:
            everything: render all outputs, whether or not anything changed.

        Returns:
            Which files changed, and which could not be written.

        Raises:
            StrangerInTheWay: a file that is not the aggregator's stands where an output belongs.
            StoreError: the store can't be written.
        """
        return self._app.publisher.publish(everything=everything)


def _age(story: Publication) -> tuple[float, str]:
    """Return the place of a story in a list with the newest first (M1)."""
    return -story.sort_at.timestamp(), story.atom_id
