"""Renderer of one output format, as each format's module declares it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from aggregator.model.formats import Format
from aggregator.model.settings import Site
from aggregator.model.story import Document
from aggregator.render.theme import PageStyle


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderContext:
    """Settings with which a document is rendered."""

    site: Site
    formats: frozenset[str]  # names of those that are published
    html: bool  # whether pages are among them, to which feeds then link
    feed_style: bool = False  # whether feeds name their stylesheet (0171)
    style: PageStyle  # theme and texts of pages
    store_id: str  # id of the store, which feeds carry for restoring
    max_age: int  # seconds that a reader may keep the document (A75)


@dataclass(frozen=True, slots=True, kw_only=True)
class Renderer:
    """Renders documents in one format.

    Args:
        render: renders a document; raises PublishError if it can't be rendered.
        verify: reads the bytes back and raises PublishError if they differ from the document (A35); None for pages.
    """

    render: Callable[[Document, RenderContext], bytes]
    verify: Callable[[bytes, Document], None] | None = None

    def verified(self, document: Document, context: RenderContext) -> bytes:
        """Render a document and read it back.

        Raises:
            PublishError: it can't be rendered, or the bytes differ from the document.
        """
        data = self.render(document, context)
        if self.verify is not None:
            self.verify(data, document)
        return data


@cache
def renderer_of(format: Format) -> Renderer:
    """Return the renderer of a format. Its module is imported when it is first needed."""
    renderer = import_module(format.module).RENDERER
    assert isinstance(renderer, Renderer)
    return renderer
