"""Proof that rendered bytes say what they were rendered from, before they replace a file (A35)."""

import json
from collections.abc import Sequence

from lxml import etree

from aggregator.errors import PublishError
from aggregator.model.story import Document
from aggregator.render import fields
from aggregator.render.rss import dated, rfc822

ATOM = "{http://www.w3.org/2005/Atom}"

Line = tuple[str | None, str | None, str | None, str | None]  # id, title, updated, published


def read_back_atom(data: bytes, document: Document) -> None:
    """Read an Atom document and compare it with what it was made from.

    Raises:
        PublishError: it is not well-formed, or ids, titles, dates or their order are not those of the document.
    """
    output = f"{document.path}.atom"
    feed = _parsed(data, output)
    if feed.tag != f"{ATOM}feed":
        raise _refused(output, f"has {feed.tag} as its root")
    head = (feed.findtext(f"{ATOM}id"), feed.findtext(f"{ATOM}updated"))
    _compare(output, [head], [(document.id, fields.instant(document.updated))])
    lines: list[Line] = [
        (
            entry.findtext(f"{ATOM}id"),
            entry.findtext(f"{ATOM}title"),
            entry.findtext(f"{ATOM}updated"),
            entry.findtext(f"{ATOM}published"),
        )
        for entry in feed.iterchildren(f"{ATOM}entry")
    ]
    _compare(output, lines, _expected(document))


def read_back_rss(data: bytes, document: Document) -> None:
    """Read an RSS document and compare it with what it was made from.

    Raises:
        PublishError: it is not well-formed, or ids, titles, dates or their order are not those of the document.
    """
    output = f"{document.path}.rss"
    rss = _parsed(data, output)
    channel = rss.find("channel")
    if rss.tag != "rss" or channel is None:
        raise _refused(output, f"has {rss.tag} as its root, or no channel")
    _compare(output, [channel.findtext("lastBuildDate")], [rfc822(document.updated)])
    lines: list[Line] = [
        (item.findtext("guid"), item.findtext("title"), item.findtext(f"{ATOM}updated"), item.findtext("pubDate"))
        for item in channel.iterchildren("item")
    ]
    expected = [
        (p.atom_id, fields.title_of(p), fields.instant(p.updated), rfc822(dated(p))) for p in document.publications
    ]
    _compare(output, lines, expected)


def read_back_json(data: bytes, document: Document) -> None:
    """Read a JSON Feed and compare it with what it was made from.

    Raises:
        PublishError: it is no JSON, or ids, titles, dates or their order are not those of the document.
    """
    output = f"{document.path}.json"
    try:
        items = json.loads(data)["items"]
        lines = [(i["id"], i["title"], i["date_modified"], i.get("date_published")) for i in items]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _refused(output, f"can't be read: {error!r}") from error
    _compare(output, lines, _expected(document))


def _parsed(data: bytes, output: str) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise _refused(output, f"is not well-formed: {error}") from error


def _expected(document: Document) -> list[Line]:
    return [
        (
            publication.atom_id,
            fields.title_of(publication),
            fields.instant(publication.updated),
            fields.instant(publication.published) if publication.published else None,
        )
        for publication in document.publications
    ]


def _compare(output: str, read: Sequence[object], expected: Sequence[object]) -> None:
    if read == expected:
        return
    for number, (found, wanted) in enumerate(zip(read, expected, strict=False), start=1):
        if found != wanted:
            raise _refused(output, f"says {found!r} where the store says {wanted!r} (number {number})")
    raise _refused(output, f"holds {len(read)} entries instead of {len(expected)}")


def _refused(output: str, why: str) -> PublishError:
    return PublishError(output, f"the new version {why}; the old one stays. This is a fault in aggregator: report it")
