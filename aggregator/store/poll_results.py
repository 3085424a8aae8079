"""Statements that write the results of polls into rows of sources."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import BigInteger, Connection, Update, bindparam, case, func, select, update

from aggregator.model.changes import Changes, Read, SourceUpdate
from aggregator.model.job import SourceJob
from aggregator.model.observed import Observed
from aggregator.model.poll import State
from aggregator.model.stored_json import arrivals_to_json, hints_to_json, observed_to_json, origin_to_json
from aggregator.store.history import later_recent
from aggregator.store.queries import by, rows_by
from aggregator.store.schema import MICROSECOND, Instant, source


def move(connection: Connection, changes: Sequence[Changes]) -> None:
    """Write the state of sources after their polls: one statement for unchanged sources, one for changed sources."""
    steady = [_turn_values(change) for change in changes if _is_steady(change)]
    if steady:
        connection.execute(_NEXT_TURN, steady)
    moved = [_turn_values(change) | _standing_values(change.update) for change in changes if not _is_steady(change)]
    if moved:
        connection.execute(_MOVE, moved)


def _is_steady(changes: Changes) -> bool:
    """Return whether a poll changed only times and counters, as most do: half of the columns need not be written."""
    due, moved = changes.job, changes.update
    return (
        not due.failures
        and not moved.failures
        and due.health.state is moved.state
        and due.health.code is moved.code is None
        and due.observed == moved.observed
        and due.validators == moved.validators
        and due.url == moved.url_in_use
        and due.host_key == moved.host_key
        and due.body_digest == moved.body_digest
        and due.identical == moved.identical
        and due.retried == moved.retried
    )


def _turn_values(changes: Changes) -> dict[str, Any]:
    """Return the values that every poll changes, as parameters of `_NEXT_TURN` and `_MOVE`."""
    moved = changes.update
    return {
        "row_id": changes.job.source_id,
        "new_due_at": moved.due_at,
        "new_earliest_at": moved.earliest_at,
        "new_retry_until": moved.retry_until,
        "new_attempted_at": changes.asked_at,
        "new_interval": moved.interval // MICROSECOND,
        "new_cadence": moved.inputs,
        "new_succeeded_at": moved.succeeded_at,
        "new_status": moved.status,
        "new_recent": later_recent(changes),
    }


def _standing_values(moved: SourceUpdate) -> dict[str, Any]:
    """Return the values that stay while a source answers 304, as parameters of `_MOVE`."""
    validators = moved.validators
    return {
        "new_observations": observed_to_json(moved.observed),
        "new_url_in_use": moved.url_in_use,
        "new_host_key": moved.host_key,
        "new_failures": moved.failures,
        "new_failing_since": moved.failing_since,
        "new_state": moved.state.value,
        "new_code": moved.code,
        "new_error": moved.error,
        "new_validators_url": validators.url if validators else None,
        "new_etag": validators.etag if validators else None,
        "new_last_modified": validators.last_modified if validators else None,
        "new_body_digest": moved.body_digest,
        "new_identical": moved.identical,
        "new_retried": moved.retried,
    }


def clear_suspicion(connection: Connection, due: SourceJob) -> None:
    """Clear the suspicion that a source is another feed (R44) or has lost fields; these fields may be missing now."""
    state = State.OK if due.health.state is State.SUSPECT else due.health.state
    observed = observed_to_json(_accepted(due.observed))
    chosen = update(source).where(source.c.id == due.source_id)
    connection.execute(chosen.values(state=state.value, observations=observed))


def _accepted(observed: Observed) -> Observed:
    forgone = tuple(dict.fromkeys((*observed.forgone, *observed.lost)))
    return replace(observed, suspect_since=None, lost=(), lost_since=None, forgone=forgone)


def _statement(names: str) -> Update:
    """Return the statement that updates these columns. It is built once: to build it costs as much as a poll."""
    chosen = update(source).where(source.c.id == bindparam("row_id"))
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names.split()}
    return chosen.values(values | {"claims": 0, "polls": source.c.polls + 1})


_TURN = "due_at earliest_at retry_until attempted_at interval cadence succeeded_at status recent"
_STANDING = (
    "observations url_in_use host_key failures failing_since state code error validators_url etag last_modified "
    "body_digest identical retried"
)
_NEXT_TURN = _statement(_TURN)
_MOVE = _statement(f"{_TURN} {_STANDING}")


_FEEDS = by(select(source.c.id, source.c.feed), source.c.id)
_NEWEST = bindparam("newest", type_=Instant)
_IS_NEWER = func.coalesce(source.c.newest_at < _NEWEST, source.c.newest_at.is_(None))
_DOCUMENT = "feed format encoding notices hints arrivals identity window read_whole"
_READ = (
    update(source)
    .where(source.c.id == bindparam("row_id"))
    .values(
        {name: bindparam(f"new_{name}") for name in _DOCUMENT.split()}
        | {
            "listed": func.coalesce(bindparam("new_listed", type_=source.c.listed.type), source.c.listed),
            "entries": source.c.entries + bindparam("more", type_=BigInteger),  # `status` can't count a million rows
            "first_stored_at": func.coalesce(source.c.first_stored_at, bindparam("first", type_=Instant)),
            "newest_at": case((_IS_NEWER, _NEWEST), else_=source.c.newest_at),
        }
    )
)


def write_read(connection: Connection, changes: Sequence[Changes]) -> bool:
    """Write what documents say of themselves: origin, format, hints, arrivals and identity.

    Returns:
        Whether the title or the site of a feed has changed, which the list of sources shows.
    """
    polls = [(change, change.read) for change in changes if change.read is not None]
    if not polls:
        return False
    rows = rows_by(connection, _FEEDS, [change.job.source_id for change, _ in polls])
    before = {row["id"]: row["feed"] or {} for row in rows}
    connection.execute(_READ, [_read_values(change, read) for change, read in polls])
    known = [(before[change.job.source_id], read.origin) for change, read in polls]
    return any((feed.get("title"), feed.get("link")) != (origin.title, origin.link) for feed, origin in known)


def _read_values(change: Changes, read: Read) -> dict[str, Any]:
    """Return the parameters of `_READ`."""
    return {
        "row_id": change.job.source_id,
        "new_feed": origin_to_json(read.origin),
        "new_format": read.format,
        "new_encoding": read.encoding,
        "new_notices": list(read.notices[:20]) or None,
        "new_hints": hints_to_json(read.hints),
        "new_arrivals": arrivals_to_json(read.arrivals),
        "new_identity": asdict(read.identity),
        "new_window": read.window,
        "new_read_whole": read.whole or None,
        "new_listed": None if read.listed is None else list(read.listed),
        "more": len(change.entries.new),
        "first": change.asked_at if change.entries.new else None,
        "newest": read.newest,
    }
