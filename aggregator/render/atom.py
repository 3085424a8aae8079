"""Documents as Atom (RFC 4287), with archive pages (RFC 5005) and tombstones (RFC 6721): rules A1 to A20, A30 to A41.

Feed and entries are made by feedgen. Our extensions correct what it gets wrong:
links of entries lose every attribute but href, `source` has neither id nor date, dates end in +00:00, tombstones and
archive marks are unknown. Its elements have no namespace, only a plain `xmlns` attribute: so do those we add to them.
"""

import logging
from copy import copy
from dataclasses import replace
from functools import lru_cache

from feedgen.entry import FeedEntry
from feedgen.ext.base import BaseEntryExtension, BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from aggregator.clean import plain_text
from aggregator.errors import PublishError
from aggregator.model.entry import Origin, Person
from aggregator.model.formats import FORMATS
from aggregator.model.settings import Site
from aggregator.model.story import Document, Publication, Tombstone
from aggregator.render import fields, mark, verify
from aggregator.render.atom_extensions import declare, extend
from aggregator.render.cache import LruCache
from aggregator.render.renderer import Renderer
from aggregator.text.iris import is_identifier, is_iri

log = logging.getLogger(__name__)

HISTORY = "http://purl.org/syndication/history/1.0"
TOMBSTONES = "http://purl.org/atompub/tombstones/1.0"
NAMESPACE = "{http://www.w3.org/2005/Atom}"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
END = b"</feed>"

_entries: LruCache[bytes] = LruCache(8 * 1024 * 1024, each_bytes=3072)


def render_atom(document: Document, site: Site, *, html: bool) -> bytes:
    """Render a document as Atom.

    An entry that can't be rendered is left out with a warning, the others are published (A33).

    Args:
        document: what stands in it, in order.
        site: title, author and public address.
        html: whether pages are published; alternate links then name the page, else base_url.

    Raises:
        PublishError: what the feed says of itself can't be rendered.
    """
    try:
        head, _, tail = _head(document, site, html=html).rpartition(END)
    except (ValueError, TypeError) as error:
        raise PublishError(f"{document.path}.atom", f"can't be rendered: {error}") from error
    entries = [data for _, data in _sound(document, site, html=html)]
    return b"".join([head, *entries, END, tail])


def leave_out_faulty(document: Document, site: Site, *, html: bool) -> Document:
    """Return the document without entries that Atom can't hold (A33), so that all formats hold the same stories.

    Each publication left out is named in a warning. What was rendered to find out is kept: `render_atom` costs no more.
    """
    sound = tuple(publication for publication, _ in _sound(document, site, html=html))
    if len(sound) == len(document.publications):
        return document
    return replace(document, publications=sound)


def render_entry(publication: Publication, document: Document, site: Site, *, html: bool) -> bytes:
    """Render one publication as an element without a namespace of its own, indented, with a newline at its end.

    Args:
        publication: the story.
        document: where it stands; its own id, title and date play no part.
        site: whose base_url begins our own addresses.
        html: whether pages are published.

    Raises:
        ValueError: something in it can't be published; feedgen would give up the whole feed for it.
    """
    fault = fields.fault_of(publication)
    if fault:
        raise ValueError(fault)
    address = fields.address_of(publication, document, site, html=html)
    key = (publication, address)
    data = _entries.get(key)
    if data is None:
        data = _element(publication, address)
        _entries.keep(key, data, len(data) + len(publication.content) + len(publication.summary))
    return data


def forget() -> None:
    """Forget what was rendered lately; for measurements and tests."""
    _entries.clear()


def _sound(document: Document, site: Site, *, html: bool) -> list[tuple[Publication, bytes]]:
    rendered = []
    seen = set()
    for publication in document.publications:
        try:
            if publication.atom_id in seen:  # A5: the first keeps it
                raise ValueError("its id stands in this document already")
            data = render_entry(publication, document, site, html=html)
        except (ValueError, TypeError) as error:  # what feedgen and lxml raise for texts and dates they can't hold
            facts = {"output": document.path, "entry": publication.atom_id, "why": str(error)}
            log.warning("leave_out_entry", extra=facts)
            continue
        seen.add(publication.atom_id)
        rendered.append((publication, data))
    return rendered


# --- the feed


