"""Every key of a source, and the tree that holds them all (DESIGN 3.1, 6)."""

from dataclasses import dataclass

from aggregator.config import addresses, patterns, schedules, selectors, vocabulary
from aggregator.config.compounds import Anything, ListOf, MapOf
from aggregator.config.document import Node, Scalar
from aggregator.config.findings import Findings, Unfit
from aggregator.config.keys import (
    CATEGORY_KEY,
    MAX_SOURCES,
    PATTERN,
    RULE,
    RULES,
    SHOW,
    CategoryKeys,
    DefaultKeys,
    HostKeys,
    PublishKeys,
    ServeKeys,
    SiteKeys,
)
from aggregator.config.shapes import Choice, Flag, Integer, Schema, Shape, Text
from aggregator.config.tables import Keys, Table, key, optional, required
from aggregator.config.variables import has_variable
from aggregator.model.settings import Kind

_REASON = Text("a reason", "the reason in words", limit=500)
_FIELD = Text("a path, a selector or a text with {fields}", "where the item has it", limit=2000)


@dataclass(frozen=True, slots=True)
class HeaderValue:
    """The value of a request header."""

    text: str
    is_literal: bool  # written out in the file


class _HeaderShape(Shape[HeaderValue]):
    words, write = "the value of a header", '"Bearer ${TOKEN}"'

    def __init__(self) -> None:
        self.text = Text(self.words, self.write, limit=4000, hidden=True, check=vocabulary.header_value)

    def read(self, node: Node, found: Findings) -> HeaderValue:
        if not isinstance(node, Scalar) or node.is_null:
            raise Unfit(f"a header needs a value; write {self.write}")
        return HeaderValue(self.text.read(node, found), not has_variable(node.raw))

    def schema(self) -> Schema:
        return self.text.schema()


class StripKeys(Keys):
    """What is taken out."""

    HOME, CALLED = "strip", "strip"
    css = required(
        Text("a CSS selector", "a selector such as .share-buttons", check=selectors.css),
        "Elements that are taken out of content and summary, before any rule looks at them.",
    )


class ReplaceKeys(Keys):
    """What is replaced, and by what."""

    HOME, CALLED = "replace", "a replacement"
    replace = required(PATTERN, "What is replaced, wherever it is found; in `content` and `summary` within the HTML.")
    with_ = key(
        Text(limit=5000, exact=True, check=patterns.replacement),
        "",
        "What stands there instead; `\\1` is what the first group of the pattern matched, `\\g<name>` what a named one "
        "did, `\\\\` a backslash.",
    )


REPLACE = Table(ReplaceKeys, words="a replacement", write='{replace: pattern, with: ""}')


class RewriteKeys(Keys):
    """A change to the entries; one of these."""

    HOME, CALLED = "rewrite", "a step of rewrite"
    strip = optional(Table(StripKeys, words="a mapping", write="{css: selector}"), "Take elements out of the content.")
    title = optional(REPLACE, "Replace in the title.")
    content = optional(REPLACE, "Replace in the content.")
    summary = optional(REPLACE, "Replace in the summary.")
    author = optional(REPLACE, "Replace in the authors' names; an author whose name is empty then is dropped.")
    tag = optional(REPLACE, "Replace in the tags; a tag that is empty then is dropped.")
    link = optional(REPLACE, "Replace in the link; what is no address then leaves it as it was.")


REPLACED = (
    RewriteKeys.title,
    RewriteKeys.content,
    RewriteKeys.summary,
    RewriteKeys.author,
    RewriteKeys.tag,
    RewriteKeys.link,
)


class RouteKeys(Keys):
    """Where entries go as well."""

    HOME, CALLED = "route", "a route"
    when = required(RULE, "Which entries.")
    to = required(CATEGORY_KEY, "The category that they are published in as well.")


REWRITE = Table(RewriteKeys, words="a mapping", write="{strip: {css: selector}}")
ROUTE = Table(RouteKeys, words="a mapping", write="{when: {title: pattern}, to: category}")


class EntryKeys(Keys):
    """Where an item of a source that is no feed has what an entry needs."""

    HOME, CALLED = "entry", "entry"
    id = optional(_FIELD, "What makes an entry the same the next time.")
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
    """One more request an entry, for a source that is no feed."""

    HOME, CALLED = "detail", "detail"
    url = required(Text("an address", "an address with {fields} of the item", limit=4096), "What is asked.")
    method = key(_METHOD, "GET", "`POST` sends `body`.")
    body = optional(Anything(), "A text, or a mapping that is sent as JSON.")


class PageKeys(Keys):
    """How `{page}` counts."""

    HOME, CALLED = "page", "page"
    from_ = key(Integer(0, 1_000_000), 1, "What `{page}` is for the first page.")
    by = key(Integer(1, 10_000), 1, "By how much it grows: `20` where an API counts items, not pages.")


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
    },
    feed=Kind.FEED,
    json=Kind.JSON,
    html=Kind.HTML,
    sitemap=Kind.SITEMAP,
    file=Kind.FILE,
    opml=Kind.OPML,
)


