"""Update of a source after a poll: state, counters, address, validators, due time. Pure."""

from dataclasses import replace
from datetime import datetime, timedelta

from aggregator.cadence import Course, Pace, next_turn
from aggregator.cadence.schedule import Schedule
from aggregator.decide.losses import is_held_for_loss
from aggregator.decide.source_health import (
    GONE,
    LOST_TIMES,
    Findings,
    adopted_url,
    after_document,
    is_whole,
    observe,
    settled_at,
)
from aggregator.model.ask import Validators
from aggregator.model.changes import SourceUpdate
from aggregator.model.entry import NO_HINTS, Digest, Hints
from aggregator.model.event import Code, Event
from aggregator.model.hosts import budget_key
from aggregator.model.job import Gathered, SourceJob
from aggregator.model.observed import Observed
from aggregator.model.poll import Answer, Cut, Failed, Fetched, NotModified, Outcome, State
from aggregator.model.settings import Roster, Source
from aggregator.urls import Url, host_of

RATE_LIMITED = 429
UNAVAILABLE = 503
GONE_TIMES = 3  # responses with 410 in a row after which a feed is gone (P29),
GONE_SPAN = timedelta(hours=48)  # if they are spread over at least this


def _pace(source: Source) -> Pace:
    return Pace(
        every=source.every,
        schedule=Schedule(source.schedule, source.schedule_zone) if source.schedule else None,
        min_interval=source.min_interval,
        max_interval=source.max_interval,
        crowding=source.crowding,
    )


def source_update(
    poll: Gathered[SourceJob], roster: Roster, arrivals: tuple[datetime, ...], findings: Findings
) -> SourceUpdate:
    """Return the update of a source after a poll.

    Args:
        poll: one that was not cut.
        roster: the settings.
        arrivals: when the last entries came, those of this poll included (P62).
        findings: what the document showed, if one came.
    """
    due, answer = poll.job, poll.answer
    failed = isinstance(answer, Failed)
    status = None if isinstance(answer, Cut) else answer.status
    identical = _identical(due, answer)
    observed = observe(poll, identical=identical, is_same_feed=findings.is_same_feed)
    observed = after_document(observed, poll, findings)
    state = _state(due, answer, observed)
    validators = _validators(poll)
    turn = next_turn(
        due.source.key,
        _pace(due.source),
        Course(
            asked_at=answer.asked_at,
            polls=due.polls + 1,
            hints=_hints(poll),
            arrivals=arrivals,
            earns=observed.earns,
            has_validators=validators is not None,
            body_bytes=observed.body_bytes,
            failures=due.failures + 1 if failed else 0,
            retried=due.retried,
            is_gone=failed and (status == GONE or state is State.GONE),
            is_given_up=state is State.GONE,
            hurry=observed.hurry,
            is_slowed=failed and (status == RATE_LIMITED or (status == UNAVAILABLE and bool(answer.hints.retry_after))),
        ),
    )
    url = _next_url(due, observed, answer.asked_at)
    if url != due.url:
        observed = settled_at(observed)  # the validators stay: they are sent where they belong, and only there (P8)
    return SourceUpdate(
        outcome=_outcome(answer, moved=url != due.url),
        state=state,
        status=status,
        code=answer.code if isinstance(answer, Failed) else None,
        error=answer.text if isinstance(answer, Failed) else None,
        failures=due.failures + 1 if failed else 0,
        failing_since=(due.health.failing_since or answer.asked_at) if failed else None,
        succeeded_at=due.health.succeeded_at if failed else answer.asked_at,
        due_at=turn.due_at,
        earliest_at=turn.earliest_at,
        retry_until=turn.retry_until,
        interval=turn.interval,
        inputs=turn.inputs(),
        url_in_use=url,
        host_key=due.host_key if url == due.url else budget_key(url, roster.hosts),
        observed=observed,
        validators=validators,
        body_digest=_body_digest(poll),
        identical=identical,
        retried=answer.hints.retry_after is not None,
        seconds=answer.seconds,
        wire_bytes=answer.wire_bytes,
        conditional=answer.conditional,
        asides=() if due.is_twin else answer.asides,
    )


