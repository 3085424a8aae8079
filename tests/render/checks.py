"""Checks Atom documents by our own reading of RFC 4287, whose schema checks no links."""

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

from lxml import etree

from tests.render.extension_profile import faults_of_extensions
from tests.render.values import MEDIA_TYPE, is_id, is_language, is_uri

ATOM = "{http://www.w3.org/2005/Atom}"
HISTORY = "{http://purl.org/syndication/history/1.0}"
TOMBSTONES = "{http://purl.org/atompub/tombstones/1.0}"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
SCHEMA = Path(__file__).parents[3] / "shared" / "schema"

FEED_RELS = {"self", "alternate", "current", "prev-archive", "hub"}
ENTRY_RELS = {"alternate", "enclosure", "related", "replies"}
MANY = {"enclosure", "related", "replies"}  # of which an entry may have several of one type
SOURCE_RELS = {"self", "alternate"}
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
VOID = set("area base br col embed hr img input link meta source track wbr".split())


def parsed(data: bytes) -> etree._Element:
    """Read XML strictly."""
    return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))


def attributes(element: etree._Element) -> dict[str, str]:
    """Return an element's attributes."""
    return {str(name): str(value) for name, value in element.attrib.items()}


def faults_of_atom(data: bytes) -> list[str]:
    """Name everything that is wrong with an Atom document."""
    feed = parsed(data)
    faults = [] if feed.tag == f"{ATOM}feed" else [f"root {feed.tag}"]
    faults += _faults_of_links(feed, FEED_RELS)
    links = [(link.get("rel"), link.get("type")) for link in feed.iterchildren(f"{ATOM}link")]
    needed = (("self", "application/atom+xml"), ("alternate", "text/html"))
    faults += [f"feed needs one {wanted}" for wanted in needed if links.count(wanted) != 1]
    for name in ("id", "title", "updated", "author", "generator"):
        if len(feed.findall(f"{ATOM}{name}")) != 1:
            faults.append(f"feed has not one {name}")
    entries = feed.findall(f"{ATOM}entry")
    for entry in entries:
        faults += _faults_of_entry(entry)
    repeated = [key for key, count in Counter(entry.findtext(f"{ATOM}id") for entry in entries).items() if count > 1]
    faults += [f"id twice: {key}" for key in repeated]
    faults += [
        f"date {e.text}" for e in feed.iter(f"{ATOM}updated", f"{ATOM}published") if not DATE.fullmatch(e.text or "")
    ]
    named = (feed, *feed.iter(f"{ATOM}source"))
    faults += [f"id {e.text}" for parent in named for e in parent.iterfind(f"{ATOM}id") if not is_id(e.text)]
    faults += [f"language {e.get(LANG)}" for e in feed.iter() if LANG in e.attrib and not is_language(e.get(LANG))]
    faults += [f"no namespace: {e.tag}" for e in feed.iter() if isinstance(e.tag, str) and not e.tag.startswith("{")]
    faults += [f"xml:base on {e.tag}" for e in feed.iter() if "{http://www.w3.org/XML/1998/namespace}base" in e.attrib]
    return faults


def faults_of_ids(data: bytes) -> list[str]:
    """Name the ids of entries that checkers find wrong: rendering takes what is stored, so others had to be minted."""
    entries = parsed(data).iterfind(f"{ATOM}entry")
    return [f"id {key}" for entry in entries if not is_id(key := entry.findtext(f"{ATOM}id"))]


def _faults_of_entry(entry: etree._Element) -> list[str]:
    faults = _faults_of_links(entry, ENTRY_RELS)
    for name in ("id", "title", "updated", "source"):
        if len(entry.findall(f"{ATOM}{name}")) != 1:
            faults.append(f"entry has not one {name}")
    alternates = [link for link in entry.iterchildren(f"{ATOM}link") if link.get("rel") == "alternate"]
    if len(alternates) != 1:
        faults.append(f"{len(alternates)} alternates")
    if not entry.findall(f"{ATOM}author"):
        faults.append("no author")
    for author in entry.iter(f"{ATOM}author"):
        if not author.findtext(f"{ATOM}name") or author.find(f"{ATOM}email") is not None:
            faults.append("author without a name, or with a mail address")
    for text in entry.iterchildren(f"{ATOM}content", f"{ATOM}summary"):
        if text.get("type") not in ("html", "text") or len(text):
            faults.append(f"{text.tag} of type {text.get('type')}")
    for category in entry.iterchildren(f"{ATOM}category"):
        if not category.get("term"):
            faults.append("category without a term")
        if not is_uri(category.get("scheme", "urn:example:none")):
            faults.append(f"scheme {category.get('scheme')}")
    faults += faults_of_extensions(entry)
    source = entry.find(f"{ATOM}source")
    if source is not None:
        faults += _faults_of_links(source, SOURCE_RELS)
        for name in ("title", "updated"):
            if source.find(f"{ATOM}{name}") is None:
                faults.append(f"source without {name}")
    return faults


def _faults_of_links(parent: etree._Element, rels: set[str]) -> list[str]:
    faults = []
    for link in parent.iterchildren(f"{ATOM}link"):
        attributes = {str(name): str(value) for name, value in link.attrib.items()}
        rel, href = attributes.pop("rel", None), attributes.pop("href", "")
        if rel not in rels:
            faults.append(f"rel {rel}")
        if not re.fullmatch(r"https?://[^\s<>\"{}|\\^`]+", href):
            faults.append(f"href {href!r}")
        if not MEDIA_TYPE.fullmatch(attributes.pop("type", "a/b")):
            faults.append("type")
        if not is_language(attributes.pop("hreflang", "en")):
            faults.append("hreflang")
        if not attributes.pop("length", "0").isdigit():
            faults.append("length")
        attributes.pop("title", None)
        faults += [f"attribute {name}" for name in attributes]
    kinds = Counter((ln.get("rel"), ln.get("type"), ln.get("hreflang")) for ln in parent.iterchildren(f"{ATOM}link"))
    return faults + [f"two of {kind}" for kind, n in kinds.items() if n > 1 and kind[0] not in MANY]


class Page(HTMLParser):
    """A page as a strict reader sees it: what is open, what is wrong, which links, ids and headings it has."""

    def __init__(self, data: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.faults: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.ids: list[str] = []
        self.headings: list[int] = []
        self.text = ""
        self.feed(data.decode())
        self.close()
        self.faults += [f"never closed: {tag}" for tag in self.open]
        self.faults += [f"id twice: {key}" for key, count in Counter(self.ids).items() if count > 1]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that begins."""
        names = [name for name, _ in attrs]
        self.faults += [f"attribute twice: {tag} {name}" for name in set(names) if names.count(name) > 1]
        self.tags.append((tag, dict(attrs)))
        if dict(attrs).get("id"):
            self.ids.append(str(dict(attrs)["id"]))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Note an element that ends."""
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"closed out of order: {tag}")

    def handle_data(self, data: str) -> None:
        """Gather the text."""
        self.text += data

    def all(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        """Return the attributes of every element of a name."""
        return [has for name, has in self.tags if name == tag and all(has.get(k) == v for k, v in attributes.items())]
