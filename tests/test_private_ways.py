"""Addresses that a private source leads to are as secret as its own: redirects, final address, `self` (S44).

The program is run as an operator runs it, and all that it writes and says is searched in every spelling, the store's
own records apart: they hold entries as they were told, or ids would change (docs/decisions/0126).
"""

import gzip
import re
from collections.abc import Iterator
from datetime import timedelta
from html import escape, unescape
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from aggregator.cli.poll import OneShot
from tests.command import aggregator
from tests.feed_server import FeedServer, Reply
from tests.rows import change, rows
from tests.running import Running
from tests.sample_site import LOOPBACK, SampleSite, item, rss

FIRST, SECOND, THIRD = "tok-9f8e7d6c5b4a3928", "sig.Zx81kQ0vB7LpW3", "s3cr3t0fThird77"
TOKENS = (FIRST, SECOND, THIRD)
KEPT = {  # by the store, to go on working: feeds.yaml, where to ask, and what entries were told with
    "store": {"config"},
    "source": {"url", "url_in_use", "validators_url", "observations", "identity", "feed"},
    "entry": {"key", "own_id", "title", "link", "match_link", "summary", "content", "authors", "tags", "enclosures"}
    | {"supplement", "origin"},
    "alias": {"value"},
    "story": {"atom_id"},
}


def spelled(token: str) -> str:
    """Write a token with an escape for each letter."""
    return "".join(f"%{ord(char):02X}" for char in token)


def holds(text: str, *tokens: str) -> bool:
    """Return whether a text has one of some tokens in it, in any spelling."""
    for _ in range(4):
        if any(token.lower() in text.lower() for token in tokens):
            return True
        text = unescape(unquote(text)).replace("\\/", "/")
        text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
    return False


