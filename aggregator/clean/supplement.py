"""Cleans files and supplement of an entry: absolute addresses, numbers in range, no HTML (I56, I57)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from aggregator.clean.language import language_of
from aggregator.clean.links import base_of, resolve
from aggregator.clean.titles import name_of
from aggregator.model.entry import NO_RAW_SUPPLEMENT, Enclosure, RawImage, RawLink, RawSupplement
from aggregator.model.supplement import NO_SUPPLEMENT, Contributor, Image, ImageRole, Point, Reference, Supplement
from aggregator.urls import Url

_MEDIA_TYPE = re.compile(r"[a-z0-9][\w.+-]{0,60}/[\w.+-]{1,60}")
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{1,2})(?:\.\d+)?")
_SECONDS = re.compile(r"(\d{1,7})(?:\.\d+)?")


def enclosures_of(links: Iterable[RawLink], bases: Sequence[Url | None], url: Url) -> tuple[Enclosure, ...]:
    """Clean enclosures: http and https only; enclosures with the same URL are merged.

    Args:
        links: as the document has them.
        bases: base URLs for relative links; a link's own xml:base is used first.
        url: the address that sent the response.
    """
    found: dict[Url, Enclosure] = {}
    for link in links:
        address = resolve(link.href, (base_of(link.base, url), *bases))
        if address is None:
            continue
        enclosure = Enclosure(
            url=address,
            type=media_type_of(link.type),
            length=_length_of(link.length),
            title=name_of(link.title) or None if link.title else None,
            duration=_duration_of(link.duration),
        )
        found[address] = _merged(found[address], enclosure) if address in found else enclosure
    return tuple(found.values())


def _merged(first: Enclosure, second: Enclosure) -> Enclosure:
    return replace(
        first,
        type=first.type or second.type,
        length=first.length if first.length is not None else second.length,
        title=first.title or second.title,
        duration=first.duration if first.duration is not None else second.duration,
    )


def media_type_of(text: str | None) -> str | None:
    """Return a media type without parameters; None if the text is not a media type."""
    kind = (text or "").partition(";")[0].strip().lower()
    return kind if _MEDIA_TYPE.fullmatch(kind) else None


def _length_of(text: str | None) -> int | None:
    """Read a number of bytes; None for a text that is not a number or has more than 15 digits."""
    digits = (text or "").strip().removesuffix(".0")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 15 else None


def _duration_of(text: str | None) -> int | None:
    """Read seconds or [hours:]minutes:seconds (I57)."""
    text = (text or "").strip()
    if match := _SECONDS.fullmatch(text):
        return int(match[1])
    if match := _CLOCK.fullmatch(text):
        return int(match[1] or 0) * 3600 + int(match[2]) * 60 + int(match[3])
    return None


_MAX_REPLIES: Final = 10  # per entry
_SEASON = re.compile(r"0*([0-9]{1,6})")
_EPISODE = re.compile(r"0*([0-9]{1,6}(?:\.[0-9]{1,3})?)")
_POINT = re.compile(r"([+-]?[0-9]{1,2}(?:\.[0-9]{1,20})?)(?:\s+|\s*,\s*)([+-]?[0-9]{1,3}(?:\.[0-9]{1,20})?)")
_DECIMALS = 7  # of a degree: about a centimetre
_PIXELS = re.compile(r"[0-9]{1,5}")
_KINDS = frozenset({"full", "trailer", "bonus"})
_EXPLICIT = {"yes": True, "true": True, "explicit": True, "no": False, "false": False, "clean": False}
_ATOM = "application/atom+xml"  # the type of a link to replies that names none (RFC 4685, section 4)


def supplement_of(raw: RawSupplement, links: Iterable[RawLink], bases: Sequence[Url | None], url: Url) -> Supplement:
    """Clean the supplement of an entry; values that can't be read count as missing.

    Args:
        raw: as parsed.
        links: links of the entry, with those to replies.
        bases: base URLs for relative links; a link's own xml:base is used first.
        url: the address that sent the response.
    """
    replies = [link for link in links if link.rel == "replies"]
    if raw == NO_RAW_SUPPLEMENT and not replies:
        return NO_SUPPLEMENT
    resolver = _Resolver(bases, url)
    kind = (raw.kind or "").strip().lower()
    season, episode = _SEASON.fullmatch(raw.season or ""), _EPISODE.fullmatch(raw.episode or "")
    return Supplement(
        images=_images(raw.images, resolver),
        player=resolver.address(raw.player) if raw.player else None,
        replies=resolver.references(replies, _ATOM)[:_MAX_REPLIES],
        contributors=_contributors(raw.contributors),
        season=int(season[1]) if season else None,
        episode=episode[1] if episode else None,
        kind=kind if kind in _KINDS else None,
        explicit=_EXPLICIT.get((raw.explicit or "").strip().lower()),
        transcripts=resolver.references(raw.transcripts, None),
        chapters=next(iter(resolver.references([raw.chapters], None)), None) if raw.chapters else None,
        point=_point(raw.point),
    )


@dataclass(frozen=True, slots=True)
class _Resolver:
    """Resolves the relative addresses of an entry."""

    bases: Sequence[Url | None]
    url: Url

    def address(self, link: RawLink | RawImage) -> Url | None:
        return resolve(link.href, (base_of(link.base, self.url), *self.bases))

    def references(self, links: Iterable[RawLink], default_type: str | None) -> tuple[Reference, ...]:
        """Clean references, each address once.

        Args:
            links: as the document has them.
            default_type: the type of a link without a type.
        """
        found: dict[Url, Reference] = {}
        for link in links:
            if address := self.address(link):
                found.setdefault(
                    address,
                    Reference(
                        url=address,
                        type=media_type_of(link.type) if link.type else default_type,
                        language=language_of(link.hreflang),
                        captions=link.rel == "captions",
                    ),
                )
        return tuple(found.values())


def _images(images: Iterable[RawImage], resolver: _Resolver) -> tuple[Image, ...]:
    """Clean images in their order, the most important first; each address once in each role."""
    found: dict[tuple[ImageRole, Url], Image] = {}
    for image in images:
        width, height = _pixels(image.width), _pixels(image.height)
        is_visible = (width or 9) > 2 and (height or 9) > 2  # smaller images are reader counters (S37)
        if is_visible and (address := resolver.address(image)):
            one = Image(url=address, role=image.role, width=width, height=height)
            found.setdefault((image.role, address), one)
    return tuple(found.values())


def _pixels(text: str | None) -> int | None:
    digits = (text or "").strip().removesuffix("px")
    return int(digits) if _PIXELS.fullmatch(digits) else None


def _point(text: str | None) -> Point | None:
    """Read latitude and longitude. (0, 0) counts as missing: forms write it if nothing was entered."""
    found = _POINT.fullmatch((text or "").strip())
    if found is None:
        return None
    latitude, longitude = (round(float(part), _DECIMALS) + 0.0 for part in found.groups())  # + 0.0 turns -0.0 into 0.0
    point = Point(latitude=latitude, longitude=longitude)
    is_on_earth = abs(point.latitude) <= 90 and abs(point.longitude) <= 180
    return point if is_on_earth and (point.latitude or point.longitude) else None


def _contributors(people: Iterable[tuple[str, str | None]]) -> tuple[Contributor, ...]:
    named = (Contributor(name=name_of(name), role=(role and name_of(role)) or None) for name, role in people)
    return tuple(dict.fromkeys(person for person in named if person.name))
