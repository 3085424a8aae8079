"""A poll: fetch, parse, clean, identify, decide, store. Publishing follows when something is dirty.

`gather` runs in any number of workers and touches no store; `settle` writes what polls bring. Service and one-shot
`poll` call these two functions and contain no rule of polling themselves.
"""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from logging import INFO, WARNING, getLogger
from time import thread_time
from traceback import format_exception
from typing import TYPE_CHECKING

from aggregator.clock import Clock
from aggregator.decide.poll import decide
from aggregator.decide.same_address import follow
from aggregator.decide.suspect import is_release
from aggregator.errors import CutShort, Overran, ParseError, ReadersBusy, SourceError
from aggregator.identify.budget import Budget
from aggregator.late import late
from aggregator.model.ask import Ask
from aggregator.model.changes import Changes, Completion, Settled
from aggregator.model.entry import NO_NEWS, Feed, Hints
from aggregator.model.event import Code
from aggregator.model.job import DetailJob, Gathered, Job, JobT, SourceJob, is_of_detail, is_of_source
from aggregator.model.known import NOTHING_KNOWN
from aggregator.model.poll import Answer, Aside, Cut, Exchange, Failed, Fetched, PackedBody, Unreached
from aggregator.model.redactor import Redactor
from aggregator.model.settings import Roster, Source
from aggregator.poll.secrecy import body_redactor, redacted, safe_text
from aggregator.store.apply import Act
from aggregator.store.database import Store
from aggregator.store.history import has_changed_in_hour
from aggregator.store.transaction import Transaction

if TYPE_CHECKING:
    from aggregator.identify import keys
    from aggregator.poll import corrections, details, hooks, pagination
    from aggregator.rules import rewriting
else:
    corrections = late("aggregator.poll.corrections")
    details = late("aggregator.poll.details")
    hooks = late("aggregator.poll.hooks")
    keys = late("aggregator.identify.keys")
    pagination = late("aggregator.poll.pagination")
    rewriting = late("aggregator.rules.rewriting")

log = getLogger(__name__)

PACKED_FROM = 1024 * 1024  # bytes of the largest body that is kept for `replay`
PACKED_BYTES = 64 * 1024  # largest size of the same, deflated
LONG_READ = 5.0  # seconds of CPU; after such a body, those of the same source are read in another process (S15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """The outside world that `gather` needs: network, readers, time."""

    fetch: Callable[[Ask], Answer]
    release: Callable[[Ask], None]  # gives back the memory that a body was granted (R42)
    read: Callable[[Fetched, Ask], Feed]  # parse, clean, identify: see `aggregator.reader`
    redactor: Callable[[], Redactor]
    clock: Clock
    is_cut: Callable[[], bool] = lambda: False  # the program stops; what is not decided yet is left undone (R54)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports(Intake):
    """The outside world that `settle` needs as well: the store, and the roster in force."""

    store: Store
    roster: Callable[[], Roster]
    worked: Callable[[], float] = thread_time  # seconds of CPU of this thread, by which comparing entries is limited
    on_listed: Callable[[], None] = lambda: None  # a list names other sources than before
    on_made: Callable[[], None] = lambda: None  # items have named categories that the roster lacks


