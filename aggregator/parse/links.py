"""Reads links, enclosures, authors and tags as the document has them: unresolved and unchecked (I55 to I59)."""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from lxml import etree

from aggregator.model.entry import Person, RawLink, Tag
from aggregator.parse.names import Child, attribute, base_of, name_of, text_of

MAX_LINKS = 100  # per entry (I15)
MAX_TAGS = 50
ORIGINAL = "original"  # our relation for feedburner:origLink, the link before FeedBurner replaced it
_REPLIES = {
    "comments": "text/html",
    "wfw:commentrss": "application/rss+xml",
}  # elements of RSS that mean Atom's rel=replies
# The elements that each function below reads. Without these sets, most time goes into comparing names of children.
_LINK_NAMES = frozenset({"link", "content", "feedburner:origlink", *_REPLIES})
_ENCLOSURE_NAMES = frozenset({"enclosure", "media:content", "media:group", "link", "content", "itunes:duration"})
_TAG_NAMES = frozenset(
    {"category", "dc:subject", "media:category", "itunes:category", "itunes:keywords", "media:keywords"}
)
_REGISTRY = "http://www.iana.org/assignments/relation/"


def links_of(children: Sequence[Child]) -> tuple[RawLink, ...]:
    """Return the links among an element's children, of Atom and of RSS, without enclosures."""
    groups = (_links(child, name) for name, child in children if name in _LINK_NAMES)
    return tuple(islice((link for links in groups for link in links if link.rel != "enclosure"), MAX_LINKS))


def enclosures_of(children: Sequence[Child], namespace: str) -> tuple[RawLink, ...]:
    """Return the files of an entry: RSS enclosure, Atom rel=enclosure, Media RSS (I56)."""
    found: list[RawLink] = []
    duration = None
    for name, child in children:
        if name not in _ENCLOSURE_NAMES:
            continue
        match name:
            case "enclosure":
                found += _file(child, length="length")
            case "media:content":
                found += _file(child, length="filesize")
            case "media:group":
                for member in child:
                    if name_of(member, namespace) == "media:content":
                        found += _file(member, length="filesize")
            case "link":
                found += [link for link in _links(child, "link") if link.rel == "enclosure"]
            case "content" if not _is_page(attribute(child, "type")):
                source = attribute(child, "src")
                if source:
                    found.append(
                        RawLink(href=source, rel="enclosure", type=attribute(child, "type"), base=base_of(child))
                    )
            case "itunes:duration":
                duration = duration or text_of(child)[:40]
    if duration and found and found[0].duration is None:
        found[0] = replace(found[0], duration=duration)
    return tuple(found[:MAX_LINKS])


def tags_of(children: Sequence[Child]) -> tuple[Tag, ...]:
    """Return the tags among an element's children, trimmed (I59)."""
    found: list[Tag] = []
    for name, child in children:
        if name not in _TAG_NAMES:
            continue
        match name:
            case "category" | "dc:subject" | "media:category":
                term = attribute(child, "term") or text_of(child)
                scheme = attribute(child, "scheme") or attribute(child, "domain")
                if term:
                    found.append(Tag(term=term, scheme=scheme, label=attribute(child, "label")))
            case "itunes:category":
                if text := attribute(child, "text"):
                    found.append(Tag(term=text))
            case "itunes:keywords" | "media:keywords":
                found += [
                    Tag(term=word.strip()) for word in islice(text_of(child).split(","), MAX_TAGS) if word.strip()
                ]
    return tuple(found)


def _links(element: etree._Element, name: str) -> list[RawLink]:
    if name == "feedburner:origlink":
        text = text_of(element)
        return [RawLink(href=text, rel=ORIGINAL, base=base_of(element))] if text else []
    if name in _REPLIES:
        text = text_of(element)
        is_address = text.startswith(("http://", "https://", "/"))  # some publishers write the number of comments
        return [RawLink(href=text, rel="replies", type=_REPLIES[name], base=base_of(element))] if is_address else []
    if name == "content":  # content with src is a page elsewhere (RFC 4287, section 4.1.3.2)
        source = attribute(element, "src")
        return (
            [RawLink(href=source, type="text/html", base=base_of(element))]
            if source and _is_page(attribute(element, "type"))
            else []
        )
    if not element.keys():
        text = text_of(element)
        return [RawLink(href=text, base=base_of(element))] if text else []
    href = attribute(element, "href") or text_of(element)
    if not href:
        return []
    kind, length = attribute(element, "type"), attribute(element, "length")
    return [
        RawLink(
            href=href,
            rel=(attribute(element, "rel") or "alternate").lower().removeprefix(_REGISTRY) or "alternate",
            type=kind.lower() if kind else None,
            hreflang=attribute(element, "hreflang"),
            title=attribute(element, "title"),
            length=length,
            base=base_of(element),
        )
    ]


def _file(element: etree._Element, *, length: str) -> list[RawLink]:
    href = attribute(element, "url") or attribute(element, "href")
    if not href:
        return []
    kind = attribute(element, "type")
    return [
        RawLink(
            href=href,
            rel="enclosure",
            type=kind.lower() if kind else None,
            length=attribute(element, length),
            title=attribute(element, "title"),
            duration=attribute(element, "duration"),
            base=base_of(element),
        )
    ]


def _is_page(kind: str | None) -> bool:
    return kind is None or "html" in kind.lower()


_MAIL = re.compile(r"[^\s@<>()\[\],;:\"]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])")
_BRACKETS = re.compile(r"(?:[<(\[]|&lt;)\s*(?:mailto:)?\s*(?:[>)\]]|&gt;)")  # some publishers escape the brackets twice
_MAX = 2000  # characters of a name that are read
_MAX_PEOPLE = 50  # per entry


def people_of(children: Sequence[Child], namespace: str) -> tuple[Person, ...]:
    """Return the authors among an element's children: Atom author, dc:creator, RSS author; otherwise itunes:author."""
    people: list[Person] = []
    itunes: list[Person] = []
    for name, child in children:
        match name:
            case "author" | "managingeditor" | "dc:creator" | "dc:author":
                person = _atom_person(child, namespace) or person_of(text_of(child))
                if person and len(people) < _MAX_PEOPLE and person not in people:
                    people.append(person)
            case "itunes:author":
                if person := person_of(text_of(child)):
                    itunes.append(person)
    return tuple(people or itunes[:1])


def person_of(text: str) -> Person | None:
    """Split `mail (Name)`, the form of RSS, or `Name <mail>`; None if the text has neither a name nor an address."""
    text = " ".join(text[:_MAX].split())
    match = _MAIL.search(text)
    if match is None:
        return Person(name=text) if text else None
    name = _BRACKETS.sub("", text[: match.start()] + text[match.end() :]).strip()
    if name.startswith("(") and name.endswith(")"):
        name = name[1:-1].strip()
    name = name.removeprefix("mailto:").strip("<> \"',;:")
    return Person(name=name, email=match[0])


def _atom_person(element: etree._Element, namespace: str) -> Person | None:
    """Read a person construct (RFC 4287, section 3.2); None if the element has no such children."""
    fields: dict[str, str] = {}
    for child in element:
        field = name_of(child, namespace)
        if field in ("name", "uri", "url", "homepage", "email") and (text := text_of(child)[:_MAX]):
            fields.setdefault("uri" if field in ("url", "homepage") else field, text)
    if not fields:
        return None
    named = person_of(fields.get("name", "")) or Person()
    return Person(name=named.name, uri=fields.get("uri"), email=fields.get("email") or named.email)
