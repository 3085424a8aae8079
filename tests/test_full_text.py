"""`full_text`: the article behind each new entry (P89, P92, S15, S31, I38)."""

import subprocess
import sys
from typing import Any
from xml.sax.saxutils import escape

import pytest

from aggregator.extras import install_command
from aggregator.model.correction import Act
from aggregator.model.known import EntryState
from aggregator.model.settings import SourceKey
from aggregator.poll.corrections import run_pending_requests
from tests.cli.preview.test_command import shown
from tests.feed_server import FeedServer, Reply, redirect
from tests.sample_site import LOOPBACK, SampleSite

FIRST = "The council closed the old bridge over the river on Monday morning, after engineers had found cracks in it."
REST = (
    "Repairs will take until autumn, and a ferry is to carry people and bicycles in the meantime, the mayor said. "
    "Lorries have to use the motorway, which is eleven kilometres longer and was itself repaired only last year."
)
YAML = "sources: [{{url: '{url}', key: news, full_text: true, dedupe: off}}]\n"


def page(*paragraphs: str, head: str = "", more: str = "") -> Reply:
    """Return the page of an article, with navigation and footer around it."""
    text = "".join(f"<p>{each}</p>" for each in paragraphs)
    html = (
        f'<!doctype html><html lang="en"><head><title>The bridge</title>{head}</head><body>'
        '<nav><ul><li><a href="/">Home</a></li><li><a href="/news">News</a></li></ul></nav>'
        f"<article><h1>The bridge</h1>{text}{more}</article>"
        "<aside><h3>Most read</h3><a href='/x'>Ten ways to peel an orange</a></aside>"
        "<footer>Copyright, imprint, contact</footer></body></html>"
    )
    return Reply(200, html.encode(), {"Content-Type": "text/html"})


def feed(publisher: FeedServer, *items: tuple[str, str], title: str = "Bridge", more: str = "") -> Reply:
    """Return a feed of (path of the article, content as HTML)."""
    said = "".join(
        f"<item><guid isPermaLink='false'>{path}</guid><title>{title} {path}</title>"
        f"<link>{publisher.url(path)}</link><description>{escape(content)}</description>{more}</item>"
        for path, content in items
    )
    return Reply(200, f"<rss version='2.0'><channel><title>News</title>{said}</channel></rss>".encode())


def opened(publisher: FeedServer, sample_site: SampleSite, *replies: Reply, robots: Reply | None = None) -> None:
    """Write feeds.yaml for a feed."""
    publisher.says("/robots.txt", robots or Reply(404))
    sample_site.writes(YAML.format(url=publisher.says("/feed", *replies)))


def asked(publisher: FeedServer) -> list[str]:
    """Return the paths that were requested, without the feed itself."""
    return [one.path for one in publisher.asked if one.path != "/feed"]


def item(sample_site: SampleSite) -> dict[str, Any]:
    """Return the one item that is published."""
    [one] = sample_site.items()
    return one


def test_an_article_that_says_more_takes_the_place_of_the_excerpt(
    publisher: FeedServer, sample_site: SampleSite
) -> None:
    head = (
        '<meta name="author" content="Ann Lee"><meta property="og:image" content="/lead.jpg">'
        '<meta property="article:published_time" content="2026-03-01T08:30:00+02:00">'
    )
    more = '<figure><img src="/b.jpg" alt="cracks"></figure><pre><code>a\n  b</code></pre><script>alert(1)</script>'
    opened(publisher, sample_site, feed(publisher, ("/a", f"<p>{FIRST[:70]}…</p>")))
    publisher.says("/a", page(f'{FIRST} <a href="/more">More</a>', REST, head=head, more=more))
    assert sample_site.poll()["new"] == 1
    one = item(sample_site)
    html = one["content_html"]
    assert FIRST in html
    assert REST in html
    assert f'href="{publisher.url("/more")}"' in html
    assert f'src="{publisher.url("/b.jpg")}"' in html
    assert "<pre><code>a\n  b" in html
    for chrome in ("orange", "Home", "Copyright", "alert", "<h1>"):
        assert chrome not in html
    assert one["title"] == "Bridge /a"
    assert [author["name"] for author in one["authors"]] == ["Ann Lee"]
    assert one["date_published"] == "2026-03-01T06:30:00Z"
    assert one["image"] == publisher.url("/lead.jpg")
    assert asked(publisher) == ["/robots.txt", "/a"]
    [request] = [each for each in publisher.asked if each.path == "/a"]
    assert request.headers["Accept"].startswith("text/html")


def test_p92_once_an_entry(publisher: FeedServer, sample_site: SampleSite) -> None:
    items = [("/a", "<p>Short.</p>"), ("/b", "<p>Brief.</p>")]
    opened(publisher, sample_site, feed(publisher, items[0]), feed(publisher, *items))
    for path in ("/a", "/b"):
        publisher.says(path, page(f"Short. Brief. {FIRST}", REST))
    sample_site.poll()
    sample_site.clock.move(hours=1)
    assert sample_site.poll()["new"] == 1
    before = sample_site.published("category/general.atom")
    sample_site.clock.move(hours=1)
    report = sample_site.poll()
    assert (report["new"], report["revised"]) == (0, 0)
    assert sample_site.published("category/general.atom") == before
    assert asked(publisher) == ["/robots.txt", "/a", "/b"]
    assert all(REST in one["content_html"] for one in sample_site.items())


