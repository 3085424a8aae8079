"""Tests of `aggregator add` as a process: feeds found, and the edited feeds.yaml (P90)."""

import json
import os
import pty
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aggregator.cli.add import addresses_of
from aggregator.config import load_config
from tests.command import Done, aggregator
from tests.feed_server import Closes, FeedServer, Hangs, Reply, redirect
from tests.patience import PATIENCE
from tests.sample_site import LOOPBACK, item, rss

ATOM = b'<feed xmlns="http://www.w3.org/2005/Atom"><id>urn:x</id><title>All of it</title></feed>'
PAGE = """<!doctype html><html><head><title>站点</title>
<link rel=alternate type=application/rss+xml title="评论" href=/comments.xml>
<link rel=alternate type=application/rss+xml title="全部" href=/all.rss>
<link rel=alternate type=application/atom+xml title="全部" href=/all.atom></head><body>你好</body></html>"""
BARE = b"<!doctype html><html><head><title>Bare</title></head><body>No feed is named here.</body></html>"
KEPT = "# mine\nsources:  # all of them\n  - {url: 'http://127.0.0.9/old', key: old}  # keep this\n\n# the end\n"


def command(folder: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "aggregator", "-c", str(folder / "feeds.yaml"), "add", *arguments]


def run(folder: Path, *arguments: str) -> Done:
    return aggregator("-c", str(folder / "feeds.yaml"), "add", *arguments)


