"""Declares every key of a source, and the table of the whole file."""

from dataclasses import dataclass
from datetime import timedelta

from aggregator.config import addresses, patterns, schedules, selectors, vocabulary
from aggregator.config.alarms import ALARMS
from aggregator.config.compounds import Anything, ListOf, MapOf
from aggregator.config.document import Node, Scalar
from aggregator.config.durations import Duration
from aggregator.config.findings import Findings, Unfit
from aggregator.config.keys import (
    ARGUMENTS,
    CATEGORY_KEY,
    CENTURY,
    ENVIRONMENT,
    MAX_SOURCES,
    PATTERN,
    RULE,
    RULES,
    SHOW,
    CategoryKeys,
    DefaultKeys,
    HostKeys,
    PagesKeys,
    PublishKeys,
    ServeKeys,
    SiteKeys,
)
from aggregator.config.shapes import Choice, Flag, Integer, Schema, Shape, Text
from aggregator.config.tables import Keys, Table, key, optional, required
from aggregator.config.variables import has_variable
from aggregator.model.settings import Identity, Kind

_REASON = Text("a reason", "the reason in words", limit=500)
_FIELD = Text("a path, a selector or a text with {fields}", "where the item has it", limit=2000)


@dataclass(frozen=True, slots=True)
class HeaderValue:
    """The value of a request header."""

    text: str
    is_literal: bool  # written in the file, not taken from a variable


class _HeaderShape(Shape[HeaderValue]):
    words, write = "the value of a header", '"Bearer ${TOKEN}"'

    def __init__(self) -> None:
        self.text = Text(self.words, self.write, limit=4000, hidden=True, check=vocabulary.header_value)

    def read(self, node: Node, findings: Findings) -> HeaderValue:
        if not isinstance(node, Scalar) or node.is_null:
            raise Unfit(f"a header needs a value; write {self.write}")
        return HeaderValue(self.text.read(node, findings), not has_variable(node.raw))

    def schema(self) -> Schema:
        return self.text.schema()


class _OwnProxy(Text):
    """The address of a proxy; empty for `off`, and for YAML's false (S52)."""

    def __init__(self) -> None:
        super().__init__("a proxy, or off", "http://host:3128, or off", limit=2000, check=addresses.proxy)

    def value(self, node: Scalar, text: str) -> str:
        return "" if text == "off" or node.is_false else super().value(node, text)

    def schema(self) -> Schema:
        return {"anyOf": [{"const": False}, super().schema()]}


class StripKeys(Keys):
    """Elements to remove."""

    HOME, CALLED = "strip", "strip"
    css = required(
        Text("a CSS selector", "a selector such as .share-buttons", check=selectors.css),
        "Elements to remove from content and summary, before rules are applied.",
    )


class ReplaceKeys(Keys):
    """Text to replace, and its replacement."""

    HOME, CALLED = "replace", "a replacement"
    replace = required(PATTERN, "Text to replace, wherever it is found; in `content` and `summary` within the HTML.")
    with_ = key(
        Text(limit=5000, exact=True, check=patterns.replacement),
        "",
        "The new text; `\\1` is the match of the first group of the pattern, `\\g<name>` that of a named group, `\\\\` "
        "a backslash.",
    )


REPLACE = Table(ReplaceKeys, words="a replacement", write='{replace: pattern, with: ""}')


class RewriteKeys(Keys):
    """One change to the entries; one of these keys."""

    HOME, CALLED = "rewrite", "a step of rewrite"
    strip = optional(Table(StripKeys, words="a mapping", write="{css: selector}"), "Remove elements from the content.")
    title = optional(REPLACE, "Replace in the title.")
    content = optional(REPLACE, "Replace in the content.")
    summary = optional(REPLACE, "Replace in the summary.")
    author = optional(REPLACE, "Replace in the names of authors; an author whose name becomes empty is removed.")
    tag = optional(REPLACE, "Replace in the tags; a tag that becomes empty is removed.")
    link = optional(REPLACE, "Replace in the link; if the result is not an address, the link stays unchanged.")


