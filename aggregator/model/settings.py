"""The settings in feeds.yaml with all defaults applied and all paths absolute. `config` makes them.

No other code reads the file or its environment variables.
"""

import hashlib
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from datetime import time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final, NewType

from aggregator.errors import Problem
from aggregator.model.formats import FORMATS
from aggregator.model.record import record
from aggregator.urls import Url

SourceKey = NewType("SourceKey", str)  # [a-z0-9][a-z0-9._-]{0,79}; identifies a source for ever
CategoryKey = NewType("CategoryKey", str)  # key under `categories:`; any text without control characters

GENERAL = CategoryKey("general")  # category of sources that name none


class Secret(str):
    """A text that must not be shown: its `repr` is `***` (S44). `str.__str__(secret)` returns the plain text."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "***"


class Kind(StrEnum):
    """Kind of a source, which decides how its bodies are read."""

    FEED = "feed"
    JSON = "json"
    HTML = "html"
    SITEMAP = "sitemap"
    FILE = "file"
    OPML = "opml"
    COMMAND = "command"


class Dedupe(StrEnum):
    """Which entries of different sources may become one story; each member allows more than the one before."""

    OFF = "off"
    EXACT = "exact"
    NEAR = "near"


NEAR: Final = 0.85  # text similarity that is required where the titles are the same, unless feeds.yaml says another


class Identity(StrEnum):
    """The part of an entry that makes it the same entry at the next poll: setting `identity`."""

    ID = "id"
    LINK = "link"
    TITLE = "title"


class Show(StrEnum):
    """The published part of an entry: setting `show`."""

    FULL = "full"
    SUMMARY = "summary"
    TITLE = "title"


class PageShow(StrEnum):
    """The part of each story that the page of a category shows: setting `pages.show`."""

    FULL = "full"
    SUMMARY = "summary"
    TITLES = "titles"


class Front(StrEnum):
    """The list with which the start page begins: setting `site.front`."""

    LATEST = "latest"
    CATEGORIES = "categories"


@record
class Rule:
    """One item of `include` or `exclude`, or a `when`. It matches if all that it says holds."""

    patterns: tuple[tuple[str, str], ...] = ()  # (field of `rules.FIELDS`, regular expression)
    age: timedelta | None = None  # least time from an entry's own date to first seen; undated entries never match
    any_of: "tuple[Rule, ...]" = ()  # one of these matches, if there are any
    all_of: "tuple[Rule, ...]" = ()  # each of these matches
    none_of: "tuple[Rule, ...]" = ()  # none of these matches

    def __str__(self) -> str:
        """Return the rule as `why` and `status` show it: `title: sponsored, age: 30d`."""
        said = [f"{name}: {pattern}" for name, pattern in self.patterns]
        said += [f"age: {self.age}"] if self.age is not None else []
        nested = (("any", self.any_of), ("all", self.all_of), ("not", self.none_of))
        said += [f"{name}: [{'; '.join(map(str, rules))}]" for name, rules in nested if rules]
        return ", ".join(said)

    @property
    def depth(self) -> int:
        """Return how many rules lie inside of each other: 1 for a rule of patterns alone."""
        return 1 + max((rule.depth for rule in (*self.any_of, *self.all_of, *self.none_of)), default=0)


@record
class Rewrite:
    """A step of `rewrite` that replaces text in one field; `strip` is part of `Reading`."""

    field: str  # title, content, summary, author, tag, link
    pattern: str
    replacement: str = ""  # with \\1 and so on for groups of the pattern

    def __str__(self) -> str:
        """Return the step as `why` and `status` show it."""
        return f"{self.field}: {self.pattern}"


@record
class Route:
    """An item of `route`: a further category for matching entries."""

    when: Rule
    to: CategoryKey

    def __str__(self) -> str:
        """Return the route as `why` and `status` show it."""
        return f"{self.when} → {self.to}"


@record
class Reading:
    """Settings of a source that `parse` and `clean` need to read its bodies."""

    kind: Kind = Kind.FEED
    encoding: str | None = None  # overrides a wrong declaration
    timezone: str = "UTC"  # IANA name; of dates without a zone
    limit: int | None = None  # most entries that a poll reads
    allow_classes: frozenset[str] = frozenset()  # class names that cleaning keeps (S34)
    strip: tuple[str, ...] = ()  # CSS selectors of elements that are removed from texts first
    items: str | None = None  # path or selector of the items, in a source that is not a feed
    fields: tuple[tuple[str, str], ...] = ()  # (field of an entry, its path in an item or a text with {fields})
    filing: tuple[str, ...] = ()  # texts with {fields} for categories that items name
    asked: tuple[str, ...] = ()  # paths of values for the request of an item's detail
    next: str | None = None  # path of the next page in a list
    is_article: bool = False  # the body is the page behind an entry's link, for `full_text`
    identity: Identity = Identity.ID
    ignore: frozenset[str] = frozenset()  # fields whose change is no revision (`identify.keys.IGNORED`)


@record
class Request:
    """Method and body of a request."""

    method: str = "GET"
    body: Secret | None = None  # body of a POST; may contain a token
    is_json: bool = False  # the body was a mapping in feeds.yaml
    is_notice: bool = False  # a notification: any 2xx is a success, the body is ignored, redirects are not followed


@record
class Paging:
    """Settings for the requests of further pages of a JSON list."""

    url: Secret  # as in feeds.yaml, perhaps with {page} or {next}; may contain a password
    body: Secret | None = None  # body of a POST as in feeds.yaml, perhaps with {page} or {next}
    path: str | None = None  # JMESPath of the next page, or of a value that tells whether there is one
    follows: bool = False  # the value at `path` is the address of the next page
    first: int = 1  # value of {page} for the first page
    step: int = 1  # difference of {page} from page to page


@record
class Detail:
    """The second request for each entry (`detail`, `full_text`)."""

    url: str  # with {fields} of the item, as the body
    request: Request
    reading: Reading  # how the answer is read: a document with one entry


@record
class Program:
    """An operator's own program: of a source (`kind: command`), or of a hook."""

    path: Path  # absolute
    name: str  # as written in feeds.yaml
    folder: Path  # that it is started in: that of feeds.yaml
    arguments: tuple[Secret, ...] = ()
    environment: tuple[tuple[str, Secret], ...] = ()  # variables beside the few that every program gets
    timeout: timedelta = timedelta(seconds=30)
    holds: bool = False  # of a hook that failed: the poll fails; else the entries are taken unchanged
    line: int = field(default=0, compare=False)  # in feeds.yaml, for messages

    def __str__(self) -> str:
        """Return the name as `plan`, `why` and `status` show it."""
        return self.name


