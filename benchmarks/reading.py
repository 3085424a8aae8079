"""Reading feeds, parsed, cleaned and identified, against feedparser with its defaults over the same files.

Both read each file from bytes in this process; theirs parses, sanitises and resolves links, which ours does too, beside
much else. An entry that it finds and we don't is lost. Without a folder, the samples and golden files are read.
"""

import argparse
import cProfile
import gc
import io
import pstats
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from math import inf
from pathlib import Path

import feedparser

from aggregator.clean.feed import clean
from aggregator.errors import ParseError
from aggregator.identify.keys import identify
from aggregator.model.entry import Digest
from aggregator.model.poll import Fetched
from aggregator.model.settings import Reading
from aggregator.parse.document import parse
from aggregator.urls import normalise

LIMIT = 2.0  # times feedparser's throughput, at least
ROOT = Path(__file__).parents[1]
URL = normalise("https://site.example/feed.xml")
NOW = datetime(2026, 3, 4, tzinfo=UTC)
DEFAULT = Reading()


def ours(body: bytes) -> int:
    """Parse, clean and identify a body as a poll does; give the number of its entries, those left out included."""
    fetched = Fetched(asked_at=NOW, url=URL, body=body, body_digest=Digest("0"))
    try:
        feed = clean(parse(fetched, DEFAULT), DEFAULT)
        identify(feed)  # it leaves out what is told twice: that is not lost
    except ParseError:
        return 0
    return len(feed.entries) + len(feed.left_out)


def theirs(body: bytes) -> int:
    """Read it with feedparser; give the number of its entries."""
    headers = {"content-location": URL}  # what relative links are resolved against
    return len(feedparser.parse(io.BytesIO(body), response_headers=headers).entries)


def measured(way: Callable[[bytes], int], body: bytes) -> tuple[float, int]:
    """Return the CPU seconds that one way of reading takes for a body, and the number of entries it finds."""
    began = time.process_time()
    found = way(body)
    return time.process_time() - began, found


def compared(bodies: Sequence[bytes], rounds: int) -> tuple[tuple[float, list[int]], tuple[float, list[int]]]:
    """Read all bodies both ways, one after the other; give the seconds of each way, and the entries in each body.

    Of each body the quickest round counts: what another program takes of a processor's caches is no cost of ours.
    """
    gc.collect()
    mine, feedparsers = [inf] * len(bodies), [inf] * len(bodies)
    found, expected = [0] * len(bodies), [0] * len(bodies)
    for _ in range(rounds):
        for place, body in enumerate(bodies):
            seconds, found[place] = measured(ours, body)
            mine[place] = min(mine[place], seconds)
            seconds, expected[place] = measured(theirs, body)
            feedparsers[place] = min(feedparsers[place], seconds)
    return (sum(mine), found), (sum(feedparsers), expected)


def main() -> int:
    """Print the ratio; 1 if it is under the limit, or if an entry was lost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reading", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="real feeds")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", action="store_true", help="print what costs most, too")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # feedparser's, of its own doing
    folders = [options.folder] if options.folder else [ROOT / "samples", ROOT / "tests" / "golden"]
    paths = sorted(path for folder in folders for path in folder.rglob("*") if path.suffix in (".xml", ".rss", ".atom"))
    bodies = [path.read_bytes() for path in paths]
    compared(bodies[:20], 1)  # imports and caches
    (mine, found), (feedparsers, expected) = compared(bodies, options.rounds)
    lost = [(path.name, a, b) for path, a, b in zip(paths, found, expected, strict=True) if a < b]
    megabytes, entries = sum(map(len, bodies)) / 1e6, sum(found)
    print(f"{len(bodies)} files, {megabytes:.1f} MB, {entries} entries; CPU, each file's best of {options.rounds}")
    for name, seconds, count in (("aggregator", mine, entries), ("feedparser", feedparsers, sum(expected))):
        each = 1000 * seconds / max(1, count)
        print(f"{name:12} {megabytes / seconds:6.2f} MB/s  {each:6.3f} ms an entry  {count:6} entries")
    for name, a, b in lost:
        print(f"fewer than feedparser finds: {name}: {a} of {b}")
    ratio = feedparsers / mine
    print(f"ratio        {ratio:6.2f}   (to reach: {LIMIT})")
    if options.profile:
        profile = cProfile.Profile()
        profile.runcall(lambda: [ours(body) for body in bodies])
        pstats.Stats(profile).sort_stats("tottime").print_stats(15)
    return 0 if ratio >= LIMIT and not lost else 1


if __name__ == "__main__":
    sys.exit(main())
