"""The bands of entries: how near-duplicates find each other without being compared with everything (section 8)."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, select

from aggregator.model.changes import NewEntry, ReleasedEntry
from aggregator.store.dialect import MAX_IN
from aggregator.store.schema import entry, fingerprint, story

CROWD = 30  # stories of one band; what more of them share is a form, not a story
CANDIDATES = 8  # of one entry that are compared with it, those with most bands in common
GRAIN = 65_536  # entries; what is looked through in vain costs less than more halving

# Made once: to make them anew for each poll cost as much as to run them.
_LAST = select(func.max(entry.c.id))
_NEXT = select(entry.c.id, entry.c.first_seen).where(entry.c.id >= bindparam("first")).order_by(entry.c.id).limit(1)
_RECENT = (fingerprint.c.entry_id >= bindparam("first")) & fingerprint.c.band.in_(bindparam("bands", expanding=True))
_SIZES = select(fingerprint.c.band, func.count().label("size")).where(_RECENT).group_by(fingerprint.c.band)
_FOUNDED = func.coalesce(entry.c.merged_from, entry.c.story_id)  # also what an operator has merged since (T7)
_FOUNDERS = (
    select(fingerprint.c.band, fingerprint.c.entry_id)
    .join(entry, entry.c.id == fingerprint.c.entry_id)
    .join(story, (story.c.id == _FOUNDED) & (story.c.founder_id == entry.c.id))
    .where(_RECENT, entry.c.source_id != bindparam("source"))
    .order_by(fingerprint.c.entry_id)
)


def near_entries(
    connection: Connection, bands: Mapping[str, Sequence[int]], *, source: int, since: datetime
) -> tuple[dict[str, frozenset[int]], frozenset[int]]:
    """Find the entries that founded stories of other sources and share bands with new ones.

    Args:
        connection: a reading one will do.
        bands: of each new entry, by form.
        source: whose they are.
        since: entries stored before that are not looked for.

    Returns:
        Ids by form, forms without any left out; and the bands that too many share. Those are not to be kept for new
        entries, so that no band ever grows long.
    """
    bearers: dict[int, list[str]] = defaultdict(list)
    for form, own in bands.items():
        for band in own:
            bearers[band].append(form)
    if not bearers:
        return {}, frozenset()
    first = _first_since(connection, since)
    crowds = Counter({band: len(forms) for band, forms in bearers.items()})
    crowds.update({row.band: row.size for row in _of_bands(connection, _SIZES, sorted(bearers), first=first)})
    crowded = frozenset(band for band, size in crowds.items() if size > CROWD)
    met = sorted(band for band, size in crowds.items() if len(bearers[band]) < size <= CROWD)
    shared: dict[str, Counter[int]] = defaultdict(Counter)
    for row in _of_bands(connection, _FOUNDERS, met, first=first, source=source):
        for form in bearers[row.band]:
            shared[form][row.entry_id] += 1
    near = {form: frozenset(number for number, _ in some.most_common(CANDIDATES)) for form, some in shared.items()}
    return near, crowded


def _of_bands(connection: Connection, query: Select[Any], bands: Sequence[int], **bound: int) -> Iterator[Row[Any]]:
    """Run a query for any number of bands, in as few statements as the database's limit allows."""
    for start in range(0, len(bands), MAX_IN):
        yield from connection.execute(query, {"bands": bands[start : start + MAX_IN], **bound})


def write_bands(connection: Connection, new: Sequence[NewEntry | ReleasedEntry]) -> None:
    """Keep the bands of entries that were stored."""
    rows = [{"band": band, "entry_id": item.id} for item in new if item.story is not None for band in item.bands]
    if rows:
        connection.execute(fingerprint.insert(), rows)


def _first_since(connection: Connection, when: datetime) -> int:
    """Give an id that no entry first seen at `when` or later is below, and few others are above; ids rise with time.

    By halving, on the primary key alone: an index on the time would cost every entry a row.
    """
    low = 0
    high = (connection.execute(_LAST).scalar_one() or 0) + 1
    while high - low > GRAIN:
        middle = (low + high) // 2
        row = connection.execute(_NEXT, {"first": middle}).one_or_none()
        if row is None or row.first_seen >= when:
            high = middle
        else:
            low = row.id + 1
    return low
