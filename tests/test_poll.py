"""Whole polls: from feeds.yaml to published files, over real HTTP, and back again."""

import gc
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from aggregator.cli import main
from aggregator.cli.open import read_store
from aggregator.cli.poll import OneShot, in_words
from aggregator.config import load_config
from aggregator.model.changes import NewEntry
from aggregator.model.settings import Roster, SourceKey
from aggregator.reader.pool import LARGE
from tests.command import aggregator
from tests.fake_source import FakeSource
from tests.feed_server import FeedServer, Hangs, Reply, Reset
from tests.sample_site import SampleSite, item, rss

GOLDEN = Path(__file__).parent / "golden"


def sources(*urls: str, more: str = "") -> str:
    return "sources:\n" + "".join(f"  - {{url: '{url}'{more}}}\n" for url in urls)


def test_a_new_entry_is_stored_and_published(sample_site: SampleSite, publisher: FeedServer) -> None:
    sample_site.writes(sources(publisher.serve("/feed.xml", rss(item(2), item(1)))))
    report = sample_site.poll()
    assert (report["fetched"], report["new"], report["failed"]) == (1, 2, 0)
    assert sample_site.titles() == ["Title 2", "Title 1"]
    assert "category/general.atom" in report["published"]


@pytest.mark.parametrize("blanks", [pytest.param(0, id="here"), pytest.param(LARGE, id="in-a-process-of-its-own")])
def test_i57_what_goes_with_an_entry_is_published(sample_site: SampleSite, publisher: FeedServer, blanks: int) -> None:
    body = (GOLDEN / "podcast-episodes" / "feed.xml").read_bytes()
    read = json.loads((GOLDEN / "podcast-episodes" / "expected.json").read_bytes())["entries"]
    sample_site.writes(sources(publisher.serve("/feed.xml", body + b" " * blanks)))
    sample_site.poll()
    found = {item["title"]: item["_aggregator"].get("supplement") for item in sample_site.items()}
    expected = {entry["title"]: entry.get("supplement") for entry in read}
    for transcript in expected["Full"]["transcripts"]:
        transcript.pop("captions") if not transcript["captions"] else None
    expected["Full"]["chapters"].pop("captions")
    assert found == expected
    full = next(entry for entry in sample_site.entries("category/general.atom") if entry.findtext("{*}title") == "Full")
    assert full.findtext("{http://www.itunes.com/dtds/podcast-1.0.dtd}season") == "2"


def test_p2_r11_the_second_poll_gets_a_304_and_changes_no_file(sample_site: SampleSite, publisher: FeedServer) -> None:
    sample_site.writes(sources(publisher.serve("/feed.xml", rss(item(2), item(1)))))
    sample_site.poll()
    before = sample_site.files()
    report = sample_site.poll()
    assert "If-None-Match" in publisher.asked[1].headers
    assert (report["not_modified"], report["new"], report["published"]) == (1, 0, [])
    assert sample_site.files() == before


def test_p4_the_same_body_again_writes_nothing(sample_site: SampleSite, publisher: FeedServer) -> None:
    sample_site.writes(sources(publisher.serve("/feed.xml", rss(item(1)), tags=False)))
    sample_site.poll()
    before = sample_site.files()
    report = sample_site.poll()
    assert (report["fetched"], report["new"], report["revised"]) == (1, 0, 0)
    assert sample_site.files() == before


def test_an_edit_is_a_revision_and_moves_updated(sample_site: SampleSite, publisher: FeedServer) -> None:
    sample_site.writes(sources(publisher.serve("/feed.xml", rss(item(2), item(1)))))
    sample_site.poll()
    (_, first) = sample_site.items()
    sample_site.clock.move(hours=1)
    publisher.edit("/feed.xml", rss(item(2), item(1, title="Title 1, corrected")))
    report = sample_site.poll()
    (_, second) = sample_site.items()
    assert (report["new"], report["revised"]) == (0, 1)
    assert sample_site.titles() == ["Title 2", "Title 1, corrected"]
    assert (second["id"], second["date_modified"]) == (first["id"], "2026-03-04T13:00:00Z")


