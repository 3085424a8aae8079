"""A planet with something of everything: each row of each table, and what each reader of the store returns.

The golden file shows which of them a change of statements changes: `pytest tests/store/test_portrait.py --regold`
writes it. Of long lines it has the beginning and a digest.
"""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from aggregator.app import App
from aggregator.identify.minhash import bands_of
from aggregator.identify.telling import Telling
from aggregator.model.settings import CategoryKey
from aggregator.store.channels import names_of_sources, redaction_of
from aggregator.store.schema import metadata
from aggregator.store.transaction import Transaction
from tests.fake_source import FakeSource, said
from tests.render.records import ORIGIN, RICH
from tests.rows import change, rows
from tests.sample_site import START, SampleSite
from tests.twin import ask

pytestmark = pytest.mark.only_sqlite
GOLDEN = Path(__file__).parent / "golden" / "portrait.txt"
STORE_ID = "6f1c2f0a-6b5e-4b0e-9d0e-0a4c7a3b9d11"
LONG = 140  # characters of a line
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OF_PAGES = ("look", "stories_look", "digest", "folder", "bytes", "config", "config_path", "posts_look")
FEEDS = """
site: {title: Portrait, base_url: 'https://planet.example/', timezone: Europe/Berlin}
publish: {entries: 10, archive_page: 10, hub: 'https://hub.example/'}
categories:
  x: {title: Exes, description: All of them}
  y: {show: summary}
  hidden: {unlisted: true}
sources:
  - {key: a, url: 'https://a.example/feed', category: [x, y], keep: 30d, priority: 5, exclude: [{title: Advert}]}
  - {key: b, url: 'https://b.example/feed?token=s3cr3t-heron-0815', private: true, category: [x, hidden], show: summary}
  - {key: c, url: 'https://c.example/feed', category: y, language: de, noindex: true, title: Gazette of C}
  - {key: d, url: 'https://d.example/list', category: z, kind: json, items: list, entry: {id: id, title: t},
     detail: {url: 'https://d.example/text?id={id}', content: text}}
  - {key: e, url: 'https://e.example/feed', category: ['z', '{tag}'], silent_after: 3d,
     route: [{when: {title: Special}, to: x}]}
"""
LATER = """
  - {key: f, url: 'https://f.example/feed', was: 'https://c.example/feed', category: [x, y], priority: 9}
"""
RICH_ENTRY = replace(
    said(1, own_id="tag:a.example,2026:1", published=START - DAY, updated=START - HOUR),
    summary=RICH.summary,
    authors=RICH.authors,
    tags=RICH.tags,
    enclosures=RICH.enclosures,
    supplement=RICH.supplement,
    rights=RICH.rights,
    language=RICH.language,
)