@record
class Source:
    """One configured address to poll, with `defaults:` applied."""

    key: SourceKey
    url: Url  # normalised, without credentials; for `kind: file` a file: URL of the resolved path
    safe_url: Url | None = None  # `url` without secrets, for outputs and reports (S44); None: must not be shown
    path: Path | None = None  # local file (`kind: file`, `opml`, `command`): absolute
    program: Program | None = None  # of `kind: command`
    listed_by: SourceKey | None = None  # key of the OPML list that names it; None: in feeds.yaml itself
    line: int = 0  # its line in feeds.yaml, for messages
    title: str | None = None  # overrides the title of the feed
    categories: tuple[CategoryKey, ...] = (GENERAL,)  # categories of all its entries
    made: tuple[CategoryKey, ...] = ()  # categories that its items have named so far (`reading.filing`)
    reading: Reading = Reading()
    request: Request = Request()
    paging: Paging | None = None  # of a JSON list; None: one page, or documents that link to the next
    detail: Detail | None = None
    every: timedelta | None = None  # None: auto
    schedule: str | None = None  # five cron fields
    schedule_zone: str = "UTC"  # time zone of `schedule`: site.timezone
    crowding: timedelta = timedelta(0)  # shortest interval that the budget of its host allows for all sources (P72)
    frequent: str | None = None  # reason for an interval under 15 minutes
    min_interval: timedelta = timedelta(minutes=15)
    max_interval: timedelta = timedelta(days=1)
    timeout: timedelta = timedelta(seconds=30)  # for a whole poll with redirects
    keep: timedelta | None = None  # None: forever
    silent_after: timedelta | None = None  # without a new entry: then the alarm `silent`; None: learned from its rhythm
    initial: int = 50  # entries of the first poll that are published
    dedupe: Dedupe = Dedupe.NEAR
    near: float = 0.85
    window: timedelta = timedelta(days=7)
    own_dedupe: bool = False  # `dedupe` is set at the source, not only in `defaults`
    was: tuple[str, ...] = ()  # earlier URLs (normalised) or keys
    priority: int = 0  # the copy of a story with the highest priority is shown
    include: tuple[Rule, ...] = ()
    exclude: tuple[Rule, ...] = ()
    rewrite: tuple[Rewrite, ...] = ()
    routes: tuple[Route, ...] = ()
    hooks: tuple[Program, ...] = ()  # that see each new entry
    show: Show | None = None
    noindex: bool = False  # search engines are asked to leave its entries out
    language: str | None = None  # of its entries, as far as they name none
    private: bool = False  # no output shows its address (S44)
    headers: tuple[tuple[str, Secret], ...] = ()
    auth: tuple[str, Secret] | None = None  # user and password from the URL (P85)
    paused: bool = False
    trust: bool = False  # entries are never held because the source looks like another feed (R44)
    allow_private: bool = False  # a rule of `hosts:` with allow_private applies to its host (S6)
    accept: str | None = None  # replaces the default Accept header (P77)
    pages: int = 0  # further documents that the first poll reads, with `paging` every poll (I28, R45)
    robots: str | None = None  # reason why robots.txt does not apply (P89)
    proxy: Secret | None = None  # address of an HTTP proxy, empty for none; None: that of all sources

    @property
    def places(self) -> tuple[CategoryKey, ...]:
        """All categories in which its entries may be published."""
        return tuple(dict.fromkeys((*self.categories, *self.made, *(route.to for route in self.routes))))

    @property
    def outward(self) -> tuple[object, ...]:
        """Settings, other than limits, that change how its entries look in outputs; usually empty."""
        classes = sorted(self.reading.allow_classes)
        return (*classes, self.language) if self.language else tuple(classes)

    @property
    def own_machine(self) -> bool:
        """True if the source is on the operator's own machines, so that polling it needs no internet (P87)."""
        return self.allow_private or self.is_local

    @property
    def is_local(self) -> bool:
        """True if the source is a local file or program: no request leaves (S2)."""
        return self.path is not None and self.reading.kind in (Kind.FILE, Kind.OPML, Kind.COMMAND)


