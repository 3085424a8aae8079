"""Finds the feed of an address that an operator typed: the address, a link of its page, or a common path (P90)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit

from aggregator.dry_run.advice import settled_url
from aggregator.dry_run.probe import Prober
from aggregator.errors import AggregatorError, NamedFeed, NotAFeed
from aggregator.fetch.crawl import AGENT
from aggregator.fetch.robots import may_fetch
from aggregator.model.ask import Ask
from aggregator.model.entry import NO_NEWS, Feed
from aggregator.model.job import Gathered, SourceJob
from aggregator.model.poll import Cut, Failed, Fetched
from aggregator.model.settings import Source
from aggregator.parse.discovery import best_first, guesses
from aggregator.urls import Url, normalise

MAX_TRIED: Final = 3  # linked feeds of a page that are tried until one can be read

Choose = Callable[[Sequence[NamedFeed]], Sequence[NamedFeed]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A feed that was fetched and read."""

    poll: Gathered[SourceJob]
    url: Url  # address to poll: after the permanent redirects (P41)
    ended_at: Url  # address that answered, after all redirects
    others: Sequence[NamedFeed] = ()  # other feeds that the page links to


class NoFeed(AggregatorError):
    """No feed was found, or none could be read; the message has the reason."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(code, why)
        self.code, self.why = code, why

    def __str__(self) -> str:
        return self.why


def find(source: Source, prober: Prober, choose: Choose) -> Found:
    """Return the feed of a source's address.

    Args:
        source: the source as it would be in feeds.yaml, with the typed address.
        prober: sends the requests.
        choose: gets the feeds of a page, the best first, and returns those to try, in order; may return none.

    Raises:
        NoFeed: no feed was found.
    """
    poll = prober.ask(source)
    if found := _found(poll):
        return found
    error = poll.answer.error if poll is not None and isinstance(poll.answer, Failed) else None
    if isinstance(error, NotAFeed) and error.feeds:
        return _named(source, prober, choose, error)
    if isinstance(error, NotAFeed) and error.is_page:
        return _guessed(source, prober, error)
    raise _no_feed(poll)


def _named(source: Source, prober: Prober, choose: Choose, page: NotAFeed) -> Found:
    feeds = best_first(page.feeds)
    chosen = choose(feeds) if len(feeds) > 1 else feeds
    if not chosen:
        raise NoFeed("not_chosen", f"{page.url}: none of its {len(feeds)} feeds was chosen")
    failures = []
    for feed in chosen[:MAX_TRIED]:
        poll = prober.ask(source, feed.url)
        if found := _found(poll, [other for other in feeds if other != feed]):
            return found
        failures.append(_no_feed(poll).why)
    raise NoFeed("no_feed", f"{page.url}: the feeds that it names can't be read: {'; '.join(failures)}")


def _guessed(source: Source, prober: Prober, page: NotAFeed) -> Found:
    """Try common paths of feeds. No link names them, so robots.txt must allow each (P89, P90)."""
    robots = _robots(source, prober, page.url)
    urls = [url for url in guesses(page.url) if robots is not None and may_fetch(robots, AGENT, urlsplit(url).path)]
    for url in urls:
        if url != page.url and (found := _found(prober.ask(source, url))):
            return found
    tried = f"none is at {', '.join(urlsplit(url).path for url in urls)}" if urls else "its robots.txt forbids guessing"
    raise NoFeed("no_feed", f"{page.url}: {page.why}; it names no feed, and {tried}")


def _robots(source: Source, prober: Prober, page: Url) -> bytes | None:
    """Return a site's robots.txt; empty if there is none; None if unknown, which forbids all (RFC 9309, 2.3.1)."""
    bodies: list[bytes] = []

    def keep(fetched: Fetched, ask: Ask) -> Feed:
        bodies.append(fetched.body)
        return NO_NEWS

    poll = prober.ask(source, normalise(urljoin(page, "/robots.txt")), read=keep)
    if bodies:
        return bodies[0]
    if poll is None or not isinstance(poll.answer, Failed):
        return None
    status = poll.answer.status or 0
    is_open = poll.answer.code == "empty" or (400 <= status < 500 and status != 429)
    return b"" if is_open else None


def _found(poll: Gathered[SourceJob] | None, others: Sequence[NamedFeed] = ()) -> Found | None:
    if poll is None or not isinstance(poll.answer, Fetched):
        return None
    return Found(poll=poll, url=settled_url(poll.job.url, poll.answer), ended_at=poll.answer.url, others=others)


def _no_feed(poll: Gathered[SourceJob] | None) -> NoFeed:
    """Return the error for a poll that brought no feed."""
    if poll is None:
        return NoFeed("skipped", "its host asked for a pause; try again later")
    if isinstance(poll.answer, Cut):
        return NoFeed("skipped", "its redirect was not followed, because the target host was busy; try again later")
    assert isinstance(poll.answer, Failed)
    return NoFeed(poll.answer.code, poll.answer.text)
