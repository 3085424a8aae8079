"""Every key of feeds.yaml but a source's own: type, range, default and sentence of documentation (DESIGN 3.1, 7)."""

from datetime import timedelta
from typing import Any

from aggregator.config import addresses, copies, patterns, vocabulary
from aggregator.config.compounds import Either, ListOf, MapOf
from aggregator.config.document import MapNode, Node, Scalar
from aggregator.config.durations import Duration, DurationOr
from aggregator.config.findings import Findings, Unfit
from aggregator.config.shapes import Choice, Flag, Integer, Number, Schema, Shape, Text
from aggregator.config.tables import Keys, Table, key, optional, required
from aggregator.model.settings import Dedupe, Rule, Show

ALWAYS = timedelta(days=31)  # R21: nothing is due later than that
CENTURY = timedelta(days=36500)
MAX_SOURCES = 100_000  # S16
FORMATS = ("atom", "rss", "json", "html")
OTHER_FORMATS = {"rss2": "rss", "rss2.0": "rss", "rss20": "rss", "xml": "rss", "jsonfeed": "json"}


class SiteKeys(Keys):
    """What the published site says of itself."""

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
        "Whom a publisher may ask: goes into the User-Agent, with `base_url`.",
    )


def _folder(text: str) -> str:
    if text.startswith("s3://"):
        raise Unfit("names a bucket; posts are written to a folder such as site/_posts")
    if "://" in text:
        raise Unfit("is no folder; write a path such as site/_posts")
    if text.startswith("~"):
        raise Unfit("begins with ~, which is not expanded; write ${HOME} instead")
    return text


