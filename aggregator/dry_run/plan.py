"""Computes the effects of another feeds.yaml (`plan`). Sends no requests and writes nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from aggregator.dry_run.leaving_files import NOTHING, Leaving, leaving_files
from aggregator.dry_run.renames import Departure, departures
from aggregator.late import late
from aggregator.model.paging import places_in
from aggregator.model.settings import (
    CategoryKey,
    Paging,
    Roster,
    Secret,
    Settings,
    Source,
    SourceKey,
    fetch_settings_of,
)
from aggregator.store.sources import RestingSource
from aggregator.store.transaction import Transaction
from aggregator.text.durations import duration_text
from aggregator.urls import Url

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from aggregator.decide import rules_again
else:
    rules_again = late("aggregator.decide.rules_again")

WEEK = timedelta(days=7)
MAX_LOOKED_AT = 100_000  # stored entries in one plan
# Fields of settings that mean nothing to people, or are reported in another way.
_NOT_REPORTED = frozenset(
    {
        "key",
        "line",
        "safe_url",
        "path",
        "crowding",
        "schedule_zone",
        "own_dedupe",
        "was",
        "allow_private",
        "asked",
        "theme_at",
        "file_at",
        "template_at",
    }
)
_WRITTEN = {
    "fields": "entry",
    "holds": "on_error",
    "routes": "route",
}  # field -> its name in feeds.yaml, where that differs
_OF_FILE = ("site", "store", "publish", "pages", "alarms", "host", "port", "workers", "proxy", "hosts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A setting with another value."""

    name: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A source that stays, with other settings, or that comes back."""

    key: str
    was: str | None = None  # its earlier key
    returns: bool = False  # it was removed from feeds.yaml earlier: its history is kept, its settings are unknown
    changes: tuple[Change, ...] = ()
    is_asked: bool = False  # polled at once without validators, because it is fetched or read differently (P65)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedCategory:
    """A category that stays or comes back, with other settings or another key."""

    key: CategoryKey
    was: CategoryKey | None = None  # its earlier key
    returns: bool = False  # it was removed from feeds.yaml earlier
    feed: str | None = None  # path of its feeds without suffix, which never changes; None if nothing was published
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A published category that was probably renamed without `was:`."""

    departure: Departure
    feed: str  # path of its feeds without suffix


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """A category that a known source enters, with the number of its stored entries that are published there (N2)."""

    source: SourceKey
    category: CategoryKey
    entries: int
    in_main: int  # those of `entries` in the main document


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruled:
    """Effects of changed rules on a source's entries of the last week."""

    source: SourceKey
    looked_at: int
    changes: "tuple[rules_again.Reapplied, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Thins:
    """A source with a shorter `keep`, and the number of entries whose texts would be removed over time (K2)."""

    source: SourceKey
    keep: str
    entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All effects of another feeds.yaml."""

    file: tuple[Change, ...] = ()
    added: tuple[Source, ...] = ()
    removed: tuple[SourceKey, ...] = ()
    changed: tuple[Changed, ...] = ()
    categories_added: tuple[CategoryKey, ...] = ()
    categories_removed: tuple[CategoryKey, ...] = ()
    categories_changed: tuple[ChangedCategory, ...] = ()
    categories_left: tuple[Left, ...] = ()
    fills: tuple[Fill, ...] = ()
    rules: tuple[Ruled, ...] = ()
    thins: tuple[Thins, ...] = ()
    leaving: Leaving = NOTHING

    @property
    def changes_anything(self) -> bool:
        """Whether anything would change."""
        return any(getattr(self, each.name) for each in fields(self))


def plan_of(old: Settings | None, new: Settings, tx: Transaction | None, now: datetime) -> Plan:
    """Compare two feeds.yaml, and compute effects of the new one on stored entries.

    Args:
        old: settings in force; None if nothing was ever polled.
        new: settings of the new feeds.yaml.
        tx: reading transaction; None if there is no store.
        now: current time.
    """
    before = {source.key: source for source in old.sources} if old else {}
    after = {source.key: source for source in new.sources}
    heirs = heirs_of(before, after)
    resting = tx.sources.resting() if tx is not None else {}
    back = {
        key: row
        for key, source in after.items()
        if key not in before and key not in heirs and (row := _resting_row(source, resting, after)) is not None
    }
    added = tuple(source for key, source in after.items() if key not in {*before, *heirs, *back})
    gone = set(before) - set(after) - set(heirs.values())
    pairs = [(before[heirs.get(key, key)], source) for key, source in after.items() if heirs.get(key, key) in before]
    categories = _categories(old, new, heirs, tx)
    moved = tx.sources.moved() if tx is not None else {}
    changed = [one for was, now_ in pairs if (one := _changed(was, now_, moved.get(was.key))) is not None]
    changed += [_returned(after[key], row, now) for key, row in back.items()]
    plan = Plan(
        file=tuple(_file_changes(old, new)) if old else (),
        added=added,
        removed=tuple(key for key in before if key in gone),
        changed=tuple(changed),
        categories_added=categories.added,
        categories_removed=categories.removed,
        categories_changed=categories.changed,
        categories_left=left_behind(old, new, heirs, tx) if old is not None and tx is not None else (),
    )
    if tx is None or old is None:
        return plan
    renamed = {one.was: one.key for one in categories.changed if one.was is not None}
    return replace(
        plan,
        fills=tuple(_fills(pairs, back, new, renamed, tx, now)),
        rules=tuple(_ruled(heirs | {key: row.key for key, row in back.items()}, new, tx, now)),
        thins=tuple(_thins(pairs, tx, now)),
        leaving=leaving_files(old, new, tx),
    )


def heirs_of(before: Mapping[SourceKey, Source], after: Mapping[SourceKey, Source]) -> dict[SourceKey, SourceKey]:
    """Return new key -> earlier key, of sources whose key changed (R52)."""
    by_url = {str(source.url): key for key, source in before.items()}
    found: dict[SourceKey, SourceKey] = {}
    for key, source in after.items():
        for name in source.was if key not in before else ():
            earlier = SourceKey(name) if name in before else by_url.get(name)
            if earlier is not None and earlier not in after:
                found[key] = earlier
                break
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Categories:
    added: tuple[CategoryKey, ...]
    removed: tuple[CategoryKey, ...]
    changed: tuple[ChangedCategory, ...]


def _categories(
    old: Settings | None, new: Settings, heirs: Mapping[SourceKey, SourceKey], tx: Transaction | None
) -> _Categories:
    """Compare categories, also those that items have named. A new key with `was` is not a new category (A45)."""
    before, roster = Roster.of(old) if old else None, Roster.of(new)
    if before is not None and tx is not None:
        made = tx.categories.made(before)
        heir_of = {was: key for key, was in heirs.items()}
        before = before.with_made(made)
        roster = roster.with_made({heir_of.get(key, key): keys for key, keys in made.items()})
    there = before.categories if before is not None else {}
    former = tx.categories.former(list(roster.categories.values())) if tx is not None else {}
    changed = []
    for key, category in roster.categories.items():
        row = former.get(key)
        was = row.key if row is not None else key
        changes = tuple(_differences(there[was], category)) if was in there else ()
        if was == key and not changes and (key in there or row is None):
            continue
        changed.append(
            ChangedCategory(
                key=key,
                was=was if was != key else None,
                returns=was not in there and row is not None,
                feed=f"category/{row.slug}" if row is not None else None,
                changes=changes,
            )
        )
    gone_on = {one.was or one.key for one in changed} | roster.categories.keys()
    return _Categories(
        added=tuple(key for key in roster.categories if key not in there and key not in former),
        removed=tuple(key for key in there if key not in gone_on),
        changed=tuple(changed),
    )


def left_behind(
    old: Settings, new: Settings, heirs: Mapping[SourceKey, SourceKey], tx: Transaction
) -> tuple[Left, ...]:
    """Return published categories that were probably renamed without `was:`.

    If the new category was in feeds.yaml before and has its own feeds, `was:` would have no effect: it is left out.
    """
    before, back = Roster.of(old), {row.key for row in tx.categories.resting()}
    found = [one for one in departures(before, Roster.of(new), heirs) if one.key not in back]
    former = tx.categories.former([before.categories[one.was] for one in found])
    return tuple(Left(departure=one, feed=f"category/{row.slug}") for one in found if (row := former.get(one.was)))


def _file_changes(old: Settings, new: Settings) -> Iterator[Change]:
    for name in _OF_FILE:
        before, after = getattr(old, name), getattr(new, name)
        if hasattr(before, "__dataclass_fields__"):
            yield from (replace(each, name=f"{name}.{each.name}") for each in _differences(before, after))
        elif before != after:
            yield Change(name=name, old=_said(before), new=_said(after))


def _resting_row(
    wanted: Source, resting: Mapping[SourceKey, RestingSource], after: Mapping[SourceKey, Source]
) -> RestingSource | None:
    """Return the row of a source that left feeds.yaml earlier and would come back, perhaps with another key."""
    if wanted.key in resting:
        return resting[wanted.key]
    by_url = {row.url: row for row in resting.values()} if wanted.was else {}
    named = (resting.get(SourceKey(name)) or by_url.get(Url(name)) for name in wanted.was)
    return next((row for row in named if row is not None and row.key not in after), None)


def _returned(new: Source, row: RestingSource, now: datetime) -> Changed:
    is_other = row.digest != fetch_settings_of(new) and not _is_where_it_is(new, row.url, row.url_in_use, row.digest)
    was = row.key if row.key != new.key else None
    return Changed(key=new.key, was=was, returns=True, is_asked=is_other or row.due_at <= now)


def _is_where_it_is(new: Source, url: Url, url_in_use: Url | None, digest: str | None) -> bool:
    """Return whether only the address changes, to the one in use: nothing is fetched anew for that (P40)."""
    return new.url == url_in_use and digest == fetch_settings_of(replace(new, url=url))


def _changed(old: Source, new: Source, url_in_use: Url | None) -> Changed | None:
    changes = tuple(_differences(old, new))
    was = old.key if old.key != new.key else None
    if not changes and was is None:
        return None
    digest = fetch_settings_of(old)
    is_asked = digest != fetch_settings_of(new) and not _is_where_it_is(new, old.url, url_in_use, digest)
    return Changed(key=new.key, was=was, changes=changes, is_asked=is_asked)


def _differences(old: "DataclassInstance", new: "DataclassInstance") -> Iterator[Change]:
    for each in fields(old):
        if each.name in _NOT_REPORTED:
            continue
        before, after = getattr(old, each.name), getattr(new, each.name)
        if before == after:
            continue
        if hasattr(before, "__dataclass_fields__") and type(before) is type(after):
            yield from _differences(before, after)
        elif each.name == "url" and isinstance(old, Source) and isinstance(new, Source):
            yield Change(name="url", old=old.safe_url, new=new.safe_url)
        elif each.name == "paging":
            yield from _paging(before, after)
        elif each.name in ("headers", "auth", "arguments", "environment", "proxy"):
            yield Change(name=each.name, old=None, new="other values")
        else:
            yield Change(name=_WRITTEN.get(each.name, each.name), old=_said(before), new=_said(after))


def _paging(old: Paging | None, new: Paging | None) -> Iterator[Change]:
    """Yield the changes of paging in the keys of feeds.yaml; `next` is compared as part of `Reading`."""
    before, after = (_page(paging) for paging in (old, new))
    if before != after:
        yield Change(name="page", old=before, new=after)
    if old is not None and new is not None and (old.url, old.body) != (new.url, new.body):
        yield Change(name="url or body of further pages", old=None, new="other values")


def _page(paging: Paging | None) -> str | None:
    if paging is None or "page" not in places_in(f"{str.__str__(paging.url)}{str.__str__(paging.body or '')}"):
        return None
    return f"{{from: {paging.first}, by: {paging.step}}}"


def _said(value: object) -> str | None:
    """Return a value as short text; a secret is `***` (S44)."""
    if value is None:
        return None
    if isinstance(value, Secret):
        return repr(value)
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, timedelta):
        return duration_text(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, frozenset):
        return ", ".join(sorted(map(str, value)))
    if hasattr(value, "__dataclass_fields__") and type(value).__str__ is object.__str__:
        return "given"  # a mapping that was added or removed; its keys would be too long
    if isinstance(value, tuple) and value and all(isinstance(each, tuple) for each in value):
        return ", ".join(": ".join(map(str, each)) for each in value)
    if isinstance(value, tuple):
        return "; ".join(filter(None, map(_said, value)))
    return str(value)


def _fills(
    pairs: Sequence[tuple[Source, Source]],
    back: Mapping[SourceKey, RestingSource],
    new: Settings,
    renamed: Mapping[CategoryKey, CategoryKey],
    tx: Transaction,
    now: datetime,
) -> Iterator[Fill]:
    categories = {category.key: category for category in new.categories}
    sources = {source.key: source for source in new.sources}
    places = [(was.key, was.categories, source) for was, source in pairs]
    places += [(row.key, row.places, sources[key]) for key, row in back.items() if row.places is not None]
    for was, before, source in places:
        there = {renamed.get(key, key) for key in before}
        for key in source.categories:
            if key not in there:
                entries, in_main = tx.source_categories.would_fill(was, source, categories[key], now)
                yield Fill(source=source.key, category=key, entries=entries, in_main=in_main)


def _thins(pairs: Sequence[tuple[Source, Source]], tx: Transaction, now: datetime) -> Iterator[Thins]:
    for was, source in pairs:
        if source.keep is not None and (was.keep is None or source.keep < was.keep):
            entries = tx.retention.would_thin(was.key, source.keep, now)
            if entries:
                yield Thins(source=source.key, keep=duration_text(source.keep), entries=entries)


def _ruled(heirs: Mapping[SourceKey, SourceKey], new: Settings, tx: Transaction, now: datetime) -> Iterator[Ruled]:
    roster = Roster.of(new)
    had = set(tx.stored_entries.ruled_sources())
    numbers = {key: number for number, key in tx.trail.category_keys().items()}
    numbers |= {key: -place for place, key in enumerate((k for k in roster.categories if k not in numbers), 1)}
    left = MAX_LOOKED_AT
    for source in new.sources:
        stored_as = heirs.get(source.key, source.key)
        if stored_as not in had and not rules_again.has_rules(source, roster):
            continue
        due = tx.claims.look_up(replace(source, key=stored_as))
        if due is None:
            continue
        looked_at, changes = 0, []
        for part in tx.stored_entries.filed(due.source_id, since=now - WEEK):
            looked_at += len(part)
            changes += [
                change for each in part if (change := rules_again.reapply(each, source, roster, numbers)) is not None
            ]
            if looked_at >= left:
                break
        left -= looked_at
        if changes:
            yield Ruled(source=source.key, looked_at=looked_at, changes=tuple(changes))
        if left <= 0:
            return
