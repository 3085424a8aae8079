"""Sources at one address: it is fetched once, and the response counts for all of them (P47, P66). Pure."""

from dataclasses import replace

from aggregator.model.job import Gathered, SourceJob
from aggregator.model.poll import Failed, Fetched, NotModified
from aggregator.model.settings import Source


def shares_an_answer(one: Source, other: Source) -> bool:
    """Return whether two sources send the same request to one address, and read the response in the same way."""
    return _asks(one) == _asks(other)


def follow(poll: Gathered[SourceJob], twin: SourceJob) -> Gathered[SourceJob] | None:
    """Return a poll as a poll of another source at the same address.

    Returns:
        None if it says nothing: a 304 to validators that the other doesn't hold, or a body that was not read because
        this source knew it already. Then the other asks for itself, once, and is in step from then on.
    """
    if not shares_an_answer(poll.job.source, twin.source):
        return None
    if (poll.job.observed.by_link, poll.job.observed.by_text) != (twin.observed.by_link, twin.observed.by_text):
        return None  # one goes by ids, the other can't
    match poll.answer:
        case Failed():
            return replace(poll, job=twin)
        case NotModified() if twin.validators == poll.job.validators:
            return replace(poll, job=twin)
        case Fetched(body_digest=digest) if digest == twin.body_digest:
            return replace(poll, job=twin, answer=replace(poll.answer, same_body=True))
        case Fetched(same_body=False) if not poll.feed.listing.seen:  # the items that were not read are those of one
            return replace(poll, job=twin)
    return None


def _asks(source: Source) -> tuple[object, ...]:
    headers = tuple((name.lower(), str.__str__(value)) for name, value in source.headers)
    asked = source.request, source.paging, source.pages if source.paging is not None else 0
    return headers, source.auth and tuple(map(str.__str__, source.auth)), source.accept, source.reading, asked