def gather(job: JobT, ports: Intake) -> Gathered[JobT]:
    """Fetch and read one document. Touches no store; never raises, since an error must not stop other sources (R40).

    Secrets of ours that the response repeats are removed before anything reads it, and from the text of errors (S44).
    """
    redactor, ask = ports.redactor(), job.ask()
    answer: Answer | None = None
    feed, overran = NO_NEWS, False
    try:
        answer = ports.fetch(ask)
        if isinstance(answer, Fetched) and not answer.same_body:
            began = thread_time()
            own = redactor.for_source(job.source)
            safe = _as_read(answer, job, body_redactor(own, job, answer) if job.source.private else own)
            feed = _identified(ports.read(safe, ask), job)
            if isinstance(job, SourceJob) and pagination.has_further(job, feed):
                fetch = partial(_fetch_further, job, ports=ports, redactor=redactor)
                feed, asides, met = pagination.with_further(
                    job, feed, fetch, is_spent=answer.hints.exhausted is not None
                )
                hints, met = _patient(answer.hints, asides), (*answer.met, *met)
                answer = replace(answer, asides=(*answer.asides, *asides), met=met, hints=hints)
            if isinstance(job, SourceJob):  # a detail is rewritten with the entry that it belongs to
                feed, answer = _rewritten(feed, job.source), replace(answer, packed=_packed(safe, job, feed))
                if job.source.hooks:
                    feed = hooks.hooked(feed, job, own, ports.is_cut)
            overran = thread_time() - began > LONG_READ
    except (CutShort, ReadersBusy) as error:
        answer = _unread(error, job, _exchange(answer, ports), redactor)
    except SourceError as error:  # a fault of the publisher; hints of an unreadable response still count
        overran = isinstance(error, Overran)
        answer = Failed.of(error, _exchange(answer, ports))
    except Exception as error:
        hidden = _hidden_trace(error, lambda text: safe_text(text, job, answer, feed, redactor))
        log.exception(
            "crash_poll",
            extra={"source": job.source.key, "traceback": hidden},
            exc_info=None if hidden else error,
        )
        answer = Failed.of(error, _exchange(answer, ports))
    finally:
        if isinstance(answer, Fetched):
            answer = replace(answer, body=b"")  # it is not read again, and results wait to be stored (R42)
        ports.release(ask)
    if isinstance(answer, Failed):
        if answer.error is not None:  # its frames hold the body
            answer.error.__traceback__ = answer.error.__context__ = answer.error.__cause__ = None
        answer = replace(answer, text=safe_text(answer.text, job, answer, feed, redactor))
    if answer.met:
        answer = replace(answer, met=tuple(map(redactor.url, answer.met)))
    if job.source.private:
        feed = redacted(feed, job, answer)
    return Gathered(job, answer, feed, overran=overran)


def settle(polls: Sequence[Gathered[Job]], ports: Ports) -> list[Settled]:
    """Decide and store a group of polls in one transaction.

    Quiet polls (304, same body, failed) are one statement for all. A poll with entries has a savepoint of its own,
    after the quiet ones, one after the other, so that the second copy of a story meets the first. Polls that we cut
    ourselves, or that the network kept from their hosts, are charged to no source (R54, P87).

    The response also settles other sources at the same address (P66). Polls whose claim no longer holds are dropped:
    their source was claimed again meanwhile.

    Raises:
        StoreError: our side failed; nothing of the group was written.
        CutShort: the program stops, and polls with entries are left: nothing of the group was written.
    """
    roster = ports.roster()
    returned = [poll for poll in polls if isinstance(poll.answer, Cut)]
    of_details = [poll for poll in polls if is_of_detail(poll) and not isinstance(poll.answer, Cut)]
    asked = [poll for poll in polls if is_of_source(poll) and not isinstance(poll.answer, Cut)]
    with ports.store.begin() as tx:
        settleable = tx.held([*(poll.job for poll in asked), *(poll.job for poll in of_details)])
        asked = [poll for poll in asked if poll.job.id in settleable]
        of_details = [poll for poll in of_details if poll.job.id in settleable]
        shared = ports.store.shares_addresses(tx)
        twins = tx.claims.twins([poll.job for poll in asked], roster.sources) if shared else {}
        asked += [
            followed
            for poll in tuple(asked)
            for twin in twins.get(poll.job.source_id, ())
            if (followed := follow(poll, twin)) is not None
        ]
        changes = [decide(poll, NOTHING_KNOWN, roster) for poll in asked if _says_nothing(poll)]
        _undo_claims(tx, returned)
        written: list[Act] = [*changes]
        tx.read_seen([poll.feed for poll in asked if poll.feed.listing.seen])
        for poll in asked:
            if _says_nothing(poll):
                continue
            _end_if_cut(ports)
            feed = tx.with_seen(poll.job, poll.feed)
            if feed is None:  # an edit came in between: the source is polled again, and read whole
                tx.claims.forget_window(poll.job)
                _undo_claims(tx, [poll])
                continue
            poll = replace(poll, feed=feed)
            budget = Budget(clock=ports.worked, is_cut=ports.is_cut)
            with tx.savepoint("store_entries", source=poll.job.source.key) as savepoint:
                known = tx.known(poll.job, poll.feed, poll.answer.asked_at, budget=budget)
                change = decide(poll, known, roster, budget)
                tx.write(change)
            if not savepoint.is_kept:  # the other polls of the group are stored
                change = decide(_unstored(poll, savepoint.why), NOTHING_KNOWN, roster)
            written.append(change)
            if change.entries.merge_candidates:
                found = change.entries.merge_candidates
                written += corrections.merge_unseen_stories(tx, found, roster, change.asked_at)
            changes.append(change)
        tx.finish(*written)
        completions = []
        for detail in of_details:
            _end_if_cut(ports)
            completions.append(details.settle_detail(tx, detail, roster))
        tx.history.add_details([(detail.job, detail.answer) for detail in of_details])
    settled: list[Settled] = [*changes, *completions]
    if any(one.entries.categories for one in settled):
        ports.on_made()
    if any(change.outlines is not None for change in changes):
        ports.on_listed()
    if any(change.update.url_in_use != change.job.url for change in changes):
        ports.store.forget_addresses()
    for change in changes:
        log_poll(change)
    for completion in completions:
        log_detail(completion)
    return settled


