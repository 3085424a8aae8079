"""Declares every key outside of `sources:`, with type, range, default and sentence of documentation."""

from datetime import timedelta
from typing import Any, Final

from aggregator.config import addresses, patterns, vocabulary
from aggregator.config.aliases import alias_path, target_path
from aggregator.config.compounds import Either, ListOf, MapOf
from aggregator.config.document import MapNode, Node, Scalar
from aggregator.config.durations import Duration, DurationOr
from aggregator.config.findings import Findings, Unfit
from aggregator.config.shapes import Choice, Flag, Integer, Number, Schema, Shape, Text
from aggregator.config.tables import Keys, Table, key, optional, required
from aggregator.model.formats import FORMATS
from aggregator.model.settings import Dedupe, Front, PageShow, Rule, Show

ALWAYS = timedelta(days=31)  # R21: no due time is later than this
CENTURY = timedelta(days=36500)
READY_THEMES = ("cards", "dense", "magazine")  # folders of aggregator/render/themes
MAX_DEPTH = 5  # rules inside of each other
MAX_SOURCES = 100_000  # in one file (S16)
OTHER_FORMATS = {other: one.name for one in FORMATS.values() for other in one.other_names}


class SiteKeys(Keys):
    """Title, address and language of the published site."""

    HOME, CALLED = "site", "site"
    title = key(Text(), "Planet", "Name of the whole site.")
    base_url = optional(
        Text("an http address", "https://host/", limit=2000, check=addresses.base_url, form="^https?://"),
        "Public address of the output; may have a path; a missing final slash is added.",
        shown="http://<serve.bind>/",
    )
    language = key(
        Text("a language", "a tag such as en or zh-CN", check=vocabulary.language),
        "en",
        "Language of pages and feeds; `zh-CN` gives Chinese pages.",
    )
    timezone = key(
        Text("a time zone", "a name such as Europe/Berlin", check=vocabulary.timezone),
        "UTC",
        "Time zone of pages, exports and `schedule`.",
    )
    contact = optional(
        Text("a contact", "a mail address or a page", limit=200, quotable=False, check=vocabulary.contact),
        "Contact for publishers: part of the User-Agent, with `base_url`.",
    )
    description = optional(Text(limit=5000), "What the site is about, for its start page.")
    logo = optional(
        Text("a picture", "its address, or the path of a file of publish.static", limit=2000, check=addresses.picture),
        "Picture in place of the planet before the name: an address, or the path of a file of `publish.static`.",
    )
    front = optional(
        Choice(others={"river": "latest", "index": "categories"}, latest=Front.LATEST, categories=Front.CATEGORIES),
        "What the start page shows: the `latest` stories of all categories, or the newest of each of the `categories`.",
        shown="categories; latest if there is one; both if there are over 24",
    )
    headlines = key(Integer(1, 20), 5, "Stories of each category on the start page.")


def _folder(text: str) -> str:
    if text.startswith("s3://"):
        raise Unfit("is a bucket; posts need a folder such as site/_posts")
    if "://" in text:
        raise Unfit("is not a folder; write a path such as site/_posts")
    if text.startswith("~"):
        raise Unfit("begins with ~, which is not expanded; write ${HOME} instead")
    return text


class JekyllKeys(Keys):
    """Export of stories as posts for Jekyll or Hugo."""

    HOME, CALLED = "jekyll", "jekyll"
    to = required(Text("a folder", "a folder such as site/_posts", check=_folder), "Folder of the posts.")
    file = key(
        Text("a file name", "a name with {{ fields }}"),
        "{{ story.published.strftime('%Y-%m-%d') }}-{{ story.key }}.md",
        "Name of a post, as a template.",
    )
    template = optional(Text("a file", "a file beside feeds.yaml"), "Template of a post, in place of the built-in one.")
    hot = optional(Duration(timedelta(hours=1), CENTURY), "Older stories move to `archive_to`; needs that key.")
    archive_to = optional(
        Text("a folder", "a folder such as site/old_post", check=_folder), "Folder of older posts; needs `hot`."
    )


JEKYLL = Table(JekyllKeys, words="a mapping", write="{to: site/_posts}")


def _destination(text: str) -> str:
    if text.startswith("s3://"):
        if addresses.bucket(text) is None:
            raise Unfit("names no bucket and prefix; write s3://bucket/prefix, and the key in the environment")
        return text
    if "://" in text:
        raise Unfit("is neither a folder nor a bucket; write public/ or s3://bucket/prefix")
    if text.startswith("~"):
        raise Unfit("begins with ~, which is not expanded; write ${HOME} instead")
    return text


