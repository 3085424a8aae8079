"""Rules in the whole program: polls, `publish --rules`, `why` and `status`."""

import json
from datetime import timedelta
from typing import Any

import pytest

from aggregator.cli.main import main
from aggregator.model.correction import Act
from aggregator.poll.corrections import run_pending_requests
from tests.feed_server import FeedServer, Reply
from tests.sample_site import START, SampleSite, item, rss


def feeds(url: str, rules: str, categories: str = "{x: {}, y: {}}") -> str:
    return f"categories: {categories}\nsources:\n  - {{key: one, url: '{url}', category: x, {rules}}}\n"


def poll(site: SampleSite, yaml: str) -> dict[str, Any]:
    site.writes(yaml)
    site.clock.move(hours=1)
    return site.poll()


def reapply(site: SampleSite, yaml: str, **by: float) -> dict[str, Any]:
    """Apply edited rules and publish, as `publish --rules` does, an hour later or `by` so long; return the facts."""
    site.writes(yaml)
    site.clock.move(**by or {"hours": 1})
    with site.opened("publish") as app:
        with app.store.begin() as tx:
            number = tx.corrections.file(Act.RULES, {}, site.clock())
        run_pending_requests(app.store, app.in_force.roster, app.clock)
        with app.store.read() as tx:
            outcome = tx.corrections.outcome(number)
        app.publisher.publish()
    assert outcome is not None
    assert outcome.done, outcome.said
    return dict(outcome.facts)


