"""What goes with an entry beside its text and files, as the document says it (I57, A20).

iTunes, podcast and Media RSS; a point on the map, by GeoRSS in its simple and its GML form, or by W3C's two numbers.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from lxml import etree

from aggregator.model.entry import NO_RAW_SUPPLEMENT, RawImage, RawLink, RawSupplement
from aggregator.model.supplement import ImageRole
from aggregator.parse.names import Child, attribute, base_of, children_of, text_of

_MAX: Final = 20  # of a kind; an entry with more has a gallery, and that is among its files
_MAX_VALUE: Final = 500  # characters of a number, a name or a role
_HOLDERS = frozenset({"media:group", "media:content", "georss:where", "gml:point", "geo:point"})
_POINTS = frozenset({"georss:point", "gml:pos"})
_HALVES = frozenset({"geo:lat", "geo:long"})
_FIELDS = {
    "itunes:season": "season",
    "podcast:season": "season",
    "itunes:episode": "episode",
    "podcast:episode": "episode",
    "itunes:episodetype": "kind",
    "itunes:explicit": "explicit",
}
_IMAGES = frozenset({"media:thumbnail", "itunes:image", "image"})
_READ = frozenset({*_FIELDS, *_IMAGES, *_HOLDERS, *_POINTS, *_HALVES, "media:player", "media:credit"}) | {
    "podcast:transcript",
    "podcast:chapters",
}


def supplement_of(children: Sequence[Child], home: str) -> RawSupplement:
    """Read the supplement among an entry's children; of what can be there once, the first counts."""
    if _READ.isdisjoint(name for name, _ in children):
        return NO_RAW_SUPPLEMENT
    fields: dict[str, str] = {}
    images: list[RawImage] = []
    contributors: list[tuple[str, str | None]] = []
    links: dict[str, list[RawLink]] = {"media:player": [], "podcast:transcript": [], "podcast:chapters": []}
    points: list[str] = []
    halves: dict[str, str] = {}
    for name, child in _members(children, home):
        if name in _POINTS:
            points.append(text_of(child)[:_MAX_VALUE])
        elif name in _HALVES:
            halves.setdefault(name, text_of(child)[:_MAX_VALUE])
        elif name in _FIELDS:
            if text := text_of(child)[:_MAX_VALUE]:
                fields.setdefault(_FIELDS[name], text)
        elif name in _IMAGES:
            images += _image(name, child, home)
        elif name in links:
            links[name] += _link(child)
        elif name == "media:credit" and (text := text_of(child)[:_MAX_VALUE]):
            contributors.append((text, (attribute(child, "role") or "")[:_MAX_VALUE] or None))
    if halves.keys() == _HALVES:
        points.append(f"{halves['geo:lat']} {halves['geo:long']}")
    return RawSupplement(
        images=tuple(images[:_MAX]),
        player=next(iter(links["media:player"]), None),
        contributors=tuple(contributors[:_MAX]),
        transcripts=tuple(links["podcast:transcript"][:_MAX]),
        chapters=next(iter(links["podcast:chapters"]), None),
        point=next(iter(points), None),
        **fields,
    )


def _members(children: Sequence[Child], home: str, depth: int = 2) -> Iterator[Child]:
    """Give an entry's children, and those of its media groups and contents, which speak for the entry as well."""
    for name, child in children:
        yield name, child
        if name in _HOLDERS and depth and len(child):
            yield from _members(children_of(child, home), home, depth - 1)


def _image(name: str, element: etree._Element, home: str) -> list[RawImage]:
    """Read an image: its address stands in an attribute, as a rule; in RSS's own in a child, or as its text."""
    href = attribute(element, "url") or attribute(element, "href") or attribute(element, "resource")
    if href is None:
        parts = dict(reversed(children_of(element, home)))
        text = text_of(parts["url"]) if "url" in parts else "" if parts else text_of(element)
        href = text if text.startswith(("http://", "https://", "/")) else None
    if not href:
        return []
    return [
        RawImage(
            href=href,
            role=ImageRole.COVER if name == "itunes:image" else ImageRole.PICTURE,
            width=attribute(element, "width"),
            height=attribute(element, "height"),
            base=base_of(element),
        )
    ]


def _link(element: etree._Element) -> list[RawLink]:
    href = attribute(element, "url") or attribute(element, "href")
    if not href:
        return []
    return [
        RawLink(
            href=href,
            rel=(attribute(element, "rel") or "alternate").lower(),
            type=attribute(element, "type"),
            hreflang=attribute(element, "language"),
            base=base_of(element),
        )
    ]
