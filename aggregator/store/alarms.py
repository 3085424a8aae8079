"""Alarms, derived from the store; the beginning and end of each is logged and kept (R19, R43, R46, R48, P94, R67)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from logging import getLogger
from typing import TYPE_CHECKING

from sqlalchemy import Connection, RowMapping, bindparam, delete, func, insert, select, update

from aggregator.decide.losses import is_held_for_loss
from aggregator.late import late
from aggregator.model.alarm import FLOOD, FLOOD_SHOWN, MOST, QUIET, Alarm, AlarmCode
from aggregator.model.history import NO_SUMS, Sums
from aggregator.model.observed import Observed
from aggregator.model.poll import CRASHES, State
from aggregator.model.settings import SourceKey
from aggregator.model.status import HubStatus, Lag, Outage
from aggregator.model.stored_json import arrivals_of, observed_of
from aggregator.store.history import day_of, news_days_of, sums_since
from aggregator.store.hub_pings import HubPings
from aggregator.store.schedule import Schedule
from aggregator.store.schema import MICROSECOND, alarm, channel, post, source, store
from aggregator.store.store_row import StoreRow

if TYPE_CHECKING:
    from aggregator.cadence import silence
else:
    silence = late("aggregator.cadence.silence")

log = getLogger(__name__)

# `empty` (R43): so many documents in a row have no entry,
EMPTY_TIMES = 3
EMPTY_LISTED = 5  # and the last document with entries had at least so many.
# `dead` (R46): no success for so long,
DEAD = timedelta(days=7)
DEAD_FAILURES = 3  # and at least so many failed polls in that time: a pause of this program is not the source's fault.
# `silent` (R46): no new entry for at least a day if feeds.yaml says so, else a week. `cadence/silence.py` has the rest.
QUIET_AT_LEAST = (timedelta(days=1), timedelta(days=7))
POLLED = timedelta(days=2)  # since the last success: else what came since is not known
# `unconditional` (P94): over this share of polls,
UNCONDITIONAL_SHARE = 0.1
UNCONDITIONAL_LEAST = 3  # and at least so many: this program drops validators itself at times (P16).
NOTED = timedelta(days=1)  # how long the alarm of a single observation in a document lasts (R45, R47)
HUB_REFUSES = timedelta(hours=1)  # how long the hub may fail to accept pings before the alarm
CHANNEL_REFUSES = timedelta(hours=1)  # how long messages on alarms may be refused before the alarm
LATE_SHARE = 0.05  # share of sources that may be late by more than a fourth of their interval (R19)

SAID = (AlarmCode.LAG, AlarmCode.NETWORK_DOWN)  # logged by the code that measures them; not logged here again
KEPT = 1000  # alarms that are over, which are kept for the feed of alarms
_ALL = 0  # `alarm.source_id` of an alarm that concerns no single source
_HOLDING = (
    select(alarm, source.c.key)
    .outerjoin(source, source.c.id == alarm.c.source_id)
    .where(alarm.c.ended_at.is_(None))
    .order_by(alarm.c.id)
)
_WATCHED = (
    "id key state paused claims failures succeeded_at failing_since code arrivals observations first_stored_at "
    "silent_after"
).split()
_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Found:
    """An alarm condition that holds now, without the time at which it was first noticed."""

    code: AlarmCode
    text: str
    source: SourceKey | None = None
    source_id: int = _ALL


def first_day(now: datetime) -> int:
    """Return the number of yesterday, UTC (see `day_of`): yesterday and today cover the last 24 hours."""
    return day_of(now) - 1


def overall(late: Lag, down: Outage, output_error: str | None) -> Iterator[Found]:
    """Yield the alarms about this program itself: its output, its lateness, its network."""
    if output_error:
        yield Found(AlarmCode.OUTPUT, output_error)
    if late.late_share > LATE_SHARE and down.public is None:  # an outage explains the lateness
        share, p95 = f"{late.late} of {late.sources} sources", round((late.p95 + late.between_runs) / _MINUTE)
        runs = f", and the {round(late.between_runs / _MINUTE)} min between runs of poll" if late.between_runs else ""
        waits = f"{share} wait for over a fourth of their interval{runs}; one in twenty over {p95} min"
        yield Found(AlarmCode.LAG, waits)
    for since, what in ((down.public, "the network is down"), (down.own, "your own machines can't be reached")):
        if since is not None:
            yield Found(AlarmCode.NETWORK_DOWN, f"{what} since {since:%Y-%m-%d %H:%M} UTC; no source is blamed")
            return


def failed_posts(connection: Connection) -> tuple[int, str]:
    """Return the number of posts that could not be written, and the fault of one of them (empty if there is none)."""
    query = select(func.count(), func.min(post.c.fault)).where(post.c.fault.is_not(None))
    count, first = connection.execute(query).one()
    return count, first or ""


def of_posts(count: int, first: str) -> Iterator[Found]:
    """Yield the alarm about posts that could not be exported.

    Args:
        count: how many posts differ from what they should be; 0: no alarm.
        first: why the first of them does.
    """
    if count:
        named = "a post is" if count == 1 else f"{count} posts are"
        yield Found(AlarmCode.POSTS, f"{named} not what feeds.yaml and the store say; they stand as they were: {first}")


def of_hub(hub: HubStatus | None, now: datetime) -> Iterator[Found]:
    """Yield an alarm if the hub has not accepted pings for `HUB_REFUSES` or longer; `hub` None: none was ever owed."""
    if hub is not None and hub.failing_since is not None and now - hub.failing_since >= HUB_REFUSES:
        feeds = "1 feed that has" if hub.owed == 1 else f"{hub.owed} feeds that have"
        since = f"{hub.failing_since:%Y-%m-%d %H:%M} UTC"
        yield Found(AlarmCode.HUB, f"the hub was not told of {feeds} changed, since {since}: {hub.error}")


def of_channels(connection: Connection, now: datetime) -> Iterator[Found]:
    """Yield an alarm if the webhook or an address of `alarms.notify` takes no messages for an hour."""
    query = select(channel).where(channel.c.failing_since.is_not(None)).order_by(channel.c.failing_since)
    row = connection.execute(query).first()
    if row is not None and now - row.failing_since >= CHANNEL_REFUSES:
        since = f"{row.failing_since:%Y-%m-%d %H:%M} UTC"
        yield Found(AlarmCode.MESSAGES, f"alarms.{row.name} takes no messages on alarms since {since}: {row.error}")


def of_sources(
    rows: Iterable[RowMapping], sums: Mapping[int, Sums], now: datetime, connection: Connection
) -> Iterator[Found]:
    """Yield the alarms of sources.

    Args:
        rows: rows of `source` with the columns `_WATCHED`.
        sums: sums of the polls of yesterday and today, by id of the source.
        now: the time.
        connection: for the days on which a source brought news, if it may be silent.
    """
    for row in rows:
        for code, text in _of_source(row, sums.get(row["id"], NO_SUMS), now, connection):
            yield Found(code, text, SourceKey(row["key"]), row["id"])


def _of_source(row: RowMapping, sums: Sums, now: datetime, connection: Connection) -> Iterator[tuple[AlarmCode, str]]:
    if row["paused"]:
        return
    arrivals, observed = arrivals_of(row["arrivals"]), observed_of(row["observations"])
    if observed.empty_times >= EMPTY_TIMES and observed.listed >= EMPTY_LISTED:
        before = f"{observed.empty_times} times in a row, after {observed.listed} before"
        yield AlarmCode.EMPTY, f"no entry in it {before}; what was published stays"
    if row["state"] == State.SUSPECT and row["claims"] > CRASHES:
        yield AlarmCode.CRASH, f"the program ended {row['claims']} times in a row while it was polled, at last alone"
    since = row["succeeded_at"] or row["failing_since"]
    yield from _of_documents(observed, now)
    if row["failures"] >= DEAD_FAILURES and now - since >= DEAD:
        yield AlarmCode.DEAD, f"no success since {since:%Y-%m-%d}; {row['failures']} failures in a row ({row['code']})"
    if row["state"] == State.OK and arrivals and now - arrivals[-1] >= QUIET_AT_LEAST[row["silent_after"] is None]:
        after = None if row["silent_after"] is None else row["silent_after"] * MICROSECOND
        seen = row["succeeded_at"] if row["succeeded_at"] and now - row["succeeded_at"] > POLLED else now
        if text := silence.silence_of(arrivals, lambda: news_days_of(connection, row), seen, after):
            yield AlarmCode.SILENT, text
    if sums.unconditional >= UNCONDITIONAL_LEAST and sums.unconditional > UNCONDITIONAL_SHARE * sums.polls:
        whole = f"{sums.unconditional} of {sums.polls} polls fetched all of it"
        yield AlarmCode.UNCONDITIONAL, f"{whole}, without the ETag or Last-Modified that we hold"
    if sums.future:
        yield AlarmCode.FUTURE, f"{_entries(sums.future)} dated over a day ahead; shown with the time they came"
    if sums.past:
        yield AlarmCode.PAST, f"{_entries(sums.past)} dated over a year back"


def _of_documents(observed: Observed, now: datetime) -> Iterator[tuple[AlarmCode, str]]:
    """Yield the alarms that follow from the latest documents of a source."""
    if observed.suspect_since is not None:
        since = f"it looks like another feed since {observed.suspect_since:%Y-%m-%d %H:%M} UTC"
        yield AlarmCode.REPLACED, f"{since}; what is new is held back until it is accepted, or the same for 48 h"
    if observed.lost:
        text = f"no entry has {_listed(observed.lost)} any more, and most had; what was published keeps what it had"
        if is_held_for_loss(observed.lost, observed.lost_since, now):
            text = f"{text}; what is new is held back until that is mended or accepted, for 48 h at most"
        yield AlarmCode.FIELDS_LOST, text
    if observed.overflowed_at is not None and now - observed.overflowed_at < NOTED:
        yield AlarmCode.OVERFLOW, "all its entries were new at once; some may have come and gone between two polls"
    if observed.flooded_at is not None and now - observed.flooded_at < NOTED:
        yield AlarmCode.FLOOD, f"over {FLOOD} new entries at once; {FLOOD_SHOWN} were published as new, the rest filed"
    if observed.unfiled_at is not None and now - observed.unfiled_at < NOTED:
        yield AlarmCode.UNFILED, f"items named no category, or more than {MOST} of them; those entries are in general"
    if observed.list_doubt is not None:
        yield AlarmCode.LIST_SHRUNK, observed.list_doubt
    if observed.by_text:
        what = "an entry without id and link came under another date from poll to poll"
        yield AlarmCode.REKEYED, f"{what}; titles and texts tell such entries apart now"
    elif observed.by_link:
        yield AlarmCode.REKEYED, "its ids changed from poll to poll; its links tell entries apart now"


def _listed(names: Sequence[str]) -> str:
    return " or ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]


def _entries(count: int) -> str:
    return f"{count} new {'entry' if count == 1 else 'entries'}"


class Alarms:
    """Alarms that hold now, each with its beginning: `tx.alarms`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def _present(self, now: datetime) -> list[Found]:
        """Return all alarm conditions that hold now."""
        rows = (
            self._connection.execute(select(*(source.c[name] for name in _WATCHED)).where(source.c.active))
            .mappings()
            .all()
        )
        sums = sums_since(self._connection, first_day(now))
        failed = self._connection.execute(select(store.c.output_error)).scalar_one()
        ours = [
            *overall(Schedule(self._connection).lag(now), StoreRow(self._connection).outage(), failed),
            *of_posts(*failed_posts(self._connection)),
        ]
        ours += [*of_hub(HubPings(self._connection).status(), now), *of_channels(self._connection, now)]
        return [*ours, *of_sources(rows, sums, now, self._connection)]

    def with_since(self, found: Iterable[Found], now: datetime) -> tuple[Alarm, ...]:
        """Return alarms with the time at which each was first noticed; `now` for conditions that are new."""
        noticed = {(row.code, row.source_id): row.since for row in self._connection.execute(_HOLDING)}
        return tuple(
            Alarm(code=one.code, source=one.source, text=one.text, since=noticed.get((one.code, one.source_id), now))
            for one in found
        )

    def latest(self, limit: int) -> list[Alarm]:
        """Return the alarms that began or ended last, the latest change first; at most `limit`."""
        query = select(alarm, source.c.key).outerjoin(source, source.c.id == alarm.c.source_id)
        query = query.order_by(func.coalesce(alarm.c.ended_at, alarm.c.since).desc(), alarm.c.id.desc()).limit(limit)
        return [alarm_of(row) for row in self._connection.execute(query).mappings()]

    def note(self, now: datetime) -> tuple[tuple[Alarm, ...], tuple[Alarm, ...]]:
        """Log alarms that begin or end, once each, and store both (R46). Return those that began, and those over."""
        found = {(one.code.value, one.source_id): one for one in self._present(now)}
        noticed = {(row.code, row.source_id): row for row in self._connection.execute(_HOLDING)}
        new = [one for place, one in found.items() if place not in noticed]
        ended = [row for place, row in noticed.items() if place not in found]
        for one in new:
            if one.code not in SAID:
                log.warning("raise_alarm", extra={"alarm": one.code.value, "source": one.source, "text": one.text})
        if new:
            rows = [{"code": one.code, "source_id": one.source_id, "since": now, "text": one.text} for one in new]
            self._connection.execute(insert(alarm), rows)
        for row in ended:
            if row.code not in SAID:
                log.info("end_alarm", extra={"alarm": row.code, "source": row.key})
        if ended:
            these = update(alarm).where(alarm.c.id == bindparam("of_id"))
            self._connection.execute(these.values(ended_at=now), [{"of_id": row.id} for row in ended])
            older = select(alarm.c.id).where(alarm.c.ended_at.is_not(None)).order_by(alarm.c.id.desc()).offset(KEPT)
            self._connection.execute(delete(alarm).where(alarm.c.id.in_(older.limit(KEPT))))
        untold = [
            {"of_id": row.id, "said": found[place].text}
            for place, row in noticed.items()
            if place in found and not row.text
        ]
        if untold:
            these = update(alarm).where(alarm.c.id == bindparam("of_id"))
            self._connection.execute(these.values(text=bindparam("said")), untold)
        begun = tuple(Alarm(code=one.code, source=one.source, text=one.text, since=now) for one in new)
        over = tuple(replace(alarm_of(row._mapping), ended_at=now) for row in ended)
        if any(one.code in QUIET for one in (*begun, *over)):  # the list of sources shows them
            self._connection.execute(update(store).values(dirty=store.c.dirty + 1))
        return begun, over


def alarm_of(row: RowMapping) -> Alarm:
    """Return the alarm of a row of `alarm`, with the key of its source."""
    return Alarm(
        code=AlarmCode(row["code"]),
        source=row["key"] and SourceKey(row["key"]),
        text=row["text"],
        since=row["since"],
        ended_at=row["ended_at"],
    )
