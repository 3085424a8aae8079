"""Updates the observations of a source after a poll (P13, P15, P16, P29, P34, P40, P41, P48, P70, P88, R43). Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from aggregator.cadence import median_gap
from aggregator.decide.losses import lost_since
from aggregator.model.entry import Feed
from aggregator.model.job import Gathered, SourceJob
from aggregator.model.observed import Observed, RequestMode
from aggregator.model.poll import Cut, Failed, Fetched, Hop, NotModified
from aggregator.model.window import Item
from aggregator.urls import Url

GONE = 410
PERMANENT = frozenset({301, 308})
MOVED_TIMES = 3  # polls that show a permanent redirect before it is adopted (P40),
MOVED_SPAN = timedelta(hours=48)  # over so much time at least
LOST = frozenset({404, 410})
LOST_TIMES = 3  # 404 or 410 in a row, then the configured address is tried again (P48)
REFUSED = frozenset({400, 406, 415})  # answers that our Accept or our validators may have caused (P34)
IDENTICAL = 3  # equal bodies in a row despite If-None-Match: the tag never matches (P13)
STUCK = timedelta(days=30)  # so long only 304: then a full request checks them, and again after as long (P16)
STUCK_ENTRIES = 5  # entries that the rhythm predicts for that time
SKEWED = timedelta(minutes=10)
MAX_WALKS = 3  # broken series of pages in a row, before the rest is given up
MAX_ADDRESSES = 50  # of a source, that are remembered (S44)
MAX_ADDRESS_CHARACTERS = 16 * 1024  # of all of them
TWICE = 2  # documents in a row with changed ids: from then on links identify the entries of the source
MAX_HURRY = 3  # halvings of an interval (R45)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Facts about the source that a document showed, besides its entries."""

    is_same_feed: bool = True  # evidently of the feed that is stored (P40)
    rekeyed: bool = False  # most of its ids had changed (I35)
    redated: bool = False  # an entry without id and link came under another date
    overflowed: bool = False  # all its entries were new (R45)
    flooded: bool = False  # more of them than are published as new (R47)
    unfiled: bool = False  # an item named no category though it should, or one too many
    suspect_since: datetime | None = None  # since when it looks like another feed (R44)
    lost: tuple[str, ...] | None = None  # fields that most entries had and none has any more; None: nobody looked
    forgone: tuple[str, ...] = ()  # fields that an operator gave up, and that are still missing
    window: tuple[Item, ...] = ()  # its items that are stored as they stand in it
    listed: tuple[int, ...] | None = None  # the ids of its entries; None: of no use to recognise the next one by


def observe(poll: Gathered[SourceJob], *, identical: int, is_same_feed: bool) -> Observed:
    """Return the observations of a source after a poll.

    Args:
        poll: one that was not cut.
        identical: how many times in a row the same body came although an ETag was sent, this poll included.
        is_same_feed: the document evidently belongs to the stored feed (P40).
    """
    due, answer = poll.job, poll.answer
    before = replace(due.observed, overran=True) if poll.overran else due.observed
    before = with_addresses(before, due.source.url, _met(poll))
    if answer.skew is not None:
        skewed = abs(answer.skew) > SKEWED
        before = _with(before, skew_seconds=round(answer.skew.total_seconds()) if skewed else 0)
    match answer:
        case Failed():
            return _after_failure(before, due, answer)
        case NotModified():
            return _after_304(_at_address(before, due, answer, is_same_feed=True), due, answer.asked_at)
        case Fetched():
            after = _after_200(_at_address(before, due, answer, is_same_feed=is_same_feed), answer, identical)
            return after if answer.is_delta else _counted(_cut(after, poll, answer), poll, answer)
        case Cut():
            raise AssertionError("a poll that was cut is given back, not decided")


