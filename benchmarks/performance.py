"""The table of docs/performance.md: what each workload costs, against its limits; writes that page, too.

Costs are CPU, as ratios to others that did the same work in the same round: a bare loop of conditional requests, and
the library `reader`, if --reader names a Python that has it. Start-up (a `poll` with nothing due) is taken off and has
a row of its own. COLD is a first poll, IDLE one of 304s, TICK one with a new entry in each feed, NOCHANGE one of equal
bodies without validators.

python -m benchmarks.performance [--rounds 3] [--feeds 200] [--reader PYTHON] [--page docs/performance.md]
"""

import argparse
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measure import cost_of, memory_of, settle
from benchmarks.origin import running
from benchmarks.performance_page import SCENARIOS, Row, page, table
from benchmarks.sides import LIBRARIES, STATE, Peer, Site, inflate


@dataclass
class Found:
    """What was measured: of each workload a value for each round."""

    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        """Add the value of one round, and tell of it."""
        self.values.setdefault(name, []).append(value)
        print(f"  {name:32} {value:10.3f}", file=sys.stderr, flush=True)

    def ratio(self, over: str, under: str) -> list[float]:
        """Return the ratio of two workloads in each round; empty if one was not measured."""
        return [a / b for a, b in zip(self.values.get(over, []), self.values.get(under, []), strict=False)]

    def difference(self, more: str, less: str) -> list[float]:
        """Return the difference of two workloads in each round."""
        return [a - b for a, b in zip(self.values.get(more, []), self.values.get(less, []), strict=False)]


def polls(found: Found, folder: Path, feeds: int, reader: str | None, *, serves: bool = True) -> None:
    """Measure one round: every scenario, by all of them, in stores of their own; then two more ticks under `serve`."""
    folder.mkdir()
    edition = folder / "edition"
    edition.write_text("0")
    with running(str(edition)) as port:
        bare = Peer(folder / "bare", port, feeds, "bare", sys.executable)
        library = Peer(folder / "reader", port, feeds, "update", reader) if reader else None
        ours, near = Site(folder / "ours", port, feeds), Site(folder / "near", port, feeds, dedupe="near")
        bare.ms()  # the publisher writes all feeds once
        (folder / "bare" / "state").unlink()
        for scenario, now in zip(SCENARIOS, ("0", "0", "1", "1 bare"), strict=True):
            edition.write_text(now)
            again = 3 if scenario in ("IDLE", "NOCHANGE") else 1  # what costs little is measured more often
            found.add(f"{scenario} bare", bare.ms(again))
            if library:
                found.add(f"{scenario} reader", library.ms())
            if scenario == "TICK":
                busy = ours.poll()
                found.add("TICK ours MB", busy.mb)
                found.add("TICK ours", (busy.cpu - ours.start().cpu) * 1000 / feeds)
            else:
                found.add(f"{scenario} ours", ours.ms(again))
            if scenario in ("COLD", "TICK"):
                found.add(f"{scenario} near", near.ms())
        if serves:
            with ours.serving() as pid:
                spent = settle(pid)
                for name, now in (("first TICK serve", "2"), ("TICK serve", "3")):  # the first imports and compiles
                    before = spent
                    edition.write_text(now)
                    ours.set_due(due=True)
                    asked = time.time()
                    while ours.are_due() or not ours.has_published_since(asked):  # categories wait for half a minute
                        time.sleep(0.2)
                    spent = settle(pid)
                    found.add(name, (spent - before) * 1000 / feeds)


def starts(found: Found, folder: Path, port: int, rounds: int) -> None:
    """Measure a `poll` with nothing due, and the import of the libraries that it can't do without."""
    site = Site(folder / "starts", port, 100)
    site.poll()
    cost_of("-c", LIBRARIES)
    for _ in range(max(5, rounds)):
        found.add("start libraries", cost_of("-c", LIBRARIES).cpu)
        found.add("start ours", site.start().cpu)


def switches(found: Found, folder: Path, port: int) -> None:
    """Measure what going from `poll` to `serve` and back costs: more CPU than to start each once more.

    The first `serve` is not counted: it indexes for the search all that was polled.
    """
    site = Site(folder / "switches", port, 100)
    site.poll()

    def served() -> float:
        with site.serving() as pid:
            return settle(pid)

    served()
    found.add("switch to poll", site.start().cpu - site.start().cpu)
    found.add("switch to serve", served() - served())


def stored(found: Found, folder: Path, port: int, edition: Path, rounds: int) -> None:
    """Measure a tick of fifty sources with 1,000 and with 100,000 entries stored."""
    edition.write_text("0")
    few, many = Site(folder / "few", port, 50), Site(folder / "many", port, 50)
    for site, wanted in ((few, 1000), (many, 100_000)):
        site.poll()
        inflate(site.folder / STATE, wanted)
        site.start()
    for number in range(1, 2 + rounds):
        edition.write_text(str(number))
        found.add("stored 1,000", few.ms())
        found.add("stored 100,000", many.ms())


