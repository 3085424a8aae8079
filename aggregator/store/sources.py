"""Rows of sources: written from feeds.yaml, and read for lists and outputs."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from logging import getLogger
from typing import Any

from sqlalchemy import (
    Connection,
    RowMapping,
    Text,
    bindparam,
    case,
    delete,
    func,
    select,
    type_coerce,
    update,
)

from aggregator.decide.source_health import with_addresses
from aggregator.errors import AddressRefused
from aggregator.model.alarm import QUIET, AlarmCode
from aggregator.model.event import Code, Event
from aggregator.model.observed import Observed
from aggregator.model.outline import Outline
from aggregator.model.poll import State
from aggregator.model.settings import CategoryKey, Roster, Show, Source, SourceKey, fetch_settings_of
from aggregator.model.source_row import Limits, SourceRow
from aggregator.model.stored_json import arrivals_of, observed_of, observed_to_json, origin_of
from aggregator.store.output_list import Files
from aggregator.store.queries import known_categories
from aggregator.store.retention import Retention
from aggregator.store.schema import MICROSECOND, alarm, entry, outline, source, store, story
from aggregator.urls import Url, host_of

log = getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Placed:
    """A source of feeds.yaml, with a digest that depends on all settings."""

    source: Source
    digest: str  # of the settings whose change invalidates validators (P9)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestingSource:
    """A source that was removed from feeds.yaml."""

    key: SourceKey
    url: Url
    url_in_use: Url
    digest: str | None  # as in `Placed`
    due_at: datetime
    places: tuple[CategoryKey, ...] | None  # categories in which its entries were published; None: it has none


def sync_sources(
    connection: Connection, placed: Iterable[Placed], now: datetime, host_key_of: Callable[[Url], str]
) -> list[Event]:
    """Write the sources of feeds.yaml. No row is deleted: a source that left feeds.yaml becomes inactive (R53).

    A source is due at once if it is new or if settings of the fetch have changed (P63, P65). In the second case its
    validators are deleted (P9), unless only the address changed, to the address in use (P40). A source whose `was:`
    names an earlier URL or key takes over the row of that source (R52). The last `private`, `show` and `keep` of a
    source hold for good, also once it has left feeds.yaml (S44). Events name hosts, never addresses, which may hold
    secrets.

    Args:
        connection: a connection that writes.
        placed: the sources of feeds.yaml.
        now: the time.
        host_key_of: returns the host key of a URL.

    Returns:
        An event for each source whose key or address was changed, or that was paused or resumed.
    """
    rows = {row["key"]: row for row in connection.execute(select(*_SYNCED)).mappings()}
    by_url = {row["url"]: row for row in rows.values()}
    in_use = {row["url_in_use"]: row for row in rows.values() if row["url_in_use"] != row["url"]}
    wanted = {item.source.key: item for item in placed}
    new, changed, events = [], [], []
    reread: list[int] = []
    renamed = False
    for key, item in wanted.items():
        row = rows.get(key)
        if row is None and (row := _inherited_row(item.source, rows, by_url, in_use, wanted)) is not None:
            events.append(Event(code=Code.MOVE_SETTINGS, source=row["id"], facts={"key": [row["key"], key]}))
            renamed = True
        if row is None:
            new.append(_new_row(item, now, host_key_of))
            continue
        moves = row["settings_digest"] != item.digest and not _is_adopted(item, row)
        url = item.source.url if moves else row["url_in_use"]
        values = _settings_values(item) | {"url_in_use": url, "host_key": host_key_of(url)}
        if all(row[name] == value for name, value in values.items()):
            continue
        change = dict(row) | values
        if row["active"] and row["paused"] != values["paused"]:  # `why` tells since when it is not polled
            facts = {"paused": ["true", "false"] if row["paused"] else ["false", "true"]}
            events.append(Event(code=Code.MOVE_SETTINGS, source=row["id"], facts=facts))
        if moves:
            if row["settings_digest"]:
                facts = {"host": [host_of(row["url"]), host_of(item.source.url)]}
                events.append(Event(code=Code.MOVE_SETTINGS, source=row["id"], facts=facts))
            change |= {"etag": None, "last_modified": None, "validators_url": None, "body_digest": None}
            reread.append(row["id"])
            same_place = row["url"] == item.source.url
            observed = _observed_on(observed_of(row["observations"]), same_place, reread=bool(row["settings_digest"]))
            met = _met_before(row, item.source)
            observed = replace(observed, addresses=met.addresses, rotates=met.rotates)
            change |= {"due_at": now, "earliest_at": now, "claims": 0, "observations": observed_to_json(observed)}
        elif row["url"] != item.source.url:
            met = _met_before(row, item.source)
            observed = replace(observed_of(row["observations"]), addresses=met.addresses, rotates=met.rotates)
            change["observations"] = observed_to_json(observed)
        if not moves and not row["active"]:
            change |= {"due_at": max(row["due_at"], now), "earliest_at": max(row["earliest_at"], now)}
        changed.append({"row_id": row["id"]} | {f"new_{name}": value for name, value in change.items() if name != "id"})
    shortened = [
        key for key, item in wanted.items() if key in rows and _is_shorter(item.source.keep, rows[key]["keep"])
    ]
    if shortened:  # removed texts can't be restored, and the operator may not have run `plan`
        Retention(connection).put_off(now)
        advice = "older texts are deleted from tomorrow on and cannot be restored; docs/keep.md"
        log.warning("shorten_keep", extra={"sources": len(shortened), "first": shortened[0], "advice": advice})
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
    if reread:  # the windows of all sources are not loaded for this: they may be megabytes
        connection.execute(
            update(source).where(source.c.id == bindparam("row_id")).values(window=None),
            [{"row_id": number} for number in reread],
        )
    if resting:
        connection.execute(update(source).where(source.c.id == bindparam("row_id")).values(active=False), resting)
    if renamed:
        Files(connection).forget_looks()  # outputs name sources by their keys, archive pages where a feed has no title
    return events


def _observed_on(before: Observed, same_place: bool, *, reread: bool) -> Observed:
    """Return the observations on a source that outlive a change of its settings.

    Args:
        before: all observations.
        same_place: the address of the source is the same.
        reread: the source was polled with other settings.
    """
    return Observed(
        reread=same_place and reread,
        suspect_since=before.suspect_since if same_place else None,
        lost=before.lost,
        lost_since=before.lost_since,
        forgone=before.forgone,
        restored_until=before.restored_until,  # until the first poll after a restore, despite edits meanwhile
    )


def opened_before(connection: Connection) -> frozenset[str]:
    """Return the entries of `hosts` that had `allow_private` when feeds.yaml was loaded last."""
    return frozenset(connection.execute(select(store.c.opened)).scalar_one() or ())


def ask_refused(connection: Connection, opened: frozenset[str], now: datetime) -> None:
    """Make sources due whose address was refused last, if feeds.yaml has new entries with `allow_private` (P65).

    Only a DNS look-up tells in which network a host is, so all of these sources become due. No request is sent to an
    address that is refused again (S6).

    Args:
        connection: a connection that writes.
        opened: entries of `hosts` with `allow_private`.
        now: the time.
    """
    before = opened_before(connection)
    if opened == before:
        return
    connection.execute(update(store).values(opened=sorted(opened)))
    if opened - before:
        refused = update(source).where(source.c.active, source.c.code == AddressRefused.code)
        connection.execute(refused.values(due_at=now, earliest_at=now, claims=0))


def have_moved(connection: Connection, placed: Iterable[Placed], roster: Roster) -> bool:
    """Return whether a source has other categories than the store says, or another priority."""
    numbers = {key: one.id for key, one in known_categories(connection).items() if key in roster.categories}
    columns = (source.c.key, source.c.places, source.c.priority)
    before = {row.key: row for row in connection.execute(select(*columns).where(source.c.active))}
    return any(
        one.source.priority != before[one.source.key].priority
        or sorted(numbers[key] for key in one.source.categories if key in numbers) != before[one.source.key].places
        for one in placed
    )


_SYNCED = tuple(
    source.c[name]
    for name in (
        "id key url url_in_use host_key settings_digest active paused own_machine private show noindex keep "
        "silent_after due_at earliest_at claims code etag last_modified validators_url body_digest observations"
    ).split()
)


def _is_shorter(keep: timedelta | None, before: int | None) -> bool:
    return keep is not None and (before is None or keep // MICROSECOND < before)


def _settings_values(item: Placed) -> dict[str, Any]:
    return {
        "key": item.source.key,
        "url": item.source.url,
        "settings_digest": item.digest,
        "active": True,
        "paused": item.source.paused,
        "own_machine": item.source.own_machine,
        "private": item.source.private,
        "show": item.source.show.value if item.source.show else None,
        "noindex": item.source.noindex,
        "keep": None if item.source.keep is None else item.source.keep // MICROSECOND,
        "silent_after": None if item.source.silent_after is None else item.source.silent_after // MICROSECOND,
    }


def _new_row(item: Placed, now: datetime, host_key_of: Callable[[Url], str]) -> dict[str, Any]:
    return _settings_values(item) | {
        "priority": item.source.priority,
        "url_in_use": item.source.url,
        "host_key": host_key_of(item.source.url),
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


def _is_adopted(item: Placed, row: RowMapping) -> bool:
    """Return whether only the address changed, and the new one is the one in use: validators and state stay valid."""
    if item.source.url != row["url_in_use"]:
        return False
    return bool(row["settings_digest"] == fetch_settings_of(replace(item.source, url=Url(row["url"]))))


def _met_before(row: RowMapping, wanted: Source) -> Observed:
    """Return the observations that outlive a change of the address: earlier addresses, which stay secret for good.

    Addresses that feeds.yaml itself named are added only for private sources; elsewhere they would keep an old value of
    `${NAME}` in the store.
    """
    before = observed_of(row["observations"])
    names = ("url", "url_in_use", "validators_url") if row["private"] or wanted.private else ()
    met = [Url(row[name]) for name in names if row[name]]
    return with_addresses(Observed(addresses=before.addresses, rotates=before.rotates), wanted.url, met)


def _inherited_row(
    wanted: Source,
    rows: Mapping[str, RowMapping],
    by_url: Mapping[str, RowMapping],
    in_use: Mapping[str, RowMapping],
    all_wanted: Collection[str],
) -> RowMapping | None:
    """Return the row that a new source takes over: `was` names it, or a list names the address in use of a source.

    A source of a list takes over no private source, whose publications stay hidden for good (S44).
    """
    for name in wanted.was:
        row = rows.get(name) or by_url.get(name)
        if row is not None and row["key"] not in all_wanted:
            return row
    moved = in_use.get(wanted.url) if wanted.listed_by is not None else None  # an OPML list can't have a `was`
    free = moved is not None and moved["key"] not in all_wanted and not moved["private"]
    return moved if free else None


class Sources:
    """Queries on active and inactive sources, for lists and outputs: `tx.sources`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def share_addresses(self) -> bool:
        """Return whether two active sources have the same address in use."""
        shared = select(source.c.url_in_use).where(source.c.active).group_by(source.c.url_in_use)
        return self._connection.execute(shared.having(func.count() > 1).limit(1)).first() is not None

    def titles(self, keys: Collection[SourceKey] | None = None) -> dict[SourceKey, str]:
        """Return the titles of the feeds of active sources, by key; sources without a title are left out.

        Args:
            keys: of at most `MAX_IN` sources; None: all.
        """
        query = select(source.c.key, source.c.feed).where(source.c.active, source.c.feed.is_not(None))
        if keys is not None:
            query = query.where(source.c.key.in_(keys))
        found = (
            (SourceKey(key), str(feed.get("title") or "").strip()) for key, feed in self._connection.execute(query)
        )
        return {key: title for key, title in found if title}

    def resting(self) -> dict[SourceKey, RestingSource]:
        """Return the sources that were removed from feeds.yaml, by key."""
        names = {one.id: key for key, one in known_categories(self._connection).items()}
        return {
            SourceKey(row["key"]): RestingSource(
                key=SourceKey(row["key"]),
                url=Url(row["url"]),
                url_in_use=Url(row["url_in_use"]),
                digest=row["settings_digest"],
                due_at=row["due_at"],
                places=_places(row, names),
            )
            for row in self._connection.execute(select(source).where(~source.c.active)).mappings()
        }

    def moved(self) -> dict[SourceKey, Url]:
        """Return the addresses of active sources that have moved for good, by key (P41)."""
        query = select(source.c.key, source.c.url_in_use).where(source.c.active, source.c.url_in_use != source.c.url)
        return {SourceKey(key): Url(url) for key, url in self._connection.execute(query)}

    def observed(self) -> dict[SourceKey, Observed]:
        """Return what the answers of active sources have shown so far, by key."""
        rows = self._connection.execute(select(source.c.key, source.c.observations).where(source.c.active))
        return {SourceKey(key): observed_of(observations) for key, observations in rows}

    def entry_counts(self) -> dict[SourceKey, int]:
        """Return the number of stored entries of active sources, by key; none if the store was restored.

        Rules did not decide for entries that were restored.
        """
        if self._connection.execute(select(store.c.restored_at)).scalar_one() is not None:
            return {}
        query = select(source.c.key, source.c.entries).where(source.c.active)
        return {SourceKey(key): count for key, count in self._connection.execute(query)}

    def rows(self) -> list[SourceRow]:
        """Return the active sources as the lists of sources show them, by key."""
        found = [
            SourceRow(
                key=SourceKey(row.key),
                url=Url(row.url),
                state=State(row.state),
                paused=row.paused,
                code=row.code,
                error=row.error,
                feed=origin_of(row.feed),
                since=_since(row),
                format=row.format,
                listed=row.listed or "",
            )
            for row in self._connection.execute(_LINES)
        ]
        quiet = {row["key"]: row for row in self._connection.execute(_NOTED_QUIET).mappings()}
        return [_with_quiet(row, quiet[row.key]) if row.key in quiet else row for row in found]

    def touched_since(self, generation: int) -> set[SourceKey]:
        """Return the sources with entries in stories that were touched after a generation (`stories.py`)."""
        told = select(source.c.key).join(entry, entry.c.source_id == source.c.id)
        told = told.join(story, story.c.id == entry.c.story_id).where(story.c.touched > generation)
        return set(map(SourceKey, self._connection.execute(told.distinct()).scalars()))

    def limits(self) -> dict[SourceKey, Limits]:
        """Return the limits of sources with `private`, `show` or `noindex`, in the order of keys."""
        names = ("key", "url", "url_in_use", "validators_url", "observations", "private", "show", "noindex")
        limited = source.c.private | source.c.show.is_not(None) | source.c.noindex
        query = select(*(source.c[name] for name in names)).where(limited)
        return {
            SourceKey(row["key"]): _limits(row)
            for row in self._connection.execute(query.order_by(source.c.key)).mappings()
        }

    def lists(self) -> dict[SourceKey, list[Outline]]:
        """Return the feeds of all OPML lists, by the key of the list."""
        found: dict[SourceKey, list[Outline]] = {}
        asked = (
            select(source.c.key, outline).join_from(outline, source).order_by(outline.c.source_id, outline.c.position)
        )
        for row in self._connection.execute(asked):
            found.setdefault(SourceKey(row.key), []).append(_outline(row.url, row.title, row.categories))
        return found


