"""Checks documents: entries that no format can hold are left out before rendering (A33), bytes are read back (A35)."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from lxml import etree

from aggregator.errors import PublishError
from aggregator.model.story import Document, Publication
from aggregator.render import fields

log = logging.getLogger(__name__)

Line = tuple[str | None, str | None, str | None, str | None]  # id, title, updated, published


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
