"""Documents as RSS 2.0, by the profile of the RSS Advisory Board: rules A50 to A53.

The same stories in the same order as in Atom, under the same ids, with the same titles, dates, links and content. What
RSS has no element for is said in namespaces that readers know; tombstones and archive pages stay Atom's.

Feed and items are made by feedgen; our extensions add what it leaves out. It would write content into `description`,
know one author element only, which wants a mail address, and turn dates by switching the locale of the whole process.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from email.utils import format_datetime
from html import escape
from typing import Final

from feedgen.entry import FeedEntry
from feedgen.ext.base import BaseEntryExtension, BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from aggregator.errors import PublishError
from aggregator.model.formats import FORMATS
from aggregator.model.settings import Site
from aggregator.model.story import Document, Publication
from aggregator.render import fields, mark, verify
from aggregator.render.atom_extensions import NAMESPACES, declare, extend
from aggregator.render.cache import LruCache
from aggregator.render.html_fragments import excerpt_of
from aggregator.render.renderer import Renderer

ATOM: Final = "http://www.w3.org/2005/Atom"
CONTENT: Final = "http://purl.org/rss/1.0/modules/content/"
DUBLIN_CORE: Final = "http://purl.org/dc/elements/1.1/"
SPECIFICATION: Final = "https://www.rssboard.org/rss-specification"
END = b"</channel>"

_ROOT = {"dc": DUBLIN_CORE, "atom": ATOM, "content": CONTENT}  # declared once, by feedgen in this order
_FEEDS = frozenset({"application/atom+xml", "application/rss+xml", "application/xml", "text/xml"})
# Texts that are no HTML, as lxml writes them: no < in a text, no > in an attribute.
_PLAIN = re.compile(rb"(<(?:title|source|category|dc:rights|media:title)(?: [^<>]*)?>)([^<]*&[^<]*)")
_MARKUP = re.compile("<[A-Za-z/!?]|&#?[A-Za-z0-9]+;")
_PLAIN_OF_CHANNEL = re.compile(rb"(<(?:title|description)>)([^<]*&[^<]*)")

_items: LruCache[bytes] = LruCache(4 * 1024 * 1024, each_bytes=3072)


def render_rss(document: Document, site: Site, *, ttl: int, html: bool) -> bytes:
    """Render a main document as RSS 2.0.

    Args:
        document: what stands in it, in order. What can't be published is left out (A33); `atom.leave_out_faulty` told.
        site: title and public address.
        ttl: how long a reader may keep it, in minutes.
        html: whether pages are published.

    Raises:
        PublishError: what the feed says of itself can't be rendered.
    """
    try:
        head, _, tail = _head(document, site, ttl=ttl, html=html).rpartition(END)
    except (ValueError, TypeError) as error:
        raise PublishError(f"{document.path}.rss", f"can't be rendered: {error}") from error
    sound = (publication for publication in document.publications if not fields.fault_of(publication))
    items = [_item(publication, fields.address_of(publication, document, site, html=html)) for publication in sound]
    return b"".join([head.rstrip(b" "), *items, b"  ", END, tail])


def forget() -> None:
    """Forget what was rendered lately; for measurements and tests."""
    _items.clear()


def rfc822(when: datetime) -> str:
    """Return a time as RSS wants it: RFC 822 with four digits of a year, and GMT (A51).

    Raises:
        ValueError: a time without a zone.
    """
    return format_datetime(fields.whole_utc(when), usegmt=True)


def dated(publication: Publication) -> datetime:
    """Return the one date of an item: its own, else when it last changed, as readers of Atom take it."""
    return publication.published or publication.updated


# --- the channel


class _FeedPart(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """Channel elements that feedgen does not know. Runs before the items are appended."""

    updated: datetime
    hub: str | None

    def extend_ns(self) -> dict[str, str]:
        """Name what the items use and feedgen doesn't know."""
        return {"dc": DUBLIN_CORE}

    def extend_rss(self, rss: etree._Element) -> etree._Element:
        """Write the date in the form that is ours, whatever the locale, and the hub (A85) after the feed's address."""
        built = rss.find("channel/lastBuildDate")
        assert built is not None  # feedgen writes one in any case
        built.text = rfc822(self.updated)
        own = rss.find(f"channel/{{{ATOM}}}link")
        if self.hub is not None and own is not None:
            own.addnext(etree.Element(own.tag, {"href": self.hub, "rel": "hub"}))
        return rss