def test_a25_a_backdated_entry_enters_at_the_top(sample_site: SampleSite, publisher: FeedServer) -> None:
    dated = item(1, pubDate="Tue, 03 Mar 2026 12:00:00 GMT")
    sample_site.writes(sources(publisher.serve("/feed.xml", rss(dated))))
    sample_site.poll()
    sample_site.clock.move(hours=1)
    publisher.edit("/feed.xml", rss(dated, item(0, pubDate="Thu, 01 Jan 2015 12:00:00 GMT")))
    sample_site.poll()
    assert sample_site.titles() == ["Title 0", "Title 1"]


def test_i62_of_a_first_poll_only_the_newest_are_published(sample_site: SampleSite, publisher: FeedServer) -> None:
    many = rss(*(item(n, pubDate=f"Tue, 03 Mar 2026 10:{n:02}:00 GMT") for n in range(30)))
    sample_site.writes(sources(publisher.serve("/feed.xml", many), more=", initial: 3"))
    report = sample_site.poll()
    assert report["new"] == 3
    assert sample_site.titles() == ["Title 29", "Title 28", "Title 27"]
    sample_site.clock.move(hours=2)
    publisher.edit("/feed.xml", rss(item(99), *(item(n) for n in range(30))))
    assert sample_site.poll()["new"] == 1


def test_r40_bad_sources_harm_no_other(sample_site: SampleSite, publisher: FeedServer) -> None:
    urls = [
        publisher.says("/reset", Reset()),
        publisher.says("/missing", Reply(404, b"no")),
        publisher.says(
            "/page", Reply(200, b"<!doctype html><title>Hello</title><p>no feed here", {"Content-Type": "text/html"})
        ),
        publisher.serve("/good", rss(item(1))),
    ]
    sample_site.writes(sources(*urls))
    report = sample_site.poll()
    errors = {row["url"].rpartition("/")[2]: (row["error"] or "").partition(":")[0] for row in report["results"]}
    assert errors == {"reset": "reset", "missing": "not_found", "page": "not_a_feed", "good": ""}
    assert sample_site.titles() == ["Title 1"]
    assert b"not_a_feed" not in sample_site.published("index.html")


def test_i14_what_an_error_quotes_is_as_it_was_sent_for_the_operator_and_nothing_for_the_public(
    sample_site: SampleSite, publisher: FeedServer
) -> None:
    page = b"<!doctype html><title>A &amp; B</title>\x1b[31m<script>alert(1)</script>"
    sample_site.writes(
        "publish: {formats: [atom, json, html]}\n"
        + sources(publisher.says("/page", Reply(200, page, {"Content-Type": "text/html"})))
    )
    (row,) = sample_site.poll()["results"]
    begins = "it begins: <!doctype html><title>A &amp; B</title>"
    assert begins in row["error"]
    with sample_site.opened() as app:
        (source,) = app.store.status(app.in_force.roster, app.clock()).sources
    assert begins in (source.error or "")
    for name in ("status.html", "sources.html", "status.json"):
        assert b"alert(1)" not in sample_site.published(name)
    done = aggregator("-c", str(sample_site.folder / "feeds.yaml"), "status")
    assert begins in done.stdout
    assert "\x1b" not in done.stdout


def test_of_a_list_of_an_api_the_advice_is_about_the_list(sample_site: SampleSite, publisher: FeedServer) -> None:
    urls = {
        "elsewhere": publisher.serve("/elsewhere", b'{"rows": [{"id": 1}]}'),
        "error": publisher.serve("/error", b'{"error": "no key"}', host="127.0.0.2"),
        "cut": publisher.serve("/cut", b'{"data": [{"id": 1, "tit', host="127.0.0.3"),
    }
    sample_site.writes(
        "sources:\n"
        + "".join(
            f"  - {{key: {key}, url: '{url}', kind: json, items: data, entry: {{id: id, title: id}}}}\n"
            for key, url in urls.items()
        )
    )
    assert sample_site.poll()["failed"] == 3
    with sample_site.opened() as app:
        found = {source.key: source for source in app.store.status(app.in_force.roster, app.clock()).sources}
    for key in ("elsewhere", "error"):
        assert found[SourceKey(key)].code == "not_a_feed"
        assert "report it to its owner; else correct items:" in (found[SourceKey(key)].advice or "")
    assert found[SourceKey("cut")].code == "short"
    assert "truncated before its first entry ends" in (found[SourceKey("cut")].error or "")


