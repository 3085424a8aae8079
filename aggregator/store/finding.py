"""What an operator means: a story or an entry, by whatever of it can be seen somewhere."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, or_, select

from aggregator.identify.keys import global_id_hash
from aggregator.model.known import EntryState
from aggregator.model.settings import SourceKey
from aggregator.store.schema import entry, source, story
from aggregator.urls import BadUrl, match_url, normalise_link

MOST = 50  # entries that are named; more are no choice
_PAGE = re.compile(r"(?:.*/entry/[0-9a-f]{2}/|.*#)?([0-9a-f]{16,64})(?:\.html)?")
_NUMBER = re.compile(r"[1-9][0-9]{0,14}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundEntry:
    """An entry that may be meant."""

    id: int
    source: SourceKey
    title: str
    link: str | None
    state: EntryState
    story: int | None


class Finding:
    """What a transaction finds of what an operator means: `tx.finding`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def story(self, thing: str) -> int | None:
        """Give the story that an atom:id, a page id or the address of its page names; also one that was merged."""
        of_id = self._connection.execute(select(story.c.id).where(story.c.atom_id == thing)).scalar_one_or_none()
        if of_id is not None:
            return int(of_id)
        page = _PAGE.fullmatch(thing)
        if page is None:
            return None
        found: int | None = self._connection.execute(
            select(story.c.id).where(story.c.page_id == page[1])
        ).scalar_one_or_none()
        return found

    def entries(self, thing: str) -> list[FoundEntry]:
        """Give the entries that bear an id or a link, or this number.

        By what has an index first; whatever is unique in its source at best is looked for in all of them.
        """
        for condition in _conditions(thing):
            found = self._entries_where(condition)
            if found:
                return found
        return []

    def entries_of(self, number: int) -> list[FoundEntry]:
        """Give the entries that tell a story."""
        return self._entries_where(entry.c.story_id == number)

    def entry(self, number: int) -> FoundEntry | None:
        """Give an entry by its number."""
        return next(iter(self._entries_where(entry.c.id == number)), None)

    def _entries_where(self, condition: ColumnElement[Any]) -> list[FoundEntry]:
        columns = [entry.c[name] for name in ("id", "title", "link", "state", "story_id")]
        query = select(*columns, source.c.key.label("source")).join(source, source.c.id == entry.c.source_id)
        return [
            FoundEntry(
                id=row.id,
                source=SourceKey(row.source),
                title=row.title,
                link=row.link,
                state=EntryState(row.state),
                story=row.story_id,
            )
            for row in self._connection.execute(query.where(condition).order_by(entry.c.id).limit(MOST)).all()
        ]


def _conditions(thing: str) -> Iterator[ColumnElement[Any]]:
    if _NUMBER.fullmatch(thing):
        yield entry.c.id == int(thing)
    hashed = global_id_hash(thing)
    borne = [] if hashed is None else [entry.c.id_hash == hashed]
    link = None
    with suppress(BadUrl):
        link = normalise_link(thing)
        borne.append(entry.c.match_link == match_url(link))
    if borne:
        yield or_(*borne)
    yield or_(entry.c.own_id == thing, entry.c.key == thing, entry.c.link == (link or thing))
