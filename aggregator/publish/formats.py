"""A document in every format that is published, each proven before it may stand anywhere (A35)."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from aggregator.model.output import Output
from aggregator.model.output_paths import format_of
from aggregator.model.settings import Settings, Site
from aggregator.model.story import Document
from aggregator.render.atom import leave_out_faulty, render_atom
from aggregator.render.fields import ALL, FEEDS, FORMATS, url_of
from aggregator.render.html_pages import render_archive, render_category
from aggregator.render.jsonfeed import render_json
from aggregator.render.rss import render_rss
from aggregator.render.theme import PageStyle
from aggregator.render.verify import read_back_atom, read_back_json, read_back_rss
from aggregator.urls import Url


class Formats:
    """The formats of one set of settings.

    Args:
        settings: the whole of feeds.yaml.
        look: of all pages.
        store_id: id of the store, which feeds carry for restoring.
    """

    def __init__(self, settings: Settings, look: PageStyle, store_id: str) -> None:
        self.names = settings.publish.formats
        self.html = "html" in self.names
        self._site, self._look, self._store_id = settings.site, look, store_id

    def paths(self, path: str, page: int | None) -> list[str]:
        """Return the paths of a category's document in every format.

        Args:
            path: of the document, without a suffix.
            page: number of the archive page; None: the main document.
        """
        names = self.names - {"rss"} if page is not None else self.names
        return [f"{path}.{name}" for name in FORMATS if name in names]

    def outputs(self, document: Document, age: int, *, has_news: bool = True) -> Iterator[Output]:
        """Give a document in every format.

        Args:
            document: a category's, one of its archive pages, or that of all together.
            age: how many seconds whoever reads it may keep it (A75).
            has_news: more than a backfill may have changed it, so that its hub is to know (I62).
        """
        for output in self._outputs(document, age):
            is_topic = has_news and document.hub is not None and format_of(output.path) in FEEDS
            yield replace(output, topic=Url(url_of(self._site, output.path))) if is_topic else output

    def _outputs(self, document: Document, age: int) -> Iterator[Output]:
        site, html = self._site, self.html
        document = leave_out_faulty(document, site, html=html)
        if "atom" in self.names:
            yield Output(path=f"{document.path}.atom", render=partial(_proven_atom, document, site, html), max_age=age)
        if "rss" in self.names and document.archive is None:
            render = partial(_proven_rss, document, site, age // 60, html)
            yield Output(path=f"{document.path}.rss", render=render, max_age=age, beside="atom" in self.names)
        if "json" in self.names:  # archive pages too: with them a lost store is restored to the last entry
            render = partial(_proven_json, document, site, self._store_id, html)
            beside = "atom" in self.names or ("rss" in self.names and document.archive is None)
            yield Output(path=f"{document.path}.json", render=render, max_age=age, beside=beside)
        if html and document.path != ALL:
            page = render_category if document.archive is None else render_archive
            render = partial(page, document, site, self.names, self._look)
            yield Output(path=f"{document.path}.html", render=render, max_age=age)


def _proven_atom(document: Document, site: Site, html: bool) -> bytes:
    """Render as Atom and read it back."""
    data = render_atom(document, site, html=html)
    read_back_atom(data, document)
    return data


def _proven_rss(document: Document, site: Site, ttl: int, html: bool) -> bytes:
    """Render as RSS and read it back."""
    data = render_rss(document, site, ttl=ttl, html=html)
    read_back_rss(data, document)
    return data


def _proven_json(document: Document, site: Site, store_id: str, html: bool) -> bytes:
    """Render as JSON Feed and read it back."""
    data = render_json(document, site, store_id, html=html)
    read_back_json(data, document)
    return data
