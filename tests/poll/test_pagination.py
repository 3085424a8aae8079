"""Further documents of a poll: sitemaps and their indexes (P89, S70), and a feed's earlier pages (I28)."""

import gzip

import pytest

from aggregator.config import load_config
from aggregator.errors import NotAFeed, ParseError
from aggregator.model.entry import Digest
from aggregator.model.poll import Fetched
from aggregator.model.settings import Kind, Reading
from aggregator.reader.reading import read
from aggregator.urls import Url
from tests.feed_server import FeedServer, Reply
from tests.sample_site import START, SampleSite, item, rss

NS = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'
MAP = Url("https://site.example/sitemap.xml")
SITEMAP = Reading(kind=Kind.SITEMAP)
NEWS = f"""<?xml version="1.0"?><!-- A news sitemap with entities, CDATA and a picture whose loc is no page's -->
<urlset {NS} xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
<url><loc>https://site.example/2026/boats</loc><news:news><news:publication><news:name>The Quay</news:name>
<news:language>en</news:language></news:publication><news:publication_date>2026-03-03T10:00:00Z</news:publication_date>
<news:title>Three &amp; a half boats</news:title><news:keywords>ferry, harbour</news:keywords></news:news>
<image:image><image:loc>https://site.example/boat.jpg</image:loc></image:image></url>
</urlset>""".encode()


def urlset(*pages: tuple[str, str | None]) -> bytes:
    rows = "".join(f"<url><loc>{loc}</loc>{f'<lastmod>{day}</lastmod>' if day else ''}</url>" for loc, day in pages)
    return f"<urlset {NS}>{rows}</urlset>".encode()


def index(*maps: tuple[str, str | None]) -> bytes:
    rows = "".join(f"<sitemap><loc>{loc}</loc>{f'<lastmod>{d}</lastmod>' if d else ''}</sitemap>" for loc, d in maps)
    return f"<sitemapindex {NS}>{rows}</sitemapindex>".encode()


def fetched(body: bytes) -> Fetched:
    return Fetched(asked_at=START, url=MAP, body=body, body_digest=Digest(""))


def test_a_news_sitemap_says_as_much_as_a_feed() -> None:
    (entry,) = read(fetched(NEWS), SITEMAP).entries
    assert (entry.title, entry.link, entry.language) == (
        "Three & a half boats",
        "https://site.example/2026/boats",
        "en",
    )
    assert [tag.term for tag in entry.tags] == ["ferry", "harbour"]
    assert str(entry.published) == "2026-03-03 10:00:00+00:00"
    assert [image.url for image in entry.supplement.images] == ["https://site.example/boat.jpg"]


def test_a_plain_sitemap_gives_pages_the_last_changed_first() -> None:
    body = urlset(
        ("https://site.example/a-first-page.html", "2025-01-01"),
        ("https://site.example/news/ein-zweites_blatt/", "2026-03-01T10:00:00+01:00"),
        ("https://site.example/4711", None),
    )
    found = [(entry.title, str(entry.link)) for entry in read(fetched(gzip.compress(body)), SITEMAP).entries]
    assert found == [
        ("Ein zweites blatt", "https://site.example/news/ein-zweites_blatt/"),
        ("A first page", "https://site.example/a-first-page.html"),
        ("", "https://site.example/4711"),
    ]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param(b"<html><title>Not here</title></html>", "web page|error page", id="page"),
        pytest.param(b"<rss version='2.0'><channel/></rss>", "is not a sitemap", id="feed"),
        pytest.param(b"\x1f\x8bgarbage", "broken .gz", id="broken-gzip"),
        pytest.param(gzip.compress(b"\0" * (21 * 2**20)), "unpacks to over", id="bomb"),
        pytest.param(b"plain words", "plain text", id="text"),
    ],
)
def test_what_is_no_sitemap_is_told(body: bytes, why: str) -> None:
    with pytest.raises((NotAFeed, ParseError), match=why):
        read(fetched(body), SITEMAP)


