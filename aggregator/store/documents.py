"""What a document shows, read in one go from one moment of the store (R31)."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, literal, select

from aggregator.decide.order import believed
from aggregator.decide.standing import said_gone_at
from aggregator.model.entry import KeyRule, Origin
from aggregator.model.known import EntryState
from aggregator.model.poll import State
from aggregator.model.settings import CategoryKey, Show, SourceKey
from aggregator.model.story import Credit, Publication, Tombstone
from aggregator.store.dialect import MAX_IN
from aggregator.store.records import enclosures_of, origin_of, people_of, supplement_of, tags_of
from aggregator.store.schema import Instant, category, entry, publication, source, story
from aggregator.urls import Url


@dataclass(frozen=True, slots=True, kw_only=True)
class MainRow:
    """A publication in the main document, as far as filing needs it."""

    story: int
    atom_id: str
    sort_at: datetime
    entered_at: datetime
    backfill: bool
    characters: int  # of its texts


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """A source as the lists show it."""

    key: SourceKey
    url: Url
    state: State
    paused: bool
    code: str | None
    error: str | None
    feed: Origin | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """A story in a category, in whatever document it stands, or stood."""

    category: int
    publication: Publication
    withdrawn: bool
    cooled: bool  # its post stands in the archive


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What may not be shown of a source, as feeds.yaml said last: it holds also once the source is gone from there."""

    private: bool
    show: Show | None
    noindex: bool
    addresses: tuple[Url, ...]  # as configured, and in use


_FOUNDING, _FOUNDER = entry.alias("founding"), source.alias("founder")
BEFORE_ALL = datetime(1, 1, 1, tzinfo=UTC)  # stories sort by own dates, which may lie before 1970
FAIR_AMONG = 50  # newest stories of a category; what is older takes no place from what is new

_SHOWN = (
    publication.c.story_id,
    publication.c.category_id,
    publication.c.sort_at,
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
            "first_seen origin"
        ).split()
    ),
)
STANDING_TOMBSTONE = publication.c.withdrawn_at.is_not(None) & publication.c.tombstone_ended_at.is_(None)
_IN_ORDER = (publication.c.sort_at.desc(), story.c.atom_id)  # M1


def main_rows(connection: Connection, number: int) -> list[MainRow]:
    """Give the main document of a category in order, without its contents."""
    query = (
        select(
            publication.c.story_id,
            story.c.atom_id,
            publication.c.sort_at,
            publication.c.entered_at,
            publication.c.backfill,
            (func.length(entry.c.content) + func.length(entry.c.summary)).label("characters"),
        )
        .join(story, story.c.id == publication.c.story_id)
        .join(entry, entry.c.id == publication.c.shown_id)
        .where(publication.c.category_id == number, publication.c.page.is_(None), publication.c.withdrawn_at.is_(None))
        .order_by(*_IN_ORDER)
    )
    return [
        MainRow(story=row["story_id"], **{name: row[name] for name in row if name != "story_id"})
        for row in connection.execute(query).mappings()
    ]


def main_texts(connection: Connection, number: int) -> Iterator[tuple[int, str, str]]:
    """Give the story, the summary and the content of each publication in the main document of a category."""
    query = (
        select(publication.c.story_id, entry.c.summary, entry.c.content)
        .join(entry, entry.c.id == publication.c.shown_id)
        .where(publication.c.category_id == number, publication.c.page.is_(None), publication.c.withdrawn_at.is_(None))
    )
    for row in connection.execute(query):
        yield row.story_id, row.summary, row.content


def publications(connection: Connection, number: int, page: int | None) -> tuple[Publication, ...]:
    """Give what stands in one document of a category, in order."""
    place = publication.c.page.is_(None) if page is None else publication.c.page == page
    query = shown().where(publication.c.category_id == number, place, publication.c.withdrawn_at.is_(None))
    return filled(connection, query.order_by(*_IN_ORDER), on_page=True)


