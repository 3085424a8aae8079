"""Lists of sources that live elsewhere (`kind: opml`; P47, P66, S16, N5)."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import pytest

from aggregator.config import load_config
from aggregator.errors import ConfigError
from aggregator.model.event import Code
from aggregator.model.settings import Source, SourceKey
from tests.command import aggregator
from tests.feed_server import FeedServer, Reply, redirect
from tests.running import Running
from tests.sample_site import LOOPBACK, SampleSite, item, rss

YAML = "sources:\n  - {{kind: opml, url: {url}, key: list, category: friends, every: 15m, dedupe: off}}\n"


def listing(urls: Sequence[str], group: str = "") -> bytes:
    """Write a list."""
    inner = "".join(f"<outline text='A friend' type='rss' xmlUrl={quoteattr(url)}/>" for url in urls)
    body = f"<outline text={quoteattr(group)}>{inner}</outline>" if group else inner
    return f"<opml version='2.0'><head><title>Friends</title></head><body>{body}</body></opml>".encode()


def feeds(publisher: FeedServer, *names: str) -> list[str]:
    """Serve feeds of one item each, whose title is the feed's name."""
    return [
        publisher.says(f"/{name}.xml", Reply(200, rss(item(name, title=name, guid=f"id {name}"), title=name)))
        for name in names
    ]


def listed(sample_site: SampleSite) -> dict[str, Source]:
    """Return the sources of lists that are polled now, by URL."""
    with sample_site.opened("status") as app, app.store.read() as tx:
        polled = {row.key for row in tx.sources.rows()}
        return {s.url: s for s in app.in_force.settings.sources if s.listed_by and s.key in polled}


def alarms(sample_site: SampleSite) -> list[tuple[str, str]]:
    """Return the alarms of the list."""
    with sample_site.opened("status") as app:
        status = app.store.status(app.in_force.roster, sample_site.clock())
    return [(alarm.code, alarm.text) for alarm in status.alarms if alarm.source == "list"]


def test_a_list_brings_its_feeds_in_the_same_run(sample_site: SampleSite, publisher: FeedServer) -> None:
    urls = feeds(publisher, "ada", "bob")
    sample_site.writes(YAML.format(url=publisher.says("/list.opml", Reply(200, listing(urls)))))
    assert sample_site.poll()["new"] == 2
    assert sorted(sample_site.titles("category/friends.atom")) == ["ada", "bob"]
    assert set(listed(sample_site)) == set(urls)
    assert b"ada.xml" in sample_site.published("sources.opml")
    assert b"ada.xml" in sample_site.published("sources.html")


def test_what_a_list_names_has_its_settings_and_not_its_credentials(
    sample_site: SampleSite, publisher: FeedServer
) -> None:
    (url,) = feeds(publisher, "ada")
    at = publisher.says("/list.opml", Reply(200, listing([url])))
    sample_site.writes(YAML.format(url=at).replace("every:", "headers: {X-Token: s3cret-token}, every:"))
    sample_site.poll()
    source = listed(sample_site)[url]
    assert (source.every, source.dedupe, source.listed_by) == (
        load_config(sample_site.folder / "feeds.yaml", {}).sources[0].every,
        "off",
        "list",
    )
    asked = {each.path: each for each in publisher.asked}
    assert asked["/list.opml"].headers["X-Token"] == "s3cret-token"
    assert "X-Token" not in asked["/ada.xml"].headers


def test_a_list_may_be_a_local_file(sample_site: SampleSite, publisher: FeedServer) -> None:
    urls = feeds(publisher, "ada", "bob")
    (sample_site.folder / "lists").mkdir()
    (sample_site.folder / "lists" / "friends.opml").write_bytes(listing(urls))
    sample_site.writes(YAML.format(url="lists/friends.opml"))
    assert sample_site.poll()["new"] == 2
    assert sorted(sample_site.titles("category/friends.atom")) == ["ada", "bob"]
    assert all(source.path is None for source in listed(sample_site).values())
    assert b"friends.opml" not in sample_site.published("sources.html"), "no path of ours is published"


