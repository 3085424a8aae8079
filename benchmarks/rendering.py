"""Rendering a category of 100 entries against feedgen from scratch, and compression against gzip level 6.

Ours is what a publication does: what was rendered lately is kept, one entry in a hundred is new, and each document is
read back before it counts (A35). "Cold" is the first time, when nothing is kept; docs/decisions/0119 says why the
limits are not for that. CPU seconds, of each way the quickest round: what another program takes of a processor is no
cost of ours.

python -m benchmarks.rendering [--entries 100] [--rounds 15]
"""

import argparse
import gzip
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import inf
from random import Random

from feedgen.feed import FeedGenerator

from aggregator.clean.sanitiser import sanitise
from aggregator.model.entry import Origin, Person, Tag
from aggregator.model.settings import CategoryKey, Site, SourceKey
from aggregator.model.story import Document, Publication
from aggregator.publish.atomic_file import packed
from aggregator.render.atom import read_back_atom, render_atom
from aggregator.render.cache import forget_all
from aggregator.render.html_pages import render_category
from aggregator.render.jsonfeed import read_back_json, render_json
from aggregator.render.rss import read_back_rss, render_rss
from aggregator.urls import Url

ATOM_LIMIT, ALL_LIMIT, PACK_LIMIT = 1.2, 5.0, 0.45
SITE = Site(title="Planet", base_url=Url("https://planet.example/"))
STORE = "0b6d9a1e-55a5-4a8e-9f3e-0d7a9c6f1b22"
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
FORMATS = frozenset({"atom", "rss", "json", "html"})
SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu".split()


def text_of(number: int) -> str:
    """Return about five kilobytes of HTML whose words repeat about as often as those of a newspaper."""
    chance = Random(number)
    paragraphs = []
    for line in range(12):
        ranks = [int(chance.paretovariate(0.7)) % 6000 for _ in range(55)]
        words = ["".join(SYLLABLES[rank // 20**place % 20] for place in range(1 + rank % 3)) for rank in ranks]
        paragraphs.append(f'<p>{" ".join(words)} <a href="https://site.example/{number}/{line}">more</a>.</p>')
    return sanitise("\n".join(paragraphs))  # as it would be stored


def publication_of(number: int) -> Publication:
    """Return a publication with the fields that most entries have."""
    when = NOON - timedelta(hours=number)
    return Publication(
        story=number,
        atom_id=f"tag:site.example,2026:{number}",
        page_id=f"{number:016x}",
        sort_at=when,
        page=None,
        published=when,
        updated=when,
        source=SourceKey("site"),
        entry_key=str(number),
        title=f"Story {number} of the harbour & the valley",
        link=Url(f"https://site.example/{number}"),
        summary=f"<p>What story {number} says, in short.</p>",
        content=text_of(number),
        authors=(Person(name="Ada Heron"),),
        tags=(Tag(term="harbour"), Tag(term="valley")),
        enclosures=(),
        rights=None,
        language="en",
        origin=Origin(id="https://site.example/feed", title="Site", self_link=Url("https://site.example/feed")),
        credits=(),
        category=CategoryKey("news"),
    )


def document_of(publications: tuple[Publication, ...]) -> Document:
    """Return the main document of a category."""
    return Document(
        path="category/news",
        id="urn:uuid:5f0c2c4e-3f5e-5b1f-8f0e-2b9d5b1a9c11",
        title="News",
        description="All of it",
        language="en",
        updated=NOON,
        publications=publications,
    )


def feedgen_from_scratch(document: Document) -> bytes:
    """Write the same entries as feedgen does by itself, as its documentation says."""
    feed = FeedGenerator()
    feed.id(document.id)
    feed.title(document.title)
    feed.link(href="https://planet.example/")
    feed.updated(document.updated)
    for publication in document.publications:
        entry = feed.add_entry(order="append")
        entry.id(publication.atom_id)
        entry.title(publication.title)
        entry.link(href=publication.link)
        entry.updated(publication.updated)
        entry.published(publication.published)
        entry.author(name=publication.authors[0].name)
        entry.category([{"term": tag.term} for tag in publication.tags])
        entry.summary(publication.summary)
        entry.content(publication.content, type="html")
    return bytes(feed.atom_str())


def our_atom(document: Document) -> bytes:
    """Render as Atom and read it back."""
    data = render_atom(document, SITE, html=True)
    read_back_atom(data, document)
    return data


def our_all(document: Document) -> list[bytes]:
    """Render every format, and read back what is read back."""
    rss_data, json_data = render_rss(document, SITE, ttl=15, html=True), render_json(document, SITE, STORE, html=True)
    read_back_rss(rss_data, document)
    read_back_json(json_data, document)
    return [our_atom(document), rss_data, json_data, render_category(document, SITE, FORMATS)]


def quickest(rounds: int, way: Callable[[int], object], before: Callable[[], None] = lambda: None) -> float:
    """Return the CPU seconds of the quickest round."""
    best = inf
    for number in range(rounds):
        before()
        began = time.process_time()
        way(number)
        best = min(best, time.process_time() - began)
    return best


def main() -> int:
    """Print the ratios; 1 if one is over its limit."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rendering", description=__doc__)
    parser.add_argument("--entries", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    old = tuple(publication_of(number) for number in range(1, options.entries))

    def with_news(number: int) -> Document:
        newest = replace(publication_of(100_000 + number), sort_at=NOON, updated=NOON, published=NOON)
        return document_of((newest, *old))

    first = with_news(0)
    data = our_atom(first)
    print(f"{options.entries} entries, {len(data):,} bytes of Atom; CPU, each way's best of {options.rounds}")
    scratch = quickest(options.rounds, lambda number: feedgen_from_scratch(with_news(number)))
    our_all(first)
    known_atom = quickest(options.rounds, lambda number: our_atom(with_news(1000 + number)))
    known_all = quickest(options.rounds, lambda number: our_all(with_news(2000 + number)))
    cold_atom = quickest(options.rounds, lambda number: our_atom(first), before=forget_all)
    cold_all = quickest(options.rounds, lambda number: our_all(first), before=forget_all)
    level_6 = quickest(options.rounds, lambda number: gzip.compress(data, 6, mtime=0))
    pack = quickest(options.rounds, lambda number: packed(data))
    print(f"feedgen from scratch, Atom          {scratch * 1000:8.2f} ms")
    for name, seconds in (
        ("Atom, 1 entry new", known_atom),
        ("all, 1 entry new", known_all),
        ("Atom, cold", cold_atom),
        ("all, cold", cold_all),
    ):
        print(f"ours, {name:24}  {seconds * 1000:8.2f} ms  {seconds / scratch:6.2f} x")
    sizes = f"{len(packed(data)):,} bytes against {len(gzip.compress(data, 6)):,}"
    print(f"gzip level 6 {level_6 * 1000:.2f} ms, ours {pack * 1000:.2f} ms, {sizes}")
    found = (known_atom / scratch, ATOM_LIMIT), (known_all / scratch, ALL_LIMIT), (pack / level_6, PACK_LIMIT)
    for name, (ratio, limit) in zip(("Atom", "all formats", "compression"), found, strict=True):
        print(f"ratio {name:14} {ratio:6.2f}   (at most: {limit})")
    return 0 if all(ratio <= limit for ratio, limit in found) else 1


if __name__ == "__main__":
    sys.exit(main())
