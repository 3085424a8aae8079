"""`full_text` where somebody hostile keeps the page, the site or the link (S1 to S10, S15, S21, S37, P81, P82, P89)."""

import gzip
from typing import Any

import pytest

from aggregator.fetch.reading import MAX_ARTICLE_BYTES
from aggregator.model.event import Code
from aggregator.model.settings import SourceKey
from tests.feed_server import EndlessBody, FeedServer, GzipBomb, Hangs, Reply, Slow, redirect
from tests.sample_site import SampleSite
from tests.test_full_text import FIRST, REST, asked, feed, item, opened, page

EXCERPT = f"<p>{FIRST[:70]}…</p>"
HEAD = '<meta name="author" content="Ann Lee"><meta property="og:image" content="/lead.jpg">'


def why(sample_site: SampleSite) -> str:
    """Return the recorded reason of an entry's completion."""
    with sample_site.opened() as app, app.store.read() as tx:
        [step] = tx.trail.source_steps(SourceKey("news"), [Code.COMPLETE_ENTRY], 9)
    return str(step.facts["because"])


LONG = page(FIRST, REST, more=f"<!--{'x' * MAX_ARTICLE_BYTES}-->")


@pytest.mark.parametrize(
    ("reply", "because"),
    [
        pytest.param(LONG, "the body: over the limit", id="long"),
        pytest.param(Reply(200, b"x", {"Content-Length": str(500 * 2**20)}), "the body: over the limit", id="500-MiB"),
        pytest.param(EndlessBody(), "the body: over the limit", id="endless"),
        pytest.param(
            Reply(200, gzip.compress(LONG.body), {"Content-Type": "text/html", "Content-Encoding": "gzip"}),
            "the unpacked body: over the limit",
            id="packed",
        ),
        pytest.param(GzipBomb(), "the unpacked body: over the limit", id="bomb"),
    ],
)
def test_p82_what_is_too_large_is_no_article(
    publisher: FeedServer, sample_site: SampleSite, reply: Reply, because: str
) -> None:
    opened(publisher, sample_site, feed(publisher, ("/a", EXCERPT)))
    publisher.says("/a", reply)
    assert sample_site.poll()["new"] == 1
    assert item(sample_site)["content_html"] == EXCERPT
    assert because in why(sample_site)
    sample_site.clock.move(hours=2)
    sample_site.poll()
    assert asked(publisher) == ["/robots.txt", "/a"], "it is as large tomorrow"


@pytest.mark.slow  # it waits for a second
@pytest.mark.parametrize("slow", [Slow(200, b"<p>" * 99), Hangs()], ids=["drips", "hangs"])
@pytest.mark.parametrize("path", ["/a", "/robots.txt"])
def test_p81_who_is_slow_is_cut_off_and_the_entry_waits(
    publisher: FeedServer, sample_site: SampleSite, slow: Reply, path: str
) -> None:
    opened(publisher, sample_site, feed(publisher, ("/a", EXCERPT)))
    publisher.says("/a", page(FIRST, REST))
    publisher.says(path, slow)
    yaml = (sample_site.folder / "feeds.yaml").read_text()
    (sample_site.folder / "feeds.yaml").write_text(yaml.replace("full_text: true", "full_text: true, timeout: 1s"))
    assert sample_site.poll()["new"] == 0
    assert asked(publisher)[-1] == path
    publisher.release()
    publisher.says("/robots.txt", Reply(404))
    publisher.says("/a", page(FIRST, REST))
    sample_site.clock.move(hours=1)
    sample_site.poll()
    assert REST in item(sample_site)["content_html"]


@pytest.mark.parametrize(
    ("target", "because"),
    [
        ("http://10.0.0.1/admin", "its address is private or reserved"),
        ("http://169.254.169.254/latest/meta-data/", "metadata"),
        ("http://[::ffff:10.0.0.1]/", "its address is private or reserved"),
        ("http://127.0.0.1:22/", "port 22"),
        ("http://0xa.1/", "its address is private or reserved"),
    ],
)
@pytest.mark.parametrize("by", ["link", "redirect"])
def test_s3_s7_neither_link_nor_redirect_leads_inside(
    publisher: FeedServer, sample_site: SampleSite, target: str, because: str, by: str
) -> None:
    reply = feed(publisher, ("/a", EXCERPT))
    if by == "link":
        reply = Reply(200, reply.body.replace(publisher.url("/a").encode(), target.encode()))
    opened(publisher, sample_site, reply)
    publisher.says("/a", redirect(target))
    assert sample_site.poll()["new"] == 1
    assert item(sample_site)["content_html"] == EXCERPT
    assert because in why(sample_site)
    assert [path for path in asked(publisher) if path not in ("/robots.txt", "/a")] == []


