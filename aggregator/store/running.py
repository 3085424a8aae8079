"""How the program is run: by `serve`, which goes on, or by runs of `poll` that somebody starts now and then."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from sqlalchemy import Connection, select, update

from aggregator.store.schema import EPOCH, MICROSECOND, store

SERVED_FOR: Final = timedelta(days=7)  # after `serve` was seen last, pages go on to lead to what only it answers
RUNS: Final = 6  # the last ones, whose longest gap is how long a source may wait for the next
ONE_RUN: Final = timedelta(days=1)  # the same after the first run: nobody knows yet when there is another


class Running:
    """What a transaction keeps of that: `tx.running`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def note_serving(self, now: datetime) -> None:
        """Note that a service runs: no source waits for anybody to start it."""
        self._connection.execute(update(store).values(served_at=now, runs=None, run_gap=None))

    def note_served(self, now: datetime) -> None:
        """Record that a service ran until now, as the published pages show: they link to what only `serve` answers."""
        self._connection.execute(update(store).values(served_at=now))

    def note_run(self, now: datetime) -> None:
        """Note that a run begins that asks whatever is due; what a clock set back puts in the future is forgotten."""
        second = (now - EPOCH) // timedelta(seconds=1)
        before = self._connection.execute(select(store.c.runs)).scalar_one() or []
        runs = [*(run for run in before if run < second), second][-RUNS:]
        gaps = [timedelta(seconds=later - earlier) for earlier, later in pairwise(runs)]
        gap = max(gaps, default=ONE_RUN)
        self._connection.execute(update(store).values(runs=runs, run_gap=gap // MICROSECOND))

    def is_served(self) -> bool:
        """Tell whether pages may lead to what only `serve` answers."""
        return self._connection.execute(select(store.c.served_at)).scalar_one() is not None

    def end_serving(self, now: datetime) -> None:
        """Note that no service has run for long, if that is so: pages lead to none from now on."""
        late = update(store).where(store.c.served_at < now - SERVED_FOR)
        self._connection.execute(late.values(served_at=None))