class PublishKeys(Keys):
    """Place, formats and sizes of outputs."""

    HOME, CALLED = "publish", "publish"
    to = key(
        Text("a folder or a bucket", "a folder such as public/, or s3://bucket/prefix", check=_destination),
        "public/",
        "Folder of the output, or `s3://bucket/prefix`.",
    )
    formats = key(
        ListOf(
            Choice(others=OTHER_FORMATS, **{name: name for name in FORMATS}),
            "a list of formats",
            f"[{', '.join(FORMATS)}] or some of them",
            least=1,
        ),
        [*FORMATS],
        "Formats in which each category is published.",
    )
    entries = key(
        Integer(10, 1000), 50, "Least number of stories in the main feed of a category; older ones go to its archive."
    )
    archive_page = key(Integer(10, 500), 50, "Stories in one archive page.")
    entry_pages = key(Flag(), True, "A page for each story; with `false` titles link to the originals.")
    gzip = key(Flag(), True, "A compressed copy (`.gz`) of each feed, index and category page.")
    fair = key(
        Flag(),
        True,
        "On the start page one source has at most half of a category's list, if other sources have stories.",
    )
    feed_style = key(
        Flag(),
        False,
        "Feeds name a stylesheet, `feed.css`: browsers show them as a list that says how to subscribe.",
    )
    refresh = key(
        DurationOr("off", timedelta(minutes=1), timedelta(days=1)),
        "off",
        "Interval at which pages reload themselves.",
    )
    theme = optional(
        Text("a theme", "cards, dense, magazine, or a folder such as theme/"),
        "Look of pages: `cards`, `dense`, `magazine`, or a folder of your templates, stylesheets and texts: theme.md.",
    )
    static = optional(
        Text("a folder", "a folder such as static/"), "Folder that is copied unchanged: CNAME, robots.txt, favicon."
    )
    aliases = key(
        MapOf(
            alias_path,
            Text("an output", "a path such as all.atom", limit=500, check=target_path),
            "a mapping of paths",
            "{old path: new path}",
        ),
        {},
        "Old addresses of a planet that moved here; each is a copy of an output.",
    )
    jekyll = optional(JEKYLL, "Writes Jekyll posts as well; keys below.")
    hub = optional(
        Text("the address of a hub", "https://host/", limit=2000, check=addresses.hub, form="^https?://"),
        "WebSub hub: feeds name it, and it is notified of changed feeds: websub.md.",
    )


PAGE_SHOW = Choice(
    others={"excerpt": "summary", "content": "full", "all": "full", "title": "titles", "headlines": "titles"},
    full=PageShow.FULL,
    summary=PageShow.SUMMARY,
    titles=PageShow.TITLES,
)
PAGE_SHOWN = "full up to about 250 words, else summary"


class PagesKeys(Keys):
    """Settings for stories on pages."""

    HOME, CALLED = "pages", "pages"
    images = key(
        Choice(others={"true": "on"}, on=True, off=False),
        "on",
        "Pictures of stories in lists and above texts without one; with `off` only those in texts.",
    )
    show = optional(PAGE_SHOW, "How much of each story the page of a category shows.", shown=PAGE_SHOWN)
    sources = optional(
        Choice(others={"true": "on"}, on=True, off=False),
        "A page for each source.",
        shown="on, with at most 2,000 sources",
    )


class ServeKeys(Keys):
    """The web server of `aggregator serve`."""

    HOME, CALLED = "serve", "serve"
    bind = key(
        Text("an address to listen on", "host:port, such as 127.0.0.1:8080", quotable=False, check=addresses.bind),
        "127.0.0.1:8080",
        "Address and port to listen on.",
    )


class DedupeKeys(Keys):
    """Limits within which two entries are near-duplicates."""

    HOME, CALLED = "dedupe", "dedupe"
    near = optional(
        Number(0, 1), "Least similarity of the texts, from 0 to 1, at which two entries are one story.", shown="0.85"
    )
    window = optional(
        Duration(timedelta(minutes=1), timedelta(days=365)),
        "Entries join a story if their first-seen times or their own dates differ by at most this.",
        shown="7d",
    )


DEDUPE_TABLE = Table(DedupeKeys, words="a mapping", write="{near: 0.85, window: 7d}")


class DedupeSettings:
    """Value of `dedupe`; `near` and `window` are None if they are not written."""

    __slots__ = ("dedupe", "near", "window")

    def __init__(self, dedupe: Dedupe, near: float | None = None, window: timedelta | None = None) -> None:
        self.dedupe, self.near, self.window = dedupe, near, window