def report(folder: Path, *arguments: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(run(folder, *arguments, "--json").stdout)
    assert set(record) == {"version", "config", "added", "refused", "lists"}
    return record


def urls(folder: Path) -> list[str]:
    return [source.url for source in load_config(folder / "feeds.yaml", {}).sources]


def text(folder: Path) -> str:
    return (folder / "feeds.yaml").read_text(encoding="utf-8")


@pytest.fixture
def planet(tmp_path: Path) -> Path:
    (tmp_path / "feeds.yaml").write_text(LOOPBACK + KEPT, encoding="utf-8")
    return tmp_path


@pytest.fixture
def site(publisher: FeedServer) -> str:
    """A page that names three feeds."""
    publisher.serve("/all.atom", ATOM)
    for path in ("/all.rss", "/comments.xml"):
        publisher.serve(path, rss(item(path)))
    return publisher.says("/", Reply(200, PAGE.encode("gb18030"), {"Content-Type": "text/html; charset=gbk"}))


def test_a_feed_is_added_and_all_that_stands_there_stays(planet: Path, publisher: FeedServer) -> None:
    url = publisher.serve("/feed", rss(item(1), title="News"))
    (planet / "feeds.yaml").chmod(0o640)
    done = run(planet, url)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"News (rss 2.0, 1 entry), {url}\n  in general; line 5" in done.stdout
    assert text(planet).replace(f"  - {url}\n", "") == LOOPBACK + KEPT
    assert stat.S_IMODE((planet / "feeds.yaml").stat().st_mode) == 0o640
    assert [path.name for path in planet.iterdir()] == ["feeds.yaml"], "no store, no draft"
    assert json.loads(aggregator("poll", "--json", cwd=planet).stdout)["new"] == 1


def test_p90_of_a_page_the_best_feed_is_taken_and_the_others_are_named(planet: Path, site: str) -> None:
    done = run(planet, site, "--category", "新闻", "--category", "b", "--title", "Mine: #1")
    assert done.returncode == 0, done.stderr
    assert f'  - {{url: "{site}all.atom", title: "Mine: #1", category: [新闻, b]}}\n' in text(planet)
    named = [line.split()[4] for line in done.stdout.splitlines() if "also names" in line]
    assert named == [f"{site}all.rss", f"{site}comments.xml"]


def test_a_file_is_no_address_and_the_answer_says_what_to_write(planet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (planet / "ours.xml").write_text("<rss/>", encoding="utf-8")
    monkeypatch.chdir(planet)
    (refused,) = report(planet, "ours.xml")["refused"]
    assert refused["why"] == 'it is a file; write - {kind: file, url: "ours.xml"} below sources:'


def test_p90_at_a_terminal_the_operator_chooses(planet: Path, site: str) -> None:
    for answers, expected in ((b"9\n2\n", ["all.rss"]), (b"0\n", ["all.rss"]), (b"\n", ["all.rss", "all.atom"])):
        ours, theirs = pty.openpty()
        os.write(ours, answers)
        done = subprocess.run(
            command(planet, site), stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, check=False, timeout=60
        )
        shown = os.read(ours, 65536).decode()
        os.close(ours)
        os.close(theirs)
        assert "Which one? 1 to 3, 0 for none [1]:" in shown
        assert [url.rpartition("/")[2] for url in urls(planet)[1:]] == expected
        assert done.returncode == (1 if answers == b"0\n" else 0)


def test_p90_where_what_is_named_is_no_feed_the_next_is_tried(planet: Path, publisher: FeedServer, site: str) -> None:
    publisher.says("/all.atom", Reply(404, b""))
    assert report(planet, site)["added"][0]["url"].endswith("/all.rss")
    for path in ("/all.rss", "/comments.xml"):
        publisher.says(path, Reply(500, b""))
    (refused,) = report(planet, site)["refused"]
    assert refused["code"] == "no_feed"
    assert refused["why"].count("HTTP") == 3


def test_p90_three_paths_are_guessed_where_a_page_names_none(planet: Path, publisher: FeedServer) -> None:
    page = publisher.says("/blog/", Reply(200, BARE))
    publisher.serve("/atom.xml", ATOM)
    assert report(planet, page)["added"][0]["url"].endswith("/atom.xml")
    assert [asked.path for asked in publisher.asked] == ["/blog/", "/robots.txt", "/feed", "/feed.xml", "/atom.xml"]


def test_p89_a_guess_keeps_to_robots_txt(planet: Path, publisher: FeedServer) -> None:
    page = publisher.says("/", Reply(200, BARE))
    publisher.serve("/feed", ATOM)
    publisher.says("/robots.txt", Reply(200, b"User-agent: *\nDisallow: /feed\n"))
    (refused,) = report(planet, page)["refused"]
    assert refused["why"].endswith("it names no feed, and none is at /atom.xml")
    for closed in (Reply(200, b"User-agent: aggregator\nDisallow: /\n"), Reply(503, b""), Closes()):
        publisher.says("/robots.txt", closed)
        assert report(planet, page)["refused"][0]["why"].endswith("its robots.txt forbids guessing")
    assert "/feed" not in [asked.path for asked in publisher.asked]


EXPORT = """<opml version="2.0"><head><title>A reader's export</title></head><body>
<outline text="技术"><outline text="Deep"><outline title="A &amp; B: #1" text="x" type="rss" xmlUrl="https://a.example/feed"/>
</outline><outline text="C" type="rss" xmlUrl="http://c.example/?q=${KEY}&amp;b"/></outline>
<outline text="again" xmlUrl="http://www.a.example/feed"/>
<outline text="D" category="/news/world,tag" xmlUrl="https://d.example/"/>
<outline text="old" xmlUrl="http://127.0.0.9/old"/><outline text="E" xmlUrl="vfolder"/>
<outline text="{x}"><outline xmlUrl="https://f.example/"/></outline>
</body></opml>"""


def test_an_opml_file_is_taken_in_with_groups_and_titles(planet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (planet / "elsewhere").mkdir()
    (planet / "elsewhere" / "my feeds.opml").write_bytes(EXPORT.encode("gb18030"))
    monkeypatch.chdir(planet / "elsewhere")
    done = run(planet, "my feeds.opml")
    assert done.returncode == 1, "an outline without an address is named"
    assert "added 4 feeds of my feeds.opml, lines 5 to 8 of feeds.yaml" in done.stdout
    assert "  1 is already a source and stays as it is\n" in done.stdout
    assert "left out: outline 'E': vfolder is not an http or https address" in done.stdout
    new = [line for line in text(planet).splitlines() if line not in (LOOPBACK + KEPT).splitlines()]
    assert [line for line in text(planet).splitlines() if line not in new] == (LOOPBACK + KEPT).splitlines()
    sources = load_config(planet / "feeds.yaml", {}).sources[1:]
    assert [(source.url, source.title, source.categories) for source in sources] == [
        ("https://a.example/feed", "A & B: #1", ("Deep",)),
        ("http://c.example/?q=${KEY}&b", "C", ("技术",)),
        ("https://d.example/", "D", ("world", "tag")),
        ("https://f.example/", None, ("general",)),
    ]
    again = report(planet, "my feeds.opml")
    assert again["added"] == []
    assert len(again["lists"][0]["known"]) == 5


def test_500_feeds_of_a_list_are_taken_in_at_once(planet: Path) -> None:
    rows = "".join(f'<outline text="F {n}" type="rss" xmlUrl="https://h{n}.example/feed"/>' for n in range(600))
    (planet / "big.opml").write_text(f"<opml><body><outline text='G'>{rows}</outline></body></opml>", encoding="utf-8")
    before = KEPT.replace("\n", "\r\n")
    (planet / "feeds.yaml").write_bytes(before.encode())
    added = report(planet, str(planet / "big.opml"), "--category", "mine")["added"]
    assert len(added) == 600
    assert {tuple(row["categories"]) for row in added} == {("mine",)}
    assert (added[0]["line"], added[-1]["line"]) == (4, 603)
    assert (planet / "feeds.yaml").read_bytes().endswith(b"\r\n\r\n# the end\r\n")


def test_what_is_no_list_or_names_nothing_adds_nothing(planet: Path) -> None:
    for name, body, why in (
        ("none.opml", "<opml><body><outline text='a note'/></body></opml>", "a list that names no feed"),
        ("page.opml", "<!doctype html><html><body>Sign in</body></html>", "it is a file; write - {kind: file"),
    ):
        (planet / name).write_text(body, encoding="utf-8")
        (refused,) = report(planet, str(planet / name))["refused"]
        assert why in refused["why"]
    (planet / "one.opml").write_text("<opml><body><outline xmlUrl='http://a.example/'/></body></opml>")
    assert "--title is for one feed" in report(planet, str(planet / "one.opml"), "--title", "x")["refused"][0]["why"]
    assert text(planet) == LOOPBACK + KEPT


@pytest.mark.parametrize(
    ("reply", "code", "why"),
    [
        pytest.param(Reply(404, b"<html>none</html>"), "not_found", "HTTP 404", id="404"),
        pytest.param(Reply(200, b'{"error": "no key"}'), "not_a_feed", "an API's error", id="api"),
        pytest.param(Reply(200, b"<opml version='2.0'/>"), "not_a_feed", "an OPML list", id="opml"),
        pytest.param(
            Reply(200, b"<html><title>Log in</title><input type=password></html>"),
            "no_feed",
            "a login page",
            id="login",
        ),
        pytest.param(redirect("/page"), "redirect", "in a circle", id="circle"),
    ],
)
def test_what_is_no_feed_is_refused_with_its_reason(
    planet: Path, publisher: FeedServer, reply: Reply, code: str, why: str
) -> None:
    done = run(planet, publisher.says("/page", reply))
    assert (done.returncode, done.stdout) == (1, "")
    assert why in done.stderr
    assert report(planet, publisher.url("/page"))["refused"][0]["code"] == code
    assert text(planet) == LOOPBACK + KEPT


@pytest.mark.parametrize(
    ("typed", "schemes"),
    [
        ("a.example", ["https", "http"]),
        ("a.example/feed:1", ["https", "http"]),
        ("a.example:443/feed", ["https", "http"]),
        ("a.example:8443", ["http", "https"]),
        ("127.0.0.1:4430/", ["http", "https"]),
        ("http://a.example:80/", ["http"]),
        ("feed://a.example/", ["feed"]),
        ("feed:https://a.example/", ["feed"]),
    ],
)
def test_without_a_scheme_both_are_tried(typed: str, schemes: list[str]) -> None:
    addresses = addresses_of(typed)
    assert [address.partition(":")[0] for address in addresses] == schemes
    assert all(address.endswith(typed) for address in addresses)


def test_what_is_not_there_over_http_may_be_over_https(planet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with FeedServer(tls=True) as publisher:
        monkeypatch.setenv("SSL_CERT_FILE", str(publisher.authority))
        url = publisher.serve("/feed", ATOM)
        assert report(planet, url.removeprefix("https://"))["added"][0]["url"] == url
    with FeedServer() as publisher:
        url = publisher.serve("/feed", ATOM)
        assert report(planet, url.removeprefix("http://"))["added"][0]["url"] == url
        assert publisher.connections == 1


def test_what_is_there_already_is_refused_in_any_spelling(planet: Path, publisher: FeedServer, site: str) -> None:
    url = publisher.serve("/feed", ATOM)
    assert run(planet, url).returncode == 0
    publisher.says("/moved", redirect("/feed", 301))
    publisher.says("/elsewhere", redirect("/feed", 302))
    asked = len(publisher.asked)
    others = [url, url + "/", url + "?utm_source=x", url.replace("http://", "HTTP://"), url.removeprefix("http://")]
    done = run(planet, *others)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("it is already a source: 127.0.0.1-") == len(others)
    assert len(publisher.asked) == asked, "nobody was asked for that"
    refused = report(planet, publisher.url("/moved"), publisher.url("/elsewhere"))["refused"]
    assert [row["code"] for row in refused] == ["known", "known"]
    assert run(planet, site).returncode == 0
    assert "it is already a source" in run(planet, site).stderr
    assert len(urls(planet)) == 3


def test_p41_a_permanent_redirect_is_written_down_and_another_is_not(planet: Path, publisher: FeedServer) -> None:
    publisher.serve("/new", ATOM)
    publisher.says("/old", redirect("/new", 301))
    publisher.serve("/today", rss(item(1)))
    publisher.says("/always", redirect("/today", 302))
    added = report(planet, publisher.url("/old"), publisher.url("/always"))["added"]
    assert [row["url"] for row in added] == [publisher.url("/new"), publisher.url("/always")]


def test_a_list_that_is_empty_gets_its_first_and_for_nothing_no_file_is_made(tmp_path: Path) -> None:
    (tmp_path / "feeds.yaml").write_text("site: {title: Planet}\nsources:\n", encoding="utf-8")
    with FeedServer() as publisher:
        url = publisher.serve("/feed", ATOM)
        refused = run(tmp_path, url)
        assert "allow it under hosts:" in refused.stderr
        (tmp_path / "feeds.yaml").write_text(f"{LOOPBACK}sources:\n", encoding="utf-8")
        assert run(tmp_path, url).returncode == 0
        assert text(tmp_path) == f"{LOOPBACK}sources:\n  - {url}\n"
        (tmp_path / "feeds.yaml").unlink()
        run(tmp_path, url)
        assert not (tmp_path / "feeds.yaml").exists(), "nothing was found, so nothing is made"


def test_a_broken_feeds_yaml_stays_as_it_is(planet: Path, publisher: FeedServer) -> None:
    (planet / "feeds.yaml").write_text(LOOPBACK + "sitee: {}\n" + KEPT, encoding="utf-8")
    done = run(planet, publisher.serve("/feed", ATOM))
    assert done.returncode == 2
    assert 'feeds.yaml:2:1: "sitee"' in done.stderr
    assert publisher.asked == []
    for arguments in (["--title", "x", "http://a.example/", "http://b.example/"], []):
        assert run(planet, *arguments).returncode == 2


@pytest.mark.parametrize("typed", ["mailto:x@y.example", "ftp://a.example/", "http://", "http://a b/"])
def test_what_is_no_address_is_told_so(planet: Path, typed: str) -> None:
    done = run(planet, typed)
    assert (done.returncode, "is not the address of a source" in done.stderr) == (1, True)
    assert text(planet) == LOOPBACK + KEPT


def test_a_wrong_charset_is_told_with_what_to_write(planet: Path, publisher: FeedServer) -> None:
    words = "记者从会上获悉，今年以来全省经济运行总体平稳，稳中有进，新闻发布会介绍了有关情况。"
    document = rss(*(item(n, title=f"新闻发布会{n}", description=words) for n in range(5)), title="齐鲁晚报")
    publisher.serve("/gbk", document.decode().encode("gb18030"), {"Content-Type": "application/rss+xml; charset=utf-8"})
    done = run(planet, publisher.url("/gbk"))
    assert "齐鲁晚报" in done.stdout
    assert "→ write encoding: gb18030" in done.stdout


def test_s44_a_variable_stays_one_and_what_it_holds_is_not_written(
    planet: Path, publisher: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "s3cr3t-t0ken")
    publisher.says("/feed?t=s3cr3t-t0ken", redirect("/new?t=s3cr3t-t0ken", 301))
    publisher.serve("/new?t=s3cr3t-t0ken", ATOM)
    done = run(planet, publisher.url("/feed") + "?t=${TOKEN}")
    assert done.returncode == 0, done.stderr
    assert "s3cr3t" not in done.stdout + done.stderr + text(planet)
    assert f"{publisher.url('/feed')}?t=${{TOKEN}}" in text(planet)


def test_s70_a_page_opens_no_way_that_a_redirect_would_not(tmp_path: Path, publisher: FeedServer) -> None:
    """The page is at an address that the operator allowed; its feed is not."""
    inside = publisher.serve("/feed", ATOM, host="127.0.0.2")
    page = publisher.says(
        "/", Reply(200, f"<html><link rel=alternate type=application/atom+xml href={inside}>".encode())
    )
    hosts = "hosts: {127.0.0.1/32: {allow_private: true, spacing: 0s}}\n"
    (tmp_path / "feeds.yaml").write_text(hosts + KEPT, encoding="utf-8")
    (refused,) = report(tmp_path, page)["refused"]
    assert "its address is private" in refused["why"]
    assert {asked.host for asked in publisher.asked} == {"127.0.0.1"}


def test_p61_requests_to_a_host_keep_its_spacing(planet: Path, publisher: FeedServer) -> None:
    hosts = "hosts: {127.0.0.0/8: {allow_private: true, spacing: 0.5s}}\n"
    (planet / "feeds.yaml").write_text(hosts + KEPT, encoding="utf-8")
    page = publisher.says("/", Reply(200, BARE))
    assert run(planet, page).returncode == 1
    times = [asked.at for asked in publisher.asked]
    assert len(times) == 5
    assert times[-1] - times[0] > 1, "two seconds, but that the publisher may be slow to see the first"


def test_an_interrupt_ends_it_at_once_and_keeps_what_was_added(planet: Path, publisher: FeedServer) -> None:
    good, hangs = publisher.serve("/good", ATOM), publisher.says("/hangs", Hangs())
    process = subprocess.Popen(
        command(planet, good, hangs),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )
    publisher.wait_until_asked(1, "/hangs")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, "Traceback" in err) == (130, False)
    assert "added" in out
    assert urls(planet)[1:] == [good]
