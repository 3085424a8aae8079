"""Fields that most entries of a source had and that none has any more: nothing is revised, and an alarm says so."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from aggregator.model.correction import Act
from aggregator.model.event import Code
from aggregator.model.poll import State
from aggregator.model.status import SourceStatus
from aggregator.poll.corrections import run_pending_requests
from tests.feed_server import FeedServer, Reply
from tests.sample_site import SampleSite

API = """
categories: {x: {}}
sources:
  - kind: json
    url: %s
    key: api
    category: x
    items: data
    entry: {id: id, title: title, link: url, summary: abstract, author: by, published: at}
"""
ALL = ("id", "title", "url", "abstract", "by", "at")
REWRITE = "    rewrite: [{title: {replace: '^Story', with: 'No.'}}]\n"


def story(number: int, *, lacks: Iterable[str] = (), **more: Any) -> dict[str, Any]:
    """Make an item of the API; what it lacks stands under another name."""
    told = {
        "id": f"n{number}",
        "title": f"Story {number}",
        "url": f"https://news.example/{number}",
        "abstract": f"What story {number} tells, in a few words that are its own.",
        "by": "A. Writer",
        "at": f"2026-02-{number:02d}T08:00:00Z",
    } | more
    return {f"new_{name}" if name in lacks else name: value for name, value in told.items()}


def answer(numbers: Iterable[int], *, lacks: Iterable[str] = ()) -> Reply:
    return Reply(200, json.dumps({"data": [story(number, lacks=lacks) for number in numbers]}).encode())


def status_of(sample_site: SampleSite) -> tuple[SourceStatus, dict[str, str]]:
    """Return how the source stands, and its alarms with their texts."""
    with sample_site.opened("status") as app:
        status = app.store.status(app.in_force.roster, sample_site.clock())
    (row,) = status.sources
    return row, {alarm.code.value: alarm.text for alarm in status.alarms if alarm.source}


def accept(sample_site: SampleSite) -> None:
    with sample_site.opened() as app:
        with app.store.begin() as tx:
            tx.corrections.file(Act.ACCEPT, {"source": "api"}, sample_site.clock())
        run_pending_requests(app.store, app.in_force.roster, app.clock)
        app.publisher.publish()


def again(sample_site: SampleSite, **later: float) -> dict[str, Any]:
    sample_site.clock.move(**(later or {"hours": 1}))
    return sample_site.poll()


@pytest.mark.parametrize("more", ["", REWRITE])
def test_an_api_that_renames_fields_revises_nothing(sample_site: SampleSite, publisher: FeedServer, more: str) -> None:
    url = publisher.says(
        "/api",
        answer(range(1, 9)),
        answer(range(1, 9), lacks=["url", "abstract"]),
        answer(range(1, 11), lacks=["url", "abstract"]),
        answer(range(1, 11)),
    )
    sample_site.writes(API % url + more)
    sample_site.poll()
    before = sample_site.published("category/x.atom")
    assert again(sample_site)["revised"] == 0
    assert sample_site.published("category/x.atom") == before
    row, alarms = status_of(sample_site)
    assert row.state is State.SUSPECT
    assert "correct entry.link, entry.summary in feeds.yaml; if that is intended, aggregator accept api" in (
        row.advice or ""
    )
    assert alarms["fields_lost"].startswith("no entry has link or summary any more, and most had")
    again(sample_site)
    assert sample_site.published("category/x.atom") == before, "new entries without a link wait"
    again(sample_site)  # the API is back
    row, alarms = status_of(sample_site)
    assert (row.state, alarms) == (State.OK, {})
    items = sample_site.items("category/x.json")
    assert sorted(item["url"] for item in items) == sorted(f"https://news.example/{n}" for n in range(1, 11))
    assert all("tells" in item["content_html"] for item in items)
    assert {item["id"] for item in items if item["url"].endswith(("/9", "/10"))}.isdisjoint(before.decode().split())


def test_without_an_author_new_entries_are_published_and_old_ones_keep_theirs(
    sample_site: SampleSite, publisher: FeedServer
) -> None:
    url = publisher.says("/api", answer(range(1, 7)), *[answer(range(1, n), lacks=["by"]) for n in range(8, 15)])
    sample_site.writes(API % url)
    sample_site.poll()
    for _ in range(7):  # the alarm stays, although most entries came without by now
        again(sample_site)
    row, alarms = status_of(sample_site)
    assert (row.state, set(alarms)) == (State.OK, {"fields_lost"})
    authors = {item["title"]: str(item.get("authors")) for item in sample_site.items("category/x.json")}
    assert len(authors) == 13
    assert {title for title, names in authors.items() if "A. Writer" in names} == {f"Story {n}" for n in range(1, 7)}


def test_what_an_operator_accepts_may_be_missing(sample_site: SampleSite, publisher: FeedServer) -> None:
    lacking = [answer(range(1, n), lacks=["url"]) for n in (9, 10, 11)]
    url = publisher.says("/api", answer(range(1, 9)), *lacking)
    sample_site.writes(API % url)
    sample_site.poll()
    again(sample_site)
    again(sample_site)
    assert len(sample_site.items("category/x.json")) == 8
    accept(sample_site)
    assert len(sample_site.items("category/x.json")) == 9, "what was held is published"
    assert status_of(sample_site)[1] == {}
    again(sample_site)
    assert status_of(sample_site)[1] == {}
    urls = [item["url"] for item in sample_site.items("category/x.json")]
    assert (len(urls), sum("news.example" in each for each in urls)) == (10, 8), "what was published keeps what it had"


def test_what_is_held_is_published_after_two_days(sample_site: SampleSite, publisher: FeedServer) -> None:
    last = answer(range(1, 10), lacks=["url"])
    url = publisher.says("/api", answer(range(1, 9)), last, last)
    sample_site.writes(API % url)
    sample_site.poll()
    again(sample_site)
    assert len(sample_site.items("category/x.json")) == 8
    again(sample_site, hours=49)  # the same body: no news, and yet the wait is over
    assert len(sample_site.items("category/x.json")) == 9
    row, alarms = status_of(sample_site)
    assert (row.state, set(alarms)) == (State.OK, {"fields_lost"})
    assert sum("news.example" in item["url"] for item in sample_site.items("category/x.json")) == 8


def test_an_edit_of_the_mapping_ends_it(sample_site: SampleSite, publisher: FeedServer) -> None:
    last = answer(range(1, 10), lacks=["url"])
    url = publisher.says("/api", answer(range(1, 9)), last, last)
    sample_site.writes(API % url)
    sample_site.poll()
    again(sample_site)
    sample_site.writes((API % url).replace("link: url", "link: new_url"))
    again(sample_site)
    assert {item["url"] for item in sample_site.items("category/x.json")} == {
        f"https://news.example/{n}" for n in range(1, 10)
    }
    assert status_of(sample_site)[1] == {}


def test_a_field_that_few_had_or_that_is_asked_for_no_more_is_not_lost(
    sample_site: SampleSite, publisher: FeedServer
) -> None:
    few = [story(n, lacks=() if n < 5 else ["by"]) for n in range(1, 9)]
    url = publisher.says(
        "/api",
        Reply(200, json.dumps({"data": few}).encode()),
        answer(range(1, 9), lacks=["by"]),
        answer(range(2, 9), lacks=["by"]),
    )
    sample_site.writes(API % url)
    sample_site.poll()
    again(sample_site)
    assert status_of(sample_site)[1] == {}
    sample_site.writes((API % url).replace("summary: abstract, ", ""))
    again(sample_site)
    assert status_of(sample_site)[1] == {}


def feed(numbers: Iterable[int], inner: str) -> bytes:
    items = "".join(f"<item><guid isPermaLink='false'>g{n}</guid>{inner.format(n=n)}</item>" for n in numbers)
    head = "<title>F</title><link>https://news.example/</link>"
    return f"<rss version='2.0' xmlns:content='urn:c'><channel>{head}{items}</channel></rss>".replace(
        "urn:c", "http://purl.org/rss/1.0/modules/content/"
    ).encode()


WHOLE = "<title>T {n}</title><link>https://news.example/{n}</link><description>Words of {n}.</description>"


@pytest.mark.parametrize(
    ("after", "lost"),
    [
        ("<title>T {n}</title><description>Words of {n}.</description>", "link"),
        ("<link>https://news.example/{n}</link><description>Words of {n}.</description>", "title"),
        ("<title>T {n}</title><link>https://news.example/{n}</link>", "text"),
    ],
)
def test_a_feed_that_loses_links_titles_or_texts(
    sample_site: SampleSite, publisher: FeedServer, after: str, lost: str
) -> None:
    url = publisher.says("/feed", Reply(200, feed(range(6), WHOLE)), Reply(200, feed(range(6), after)))
    sample_site.writes(f"sources: [{{url: '{url}', key: api}}]")
    sample_site.poll()
    before = sample_site.published("category/general.atom")
    again(sample_site)
    assert sample_site.published("category/general.atom") == before
    row, alarms = status_of(sample_site)
    assert f"no entry has {lost} any more" in alarms["fields_lost"]
    assert f"have no {lost}; if that is intended, aggregator accept api" in (row.advice or "")


def test_a_feed_may_move_its_text_and_leave_its_authors_away(sample_site: SampleSite, publisher: FeedServer) -> None:
    before = WHOLE + "<author>a@news.example (A)</author>"
    after = WHOLE.replace("description", "content:encoded")
    url = publisher.says("/feed", Reply(200, feed(range(6), before)), Reply(200, feed(range(6), after)))
    sample_site.writes(f"sources: [{{url: '{url}', key: api}}]")
    sample_site.poll()
    again(sample_site)
    assert status_of(sample_site)[1] == {}


def test_a_selector_that_matches_nothing_any_more(sample_site: SampleSite, publisher: FeedServer) -> None:
    def page(name: str) -> Reply:
        rows = "".join(f"<li><a href='/a/{n}'>Story {n}</a><p class={name}>Words {n}.</p></li>" for n in range(6))
        return Reply(200, f"<html><body><ul>{rows}</ul></body></html>".encode(), {"Content-Type": "text/html"})

    url = publisher.says("/page", page("lead"), page("teaser"))
    sample_site.writes(
        f"sources: [{{kind: html, url: '{url}', key: api, items: li, robots: ours, "
        "entry: {title: a, link: a@href, summary: p.lead}}]"
    )
    sample_site.poll()
    before = sample_site.published("category/general.atom")
    again(sample_site)
    assert sample_site.published("category/general.atom") == before
    assert status_of(sample_site)[1]["fields_lost"].startswith("no entry has summary any more")


def test_what_details_brought_is_no_loss_of_the_list(sample_site: SampleSite, publisher: FeedServer) -> None:
    for number in range(1, 10):
        publisher.says(f"/detail/n{number}", Reply(200, json.dumps({"text": f"<p>All of {number}.</p>"}).encode()))
    url = publisher.says("/api", answer(range(1, 8)), answer(range(1, 9)), answer(range(1, 10), lacks=["abstract"]))
    detail = f"    detail: {{url: '{publisher.url('/detail/')}{{id}}', content: text}}\n"
    sample_site.writes((API % url).replace("summary: abstract, ", "summary: abstract, content: body, ") + detail)
    sample_site.poll()
    again(sample_site)
    assert status_of(sample_site)[1] == {}, "no list ever had a content"
    again(sample_site)
    assert status_of(sample_site)[1]["fields_lost"].startswith("no entry has summary any more")
    assert sum("tells" in item.get("summary", "") for item in sample_site.items("category/x.json")) == 8


def test_the_trail_names_the_fields_once(sample_site: SampleSite, publisher: FeedServer) -> None:
    url = publisher.says("/api", answer(range(1, 9)), *[answer(range(1, n), lacks=["by"]) for n in (10, 11)])
    sample_site.writes(API % url)
    sample_site.poll()
    again(sample_site)
    again(sample_site)
    with sample_site.opened("status") as app, app.store.read() as tx:
        steps = tx.trail.source_steps(app.in_force.settings.sources[0].key, (Code.LOSE_FIELDS,), 10)
    assert [step.facts for step in steps] == [{"fields": ["author"]}]