@pytest.mark.parametrize(
    ("body", "advice"),
    [
        (b"<rss version='2.0'><channel><title>x</title></channel></rss>", "write kind: file"),
        (b"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'/>", "read from the web only"),
        (None, "there is no such file below the folder of feeds.yaml"),
    ],
)
def test_what_is_no_local_list_is_not_sent_in_a_circle(
    sample_site: SampleSite, body: bytes | None, advice: str
) -> None:
    if body is not None:
        (sample_site.folder / "friends.opml").write_bytes(body)
    sample_site.writes(YAML.format(url="friends.opml"))
    sample_site.poll()
    with sample_site.opened("status") as app:
        (row,) = app.store.status(app.in_force.roster, sample_site.clock()).sources
    assert advice in f"{row.error} {row.advice}"


def test_p51_feeds_of_a_list_are_polled_no_more_often_than_others(sample_site: SampleSite) -> None:
    (sample_site.folder / "friends.opml").write_bytes(listing(["http://a.example/"]))
    sample_site.writes(YAML.format(url="friends.opml").replace("15m", "1s"))
    with pytest.raises(ConfigError, match="under 15m"):
        load_config(sample_site.folder / "feeds.yaml", {})


def test_n5_added_and_removed(sample_site: SampleSite, publisher: FeedServer) -> None:
    urls = feeds(publisher, "ada", "bob", "eve", "kim")
    at = publisher.says("/list.opml", Reply(200, listing(urls[:3])), Reply(200, listing([urls[0], urls[1], urls[3]])))
    sample_site.writes(YAML.format(url=at))
    sample_site.poll()
    sample_site.clock.move(hours=1)
    sample_site.poll()
    assert set(listed(sample_site)) == {urls[0], urls[1], urls[3]}
    assert sorted(sample_site.titles("category/friends.atom")) == ["ada", "bob", "eve", "kim"]  # published stays
    before = sum(each.path == "/eve.xml" for each in publisher.asked)
    sample_site.clock.move(hours=1)
    sample_site.poll()
    assert sum(each.path == "/eve.xml" for each in publisher.asked) == before


@pytest.mark.parametrize(
    ("second", "because"),
    [
        pytest.param(1, "a list that lost 3 of its 4 feeds at once", id="shrunk"),
        pytest.param(0, "a list that is empty, of 4 feeds", id="empty"),
    ],
)
def test_a_list_that_lost_most_is_not_believed(
    sample_site: SampleSite, publisher: FeedServer, second: int, because: str
) -> None:
    urls = feeds(publisher, "ada", "bob", "eve", "kim")
    short = Reply(200, listing(urls[:second]), {"ETag": '"short"'})
    sample_site.writes(YAML.format(url=publisher.says("/list.opml", Reply(200, listing(urls)), short)))
    sample_site.poll()
    sample_site.clock.move(hours=1)
    sample_site.poll()
    assert set(listed(sample_site)) == set(urls)
    assert [(code, because in text) for code, text in alarms(sample_site)] == [("list_shrunk", True)]
    text = (sample_site.folder / "feeds.yaml").read_text(encoding="utf-8")
    sample_site.writes(text.removeprefix(LOOPBACK).replace("key: list,", "key: list, trust: true,"))
    sample_site.clock.move(hours=1)
    sample_site.poll()
    assert set(listed(sample_site)) == set(urls[:second])
    assert alarms(sample_site) == []


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(Reply(500), id="500"),
        pytest.param(Reply(200, b"<html><body>Sign in</body></html>"), id="page"),
        pytest.param(Reply(200, b"\x00\xff garbage"), id="garbage"),
        pytest.param(Reply(200, rss(item(1))), id="feed"),
        pytest.param(Reply(200, b"<opml><body><outline text='x'"), id="cut"),
        pytest.param(Reply(200, b"<opml><body/></opml>" + b" " * (5 * 2**20)), id="s16-too-large"),
    ],
)
def test_a_broken_list_leaves_the_last_good_copy(sample_site: SampleSite, publisher: FeedServer, broken: Reply) -> None:
    urls = feeds(publisher, "ada", "bob")
    sample_site.writes(YAML.format(url=publisher.says("/list.opml", Reply(200, listing(urls)), broken)))
    sample_site.poll()
    sample_site.clock.move(hours=1)
    sample_site.poll()
    assert set(listed(sample_site)) == set(urls)


def test_a_restart_without_a_network_keeps_the_sources(sample_site: SampleSite, publisher: FeedServer) -> None:
    urls = feeds(publisher, "ada")
    sample_site.writes(YAML.format(url=publisher.says("/list.opml", Reply(200, listing(urls)), Reply(503))))
    sample_site.poll()
    with sample_site.opened() as app:
        assert [s.url for s in app.in_force.settings.sources if s.listed_by] == urls
        assert [s.url for s in app.in_force.written.sources if s.listed_by] == []


