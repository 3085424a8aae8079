"""Entries that wait for their details; each has a due time of its own and is claimed like a source (R13)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, Update, bindparam, case, delete, func, select, update

from aggregator.cadence import crash_floor
from aggregator.model.changes import Completion, WaitingEntry
from aggregator.model.detail import PATIENCE, request_of, url_of
from aggregator.model.entry import Entry
from aggregator.model.job import Awaited, Claim, DetailJob, JobId
from aggregator.model.known import EntryState
from aggregator.model.settings import Reading, Request, Source, SourceKey
from aggregator.store.queries import entry_of
from aggregator.store.schedule import DueItem
from aggregator.store.schema import MAX_IN, detail, entry, source
from aggregator.urls import Url

PROBE = timedelta(minutes=2)  # how long other entries wait while one request probes a host in trouble
PUT_OFF = timedelta(minutes=5)  # delay after an outage of the own network stopped a request (P87)
_ONE = update(detail).where(detail.c.entry_id == bindparam("row_id"))
_UNDO = _ONE.where(detail.c.claims == bindparam("claimed")).values(due_at=bindparam("due"), claims=bindparam("before"))
_ALL = (*detail.c, source.c.key, source.c.url, source.c.own_machine, entry.c.link, entry.c.limited)


class Details:
    """Queries and updates of entries that wait for their details: `tx.details`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, source_id: int, waiting: Sequence[WaitingEntry], now: datetime) -> None:
        """Insert entries that wait for their details.

        If the host is in trouble, they get the due time of the entries of the source that are held up by the host.
        """
        if not waiting:
            return
        troubled = select(detail.c.host_key, func.max(detail.c.due_at).label("due_at"), func.max(detail.c.failures))
        troubled = troubled.where(detail.c.source_id == source_id, detail.c.held_up).group_by(detail.c.host_key)
        held_up = {row[0]: (row[1], row[2]) for row in self._connection.execute(troubled)}
        rows = []
        for item in waiting:
            due_at, failures = held_up.get(item.host_key, (item.due_at, 0))
            fixed = {"source_id": source_id, "since": now, "claims": 0, "code": None, "error": None}
            rows.append(
                {
                    "entry_id": item.id,
                    "asked": [list(pair) for pair in item.asked],
                    "host_key": item.host_key,
                    "date": item.date,
                    "backfill": item.backfill,
                    "due_at": due_at,
                    "failures": failures,
                    "held_up": item.host_key in held_up,
                }
                | fixed
            )
        self._connection.execute(detail.insert(), rows)

    def due(
        self,
        now: datetime,
        *,
        limit: int,
        blocked: Collection[str] = (),
        per_host: int = 1,
        own: bool | None = None,
        sources: Collection[int] | None = None,
    ) -> list[DueItem]:
        """Return entries whose details may be requested, by due time, at most `per_host` of a host key.

        Of the entries held up by a host in trouble, at most the first is returned: its request probes the host.

        Args:
            now: the time.
            limit: maximum number of entries.
            blocked: host keys that are in flight, pausing or inside their spacing.
            per_host: maximum number of entries of one host key.
            own: True: only sources on the operator's own machines; False: only other sources; None: all (P87).
            sources: only entries of the sources with these ids; None: all.
        """
        order = (detail.c.due_at, detail.c.since, detail.c.entry_id.desc())
        place = func.row_number().over(partition_by=detail.c.host_key, order_by=order).label("place")
        ripe = select(
            *(detail.c[name] for name in ("entry_id", "host_key", "due_at", "failures", "held_up")),
            source.c.key,
            source.c.url,
            place,
        ).join(source, source.c.id == detail.c.source_id)
        ripe = ripe.where(detail.c.due_at <= now, source.c.active, ~source.c.paused)
        if own is not None:
            ripe = ripe.where(source.c.own_machine == own)
        if sources is not None:
            ripe = ripe.where(source.c.id.in_(list(sources)[:MAX_IN]))
        if blocked:
            ripe = ripe.where(detail.c.host_key.not_in(list(blocked)[:MAX_IN]))
        ranked = ripe.subquery()
        most = case((ranked.c.held_up, 1), else_=per_host)
        chosen = select(ranked).where(ranked.c.place <= most).order_by(ranked.c.due_at, ranked.c.place).limit(limit)
        return [
            DueItem(
                id=JobId("entry", row["entry_id"]),
                key=row["key"],
                url=row["url"],
                host_key=row["host_key"],
                due_at=row["due_at"],
                failures=row["failures"],
            )
            for row in self._connection.execute(chosen).mappings()
        ]

    def claim(self, items: Sequence[DueItem], now: datetime, settings: Mapping[SourceKey, Source]) -> list[DetailJob]:
        """Claim entries: move the due time of each ahead before its request leaves (R13, invariant 7).

        An entry that was claimed since it was chosen is left out, so that two claimers never get the same.

        If an entry is held up by a host in trouble, its request probes the host. The other due entries of its source
        that the host holds up wait for `PROBE`.

        Entries of sources without `detail` in feeds.yaml are not claimed: `lapsed` returns them.
        """
        if not items:
            return []
        chosen = {item.id.row: item.due_at for item in items}
        query = _rows().where(detail.c.entry_id.in_(list(chosen))).with_for_update(of=detail)
        rows = self._connection.execute(query).mappings().all()
        found = [(row, _due(row, settings, now)) for row in rows if row["due_at"] == chosen[row["entry_id"]]]
        claimed = [(row, due) for row, due in found if due is not None]
        if claimed:
            moved = [
                {"row_id": row["entry_id"], "ahead": now + crash_floor(row["claims"]), "new_claims": row["claims"] + 1}
                for row, _ in claimed
            ]
            self._connection.execute(_ONE.values(due_at=bindparam("ahead"), claims=bindparam("new_claims")), moved)
        for source_id, host_key in sorted(
            {(row["source_id"], row["host_key"]) for row, _ in claimed if row["held_up"]}
        ):
            others = _held_up_at(source_id, host_key).where(detail.c.due_at <= now)
            self._connection.execute(others.values(due_at=now + PROBE))
        order = {number: position for position, number in enumerate(chosen)}
        return sorted((due for _, due in claimed), key=lambda due: order[due.awaited.id])

    def held(self, jobs: Sequence[DetailJob]) -> set[int]:
        """Return the ids of the entries of jobs whose claim still holds.

        A row stores the number of claims in a row, not the time of the last claim. A claim is over once another claim
        followed, or once the entry no longer waits. The rows are locked until the transaction ends.
        """
        query = select(detail.c.entry_id, detail.c.claims).with_for_update()
        query = query.where(detail.c.entry_id.in_([job.awaited.id for job in jobs]))
        claims = {row.entry_id: row.claims for row in self._connection.execute(query)}
        return {job.awaited.id for job in jobs if claims.get(job.awaited.id) == job.claim.crashes + 1}

    def give_back(self, jobs: Sequence[DetailJob]) -> None:
        """Undo claims whose request did not leave, or was cut by this program (R13, R54)."""
        rows = [_before(job) | {"due": job.claim.due_at} for job in jobs]
        if rows:
            self._connection.execute(_UNDO, rows)

    def put_off(self, jobs: Sequence[tuple[DetailJob, datetime]]) -> None:
        """Move due times ahead by `PUT_OFF`, since an outage of the own network stopped the requests (P87).

        No failure is counted.

        Args:
            jobs: claims, each with the time at which its request left.
        """
        rows = [_before(job) | {"due": asked_at + PUT_OFF} for job, asked_at in jobs]
        if rows:
            self._connection.execute(_UNDO, rows)

    def entry(self, number: int) -> Entry | None:
        """Return a waiting entry with its present content from the list; None if the entry no longer waits."""
        query = select(entry).where(entry.c.id == number, entry.c.state == EntryState.WAITING.value)
        row = self._connection.execute(query).mappings().first()
        return None if row is None else entry_of(row)

    def retry(self, completion: Completion) -> None:
        """Move the due time of an entry after a failed request; count the failure.

        If the host is in trouble, the other entries of the source that wait for the host are held up until then too;
        due times that are later stay.
        """
        due, at = completion.job, completion.retry_at
        values: dict[str, Any] = {"due_at": at, "failures": due.failures + 1, "claims": 0}
        values |= {"code": completion.code, "error": completion.error, "held_up": completion.all_of_host}
        one = update(detail).where(detail.c.entry_id == due.awaited.id)
        self._connection.execute(one.values(values))
        if completion.all_of_host:
            others = update(detail).where(detail.c.source_id == due.source_id, detail.c.host_key == due.host_key)
            waiting = others.where(detail.c.entry_id != due.awaited.id, detail.c.due_at < at)
            self._connection.execute(waiting.values(due_at=at, failures=due.failures + 1, held_up=True))

    def finish(self, due: DetailJob, *, answered: bool) -> None:
        """Delete the row of an entry that no longer waits.

        If the host answered after failures, the entries of the source that it held up become due with the time at which
        this entry was due, so at once.
        """
        self._connection.execute(delete(detail).where(detail.c.entry_id == due.awaited.id))
        if answered and due.failures:
            self._connection.execute(
                _held_up_at(due.source_id, due.host_key).values(failures=0, held_up=False, due_at=due.claim.due_at)
            )

    def lapsed(self, now: datetime, settings: Mapping[SourceKey, Source]) -> list[DetailJob]:
        """Return jobs for the entries whose detail is no longer requested.

        They have waited longer than `PATIENCE` (and `PUT_OFF`, so that a last request can end), or their source has no
        `detail` in feeds.yaml any more. Entries of sources that were removed from feeds.yaml are left out: the source
        may return.
        """
        found = []
        for row in self._connection.execute(_rows()).mappings():
            configured = settings.get(row["key"])
            due = _due(row, settings)
            if due is not None and row["since"] + PATIENCE >= now - PUT_OFF:
                continue  # its detail is still requested in the usual way
            if configured is None or due is None:
                due = _without_request(row, configured)
            if due is not None:
                found.append(due)
        return found


