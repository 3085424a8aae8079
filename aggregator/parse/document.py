"""Recognises the format of a body, and calls the module that reads that format (I1, I11, I14)."""

from dataclasses import replace
from typing import Final

from aggregator.errors import CutOff, NotAFeed, ParseError
from aggregator.model.entry import RawFeed
from aggregator.model.poll import Fetched
from aggregator.model.settings import Kind, Reading
from aggregator.parse.charset import decode
from aggregator.parse.doctype import FEED_ROOT, cut_prolog, resolve_entities
from aggregator.parse.feed import feed_of
from aggregator.parse.jsonfeed import jsonfeed_of
from aggregator.parse.jsontext import is_callback
from aggregator.parse.names import local_name
from aggregator.parse.not_a_feed import is_page, not_json, not_page, not_text, not_xml
from aggregator.parse.records import records_of
from aggregator.parse.tree import NoTree, tree_of
from aggregator.parse.wrapping import in_json, in_page
from aggregator.text.xml_chars import legal
from aggregator.urls import Url

MAX_ENTRIES: Final = 5000  # per document (I15)
SERVED_AS: Final = "served as "  # begins the notice on an unusual media type
_FEED_TYPES = ("xml", "json", "rss", "atom", "opml")


def parse(fetched: Fetched, reading: Reading) -> RawFeed:
    """Read a body as a feed: RSS, RDF, Atom or JSON Feed, recognised by its content and never by the media type (I11).

    Where the operator sets another kind (`reading.kind`), the body is read as that kind.

    Any bytes give a feed or one of the errors below. Neither broken markup (I12) nor a feed without entries (I23) is an
    error.

    Args:
        fetched: the response.
        reading: the operator's settings: kind, encoding, limit and selectors.

    Raises:
        NotAFeed: a web page, an error message of an API, plain text, or other XML.
        CutOff: the body ends before its first complete entry (I13).
        ParseError: the body is too broken to read.
    """
    body = fetched.body
    if reading.kind is Kind.SITEMAP:
        from aggregator.parse.sitemap import unpacked  # late: few sources are sitemaps

        body = unpacked(body, fetched.url)
    decoded = decode(body, content_type=fetched.content_type, override=reading.encoding)
    limit = min(reading.limit or MAX_ENTRIES, MAX_ENTRIES)
    if reading.is_article:
        feed = _article(decoded.text, fetched.url)
    elif reading.kind is Kind.JSON:
        feed = _records(decoded.text, fetched.url, reading, limit)
    elif reading.kind is Kind.HTML:
        feed = _page(decoded.text, fetched.url, reading, limit)
    elif reading.kind is Kind.SITEMAP:
        feed = _sitemap(decoded.text, fetched.url, limit)
    elif reading.kind is Kind.OPML:
        feed = _outlines(decoded.text, fetched.url)
    elif reading.kind is Kind.COMMAND:
        feed = _feed(_from_lines(decoded.text, fetched.url), fetched.url, limit)
    else:
        feed = _feed(decoded.text, fetched.url, limit)
    if feed.cut and not (feed.entries or feed.outlines):
        raise CutOff(fetched.url)  # must not count as a feed without entries: the missing part may hold entries
    notices = [*decoded.notices, *feed.notices]
    media_type = (fetched.content_type or "").partition(";")[0].strip().lower()
    is_page = reading.is_article or reading.kind is Kind.HTML
    if media_type and not is_page and not any(word in media_type for word in _FEED_TYPES):
        notices.append(SERVED_AS + media_type[:80])
    return replace(
        feed,
        encoding=decoded.encoding,
        charset=decoded.charset,
        language=feed.language or fetched.content_language,
        notices=tuple(dict.fromkeys(notices)),
    )


def _feed(text: str, url: Url, limit: int) -> RawFeed:
    start = text.lstrip()[:1]
    if start in ("{", "[", '"'):
        if (inside := in_json(text)) is not None:
            return _unwrapped(inside, url, limit, "the feed is wrapped in a JSON string")
        if start != '"':
            return _json(text, url, limit)
    prolog = cut_prolog(text)
    if not prolog.root:
        raise not_text(text, url)
    if is_page(prolog.root):
        if (inside := in_page(text)) is not None:
            return _unwrapped(inside, url, limit, "the feed is wrapped in a web page")
        raise not_page(text, url)
    try:
        tree = tree_of(resolve_entities(prolog.root, prolog.entities))
    except NoTree as error:
        raise not_text(text, url) from error
    root = local_name(tree.root)
    try:
        feed = feed_of(tree, url, limit=limit)
    except NotAFeed as error:
        raise not_xml(text, url, root, error.why) from error
    return replace(feed, notices=(*prolog.notices, *feed.notices))


def _records(text: str, url: Url, reading: Reading, limit: int) -> RawFeed:
    """Read the response of an API. If the body is not JSON, raise the error that names what the body is (I14)."""
    try:
        return records_of(text, url, reading, limit=limit)
    except NotAFeed as error:
        raise not_json(text, url, error.why) from error
    except ParseError:
        root = cut_prolog(text).root
        if is_page(root):
            raise not_page(text, url) from None
        if FEED_ROOT.match(root):
            raise NotAFeed(url, "a feed, not the list of an API; remove kind: json") from None
        if text.lstrip()[:1] not in ("{", "[") and not is_callback(text):
            raise not_text(text, url) from None
        raise


def _page(text: str, url: Url, reading: Reading, limit: int) -> RawFeed:
    from aggregator.parse.pages import page_of  # late: few sources are pages

    return page_of(text, url, reading, limit=limit)


def _article(text: str, url: Url) -> RawFeed:
    from aggregator.parse.articles import article_of  # late: few sources use full_text

    return article_of(text, url)


def _sitemap(text: str, url: Url, limit: int) -> RawFeed:
    from aggregator.parse.sitemap import sitemap_of

    return sitemap_of(text, url, limit=limit)


def _outlines(text: str, url: Url) -> RawFeed:
    from aggregator.parse.opml import outlines_of

    return outlines_of(text, url)


def _from_lines(text: str, url: Url) -> str:
    from aggregator.parse.jsonlines import as_jsonfeed  # late: few sources are programs

    return as_jsonfeed(text, url)


def _json(text: str, url: Url, limit: int) -> RawFeed:
    try:
        return jsonfeed_of(text, url, limit=limit)
    except NotAFeed as error:
        raise not_json(text, url, error.why) from error


def _unwrapped(text: str, url: Url, limit: int, notice: str) -> RawFeed:
    """Read a feed that was found inside JSON or a web page. A feed inside that feed is not searched for."""
    prolog = cut_prolog(legal(text))
    try:
        feed = feed_of(tree_of(resolve_entities(prolog.root, prolog.entities)), url, limit=limit)
    except (NoTree, NotAFeed) as error:
        raise not_text(text, url) from error
    return replace(feed, notices=(notice, *prolog.notices, *feed.notices))