def test_p47_what_feeds_yaml_names_stays_the_operators(sample_site: SampleSite, publisher: FeedServer) -> None:
    ada, bob = feeds(publisher, "ada", "bob")
    at = publisher.says("/list.opml", Reply(200, listing([ada, bob])))
    sample_site.writes(YAML.format(url=at) + f"  - {{url: {ada}, key: mine, category: own}}\n")
    sample_site.poll()
    assert set(listed(sample_site)) == {bob}
    assert sample_site.titles("category/own.atom") == ["ada"]
    assert sum(each.path == "/ada.xml" for each in publisher.asked) == 1


def test_p66_a_url_in_two_lists_is_one_source_in_the_categories_of_both(
    sample_site: SampleSite, publisher: FeedServer
) -> None:
    (ada,) = feeds(publisher, "ada")
    one = publisher.says("/one.opml", Reply(200, listing([ada])))
    two = publisher.says("/two.opml", Reply(200, listing([ada, ada])))
    sample_site.writes(YAML.format(url=one) + f"  - {{kind: opml, url: {two}, key: two, category: more}}\n")
    sample_site.poll()
    assert listed(sample_site)[ada].categories == ("friends", "more")
    assert sample_site.titles("category/friends.atom") == sample_site.titles("category/more.atom") == ["ada"]
    assert sum(each.path == "/ada.xml" for each in publisher.asked) == 1


def test_a_list_without_feeds_is_no_failure(sample_site: SampleSite, publisher: FeedServer) -> None:
    sample_site.writes(YAML.format(url=publisher.says("/list.opml", Reply(200, b"<opml/>"))))
    assert sample_site.poll(["list"])["fetched"] == 1
    assert listed(sample_site) == {}


def test_groups_name_categories_where_the_entry_names_none(sample_site: SampleSite, publisher: FeedServer) -> None:
    urls = feeds(publisher, "ada")
    at = publisher.says("/list.opml", Reply(200, listing(urls, group="Séries & <b>")))
    sample_site.writes(f"sources: [{{kind: opml, url: {at}, key: list}}]\n")
    sample_site.poll()
    assert listed(sample_site)[urls[0]].categories == ("Séries & <b>",)
    assert sample_site.titles("category/series-b.atom") == ["ada"]


def test_a_list_reaches_no_inner_address_unless_it_lies_inside(sample_site: SampleSite, publisher: FeedServer) -> None:
    (ada,) = feeds(publisher, "ada")
    bad = ["file:///etc/passwd", "javascript:alert(1)", "http://u:pw@127.0.0.1/", "//x", "http://10.0.0.1/feed"]
    sample_site.writes(YAML.format(url=publisher.says("/list.opml", Reply(200, listing([*bad, ada])))))
    sample_site.poll()
    found = listed(sample_site)
    assert set(found) == {ada, "http://10.0.0.1/feed"}
    assert not found["http://10.0.0.1/feed"].allow_private
    with sample_site.opened("status") as app, app.store.read() as tx:
        told = [step.facts for step in tx.trail.source_steps(SourceKey("list"), [Code.LEAVE_OUT], 50)]
    assert len(told) == 4
    assert "pw" not in str(told).replace("password", "")


@pytest.mark.slow
def live(sample_site: SampleSite, *keys: str) -> list[dict[str, Any]]:
    """Return the rows of `check --live --json`, as a command gives them."""
    config = str(sample_site.folder / "feeds.yaml")
    record = json.loads(aggregator("-c", config, "check", "--live", "--json", *keys).stdout)
    rows: list[dict[str, Any]] = record["live"]["results"]
    return rows


def test_check_live_judges_the_feeds_of_a_list(sample_site: SampleSite, publisher: FeedServer) -> None:
    (good,) = feeds(publisher, "ada")
    lost = publisher.says("/lost.xml", Reply(404, b""))
    sample_site.writes(YAML.format(url="l.opml"))
    (sample_site.folder / "l.opml").write_bytes(listing([good, lost]))
    rows = {row["url"]: row for row in live(sample_site)}  # before anything was polled, the list itself names them
    assert (rows[good]["outcome"], rows[good]["listed_by"], rows[good]["advice"]) == ("fetched", "list", [])
    assert rows[lost]["advice"][0]["code"] == "not_found"
    assert len(rows) == 3
    sample_site.poll()
    sample_site.clock.move(hours=2)
    (row,) = live(sample_site, rows[lost]["key"])
    assert row["url"] == lost