def _undo_claims(tx: Transaction, polls: Sequence[Gathered[Job]]) -> None:
    """Undo the claims of polls that were not sent, or put them off to the next turn of their sources."""
    waits = [(poll, isinstance(poll.answer, Unreached) and poll.answer.waits) for poll in polls]
    tx.give_back([poll.job for poll, is_put_off in waits if not is_put_off])
    tx.put_off([(poll.job, poll.answer.asked_at) for poll, is_put_off in waits if is_put_off])


def _end_if_cut(ports: Ports) -> None:
    if ports.is_cut():
        raise CutShort


def _fetch_further(job: SourceJob, ask: Ask, *, ports: Intake, redactor: Redactor) -> tuple[Answer, Feed | None]:
    """Fetch and read one more document of a poll; return no feed if that failed.

    Raises:
        CutShort: the program stops.
    """
    job = replace(job, url=ask.url, validators=None)  # these addresses are removed from messages (S44)
    answer = ports.fetch(ask)
    try:
        if isinstance(answer, Cut) and not isinstance(answer, Unreached):
            raise CutShort
        if isinstance(answer, Failed):
            return replace(answer, text=safe_text(answer.text, job, answer, NO_NEWS, redactor)), None
        if not isinstance(answer, Fetched):
            return answer, None
        feed = ports.read(_as_read(answer, job, redactor.for_source(job.source)), ask)
        return replace(answer, body=b""), _identified(feed, job)
    except ParseError as error:
        failed = Failed.of(error, answer)
        return replace(failed, text=safe_text(failed.text, job, failed, NO_NEWS, redactor)), None
    finally:
        ports.release(ask)


def _patient(hints: Hints, asides: Sequence[Aside]) -> Hints:
    """Add the Retry-After of further documents to the hints (P56)."""
    waits = [wait for each in asides if (wait := each.hints.retry_after) is not None]
    return replace(hints, retry_after=max([*waits, hints.retry_after or timedelta(0)])) if waits else hints


def _identified(feed: Feed, job: Job) -> Feed:
    """Return a document with keys from links or texts, where the ids or dates of its source are unreliable (I35)."""
    if isinstance(job, DetailJob):
        return feed
    observed = job.observed
    return keys.identify_again(feed, job.source.reading, by_link=observed.by_link, by_text=observed.by_text)


def _rewritten(feed: Feed, source: Source) -> Feed:
    """Return a document whose entries were changed by the `rewrite` of their source."""
    if not source.rewrite:
        return feed
    classes = source.reading.allow_classes
    return replace(feed, entries=tuple(rewriting.rewritten(entry, source.rewrite, classes) for entry in feed.entries))


def _says_nothing(poll: Gathered[SourceJob]) -> bool:
    """Return whether a poll changes no entry: it brought no document, and no entry was waiting for one (R44)."""
    return poll.is_quiet and not is_release(poll)


