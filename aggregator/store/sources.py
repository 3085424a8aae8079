"""Sources in the store: what feeds.yaml makes of them, who is due, and where each stands after a poll."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, func, select, update

from aggregator.cadence import crash_floor
from aggregator.model.changes import Changes
from aggregator.model.entry import Digest
from aggregator.model.event import Code, Event
from aggregator.model.poll import Due, State, Validators
from aggregator.model.settings import Source, SourceKey
from aggregator.store.dialect import MAX_IN
from aggregator.store.outputs import forget_looks
from aggregator.store.records import hints_of, hints_to_json, origin_to_json
from aggregator.store.schema import MICROSECOND, source
from aggregator.urls import Url, host_of

SOONEST = timedelta(hours=1)  # a due time nearer than that is left alone by `pull_back`
LATEST = 2.5  # intervals: phase and skipped hours put a due time ahead of one interval, but hardly beyond this


@dataclass(frozen=True, slots=True)
class Placed:
    """A source as feeds.yaml has it now, with what only the whole of the settings can tell."""

    source: Source
    host_key: str
    digest: str  # of what a change of makes validators worthless (P9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A source that may be claimed."""

    id: int
    key: SourceKey
    url: Url
    host_key: str
    due_at: datetime
    attempted_at: datetime | None = None
    retry_until: datetime | None = None
    failures: int = 0  # in a row


def sync_sources(connection: Connection, placed: Iterable[Placed], now: datetime) -> list[Event]:
    """Bring the table in line with feeds.yaml. Nothing is forgotten: a source that is gone rests (R53).

    A source is due at once if it is new or if what we fetch has changed (P63, P65); its validators are dropped in the
    second case (P9). A `was:` that names an earlier URL or key hands its history on (R52). What a source said of
    `private` and `show` last holds for good, also once it is gone (S44). Events name hosts, never addresses: those may
    hold what no event may show.
    """
    rows = {row["key"]: row for row in connection.execute(select(*_SYNCED)).mappings()}
    by_url = {row["url"]: row for row in rows.values()}
    wanted = {item.source.key: item for item in placed}
    new, changed, events = [], [], []
    renamed = False
    for key, item in wanted.items():
        row = rows.get(key)
        if row is None and (row := _heir(item.source, rows, by_url, wanted)) is not None:
            events.append(Event(code=Code.MOVE_SETTINGS, source=row["id"], facts={"key": [row["key"], key]}))
            renamed = True
        if row is None:
            new.append(_fresh(item, now))
            continue
        values = _settings_values(item)
        if all(row[name] == value for name, value in values.items()):
            continue
        change = dict(row) | values
        if row["settings_digest"] != item.digest:
            if row["settings_digest"]:
                facts = {"host": [host_of(row["url"]), host_of(item.source.url)]}
                events.append(Event(code=Code.MOVE_SETTINGS, source=row["id"], facts=facts))
            change |= {"etag": None, "last_modified": None, "validators_url": None, "body_digest": None}
            change |= {"url_in_use": item.source.url, "due_at": now, "earliest_at": now, "claims": 0}
        elif not row["active"]:
            change |= {"due_at": max(row["due_at"], now), "earliest_at": max(row["earliest_at"], now)}
        changed.append({"row_id": row["id"]} | {f"new_{name}": value for name, value in change.items() if name != "id"})
    kept = {change["row_id"] for change in changed}
    resting = [
        {"row_id": row["id"]}
        for key, row in rows.items()
        if key not in wanted and row["active"] and row["id"] not in kept
    ]
    if new:
        connection.execute(source.insert(), new)
    if changed:
        names = [column.name for column in _SYNCED if column.name != "id"]
        statement = update(source).where(source.c.id == bindparam("row_id"))
        connection.execute(statement.values({name: bindparam(f"new_{name}") for name in names}), changed)
    if resting:
        connection.execute(update(source).where(source.c.id == bindparam("row_id")).values(active=False), resting)
    if renamed:
        forget_looks(connection)  # outputs name sources by their keys, archive pages where a feed has no title
    return events


_SYNCED = tuple(
    source.c[name]
    for name in (
        "id key url url_in_use host_key settings_digest active paused private show due_at earliest_at claims "
        "etag last_modified validators_url body_digest"
    ).split()
)


def _settings_values(item: Placed) -> dict[str, Any]:
    return {
        "key": item.source.key,
        "url": item.source.url,
        "host_key": item.host_key,
        "settings_digest": item.digest,
        "active": True,
        "paused": item.source.paused,
        "private": item.source.private,
        "show": item.source.show.value if item.source.show else None,
    }


