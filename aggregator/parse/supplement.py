"""Reads the supplement of an entry: fields of iTunes, podcast and Media RSS, and a point on the map (I57, A20).

A point is GeoRSS, simple or GML, or the pair geo:lat and geo:long of W3C.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from lxml import etree

from aggregator.model.entry import NO_RAW_SUPPLEMENT, RawImage, RawLink, RawSupplement
from aggregator.model.supplement import ImageRole
from aggregator.parse.names import Child, attribute, base_of, children_of, text_of

_MAX: Final = 20  # per kind; an entry with more images is a gallery, and those images are among its enclosures
_MAX_VALUE: Final = 500  # characters of a number, a name or a role
_CONTAINERS = frozenset({"media:group", "media:content", "georss:where", "gml:point", "geo:point"})
_POINTS = frozenset({"georss:point", "gml:pos"})
_LATITUDE_LONGITUDE = frozenset({"geo:lat", "geo:long"})
_FIELDS = {
    "itunes:season": "season",
    "podcast:season": "season",
    "itunes:episode": "episode",
    "podcast:episode": "episode",
    "itunes:episodetype": "kind",
    "itunes:explicit": "explicit",
}
_IMAGES = frozenset({"media:thumbnail", "itunes:image", "image"})
_READ = frozenset(
    {*_FIELDS, *_IMAGES, *_CONTAINERS, *_POINTS, *_LATITUDE_LONGITUDE, "media:player", "media:credit"}
) | {
    "podcast:transcript",
    "podcast:chapters",
}


def supplement_of(children: Sequence[Child], namespace: str) -> RawSupplement:
    """Read the supplement among an entry's children. Of a field that can occur once, the first element counts."""
    if _READ.isdisjoint(name for name, _ in children):
        return NO_RAW_SUPPLEMENT
    fields: dict[str, str] = {}
    images: list[RawImage] = []
    contributors: list[tuple[str, str | None]] = []
    links: dict[str, list[RawLink]] = {"media:player": [], "podcast:transcript": [], "podcast:chapters": []}
    points: list[str] = []
    coordinates: dict[str, str] = {}
    for name, child in _members(children, namespace):
        if name in _POINTS:
            points.append(text_of(child)[:_MAX_VALUE])
        elif name in _LATITUDE_LONGITUDE:
            coordinates.setdefault(name, text_of(child)[:_MAX_VALUE])
        elif name in _FIELDS:
            if text := text_of(child)[:_MAX_VALUE]:
                fields.setdefault(_FIELDS[name], text)
        elif name in _IMAGES:
            images += _image(name, child, namespace)
        elif name in links:
            links[name] += _link(child)
        elif name == "media:credit" and (text := text_of(child)[:_MAX_VALUE]):
            contributors.append((text, (attribute(child, "role") or "")[:_MAX_VALUE] or None))
    if coordinates.keys() == _LATITUDE_LONGITUDE:
        points.append(f"{coordinates['geo:lat']} {coordinates['geo:long']}")
    return RawSupplement(
        images=tuple(images[:_MAX]),
        player=next(iter(links["media:player"]), None),
        contributors=tuple(contributors[:_MAX]),
        transcripts=tuple(links["podcast:transcript"][:_MAX]),
        chapters=next(iter(links["podcast:chapters"]), None),
        point=next(iter(points), None),
        **fields,
    )


def _members(children: Sequence[Child], namespace: str, depth: int = 2) -> Iterator[Child]:
    """Yield an entry's children, and the children of its media groups and contents, which describe the entry too."""
    for name, child in children:
        yield name, child
        if name in _CONTAINERS and depth and len(child):
            yield from _members(children_of(child, namespace), namespace, depth - 1)


def _image(name: str, element: etree._Element, namespace: str) -> list[RawImage]:
    """Read an image: the address is usually an attribute; in the image of RSS, a child or the text."""
    href = attribute(element, "url") or attribute(element, "href") or attribute(element, "resource")
    if href is None:
        parts = dict(reversed(children_of(element, namespace)))
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
