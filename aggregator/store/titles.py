"""Reads titles of feeds from a store file without SQLAlchemy, whose import takes longer than all else of a message."""

import sqlite3
from contextlib import closing
from pathlib import Path

from aggregator.model.settings import SourceKey


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
