"""Reads RSS 0.9x, 1.0 and 2.0, and Atom 0.3 and 1.0, into a `RawFeed` (I20).

feedparser reads only the text constructs (`texts`). This module reads everything else from the tree, because feedparser
would merge some elements (authors, tombstones, skipHours: I18), resolve others (ids, links: I30, I31, I54) and guess
dates (I40).
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from lxml import etree

from aggregator.errors import NotAFeed
from aggregator.model.entry import RawEntry, RawFeed, RawOrigin, RawText
from aggregator.parse.hints import hints_of
from aggregator.parse.links import MAX_LINKS, MAX_TAGS, enclosures_of, links_of, people_of, tags_of
from aggregator.parse.names import (
    Child,
    attribute,
    base_of,
    children_of,
    joined,
    language_of,
    local_name,
    name_of,
    remove_element,
    root_namespace,
    text_of,
)
from aggregator.parse.supplement import supplement_of
from aggregator.parse.texts import MAX_TEXT, Texts, read_texts
from aggregator.parse.tree import Tree
from aggregator.urls import Url

MAX_DELETED: Final = 5000
MAX_FEED_TAGS: Final = 20  # tags of the feed itself: every entry inherits them (A9)
_PUBLISHED = ("pubdate", "published", "issued", "dcterms:issued", "dc:date", "created", "dcterms:created")
_UPDATED = ("updated", "modified", "dcterms:modified", "lastbuilddate")
_FEED_UPDATED = (*_UPDATED, "pubdate", "published", "issued", "dc:date")
_FIELDS = frozenset({"id", "icon", "logo", "language", "dc:language", *_PUBLISHED, *_FEED_UPDATED})
_FORMATS = {
    "rss090": "rss 0.90",
    "rss091n": "rss 0.91",
    "rss091u": "rss 0.91",
    "rss092": "rss 0.92",
    "rss093": "rss 0.93",
    "rss094": "rss 0.94",
    "rss10": "rdf 1.0",
    "rss20": "rss 2.0",
    "atom03": "atom 0.3",
    "atom10": "atom 1.0",
}


def feed_of(tree: Tree, url: Url, *, limit: int) -> RawFeed:
    """Read a feed from a parsed XML document.

    Args:
        tree: the document; the function changes its elements.
        url: the address that sent the response.
        limit: the largest number of entries to read (I15).

    Raises:
        NotAFeed: the document is XML of another kind (I1).
        ParseError: feedparser failed.
    """
    root = tree.root
    namespace = root_namespace(root)
    if name_of(root, namespace) not in ("rss", "feed", "rdf:rdf", "rdf"):
        raise NotAFeed(url, f"XML with the root <{local_name(root)[:80]}> is not a feed")
    channel = next((child for name, child in children_of(root, namespace) if name == "channel"), root)
    notices = list(tree.notices)
    elements = _entry_elements(root, namespace)
    if tree.cut:
        notices.append("the document is cut off")
    if tree.entry_open and elements:
        remove_element(elements.pop())  # the last entry is empty or incomplete
    if len(elements) > limit:
        notices.append(f"{len(elements)} entries, of which the first {limit} were read")
        for surplus in elements[limit:]:
            remove_element(surplus)
        del elements[limit:]
    feed = _read_channel(channel, root, namespace, url)
    entries = [_read_entry(element, namespace, position, notices) for position, element in enumerate(elements)]
    parsed = read_texts(root, channel, elements, namespace=namespace, url=url)
    version = parsed.version or ("rss10" if entries and name_of(root, namespace).startswith("rdf") else "")
    if not version:
        raise NotAFeed(url, f"XML with the root <{local_name(root)[:80]}> is not in a known feed format")
    texts = _limited(parsed.feed, notices)
    return replace(
        feed,
        format=_FORMATS.get(version, version.rstrip("0123456789")),
        title=texts.title,
        subtitle=texts.summary,
        rights=texts.rights,
        entries=tuple(_with_texts(entry, read, notices) for entry, read in zip(entries, parsed.entries, strict=True)),
        notices=tuple(dict.fromkeys(notices)),
        cut=tree.cut,
    )


def _entry_elements(root: etree._Element, namespace: str) -> list[etree._Element]:
    """Return all entry elements in document order; an entry that is nested in another entry is moved behind it."""
    found = [element for element in root.iter() if name_of(element, namespace) in ("item", "entry")]
    known = set(found)
    for element in reversed(found):
        outer = next((each for each in element.iterancestors() if each in known), None)
        if outer is not None:
            outer.addnext(element)
    return found


def _read_channel(channel: etree._Element, root: etree._Element, namespace: str, url: Url) -> RawFeed:
    children = children_of(channel, namespace)
    fields = _fields(children)
    icon = fields.get("icon")
    logo = fields.get("logo") or _image(children, namespace)
    base = base_of(channel)
    return RawFeed(
        format="",
        id=fields.get("id") or _about(channel),
        links=links_of(children),
        authors=people_of(children, namespace),
        updated=_first(fields, _FEED_UPDATED),
        icon=joined((base or "", icon)) if icon else None,
        logo=joined((base or "", logo)) if logo else None,
        tags=tags_of(children)[:MAX_FEED_TAGS],
        language=fields.get("language") or fields.get("dc:language") or language_of(channel),
        hints=hints_of(children),
        deleted=_tombstones(children if channel is root else [*children_of(root, namespace), *children]),
        complete=any(name == "fh:complete" for name, _ in children),
        url=url,
    )


def _read_entry(element: etree._Element, namespace: str, position: int, notices: list[str]) -> RawEntry:
    children = children_of(element, namespace)
    fields = _fields(children)
    links, enclosures, tags = links_of(children), enclosures_of(children, namespace), tags_of(children)
    if len(links) >= MAX_LINKS or len(enclosures) >= MAX_LINKS:
        notices.append(f"an entry has over {MAX_LINKS} links: only the first were read")
    if len(tags) > MAX_TAGS:
        notices.append(f"an entry has over {MAX_TAGS} categories: only the first were read")
    guid = next((child for name, child in children if name == "guid" and text_of(child)), None)
    return RawEntry(
        id=(text_of(guid) if guid is not None else fields.get("id") or _about(element)),
        id_is_link=guid is not None and (attribute(guid, "ispermalink") or "true").lower() == "true",
        links=links,
        authors=people_of(children, namespace),
        tags=tags[:MAX_TAGS],
        enclosures=enclosures,
        supplement=supplement_of(children, namespace),
        published=_first(fields, _PUBLISHED),
        updated=_first(fields, _UPDATED),
        language=fields.get("dc:language") or fields.get("language") or language_of(element),
        origin=next((_origin(child, namespace) for name, child in children if name == "source" and len(child)), None),
        position=position,
    )


def _fields(children: Sequence[Child]) -> dict[str, str]:
    """Return the short text fields among an element's children, by name. The first child of each name counts."""
    fields: dict[str, str] = {}
    for name, child in children:
        if name in _FIELDS and name not in fields and (text := text_of(child)[:MAX_TEXT]):
            fields[name] = text
    return fields


