"""What a body is: a feed in XML, a JSON Feed, or no feed at all (I1, I11, I14)."""

import html
import re
from dataclasses import replace
from typing import Final

from aggregator.errors import NotAFeed
from aggregator.model.entry import RawFeed
from aggregator.model.poll import Fetched
from aggregator.model.settings import Reading
from aggregator.parse.charset import decode
from aggregator.parse.doctype import cut_prolog, resolve_entities
from aggregator.parse.feed import feed_of
from aggregator.parse.jsonfeed import jsonfeed_of
from aggregator.parse.tree import NoTree, tree_of
from aggregator.urls import Url

MAX_ENTRIES: Final = 5000  # of a document (I15)
_SHOWN = 200  # characters of a body that is no feed (I14)
_FEED_TYPES = ("xml", "json", "rss", "atom")


def parse(fetched: Fetched, reading: Reading) -> RawFeed:
    """Read a body as a feed: RSS, RDF, Atom or JSON Feed, told apart by what is in it, never by the media type (I11).

    Any bytes give a feed or one of these errors; broken markup is none (I12), nor a feed without entries (I23).

    Args:
        fetched: the answer.
        reading: the operator's word on encoding and limit.

    Raises:
        NotAFeed: a web page, an API's error, plain text, other XML.
        ParseError: broken beyond use.
    """
    decoded = decode(fetched.body, content_type=fetched.content_type, override=reading.encoding)
    limit = min(reading.limit or MAX_ENTRIES, MAX_ENTRIES)
    feed = _feed(decoded.text, fetched.url, limit)
    notices = [*decoded.notices, *feed.notices]
    media_type = (fetched.content_type or "").partition(";")[0].strip().lower()
    if media_type and not any(word in media_type for word in _FEED_TYPES):
        notices.append(f"served as {media_type[:80]}")
    return replace(
        feed,
        encoding=decoded.encoding,
        language=feed.language or fetched.content_language,
        notices=tuple(dict.fromkeys(notices)),
    )


def _feed(text: str, url: Url, limit: int) -> RawFeed:
    if text.lstrip()[:1] in ("{", "["):
        return jsonfeed_of(text, url, limit=limit)
    prolog = cut_prolog(text)
    if not prolog.root:
        raise NotAFeed(url, f"no feed, but {'text' if text.strip() else 'nothing'}: {_shown(text)}")
    if re.match(r"<(?:html|head|body|script|!doctype)\b", prolog.root, re.IGNORECASE):
        raise NotAFeed(url, f"a web page, no feed: {_shown(text)}")
    try:
        tree = tree_of(resolve_entities(prolog.root, prolog.entities))
    except NoTree as error:
        raise NotAFeed(url, f"no feed, and no XML: {_shown(text)}") from error
    try:
        feed = feed_of(tree, url, limit=limit)
    except NotAFeed as error:
        raise NotAFeed(url, f"{error.why}: {_shown(text)}") from error
    return replace(feed, notices=(*prolog.notices, *feed.notices))


def _shown(text: str) -> str:
    """Give the first characters of a body for the operator, on one line, escaped (I14)."""
    return html.escape(" ".join(text[: 4 * _SHOWN].split())[:_SHOWN], quote=False)