def test_p81_a_hanging_source_ends_with_its_timeout(sample_site: SampleSite, publisher: FeedServer) -> None:
    hangs = sources(publisher.says("/hangs", Hangs()), more=", timeout: 1s")
    sample_site.writes(f"{hangs}  - {{url: '{publisher.serve('/good', rss(item(1)))}'}}\n")
    report = sample_site.poll()
    assert (report["fetched"], report["failed"]) == (1, 1)


def test_p65_a_source_that_was_refused_is_asked_at_once_when_it_is_allowed(
    sample_site: SampleSite, publisher: FeedServer
) -> None:
    refused, missing = (
        publisher.serve("/feed.xml", rss(item(1))),
        publisher.says("/none", Reply(404, b""), host="127.0.0.2"),
    )
    both, only_one = sources(refused, missing), "hosts: {127.0.0.2: {allow_private: true}}\n"
    sample_site.writes(both, hosts=only_one)
    assert sample_site.poll(everything=False)["failed"] == 2
    assert "allow_private" in advice_on(sample_site, refused)
    assert sample_site.poll(everything=False)["sources"] == 0, "as nothing changed"
    sample_site.writes(both)
    assert advice_on(sample_site, refused) == "feeds.yaml was edited since then; the source is due at once"
    assert "new address" in advice_on(sample_site, missing)
    report = sample_site.poll(everything=False)
    assert [(row["url"], row["new"]) for row in report["results"]] == [(refused, 1)]


def test_p65_who_was_refused_is_asked_once_more_when_a_network_is_opened(sample_site: SampleSite) -> None:
    feeds = "sources: [{key: a, url: 'https://intranet.example/'}, {key: b, url: 'https://gone.example/'}]\n"

    def due(hosts: str = "") -> set[str]:
        sample_site.writes(feeds, hosts=hosts)
        with sample_site.opened() as app, app.store.read() as tx:
            return {str(item.key) for item in tx.schedule.due(sample_site.clock(), limit=9)}

    def fails() -> None:
        with sample_site.opened() as app:
            FakeSource(app).fails("a", "refused")
            FakeSource(app).fails("b", "not_found")

    assert due() == {"a", "b"}
    fails()
    assert due() == set()
    assert due("hosts: {10.0.0.0/8: {spacing: 1s}}\n") == set(), "manners open nothing"
    assert "allow_private" in advice_on(sample_site, "https://intranet.example/")
    sample_site.writes(feeds, hosts="hosts: {10.0.0.0/8: {allow_private: true}}\n")
    assert advice_on(sample_site, "https://intranet.example/").startswith("feeds.yaml was edited since then")
    assert "new address" in advice_on(sample_site, "https://gone.example/")
    assert due("hosts: {10.0.0.0/8: {allow_private: true}}\n") == {"a"}
    fails()
    assert due("hosts: {10.0.0.0/8: {allow_private: true, spacing: 0s}}\n") == set(), "it was open before"
    assert due("hosts: {10.0.0.0/8: {allow_private: true}, fd00::/8: {allow_private: true}}\n") == {"a"}
    fails()
    assert due("hosts: {fd00::/8: {allow_private: true}}\n") == set(), "less is open now"


def advice_on(sample_site: SampleSite, url: str) -> str:
    """Return the advice of `status`, with feeds.yaml as it is now and nothing polled since."""
    settings = load_config(sample_site.folder / "feeds.yaml", {})
    store = read_store(settings)
    try:
        status = store.status(Roster.of(settings), sample_site.clock())
    finally:
        store.close()
    return next(source.advice or "" for source in status.sources if source.url == url)


def test_a_poll_that_finds_nothing_due_says_when_it_would(sample_site: SampleSite, publisher: FeedServer) -> None:
    sample_site.writes(sources(publisher.serve("/feed.xml", rss(item(1))), more=", every: 1h"))
    said = []
    for paused in (False, False, True):
        if paused:
            sample_site.writes(sources(publisher.url("/feed.xml"), more=", every: 1h, paused: true"))
        with sample_site.opened() as app:
            shot = OneShot(app)
            shot.poll((), everything=False, limit=timedelta(0))
            said.append(in_words(shot.report(()), none_due=shot.none_due).splitlines()[1])
    assert said[0] == "No file changed."
    assert re.fullmatch(r"  the source is not due; the next in \d+ min; `aggregator poll --all` polls now", said[1])
    assert said[2] == "  there is no source to poll: feeds.yaml has none, or all are paused"


