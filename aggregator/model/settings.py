"""What feeds.yaml says, resolved: every default applied, every path absolute, every key named. `config` makes it.

Nothing reads a file, a global or the environment after this (STYLE, section 7).
"""

import hashlib
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import NewType

from aggregator.urls import Url

SourceKey = NewType("SourceKey", str)  # [a-z0-9][a-z0-9._-]{0,79}: the same key means the same source for ever
CategoryKey = NewType("CategoryKey", str)  # the key under `categories:`; any text without control characters

GENERAL = CategoryKey("general")  # where entries go that name no category


class Secret(str):
    """A text that must not be shown: its `repr` is `***` (S44). Whoever sends it writes `str.__str__(secret)`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "***"


class Kind(StrEnum):
    """What a source is read as."""

    FEED = "feed"
    JSON = "json"
    HTML = "html"
    SITEMAP = "sitemap"
    FILE = "file"
    OPML = "opml"


class Dedupe(StrEnum):
    """How far entries of different sources may share a story; the later, the freer."""

    OFF = "off"
    EXACT = "exact"
    NEAR = "near"


class Show(StrEnum):
    """How much of an entry is published."""

    FULL = "full"
    SUMMARY = "summary"
    TITLE = "title"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One item of `include` or `exclude`: every named field must match (DESIGN 3.1, Rules)."""

    patterns: tuple[tuple[str, str], ...]  # (field, regular expression): title, content, author, tag, link, language


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What `parse` and `clean` need to know of a source to read its bodies."""

    kind: Kind = Kind.FEED
    encoding: str | None = None  # the operator's word against a wrong declaration
    timezone: str = "UTC"  # IANA name; of dates without a zone
    limit: int | None = None  # entries a poll
    allow_classes: frozenset[str] = frozenset()  # class names that cleaning leaves (S34)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One configured place to poll, `defaults:` applied."""

    key: SourceKey
    url: Url  # normalised, without credentials; for `kind: file` a file: URL of the resolved path
    safe_url: Url | None = None  # `url` as outputs and reports may show it: without secrets (S44); None: not at all
    path: Path | None = None  # `kind: file` only: absolute, below the folder of feeds.yaml
    line: int = 0  # where feeds.yaml names it, for messages
    title: str | None = None  # overrides the feed's own
    categories: tuple[CategoryKey, ...] = (GENERAL,)
    reading: Reading = Reading()
    every: timedelta | None = None  # None: auto
    schedule: str | None = None  # five cron fields, in the site's timezone
    frequent: str | None = None  # the reason that allows less than 15 minutes
    min_interval: timedelta = timedelta(minutes=15)
    max_interval: timedelta = timedelta(days=1)
    timeout: timedelta = timedelta(seconds=30)  # of a whole poll, redirects included
    keep: timedelta | None = None  # None: forever
    initial: int = 50  # entries of the first poll that are published
    dedupe: Dedupe = Dedupe.NEAR
    near: float = 0.85
    window: timedelta = timedelta(days=7)
    was: tuple[str, ...] = ()  # earlier URLs (normalised) or keys
    priority: int = 0  # which copy of a story is shown: higher wins
    include: tuple[Rule, ...] = ()
    exclude: tuple[Rule, ...] = ()
    show: Show | None = None
    private: bool = False  # its address appears in no output (S44)
    headers: tuple[tuple[str, Secret], ...] = ()
    auth: tuple[str, Secret] | None = None  # user and password that stood in the URL (P85)
    paused: bool = False
    allow_private: bool = False  # a hosts: entry with allow_private covers the URL's host (S6)
    accept: str | None = None  # instead of P77's


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRule:
    """An entry under `hosts:`: manners for a host name and all below it, or for an IP network."""

    name: str  # as written: a host name, or a network in CIDR form
    network: ipaddress.IPv4Network | ipaddress.IPv6Network | None = None  # None: a name
    spacing: timedelta | None = None  # None: the default of P61
    parallel: int | None = None  # None: 1
    allow_private: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A category as declared under `categories:`, or made because a source names it."""

    key: CategoryKey
    title: str
    declared: bool = True  # False: only a source names it
    description: str | None = None
    slug: str | None = None  # None: derived from the key at first publication
    id: str | None = None  # the operator's own feed id (A3)
    was: tuple[CategoryKey, ...] = ()
    entries: int = 50  # publish.entries, unless the category says otherwise
    show: Show = Show.FULL
    unlisted: bool = False
    dedupe: Dedupe | None = None
    near: float | None = None
    window: timedelta | None = None
    include: tuple[Rule, ...] = ()
    exclude: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the published site says of itself."""

    title: str = "Planet"
    base_url: Url  # with a trailing slash; may have a path
    language: str = "en"
    timezone: str = "UTC"
    contact: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """Where and how outputs are written."""

    to: Path  # absolute
    formats: frozenset[str] = frozenset({"atom", "rss", "json", "html"})
    entries: int = 50
    archive_page: int = 50
    gzip: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole of feeds.yaml."""

    path: Path  # of feeds.yaml itself, absolute
    site: Site
    store: str  # an SQLAlchemy URL with an absolute path
    publish: Publish
    host: str = "127.0.0.1"  # serve.bind
    port: int = 8080
    workers: int = 16
    proxy: Secret | None = None
    hosts: tuple[HostRule, ...] = ()
    categories: tuple[Category, ...] = ()  # in the order of the file, then those that only sources name
    sources: tuple[Source, ...] = ()
    warnings: tuple[str, ...] = field(default=())  # file:line:column: text, for the operator
    notes: tuple[str, ...] = ()  # the same, said by `check` alone
    secrets: frozenset[Secret] = frozenset()  # what came from ${NAME}, passwords, tokens: no output shows one (S44)


@dataclass(frozen=True, slots=True)
class Roster:
    """The sources and categories of the settings by their keys."""

    sources: Mapping[SourceKey, Source]
    categories: Mapping[CategoryKey, Category]

    @classmethod
    def of(cls, settings: Settings) -> "Roster":
        """Index what the settings name."""
        return cls(
            {source.key: source for source in settings.sources},
            {category.key: category for category in settings.categories},
        )


def fetch_settings_of(source: Source) -> str:
    """Give the digest of what decides which bytes a poll brings, and how they are read (P9, P65).

    When it changes, validators are dropped and the source is polled: its address, credentials, headers and Accept, and
    kind, encoding and time zone, for a 304 would leave the old reading in place. Key, title, categories and pace are
    not in it. It is one-way: credentials stay out of the store.
    """
    reading = source.reading
    facts = (
        source.url,
        str(source.path),
        source.auth and tuple(map(str.__str__, source.auth)),
        tuple((name.lower(), str.__str__(value)) for name, value in source.headers),
        source.accept,
        reading.kind.value,
        reading.encoding,
        reading.timezone,
    )
    return hashlib.sha256(repr(facts).encode()).hexdigest()
