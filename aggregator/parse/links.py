"""Links, enclosures and tags, as the document gives them: unresolved, unchecked (I55, I56, I59)."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from lxml import etree

from aggregator.model.entry import RawLink, Tag
from aggregator.parse.names import Child, attribute, base_of, name_of, text_of

MAX_LINKS = 100  # an entry (I15)
MAX_TAGS = 50
ORIGINAL = "original"  # our word for feedburner:origLink: what a proxied link stands for
_REPLIES = {"comments": "text/html", "wfw:commentrss": "application/rss+xml"}  # RSS's words for Atom's rel=replies
# What each of the functions below looks at: a test for each of an entry's children costs more than all the rest.
_LINKING = frozenset({"link", "content", "feedburner:origlink", *_REPLIES})
_HOLDING = frozenset({"enclosure", "media:content", "media:group", "link", "content", "itunes:duration"})
_TAGGING = frozenset(
    {"category", "dc:subject", "media:category", "itunes:category", "itunes:keywords", "media:keywords"}
)
_REGISTRY = "http://www.iana.org/assignments/relation/"


def links_of(children: Sequence[Child]) -> tuple[RawLink, ...]:
    """Read the links among an element's children, Atom's and RSS's alike; enclosures are not among them."""
    linking = (_links(child, name) for name, child in children if name in _LINKING)
    return tuple(islice((link for links in linking for link in links if link.rel != "enclosure"), MAX_LINKS))


def enclosures_of(children: Sequence[Child], home: str) -> tuple[RawLink, ...]:
    """Read the files that go with an entry: RSS enclosure, Atom rel=enclosure, Media RSS (I56)."""
    found: list[RawLink] = []
    duration = None
    for name, child in children:
        if name not in _HOLDING:
            continue
        match name:
            case "enclosure":
                found += _file(child, length="length")
            case "media:content":
                found += _file(child, length="filesize")
            case "media:group":
                for member in child:
                    if name_of(member, home) == "media:content":
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
    """Read the tags among an element's children, trimmed (I59)."""
    found: list[Tag] = []
    for name, child in children:
        if name not in _TAGGING:
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
        is_address = text.startswith(("http://", "https://", "/"))  # some write how many there are
        return [RawLink(href=text, rel="replies", type=_REPLIES[name], base=base_of(element))] if is_address else []
    if name == "content":  # out-of-line content is a page elsewhere (RFC 4287, section 4.1.3.2)
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
