"""Combines what published documents say into the records that `restore --from-site` writes."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TypeVar
from uuid import UUID

from aggregator.errors import AggregatorError
from aggregator.identify.keys import digest_of, text_digest_of
from aggregator.model.entry import Entry, EntryKey, Origin
from aggregator.model.restored import (
    Restored,
    RestoredCategory,
    RestoredEntry,
    RestoredPublication,
    RestoredTombstone,
)
from aggregator.model.settings import CategoryKey, Roster, Settings, SourceKey
from aggregator.render.redaction import public_name
from aggregator.restore.read_site import ReadDocument, ReadEntry
from aggregator.text.slugs import free_slug
from aggregator.urls import Url, host_of

Item = TypeVar("Item")


def merged(orders: Sequence[Sequence[Item]]) -> list[Item]:
    """Put orders together, so that each of them holds; where two clash, the first.

    Where nothing tells, the order is that in which things are first met.
    """
    found = list(dict.fromkeys(item for order in orders for item in order))
    before: dict[Item, set[Item]] = {item: set() for item in found}  # what must stand right before it, or earlier
    for order in orders:
        for earlier, later in pairwise(dict.fromkeys(order)):
            if not _leads(later, earlier, before):
                before[later].add(earlier)
    result: list[Item] = []
    while found:
        item = next(one for one in found if before[one].issubset(result))
        found.remove(item)
        result.append(item)
    return result


def _leads(item: Item, to: Item, before: Mapping[Item, set[Item]]) -> bool:
    """Return whether one item must come before another."""
    seen: set[Item] = set()
    waiting = [to]
    while waiting:
        seen.add(one := waiting.pop())
        waiting += before[one] - seen
    return item in seen


UNKNOWN = "-unknown"  # key of the source of entries that name none; like `LOST`, no source in feeds.yaml can have it


class NothingToRestore(AggregatorError):
    """A site, or a store, from or into which nothing can be restored; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class PublishedCategory:
    """A category as it was published: its main document, and its archive pages from 1 up."""

    slug: str
    main: ReadDocument
    pages: Sequence[ReadDocument]
    is_unlisted: bool = True  # neither in the site's opml.xml nor in its gone.txt
    is_forgotten: bool = False  # gone.txt answers 404 for it (A44)


