"""Contents of published documents: publications, tombstones and the last `updated` of each document (R31)."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    bindparam,
    func,
    literal,
    select,
)

from aggregator.late import late
from aggregator.model.story import ArchiveSpan, Publication, Tombstone
from aggregator.store.publications import filled, shown, shown_of_stories, with_copies
from aggregator.store.queries import by, rows_by
from aggregator.store.river import RiverPage
from aggregator.store.schema import MAX_IN, Instant, category, document, entry, insert, publication, source, story

if TYPE_CHECKING:
    from aggregator.decide import publications
else:
    publications = late("aggregator.decide.publications")


@dataclass(frozen=True, slots=True, kw_only=True)
class MainRow:
    """A publication in the main document, with the columns that filing needs."""

    story: int
    atom_id: str
    sort_at: datetime
    entered_at: datetime
    backfill: bool
    characters: int  # length of summary and content


BEFORE_ALL = datetime(1, 1, 1, tzinfo=UTC)  # stories are sorted by their own dates, which may be before 1970
FAIR_AMONG = 50  # newest stories of a category, among which `fair` chooses; older stories displace none of them
MOST_ON_PAGE = 500  # stories of a closed page of the river; more only have the very same `sort_at`

STANDING_TOMBSTONE = publication.c.withdrawn_at.is_not(None) & publication.c.tombstone_ended_at.is_(None)
_EARLIER, _STANDING = publication.alias(), publication.alias()
_IN_ORDER = (publication.c.sort_at.desc(), story.c.atom_id)  # M1


ALL: Final = 0  # `document.category_id` of `all.*`
MAIN: Final = 0  # `document.page` of a main document
_UPDATED = by(
    select(document.c.page, document.c.updated).where(
        document.c.category_id == bindparam("category", type_=BigInteger)
    ),
    document.c.page,
)

_IN_CATEGORY = publication.c.category_id == bindparam("category")
_IN_MAIN = (_IN_CATEGORY, publication.c.page.is_(None), publication.c.withdrawn_at.is_(None))
_MAIN_ROWS = (
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
    .where(*_IN_MAIN)
    .order_by(*_IN_ORDER)
)
_TOMBSTONES = (
    select(story.c.atom_id, publication.c.withdrawn_at, publication.c.updated, source.c.key)
    .join(story, story.c.id == publication.c.story_id)
    .outerjoin(entry, entry.c.id == story.c.founder_id)
    .outerjoin(source, source.c.id == entry.c.source_id)
    .where(_IN_CATEGORY, STANDING_TOMBSTONE)
    .order_by(publication.c.withdrawn_at.desc(), story.c.atom_id)
)
_SPANS = (
    select(
        publication.c.page,
        func.min(publication.c.sort_at).label("since"),
        func.max(publication.c.sort_at).label("until"),
    )
    .where(_IN_CATEGORY, publication.c.page > bindparam("after"), publication.c.withdrawn_at.is_(None))
    .group_by(publication.c.page)
    .order_by(publication.c.page.desc())
)
_COUNTS = by(
    select(publication.c.category_id, func.count(publication.c.sort_at).label("stories"))
    .where(publication.c.withdrawn_at.is_(None))
    .group_by(publication.c.category_id),
    publication.c.category_id,
)
_OF_ENTRIES = by(
    select(
        *(publication.c[name] for name in "story_id category_id shown_id sort_at entered_at".split()), story.c.atom_id
    )
    .join(story, story.c.id == publication.c.story_id)
    .where(publication.c.withdrawn_at.is_(None)),
    publication.c.shown_id,
)


class Documents:
    """Queries for the contents of documents, and their last `updated`: `tx.documents`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def main_rows(self, number: int) -> list[MainRow]:
        """Return the publications in the main document of a category, in order, without their contents."""
        return [
            MainRow(story=row["story_id"], **{name: row[name] for name in row if name != "story_id"})
            for row in self._connection.execute(_MAIN_ROWS, {"category": number}).mappings()
        ]

    def main_texts(self, number: int) -> Iterator[tuple[int, str, str]]:
        """Yield (story id, summary, content) of each publication in the main document of a category, in no order."""
        query = (
            select(publication.c.story_id, entry.c.summary, entry.c.content)
            .join(entry, entry.c.id == publication.c.shown_id)
            .where(
                publication.c.category_id == number, publication.c.page.is_(None), publication.c.withdrawn_at.is_(None)
            )
        )
        for row in self._connection.execute(query):
            yield row.story_id, row.summary, row.content

    def publications(self, number: int, page: int | None) -> tuple[Publication, ...]:
        """Return the publications in one document of a category, in order; `page` None: the main document."""
        bound = {"category": number} if page is None else {"category": number, "page": page}
        return filled(self._connection, _shown_in(is_main=page is None), on_page=True, **bound)

    def said(self, number: int, pages: Collection[int | None]) -> dict[int | None, datetime]:
        """Return the last published `updated` of documents; documents without a stored value are left out (A7).

        Args:
            number: id of the category, or `ALL`.
            pages: numbers of archive pages; None: the main document.
        """
        rows = rows_by(self._connection, _UPDATED, sorted(page or MAIN for page in pages), category=number)
        return {row["page"] or None: row["updated"] for row in rows}

    def spans(self, number: int, after: int) -> tuple[ArchiveSpan, ...]:
        """Return the archive pages of a category, the newest first, with the times of their first and last story.

        Withdrawn stories do not count: a restored store does not know when they were filed.

        Args:
            number: id of the category.
            after: only pages with higher numbers.
        """
        rows = self._connection.execute(_SPANS, {"category": number, "after": after})
        return tuple(ArchiveSpan(number=r.page, since=r.since, until=r.until) for r in rows)

    def said_last(self) -> dict[int, datetime]:
        """Return the last published `updated` of the main document of each category, by its id."""
        query = select(document.c.category_id, document.c.updated).where(document.c.page == MAIN)
        return {row.category_id: row.updated for row in self._connection.execute(query)}

    def say(self, number: int, updated: Mapping[int | None, datetime]) -> None:
        """Store the `updated` of documents before their files are written, so that no later value is earlier (A7).

        Args:
            number: id of the category, or `ALL`.
            updated: `updated` of each document, by number of the archive page; None: the main document.
        """
        say(self._connection, {(number, page or MAIN): when for page, when in updated.items()})

    def newest(self, numbers: Sequence[int], limit: int) -> tuple[Publication, ...]:
        """Return the newest stories of several categories, each story once, with its earliest publication.

        Args:
            numbers: ids of the categories.
            limit: maximum number of stories.
        """
        return self._all_together(_EARLIEST, {"listed": numbers, "most": limit})

    def of_river_page(self, numbers: Sequence[int], page: RiverPage) -> tuple[Publication, ...]:
        """Return the stories of a closed page of the river, in order, each once.

        Args:
            numbers: ids of the categories.
            page: the page.
        """
        span = {"since": page.since, "until": page.until, "closed_at": page.closed_at}
        return self._all_together(_EARLIEST_ON_PAGE, {"listed": numbers, "most": MOST_ON_PAGE, **span})

    def of_entries(
        self, numbers: Collection[int], lists: Sequence[Sequence[int]], limit: int, until: datetime | None
    ) -> list[tuple[Publication, ...]]:
        """Return for each list of entries the newest stories of which one of them is shown, in order, each once.

        Args:
            numbers: ids of the categories.
            lists: ids of the entries of several sources; no id is in two lists.
            limit: maximum number of stories of each list.
            until: stories that entered later are left out; None: none are.
        """
        list_of = {entry: index for index, entries in enumerate(lists) for entry in entries}
        earliest: list[dict[int, tuple[datetime, int, str]]] = [{} for _ in lists]
        for part in _parts(sorted(list_of)):
            for row in self._connection.execute(_OF_ENTRIES, {"values": part}):
                place = (row.sort_at, row.category_id, row.atom_id)
                if row.category_id in numbers and (until is None or row.entered_at <= until):
                    stories = earliest[list_of[row.shown_id]]
                    stories[row.story_id] = min(place, stories.get(row.story_id, place))
        chosen = []
        for stories in earliest:
            by_id = sorted(stories, key=lambda n: stories[n][2])
            newest = sorted(by_id, key=lambda n: stories[n][0], reverse=True)[:limit]
            chosen.append([(stories[number][1], number) for number in newest])
        by_place = {}
        for part in _parts(sorted({number for places in chosen for _, number in places})):
            for shows in self._connection.execute(shown().where(publication.c.story_id.in_(part))).mappings():
                by_place[shows["category_id"], shows["story_id"]] = shows
        found = iter(with_copies(self._connection, [by_place[place] for places in chosen for place in places]))
        return [tuple(islice(found, len(places))) for places in chosen]

    def newest_times(self, numbers: Sequence[int], since: datetime | None, limit: int) -> list[datetime]:
        """Return the `sort_at` of the newest stories of several categories, each story once, the newest first.

        Args:
            numbers: ids of the categories.
            since: earliest `sort_at`; None: any.
            limit: maximum number of stories.
        """
        bound = {"listed": numbers, "most": limit, "since": BEFORE_ALL if since is None else since}
        return list(self._connection.execute(_TIMES, bound).scalars())

    def counts(self, numbers: Sequence[int]) -> dict[int, int]:
        """Return the number of stories of each category; the query reads only an index."""
        found = dict.fromkeys(numbers, 0)
        for part in _parts(numbers):
            found |= {number: count for number, count in self._connection.execute(_COUNTS, {"values": part})}
        return found

    def _all_together(
        self, stands: tuple[ColumnElement[bool], ...], bound: Mapping[str, Any]
    ) -> tuple[Publication, ...]:
        chosen, query = _together(stands)
        stories = self._connection.execute(chosen, bound).scalars().all()
        return filled(self._connection, query, stories=stories, **bound)

    def newest_of_each(self, numbers: Sequence[int], limit: int, *, fair: bool) -> dict[int, tuple[Publication, ...]]:
        """Return the newest stories of each category, in a few statements for any number of categories.

        Args:
            numbers: ids of the categories.
            limit: maximum number of stories of each category.
            fair: at most half of the stories come from one source, if other sources have enough stories among the
                newest `FAIR_AMONG` (A23).

        Returns:
            The stories in order, by id of the category; categories without stories are left out.
        """
        newest = self._newest_with_sources(numbers, FAIR_AMONG if fair else limit)
        stories = {number: [story_id for story_id, _ in some] for number, some in newest.items()}
        chosen = {n: set(fair_share(some, limit) if fair else stories[n][:limit]) for n, some in newest.items()}
        rows: dict[tuple[int, int], RowMapping] = {}
        for part in _parts(sorted({story_id for some in chosen.values() for story_id in some})):
            found = self._connection.execute(shown_of_stories(), {"stories": part}).mappings()
            rows |= {(row["category_id"], row["story_id"]): row for row in found}
        ordered = {n: [story_id for story_id in stories[n] if story_id in some] for n, some in chosen.items()}
        keys = [(n, story_id) for n, some in ordered.items() for story_id in some]
        filled_in = dict(zip(keys, with_copies(self._connection, [rows[key] for key in keys]), strict=True))
        return {n: tuple(filled_in[n, story_id] for story_id in some) for n, some in ordered.items()}

    def tombstones(self, number: int) -> tuple[Tombstone, ...]:
        """Return the tombstones in the main document of a category, the last withdrawn first (M8)."""
        return tuple(map(_tombstone, self._connection.execute(_TOMBSTONES, {"category": number}).mappings()))

    def tombstones_of_all(self, numbers: Sequence[int]) -> tuple[Tombstone, ...]:
        """Return the tombstones of `all.*`: of stories withdrawn from one of several categories and published in none.

        Args:
            numbers: ids of the categories.
        """
        rows = self._connection.execute(_TOMBSTONES_OF_ALL, {"listed": numbers}).mappings()
        return tuple(map(_tombstone, rows))

    def _newest_with_sources(self, numbers: Sequence[int], limit: int) -> dict[int, list[tuple[int, int]]]:
        """Return (story id, source id of the shown entry) of the newest stories of each category, in order.

        SQLite has no LATERAL, and a window function would number all publications ever made. So the `sort_at` of the
        last wanted story is looked up for each category, in the same index from which the stories are read.
        """
        found: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for part in _parts(numbers):
            bound = {"values": part, "others": limit - 1}
            for number, story_id, source_id in self._connection.execute(_WITH_SOURCES, bound):
                found[number].append((story_id, source_id))
        return {number: some[:limit] for number, some in found.items()}