def live(site: SampleSite) -> AbstractContextManager[App]:
    """Poll, publish, correct and edit for some weeks; return it, to be opened."""
    site.writes(FEEDS)
    with site.opened() as app:
        change(app.store, "UPDATE store SET uuid = :id", id=STORE_ID)
        change(app.store, "UPDATE category SET feed_id = 'urn:feed:' || key")
        sources = FakeSource(app)
        first = [RICH_ENTRY, *(said(n, published=START - n * HOUR) for n in range(2, 16)), said(16, title="Advert")]
        feed: dict[str, Any] = {"id": ORIGIN.id, "link": ORIGIN.link, "authors": ORIGIN.authors, "icon": ORIGIN.icon}
        feed |= {"logo": ORIGIN.logo, "rights": ORIGIN.rights, "tags": ORIGIN.tags, "updated": START}
        sources.says("a", *first, **feed)
        sources.says("b", replace(said(1, published=START), id="b-1"), said(21, text=_long(21)))
        sources.fails("c")
        sources.says("d", said(31), said(32, text=""))
        sources.says("e", replace(said(41, title="Special one"), tags=RICH.tags), said(42, link=None))
        app.publisher.publish()
        site.clock.move(hours=3)
        changed = said(2, text=_long(2), published=START - 2 * HOUR, updated=START + HOUR)
        sources.says("a", RICH_ENTRY, changed, said(17), deleted=(("item-5", START + 2 * HOUR),), **feed)
        sources.says("c", said(51, published=START + 400 * DAY), said(52, title="", text=""), said(53))
        sources.says("b", said(21, text=_long(22)), said(22))
        sources.unchanged(["e"])
        ask(app, "retract", story=3)
        ask(app, "merge", into=7, story=8)
        ask(app, "merge", into=9, story=10)
        ask(app, "unmerge", entry=10)
        app.publisher.publish()
        site.clock.move(days=1)
        sources.says("a", *(said(n) for n in range(60, 75)), **feed)
        sources.says("c", said(51), said(54))
        sources.fails("e", "dns")
        app.publisher.publish()
    site.writes(
        FEEDS.replace("key: c, url: 'https://c.", "key: c2, url: 'https://c2.").replace("y: 5", "y: -1") + LATER
    )
    with site.opened() as app:
        sources = FakeSource(app)
        sources.says("f", said(54), said(55))
        sources.unchanged(["a", "b"])
        with app.store.begin() as tx:
            tx.channels.keep(["webhook", "notify"], site.clock())
            tx.alarms.note(site.clock())
        app.publisher.publish()
        site.clock.move(days=40)
        sources.says("e", said(43), said(41, title="Special one, changed", text=_long(41)))
        with app.store.begin() as tx:
            tx.alarms.note(site.clock())
            tx.channels.note_told("notify", tx.channels.untold("notify", site.clock()), site.clock())
            tx.channels.note_failure("webhook", "refused", site.clock(), due_at=site.clock() + HOUR)
            tx.retention.thin(site.clock())
            tx.store_row.note_run(site.clock())
        app.publisher.publish()
    return site.opened()


def _long(number: int) -> str:
    return "".join(f"<p>Sentence {n} of report {number} has words, {n * number} of them.</p>" for n in range(9))


def tables(app: App) -> Iterator[str]:
    for table in metadata.sorted_tables:
        keys = list(table.primary_key.columns)
        for row in rows(app.store, select(table).order_by(*keys)):
            said = {k: v for k, v in row._mapping.items() if v is not None and k not in OF_PAGES}
            yield f"{table.name} {said!r}"