@record
class HostRule:
    """An entry of `hosts:`: limits for a host name and its subdomains, or for an IP network."""

    name: str  # as written: a host name, or a network in CIDR form
    network: ipaddress.IPv4Network | ipaddress.IPv6Network | None = None  # None: `name` is a host name
    spacing: timedelta | None = None  # None: the default of P61
    parallel: int | None = None  # None: 1
    allow_private: bool = False


@record
class Category:
    """A category that `categories:` declares, or that is created because a source names it."""

    key: CategoryKey
    title: str
    declared: bool = True  # False: only sources name it
    description: str | None = None
    slug: str | None = None  # None: derived from the key at first publication
    id: str | None = None  # feed id that the operator chose (A3)
    was: tuple[CategoryKey, ...] = ()
    entries: int = 50  # its own `entries`, or `publish.entries`
    show: Show = Show.FULL
    page_show: PageShow | None = None  # how much of each story its page shows; None: `pages.show`
    unlisted: bool = False
    dedupe: Dedupe | None = None
    near: float | None = None
    window: timedelta | None = None
    include: tuple[Rule, ...] = ()
    exclude: tuple[Rule, ...] = ()
    limit: int | None = None  # most new entries that a poll of one source adds


@record
class Site:
    """Title, address and language of the published site."""

    title: str = "Planet"
    base_url: Url  # with a trailing slash; may have a path
    language: str = "en"
    timezone: str = "UTC"
    contact: str | None = None
    description: str | None = None  # for the start page
    logo: str | None = None  # address of a picture, or its path in the published folder
    front: Front | None = None  # None: by the number of categories
    headlines: int = 5  # stories of each category on the start page


@record(kw_only=False)
class BucketAddress:
    """A bucket of object storage, and a prefix of the names of its objects."""

    name: str
    prefix: str = ""  # without leading and trailing slash; may be empty

    def __str__(self) -> str:
        return f"s3://{self.name}/{self.prefix}".rstrip("/")


@record
class Jekyll:
    """Export of posts for Jekyll or Hugo. Pairs such as `file_at` are line and column in feeds.yaml, for messages."""

    to: Path  # absolute
    file: str  # template of a file name
    file_at: tuple[int, int] = (1, 1)
    template: Path | None = None  # absolute; None: the built-in one
    template_at: tuple[int, int] = (1, 1)
    hot: timedelta | None = None  # older stories move to `archive_to`; None: they stay
    archive_to: Path | None = None  # absolute; set together with `hot`


@record
class Publish:
    """Place, formats and sizes of outputs."""

    to: Path | BucketAddress  # paths are absolute
    formats: frozenset[str] = frozenset(FORMATS)
    entries: int = 50
    archive_page: int = 50
    entry_pages: bool = True  # a page for each story
    gzip: bool = True
    fair: bool = True  # one source has at most half of a category's list on the start page (A23)
    feed_style: bool = False  # Atom and RSS name the stylesheet `feed.css`, which is published then (0171)
    refresh: timedelta | None = None  # interval at which pages reload themselves; None: never
    theme: Path | None = None  # absolute path of the folder with the operator's templates and stylesheet
    theme_at: tuple[int, int] = (1, 1)  # line and column, for messages
    jekyll: Jekyll | None = None
    hub: Url | None = None  # WebSub hub, named in feeds and pinged when a main document changes (A85)
    static: Path | None = None  # absolute path of a folder that is copied unchanged
    aliases: tuple[tuple[str, str], ...] = ()  # (old address, output of which it is a copy)