def spoken(site: SampleSite, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert main(["-c", str(site.folder / "feeds.yaml"), *arguments], {}) == 0
    return capsys.readouterr().out


ITEMS = [item(1, title="Django news"), item(2, title="Sponsored: shoes"), item(3, title="[News] Flask")]


def test_rules_hold_at_a_poll_and_why_tells_each_drop(
    site: SampleSite, publisher: FeedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = (
        "exclude: [{title: Sponsored}], rewrite: [{title: {replace: '^.News. '}}], "
        "route: [{when: {title: '^(Django|Flask)'}, to: y}]"
    )
    url = publisher.says("/feed", Reply(200, rss(*ITEMS)))
    report = poll(site, feeds(url, rules, "{x: {}, y: {exclude: [{title: Django}]}}"))
    assert (report["new"], report["rejected"]) == (3, 1)
    assert sorted(site.titles("category/x.atom")) == ["Django news", "Flask"]
    assert site.titles("category/y.atom") == ["Flask"]
    assert "was rejected: exclude title: Sponsored" in spoken(site, capsys, "why", "https://news.example/2")
    assert "was kept out of y: exclude title: Django" in spoken(site, capsys, "why", "https://news.example/1")
    told = spoken(site, capsys, "why", "https://news.example/3")
    assert "goes to y too, by the route title: ^(Django|Flask) → y" in told
    assert "[News] Flask" in told, "what its source said"
    status = json.loads(spoken(site, capsys, "status", "one", "--json"))["rules"]
    assert {(each["category"], each["rule"]): each["hits"] for each in status} == {
        (None, "exclude title: Sponsored"): 1,
        (None, "rewrite title: ^.News. "): 1,
        (None, "route title: ^(Django|Flask) → y"): 2,
        ("y", "exclude title: Django"): 1,
    }


def test_a_second_poll_with_rewrites_changes_nothing(site: SampleSite, publisher: FeedServer) -> None:
    rules = "rewrite: [{title: {replace: '^.News. '}}, {content: {replace: item, with: thing}}]"
    url = publisher.says("/feed", Reply(200, rss(*ITEMS)), Reply(200, rss(*ITEMS, title="Another")))
    poll(site, feeds(url, rules))
    before = site.files()
    report = poll(site, feeds(url, rules))
    assert (report["fetched"], report["new"], report["revised"]) == (1, 0, 0)
    changed = {path for path, kept in before.items() if site.files()[path] != kept and "x." in path}
    assert changed == {"category/x.opml", "category/x.opml.gz"}, "the list of its sources, by their titles"


def test_a_rejected_entry_that_an_edited_rule_lets_pass_waits_for_publish_rules(
    site: SampleSite, publisher: FeedServer
) -> None:
    url = publisher.says("/feed", Reply(200, rss(*ITEMS)))
    poll(site, feeds(url, "exclude: [{title: Sponsored}]"))
    assert poll(site, feeds(url, "priority: 0"))["new"] == 0
    assert "Sponsored: shoes" not in site.titles("category/x.atom")
    assert reapply(site, feeds(url, "priority: 0"))["published"] == 1
    assert site.titles("category/x.atom")[0] == "Sponsored: shoes", "it enters when the operator says so (M1)"
    assert reapply(site, feeds(url, "priority: 0")) == {"published": 0, "withdrawn": 0, "moved": 0, "rewritten": 0}


def test_what_an_edited_rule_refuses_is_withdrawn_and_comes_back_where_it_stood(
    site: SampleSite, publisher: FeedServer
) -> None:
    url = publisher.says("/feed", Reply(200, rss(*ITEMS)))
    poll(site, feeds(url, "priority: 0"))
    order = site.titles("category/x.atom")
    assert reapply(site, feeds(url, "exclude: [{title: Sponsored}]"))["withdrawn"] == 1
    assert "Sponsored: shoes" not in site.titles("category/x.atom")
    assert b"deleted-entry" in site.published("category/x.atom"), "readers are told (M8)"
    ids = {each["id"] for each in site.items("category/x.json")}
    assert reapply(site, feeds(url, "priority: 0"))["published"] == 1
    assert sorted(site.titles("category/x.atom")) == sorted(order)
    assert ids < {each["id"] for each in site.items("category/x.json")}


def test_r47_an_edited_rewrite_moves_no_updated(site: SampleSite, publisher: FeedServer) -> None:
    url = publisher.says("/feed", Reply(200, rss(*ITEMS)))
    poll(site, feeds(url, "priority: 0"))
    before = {each["id"]: each["date_modified"] for each in site.items("category/x.json")}
    counts = reapply(site, feeds(url, "rewrite: [{title: {replace: '^.News. '}}]"), days=1)
    assert counts["rewritten"] == 1
    after = {each["id"]: each["date_modified"] for each in site.items("category/x.json")}
    assert after == before
    assert "Flask" in site.titles("category/x.atom")
    assert reapply(site, feeds(url, "priority: 0"))["rewritten"] == 1
    assert "[News] Flask" in site.titles("category/x.atom")


def test_n1_a_route_brings_stored_entries_along_and_takes_nothing_back(site: SampleSite, publisher: FeedServer) -> None:
    url = publisher.says("/feed", Reply(200, rss(*ITEMS)))
    poll(site, feeds(url, "priority: 0"))
    assert reapply(site, feeds(url, "route: [{when: {title: Django}, to: y}]"))["moved"] == 1
    assert site.titles("category/y.atom") == ["Django news"]
    assert reapply(site, feeds(url, "priority: 0"))["moved"] == 0
    assert site.titles("category/y.atom") == ["Django news"]


def test_n2_entries_that_were_never_kept_out_don_t_flood_a_category(site: SampleSite, publisher: FeedServer) -> None:
    items = [item(n, pubDate=f"{START - timedelta(days=n):%a, %d %b %Y %H:%M:%S +0000}") for n in range(20)]
    url = publisher.says("/feed", Reply(200, rss(*items)))
    poll(site, feeds(url, "initial: 20"))
    moved = feeds(url, "initial: 5").replace("category: x", "category: [x, y]")
    site.writes(moved)
    with site.opened():
        pass
    assert reapply(site, moved)["moved"] == 0
    assert len(site.titles("category/y.atom")) == 5


def test_a_category_s_rule_that_is_lifted_lets_in_what_it_kept_out(site: SampleSite, publisher: FeedServer) -> None:
    url = publisher.says("/feed", Reply(200, rss(*ITEMS)))
    both = feeds(url, "priority: 0", "{x: {}, y: {exclude: [{title: Django}]}}").replace(
        "category: x", "category: [x, y]"
    )
    poll(site, both)
    assert "Django news" not in site.titles("category/y.atom")
    assert reapply(site, both.replace("exclude: [{title: Django}]", ""))["moved"] == 1
    assert site.titles("category/y.atom")[0] == "Django news"


def test_strip_takes_elements_out_and_its_edit_is_no_news(site: SampleSite, publisher: FeedServer) -> None:
    texts = [
        item(n, description=f"<p>Text {n}.</p><div class='share-buttons'><a href='/x'>Tweet</a></div>") for n in (1, 2)
    ]
    url = publisher.says("/feed", Reply(200, rss(*texts), {"ETag": '"v"'}))
    poll(site, feeds(url, "priority: 0"))
    before = {each["id"]: each["date_modified"] for each in site.items("category/x.json")}
    site.clock.move(days=1)
    report = poll(site, feeds(url, "rewrite: [{strip: {css: .share-buttons}}]"))
    assert report["revised"] == 2
    assert "If-None-Match" not in publisher.asked[-1].headers, "a 304 would leave the buttons in place (P9)"
    items = site.items("category/x.json")
    assert sorted(each["content_html"] for each in items) == ["<p>Text 1.</p>", "<p>Text 2.</p>"]
    assert {each["id"]: each["date_modified"] for each in items} == before, "an edit of ours is no revision (R47)"


def test_publish_rules_on_the_command_line(
    site: SampleSite, publisher: FeedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    url = publisher.says("/feed", Reply(200, rss(*ITEMS)))
    poll(site, feeds(url, "priority: 0"))
    site.writes(feeds(url, "exclude: [{title: Sponsored}]"))
    assert "rules re-applied: 1 entry withdrawn" in spoken(site, capsys, "publish", "--rules")
    record = json.loads(spoken(site, capsys, "publish", "--rules", "--json"))
    assert (record["done"], record["withdrawn"], record["published"]) == (True, 0, [])