def _first(fields: dict[str, str], names: Sequence[str]) -> str | None:
    return next((fields[name] for name in names if name in fields), None)


def _about(element: etree._Element) -> str | None:
    """Return rdf:about, the identifier in RSS 1.0."""
    about = element.get("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about")
    return str(about).strip() or None if about else None


def _image(children: Sequence[Child], namespace: str) -> str | None:
    """Return the picture of an RSS feed: `image/url`, otherwise `itunes:image`."""
    fallback = None
    for name, child in children:
        match name:
            case "image":
                for part_name, part in children_of(child, namespace):
                    if part_name == "url" and (text := text_of(part)):
                        return text
            case "itunes:image":
                fallback = fallback or attribute(child, "href")
    return fallback


def _tombstones(children: Sequence[Child]) -> tuple[tuple[str, str | None], ...]:
    """Read all deleted-entry elements as (ref, when). feedparser would keep only the last one (I18, I26)."""
    found = (
        (ref, attribute(child, "when"))
        for name, child in children
        if name == "at:deleted-entry" and (ref := attribute(child, "ref"))
    )
    return tuple(islice(found, MAX_DELETED))


def _origin(element: etree._Element, namespace: str) -> RawOrigin:
    """Read atom:source (I25). The `source` element of RSS (a URL and a name, no children) is not one."""
    children = children_of(element, namespace)
    fields = _fields(children)
    base, icon, logo = base_of(element) or "", fields.get("icon"), fields.get("logo")
    texts: dict[str, RawText] = {}
    for name, child in children:
        if name in ("title", "rights") and name not in texts and (text := text_of(child)[:MAX_TEXT]):
            kind = "html" if (attribute(child, "type") or "").lower() in ("html", "text/html") else "text"
            texts[name] = RawText(value=text, type=kind, base=base_of(child))
    return RawOrigin(
        id=fields.get("id"),
        title=texts.get("title"),
        links=links_of(children),
        authors=people_of(children, namespace),
        updated=_first(fields, _UPDATED),
        rights=texts.get("rights"),
        icon=joined((base, icon)) if icon else None,
        logo=joined((base, logo)) if logo else None,
        tags=tags_of(children)[:MAX_FEED_TAGS],
    )


def _with_texts(entry: RawEntry, texts: Texts, notices: list[str]) -> RawEntry:
    texts = _limited(texts, notices)
    return replace(entry, title=texts.title, summary=texts.summary, contents=texts.contents, rights=texts.rights)


def _limited(texts: Texts, notices: list[str]) -> Texts:
    """Cut every text that is longer than `MAX_TEXT` characters, and add a notice (I15)."""
    every = (texts.title, texts.summary, texts.rights, *texts.contents)
    if all(text is None or len(text.value) <= MAX_TEXT for text in every):
        return texts
    notices.append(f"a text of over {MAX_TEXT:,} characters was cut")
    return Texts(
        title=_cut(texts.title),
        summary=_cut(texts.summary),
        contents=tuple(content for text in texts.contents if (content := _cut(text))),
        rights=_cut(texts.rights),
    )


def _cut(text: RawText | None) -> RawText | None:
    return replace(text, value=text.value[:MAX_TEXT]) if text else None
