"""Removes addresses of a private source from texts of one poll: errors, notices, bodies of details (S44). Pure."""

from collections.abc import Iterator
from dataclasses import replace

from aggregator.errors import NotAFeed
from aggregator.model.entry import NO_NEWS, Feed
from aggregator.model.job import Job, SourceJob
from aggregator.model.poll import Exchange, Failed, Fetched
from aggregator.model.redactor import Redactor
from aggregator.model.tokens import PrivateRedactor, secrets_of


def body_redactor(redactor: Redactor, job: Job, answer: Fetched) -> Redactor:
    """Return the redactor for the body of an answer to a private source.

    In a detail it also replaces tokens of the source's address, and of addresses that redirected to the detail, except
    for tokens of the entry's own link. Tokens in the body of the feed stay, because ids of entries must not change;
    they are replaced when the entries are published (S44).

    Args:
        redactor: of the source.
        job: the poll.
        answer: its answer.
    """
    if isinstance(job, SourceJob):
        return redactor
    led = (*answer.met, *_addresses(job, answer, NO_NEWS))
    tokens = {token for address in led for token in secrets_of(address).all}
    return redactor.with_tokens(tokens - secrets_of(job.awaited.link or "").all)


def safe_text(text: str, job: Job, answer: Exchange | None, feed: Feed, redactor: Redactor) -> str:
    """Return a text for operators without our secrets and without tokens of a private source's addresses (S44)."""
    text = redactor.text(text)
    return private_redactor_of(job, answer, feed).text(text) if job.source.private else text


def redacted(feed: Feed, job: Job, answer: Exchange) -> Feed:
    """Return a document without tokens of a private source's addresses in its notices for the operator."""
    if not (feed.notices or feed.left_out or feed.gap):
        return feed
    private = private_redactor_of(job, answer, feed)
    return replace(
        feed,
        notices=tuple(map(private.text, feed.notices)),
        left_out=tuple(map(private.text, feed.left_out)),
        gap=None if feed.gap is None else private.text(feed.gap),
    )


def _addresses(job: Job, answer: Exchange | None, feed: Feed) -> Iterator[str]:
    """Yield the addresses that the source redirected to or named, as far as the poll knows them."""
    if isinstance(job, SourceJob):
        yield from job.observed.addresses
        yield job.url
        if job.validators is not None:
            yield job.validators.url
    if feed.self_link is not None:
        yield feed.self_link
    if answer is not None:
        yield from answer.met
    if isinstance(answer, Failed) and isinstance(answer.error, NotAFeed):
        yield from (each.url for each in answer.error.feeds)


def private_redactor_of(job: Job, answer: Exchange | None, feed: Feed) -> PrivateRedactor:
    """Return the redactor of the addresses of a poll's source, for texts that operators read."""
    source = job.source
    configured = [source.url, *(was for was in source.was if ":" in was)]
    configured += [str.__str__(each.url) for each in (source.detail, source.paging) if each is not None]
    return PrivateRedactor(configured, _addresses(job, answer, feed))
