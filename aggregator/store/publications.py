"""Reads and writes publications: stories in categories, each with its shown entry and the credits of its other copies.

The number of statements grows with the number of parts of `MAX_IN` publications, not with each publication.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, bindparam, case, select, update

from aggregator.decide.order import believed
from aggregator.model.entry import KeyRule
from aggregator.model.known import EntryState
from aggregator.model.settings import CategoryKey, SourceKey
from aggregator.model.stored_json import enclosures_of, origin_of, people_of, supplement_of, tags_of
from aggregator.model.story import Credit, Publication
from aggregator.model.story_changes import NewPublication, ShownChange
from aggregator.store.page_wordings import PageWordings, page_wordings
from aggregator.store.schema import MAX_IN, category, entry, publication, source, story
from aggregator.urls import Url


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """A publication in a main document or on an archive page, or one that was withdrawn."""

    category: int
    publication: Publication
    withdrawn: bool
    cooled: bool  # its post is in the archive


_FOUNDING, _FOUNDER = entry.alias("founding"), source.alias("founder")

_SHOWN = (
    publication.c.story_id,
    publication.c.category_id,
    publication.c.sort_at,
    publication.c.entered_at,
    publication.c.page,
    publication.c.updated,
    publication.c.digest.label("shown_digest"),
    publication.c.shown_id,
    publication.c.filed_at,
    publication.c.thinned_at,
    story.c.atom_id,
    story.c.page_id,
    category.c.key.label("category_key"),
    category.c.slug,
    source.c.key.label("source_key"),
    _FOUNDER.c.key.label("founder_key"),
    *(
        entry.c[name].label(f"entry_{name}")
        for name in (
            "key key_rule title link summary content authors tags enclosures supplement rights language published "
            "first_seen origin cleaned"
        ).split()
    ),
)

_COPIES = (
    select(
        entry.c.story_id,
        entry.c.id,
        entry.c.key.label("entry_key"),
        entry.c.link,
        entry.c.joined_at,
        entry.c.origin,
        entry.c.categories,
        source.c.key,
    )
    .join(source, source.c.id == entry.c.source_id)
    .where(entry.c.story_id.in_(bindparam("stories", expanding=True)), entry.c.state != EntryState.WITHDRAWN.value)
    .where(entry.c.id.not_in(bindparam("shown", expanding=True)))
    .order_by(entry.c.id)
)

Row = RowMapping | Mapping[str, Any]  # of a query made of `shown`
Credits = Mapping[tuple[int, int], Sequence[Credit]]  # by category and story
NONE: PageWordings = MappingProxyType({})


@lru_cache(maxsize=1)  # it has fifty columns, and is asked for ten times in a publication
def shown() -> Select[Any]:
    """Return the query of publications as they are shown; callers add conditions and an order."""
    return (
        select(*_SHOWN)
        .join(story, story.c.id == publication.c.story_id)
        .join(category, category.c.id == publication.c.category_id)
        .join(entry, entry.c.id == publication.c.shown_id)
        .join(source, source.c.id == entry.c.source_id)
        .outerjoin(_FOUNDING, _FOUNDING.c.id == story.c.founder_id)
        .outerjoin(_FOUNDER, _FOUNDER.c.id == _FOUNDING.c.source_id)
    )


@lru_cache(maxsize=1)
def shown_of_stories() -> Select[Any]:
    """Return the query of all publications of some `stories`."""
    return shown().where(publication.c.story_id.in_(bindparam("stories", expanding=True)))


def filled(
    connection: Connection, query: Select[Any], *, on_page: bool = False, **bound: object
) -> tuple[Publication, ...]:
    """Return the publications of a query, each with the other copies of its story.

    Args:
        connection: a reading connection suffices.
        query: made of `shown`.
        on_page: return them as their documents show them: a thinned archive page shows no texts although the store has
            them for another category (K3), and an archive page ignores template changes (M7).
        bound: values of the parameters of the query.
    """
    rows: Sequence[Row] = connection.execute(query, bound).mappings().all()
    if not on_page:
        return tuple(with_copies(connection, rows))
    places = [(row["category_id"], row["story_id"]) for row in rows if row["page"] is not None]
    wordings = page_wordings(connection, places)
    rows = [_as_worded(row, wordings) for row in rows] if wordings else rows
    found = with_copies(connection, rows, wordings)
    return tuple(_as_it_stands(one, row) for one, row in zip(found, rows, strict=True))


def with_copies(connection: Connection, rows: Sequence[Row], wordings: PageWordings = NONE) -> list[Publication]:
    """Return the publications of rows, each with the other copies of its story.

    Args:
        connection: a reading connection suffices.
        rows: rows of a query made of `shown`.
        wordings: earlier texts that archive pages show.
    """
    credits = _credits(connection, rows, wordings)
    return [_publication(row, credits) for row in rows]


def publications_of(connection: Connection, places: Mapping[int, int]) -> dict[int, Publication]:
    """Return publications by story, with all other copies of the story, also those that joined after filing (M7).

    Args:
        connection: a reading connection suffices.
        places: the category by story.
    """
    rows = []
    for part in _parts(sorted(places)):
        found = connection.execute(shown_of_stories(), {"stories": part}).mappings()
        rows += [row for row in found if row["category_id"] == places[row["story_id"]]]
    credits = _credits(connection, rows, late=True)
    return {row["story_id"]: _publication(row, credits) for row in rows}


class Publications:
    """Queries on publications: `tx.publications`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of_stories(self, stories: Sequence[int]) -> list[Placement]:
        """Return the publications of stories, withdrawn ones included, in order of story and category."""
        found = []
        for part in _parts(sorted(stories)):
            query = shown().add_columns(publication.c.withdrawn_at, publication.c.cooled_at)
            query = query.where(publication.c.story_id.in_(part))
            rows = (
                self._connection.execute(query.order_by(publication.c.story_id, publication.c.category_id))
                .mappings()
                .all()
            )
            credits = _credits(self._connection, rows)
            found += [
                Placement(
                    category=row["category_id"],
                    publication=_as_it_stands(_publication(row, credits), row),
                    withdrawn=row["withdrawn_at"] is not None,
                    cooled=row["cooled_at"] is not None,
                )
                for row in rows
            ]
        return found


