"""Publishes the river: `latest.html` with the newest stories of all categories, and closed pages behind it.

The first page holds what is on no closed page, at most `entries` stories; when it is full, its older half is closed.
Pages are closed in the transaction that offers the stories of all categories, before any file is written; a closed page
stays dirty until it is rendered, so that a crash leaves none out.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from aggregator.late import late
from aggregator.model.output import Output
from aggregator.model.settings import CategoryKey, Settings
from aggregator.model.story import Publication, River, RiverTab, StoryPlace
from aggregator.publish.looks import Listed
from aggregator.publish.output_list import OutputList, Put
from aggregator.publish.report import PublishRun
from aggregator.render.theme import PageStyle
from aggregator.store.database import Store
from aggregator.store.river import RiverPage
from aggregator.store.transaction import Transaction

if TYPE_CHECKING:
    from aggregator.render import river as pages
else:
    pages = late("aggregator.render.river")

LATEST: Final = "latest.html"
AT_ONCE: Final = 20  # closed pages read in one transaction
REACH: Final = 40  # most pages that are closed at once: what is older when a site first has a river is in the archives
TABS: Final = 12  # categories above the river
MAX_AGE: Final = 3600  # seconds (A75), of closed pages


@dataclass(frozen=True, slots=True)
class RiverTurn:
    """Changes that a publication makes to the river, read from one moment of the store."""

    newest: River
    closes: Sequence[RiverPage]  # new ones, oldest first
    stale: Sequence[RiverPage]  # pages to render, the new ones among them
    look: str  # of closed pages


class RiverPages:
    """Publishes the river, for one set of settings.

    Args:
        store: open for writing.
        settings: the whole of feeds.yaml.
        formats: that are published.
        style: theme and texts of all pages.
        files: the published files.
        has_story_pages: whether each story has a page.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        formats: frozenset[str],
        style: PageStyle,
        files: OutputList,
        *,
        has_story_pages: bool,
    ) -> None:
        self._store, self._settings, self._files = store, settings, files
        self._frame = (settings.site, formats, style)
        self._style, self._has_story_pages = style, has_story_pages

    def read(
        self,
        tx: Transaction,
        newest: Sequence[Publication],
        listed: Listed,
        counts: Mapping[int, int],
        look: str,
        now: datetime,
        *,
        everything: bool,
    ) -> RiverTurn:
        """Read what has changed, and decide which pages to close.

        Args:
            tx: a reading one.
            newest: the newest stories of all categories as anyone may see them, `entries` at most.
            listed: the categories.
            counts: number of stories of each category, by its number.
            look: of closed pages now.
            now: the time of closing.
            everything: render all pages.
        """
        last = tx.river.last()
        entries, closes = self._settings.publish.entries, list[RiverPage]()
        until = last.until if last is not None else None
        if len(newest) >= entries and (until is None or newest[-1].sort_at >= until):
            size = max(entries // 2, 1)
            numbers = [row.id for _, row in listed]
            times = tx.documents.newest_times(numbers, until, entries + REACH * size)
            closes = closing(times, last, size=size, kept=entries - size, now=now)
        latest = closes[-1] if closes else last
        shown = tuple(one for one in newest if latest is None or one.sort_at >= latest.until)
        most = sorted(listed, key=lambda pair: -counts[pair[1].id])[:TABS]
        tabs = [pair for pair in listed if pair in most and counts[pair[1].id]]
        river = River(
            publications=shown,
            places=self._places(listed),
            older=self._older(tx, latest.number) if latest else None,
            tabs=tuple(
                RiverTab(title=category.title, path=f"category/{row.slug}", count=counts[row.id])
                for category, row in tabs
            ),
            others=len(listed) - len(tabs),
            has_story_pages=self._has_story_pages,
        )
        stale = tx.river.stale("" if everything else look)
        return RiverTurn(river, closes, [*reversed(closes), *stale], look)

    def outputs(self, turn: RiverTurn, look: str, age: int) -> list[Output]:
        """Return the first page, and the page that leads to it.

        Args:
            turn: as it was read.
            look: of all that shows all categories together.
            age: seconds that a reader may keep them (A75).
        """
        alias = partial(pages.render_alias, self._settings.site, self._style)
        return [
            self._output(turn.newest, LATEST, age, _facts_of(turn.newest, look)),
            Output(path=pages.ALIAS, render=alias, max_age=age, facts=look),
        ]

    def closed_paths(self, turn: RiverTurn) -> Iterator[str]:
        """Return the paths of the closed pages, the newest first, without those where feeds.yaml has a copy."""
        paths = map(pages.path_of, range(turn.newest.older or 0, 0, -1))
        return (path for path in paths if not self._files.is_operators(path))

    def values(self, river: River, most: int | None) -> Mapping[str, object]:
        """Return what the start page sees of the river; `most`: how many stories, None: all."""
        return pages.values_for(river, self._settings.site, self._style, most)

    def put_closed(self, turn: RiverTurn, listed: Listed, run: PublishRun) -> tuple[Put, list[RiverPage]]:
        """Write the closed pages that changed, before anything leads to them (R31).

        Args:
            turn: as it was read.
            listed: the categories.
            run: the publication, which counts what was written.

        Returns:
            What was written, and the pages that were rendered.

        Raises:
            StrangerInTheWay: a file with our mark that the list does not name stands at the path of a page.
        """
        put, done = Put(), list[RiverPage]()
        for start in range(0, len(turn.stale), AT_ONCE):
            part = {pages.path_of(page.number): page for page in turn.stale[start : start + AT_ONCE]}
            with self._store.read() as tx:
                outputs = [
                    self._output(self._closed(tx, page, listed, run), path, MAX_AGE) for path, page in part.items()
                ]
                known = tx.files.listed([*part])
                outputs = self._files.yielding(outputs, tx.files.digests_of([*part]))
            came = run.note(self._files.put(outputs, known, take_over=run.take_over))
            done += [page for path, page in part.items() if path not in came.failed]
            put.add(came)
        return put, done

    def _output(self, river: River, path: str, age: int, facts: str = "") -> Output:
        return Output(path=path, render=partial(pages.render_river, river, *self._frame), max_age=age, facts=facts)

    def _closed(self, tx: Transaction, page: RiverPage, listed: Listed, run: PublishRun) -> River:
        found = tx.documents.of_river_page([row.id for _, row in listed], page)
        return River(
            publications=run.visibility.publications(found),
            places=self._places(listed),
            number=page.number,
            older=self._older(tx, page.number - 1),
            has_story_pages=self._has_story_pages,
        )

    def _older(self, tx: Transaction, number: int) -> int | None:
        """Return the newest closed page that is ours, of those up to a number; None if there is none."""
        up_to = range(number, 0, -1)
        return next((n for n in up_to if not self._files.is_yielding(pages.path_of(n), tx)), None)

    def _places(self, listed: Listed) -> Mapping[CategoryKey, StoryPlace]:
        return {category.key: StoryPlace(title=category.title, path=f"category/{row.slug}") for category, row in listed}


def _facts_of(river: River, look: str) -> str:
    """Return the digest of what the first page shows of the store."""
    stories = [(p.story, p.digest, p.updated, p.published, p.category, p.origin.title) for p in river.publications]
    return hashlib.sha256(repr((stories, river.tabs, river.others, river.older, look)).encode()).hexdigest()


def closing(
    times: Sequence[datetime], last: RiverPage | None, *, size: int, kept: int, now: datetime
) -> list[RiverPage]:
    """Return the pages to close, oldest first. Pure.

    Stories with one `sort_at` stay together, so a page may hold more than `size`.

    Args:
        times: `sort_at` of the stories on no closed page, the newest first.
        last: the newest closed page; None if there is none.
        size: stories of a page.
        kept: stories that stay on the first page at least.
        now: the time of closing.
    """
    rising = times[::-1]
    pages: list[RiverPage] = []
    start = 0
    while (end := start + size) < len(rising):
        while end < len(rising) and rising[end] == rising[end - 1]:
            end += 1
        if len(rising) - end < kept:
            break
        number = len(pages) + (last.number if last else 0) + 1
        since = pages[-1].until if pages else last.until if last else rising[start]
        pages.append(RiverPage(number=number, since=since, until=rising[end], closed_at=now))
        start = end
    return pages
