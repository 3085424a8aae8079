"""Polling unchanged sources, against a bare loop of one `requests` session over the same publisher.

Start-up is taken off both sides: of a run in which nothing is due, and of a loop over nothing.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

from benchmarks.measure import cpu_seconds
from benchmarks.origin import running

BARE = """
import sys, requests
session = requests.Session()
accept = "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, */*;q=0.1"
for line in open(sys.argv[1]):
    url, tag = line.split()
    headers = {"If-None-Match": tag, "Accept": accept, "User-Agent": "aggregator/0.1.0"}
    answer = session.get(url, headers=headers, timeout=30)
    assert answer.status_code == 304, answer.status_code
"""


def sample_site(folder: Path, port: int, sources: int) -> None:
    """Write a feeds.yaml for so many sources of the publisher."""
    lines = "".join(f"  - {{url: 'http://127.0.0.1:{port}/{n}.xml', category: c{n % 20}}}\n" for n in range(sources))
    head = "hosts: {127.0.0.0/8: {allow_private: true, spacing: 0s, parallel: 16}}\n"
    head += "publish: {formats: [atom, json, html]}\n"
    (folder / "feeds.yaml").write_text(f"{head}sources:\n{lines}")


def tags(port: int, sources: int) -> str:
    """Return the URLs and their ETags, as the publisher makes them."""
    import hashlib

    lines = []
    for number in range(sources):
        tag = hashlib.sha256(f"/{number}.xml 0".encode()).hexdigest()[:16]
        lines.append(f'http://127.0.0.1:{port}/{number}.xml "{tag}"\n')
    return "".join(lines)


def main() -> None:
    """Print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        edition, bare, urls, nothing = (folder / part for part in ("edition", "bare.py", "urls", "nothing"))
        edition.write_text("0")
        bare.write_text(BARE)
        nothing.write_text("")
        poll = ("-m", "aggregator", "-q", "-c", str(folder / "feeds.yaml"), "poll")
        with running(str(edition)) as port:
            sample_site(folder, port, options.sources)
            urls.write_text(tags(port, options.sources))
            cold, cold_mb = cpu_seconds(*poll, "--all")
            ours, theirs, memory = [], [], 0.0
            for _ in range(options.rounds):
                start, _ = cpu_seconds(*poll)
                busy, memory = cpu_seconds(*poll, "--all")
                ours.append(busy - start)
                start, _ = cpu_seconds(str(bare), str(nothing))
                busy, _ = cpu_seconds(str(bare), str(urls))
                theirs.append(busy - start)
    mine, bare_loop = statistics.median(ours), statistics.median(theirs)
    each = 1000 / options.sources
    print(f"{options.sources} sources, median of {options.rounds} rounds, CPU ms a source, start-up apart")
    print(f"first poll      {cold * each:6.2f}   peak {cold_mb:.0f} MB")
    print(f"unchanged       {mine * each:6.2f}   peak {memory:.0f} MB")
    print(f"bare loop       {bare_loop * each:6.2f}")
    print(f"ratio           {mine / bare_loop:6.2f}   (to reach: 1.5)")


if __name__ == "__main__":
    main()
