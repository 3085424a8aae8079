"""The bands of entries: how near-duplicates find each other without being compared with everything (section 8).

Bands are kept of entries that found a story, for evidence holds against those (T5), and go some time after the text has
(K2): a title alone is no evidence. A look-up passes over bands of texts that are gone, so when they go decides nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, bindparam, delete, func, select, tuple_, update

from aggregator.identify.minhash import BANDS
from aggregator.model.changes import NewEntry, ReleasedEntry
from aggregator.model.story_changes import NewStory
from aggregator.store.dialect import MAX_IN, insert
from aggregator.store.schema import entry, fingerprint, store, story

CROWD = 30  # stories of one band; what more of them share is a form, not a story
CANDIDATES = 8  # of one entry that are compared with it, those with most bands in common
GRAIN = 65_536  # entries; what is looked through in vain costs less than more halving
WALKED: Final = 2000  # bands that are looked at in one transaction: some 5 ms
IDLE: Final = 8  # of so many bands one may be of a text that is gone, before all are looked at

# Made once: to make them anew for each poll cost as much as to run them.
_LAST = select(func.max(entry.c.id))
_NEXT = select(entry.c.id, entry.c.first_seen).where(entry.c.id >= bindparam("first")).order_by(entry.c.id).limit(1)
_RECENT = (fingerprint.c.entry_id >= bindparam("first")) & fingerprint.c.band.in_(bindparam("bands", expanding=True))
_FOUNDED = func.coalesce(entry.c.merged_from, entry.c.story_id)  # also what an operator has merged since (T7)
_FOUNDERS = (
    select(fingerprint.c.band, fingerprint.c.entry_id, entry.c.source_id)
    .join(entry, entry.c.id == fingerprint.c.entry_id)
    .join(story, (story.c.id == _FOUNDED) & (story.c.founder_id == entry.c.id))
    .where(_RECENT, entry.c.thinned.is_(None))
    .order_by(fingerprint.c.entry_id)
)
_PLACES = select(fingerprint.c.band, fingerprint.c.entry_id).order_by(fingerprint.c.band, fingerprint.c.entry_id)


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
    founders = list(_of_bands(connection, _FOUNDERS, sorted(bearers), first=_first_since(connection, since)))
    crowds = Counter({band: len(forms) for band, forms in bearers.items()})
    crowds.update(row.band for row in founders)
    crowded = frozenset(band for band, size in crowds.items() if size > CROWD)
    shared: dict[str, Counter[int]] = defaultdict(Counter)
    for row in founders:
        if row.band not in crowded and row.source_id != source:
            for form in bearers[row.band]:
                shared[form][row.entry_id] += 1
    near = {form: frozenset(number for number, _ in some.most_common(CANDIDATES)) for form, some in shared.items()}
    return near, crowded


def _of_bands(connection: Connection, query: Select[Any], bands: Sequence[int], **bound: int) -> Iterator[Row[Any]]:
    """Run a query for any number of bands, in as few statements as the database's limit allows."""
    for start in range(0, len(bands), MAX_IN):
        yield from connection.execute(query, {"bands": bands[start : start + MAX_IN], **bound})


def write_bands(
    connection: Connection, entries: Sequence[NewEntry | ReleasedEntry], stories: Sequence[NewStory]
) -> None:
    """Keep the bands of entries that are published for the first time, and of entries that found stories only now.

    The latter may have bands already: of a story that they founded before a merge (T8).
    """
    rows = [{"band": band, "entry_id": item.id} for item in entries for band in item.bands]
    if rows:
        connection.execute(fingerprint.insert(), rows)
    late = [{"band": band, "entry_id": made.founder} for made in stories for band in made.bands]
    if late:
        connection.execute(insert(fingerprint, connection.dialect.name).on_conflict_do_nothing(), late)


# Bands of texts that are gone.


def begin_trimming(connection: Connection) -> None:
    """Begin to look for the bands of texts that are gone, if that is worth a look at all bands.

    No index leads from an entry to its bands: it would be as large as they are. So they are looked at one after the
    other, and only when enough texts have gone since the last time. A look that is under way goes on where it is: it
    may take many days where few steps are done a day, and what left meanwhile is for the next one.
    """
    walk, before = connection.execute(select(store.c.bands_walk, store.c.bands_walked)).one()
    if walk is not None:
        return
    until, stayed = before or (0, 0)
    enough = max(1, stayed // (IDLE * BANDS))
    gone = select(entry.c.id).where(entry.c.thinned > until).limit(enough).subquery()
    if connection.execute(select(func.count()).select_from(gone)).scalar_one() >= enough:
        generation = connection.execute(select(store.c.dirty)).scalar_one()
        connection.execute(update(store).values(bands_walk=[-1, 0, generation, 0]))


class Bands:
    """Removes MinHash bands of entries whose texts have left the store: `tx.bands`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def is_trimming(self) -> bool:
        """Return whether a look at all bands has not come to its end."""
        return self._connection.execute(select(store.c.bands_walk)).scalar_one() is not None

    def trim(self) -> int:
        """Look at the next `WALKED` bands, and drop those of texts that are gone; give how many were dropped."""
        band, number, generation, stayed = self._connection.execute(select(store.c.bands_walk)).scalar_one()
        place = tuple_(fingerprint.c.band, fingerprint.c.entry_id)
        rest = place > (band, number)
        seen = self._connection.execute(_PLACES.where(rest).limit(WALKED)).all()
        if not seen:
            self._connection.execute(update(store).values(bands_walk=None, bands_walked=[generation, stayed]))
            return 0
        last = seen[-1].band, seen[-1].entry_id
        thinned = select(entry.c.id).where(entry.c.id == fingerprint.c.entry_id, entry.c.thinned.is_not(None))
        dropped = self._connection.execute(delete(fingerprint).where(rest, place <= last, thinned.exists())).rowcount
        self._connection.execute(update(store).values(bands_walk=[*last, generation, stayed + len(seen) - dropped]))
        return dropped


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
