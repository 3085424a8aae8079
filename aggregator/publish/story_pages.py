"""The page of each story: made when the story changes, in order, before a feed leads there (N4, R30, R31, A42, T7).

The store names the stories whose pages must be made again, in the transaction that changes them. Those that look
otherwise because a title, a theme or a language has changed may be all there are: they are made when nothing else
waits, a part at a time.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from logging import getLogger

from aggregator.clock import Clock
from aggregator.errors import StrangerInTheWay
from aggregator.model.output import Output
from aggregator.model.settings import Category, Roster, Settings, SourceKey
from aggregator.model.story import StoryNote, StoryPage, StoryPlace
from aggregator.publish.output_list import OutputList, Put
from aggregator.render import fields, mark
from aggregator.render.html_pages import render_note, render_story
from aggregator.render.theme import PageStyle
from aggregator.render.visibility import Visibility
from aggregator.store.database import Store
from aggregator.store.output_list import FORGOTTEN, GONE
from aggregator.store.story_pages import Dirty, Looks, Place, StoredPage
from aggregator.store.transaction import Transaction

log = getLogger(__name__)

BATCH = 100  # pages that are in memory together
LATE = 500  # pages that one publication makes again for their look alone, while others wait
GONE_LIST = "gone.txt"
MAX_AGE = 3600  # seconds (A75): a page changes when its story is revised, or told by one more


@dataclass(frozen=True, slots=True)
class _Part:
    """What a batch of stories comes to."""

    outputs: list[Output]
    removed: list[str]  # paths where nothing stands any more
    of_path: dict[str, int]  # the story of each


class StoryPages:
    """Keeps `entry/` in line with the store, for as long as one set of settings holds.

    Args:
        store: whose stories.
        settings: the whole of feeds.yaml.
        formats: those that are written.
        look: of all pages.
        places: the folder.
        clock: tells when a file was written.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        formats: frozenset[str],
        look: PageStyle,
        places: OutputList,
        clock: Clock,
    ) -> None:
        self._store, self._settings, self._places, self._clock = store, settings, places, clock
        self._roster = Roster.of(settings)
        self._order = {category.key: place for place, category in enumerate(settings.categories)}
        self._formats, self._look = formats, look
        self.are_made = settings.publish.entry_pages and "html" in formats

    def look_around(self, showing: Visibility, frame: str, *, everything: bool = False) -> None:
        """See whether anything has changed that shapes pages besides the store, and which (R34).

        Args:
            showing: what may be seen.
            frame: digest of what shapes all pages.
            everything: have all of them made again in any case.
        """
        with self._store.read() as tx:
            before = tx.story_pages.looks()
            resting = tx.categories.resting()
        frame = f"{frame} {self.are_made}"
        categories = {c.key: _digest(c.title, c.show, c.unlisted) for c in self._settings.categories}
        categories |= {place.key: _digest(place.title, place.show, place.unlisted, "resting") for place in resting}
        sources = self._source_looks(showing)
        changed = {key: sources.get(key) for key in {*sources, *before.sources}}
        changed = {key: look for key, look in changed.items() if look != before.sources.get(key)}
        looks = [(*before.categories[key], look) for key, look in categories.items() if key in before.categories]
        ranks, moved = self._ranks(before)
        everything |= before.site != frame
        if not everything and not changed and not ranks and all(old == new for _, old, _, new in looks):
            return
        with self._store.begin() as tx:
            if ranks:
                tx.story_pages.rank_categories(ranks, moved=moved)
            for number, old, _, new in looks:
                if old != new:
                    tx.story_pages.look_anew_at_category(number, new)
            for key, look in sorted(changed.items()):
                tx.story_pages.look_anew_at_source(key, look)
            if everything:  # in another folder nothing stands yet, so feeds wait for the pages
                tx.story_pages.look_anew(frame, late=before.site is not None)

    def publish(
        self,
        showing: Visibility,
        note: Callable[[Put], Put],
        *,
        late: bool = False,
        limit: int | None = None,
        take_over: bool = False,
        is_cut: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Make what must be made again.

        Args:
            showing: what may be seen.
            note: is told what came of each batch.
            late: what only looks otherwise, in place of what has changed.
            limit: how many, about.
            take_over: write over files that we did not write, if they bear our mark.
            is_cut: asked before each batch.

        Returns:
            Whether some are left.

        Raises:
            StrangerInTheWay: a file that the list does not name stands where a page belongs. All others are made.
        """
        after, made = 0, 0
        stranger: StrangerInTheWay | None = None
        while True:
            with self._store.read() as tx:
                dirty = tx.story_pages.dirty(after=after, late=late, limit=BATCH)
            if not dirty or is_cut() or (limit is not None and made >= limit):
                break
            after, made = max(dirty), made + len(dirty)
            try:
                self._make(dirty, showing, note, take_over=take_over)
            except StrangerInTheWay as met:
                stranger = self._make_each(dirty, showing, note, take_over=take_over) or met
        if stranger is not None:
            raise stranger
        return bool(dirty)

    def list_gone(self, note: Callable[[Put], object], *, everything: bool, take_over: bool) -> None:
        """Bring `gone.txt` up to date, by which a web server knows what to answer with a 410 (A42, A44).

        Raises:
            StrangerInTheWay: somebody else's file stands there.
        """
        with self._store.read() as tx:
            if not everything and not tx.files.is_gone_stale():
                return
            gone = tx.files.gone()
            is_there = bool(tx.files.listed([GONE_LIST]))
        if gone or is_there:
            render = partial(_list_of, gone)
            output = Output(path=GONE_LIST, render=render, max_age=300, gzip=False)
            put = self._places.put([output], take_over=take_over)
            note(put)
            with self._store.begin() as tx:
                tx.files.note_written(put.written, self._clock())
            if put.failed:
                return
        with self._store.begin() as tx:
            tx.files.mark_gone(stale=False)

    def _make_each(
        self, dirty: Dirty, showing: Visibility, note: Callable[[Put], Put], *, take_over: bool
    ) -> StrangerInTheWay | None:
        """Make the pages of a batch one by one; give the first of the strangers that stand in the way."""
        first = None
        for number, generation in dirty.items():
            try:
                self._make({number: generation}, showing, note, take_over=take_over)
            except StrangerInTheWay as met:
                if met.ours:
                    raise
                first = first or met
        return first

    def _make(self, dirty: Dirty, showing: Visibility, note: Callable[[Put], Put], *, take_over: bool) -> None:
        """Make the pages of some stories, and say so in the store once they are on the disk (R30)."""
        with self._store.read() as tx:
            part = self._part(tx, tx.story_pages.with_parts(dirty), showing)
        put = self._places.put(part.outputs, take_over=take_over)
        put.failed += self._places.remove_listed(part.removed)
        note(put)
        self._places.sync()
        failed = {part.of_path[path] for path in put.failed}
        with self._store.begin() as tx:
            tx.files.note_written(put.written, self._clock())
            tx.story_pages.clean({number: seen for number, seen in dirty.items() if number not in failed})

    def _part(self, tx: Transaction, numbers: Iterable[int], showing: Visibility) -> _Part:
        numbers = set(numbers)
        pages = tx.story_pages.stored(numbers, self._order)
        part = _Part([], [], {})
        for number in sorted(numbers):
            stored = pages[number]
            path = f"{fields.story_path(stored.page_id)}.html"
            part.of_path[path] = number
            output = self._output(stored, path, pages, showing) if self.are_made else None
            if output is not None:
                part.outputs.append(output)
            else:
                part.removed.append(path)
        return part

    def _output(
        self, stored: StoredPage, path: str, pages: dict[int, StoredPage], showing: Visibility
    ) -> Output | None:
        """Give the page of a story, or the note in its place; None if there is nothing that anyone may know of it."""
        frame = (self._settings.site, self._formats, self._look)
        if stored.shown is not None:
            first = stored.places[0]
            publication = showing.publication(stored.shown, self._category(first))
            fault = fields.fault_of(publication)
            if fault:
                log.warning("leave_out_entry", extra={"output": path, "entry": publication.atom_id, "why": fault})
                return None
            places = tuple(
                StoryPlace(title=place.title, path=f"category/{place.slug}") for place in stored.places if place.active
            )
            page = StoryPage(path=path, publication=publication, places=places)
            render = partial(render_story, page, *frame)
            return Output(path=path, render=render, max_age=MAX_AGE, lasting=False, beside=True)
        if not stored.was_shown:
            return None
        told = StoryNote(path=path, part_of=self._teller(stored, pages, showing))
        render = partial(render_note, told, *frame)
        return Output(path=path, render=render, max_age=MAX_AGE, lasting=False, gone=GONE, beside=True)

    def _teller(self, stored: StoredPage, pages: dict[int, StoredPage], showing: Visibility) -> StoryPlace | None:
        """Give the story that tells it now, if anyone may see that (T7)."""
        met: set[int] = set()
        while stored.part_of is not None and stored.story not in met:
            met.add(stored.story)
            stored = pages[stored.part_of]
        if not met or stored.shown is None:
            return None
        publication = showing.publication(stored.shown, self._category(stored.places[0]))
        return StoryPlace(title=fields.title_of(publication), path=fields.story_path(stored.page_id))

    def _category(self, place: Place) -> Category:
        """Give a category as feeds.yaml has it, or had it last."""
        found = self._roster.categories.get(place.key)
        return found or Category(key=place.key, title=place.title, show=place.show, declared=False)

    def _source_looks(self, showing: Visibility) -> dict[SourceKey, str]:
        """Give a digest of what may be seen of each source, of those where that is not simply all."""
        said: dict[SourceKey, list[str]] = {key: [told] for key, told in showing.said.items()}
        for source in self._settings.sources:
            if source.reading.allow_classes:
                said.setdefault(source.key, []).append(repr(sorted(source.reading.allow_classes)))
        return {key: _digest(*facts) for key, facts in said.items()}

    def _ranks(self, before: Looks) -> tuple[dict[int, int], bool]:
        """Give the places of categories that are new, or all if those that were there have changed places."""
        known = {key: (number, rank) for key, (number, _, rank) in before.categories.items() if key in self._order}
        old = sorted((rank, self._order[key]) for key, (_, rank) in known.items() if rank is not None)
        moved = [order for _, order in old] != sorted(order for _, order in old)
        changed = {number: self._order[key] for key, (number, rank) in known.items() if rank != self._order[key]}
        return changed, moved


def _list_of(gone: Mapping[str, int]) -> bytes:
    """Give a list of paths, one a line, after one that says whose it is (DESIGN 3.3); what is no 410 says so."""
    lines = (path if answer == GONE else f"{answer}={path}" for path, answer in gone.items())
    return "".join(f"{line}\n" for line in (mark.LIST_MARK, *lines)).encode()


def gone_of(data: bytes) -> dict[str, int]:
    """Read a list back that we wrote: what each address answers. A line that is none of ours is left out."""
    lines = (line.rpartition("=") for line in data.decode("utf-8", "replace").splitlines() if line != mark.LIST_MARK)
    return {path: int(answer or GONE) for answer, _, path in lines if answer in ("", str(FORGOTTEN))}


def _digest(*facts: object) -> str:
    return hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()