class _FeedPart(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """Feed elements that feedgen does not know. Runs before the entries are appended."""

    archive = False
    tombstones: tuple[Tombstone, ...] = ()

    def extend_ns(self) -> dict[str, str]:
        """Name the namespaces that this document uses."""
        return ({"fh": HISTORY} if self.archive else {}) | ({"at": TOMBSTONES} if self.tombstones else {})

    def extend_atom(self, feed: etree._Element) -> etree._Element:
        """Add the archive mark (A40) and the tombstones (A42), and write the date as A8 wants it."""
        _repair_dates(feed)
        if self.archive:
            etree.SubElement(feed, f"{{{HISTORY}}}archive")
        for tombstone in self.tombstones:
            ref, when = tombstone.ref, fields.instant(tombstone.when)
            etree.SubElement(feed, f"{{{TOMBSTONES}}}deleted-entry", {"ref": ref, "when": when})
        return feed


def _head(document: Document, site: Site, *, html: bool) -> bytes:
    if not is_iri(document.id):
        raise ValueError("its id is no absolute IRI")
    feed = FeedGenerator()
    feed.id(document.id)
    feed.title(fields.line_of(document.title) or fields.line_of(site.title) or mark.NAME)
    feed.subtitle(fields.line_of(document.description) or None)
    feed.updated(fields.whole_utc(document.updated))
    feed.author(name=fields.line_of(site.title) or mark.NAME, uri=fields.web_address(site.base_url))
    feed.generator(mark.NAME, uri=mark.HOME)
    feed.icon(fields.icon_of(site) if html else None)
    feed.language(fields.feed_language_of(document.language))
    for rel, path in (("self", document.path), ("current", document.current), ("prev-archive", document.prev_archive)):
        if path:
            feed.link(rel=rel, type=FORMATS["atom"].media_type, href=fields.url_of(site, path, ".atom"))
    if document.hub is not None:
        feed.link(rel="hub", href=document.hub)
    feed.link(rel="alternate", type=FORMATS["html"].media_type, href=fields.page_of(document, site, html=html))
    feed.register_extension("faithful", _FeedPart, atom=True, rss=False)
    feed.faithful.archive = document.archive is not None
    feed.faithful.tombstones = _tombstones(document)
    return bytes(feed.atom_str(pretty=True))


def _tombstones(document: Document) -> tuple[Tombstone, ...]:
    """Return the tombstones of a main document (M8), without those of stories that are in it again."""
    if document.archive is not None:
        return ()
    standing = {publication.atom_id for publication in document.publications}
    return tuple(t for t in document.tombstones if t.ref not in standing and is_iri(t.ref))


# --- an entry


class _EntryPart(BaseEntryExtension):  # type: ignore[misc]  # feedgen has no types
    """Corrections of what feedgen gets wrong in an entry. Runs last, on the finished element."""

    publication: Publication
    address: str

    def extend_atom(self, entry: etree._Element) -> etree._Element:
        """Replace the bare links, write dates with Z, add language, source and what goes with the entry."""
        _repair_dates(entry)
        language = fields.feed_language_of(self.publication.language)
        if language:
            entry.set(LANG, language)
        bare = entry.find("link")
        assert bare is not None  # every entry is given one, or feedgen refuses those without content
        place = entry.index(bare)
        entry.remove(bare)
        for number, attributes in enumerate(_links(self.publication, self.address)):
            entry.insert(place + number, etree.Element("link", attributes))
        entry.append(copy(_source_of(self.publication)))
        extend(entry, self.publication)
        return entry


def _element(publication: Publication, address: str) -> bytes:
    entry = FeedEntry()
    entry.id(publication.atom_id)
    entry.title(fields.title_of(publication))
    entry.updated(fields.whole_utc(publication.updated))
    entry.link(href=address)
    if publication.published is not None:
        entry.published(fields.whole_utc(publication.published))
    for person in fields.authors_of(publication):
        entry.author(name=person.name, uri=person.uri)
    entry.category([_attributes(term=t.term, scheme=t.scheme, label=t.label) for t in fields.tags_of(publication)])
    entry.rights(fields.line_of(publication.rights) or None)
    content, summary = fields.content_of(publication), fields.summary_of(publication)
    if content:
        entry.content(content, type="html")
    if summary:  # plain text is said to be plain text (A13)
        marked = "<" in summary
        text = plain_text(summary) if "&" in summary and not marked else summary
        entry.summary(text, type="html" if marked else "text")
    entry.register_extension("faithful", _EntryPart, atom=True, rss=False)
    entry.faithful.publication, entry.faithful.address = publication, address
    element = entry.atom_entry()
    declare(element)
    etree.indent(element, space="  ", level=1)
    element.tail = "\n"
    return b"  " + etree.tostring(element, encoding="UTF-8", xml_declaration=False)


def _links(publication: Publication, address: str) -> list[dict[str, str]]:
    """Return the links of an entry: one alternate (A15), files, replies, other copies; attributes in order (A32)."""
    links = [_attributes(rel="alternate", type="text/html", href=address)]
    links += [
        _attributes(
            rel="enclosure",
            type=enclosure.type,
            href=url,
            length=None if enclosure.length is None else str(enclosure.length),
            title=enclosure.title,
        )
        for url, enclosure in fields.enclosures_of(publication)
    ]
    links += [
        _attributes(rel="replies", type=reference.type, href=reference.url, hreflang=reference.language)
        for reference in fields.supplement_of(publication).replies
    ]
    links += [{"rel": "related", "type": "text/html"} | credit for credit in fields.credits_of(publication)]
    return links


def _source_of(publication: Publication) -> etree._Element:
    """Return the `atom:source` of a publication; a feed without a date gets that of the entry."""
    origin = publication.origin
    updated = fields.instant(origin.updated or publication.updated)
    return _source(origin, fields.source_title_of(publication), updated)


@lru_cache(maxsize=512)
def _source(origin: Origin, title: str, updated: str) -> etree._Element:
    """Make the element for the feed that an entry comes from (RFC 4287, section 4.2.11; A9, A10).

    Entries of one source share it, and a copy costs a tenth of making it anew.
    """
    source = etree.Element("source")
    known = (origin.id, fields.web_address(origin.self_link), fields.web_address(origin.link))
    identifier = next((each for each in known if each and is_identifier(each)), None)
    if identifier:
        etree.SubElement(source, "id").text = identifier
    etree.SubElement(source, "title").text = title
    etree.SubElement(source, "updated").text = updated
    for person in fields.named(origin.authors):
        _add_person(source, person)
    for rel, media_type, url in (("self", None, origin.self_link), ("alternate", "text/html", origin.link)):
        href = fields.web_address(url)
        if href:
            etree.SubElement(source, "link", _attributes(rel=rel, type=media_type, href=href))
    for tag in fields.tags_of(origin):
        etree.SubElement(source, "category", _attributes(term=tag.term, scheme=tag.scheme, label=tag.label))
    for name, picture in (("icon", origin.icon), ("logo", origin.logo)):
        if address := fields.web_address(picture):
            etree.SubElement(source, name).text = address
    rights = fields.line_of(origin.rights)
    if rights:
        etree.SubElement(source, "rights").text = rights
    return source


def _add_person(parent: etree._Element, person: Person) -> None:
    author = etree.SubElement(parent, "author")
    etree.SubElement(author, "name").text = person.name
    if person.uri:
        etree.SubElement(author, "uri").text = person.uri


def _repair_dates(element: etree._Element) -> None:
    for name in ("updated", "published"):
        for stamp in element.iterfind(name):
            stamp.text = (stamp.text or "").replace("+00:00", "Z")


def _attributes(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


def read_back_atom(data: bytes, document: Document) -> None:
    """Read an Atom document and compare it with the document that it was rendered from (A35).

    Raises:
        PublishError: it is not well-formed, or ids, titles, dates or their order are not those of the document.
    """
    output = f"{document.path}.atom"
    feed = verify.parsed(data, output)
    if feed.tag != f"{NAMESPACE}feed":
        raise verify.refused(output, f"has {feed.tag} as its root")
    head = (feed.findtext(f"{NAMESPACE}id"), feed.findtext(f"{NAMESPACE}updated"))
    verify.compare(output, [head], [(document.id, fields.instant(document.updated))])
    lines: list[verify.Line] = [
        (
            entry.findtext(f"{NAMESPACE}id"),
            entry.findtext(f"{NAMESPACE}title"),
            entry.findtext(f"{NAMESPACE}updated"),
            entry.findtext(f"{NAMESPACE}published"),
        )
        for entry in feed.iterchildren(f"{NAMESPACE}entry")
    ]
    verify.compare(output, lines, verify.expected(document))


RENDERER = Renderer(
    render=lambda document, context: render_atom(document, context.site, html=context.html),
    verify=read_back_atom,
)
