"""When archive pages are written: one before what leads to it, several after all main documents (R31)."""

from typing import Any

import pytest

from aggregator.app import App
from aggregator.publish.folder import Folder
from tests.fake_source import FakeSource, said
from tests.sample_site import SampleSite

YAML = """site: {title: T}
publish: {formats: [atom, json, html], entries: 10, archive_page: 10}
sources:
  - {key: a, url: 'https://a.example/', category: a, initial: 500, paused: true}
  - {key: b, url: 'https://b.example/', category: b, initial: 500, paused: true}
"""
BEFORE_CUT = ("category/a.html", "category/b.html", "index.html")


@pytest.fixture
def placed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note the paths of files in the order in which they are put in place."""
    found = list[str]()
    replace = Folder.replace

    def noting(folder: Folder, path: str, data: bytes, **named: Any) -> bool:
        found.append(path)
        return replace(folder, path, data, **named)

    monkeypatch.setattr(Folder, "replace", noting)
    return found


def backfilled(app: App) -> FakeSource:
    """Settle first polls of two categories, which fill a main document and two archive pages each."""
    source = FakeSource(app)
    for key in "ab":
        source.says(key, *(said(f"{key}{number}") for number in range(30)))
    return source


def test_pages_of_a_backfill_are_written_after_all_main_documents(sample_site: SampleSite, placed: list[str]) -> None:
    sample_site.writes(YAML)
    with sample_site.opened() as app:
        backfilled(app)
        assert not app.publisher.publish().waiting
        archives = [number for number, path in enumerate(placed) if "/archive/" in path]
        others = [placed.index(path) for path in ("category/a.atom", "category/b.html", "all.atom", "index.html")]
        assert len(archives) == 12
        assert max(others) < min(archives)
        before = sample_site.files()
        app.publisher.publish(everything=True)
        assert sample_site.files() == before


def test_a_page_of_news_is_written_before_the_feed_that_leads_to_it(sample_site: SampleSite, placed: list[str]) -> None:
    sample_site.writes(YAML)
    with sample_site.opened() as app:
        source = backfilled(app)
        app.publisher.publish()
        for hours in range(10):
            sample_site.clock.move(hours=1 + hours)
            source.says("a", said(f"new{hours}"))
        sample_site.clock.move(days=2)
        source.says("a", said("last"))
        placed.clear()
        app.publisher.publish()
        assert placed.index("category/a/archive/3.html") < placed.index("category/a.atom")


def test_new_pages_of_a_published_category_are_written_before_its_feed(
    sample_site: SampleSite, placed: list[str]
) -> None:
    sample_site.writes(YAML)
    with sample_site.opened() as app:
        backfilled(app)
        app.publisher.publish()
    sample_site.writes(YAML + "  - {key: c, url: 'https://c.example/', category: a, initial: 500, paused: true}\n")
    with sample_site.opened() as app:
        FakeSource(app).says("c", *(said(f"c{number}") for number in range(30)))
        placed.clear()
        app.publisher.publish()
        pages = [number for number, path in enumerate(placed) if path.startswith("category/a/archive/")]
        assert len(pages) >= 6
        assert max(pages) < placed.index("category/a.atom")


@pytest.mark.parametrize("last", BEFORE_CUT)
def test_pages_that_a_stop_has_left_are_written_by_the_next_publication(
    sample_site: SampleSite, placed: list[str], last: str
) -> None:
    sample_site.writes(YAML)
    with sample_site.opened() as app:
        backfilled(app)
        assert app.publisher.publish(is_cut=lambda: last in placed).waiting
        assert not any("/archive/" in path for path in placed)
    with sample_site.opened() as app:
        assert not app.publisher.publish().waiting
        assert len({path for path in placed if "/archive/" in path}) == 12
        before = sample_site.files()
        app.publisher.publish(everything=True)
        assert sample_site.files() == before
        placed.clear()
        app.publisher.publish()
        assert not any(path.startswith("category/") for path in placed), "nothing is dirty"
