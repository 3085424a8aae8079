"""History of polls: the last 20 polls of a source as lines in its row, and sums for each source and day (P93).

Also the stored bodies of responses and the counts of rules that matched. The lines are plain text, written with the row
at each poll and parsed only for display.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Connection, RowMapping, bindparam, case, delete, func, select, type_coerce

from aggregator.model.changes import Changes, Hit
from aggregator.model.history import NO_ASIDES, NO_SUMS, AsideSums, DaySums, RecentPoll, SourceHistory, Sums
from aggregator.model.job import DetailJob
from aggregator.model.poll import Aside, Exchange, Failed, Outcome, PackedBody, stayed_here
from aggregator.model.settings import SourceKey
from aggregator.model.status import RuleHits
from aggregator.store.schema import EPOCH, MAX_IN, MICROSECOND, aside_day, body, insert, poll_day, rule_hit, source

DETAIL, FURTHER = "detail", "further"  # kinds of requests other than polls: `aside_day.kind`
KEPT = 20  # polls of a source that are kept as lines
MONTH = 30  # days of which `status` shows the sums of all sources
KEPT_DAYS = 400  # days of which sums are kept
MICROSECONDS_A_DAY = 86_400_000_000
OK = 200
NOT_MODIFIED = 304
AHEAD = timedelta(days=1)  # new entries dated later than this after the poll are counted as `future` (R48)
BACK = timedelta(days=365)  # new entries dated earlier than this before the poll are counted as `past`
SUMS = tuple(field.name for field in fields(Sums))
ASIDE_SUMS = tuple(field.name for field in fields(AsideSums))
_FAILED = (Outcome.FAILED, Outcome.GONE)


def later_recent(changes: Changes) -> str:
    """Return the lines of the last polls of a source, newest first, starting with the given poll.

    Works on the stored text, without parsing times or JSON, because it runs at every poll.
    """
    move, entries = changes.update, changes.entries
    line = (
        f"{int(changes.asked_at.timestamp())} {move.outcome.value} {move.status or 0} {move.wire_bytes} "
        f"{round(move.seconds * 1000)} {entries.new_count} {entries.revisions} {int(move.due_at.timestamp())} "
        f"{move.inputs.get('because', '-')}"
    )
    return "\n".join([line, *changes.job.recent.split("\n", KEPT - 1)[: KEPT - 1]]) if changes.job.recent else line


def recent_polls(text: str | None) -> tuple[RecentPoll, ...]:
    """Parse the lines of `later_recent`; lines in a format of another version of the program are skipped."""
    found = []
    for line in (text or "").splitlines():
        try:
            at, outcome, status, size, milliseconds, new, revised, due, because = line.split(" ")
            poll = RecentPoll(
                at=datetime.fromtimestamp(int(at), UTC),
                outcome=Outcome(outcome),
                status=int(status) or None,
                wire_bytes=int(size),
                milliseconds=int(milliseconds),
                new=int(new),
                revised=int(revised),
                next_due=datetime.fromtimestamp(int(due), UTC),
                because=because,
            )
        except ValueError:
            continue
        found.append(poll)
    return tuple(found)


def has_changed_in_hour(recent: str, at: datetime) -> bool:
    """Return whether one of the last polls, in the format of `later_recent`, changed an entry in the clock hour of `at`
    (UTC).
    """
    hour = at.replace(minute=0, second=0, microsecond=0)
    for line in recent.splitlines():  # newest first; one at a time, since usually the first is older
        for poll in recent_polls(line):
            if poll.at < hour:
                return False
            if poll.new or poll.revised:
                return True
    return False


def day_of(when: datetime) -> int:
    """Return the number of days since 1970-01-01, UTC."""
    return (when - EPOCH).days


def add_days(connection: Connection, changes: Sequence[Changes]) -> None:
    """Add a group of polls to the sums of their days, in one statement.

    At the first poll of a source on a day, its sums older than `KEPT_DAYS` are deleted. So the sums are trimmed however
    the program is run, without a maintenance job.
    """
    if not changes:
        return
    rows = [_day_row(change) for change in changes]
    connection.execute(_adding(connection.dialect.name), rows)
    expired = [
        {"row_id": row["source_id"], "oldest": row["day"] - KEPT_DAYS}
        for row, change in zip(rows, changes, strict=True)
        if change.job.claim.attempted_at is not None and day_of(change.job.claim.attempted_at) < row["day"]
    ]
    if expired:
        for table in (poll_day, aside_day):
            chosen = (table.c.source_id == bindparam("row_id")) & (table.c.day <= bindparam("oldest"))
            connection.execute(delete(table).where(chosen), expired)
    _add_asides(connection, [row for one in changes for row in _further_rows(one.job.source_id, one.update.asides)])


class History:
    """Sums of polls and other requests of sources by day, and counts of rules that matched: `tx.history`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add_details(self, asked: Sequence[tuple[DetailJob, Exchange]]) -> None:
        """Add requests for details and articles to the days of their sources, by requested host (P93)."""
        rows: list[dict[str, object]] = []
        for job, answer in asked:
            if not stayed_here(answer):
                at, failed = answer.asked_at, isinstance(answer, Failed)
                rows.append(_aside_row(job.source_id, DETAIL, job.host_key, at, answer.wire_bytes, failed=failed))
            rows += _further_rows(job.source_id, answer.asides)
        _add_asides(self._connection, rows)

    def of(self, key: str, now: datetime, *, days: int) -> SourceHistory:
        """Return the last polls of a source and the sums of its last `days` days, including today.

        Raises:
            NoResultFound: the store does not have the source.
        """
        since = day_of(now) - days + 1
        wanted = (source.c.id, source.c.recent, source.c.etag, source.c.last_modified, source.c.notices)
        row = self._connection.execute(select(*wanted).where(source.c.key == key)).one()
        by_day = select(poll_day).where(poll_day.c.source_id == row.id, poll_day.c.day >= since)
        sums = {
            found["day"]: Sums(**{name: found[name] for name in SUMS})
            for found in self._connection.execute(by_day).mappings()
        }
        columns = [func.sum(aside_day.c[name]).label(name) for name in ASIDE_SUMS]
        chosen = (aside_day.c.source_id == row.id) & (aside_day.c.day >= since)
        grouped = select(aside_day.c.day, aside_day.c.kind, *columns).where(chosen)
        asides = {
            (found["day"], found["kind"]): AsideSums(**{name: int(found[name]) for name in ASIDE_SUMS})
            for found in self._connection.execute(grouped.group_by(aside_day.c.day, aside_day.c.kind)).mappings()
        }
        return SourceHistory(
            recent=recent_polls(row.recent),
            days=_days(sums, asides),
            etag=bool(row.etag),
            last_modified=bool(row.last_modified),
            notices=tuple(row.notices or ()),
        )

    def rule_hits(self) -> list[RuleHits]:
        """Return the counts of all rules that have ever matched an entry of a source in feeds.yaml."""
        query = select(source.c.key, rule_hit.c.place, rule_hit.c.rule, rule_hit.c.hits, rule_hit.c.last_at)
        query = query.join(source, source.c.id == rule_hit.c.source_id).where(source.c.active)
        rows = self._connection.execute(query.order_by(source.c.key, rule_hit.c.place, rule_hit.c.rule)).all()
        return [RuleHits(SourceKey(key), place, rule, count, last_at) for key, place, rule, count, last_at in rows]


