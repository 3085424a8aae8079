"""The sides of a comparison: a site of ours, a bare loop, and the library `reader`, each with a folder of its own."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from sqlalchemy import create_engine, func, insert, select, update

from aggregator.store.schema import entry, store
from benchmarks.measure import ENVIRON, Cost, cost_of
from benchmarks.origin import sample_site

PEERS = str(Path(__file__).with_name("peers.py"))
STATE = "var/aggregator.db"
LIBRARIES = "import sqlalchemy, requests, yaml"  # what every start needs


class Site:
    """A feeds.yaml with its store and outputs."""

    def __init__(self, folder: Path, port: int, sources: int, *, dedupe: str = "exact") -> None:
        folder.mkdir()
        sample_site(folder, port, sources, dedupe=dedupe)
        self.folder, self.sources = folder, sources
        self.command = ("-m", "aggregator", "-q", "-c", str(folder / "feeds.yaml"))

    def start(self) -> Cost:
        """Poll when nothing is due."""
        return cost_of(*self.command, "poll")

    def poll(self) -> Cost:
        """Poll everything."""
        return cost_of(*self.command, "poll", "--all", "--for", "0", "--strict")

    def ms(self, rounds: int = 1) -> float:
        """Poll everything; return the CPU of a source in ms, without start-up: the median of some rounds."""
        return median(self.poll().cpu - self.start().cpu for _ in range(rounds)) * 1000 / self.sources

    def stages(self) -> dict[str, float]:
        """Poll everything under the sampler; return the CPU of a source in ms, by stage."""
        result = self.folder / "stages"
        cost_of("-m", "benchmarks.stages", str(result), *self.command[2:], "poll", "--all", "--for", "0")
        return {stage: 1000 * cpu / self.sources for stage, cpu in json.loads(result.read_text()).items()}

    def set_due(self, *, due: bool) -> None:
        """Make all sources due, or none for 50 minutes: a due time over an hour ahead would be corrected."""
        when = 0 if due else (int(time.time()) + 3000) * 1_000_000
        with sqlite3.connect(self.folder / STATE, timeout=60) as store:
            store.execute("UPDATE source SET due_at = ?, earliest_at = ?", (when, when))
        store.close()

    def are_due(self) -> bool:
        """Return whether a source waits to be polled."""
        with sqlite3.connect(f"file:{self.folder / STATE}?mode=ro", uri=True, timeout=60) as store:
            (count,) = store.execute("SELECT count(*) FROM source WHERE due_at = 0").fetchone()
        store.close()
        return bool(count)

    def has_published_since(self, when: float) -> bool:
        """Return whether every category was written since a time."""
        feeds = [*self.folder.glob("public/category/*.atom")]
        return bool(feeds) and all(file.stat().st_mtime >= when for file in feeds)

    @contextmanager
    def serving(self) -> Iterator[int]:
        """Run `serve`; gives its process id."""
        process = subprocess.Popen([sys.executable, *self.command, "serve"], env=ENVIRON, stderr=subprocess.DEVNULL)
        try:
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


class Peer:
    """A loop or library that polls the same feeds."""

    def __init__(self, folder: Path, port: int, sources: int, work: str, python: str) -> None:
        folder.mkdir()
        self.folder, self.sources = folder, sources
        self._work, self._python = work, python
        (folder / "urls").write_text("".join(f"http://127.0.0.1:{port}/{n}.xml\n" for n in range(sources)))
        if work == "update":
            self.run("add")

    def run(self, work: str | None = None) -> dict[str, float]:
        """Poll everything; return CPU and wall seconds, without start-up."""
        told = cost_of(PEERS, work or self._work, "state", python=self._python, cwd=self.folder).output
        return dict(json.loads(told))

    def ms(self, rounds: int = 1) -> float:
        """Poll everything; return the CPU of a source in ms: the median of some rounds."""
        return median(self.run()["cpu"] for _ in range(rounds)) * 1000 / self.sources


def inflate(database: Path, wanted: int) -> None:
    """Fill the store with entries until it holds so many, as years of polling would have left them."""
    engine = create_engine(f"sqlite:///{database}")
    with engine.begin() as connection:
        have = connection.execute(select(func.count()).select_from(entry)).scalar_one()
        columns = [column for column in entry.c if column.name not in ("id", "key", "key_hash")]
        model = connection.execute(select(*columns).limit(50).order_by(entry.c.id)).mappings().all()
        first = connection.execute(select(store.c.next_entry)).scalar_one()
        old = datetime.now(UTC) - timedelta(days=400)
        rows = [
            dict(model[n % len(model)])
            | {"id": first + n, "key": f"old-{n}", "key_hash": f"old-{n}", "state": "known", "first_seen": old}
            | {"story_id": None, "id_hash": None, "text_digest": f"old-{n}", "match_link": f"old.example/{n}"}
            for n in range(max(0, wanted - have))
        ]
        for start in range(0, len(rows), 5000):
            connection.execute(insert(entry), rows[start : start + 5000])
        connection.execute(update(store).values(next_entry=first + len(rows)))
    engine.dispose()
