"""Publishes a page for each source that anyone may know of: `source/<key>.html`.

A page is rendered if what it says of the source differs from what the list of files has noted, or if a story of the
source was touched since these pages were last written (`store/stories.py`). It shows the stories that the last document
of the source held, as far as its copy is the shown one.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from aggregator.late import late
from aggregator.model.output import Output
from aggregator.model.settings import CategoryKey, Settings, SourceKey
from aggregator.model.source_row import SourceRow
from aggregator.model.story import Publication, SourceLine, SourcePage, StoryPlace
from aggregator.publish.looks import Listed
from aggregator.publish.output_list import OutputList, Put
from aggregator.publish.report import PublishRun
from aggregator.render.theme import PageStyle
from aggregator.store.database import Store
from aggregator.store.transaction import Transaction

if TYPE_CHECKING:
    from aggregator.render import source_pages
else:
    source_pages = late("aggregator.render.source_pages")

FOLDER: Final = "source"
MOST: Final = 12  # stories on a page: to read and render thirty took a third of a poll in which each source has news
AT_ONCE: Final = 8  # pages that are in memory together: with 20 a poll of 200 sources with news takes 3 MB more
MAX_AGE: Final = 3600  # seconds (A75)

facts_of = attrgetter(*SourceLine.__annotations__)  # all of its fields: several times as quick as its `repr`

Lines = Mapping[SourceKey, tuple[SourceRow, SourceLine]]  # sources that anyone may know of


@dataclass(frozen=True, slots=True)
class SourceTurn:
    """Pages of sources that a publication renders, read from one moment of the store."""

    outputs: Sequence[Output]  # the first of them
    digests: Mapping[str, str | None]  # of listed files, by path
    waiting: Sequence[tuple[SourceKey, str]]  # the others, each with the digest of what it says of the source
    orphans: Sequence[str]  # files whose sources have gone, or may not be known any more


class SourcePages:
    """Publishes these pages, for one set of settings.

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
        self._store, self._files, self._has_story_pages = store, files, has_story_pages
        self._frame = (settings.site, formats, style)
        self._are_made = style.sources and "html" in formats

    def read(
        self,
        tx: Transaction,
        lines: Lines,
        listed: Listed,
        look: str,
        rendered: int,
        run: PublishRun,
        *,
        everything: bool,
    ) -> SourceTurn:
        """Read which pages are to be rendered, and the first of them.

        Args:
            tx: a reading one.
            lines: the sources.
            listed: the categories.
            look: of these pages now.
            rendered: generation of the store when they were last written.
            run: the publication.
            everything: render all pages.
        """
        known = tx.files.below(FOLDER)
        said = {}
        for key, (row, line) in lines.items() if self._are_made else ():
            said[key] = hashlib.sha256(f"{look} {facts_of(line)!r} {row.listed}".encode()).hexdigest()[:32]
        touched = said.keys() if everything else tx.sources.touched_since(rendered)
        stale = [
            (key, digest)
            for key, digest in said.items()
            if key in touched
            or (was := known.get(_path(lines[key][1]))) is None
            or was.facts.partition(" ")[0] != digest
        ]
        paths = {_path(lines[key][1]) for key in said}
        return SourceTurn(
            self._read(tx, stale[:AT_ONCE], lines, listed, run, None),
            {path: one.digest for path, one in known.items()},
            stale[AT_ONCE:],
            sorted(known.keys() - paths),
        )

    def put_more(self, turn: SourceTurn, lines: Lines, listed: Listed, run: PublishRun, until: datetime) -> Put:
        """Write the other pages, a few at a time, and remove those of sources that nobody may know of.

        Args:
            turn: as it was read.
            lines: the sources.
            listed: the categories.
            run: the publication.
            until: stories that entered later are left out: nobody has recorded that they may be seen (T6).
        """
        put = Put()
        for start in range(0, len(turn.waiting), AT_ONCE):
            with self._store.read() as tx:
                outputs = self._read(tx, turn.waiting[start : start + AT_ONCE], lines, listed, run, until)
            ours = self._files.yielding(outputs, turn.digests)
            put.add(run.note(self._files.put(ours, turn.digests, take_over=run.take_over)))
        put.failed += self._files.remove(turn.orphans)
        return put

    def _read(
        self,
        tx: Transaction,
        stale: Sequence[tuple[SourceKey, str]],
        lines: Lines,
        listed: Listed,
        run: PublishRun,
        until: datetime | None,
    ) -> list[Output]:
        places = {c.key: StoryPlace(title=c.title, path=f"category/{row.slug}") for c, row in listed} if stale else {}
        numbers = {row.id for _, row in listed} if stale else set[int]()
        listed_by = [json.loads(lines[key][0].listed or "[]") for key, _ in stale]
        found = tx.documents.of_entries(numbers, listed_by, MOST, until)
        return [
            self._output(lines[key][1], digest, places, stories, run)
            for (key, digest), stories in zip(stale, found, strict=True)
        ]

    def _output(
        self,
        line: SourceLine,
        said: str,
        places: Mapping[CategoryKey, StoryPlace],
        found: Sequence[Publication],
        run: PublishRun,
    ) -> Output:
        categories = run.roster.categories
        page = SourcePage(
            path=_path(line),
            line=line,
            places=tuple(places[key] for key in line.places if key in places),
            publications=tuple(run.visibility.publication(one, categories[one.category]) for one in found),
            has_story_pages=self._has_story_pages,
        )
        stories = [(p.story, p.digest, p.updated, p.published, p.category, p.origin.title) for p in page.publications]
        facts = f"{said} {hashlib.sha256(repr(stories).encode()).hexdigest()[:32]}"
        render = partial(source_pages.render_source, page, *self._frame)
        return Output(path=page.path, render=render, max_age=MAX_AGE, durable=False, facts=facts, beside=True)


def _path(line: SourceLine) -> str:
    return f"{FOLDER}/{line.key}.html"
