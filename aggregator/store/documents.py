"""What a document shows, read in one go from one moment of the store (R31)."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import BigInteger, Connection, RowMapping, bindparam, func, literal, select

from aggregator.decide.publications import said_gone_at
from aggregator.model.story import Publication, Tombstone
from aggregator.store.dialect import MAX_IN, insert
from aggregator.store.publications import filled, shown, with_copies
from aggregator.store.queries import by, rows_by
from aggregator.store.schema import Instant, category, document, entry, publication, source, story


@dataclass(frozen=True, slots=True, kw_only=True)
class MainRow:
    """A publication in the main document, as far as filing needs it."""

    story: int
    atom_id: str
    sort_at: datetime
    entered_at: datetime
    backfill: bool
    characters: int  # of its texts


BEFORE_ALL = datetime(1, 1, 1, tzinfo=UTC)  # stories sort by own dates, which may lie before 1970
FAIR_AMONG = 50  # newest stories of a category; what is older takes no place from what is new

STANDING_TOMBSTONE = publication.c.withdrawn_at.is_not(None) & publication.c.tombstone_ended_at.is_(None)
_IN_ORDER = (publication.c.sort_at.desc(), story.c.atom_id)  # M1


ALL: Final = 0  # in place of a category: of what shows all categories together
MAIN: Final = 0  # in place of a page
_SAID = by(
    select(document.c.page, document.c.updated).where(
        document.c.category_id == bindparam("category", type_=BigInteger)
    ),
    document.c.page,
)


class Documents:
    """What a transaction gives of documents: `tx.documents`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def main_rows(self, number: int) -> list[MainRow]:
        """Return the main document of a category in order, without its contents."""
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
            .where(
                publication.c.category_id == number, publication.c.page.is_(None), publication.c.withdrawn_at.is_(None)
            )
            .order_by(*_IN_ORDER)
        )
        return [
            MainRow(story=row["story_id"], **{name: row[name] for name in row if name != "story_id"})
            for row in self._connection.execute(query).mappings()
        ]

    def main_texts(self, number: int) -> Iterator[tuple[int, str, str]]:
        """Return the story, the summary and the content of each publication in the main document of a category."""
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
        """Give what stands in one document of a category, in order."""
        place = publication.c.page.is_(None) if page is None else publication.c.page == page
        query = shown().where(publication.c.category_id == number, place, publication.c.withdrawn_at.is_(None))
        return filled(self._connection, query.order_by(*_IN_ORDER), on_page=True)

    def said(self, number: int, pages: Collection[int | None]) -> dict[int | None, datetime]:
        """Return the latest published `updated` of documents; documents without one are left out (A7).

        Args:
            number: of the category, or `ALL`.
            pages: archive pages; None: the main document.
        """
        rows = rows_by(self._connection, _SAID, sorted(page or MAIN for page in pages), category=number)
        return {row["page"] or None: row["updated"] for row in rows}

    def say(self, number: int, updated: Mapping[int | None, datetime]) -> None:
        """Note what documents are about to say, before they are written: none says less from then on.

        Args:
            number: of the category, or `ALL`.
            updated: archive page, or None for the main document: the feed's `updated`.
        """
        say(self._connection, {(number, page or MAIN): when for page, when in updated.items()})

    def newest(self, numbers: Sequence[int], limit: int) -> tuple[Publication, ...]:
        """Return the newest stories of some categories together, each once, by first publication."""
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
        # `+ 0`: no index by category is of use, and with one all that was ever published would be sorted (1.2 s of
        # 20,000 in 200 categories); by `sort_at` no more is looked at than is shown.
        stands = ((publication.c.category_id + 0).in_(listed), publication.c.withdrawn_at.is_(None), ~before)
        chosen = select(publication.c.story_id).join(story, story.c.id == publication.c.story_id).where(*stands)
        stories = self._connection.execute(chosen.order_by(*_IN_ORDER).limit(limit)).scalars().all()
        query = shown().where(publication.c.story_id.in_(stories), *stands)
        return filled(self._connection, query.order_by(*_IN_ORDER))

    def newest_of_each(self, numbers: Sequence[int], limit: int, *, fair: bool) -> dict[int, tuple[Publication, ...]]:
        """Return the newest stories of each of some categories, in a few statements however many these are.

        Args:
            numbers: of the categories.
            limit: so many at most of each.
            fair: let one source have at most half of them, while others have enough among the newest `FAIR_AMONG`
                (A23).

        Returns:
            The stories of each category that has any.
        """
        tellers = self._tellers(numbers, FAIR_AMONG if fair else limit)
        told_in = {number: [told for told, _ in some] for number, some in tellers.items()}
        chosen = {n: set(fair_share(some, limit) if fair else told_in[n][:limit]) for n, some in tellers.items()}
        rows: dict[tuple[int, int], RowMapping] = {}
        for part in _parts(sorted({told for some in chosen.values() for told in some})):
            found = self._connection.execute(shown().where(publication.c.story_id.in_(part))).mappings()
            rows |= {(row["category_id"], row["story_id"]): row for row in found}
        ordered = {n: [told for told in told_in[n] if told in some] for n, some in chosen.items()}
        places = [(n, told) for n, some in ordered.items() for told in some]
        made = dict(zip(places, with_copies(self._connection, [rows[place] for place in places]), strict=True))
        return {n: tuple(made[n, told] for told in some) for n, some in ordered.items()}

    def tombstones(self, number: int) -> tuple[Tombstone, ...]:
        """Give what was withdrawn from a category and still has a tombstone in its main document (M8)."""
        query = (
            select(story.c.atom_id, publication.c.withdrawn_at, publication.c.updated, source.c.key)
            .join(story, story.c.id == publication.c.story_id)
            .outerjoin(entry, entry.c.id == story.c.founder_id)
            .outerjoin(source, source.c.id == entry.c.source_id)
            .where(publication.c.category_id == number, STANDING_TOMBSTONE)
        )
        query = query.order_by(publication.c.withdrawn_at.desc(), story.c.atom_id)
        return tuple(map(_tombstone, self._connection.execute(query).mappings()))

    def tombstones_of_all(self, numbers: Sequence[int]) -> tuple[Tombstone, ...]:
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
        return tuple(map(_tombstone, self._connection.execute(query).mappings()))

    def _tellers(self, numbers: Sequence[int], limit: int) -> dict[int, list[tuple[int, int]]]:
        """Return the newest stories of categories, each with the source whose copy is shown.

        SQLite has no LATERAL, and a window function would number all that was ever published: the time of the last
        story wanted is looked up for each category instead, in the index that gives the others too.
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
            for number, story_id, source_id in self._connection.execute(query.where(category.c.id.in_(part))):
                found[number].append((story_id, source_id))
        return {number: some[:limit] for number, some in found.items()}


def say(connection: Connection, updated: Mapping[tuple[int, int], datetime]) -> None:
    """Note what documents say, by category and page."""
    if updated:
        rows = [{"category_id": n, "page": page, "updated": when} for (n, page), when in sorted(updated.items())]
        statement = insert(document, connection.dialect.name)
        later = statement.excluded.updated
        statement = statement.on_conflict_do_update(
            index_elements=["category_id", "page"], set_={"updated": later}, where=document.c.updated < later
        )
        connection.execute(statement, rows)


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


def _tombstone(row: RowMapping) -> Tombstone:
    when = said_gone_at(row["withdrawn_at"], row["updated"])
    return Tombstone(ref=row["atom_id"], when=when, source=row["key"])


def _parts(values: Sequence[int]) -> Iterable[Sequence[int]]:
    return (values[start : start + MAX_IN] for start in range(0, len(values), MAX_IN))