def _fresh(item: Placed, now: datetime) -> dict[str, Any]:
    return _settings_values(item) | {
        "url_in_use": item.source.url,
        "created_at": now,
        "due_at": now,  # a new operator sees entries in seconds (P63)
        "earliest_at": now,
        "identical": 0,
        "claims": 0,
        "polls": 0,
        "interval": 0,
        "failures": 0,
        "retried": False,
        "state": State.NEVER.value,
    }


def _heir(
    wanted: Source, rows: Mapping[str, RowMapping], by_url: Mapping[str, RowMapping], all_wanted: Collection[str]
) -> RowMapping | None:
    for name in wanted.was:
        row = rows.get(name) or by_url.get(name)
        if row is not None and row["key"] not in all_wanted:
            return row
    return None


def due_sources(
    connection: Connection,
    now: datetime,
    *,
    limit: int,
    blocked: Collection[str],
    per_host: int,
    early: bool,
    failing: bool,
) -> list[Waiting]:
    """Give sources that are due, oldest first, at most `per_host` of a host key.

    Args:
        connection: a reading one will do.
        now: the time.
        limit: how many at most.
        blocked: host keys that are in flight, pausing or inside their spacing; their sources wait, and hold up nobody.
        per_host: how many of one host key.
        early: count as a one-shot run does (P52).
        failing: those whose last poll failed as well (L16).
    """
    when = source.c.earliest_at if early else source.c.due_at
    place = (
        func.row_number().over(partition_by=source.c.host_key, order_by=(source.c.due_at, source.c.id)).label("place")
    )
    ripe = select(*_WAITING, place).where(source.c.active, ~source.c.paused, when <= now)
    if not failing:
        ripe = ripe.where(source.c.failures == 0)
    if blocked:
        ripe = ripe.where(source.c.host_key.not_in(list(blocked)[:MAX_IN]))
    ranked = ripe.subquery()
    chosen = select(ranked).where(ranked.c.place <= per_host).order_by(ranked.c.due_at, ranked.c.id).limit(limit)
    return [_waiting(row) for row in connection.execute(chosen).mappings()]


def named_sources(connection: Connection, keys: Collection[str] | None) -> list[Waiting]:
    """Give the sources of these keys, or all that are not paused, due or not, the longest unasked first."""
    found = select(*_WAITING).where(source.c.active).order_by(source.c.due_at, source.c.id)
    found = found.where(~source.c.paused) if keys is None else found.where(source.c.key.in_(list(keys)))
    return [_waiting(row) for row in connection.execute(found).mappings()]


_WAITING = tuple(source.c[name] for name in "id key url host_key due_at attempted_at retry_until failures".split())


def _waiting(row: RowMapping) -> Waiting:
    return Waiting(**{column.name: row[column.name] for column in _WAITING})


def spread_overdue(connection: Connection, now: datetime, *, over: timedelta) -> int:
    """Spread what fell due while nothing ran, oldest first, so that a start is no burst (P64).

    None is held back by more than its own interval; what was never polled stays due at once.

    Returns:
        How many were overdue.
    """
    late = select(source.c.id, source.c.interval).where(
        source.c.active, ~source.c.paused, source.c.due_at < now, source.c.polls > 0
    )
    rows = connection.execute(late.order_by(source.c.due_at, source.c.id)).all()
    step = over / max(1, len(rows))
    moved = [
        {"row_id": row.id, "later": now + min(step * place, row.interval * MICROSECOND)}
        for place, row in enumerate(rows)
    ]
    if moved:
        statement = update(source).where(source.c.id == bindparam("row_id"))
        connection.execute(statement.values(due_at=bindparam("later")), moved)
    return len(rows)


def pull_back(connection: Connection, now: datetime) -> None:
    """Bring back due times that lie further ahead than any reason allows: the clock was wrong, or is now (R21)."""
    ahead = select(source.c.id, source.c.interval).where(source.c.active, source.c.due_at > now + SOONEST)
    ahead = ahead.where((source.c.retry_until.is_(None)) | (source.c.retry_until < source.c.due_at))
    rows = [
        {"row_id": row.id, "sooner": now + row.interval * MICROSECOND}
        for row in connection.execute(ahead.add_columns(source.c.due_at)).all()
        if row.due_at > now + row.interval * MICROSECOND * LATEST
    ]
    if rows:
        statement = update(source).where(source.c.id == bindparam("row_id"))
        connection.execute(statement.values(due_at=bindparam("sooner"), earliest_at=bindparam("sooner")), rows)