def newest(connection: Connection, numbers: Sequence[int], limit: int) -> tuple[Publication, ...]:
    """Give the newest stories of some categories together, each once, by first publication (DESIGN 3.3, all.*)."""
    earlier, listed = publication.alias(), list(numbers)
    before = (
        select(earlier.c.story_id)
        .where(
            earlier.c.story_id == publication.c.story_id,
            (earlier.c.category_id + 0).in_(listed),
            earlier.c.withdrawn_at.is_(None),
            (earlier.c.sort_at < publication.c.sort_at)
            | ((earlier.c.sort_at == publication.c.sort_at) & (earlier.c.category_id < publication.c.category_id)),
        )
        .exists()
    )
    # `+ 0`: no index by category is of use, and with one all that was ever published would be sorted (1.2 s of 20,000
    # in 200 categories); by `sort_at` no more is looked at than is shown.
    stands = ((publication.c.category_id + 0).in_(listed), publication.c.withdrawn_at.is_(None), ~before)
    chosen = select(publication.c.story_id).join(story, story.c.id == publication.c.story_id).where(*stands)
    stories = connection.execute(chosen.order_by(*_IN_ORDER).limit(limit)).scalars().all()
    query = shown().where(publication.c.story_id.in_(stories), *stands)
    return filled(connection, query.order_by(*_IN_ORDER))


def newest_of_each(
    connection: Connection, numbers: Sequence[int], limit: int, *, fair: bool
) -> dict[int, tuple[Publication, ...]]:
    """Give the newest stories of each of some categories, in a few statements however many these are.

    Args:
        connection: a reading one.
        numbers: of the categories.
        limit: so many at most of each.
        fair: let one source have at most half of them, while others have enough among the newest `FAIR_AMONG` (A23).

    Returns:
        The stories of each category that has any.
    """
    tellers = _tellers(connection, numbers, FAIR_AMONG if fair else limit)
    told_in = {number: [told for told, _ in some] for number, some in tellers.items()}
    chosen = {n: set(fair_share(some, limit) if fair else told_in[n][:limit]) for n, some in tellers.items()}
    rows: dict[tuple[int, int], RowMapping] = {}
    for part in _parts(sorted({told for some in chosen.values() for told in some})):
        found = connection.execute(shown().where(publication.c.story_id.in_(part))).mappings()
        rows |= {(row["category_id"], row["story_id"]): row for row in found}
    ordered = {n: [rows[n, told] for told in told_in[n] if told in some] for n, some in chosen.items()}
    credits = _credits(connection, [row for some in ordered.values() for row in some])
    return {number: tuple(_publication(row, credits) for row in some) for number, some in ordered.items()}


def _tellers(connection: Connection, numbers: Sequence[int], limit: int) -> dict[int, list[tuple[int, int]]]:
    """Give the newest stories of categories, each with the source whose copy is shown.

    SQLite has no LATERAL, and a window function would number all that was ever published: the time of the last story
    wanted is looked up for each category instead, in the index that gives the others too.
    """
    standing = publication.alias()
    last = (
        select(standing.c.sort_at)
        .where(standing.c.category_id == category.c.id, standing.c.withdrawn_at.is_(None))
        .order_by(standing.c.sort_at.desc())
        .limit(1)
        .offset(limit - 1)
        .scalar_subquery()
    )
    stands = (publication.c.category_id == category.c.id) & publication.c.withdrawn_at.is_(None)
    query = (
        select(category.c.id, publication.c.story_id, entry.c.source_id)
        .select_from(category)
        .join(publication, stands & (publication.c.sort_at >= func.coalesce(last, literal(BEFORE_ALL, Instant))))
        .join(story, story.c.id == publication.c.story_id)  # its id is part of the order
        .join(entry, entry.c.id == publication.c.shown_id)
        .order_by(category.c.id, *_IN_ORDER)
    )
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for part in _parts(numbers):
        for number, story_id, source_id in connection.execute(query.where(category.c.id.in_(part))):
            found[number].append((story_id, source_id))
    return {number: some[:limit] for number, some in found.items()}