def _further_rows(number: int, asides: Sequence[Aside]) -> list[dict[str, object]]:
    return [
        _aside_row(number, FURTHER, one.host_key, one.asked_at, one.wire_bytes, failed=one.failed) for one in asides
    ]


def _aside_row(
    number: int, kind: str, host_key: str, asked_at: datetime, size: int, *, failed: bool
) -> dict[str, object]:
    return {
        "source_id": number,
        "day": day_of(asked_at),
        "kind": kind,
        "host_key": host_key,
        "requests": 1,
        "bytes": size,
        "failures": int(failed),
    }


def _add_asides(connection: Connection, rows: Sequence[dict[str, object]]) -> None:
    if rows:
        connection.execute(_adding_asides(connection.dialect.name), rows)


@lru_cache
def _adding(database: str) -> Any:
    """Return the statement that adds sums to the row of a source and day, or inserts the row."""
    statement = insert(poll_day, database)
    sum_up = {name: poll_day.c[name] + statement.excluded[name] for name in SUMS}
    return statement.on_conflict_do_update(index_elements=["source_id", "day"], set_=sum_up)


@lru_cache
def _adding_asides(database: str) -> Any:
    statement = insert(aside_day, database)
    sum_up = {name: aside_day.c[name] + statement.excluded[name] for name in ASIDE_SUMS}
    return statement.on_conflict_do_update(index_elements=["source_id", "day", "kind", "host_key"], set_=sum_up)


def is_unconditional(changes: Changes) -> bool:
    """Return whether a poll fetched the whole document unconditionally although validators were stored (P94)."""
    return changes.update.status == OK and not changes.update.conditional and changes.job.validators is not None


