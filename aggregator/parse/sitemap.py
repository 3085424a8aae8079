"""Reads sitemaps, news sitemaps and sitemap indexes into a `RawFeed`: `kind: sitemap` (sitemaps.org 0.9)."""

import re
import zlib
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote, urlsplit

from lxml import etree

from aggregator.errors import NotAFeed, ParseError
from aggregator.model.entry import RawEntry, RawFeed, RawImage, RawLink, RawSupplement, RawText, Tag
from aggregator.parse.links import MAX_TAGS
from aggregator.parse.names import local_name, text_of
from aggregator.parse.not_a_feed import not_xml
from aggregator.parse.tree import read_xml
from aggregator.urls import Url

MAX_BYTES: Final = 20 * 2**20  # decompressed (P82)
MAX_INDEXED: Final = 1000  # sitemaps per index
_GZIP: Final = b"\x1f\x8b"
_ENDING = re.compile(r"\.(?:html?|php|aspx?|xhtml|jsp)$", re.IGNORECASE)
_WORDS = re.compile(r"[^\W\d_]{2}")


def unpacked(body: bytes, url: Url) -> bytes:
    """Decompress a sitemap that is stored as .gz; return any other body unchanged.

    Raises:
        ParseError: the file is broken, or decompresses to more than 20 MiB.
    """
    if not body.startswith(_GZIP):
        return body
    stream = zlib.decompressobj(31)
    try:
        plain = stream.decompress(body, MAX_BYTES + 1)
    except zlib.error as error:
        raise ParseError(url, f"a broken .gz: {error}") from error
    if len(plain) > MAX_BYTES:
        raise ParseError(url, f"a .gz that unpacks to over {MAX_BYTES // 2**20} MiB; name one of its parts")
    return plain


def sitemap_of(text: str, url: Url, *, limit: int) -> RawFeed:
    """Read a sitemap: its pages, the last changed first; for an index, the sitemaps that it names (`more`).

    Args:
        text: the document.
        url: the address that sent the response.
        limit: the largest number of pages to read.

    Raises:
        NotAFeed: the document is not a sitemap.
    """
    tree = read_xml(text, url)
    root, notices = local_name(tree.root), list(tree.notices)
    if root == "sitemapindex":
        return _index(tree.root, url, notices)
    if root != "urlset":
        why = f"XML with the root <{root[:80]}> is not a sitemap"
        raise NotAFeed(url, why) if root in ("rss", "feed", "rdf") else not_xml(text, url, root, why)
    found = [_fields(element) for element in _children(tree.root, "url")]
    listed = [(place, each) for place, each in enumerate(found) if each.get("loc")]
    listed.sort(key=lambda item: item[1].get("publication_date") or item[1].get("lastmod") or "", reverse=True)
    if len(listed) > limit:
        notices.append(f"{len(listed)} pages, of which the {limit} that changed last were read")
    return RawFeed(
        format="sitemap",
        title=_title_of_site(url),
        links=(RawLink(href="/", type="text/html"),),
        entries=tuple(_entry(each, position) for position, (_, each) in enumerate(listed[:limit])),
        url=url,
        notices=tuple(notices),
        cut=tree.cut,
    )


def _index(root: etree._Element, url: Url, notices: list[str]) -> RawFeed:
    named = [_fields(element) for element in _children(root, "sitemap")][:MAX_INDEXED]
    more = [(each["loc"], each.get("lastmod")) for each in named if each.get("loc")]
    if any(when is None for _, when in more):
        notices.append(
            "the index does not say when its sitemaps changed: new pages are found only when the index itself changes"
        )
    more.sort(key=lambda item: item[1] or "", reverse=True)
    return RawFeed(
        format="sitemap index",
        title=_title_of_site(url),
        links=(RawLink(href="/", type="text/html"),),
        url=url,
        notices=tuple(notices),
        more=tuple(more),
    )


def _entry(fields: dict[str, str], position: int) -> RawEntry:
    title = fields.get("title") or _title_from(fields["loc"])
    image = fields.get("image")
    return RawEntry(
        title=RawText(value=title, type="text") if title else None,
        links=(RawLink(href=fields["loc"]),),
        tags=tuple(
            Tag(term=term) for word in fields.get("keywords", "").split(",")[:MAX_TAGS] if (term := word.strip())
        ),
        supplement=RawSupplement(images=(RawImage(href=image),) if image else ()),
        published=fields.get("publication_date"),
        updated=fields.get("lastmod"),
        language=fields.get("language"),
        position=position,
    )


def _children(parent: etree._Element, name: str) -> Iterator[etree._Element]:
    return (child for child in parent if isinstance(child.tag, str) and local_name(child) == name)


def _fields(element: etree._Element) -> dict[str, str]:
    """Return the texts inside a `url` or `sitemap` element by local name; `image` is the first picture's address."""
    found: dict[str, str] = {}
    for child in element.iter():
        if not isinstance(child.tag, str) or child is element:
            continue
        name, above = local_name(child), child.getparent()
        if name == "loc" and above is not None and above is not element:
            name = "image" if local_name(above) == "image" else "other"
        elif name in ("title", "caption") and above is not None and local_name(above) in ("image", "video"):
            continue
        text = text_of(child)
        if text and name not in found:
            found[name] = text
    return found


def _title_from(address: str) -> str:
    """Make a title from an address, the only information that a plain sitemap has about a page."""
    last = unquote(urlsplit(address.strip()).path).rstrip("/").rpartition("/")[2]
    words = " ".join(re.split(r"[-_+.\s]+", _ENDING.sub("", last)))
    return words[:1].upper() + words[1:] if _WORDS.search(words) else ""


def _title_of_site(url: Url) -> RawText:
    return RawText(value=urlsplit(url).hostname or "", type="text")
