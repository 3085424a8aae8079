"""Images, replies and podcast fields of an entry (I57)."""

from enum import StrEnum

from aggregator.model.record import record
from aggregator.urls import Url


class ImageRole(StrEnum):
    """Purpose of an image of an entry."""

    PICTURE = "picture"  # represents the entry in a list
    COVER = "cover"  # square cover of an episode
    BANNER = "banner"  # above the text


@record
class Image:
    """An image of an entry."""

    url: Url
    role: ImageRole = ImageRole.PICTURE
    width: int | None = None  # pixels
    height: int | None = None


@record
class Reference:
    """A document about an entry at another address."""

    url: Url
    type: str | None = None  # media type
    language: str | None = None  # BCP 47
    captions: bool = False  # a transcript with times, shown while the file plays


@record
class Contributor:
    """A contributor to a picture or a recording, with the role; authors are in `Entry.authors`."""

    name: str
    role: str | None = None


@record
class Point:
    """A place on the earth, in WGS 84 degrees."""

    latitude: float
    longitude: float


@record
class Supplement:
    """Further data of an entry, never HTML; not part of its digest, so that a change is not a revision (I38)."""

    images: tuple[Image, ...] = ()  # most important first
    player: Url | None = None  # page with a player for it
    replies: tuple[Reference, ...] = ()  # pages and feeds of its discussion
    contributors: tuple[Contributor, ...] = ()
    season: int | None = None
    episode: str | None = None  # number: digits, perhaps with a decimal point
    kind: str | None = None  # kind of episode: full, trailer, bonus
    explicit: bool | None = None
    transcripts: tuple[Reference, ...] = ()
    chapters: Reference | None = None
    point: Point | None = None  # place of the event


NO_SUPPLEMENT = Supplement()