def _head(document: Document, site: Site, *, ttl: int, html: bool) -> bytes:
    title = fields.line_of(document.title) or fields.line_of(site.title) or mark.NAME
    feed = FeedGenerator()
    feed.title(title)
    feed.description(_as_html(fields.line_of(document.description) or title))  # RSS demands one
    feed.link(rel="self", type=FORMATS["rss"].media_type, href=fields.url_of(site, document.path, ".rss"))
    feed.link(rel="alternate", href=fields.page_of(document, site, html=html))
    feed.lastBuildDate(fields.whole_utc(document.updated))
    feed.language(fields.feed_language_of(document.language))
    feed.generator(mark.NAME)
    feed.docs(SPECIFICATION)
    feed.ttl(ttl)
    feed.register_extension("faithful", _FeedPart, atom=False, rss=True)
    feed.faithful.updated, feed.faithful.hub = document.updated, document.hub
    return _PLAIN_OF_CHANNEL.sub(_in_hexadecimal, feed.rss_str(pretty=True))


def _as_html(plain: str) -> str:
    """Return a plain text so that it reads the same where it is rendered as HTML, which readers do with descriptions.

    A text without anything that HTML would take for markup stays as it is.
    """
    return escape(plain, quote=False) if _MARKUP.search(plain) else plain


# --- an item


class _ItemPart(BaseEntryExtension):  # type: ignore[misc]  # feedgen has no types
    """Item elements that feedgen leaves out. Runs last, on the finished element."""

    publication: Publication

    def extend_rss(self, item: etree._Element) -> etree._Element:
        """Add date, full text, authors, other copies, further files and what goes with the entry."""
        publication = self.publication
        for name, text, attributes in _parts(publication):
            element = etree.SubElement(item, name, attributes)
            element.text = text
        for url, file in fields.enclosures_of(publication)[1:]:
            content = etree.SubElement(item, f"{{{NAMESPACES['media']}}}content", {"url": url})
            size = file.length or None  # 0 says that it is not known, and Media RSS has no such number
            facts = {"type": fields.type_of(url, file), "fileSize": size, "duration": file.duration}
            for name, value in facts.items():
                if value is not None:
                    content.set(name, str(value))
            if file.title:
                etree.SubElement(content, f"{{{NAMESPACES['media']}}}title").text = file.title
        extend(item, publication)
        return item


def _parts(publication: Publication) -> Iterator[tuple[str, str | None, dict[str, str]]]:
    """Return elements in a fixed order (A32): name, text and attributes."""
    yield "pubDate", rfc822(dated(publication)), {}
    if not publication.origin.self_link or not fields.web_address(publication.origin.self_link):
        yield f"{{{DUBLIN_CORE}}}source", fields.source_title_of(publication), {}  # `source` demands an address
    if full := _texts_of(publication)[1]:
        yield f"{{{CONTENT}}}encoded", full, {}
    for person in fields.authors_of(publication):
        yield f"{{{DUBLIN_CORE}}}creator", person.name, {}
    language, rights = fields.feed_language_of(publication.language), fields.line_of(publication.rights)
    if language:
        yield f"{{{DUBLIN_CORE}}}language", language, {}
    if rights:
        yield f"{{{DUBLIN_CORE}}}rights", rights, {}
    yield f"{{{ATOM}}}updated", fields.instant(publication.updated), {}
    for credit in fields.credits_of(publication):
        yield f"{{{ATOM}}}link", None, {"rel": "related", "type": "text/html"} | credit
    replies = (reply for reply in fields.supplement_of(publication).replies if reply.type in _FEEDS)
    for reply in replies:
        yield f"{{{NAMESPACES['wfw']}}}commentRss", reply.url, {}
        break


