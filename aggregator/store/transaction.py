"""The verbs of a transaction. None begins or commits; each runs statements and gives records (STYLE, section 9)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from logging import getLogger
from uuid import UUID, uuid4

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from aggregator.model.changes import NOTHING_CHANGED, Changes
from aggregator.model.entry import Feed
from aggregator.model.known import Known
from aggregator.model.poll import Due
from aggregator.model.settings import Category, Roster, Source, SourceKey
from aggregator.model.status import Status
from aggregator.model.story import Publication, Tombstone
from aggregator.store import categories, documents, entries, health, outputs, sources
from aggregator.store.categories import CategoryRow, SiteRow
from aggregator.store.documents import Limits, MainRow, SourceRow
from aggregator.store.outputs import Written
from aggregator.store.schema import store
from aggregator.store.sources import Placed, Waiting

log = getLogger(__name__)


class Transaction:
    """One unit of work. `Store.begin` and `Store.read` make it; it ends with their `with`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # The store itself.

    def make_store(self, now: datetime) -> None:
        """Give a new store its random id, from which all minted ids come (A2, A4)."""
        counters = {"next_entry": 1, "next_story": 1, "dirty": 1, "rendered": 0}
        self._connection.execute(store.insert().values(id=1, uuid=str(uuid4()), created_at=now, **counters))

    def uuid(self) -> UUID:
        """Give the store's id."""
        return UUID(self._connection.execute(select(store.c.uuid)).scalar_one())

    # feeds.yaml.

    def sync(self, placed: Iterable[Placed], wanted: Sequence[Category], now: datetime) -> None:
        """Bring sources and categories in line with feeds.yaml; nothing is forgotten."""
        categories.sync_categories(self._connection, wanted, now)
        events = sources.sync_sources(self._connection, placed, now)
        entries.write_events(self._connection, events, now)

    # Polls.

    def due(
        self,
        now: datetime,
        *,
        limit: int,
        blocked: Collection[str] = (),
        per_host: int = 1,
        early: bool = False,
        failing: bool = True,
    ) -> list[Waiting]:
        """Give sources that are due, oldest first."""
        return sources.due_sources(
            self._connection, now, limit=limit, blocked=blocked, per_host=per_host, early=early, failing=failing
        )

    def spread_overdue(self, now: datetime, *, over: timedelta) -> int:
        """Spread what fell due while nothing ran (P64); give how many those were."""
        return sources.spread_overdue(self._connection, now, over=over)

    def pull_back(self, now: datetime) -> None:
        """Bring back due times that lie too far ahead (R21)."""
        sources.pull_back(self._connection, now)

    def named(self, keys: Collection[str] | None) -> list[Waiting]:
        """Give the sources of these keys, or all that are not paused."""
        return sources.named_sources(self._connection, keys)

    def claim(self, ids: Sequence[int], now: datetime, settings: Mapping[SourceKey, Source]) -> list[Due]:
        """Move due times ahead, and give all that the polls need (R13)."""
        return sources.claim(self._connection, ids, now, settings)

    def give_back(self, dues: Sequence[Due]) -> None:
        """Undo claims whose request did not leave, or was cut by ourselves (R54)."""
        sources.give_back(self._connection, dues)

    def known(self, due: Due, feed: Feed) -> Known:
        """Look up all that bears on a document."""
        return entries.known(self._connection, due, feed)

    def move(self, changes: Sequence[Changes]) -> None:
        """Write the quiet polls of a group: one statement for all, and what their sources' states became."""
        sources.move(self._connection, changes)
        for change in changes:
            entries.write_events(self._connection, change.events, change.asked_at)
        if any(change.events for change in changes):
            categories.raise_site(self._connection)

    def try_write(self, changes: Changes) -> bool:
        """Write a poll with entries in a savepoint of its own, entries and validators together (R1, P6).

        Returns:
            False if it could not be stored; then nothing of it was, and the others of its group stand.
        """
        try:
            with self._connection.begin_nested():
                if changes.entries != NOTHING_CHANGED:
                    entries.write(self._connection, changes)
                if sources.write_read(self._connection, changes):
                    categories.raise_site(self._connection)
                self.move([changes])
                entries.write_events(self._connection, changes.entries.events, changes.asked_at)
        except IntegrityError:
            log.exception("store_entries", extra={"source": changes.due.source.key})
            return False
        return True

    # Outputs.

    def categories(self) -> list[CategoryRow]:
        """Give the categories of feeds.yaml."""
        return categories.category_rows(self._connection)

    def site(self) -> SiteRow:
        """Give the generation of what shows all categories together."""
        return categories.site_row(self._connection)

    def main_rows(self, category: int) -> list[MainRow]:
        """Give a main document in order, without contents."""
        return documents.main_rows(self._connection, category)

    def file(self, category: int, pages: Mapping[int, Sequence[int]], now: datetime) -> None:
        """File publications on new archive pages, for ever."""
        categories.file_publications(self._connection, category, pages, now)

    def publications(self, category: int, page: int | None) -> tuple[Publication, ...]:
        """Give what one document of a category shows, in order."""
        return documents.publications(self._connection, category, page)

    def newest(self, numbers: Sequence[int], limit: int) -> tuple[Publication, ...]:
        """Give the newest stories of some categories together, each once."""
        return documents.newest(self._connection, numbers, limit)

    def newest_of(self, category: int, limit: int) -> tuple[Publication, ...]:
        """Give the newest stories of a category."""
        return documents.newest_of(self._connection, category, limit)

    def tombstones(self, category: int, since: datetime | None = None) -> tuple[Tombstone, ...]:
        """Give what was withdrawn from a category."""
        return documents.tombstones(self._connection, category, since)

    def sources(self) -> list[SourceRow]:
        """Give the sources of feeds.yaml as lists show them."""
        return documents.source_rows(self._connection)

    def limits(self) -> dict[SourceKey, Limits]:
        """Give what may not be shown of some sources, those that left feeds.yaml among them."""
        return documents.limits(self._connection)

    def mark_rendered(self, row: CategoryRow, look: str, now: datetime | None) -> None:
        """Note which generation of a category stands in the files."""
        categories.mark_rendered(self._connection, row, look, now)

    def mark_site_rendered(self, row: SiteRow, look: str) -> None:
        """Note which generation of the site's own pages stands in the files."""
        categories.mark_site_rendered(self._connection, row, look)

    def folder(self) -> str | None:
        """Give the folder in which the listed files stand; None before the first."""
        return outputs.folder(self._connection)

    def adopt_folder(self, folder: str, kept: Collection[str]) -> None:
        """Go on in another folder, in which of the listed files only these stand."""
        outputs.adopt_folder(self._connection, folder, kept)

    def digests(self) -> Mapping[str, str | None]:
        """Give every listed file with the digest of what stands there."""
        return outputs.digests(self._connection)

    def unlist(self, paths: Collection[str]) -> None:
        """Take files off the list."""
        outputs.unlist(self._connection, paths)

    def listed(self, paths: Sequence[str]) -> frozenset[str]:
        """Tell which of some paths name files of ours."""
        return outputs.listed(self._connection, paths)

    def list_files(self, paths: Iterable[str], now: datetime) -> None:
        """Name files before their first write."""
        outputs.list_files(self._connection, paths, now)

    def note_written(self, files: Iterable[Written], now: datetime) -> None:
        """Note what stands in them now."""
        outputs.note_written(self._connection, files, now)

    def written_at(self, path: str) -> datetime | None:
        """Give when a published file was last rendered; None if it never was."""
        return outputs.written_at(self._connection, path)

    def max_ages(self) -> Mapping[str, int]:
        """Give how long each published file may be kept, in seconds."""
        return outputs.max_ages(self._connection)

    # How things stand.

    def status(self, roster: Roster, now: datetime, *, where: str, size: int, schema: str) -> Status:
        """Count how sources and categories stand."""
        return health.status_of(self._connection, roster, now, where=where, size=size, schema=schema)

    def keep_config(self, text: str, path: str, now: datetime) -> None:
        """Keep the feeds.yaml that is in force from now on."""
        health.keep_config(self._connection, text, path, now)

    def note_config_error(self, error: str | None) -> None:
        """Say why a later edit is not in force."""
        health.note_config_error(self._connection, error)

    def last_good_config(self) -> str | None:
        """Give the feeds.yaml that was last in force."""
        return health.last_good_config(self._connection)