REPLACED = (
    RewriteKeys.title,
    RewriteKeys.content,
    RewriteKeys.summary,
    RewriteKeys.author,
    RewriteKeys.tag,
    RewriteKeys.link,
)


class RouteKeys(Keys):
    """A further category for some entries."""

    HOME, CALLED = "route", "a route"
    when = required(RULE, "The entries.")
    to = required(CATEGORY_KEY, "The category in which they are published as well.")


REWRITE = Table(RewriteKeys, words="a mapping", write="{strip: {css: selector}}")
ROUTE = Table(RouteKeys, words="a mapping", write="{when: {title: pattern}, to: category}")


class EntryKeys(Keys):
    """Places of the fields of an entry in an item of a source that is not a feed."""

    HOME, CALLED = "entry", "entry"
    id = optional(_FIELD, "Id; an entry with the same id at the next poll is the same entry.")
    title = optional(_FIELD, "Title.")
    link = optional(_FIELD, "Address of the original.")
    published = optional(_FIELD, "Date, in `timezone`.")
    updated = optional(_FIELD, "Date of the last change, in `timezone`.")
    author = optional(_FIELD, "Author.")
    summary = optional(_FIELD, "Summary.")
    content = optional(_FIELD, "Text.")
    tag = optional(_FIELD, "Tags.")


_METHOD = Choice(GET="GET", POST="POST")


class DetailKeys(EntryKeys):
    """A second request for each entry of a source that is not a feed."""

    HOME, CALLED = "detail", "detail"
    url = required(Text("an address", "an address with {fields} of the item", limit=4096), "Address of the request.")
    method = key(_METHOD, "GET", "`POST` sends `body`.")
    body = optional(Anything(), "A text, or a mapping that is sent as JSON.")


class PageKeys(Keys):
    """Numbers of `{page}`."""

    HOME, CALLED = "page", "page"
    from_ = key(Integer(0, 1_000_000), 1, "Number of the first page.")
    by = key(Integer(1, 10_000), 1, "Difference from page to page: `20` where an API counts items, not pages.")


PAGE = Table(PageKeys, words="a mapping", write="{from: 0, by: 20}")
ENTRY = Table(EntryKeys, words="a mapping", write="{title: …, link: …}")
DETAIL = Table(DetailKeys, words="a mapping", write="{url: …, content: …}")
_KINDS = Choice(
    others={
        **dict.fromkeys("rss rss2 rss2.0 atom rdf jsonfeed json_feed json-feed xml podcast youtube".split(), "feed"),
        **dict.fromkeys("web webpage website page scrape scraper xpath css".split(), "html"),
        **dict.fromkeys("api rest graphql".split(), "json"),
        **dict.fromkeys("local path".split(), "file"),
        **dict.fromkeys("list subscriptions".split(), "opml"),
        **dict.fromkeys("exec script program".split(), "command"),
    },
    feed=Kind.FEED,
    json=Kind.JSON,
    html=Kind.HTML,
    sitemap=Kind.SITEMAP,
    file=Kind.FILE,
    opml=Kind.OPML,
    command=Kind.COMMAND,
)


class DefaultRuleKeys(DefaultKeys):
    """Values for every source that does not have the key itself."""

    include = key(RULES, [], "Only entries that one of these matches.")
    exclude = key(RULES, [], "No entries that one of these matches; wins over `include`.")
    rewrite = key(
        ListOf(REWRITE, "a list of steps", "[{strip: {css: selector}}]"),
        [],
        "Changes to the entries, step by step; after `include` and `exclude`.",
    )
    route = key(
        ListOf(ROUTE, "a list of routes", "[{when: {title: pattern}, to: category}]"),
        [],
        "Entries that are published in a further category.",
    )


IGNORED = Choice(
    others={"authors": "author", "tags": "tag", "category": "tag", "url": "link", "description": "summary"},
    title="title",
    link="link",
    content="content",
    summary="summary",
    author="author",
    tag="tag",
    enclosure="enclosure",
)


