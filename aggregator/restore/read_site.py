"""Reads published documents back into records: from Atom what readers see, from JSON Feed what only we need.

It reads what our own renderers wrote, and nothing else; whoever edits those documents gets what they say now.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from html import escape
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from aggregator.clean.sanitiser import sanitise
from aggregator.clean.text import plain_text
from aggregator.errors import PublishError
from aggregator.model.entry import Digest, Enclosure, Entry, EntryKey, KeyRule, Origin, Person, Tag
from aggregator.model.stored_json import supplement_of
from aggregator.model.story import Tombstone
from aggregator.render.atom import HISTORY, LANG, TOMBSTONES
from aggregator.render.fields import UNTITLED
from aggregator.urls import Url, normalise_link

_OUR_PAGE = re.compile(r"(?:category/[^/#?]+(?:/archive/\d+)?\.html#[0-9a-f]+|entry/[0-9a-f]{2}/[0-9a-f]+\.html)?")

ATOM = "{http://www.w3.org/2005/Atom}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCopy:
    """Another copy of a story, as far as a document names it."""

    source: str
    title: str
    link: Url | None
    key: str | None  # None: nobody can know it again by that
    is_earlier: bool = False  # it came before the copy that is shown


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadEntry:
    """A publication as a document shows it."""

    atom_id: str
    entry: Entry  # its key is the atom:id, where no other is known
    origin: Origin
    updated: datetime
    source: str | None = None  # key; None: to be told by the origin
    sort_at: datetime | None = None
    entered_at: datetime | None = None  # None: about the time that `sort_at` says
    copies: tuple[ReadCopy, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDocument:
    """A document, read back."""

    feed_id: str
    updated: datetime
    previous: str | None  # address of the archive page before
    entries: tuple[ReadEntry, ...]
    tombstones: tuple[Tombstone, ...] = ()
    store: str | None = None
    category: str | None = None  # key
    facts: bool = field(default=False)  # a JSON Feed was there, too


def read_document(atom: bytes, feed: bytes | None, *, path: str, base_url: str) -> ReadDocument:
    """Read a document back.

    Args:
        atom: the Atom document.
        feed: the JSON Feed of the same name; None if there is none.
        path: of the two, without suffix, for messages.
        base_url: of the site: a link that begins with it is ours, and stands for none.

    Raises:
        PublishError: it is not what we write.
    """
    try:
        root = etree.fromstring(atom, _parser())
        found = _document(root, base_url)
    except (etree.XMLSyntaxError, ValueError, TypeError, KeyError) as error:
        raise PublishError(f"{path}.atom", f"can't be read back: {error}") from error
    if feed is None:
        return found
    try:
        said = json.loads(feed)
        own = said.get("_aggregator", {})
        items = {item["id"]: item for item in said["items"]}
        entries = tuple(_with_facts(one, items[one.atom_id]) if one.atom_id in items else one for one in found.entries)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise PublishError(f"{path}.json", f"can't be read back: {error!r}") from error
    return replace(found, entries=entries, store=own.get("store"), category=own.get("category"), facts=True)


def read_updated(atom: bytes) -> datetime | None:
    """Read the `updated` of an Atom feed back; None if it is not one that we write."""
    try:
        root = etree.fromstring(atom, _parser())
        return datetime.fromisoformat(_text(root, "updated")) if _is_feed_of_ours(root) else None
    except (etree.XMLSyntaxError, ValueError):
        return None


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)


def _is_feed_of_ours(root: etree._Element) -> bool:
    return bool(root.tag == f"{ATOM}feed" and root.findtext(f"{ATOM}generator") == "aggregator")


def _document(root: etree._Element, base_url: str) -> ReadDocument:
    if not _is_feed_of_ours(root):
        raise ValueError("no aggregator wrote it")
    previous = [link.get("href") for link in root.iterchildren(f"{ATOM}link") if link.get("rel") == "prev-archive"]
    is_archive = root.find(f"{{{HISTORY}}}archive") is not None
    tombstones = root.iterchildren(f"{{{TOMBSTONES}}}deleted-entry")
    return ReadDocument(
        feed_id=_text(root, "id"),
        updated=datetime.fromisoformat(_text(root, "updated")),
        previous=previous[0] if previous else None,
        entries=tuple(_entry(element, base_url) for element in root.iterchildren(f"{ATOM}entry")),
        tombstones=() if is_archive else tuple(map(_tombstone, tombstones)),
    )


def _tombstone(element: etree._Element) -> Tombstone:
    return Tombstone(ref=str(element.get("ref")), when=datetime.fromisoformat(str(element.get("when"))))


def _entry(element: etree._Element, base_url: str) -> ReadEntry:
    atom_id, updated = _text(element, "id"), datetime.fromisoformat(_text(element, "updated"))
    origin = _origin(element.find(f"{ATOM}source"))
    links = list(element.iterchildren(f"{ATOM}link"))
    address = next((str(link.get("href")) for link in links if link.get("rel") == "alternate"), None)
    said = element.findtext(f"{ATOM}published")
    published = datetime.fromisoformat(said) if said else None
    title, summary = _text(element, "title"), element.find(f"{ATOM}summary")
    content = element.findtext(f"{ATOM}content") or ""
    short = "" if summary is None else summary.text or ""
    if summary is not None and summary.get("type") != "html":
        short = escape(short, quote=False)
    authors = _people(element)
    told = () if authors in (origin.authors, (Person(name=origin.title),)) else authors
    entry = Entry(
        key=EntryKey(atom_id),
        id=atom_id,
        title="" if title == UNTITLED else title,
        link=None if address is None or _is_ours(address, base_url) else normalise_link(address),
        summary=sanitise(short, None, frozenset()),
        content=content,
        text=plain_text(content or short),
        authors=told,
        tags=_tags(element),
        enclosures=tuple(_enclosure(link) for link in links if link.get("rel") == "enclosure"),
        published=published,
        updated=None if published is not None and updated < published else updated,  # then another copy was shown first
        rights=element.findtext(f"{ATOM}rights"),
        language=element.get(LANG),
    )
    return ReadEntry(atom_id=atom_id, entry=entry, origin=origin, updated=updated)


def _is_ours(address: str, base_url: str) -> bool:
    """Return whether an address is that of a story page of ours, which stands for a link that the entry lacks."""
    return address.startswith(base_url) and _OUR_PAGE.fullmatch(address, len(base_url)) is not None


def _origin(source: etree._Element | None) -> Origin:
    if source is None:
        raise ValueError("an entry names no source")
    links = {link.get("rel"): link.get("href") for link in source.iterchildren(f"{ATOM}link")}
    updated = source.findtext(f"{ATOM}updated")
    return Origin(
        id=source.findtext(f"{ATOM}id") or "",
        title=source.findtext(f"{ATOM}title") or "",
        updated=datetime.fromisoformat(updated) if updated else None,
        self_link=_link(links.get("self")),
        link=_link(links.get("alternate")),
        authors=_people(source),
        rights=source.findtext(f"{ATOM}rights"),
        icon=_link(source.findtext(f"{ATOM}icon")),
        logo=_link(source.findtext(f"{ATOM}logo")),
        tags=_tags(source),
    )


def _tags(parent: etree._Element) -> tuple[Tag, ...]:
    return tuple(
        Tag(term=str(tag.get("term")), scheme=tag.get("scheme"), label=tag.get("label"))
        for tag in parent.iterchildren(f"{ATOM}category")
    )


def _people(parent: etree._Element) -> tuple[Person, ...]:
    return tuple(
        Person(name=person.findtext(f"{ATOM}name") or "", uri=person.findtext(f"{ATOM}uri"))
        for person in parent.iterchildren(f"{ATOM}author")
    )


def _enclosure(link: etree._Element) -> Enclosure:
    length = link.get("length")
    return Enclosure(
        url=Url(str(link.get("href"))),
        type=link.get("type"),
        length=int(length) if length and length.isdecimal() else None,
        title=link.get("title"),
    )


def _link(href: str | None) -> Url | None:
    return Url(href) if href and urlsplit(href).scheme in ("http", "https") else None


def _text(parent: etree._Element, name: str) -> str:
    text = parent.findtext(f"{ATOM}{name}")
    if text is None:
        raise ValueError(f"{parent.tag.rpartition('}')[2]} without {name}")
    return text


def _with_facts(one: ReadEntry, item: Mapping[str, Any]) -> ReadEntry:
    """Add what JSON Feed says besides: which source, by which key, and where in the order."""
    own = item.get("_aggregator", {})
    durations = {file["url"]: file.get("duration_in_seconds") for file in item.get("attachments", ())}
    key = own.get("key")
    entry = replace(
        one.entry,
        key=EntryKey(key or one.atom_id),
        key_rule=KeyRule(own.get("rule", KeyRule.ID)),
        id=key if key and "rule" not in own else None if key else one.atom_id,
        digest=Digest(own.get("digest", "")),
        supplement=supplement_of(own.get("supplement")),
        enclosures=tuple(replace(file, duration=durations.get(file.url)) for file in one.entry.enclosures),
    )
    return replace(
        one,
        entry=entry,
        source=own.get("source"),
        sort_at=_instant(own, "sort_at"),
        entered_at=_instant(own, "entered_at"),
        copies=tuple(
            ReadCopy(
                source=copy["source"],
                title=copy.get("title", ""),
                link=_link(copy.get("url")),
                key=copy.get("key"),
                is_earlier=copy.get("before", False),
            )
            for copy in own.get("also", ())
        ),
    )


def _instant(own: Mapping[str, Any], name: str) -> datetime | None:
    return datetime.fromisoformat(own[name]) if name in own else None
