"""Entries and feeds: `RawEntry` and `RawFeed` as parsed, `Entry` and `Feed` once cleaned and identified."""

from collections.abc import Mapping
from dataclasses import field, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NewType

from aggregator.model.charset import DECODED, Charset
from aggregator.model.outline import Outline, RawOutline
from aggregator.model.record import record
from aggregator.model.supplement import NO_SUPPLEMENT, ImageRole, Supplement
from aggregator.model.window import NO_LISTING, Listing
from aggregator.urls import Url

# Identifies an entry within its source: an entry with the same key at the next poll is the same entry (I30, I34).
EntryKey = NewType("EntryKey", str)
Digest = NewType("Digest", str)  # SHA-256 in hexadecimal; that of an entry begins with a version and a colon


@record
class RawText:
    """A text as the source declared it; `clean` decides whether it really is text or HTML."""

    value: str
    type: str = "html"  # text, html, xhtml; unknown for RSS, which declares no type
    base: str | None = None  # the xml:base in scope, not resolved
    language: str | None = None


@record
class Person:
    """An author. At least one of the fields is not empty."""

    name: str = ""
    uri: str | None = None
    email: str | None = None  # read, never published (I58)


@record
class Tag:
    """A publisher's category of an entry; published with it, without influence on our categories (I59)."""

    term: str
    scheme: str | None = None
    label: str | None = None


@record
class Enclosure:
    """A file attached to an entry (I56)."""

    url: Url
    type: str | None = None
    length: int | None = None  # bytes
    title: str | None = None
    duration: int | None = None  # seconds


@record
class RawLink:
    """A link as written, not resolved."""

    href: str
    rel: str = "alternate"
    type: str | None = None
    hreflang: str | None = None
    title: str | None = None
    length: str | None = None
    duration: str | None = None  # of an enclosure, as written: seconds or [hh:]mm:ss (I57)
    base: str | None = None


@record
class RawImage:
    """An image as written, not resolved."""

    href: str
    role: ImageRole = ImageRole.PICTURE
    width: str | None = None
    height: str | None = None
    base: str | None = None


@record
class RawSupplement:
    """Images and podcast fields of an entry, as written."""

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


@record
class RawOrigin:
    """The `atom:source` inside an entry, as parsed (I25)."""

    id: str | None = None
    title: RawText | None = None
    links: tuple[RawLink, ...] = ()
    authors: tuple[Person, ...] = ()
    updated: str | None = None
    rights: RawText | None = None
    icon: str | None = None
    logo: str | None = None
    tags: tuple[Tag, ...] = ()


@record
class RawEntry:
    """One item as parsed. HTML is not sanitised, URLs are not absolute, ids may not be unique."""

    id: str | None = None  # Atom id, RSS guid, JSON id: as written, without surrounding blanks
    id_is_link: bool = False  # a guid that is declared as permalink (I31)
    title: RawText | None = None
    links: tuple[RawLink, ...] = ()
    summary: RawText | None = None
    contents: tuple[RawText, ...] = ()
    authors: tuple[Person, ...] = ()
    tags: tuple[Tag, ...] = ()
    enclosures: tuple[RawLink, ...] = ()  # also media:content and attachments; their rel is enclosure
    supplement: RawSupplement = NO_RAW_SUPPLEMENT
    published: str | None = None  # as written; `clean` parses the date
    updated: str | None = None
    rights: RawText | None = None
    language: str | None = None
    origin: RawOrigin | None = None
    filed: tuple[str, ...] = ()  # our categories that the item names, if `category` in feeds.yaml has {fields}
    asked: tuple[tuple[str, str], ...] = ()  # (path, value) for the request of its detail
    position: int = 0  # index in the document, from 0


@record
class Hints:
    """A publisher's wishes about the polling interval, from headers and document. All optional, none trusted."""

    retry_after: timedelta | None = None  # P56
    exhausted: timedelta | None = None  # P37: our rate limit is used up; time until it is reset
    freshness: timedelta | None = None  # P53, P54: remaining time of max-age or Expires; None without these headers
    ttl: timedelta | None = None  # P57
    syndication: timedelta | None = None  # P58: period divided by frequency
    skip_hours: frozenset[int] = frozenset()  # P59, UTC
    skip_days: frozenset[int] = frozenset()  # P59, Monday is 0


NO_HINTS = Hints()


@record
class RawFeed:
    """One document as parsed."""

    format: str  # atom, rss, rdf, json, with the version if there is one: "rss 2.0"
    id: str | None = None
    title: RawText | None = None
    subtitle: RawText | None = None
    links: tuple[RawLink, ...] = ()
    authors: tuple[Person, ...] = ()
    updated: str | None = None
    rights: RawText | None = None
    icon: str | None = None
    logo: str | None = None
    tags: tuple[Tag, ...] = ()  # tags of the whole feed
    language: str | None = None
    hints: Hints = NO_HINTS
    entries: tuple[RawEntry, ...] = ()
    deleted: tuple[tuple[str, str | None], ...] = ()  # tombstones: (ref, when) as written (I26)
    url: Url  # the address that answered; base of links without an own base (I54)
    encoding: str = "utf-8"  # the encoding used to decode the document (I2)
    charset: Charset = DECODED  # how the encoding was chosen
    notices: tuple[str, ...] = ()  # oddities, for the operator
    left_out: tuple[str, ...] = ()  # names of items that could not be read, for the operator (R41)
    outlines: tuple[RawOutline, ...] = ()  # feeds of an OPML list
    more: tuple[tuple[str, str | None], ...] = ()  # other documents with its entries, and their last changes as written
    following: str | None = None  # JSON value that names the next page of a list
    cut: bool = False  # the body was truncated: missing entries mean nothing, validators are not stored (I13)
    complete: bool = False  # the feed declares that it lists all its entries (fh:complete; I27)