def test_p89_a_huge_robots_txt_is_read_as_far_as_its_limit(publisher: FeedServer, sample_site: SampleSite) -> None:
    robots = b"User-agent: *\n" * 20_000 + b"Disallow: /closed\n" * 20_000
    opened(publisher, sample_site, feed(publisher, ("/a", EXCERPT)), robots=Reply(200, robots))
    publisher.says("/a", page(FIRST, REST))
    sample_site.poll()
    assert REST in item(sample_site)["content_html"]


def test_s31_what_an_article_hides_is_neither_run_nor_shown(publisher: FeedServer, sample_site: SampleSite) -> None:
    head = '<link rel="canonical" href="https://evil.example/"><base href="https://evil.example/"><style>p{}</style>'
    more = (
        "<script>steal()</script><style>body{display:none}</style><iframe src='//evil.example/'></iframe>"
        "<p onclick='steal()'>The ferry <a href='javascript:steal()'>leaves</a> at noon, every day, from the pier.</p>"
        "<img src=x onerror=steal()><svg onload=steal()></svg><template><p>hidden</p></template>"
    )
    head += '<meta property="og:image" content="javascript:steal()"><meta name="author" content="<b>Ann</b>">'
    opened(publisher, sample_site, feed(publisher, ("/a", EXCERPT)))
    publisher.says("/a", page(FIRST, REST, head=head, more=more))
    sample_site.poll()
    one = item(sample_site)
    assert REST in one["content_html"]
    assert one["url"] == publisher.url("/a"), "an article names no other address as its own"
    said = str(one) + sample_site.published("category/general.atom").decode()
    for hidden in ("steal", "onclick", "iframe", "display:none", "<style", "hidden"):
        assert hidden not in said


def test_a_dead_link_that_leads_to_a_start_page_brings_no_article(
    publisher: FeedServer, sample_site: SampleSite
) -> None:
    start = page(*[f"Ten ways to peel an orange, and {n} more for those who like apples better." for n in range(9)])
    opened(publisher, sample_site, feed(publisher, ("/a", ""), ("/b", ""), title="Council closes the old bridge"))
    publisher.says("/a", redirect("/"))
    publisher.says("/", Reply(200, start.body.replace(b"The bridge", b"Fruit"), start.headers))
    publisher.says("/b", page(FIRST, REST))
    sample_site.poll()
    contents = {one["url"]: one.get("content_html", "") for one in sample_site.items()}
    assert "orange" not in contents[publisher.url("/a")]
    assert REST in contents[publisher.url("/b")]


def test_a_revision_keeps_what_came_from_the_article(publisher: FeedServer, sample_site: SampleSite) -> None:
    other = "<p>A wholly different text says that nothing of this ever happened, with apologies to all.</p>"
    opened(
        publisher,
        sample_site,
        feed(publisher, ("/a", EXCERPT)),
        feed(publisher, ("/a", EXCERPT), title="Old bridge"),
        feed(publisher, ("/a", EXCERPT), title="Old bridge", more="<author>Bob</author>"),
        feed(publisher, ("/a", other), title="Correction"),
    )
    publisher.says("/a", page(FIRST, REST, head=HEAD))
    sample_site.poll()
    shown: list[dict[str, Any]] = []
    for _ in range(3):
        sample_site.clock.move(hours=1)
        assert sample_site.poll()["revised"] == 1
        shown.append(item(sample_site))
    authors = [[author["name"] for author in one.get("authors", [])] for one in shown]
    assert authors == [["Ann Lee"], ["Bob"], ["News"]], (
        "what the feed says itself counts, and a correction drops the article"
    )
    assert [one.get("image") for one in shown[:2]] == [publisher.url("/lead.jpg")] * 2
    assert [REST in one["content_html"] for one in shown] == [True, True, False]
