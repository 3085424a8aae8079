"""What a feed said: `RawEntry` as parsed, `Entry` when cleaned and identified, and the `Feed` around either."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from aggregator.model.charset import DECODED, Charset
from aggregator.model.outline import Outline, RawOutline
from aggregator.model.supplement import NO_SUPPLEMENT, ImageRole, Supplement
from aggregator.urls import Url

EntryKey = NewType(
    "EntryKey", str
)  # the same key on the next poll means the same entry; unique in its source (I30, I34)
Digest = NewType("Digest", str)  # SHA-256 in hex; of an entry, its version and a colon stand before it


@dataclass(frozen=True, slots=True, kw_only=True)
class RawText:
    """A text construct as the source declared it: what it holds is up to `clean`."""

    value: str
    type: str = "html"  # text, html, xhtml; RSS says nothing: unknown
    base: str | None = None  # the xml:base in scope, not yet resolved
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An author. At least one of the three is not empty."""

    name: str = ""
    uri: str | None = None
    email: str | None = None  # read, never published (I58)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """Their category: carried along, decides nothing by itself (I59)."""

    term: str
    scheme: str | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A file that goes with an entry (I56)."""

    url: Url
    type: str | None = None
    length: int | None = None  # bytes
    title: str | None = None
    duration: int | None = None  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class RawLink:
    """A link as the source gave it, unresolved."""

    href: str
    rel: str = "alternate"
    type: str | None = None
    hreflang: str | None = None
    title: str | None = None
    length: str | None = None
    duration: str | None = None  # of an enclosure, as written: seconds or [hh:]mm:ss (I57)
    base: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawImage:
    """An image as the source names it, unresolved."""

    href: str
    role: ImageRole = ImageRole.PICTURE
    width: str | None = None
    height: str | None = None
    base: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawSupplement:
    """What a source says of an entry beside its text and files, as written."""

    images: tuple[RawImage, ...] = ()
    player: RawLink | None = None
    contributors: tuple[tuple[str, str | None], ...] = ()  # (name, role)
    season: str | None = None
    episode: str | None = None
    kind: str | None = None
    explicit: str | None = None
    transcripts: tuple[RawLink, ...] = ()
    chapters: RawLink | None = None
    point: str | None = None  # latitude and longitude


NO_RAW_SUPPLEMENT = RawSupplement()


@dataclass(frozen=True, slots=True, kw_only=True)
class RawOrigin:
    """`atom:source` as it stands inside an entry (I25)."""

    id: str | None = None
    title: RawText | None = None
    links: tuple[RawLink, ...] = ()
    authors: tuple[Person, ...] = ()
    updated: str | None = None
    rights: RawText | None = None
    icon: str | None = None
    logo: str | None = None
    tags: tuple[Tag, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RawEntry:
    """One item as the source tells it; nothing in it is safe, absolute or unique yet."""

    id: str | None = None  # Atom id, RSS guid, JSON id: as written, surrounding blanks gone
    id_is_link: bool = False  # a guid that says it is a permalink (I31)
    title: RawText | None = None
    links: tuple[RawLink, ...] = ()
    summary: RawText | None = None
    contents: tuple[RawText, ...] = ()
    authors: tuple[Person, ...] = ()
    tags: tuple[Tag, ...] = ()
    enclosures: tuple[RawLink, ...] = ()  # media:content and attachments too; the rel is enclosure
    supplement: RawSupplement = NO_RAW_SUPPLEMENT
    published: str | None = None  # as written; a date is made of it in `clean`
    updated: str | None = None
    rights: RawText | None = None
    language: str | None = None
    origin: RawOrigin | None = None
    filed: tuple[str, ...] = ()  # categories of ours that the item names, where feeds.yaml lets it
    asked: tuple[tuple[str, str], ...] = ()  # (path, value) for the request that brings its detail
    position: int = 0  # place in the document, from 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """A publisher's wishes about pace, from the answer's headers and from the document. All optional, none trusted."""

    retry_after: timedelta | None = None  # P56
    exhausted: timedelta | None = None  # P37: until the publisher's count for us, which is used up, begins anew
    freshness: timedelta | None = None  # P53, P54: what is left of max-age or Expires; None if nothing was said
    ttl: timedelta | None = None  # P57
    syndication: timedelta | None = None  # P58: period divided by frequency
    skip_hours: frozenset[int] = frozenset()  # P59, UTC
    skip_days: frozenset[int] = frozenset()  # P59, Monday is 0


NO_HINTS = Hints()


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFeed:
    """One document as parsed."""

    format: str  # atom, rss, rdf, json: with the version where it has one, "rss 2.0"
    id: str | None = None
    title: RawText | None = None
    subtitle: RawText | None = None
    links: tuple[RawLink, ...] = ()
    authors: tuple[Person, ...] = ()
    updated: str | None = None
    rights: RawText | None = None
    icon: str | None = None
    logo: str | None = None
    tags: tuple[Tag, ...] = ()  # of the feed as a whole
    language: str | None = None
    hints: Hints = NO_HINTS
    entries: tuple[RawEntry, ...] = ()
    deleted: tuple[tuple[str, str | None], ...] = ()  # tombstones: (ref, when) as written (I26)
    url: Url  # the address that answered: the base of what says no other (I54)
    encoding: str = "utf-8"  # the one that worked (I2)
    charset: Charset = DECODED  # why that one
    notices: tuple[str, ...] = ()  # what was odd, for the operator
    left_out: tuple[str, ...] = ()  # items that could not be read: named, for the operator (R41)
    outlines: tuple[RawOutline, ...] = ()  # the feeds that it names, if it is a list of sources
    more: tuple[tuple[str, str | None], ...] = ()  # other documents that hold its entries, and when each changed
    following: str | None = None  # what names the next page of a list, as JSON
    cut: bool = False  # truncated: what is missing proves nothing, validators are not kept (I13)
    complete: bool = False  # it says that it lists all its entries (fh:complete; I27)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The feed an entry comes from, as it is credited (`atom:source`; RFC 4287, section 4.2.11; A9)."""

    id: str
    title: str
    updated: datetime | None = None
    self_link: Url | None = None
    link: Url | None = None  # the site's page
    authors: tuple[Person, ...] = ()
    rights: str | None = None
    icon: Url | None = None
    logo: Url | None = None
    tags: tuple[Tag, ...] = ()


