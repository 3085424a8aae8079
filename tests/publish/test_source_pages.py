"""The page of each source: what it shows, when it is rendered, and whose files go first."""

from datetime import UTC, datetime, timedelta

from lxml import html

from aggregator.model.entry import Entry
from tests.fake_source import FakeSource, said
from tests.sample_site import SampleSite

HEAD = "site: {base_url: 'https://planet.example/', title: Birds}\n"
SOURCES = """
sources:
  - {key: a, url: "https://a.example/feed", category: x, title: Avocets}
  - {key: b, url: "https://b.example/feed?token=abc", category: [x, source], private: true}
  - {key: c, url: "https://c.example/feed", category: hidden}
  - {key: d, url: "https://d.example/feed", category: x}
categories: {hidden: {unlisted: true}}
"""
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def told(*numbers: int) -> list[Entry]:
    return [said(n, published=NOON - timedelta(hours=100 - n)) for n in numbers]


def written(site: SampleSite) -> set[str]:
    public = site.folder / "public"
    return {path.name for path in (public / "source").glob("*.html")} if (public / "source").is_dir() else set()


def found(page: html.HtmlElement, path: str) -> list[html.HtmlElement]:
    elements = page.xpath(path)
    assert isinstance(elements, list)
    return [one for one in elements if isinstance(one, html.HtmlElement)]


def changed_pages(names: tuple[str, ...]) -> set[str]:
    return {name for name in names if name.startswith("source/")}


def test_a_page_is_rendered_when_what_it_shows_has_changed(site: SampleSite) -> None:
    site.writes(HEAD + SOURCES)
    with site.opened() as app:
        source = FakeSource(app)
        source.says("a", *told(*range(40)))
        source.says("c", *told(90))
        app.publisher.publish()
    pages = written(site)
    assert {"a.html", "d.html"} < pages, "also without any story"
    assert len(pages) == 3, pages
    (private,) = (name for name in pages if name.startswith("private-"))
    page = html.fromstring(site.published("source/a.html"))
    shown = [link.text for link in found(page, "//main//h3/a | //main//li/a[@class='title']")]
    assert shown == [f"Title {n}" for n in range(39, 27, -1)], "the newest twelve, the newest first"
    assert found(page, "//link[@rel='alternate']")
    assert b">https://a.example/feed<" in site.published("source/a.html")
    text = site.published(f"source/{private}").decode()
    assert "token" not in text
    assert "b.example" not in text
    with site.opened() as app:  # a run of its own, as under cron: it knows only what the store says
        source = FakeSource(app)
        source.says("a", *told(*range(41)))
        assert changed_pages(app.publisher.publish().changed) == {"source/a.html"}
        assert "Title 40" in site.published("source/a.html").decode()
    with site.opened() as app:
        app.publisher.publish(everything=True)
        assert not changed_pages(app.publisher.publish(everything=True).changed)
    listing = html.fromstring(site.published("sources.html"))
    assert [a.get("href") for a in found(listing, "//li//h2/a")] == [
        "source/a.html",
        "source/d.html",
        f"source/{private}",
    ]
    story = next((site.folder / "public" / "entry").rglob("*.html")).read_text()
    assert '<a href="../../source/a.html">More from Avocets</a>' in story


def test_the_page_of_a_source_that_left_or_became_private_is_removed(site: SampleSite) -> None:
    site.writes(HEAD + SOURCES)
    with site.opened() as app:
        FakeSource(app).says("a", *told(1))
        app.publisher.publish()
    site.writes(HEAD + SOURCES.replace("category: x, title: Avocets", "category: x, private: true"))
    with site.opened() as app:
        app.publisher.publish()
        assert "a.html" not in written(site)
    site.writes(HEAD + 'sources: [{key: d, url: "https://d.example/feed", category: x}]\n')
    with site.opened() as app:
        app.publisher.publish()
        app.publisher.publish()
        assert written(site) == {"d.html"}
        assert not any("source/" in path.read_text() for path in (site.folder / "public" / "entry").rglob("*.html"))


def test_many_pages_are_written_in_parts(site: SampleSite) -> None:
    lines = "".join(f"  - {{key: s{n}, url: 'https://s{n}.example/', category: x}}\n" for n in range(45))
    site.writes(f"{HEAD}sources:\n{lines}")
    with site.opened() as app:
        for number in range(45):
            FakeSource(app).says(f"s{number}", *told(number))
        app.publisher.publish()
        assert len(written(site)) == 45
        assert not app.publisher.publish().changed
    assert all("Title " in site.published(f"source/s{n}.html").decode() for n in range(45))
    site.writes(f"{HEAD}pages: {{sources: off}}\nsources:\n{lines}")
    with site.opened() as app:
        app.publisher.publish()
        assert not written(site)
        assert "source/" not in site.published("sources.html").decode()


def test_files_of_the_operator_go_first(site: SampleSite) -> None:
    folder = site.folder / "static" / "source"
    folder.mkdir(parents=True)
    (folder / "a.html").write_text("mine")
    options = "publish: {static: static/, aliases: {source/d.html: status.json}}\n"
    site.writes(HEAD + options + SOURCES)
    with site.opened() as app:
        FakeSource(app).says("a", *told(1))
        FakeSource(app).says("b", *told(2))
        app.publisher.publish()
        assert site.published("source/a.html") == b"mine"
        assert site.published("source/d.html").startswith(b"{")
        assert b"Title 2" in site.published("category/source.html"), "a category may be called so"
        assert not app.publisher.publish().changed


def test_a_file_where_the_folder_would_be_is_left_alone(site: SampleSite) -> None:
    (site.folder / "static").mkdir()
    (site.folder / "static" / "source").write_text("mine")
    site.writes(HEAD + "publish: {static: static/}\n" + SOURCES)
    with site.opened() as app:
        FakeSource(app).says("a", *told(1))
        app.publisher.publish()
        assert site.published("source") == b"mine"
        assert b"Title 1" in site.published("index.html")