def _as_worded(row: Row, wordings: PageWordings) -> Row:
    """Return a row of `shown` with the texts that the archive page shows."""
    said = wordings.get((row["category_id"], row["story_id"], row["shown_id"]))
    if said is None:
        return row
    own = {"shown_digest": said["digest"]} if "digest" in said else {}
    return dict(row) | {f"entry_{name}": value for name, value in said.items() if name != "digest"} | own


def _as_it_stands(found: Publication, row: Row) -> Publication:
    """Return a publication without its texts if it was thinned on its archive page."""
    return found if row["thinned_at"] is None else replace(found, summary="", content="")


def _credits(
    connection: Connection, rows: Iterable[Row], wordings: PageWordings = NONE, *, late: bool = False
) -> Credits:
    """Return the other copies of each story as credits, in order of arrival.

    Two categories may show different copies of one story (T2): each copy is a credit in the other category. Copies that
    joined after the filing on an archive page are left out there (M7) unless `late` is true.
    """
    told_by: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        told_by[row["story_id"]].append(row)
    found: dict[tuple[int, int], list[Credit]] = defaultdict(list)
    keys: dict[int, CategoryKey] = {}  # looked up once there is a copy: most stories have none
    for ids in _parts(sorted(told_by), MAX_IN // 2):
        alone = [some[0]["shown_id"] for some in map(told_by.__getitem__, ids) if len(some) == 1]  # never a credit
        for copy in connection.execute(_COPIES, {"stories": ids, "shown": alone}).all():
            for told in told_by[copy.story_id]:
                is_late = told["filed_at"] is not None and copy.joined_at > told["filed_at"]
                if copy.id == told["shown_id"] or (is_late and not late):
                    continue
                keys = keys or _keys(connection)
                said = wordings.get((told["category_id"], copy.story_id, copy.id))
                link, origin = (
                    (said["link"], origin_of(said["origin"])) if said else (copy.link, origin_of(copy.origin))
                )
                found[told["category_id"], copy.story_id].append(
                    Credit(
                        source=SourceKey(copy.key),
                        title=origin.title if origin else "",
                        link=_url(link),
                        site=origin.link if origin else None,
                        places=tuple(keys[place] for place in copy.categories),
                        key=copy.entry_key,
                        is_earlier=copy.id < told["shown_id"],
                    )
                )
    return found


def _keys(connection: Connection) -> dict[int, CategoryKey]:
    """Return the key of each category."""
    return {row.id: CategoryKey(row.key) for row in connection.execute(select(category.c.id, category.c.key)).all()}


def _publication(row: Row, credits: Credits) -> Publication:
    link, published = _url(row["entry_link"]), believed(row["entry_published"], row["entry_first_seen"])
    origin = origin_of(row["entry_origin"])
    assert origin is not None, "every entry is stored with its origin (A9)"
    return Publication(
        story=row["story_id"],
        atom_id=row["atom_id"],
        page_id=row["page_id"],
        sort_at=row["sort_at"],
        entered_at=row["entered_at"],
        page=row["page"],
        published=published,
        updated=row["updated"],
        source=SourceKey(row["source_key"]),
        entry_key=row["entry_key"],
        key_rule=KeyRule(row["entry_key_rule"]),
        digest=row["shown_digest"],
        title=row["entry_title"],
        link=link,
        summary=row["entry_summary"],
        content=row["entry_content"],
        cleaned=tuple((row["entry_cleaned"] or "").split()),
        authors=people_of(row["entry_authors"]),
        tags=tags_of(row["entry_tags"]),
        enclosures=enclosures_of(row["entry_enclosures"]),
        supplement=supplement_of(row["entry_supplement"]),
        rights=row["entry_rights"],
        language=row["entry_language"],
        origin=origin,
        credits=tuple(credits.get((row["category_id"], row["story_id"]), ())),
        category=CategoryKey(row["category_key"]),
        founder=SourceKey(row["founder_key"]) if row["founder_key"] else None,
        home=f"category/{row['slug']}" + (f"/archive/{row['page']}" if row["page"] else ""),
    )


def _parts(values: Sequence[int], size: int = MAX_IN) -> Iterable[Sequence[int]]:
    return (values[start : start + size] for start in range(0, len(values), size))


def _url(value: str | None) -> Url | None:
    return None if value is None else Url(value)


# Writing.


def publication_row(item: NewPublication) -> dict[str, Any]:
    """Return the row of a new publication."""
    return {
        "story_id": item.story,
        "category_id": item.category,
        "entered_at": item.entered_at,
        "sort_at": item.sort_at,
        "backfill": item.backfill,
        "shown_id": item.shown,
        "digest": item.digest,
        "updated": item.updated,
    }


def insert_publications(connection: Connection, made: Sequence[NewPublication]) -> None:

    if made:
        connection.execute(publication.insert(), [publication_row(item) for item in made])


def write_shown(connection: Connection, shown: Sequence[ShownChange]) -> None:
    """Write which entry and text publications show from now on. A withdrawn publication becomes visible again."""
    if not shown:
        return
    statement = _ONE.values(
        shown_id=bindparam("new_shown"),
        digest=bindparam("new_digest"),
        updated=bindparam("new_updated"),
        withdrawn_at=None,
        tombstone_ended_at=None,
        thinned_at=case((publication.c.page.is_(None), None), else_=publication.c.thinned_at),  # K3
    )
    rows = [
        {
            "of_story": item.story,
            "of_category": item.category,
            "new_shown": item.shown,
            "new_digest": item.digest,
            "new_updated": item.updated,
        }
        for item in shown
    ]
    connection.execute(statement, rows)


def withdraw(
    connection: Connection, withdrawn: Iterable[tuple[int, int]], now: datetime, *, traceless: bool = False
) -> None:
    """Withdraw publications.

    Args:
        connection: a connection that writes.
        withdrawn: (story, category) of each publication.
        now: the time.
        traceless: nobody has seen them, so they get no tombstone (T6).
    """
    rows = [{"of_story": number, "of_category": place} for number, place in withdrawn]
    if rows:
        connection.execute(_ONE.values(withdrawn_at=now, tombstone_ended_at=now if traceless else None), rows)


_ONE = update(publication).where(
    publication.c.story_id == bindparam("of_story"), publication.c.category_id == bindparam("of_category")
)
