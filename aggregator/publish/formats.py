"""Makes the outputs of a document, one in each format that is published; addresses of the feeds that a hub knows."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from aggregator.late import late
from aggregator.model.formats import FORMATS, Format, feeds_among
from aggregator.model.output import Output
from aggregator.model.settings import Settings
from aggregator.model.story import Document
from aggregator.render.theme import PageStyle
from aggregator.urls import Url

if TYPE_CHECKING:
    from aggregator.render import fields, renderer
else:
    fields = late("aggregator.render.fields")
    renderer = late("aggregator.render.renderer")


def topics_of(settings: Settings, slugs: Iterable[str]) -> frozenset[Url]:
    """Return the addresses of the feeds that a hub may know of; none without a hub (A86).

    Args:
        settings: the whole of feeds.yaml.
        slugs: of the categories that are listed.
    """
    if settings.publish.hub is None:
        return frozenset()
    urls = [fields.url_of(settings.site, path) for path in (fields.ALL, *(f"category/{slug}" for slug in slugs))]
    named = [one for one in feeds_among(settings.publish.formats) if one.names_hub]
    return frozenset(Url(url + one.suffix) for url in urls for one in named)


class Formats:
    """The formats of one set of settings.

    Args:
        settings: the whole of feeds.yaml.
        style: theme and texts of all pages.
        store_id: id of the store, which feeds carry for restoring.
    """

    def __init__(self, settings: Settings, style: PageStyle, store_id: str) -> None:
        self.names = settings.publish.formats
        self.html = "html" in self.names
        self._chosen = tuple(one for one in FORMATS.values() if one.name in self.names)
        self._site, self._style, self._store_id = settings.site, style, store_id
        self._feed_style = settings.publish.feed_style

    def paths(self, path: str, page: int | None) -> list[str]:
        """Return the paths of a document in every format.

        Args:
            path: of the document, without a suffix.
            page: number of the archive page; None: a main document, or that of all categories.
        """
        return [path + one.suffix for one in self._formats_of(path, page)]

    def outputs(self, document: Document, age: int, *, has_news: bool = True, feeds: bool = True) -> Iterator[Output]:
        """Return a document in every format. An entry that no format can hold is left out of all of them (A33).

        Args:
            document: a category's, one of its archive pages, or that of all categories.
            age: seconds that a reader may keep it (A75).
            has_news: whether more than a backfill may have changed it, so that its hub is to be told (I62).
            feeds: False: only in formats for people.
        """
        context = renderer.RenderContext(
            site=self._site,
            formats=self.names,
            html=self.html,
            feed_style=self._feed_style,
            style=self._style,
            store_id=self._store_id,
            max_age=age,
        )
        document = renderer.leave_out_faulty(document)
        chosen = (one for one in self._formats_of(document.path, document.archive) if feeds or not one.is_feed)
        for number, one in enumerate(chosen):
            path = document.path + one.suffix
            is_topic = has_news and document.hub is not None and one.names_hub
            yield Output(
                path=path,
                render=partial(renderer.renderer_of(one).verified, document, context),
                max_age=age,
                topic=Url(fields.url_of(self._site, path)) if is_topic else None,
                beside=one.is_feed and number > 0,
            )

    def _formats_of(self, path: str, page: int | None) -> Iterator[Format]:
        for one in self._chosen:
            if (one.has_archive or page is None) and (one.is_feed or path != fields.ALL):
                yield one