class SourceKeys(DefaultKeys):
    """One place to poll."""

    HOME, CALLED = "sources", "a source"
    url = required(
        Text("an address", "https://host/path", limit=addresses.MAX_ADDRESS, exact=True, quotable=False),
        "Address of the feed; of a `kind: file` the path, within the folder of feeds.yaml; of a `kind: opml` either.",
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
        "Where the entries are published. A category that `categories` does not declare is made, unless its name looks "
        "like a misspelling of a declared one.",
    )
    kind = key(_KINDS, "feed", "What the source is; a `feed` may be RSS, Atom, RDF or JSON Feed.")
    schedule = optional(
        Text("a schedule", 'five cron fields, such as "*/20 9-15 * * mon-fri"', check=schedules.schedule),
        "Five cron fields in `site.timezone`, in place of `every`; weekdays are names or 0 to 7, 0 and 7 Sunday. With "
        "both a day of the month and of the week, either counts. A turn that the change to summer time skips comes as "
        "the clock moves; one that comes twice in autumn, the first time.",
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
        "Earlier URL or key of this source: its history is kept.",
    )
    priority = key(Integer(-1000, 1000), 0, "Which copy of a story is shown: higher wins, at once.")
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
        "Entries that are published in another category too.",
    )
    full_text = key(Flag(), False, "Take the text of the article, where it says more; needs the extra `fulltext`.")
    show = optional(SHOW, "What this publisher lets us show.")
    noindex = key(Flag(), False, "`true`: asks search engines to leave its entries out.")
    private = key(Flag(), False, "`true`: the address appears in no output, nor does where it leads: private.md.")
    timezone = key(
        Text("a time zone", "a name such as Europe/Berlin", check=vocabulary.timezone),
        "UTC",
        "Of dates without a zone.",
    )
    pages = key(
        Integer(0, 1000),
        0,
        "Documents behind `rel=next` or `prev-archive` that the first poll reads; of `kind: json`, pages beyond the "
        "first that a poll reads until it meets what is known: docs/lists.md.",
    )
    allow_classes = key(
        ListOf(Text("a class name", "a class name"), "a list of class names", "[name]", most=100),
        [],
        "Class names that cleaning leaves.",
    )
    trust = key(Flag(), False, "`true`: nothing is held back when the feed seems to be another one.")
    robots = optional(_REASON, "Why robots.txt does not bind here.")
    encoding = optional(
        Text("an encoding", "a name such as utf-8 or gb18030", check=vocabulary.encoding),
        "Overrides a wrong declaration.",
    )
    headers = key(
        MapOf(vocabulary.header_name, _HeaderShape(), "a mapping of headers", '{Authorization: "Bearer ${TOKEN}"}'),
        {},
        "Sent with each request to the source's own host.",
    )
    paused = key(Flag(), False, "`true`: not polled.")
    page = optional(PAGE, "How the `{page}` in `url` or `body` of a `kind: json` counts; keys below.")
    next = optional(
        Text("a path", "a JMESPath such as paging.next", limit=2000),
        "Where an answer of a `kind: json` has the address of the next page, what goes where `{next}` stands in `url` "
        "or `body`, or, beside `{page}`, whether there is one.",
    )
    items = optional(_FIELD, "Where the list of items is: a JMESPath, a CSS selector, or an XPath with a leading //.")
    entry = optional(ENTRY, "Where an item has title, link and so on; keys below.")
    detail = optional(DETAIL, "One more request an entry; keys below.")
    method = key(_METHOD, "GET", "`POST` sends `body`.")
    body = optional(Anything(), "A text, or a mapping that is sent as JSON.")


SITE = Table(SiteKeys, words="a mapping", write="{title: …}")
PUBLISH = Table(PublishKeys, words="a mapping", write="{to: public/}")
SERVE = Table(ServeKeys, words="a mapping", write="{bind: 127.0.0.1:8080}")
DEFAULTS = Table(DefaultKeys, words="a mapping", write="{every: auto}")
HOST = Table(HostKeys, words="a mapping", write="{spacing: 1s}")
CATEGORY = Table(CategoryKeys, words="a mapping", write="{title: …}, or {}")
SOURCE = Table(SourceKeys, words="a source", write="its address, or a mapping with url:", alone=SourceKeys.url)


class RootKeys(Keys):
    """The whole file."""

    site = key(SITE, {}, "What the site says of itself.")
    store = key(
        Text("a store", "sqlite:///var/aggregator.db", check=addresses.store),
        "sqlite:///var/aggregator.db",
        "Database of the state.",
    )
    publish = key(PUBLISH, {}, "Where and how outputs are written.")
    serve = key(SERVE, {}, "The web server of `aggregator serve`.")
    workers = key(Integer(1, 64), 16, "Fetches in flight over all hosts.")
    proxy = optional(
        Text("a proxy", "http://host:3128", limit=2000, check=addresses.proxy),
        "HTTP proxy for all fetches, not the environment's; it must refuse your own network: docs/politeness.md.",
    )
    defaults = key(DEFAULTS, {}, "For every source; a source can override each.")
    hosts = key(
        MapOf(addresses.host_name, HOST, "a mapping of hosts", "{example.org: {spacing: 1s}}"),
        {},
        "Manners per host or domain, where the default does not fit.",
    )
    categories = key(
        MapOf(vocabulary.category_key, CATEGORY, "a mapping of categories", "{python: {title: Python}}"),
        {},
        "The categories, each with its own feed.",
    )
    sources = required(
        ListOf(SOURCE, "a list of sources", "a list: a line with - and an address for each", least=1, most=MAX_SOURCES),
        "What is polled.",
    )


ROOT = Table(RootKeys, words="a mapping", write="sources: and a list of addresses")
