"""Renders OPML 2.0: categories to import in a reader, and the sources as a blogroll (A56).

Neither has a time, not even `dateCreated`: a file of which only the date changes is fetched for nothing, and the
date of feeds.yaml is another in each clone (docs/decisions/0054).
"""

from collections.abc import Mapping, Sequence
from typing import Final

from lxml import etree

from aggregator.model.formats import feeds_among
from aggregator.model.record import record
from aggregator.model.settings import Site
from aggregator.model.story import CategoryLine, SourceLine
from aggregator.render import fields, mark

STATES: Final = f"{mark.HOME}opml"  # OPML takes attributes that it doesn't know from a namespace of their own


def render_feeds_opml(lines: Sequence[CategoryLine], site: Site, formats: frozenset[str], *, html: bool) -> bytes:
    """Render `opml.xml`: one outline a category, with the first of its feeds in the order in which they are offered.

    Args:
        lines: the listed categories, in order.
        site: title and public address.
        formats: that are published; a feed must be among them.
        html: whether pages are published.
    """
    root, body = _document(fields.line_of(site.title) or mark.NAME)
    suffix = feeds_among(formats)[0].suffix
    for line in lines:
        title = fields.line_of(line.title) or line.key
        attributes = {
            "type": "rss",  # whatever the format is: so OPML says that it is a feed
            "text": title,
            "title": title,
            "xmlUrl": fields.url_of(site, line.path, suffix),
            "htmlUrl": fields.url_of(site, line.path, ".html") if html else str(site.base_url),
        }
        description = fields.line_of(line.description)
        etree.SubElement(body, "outline", attributes | ({"description": description} if description else {}))
    return _written(root)


def render_sources_opml(lines: Sequence[SourceLine], site: Site) -> bytes:
    """Render `sources.opml`: an outline a category with one in it for each of its sources, and a word for their state.

    Private sources, files, and addresses of which something had to be struck out have no xmlUrl (S44); readers skip
    them.

    Args:
        lines: the sources, in order.
        site: title.
    """
    root, body = _document(fields.line_of(site.title) or mark.NAME)
    groups: dict[str, etree._Element] = {}
    for line in lines:
        for category in line.categories:
            if category not in groups:
                # No `title`: it belongs to feeds, and an outline that has one is expected to have a type.
                groups[category] = etree.SubElement(body, "outline", {"text": fields.line_of(category)})
            etree.SubElement(groups[category], "outline", _source(line))
    return _written(root)


@record
class ExportedFeed:
    """A feed as `export` writes it."""

    title: str
    url: str
    link: str | None  # page of the site


def render_export(groups: Mapping[str, Sequence[ExportedFeed]], title: str) -> bytes:
    """Render the sources for another reader: an outline a group with one in it for each feed, without states.

    Args:
        groups: title of a category -> its feeds.
        title: of the document.
    """
    root, body = _document(fields.line_of(title) or mark.NAME)
    for name, feeds in groups.items():
        line = fields.line_of(name)
        group = etree.SubElement(body, "outline", {"text": line, "title": line})  # some readers look at `title` alone
        for feed in feeds:
            named = fields.line_of(feed.title) or feed.url
            attributes = {"type": "rss", "text": named, "title": named, "xmlUrl": feed.url}
            page = fields.web_address(feed.link)
            etree.SubElement(group, "outline", attributes | ({"htmlUrl": page} if page else {}))
    return _written(root)


def _source(line: SourceLine) -> dict[str, str]:
    title = fields.line_of(line.title) or line.key
    address, page = fields.web_address(line.url), fields.web_address(line.link)
    attributes = {"text": title, "title": title}
    if address and "…" not in (line.url or ""):
        attributes = {"type": "rss"} | attributes | {"xmlUrl": address}
    if page:
        attributes["htmlUrl"] = page
    return attributes | {f"{{{STATES}}}state": line.state.value}


def _document(title: str) -> tuple[etree._Element, etree._Element]:
    root = etree.Element("opml", {"version": "2.0"}, nsmap={"aggregator": STATES})
    head = etree.SubElement(root, "head")
    etree.SubElement(head, "title").text = title
    return root, etree.SubElement(root, "body")


def _written(root: etree._Element) -> bytes:
    root.addprevious(etree.Comment(f" generator: {mark.NAME} "))
    etree.cleanup_namespaces(root)
    return etree.tostring(root.getroottree(), pretty_print=True, encoding="UTF-8", xml_declaration=True)