def _before(job: DetailJob) -> dict[str, object]:
    return {"row_id": job.awaited.id, "before": job.claim.crashes, "claimed": job.claim.crashes + 1}


def _held_up_at(source_id: int, host_key: str) -> Update:
    """Return an UPDATE of the entries of a source that are held up by a host in trouble."""
    return update(detail).where(detail.c.source_id == source_id, detail.c.host_key == host_key, detail.c.held_up)


def _rows() -> Any:
    return (
        select(*_ALL)
        .join(entry, entry.c.id == detail.c.entry_id)
        .join(source, source.c.id == detail.c.source_id)
        .order_by(detail.c.due_at, detail.c.since, detail.c.entry_id.desc())
    )


def _due(row: RowMapping, settings: Mapping[SourceKey, Source], claimed_at: datetime | None = None) -> DetailJob | None:
    configured = settings.get(row["key"])
    detail_settings = configured.detail if configured is not None else None
    if configured is None or detail_settings is None:
        return None
    asked = {path: value for path, value in row["asked"]}
    url, request = url_of(detail_settings, asked), request_of(detail_settings, asked)
    if url is None or request is None:
        return None
    job = _job(row, configured, url, request, detail_settings.reading, link=Url(row["link"]) if row["link"] else None)
    return replace(job, claim=replace(job.claim, claimed_at=claimed_at))


def _without_request(row: RowMapping, configured: Source | None) -> DetailJob | None:
    """Return the job of an entry for which no request can be made; None if its source is not in feeds.yaml."""
    if configured is None:
        return None
    return _job(row, configured, configured.url, configured.request, configured.reading, link=None)


def _job(
    row: RowMapping, configured: Source, url: Url, request: Request, reading: Reading, *, link: Url | None
) -> DetailJob:
    return DetailJob(
        source=configured,
        source_id=row["source_id"],
        awaited=Awaited(
            id=row["entry_id"],
            link=link,
            date=row["date"],
            backfill=row["backfill"],
            since=row["since"],
            limited=tuple(row["limited"] or ()),
        ),
        url=url,
        host_key=row["host_key"],
        request=request,
        reading=reading,
        claim=Claim(due_at=row["due_at"], crashes=row["claims"]),
        failures=row["failures"],
    )
