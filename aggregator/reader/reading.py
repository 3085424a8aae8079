"""Reads a body: the same in any process; and reads of a feed only what is new, if that gives the same result.

A feed that lists one new item among thirty costs about as much as one item: items whose bytes are in the window of the
source (`model/window.py`) are cut out before the body is parsed, and the store has their entries. `docs/reading.md`
lists what must hold; else the body is read whole, and the reason is counted.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version

from aggregator import __version__
from aggregator.clean import sanitiser
from aggregator.clean.feed import clean
from aggregator.errors import ParseError
from aggregator.identify import keys
from aggregator.identify.keys import identify, key_form
from aggregator.model.ask import Ask
from aggregator.model.entry import Feed, KeyRule
from aggregator.model.poll import Fetched
from aggregator.model.settings import Kind, Reading
from aggregator.model.window import CONTEXT, Listing, form_of, item_of, records_of, short_hash
from aggregator.parse.cut import Body, Cut, Whole, cut, searchable
from aggregator.parse.document import MAX_ENTRIES, SERVED_AS, parse

# Of everything that reading goes through. Found while this module is imported, or each thread would look them up.
VERSIONS = (
    __version__,
    str(sanitiser.VERSION),
    keys.VERSION,
    *map(version, ("feedparser", "lxml", "nh3", "selectolax")),
)
_OWN_KEYS = frozenset({KeyRule.ID, KeyRule.LINK})  # made of the item alone, if no other item has the same


def read(fetched: Fetched, reading: Reading) -> Feed:
    """Read a body, from its bytes to entries with keys.

    Raises:
        ParseError: it can't be read as a feed.
    """
    return identify(clean(parse(fetched, reading), reading), reading)


def read_new(fetched: Fetched, ask: Ask, read_body: Callable[[Fetched], Feed]) -> Feed:
    """Read what a body has besides the items that are stored already; all of it if that could differ.

    Args:
        fetched: the response.
        ask: the request, with the window of its source.
        read_body: reads a body, or what was left of it.

    Returns:
        The document; its `listing` names the items that were not read, or says why all were.

    Raises:
        ParseError: it can't be read as a feed.
    """
    if ask.window is None or ask.reading.kind is not Kind.FEED:
        return read_body(fetched)
    if ask.is_isolated or fetched.is_delta:
        return _with(read_body(fetched), Listing(whole="risky" if ask.is_isolated else "delta"))
    body = searchable(fetched, ask.reading)
    if isinstance(body, Whole):
        return _with(read_body(fetched), Listing(whole=body.why))
    records = records_of(ask.window)
    why = "nothing known" if records else "first"
    part = cut(body, records)
    if isinstance(part, Cut) and part.seen:
        rest = _read_rest(_Document(fetched, ask.reading, body, part), ask.window, records, read_body)
        if isinstance(rest, Feed):
            return rest
        why, part = rest.why, cut(body, {})
    feed = read_body(fetched)
    if isinstance(part, Whole):
        return _with(feed, Listing(whole=part.why))
    document = _Document(fetched, ask.reading, body, part)
    doubt = document.doubt(feed)
    return _with(feed, Listing(whole=doubt) if doubt else document.listing(feed, whole=why))


def _read_rest(
    document: "_Document", window: bytes, records: Mapping[bytes, bytes], read_body: Callable[[Fetched], Feed]
) -> Feed | Whole:
    """Read a body without the items that are known, if that gives the result of a full reading."""
    part = document.part
    if document.before != window[: CONTEXT // 2]:
        return Whole("context")
    try:
        feed = read_body(replace(document.fetched, body=part.rest))
    except ParseError:
        return Whole("unreadable")
    if doubt := document.doubt(feed):
        return Whole(doubt)
    seen = tuple((place, item_of(records[part.marks[place]])) for place in part.seen)
    rules = {KeyRule.LINK if item.by_link else KeyRule.ID for _, item in seen}
    if len(rules | {entry.key_rule for entry in feed.entries}) > 1:
        return Whole("keys")
    if not {item.form for _, item in seen}.isdisjoint(form_of(key_form(entry.key)) for entry in feed.entries):
        return Whole("ids")
    places = sorted(set(range(len(part.marks))).difference(part.seen))
    entries = tuple(replace(entry, position=places[entry.position]) for entry in feed.entries)
    listing = replace(document.listing(feed, whole=""), seen=seen)
    if listing.context != window[:CONTEXT]:
        return Whole("context")
    return replace(feed, entries=entries, listing=listing)


@dataclass(frozen=True, slots=True)
class _Document:
    """A document of which a part is read."""

    fetched: Fetched
    reading: Reading
    body: Body
    part: Cut

    @property
    def before(self) -> bytes:
        """Digest of what the reading of an item depends on besides its bytes, as far as it is known before reading."""
        said = (VERSIONS, _settings_of(self.reading), self.fetched.url, self.part.head)
        return short_hash(repr(said).encode("utf-8", "surrogatepass"), CONTEXT // 2)

    def listing(self, feed: Feed, *, whole: str) -> Listing:
        """Return the items of the document; `feed` is what was read of it."""
        said = (feed.format, feed.link, feed.language, feed.encoding, feed.charset)  # other links and dates hang on it
        after = short_hash(repr(said).encode("utf-8", "surrogatepass"), CONTEXT // 2)
        return Listing(context=self.before + after, marks=self.part.marks, whole=whole)

    def doubt(self, feed: Feed) -> str:
        """Return why the items of a document are not independent of each other; empty if they are."""
        if feed.cut or feed.left_out or feed.deleted or feed.complete or feed.more:
            return "unusual"
        if any(not notice.startswith(SERVED_AS) for notice in feed.notices):
            return "notices"
        found = self.body.decoded
        is_utf8 = feed.encoding == "utf-8" or self.body.utf8.isascii()
        if not (is_utf8 if found is None else (feed.encoding, feed.charset) == (found.encoding, found.charset)):
            return "charset"
        if feed.dates_in_figures:
            return "dates"
        read_items = len(self.part.marks) - len(self.part.seen)
        rules = {entry.key_rule for entry in feed.entries}
        if feed.ids_shared or len(feed.entries) != read_items or len(rules) > 1 or not rules <= _OWN_KEYS:
            return "keys"
        return "limit" if len(self.part.marks) > min(self.reading.limit or MAX_ENTRIES, MAX_ENTRIES) else ""


def _with(feed: Feed, listing: Listing) -> Feed:
    return replace(feed, listing=listing)


@cache
def _settings_of(reading: Reading) -> str:
    """Return settings as a text that is the same in each process: sets have no order."""
    return repr((replace(reading, allow_classes=frozenset()), sorted(reading.allow_classes)))