def test_an_index_leads_to_its_sitemaps_and_later_to_those_that_changed(
    site: SampleSite, publisher: FeedServer
) -> None:
    publisher.says("/robots.txt", Reply(404))
    one = publisher.says("/one.xml", Reply(200, urlset(("https://site.example/one", "2026-03-01"))))
    two = publisher.says("/two.xml.gz", Reply(200, gzip.compress(urlset(("https://site.example/two", "2026-03-02")))))
    top = publisher.says(
        "/index.xml",
        Reply(200, index((one, "2026-03-01"), (two, "2026-03-02"), ("https://other.example/x.xml", "2026-03-02"))),
        Reply(200, index((one, "2026-03-01"), (two, "2026-03-05"))),
    )
    site.writes(f"sources: [{{key: map, kind: sitemap, url: '{top}'}}]\n")
    assert site.poll()["new"] == 2
    asked = [request.path for request in publisher.asked]
    assert asked == ["/robots.txt", "/index.xml", "/two.xml.gz", "/one.xml"], "no other host (S70)"
    site.clock.move(hours=20)
    assert site.poll()["new"] == 0
    assert [request.path for request in publisher.asked[4:]] == ["/index.xml", "/two.xml.gz"]


def test_i28_a_feed_s_earlier_pages_at_its_first_poll_alone(site: SampleSite, publisher: FeedServer) -> None:
    def atom(number: int, older: str | None) -> Reply:
        link = f'<link rel="prev-archive" href="{older}"/>' if older else ""
        said = (
            f"<id>urn:example:{number}</id><title>Entry {number}</title><updated>2026-01-0{number}T00:00:00Z</updated>"
        )
        entry = f"<entry>{said}</entry>"
        return Reply(
            200,
            f'<feed xmlns="http://www.w3.org/2005/Atom"><title>A</title><id>urn:a</id>{link}{entry}</feed>'.encode(),
        )

    publisher.says("/1", atom(1, "/loop"))
    publisher.says("/2", atom(2, "/1"))
    url = publisher.says("/3", atom(3, "/2"), atom(4, "/3"))
    site.writes(f"sources: [{{key: a, url: '{url}', pages: 2}}]\n")
    assert site.poll()["new"] == 3
    assert [request.path for request in publisher.asked] == ["/3", "/2", "/1"]
    site.clock.move(hours=1)
    assert site.poll()["new"] == 1
    assert [request.path for request in publisher.asked][3:] == ["/3"]


def test_i28_a_page_that_fails_ends_the_way_and_not_the_poll(site: SampleSite, publisher: FeedServer) -> None:
    publisher.says("/old", Reply(500))
    body = rss(item(1)).replace(
        b"<link>", b'<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="next" href="/old"/><link>', 1
    )
    site.writes(f"sources: [{{key: a, url: '{publisher.says('/feed', Reply(200, body))}', pages: 5}}]\n")
    report = site.poll()
    assert (report["new"], report["failed"]) == (1, 0)
    assert [request.path for request in publisher.asked] == ["/feed", "/old"]


def test_i28_pages_without_a_feed_lead_to_earlier_ones(site: SampleSite, publisher: FeedServer) -> None:
    def page(number: int, head: str = "", more: str = "") -> Reply:
        body = f"<head>{head}</head><ul><li><a href=/{number}>Item {number}</a></ul>{more}"
        return Reply(200, body.encode(), {"Content-Type": "text/html"})

    publisher.says("/robots.txt", Reply(404))
    publisher.says("/news/1", page(1, more='<a rel="next" href="https://elsewhere.example/0">Older</a>'))
    publisher.says("/news/2", page(2, more='<a rel="nofollow next" href="1">Older</a>'))
    url = publisher.says("/news/", page(3, head='<link rel="next" href="2"><link rel="prev" href="4">'), page(4))
    site.writes(f"sources: [{{key: a, kind: html, url: '{url}', items: li, pages: 9}}]\n")
    assert site.poll()["new"] == 3
    site.clock.move(hours=1)
    assert site.poll()["new"] == 1
    assert [each.path for each in publisher.asked] == ["/robots.txt", "/news/", "/news/2", "/news/1", "/news/"]


@pytest.mark.parametrize("kind", ["kind: json, entry: {title: t}", "kind: sitemap", "kind: opml"])
def test_pages_of_what_has_no_earlier_documents_is_warned_about(site: SampleSite, kind: str) -> None:
    site.writes(f"sources: [{{{kind}, url: 'https://a.example/', pages: 3}}]\n")
    said = [str(warning) for warning in load_config(site.folder / "feeds.yaml", {}).warnings]
    assert any("pages has no effect on kind" in each for each in said)
