"""Claims on sources: made before a request leaves, undone or postponed if the request does not leave."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Connection, RowMapping, bindparam, case, exists, func, select, update

from aggregator.cadence import crash_floor, outside_skipped
from aggregator.decide.same_address import shares_an_answer
from aggregator.model.ask import Validators
from aggregator.model.entry import Digest
from aggregator.model.event import Code, Event
from aggregator.model.job import Claim, Health, SourceJob
from aggregator.model.poll import CRASHES, State
from aggregator.model.settings import Source, SourceKey
from aggregator.model.stored_json import arrivals_of, hints_of, observed_of
from aggregator.store.categories import raise_site
from aggregator.store.events import write_events
from aggregator.store.schedule import DueItem
from aggregator.store.schema import EPOCH, MAX_IN, MICROSECOND, entry, source
from aggregator.urls import Url

HOUR = timedelta(hours=1)  # interval of a source that was never polled and has no `every`
LATEST = min(500, MAX_IN)  # entries of the last document whose key hashes a job gets

_NEEDED = tuple(
    source.c[name]
    for name in (
        "id key url_in_use host_key validators_url etag last_modified body_digest failures identical due_at "
        "earliest_at attempted_at state code polls failing_since succeeded_at hints retried first_stored_at "
        "observations arrivals recent claims"
    ).split()
)
# The window of a source is left aside if another source may follow its response: only one has the entries (P66).
_OTHER = source.alias("other")
_SHARED = exists().where(_OTHER.c.url_in_use == source.c.url_in_use, _OTHER.c.id != source.c.id, _OTHER.c.active)
_WINDOW = case((_SHARED, None), else_=func.coalesce(source.c.window, b"")).label("window")
# Built once: building a statement costs as much as the rest of a poll.
_IDS = source.c.id.in_(bindparam("ids", expanding=True))
_THESE = select(*_NEEDED, _WINDOW).where(_IDS).with_for_update()  # SQLite locks the whole store instead
_HELD = select(source.c.id, source.c.attempted_at).where(_IDS).with_for_update()
_ONE = update(source).where(source.c.id == bindparam("row_id"))
_SPARE = _ONE.values(due_at=bindparam("later"), earliest_at=bindparam("later"))
_CLAIM = _ONE.values(
    due_at=bindparam("ahead"),
    earliest_at=bindparam("ahead"),
    claims=bindparam("new_claims"),
    attempted_at=bindparam("now"),
)
_HELD_ONE = _ONE.where(source.c.attempted_at == bindparam("claimed"))
_GIVE_BACK = _HELD_ONE.values(
    due_at=bindparam("due"),
    earliest_at=bindparam("earliest"),
    claims=bindparam("before"),
    attempted_at=bindparam("attempted"),
)


class Claims:
    """Claims on sources: `tx.claims`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def claim(
        self, items: Sequence[DueItem], now: datetime, settings: Mapping[SourceKey, Source], *, spare: bool = False
    ) -> list[SourceJob]:
        """Claim sources: move the due time of each ahead before its request leaves (R13, invariant 7).

        A source that was claimed or polled since it was chosen is left out, so that two claimers never get the same.

        Args:
            items: the chosen sources.
            now: the time.
            settings: the sources of feeds.yaml; others are not claimed.
            spare: do not claim sources whose document asks not to be polled at this hour (`skipHours`, P59); their due
                time moves to the end of that hour. A `schedule` in feeds.yaml overrides this hint.

        Returns:
            The claimed jobs, in the order of `items`. Of sources at the same address, only the first is claimed (P66).
        """
        chosen = {item.id.row: item for item in items}
        rows = self._connection.execute(_THESE, {"ids": list(chosen)}).mappings().all()
        free = [row for row in rows if row["key"] in settings and _is_as_chosen(row, chosen[row["id"]])]
        claimed = _one_an_address([(row, settings[row["key"]]) for row in free], list(chosen))
        if spare:
            open_at = {
                row["id"]: outside_skipped(now, hints_of(row["hints"]))
                for row, configured in claimed
                if row["hints"] and configured.schedule is None
            }
            spared = [{"row_id": number, "later": when} for number, when in open_at.items() if when > now]
            if spared:
                self._connection.execute(_SPARE, spared)
            claimed = [(row, configured) for row, configured in claimed if open_at.get(row["id"], now) <= now]
        if claimed:
            moved = [
                {
                    "row_id": row["id"],
                    "ahead": max(row["due_at"], now + crash_floor(row["claims"])),
                    "new_claims": row["claims"] + 1,
                    "now": now,
                }
                for row, _ in claimed
            ]
            self._connection.execute(_CLAIM, moved)
        order = {number: place for place, number in enumerate(chosen)}
        jobs = (_with_known(self._connection, _claimed(row, configured, now)) for row, configured in claimed)
        return sorted(jobs, key=lambda job: order[job.source_id])

    def held(self, jobs: Sequence[SourceJob]) -> set[int]:
        """Return the ids of the sources of jobs whose claim still holds; jobs that were never claimed count as held.

        A claim ends when its poll is settled or undone, or when the source is claimed again because the process with
        the claim crashed or hangs. The rows are locked until the transaction ends.
        """
        ids = [job.source_id for job in jobs if job.claim.claimed_at is not None]
        rows = self._connection.execute(_HELD, {"ids": ids}).all() if ids else ()
        times = {row.id: row.attempted_at for row in rows}
        return {
            job.source_id
            for job in jobs
            if job.claim.claimed_at is None or times.get(job.source_id) == job.claim.claimed_at
        }

    def twins(self, dues: Sequence[SourceJob], settings: Mapping[SourceKey, Source]) -> dict[int, list[SourceJob]]:
        """Return jobs for the other sources at the addresses of `dues`, by the source id of the given job (P66)."""
        asked = {due.source_id for due in dues}
        by_url = {due.url: due.source_id for due in dues}
        found: dict[int, list[SourceJob]] = defaultdict(list)
        query = select(*_NEEDED).where(source.c.active, ~source.c.paused, source.c.url_in_use.in_(list(by_url)))
        for row in self._connection.execute(
            query.where(source.c.id.not_in(list(asked))).order_by(source.c.id)
        ).mappings():
            if row["key"] in settings:
                found[by_url[Url(row["url_in_use"])]].append(replace(_due(row, settings[row["key"]]), is_twin=True))
        return found

    def look_up(self, settings: Source) -> SourceJob | None:
        """Return the job of a source without claiming it; None if the store does not know the source."""
        row = self._connection.execute(select(*_NEEDED).where(source.c.key == settings.key)).mappings().first()
        return None if row is None else _with_known(self._connection, _due(row, settings))

    def give_back(self, dues: Sequence[SourceJob]) -> None:
        """Undo claims whose request did not leave, or was cut by this program (R13, R54); earlier crashes count."""
        if not dues:
            return
        rows = [
            {
                "row_id": due.source_id,
                "due": due.claim.due_at,
                "earliest": due.claim.earliest_at or due.claim.due_at,
                "attempted": due.claim.attempted_at,
                "claimed": due.claim.claimed_at,
                "before": due.claim.crashes,
            }
            for due in dues
        ]
        self._connection.execute(_GIVE_BACK, rows)

    def forget_window(self, due: SourceJob) -> None:
        """Have the next document of a source read whole."""
        self._connection.execute(_ONE.values(window=None), {"row_id": due.source_id})

    def put_off(self, dues: Sequence[tuple[SourceJob, datetime]]) -> None:
        """Move due times ahead by one interval, since an outage of the own network stopped the requests (P87).

        No failure is counted. For a source that was never polled, the interval in feeds.yaml is used (P52).

        Args:
            dues: claims, each with the time at which its request left.
        """
        if not dues:
            return
        interval = case((source.c.interval > 0, source.c.interval), else_=bindparam("first", type_=BigInteger))
        later = bindparam("asked", type_=BigInteger) + interval
        statement = _HELD_ONE.values(due_at=later, earliest_at=later, claims=bindparam("before"))
        rows = [
            {
                "row_id": due.source_id,
                "asked": (asked_at - EPOCH) // MICROSECOND,
                "first": max(due.source.every or HOUR, due.source.crowding) // MICROSECOND,
                "before": due.claim.crashes,
                "claimed": due.claim.claimed_at,
            }
            for due, asked_at in dues
        ]
        self._connection.execute(statement, rows)

    def find_crashed(self, now: datetime) -> Collection[int]:
        """Return the ids of sources that were in flight at the last `CRASHES` or more crashes of this program (R13).

        A source with more claims than `CRASHES` was polled alone at the last crash, so it caused the crash and becomes
        suspect. Call this before the process claims anything: a claim of its own would count as a crash.
        """
        found = select(source.c.id, source.c.claims, source.c.state, source.c.code)
        rows = self._connection.execute(found.where(source.c.active, source.c.claims >= CRASHES)).all()
        certain = [row for row in rows if row.claims > CRASHES and row.state != State.SUSPECT]
        if certain:
            self._connection.execute(_ONE.values(state=State.SUSPECT.value), [{"row_id": row.id} for row in certain])
            raise_site(self._connection)
        events = [
            Event(
                code=Code.CHANGE_STATE,
                source=row.id,
                facts={"from": row.state, "to": State.SUSPECT, "code": row.code, "crashes": row.claims},
            )
            for row in certain
        ]
        write_events(self._connection, [(now, events)])
        return frozenset(row.id for row in rows)