class _DedupeShape(Shape[DedupeSettings]):
    """The mapping form of `dedupe`, such as `{near: 0.85, window: 7d}`."""

    words, write = "a mapping", "{near: 0.85, window: 7d}"

    def read(self, node: Node, findings: Findings) -> DedupeSettings:
        values = DEDUPE_TABLE.read(node, findings)
        return DedupeSettings(Dedupe.NEAR, values[DedupeKeys.near], values[DedupeKeys.window])

    def schema(self) -> Schema:
        return DEDUPE_TABLE.schema()


DEDUPE: Shape[DedupeSettings] = Either(
    Choice(near=DedupeSettings(Dedupe.NEAR), exact=DedupeSettings(Dedupe.EXACT), off=DedupeSettings(Dedupe.OFF)),
    _DedupeShape(),
)
SHOW = Choice(
    others={"excerpt": "summary", "content": "full", "all": "full", "link": "title"},
    full=Show.FULL,
    summary=Show.SUMMARY,
    title=Show.TITLE,
)
PATTERN = Text(
    "a pattern", "a regular expression such as (?i)sponsored", limit=1000, exact=True, check=patterns.pattern
)


PROGRAM = Text("a program", "its path, such as bin/lunch", limit=1000, exact=True, quotable=False)
ARGUMENTS = ListOf(
    Text("an argument", "a text", limit=4000, exact=True), "a list of arguments", "[--city, Bern]", most=100
)
ENVIRONMENT = MapOf(
    vocabulary.variable_name,
    Text("a value", '"${TOKEN}"', limit=4000, exact=True, hidden=True),
    "a mapping of variables",
    '{TOKEN: "${TOKEN}"}',
)


class _Nested(Shape[Rule]):
    """A rule inside of a rule."""

    words, write = "a rule", "{title: pattern}"

    def read(self, node: Node, findings: Findings) -> Rule:
        return RULE.read(node, findings)

    def schema(self) -> Schema:
        return {"$ref": "#/$defs/rule"}


_NESTED = ListOf(_Nested(), "a list of rules", "[{title: pattern}]", least=1, most=100)


class RuleKeys(Keys):
    """One item of `include`, `exclude` or `when`: all that it says must hold."""

    HOME, CALLED = "rules", "a rule"
    title = optional(PATTERN, "Matches in the title.")
    content = optional(PATTERN, "Matches in the text of the entry, without markup.")
    author = optional(PATTERN, "Matches in the name of an author.")
    tag = optional(PATTERN, "Matches in any tag.")
    link = optional(PATTERN, "Matches in the link.")
    language = optional(PATTERN, "Matches in the language.")
    age = optional(
        Duration(timedelta(minutes=1), CENTURY),
        "Least age of the entry's own date when it was first seen; an entry without a date never matches.",
    )
    any_ = optional(_NESTED, "At least one of these rules matches.")
    all_ = optional(_NESTED, "Each of these rules matches.")
    not_ = optional(_NESTED, "None of these rules matches.")


_RULES_IN_RULES = (RuleKeys.any_, RuleKeys.all_, RuleKeys.not_)


class _RuleShape(Shape[Rule]):
    words, write = "a rule", "{title: pattern}"

    def __init__(self) -> None:
        self.table = Table(RuleKeys, words=self.words, write=self.write)

    def read(self, node: Node, findings: Findings) -> Rule:
        if isinstance(node, Scalar):
            raise self.unfit(node)
        read = self.table.read(node, findings)
        patterns: list[tuple[str, str]] = []
        for name, declared in self.table.keys.items():
            pattern: Any = read[declared]
            if pattern is not None and declared is not RuleKeys.age and declared not in _RULES_IN_RULES:
                patterns.append((name, pattern))
        if isinstance(node, MapNode) and not node.keys:
            raise Unfit("a rule without a field matches everything; write {title: pattern}")
        any_of, all_of, none_of = (rules if (rules := read[each]) else () for each in _RULES_IN_RULES)
        rule = Rule(patterns=tuple(patterns), age=read[RuleKeys.age], any_of=any_of, all_of=all_of, none_of=none_of)
        if rule.depth > MAX_DEPTH:
            raise Unfit(f"over {MAX_DEPTH} rules inside of each other; write it flatter")
        return rule

    def schema(self) -> Schema:
        return {**self.table.schema(), "type": "object", "minProperties": 1}


RULE: Final = _RuleShape()
RULES = ListOf(RULE, "a list of rules", "[{title: pattern}]", most=500)