def test_an_entry_that_edited_rules_let_pass_waits_for_its_article(
    publisher: FeedServer, sample_site: SampleSite
) -> None:
    url = publisher.says("/feed", feed(publisher, ("/a", "<p>Short.</p>")))
    publisher.says("/robots.txt", Reply(404))
    publisher.says("/a", page(f"Short. {FIRST}", REST))
    sample_site.writes(YAML.format(url=url).replace("dedupe: off", "dedupe: off, exclude: [{title: Bridge}]"))
    sample_site.poll()
    sample_site.writes(YAML.format(url=url))
    with sample_site.opened("publish") as app:
        with app.store.begin() as tx:
            tx.corrections.file(Act.RULES, {}, sample_site.clock())
        run_pending_requests(app.store, app.in_force.roster, app.clock)
    sample_site.clock.move(hours=1)
    sample_site.poll()
    assert REST in item(sample_site)["content_html"]


LOGIN = Reply(
    200, b"<html><body><h1>Welcome</h1><p>Log in to continue reading.</p><form><input type=password></form></body>"
)
CONSENT = Reply(
    200,
    b"<html><body><article><p>We and our partners use cookies to store and read information on your device, and this "
    b"site uses cookies to measure how often texts are read. Accept all cookies to go on.</p></article></body></html>",
)


@pytest.mark.parametrize(
    ("content", "reply"),
    [
        (f"<p>{FIRST}</p><p>{REST}</p>", page(FIRST)),
        (f"<p>{FIRST}</p>", page(*[f"An orange {n} is best peeled with a spoon that was warmed." for n in range(20)])),
        (f"<p>{FIRST[:60]}</p>", LOGIN),
        (f"<p>{FIRST[:60]}</p>", CONSENT),
        (f"<p>{FIRST[:60]}</p>", Reply(200, b"%PDF-1.7 \x00\x01", {"Content-Type": "application/pdf"})),
        (f"<p>{FIRST[:60]}</p>", Reply(200, b'{"error": "no"}', {"Content-Type": "application/json"})),
        (f"<p>{FIRST[:60]}</p>", Reply(200, b"<html></html>")),
        (f"<p>{FIRST[:60]}</p>", Reply(403)),
        (f"<p>{FIRST[:60]}</p>", Reply(410)),
    ],
    ids="shorter another login consent pdf json empty forbidden gone".split(),
)
def test_what_is_no_better_is_not_kept_and_nobody_waits(
    publisher: FeedServer, sample_site: SampleSite, content: str, reply: Reply
) -> None:
    opened(publisher, sample_site, feed(publisher, ("/a", content)))
    publisher.says("/a", reply)
    assert sample_site.poll()["new"] == 1
    assert item(sample_site)["content_html"] == content
    sample_site.clock.move(hours=2)
    sample_site.poll()
    assert asked(publisher) == ["/robots.txt", "/a"]


def test_p89_robots_txt_is_obeyed_and_the_feed_text_published(publisher: FeedServer, sample_site: SampleSite) -> None:
    robots = Reply(200, b"User-agent: *\nDisallow: /closed/\n", {"Content-Type": "text/plain"})
    opened(publisher, sample_site, feed(publisher, ("/closed/a", "<p>Short.</p>")), robots=robots)
    assert sample_site.poll()["new"] == 1
    assert item(sample_site)["content_html"] == "<p>Short.</p>"
    assert asked(publisher) == ["/robots.txt"]


@pytest.mark.parametrize("status", [404, 503])
def test_an_article_that_does_not_come_is_waited_for_a_day_at_most(
    publisher: FeedServer, sample_site: SampleSite, status: int
) -> None:
    opened(publisher, sample_site, feed(publisher, ("/a", "<p>Short.</p>")))
    publisher.says("/a", *[Reply(status)] * 30)
    for _ in range(23):
        sample_site.poll()
        sample_site.clock.move(hours=1)
    with sample_site.opened() as app, app.store.read() as tx:
        assert tx.trail.entry_states(SourceKey("news")) == {EntryState.WAITING: 1}
    sample_site.clock.move(hours=2)
    sample_site.poll()
    assert item(sample_site)["content_html"] == "<p>Short.</p>"
    assert asked(publisher).count("/a") < 13


def test_an_article_that_comes_late_is_taken(publisher: FeedServer, sample_site: SampleSite) -> None:
    opened(publisher, sample_site, feed(publisher, ("/a", "<p>The old bridge over the river.</p>")))
    publisher.says("/a", Reply(404), page(FIRST, REST))
    assert sample_site.poll()["new"] == 0
    sample_site.clock.move(hours=1)
    sample_site.poll()
    assert REST in item(sample_site)["content_html"]