def _texts_of(publication: Publication) -> tuple[str, str]:
    """Return summary and full text as HTML (A52); the second is empty if the first says it all.

    Where a source has no summary, the short text is the beginning of the full one: readers that know no
    `content:encoded` would show nothing, and those that do look for a description before it.
    """
    content, summary = fields.content_of(publication), fields.summary_of(publication)
    if summary or not content:
        return summary, content
    beginning = excerpt_of(content)
    return (beginning, content) if beginning.endswith("…") else (content, "")


def _item(publication: Publication, address: str) -> bytes:
    key = (publication, address)
    data = _items.get(key)
    if data is None:
        data = _rendered(publication, address)
        _items.keep(key, data, len(data) + len(publication.content) + len(publication.summary))
    return data


def _rendered(publication: Publication, address: str) -> bytes:
    """Render one publication as an indented element that uses the root's namespaces, with a newline at its end."""
    tags = fields.tags_of(publication)
    entry = FeedEntry()
    entry.title(fields.title_of(publication))
    entry.link(href=address)
    entry.guid(publication.atom_id, permalink=False)
    entry.description(_texts_of(publication)[0] or None)
    entry.category([{"term": tag.label or tag.term} | ({"scheme": tag.scheme} if tag.scheme else {}) for tag in tags])
    page = next((r.url for r in fields.supplement_of(publication).replies if r.type not in _FEEDS), None)
    entry.comments(page)
    for url, file in fields.enclosures_of(publication)[:1]:
        entry.enclosure(url, file.length or 0, fields.type_of(url, file))  # all three must be there, 0 if unknown (A53)
    entry.source(fields.web_address(publication.origin.self_link), fields.source_title_of(publication))
    entry.register_extension("faithful", _ItemPart, atom=False, rss=True)
    entry.faithful.publication = publication
    item = entry.rss_entry()
    root = etree.Element("rss", nsmap=_ROOT)
    root.append(item)
    declare(item)
    etree.indent(item, space="  ", level=2)
    item.tail = "\n"
    whole = etree.tostring(root, encoding="UTF-8", xml_declaration=False)
    return b"    " + _PLAIN.sub(_in_hexadecimal, whole[whole.index(b"<item") :].removesuffix(b"</rss>"))


def _in_hexadecimal(plain: re.Match[bytes]) -> bytes:
    """Write & and < of a plain text as the profile of the RSS Advisory Board prefers them.

    To XML it is the same. It tells those apart who mean these characters from those who put HTML where none belongs.
    """
    return plain[1] + plain[2].replace(b"&amp;", b"&#x26;").replace(b"&lt;", b"&#x3C;")


def read_back_rss(data: bytes, document: Document) -> None:
    """Read an RSS document and compare it with the document that it was rendered from (A35).

    Raises:
        PublishError: it is not well-formed, or ids, titles, dates or their order are not those of the document.
    """
    output = f"{document.path}.rss"
    rss = verify.parsed(data, output)
    channel = rss.find("channel")
    if rss.tag != "rss" or channel is None:
        raise verify.refused(output, f"has {rss.tag} as its root, or no channel")
    verify.compare(output, [channel.findtext("lastBuildDate")], [rfc822(document.updated)])
    lines: list[verify.Line] = [
        (item.findtext("guid"), item.findtext("title"), item.findtext(f"{{{ATOM}}}updated"), item.findtext("pubDate"))
        for item in channel.iterchildren("item")
    ]
    expected = [
        (p.atom_id, fields.title_of(p), fields.instant(p.updated), rfc822(dated(p))) for p in document.publications
    ]
    verify.compare(output, lines, expected)


RENDERER = Renderer(
    render=lambda document, context: render_rss(document, context.site, ttl=context.max_age // 60, html=context.html),
    verify=read_back_rss,
)
