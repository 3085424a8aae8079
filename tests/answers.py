"""Answers as `fetch` would give them, and what becomes of them, for tests of parse, clean and identity."""

from datetime import UTC, datetime

from aggregator.clean.feed import clean
from aggregator.identify.keys import identify
from aggregator.model.entry import Digest, Feed, RawFeed
from aggregator.model.poll import Fetched
from aggregator.model.settings import Reading
from aggregator.parse.document import parse
from aggregator.urls import normalise

URL = normalise("https://site.example/feeds/feed.xml")
DEFAULT = Reading()


def answer(body: str | bytes, *, content_type: str | None = None, language: str | None = None) -> Fetched:
    """Make an answer with this body."""
    return Fetched(
        asked_at=datetime(2026, 3, 4, 12, tzinfo=UTC),
        url=URL,
        body=body.encode() if isinstance(body, str) else body,
        body_digest=Digest("0"),
        content_type=content_type,
        content_language=language,
    )


def parsed(body: str | bytes, reading: Reading = DEFAULT, *, content_type: str | None = None) -> RawFeed:
    """Parse a body."""
    return parse(answer(body, content_type=content_type), reading)


def cleaned(body: str | bytes, reading: Reading = DEFAULT, *, content_type: str | None = None) -> Feed:
    """Parse and clean a body."""
    return clean(parsed(body, reading, content_type=content_type), reading)


def identified(body: str | bytes, reading: Reading = DEFAULT, *, content_type: str | None = None) -> Feed:
    """Take a body all the way to its keys."""
    return identify(cleaned(body, reading, content_type=content_type))


def rss(items: str, *, channel: str = "", namespaces: str = "", encoding: str = "utf-8") -> str:
    """Write an RSS 2.0 document around items."""
    return (
        f'<?xml version="1.0" encoding="{encoding}"?>\n<rss version="2.0" {namespaces}><channel><title>T</title>'
        f"<link>https://site.example/</link><description>d</description>{channel}{items}</channel></rss>"
    )


def atom(entries: str, *, feed: str = "", attributes: str = "") -> str:
    """Write an Atom document around entries."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" {attributes}>'
        f"<id>urn:example:feed</id><title>T</title><updated>2026-02-03T04:05:06Z</updated>"
        f'<link href="https://site.example/"/>{feed}{entries}</feed>'
    )