def _day_row(changes: Changes) -> dict[str, int]:
    """Return the row of `poll_day` with the sums of one poll."""
    due, move, entries = changes.job, changes.update, changes.entries
    failed = move.outcome in _FAILED
    dated = [new.entry.published for new in entries.new if new.entry.published]
    return {
        "source_id": due.source_id,
        "day": day_of(changes.asked_at),
        "polls": 1,
        "not_modified": int(move.status == NOT_MODIFIED and not failed),
        "unconditional": int(is_unconditional(changes)),
        "bytes": move.wire_bytes,
        "failures": int(failed),
        "new": entries.new_count,
        "future": sum(when > changes.asked_at + AHEAD for when in dated),
        "past": sum(when < changes.asked_at - BACK for when in dated) if due.stored_before else 0,
        "late": max(int((changes.asked_at - due.claim.due_at).total_seconds()), 0),
    }


_POLLED = (poll_day.c.source_id == source.c.id) & (poll_day.c.day >= bindparam("since"))
_ASIDE = (aside_day.c.source_id == source.c.id) & (aside_day.c.day >= bindparam("since"))
_SUMS_OF_EACH = (
    select(source.c.id, *(func.coalesce(func.sum(poll_day.c[name]), 0).label(name) for name in SUMS))
    .select_from(source.outerjoin(poll_day, _POLLED))
    .where(source.c.active)
    .group_by(source.c.id)
)
_DAYS = (
    select(poll_day.c.day, *(func.sum(poll_day.c[name]) for name in SUMS))
    .select_from(source.join(poll_day, _POLLED))
    .where(source.c.active)
    .group_by(poll_day.c.day)
)
_ASIDE_DAYS = (
    select(aside_day.c.day, aside_day.c.kind, *(func.sum(aside_day.c[name]) for name in ASIDE_SUMS))
    .select_from(source.join(aside_day, _ASIDE))
    .where(source.c.active)
    .group_by(aside_day.c.day, aside_day.c.kind)
)
_ASIDES_OF_HOSTS = (
    select(aside_day.c.host_key, *(func.sum(aside_day.c[name]).label(name) for name in ASIDE_SUMS))
    .select_from(source.join(aside_day, _ASIDE))
    .where(aside_day.c.kind == bindparam("of_kind"))
    .group_by(aside_day.c.host_key)
)
_FIRST_DAY = type_coerce(source.c.first_stored_at, BigInteger) // MICROSECONDS_A_DAY
_NEW_OF_EACH = (
    select(source.c.id, func.sum(poll_day.c.new))
    .select_from(source.join(poll_day, _POLLED & (poll_day.c.day > func.coalesce(_FIRST_DAY, 0))))
    .where(source.c.active)
    .group_by(source.c.id)
)


def sums_since(connection: Connection, day: int) -> dict[int, Sums]:
    """Return the sums of the polls since a day, by id of the source, for each source in feeds.yaml.

    The outer join makes the database look up the few days of each source, not 400 days of all sources.
    """
    return {row[0]: _sums(row[1:]) for row in connection.execute(_SUMS_OF_EACH, {"since": day})}


def days_since(connection: Connection, day: int) -> tuple[DaySums, ...]:
    """Return the sums over all sources in feeds.yaml of each day since a day, newest first."""
    polls = {row[0]: _sums(row[1:]) for row in connection.execute(_DAYS, {"since": day})}
    asides = {
        (row[0], row[1]): AsideSums(**dict(zip(ASIDE_SUMS, map(int, row[2:]), strict=True)))
        for row in connection.execute(_ASIDE_DAYS, {"since": day})
    }
    return _days(polls, asides)


def months_of(connection: Connection, numbers: Sequence[int], day: int) -> dict[int, list[tuple[int, int]]]:
    """Return new entries and failed polls of sources on each of the `MONTH` days since a day, oldest first.

    The day of the first entries of a source counts as a day without new entries, as in `new_since`.
    """
    new = case((poll_day.c.day == _FIRST_DAY, 0), else_=poll_day.c.new)
    joined = poll_day.join(source, source.c.id == poll_day.c.source_id)
    query = select(poll_day.c.source_id, poll_day.c.day, new, poll_day.c.failures).select_from(joined)
    query = query.where((poll_day.c.new > 0) | (poll_day.c.failures > 0))
    found = {number: [(0, 0)] * MONTH for number in numbers}
    for start in range(0, len(numbers), MAX_IN):
        chosen = poll_day.c.source_id.in_(numbers[start : start + MAX_IN]) & (poll_day.c.day >= day)
        for number, when, count, failures in connection.execute(query.where(chosen)):
            if when < day + MONTH:  # a later day: the clock went back
                found[number][when - day] = (count, failures)
    return found


def asides_since(connection: Connection, day: int, kind: str) -> dict[str, AsideSums]:
    """Return the sums of requests of a kind (`DETAIL`, `FURTHER`) since a day, by the requested host key."""
    found = connection.execute(_ASIDES_OF_HOSTS, {"since": day, "of_kind": kind})
    return {row[0]: AsideSums(**dict(zip(ASIDE_SUMS, map(int, row[1:]), strict=True))) for row in found}


