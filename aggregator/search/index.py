"""The index: SQLite's FTS5 in a file beside the store, which can be thrown away at any time.

It is no part of the store, so that no poll waits for it and no backup carries it. What is new since it was last brought
up to date is read from the store: entries by their numbers, which only grow, stories that were touched since
(`store.touched`), and entries that have lost their texts. It holds no text, only which words stand in which entry; what
may be shown of a find, the store says at that moment.
"""

import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from logging import getLogger
from pathlib import Path

from aggregator.clean import plain_text
from aggregator.errors import StoreError
from aggregator.identify.tokens import tokens_of
from aggregator.model.story import Publication
from aggregator.rights import make_private
from aggregator.search.query import Query
from aggregator.store.database import Store
from aggregator.store.search import EntryText, Find

log = getLogger(__name__)

FORMAT = "3"  # raised when the same texts would give another index
AT_ONCE = 200  # entries that are read from the store in one go
MAX_TOKENS = 20_000  # of an entry; what is beyond is not found
CHUNK = 500  # finds that are looked up in one go
LOOK_EVERY = 10_000  # steps of SQLite between two looks at the clock

_SCHEMA = """
CREATE TABLE meta(format TEXT, store TEXT, entry INTEGER, generation INTEGER, thinned INTEGER);
CREATE TABLE doc(id INTEGER PRIMARY KEY, digest TEXT NOT NULL);
CREATE VIRTUAL TABLE words USING fts5(title, body, tokenize='unicode61 remove_diacritics 2'{contentless});
"""


class SearchTimeout(StoreError):
    """A question took longer than it may (S57)."""


class SearchIndex:
    """An index over one store. May be used by several threads; each call has a connection of its own."""

    def __init__(self, path: Path, store: Store) -> None:
        self._path, self._store = path, store
        self._updating = threading.Lock()

    def catch_up(self, *, seconds: float | None = None) -> bool:
        """Bring the index up to date with the store.

        Args:
            seconds: stop after about that time, and go on at the next call.

        Returns:
            Whether it is up to date.

        Raises:
            StoreError: the store can't be read, or the index not be written.
        """
        end = None if seconds is None else time.monotonic() + seconds
        with self._updating, self._connected() as connection:
            while self._step(connection):
                if end is not None and time.monotonic() > end:
                    return False
        return True

    def find_public(self, query: Query, *, limit: int, seconds: float) -> tuple[Publication, ...]:
        """Give what anyone may see of what matches, newest first, each story once.

        Raises:
            SearchTimeout: it took longer than that.
            StoreError: the store or the index can't be read.
        """
        found: dict[int, Publication] = {}
        for ids in self._matches(query, seconds):
            with self._store.read() as tx:
                for publication in tx.search.public_finds(ids):
                    found.setdefault(publication.story, publication)
            if len(found) >= limit:
                break
        return tuple(found.values())[:limit]

    def find(self, query: Query, *, limit: int) -> list[Find]:
        """Give what matches of all that is stored, newest first, for an operator.

        Raises:
            StoreError: the store or the index can't be read.
        """
        found: list[Find] = []
        for ids in self._matches(query, None):
            with self._store.read() as tx:
                found += tx.search.finds(ids)
            if len(found) >= limit:
                break
        return found[:limit]

    def _matches(self, query: Query, seconds: float | None) -> Iterator[list[int]]:
        """Give the numbers of matching entries, newest first, some at a time."""
        if not query.match:
            return
        end = None if seconds is None else time.monotonic() + seconds
        with self._connected() as connection:
            if end is not None:
                connection.set_progress_handler(lambda: time.monotonic() > end, LOOK_EVERY)
            last = 2**62
            while True:
                if end is not None and time.monotonic() > end:
                    raise SearchTimeout(f"the search took longer than {seconds:g} s")
                statement = "SELECT rowid FROM words WHERE words MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?"
                ids = [number for (number,) in connection.execute(statement, (query.match, last, CHUNK))]
                if ids:
                    yield ids
                if len(ids) < CHUNK:
                    return
                last = ids[-1]

    def _step(self, connection: sqlite3.Connection) -> bool:
        """Take up some of what is new; tell whether there may be more."""
        connection.execute("BEGIN IMMEDIATE")
        try:
            found = connection.execute("SELECT entry, generation, thinned FROM meta").fetchall()
            ((entry, generation, thinned),) = found
            with self._store.read() as tx:
                _, dirty = tx.search.newest_marks()
                new = tx.search.texts_after(entry, AT_ONCE)
                touched = tx.stories.touched_since(generation, after=(0, 0), limit=AT_ONCE)
                # Of the last generation only some may be among them: it is left for the next step, unless that is all.
                if len(touched) == AT_ONCE and touched[0][0] < touched[-1][0]:
                    touched = [pair for pair in touched if pair[0] < touched[-1][0]]
                elif len(touched) == AT_ONCE:
                    touched = tx.stories.touched_since(touched[0][0] - 1, after=(0, 0), limit=2**31)
                    touched = [pair for pair in touched if pair[0] == touched[0][0]]
                thin, thinned = tx.search.texts_thinned(thinned)
                stories = [number for _, number in touched]
                again = [
                    text
                    for start in range(0, len(stories), AT_ONCE)
                    for text in tx.search.texts_of_stories(stories[start : start + AT_ONCE])
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
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            make_private(self._path)
        except OSError as error:
            raise StoreError(f"the search index {self._path}: {error.strerror}") from error
        try:
            connection = sqlite3.connect(self._path, isolation_level=None, timeout=5, check_same_thread=False)
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=OFF")  # what a power cut spoils is made again
                self._prepare(connection)
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

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Make the tables, unless those that are there are of this store and this program."""
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


def open_index(store: Store) -> SearchIndex:
    """Give the index of a store on SQLite; it is made when it is first used.

    Raises:
        StoreError: the store is none of SQLite's.
    """
    if store.path is None:
        raise StoreError("search needs a store on SQLite")
    return SearchIndex(store.path.with_name(f"{store.path.name}.search"), store)


def _write(connection: sqlite3.Connection, texts: Iterable[EntryText]) -> None:
    """Take entries up, or anew where they say something else now."""
    for text in texts:
        known = connection.execute("SELECT digest FROM doc WHERE id = ?", (text.id,)).fetchone()
        if known is not None and known[0] == text.digest:
            continue
        if known is not None:
            connection.execute("DELETE FROM words WHERE rowid = ?", (text.id,))
        connection.execute("INSERT OR REPLACE INTO doc VALUES (?, ?)", (text.id, text.digest))
        body = f"{plain_text(text.body)}\n{' '.join(text.names)}"
        row = (text.id, _spelt(text.title), _spelt(body))
        connection.execute("INSERT INTO words(rowid, title, body) VALUES (?, ?, ?)", row)


def _spelt(text: str) -> str:
    tokens = tokens_of(text)
    return " ".join(token for token, _ in zip(tokens, range(MAX_TOKENS), strict=False))