def _places(row: RowMapping, names: Mapping[int, CategoryKey]) -> tuple[CategoryKey, ...] | None:
    if row["places"] is None or row["first_stored_at"] is None:
        return None
    return tuple(names[number] for number in row["places"] if number in names)


_LINES = (
    select(
        *(source.c[name] for name in "key url state paused code error feed format created_at failing_since".split()),
        case((source.c.state == State.SUSPECT.value, source.c.observations)).label("suspicion"),
        type_coerce(source.c.listed, Text).label("listed"),
    )
    .where(source.c.active)
    .order_by(source.c.key)
)


def _since(row: Any) -> datetime | None:
    """Return when the state began of a source that needs attention, as `status` does."""
    began: datetime | None = row.created_at if row.state == State.NEVER else row.failing_since
    if row.state == State.SUSPECT:
        began = observed_of(row.suspicion).suspect_since or began
    return None if row.paused else began


_NOTED_QUIET = (
    select(source.c.key, alarm.c.code, source.c.arrivals)
    .join(alarm, alarm.c.source_id == source.c.id)
    .where(alarm.c.code.in_(QUIET), alarm.c.ended_at.is_(None))
    .where(source.c.active, ~source.c.paused, source.c.state == State.OK)
    .order_by(alarm.c.code)
)