def _outcome(answer: Answer, *, moved: bool) -> Outcome:
    match answer:
        case Failed(status=status):
            return Outcome.GONE if status == GONE else Outcome.FAILED
        case NotModified():
            return Outcome.MOVED if moved else Outcome.NOT_MODIFIED
        case Fetched():
            return Outcome.MOVED if moved else Outcome.FETCHED
    raise AssertionError("a poll that was cut is given back, not decided")


def _body_digest(poll: Gathered[SourceJob]) -> Digest | None:
    """Return the digest to compare the next body with: never that of a partial body (P6) or a delta (P23)."""
    answer = poll.answer
    if isinstance(answer, Fetched) and is_whole(poll, answer) and not answer.is_delta:
        return answer.body_digest
    return poll.job.body_digest


def _hints(poll: Gathered[SourceJob]) -> Hints:
    """Return the hints of the response together with those of the last document that was read."""
    said = poll.answer.hints
    document = poll.job.hints if poll.is_quiet else poll.feed.hints
    if said is NO_HINTS:
        return document
    return replace(document, retry_after=said.retry_after, exhausted=said.exhausted, freshness=said.freshness)


def _state(due: SourceJob, answer: Answer, observed: Observed) -> State:
    if not isinstance(answer, Failed):
        held = is_held_for_loss(observed.lost, observed.lost_since, answer.asked_at)
        return State.SUSPECT if observed.suspect_since or held else State.OK
    if due.health.state is State.GONE:  # until it answers with a feed again
        return State.GONE
    since = observed.gone_since
    if observed.gone_times >= GONE_TIMES and since is not None and answer.asked_at - since >= GONE_SPAN:
        return State.GONE
    return State.FAILING


def _next_url(due: SourceJob, observed: Observed, now: datetime) -> Url:
    """Return the address of the next poll: the one in use, an adopted one (P40), or the configured one (P48)."""
    if observed.lost_times >= LOST_TIMES:
        return due.source.url
    return adopted_url(observed, now) or due.url


def _identical(due: SourceJob, answer: Answer) -> int:
    """Count the 200s in a row that brought the same body although a tag was sent (P13)."""
    match answer:
        case Fetched() if answer.same_body and answer.conditional and due.validators and due.validators.etag:
            return due.identical + 1
        case Failed():
            return due.identical
        case _:
            return 0


def _validators(poll: Gathered[SourceJob]) -> Validators | None:
    """Return the validators that the next poll may send."""
    due, answer = poll.job, poll.answer
    match answer:
        case NotModified():
            return _refreshed(due, answer)
        case Fetched() if is_whole(poll, answer):
            if not (answer.etag or answer.last_modified):
                return None
            return Validators(url=answer.url, etag=answer.etag, last_modified=answer.last_modified)  # both (P3)
        case Failed(status=304):  # to no validator of ours: nothing that we hold is sure (P15)
            return None
        case _:
            return due.validators


def _refreshed(due: SourceJob, answer: NotModified) -> Validators | None:
    """Return the validators after a 304: its headers replace the stored ones (P5)."""
    if due.validators is None:
        return None
    return replace(
        due.validators,
        etag=answer.etag or due.validators.etag,
        last_modified=answer.last_modified or due.validators.last_modified,
    )


def update_events(due: SourceJob, move: SourceUpdate) -> tuple[Event, ...]:
    """Return events for a change of state, once (R49), and for a change of address."""
    events: tuple[Event, ...] = ()
    if (due.health.state, due.health.code) != (move.state, move.code):
        facts = {"from": due.health.state, "to": move.state, "code": move.code, "error": move.error}
        events = (Event(code=Code.CHANGE_STATE, source=due.source_id, facts=facts),)
    if move.url_in_use != due.url:
        hosts = {"host": [host_of(due.url), host_of(move.url_in_use)]}
        events = (*events, Event(code=Code.MOVE_URL, source=due.source_id, facts=hosts))
    return events
