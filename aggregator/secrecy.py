"""Addresses of a private source that one poll has met, and their removal from what is said (S44). Pure."""

from collections.abc import Iterator
from dataclasses import replace

from aggregator.errors import NotAFeed
from aggregator.model.entry import NO_NEWS, Feed
from aggregator.model.job import Job, SourceJob
from aggregator.model.poll import Exchange, Failed, Fetched
from aggregator.model.redactor import Redactor
from aggregator.model.tokens import Hush, secrets_of


def narrowed(redactor: Redactor, due: Job, answer: Fetched) -> Redactor:
    """Return the redactor of a body.

    Of a detail it strikes out what the address of a private source has, and those that led to the detail. Entries keep
    what they were told with: their ids must not change, and they are veiled when they are published (S44).
    """
    own = redactor.narrowed(due.source)
    if isinstance(due, SourceJob) or not due.source.private:
        return own
    led = (*answer.met, *_addresses(due, answer, NO_NEWS))
    tokens = {token for address in led for token in secrets_of(address).all}
    return own.with_tokens(tokens - secrets_of(due.awaited.link or "").all)


def safe_text(text: str, due: Job, answer: Exchange | None, feed: Feed, redactor: Redactor) -> str:
    """Return a text for operators without secrets: ours, and those of the addresses of a private source (S44)."""
    text = redactor.text(text)
    return hush_of(due, answer, feed).text(text) if due.source.private else text


def hushed(feed: Feed, due: Job, answer: Exchange) -> Feed:
    """Return a document whose notices for the operator have nothing of a private source's addresses."""
    if not due.source.private or not (feed.notices or feed.left_out or feed.gap):
        return feed
    hush = hush_of(due, answer, feed)
    return replace(
        feed,
        notices=tuple(map(hush.text, feed.notices)),
        left_out=tuple(map(hush.text, feed.left_out)),
        gap=None if feed.gap is None else hush.text(feed.gap),
    )


def _addresses(due: Job, answer: Exchange | None, feed: Feed) -> Iterator[str]:
    """Yield the addresses that a source led to or named, as far as a poll knows them."""
    if isinstance(due, SourceJob):
        yield from due.observed.addresses
        yield due.url
        if due.validators is not None:
            yield due.validators.url
    if feed.self_link is not None:
        yield feed.self_link
    if answer is not None:
        yield from answer.met
    if isinstance(answer, Failed) and isinstance(answer.error, NotAFeed):
        yield from (each.url for each in answer.error.feeds)


def hush_of(due: Job, answer: Exchange | None, feed: Feed) -> Hush:
    """Return what strikes the addresses of a poll's source out of what operators read."""
    source = due.source
    configured = [source.url, *(was for was in source.was if ":" in was)]
    configured += [str.__str__(each.url) for each in (source.detail, source.paging) if each is not None]
    return Hush(configured, _addresses(due, answer, feed))