def idle_memory(found: Found, folder: Path, port: int, sources: int) -> None:
    """Measure the memory of `serve` with many sources, of which none is due."""
    site = Site(folder / "idle", port, sources)
    cost_of(*site.command, "publish")
    site.set_due(due=False)
    with site.serving() as pid:
        settle(pid)
        found.add("serve idle MB", memory_of(pid))


def large(found: Found, folder: Path, port: int, sources: int, reader: str) -> None:
    """Measure the time of a first poll of many sources."""
    bare, library = (
        Peer(folder / f"large {work}", port, sources, work, python)
        for work, python in (("bare", sys.executable), ("update", reader))
    )
    bare.run()  # the publisher writes all feeds once
    found.add("large reader", library.run()["wall"])
    found.add("large ours", Site(folder / "large ours", port, sources).poll().wall)


def rows(found: Found) -> list[Row]:
    """Return the table of the limits."""
    starting, few, many = (
        [statistics.median(found.values[name])] if name in found.values else []
        for name in ("start ours", "stored 1,000", "stored 100,000")
    )
    switch = [
        a + b for a, b in zip(*(found.values.get(f"switch to {name}", []) for name in ("poll", "serve")), strict=True)
    ]
    libraries = statistics.median(found.values.get("start libraries", [1.0]))
    return [
        Row("IDLE (304), × bare", found.ratio("IDLE ours", "IDLE bare"), 1.2, 0.9),
        Row("NOCHANGE, × bare", found.ratio("NOCHANGE ours", "NOCHANGE bare"), 1.2, 1.0),
        Row("TICK one-shot, four formats, × bare", found.ratio("TICK ours", "TICK bare"), 16, 10),
        Row("TICK one-shot, four formats, × reader", found.ratio("TICK ours", "TICK reader"), 0.35, 0.2),
        Row("TICK under `serve`, second, × one-shot", found.ratio("TICK serve", "TICK ours"), 0.5, 0.35),
        Row("COLD, × reader (which publishes nothing)", found.ratio("COLD ours", "COLD reader"), 1.1, 0.8),
        Row("COLD of many, wall, × reader", found.ratio("large ours", "large reader"), 0.9, 0.6),
        Row("start-up, × the libraries' imports", [value / libraries for value in starting], 1.5, 1.1),
        Row("TICK, 100,000 stored, × 1,000 stored", [a / b for a, b in zip(many, few, strict=True)], 1.1, 1.0),
        Row("`poll`, `serve`, `poll`: CPU s of the switch", switch, 1.0, 0.0),
        Row("peak of TICK, MB", found.values.get("TICK ours MB", []), 110, 95),
        Row("`serve` idle with 10,000 sources, MB", found.values.get("serve idle MB", []), 130, 90),
        Row("near-duplicates, ms a new entry beside exact", found.difference("TICK near", "TICK ours"), 3, 1.5),
    ]


def main() -> int:
    """Measure, print the table, and write the page; 1 if a limit is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.performance", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--feeds", type=int, default=200)
    parser.add_argument(
        "--reader", metavar="PYTHON", help="a Python with the library reader; else its columns are empty"
    )
    parser.add_argument("--large", type=int, default=2000, help="sources of the large first poll; 0: none")
    parser.add_argument("--idle", type=int, default=10_000, help="sources of the idle `serve`; 0: none")
    parser.add_argument("--only-polls", action="store_true", help="measure the polls alone, without `serve`")
    parser.add_argument("--page", type=Path, help="write this page, with its plots beside it")
    options = parser.parse_args()
    found, stages = Found(), dict[str, dict[str, float]]()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        edition = folder / "edition"
        for number in range(options.rounds):
            print(f"round {number + 1}", file=sys.stderr)
            polls(found, folder / str(number), options.feeds, options.reader, serves=not options.only_polls)
        edition.write_text("0")
        with running(str(edition)) as port:
            starts(found, folder, port, options.rounds)
            if not options.only_polls:
                switches(found, folder, port)
                if options.idle:
                    idle_memory(found, folder, port, options.idle)
                if options.large and options.reader:
                    large(found, folder, port, options.large, options.reader)
                stored(found, folder, port, edition, options.rounds)
            if options.page:
                edition.write_text("0")
                site = Site(folder / "stages", port, options.feeds)
                for scenario, now in zip(SCENARIOS, ("0", "0", "1", "1 bare"), strict=True):
                    edition.write_text(now)
                    stages[scenario] = site.stages()
    found_rows = rows(found)
    print(f"ratios of CPU, medians of {options.rounds} rounds, {options.feeds} feeds\n\n{table(found_rows)}")
    if options.page:
        page(options.page, found_rows, found.values, stages, feeds=options.feeds, rounds=options.rounds)
    return int(any(row.falls_short for row in found_rows))


if __name__ == "__main__":
    sys.exit(main())
