"""The feed behind an address that somebody typed: the address itself, what its page names, or a common path (P90)."""

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

MAX_TRIED: Final = 3  # feeds that a page names, one after the other, until one is a feed

Choose = Callable[[Sequence[NamedFeed]], Sequence[NamedFeed]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A feed that was asked for and read."""

    poll: Gathered[SourceJob]
    url: Url  # where it is to be polled: behind the permanent redirects of its address (P41)
    ended_at: Url  # what answered
    others: Sequence[NamedFeed] = ()  # that the page names as well


class NoFeed(AggregatorError):
    """There is no feed behind an address, or none that could be read; the text says why."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(code, why)
        self.code, self.why = code, why

    def __str__(self) -> str:
        return self.why


def find(source: Source, trials: Prober, choose: Choose) -> Found:
    """Find the feed behind the address of a source.

    Args:
        source: as feeds.yaml would have it, with the address that was typed.
        trials: ask.
        choose: given what a page names, the best first, gives what is to be tried, in order; nothing, to try none.

    Raises:
        NoFeed: there is none.
    """
    poll = trials.ask(source)
    if found := _found(poll):
        return found
    error = poll.answer.error if poll is not None and isinstance(poll.answer, Failed) else None
    if isinstance(error, NotAFeed) and error.feeds:
        return _named(source, trials, choose, error)
    if isinstance(error, NotAFeed) and error.is_page:
        return _guessed(source, trials, error)
    raise _no_feed(poll)


def _named(source: Source, trials: Prober, choose: Choose, page: NotAFeed) -> Found:
    feeds = best_first(page.feeds)
    chosen = choose(feeds) if len(feeds) > 1 else feeds
    if not chosen:
        raise NoFeed("not_chosen", f"{page.url}: none of its {len(feeds)} feeds was chosen")
    failures = []
    for feed in chosen[:MAX_TRIED]:
        poll = trials.ask(source, feed.url)
        if found := _found(poll, [other for other in feeds if other != feed]):
            return found
        failures.append(_no_feed(poll).why)
    raise NoFeed("no_feed", f"{page.url}: what it names can't be read as a feed: {'; '.join(failures)}")


def _guessed(source: Source, trials: Prober, page: NotAFeed) -> Found:
    """Try the well-known paths of a site, where its robots.txt lets crawlers in: nobody named them (P89, P90)."""
    robots = _robots(source, trials, page.url)
    urls = [url for url in guesses(page.url) if robots is not None and may_fetch(robots, AGENT, urlsplit(url).path)]
    for url in urls:
        if url != page.url and (found := _found(trials.ask(source, url))):
            return found
    tried = f"none is at {', '.join(urlsplit(url).path for url in urls)}" if urls else "its robots.txt bars guessing"
    raise NoFeed("no_feed", f"{page.url}: {page.why}; it names no feed, and {tried}")


def _robots(source: Source, trials: Prober, page: Url) -> bytes | None:
    """Give a site's robots.txt; empty if it has none, None if that can't be told: all is barred (section 2.3.1)."""
    bodies: list[bytes] = []

    def keep(fetched: Fetched, ask: Ask) -> Feed:
        bodies.append(fetched.body)
        return NO_NEWS

    poll = trials.ask(source, normalise(urljoin(page, "/robots.txt")), read=keep)
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
    """Say why nothing was read."""
    if poll is None:
        return NoFeed("skipped", "its host asks to be left alone for a while; try again later")
    if isinstance(poll.answer, Cut):
        return NoFeed("skipped", "it was not asked to the end, for there was no room at the host it redirects to")
    assert isinstance(poll.answer, Failed)
    return NoFeed(poll.answer.code, poll.answer.text)