class SourceKeys(DefaultRuleKeys):
    """One address to poll."""

    HOME, CALLED = "sources", "a source"
    url = required(
        Text("an address", "https://host/path", limit=addresses.MAX_ADDRESS, exact=True, quotable=False),
        "Address of the feed; for `kind: file` a path in the folder of feeds.yaml; for `kind: opml` either; for "
        "`kind: command` the path of a program.",
    )
    key_ = optional(
        Text("a key", "lower-case letters, digits, dots and hyphens", check=vocabulary.source_key),
        "Stable name of the source.",
        shown="made from the URL",
    )
    title = optional(Text(), "Overrides the feed's own title.")
    category = key(
        ListOf(CATEGORY_KEY, "a category or a list", "a name or [one, another]", alone=True, least=1, most=100),
        ["general"],
        "Categories of the entries. A category that `categories` does not declare is created, unless its name looks "
        "like a misspelling of a declared one.",
    )
    kind = key(_KINDS, "feed", "What the source is; a `feed` may be RSS, Atom, RDF or JSON Feed.")
    schedule = optional(
        Text("a schedule", 'five cron fields, such as "*/20 9-15 * * mon-fri"', check=schedules.schedule),
        "Five cron fields in `site.timezone`, in place of `every`; weekdays are names or 0 to 7, 0 and 7 Sunday. With "
        "both a day of the month and of the week, either counts. A time that the change to summer time skips is "
        "polled at the change; a time that occurs twice in autumn is polled the first time.",
    )
    frequent = optional(_REASON, "The reason that allows polling more often than every 15m, down to 1m.")
    was = key(
        ListOf(
            Text("a URL or key", "the earlier URL or key", limit=addresses.MAX_ADDRESS),
            "a URL or key, or a list",
            "the earlier URL or key",
            alone=True,
        ),
        [],
        "Earlier URL or key of this source; keeps its history.",
    )
    priority = key(Integer(-1000, 1000), 0, "The copy of a story with the highest priority is shown, at once.")
    default_rules = key(
        Flag(),
        True,
        "Whether `include`, `exclude`, `rewrite` and `route` of `defaults` apply to it as well, before its own.",
    )
    full_text = key(Flag(), False, "Use the text of the article page if it is longer; needs the extra `fulltext`.")
    show = optional(SHOW, "How much of an entry this publisher allows to show.")
    noindex = key(Flag(), False, "`true`: asks search engines to leave its entries out.")
    private = key(Flag(), False, "`true`: no output shows the address, or where it redirects to: private.md.")
    language = optional(
        Text("a language", "a tag such as en or zh-CN", check=vocabulary.language),
        "Language of its entries, as far as they and the feed name none.",
    )
    timezone = key(
        Text("a time zone", "a name such as Europe/Berlin", check=vocabulary.timezone),
        "UTC",
        "Time zone of dates that name none.",
    )
    pages = key(
        Integer(0, 1000),
        0,
        "Documents behind `rel=next` or `prev-archive` that the first poll reads; of `kind: json`, pages beyond the "
        "first that a poll reads until it meets known entries: docs/lists.md.",
    )
    identity = key(
        Choice(others={"guid": "id", "url": "link"}, id=Identity.ID, link=Identity.LINK, title=Identity.TITLE),
        "id",
        "What makes an entry the same entry at the next poll; `link` or `title` for a feed whose ids change.",
    )
    ignore = key(
        ListOf(IGNORED, "a list of fields", "[content, author]", alone=True),
        [],
        "Fields whose change is no revision of an entry: it stays as it was if nothing else of it changes.",
    )
    allow_classes = key(
        ListOf(Text("a class name", "a class name"), "a list of class names", "[name]", most=100),
        [],
        "Class names that cleaning keeps.",
    )
    trust = key(Flag(), False, "`true`: entries are published even if the feed seems to be another one.")
    robots = optional(_REASON, "The reason why robots.txt does not apply here.")
    proxy = optional(
        _OwnProxy(),
        "HTTP proxy for this source, in place of that of all; `off`: none. docs/politeness.md.",
    )
    encoding = optional(
        Text("an encoding", "a name such as utf-8 or gb18030", check=vocabulary.encoding),
        "Overrides a wrong declaration of the encoding.",
    )
    headers = key(
        MapOf(vocabulary.header_name, _HeaderShape(), "a mapping of headers", '{Authorization: "Bearer ${TOKEN}"}'),
        {},
        "Request headers, sent to the host of the source only.",
    )
    paused = key(Flag(), False, "`true`: not polled.")
    silent_after = optional(
        Duration(timedelta(days=1), CENTURY),
        "Time without a new entry after which the alarm `silent` is raised: alarms.md.",
        shown="learned from the rhythm",
    )
    arguments = key(ARGUMENTS, [], "Of `kind: command`: arguments of the program; no shell reads them.")
    environment = key(
        ENVIRONMENT,
        {},
        "Of `kind: command`: environment variables for it; it gets none of yours but PATH, HOME and the like.",
    )
    page = optional(PAGE, "Numbers of `{page}` in `url` or `body` of a `kind: json`; keys below.")
    next = optional(
        Text("a path", "a JMESPath such as paging.next", limit=2000),
        "JMESPath in an answer of a `kind: json`: the address of the next page, or the value of `{next}` in `url` or "
        "`body`; together with `{page}`, the value that tells whether there is a next page.",
    )
    items = optional(_FIELD, "Place of the list of items: a JMESPath, a CSS selector, or an XPath with a leading //.")
    entry = optional(ENTRY, "Places of title, link and so on in an item; keys below.")
    detail = optional(DETAIL, "A second request for each entry; keys below.")
    method = key(_METHOD, "GET", "`POST` sends `body`.")
    body = optional(Anything(), "A text, or a mapping that is sent as JSON.")