@record
class Pages:
    """Settings for stories on pages."""

    images: bool = True  # the picture of a story where its text does not show one
    show: PageShow | None = None  # how much of each story the page of a category shows; None: short texts in full
    sources: bool | None = None  # each source has a page; None: if they are not too many


@record
class Alarming:
    """Feed, addresses and hours for alarms: setting `alarms`."""

    feed: str | None = None  # path of the Atom feed of alarms, in the published folder
    webhook: Secret | None = None  # address that gets a POST
    notify: tuple[Secret, ...] = ()  # addresses of Apprise
    quiet: tuple[time, time] | None = None  # no message between these times, in site.timezone
    digest: time | None = None  # one message a day, at this time; None: a message at each beginning and end


NO_ALARMING = Alarming()


@record
class Settings:
    """All settings of feeds.yaml."""

    path: Path  # absolute path of feeds.yaml
    site: Site
    store: str  # an SQLAlchemy URL with an absolute path
    publish: Publish
    pages: Pages = Pages()
    alarms: Alarming = NO_ALARMING
    host: str = "127.0.0.1"  # host of serve.bind
    port: int = 8080
    workers: int = 16
    proxy: Secret | None = None
    hosts: tuple[HostRule, ...] = ()
    categories: tuple[Category, ...] = ()  # in the order of the file, then those named by sources alone
    sources: tuple[Source, ...] = ()
    default_rules: frozenset[str] = frozenset()  # rules of `defaults` in words, such as `exclude title: sponsored`
    warnings: tuple[str, ...] = field(default=())  # file:line:column: text, for the operator
    notes: tuple[Problem, ...] = ()  # printed by `check` only
    secrets: frozenset[Secret] = frozenset()  # values of ${NAME}, passwords, tokens; never in outputs (S44)

    @property
    def has_lists(self) -> bool:
        """Whether any source is an OPML list."""
        return any(source.reading.kind is Kind.OPML for source in self.sources)


@record(kw_only=False)
class Roster:
    """Sources and categories of the settings, indexed by key."""

    sources: Mapping[SourceKey, Source]
    categories: Mapping[CategoryKey, Category]
    hosts: tuple[HostRule, ...] = ()
    entries: int = 50  # publish.entries, for categories that are not declared

    @property
    def opened(self) -> frozenset[str]:
        """Names of the rules of `hosts:` that allow private addresses (S6)."""
        return frozenset(rule.name for rule in self.hosts if rule.allow_private)

    @classmethod
    def of(cls, settings: Settings) -> "Roster":
        """Return the index of some settings."""
        return cls(
            {source.key: source for source in settings.sources},
            {category.key: category for category in settings.categories},
            settings.hosts,
            settings.publish.entries,
        )

    def with_made(self, made: Mapping[SourceKey, Sequence[CategoryKey]]) -> "Roster":
        """Return the roster with categories that items have named. Their key is also the title.

        Args:
            made: keys of categories, by source. A category that feeds.yaml declares, or has renamed (`was`), is not
                replaced.
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
    """Return the digest of all settings that decide which bytes a poll gets and how they are read (P9, P65).

    The settings are: address, credentials, headers, Accept, kind, encoding, time zone, stripped elements and so on. If
    the digest changes, validators are dropped and the source is polled, because after a 304 the entries would stay as
    read with the old settings. Key, title, categories and intervals are not part of the digest. The digest is one-way,
    so that credentials are not stored.
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
        *((reading.identity.value,) if reading.identity is not Identity.ID else ()),
        *((sorted(reading.ignore),) if reading.ignore else ()),
        *((("proxy", str.__str__(source.proxy)),) if source.proxy is not None else ()),
        *(_said_to(source.program) if source.program else ()),
    )
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _said_to(program: Program) -> tuple[object, ...]:
    environment = tuple((name, str.__str__(value)) for name, value in program.environment)
    return tuple(map(str.__str__, program.arguments)), environment


def _beyond_feeds(source: Source) -> tuple[object, ...]:
    """Return the settings of a source that is not a feed; empty for feeds, so that their stored digests stay valid."""
    reading, request, paging = source.reading, source.request, source.paging
    if not reading.fields and reading.items is None and request == Request():
        return ()
    body = None if request.body is None else str.__str__(request.body)
    facts = (reading.items, reading.fields, reading.filing, request.method, body, request.is_json)
    if paging is None:
        return facts
    told = None if paging.body is None else str.__str__(paging.body)
    return (*facts, str.__str__(paging.url), told, paging.path, paging.first, paging.step)