def leaks(folder: Path, *tokens: str) -> Iterator[str]:
    """Name the files of a folder that hold one of some tokens."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        if holds(data.decode(errors="replace"), *tokens):
            yield str(path.relative_to(folder))


def records(folder: Path, *tokens: str) -> Iterator[str]:
    """Name the columns of the store with one of some tokens that have no need of it."""
    for (table,) in rows(folder, "SELECT name FROM sqlite_master WHERE type = 'table'"):
        for row in rows(folder, f"SELECT * FROM {table}"):
            for name, value in row._mapping.items():
                if name not in KEPT.get(table, ()) and holds(str(value), *tokens):
                    yield f"{table}.{name}"


def reports(folder: Path, thing: str) -> Iterator[tuple[str, str]]:
    """Yield what each command says, by its arguments."""
    for command in (
        "status",
        "status --json",
        "status p",
        "status p --json",
        "why p",
        "why p --json",
        f"why {thing}",
        f"why {thing} --json",
        "search said",
        "search said --json",
        "plan",
        "check --live",
        "check --live --json",
        "preview p",
        "preview p --json",
        "replay --stored p --json",
        "-v publish --all",
        "-v poll --json",
        f"retract {thing}",
        f"retract {thing} --undo --json",
    ):
        done = aggregator(*command.split(), cwd=folder)
        assert "Traceback" not in done.stderr, command
        yield command, done.stdout + done.stderr


def telling(base: str, token: str, number: int) -> bytes:
    """Write a feed that echoes a token wherever a feed can."""
    at = f"{base}/in/{token}"
    coded = f"{base}/in/{spelled(token).lower()}"
    said = (
        f"This is what item {number} said. <a href='{at}/{number}'>{at}</a> <img src='{coded}/a.png'> "
        f"{quote(coded, safe='')} {token} <a href='https://other.example/?u={quote(quote(at, safe=''), safe='')}'>x</a>"
    )
    return (
        '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/"><channel>'
        f'<title>Feed {token}</title><link>{at}/</link><atom:link rel="self" href="{at}/feed.xml?a=1&amp;b=2"/>'
        f"<item><guid>{at}/{number}</guid><title>News {token} {coded}</title><link>{coded}/{number}?a=1&amp;b=2</link>"
        f'<description>{escape(said)}</description><enclosure url="{coded}/{number}.mp3" type="audio/mpeg" length="1"/>'
        f'<media:thumbnail url="{at}/t.png"/><category domain="{at}/tags">a</category><comments>{at}/talk</comments>'
        f"<author>x@example.org ({token})</author></item>"
        f"<item><guid>{number}-plain</guid><title>Plain {number}</title><link>{base}/articles/{number}</link>"
        f"<description>A plain item said {number} words of the publisher.</description></item></channel></rss>"
    ).encode()


def feeds(url: str, more: str = "") -> str:
    return f"{LOOPBACK}sources: [{{key: p, url: '{url}', private: true, category: x{more}}}]\n"


def look(site: SampleSite, *tokens: str) -> list[str]:
    return [*leaks(site.folder / "public", *tokens), *records(site.folder, *tokens)]


@pytest.mark.parametrize("status", [301, 302, 308])
def test_s44_what_a_redirect_leads_to_is_in_no_output(
    sample_site: SampleSite, publisher: FeedServer, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    base = f"http://127.0.0.1:{publisher.port}"
    hop, end = f"/hop/{SECOND}", f"/in/{spelled(FIRST)}/feed.xml"
    publisher.says("/start", Reply(status, b"", {"Location": f"{base}{hop}"}))
    publisher.says(hop, Reply(302, b"", {"Location": f"http://u:{THIRD}@127.0.0.1:{publisher.port}{end}"}))
    publisher.serve(end, telling(base, FIRST, 1))
    sample_site.writes(feeds(f"{base}/start").removeprefix(LOOPBACK))
    report = sample_site.poll()
    assert report["new"] == 2
    assert look(sample_site, *TOKENS) == []
    assert not holds(str(report), *TOKENS)
    assert not holds(caplog.text + str([record.__dict__ for record in caplog.records]), *TOKENS)
    links = [each.get("url") for each in sample_site.items("category/x.json")]
    assert f"{base}/articles/1" in links, "the publisher's own pages stay"


def test_s44_what_was_seen_once_stays_secret(sample_site: SampleSite, publisher: FeedServer) -> None:
    """After a restart, after a redirect to somewhere else, after a permanent move, and once the source is removed."""
    base = f"http://127.0.0.1:{publisher.port}"

    def leads(token: str, status: int, number: int) -> None:
        publisher.says("/start", Reply(status, b"", {"Location": f"/in/{token}/feed.xml"}))
        publisher.serve(f"/in/{token}/feed.xml", telling(base, token, number))

    sample_site.writes(feeds(f"{base}/start").removeprefix(LOOPBACK))
    for number, (token, status) in enumerate([(FIRST, 302), (SECOND, 302), *[(THIRD, 301)] * 4]):
        leads(token, status, number)
        sample_site.poll()
        sample_site.clock.move(hours=30)
        assert look(sample_site, *TOKENS) == [], (number, token)
    with sample_site.opened() as app:
        app.publisher.publish(everything=True)
    assert look(sample_site, *TOKENS) == []
    sample_site.writes(feeds(f"{base}/in/{THIRD}/feed.xml").removeprefix(LOOPBACK))
    sample_site.poll()
    assert look(sample_site, *TOKENS) == []
    sample_site.writes("sources: [{url: 'https://other.example/', paused: true}]\n")
    with sample_site.opened() as app:
        app.publisher.publish(everything=True)
    assert look(sample_site, *TOKENS) == []


def test_s44_a_source_made_private_later_hides_where_it_led(sample_site: SampleSite, publisher: FeedServer) -> None:
    base = f"http://127.0.0.1:{publisher.port}"
    publisher.says("/start", Reply(302, b"", {"Location": f"/in/{FIRST}/feed.xml"}))
    publisher.serve(f"/in/{FIRST}/feed.xml", telling(base, FIRST, 1))
    private = feeds(f"{base}/start").removeprefix(LOOPBACK)
    sample_site.writes(private.replace(", private: true", ""))
    sample_site.poll()
    assert list(leaks(sample_site.folder / "public", FIRST)) != []
    sample_site.writes(private)
    with sample_site.opened() as app:
        app.publisher.publish()
    assert list(leaks(sample_site.folder / "public", FIRST)) == []


def test_s44_closed_pages_and_what_they_showed_before_hide_it_too(
    sample_site: SampleSite, publisher: FeedServer
) -> None:
    base = f"http://127.0.0.1:{publisher.port}"
    publisher.says("/start", Reply(302, b"", {"Location": f"/in/{FIRST}/feed.xml"}))
    items = [item(n, description=f"Item {n} is at {base}/in/{FIRST}/{n}") for n in range(25)]
    publisher.serve(f"/in/{FIRST}/feed.xml", rss(*items))
    private = feeds(f"{base}/start").removeprefix(LOOPBACK)
    pages = "publish: {entries: 10, archive_page: 10}\n"
    sample_site.writes(pages + private.replace(", private: true", ""))
    sample_site.poll()
    assert "category/x/archive/1.atom" in [*leaks(sample_site.folder / "public", FIRST)]
    rewrite = ", rewrite: [{title: {replace: Title, with: News}}]"
    sample_site.writes(pages + private.replace(", private: true", f", private: true{rewrite}"))
    with sample_site.opened() as app:
        app.publisher.publish(everything=True)
    assert [*leaks(sample_site.folder / "public", FIRST)] == []


def test_s44_a_redirect_to_a_plain_page_takes_no_link_away(sample_site: SampleSite, publisher: FeedServer) -> None:
    base = f"http://127.0.0.1:{publisher.port}"
    page = "/magazine-2026/index.php?feed=podcast-rss"
    publisher.says("/start", Reply(302, b"", {"Location": page}))
    links = {f"{base}/magazine-2026/index.php?p={n}" for n in range(3)}
    items = [item(n, link=link, description=f"See {link}") for n, link in enumerate(sorted(links))]
    publisher.serve(page, rss(*items, link=f"{base}/"))
    sample_site.writes(feeds(f"{base}/start").removeprefix(LOOPBACK))
    sample_site.poll()
    shown = sample_site.items("category/x.json")
    assert {each.get("url") for each in shown} == links
    assert {each["content_html"] for each in shown} == {f"See {link}" for link in links}


@pytest.mark.slow
def test_s44_addresses_that_change_at_each_poll_stay_secret(sample_site: SampleSite, publisher: FeedServer) -> None:
    """More than are remembered: then whatever looks drawn at random is hidden."""
    base, tokens = f"http://127.0.0.1:{publisher.port}", []
    sample_site.writes(feeds(f"{base}/start").removeprefix(LOOPBACK))
    with sample_site.opened() as app:
        for number in range(56):
            token = f"{number:04x}9f8e7d6c5b4a39281706"
            tokens.append(token)
            publisher.says("/start", Reply(302, b"", {"Location": f"/in/{token}/feed.xml?auth={token}"}))
            publisher.serve(f"/in/{token}/feed.xml?auth={token}", telling(base, token, number))
            OneShot(app).poll((), everything=True, limit=timedelta(0))
            sample_site.clock.move(hours=1)
        app.publisher.publish()
    assert len(publisher.asked) == 2 * 56
    assert list(leaks(sample_site.folder / "public", *tokens)) == []


@pytest.mark.parametrize("kind", ["article", "page"])
def test_s44_further_documents_and_articles_hide_where_they_led(
    sample_site: SampleSite, publisher: FeedServer, kind: str
) -> None:
    base = f"http://127.0.0.1:{publisher.port}"
    text = "<p>" + "The article says this at some length, and goes on with it for a while. " * 20 + "</p>"
    if kind == "article":
        article = f"<html><body><article><h1>News</h1>{text}<p>At {base}/in/{FIRST}/1 and <a href='more'>more</a></p>"
        publisher.serve("/feed", telling(base, SECOND, 1).replace(f"/in/{SECOND}".encode(), b"/open"))
        publisher.says("/articles/1", Reply(302, b"", {"Location": f"/in/{FIRST}/1"}))
        publisher.says(f"/in/{FIRST}/1", Reply(200, article.encode(), {"Content-Type": "text/html"}))
        more = ", full_text: true"
    else:
        older = telling(base, FIRST, 2)
        first = telling(base, SECOND, 1).replace(f"/in/{SECOND}".encode(), b"/open").decode()
        link = f'<atom:link rel="next" href="{base}/older/{FIRST}"/></channel>'
        publisher.serve("/feed", first.replace("</channel>", link).encode())
        publisher.serve(f"/older/{FIRST}", older)
        more = ", pages: 3"
    sample_site.writes(feeds(f"{base}/feed", more).removeprefix(LOOPBACK))
    sample_site.poll()
    sample_site.clock.move(hours=1)
    sample_site.poll()
    assert len(publisher.asked) > 1 + 1
    assert list(leaks(sample_site.folder / "public", FIRST)) == []


@pytest.mark.slow
def test_s44_the_program_says_nothing_of_it(tmp_path: Path, publisher: FeedServer) -> None:
    """The real program: `poll`, `serve`, and each command that reports."""
    base = f"http://127.0.0.1:{publisher.port}"
    publisher.says("/start", Reply(301, b"", {"Location": f"/hop?auth={SECOND}"}))
    publisher.says(f"/hop?auth={SECOND}", Reply(302, b"", {"Location": f"/in/{spelled(FIRST)}/feed.xml"}))
    publisher.serve(f"/in/{spelled(FIRST)}/feed.xml", telling(base, FIRST, 1))
    (tmp_path / "feeds.yaml").write_text(feeds(f"{base}/start", f", was: '{base}/was/{THIRD}'"), encoding="utf-8")
    done = aggregator("-v", "poll", "--json", cwd=tmp_path)
    assert '"new": 2' in done.stdout
    assert not holds(done.stdout + done.stderr, *TOKENS)
    said = dict(reports(tmp_path, f"{base}/in/{FIRST}/1"))
    assert [command for command, text in said.items() if holds(text, *TOKENS)] == []
    assert "p" in said["status"]
    assert list(leaks(tmp_path / "public", *TOKENS)) == []
    publisher.says("/start", Reply(404, b"", {}))
    aggregator("poll", "--all", cwd=tmp_path)
    assert list(records(tmp_path, *TOKENS)) == []


@pytest.mark.slow
def test_s44_a_service_says_nothing_of_it(tmp_path: Path, publisher: FeedServer) -> None:
    base = f"http://127.0.0.1:{publisher.port}"
    publisher.says("/start", Reply(302, b"", {"Location": f"/in/{FIRST}/feed.xml"}))
    publisher.serve(f"/in/{FIRST}/feed.xml", telling(base, FIRST, 1))
    with Running(tmp_path, feeds(f"{base}/start", ", every: 1s")) as service:
        service.wait_for(lambda: b"Plain 1" in service.get("category/x.atom")[1])
    publisher.says("/start", Reply(302, b"", {"Location": f"/in/{SECOND}/feed.xml"}))
    publisher.serve(f"/in/{SECOND}/feed.xml", telling(base, SECOND, 2))
    with Running(tmp_path, feeds(f"{base}/start", ", every: 1s")) as service:
        service.wait_for(lambda: b"Plain 2" in service.get("category/x.atom")[1])
        for path in ("", "metrics", "status.json", "category/x.json", "all.rss", "search?q=said", "search.json?q=said"):
            assert not holds(service.get(path)[1].decode(errors="replace"), *TOKENS), path
    assert not holds(service.log(), *TOKENS)
    assert list(leaks(tmp_path / "public", *TOKENS)) == []


def test_s44_posts_hide_it_too(sample_site: SampleSite, publisher: FeedServer) -> None:
    base = f"http://127.0.0.1:{publisher.port}"
    publisher.says("/start", Reply(302, b"", {"Location": f"/in/{FIRST}/feed.xml"}))
    publisher.serve(f"/in/{FIRST}/feed.xml", telling(base, FIRST, 1))
    posts = "publish: {jekyll: {to: posts}}\n"
    sample_site.writes(posts + feeds(f"{base}/start").removeprefix(LOOPBACK))
    sample_site.poll()
    assert list((sample_site.folder / "posts").rglob("*.*")) != []
    assert list(leaks(sample_site.folder / "posts", FIRST)) == []


def test_s44_a_page_in_place_of_a_private_feed_names_no_address(sample_site: SampleSite, publisher: FeedServer) -> None:
    base = f"http://127.0.0.1:{publisher.port}"
    page = f'<html><head><link rel="alternate" type="application/rss+xml" href="/in/{FIRST}/feed.xml"></head><body>x'
    publisher.says("/start", Reply(200, page.encode(), {"Content-Type": "text/html"}))
    sample_site.writes(feeds(f"{base}/start").removeprefix(LOOPBACK))
    report = sample_site.poll()
    assert "it names one feed" in str(report["results"])
    assert not holds(str(report), FIRST)
    for command in ("status", "status p", "status p --json", "why p", "check --live", "check --live --json"):
        said = aggregator(*command.split(), cwd=sample_site.folder)
        assert not holds(said.stdout + said.stderr, FIRST), command
        assert "***" not in said.stdout.partition("write url:")[2], command
    assert look(sample_site, FIRST) == []


def test_s44_a_store_of_before_this_was_remembered_hides_where_it_answers(
    sample_site: SampleSite, publisher: FeedServer
) -> None:
    base = f"http://127.0.0.1:{publisher.port}"
    publisher.says("/start", Reply(302, b"", {"Location": f"/in/{FIRST}/feed.xml"}))
    publisher.serve(f"/in/{FIRST}/feed.xml", telling(base, FIRST, 1))
    sample_site.writes(feeds(f"{base}/start").removeprefix(LOOPBACK))
    sample_site.poll()
    change(sample_site.folder, "UPDATE source SET observations = NULL")
    with sample_site.opened() as app:
        app.publisher.publish(everything=True)
    assert [*leaks(sample_site.folder / "public", FIRST)] == []
    assert sample_site.poll()["not_modified"] == 1
    publisher.says("/start", Reply(302, b"", {"Location": f"/in/{SECOND}/feed.xml"}))
    publisher.serve(f"/in/{SECOND}/feed.xml", telling(base, SECOND, 2))
    sample_site.poll()
    assert [*leaks(sample_site.folder / "public", FIRST, SECOND)] == []
