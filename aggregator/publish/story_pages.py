"""Publishes the page of each story, when the story changes, before a feed leads to it (N4, R30, R31, A42, T7).

The store marks the stories whose pages must be made again, in the transaction that changes them. A new title, theme or
language may mark all stories: their pages are made when nothing else waits, a part at a time.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from logging import getLogger
from typing import TYPE_CHECKING

from aggregator.clock import Clock
from aggregator.errors import StrangerInTheWay
from aggregator.late import late
from aggregator.model.output import Output
from aggregator.model.output_paths import GONE_LIST
from aggregator.model.settings import Category, Settings, SourceKey
from aggregator.model.story import StoryNote, StoryPage, StoryPlace
from aggregator.publish.output_list import OutputList, Put
from aggregator.render.gone_list import render_gone_list
from aggregator.render.theme import PageStyle
from aggregator.render.visibility import Visibility
from aggregator.store.categories import RestingCategory
from aggregator.store.database import Store
from aggregator.store.output_list import GONE
from aggregator.store.story_pages import Dirty, Looks, Place, StoredPage
from aggregator.store.transaction import Transaction

if TYPE_CHECKING:
    from aggregator.render import fields, html_pages
else:
    fields = late("aggregator.render.fields")
    html_pages = late("aggregator.render.html_pages")

log = getLogger(__name__)

BATCH = 100  # pages that are in memory together
LATE = 500  # pages that one publication makes again for their look alone, while other outputs wait
PAGED = "page"  # look of a source of which pages of stories show nothing but that it has a page
MAX_AGE = 3600  # seconds (A75): a page changes when its story is revised, or told by one more


@dataclass(frozen=True, slots=True)
class DirtyPages:
    """Up to `BATCH` dirty stories, with the contents of their pages, read in one transaction."""

    dirty: Dirty
    numbers: Collection[int]  # these stories, and those that are part of them (T7); empty if no page is made or stands
    pages: dict[int, StoredPage]
    listed: frozenset[str]  # paths of the pages that the list of files names


class StoryPages:
    """Keeps `entry/` in line with the store, for one set of settings.

    Args:
        store: open for writing.
        settings: the whole of feeds.yaml.
        formats: names of the formats that are published.
        style: theme and texts of all pages.
        outputs: the published files.
        clock: returns the current time.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        formats: frozenset[str],
        style: PageStyle,
        outputs: OutputList,
        clock: Clock,
    ) -> None:
        self._store, self._settings, self._outputs, self._clock = store, settings, outputs, clock
        self._categories = {category.key: category for category in settings.categories}
        self._order = {category.key: rank for rank, category in enumerate(settings.categories)}
        self._formats, self._style = formats, style
        unlisted = {category.key for category in settings.categories if category.unlisted}
        self._paged = {
            source.key: PAGED
            for source in settings.sources
            if style.sources and (source.reading.filing or source.routes or not unlisted.issuperset(source.categories))
        }
        self._outward = {one.key: repr([*outward]) for one in settings.sources if (outward := one.outward)}
        self.are_made = settings.publish.entry_pages and "html" in formats

    def mark_stale(
        self,
        visibility: Visibility,
        look: str,
        before: Looks,
        resting: Sequence[RestingCategory],
        *,
        everything: bool = False,
    ) -> bool:
        """Mark the pages dirty that look otherwise than when they were made, though their stories are the same (R34).

        Args:
            visibility: which sources and texts may be shown.
            look: of all pages.
            before: looks of pages, categories and sources with which the pages were made.
            resting: categories that left feeds.yaml.
            everything: mark all pages in any case.

        Returns:
            Whether any were marked.
        """
        look = f"{look} {self.are_made}"
        categories = {c.key: _digest(c.title, c.show, c.unlisted) for c in self._settings.categories}
        categories |= {place.key: _digest(place.title, place.show, place.unlisted, "resting") for place in resting}
        sources = self._source_looks(visibility)
        changed = {key: sources.get(key) for key in {*sources, *before.sources}}
        changed = {key: one for key, one in changed.items() if one != before.sources.get(key)}
        looks = [(*before.categories[key], one) for key, one in categories.items() if key in before.categories]
        ranks, moved = self._ranks(before)
        everything |= before.site != look
        if not everything and not changed and not ranks and all(old == new for _, old, _, new in looks):
            return False
        with self._store.begin() as tx:
            if ranks:
                tx.story_pages.rank_categories(ranks, moved=moved)
            for number, old, _, new in looks:
                if old != new:
                    tx.story_pages.look_anew_at_category(number, new)
            tx.story_pages.look_anew_at_sources(changed)
            if everything:  # in another folder nothing stands yet, so feeds wait for the pages
                tx.story_pages.look_anew(look, late=before.site is not None)
        return True

    def read(self, tx: Transaction, *, after: int = 0, late: bool = False) -> DirtyPages:
        """Read the next dirty stories, by their numbers.

        Args:
            tx: a reading one.
            after: the number after which to look.
            late: read stories for which no feed waits, instead of those that say something new.
        """
        return self._read(tx, tx.story_pages.dirty(after=after, late=late, limit=BATCH))

    def _read(self, tx: Transaction, dirty: Dirty) -> DirtyPages:
        if not self.are_made and not tx.files.has_story_pages():
            return DirtyPages(dirty, (), {}, frozenset())
        numbers = tx.story_pages.with_parts(dirty)
        pages = tx.story_pages.stored(numbers, self._order)
        return DirtyPages(dirty, numbers, pages, tx.files.listed([_path_of(pages[number]) for number in numbers]))

    def publish(
        self,
        visibility: Visibility,
        note: Callable[[Put], Put],
        *,
        first: DirtyPages | None = None,
        late: bool = False,
        limit: int | None = None,
        take_over: bool = False,
        is_cut: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Make the pages of dirty stories, `BATCH` at a time.

        Args:
            visibility: which sources and texts may be shown.
            note: called with the result of each batch.
            first: the first batch, if it was read already.
            late: make the pages that can wait, instead of those that feeds are about to link to.
            limit: approximate number of pages.
            take_over: write over files that we did not write, if they bear our mark.
            is_cut: called before each batch; true ends the work.

        Returns:
            Whether dirty stories are left.

        Raises:
            StrangerInTheWay: a file that the list does not name stands where a page belongs. All others are made.
        """
        made = 0
        stranger: StrangerInTheWay | None = None
        batch = first
        if batch is None:
            with self._store.read() as tx:
                batch = self.read(tx, late=late)
        while batch.dirty and not is_cut() and (limit is None or made < limit):
            if not batch.numbers:
                with self._store.begin() as tx:
                    tx.story_pages.clean_all()
                return False
            made += len(batch.dirty)
            try:
                dirty = self._make(batch, visibility, note, late=late, take_over=take_over)
            except StrangerInTheWay as met:
                stranger = self._make_each(batch.dirty, visibility, note, late=late, take_over=take_over) or met
                with self._store.read() as tx:
                    dirty = tx.story_pages.dirty(after=max(batch.dirty), late=late, limit=BATCH)
            if not dirty:
                batch = None
                break
            with self._store.read() as tx:
                batch = self._read(tx, dirty)
        if stranger is not None:
            raise stranger
        return batch is not None and bool(batch.dirty)

    def list_gone(self, note: Callable[[Put], object], *, everything: bool, take_over: bool) -> None:
        """Bring `gone.txt` up to date, by which a web server knows what to answer with a 410 (A42, A44).

        Raises:
            StrangerInTheWay: somebody else's file stands there.
        """
        with self._store.read() as tx:
            if not everything and not tx.files.is_gone_stale():
                return
            gone = tx.files.gone()
            listed = tx.files.listed([GONE_LIST])
        put = Put()
        if gone or listed:
            render = partial(render_gone_list, gone)
            output = Output(path=GONE_LIST, render=render, max_age=300, gzip=False)
            put = self._outputs.put([output], listed, take_over=take_over)
            note(put)
        with self._store.begin() as tx:
            tx.files.note_written(put.written, self._clock())
            if not put.failed:
                tx.files.mark_gone(stale=False)

    def _make_each(
        self, dirty: Dirty, visibility: Visibility, note: Callable[[Put], Put], *, late: bool, take_over: bool
    ) -> StrangerInTheWay | None:
        """Make the pages of a batch one by one; return the first stranger in the way."""
        first = None
        for number, generation in dirty.items():
            try:
                with self._store.read() as tx:
                    batch = self._read(tx, {number: generation})
                self._make(batch, visibility, note, late=late, take_over=take_over)
            except StrangerInTheWay as met:
                if met.ours:
                    raise
                first = first or met
        return first

    def _make(
        self, batch: DirtyPages, visibility: Visibility, note: Callable[[Put], Put], *, late: bool, take_over: bool
    ) -> Dirty:
        """Write a batch, record it once it is on the disk (R30), and return the next dirty stories.

        These are read in the transaction that records the batch, as shortly as possible before a feed leads to them.
        """
        outputs, removed, of_path = list[Output](), list[str](), dict[str, int]()
        for number in sorted(batch.numbers):
            stored = batch.pages[number]
            path = _path_of(stored)
            of_path[path] = number
            output = self._output(stored, path, batch.pages, visibility) if self.are_made else None
            if output is not None:
                outputs.append(output)
            elif path in batch.listed:
                removed.append(path)
        put = self._outputs.put(outputs, batch.listed, take_over=take_over)
        put.failed += self._outputs.remove(removed)
        note(put)
        self._outputs.sync()
        failed = {of_path[path] for path in put.failed}
        with self._store.begin() as tx:
            tx.files.note_written(put.written, self._clock())
            tx.story_pages.clean({number: seen for number, seen in batch.dirty.items() if number not in failed})
            return tx.story_pages.dirty(after=max(batch.dirty), late=late, limit=BATCH)

    def _output(
        self, stored: StoredPage, path: str, pages: dict[int, StoredPage], visibility: Visibility
    ) -> Output | None:
        """Return the page of a story, or the note in its place; None if nobody may know of the story."""
        frame = (self._settings.site, self._formats, self._style)
        if stored.shown is not None:
            first = stored.places[0]
            of_source = visibility.source_path(stored.shown.source) if self._style.sources else None
            publication = visibility.publication(stored.shown, self._category(first))
            fault = fields.fault_of(publication)
            if fault:
                log.warning("leave_out_entry", extra={"output": path, "entry": publication.atom_id, "why": fault})
                return None
            places = tuple(
                StoryPlace(title=place.title, path=f"category/{place.slug}") for place in stored.places if place.active
            )
            page = StoryPage(path=path, publication=publication, places=places, source=of_source)
            render = partial(html_pages.render_story, page, *frame)
            return Output(path=path, render=render, max_age=MAX_AGE, gzip=False, durable=False, beside=True)
        if not stored.was_shown:
            return None
        noted = StoryNote(path=path, part_of=self._merged_into(stored, pages, visibility))
        render = partial(html_pages.render_note, noted, *frame)
        return Output(path=path, render=render, max_age=MAX_AGE, gzip=False, durable=False, gone=GONE, beside=True)

    def _merged_into(
        self, stored: StoredPage, pages: dict[int, StoredPage], visibility: Visibility
    ) -> StoryPlace | None:
        """Return the story into which a story was merged at last, if anyone may see that story (T7)."""
        met: set[int] = set()
        while stored.part_of is not None and stored.story not in met:
            met.add(stored.story)
            stored = pages[stored.part_of]
        if not met or stored.shown is None:
            return None
        publication = visibility.publication(stored.shown, self._category(stored.places[0]))
        return StoryPlace(title=fields.title_of(publication), path=fields.story_path(stored.page_id))

    def _category(self, place: Place) -> Category:
        """Return a category as feeds.yaml has it, or had it last."""
        found = self._categories.get(place.key)
        return found or Category(key=place.key, title=place.title, show=place.show, declared=False)

    def _source_looks(self, visibility: Visibility) -> dict[SourceKey, str]:
        """Return a digest of each source of which not everything may be seen as it is, or that has a page."""
        limits: dict[SourceKey, list[str]] = {key: [limit] for key, limit in visibility.said.items()}
        for key, outward in self._outward.items():
            limits.setdefault(key, []).append(outward)
        return self._paged | {key: _digest(*facts, self._paged.get(key)) for key, facts in limits.items()}

    def _ranks(self, before: Looks) -> tuple[dict[int, int], bool]:
        """Return the new ranks of categories, by number, and whether known categories have changed their order."""
        known = {key: (number, rank) for key, (number, _, rank) in before.categories.items() if key in self._order}
        old = sorted((rank, self._order[key]) for key, (_, rank) in known.items() if rank is not None)
        moved = [order for _, order in old] != sorted(order for _, order in old)
        changed = {number: self._order[key] for key, (number, rank) in known.items() if rank != self._order[key]}
        return changed, moved


def _path_of(stored: StoredPage) -> str:
    return f"{fields.story_path(stored.page_id)}.html"


def _digest(*facts: object) -> str:
    return hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()
