"""Chooses the picture of a story for lists, for the head of a text without one, and for previews of links. Pure.

A picture is chosen from what is stored; nothing is fetched. Icons, faces, smileys and badges represent no story.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import unescape
from typing import Final

from aggregator.model.story import Publication
from aggregator.model.supplement import ImageRole
from aggregator.model.tokens import STRUCK
from aggregator.render import fields

MIN_SIDE: Final = 100  # pixels of the shorter side of a picture in a text: smaller ones are icons and faces
MIN_NAMED_SIDE: Final = 60  # of one that the publisher names as the picture of the story: thumbnails are 75 × 75
GOOD_SIDE: Final = 150  # a picture that is smaller is used if there is no other
MAX_RATIO: Final = 4  # of the sides: beyond are banners and rules
MOST: Final = 20  # pictures of a text that are looked at

_IMG = re.compile(r"<img((?: [a-z-]+=\"[^\"]*\")*) ?/?>")  # as the sanitiser writes it
_ATTRIBUTE = re.compile(r" ([a-z-]+)=\"([^\"]*)\"")
_SIDE = re.compile(r"[0-9]{1,5}")
_NO_PICTURE = re.compile(
    r"(?:[/._-](?:emojis?|twemoji|smil(?:ey|ie)s?|emoticons?|avatars?|gravatar|favicons?|icons?|badges?|buttons?|sprites?|"
    r"spacer|pixel|blank|placeholder|transparent|1x1)[0-9]*(?:[/._-]|$)|//(?:s\.w\.org|img\.shields\.io|badge\.fury\.io|"
    r"licensebuttons\.net|i\.creativecommons\.org)/|\.(?:svg|ico)$)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a story, at the publisher's address."""

    address: str
    width: int | None = None  # pixels, as the publisher says
    height: int | None = None
    alt: str = ""
    is_cover: bool = False  # the square cover of an episode, which many episodes share

    @property
    def shorter_side(self) -> int | None:
        """The shorter side in pixels; None if none is known."""
        return min((side for side in (self.width, self.height) if side is not None), default=None)


def picture_of(publication: Publication) -> Picture | None:
    """Return the picture of a story; None if it has none that represents it.

    Pictures that the publisher names come first, then images among the attached files, then those in the text.

    Args:
        publication: as anyone may see it: what addresses of a private source are in it is struck out.
    """
    if not publication.has_picture:
        return None
    small = None
    for picture in _plausible(publication):
        if (picture.shorter_side or GOOD_SIDE) >= GOOD_SIDE:
            return picture
        small = small or picture
    return small


def _plausible(publication: Publication) -> Iterator[Picture]:
    for image in publication.supplement.images:
        is_cover = image.role is ImageRole.COVER
        yield from _checked(Picture(image.url, image.width, image.height, is_cover=is_cover), MIN_NAMED_SIDE)
    for url, enclosure in fields.enclosures_of(publication) if publication.enclosures else ():
        if fields.type_of(url, enclosure).startswith("image/"):
            yield from _checked(Picture(url, alt=enclosure.title or ""), MIN_NAMED_SIDE)
    for text in (publication.content, publication.summary):
        if "<img" not in text:
            continue
        for number, tag in enumerate(_IMG.finditer(text)):
            if number == MOST:
                break
            said = dict(_ATTRIBUTE.findall(tag[1]))
            alt = fields.line_of(unescape(said.get("alt", "")))
            sides = (_side_of(said.get("width")), _side_of(said.get("height")))
            yield from _checked(Picture(unescape(said.get("src", "")), *sides, alt), MIN_SIDE)


def _checked(picture: Picture, least: int) -> Iterator[Picture]:
    """Yield a picture if it may represent a story, with an address that may be published."""
    if _NO_PICTURE.search(picture.address.partition("?")[0]) or STRUCK in picture.address:
        return
    if (picture.shorter_side or least) < least:
        return
    if picture.width and picture.height:
        sides = (picture.width, picture.height)
        if max(sides) > MAX_RATIO * min(sides):
            return
    address = fields.web_address(picture.address)
    if address:
        yield replace(picture, address=address)


def _side_of(text: str | None) -> int | None:
    return int(text) if text and _SIDE.fullmatch(text) else None
