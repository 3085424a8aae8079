"""The search index: an SQLite FTS5 database in a file beside the store. The file can be deleted at any time.

The index is not part of the store, so that polls never wait for it and backups do not contain it. An update reads from
the store what is new: entries by their ids, which only grow; stories changed since the last update (`store.touched`);
and entries whose texts were removed. The index contains no text, only which words occur in which entry. What may be
shown of a result is read from the store at query time.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from logging import getLogger
from pathlib import Path

from aggregator.clean.text import plain_text
from aggregator.errors import StoreError
from aggregator.identify.tokens import tokens_of
from aggregator.model.story import Publication
from aggregator.search.query import Query
from aggregator.store.database import Store
from aggregator.store.search import EntryText, Find
from aggregator.store.store_file import make_folder, make_private

log = getLogger(__name__)

FORMAT = "3"  # to be raised when a change of the code gives the same texts another index
ENTRY_BATCH = 200  # entries that are read from the store at a time
MAX_TOKENS = 20_000  # per entry; later words can't be found
MATCH_BATCH = 500  # matches that are looked up at a time
MOST_DATED = 10_000  # matches of an operator's search that are ordered by date; a multiple of MATCH_BATCH
CHECK_STEPS = 10_000  # virtual machine steps of SQLite between two checks of the time limit

_SCHEMA = """
CREATE TABLE meta(format TEXT, store TEXT, entry INTEGER, generation INTEGER, thinned INTEGER);
CREATE TABLE doc(id INTEGER PRIMARY KEY, digest TEXT NOT NULL);
CREATE VIRTUAL TABLE words USING fts5(title, body, tokenize='unicode61 remove_diacritics 2'{contentless});
"""


class SearchTimeout(StoreError):
    """A query exceeded its time limit (S57)."""


class SearchIndex:
    """The index of one store. Thread-safe: each call opens its own connection."""

    def __init__(self, path: Path, store: Store) -> None:
        self._path, self._store = path, store
        self._updating = threading.Lock()

    def update(self, *, seconds: float | None = None) -> bool:
        """Update the index from the store.

        Args:
            seconds: stop after about this time; the next call continues.

        Returns:
            True if the index is up to date.

        Raises:
            StoreError: the store can't be read, or the index can't be written.
        """
        end = None if seconds is None else time.monotonic() + seconds
        with self._updating, self._connect() as connection:
            while self._update_batch(connection):
                if end is not None and time.monotonic() > end:
                    return False
        return True

    def find_public(
        self,
        query: Query,
        *,
        limit: int,
        seconds: float,
        skip: int = 0,
        keeps: Callable[[Publication], bool] = lambda _: True,
    ) -> tuple[Publication, ...]:
        """Return the matching publications that anyone may see, by the date that they show, each story once.

        Matches are read in batches of `MATCH_BATCH` by arrival, newest first; dates order each batch.

        Args:
            query: what to look for.
            limit: most results.
            seconds: time limit.
            skip: so many of the first results are left out.
            keeps: chooses among the matches.

        Raises:
            SearchTimeout: the query took longer than `seconds`.
            StoreError: the store or the index can't be read.
        """
        found: dict[int, Publication] = {}
        for ids in self._matches(query, seconds):
            with self._store.read() as tx:
                chosen = filter(keeps, tx.search.public_finds(ids))
                for publication in sorted(chosen, key=lambda p: p.published or p.updated, reverse=True):
                    found.setdefault(publication.story, publication)
            if len(found) >= skip + limit:
                break
        return tuple(found.values())[skip : skip + limit]

    def find(self, query: Query, *, limit: int) -> tuple[list[Find], int]:
        """Return the matches among all stored entries, by their dates, newest first, for an operator.

        Only the last `MOST_DATED` that came are read and ordered.

        Returns:
            At most `limit` of them, and how many there are, `MOST_DATED` at most.

        Raises:
            StoreError: the store or the index can't be read.
        """
        found: list[Find] = []
        for ids in self._matches(query, None):
            with self._store.read() as tx:
                found += tx.search.finds(ids)
            if len(found) >= MOST_DATED:
                break
        found.sort(key=lambda find: find.dated, reverse=True)
        return found[:limit], len(found)

    def _matches(self, query: Query, seconds: float | None) -> Iterator[list[int]]:
        """Yield the ids of matching entries in batches, newest first."""
        if not query.match:
            return
        end = None if seconds is None else time.monotonic() + seconds
        with self._connect() as connection:
            if end is not None:
                connection.set_progress_handler(lambda: time.monotonic() > end, CHECK_STEPS)
            last = 2**62
            while True:
                if end is not None and time.monotonic() > end:
                    raise SearchTimeout(f"the search took longer than {seconds:g} s")
                statement = "SELECT rowid FROM words WHERE words MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?"
                ids = [number for (number,) in connection.execute(statement, (query.match, last, MATCH_BATCH))]
                if ids:
                    yield ids
                if len(ids) < MATCH_BATCH:
                    return
                last = ids[-1]

    def _update_batch(self, connection: sqlite3.Connection) -> bool:
        """Index one batch of new and changed entries; return True if there may be more."""
        connection.execute("BEGIN IMMEDIATE")
        try:
            found = connection.execute("SELECT entry, generation, thinned FROM meta").fetchall()
            ((entry, generation, thinned),) = found
            with self._store.read() as tx:
                _, dirty = tx.search.newest_marks()
                new = tx.search.texts_after(entry, ENTRY_BATCH)
                touched = tx.stories.touched_since(generation, after=(0, 0), limit=ENTRY_BATCH)
                # The batch may contain only a part of the last generation, so that generation is left for the next
                # batch. If the whole batch is one generation, all stories of that generation are read.
                if len(touched) == ENTRY_BATCH and touched[0][0] < touched[-1][0]:
                    touched = [pair for pair in touched if pair[0] < touched[-1][0]]
                elif len(touched) == ENTRY_BATCH:
                    touched = tx.stories.touched_since(touched[0][0] - 1, after=(0, 0), limit=2**31)
                    touched = [pair for pair in touched if pair[0] == touched[0][0]]
                thin, thinned = tx.search.texts_thinned(thinned)
                stories = [number for _, number in touched]
                again = [
                    text
                    for start in range(0, len(stories), ENTRY_BATCH)
                    for text in tx.search.texts_of_stories(stories[start : start + ENTRY_BATCH])
                ]
            _write(connection, (*(text for text in (*again, *thin) if text.id <= entry), *new))
            done = max((generation, *(number for number, _ in touched)))
            if not touched:
                done = dirty
            reached = (new[-1].id if new else entry, done, thinned)
            connection.execute("UPDATE meta SET entry = ?, generation = ?, thinned = ?", reached)
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        return bool(new or touched or thin)

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        try:
            make_private(self._path)
        except OSError as error:
            raise StoreError(f"the search index {self._path}: {error.strerror}") from error
        try:
            connection = sqlite3.connect(self._path, isolation_level=None, timeout=5, check_same_thread=False)
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=OFF")  # a power cut may damage the index; it is then built again
                self._create_tables(connection)
                yield connection
            finally:
                connection.close()
        except sqlite3.OperationalError as error:
            if "interrupted" in str(error):
                raise SearchTimeout("the search took too long") from error
            raise StoreError(f"the search index {self._path}: {error}") from error
        except sqlite3.DatabaseError as error:
            for suffix in ("", "-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
            raise StoreError(f"the search index {self._path} is damaged ({error}); it is made anew") from error

    def _create_tables(self, connection: sqlite3.Connection) -> None:
        """Create the tables, unless they exist and were made of this store by this version of the program."""
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
            rows = connection.execute("SELECT * FROM meta").fetchall()
            with self._store.read() as tx:
                last, dirty = tx.search.newest_marks()
            ours = [row for row in rows if row[:2] == (FORMAT, str(self._store.uuid))]
            if any(row[2] <= last and max(row[3:]) <= dirty for row in ours):
                return
        connection.execute("BEGIN IMMEDIATE")  # another process may do the same
        for table in ("words", "doc", "meta"):
            connection.execute(f"DROP TABLE IF EXISTS {table}")
        contentless = ", content='', contentless_delete=1" if sqlite3.sqlite_version_info >= (3, 43) else ""
        for statement in _SCHEMA.format(contentless=contentless).strip().splitlines():
            connection.execute(statement)
        connection.execute("INSERT INTO meta VALUES (?, ?, 0, 0, 0)", (FORMAT, str(self._store.uuid)))
        connection.execute("COMMIT")


def open_index(store: Store, folder: Path) -> SearchIndex:
    """Return the index of a store. The index file is created at first use.

    Args:
        store: the open store. The index of one that is a file is beside it.
        folder: folder of feeds.yaml; the index of another store is in `var/` there.
    """
    if store.path is None:
        make_folder(folder / "var")
        return SearchIndex(folder / "var" / f"{store.uuid}.search", store)
    return SearchIndex(store.path.with_name(f"{store.path.name}.search"), store)


def _write(connection: sqlite3.Connection, texts: Iterable[EntryText]) -> None:
    """Add entries to the index; entries whose texts have changed are replaced."""
    for text in texts:
        known = connection.execute("SELECT digest FROM doc WHERE id = ?", (text.id,)).fetchone()
        if known is not None and known[0] == text.digest:
            continue
        if known is not None:
            connection.execute("DELETE FROM words WHERE rowid = ?", (text.id,))
        connection.execute("INSERT OR REPLACE INTO doc VALUES (?, ?)", (text.id, text.digest))
        body = f"{plain_text(text.body)}\n{' '.join(text.names)}"
        row = (text.id, _token_text(text.title), _token_text(body))
        connection.execute("INSERT INTO words(rowid, title, body) VALUES (?, ?, ?)", row)


def _token_text(text: str) -> str:
    tokens = tokens_of(text)
    return " ".join(token for token, _ in zip(tokens, range(MAX_TOKENS), strict=False))
