"""One poll, decided: where its source stands now, and what becomes of its entries. Pure."""

from dataclasses import replace

from aggregator.cadence import Pace, Turn, next_turn
from aggregator.decide.entries import decide_entries, minted_id
from aggregator.identity import is_iri
from aggregator.model.changes import NOTHING_CHANGED, Changes, Move, Read
from aggregator.model.entry import Feed, Origin
from aggregator.model.event import Code, Event
from aggregator.model.known import Known
from aggregator.model.poll import Due, Failed, Fetched, Gathered, NotModified, Outcome, State, Validators
from aggregator.model.settings import Kind, Roster

GONE = 410
RATE_LIMITED = 429


def decide(poll: Gathered, known: Known, roster: Roster) -> Changes:
    """Say what a poll changes.

    Everything goes by the poll's own `asked_at`, so that the group it happens to share changes nothing (STYLE, 1).

    Args:
        poll: what `gather` brought; never one that was cut (R54).
        known: what the store knows of its entries; `NOTHING_KNOWN` will do for a quiet poll.
        roster: the sources and categories as feeds.yaml has them.
    """
    due, answer = poll.due, poll.answer
    move = _move(poll, _turn(poll))
    events = _state_events(due, move)
    if is_quiet(poll):
        return Changes(due=due, asked_at=answer.asked_at, move=move, events=events)
    feed = poll.feed
    left_out = tuple(Event(code=Code.LEAVE_OUT, source=due.id, facts={"entry": name}) for name in feed.left_out)
    origin = origin_of(due, feed, known.store_uuid)
    return Changes(
        due=due,
        asked_at=answer.asked_at,
        move=move,
        read=Read(
            origin=origin,
            format=feed.format,
            encoding=feed.encoding,
            notices=feed.notices + feed.left_out,
            hints=feed.hints,
        ),
        entries=decide_entries(due, feed, answer.asked_at, known, roster, origin) if feed.entries else NOTHING_CHANGED,
        events=events + left_out,
    )


def is_quiet(poll: Gathered) -> bool:
    """Tell whether a poll brought nothing to hold against the store: a 304, the same body again, a failure."""
    return not isinstance(poll.answer, Fetched) or poll.answer.same_body


def origin_of(due: Due, feed: Feed, store_uuid: str) -> Origin:
    """Give the `atom:source` that credits a source in each of its entries (A9, A10).

    What of it may be seen is up to the settings of the day on which it is published: see `publish.showing` (S44).
    """
    source = due.source
    address = source.safe_url if source.reading.kind is not Kind.FILE else None
    return Origin(
        id=feed.id if feed.id and is_iri(feed.id) else address or minted_id(store_uuid, source.key, ""),
        title=source.title or feed.title,
        updated=feed.updated,
        self_link=address,
        link=feed.link,
        authors=feed.authors,
        rights=feed.rights,
        icon=feed.icon,
    )


def _turn(poll: Gathered) -> Turn:
    due, answer, source = poll.due, poll.answer, poll.due.source
    document = due.hints if is_quiet(poll) else poll.feed.hints
    hints = replace(document, retry_after=answer.hints.retry_after, freshness=answer.hints.freshness)
    return next_turn(
        key=source.key,
        asked_at=answer.asked_at,
        polls=due.polls + 1,
        pace=Pace(every=source.every, min_interval=source.min_interval, max_interval=source.max_interval),
        hints=hints,
        failures=due.failures + 1 if isinstance(answer, Failed) else 0,
        retried=due.retried,
        gone=isinstance(answer, Failed) and answer.status == GONE,
        rate_limited=isinstance(answer, Failed) and answer.status == RATE_LIMITED,
    )


def _move(poll: Gathered, turn: Turn) -> Move:
    due, answer = poll.due, poll.answer
    base = Move(
        outcome=Outcome.FETCHED,
        state=State.OK,
        status=getattr(answer, "status", None),
        due_at=turn.due_at,
        earliest_at=turn.earliest_at,
        retry_until=turn.retry_until,
        interval=turn.interval,
        because=turn.because,
        succeeded_at=answer.asked_at,
        validators=due.validators,
        body_digest=due.body_digest,
        retried=answer.hints.retry_after is not None,
    )
    match answer:
        case Failed():
            return replace(
                base,
                outcome=Outcome.GONE if answer.status == GONE else Outcome.FAILED,
                state=State.FAILING,
                code=answer.code,
                error=answer.text,
                failures=due.failures + 1,
                failing_since=due.failing_since or answer.asked_at,
                succeeded_at=due.succeeded_at,
                identical=due.identical,
            )
        case NotModified():
            return replace(base, outcome=Outcome.NOT_MODIFIED, validators=_refreshed(due, answer))
        case Fetched() if poll.feed.cut:  # P6, I13: what is missing must come again
            return base
        case Fetched():
            return replace(
                base,
                validators=Validators(
                    url=answer.url, etag=answer.etag, last_modified=answer.last_modified
                ),  # both (P3)
                body_digest=answer.body_digest,
                identical=due.identical + 1 if answer.same_body and due.validators and due.validators.etag else 0,
            )
    raise AssertionError("a poll that was cut is given back, not decided")


def _refreshed(due: Due, answer: NotModified) -> Validators | None:
    """Give the validators after a 304: fields that it carries replace the stored ones (P5)."""
    if due.validators is None:
        return None
    return replace(
        due.validators,
        etag=answer.etag or due.validators.etag,
        last_modified=answer.last_modified or due.validators.last_modified,
    )


def _state_events(due: Due, move: Move) -> tuple[Event, ...]:
    """Note a change of state, once (R49)."""
    if (due.state, due.code) == (move.state, move.code):
        return ()
    facts = {"from": due.state, "to": move.state, "code": move.code, "error": move.error}
    return (Event(code=Code.CHANGE_STATE, source=due.id, facts=facts),)