SITE = Table(SiteKeys, words="a mapping", write="{title: …}")
PUBLISH = Table(PublishKeys, words="a mapping", write="{to: public/}")
PAGES = Table(PagesKeys, words="a mapping", write="{images: off}")
SERVE = Table(ServeKeys, words="a mapping", write="{bind: 127.0.0.1:8080}")
DEFAULTS = Table(DefaultRuleKeys, words="a mapping", write="{every: auto}")
HOST = Table(HostKeys, words="a mapping", write="{spacing: 1s}")
CATEGORY = Table(CategoryKeys, words="a mapping", write="{title: …}, or {}")
SOURCE = Table(SourceKeys, words="a source", write="its address, or a mapping with url:", alone=SourceKeys.url)


class RootKeys(Keys):
    """Keys at the top level of feeds.yaml."""

    site = key(SITE, {}, "Title, address and language of the site.")
    store = key(
        Text("a store", "sqlite:///var/aggregator.db", check=addresses.store),
        "sqlite:///var/aggregator.db",
        "Database with everything that the program knows: a file, or `postgresql://user@host/database`.",
    )
    publish = key(PUBLISH, {}, "Place, formats and sizes of outputs.")
    pages = key(PAGES, {}, "What pages show of stories.")
    serve = key(SERVE, {}, "The web server of `aggregator serve`.")
    alarms = optional(ALARMS, "Where and when you are told of alarms.")
    workers = key(Integer(1, 64), 16, "Parallel fetches over all hosts.")
    proxy = optional(
        Text("a proxy", "http://host:3128", limit=2000, check=addresses.proxy),
        "HTTP proxy for all fetches; `HTTP_PROXY` is ignored. It must refuse your own network: docs/politeness.md.",
    )
    defaults = key(DEFAULTS, {}, "For every source; a source can override each.")
    hosts = key(
        MapOf(addresses.host_name, HOST, "a mapping of hosts", "{example.org: {spacing: 1s}}"),
        {},
        "Limits of a host or domain that differ from the defaults.",
    )
    categories = key(
        MapOf(vocabulary.category_key, CATEGORY, "a mapping of categories", "{python: {title: Python}}"),
        {},
        "The categories, each with its own feed.",
    )
    sources = required(
        ListOf(SOURCE, "a list of sources", "a list: a line with - and an address for each", least=1, most=MAX_SOURCES),
        "The sources to poll.",
    )


ROOT = Table(RootKeys, words="a mapping", write="sources: and a list of addresses")
