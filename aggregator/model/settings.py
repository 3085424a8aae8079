"""What feeds.yaml says, resolved: every default applied, every path absolute, every key named. `config` makes it.

Nothing reads a file, a global or the environment after this (STYLE, section 7).
"""

import hashlib
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    """One item of `include` or `exclude`, or a `when`: all that it names must hold (DESIGN 3.1, Rules)."""

    patterns: tuple[tuple[str, str], ...] = ()  # (field, regular expression); fields are those of `rules.FIELDS`
    age: timedelta | None = None  # its own date is at least so long before it was first seen; undated, it never is

    def __str__(self) -> str:
        """Give the rule as `why` and `status` name it: `title: sponsored, age: 30d`."""
        said = [f"{name}: {pattern}" for name, pattern in self.patterns]
        return ", ".join(said + ([f"age: {self.age}"] if self.age is not None else []))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """A step of `rewrite` that replaces something in one field; `strip` is part of the reading."""

    field: str  # title, content, summary, author, tag, link
    pattern: str
    replacement: str = ""  # with \\1 and so on for groups of the pattern

    def __str__(self) -> str:
        """Give the step as `why` and `status` name it."""
        return f"{self.field}: {self.pattern}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """An item of `route`: where entries go as well."""

    when: Rule
    to: CategoryKey

    def __str__(self) -> str:
        """Give the route as `why` and `status` name it."""
        return f"{self.when} → {self.to}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What `parse` and `clean` need to know of a source to read its bodies."""

    kind: Kind = Kind.FEED
    encoding: str | None = None  # the operator's word against a wrong declaration
    timezone: str = "UTC"  # IANA name; of dates without a zone
    limit: int | None = None  # entries a poll
    allow_classes: frozenset[str] = frozenset()  # class names that cleaning leaves (S34)
    strip: tuple[str, ...] = ()  # CSS selectors of what is taken out of texts before anything looks at them
    items: str | None = None  # where the list of items is, in a source that is no feed (DESIGN, section 6)
    fields: tuple[tuple[str, str], ...] = ()  # (field of an entry, path or text with {fields}: where an item has it)
    filing: tuple[str, ...] = ()  # texts with {fields}: the categories that an item names itself
    asked: tuple[str, ...] = ()  # paths of what the request for an item's detail needs
    next: str | None = None  # where a list names its next page
    is_article: bool = False  # the page behind an entry's link, for `full_text`


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is sent to an address, beyond headers."""

    method: str = "GET"
    body: Secret | None = None  # of a POST; it may hold a token
    is_json: bool = False  # it was a mapping in feeds.yaml
    is_notice: bool = False  # it tells something: any 2xx is well whatever its body, and no redirect is followed


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """How the further pages of a list are asked for (DESIGN, section 6)."""

    url: Secret  # as feeds.yaml has it, perhaps with {page} or {next}; it may hold a password
    body: Secret | None = None  # likewise, of a POST; of JSON its text
    path: str | None = None  # where an answer names the next page, or says whether there is one; None: it doesn't
    follows: bool = False  # what stands there is the address of the next page
    first: int = 1  # what {page} is at first,
    step: int = 1  # and by how much it grows


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """What is asked once an entry, for what the list does not give (DESIGN, section 6)."""

    url: str  # with {fields} of the item, like the body
    request: Request
    reading: Reading  # of the answer, a list of one


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One configured place to poll, `defaults:` applied."""

    key: SourceKey
    url: Url  # normalised, without credentials; for `kind: file` a file: URL of the resolved path
    safe_url: Url | None = None  # `url` as outputs and reports may show it: without secrets (S44); None: not at all
    path: Path | None = None  # `kind: file` only: absolute, below the folder of feeds.yaml
    listed_by: SourceKey | None = None  # the list that names it; None: feeds.yaml itself
    line: int = 0  # where feeds.yaml names it, for messages
    title: str | None = None  # overrides the feed's own
    categories: tuple[CategoryKey, ...] = (GENERAL,)  # where all its entries are published
    made: tuple[CategoryKey, ...] = ()  # those that its items have named so far, if `reading.filing` lets them
    reading: Reading = Reading()
    request: Request = Request()
    paging: Paging | None = None  # of a list; None: a document itself links to the next, or nothing does
    detail: Detail | None = None
    every: timedelta | None = None  # None: auto
    schedule: str | None = None  # five cron fields,
    schedule_zone: str = "UTC"  # by the clocks of site.timezone
    crowding: timedelta = timedelta(0)  # the least interval at which its host's budget serves all its sources (P72)
    frequent: str | None = None  # the reason that allows less than 15 minutes
    min_interval: timedelta = timedelta(minutes=15)
    max_interval: timedelta = timedelta(days=1)
    timeout: timedelta = timedelta(seconds=30)  # of a whole poll, redirects included
    keep: timedelta | None = None  # None: forever
    initial: int = 50  # entries of the first poll that are published
    dedupe: Dedupe = Dedupe.NEAR
    near: float = 0.85
    window: timedelta = timedelta(days=7)
    own_dedupe: bool = False  # it says so itself; else `defaults` does
    was: tuple[str, ...] = ()  # earlier URLs (normalised) or keys
    priority: int = 0  # which copy of a story is shown: higher wins
    include: tuple[Rule, ...] = ()
    exclude: tuple[Rule, ...] = ()
    rewrite: tuple[Rewrite, ...] = ()
    routes: tuple[Route, ...] = ()
    show: Show | None = None
    noindex: bool = False  # search engines are asked to leave its entries out
    private: bool = False  # its address appears in no output (S44)
    headers: tuple[tuple[str, Secret], ...] = ()
    auth: tuple[str, Secret] | None = None  # user and password that stood in the URL (P85)
    paused: bool = False
    trust: bool = False  # nothing of it is held because it looks like another feed (R44)
    allow_private: bool = False  # a hosts: entry with allow_private covers the URL's host (S6)
    accept: str | None = None  # instead of P77's
    pages: int = 0  # documents behind its own that the first poll reads, and with `paging` later ones (I28, R45)
    robots: str | None = None  # the reason why robots.txt does not bind here (P89)

    @property
    def places(self) -> tuple[CategoryKey, ...]:
        """All categories in which entries of it are published."""
        return tuple(dict.fromkeys((*self.categories, *self.made, *(route.to for route in self.routes))))

    @property
    def own_machine(self) -> bool:
        """Tell whether it lies on the operator's own machines, which need no way out into the world (P87)."""
        return self.allow_private or self.is_local

    @property
    def is_local(self) -> bool:
        """Whether the source is a file: only these kinds are read from the disk, whatever else a source says (S2)."""
        return self.path is not None and self.reading.kind in (Kind.FILE, Kind.OPML)


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
    limit: int | None = None  # new entries that a poll of one source brings into it


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the published site says of itself."""

    title: str = "Planet"
    base_url: Url  # with a trailing slash; may have a path
    language: str = "en"
    timezone: str = "UTC"
    contact: str | None = None


@dataclass(frozen=True, slots=True)
class BucketAddress:
    """A place in object storage: a bucket, and what stands before the names of its objects."""

    name: str
    prefix: str = ""  # without slashes at its ends; may be empty

    def __str__(self) -> str:
        return f"s3://{self.name}/{self.prefix}".rstrip("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Jekyll:
    """What is exported as posts, and where to (DESIGN 7). Line and column are those of feeds.yaml, for messages."""

    to: Path  # absolute
    file: str  # template of a name
    file_at: tuple[int, int] = (1, 1)
    template: Path | None = None  # absolute; None: the built-in one
    template_at: tuple[int, int] = (1, 1)
    hot: timedelta | None = None  # older stories move to `archive_to`; None: they stay
    archive_to: Path | None = None  # absolute; there if `hot` is


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """Where and how outputs are written."""

    to: Path | BucketAddress  # an absolute path
    formats: frozenset[str] = frozenset({"atom", "rss", "json", "html"})
    entries: int = 50
    archive_page: int = 50
    entry_pages: bool = True  # one page a story
    gzip: bool = True
    fair: bool = True  # one source fills at most half of a category's list on the start page (A23)
    refresh: timedelta | None = None  # so often pages reload themselves; None: never
    theme: Path | None = None  # own templates and stylesheet: a folder, absolute
    theme_at: tuple[int, int] = (1, 1)  # line and column, for messages
    jekyll: Jekyll | None = None
    hub: Url | None = None  # that is told when a main document changes, and that they name (A85); None: none
    static: Path | None = None  # absolute: a folder that is copied as it is
    aliases: tuple[tuple[str, str], ...] = ()  # old addresses, and the outputs they are copies of


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
    hosts: tuple[HostRule, ...] = ()
    entries: int = 50  # publish.entries: of categories that nobody declares

    @property
    def opened(self) -> frozenset[str]:
        """Give the entries of `hosts` that open private addresses (S6)."""
        return frozenset(rule.name for rule in self.hosts if rule.allow_private)

    @classmethod
    def of(cls, settings: Settings) -> "Roster":
        """Index what the settings name."""
        return cls(
            {source.key: source for source in settings.sources},
            {category.key: category for category in settings.categories},
            settings.hosts,
            settings.publish.entries,
        )

    def with_made(self, made: Mapping[SourceKey, Sequence[CategoryKey]]) -> "Roster":
        """Add the categories that items have named: the text is key and title, all else as if a source named it.

        Args:
            made: by source; those that feeds.yaml declares as well, or has renamed (`was`), stay as it says.
        """
        heirs = {was: category.key for category in self.categories.values() for was in category.was}
        made = {
            key: tuple(dict.fromkeys(heirs.get(each, each) for each in keys))
            for key, keys in made.items()
            if key in self.sources
        }
        named = dict.fromkeys(key for keys in made.values() for key in keys)
        new = {
            key: Category(key=key, title=key, declared=False, entries=self.entries)
            for key in named
            if key not in self.categories
        }
        sources = {key: replace(self.sources[key], made=tuple(keys)) for key, keys in made.items()}
        return replace(self, sources={**self.sources, **sources}, categories={**self.categories, **new})


def fetch_settings_of(source: Source) -> str:
    """Give the digest of what decides which bytes a poll brings, and how they are read (P9, P65).

    When it changes, validators are dropped and the source is polled: its address, credentials, headers and Accept, and
    kind, encoding, time zone and what is stripped, for a 304 would leave the old reading in place. Key, title,
    categories and pace are not in it. It is one-way: credentials stay out of the store.
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
        *_beyond_feeds(source),
        *((reading.strip,) if reading.strip else ()),
    )
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _beyond_feeds(source: Source) -> tuple[object, ...]:
    """Give the same of a source that is no feed; nothing of others, whose digests are stored already."""
    reading, request, paging = source.reading, source.request, source.paging
    if not reading.fields and reading.items is None and request == Request():
        return ()
    body = None if request.body is None else str.__str__(request.body)
    facts = (reading.items, reading.fields, reading.filing, request.method, body, request.is_json)
    if paging is None:
        return facts
    told = None if paging.body is None else str.__str__(paging.body)
    return (*facts, str.__str__(paging.url), told, paging.path, paging.first, paging.step)