def _with_quiet(row: SourceRow, noted: RowMapping) -> SourceRow:
    arrivals = arrivals_of(noted["arrivals"])
    return replace(row, quiet=AlarmCode(noted["code"]), quiet_since=arrivals[-1] if arrivals else None)


def _limits(row: RowMapping) -> Limits:
    made = Limits(
        private=row["private"],
        show=Show(row["show"]) if row["show"] else None,
        noindex=row["noindex"],
        addresses=(Url(row["url"]),),
    )
    if not made.private:
        return made
    observed = observed_of(row["observations"])
    in_use = [Url(row[name]) for name in ("url_in_use", "validators_url") if row[name]]
    met = tuple(dict.fromkeys(url for url in (*in_use, *observed.addresses) if url != row["url"]))
    return replace(made, met=met, rotates=observed.rotates)


def known_outlines(connection: Connection, source_id: int) -> tuple[Outline, ...]:
    """Return the feeds of one OPML list, in its order."""
    rows = connection.execute(
        select(outline).where(outline.c.source_id == source_id).order_by(outline.c.position)
    ).all()
    return tuple(_outline(row.url, row.title, row.categories) for row in rows)


def keep_outlines(connection: Connection, source_id: int, outlines: Sequence[Outline]) -> None:
    """Replace the stored feeds of an OPML list."""
    connection.execute(delete(outline).where(outline.c.source_id == source_id))
    rows = [
        {
            "source_id": source_id,
            "position": position,
            "url": each.url,
            "title": each.title,
            "categories": list(each.categories),
        }
        for position, each in enumerate(outlines)
    ]
    if rows:
        connection.execute(outline.insert(), rows)


def _outline(url: str, title: str, categories: Sequence[str]) -> Outline:
    return Outline(url=Url(url), title=title, categories=tuple(map(str, categories)))
