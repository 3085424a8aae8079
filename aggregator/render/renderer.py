"""Renderers of output formats, as each format's module declares its own, and what is checked of documents.

Entries that no format can hold are left out before rendering (A33); rendered bytes are read back (A35).
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module

from lxml import etree

from aggregator.errors import PublishError
from aggregator.model.formats import Format
from aggregator.model.settings import Site
from aggregator.model.story import Document, Publication
from aggregator.render import fields
from aggregator.render.theme import PageStyle

log = logging.getLogger(__name__)

Line = tuple[str | None, str | None, str | None, str | None]  # id, title, updated, published


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


def leave_out_faulty(document: Document) -> Document:
    """Return the document without entries that can't be published, so that all formats hold the same stories (A33).

    Each publication left out is named in a warning. The texts of the others hold no character that XML forbids:
    cleaning removes them from HTML, and `fields` from all that is shown beside it.
    """
    sound: dict[str, Publication] = {}
    for publication in document.publications:
        why = fields.fault_of(publication)
        if not why and publication.atom_id in sound:  # A5: the first keeps it
            why = "its id stands in this document already"
        if why:
            facts = {"output": document.path, "entry": publication.atom_id, "why": why}
            log.warning("leave_out_entry", extra=facts)
        else:
            sound[publication.atom_id] = publication
    return document if len(sound) == len(document.publications) else replace(document, publications=(*sound.values(),))


def parsed(data: bytes, output: str) -> etree._Element:
    """Parse rendered XML.

    Raises:
        PublishError: it is not well-formed.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise refused(output, f"is not well-formed: {error}") from error


def expected(document: Document) -> list[Line]:
    """Return the lines that a feed must have, in the order of the document."""
    return [
        (
            publication.atom_id,
            fields.title_of(publication),
            fields.instant(publication.updated),
            fields.instant(publication.published) if publication.published else None,
        )
        for publication in document.publications
    ]


def compare(output: str, read: Sequence[object], expected: Sequence[object]) -> None:
    """Compare what was read back with what the store says.

    Raises:
        PublishError: they differ; it names the first difference.
    """
    if read == expected:
        return
    for number, (found, wanted) in enumerate(zip(read, expected, strict=False), start=1):
        if found != wanted:
            raise refused(output, f"says {found!r} where the store says {wanted!r} (number {number})")
    raise refused(output, f"holds {len(read)} entries instead of {len(expected)}")


def refused(output: str, why: str) -> PublishError:
    """Return the error for bytes that differ from their document."""
    return PublishError(output, f"the new version {why}; the old one stays. This is a fault in aggregator: report it")
