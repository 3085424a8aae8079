"""Near-duplicates: how well labelled pairs are told apart, and what the check costs in a store of a million entries.

python -m benchmarks.nearness pairs           # the pairs of tests/identify, in fifteen languages
python -m benchmarks.nearness aside           # pairs in nineteen languages that were kept aside from them
python -m benchmarks.nearness pairs FILE      # others, in JSON: label, lang, kind, and two entries each
python -m benchmarks.nearness year            # a year of forty papers that copy each other
python -m benchmarks.nearness cost            # a million stored, a hundred thousand of them in the window
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, insert

from aggregator.clean.dates import parse_date
from aggregator.clean.text import plain_text
from aggregator.identify.minhash import bands_of
from aggregator.identify.similarity import Likeness, likeness
from aggregator.identify.telling import Telling
from aggregator.store.minhash_bands import near_entries
from aggregator.store.schema import entry, fingerprint, metadata, source, story
from aggregator.store.sqlite import make_engine
from aggregator.urls import BadUrl, is_start_page, match_url, normalise_link
from tests.identify.aside import aside_pairs
from tests.identify.pairs import all_pairs
from tests.identify.papers import Told, Year

PRECISION, RECALL, RECALL_OF_ONE = 0.985, 0.95, 0.9  # to reach: of all pairs, and of a language
FEW = 10  # pairs of a language that say nothing by themselves
COST_MS, BYTES = 0.9, 211.0


def telling(side: dict[str, Any]) -> Telling:
    """Return the part of one side that is compared."""
    published = parse_date(side["published"]) if side["published"] else None
    return Telling(side["title"], plain_text(side["html"] or ""), published)


def link_of(side: dict[str, Any]) -> str | None:
    """Return the link in the form in which links are compared."""
    try:
        link = normalise_link(side["link"]) if side["link"] else None
    except BadUrl:
        return None
    return match_url(link) if link and not is_start_page(link) else None


def judge(pair: dict[str, Any]) -> Likeness:
    """Return whether both sides are one story, judged as entries of two sources: compared only if they share a band."""
    one, other = telling(pair["a"]), telling(pair["b"])
    links = {link_of(pair["a"]), link_of(pair["b"])}
    linked = len(links) == 1 and None not in links
    if not linked and not set(bands_of(one)) & set(bands_of(other)):
        return Likeness(False, 0.0, "they never meet")
    return likeness(one, other, linked=linked)


def pairs(labelled: Iterable[dict[str, Any]]) -> bool:
    """Print precision and recall, by language and kind too, and each pair that is judged wrongly."""
    found = [(pair, judge(pair)) for pair in labelled]
    languages = sorted({pair["lang"] for pair, _ in found})
    reached = True
    for name in ("all", *languages):
        some = [item for item in found if name in ("all", item[0]["lang"])]
        right = sum(verdict.is_same and pair["label"] == "same" for pair, verdict in some)
        claimed = sum(verdict.is_same for _, verdict in some)
        there = sum(pair["label"] == "same" for pair, _ in some)
        precision, recall = right / max(1, claimed), right / max(1, there)
        print(f"{name}: {len(some)} pairs, precision {precision:.3f}, recall {recall:.3f}")
        if name == "all" or len(some) > FEW:
            reached &= precision >= PRECISION and recall >= (RECALL if name == "all" else RECALL_OF_ONE)
    kinds = Counter(
        (pair["label"], pair["kind"], verdict.is_same == (pair["label"] == "same")) for pair, verdict in found
    )
    for label, kind in sorted({(label, kind) for label, kind, _ in kinds}):
        right, wrong = kinds[label, kind, True], kinds[label, kind, False]
        print(f"  {label:9} {kind:50} {right:3} right {wrong:3} wrong")
    for pair, verdict in found:
        if verdict.is_same != (pair["label"] == "same"):
            print(f"\n{pair['label']}, judged otherwise ({verdict.because}): {pair['kind']}")
            print("\n".join(f"    {side['title']} | {side['link']}" for side in (pair["a"], pair["b"])))
    return reached


def year(days: int) -> tuple[int, int]:
    """Print how a simulated year of forty papers is told apart; return false merges and missed copies."""
    window, stories = timedelta(days=7), dict[int, list[tuple[Told, Telling]]]()
    met: dict[int, list[tuple[Told, Telling, int]]] = defaultdict(list)  # by band: entry and its story
    ways, tellers = Counter[tuple[str, bool]](), Counter[int]()
    false = list[tuple[Told, Told, str]]()
    for told in (each for day in Year().days(days) for each in day):
        mine = Telling(told.title, " ".join(told.paragraphs), told.at)
        joined = None
        for band in bands_of(mine):
            met[band] = [each for each in met[band] if told.at - each[0].at <= window]
            for other, theirs, number in met[band]:
                if (
                    joined is None
                    and other.paper != told.paper
                    and all(t.paper != told.paper for t, _ in stories[number])
                ):
                    found = likeness(mine, theirs)
                    joined = number if found.is_same else None
                    if joined is not None and other.story != told.story:
                        false.append((other, told, found.because))
        if joined is None:
            known = any(each.story == told.story for band in bands_of(mine) for each, _, _ in met[band])
            ways[told.way, False] += known
            joined = len(stories)
            stories[joined] = []
        else:
            ways[told.way, True] += 1
        stories[joined].append((told, mine))
        if len(stories[joined]) == 1:  # as in the store, only the entry that founded a story is compared
            for band in bands_of(mine):
                met[band].append((told, mine, joined))
    for tellings in stories.values():
        tellers[len(tellings)] += 1
    entries = sum(map(len, stories.values()))
    print(f"{days} days: {entries:,} entries, {len(stories):,} stories, {len(false)} merged wrongly")
    print("stories a day by tellers:", ", ".join(f"{n}: {count / days:.1f}" for n, count in sorted(tellers.items())))
    for way in sorted({way for way, _ in ways}):
        print(f"  {way:30} {ways[way, True]:6} joined {ways[way, False]:6} apart")
    for one, other, because in false[:20]:
        print(f"  merged ({because}): {one.story}, {one.title} / {other.story}, {other.title}")
    return len(false), sum(count for (_, is_right), count in ways.items() if not is_right)


def cost(stored: int, window: int, looked_up: int) -> bool:
    """Print what sketching and looking up one entry cost, and what its bands take on disk."""
    chance = random.Random(7)
    words = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in ("n", "r", "st", "mp", "l")]

    def told() -> Telling:
        said = " ".join(chance.choices(words, k=chance.randint(60, 400)))
        return Telling(" ".join(chance.choices(words, k=8)), said)

    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "store.db"
        engine = create_engine(f"sqlite:///{path}")
        metadata.create_all(engine, tables=[source, story, entry, fingerprint])
        now = datetime.now(UTC)
        sample = [bands_of(told()) for _ in range(2000)]
        with engine.begin() as connection:
            step = 10_000
            for first in range(0, stored, step):
                age = timedelta(days=7) * max(0, stored - first) / window
                rows = [_row(number, now - age) for number in range(first + 1, first + step + 1)]
                connection.execute(insert(entry), rows)
                connection.execute(
                    insert(story), [_story(number, now) for number in range(first + 1, first + step + 1)]
                )
            connection.execute(insert(entry), [_row(stored + number, now) for number in range(1, looked_up + 1)])
        before = path.stat().st_size
        with engine.begin() as connection:
            for first in range(0, stored, step):
                rows = [
                    {"band": band ^ (number * 2654435761 % 2**47), "entry_id": number}
                    for number in range(first + 1, first + step + 1)
                    for band in sample[number % len(sample)]
                ]
                connection.execute(insert(fingerprint), rows)
        taken = (path.stat().st_size - before) / stored
        engine.dispose()
        engine = make_engine(f"sqlite:///{path}")  # filled without, measured with what the store asks
        news = [told() for _ in range(looked_up)]
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            started = time.process_time()
            for number, telling in enumerate(news):
                bands = bands_of(replace(telling))
                near_entries(connection, {"new": bands}, source=2, since=now - timedelta(days=7))
                connection.execute(
                    insert(fingerprint), [{"band": band, "entry_id": stored + number + 1} for band in bands]
                )
            spent = (time.process_time() - started) * 1000 / looked_up
        engine.dispose()
    limits = f"to reach: {COST_MS} and {BYTES:.0f}"
    print(f"{stored:,} stored: {spent:.2f} ms CPU and {taken:.0f} bytes an entry ({limits})")
    return spent <= COST_MS and taken <= BYTES


def _row(number: int, seen: datetime) -> dict[str, Any]:
    return {
        "id": number, "source_id": 1, "key_hash": f"k{number}", "key": "k", "key_rule": "id", "digest": "d",
        "title": "t", "summary": "", "content": "", "first_seen": seen, "revisions": 0, "undated": 0,
        "state": "published", "story_id": number, "categories": [],
    }  # fmt: skip


def _story(number: int, now: datetime) -> dict[str, Any]:
    return {"id": number, "atom_id": f"a{number}", "page_id": f"p{number}", "founder_id": number, "created_at": now}


def main() -> None:
    """Run one of the four."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_subparsers(dest="what", required=True)
    what.add_parser("pairs").add_argument("file", type=Path, nargs="?")
    what.add_parser("aside")
    what.add_parser("year").add_argument("--days", type=int, default=365)
    costs = what.add_parser("cost")
    costs.add_argument("--stored", type=int, nargs="+", default=[10_000, 1_000_000])
    costs.add_argument("--window", type=int, default=100_000)
    costs.add_argument("--entries", type=int, default=500)
    options = parser.parse_args()
    if options.what == "pairs":
        sys.exit(not pairs(json.loads(options.file.read_text(encoding="utf-8")) if options.file else all_pairs()))
    if options.what == "aside":
        sys.exit(not pairs(aside_pairs()))
    if options.what == "year":
        sys.exit(year(options.days)[0] > 0)
    sys.exit(not all([cost(stored, min(options.window, stored), options.entries) for stored in options.stored]))


if __name__ == "__main__":
    main()
