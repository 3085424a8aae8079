"""The last good copy of each list of sources (`kind: opml`)."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from aggregator.model.outline import Outline
from aggregator.model.settings import SourceKey
from aggregator.store.schema import outline, source
from aggregator.urls import Url


def known_outlines(connection: Connection, source_id: int) -> tuple[Outline, ...]:
    """Give the feeds of one list, in its order."""
    rows = connection.execute(
        select(outline).where(outline.c.source_id == source_id).order_by(outline.c.position)
    ).all()
    return tuple(_outline(row.url, row.title, row.categories) for row in rows)


def lists(connection: Connection) -> dict[SourceKey, list[Outline]]:
    """Give the feeds of all lists, by the key of each, or the one that it had last."""
    found: dict[SourceKey, list[Outline]] = {}
    asked = select(source.c.key, outline).join_from(outline, source).order_by(outline.c.source_id, outline.c.position)
    for row in connection.execute(asked):
        found.setdefault(SourceKey(row.key), []).append(_outline(row.url, row.title, row.categories))
    return found


def keep_outlines(connection: Connection, source_id: int, outlines: Sequence[Outline]) -> None:
    """Put a list in the place of the one before."""
    connection.execute(delete(outline).where(outline.c.source_id == source_id))
    rows = [
        {
            "source_id": source_id,
            "position": position,
            "url": each.url,
            "title": each.title,
            "categories": list(each.categories),
        }
        for position, each in enumerate(outlines)
    ]
    if rows:
        connection.execute(outline.insert(), rows)


def _outline(url: str, title: str, categories: Sequence[str]) -> Outline:
    return Outline(url=Url(url), title=title, categories=tuple(map(str, categories)))
