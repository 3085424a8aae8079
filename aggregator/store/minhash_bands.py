"""MinHash bands of entries (table `fingerprint`): they find near-duplicates without a comparison with all entries.

Bands are stored for founding entries, since new entries are compared with those (T5). Bands are deleted some time after
the text of the entry (K2): a title alone is not evidence. Look-ups skip bands of deleted texts, so the time of the
deletion has no influence on decisions.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, bindparam, delete, func, select, tuple_, update

from aggregator.model.changes import NewEntry, ReleasedEntry
from aggregator.model.story_changes import BANDS, NewStory
from aggregator.store.schema import MAX_IN, entry, fingerprint, insert, store, story

CROWD = 30  # stories that may share a band; a text that more stories share is boilerplate
COMMON = 3  # the same of a passage, whose bands are negative: copies of it would be one story
CANDIDATES = 8  # stored entries that a new entry is compared with: those with the most bands in common
GRAIN = 65_536  # entries; reading up to so many in vain costs less than more steps of the binary search
FIRST: Final = -(2**63)  # no band is less
WALKED: Final = 2000  # bands that are read in one transaction: about 5 ms
IDLE: Final = 8  # all bands are read once about one of so many is of a deleted text

# Built once: building the statements for each poll cost as much as running them.
_LAST = select(func.max(entry.c.id))
_NEXT = select(entry.c.id, entry.c.first_seen).where(entry.c.id >= bindparam("first")).order_by(entry.c.id).limit(1)
_RECENT = (fingerprint.c.entry_id >= bindparam("first")) & fingerprint.c.band.in_(bindparam("bands", expanding=True))
_FOUNDED = func.coalesce(entry.c.merged_from, entry.c.story_id)  # also stories that an operator has merged since (T7)
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
    """Return the founding entries of other sources that share bands with new entries, and the crowded bands.

    Args:
        connection: a reading connection suffices.
        bands: bands of each new entry, by form of its key.
        source: id of the source of the new entries.
        since: entries stored before this time are not looked up.

    Returns:
        Entry ids by form (forms without any are left out), at most `CANDIDATES` each; and the bands that over `CROWD`
        entries share, or `COMMON` in a passage. Crowded bands must not be stored for new entries, so that no band grows
        without limit.
    """
    forms_of: dict[int, list[str]] = defaultdict(list)
    for form, own in bands.items():
        for band in own:
            forms_of[band].append(form)
    if not forms_of:
        return {}, frozenset()
    founders = list(_of_bands(connection, _FOUNDERS, sorted(forms_of), first=_first_since(connection, since)))
    crowds = Counter({band: len(forms) for band, forms in forms_of.items()})
    crowds.update(row.band for row in founders)
    crowded = frozenset(band for band, size in crowds.items() if size > (COMMON if band < 0 else CROWD))
    shared: dict[str, Counter[int]] = defaultdict(Counter)
    for row in founders:
        if row.band not in crowded and row.source_id != source:
            for form in forms_of[row.band]:
                shared[form][row.entry_id] += 1
    near = {form: frozenset(number for number, _ in some.most_common(CANDIDATES)) for form, some in shared.items()}
    return near, crowded


def _of_bands(connection: Connection, query: Select[Any], bands: Sequence[int], **bound: int) -> Iterator[Row[Any]]:
    """Yield the rows of a query for any number of bands, `MAX_IN` bands in each statement."""
    for start in range(0, len(bands), MAX_IN):
        yield from connection.execute(query, {"bands": bands[start : start + MAX_IN], **bound})


def write_bands(
    connection: Connection, entries: Sequence[NewEntry | ReleasedEntry], stories: Sequence[NewStory]
) -> None:
    """Insert the bands of entries that are published for the first time, and of stored entries that found a story now.

    The stored entries may have bands already: of a story that they founded before a merge (T8).
    """
    rows = [{"band": band, "entry_id": item.id} for item in entries for band in item.bands]
    if rows:
        connection.execute(fingerprint.insert(), rows)
    late = [{"band": band, "entry_id": made.founder} for made in stories for band in made.bands]
    if late:
        connection.execute(insert(fingerprint, connection.dialect.name).on_conflict_do_nothing(), late)


# Deletes the bands of deleted texts.


def begin_trimming(connection: Connection) -> None:
    """Begin to delete the bands of deleted texts, if enough texts were deleted to justify reading all bands.

    There is no index from an entry to its bands, since it would be as large as the table. So all bands are read in
    order, step by step (`Bands.trim`), and only if enough texts were deleted since the last pass. A pass under way
    continues from its position. It may take many days if few steps run each day; bands of texts that are deleted
    meanwhile are left to the next pass.
    """
    walk, before = connection.execute(select(store.c.bands_walk, store.c.bands_walked)).one()
    if walk is not None:
        return
    until, stayed = before or (0, 0)
    enough = max(1, stayed // (IDLE * BANDS))
    gone = select(entry.c.id).where(entry.c.thinned > until).limit(enough).subquery()
    if connection.execute(select(func.count()).select_from(gone)).scalar_one() >= enough:
        generation = connection.execute(select(store.c.dirty)).scalar_one()
        connection.execute(update(store).values(bands_walk=[FIRST, 0, generation, 0]))


class Bands:
    """Removes MinHash bands of entries whose texts have left the store: `tx.bands`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def is_trimming(self) -> bool:
        """Return whether a pass over all bands is under way."""
        return self._connection.execute(select(store.c.bands_walk)).scalar_one() is not None

    def trim(self) -> int:
        """Read the next `WALKED` bands, and delete those of deleted texts; return the number of deleted bands.

        After the last band, the pass ends and 0 is returned.
        """
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
    """Return a lower bound of the ids of entries first seen at `when` or later; ids rise with time.

    At most about `GRAIN` earlier entries have a higher id. A binary search on the primary key: an index on the time
    would cost a row for each entry.
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
