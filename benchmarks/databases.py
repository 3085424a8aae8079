"""CPU of polls with the store in SQLite and in PostgreSQL, both in one run; the CPU of the database server counts.

`python -m benchmarks.databases [--sources 300] [--rounds 3]` starts a PostgreSQL server of Debian's package.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

import psycopg

from benchmarks.measure import cpu_of
from benchmarks.origin import running
from benchmarks.sides import Site
from tests.programs.postgres import postgres, postgres_programs


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    programs = postgres_programs()
    if programs is None:
        print("PostgreSQL is not installed: nothing to measure")
        return
    with tempfile.TemporaryDirectory() as name, postgres(programs) as url:
        folder, edition = Path(name), Path(name, "edition")
        edition.write_text("0")
        place = url.replace("postgres://", "postgresql://").partition("?")[0]
        with running(str(edition)) as port, psycopg.connect(place) as connection:
            sides = {"sqlite": Site(folder / "sqlite", port, options.sources)}
            sides["postgresql"] = Site(folder / "postgresql", port, options.sources)
            with (folder / "postgresql" / "feeds.yaml").open("a") as config:
                config.write(f"store: {place}\n")
            server = server_of(connection)
            for side in sides.values():
                side.poll()
            print(f"ms of CPU for a source, {options.sources} sources, the median of {options.rounds} rounds\n")
            print("poll                 sqlite  postgresql  of which server  ratio")
            for what, begin in (
                ("unchanged", lambda: None),
                ("one new of thirty", lambda: edition.write_text(str(int(edition.read_text()) + 1))),
            ):
                measured = [measure(sides, server, begin) for _ in range(options.rounds)]
                ours, theirs, served = (median(one[place] for one in measured) for place in range(3))
                print(f"{what:20} {ours:6.2f} {theirs:11.2f} {served:16.2f} {theirs / ours:6.2f}")


def server_of(connection: psycopg.Connection) -> int:
    """Return the id of the first process of the server, whose children are the others."""
    fields = Path(f"/proc/{connection.info.backend_pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[1])


def measure(sides: dict[str, Site], server: int, begin: Callable[[], object]) -> tuple[float, float, float]:
    """Return the CPU of a source in ms: with SQLite, with PostgreSQL, and the part of its server."""
    begin()
    spent = []
    for side in sides.values():
        start, idle = side.start().cpu, cpu_of(server)
        cpu = side.poll().cpu - start
        spent.append((cpu, cpu_of(server) - idle))
    (ours, _), (theirs, served) = spent
    ms = 1000 / sides["sqlite"].sources
    return ours * ms, (theirs + served) * ms, served * ms


if __name__ == "__main__":
    main()
