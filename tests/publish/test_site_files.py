"""robots.txt, sitemaps and the other files that crawlers and browsers look for at fixed addresses."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import feedparser
from lxml import etree

from aggregator.app import open_app
from aggregator.config import load_config
from aggregator.publish.site_files import MAX_PAGES, SiteFiles, SitePage, render_feed_style
from aggregator.render.theme import plain_style
from aggregator.render.translations import messages_of
from tests.fake_source import FakeSource, said
from tests.sample_site import SampleSite

SOURCES = "sources: [{url: 'https://a.example/feed', key: a, category: x}]\n"
HEAD = "site: {base_url: 'https://planet.example/'}\n"
NAMES = ("robots.txt", "sitemap.xml", "favicon.ico", "apple-touch-icon.png")


def publish(site: SampleSite, settings: str, *entries: int, everything: bool = False) -> tuple[str, ...]:
    """Publish with some settings; return what changed."""
    site.writes(settings)
    with site.opened() as app:
        if entries:
            FakeSource(app).says("a", *(said(n) for n in entries))
        return tuple(app.publisher.publish(everything=everything).changed)


def addresses(data: bytes) -> list[str | None]:
    return [element.text for element in etree.fromstring(data).iter("{*}loc")]


def test_they_stand_beside_the_pages(sample_site: SampleSite) -> None:
    changed = publish(sample_site, HEAD + SOURCES, 1)
    public = sample_site.folder / "public"
    assert set(NAMES) <= set(changed)
    assert "Sitemap: https://planet.example/sitemap.xml\n" in (public / "robots.txt").read_text()
    assert (public / "favicon.ico").read_bytes().startswith(b"\0\0\1\0")
    assert addresses((public / "sitemap.xml").read_bytes()) == [
        "https://planet.example/",
        "https://planet.example/latest.html",
        "https://planet.example/category/x.html",
    ]
    assert publish(sample_site, HEAD + SOURCES, everything=True) == ()


def test_feeds_name_their_stylesheet_if_it_is_switched_on(sample_site: SampleSite) -> None:
    public = sample_site.folder / "public"
    head = "site: {base_url: 'https://planet.example/sub/', language: fr}\ndefaults: {initial: 60}\n" + SOURCES
    off = head + "publish: {entries: 10, archive_page: 10}\n"
    publish(sample_site, off, *range(1, 36))
    assert not (public / "feed.css").exists()
    plain = {
        name: (public / name).read_bytes() for name in ("category/x.atom", "category/x.rss", "all.atom", "all.json")
    }
    assert not any(b"stylesheet" in data for data in plain.values())
    on = off.replace("entries", "feed_style: true, entries", 1)
    changed = publish(sample_site, on)
    assert {"feed.css", "category/x/archive/1.atom"} <= set(changed)
    assert not {name for name in changed if name.endswith((".html", ".json"))}
    for name, href in (
        ("category/x.atom", "../feed.css"),
        ("category/x.rss", "../feed.css"),
        ("all.rss", "feed.css"),
        ("category/x/archive/1.atom", "../../../feed.css"),
    ):
        data = (public / name).read_bytes()
        assert data.splitlines()[1] == f'<?xml-stylesheet type="text/css" href="{href}"?>'.encode()
        assert (public / name).parent.joinpath(href).resolve() == public / "feed.css"
        assert feedparser.parse(data).entries
        assert not feedparser.parse(data).bozo
    assert (public / "all.json").read_bytes() == plain["all.json"]
    style = (public / "feed.css").read_text()
    assert '  content: "Ceci est un flux' in style
    assert publish(sample_site, on, everything=True) == ()
    publish(sample_site, off)
    assert not (public / "feed.css").exists()
    assert (public / "all.atom").read_bytes() == plain["all.atom"]


def test_the_stylesheet_of_feeds_gives_way_and_needs_no_pages(sample_site: SampleSite) -> None:
    public, static = sample_site.folder / "public", sample_site.folder / "static"
    on = HEAD + "publish: {feed_style: true, static: static, formats: [rss]}\n" + SOURCES
    static.mkdir()
    assert "feed.css" in publish(sample_site, on, 1)
    assert not (public / "robots.txt").exists()
    (static / "feed.css").write_text("/* mine */")
    publish(sample_site, on)
    assert (public / "feed.css").read_text() == "/* mine */"
    off = on.replace("[rss]", "[json]")
    (static / "feed.css").unlink()
    publish(sample_site, off)
    assert not (public / "feed.css").exists()


def test_a_text_of_a_theme_stays_inside_the_string_of_the_stylesheet() -> None:
    messages = messages_of("en", {"en": {"page": {"feed_what": 'a" }} \\ <b>\n'}}})
    assert b'content: "a\\22  } \\5c  \\3c b>\\a  Add it' in render_feed_style(messages)


def test_a_sitemap_tells_when_a_page_changed(sample_site: SampleSite) -> None:
    publish(sample_site, HEAD + SOURCES, 1)
    feed = etree.parse(sample_site.folder / "public/category/x.atom")
    sitemap = etree.parse(sample_site.folder / "public/sitemap.xml")
    assert [each.text for each in sitemap.iter("{*}lastmod")][2] == feed.findtext("{*}updated")


def test_a_sitemap_leaves_out_what_is_unlisted(sample_site: SampleSite) -> None:
    publish(sample_site, HEAD + "categories: {x: {unlisted: true}}\n" + SOURCES, 1)
    assert addresses((sample_site.folder / "public/sitemap.xml").read_bytes()) == [
        "https://planet.example/",
        "https://planet.example/latest.html",
    ]


def test_files_of_an_operator_are_never_written_over(sample_site: SampleSite) -> None:
    public, static = sample_site.folder / "public", sample_site.folder / "static"
    for folder in (public, static):
        folder.mkdir()
    (public / "robots.txt").write_text("User-agent: *\nDisallow: /\n")
    (static / "favicon.ico").write_bytes(b"mine")
    settings = HEAD + "publish: {static: static/}\n" + SOURCES
    publish(sample_site, settings, 1)
    assert (public / "robots.txt").read_text() == "User-agent: *\nDisallow: /\n"
    assert (public / "favicon.ico").read_bytes() == b"mine"
    assert b"urlset" in (public / "sitemap.xml").read_bytes()
    (public / "sitemap.xml").write_text("<mine/>")  # later, over ours
    publish(sample_site, settings, 1, 2)
    assert (public / "sitemap.xml").read_text() == "<mine/>"
    publish(sample_site, settings, everything=True)
    assert (public / "sitemap.xml").read_text() == "<mine/>"


def test_ours_come_back_when_the_operators_goes(sample_site: SampleSite) -> None:
    static = sample_site.folder / "static"
    static.mkdir()
    (static / "robots.txt").write_text("mine\n")
    settings = HEAD + "publish: {static: static/}\n" + SOURCES
    publish(sample_site, settings, 1)
    (static / "robots.txt").unlink()
    publish(sample_site, settings, 1, 2)
    assert "Sitemap:" in (sample_site.folder / "public/robots.txt").read_text()


def test_a_site_below_a_path_and_one_without_pages(sample_site: SampleSite) -> None:
    publish(sample_site, "site: {base_url: 'https://a.example/planet/'}\n" + SOURCES, 1)
    public = sample_site.folder / "public"
    assert not (public / "robots.txt").exists(), "it would mean nothing there"
    assert (public / "sitemap.xml").exists()
    publish(sample_site, "publish: {formats: [atom]}\n" + SOURCES)
    assert not any((public / name).exists() for name in NAMES)


def test_the_search_is_described_only_where_it_runs(sample_site: SampleSite) -> None:
    sample_site.writes(HEAD + SOURCES)
    path = sample_site.folder / "public/opensearch.xml"
    settings = load_config(sample_site.folder / "feeds.yaml", {})
    app = open_app(settings, command="serve", clock=sample_site.clock, look=replace(plain_style(), search=True))
    try:
        app.publisher.publish()
    finally:
        app.close()
    assert b'template="https://planet.example/search?q={searchTerms}"' in path.read_bytes()
    assert "Disallow: /search\n" in (sample_site.folder / "public/robots.txt").read_text()
    publish(sample_site, HEAD + SOURCES)
    assert not path.exists()


def test_a_large_site_has_several_sitemaps(tmp_path: Path) -> None:
    (tmp_path / "feeds.yaml").write_text(HEAD + SOURCES)
    files = SiteFiles(load_config(tmp_path / "feeds.yaml", {}), plain_style())
    when = datetime(2025, 3, 1, 12, tzinfo=UTC)
    pages = [SitePage("", when), *(SitePage(f"category/x/archive/{n}.html") for n in range(MAX_PAGES))]
    made = {output.path: output.render for output in files.outputs(pages, 300)}
    assert addresses(made["sitemap.xml"]()) == [f"https://planet.example/sitemap-{n}.xml" for n in (1, 2)]
    assert b"<lastmod>2025-03-01T12:00:00Z</lastmod>" in made["sitemap.xml"]()
    assert len(addresses(made["sitemap-1.xml"]())) == MAX_PAGES
    assert len(addresses(made["sitemap-2.xml"]())) == 1
    assert files.has("sitemap-2.xml")
