"""What publishing one new entry costs, with few and with many entries stored: it must not depend on that.

A site of 200 categories, in one process as under `serve`, whose outputs all stand. One entry comes in one category; the
CPU of the publication that follows is counted, and the files that it wrote. Polling is apart.

python -m benchmarks.publishing [--categories 200] [--stored 1000 20000] [--rounds 9] [--profile]
"""

import argparse
import cProfile
import logging
import pstats
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aggregator.clean import plain_text
from aggregator.config import load_config
from aggregator.identity import identify
from aggregator.model.changes import Changes
from aggregator.model.entry import Digest, Entry, Feed
from aggregator.model.poll import Fetched, Gathered
from aggregator.pipeline import settle
from aggregator.urls import Url
from aggregator.world import World, open_world

LIMIT_MS, RATIO_LIMIT = 150.0, 1.25
BEGAN = datetime(2024, 3, 4, 12, tzinfo=UTC)
GROUP = 500  # entries that a source tells at once while the store is filled


class Planet:
    """The site, and a clock that the benchmark moves."""

    def __init__(self, folder: Path, categories: int) -> None:
        self.folder, self.now, self.told = folder, BEGAN, 0
        lines = [f"  - {{key: s{n}, url: 'https://s{n}.example/feed', category: c{n}}}\n" for n in range(categories)]
        head = "publish: {formats: [atom, json, html]}\ndefaults: {initial: 5000, dedupe: exact}\nsources:\n"
        (folder / "feeds.yaml").write_text(head + "".join(lines))

    def opened(self) -> World:
        """Open it as a command does."""
        return open_world(load_config(self.folder / "feeds.yaml", {}), command="poll", clock=lambda: self.now)

    def says(self, world: World, number: int, count: int) -> None:
        """Let a source tell so many new entries, in one document."""
        with world.store.begin() as tx:
            (waiting,) = tx.named([f"s{number}"])
            (due,) = tx.claim([waiting.id], self.now, world.roster.sources)
        document = identify(
            Feed(format="atom 1.0", title=f"Site {number}", entries=tuple(map(self.entry, range(count))))
        )
        digest = Digest(f"{number}/{self.told}")
        answer = Fetched(asked_at=self.now, url=due.url, body=b"", body_digest=digest, etag=None)
        (changes,) = settle([Gathered(due, answer, document)], world.ports)
        assert isinstance(changes, Changes)

    def entry(self, place: int) -> Entry:
        """Write one that nobody has told before."""
        self.told += 1
        text = f"<p>This is what story {self.told} says, so that it can be told from all others.</p>"
        link = Url(f"https://site.example/{self.told}")
        name = f"n{self.told}"
        return Entry(id=name, title=f"Story {name}", link=link, content=text, text=plain_text(text), position=place)


def measure(stored: int, categories: int, rounds: int, profile: cProfile.Profile | None) -> tuple[float, int]:
    """Fill a store, publish it, then publish news, one entry at a time.

    Returns:
        CPU milliseconds of a publication, and how many files it wrote; both medians.
    """
    costs, written = [], []
    with tempfile.TemporaryDirectory() as name:
        planet = Planet(Path(name), categories)
        world = planet.opened()
        try:
            each = stored // categories
            for number in range(categories):
                for start in range(0, each, GROUP):
                    planet.says(world, number, min(GROUP, each - start))
                    planet.now += timedelta(minutes=1)
            world.publish()
            for number in range(-2, rounds):
                planet.now += timedelta(days=2)
                planet.says(world, (number + 7) % categories, 1)
                if profile is not None and number >= 0:
                    profile.enable()
                began = time.process_time()
                published = world.publish()
                cost = time.process_time() - began
                if profile is not None:
                    profile.disable()
                if number >= 0:  # the first ones fill what is kept in memory
                    costs.append(cost * 1000)
                    written.append(len(published.changed))
        finally:
            world.close()
    return statistics.median(costs), int(statistics.median(written))


def main() -> int:
    """Print the costs; 1 if the ratio is over its limit, or the cost with the largest store over its own."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.publishing", description=__doc__)
    parser.add_argument("--categories", type=int, default=200)
    parser.add_argument("--stored", type=int, nargs="+", default=[1_000, 20_000])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--profile", action="store_true", help="print where the time goes with the largest store")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    found = []
    for stored in options.stored:
        profile = cProfile.Profile() if options.profile and stored == options.stored[-1] else None
        cost, written = measure(stored, options.categories, options.rounds, profile)
        found.append(cost)
        print(
            f"{stored:9,} entries in {options.categories} categories: {cost:7.1f} ms CPU, {written} files", flush=True
        )
        if profile is not None:
            pstats.Stats(profile).sort_stats("cumulative").print_stats(45)
    ratio = found[-1] / found[0]
    print(f"ratio {ratio:.2f} (at most {RATIO_LIMIT}); {found[-1]:.0f} ms (at most {LIMIT_MS:.0f})")
    return 0 if ratio <= RATIO_LIMIT and found[-1] <= LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