def readings(tx: Transaction, app: App) -> Iterator[tuple[str, Any]]:
    """Yield what each reader returns, by its name."""
    now, settings, roster = app.clock(), app.in_force.settings, app.in_force.roster
    categories = tx.categories.rows()
    numbers = [row.id for row in categories]
    stories = sorted(number for (number,) in rows(app.store, "SELECT id FROM story"))
    entries = sorted(number for (number,) in rows(app.store, "SELECT id FROM entry"))
    yield "categories", categories
    yield "resting categories", tx.categories.resting()
    yield "unlisted", sorted(tx.categories.unlisted())
    yield "site", replace(tx.categories.site(), look=None)
    for row in categories:
        for page in (None, *range(1, row.pages + 1)):
            yield f"document {row.key} {page}", tx.documents.publications(row.id, page)
        yield f"said {row.key}", tx.documents.said(row.id, [None, *range(1, row.pages + 1)])
        yield f"spans {row.key}", tx.documents.spans(row.id, 0)
        yield f"main rows {row.key}", tx.documents.main_rows(row.id)
        yield f"tombstones {row.key}", tx.documents.tombstones(row.id)
        yield f"trail of {row.key}", tx.trail.category(row.key)
    yield "said last", tx.documents.said_last()
    yield "newest", tx.documents.newest(numbers, 20)
    yield "newest times", tx.documents.newest_times(numbers, START, 9)
    yield "counts", tx.documents.counts(numbers)
    yield "newest of each", tx.documents.newest_of_each(numbers, 2, fair=False)
    yield "newest of each, fair", tx.documents.newest_of_each(numbers, 2, fair=True)
    yield "tombstones of all", tx.documents.tombstones_of_all(numbers)
    yield "members", tx.members(stories)
    for number in stories:
        yield f"story {number}", tx.trail.story(number)
        yield f"entries of {number}", tx.finding.entries_of(number)
    for number in entries[:30]:
        yield f"entry {number}", tx.trail.entry(number)
    for name in ("item-2", "https://news.example/2", "tag:a.example,2026:1", "nothing"):
        yield f"found {name}", (tx.finding.story(name), tx.finding.entries(name))
    yield "keys", tx.trail.category_keys()
    yield "atom ids", tx.trail.atom_ids(stories)
    yield "pages", tx.story_pages.stored(stories, {CategoryKey("x"): 0, CategoryKey("y"): 1})
    yield "dirty pages", [tx.story_pages.dirty(after=0, late=late, limit=5) for late in (False, True)]
    yield "search", (tx.search.newest_marks(), tx.search.finds(entries), tx.search.public_finds(entries))
    yield "texts", (tx.search.texts_after(0, 99), tx.search.texts_of_stories(stories), tx.search.texts_thinned(0))
    for source in settings.sources:
        yield f"history of {source.key}", tx.history.of(source.key, now, days=60)
        yield f"states of {source.key}", (tx.trail.entry_states(source.key), tx.trail.read_whole(source.key))
        yield f"steps of {source.key}", tx.trail.source_steps(source.key, [], 50)
        yield f"would thin {source.key}", tx.retention.would_thin(source.key, DAY, now)
    yield "near", tx.trail.near_entries(1, bands_of(Telling("Title 1", RICH_ENTRY.text)))
    yield "rule hits", tx.history.rule_hits()
    yield "alarms", (tx.alarms.latest(99), tx.channels.untold("webhook", now), tx.channels.failures("webhook"))
    yield "names", names_of_sources(tx, settings, tx.alarms.latest(99))
    yield "struck", redaction_of(tx, settings)("https://b.example/feed?token=s3cr3t-heron-0815, s3cr3t-heron-0815")
    yield "hub", (tx.hub_pings.status(), tx.hub_pings.next(now))
    yield "river", tx.river.last()
    yield "sources", (tx.sources.titles(), tx.sources.rows(), tx.sources.limits(), tx.sources.entry_counts())
    yield "moved sources", (tx.sources.resting(), tx.sources.moved())
    yield "lists", tx.sources.lists()
    yield "touched", sorted(tx.sources.touched_since(3))
    yield "due", tx.schedule.named(None)
    yield "next turn", (tx.schedule.next_turn(), tx.schedule.lag(now))
    yield "figures", tx.status.figures(now)
    status = tx.status.of(roster, now, secrets=(), where="here", size=0, schema="head", counted={})
    yield "status", status
    yield "files", (tx.files.gone(), tx.files.copies(), sorted(tx.files.max_ages().items()))
    yield "rhythm", (tx.store_row.rhythm(), tx.store_row.is_served(), tx.store_row.outage())


def portrait(app: App) -> str:
    lines = list(tables(app))
    with app.store.read() as tx:
        for name, value in readings(tx, app):
            lines.append(f"== {name}")
            lines += [repr(one) for one in value] if isinstance(value, list | tuple) else [repr(value)]
    text = "\n".join(lines) + "\n"
    text = re.sub(r"frozenset\(\{([^{}]*)\}\)", lambda f: f"frozenset({sorted(f[1].split(', '))})", text)
    return "".join(map(_cut, text.replace(str(app.in_force.settings.path.parent), "FOLDER").splitlines()))


def _cut(line: str) -> str:
    return f"{line}\n" if len(line) <= LONG else f"{line[:LONG]}… {sha256(line.encode()).hexdigest()[:16]}\n"


def test_each_row_and_each_reading_is_as_it_was(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    with live(SampleSite(tmp_path)) as app:
        seen = portrait(app)
    if request.config.getoption("--regold", default=False):
        GOLDEN.write_text(seen, encoding="utf-8")
    assert seen == GOLDEN.read_text(encoding="utf-8")