def after_document(before: Observed, poll: Gathered[SourceJob], findings: Findings) -> Observed:
    """Add what the entries of a document showed of its source (I35, R44, R45, R47).

    If ids have changed twice in a row, links identify entries from then on. That stays: ids that once changed may do so
    again.
    """
    before = _with(before, suspect_since=findings.suspect_since)
    if poll.is_quiet or not poll.feed.entries:
        return before
    times = before.rekeyed_times + 1 if findings.rekeyed else 0
    redated_times = before.redated_times + 1 if findings.redated else 0
    now = poll.answer.asked_at
    lost = before.lost if findings.lost is None else findings.lost
    hurry = min(before.hurry + 1, MAX_HURRY) if findings.overflowed else 0
    return _with(
        before,
        restored_until=None,
        rekeyed_times=times,
        by_link=before.by_link or times >= TWICE,
        redated_times=redated_times,
        by_text=before.by_text or redated_times >= TWICE,
        hurry=hurry,
        overflowed_at=now if findings.overflowed else before.overflowed_at,
        flooded_at=now if findings.flooded else before.flooded_at,
        unfiled_at=now if findings.unfiled else before.unfiled_at,
        lost=lost,
        lost_since=lost_since(lost, before, now),
        forgone=before.forgone if findings.lost is None else findings.forgone,
        reread=False,
    )


def with_addresses(before: Observed, configured: Url, met: Iterable[Url]) -> Observed:
    """Add addresses to which a source led, or that its documents name as their own (S44).

    Once the list is full none is added, and `rotates` says that it is not complete.

    Args:
        before: the observations on the source.
        configured: the source's URL, which is known as long as feeds.yaml has it.
        met: the addresses.
    """
    new = [url for url in dict.fromkeys(met) if url != configured and url not in before.addresses]
    if not new or before.rotates:
        return before
    kept, size = list(before.addresses), sum(map(len, before.addresses))
    for url in new:
        size += len(url)
        if len(kept) == MAX_ADDRESSES or size > MAX_ADDRESS_CHARACTERS:
            return replace(before, addresses=tuple(kept), rotates=True)
        kept.append(url)
    return replace(before, addresses=tuple(kept))


def _met(poll: Gathered[SourceJob]) -> Iterator[Url]:
    due = poll.job
    yield from poll.answer.met
    if poll.feed.self_link is not None:
        yield poll.feed.self_link
    yield due.url
    if due.validators is not None:
        yield due.validators.url


def adopted_url(observed: Observed, now: datetime) -> Url | None:
    """Return the address to poll from now on (P40); None while the evidence is not enough."""
    if observed.moved_to is None or observed.moved_since is None or observed.moved_times < MOVED_TIMES:
        return None
    return observed.moved_to if now - observed.moved_since >= MOVED_SPAN else None


def settled_at(observed: Observed) -> Observed:
    """Return the observations of a source that is polled at another address from now on."""
    return replace(observed, moved_to=None, moved_times=0, moved_since=None, lost_times=0)


def permanent_target(hops: Sequence[Hop], end: Url) -> Url | None:
    """Return where the leading permanent redirects of a chain lead (P41); None if the first one is not permanent.

    Args:
        hops: the addresses that answered with a redirect, in order.
        end: the address that answered with something else.
    """
    leading = 0
    while leading < len(hops) and hops[leading].status in PERMANENT:
        leading += 1
    if not leading:
        return None
    return hops[leading].url if leading < len(hops) else end


def _at_address(before: Observed, due: SourceJob, answer: Fetched | NotModified, *, is_same_feed: bool) -> Observed:
    """Note where a successful poll ended (P40, P49)."""
    before = _with(before, gone_times=0, gone_since=None, lost_times=0, refuses_plain=False)
    kept = due.validators.url if due.validators else due.url
    end = answer.url if isinstance(answer, Fetched) else kept  # a 304 comes from where the validators belong (P8)
    target = permanent_target(answer.hops, end)
    if target is not None and (not is_same_feed or target == before.strange):
        # What it brought is stored by now, and so looks akin ever after: the first sight decides.
        return _with(before, moved_to=None, moved_times=0, moved_since=None, strange=target)
    before = _with(before, strange=None)
    if target is None:
        return _with(before, moved_to=None, moved_times=0, moved_since=None)
    if target == before.moved_to:
        return replace(before, moved_times=before.moved_times + 1)
    return replace(before, moved_to=target, moved_times=1, moved_since=answer.asked_at)


def _with(before: Observed, **found: Any) -> Observed:
    """Return `before` with new values, or `before` itself if none is new: copies cost time."""
    return before if all(getattr(before, name) == value for name, value in found.items()) else replace(before, **found)