def _is_as_chosen(row: RowMapping, item: DueItem) -> bool:
    """Return whether a source was neither claimed nor polled since it was chosen."""
    return bool(row["due_at"] == item.due_at and row["attempted_at"] == item.attempted_at)


def _one_an_address(
    claimed: Sequence[tuple[RowMapping, Source]], ids: Sequence[int]
) -> list[tuple[RowMapping, Source]]:
    """Return the claimed sources without those that can use the response of another claimed source (P66)."""
    order = {number: place for place, number in enumerate(ids)}
    asking: dict[str, list[Source]] = defaultdict(list)
    kept = []
    for row, configured in sorted(claimed, key=lambda item: order[item[0]["id"]]):
        twins = asking[row["url_in_use"]]
        if not any(shares_an_answer(configured, twin) for twin in twins):
            twins.append(configured)
            kept.append((row, configured))
    return kept


def _with_known(connection: Connection, due: SourceJob) -> SourceJob:
    """Add the key hashes of the last document to the job of a source whose further pages are followed.

    The next poll follows pages until it finds one of these entries (R45). If the last document is unknown, as after a
    restore, the entries that were stored last are used.
    """
    if due.source.paging is None or not due.source.pages or not due.stored_before:
        return due
    own = select(entry.c.key_hash).where(entry.c.source_id == due.source_id)
    listed = connection.execute(select(source.c.listed).where(source.c.id == due.source_id)).scalar_one()
    chosen = own.order_by(entry.c.id.desc()) if listed is None else own.where(entry.c.id.in_(listed[:LATEST]))
    return replace(due, known=frozenset(connection.execute(chosen.limit(LATEST)).scalars()))