_LISTED: BindParameter[int] = bindparam("listed", expanding=True)  # ids of categories
# `+ 0` keeps SQLite from an index by category, with which all publications would be sorted (1.2 s for 20,000 in 200
# categories). With the index by `sort_at`, only the rows of the result are read.
_EARLIEST = (  # publications that are their stories' earliest in several categories
    (publication.c.category_id + 0).in_(_LISTED),
    publication.c.withdrawn_at.is_(None),
    ~select(_EARLIER.c.story_id)
    .where(
        _EARLIER.c.story_id == publication.c.story_id,
        (_EARLIER.c.category_id + 0).in_(_LISTED),
        _EARLIER.c.withdrawn_at.is_(None),
        (_EARLIER.c.sort_at < publication.c.sort_at)
        | ((_EARLIER.c.sort_at == publication.c.sort_at) & (_EARLIER.c.category_id < publication.c.category_id)),
    )
    .exists(),
)
_EARLIEST_ON_PAGE = (
    *_EARLIEST,
    publication.c.sort_at >= bindparam("since"),
    publication.c.sort_at < bindparam("until"),
    publication.c.entered_at <= bindparam("closed_at"),
)
_MOST = bindparam("most", type_=BigInteger)
_TIMES = (
    select(publication.c.sort_at)
    .where(*_EARLIEST, publication.c.sort_at >= bindparam("since"))
    .order_by(publication.c.sort_at.desc())
    .limit(_MOST)
)
_WITHDRAWN_AT = func.max(publication.c.withdrawn_at).label("withdrawn_at")
_TOMBSTONES_OF_ALL = (
    select(story.c.atom_id, _WITHDRAWN_AT, func.max(publication.c.updated).label("updated"), source.c.key)
    .join(story, story.c.id == publication.c.story_id)
    .outerjoin(entry, entry.c.id == story.c.founder_id)
    .outerjoin(source, source.c.id == entry.c.source_id)
    .where(
        publication.c.category_id.in_(_LISTED),
        STANDING_TOMBSTONE,
        ~select(_STANDING.c.story_id)
        .where(
            _STANDING.c.story_id == publication.c.story_id,
            _STANDING.c.category_id.in_(_LISTED),
            _STANDING.c.withdrawn_at.is_(None),
        )
        .exists(),
    )
    .group_by(story.c.id, story.c.atom_id, source.c.key)
    .order_by(_WITHDRAWN_AT.desc(), story.c.atom_id)
)
_LAST = (
    select(_STANDING.c.sort_at)
    .where(_STANDING.c.category_id == category.c.id, _STANDING.c.withdrawn_at.is_(None))
    .order_by(_STANDING.c.sort_at.desc())
    .limit(1)
    .offset(bindparam("others", type_=BigInteger))
    .scalar_subquery()
)
_WITH_SOURCES = by(
    select(category.c.id, publication.c.story_id, entry.c.source_id)
    .select_from(category)
    .join(
        publication,
        (publication.c.category_id == category.c.id)
        & publication.c.withdrawn_at.is_(None)
        & (publication.c.sort_at >= func.coalesce(_LAST, literal(BEFORE_ALL, Instant))),
    )
    .join(story, story.c.id == publication.c.story_id)  # its id is part of the order
    .join(entry, entry.c.id == publication.c.shown_id)
    .order_by(category.c.id, *_IN_ORDER),
    category.c.id,
)


