"""Cost of publishing one new entry, with few and with many entries stored: it must not depend on their number.

A site of 200 categories, in one process as under `serve`, whose outputs all stand. One entry comes in one category; the
CPU of the publication that follows is counted, and the files that it wrote. Polling is apart. The first entries of each
source are polled and published; the others are written into the store as years of polling would have left them: each
with a story of its own, published, and all but the newest on archive pages.

python -m benchmarks.publishing [--categories 200] [--stored 1000 20000 1000000] [--rounds 9] [--profile]
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

from sqlalchemy import create_engine, text

from aggregator.app import App, open_app
from aggregator.clean.text import plain_text
from aggregator.config import load_config
from aggregator.identify.keys import identify
from aggregator.model.changes import Changes
from aggregator.model.entry import Digest, Entry, Feed
from aggregator.model.job import Gathered
from aggregator.model.poll import Fetched
from aggregator.poll.pipeline import settle
from aggregator.store.schema import EPOCH, MICROSECOND, entry, file, publication, story
from aggregator.urls import Url

LIMIT_MS, RATIO_LIMIT = 150.0, 1.25
BEGAN = datetime(2024, 3, 4, 12, tzinfo=UTC)
POLLED = 5  # entries of each source that come by polls
IN_MAIN = 50  # of those that are written, so many stay in the main document
ARCHIVE_PAGE = 50


class Planet:
    """The site, and a clock that the benchmark moves."""

    def __init__(self, folder: Path, categories: int) -> None:
        self.folder, self.now, self.told = folder, BEGAN, 0
        lines = [f"  - {{key: s{n}, url: 'https://s{n}.example/feed', category: c{n}}}\n" for n in range(categories)]
        head = "publish: {formats: [atom, json, html]}\ndefaults: {initial: 5000, dedupe: exact}\nsources:\n"
        (folder / "feeds.yaml").write_text(head + "".join(lines))

    def opened(self) -> App:
        """Open it as a command does."""
        return open_app(load_config(self.folder / "feeds.yaml", {}), command="poll", clock=lambda: self.now)

    def says(self, app: App, number: int, count: int) -> None:
        """Settle a document of a source with new entries."""
        with app.store.begin() as tx:
            (waiting,) = tx.schedule.named([f"s{number}"])
            (due,) = tx.claims.claim([waiting], self.now, app.in_force.roster.sources)
        document = identify(
            Feed(format="atom 1.0", title=f"Site {number}", entries=tuple(map(self.entry, range(count))))
        )
        digest = Digest(f"{number}/{self.told}")
        answer = Fetched(asked_at=self.now, url=due.url, body=b"", body_digest=digest, etag=None)
        (changes,) = settle([Gathered(due, answer, document)], app.poller.ports)
        assert isinstance(changes, Changes)

    def entry(self, place: int) -> Entry:
        """Write one that nobody has told before."""
        self.told += 1
        words = f"<p>This is what story {self.told} says, so that it can be told from all others.</p>"
        link = Url(f"https://site.example/{self.told}")
        name = f"n{self.told}"
        return Entry(id=name, title=f"Story {name}", link=link, content=words, text=plain_text(words), position=place)


def inflate(database: Path, each: int) -> None:
    """Add entries to every source, older than all that it has, each published as a story of its own."""
    if each <= 0:
        return
    fresh = {
        entry: {
            "id": ":first + n * :each + m",
            "key": "'old-' || m",
            "key_hash": "'old-' || m",
            "id_hash": "NULL",
            "text_digest": "'old-' || n || '-' || m",
            "match_link": "'old.example/' || n || '/' || m",
            "first_seen": ":old - m * 1000000",
            "story_id": ":story + n * :each + m",
        },
        story: {
            "id": ":story + n * :each + m",
            "atom_id": "'urn:old:' || n || ':' || m",
            "page_id": "printf('%016x', (n * 1000003 + m) * 2654435761)",
            "founder_id": ":first + n * :each + m",
        },
        publication: {
            "story_id": ":story + n * :each + m",
            "shown_id": ":first + n * :each + m",
            "sort_at": ":old - m * 1000000",
            "entered_at": ":old - m * 1000000",
            "page": f"CASE WHEN m < {IN_MAIN} THEN NULL ELSE (:each - m - 1) / {ARCHIVE_PAGE} + 1 END",
            "filed_at": f"CASE WHEN m < {IN_MAIN} THEN NULL ELSE :old END",
        },
    }
    engine = create_engine(f"sqlite:///{database}")
    with engine.begin() as connection:

        def run(statement: str) -> None:
            connection.execute(text(statement), {k: v for k, v in known.items() if f":{k}" in statement})

        first, told = connection.execute(text("SELECT next_entry, next_story FROM store")).one()
        old = (BEGAN - timedelta(days=30) - EPOCH) // MICROSECOND
        known = {"first": first, "story": told, "each": each, "old": old}
        run(
            "CREATE TEMP TABLE model AS SELECT source_id - 1 AS n, min(e.id) AS entry, min(e.story_id) AS told "
            "FROM entry e GROUP BY source_id"
        )
        run(
            "CREATE TEMP TABLE number AS WITH RECURSIVE c(m) AS (SELECT 0 UNION ALL SELECT m + 1 FROM c "
            "WHERE m + 1 < :each) SELECT m FROM c"
        )
        for table, key, of_model in (
            (story, "id", "told"),
            (entry, "id", "entry"),
            (publication, "story_id", "told"),
        ):
            names = [column.name for column in table.c]
            values = [fresh[table].get(name, f"t.{name}") for name in names]
            run(
                f"INSERT INTO {table.name} ({', '.join(names)}) SELECT {', '.join(values)} "
                f"FROM model JOIN number JOIN {table.name} t ON t.{key} = model.{of_model}"
            )
        run(
            f"INSERT INTO {file.name} (path, listed_at, digest, written_at, max_age, copied) SELECT "
            "'entry/' || substr(page_id, 1, 2) || '/' || page_id || '.html', :old, 'x', :old, 3600, 0 "
            "FROM story WHERE id >= :story"
        )
        if each > IN_MAIN:
            run(
                f"INSERT INTO {file.name} (path, listed_at, digest, written_at, max_age, copied) SELECT "
                "'category/' || slug || '/archive/' || (m + 1) || suffix, :old, NULL, NULL, 3600, 0 FROM category "
                f"JOIN number ON m < (:each - {IN_MAIN} - 1) / {ARCHIVE_PAGE} + 1 "
                "JOIN (SELECT '.atom' AS suffix UNION SELECT '.json' UNION SELECT '.html')"
            )
        run("UPDATE store SET next_entry = :first + (SELECT count(*) FROM model) * :each")
        run("UPDATE store SET next_story = :story + (SELECT count(*) FROM model) * :each")
        if each > IN_MAIN:
            run(f"UPDATE category SET pages = (:each - {IN_MAIN} - 1) / {ARCHIVE_PAGE} + 1")
        run("UPDATE category SET dirty = dirty + 1")
        run("UPDATE store SET dirty = dirty + 1")
    engine.dispose()


def measure(stored: int, categories: int, rounds: int, profile: cProfile.Profile | None) -> tuple[float, int]:
    """Fill a store, publish it, then publish news, one entry at a time.

    Returns:
        CPU milliseconds of a publication, and how many files it wrote; both medians.
    """
    costs, written = [], []
    with tempfile.TemporaryDirectory() as name:
        planet = Planet(Path(name), categories)
        app = planet.opened()
        try:
            each = stored // categories
            for number in range(categories):
                planet.says(app, number, min(POLLED, each))
            app.publisher.publish()
        finally:
            app.close()
        inflate(planet.folder / "var" / "aggregator.db", each - POLLED)
        app = planet.opened()
        try:
            app.publisher.publish()
            for number in range(-2, rounds):
                planet.now += timedelta(days=2)
                planet.says(app, (number + 7) % categories, 1)
                if profile is not None and number >= 0:
                    profile.enable()
                began = time.process_time()
                published = app.publisher.publish()
                cost = time.process_time() - began
                if profile is not None:
                    profile.disable()
                if number >= 0:  # the first ones fill what is kept in memory
                    costs.append(cost * 1000)
                    written.append(len(published.changed))
        finally:
            app.close()
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
        profile = cProfile.Profile(time.process_time) if options.profile and stored == options.stored[-1] else None
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