def claim(connection: Connection, ids: Sequence[int], now: datetime, settings: Mapping[SourceKey, Source]) -> list[Due]:
    """Move the due time ahead of each source before its request leaves (R13, invariant 7), and give all a poll needs.

    Args:
        connection: a writing one.
        ids: of the sources' rows.
        now: the time.
        settings: of the sources in feeds.yaml; others are left alone.
    """
    rows = connection.execute(select(source).where(source.c.id.in_(ids))).mappings().all()
    claimed = [(row, settings[row["key"]]) for row in rows if row["key"] in settings]
    if claimed:
        moved = [
            {
                "row_id": row["id"],
                "ahead": max(row["due_at"], now + crash_floor(row["claims"])),
                "new_claims": row["claims"] + 1,
            }
            for row, _ in claimed
        ]
        statement = update(source).where(source.c.id == bindparam("row_id"))
        statement = statement.values(
            due_at=bindparam("ahead"), earliest_at=bindparam("ahead"), claims=bindparam("new_claims")
        )
        connection.execute(statement.values(attempted_at=now), moved)
    order = {number: place for place, number in enumerate(ids)}
    return sorted((_due(row, source_settings) for row, source_settings in claimed), key=lambda due: order[due.id])


def _due(row: RowMapping, settings: Source) -> Due:
    validators = None
    if row["validators_url"]:
        validators = Validators(url=Url(row["validators_url"]), etag=row["etag"], last_modified=row["last_modified"])
    return Due(
        source=settings,
        id=row["id"],
        url=Url(row["url_in_use"]),
        host_key=row["host_key"],
        validators=validators,
        body_digest=Digest(row["body_digest"]) if row["body_digest"] else None,
        failures=row["failures"],
        identical=row["identical"],
        due_at=row["due_at"],
        earliest_at=row["earliest_at"],
        state=State(row["state"]),
        code=row["code"],
        polls=row["polls"],
        failing_since=row["failing_since"],
        succeeded_at=row["succeeded_at"],
        hints=hints_of(row["hints"]),
        retried=row["retried"],
        stored_before=row["first_stored_at"] is not None,
        attempted_at=row["attempted_at"],
    )


def give_back(connection: Connection, dues: Sequence[Due]) -> None:
    """Put the due times back of claims whose request did not leave, or that we cut ourselves (R13, R54)."""
    if not dues:
        return
    statement = update(source).where(source.c.id == bindparam("row_id"))
    statement = statement.values(
        due_at=bindparam("due"), earliest_at=bindparam("earliest"), claims=0, attempted_at=bindparam("attempted")
    )
    rows = [
        {
            "row_id": due.id,
            "due": due.due_at,
            "earliest": due.earliest_at or due.due_at,
            "attempted": due.attempted_at,
        }
        for due in dues
    ]
    connection.execute(statement, rows)


def move(connection: Connection, changes: Sequence[Changes]) -> None:
    """Write where sources stand after their polls: one statement for all of a group."""
    if not changes:
        return
    names = list(_move_values(changes[0]))
    statement = update(source).where(source.c.id == bindparam("row_id"))
    statement = statement.values(
        {name: bindparam(f"new_{name}") for name in names} | {"claims": 0, "polls": source.c.polls + 1}
    )
    connection.execute(
        statement,
        [
            {f"new_{name}": value for name, value in _move_values(change).items()} | {"row_id": change.due.id}
            for change in changes
        ],
    )


def _move_values(changes: Changes) -> dict[str, Any]:
    moved = changes.move
    validators = moved.validators
    return {
        "due_at": moved.due_at,
        "earliest_at": moved.earliest_at,
        "retry_until": moved.retry_until,
        "attempted_at": changes.asked_at,
        "interval": moved.interval // MICROSECOND,
        "cadence": {"because": moved.because},
        "succeeded_at": moved.succeeded_at,
        "failures": moved.failures,
        "failing_since": moved.failing_since,
        "state": moved.state.value,
        "status": moved.status,
        "code": moved.code,
        "error": moved.error,
        "validators_url": validators.url if validators else None,
        "etag": validators.etag if validators else None,
        "last_modified": validators.last_modified if validators else None,
        "body_digest": moved.body_digest,
        "identical": moved.identical,
        "retried": moved.retried,
    }


def write_read(connection: Connection, changes: Changes) -> bool:
    """Keep what a document said of itself.

    Returns:
        Whether the list of sources reads otherwise now: it shows the feed's title and its site.
    """
    read = changes.read
    if read is None:
        return False
    before = connection.execute(select(source.c.feed).where(source.c.id == changes.due.id)).scalar_one() or {}
    values: dict[str, Any] = {
        "feed": origin_to_json(read.origin),
        "format": read.format,
        "encoding": read.encoding,
        "notices": list(read.notices[:20]) or None,
        "hints": hints_to_json(read.hints),
    }
    if changes.entries.new and not changes.due.stored_before:
        values["first_stored_at"] = changes.asked_at
    connection.execute(update(source).where(source.c.id == changes.due.id).values(values))
    return (before.get("title"), before.get("link")) != (read.origin.title, read.origin.link)
