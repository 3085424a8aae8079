"""Sources on their way through a poll: claimed before the request leaves, given back if it does not."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, RowMapping, bindparam, select, update

from aggregator.cadence import crash_floor, outside_skipped
from aggregator.decide.same_address import shares_an_answer
from aggregator.model.ask import Validators
from aggregator.model.entry import Digest
from aggregator.model.event import Code, Event
from aggregator.model.job import Claim, Health, SourceJob
from aggregator.model.poll import CRASHES, State
from aggregator.model.settings import Source, SourceKey
from aggregator.model.stored_json import arrivals_of, hints_of, observed_of
from aggregator.store.dialect import MAX_IN
from aggregator.store.schema import entry, source
from aggregator.urls import Url

LATEST = min(500, MAX_IN)  # entries of a list by which its known ones are found again

_NEEDED = tuple(
    source.c[name]
    for name in (
        "id key url_in_use host_key validators_url etag last_modified body_digest failures identical due_at "
        "earliest_at attempted_at state code polls failing_since succeeded_at hints retried first_stored_at "
        "observations arrivals recent claims"
    ).split()
)
# Made once: to make a statement costs as much as a poll.
_THESE = select(*_NEEDED).where(source.c.id.in_(bindparam("ids", expanding=True)))
_ONE = update(source).where(source.c.id == bindparam("row_id"))
_SPARE = _ONE.values(due_at=bindparam("later"), earliest_at=bindparam("later"))
_CLAIM = _ONE.values(
    due_at=bindparam("ahead"),
    earliest_at=bindparam("ahead"),
    claims=bindparam("new_claims"),
    attempted_at=bindparam("now"),
)
_GIVE_BACK = _ONE.values(
    due_at=bindparam("due"),
    earliest_at=bindparam("earliest"),
    claims=bindparam("before"),
    attempted_at=bindparam("attempted"),
)


def claim(
    connection: Connection, ids: Sequence[int], now: datetime, settings: Mapping[SourceKey, Source], *, spare: bool
) -> list[SourceJob]:
    """Move the due time ahead of each source before its request leaves (R13, invariant 7), and give all a poll needs.

    Args:
        connection: a writing one.
        ids: of the sources' rows.
        now: the time.
        settings: of the sources in feeds.yaml; others are left alone.
        spare: those that ask to be spared now are due as soon as they don't, and nothing is held against them (P59).
            A schedule is the operator's word, and counts more.
    """
    rows = connection.execute(_THESE, {"ids": ids}).mappings().all()
    claimed = _one_an_address([(row, settings[row["key"]]) for row in rows if row["key"] in settings], ids)
    if spare:
        open_at = {
            row["id"]: outside_skipped(now, hints_of(row["hints"]))
            for row, configured in claimed
            if row["hints"] and configured.schedule is None
        }
        spared = [{"row_id": number, "later": when} for number, when in open_at.items() if when > now]
        if spared:
            connection.execute(_SPARE, spared)
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
        connection.execute(_CLAIM, moved)
    order = {number: place for place, number in enumerate(ids)}
    dues = (_with_known(connection, _due(row, source_settings)) for row, source_settings in claimed)
    return sorted(dues, key=lambda due: order[due.source_id])


def _one_an_address(
    claimed: Sequence[tuple[RowMapping, Source]], ids: Sequence[int]
) -> list[tuple[RowMapping, Source]]:
    """Leave out what another of these sources asks for as well (P66)."""
    order = {number: place for place, number in enumerate(ids)}
    asking: dict[str, list[Source]] = defaultdict(list)
    kept = []
    for row, configured in sorted(claimed, key=lambda item: order[item[0]["id"]]):
        twins = asking[row["url_in_use"]]
        if not any(shares_an_answer(configured, twin) for twin in twins):
            twins.append(configured)
            kept.append((row, configured))
    return kept


def twins(
    connection: Connection, dues: Sequence[SourceJob], settings: Mapping[SourceKey, Source]
) -> dict[int, list[SourceJob]]:
    """Give the other sources at the same addresses, by the id of the one that was asked (P66)."""
    asked = {due.source_id for due in dues}
    by_url = {due.url: due.source_id for due in dues}
    found: dict[int, list[SourceJob]] = defaultdict(list)
    query = select(*_NEEDED).where(source.c.active, ~source.c.paused, source.c.url_in_use.in_(list(by_url)))
    for row in connection.execute(query.where(source.c.id.not_in(list(asked)))).mappings():
        if row["key"] in settings:
            found[by_url[Url(row["url_in_use"])]].append(replace(_due(row, settings[row["key"]]), is_twin=True))
    return found


def look_up(connection: Connection, settings: Source) -> SourceJob | None:
    """Give what a poll of a source would be given, without claiming it; None if the store doesn't know it."""
    row = connection.execute(select(*_NEEDED).where(source.c.key == settings.key)).mappings().first()
    return None if row is None else _with_known(connection, _due(row, settings))


def _with_known(connection: Connection, due: SourceJob) -> SourceJob:
    """Give a source whose pages are followed with what its last list had: where its next walk ends (R45).

    Where that is not known, as after a restore, what was stored last stands for it.
    """
    if due.source.paging is None or not due.source.pages or not due.stored_before:
        return due
    own = select(entry.c.key_hash).where(entry.c.source_id == due.source_id)
    listed = connection.execute(select(source.c.listed).where(source.c.id == due.source_id)).scalar_one()
    chosen = own.order_by(entry.c.id.desc()) if listed is None else own.where(entry.c.id.in_(listed[:LATEST]))
    return replace(due, known=frozenset(connection.execute(chosen.limit(LATEST)).scalars()))


def _due(row: RowMapping, settings: Source) -> SourceJob:
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


def give_back(connection: Connection, dues: Sequence[SourceJob]) -> None:
    """Put the due times back of claims whose request did not leave, or that we cut ourselves (R13, R54).

    Of crashes before they say nothing, so those still count.
    """
    if not dues:
        return
    rows = [
        {
            "row_id": due.source_id,
            "due": due.claim.due_at,
            "earliest": due.claim.earliest_at or due.claim.due_at,
            "attempted": due.claim.attempted_at,
            "before": due.claim.crashes,
        }
        for due in dues
    ]
    connection.execute(_GIVE_BACK, rows)


def find_crashed(connection: Connection) -> tuple[frozenset[int], list[Event]]:
    """Find the sources that were in flight when this program ended, `CRASHES` times in a row or more (R13).

    Beyond that number a source was in flight alone, so that it has ended the program itself: it is suspect. Only for a
    process that has claimed nothing yet: a claim of its own would count as a crash.

    Returns:
        The ids of their rows, and an event for each that became suspect.
    """
    rows = connection.execute(
        select(source.c.id, source.c.claims, source.c.state, source.c.code).where(
            source.c.active, source.c.claims >= CRASHES
        )
    ).all()
    doubtless = [row for row in rows if row.claims > CRASHES and row.state != State.SUSPECT]
    if doubtless:
        connection.execute(_ONE.values(state=State.SUSPECT.value), [{"row_id": row.id} for row in doubtless])
    events = [
        Event(
            code=Code.CHANGE_STATE,
            source=row.id,
            facts={"from": row.state, "to": State.SUSPECT, "code": row.code, "crashes": row.claims},
        )
        for row in doubtless
    ]
    return frozenset(row.id for row in rows), events