class HookKeys(Keys):
    """A program that sees each new entry: docs/hooks.md."""

    HOME, CALLED = "hooks", "a hook"
    run = required(PROGRAM, "The program: a path that counts from the folder of feeds.yaml, or an absolute one.")
    arguments = key(ARGUMENTS, [], "Its arguments; no shell reads them.")
    environment = key(
        ENVIRONMENT, {}, "Environment variables for it; it gets none of yours but PATH, HOME and the like."
    )
    timeout = key(
        Duration(timedelta(milliseconds=100), timedelta(minutes=1)), "10s", "Time for the new entries of one poll."
    )
    on_error = key(
        Choice(keep=False, hold=True),
        "keep",
        "If it fails: `keep` publishes the entries unchanged; with `hold` the poll fails, and is repeated later.",
    )


HOOK = Table(HookKeys, words="a hook", write="{run: bin/tidy}", alone=HookKeys.run)


class DefaultKeys(Keys):
    """Values for every source that does not have the key itself."""

    HOME, CALLED = "defaults", "defaults"
    every = key(
        DurationOr("auto", timedelta(seconds=1), ALWAYS, between_polls=True),
        "auto",
        "How often to poll: `auto` follows the publisher's rhythm. Under 15m only with `frequent`, or `allow_private`.",
    )
    min_interval = key(
        Duration(timedelta(seconds=1), ALWAYS, between_polls=True), "15m", "`auto` never polls more often."
    )
    max_interval = key(Duration(timedelta(seconds=1), ALWAYS), "1d", "`auto` and backoff never wait longer.")
    keep = key(
        DurationOr("forever", timedelta(days=1), CENTURY),
        "forever",
        "Older texts are removed from store, archive and pages; titles, links, dates and ids stay: docs/keep.md.",
    )
    initial = key(Integer(0, 5000), 50, "Most entries of a source's first poll that are published.")
    limit = optional(Integer(1, 10000), "Most entries that a poll reads, in the order of the document.", shown="all")
    dedupe = key(
        DEDUPE,
        "near",
        "Which entries of different sources become one story: `near` duplicates, `exact` duplicates, or none (`off`).",
    )
    timeout = key(
        Duration(timedelta(milliseconds=100), timedelta(minutes=10)), "30s", "Time for a whole poll, with redirects."
    )
    hooks = key(
        ListOf(HOOK, "a list of hooks", "[{run: bin/tidy}]", most=10),
        [],
        "Programs of yours that see each new entry, one after the other, after `rewrite`: docs/hooks.md.",
    )


class HostKeys(Keys):
    """Limits for a host with its subdomains, or for an IP network."""

    HOME, CALLED = "hosts", "an entry of hosts"
    spacing = optional(
        Duration(timedelta(0), timedelta(hours=1)),
        "Time between two requests; under 1s only with `allow_private`.",
        shown="2s",
    )
    parallel = optional(Integer(1, 16), "Parallel requests, 1 to 4; up to 16 with `allow_private`.", shown="1")
    allow_private = key(Flag(), False, "Sources here may have private IP addresses; for your own machines only.")


CATEGORY_KEY = Text("a category", "a name", limit=vocabulary.MAX_CATEGORY, check=vocabulary.category_key)


class CategoryKeys(Keys):
    """A category: one feed, in several formats, with its archive and page."""

    HOME, CALLED = "categories", "a category"
    title = optional(Text(), "Title of feed and page.", shown="the key")
    description = optional(Text(limit=5000), "Subtitle of the feed.")
    slug = optional(
        Text(
            "a slug", "lower-case letters, digits and hyphens", check=vocabulary.slug, form="^[a-z0-9][a-z0-9-]{0,63}$"
        ),
        "Name in the addresses; fixed at first publication.",
        shown="made from the key",
    )
    id = optional(
        Text("an id", "an IRI such as tag:example.org,2006:python", check=vocabulary.feed_id),
        "Id of the feed, to keep the id of an old planet.",
        shown="minted",
    )
    was = key(
        ListOf(CATEGORY_KEY, "a category or a list", "the earlier key", alone=True),
        [],
        "Earlier keys of this category; slug, id and archive are kept.",
    )
    entries = optional(Integer(10, 1000), "Least number of stories in the main feed.", shown="publish.entries")
    show = key(SHOW, "full", "How much of an entry is published.")
    page_show = optional(PAGE_SHOW, "How much of each story its page shows.", shown="pages.show")
    unlisted = key(Flag(), False, "`true`: in no index, OPML or `all.*`.")
    dedupe = optional(DEDUPE, "As in `defaults`, for stories of this category; the strictest that applies decides.")
    include = key(RULES, [], "Only entries that one of these matches.")
    exclude = key(RULES, [], "No entries that one of these matches; wins over `include`.")
    limit = optional(
        Integer(1, 10000),
        "Most new entries that a poll of one source adds to the category: the newest of those that pass its rules.",
        shown="all",
    )