def _claimed(row: RowMapping, settings: Source, now: datetime) -> SourceJob:
    return replace(_due(row, settings, claimed_at=now), window=row["window"])


def _due(row: RowMapping, settings: Source, *, claimed_at: datetime | None = None) -> SourceJob:
    validators = None
    if row["validators_url"]:
        validators = Validators(url=Url(row["validators_url"]), etag=row["etag"], last_modified=row["last_modified"])
    return SourceJob(
        source=settings,
        source_id=row["id"],
        url=Url(row["url_in_use"]),
        host_key=row["host_key"],
        validators=validators,
        body_digest=Digest(row["body_digest"]) if row["body_digest"] else None,
        failures=row["failures"],
        identical=row["identical"],
        claim=Claim(
            due_at=row["due_at"],
            claimed_at=claimed_at,
            earliest_at=row["earliest_at"],
            attempted_at=row["attempted_at"],
            crashes=row["claims"],
        ),
        health=Health(
            state=State(row["state"]),
            code=row["code"],
            failing_since=row["failing_since"],
            succeeded_at=row["succeeded_at"],
        ),
        polls=row["polls"],
        hints=hints_of(row["hints"]),
        retried=row["retried"],
        stored_before=row["first_stored_at"] is not None,
        observed=observed_of(row["observations"]),
        arrivals=arrivals_of(row["arrivals"]),
        recent=row["recent"] or "",
    )
