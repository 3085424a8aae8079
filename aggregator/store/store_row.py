"""The one row of table `store`: its id, the configuration in force, outages, and how the program is run."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import Connection, select, update

from aggregator.model.status import Outage
from aggregator.store.categories import raise_site
from aggregator.store.output_list import Files
from aggregator.store.schema import EPOCH, MICROSECOND, entry, store

SERVED_FOR: Final = timedelta(days=7)  # after the last run of `serve`, during which pages link to its addresses
RUNS: Final = 6  # runs of `poll` that are remembered; their longest gap is how long a source may wait for the next run
ONE_RUN: Final = timedelta(days=1)  # the gap that is assumed after the first run


class Rhythm(NamedTuple):
    """Times of the last runs of the program."""

    runs: tuple[datetime, ...]  # when the last runs of `poll` began; none after a run of `serve`
    gap: timedelta  # longest time between them; `ONE_RUN` if there was one
    served_at: datetime | None  # when `serve` began last, within `SERVED_FOR`


class StoreRow:
    """Statements on the one row of table `store`: `tx.store_row`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def make(self, now: datetime) -> None:
        """Insert the row of a new store, with a random id from which all published ids are derived (A2, A4)."""
        counters = {"next_entry": 1, "next_story": 1, "dirty": 1, "rendered": 0, "gone_stale": True, "adopts": False}
        self._connection.execute(store.insert().values(id=1, uuid=str(uuid4()), created_at=now, **counters))

    def uuid(self) -> UUID:
        """Return the id of the store."""
        return UUID(self._connection.execute(select(store.c.uuid)).scalar_one())

    def created_at(self) -> datetime:
        """Return when the store was created."""
        created_at: datetime = self._connection.execute(select(store.c.created_at)).scalar_one()
        return created_at

    def is_new(self) -> bool:
        """Return whether nothing was ever stored in this store, or published from it."""
        has_entries = select(entry.c.id).limit(1)
        return Files(self._connection).folder() is None and self._connection.execute(has_entries).first() is None

    # The configuration in force.

    def keep_config(self, text: str, path: str, now: datetime) -> None:
        """Store the feeds.yaml that is in force from now on, as it was written (R51)."""
        values = {"config": text, "config_path": path, "config_loaded_at": now, "config_error": None}
        self._connection.execute(update(store).values(values))

    def last_good_config(self) -> str | None:
        """Return the feeds.yaml that was in force last; None before the first."""
        text: str | None = self._connection.execute(select(store.c.config)).scalar_one()
        return text

    def note_config_error(self, error: str | None) -> None:
        """Record why a later edit of feeds.yaml is not in force; None: the edit is in force."""
        self._connection.execute(update(store).values(config_error=error))

    def output_error(self) -> str | None:
        """Return which outputs could not be written at the last publication, and why; None: all were written."""
        error: str | None = self._connection.execute(select(store.c.output_error)).scalar_one()
        return error

    def note_output_error(self, error: str | None) -> None:
        """Record which outputs could not be written, and why; None: all were written."""
        self._connection.execute(update(store).values(output_error=error))

    # Outages of the network (P87).

    def outage(self) -> Outage:
        """Return since when the network has been down, as recorded last."""
        row = self._connection.execute(select(store.c.network_down_since, store.c.own_down_since)).one()
        return Outage(public=row.network_down_since, own=row.own_down_since)

    def note_network(self, found: Outage) -> None:
        """Record since when the network has been down; the status page is rendered again if that changed."""
        if self.outage() != found:
            values = {"network_down_since": found.public, "own_down_since": found.own}
            self._connection.execute(update(store).values(values))
            raise_site(self._connection)

    # How the program is run: by `serve`, which goes on, or by single runs of `poll`.

    def note_serving(self, now: datetime) -> None:
        """Record that `serve` runs, and forget the runs of `poll` before it: no source waits for a next run."""
        self._connection.execute(update(store).values(served_at=now, runs=None, run_gap=None))

    def note_served(self, now: datetime) -> None:
        """Record that `serve` ran until now, as the published pages show: they link to addresses of `serve`."""
        self._connection.execute(update(store).values(served_at=now))

    def note_run(self, now: datetime) -> None:
        """Record that a run of `poll` begins; runs in the future are forgotten (the clock was set back)."""
        second = (now - EPOCH) // timedelta(seconds=1)
        before = self._connection.execute(select(store.c.runs)).scalar_one() or []
        runs = [*(run for run in before if run < second), second][-RUNS:]
        gaps = [timedelta(seconds=later - earlier) for earlier, later in pairwise(runs)]
        gap = max(gaps, default=ONE_RUN)
        self._connection.execute(update(store).values(runs=runs, run_gap=gap // MICROSECOND))

    def rhythm(self) -> Rhythm:
        """Return how the program was run last."""
        row = self._connection.execute(select(store.c.runs, store.c.run_gap, store.c.served_at)).one()
        runs = tuple(EPOCH + timedelta(seconds=run) for run in row.runs or ())
        gap = ONE_RUN if row.run_gap is None else row.run_gap * MICROSECOND
        return Rhythm(runs, gap, row.served_at)

    def is_served(self) -> bool:
        """Return whether pages may link to addresses that only `serve` answers."""
        return self._connection.execute(select(store.c.served_at)).scalar_one() is not None

    def end_serving(self, now: datetime) -> None:
        """Record that `serve` no longer runs if it ran last more than `SERVED_FOR` ago: pages stop linking to it."""
        late = update(store).where(store.c.served_at < now - SERVED_FOR)
        self._connection.execute(late.values(served_at=None))
