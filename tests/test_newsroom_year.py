"""Ten thousand entries in a simulated year: who walks back from the main feed meets each exactly once (M2 to M7).

Halfway a source with 300 old entries is added, and then ten entries that stand on archive pages are revised.
"""

import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from lxml import etree, html

from aggregator.app import App
from aggregator.model.entry import Entry
from tests.fake_source import FakeSource, said
from tests.sample_site import ATOM, START, SampleSite

DAYS, STEP, NEWS, OLD = 365, 7, 9_700, 300
ADDED, REVISED = 182, 273  # days on which it happens
REVISIONS = range(1, 5_000, 500)  # ten entries, long on pages
SITE = "http://127.0.0.1:8080/"
YAML = """
publish: {formats: [atom, json, html], entry_pages: false, gzip: false}
defaults: {initial: 300}
categories: {general: {}}
sources:
  - {key: daily, url: "https://daily.example/feed", category: general}
"""
ONE_MORE = '  - {key: elder, url: "https://elder.example/feed", category: general}\n'
NEWER = re.compile(rb'<a class="back" rel="next"[^>]*>[^<]*</a>|<nav class="onward"[^>]*></nav>')
Kept = dict[str, bytes]


def told_until(day: int) -> int:
    """Return the number of entries at the end of a day; they don't come evenly."""
    return NEWS * (day + 1) // DAYS - (50 if day % 3 == 1 and day < DAYS - 1 else 0)


def paths_of(root: Path) -> set[str]:
    """Return the paths of the archive pages."""
    return {str(path.relative_to(root)) for path in root.glob("category/general/archive/*")}


class Year:
    """The days of it, and what each archive page said on the day it was closed."""

    def __init__(self, sample_site: SampleSite) -> None:
        self.site, self.root = sample_site, sample_site.folder / "public"
        self.closed: Kept = {}  # path: the bytes of its first day
        self.changed: set[str] = set()  # paths that were written again

    def pass_days(self, app: App, days: range) -> None:
        fake_source = FakeSource(app)
        for day in days:
            self.site.clock.now = START + timedelta(days=day)
            fresh = range(told_until(day - STEP) if day else 0, told_until(day))
            entries = [said(number, published=self.site.clock.now - timedelta(minutes=number)) for number in fresh]
            if day == ADDED:
                fake_source.says("elder", *map(an_old_one, range(OLD)))
            if day == REVISED:
                entries += [said(number, text=f"<p>Entry {number} says it better now.</p>") for number in REVISIONS]
            fake_source.says("daily", *reversed(entries))
            self.note(app.publisher.publish().changed)

    def note(self, written: tuple[str, ...]) -> None:
        for path in written:
            if "/archive/" in path:
                data = without_newer((self.root / path).read_bytes())
                if self.closed.setdefault(path, data) != data:
                    self.changed.add(path)


def without_newer(page: bytes) -> bytes:
    """Return a page without its link to the next one, which comes when that is closed."""
    return NEWER.sub(b"", page)


def an_old_one(number: int) -> Entry:
    return said(f"old-{number}", published=START - timedelta(days=400 + number))


def in_atom(data: bytes) -> tuple[list[str], str | None]:
    """Return the ids in an Atom document, and the address of the document before it."""
    root = etree.fromstring(data)
    links = [link.get("href") for link in root.iterchildren(f"{ATOM}link") if link.get("rel") == "prev-archive"]
    return [str(entry.findtext(f"{ATOM}title")) for entry in root.iterchildren(f"{ATOM}entry")], next(iter(links), None)


def in_json(data: bytes) -> tuple[list[str], str | None]:
    """Return the ids in a JSON Feed, and the address of the document before it."""
    feed = json.loads(data)
    return [item["title"] for item in feed["items"]], feed.get("next_url")


def in_html(data: bytes) -> tuple[list[str], str | None]:
    """Return the ids in a page, headlines at its foot included, and the address of the page before it."""
    root = html.fromstring(data)
    links = list(root.iter("a"))
    headings = {a for h2 in root.iter("h2") for a in h2.iterchildren("a")}
    titles = ["".join(map(str, a.itertext())) for a in links if a.get("class") == "title" or a in headings]
    return titles, next((a.get("href") for a in links if a.get("rel") == "prev"), None)


def walk(root: Path, form: str, read: Callable[[bytes], tuple[list[str], str | None]]) -> Counter[str]:
    """Follow the links from the main document to the first archive page, and count what is met."""
    met: Counter[str] = Counter()
    path: Path | None = root / f"category/general.{form}"
    while path is not None:
        titles, link = read(path.read_bytes())
        met.update(titles)
        base = path.parent if form == "html" else root
        path = base / link.removeprefix(SITE) if link else None
    return met


@pytest.mark.slow
def test_show_4_an_archive_walk_over_a_year_meets_each_entry_once(sample_site: SampleSite) -> None:
    year = Year(sample_site)
    sample_site.writes(YAML)
    with sample_site.opened() as app:
        year.pass_days(app, range(0, ADDED, STEP))
    sample_site.writes(YAML + ONE_MORE)
    with sample_site.opened() as app:
        year.pass_days(app, range(ADDED, REVISED, STEP))
        assert not year.changed, "M7: a page that is closed never changes, whatever comes"
        where = {
            title: path for path, data in year.closed.items() if path.endswith(".atom") for title in in_atom(data)[0]
        }
        year.pass_days(app, range(REVISED, DAYS, STEP))
    stems = {where[f"Title {number}"].removesuffix(".atom") for number in REVISIONS}
    assert len(stems) == len(REVISIONS)
    assert year.changed == {f"{stem}.{form}" for stem in stems for form in ("atom", "json", "html")}
    assert paths_of(year.root) == year.closed.keys()
    wanted = Counter([f"Title {n}" for n in range(NEWS)] + [f"Title old-{n}" for n in range(OLD)])
    assert wanted.total() == 10_000
    for form, read in (("atom", in_atom), ("json", in_json), ("html", in_html)):
        assert walk(year.root, form, read) == wanted, form
    for path, data in year.closed.items():
        if path not in year.changed:
            assert without_newer((year.root / path).read_bytes()) == data, "M7: the same bytes from the day it is full"
