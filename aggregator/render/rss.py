"""Documents as RSS 2.0, by the profile of the RSS Advisory Board: rules A50 to A53.

The same stories in the same order as in Atom, under the same ids, with the same titles, dates, links and content. What
RSS has no element for is said in namespaces that readers know; tombstones and archive pages stay Atom's.

The channel around the items is made by feedgen, which would turn dates by switching the locale of the whole process;
our extension writes them. Items are written by `elements.py` (decision 0173).
"""

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from html import escape
from typing import Final

from feedgen.ext.base import BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from aggregator.errors import PublishError
from aggregator.model.entry import Enclosure
from aggregator.model.formats import FORMATS
from aggregator.model.settings import Site
from aggregator.model.story import Document, Publication
from aggregator.render import fields, mark, renderer
from aggregator.render.cache import LruCache
from aggregator.render.elements import NOTHING, declarations, element, extensions_of, parent, with_stylesheet
from aggregator.render.html_fragments import excerpt_of
from aggregator.render.renderer import RenderContext, Renderer

ATOM: Final = "http://www.w3.org/2005/Atom"
DUBLIN_CORE: Final = "http://purl.org/dc/elements/1.1/"
SPECIFICATION: Final = "https://www.rssboard.org/rss-specification"
END = b"</channel>"
INSIDE, DEEPER = " " * 6, " " * 8  # before the children of an item, and theirs

_FEEDS = frozenset({"application/atom+xml", "application/rss+xml", "application/xml", "text/xml"})
_MARKUP = re.compile("<[A-Za-z/!?]|&#?[A-Za-z0-9]+;")
_PLAIN_OF_CHANNEL = re.compile(rb"(<(?:title|description)>)([^<]*&[^<]*)")

_items: LruCache[bytes] = LruCache(max_bytes=4 * 1024 * 1024, each_bytes=3072)


def render_rss(document: Document, site: Site, *, ttl: int, html: bool) -> bytes:
    """Render a main document as RSS 2.0.

    Args:
        document: what stands in it, in order. What can't be published is left out (A33); `leave_out_faulty` told.
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
    sound = [publication for publication in document.publications if not fields.fault_of(publication)]
    addresses = [fields.address_of(publication, document, site, html=html) for publication in sound]
    items = list(map(_item, sound, addresses))
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


def _in_hexadecimal(plain: re.Match[bytes]) -> bytes:
    """Write & and < of a plain text as the profile of the RSS Advisory Board prefers them.

    To XML it is the same. It tells those apart who mean these characters from those who put HTML where none belongs.
    """
    return plain[1] + plain[2].replace(b"&amp;", b"&#x26;").replace(b"&lt;", b"&#x3C;")


def _as_html(plain: str) -> str:
    """Return a plain text so that it reads the same where it is rendered as HTML, which readers do with descriptions.

    A text without anything that HTML would take for markup stays as it is.
    """
    return escape(plain, quote=False) if _MARKUP.search(plain) else plain


# --- an item


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
    """Render one publication as indented lines that use the root's namespaces."""
    description, full = _texts_of(publication)
    files = fields.enclosures_of(publication)
    supplement = fields.supplement_of(publication)
    source, source_title = fields.web_address(publication.origin.self_link), fields.source_title_of(publication)
    lines = _plain("title", fields.title_of(publication))
    lines += element(INSIDE, "link", address)
    if description:
        lines += element(INSIDE, "description", description)
    lines += element(INSIDE, "guid", publication.atom_id, {"isPermaLink": "false"})
    for tag in fields.tags_of(publication):
        lines += _plain("category", tag.label or tag.term, {"domain": tag.scheme} if tag.scheme else {})
    page = next((reply.url for reply in supplement.replies if reply.type not in _FEEDS), None)
    if page:
        lines += element(INSIDE, "comments", page)
    for url, file in files[:1]:  # all three attributes must be there, the length 0 if it is not known (A53)
        facts = {"url": url, "length": str(file.length or 0), "type": fields.type_of(url, file)}
        lines += element(INSIDE, "enclosure", None, facts)
    if source:
        lines += _plain("source", source_title, {"url": source})
    lines += element(INSIDE, "pubDate", rfc822(dated(publication)))
    if not source:
        lines += element(INSIDE, "dc:source", source_title)  # `source` demands an address
    if full:
        lines += element(INSIDE, "content:encoded", full)
    for person in fields.authors_of(publication):
        lines += element(INSIDE, "dc:creator", person.name)
    if language := fields.feed_language_of(publication.language):
        lines += element(INSIDE, "dc:language", language)
    if rights := fields.line_of(publication.rights):
        lines += _plain("dc:rights", rights)
    lines += element(INSIDE, "atom:updated", fields.instant(publication.updated))
    for credit in fields.credits_of(publication):
        lines += element(INSIDE, "atom:link", None, {"rel": "related", "type": "text/html"} | credit)
    feed = next((reply.url for reply in supplement.replies if reply.type in _FEEDS), None)
    extensions = element(INSIDE, "wfw:commentRss", feed) if feed else ""
    extensions += "".join(_media_content(url, file) for url, file in files[1:])
    extensions += "".join(element(INSIDE, *part) for part in extensions_of(publication))
    return parent("    ", "item", [lines, extensions], declarations(extensions)).encode()


def _media_content(url: str, file: Enclosure) -> str:
    """Return a further file of an item."""
    size = file.length or None  # 0 says that it is not known, and Media RSS has no such number
    facts = {"type": fields.type_of(url, file), "fileSize": size, "duration": file.duration}
    attributes = {"url": url} | {name: str(value) for name, value in facts.items() if value is not None}
    title = [_plain("media:title", file.title, indent=DEEPER)] if file.title else []
    return parent(INSIDE, "media:content", title, attributes)


def _plain(name: str, text: str, attributes: Mapping[str, str] = NOTHING, *, indent: str = INSIDE) -> str:
    """Return an element whose text is no HTML, with & and < as the profile of the RSS Advisory Board prefers them."""
    start, end, rest = element(indent, name, text, attributes).partition(">")
    return start + end + rest.replace("&amp;", "&#x26;").replace("&lt;", "&#x3C;")


def read_back_rss(data: bytes, document: Document) -> None:
    """Read an RSS document and compare it with the document that it was rendered from (A35).

    Raises:
        PublishError: it is not well-formed, or ids, titles, dates or their order are not those of the document.
    """
    output = f"{document.path}.rss"
    rss = renderer.parsed(data, output)
    channel = rss.find("channel")
    if rss.tag != "rss" or channel is None:
        raise renderer.refused(output, f"has {rss.tag} as its root, or no channel")
    renderer.compare(output, [channel.findtext("lastBuildDate")], [rfc822(document.updated)])
    lines: list[renderer.Line] = [
        (item.findtext("guid"), item.findtext("title"), item.findtext(f"{{{ATOM}}}updated"), item.findtext("pubDate"))
        for item in channel.iterchildren("item")
    ]
    expected = [
        (p.atom_id, fields.title_of(p), fields.instant(p.updated), rfc822(dated(p))) for p in document.publications
    ]
    renderer.compare(output, lines, expected)


def _styled(document: Document, context: RenderContext) -> bytes:
    data = render_rss(document, context.site, ttl=context.max_age // 60, html=context.html)
    return with_stylesheet(data, document.path) if context.feed_style else data


RENDERER = Renderer(
    render=_styled,
    verify=read_back_rss,
)
