"""Further documents of one poll: the sitemaps of an index, and the earlier pages of a feed at its first poll (I28).

Each is one more request to the same host, under its budget, one after the other.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Final

from aggregator.model.entry import Entry, Feed
from aggregator.model.poll import Due, Failed, Fetched
from aggregator.urls import Url, host_key_of

MAX_SITEMAPS: Final = 10  # of an index, in one poll
OVERLAP: Final = timedelta(days=1)  # a sitemap that changed so long before the last poll is read again
MAX_ENTRIES: Final = 50_000  # of all documents together

Ask = Callable[[Due], tuple[Fetched | Failed | None, Feed | None]]


def has_further(due: Due, feed: Feed) -> bool:
    """Tell whether a document leads to others that this poll reads too."""
    return bool(feed.more) or bool(due.source.pages and feed.older and not due.stored_before)


def with_further(due: Due, feed: Feed, ask: Ask) -> Feed:
    """Add what other documents list.

    Args:
        due: the poll.
        feed: its own document.
        ask: fetches and reads another one; gives neither if that has to stop, and no feed if it failed.
    """
    parts: list[Feed] = []
    notices: list[str] = []
    wanted = _sitemaps(due, feed, notices) if feed.more else _pages(due, feed, parts)
    for url in wanted:
        answer, part = ask(replace(due, url=url, validators=None, body_digest=None, is_further=True))
        if answer is None:
            notices.append("its further documents were not all read: its host had no room")
            break
        if part is None:
            said = answer.text if isinstance(answer, Failed) else ""
            notices.append(f"a further document could not be read: {said[:200]}")
            if not feed.more:
                break
            continue
        parts.append(part)
        if sum(len(each.entries) for each in parts) >= MAX_ENTRIES:
            break
    return replace(
        feed,
        entries=_merged((feed, *parts)),
        title=feed.title or next((part.title for part in parts if part.title), ""),
        notices=tuple(dict.fromkeys((*feed.notices, *notices, *(each for part in parts for each in part.notices)))),
        left_out=(*feed.left_out, *(each for part in parts for each in part.left_out)),
    )


def _sitemaps(due: Due, feed: Feed, notices: list[str]) -> Iterator[Url]:
    """Give the sitemaps of an index that have changed since the last poll, on the same host (S70)."""
    since = due.succeeded_at - OVERLAP if due.stored_before and due.succeeded_at else None
    own = host_key_of(due.url)
    found = [url for url, when in feed.more if since is None or when is None or when >= since]
    here = [url for url in dict.fromkeys(found) if host_key_of(url) == own]
    if len(here) < len(set(found)):
        notices.append("sitemaps of other hosts are not read; name them as sources")
    if len(here) > MAX_SITEMAPS:
        notices.append(f"{len(here)} sitemaps, of which the first {MAX_SITEMAPS} were read")
    yield from here[:MAX_SITEMAPS]


def _pages(due: Due, feed: Feed, parts: list[Feed]) -> Iterator[Url]:
    """Follow `prev-archive` or `next` from document to document, on the same host."""
    own, seen = host_key_of(due.url), {due.url}
    last = feed
    for _ in range(due.source.pages):
        url = last.older
        if url is None or url in seen or host_key_of(url) != own:
            return
        seen.add(url)
        read = len(parts)
        yield url
        if len(parts) == read:
            return
        last = parts[-1]


def _merged(feeds: tuple[Feed, ...]) -> tuple[Entry, ...]:
    """Give all entries, each key once, with their places one after the other."""
    found: dict[str, Entry] = {}
    for feed in feeds:
        for entry in feed.entries:
            found.setdefault(entry.key, entry)
    return tuple(replace(entry, position=place) for place, entry in enumerate(found.values()))
