"""What goes with an entry beside its text and files, as data: addresses absolute, numbers in range, no HTML (I57)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from aggregator.clean.enclosures import media_type_of
from aggregator.clean.language import language_of
from aggregator.clean.links import base_of, resolve
from aggregator.clean.people import name_of
from aggregator.model.entry import NO_RAW_SUPPLEMENT, RawImage, RawLink, RawSupplement
from aggregator.model.supplement import NO_SUPPLEMENT, Contributor, Image, ImageRole, Point, Reference, Supplement
from aggregator.urls import Url

_MAX_REPLIES: Final = 10  # places where an entry is discussed
_SEASON = re.compile(r"0*([0-9]{1,6})")
_EPISODE = re.compile(r"0*([0-9]{1,6}(?:\.[0-9]{1,3})?)")
_POINT = re.compile(r"([+-]?[0-9]{1,2}(?:\.[0-9]{1,20})?)(?:\s+|\s*,\s*)([+-]?[0-9]{1,3}(?:\.[0-9]{1,20})?)")
_PLACES = 7  # decimals of a degree: a centimetre
_PIXELS = re.compile(r"[0-9]{1,5}")
_KINDS = frozenset({"full", "trailer", "bonus"})
_EXPLICIT = {"yes": True, "true": True, "explicit": True, "no": False, "false": False, "clean": False}
_ATOM = "application/atom+xml"  # a link to replies that names no type means Atom (RFC 4685, section 4)


def supplement_of(raw: RawSupplement, links: Iterable[RawLink], bases: Sequence[Url | None], url: Url) -> Supplement:
    """Clean what goes with an entry; what can't be read counts as not said.

    Args:
        raw: as the document says it.
        links: of the entry; those of replies are among them.
        bases: what relative addresses count from, after their own xml:base.
        url: the address that answered.
    """
    replies = [link for link in links if link.rel == "replies"]
    if raw == NO_RAW_SUPPLEMENT and not replies:
        return NO_SUPPLEMENT
    place = _Place(bases, url)
    kind = (raw.kind or "").strip().lower()
    season, episode = _SEASON.fullmatch(raw.season or ""), _EPISODE.fullmatch(raw.episode or "")
    return Supplement(
        images=_images(raw.images, place),
        player=place.address(raw.player) if raw.player else None,
        replies=place.references(replies, _ATOM)[:_MAX_REPLIES],
        contributors=_contributors(raw.contributors),
        season=int(season[1]) if season else None,
        episode=episode[1] if episode else None,
        kind=kind if kind in _KINDS else None,
        explicit=_EXPLICIT.get((raw.explicit or "").strip().lower()),
        transcripts=place.references(raw.transcripts, None),
        chapters=next(iter(place.references([raw.chapters], None)), None) if raw.chapters else None,
        point=_point(raw.point),
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an entry's relative addresses count from."""

    bases: Sequence[Url | None]
    url: Url

    def address(self, link: RawLink | RawImage) -> Url | None:
        return resolve(link.href, (base_of(link.base, self.url), *self.bases))

    def references(self, links: Iterable[RawLink], unsaid: str | None) -> tuple[Reference, ...]:
        """Clean references, each address once.

        Args:
            links: as the document gives them.
            unsaid: the type of one that names none.
        """
        found: dict[Url, Reference] = {}
        for link in links:
            if address := self.address(link):
                found.setdefault(
                    address,
                    Reference(
                        url=address,
                        type=media_type_of(link.type) if link.type else unsaid,
                        language=language_of(link.hreflang),
                        captions=link.rel == "captions",
                    ),
                )
        return tuple(found.values())


def _images(images: Iterable[RawImage], place: _Place) -> tuple[Image, ...]:
    """Clean images, in their order, which is that of importance; each address once in a role."""
    found: dict[tuple[ImageRole, Url], Image] = {}
    for image in images:
        width, height = _pixels(image.width), _pixels(image.height)
        is_seen = (width or 9) > 2 and (height or 9) > 2  # a smaller one counts readers (S37)
        if is_seen and (address := place.address(image)):
            one = Image(url=address, role=image.role, width=width, height=height)
            found.setdefault((image.role, address), one)
    return tuple(found.values())


def _pixels(text: str | None) -> int | None:
    digits = (text or "").strip().removesuffix("px")
    return int(digits) if _PIXELS.fullmatch(digits) else None


def _point(text: str | None) -> Point | None:
    """Read latitude and longitude; (0, 0) is what a form writes that nobody filled in."""
    found = _POINT.fullmatch((text or "").strip())
    if found is None:
        return None
    latitude, longitude = (round(float(part), _PLACES) + 0.0 for part in found.groups())  # no minus before a zero
    point = Point(latitude=latitude, longitude=longitude)
    is_on_earth = abs(point.latitude) <= 90 and abs(point.longitude) <= 180
    return point if is_on_earth and (point.latitude or point.longitude) else None


def _contributors(people: Iterable[tuple[str, str | None]]) -> tuple[Contributor, ...]:
    named = (Contributor(name=name_of(name), role=(role and name_of(role)) or None) for name, role in people)
    return tuple(dict.fromkeys(person for person in named if person.name))
