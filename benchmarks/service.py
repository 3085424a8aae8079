"""A running `serve` with a thousand sources: how fast it polls them when all are due, and what it costs while idle.

It is started for a second time: in its first life it meets every entry, and renders twenty thousand pages.
"""

import argparse
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measure import cpu_of, memory_of, settle
from benchmarks.origin import running, sample_site


def polled(database: Path) -> int:
    """Count the sources that were asked."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as store:
        (count,) = store.execute("SELECT count(*) FROM source WHERE polls > 0").fetchone()
    store.close()
    return int(count)


def main() -> None:
    """Print rate, memory and idle cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=int, default=1000)
    parser.add_argument("--idle", type=float, default=60.0, help="seconds to watch it idle")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "edition").write_text("0")
        with running(str(folder / "edition")) as port:
            sample_site(folder, port, options.sources)
            command = [sys.executable, "-m", "aggregator", "-q", "-c", str(folder / "feeds.yaml")]
            subprocess.run([*command, "poll", "--all"], check=True, stdout=subprocess.DEVNULL)
            database = folder / "var" / "aggregator.db"
            first_life = subprocess.Popen([*command, "serve"], stderr=subprocess.DEVNULL)
            settle(first_life.pid)
            print(f"after the first life's pages: {memory_of(first_life.pid):.0f} MB resident")
            first_life.send_signal(signal.SIGTERM)
            first_life.wait(15)
            with sqlite3.connect(database) as store:  # all due at once, as if never asked, but with validators
                store.execute("UPDATE source SET due_at = 0, earliest_at = 0, polls = 0")
            store.close()
            process = subprocess.Popen([*command, "serve"], stderr=subprocess.DEVNULL)
            try:
                while polled(database) == 0:
                    time.sleep(0.02)
                first, began = polled(database), time.monotonic()
                while (done := polled(database)) < options.sources:
                    time.sleep(0.02)
                rate = (done - first) / (time.monotonic() - began)
                settle(process.pid)
                before, since = cpu_of(process.pid), time.monotonic()
                time.sleep(options.idle)
                share = (cpu_of(process.pid) - before) / (time.monotonic() - since)
                print(f"{options.sources} due sources: {rate:.0f} polls a second   (to reach: 100)")
                memory = memory_of(process.pid)
                print(f"idle: {memory:.0f} MB resident (to reach: 110), {share:.2%} of a core (to reach: 1 %)")
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(15)


if __name__ == "__main__":
    main()
