"""Documents as Atom (RFC 4287), with archive pages (RFC 5005) and tombstones (RFC 6721): rules A1 to A20, A30 to A41.

The feed around the entries is made by feedgen. Our extension corrects what it gets wrong: dates end in +00:00,
tombstones and archive marks are unknown. Entries are written by `elements.py` (decision 0173).
"""

from functools import lru_cache

from feedgen.ext.base import BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from aggregator.clean.text import plain_text
from aggregator.errors import PublishError
from aggregator.model.entry import Origin, Person, Tag
from aggregator.model.formats import FORMATS
from aggregator.model.settings import Site
from aggregator.model.story import Document, Publication, Tombstone
from aggregator.render import fields, mark, renderer
from aggregator.render.cache import LruCache
from aggregator.render.elements import declarations, element, extensions_of, parent, with_stylesheet
from aggregator.render.renderer import RenderContext, Renderer, leave_out_faulty
from aggregator.text.iris import is_identifier, is_iri

HISTORY = "http://purl.org/syndication/history/1.0"
TOMBSTONES = "http://purl.org/atompub/tombstones/1.0"
NAMESPACE = "{http://www.w3.org/2005/Atom}"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
END = b"</feed>"
INSIDE, DEEPER = " " * 4, " " * 6  # before the children of an entry, and theirs

_entries: LruCache[bytes] = LruCache(max_bytes=8 * 1024 * 1024, each_bytes=3072)


def render_atom(document: Document, site: Site, *, html: bool) -> bytes:
    """Render a document as Atom.

    An entry that can't be rendered is left out with a warning, the others are published (A33).

    Args:
        document: the feed and its stories, in order.
        site: title, author and public address.
        html: whether pages are published; alternate links then name the page, else base_url.

    Raises:
        PublishError: a field of the feed itself, such as its title, can't be rendered.
    """
    try:
        head, _, tail = _head(document, site, html=html).rpartition(END)
    except (ValueError, TypeError) as error:
        raise PublishError(f"{document.path}.atom", f"can't be rendered: {error}") from error
    sound = leave_out_faulty(document).publications
    entries = [render_entry(publication, document, site, html=html) for publication in sound]
    return b"".join([head, *entries, END, tail])


def render_entry(publication: Publication, document: Document, site: Site, *, html: bool) -> bytes:
    """Render one publication as an element without a namespace of its own, indented, with a newline at its end.

    Args:
        publication: the story, without a fault (`fields.fault_of`).
        document: where it stands; its own id, title and date play no part.
        site: whose base_url begins our own addresses.
        html: whether pages are published.

    """
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


def _element(publication: Publication, address: str) -> bytes:
    """Return an entry as indented lines."""
    lines = element(INSIDE, "id", publication.atom_id)
    lines += element(INSIDE, "title", fields.title_of(publication))
    lines += element(INSIDE, "updated", fields.instant(publication.updated))
    lines += "".join(_author(INSIDE, person) for person in fields.authors_of(publication))
    content, summary = fields.content_of(publication), fields.summary_of(publication)
    if content:
        lines += element(INSIDE, "content", content, {"type": "html"})
    lines += "".join(element(INSIDE, "link", None, attributes) for attributes in _links(publication, address))
    if summary:  # plain text is said to be plain text (A13)
        marked = "<" in summary
        text = plain_text(summary) if "&" in summary and not marked else summary
        lines += element(INSIDE, "summary", text or None, {"type": "html" if marked else "text"})
    lines += "".join(_category(INSIDE, tag) for tag in fields.tags_of(publication))
    if publication.published is not None:
        lines += element(INSIDE, "published", fields.instant(publication.published))
    if rights := fields.line_of(publication.rights):
        lines += element(INSIDE, "rights", rights)
    lines += _source_of(publication)
    extensions = "".join(element(INSIDE, *part) for part in extensions_of(publication))
    language = fields.feed_language_of(publication.language)
    attributes = declarations(extensions) | ({"xml:lang": language} if language else {})
    return parent("  ", "entry", [lines, extensions], attributes).encode()


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


def _source_of(publication: Publication) -> str:
    """Return the `atom:source` of a publication; a feed without a date gets that of the entry."""
    origin = publication.origin
    updated = fields.instant(origin.updated or publication.updated)
    return _source(origin, fields.source_title_of(publication), updated)


@lru_cache(maxsize=512)  # entries of one source share it
def _source(origin: Origin, title: str, updated: str) -> str:
    """Return the element for the feed that an entry comes from (RFC 4287, section 4.2.11; A9, A10)."""
    known = (origin.id, fields.web_address(origin.self_link), fields.web_address(origin.link))
    identifier = next((each for each in known if each and is_identifier(each)), None)
    lines = [element(DEEPER, "id", identifier)] if identifier else []
    lines += [element(DEEPER, "title", title), element(DEEPER, "updated", updated)]
    lines += [_author(DEEPER, person) for person in fields.named(origin.authors)]
    for rel, media_type, url in (("self", None, origin.self_link), ("alternate", "text/html", origin.link)):
        href = fields.web_address(url)
        if href:
            lines.append(element(DEEPER, "link", None, _attributes(rel=rel, type=media_type, href=href)))
    lines += [_category(DEEPER, tag) for tag in fields.tags_of(origin)]
    for name, picture in (("icon", origin.icon), ("logo", origin.logo)):
        if address := fields.web_address(picture):
            lines.append(element(DEEPER, name, address))
    if rights := fields.line_of(origin.rights):
        lines.append(element(DEEPER, "rights", rights))
    return parent(INSIDE, "source", lines)


def _author(indent: str, person: Person) -> str:
    uri = [element(f"{indent}  ", "uri", person.uri)] if person.uri else []
    return parent(indent, "author", [element(f"{indent}  ", "name", person.name), *uri])


def _category(indent: str, tag: Tag) -> str:
    return element(indent, "category", None, _attributes(term=tag.term, scheme=tag.scheme, label=tag.label))


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
    feed = renderer.parsed(data, output)
    if feed.tag != f"{NAMESPACE}feed":
        raise renderer.refused(output, f"has {feed.tag} as its root")
    head = (feed.findtext(f"{NAMESPACE}id"), feed.findtext(f"{NAMESPACE}updated"))
    renderer.compare(output, [head], [(document.id, fields.instant(document.updated))])
    lines: list[renderer.Line] = [
        (
            entry.findtext(f"{NAMESPACE}id"),
            entry.findtext(f"{NAMESPACE}title"),
            entry.findtext(f"{NAMESPACE}updated"),
            entry.findtext(f"{NAMESPACE}published"),
        )
        for entry in feed.iterchildren(f"{NAMESPACE}entry")
    ]
    renderer.compare(output, lines, renderer.expected(document))


def _styled(document: Document, context: RenderContext) -> bytes:
    data = render_atom(document, context.site, html=context.html)
    return with_stylesheet(data, document.path) if context.feed_style else data


RENDERER = Renderer(
    render=_styled,
    verify=read_back_atom,
)