class JekyllKeys(Keys):
    """Jekyll posts beside the site."""

    HOME, CALLED = "jekyll", "jekyll"
    to = required(Text("a folder", "a folder such as site/_posts", check=_folder), "Folder of the posts.")
    file = key(
        Text("a file name", "a name with {{ fields }}"),
        "{{ story.published.strftime('%Y-%m-%d') }}-{{ story.key }}.md",
        "Name of a post, as a template.",
    )
    template = optional(Text("a file", "a file beside feeds.yaml"), "Template of a post; a built-in one without it.")
    hot = optional(Duration(timedelta(hours=1), CENTURY), "Older stories move to `archive_to`; goes with that.")
    archive_to = optional(
        Text("a folder", "a folder such as site/old_post", check=_folder), "Folder of older posts; goes with `hot`."
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
    """Where and how outputs are written."""

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
            "[atom, rss, json, html] or some of them",
            least=1,
        ),
        [*FORMATS],
        "What is published of each category.",
    )
    entries = key(
        Integer(10, 1000), 50, "At least so many stories in a category's main feed; older ones go to its archive."
    )
    archive_page = key(Integer(10, 500), 50, "Stories in one archive page.")
    entry_pages = key(Flag(), True, "One page a story; `false` links to the originals.")
    gzip = key(Flag(), True, "A `.gz` beside each feed, index and category page.")
    fair = key(
        Flag(),
        True,
        "On the start page one source fills at most half of a category's list, if others have something.",
    )
    refresh = key(
        DurationOr("off", timedelta(minutes=1), timedelta(days=1)),
        "off",
        "Pages reload themselves so often.",
    )
    theme = optional(
        Text("a folder", "a folder such as theme/"),
        "Own templates, stylesheet, icon and texts, file by file: theme.md.",
    )
    static = optional(
        Text("a folder", "a folder such as static/"), "Folder that is copied as it is: CNAME, robots.txt, favicon."
    )
    aliases = key(
        MapOf(
            copies.alias_path,
            Text("an output", "a path such as all.atom", limit=500, check=copies.target_path),
            "a mapping of paths",
            "{old path: new path}",
        ),
        {},
        "Old addresses of a planet that moved here, with the outputs they are copies of.",
    )
    jekyll = optional(JEKYLL, "Also write Jekyll posts; keys below.")
    hub = optional(
        Text("the address of a hub", "https://host/", limit=2000, check=addresses.hub, form="^https?://"),
        "WebSub hub that feeds name and that is told when one has changed: websub.md.",
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
    """How near is near."""

    HOME, CALLED = "dedupe", "dedupe"
    near = optional(
        Number(0, 1), "Similarity of the texts, from 0 to 1, from which two entries tell one story.", shown="0.85"
    )
    window = optional(
        Duration(timedelta(minutes=1), timedelta(days=365)),
        "Entries join a story if their first-seen times or their own dates differ by at most this.",
        shown="7d",
    )


DEDUPE_TABLE = Table(DedupeKeys, words="a mapping", write="{near: 0.85, window: 7d}")


class Closeness:
    """What `dedupe` says; None where it says nothing."""

    __slots__ = ("dedupe", "near", "window")

    def __init__(self, dedupe: Dedupe, near: float | None = None, window: timedelta | None = None) -> None:
        self.dedupe, self.near, self.window = dedupe, near, window


class _Closer(Shape[Closeness]):
    """`{near: 0.85, window: 7d}`."""

    words, write = "a mapping", "{near: 0.85, window: 7d}"

    def read(self, node: Node, found: Findings) -> Closeness:
        values = DEDUPE_TABLE.read(node, found)
        return Closeness(Dedupe.NEAR, values[DedupeKeys.near], values[DedupeKeys.window])

    def schema(self) -> Schema:
        return DEDUPE_TABLE.schema()


DEDUPE: Shape[Closeness] = Either(
    Choice(near=Closeness(Dedupe.NEAR), exact=Closeness(Dedupe.EXACT), off=Closeness(Dedupe.OFF)), _Closer()
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


class RuleKeys(Keys):
    """One item of `include`, `exclude` or `when`: all its fields must match."""

    HOME, CALLED = "rules", "a rule"
    title = optional(PATTERN, "Found in the title.")
    content = optional(PATTERN, "Found in the text of the entry, without markup.")
    author = optional(PATTERN, "Found in the name of an author.")
    tag = optional(PATTERN, "Found in any tag.")
    link = optional(PATTERN, "Found in the link.")
    language = optional(PATTERN, "Found in the language.")
    age = optional(
        Duration(timedelta(minutes=1), CENTURY),
        "Its own date was at least so long ago when it was first seen; an entry without a date is never old.",
    )


class _RuleShape(Shape[Rule]):
    words, write = "a rule", "{title: pattern}"

    def __init__(self) -> None:
        self.table = Table(RuleKeys, words=self.words, write=self.write)

    def read(self, node: Node, found: Findings) -> Rule:
        if isinstance(node, Scalar):
            raise self.unfit(node)
        read = self.table.read(node, found)
        patterns: list[tuple[str, str]] = []
        for name, declared in self.table.keys.items():
            pattern: Any = read[declared]
            if pattern is not None and declared is not RuleKeys.age:
                patterns.append((name, pattern))
        if isinstance(node, MapNode) and not node.keys:
            raise Unfit("a rule without a field matches everything; write {title: pattern}")
        return Rule(patterns=tuple(patterns), age=read[RuleKeys.age])

    def schema(self) -> Schema:
        return {**self.table.schema(), "type": "object", "minProperties": 1}


RULE = _RuleShape()
RULES = ListOf(RULE, "a list of rules", "[{title: pattern}]", most=500)


class DefaultKeys(Keys):
    """What holds for every source that says nothing else."""

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
        "Older texts leave store, archive and pages, for good; titles, links, dates and ids stay: docs/keep.md.",
    )
    initial = key(Integer(0, 5000), 50, "Entries of a source's first poll that are published.")
    limit = optional(Integer(1, 10000), "Entries that a poll reads, in the order of the document.", shown="all")
    dedupe = key(
        DEDUPE,
        "near",
        "How far entries of different sources may tell one story: `near` duplicates, `exact` ones, or `off`: never.",
    )
    timeout = key(
        Duration(timedelta(milliseconds=100), timedelta(minutes=10)), "30s", "For a whole poll, redirects included."
    )


class HostKeys(Keys):
    """Manners for a host with all below it, or for an IP network."""

    HOME, CALLED = "hosts", "an entry of hosts"
    spacing = optional(
        Duration(timedelta(0), timedelta(hours=1)),
        "Time between two requests; under 1s only with `allow_private`.",
        shown="2s",
    )
    parallel = optional(Integer(1, 16), "Requests in flight at once, 1 to 4; up to 16 with `allow_private`.", shown="1")
    allow_private = key(Flag(), False, "Sources here may lie at private addresses; for your own machines only.")


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
        "Id of the feed, to keep that of an old planet.",
        shown="minted",
    )
    was = key(
        ListOf(CATEGORY_KEY, "a category or a list", "the earlier key", alone=True),
        [],
        "Earlier keys: slug, id and archive go on.",
    )
    entries = optional(Integer(10, 1000), "Stories in the main feed.", shown="publish.entries")
    show = key(SHOW, "full", "How much of an entry is published.")
    unlisted = key(Flag(), False, "`true`: in no index, OPML or `all.*`.")
    dedupe = optional(DEDUPE, "As in `defaults`, for stories of this category; the strictest that applies decides.")
    include = key(RULES, [], "Only what one of these matches.")
    exclude = key(RULES, [], "Nothing that one of these matches; wins over `include`.")
    limit = optional(
        Integer(1, 10000),
        "New entries that a poll of one source brings into it: the newest of those that pass.",
        shown="all",
    )