def test_the_advice_for_a_feed_of_a_list_that_moved_can_be_followed(
    sample_site: SampleSite, publisher: FeedServer
) -> None:
    (new,) = feeds(publisher, "ada")
    old = publisher.says("/old.xml", redirect(new, 301))
    sample_site.writes(YAML.format(url="l.opml"))
    (sample_site.folder / "l.opml").write_bytes(listing([old]))
    sample_site.poll()
    before = sample_site.published("category/friends.atom")
    row = next(row for row in live(sample_site, old) if row["listed_by"])
    (advice,) = (each for each in row["advice"] if each["code"] == "moved")
    assert advice["write"] == {"url": new, "was": old, "category": "friends"}
    assert "tell whoever keeps the list list, or write it out as a source of your own" in advice["text"]
    own = ", ".join(f"{name}: '{value}'" for name, value in advice["write"].items())
    sample_site.writes(YAML.format(url="l.opml") + f"  - {{{own}}}\n")
    sample_site.clock.move(hours=2)
    asked = len(publisher.asked)
    report = sample_site.poll()
    assert report["new"] == 0
    assert sample_site.published("category/friends.atom") == before
    assert [each.path for each in publisher.asked[asked:]] == ["/ada.xml"], "the list's own entry is not asked too"


def test_a_list_that_names_a_feed_by_its_new_address_keeps_its_history(
    sample_site: SampleSite, publisher: FeedServer
) -> None:
    (new,) = feeds(publisher, "ada")
    old = publisher.says("/old.xml", redirect(new, 301))
    sample_site.writes(YAML.format(url="l.opml"))
    (sample_site.folder / "l.opml").write_bytes(listing([old]))
    for _ in range(4):  # the redirect is adopted after three polls over two days (P40)
        sample_site.poll()
        sample_site.clock.move(days=1)
    before = sample_site.published("category/friends.atom")
    (sample_site.folder / "l.opml").write_bytes(listing([new]))
    sample_site.poll()
    sample_site.clock.move(hours=1)
    sample_site.poll()
    assert set(listed(sample_site)) == {new}
    assert sample_site.published("category/friends.atom") == before
    with sample_site.opened("status") as app:
        (row,) = (
            source for source in app.store.status(app.in_force.roster, sample_site.clock()).sources if source.url == new
        )
    assert row.entries == 1


def test_s44_a_list_takes_over_no_private_source(sample_site: SampleSite, publisher: FeedServer) -> None:
    (new,) = feeds(publisher, "ada")
    old = publisher.says("/old.xml?token=0123456789abcdef0123456789", redirect(new, 301))
    sample_site.writes(f"sources: [{{url: '{old}', key: secret, private: true}}]\n")
    for _ in range(4):  # the redirect is adopted after three polls over two days (P40)
        sample_site.poll()
        sample_site.clock.move(days=1)
    sample_site.writes(YAML.format(url="l.opml"))
    (sample_site.folder / "l.opml").write_bytes(listing([new]))
    sample_site.poll()
    sample_site.clock.move(hours=1)
    sample_site.poll()
    assert set(listed(sample_site)) == {new}
    with sample_site.opened() as app, app.store.read() as tx:
        assert tx.sources.limits()[SourceKey("secret")].private


@pytest.mark.slow
def test_serve_takes_up_a_list_and_an_edit_of_feeds_yaml(tmp_path: Path, publisher: FeedServer) -> None:
    urls = feeds(publisher, *(f"f{number}" for number in range(12)))
    at = publisher.says("/list.opml", Reply(200, listing(urls)))
    yaml = LOOPBACK + YAML.format(url=at)
    with Running(tmp_path, yaml) as running:
        running.wait_for(lambda: running.get("category/friends.atom")[1].count(b"<entry>") == 12)
        running.write(yaml.replace("every: 15m", "every: 20m"))  # drops nothing, though it names one source
        running.wait_for(lambda: "load_config" in running.log())
        assert "doubt_config" not in running.log()
        assert len(running.status()["sources"]) == 13