def new_since(connection: Connection, day: int) -> dict[int, int]:
    """Return the number of new entries since a day, by id of the source, for sources in feeds.yaml.

    Sources without polls on these days are left out. The day of the first entries of a source is not counted: most of
    these entries are older than the subscription (M1).
    """
    return {row[0]: int(row[1]) for row in connection.execute(_NEW_OF_EACH, {"since": day})}


def news_days_of(connection: Connection, row: RowMapping) -> list[int]:
    """Return the days on which a source brought news, as days since 1970, UTC, in order.

    The day of the first entries is left out, as in `new_since`.

    Args:
        connection: to the store.
        row: of `source`, with `id` and `first_stored_at`.
    """
    first = day_of(row["first_stored_at"]) if row["first_stored_at"] else 0
    query = select(poll_day.c.day).where(poll_day.c.source_id == row["id"], poll_day.c.new > 0)
    return list(connection.execute(query.where(poll_day.c.day > first).order_by(poll_day.c.day)).scalars())


def _sums(row: Sequence[Any]) -> Sums:
    return Sums(**dict(zip(SUMS, map(int, row), strict=True)))


def _days(polls: Mapping[int, Sums], asides: Mapping[tuple[int, str], AsideSums]) -> tuple[DaySums, ...]:
    return tuple(
        DaySums(
            day=_date(day),
            polls=polls.get(day, NO_SUMS),
            details=asides.get((day, DETAIL), NO_ASIDES),
            further=asides.get((day, FURTHER), NO_ASIDES),
        )
        for day in sorted(polls.keys() | {day for day, _ in asides}, reverse=True)
    )


def _date(day: int) -> date:
    return (EPOCH + timedelta(days=day)).date()


BODIES_KEPT = 3  # newest bodies of one source that are kept
DEFLATE = "deflate"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBody:
    """The body of a response as received, without secrets (S44)."""

    asked_at: datetime
    headers: dict[str, str]  # names in lower case
    data: bytes


def keep_body(connection: Connection, number: int, packed: PackedBody, asked_at: datetime) -> None:
    """Insert the body of a response of a source; `Bodies.trim` deletes the bodies beyond `BODIES_KEPT` later."""
    row = {"source_id": number, "fetched_at": asked_at, "headers": dict(packed.headers), "digest": packed.digest}
    connection.execute(body.insert().values(row | {"codec": DEFLATE, "data": packed.data}))


class Bodies:
    """Bodies of responses as received, without secrets: `tx.bodies`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def trim(self, now: datetime) -> int:
        """Delete bodies beyond the newest `BODIES_KEPT` of each source or older than its `keep`; return their number.

        The last body of a source in feeds.yaml stays: it has what the source lists now (K2).
        """
        place = func.row_number().over(partition_by=body.c.source_id, order_by=body.c.id.desc()).label("place")
        placed = select(body.c.id, body.c.source_id, body.c.fetched_at, place).subquery()
        until = type_coerce(placed.c.fetched_at, BigInteger) + source.c.keep
        is_expired = (until <= (now - EPOCH) // MICROSECOND) & ((placed.c.place > 1) | ~source.c.active)
        query = select(placed.c.id).join(source, source.c.id == placed.c.source_id)
        expired = list(self._connection.execute(query.where((placed.c.place > BODIES_KEPT) | is_expired)).scalars())
        for start in range(0, len(expired), MAX_IN):
            self._connection.execute(delete(body).where(body.c.id.in_(expired[start : start + MAX_IN])))
        return len(expired)

    def of(self, key: str) -> list[StoredBody]:
        """Return the stored bodies of a source, oldest first."""
        query = (
            select(body).join(source, source.c.id == body.c.source_id).where(source.c.key == key).order_by(body.c.id)
        )
        return [
            StoredBody(asked_at=row.fetched_at, headers=row.headers, data=zlib.decompress(row.data))
            for row in self._connection.execute(query).all()
            if row.codec == DEFLATE
        ]


def write_hits(connection: Connection, source_id: int, hits: Sequence[tuple[Hit, int]], now: datetime) -> None:
    """Add to the counts of rules, in one statement."""
    if not hits:
        return
    statement = insert(rule_hit, connection.dialect.name)
    statement = statement.on_conflict_do_update(
        index_elements=["source_id", "place", "rule"],
        set_={"hits": rule_hit.c.hits + statement.excluded.hits, "last_at": statement.excluded.last_at},
    )
    rows = [
        {"source_id": source_id, "place": hit.place, "rule": hit.rule, "hits": count, "last_at": now}
        for hit, count in hits
    ]
    connection.execute(statement, rows)
