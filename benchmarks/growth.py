"""Cost of a poll with one new entry a source, with few and with many entries stored: it must not depend on it."""

import argparse
import statistics
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import create_engine, func, insert, select, update

from aggregator.store.schema import entry, store
from benchmarks.measure import cpu_seconds
from benchmarks.origin import running
from benchmarks.polling import sample_site

SOURCES = 50


def inflate(database: Path, wanted: int) -> None:
    """Fill the store with entries until it holds so many, as years of polling would have left them."""
    engine = create_engine(f"sqlite:///{database}")
    with engine.begin() as connection:
        have = connection.execute(select(func.count()).select_from(entry)).scalar_one()
        columns = [column for column in entry.c if column.name not in ("id", "key", "key_hash")]
        model = connection.execute(select(*columns).limit(SOURCES).order_by(entry.c.id)).mappings().all()
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


def main() -> None:
    """Print the cost with each number of stored entries."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stored", type=int, nargs="+", default=[100, 100_000])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    found = {}
    for stored in options.stored:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            edition = folder / "edition"
            edition.write_text("0")
            poll = ("-m", "aggregator", "-q", "-c", str(folder / "feeds.yaml"), "poll")
            with running(str(edition)) as port:
                sample_site(folder, port, SOURCES)
                cpu_seconds(*poll, "--all")
                inflate(folder / "var" / "aggregator.db", stored)
                costs = []
                for number in range(1, options.rounds + 1):
                    edition.write_text(str(number))
                    start, _ = cpu_seconds(*poll)
                    busy, _ = cpu_seconds(*poll, "--all")
                    costs.append((busy - start) * 1000 / SOURCES)
        found[stored] = statistics.median(costs)
        print(f"{stored:8} entries stored: {found[stored]:6.2f} ms CPU a source with one new entry")
    print(f"ratio {found[options.stored[-1]] / found[options.stored[0]]:.2f} (to reach: 1.25)")


if __name__ == "__main__":
    main()