def _after_304(before: Observed, due: SourceJob, now: datetime) -> Observed:
    after = _with(
        before,
        earns=True,
        steady_since=before.steady_since or now,
        empty_times=before.empty_times + 1 if before.empty_times else 0,
    )
    if before.ask is RequestMode.AFRESH:
        return replace(after, ask=RequestMode.USUAL)
    return replace(after, ask=RequestMode.AFRESH, doubted_at=now) if _seems_stuck(after, due, now) else after


def _seems_stuck(observed: Observed, due: SourceJob, now: datetime) -> bool:
    """Return whether a source has answered 304 for too long to be true (P16)."""
    gap = median_gap(due.arrivals)
    since = max(observed.steady_since or now, observed.doubted_at or due.arrivals[-1]) if due.arrivals else now
    if gap is None or not gap or now - since < STUCK:
        return False
    return (now - due.arrivals[-1]) / gap >= STUCK_ENTRIES


def _after_200(before: Observed, answer: Fetched, identical: int) -> Observed:
    repeated = answer.same_body and answer.conditional
    return replace(
        before,
        ask=_next_ask(before, answer, identical),
        earns=before.earns and not repeated,
        steady_since=None,
        body_bytes=before.body_bytes if answer.is_delta else answer.body_bytes,
    )


def _next_ask(before: Observed, answer: Fetched, identical: int) -> RequestMode:
    match before.ask:
        case RequestMode.PLAIN:
            return RequestMode.ANY_ACCEPT  # one step back: perhaps it was our Accept alone
        case RequestMode.AFRESH:
            return RequestMode.USUAL
        case RequestMode.DATE_ONLY if answer.last_modified is None:
            return RequestMode.USUAL
        case RequestMode.USUAL if identical >= IDENTICAL and answer.last_modified is not None:
            return RequestMode.DATE_ONLY
        case ask:
            return ask


def _after_failure(before: Observed, due: SourceJob, answer: Failed) -> Observed:
    if answer.status is None:
        return before
    after = replace(before, gone_times=0, gone_since=None, lost_times=0)
    if answer.status == GONE:
        since = before.gone_since or answer.asked_at
        after = replace(after, gone_times=before.gone_times + 1, gone_since=since)
    if answer.status in LOST and due.url != due.source.url:
        after = replace(after, lost_times=before.lost_times + 1)
    if answer.status in REFUSED:
        return _after_refusal(after)
    return replace(after, ask=RequestMode.USUAL) if before.ask is RequestMode.AFRESH else after


def _after_refusal(before: Observed) -> Observed:
    match before.ask:
        case RequestMode.ANY_ACCEPT:
            return replace(before, ask=RequestMode.ALWAYS_PLAIN)
        case RequestMode.PLAIN | RequestMode.ALWAYS_PLAIN:
            return replace(before, ask=RequestMode.USUAL, refuses_plain=True)
        case _ if before.refuses_plain:
            return replace(before, ask=RequestMode.USUAL)
        case _:
            return replace(before, ask=RequestMode.PLAIN)


def is_walked_again(due: SourceJob, feed: Feed) -> bool:
    """Return whether the next poll reads the further pages again, which broke off before a known entry (R45)."""
    return feed.gap is not None and due.observed.broken_walks + 1 < MAX_WALKS


def is_whole(poll: Gathered[SourceJob], answer: Fetched) -> bool:
    """Return whether nothing is missing from a document, or what is missing is always missing (P6, I13, R45)."""
    if is_walked_again(poll.job, poll.feed):
        return False  # else a 304 would keep us from what lies beyond the page that failed
    return not poll.feed.cut or answer.body_digest == poll.job.observed.cut_digest


def _cut(before: Observed, poll: Gathered[SourceJob], answer: Fetched) -> Observed:
    """Note a body, or a series of pages, that broke off; a body that was not read again counts as before."""
    if answer.same_body:
        return before
    return replace(
        before,
        cut_digest=answer.body_digest if poll.feed.cut else None,
        broken_walks=before.broken_walks + 1 if is_walked_again(poll.job, poll.feed) else 0,
    )


def _counted(before: Observed, poll: Gathered[SourceJob], answer: Fetched) -> Observed:
    """Count documents in a row without entries, and the entries of this one."""
    if answer.same_body:
        return replace(before, empty_times=before.empty_times + 1) if before.empty_times else before
    if poll.feed.entries:
        return replace(before, listed=len(poll.feed.entries), empty_times=0)
    return replace(before, empty_times=before.empty_times + 1)