def test_a_backup_into_a_folder_that_is_not_there_names_the_folder(
    sample_site: SampleSite, publisher: FeedServer
) -> None:
    sample_site.writes(sources(publisher.serve("/feed.xml", rss(item(1)))))
    sample_site.poll()
    target = sample_site.folder / "none" / "x.db"
    done = aggregator("-c", str(sample_site.folder / "feeds.yaml"), "backup", str(target))
    assert done.returncode == 3
    assert done.stderr == f"aggregator: there is no folder {target.parent}; make it, or write another path\n"


def test_p69_what_was_just_asked_is_skipped(sample_site: SampleSite, publisher: FeedServer) -> None:
    url = publisher.serve("/feed.xml", rss(item(1)))
    sample_site.writes(sources(url))
    sample_site.poll()
    sample_site.clock.move(minutes=4)
    sample_site.writes(sources(url), hosts="hosts: {127.0.0.0/8: {spacing: 2s}}\n")
    (row,) = sample_site.poll()["results"]
    assert (row["outcome"], len(publisher.asked)) == ("skipped", 1)


def test_p69_what_was_skipped_is_named_and_a_file_is_read_whenever_it_is_wished(
    sample_site: SampleSite, publisher: FeedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    own, url = sample_site.folder / "own.xml", publisher.serve("/feed.xml", rss(item(2)))
    own.write_bytes(rss(item(1)))
    yaml = f"sources: [{{kind: file, url: own.xml, key: own}}, {{url: '{url}', key: other}}]\n"
    sample_site.writes(yaml)
    arguments = ["-q", "-c", str(sample_site.folder / "feeds.yaml"), "poll", "own", "other"]
    assert main(arguments, {}) == 0
    own.write_bytes(rss(item(1), item(3)))
    sample_site.writes(yaml, hosts="hosts: {127.0.0.0/8: {spacing: 2s}}\n")  # no machine of our own any more
    capsys.readouterr()
    assert main(arguments, {}) == 0
    said = capsys.readouterr().out
    assert "1 fetched" in said
    assert said.splitlines()[1].endswith("their host asked for a pause: A feed (other, line 2)")
    assert "Title 3" in sample_site.titles()


def test_r55_only_what_is_due_is_asked(sample_site: SampleSite, publisher: FeedServer) -> None:
    sample_site.writes(sources(publisher.serve("/feed.xml", rss(item(1))), more=", every: 1h"))
    assert sample_site.poll(everything=False)["sources"] == 1
    assert sample_site.poll(everything=False)["sources"] == 0
    sample_site.clock.move(minutes=54)
    assert sample_site.poll(everything=False)["sources"] == 0
    sample_site.clock.move(minutes=2)
    assert sample_site.poll(everything=False)["sources"] == 1, "a one-shot run may be a little early (P52)"


@pytest.mark.parametrize("dedupe", ["exact", "off"])
def test_t1_one_article_of_two_sources_stands_once(sample_site: SampleSite, publisher: FeedServer, dedupe: str) -> None:
    one = publisher.serve("/one", rss(item(1), title="One"))
    two = publisher.serve("/two", rss(item(1, guid="other-1"), title="Two"), host="127.0.0.2")
    sample_site.writes(f"defaults: {{dedupe: {dedupe}}}\n" + sources(one, two))
    report = sample_site.poll()
    assert sample_site.titles() == ["Title 1"] * (1 if dedupe == "exact" else 2)
    assert report["duplicates"] == (1 if dedupe == "exact" else 0)
    if dedupe == "exact":
        (entry,) = sample_site.entries("category/general.atom")
        related = [link for link in entry.iterchildren("{*}link") if link.get("rel") in ("related", "via")]
        assert len(related) == 1, "the other copy is credited"


def test_alike_is_not_the_same(sample_site: SampleSite, publisher: FeedServer) -> None:
    article = item("article", link="https://paper.example/a", title="The bridge is open")
    comment = item(
        "comment",
        link="https://paper.example/a",
        title="The bridge is open",
        description="Finally. I walked over it this morning and the railing is still wet paint, so mind your sleeves.",
    )
    shop = "https://shop.example/product"
    offers = [item(f"offer-{n}", link=shop, title="Today at the shop") for n in range(3)]
    namesake = item(
        "namesake", link="https://other.example/b", title="The bridge is open", description="Another town's."
    )
    urls = [
        publisher.serve(f"/{n}", rss(one, title=f"Feed {n}"), host=f"127.0.0.{n + 2}")
        for n, one in enumerate([article, comment, namesake, *offers])
    ]
    sample_site.writes(sources(*urls))
    report = sample_site.poll()
    assert report["duplicates"] == 0
    assert len(sample_site.titles()) == 6


def test_m2_a_category_of_300_walks_back_to_its_first_entry(sample_site: SampleSite, publisher: FeedServer) -> None:
    every = [
        item(n, pubDate=(sample_site.clock.now - timedelta(hours=n + 1)).strftime("%a, %d %b %Y %H:%M:%S GMT"))
        for n in range(300)
    ]
    sample_site.writes(
        "publish: {entries: 50, archive_page: 50}\n"
        + sources(publisher.serve("/feed.xml", rss(*every)), more=", initial: 5000")
    )
    sample_site.poll()
    path, seen = "category/general", []
    while path:
        seen += sample_site.titles(f"{path}.atom")
        path = sample_site.previous(path)
    assert sorted(seen) == sorted(f"Title {n}" for n in range(300))
    assert len(sample_site.titles()) == 50


@pytest.mark.slow
def test_two_large_sources_telling_the_same_are_stored_in_no_time(
    sample_site: SampleSite, publisher: FeedServer
) -> None:
    many = rss(*(item(n) for n in range(1500)))
    one, two = publisher.serve("/one", many), publisher.serve("/two", many, host="127.0.0.2")
    sample_site.writes("defaults: {dedupe: exact, initial: 5000}\n" + sources(one, two))
    report = sample_site.poll()
    assert (report["failed"], report["duplicates"]) == (0, 1500)


def test_for_gives_back_what_it_has_no_time_for(sample_site: SampleSite, publisher: FeedServer) -> None:
    urls = [publisher.says(f"/{n}", Hangs(), host=f"127.0.0.{n + 2}") for n in range(12)]
    sample_site.writes("workers: 2\ndefaults: {timeout: 1s}\n" + sources(*urls))
    report = sample_site.poll(limit=timedelta(milliseconds=100))
    assert report["sources"] == 12
    assert report["failed"] + report["skipped"] == 12
    assert report["failed"] <= 2, "what had not left is given back, not waited for"


def test_r21_a_clock_that_was_set_back_delays_no_publication(sample_site: SampleSite, publisher: FeedServer) -> None:
    sample_site.writes(sources(publisher.serve("/feed.xml", rss(item(1)))))
    sample_site.poll()
    sample_site.clock.move(hours=-7)
    publisher.edit("/feed.xml", rss(item(2), item(1)))
    sample_site.poll()
    assert sorted(sample_site.titles()) == ["Title 1", "Title 2"]


def test_p30_a_429_pauses_the_rest_of_its_host(sample_site: SampleSite, publisher: FeedServer) -> None:
    busy = [publisher.says(f"/{n}", Reply(429, b"", {"Retry-After": "60"})) for n in range(3)]
    calm = publisher.serve("/calm", rss(item(1)), host="127.0.0.2")
    sample_site.writes(sources(*busy, calm), hosts="hosts: {127.0.0.0/8: {allow_private: true, spacing: 0s}}\n")
    report = sample_site.poll(limit=timedelta(seconds=2))
    assert (report["fetched"], report["failed"], report["skipped"]) == (1, 1, 2)
    assert len(publisher.asked) == 2


def test_a_file_that_is_not_there_is_looked_for_in_its_folder_not_on_a_site(sample_site: SampleSite) -> None:
    sample_site.writes("sources: [{kind: file, url: own.xml, key: own}]\n")
    with sample_site.opened() as app:
        OneShot(app).poll([], everything=True, limit=timedelta(0))
        [source] = app.store.status(app.in_force.roster, sample_site.clock()).sources
    assert source.advice == "there is no such file below the folder of feeds.yaml; put it there, or correct url:"


def test_a_run_holds_no_texts_of_the_sources_that_it_has_polled(sample_site: SampleSite, publisher: FeedServer) -> None:
    urls = [publisher.serve(f"/{n}", rss(item(n)), host=f"127.0.1.{n}") for n in range(1, 9)]
    sample_site.writes(sources(*urls))
    with sample_site.opened() as app:
        shot = OneShot(app)
        shot.poll([], everything=True, limit=timedelta(0))
        assert shot.report(())["new"] == len(urls)
        gc.collect()
        assert not [one for one in gc.get_objects() if isinstance(one, NewEntry)]