@record
class Origin:
    """The feed that an entry is credited to (`atom:source`; RFC 4287, section 4.2.11; A9)."""

    id: str
    title: str
    updated: datetime | None = None
    self_link: Url | None = None
    link: Url | None = None  # web page of the site
    authors: tuple[Person, ...] = ()
    rights: str | None = None
    icon: Url | None = None
    logo: Url | None = None
    tags: tuple[Tag, ...] = ()

    def __hash__(self) -> int:
        """Return the hash of what tells one from another: rendering looks up each entry's."""
        return hash((self.id, self.title, self.link))


class KeyRule(StrEnum):
    """The part of an entry from which its key was made (I30, I34)."""

    ID = "id"
    LINK = "link"
    ENCLOSURE = "enclosure"
    TITLE_AND_DATE = "title_and_date"
    TITLE_AND_CONTENT = "title_and_content"
    TITLE = "title"  # only if the operator says so (`identity: title`)


HOOK: Final = "hook "  # begins the name of a hook among the steps that changed an entry


@record
class Original:
    """Fields of an entry as its source has them, before `rewrite` changed them."""

    title: str
    link: Url | None
    summary: str
    content: str
    text: str
    authors: tuple[Person, ...]
    tags: tuple[Tag, ...]
    digest: Digest
    text_digest: Digest | None
    by: tuple[str, ...] = ()  # steps of `rewrite`, and hooks, that changed something
    dropped: str = ""  # why a hook dropped the entry

    @property
    def hooks(self) -> tuple[str, ...]:
        """The hooks among `by`."""
        return tuple(step for step in self.by if step.startswith(HOOK))


@record
class Entry:
    """One item of one source, cleaned; also identified once `key` and the digests are set.

    No text has characters that XML 1.0 forbids (I7), all HTML is sanitised (S30), all URLs are absolute, and all times
    are aware UTC.
    """

    key: EntryKey = EntryKey("")  # empty until `identify` sets it
    key_rule: KeyRule = KeyRule.ID
    id: str | None = None  # the source's own id, as written
    digest: Digest = Digest("")  # digest of the visible content; a new digest means a revision (I38)
    text_digest: Digest | None = None  # of title and plain text, to find copies in other sources; None under 8 tokens
    title: str = ""  # plain text (I51); empty if the source has none: see `display_title`
    link: Url | None = None  # may have a fragment
    summary: str = ""  # sanitised HTML; empty if there is none or if it equals the content
    content: str = ""  # sanitised HTML
    # Checksums of HTML as the sanitiser wrote it (S30). A text that was changed since has none.
    cleaned: tuple[str, ...] = field(default=(), compare=False, repr=False)
    text: str = ""  # plain text of content, or of summary, with blanks collapsed
    authors: tuple[Person, ...] = ()
    tags: tuple[Tag, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()
    supplement: Supplement = NO_SUPPLEMENT
    published: datetime | None = None  # the publisher's date; None if there is none, never "now" (I43)
    updated: datetime | None = None
    rights: str | None = None
    language: str | None = None  # BCP 47
    origin: Origin | None = None  # only if the entry itself carried one (I25)
    filed: tuple[str, ...] = ()  # keys of categories that the item names itself
    asked: tuple[tuple[str, str], ...] = ()  # (path, value) for the request of its detail
    original: Original | None = None  # fields before `rewrite`, if it changed any; `digest` is of the rewritten ones
    position: int = 0

    @property
    def as_told(self) -> "Entry":
        """The entry as its source has it, before `rewrite`."""
        before = self.original
        if before is None:
            return self
        said = {each.name: getattr(before, each.name) for each in fields(before) if each.name not in ("by", "dropped")}
        return replace(self, **said, original=None)

    @property
    def told_digest(self) -> Digest:
        """Digest of the entry as its source has it; a new digest means a revision (I38)."""
        return self.original.digest if self.original else self.digest


@record
class Feed:
    """One document, cleaned; `NO_NEWS` for an answer without a document."""

    format: str = ""
    id: str | None = None
    title: str = ""
    link: Url | None = None  # web page of the site
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
    outlines: tuple[Outline, ...] = ()  # feeds of an OPML list
    more: tuple[tuple[Url, datetime | None], ...] = ()  # other documents with its entries, and when each changed
    older: Url | None = None  # the document with the next older entries (I28)
    following: str | None = None  # JSON value that names the next page of a list
    deleted: tuple[tuple[str, datetime | None], ...] = ()
    encoding: str = ""
    charset: Charset = DECODED
    notices: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()  # names of entries that could not be read, for the operator (R41)
    cut: bool = False
    gap: str | None = None  # why paging stopped before a known entry: entries between are missing (R45)
    complete: bool = False  # the feed lists all its entries: only then does a missing entry mean something (I27)
    dates_in_figures: bool = False  # a date such as 3/4/2025: all dates together decide whether it is in April
    ids_shared: bool = False  # several entries have one id: all entries together decide what it means (I33)
    listing: Listing = NO_LISTING  # its items by their bytes; `entries` lacks those that are `seen`


NO_NEWS = Feed()

Headers = Mapping[str, str]  # lower-case names
