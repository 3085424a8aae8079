"""What goes with an entry beside its text and files: pictures, replies, and what podcasts say of it (I57)."""

from dataclasses import dataclass
from enum import StrEnum

from aggregator.urls import Url


class ImageRole(StrEnum):
    """What an image of an entry is for."""

    PICTURE = "picture"  # it stands for the entry in a list
    COVER = "cover"  # square, of an episode
    BANNER = "banner"  # above the text


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image that stands for an entry."""

    url: Url
    role: ImageRole = ImageRole.PICTURE
    width: int | None = None  # pixels
    height: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A document about an entry, elsewhere."""

    url: Url
    type: str | None = None  # media type
    language: str | None = None  # BCP 47
    captions: bool = False  # a transcript with times, to be shown while the file plays


@dataclass(frozen=True, slots=True, kw_only=True)
class Contributor:
    """Who had a hand in a picture or a recording, and which; authors stand elsewhere."""

    name: str
    role: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A place on the earth, in degrees of WGS 84."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplement:
    """Data, never HTML; no part of what a revision is recognised by (I38)."""

    images: tuple[Image, ...] = ()  # the weightiest first
    player: Url | None = None  # a page that plays it
    replies: tuple[Reference, ...] = ()  # where it is discussed: pages and feeds
    contributors: tuple[Contributor, ...] = ()
    season: int | None = None
    episode: str | None = None  # its number: digits, maybe with a point in it
    kind: str | None = None  # of an episode: full, trailer, bonus
    explicit: bool | None = None
    transcripts: tuple[Reference, ...] = ()
    chapters: Reference | None = None
    point: Point | None = None  # where it happened


NO_SUPPLEMENT = Supplement()
