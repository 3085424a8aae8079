"""Tests looks: what is rendered again when settings change and stories do not (R34)."""

from typing import Any

import pytest

from aggregator.app import App
from aggregator.publish.folder import Folder
from tests.fake_source import FakeSource, said
from tests.sample_site import SampleSite

YAML = """site: {title: T}
publish: {formats: [atom, rss, json, html], entries: 10, archive_page: 10}
categories: {a: {title: First}}
sources: [{key: a, url: 'https://a.example/', category: a, initial: 500, paused: true}]
"""


def look_of(app: App) -> str:
    """Return the stored look of the category."""
    with app.store.read() as tx:
        (row,) = tx.categories.rows()
    return row.look or ""


def filled(site: SampleSite) -> None:
    """Publish a category with two archive pages, as `poll` does."""
    site.writes(YAML)
    with site.opened() as app:
        FakeSource(app).says("a", *(said(number) for number in range(30)))
        app.publisher.publish()


def rendered(app: App, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Publish, and return the suffixes of the category's documents that were rendered, changed or not."""
    found = set[str]()
    replace = Folder.replace

    def noting(folder: Folder, path: str, data: bytes, **named: Any) -> bool:
        if path.startswith("category/") and not path.endswith(".opml"):  # which is a list of the site, as sources.opml
            found.add(path.rpartition(".")[2])
        return replace(folder, path, data, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "replace", noting)
        assert not app.publisher.publish().failed
    return found


def test_from_poll_to_serve_pages_alone_are_rendered(sample_site: SampleSite, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(sample_site)
    before = sample_site.files()
    with sample_site.opened("serve") as app:
        assert rendered(app, monkeypatch) == {"html"}
        after = sample_site.files()
        app.publisher.publish(everything=True)
        assert sample_site.files() == after
    changed = {path for path in before if before[path] != after[path]}
    pages = {"category/a.html", "category/a/archive/1.html", "category/a/archive/2.html"}
    assert {path for path in changed if path.startswith("category/") and not path.endswith(".gz")} == pages
    assert b'href="../search"' in sample_site.published("category/a.html")
    assert b'href="../../../search"' in sample_site.published("category/a/archive/1.html")


def test_news_and_another_look_of_pages_at_once(sample_site: SampleSite) -> None:
    filled(sample_site)
    sample_site.clock.move(hours=1)
    with sample_site.opened("serve") as app:
        FakeSource(app).says("a", said("new"))
        app.publisher.publish()
        assert sample_site.titles("category/a.atom")[0] == "Title new"
        after = sample_site.files()
        app.publisher.publish(everything=True)
        assert sample_site.files() == after


def test_another_title_renders_feeds_too(sample_site: SampleSite, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(sample_site)
    sample_site.writes(YAML.replace("First", "Renamed"))
    with sample_site.opened() as app:
        assert rendered(app, monkeypatch) == {"atom", "rss", "json", "html"}


def test_a_look_of_the_version_before_renders_nothing(sample_site: SampleSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """That version stored one digest, of all that shapes a category's documents."""
    filled(sample_site)
    with sample_site.opened() as app:
        whole = look_of(app).partition(" ")[0]
        with app.store.begin() as tx:
            (row,) = tx.categories.rows()
            tx.categories.mark_rendered(row, whole, app.clock())
        assert rendered(app, monkeypatch) == set()
        assert look_of(app) == whole
    with sample_site.opened("serve") as app:  # it does not say how feeds looked
        assert rendered(app, monkeypatch) == {"atom", "rss", "json", "html"}
        assert len(look_of(app).split()) == 2