def test_i38_the_digest_is_of_the_feeds_item(publisher: FeedServer, sample_site: SampleSite) -> None:
    other = "<p>A wholly different text says that nothing of this ever happened, with apologies to all.</p>"
    opened(
        publisher,
        sample_site,
        feed(publisher, ("/a", f"<p>{FIRST}</p>")),
        feed(publisher, ("/a", f"<p>{FIRST}</p>"), title="Old bridge"),
        feed(publisher, ("/a", other), title="Correction"),
    )
    publisher.says("/a", page(FIRST, REST))
    sample_site.poll()
    sample_site.clock.move(hours=1)
    assert sample_site.poll()["revised"] == 1
    assert item(sample_site)["title"] == "Old bridge /a"
    assert REST in item(sample_site)["content_html"], "what the feed says is a part of the article still"
    sample_site.clock.move(hours=1)
    assert sample_site.poll()["revised"] == 1
    assert item(sample_site)["content_html"] == other, "the feed takes it back: the article is of yesterday"
    assert asked(publisher) == ["/robots.txt", "/a"]


def test_a_full_feed_that_drops_a_paragraph_drops_it(publisher: FeedServer, sample_site: SampleSite) -> None:
    """An article that was no better leaves nothing behind that could be taken for its text."""
    head = '<meta name="author" content="Ann Lee">'
    opened(
        publisher,
        sample_site,
        feed(publisher, ("/a", f"<p>{FIRST}</p><p>{REST}</p>")),
        feed(publisher, ("/a", f"<p>{FIRST}</p>")),
    )
    publisher.says("/a", page(FIRST, head=head))
    sample_site.poll()
    sample_site.clock.move(hours=1)
    sample_site.poll()
    assert item(sample_site)["content_html"] == f"<p>{FIRST}</p>"


def test_p45_s6_a_link_may_lead_elsewhere(publisher: FeedServer, sample_site: SampleSite) -> None:
    """Relative addresses are resolved against the page that answered."""
    opened(publisher, sample_site, feed(publisher, ("/go", "<p>The old bridge over the river.</p>")))
    publisher.says("/go", redirect(publisher.url("/deep/a")))
    publisher.says("/deep/a", page(f'{FIRST} <a href="b">More</a>', REST))
    sample_site.poll()
    assert f'href="{publisher.url("/deep/b")}"' in item(sample_site)["content_html"]
    assert item(sample_site)["url"] == publisher.url("/go")


def test_json_lists_and_sitemaps_have_articles_too(publisher: FeedServer, sample_site: SampleSite) -> None:
    publisher.says("/robots.txt", Reply(404))
    for path in ("/a", "/b"):
        publisher.says(path, page(FIRST, REST))
    listed = publisher.says(
        "/list", Reply(200, b'{"items": [{"t": "Bridge", "l": "%s"}]}' % publisher.url("/a").encode())
    )
    urls = f"<url><loc>{publisher.url('/b')}</loc><lastmod>2026-03-04T10:00:00Z</lastmod></url>"
    sitemap = f"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{urls}</urlset>"
    there = publisher.says("/map.xml", Reply(200, sitemap.encode()))
    sample_site.writes(
        f"sources:\n - {{kind: json, url: '{listed}', items: items, entry: {{title: t, link: l}}, full_text: true,"
        f" dedupe: off}}\n - {{kind: sitemap, url: '{there}', full_text: true, dedupe: off}}\n"
    )
    sample_site.poll()
    assert [REST in one["content_html"] for one in sample_site.items()] == [True, True]


def test_rules_see_the_article(publisher: FeedServer, sample_site: SampleSite) -> None:
    url = publisher.says("/feed", feed(publisher, ("/a", "<p>The old bridge over the river.</p>")))
    publisher.says("/robots.txt", Reply(404))
    publisher.says("/a", page(FIRST, REST))
    sample_site.writes(YAML.format(url=url).replace("dedupe", "exclude: [{content: motorway}], dedupe"))
    assert sample_site.poll()["rejected"] == 1


def test_preview_shows_the_newest_article(publisher: FeedServer, sample_site: SampleSite) -> None:
    opened(publisher, sample_site, feed(publisher, ("/a", "<p>The old bridge over the river.</p>")))
    publisher.says("/a", page(FIRST, REST))
    record = shown("news", sample_site.folder)
    assert any("the article of 'Bridge /a' was fetched and is shown" in notice for notice in record["feed"]["notices"])


@pytest.mark.parametrize("module", ["trafilatura", "lxml_html_clean"])
def test_the_extra_that_is_missing_is_named_by_check(sample_site: SampleSite, module: str) -> None:
    sample_site.writes(YAML.format(url="https://example.org/feed"), hosts=LOOPBACK)
    code = f"import sys; sys.modules['{module}'] = None; from aggregator.__main__ import run; sys.exit(run())"
    command = [sys.executable, "-c", code, "-c", str(sample_site.folder / "feeds.yaml"), "check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "feeds.yaml:2:" in done.stderr
    assert f"full_text needs the extra fulltext; install it: {install_command('fulltext')}" in done.stderr
