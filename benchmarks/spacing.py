"""Duration of a run over unchanged sources, against the least time that politeness and latency leave it.

A thousand sources on fifty hosts, each answer 50 ms late. With a spacing the budgets of the hosts alone allow
`(sources of a host - 1) x spacing`; a spacing of 1 s, not the default 2 s, keeps that under 20 s, and the ratio is
the harder to reach. Without one the workers do, each waiting for one answer after the other. Wall time of the whole
command, start-up and report included. `dedupe: exact`, since these feeds are all near-duplicates of each other.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.origin import address_of, running

WORKERS = 16
SPACED, UNSPACED = 1.3, 2.0  # times the least: more fails


def sample_site(folder: Path, port: int, sources: int, hosts: int, spacing: float) -> None:
    """Write a feeds.yaml for so many sources on so many hosts, one request at a time to each."""
    lines = "".join(f"  - http://{address_of(n % hosts + 1)}:{port}/{n}.xml\n" for n in range(sources))
    hosts_yaml = f"hosts: {{127.0.0.0/8: {{allow_private: true, spacing: {spacing:g}s}}}}\n"
    head = f"workers: {WORKERS}\ndefaults: {{dedupe: exact}}\n{hosts_yaml}"
    (folder / "feeds.yaml").write_text(f"{head}sources:\n{lines}")


def seconds_of(folder: Path) -> float:
    """Poll everything, and time it."""
    command = [sys.executable, "-m", "aggregator", "-q", "-c", str(folder / "feeds.yaml")]
    began = time.monotonic()
    subprocess.run([*command, "poll", "--all", "--strict"], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def main() -> int:
    """Print both ratios; 1 if one is over its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=int, default=1000)
    parser.add_argument("--hosts", type=int, default=50)
    parser.add_argument("--spacing", type=float, default=1.0, help="seconds")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds")
    options = parser.parse_args()
    over = False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "edition").write_text("0")
        with running(str(folder / "edition"), latency=options.latency, hosts=options.hosts) as port:
            sample_site(folder, port, options.sources, options.hosts, 0)
            seconds_of(folder)  # the first poll, which brings the bodies
            print(f"{options.sources} unchanged sources on {options.hosts} hosts, answers {options.latency:g} s late")
            on_a_host = -(-options.sources // options.hosts)
            at_once = min(WORKERS, options.hosts)
            for spacing, limit, least in (
                (options.spacing, SPACED, (on_a_host - 1) * options.spacing + options.latency),
                (0.0, UNSPACED, options.sources * options.latency / at_once),
            ):
                sample_site(folder, port, options.sources, options.hosts, spacing)
                took = seconds_of(folder)
                over = over or took / least > limit
                told = f"least {least:.1f} s, took {took:.1f} s"
                print(f"spacing {spacing:g} s: {told}, ratio {took / least:.2f} (at most {limit:g})")
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