class StateBuilder:
    """Makes one state of what all documents say.

    Args:
        shelves: the categories as they were published.
        settings: of feeds.yaml.
        said: the `updated` of all.atom; None: it is not there.
    """

    def __init__(
        self, shelves: Sequence[PublishedCategory], settings: Settings, *, said: datetime | None = None
    ) -> None:
        self._settings, self._roster = settings, Roster.of(settings)
        self._said = said
        self._by_slug = _keys_by_slug(settings)
        order = [category.key for category in settings.categories]
        self._shelves = sorted(shelves, key=lambda s: order.index(k) if (k := self._key_of(s)) in order else len(order))
        self._public = {public_name(key): key for key, source in self._roster.sources.items() if source.private}
        self._by_url = {source.safe_url: source.key for source in settings.sources}
        self._entries: dict[tuple[SourceKey, str], RestoredEntry] = {}
        self._copies: dict[tuple[SourceKey, str], RestoredEntry] = {}
        self._publications: list[RestoredPublication] = []
        self._named: dict[str, list[tuple[int, set[tuple[SourceKey, str]]]]] = {}  # by story, where an archive page is
        self._orders: dict[str, list[list[tuple[SourceKey, str]]]] = {}  # of its copies, as each document has them
        self._dated: set[SourceKey] = set()  # whose feeds have dates of their own
        self._notices: list[str] = []
        self._orphans: list[str] = []

    def restored(self) -> Restored:
        """Return the combined state.

        Raises:
            NothingToRestore: it is of several stores, or two feeds with stories are of one category.
        """
        self._leave_out_empty()
        stores = {shelf.main.store for shelf in self._shelves if shelf.main.store}
        if len(stores) > 1:
            raise NothingToRestore("what is published there comes from several stores; nothing was restored")
        categories, tombstones = [], []
        for shelf in self._shelves:
            key = self._key_of(shelf)
            categories.append(
                RestoredCategory(
                    key=key,
                    slug=shelf.slug,
                    feed_id=shelf.main.feed_id,
                    created_at=shelf.main.updated,
                    said=tuple(page.updated for page in (shelf.main, *shelf.pages)),
                    is_listed=key in self._roster.categories,
                    is_unlisted=shelf.is_unlisted,
                    is_forgotten=shelf.is_forgotten,
                )
            )
            for number, page in [*enumerate(shelf.pages, start=1), (None, shelf.main)]:
                self._take_in(key, page, number)
            tombstones += [RestoredTombstone(category=key, ref=t.ref, when=t.when) for t in shelf.main.tombstones]
        bare = sum(not page.facts for shelf in self._shelves for page in (shelf.main, *shelf.pages))
        if bare:
            self._notices.append(
                f"{bare} documents have no .json beside them: dates and ids had to tell order and keys of their entries"
            )
        if not stores:
            self._notices.append("no .json tells the id of the store: all.atom gets another feed id")
        entries = (*self._entries.values(), *(c for k, c in self._copies.items() if k not in self._entries))
        entries = self._joined(entries)
        namers: dict[CategoryKey, SourceKey] = {}
        for one in self._publications:
            source = self._roster.sources.get(one.shown[0])
            if source is not None and source.reading.filing:
                namers.setdefault(one.category, source.key)
        categories = [c if c.is_listed else replace(c, namer=namers.get(c.key)) for c in categories]
        self._notices += self._strangers(categories)
        return Restored(
            store=UUID(next(iter(stores))) if stores else None,
            categories=tuple(categories),
            entries=entries,
            publications=tuple(
                replace(one, thinned=one.thinned and _has_text(self._entries[one.shown].entry))
                for one in self._publications
            ),
            tombstones=tuple(tombstones),
            said=self._said,
            notices=tuple(self._notices),
            orphans=tuple(self._orphans),
        )

    def _leave_out_empty(self) -> None:
        """Take the feed that has the stories, where a category was renamed and begun anew under its new name."""
        of_key: dict[CategoryKey, list[PublishedCategory]] = {}
        for shelf in self._shelves:
            of_key.setdefault(self._key_of(shelf), []).append(shelf)
        for key, shelves in of_key.items():
            filled = [one for one in shelves if one.main.entries or one.pages] or shelves[:1]
            if len(filled) > 1:
                names = " and ".join(f"category/{one.slug}.atom" for one in filled)
                raise NothingToRestore(
                    f"{names} both have stories, and feeds.yaml says by `was` that they are one category, {key}; "
                    "nothing was restored. Take that `was` out, or move the files of one of them away"
                )
            for empty in (one for one in shelves if one not in filled):
                self._shelves.remove(empty)
                self._orphans.append(empty.slug)
                self._notices.append(
                    f"category/{empty.slug}.atom is empty, and {key} goes on at category/{filled[0].slug}.atom; "
                    f"the files category/{empty.slug}.* are removed"
                )

    def _strangers(self, categories: Sequence[RestoredCategory]) -> Iterator[str]:
        """Warn of what nothing in feeds.yaml names: its readers would get no news, and its new name has no stories."""
        strange = [one for one in categories if not one.is_listed and one.namer is None]
        if not strange:
            return
        stories = Counter(one.category for one in self._publications)
        named = ", ".join(f"{one.key} ({stories[one.key]} stories)" for one in strange)
        yield (
            f"{self._settings.path} has no category {named}: they get no news any more. If one was only renamed, move "
            f"the new store away, write `was: {strange[0].key}` under categories, at its new name, and restore again"
        )

    def _joined(self, entries: Sequence[RestoredEntry]) -> tuple[RestoredEntry, ...]:
        """Return entries with the order in which copies came, and the archive pages closed before some of them (M7)."""
        layers: dict[tuple[SourceKey, str], int] = {}
        for pages in self._named.values():
            sizes = sorted({len(named) for _, named in pages})
            for place, named in sorted(pages, key=lambda page: len(page[1])):
                layer = sizes.index(len(named))
                self._publications[place] = replace(self._publications[place], layer=layer)
                layers |= {one: layer for one in named if one not in layers}
        ranks = {one: rank for orders in self._orders.values() for rank, one in enumerate(merged(orders))}
        return tuple(
            replace(
                one,
                origin=one.origin if one.source in self._dated else replace(one.origin, updated=None),
                layer=layers.get(mine, len(self._named.get(one.story, ()))),
                rank=ranks[mine],
                categories=self._places_of(one),
            )
            for one in entries
            for mine in ((one.source, str(one.entry.key)),)
        )

    def _places_of(self, one: RestoredEntry) -> tuple[CategoryKey, ...]:
        """Return the categories in which an entry's source publishes it: those of its story that the source has."""
        copy = self._copies.get((one.source, str(one.entry.key)))
        source = self._roster.sources.get(one.source)
        stands = [p.category for p in self._publications if p.story == one.story] if copy is not None else []
        ours = [place for place in stands if source is not None and place in source.places]
        return tuple(dict.fromkeys((*one.categories, *(copy.categories if copy else ()), *ours)))

    def _key_of(self, shelf: PublishedCategory) -> CategoryKey:
        said = CategoryKey(shelf.main.category or self._by_slug.get(shelf.slug) or shelf.slug)
        heirs = (category.key for category in self._settings.categories if said in category.was)
        return said if said in self._roster.categories else next(heirs, said)

    def _take_in(self, place: CategoryKey, document: ReadDocument, page: int | None) -> None:
        above: datetime | None = None
        for one in document.entries:
            sort_at = one.sort_at or one.entry.published or one.updated
            if one.sort_at is None and above is not None and sort_at >= above:  # the order is what the document says
                sort_at = above - timedelta(microseconds=1)
            above = sort_at
            self._publish(place, one, sort_at, page)

    def _publish(self, place: CategoryKey, one: ReadEntry, sort_at: datetime, page: int | None) -> None:
        source = self._source_of(one)
        entry = replace(
            one.entry, digest=one.entry.digest or digest_of(one.entry), text_digest=text_digest_of(one.entry)
        )
        mine = (source, str(entry.key))
        before = self._entries.get(mine)
        if before is not None and before.story != one.atom_id:  # two stories under one key: an id that was reused (I35)
            entry = replace(entry, key=EntryKey(f"{entry.key}\n{one.atom_id}"))
            mine, before = (source, str(entry.key)), None
        places = (*(before.categories if before else ()), place)
        # A place by an older copy's date (M1) does not prove that it was there then: its own date would be later.
        seen = sort_at if one.entry.published is None else max(sort_at, one.entry.published)
        self._entries[mine] = RestoredEntry(
            source=source,
            url=one.origin.self_link or one.origin.link or Url("about:blank"),
            entry=before.entry if before is not None and (_has_text(before.entry) or not _has_text(entry)) else entry,
            origin=one.origin,
            story=one.atom_id,
            first_seen=min(seen, before.first_seen) if before else seen,
            categories=places,
        )
        copies = [((SourceKey(copy.source), copy.key), copy) for copy in one.copies if copy.key is not None]
        before_it = [other for other, copy in copies if copy.is_earlier]
        order = [*before_it, mine, *(other for other, copy in copies if not copy.is_earlier)]
        self._orders.setdefault(one.atom_id, []).append(order)
        named = set(order)
        if one.origin.updated != one.updated:
            self._dated.add(source)
        if page is not None:
            self._named.setdefault(one.atom_id, []).append((len(self._publications), named))
        self._publications.append(
            RestoredPublication(
                story=one.atom_id,
                category=place,
                shown=mine,
                digest=entry.digest,
                sort_at=sort_at,
                entered_at=one.entered_at or sort_at,
                updated=one.updated,
                page=page,
                thinned=page is not None and not _has_text(one.entry),
            )
        )
        for copy in one.copies:
            if copy.key is not None:
                self._credit(place, one, copy.source, copy.key, copy.title, copy.link, sort_at)

    def _credit(
        self, place: CategoryKey, one: ReadEntry, source: str, key: str, title: str, link: Url | None, sort_at: datetime
    ) -> None:
        """Keep another copy by its key: all that is known of it is where it stands."""
        told = SourceKey(source)
        before = self._copies.get((told, key))
        entry = Entry(key=EntryKey(key), id=key, title=one.entry.title, link=link)
        self._copies[told, key] = RestoredEntry(
            source=told,
            url=link or one.origin.link or Url("about:blank"),
            entry=entry,
            origin=Origin(id="", title=title),
            story=one.atom_id,
            first_seen=sort_at,
            categories=(*(before.categories if before else ()), place),
        )

    def _source_of(self, one: ReadEntry) -> SourceKey:
        if one.source is not None:
            return self._public.get(SourceKey(one.source), SourceKey(one.source))
        known = self._by_url.get(one.origin.self_link)
        host = host_of(one.origin.self_link) if one.origin.self_link is not None else UNKNOWN
        return known or SourceKey(re.sub(r"[^a-z0-9._-]+", "-", host))


def _has_text(entry: Entry) -> bool:
    return bool(entry.content or entry.summary)


def _keys_by_slug(settings: Settings) -> Mapping[str, CategoryKey]:
    found: dict[str, CategoryKey] = {}
    for category in settings.categories:
        found[free_slug(category.slug or category.key, found)] = category.key
    return found