@lru_cache(maxsize=2)
def _together(stands: tuple[ColumnElement[bool], ...]) -> tuple[Select[Any], Select[Any]]:
    """Return the query of the first ids of publications that fulfil some conditions, and that of all of some `stories`.

    Both are in order.
    """
    chosen = select(publication.c.story_id).join(story, story.c.id == publication.c.story_id).where(*stands)
    chosen = chosen.order_by(*_IN_ORDER).limit(_MOST)
    stories = publication.c.story_id.in_(bindparam("stories", expanding=True))
    return chosen, shown().where(stories, *stands).order_by(*_IN_ORDER)


@lru_cache(maxsize=2)
def _shown_in(*, is_main: bool) -> Select[Any]:
    """Return the query of the publications in a main document, or on a `page`, of a `category`, in order."""
    on_page = (_IN_CATEGORY, publication.c.page == bindparam("page"), publication.c.withdrawn_at.is_(None))
    return shown().where(*(_IN_MAIN if is_main else on_page)).order_by(*_IN_ORDER)


def say(connection: Connection, updated: Mapping[tuple[int, int], datetime]) -> None:
    """Store the `updated` of documents, by category (or `ALL`) and page (or `MAIN`); a later stored value stays."""
    if updated:
        rows = [{"category_id": n, "page": page, "updated": when} for (n, page), when in sorted(updated.items())]
        statement = insert(document, connection.dialect.name)
        later = statement.excluded.updated
        statement = statement.on_conflict_do_update(
            index_elements=["category_id", "page"], set_={"updated": later}, where=document.c.updated < later
        )
        connection.execute(statement, rows)


def fair_share(newest: Sequence[tuple[int, int]], limit: int) -> list[int]:
    """Choose stories so that no source has over half of the list, if other sources have enough stories (A23).

    Args:
        newest: (story id, source id) of stories, the newest first.
        limit: number of stories to choose; places that other sources can't fill are filled by the newest stories left.

    Returns:
        Ids of the chosen stories: first those within the share of their source, then the rest.
    """
    counts: Counter[int] = Counter()
    chosen: list[int] = []
    left: list[int] = []
    for number, source_id in newest:
        counts[source_id] += 1
        (chosen if counts[source_id] <= limit // 2 else left).append(number)
    return [*chosen, *left][:limit]


def _tombstone(row: RowMapping) -> Tombstone:
    when = publications.said_gone_at(row["withdrawn_at"], row["updated"])
    return Tombstone(ref=row["atom_id"], when=when, source=row["key"])


def _parts(values: Sequence[int]) -> Iterable[Sequence[int]]:
    return (values[start : start + MAX_IN] for start in range(0, len(values), MAX_IN))
