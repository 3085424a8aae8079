"""Chooses the publications that leave a category's main document for archive pages (M2 to M5, M9). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from aggregator.model.settings import Show

WIDEST = 6  # bytes that a character takes at most: `<` in JSON Feed (A55)
REST = timedelta(hours=24)  # how long a burst stays in the main document: readers poll at least daily (M3)
HEAVIEST = 9 * 2**20  # bytes of texts: with all that stands around them a document stays below 10 MiB (A22)
LIGHTER = HEAVIEST * 3 // 4  # to which a heavier one is brought down, so that not each new entry closes a page
BURST = 4  # times `entries`: beyond that the main document is too large to wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A publication in the main document: not withdrawn, no page yet."""

    story: int
    sort_at: datetime
    atom_id: str
    entered_at: datetime
    backfill: bool  # it entered by a backfill, and was never considered for archiving (M4)
    weight: int = 0  # bytes of its texts in the largest format, at most


Page = tuple[int, list[int]]  # the number, and the story ids in the order of the document (M1)


def file_pages(main: Sequence[Candidate], *, now: datetime, entries: int, archive_page: int, pages: int) -> list[Page]:
    """Return the new archive pages of a category, each with its publications.

    The first `entries` in order always stay. Of the rest, those that a backfill brought are archived at once (M4);
    then, while there are enough, the last ones (M3). A document that is too heavy loses its last ones early, however
    few it holds and however new these are (A22); the newest of all stays.

    Args:
        main: the main document, in any order.
        now: the time of archiving.
        entries: how many the main document holds at least.
        archive_page: how many a page holds at most.
        pages: how many pages the category has.

    Returns:
        The new pages, numbers counting up from `pages` + 1. The caller writes page and count in one transaction, after
        which no publication of `main` counts as a backfill: those that stayed are pushed down by news like all others,
        and would otherwise be archived one by one, a page each.
    """
    standing = in_order(main)
    backfill = [p for p in standing[entries:] if p.backfill]
    filed = [
        backfill[max(end - archive_page, 0) : end] for end in range(len(backfill), 0, -archive_page)
    ]  # oldest first
    gone = {p.story for p in backfill}
    standing = [p for p in standing if p.story not in gone]
    while len(standing) >= entries + archive_page:
        last = standing[-archive_page:]
        fresh = any(now - p.entered_at < REST for p in last)
        if fresh and len(standing) < BURST * entries:
            break
        filed.append(last)
        del standing[-archive_page:]
    filed += _too_heavy(standing, archive_page)
    return [(pages + number, [p.story for p in page]) for number, page in enumerate(filed, start=1)]


def weight_of(show: Show, summary: str, content: str) -> int:
    """Return the greatest number of bytes that the texts of a publication can take in the largest format.

    Args:
        show: what the category shows of its stories.
        summary: as stored.
        content: likewise.
    """
    shown = {Show.FULL: (summary, content), Show.SUMMARY: (summary,), Show.TITLE: ()}[show]
    return sum(
        len(text.encode()) + sum(map(text.count, "<>&")) * (WIDEST - 1) + sum(map(text.count, '"\\\n\t'))
        for text in shown
    )


def fitting(texts: Sequence[tuple[str, str]]) -> int:
    """Return how many stories fit into a document without an archive: at least one, below `HEAVIEST` together (A22).

    Args:
        texts: summary and content of each, as they are shown, in the order of the document.
    """
    if sum(len(text) for pair in texts for text in pair) * WIDEST <= HEAVIEST:
        return len(texts)
    total = 0
    for place, pair in enumerate(texts):
        total += weight_of(Show.FULL, *pair)
        if place and total > HEAVIEST:
            return place
    return len(texts)


def _too_heavy(standing: Sequence[Candidate], archive_page: int) -> list[list[Candidate]]:
    """Return the pages, oldest first, that bring a main document below `HEAVIEST` bytes; mostly none."""
    total = sum(p.weight for p in standing)
    if total <= HEAVIEST:
        return []
    kept = len(standing)
    while kept > 1 and total > LIGHTER:
        kept -= 1
        total -= standing[kept].weight
    early: list[list[Candidate]] = []
    weight = 0
    for publication in reversed(standing[kept:]):
        if not early or len(early[-1]) == archive_page or weight + publication.weight > HEAVIEST:
            early.append([])
            weight = 0
        early[-1].insert(0, publication)
        weight += publication.weight
    return early


def in_order(publications: Sequence[Candidate]) -> list[Candidate]:
    """Put publications into the order of documents: newest `sort_at` first, then by atom_id (M1)."""
    return sorted(sorted(publications, key=lambda p: p.atom_id), key=lambda p: p.sort_at, reverse=True)