def fair_share(told: Sequence[tuple[int, int]], limit: int) -> list[int]:
    """Choose among stories so that no source fills over half of a list, as long as others have some (A23).

    Args:
        told: stories, each with its source, the newest first.
        limit: how many to choose; what others can't fill is filled as the stories come.
    """
    counts: Counter[int] = Counter()
    chosen: list[int] = []
    left: list[int] = []
    for number, teller in told:
        counts[teller] += 1
        (chosen if counts[teller] <= limit // 2 else left).append(number)
    return [*chosen, *left][:limit]


def placements(connection: Connection, stories: Sequence[int]) -> list[Placement]:
    """Give where some stories stand, or stood, in order of story and category."""
    found = []
    for part in _parts(sorted(stories)):
        query = shown().add_columns(publication.c.withdrawn_at, publication.c.cooled_at)
        query = query.where(publication.c.story_id.in_(part))
        rows = connection.execute(query.order_by(publication.c.story_id, publication.c.category_id)).mappings().all()
        credits = _credits(connection, rows)
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


def publications_of(connection: Connection, places: Mapping[int, int]) -> dict[int, Publication]:
    """Give stories as each is shown in one category, with all other copies of it, late ones too (M7).

    Args:
        connection: a reading one.
        places: story: the category.
    """
    rows = []
    for part in _parts(sorted(places)):
        found = connection.execute(shown().where(publication.c.story_id.in_(part))).mappings()
        rows += [row for row in found if row["category_id"] == places[row["story_id"]]]
    credits = _credits(connection, rows, late=True)
    return {row["story_id"]: _publication(row, credits) for row in rows}


def tombstones(connection: Connection, number: int) -> tuple[Tombstone, ...]:
    """Give what was withdrawn from a category and still has a tombstone in its main document (M8)."""
    query = (
        select(story.c.atom_id, publication.c.withdrawn_at, publication.c.updated, source.c.key)
        .join(story, story.c.id == publication.c.story_id)
        .outerjoin(entry, entry.c.id == story.c.founder_id)
        .outerjoin(source, source.c.id == entry.c.source_id)
        .where(publication.c.category_id == number, STANDING_TOMBSTONE)
    )
    query = query.order_by(publication.c.withdrawn_at.desc(), story.c.atom_id)
    return tuple(map(_tombstone, connection.execute(query).mappings()))


def tombstones_of_all(connection: Connection, numbers: Sequence[int]) -> tuple[Tombstone, ...]:
    """Give what was withdrawn from some categories and stands in none of them: what leaves all.* by that."""
    still, listed = publication.alias(), list(numbers)
    stands = (
        select(still.c.story_id)
        .where(
            still.c.story_id == publication.c.story_id,
            still.c.category_id.in_(listed),
            still.c.withdrawn_at.is_(None),
        )
        .exists()
    )
    when = func.max(publication.c.withdrawn_at).label("withdrawn_at")
    query = (
        select(story.c.atom_id, when, func.max(publication.c.updated).label("updated"), source.c.key)
        .join(story, story.c.id == publication.c.story_id)
        .outerjoin(entry, entry.c.id == story.c.founder_id)
        .outerjoin(source, source.c.id == entry.c.source_id)
        .where(publication.c.category_id.in_(listed), STANDING_TOMBSTONE, ~stands)
        .group_by(story.c.id, story.c.atom_id, source.c.key)
        .order_by(when.desc(), story.c.atom_id)
    )
    return tuple(map(_tombstone, connection.execute(query).mappings()))


def _tombstone(row: RowMapping) -> Tombstone:
    when = said_gone_at(row["withdrawn_at"], row["updated"])
    return Tombstone(ref=row["atom_id"], when=when, source=row["key"])


def source_rows(connection: Connection) -> list[SourceRow]:
    """Give the sources of feeds.yaml as the lists show them, in the order of their keys."""
    names = ("key", "url", "state", "paused", "code", "error", "feed")
    query = select(*(source.c[name] for name in names)).where(source.c.active).order_by(source.c.key)
    return [
        SourceRow(**(dict(row) | {"state": State(row["state"]), "feed": origin_of(row["feed"])}))
        for row in connection.execute(query).mappings()
    ]


def limits(connection: Connection) -> dict[SourceKey, Limits]:
    """Give the sources of which not everything may be shown, in the order of their keys."""
    names = ("key", "url", "url_in_use", "private", "show", "noindex")
    limited = source.c.private | source.c.show.is_not(None) | source.c.noindex
    query = select(*(source.c[name] for name in names)).where(limited)
    return {
        SourceKey(row.key): Limits(
            private=row.private,
            show=Show(row.show) if row.show else None,
            noindex=row.noindex,
            addresses=tuple(dict.fromkeys((Url(row.url), Url(row.url_in_use)))),
        )
        for row in connection.execute(query.order_by(source.c.key)).all()
    }


def shown() -> Select[Any]:
    """Give the query of publications as they are shown, for a condition and an order of whoever asks."""
    return (
        select(*_SHOWN)
        .join(story, story.c.id == publication.c.story_id)
        .join(category, category.c.id == publication.c.category_id)
        .join(entry, entry.c.id == publication.c.shown_id)
        .join(source, source.c.id == entry.c.source_id)
        .outerjoin(_FOUNDING, _FOUNDING.c.id == story.c.founder_id)
        .outerjoin(_FOUNDER, _FOUNDER.c.id == _FOUNDING.c.source_id)
    )


def filled(connection: Connection, query: Select[Any], *, on_page: bool = False) -> tuple[Publication, ...]:
    """Run such a query, and add the other copies of each story.

    Args:
        connection: a reading one.
        query: made of `shown`.
        on_page: give them as they stand in their documents: an archive page that was thinned shows no texts, though
            the store has them for another category (K3).
    """
    rows = connection.execute(query).mappings().all()
    credits = _credits(connection, rows)
    found = (_publication(row, credits) for row in rows)
    return tuple(_as_it_stands(one, row) if on_page else one for one, row in zip(found, rows, strict=True))


def _as_it_stands(found: Publication, row: RowMapping) -> Publication:
    """Leave out the texts of what was thinned on its page."""
    return found if row["thinned_at"] is None else replace(found, summary="", content="")


Credits = Mapping[tuple[int, int], Sequence[Credit]]  # by category and story


def _credits(connection: Connection, rows: Iterable[RowMapping], *, late: bool = False) -> Credits:
    """Give the other copies of each story, first seen first; an archive page takes no notice of `late` ones (M7).

    Two categories may show different copies of one story (T2): to each the other one is a credit.
    """
    told_by: dict[int, list[RowMapping]] = defaultdict(list)
    for row in rows:
        told_by[row["story_id"]].append(row)
    found: dict[tuple[int, int], list[Credit]] = defaultdict(list)
    keys: dict[int, CategoryKey] = {}  # looked up once there is a copy: most stories have none
    for ids in _parts(sorted(told_by)):
        query = (
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
            .where(entry.c.story_id.in_(ids), entry.c.state != EntryState.WITHDRAWN.value)
            .order_by(entry.c.id)
        )
        for copy in connection.execute(query).all():
            for told in told_by[copy.story_id]:
                is_late = told["filed_at"] is not None and copy.joined_at > told["filed_at"]
                if copy.id == told["shown_id"] or (is_late and not late):
                    continue
                keys = keys or _keys(connection)
                origin = origin_of(copy.origin)
                found[told["category_id"], copy.story_id].append(
                    Credit(
                        source=SourceKey(copy.key),
                        title=origin.title if origin else "",
                        link=_url(copy.link),
                        site=origin.link if origin else None,
                        places=tuple(keys[place] for place in copy.categories),
                        key=copy.entry_key,
                    )
                )
    return found


def _keys(connection: Connection) -> dict[int, CategoryKey]:
    """Give the key of each category."""
    return {row.id: CategoryKey(row.key) for row in connection.execute(select(category.c.id, category.c.key)).all()}


def _parts(values: Sequence[int]) -> Iterable[Sequence[int]]:
    return (values[start : start + MAX_IN] for start in range(0, len(values), MAX_IN))


def _publication(row: RowMapping, credits: Credits) -> Publication:
    origin = origin_of(row["entry_origin"])
    assert origin is not None, "every entry is stored with its origin (A9)"
    return Publication(
        story=row["story_id"],
        atom_id=row["atom_id"],
        page_id=row["page_id"],
        sort_at=row["sort_at"],
        page=row["page"],
        published=believed(row["entry_published"], row["entry_first_seen"]),
        updated=row["updated"],
        source=SourceKey(row["source_key"]),
        entry_key=row["entry_key"],
        key_rule=KeyRule(row["entry_key_rule"]),
        digest=row["shown_digest"],
        title=row["entry_title"],
        link=_url(row["entry_link"]),
        summary=row["entry_summary"],
        content=row["entry_content"],
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


def _url(value: str | None) -> Url | None:
    return None if value is None else Url(value)