class KeyRule(StrEnum):
    """By which of I30 and I34 an entry got its key."""

    ID = "id"
    LINK = "link"
    ENCLOSURE = "enclosure"
    TITLE_AND_DATE = "title_and_date"
    TITLE_AND_CONTENT = "title_and_content"


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """What a source told of an entry that `rewrite` has changed since."""

    title: str
    link: Url | None
    summary: str
    content: str
    text: str
    authors: tuple[Person, ...]
    tags: tuple[Tag, ...]
    digest: Digest
    text_digest: Digest | None
    by: tuple[str, ...] = ()  # the steps that changed something


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One item of one source, cleaned; identified as well once `key` and the digests are there.

    Every text is free of characters that XML 1.0 forbids (I7), all HTML went through the sanitiser (S30), all URLs are
    absolute, all times aware UTC.
    """

    key: EntryKey = EntryKey("")  # until `identify` has given it
    key_rule: KeyRule = KeyRule.ID
    id: str | None = None  # the source's own id, as written
    digest: Digest = Digest("")  # of what a reader would see; a new digest means a revision (I38)
    text_digest: Digest | None = None  # of title and plain text, for other sources; None under eight tokens
    title: str = ""  # plain text (I51); empty if the source has none: see `display_title`
    link: Url | None = None  # may have a fragment
    summary: str = ""  # sanitised HTML; empty if there is none or it equals the content
    content: str = ""  # sanitised HTML
    text: str = ""  # the plain text of content, or of summary: blanks collapsed
    authors: tuple[Person, ...] = ()
    tags: tuple[Tag, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()
    supplement: Supplement = NO_SUPPLEMENT
    published: datetime | None = None  # the publisher's; None if there is none, never "now" (I43)
    updated: datetime | None = None
    rights: str | None = None
    language: str | None = None  # BCP 47
    origin: Origin | None = None  # only if the entry itself carried one (I25)
    filed: tuple[str, ...] = ()  # keys of categories that it names itself (DESIGN 3.1, Categories)
    asked: tuple[tuple[str, str], ...] = ()  # (path, value) for the request that brings its detail
    original: Original | None = None  # what the source told, if `rewrite` changed it; `digest` is of what came of it
    position: int = 0

    @property
    def as_told(self) -> "Entry":
        """Give the entry as its source tells it."""
        before = self.original
        if before is None:
            return self
        said = {each.name: getattr(before, each.name) for each in fields(before) if each.name != "by"}
        return replace(self, **said, original=None)

    @property
    def told_digest(self) -> Digest:
        """Give the digest of what the source tells; a new one means a revision (I38)."""
        return self.original.digest if self.original else self.digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One document, cleaned; `NO_NEWS` where an answer had none."""

    format: str = ""
    id: str | None = None
    title: str = ""
    link: Url | None = None  # the site's page
    self_link: Url | None = None
    authors: tuple[Person, ...] = ()
    updated: datetime | None = None
    rights: str | None = None
    icon: Url | None = None
    logo: Url | None = None
    tags: tuple[Tag, ...] = ()
    language: str | None = None
    hints: Hints = NO_HINTS
    entries: tuple[Entry, ...] = ()
    outlines: tuple[Outline, ...] = ()  # the feeds that it names, if it is a list of sources
    more: tuple[tuple[Url, datetime | None], ...] = ()  # other documents that hold its entries, and when each changed
    older: Url | None = None  # the document with the entries before these (I28)
    following: str | None = None  # what names the next page of a list, as JSON
    deleted: tuple[tuple[str, datetime | None], ...] = ()
    encoding: str = ""
    charset: Charset = DECODED
    notices: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()  # entries that could not be read: named, for the operator (R41)
    cut: bool = False
    gap: str | None = None  # why the way to what is known broke off: entries in between are missing (R45)
    complete: bool = False  # it says that it lists all its entries: only then does absence mean something (I27)


NO_NEWS = Feed()

Headers = Mapping[str, str]  # lower-case names
