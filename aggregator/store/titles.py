"""Looks up names in a store file without SQLAlchemy, whose import takes longer than all else of a message.

An answer here only has a command refuse its arguments sooner: whatever is not certain counts as known.
"""

import re
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from aggregator.model.settings import SourceKey
from aggregator.urls import BadUrl, match_url, normalise_link

# Id of the page of a story, alone, as its file or as its address.
PAGE: Final = re.compile(r"(?:.*/entry/[0-9a-f]{2}/|.*#)?([0-9a-f]{16,64})(?:\.html)?")

_STORY = "SELECT 1 FROM story WHERE atom_id = :thing OR page_id = :page"
_INDEXED = "SELECT 1 FROM entry WHERE id = :number OR id_hash = :hash OR match_link = :match"
_OTHERS = "SELECT 1 FROM entry WHERE own_id = :thing OR key = :thing OR link = :thing OR link = :link"
_PRIVATE = "SELECT 1 FROM source WHERE private"  # what a message says must be struck out then (S44)
_SOURCE = (
    "SELECT 1 FROM source WHERE instr(lower(key || ' ' || url || ' ' || url_in_use || ' ' || host_key), lower(:thing))"
)
_CATEGORY = "SELECT 1 FROM category WHERE key = :thing OR slug = :thing"


def titles_in(path: Path) -> dict[SourceKey, str]:
    """Return the titles of the feeds of active sources, by key, as `tx.sources.titles` does; empty without a store."""
    if not path.exists():
        return {}
    query = "SELECT key, json_extract(feed, '$.title') FROM source WHERE active AND feed IS NOT NULL"
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return {SourceKey(key): str(title).strip() for key, title in connection.execute(query) if title}
    except sqlite3.Error:
        return {}


def may_have_entry(path: Path, thing: str) -> bool:
    """Return whether an entry or a story may have this name; True if that is not certain."""
    return _may_have(path, thing, (_PRIVATE, _STORY, _INDEXED, _OTHERS))


def may_have_name(path: Path, thing: str) -> bool:
    """Return whether a source, a host, a category, an entry or a story may have this name; True if not certain."""
    if not thing.isascii() or "category/" in thing:
        return True
    return _may_have(path, thing, (_PRIVATE, _SOURCE, _CATEGORY, _STORY, _INDEXED, _OTHERS))


def keys_without(path: Path, name: str) -> list[str] | None:
    """Return the keys of the active sources if no source has a name; None if that is not certain."""
    if not name.isascii() or _may_have(path, name, (_PRIVATE, _SOURCE)):
        return None
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        return [key for (key,) in connection.execute("SELECT key FROM source WHERE active ORDER BY key")]


def _may_have(path: Path, thing: str, queries: tuple[str, ...]) -> bool:
    from aggregator.identify.keys import global_id_hash  # late: titles need no hashes

    page, link = PAGE.fullmatch(thing), None
    with suppress(BadUrl):
        link = normalise_link(thing)
    facts = {
        "thing": thing,
        "page": page[1] if page else None,
        "number": int(thing) if thing.isdecimal() and len(thing) < 16 else None,
        "hash": global_id_hash(thing),
        "match": match_url(link) if link else None,
        "link": link,
    }
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            if connection.execute("SELECT 1 FROM entry LIMIT 1").fetchone() is None:
                return True  # the state may be lost, which is told in another way
            return any(connection.execute(f"{query} LIMIT 1", facts).fetchone() for query in queries)
    except sqlite3.Error:
        return True