def log_poll(change: Changes) -> None:
    """Log a poll: the first failure of a source is a warning, later ones are not (R49)."""
    for event in change.events:
        if event.code is Code.DOUBT_LIST:
            log.warning("doubt_list", extra={"source": change.job.source.key, "advice": event.facts["because"]})
    move, entries = change.update, change.entries
    worse = move.failures == 1 or (move.failures > 0 and move.code != change.job.health.code)
    level = WARNING if worse else INFO
    if not log.isEnabledFor(level):
        return
    facts: dict[str, object] = {
        "source": change.job.source.key,
        "outcome": move.outcome.value,
        "new": entries.new_count,
        "revised": entries.revisions,
        "next": move.due_at.isoformat(timespec="seconds"),
    }
    if move.error:
        facts |= {"code": move.code, "error": move.error, "failures": move.failures}
    log.log(level, "poll_source", extra=facts)


def log_detail(completion: Completion) -> None:
    """Log what came of a request for a detail."""
    facts: dict[str, object] = {"source": completion.job.source.key, "entry": completion.job.awaited.id}
    if completion.retry_at is not None:
        facts |= {"code": completion.code, "error": completion.error, "failures": completion.job.failures + 1}
        facts["next"] = completion.retry_at.isoformat(timespec="seconds")
    log.info("fetch_detail", extra=facts)


def _as_read(answer: Fetched, job: Job, redactor: Redactor) -> Fetched:
    """Return a response without secrets, also in its address, against which relative links are resolved.

    Relative links of a detail are resolved against the page of its entry: no reader ever sees the address of an API. An
    article is a page itself, wherever its link led.

    The digest stays that of the received bytes: the next poll compares with it (P4).
    """
    page = job.awaited.link if isinstance(job, DetailJob) and not job.reading.is_article else None
    return replace(answer, body=redactor.body(answer.body), url=redactor.url(page or answer.url))


def _packed(answer: Fetched, job: SourceJob, feed: Feed) -> PackedBody | None:
    """Return a body as it is kept for `replay`.

    None if it is too large, holds only changes (P22), or is not the first of this hour to change something: deflating
    97 kB takes 1.3 ms. One with notices is always returned.
    """
    if answer.is_delta or len(answer.body) > PACKED_FROM:
        return None
    if not (feed.notices or feed.left_out) and has_changed_in_hour(job.recent, answer.asked_at):
        return None
    data = zlib.compress(answer.body, level=1)
    if len(data) > PACKED_BYTES:
        return None
    named = (
        ("content-type", answer.content_type),
        ("content-language", answer.content_language),
        ("content-location", answer.content_location),
    )
    headers = tuple((name, value) for name, value in named if value is not None)
    return PackedBody(digest=answer.body_digest, headers=headers, data=data)


def _unread(error: CutShort | ReadersBusy, job: Job, answer: Exchange, redactor: Redactor) -> Cut:
    """Return the answer of a poll whose body was not read for a reason of ours (R54, L5)."""
    if isinstance(error, CutShort):
        return Cut(asked_at=answer.asked_at)
    log.warning(
        "put_off_poll", extra={"source": job.source.key, "error": safe_text(str(error), job, answer, NO_NEWS, redactor)}
    )
    return Unreached(asked_at=answer.asked_at, waits=True)


def _hidden_trace(error: Exception, safe: Callable[[str], str]) -> str | None:
    """Return the traceback of an error of ours without secrets; None if it contains none."""
    trace = "".join(format_exception(error))
    shown = safe(trace)
    return None if shown == trace else shown


def _exchange(answer: Answer | None, ports: Intake) -> Exchange:
    return Exchange(asked_at=ports.clock()) if answer is None else answer


def _unstored(poll: Gathered[SourceJob], why: str) -> Gathered[SourceJob]:
    """Return a poll, whose entries the store refused, as failed."""
    failed = replace(Failed.of(RuntimeError(), poll.answer), text=f"the store can't hold what it brought: {why}")
    return replace(poll, answer=failed, feed=NO_NEWS)
