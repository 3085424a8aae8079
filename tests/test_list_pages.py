"""The pages of a `kind: json`: counted, or named by the one before, as far as news go (I28, R45)."""

import json
import threading
from datetime import timedelta
from typing import Any

import pytest

from aggregator.cli.poll import OneShot
from aggregator.cli.status import in_words
from aggregator.model.ask import Ask
from aggregator.model.entry import Digest, Entry, EntryKey, Feed
from aggregator.model.job import unstored_job
from aggregator.model.paging import page_after
from aggregator.model.poll import Answer, Fetched
from aggregator.model.settings import Paging, Request, Secret, Source, SourceKey
from aggregator.model.status import Status
from aggregator.poll.pagination import with_further
from aggregator.render.status_json import fetching_record
from aggregator.urls import BadUrl, Url
from tests.feed_server import FeedServer, Held, Reply
from tests.patience import PATIENCE
from tests.sample_site import START, SampleSite

LIST = "sources: [{{kind: json, key: desk, url: '{url}', items: items, entry: {{id: id, title: title}}, {more}}}]\n"
HERE = Url("https://api.example/list?page=1")
PAGED = "https://api.example/list?page={page}"
ENDLESS = 40  # pages that a hostile list is ready to answer


def page(*numbers: int, status: int = 200, headers: dict[str, str] | None = None, **more: Any) -> Reply:
    """Return the response that lists these, the newest first."""
    items = [{"id": f"n{number}", "title": f"News {number}"} for number in sorted(numbers, reverse=True)]
    return Reply(status, json.dumps({"items": items, **more}).encode(), headers or {})


def numbered(publisher: FeedServer, *pages: Reply, path: str = "/list?page=") -> str:
    """Script the pages of a list, from 1; gives the address of all."""
    for number, reply in enumerate(pages, 1):
        publisher.says(f"{path}{number}", reply)
    return publisher.url(path) + "{page}"


def asked(publisher: FeedServer, since: int = 0) -> list[str]:
    return [request.path.removeprefix("/list") for request in publisher.asked[since:]]


def notices(sample_site: SampleSite) -> tuple[str, ...]:
    """Return the notices of `status desk` about the last document."""
    with sample_site.opened() as app, app.store.read() as tx:
        return tx.history.of(app.in_force.settings.sources[0].key, sample_site.clock(), days=1).notices


def standing(sample_site: SampleSite) -> Status:
    with sample_site.opened() as app:
        return app.store.status(app.in_force.roster, sample_site.clock())


def test_i28_a_first_poll_reads_the_pages_to_their_end(publisher: FeedServer, sample_site: SampleSite) -> None:
    url = numbered(publisher, page(5, 6), page(3, 4), page(1, 2), page())
    sample_site.writes(LIST.format(url=url, more="pages: 9"))
    assert sample_site.poll()["new"] == 6
    assert asked(publisher) == ["?page=1", "?page=2", "?page=3", "?page=4"]
    assert sample_site.titles() == [f"News {number}" for number in (6, 5, 4, 3, 2, 1)]
    sample_site.clock.move(hours=1)
    sample_site.poll()
    assert asked(publisher, 4) == ["?page=1"], "what is known ends the way"
    assert notices(sample_site) == ()


def test_r45_after_an_outage_a_poll_reads_on_to_what_is_known(publisher: FeedServer, sample_site: SampleSite) -> None:
    sample_site.writes(LIST.format(url=numbered(publisher, page(*range(1, 21))), more="pages: 9"))
    sample_site.poll()
    numbered(
        publisher, page(*range(51, 71)), page(*range(31, 51)), page(*range(11, 31)), Reply(500, b"must not be asked")
    )
    sample_site.clock.move(hours=30)
    begun = len(publisher.asked)
    assert sample_site.poll()["new"] == 50
    assert asked(publisher, begun) == ["?page=1", "?page=2", "?page=3"]
    assert notices(sample_site) == ()
    assert not standing(sample_site).alarms, "nothing was missed (R45)"


def test_pages_bound_each_walk_and_what_may_be_missing_is_said(publisher: FeedServer, sample_site: SampleSite) -> None:
    url = numbered(publisher, page(7, 8), page(5, 6), page(3, 4), page(1, 2))
    sample_site.writes(LIST.format(url=url, more="pages: 2"))
    assert sample_site.poll()["new"] == 6
    assert notices(sample_site) == (), "a first poll is meant to end somewhere"
    numbered(publisher, page(27, 28), page(25, 26), page(23, 24), page(21, 22))
    sample_site.clock.move(hours=1)
    assert sample_site.poll()["new"] == 6
    assert asked(publisher) == ["?page=1", "?page=2", "?page=3"] * 2
    assert notices(sample_site) == ("nothing known in 3 pages: entries may be missing; raise pages:",)


def test_what_a_list_pins_to_its_top_ends_no_way(publisher: FeedServer, sample_site: SampleSite) -> None:
    pinned = {"id": "n1", "title": "News 1"}

    def topped(*numbers: int) -> Reply:
        reply = page(*numbers)
        return Reply(200, json.dumps({"items": [pinned, *json.loads(reply.body)["items"]]}).encode())

    sample_site.writes(LIST.format(url=numbered(publisher, topped(2, 3)), more="pages: 5"))
    sample_site.poll()
    numbered(publisher, topped(8, 9), page(6, 7), page(4, 5), page(2, 3))
    sample_site.clock.move(hours=1)
    begun = len(publisher.asked)
    assert sample_site.poll()["new"] == 6
    assert asked(publisher, begun) == ["?page=1", "?page=2", "?page=3", "?page=4"]
    numbered(publisher, topped(9, 10))
    sample_site.clock.move(hours=1)
    assert sample_site.poll()["new"] == 1
    assert asked(publisher, begun + 4) == ["?page=1"]


def test_initial_counts_over_all_pages_and_limit_over_a_poll(publisher: FeedServer, sample_site: SampleSite) -> None:
    url = numbered(publisher, page(8, 9), page(6, 7), page(4, 5), page(2, 3))
    sample_site.writes(LIST.format(url=url, more="pages: 9, initial: 3, limit: 5"))
    report = sample_site.poll()
    assert (report["new"], sample_site.titles()) == (3, ["News 9", "News 8", "News 7"])
    assert asked(publisher) == ["?page=1", "?page=2", "?page=3"]
    assert standing(sample_site).sources[0].entries == 5


def test_a_post_has_the_page_in_its_body(publisher: FeedServer, sample_site: SampleSite) -> None:
    url = publisher.says("/list", page(5, 6), page(3, 4, more=1), page())
    more = "pages: 9, method: POST, body: {from: '{page}', q: 'page {page}', size: 2}, page: {from: 0, by: 2}"
    sample_site.writes(LIST.format(url=url, more=more))
    assert sample_site.poll()["new"] == 4
    assert [json.loads(request.body) for request in publisher.asked] == [
        {"from": start, "q": f"page {start}", "size": 2} for start in (0, 2, 4)
    ]
    assert {request.headers["Content-Type"] for request in publisher.asked} == {"application/json"}


def test_a_cursor_goes_where_next_stands(publisher: FeedServer, sample_site: SampleSite) -> None:
    url = publisher.says("/list", page(5, 6, paging={"next": 40}), page(3, 4, paging={"next": "x+/="}), page(1, 2))
    more = "pages: 9, next: paging.next, method: POST, body: {after: '{next}', n: 2}"
    sample_site.writes(LIST.format(url=url, more=more))
    assert sample_site.poll()["new"] == 6
    assert [json.loads(request.body) for request in publisher.asked] == [
        {"n": 2},
        {"after": 40, "n": 2},
        {"after": "x+/=", "n": 2},
    ]


def test_a_cursor_in_an_address_is_encoded_and_at_first_left_out(
    publisher: FeedServer, sample_site: SampleSite
) -> None:
    publisher.says("/list?n=2", page(3, 4, next="a&n=9"))
    publisher.says("/list?after=a%26n%3D9&n=2", page(1, 2, next=""))
    sample_site.writes(LIST.format(url=publisher.url("/list?after={next}&n=2"), more="pages: 9, next: next"))
    assert sample_site.poll()["new"] == 4
    assert asked(publisher) == ["?n=2", "?after=a%26n%3D9&n=2"]


def test_s70_an_address_that_a_list_names_is_asked_on_its_own_host_alone(
    publisher: FeedServer, sample_site: SampleSite
) -> None:
    publisher.says("/2", page(3, 4, links={"next": publisher.url("/list/3", host="127.0.0.2")}))
    url = publisher.says("/list", page(5, 6, links={"next": "/2"}))
    sample_site.writes(LIST.format(url=url, more="pages: 9, next: links.next, headers: {X-Key: secret}"))
    assert sample_site.poll()["new"] == 4
    assert [(request.host, request.path) for request in publisher.asked] == [
        ("127.0.0.1", "/list"),
        ("127.0.0.1", "/2"),
    ]
    assert {request.headers["X-Key"] for request in publisher.asked} == {"secret"}
    assert notices(sample_site) == ("its next page lies on another host, which is not asked; name that as a source",)


def test_s7_a_port_that_no_web_server_has_is_not_asked_for_a_next_page(
    publisher: FeedServer, sample_site: SampleSite
) -> None:
    url = publisher.says("/list", page(5, 6, next="http://127.0.0.1:6379/2"))
    sample_site.writes(LIST.format(url=url, more="pages: 9, next: next"))
    assert sample_site.poll()["new"] == 2
    [notice] = notices(sample_site)
    assert "port 6379 is no web server's" in notice


@pytest.mark.parametrize(
    ("pages", "requests", "new"),
    [
        pytest.param([page(1, 2, next="/list")], 1, 2, id="its-own-address"),
        pytest.param([page(1, 2, next="/list?1"), page(1, 2, next="/list?2")], 2, 2, id="the-same-page-elsewhere"),
        pytest.param([page(1, 2, next="/list?1"), page(next="/list?2")], 2, 2, id="an-empty-page-that-leads-on"),
        pytest.param([page(1, 2, next="gopher://x/")], 1, 2, id="no-address"),
        pytest.param([page(1, 2, next=["/list?1"])], 1, 2, id="no-text"),
        pytest.param([page(1, 2, next="/" + "x" * 5000)], 1, 2, id="too-long"),
        pytest.param([page(1, 2, next="\ud800")], 1, 2, id="no-character"),
        pytest.param(
            [page(2 * n, 2 * n + 1, next=f"/list?{n + 1}") for n in range(ENDLESS)], 21, 42, id="news-without-end"
        ),
    ],
)
def test_a_list_whose_next_page_never_ends_comes_to_an_end(
    publisher: FeedServer, sample_site: SampleSite, pages: list[Reply], requests: int, new: int
) -> None:
    for number, reply in enumerate(pages):
        publisher.says(f"/list?{number}" if number else "/list", reply)
    sample_site.writes(LIST.format(url=publisher.url("/list"), more="pages: 20, next: next"))
    report = sample_site.poll()
    assert (report["new"], report["failed"]) == (new, 0)
    assert len(publisher.asked) == requests


def test_a_page_beyond_the_last_may_be_not_found(publisher: FeedServer, sample_site: SampleSite) -> None:
    sample_site.writes(LIST.format(url=numbered(publisher, page(3, 4), page(1, 2), Reply(404)), more="pages: 9"))
    assert sample_site.poll()["new"] == 4
    assert asked(publisher)[-1] == "?page=3"
    assert notices(sample_site) == ()


def test_r45_where_a_page_fails_what_was_read_is_kept_and_the_way_is_gone_again(
    publisher: FeedServer, sample_site: SampleSite
) -> None:
    sample_site.writes(LIST.format(url=numbered(publisher, page(1, 2)), more="pages: 9"))
    sample_site.poll()
    tagged = page(7, 8, headers={"ETag": '"v2"'})
    numbered(publisher, tagged, page(5, 6), Reply(500), page(1, 2))
    sample_site.clock.move(hours=1)
    report = sample_site.poll()
    assert (report["new"], report["failed"]) == (4, 0)
    [notice] = notices(sample_site)
    assert notice.startswith("a further document could not be read: ")
    assert "500" in notice
    numbered(publisher, tagged, page(5, 6), page(3, 4), page(1, 2))
    sample_site.clock.move(hours=1)
    begun = len(publisher.asked)
    assert sample_site.poll()["new"] == 2, "the tag of a page that was read is no reason not to look beyond"
    assert "If-None-Match" not in publisher.asked[begun].headers
    assert asked(publisher, begun) == ["?page=1", "?page=2", "?page=3", "?page=4"], "to what was known before"
    sample_site.clock.move(hours=1)
    sample_site.poll()
    assert asked(publisher, begun + 4) == ["?page=1"]
    assert publisher.asked[-1].headers["If-None-Match"] == '"v2"'


def test_r45_a_page_that_never_answers_is_given_up_after_three_walks(
    publisher: FeedServer, sample_site: SampleSite
) -> None:
    sample_site.writes(LIST.format(url=numbered(publisher, page(1, 2)), more="pages: 9"))
    sample_site.poll()
    numbered(publisher, page(5, 6), Reply(500))
    begun = len(publisher.asked)
    for _ in range(5):
        sample_site.clock.move(hours=2)
        sample_site.poll()
    assert asked(publisher, begun).count("?page=2") == 3
    assert asked(publisher, begun).count("?page=1") == 5


def test_p56_a_page_that_wants_peace_gets_it(publisher: FeedServer, sample_site: SampleSite) -> None:
    url = numbered(publisher, page(3, 4), Reply(429, b"", {"Retry-After": "7200"}))
    sample_site.writes(LIST.format(url=url, more="pages: 9"))
    [row] = sample_site.poll()["results"]
    assert (row["new"], row["outcome"]) == (2, "fetched")
    assert row["next_due"] >= f"{START + timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}"
    with sample_site.opened() as app, app.store.read() as tx:
        assert tx.hosts.restraints()["127.0.0.1"].opens_at is not None, "its host rests, for other sources too (P30)"


def test_p37_no_page_is_asked_for_once_the_limit_for_us_is_used_up(
    publisher: FeedServer, sample_site: SampleSite
) -> None:
    spent = {"X-RateLimit-Limit": "10", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "3600"}
    url = numbered(publisher, page(5, 6), page(3, 4, headers=spent), page(1, 2))
    sample_site.writes(LIST.format(url=url, more="pages: 9"))
    assert sample_site.poll()["new"] == 4
    assert asked(publisher) == ["?page=1", "?page=2"]
    assert notices(sample_site) == ("its further documents were not all read: its host's limit for us is used up",)


def test_a_walk_of_five_minutes_leaves_the_rest() -> None:
    source = Source(key=SourceKey("desk"), url=HERE, paging=Paging(url=Secret(PAGED)), pages=9)
    job = unstored_job(source, "api.example", START)
    feeds = [Feed(entries=(Entry(key=EntryKey(f"n{number}")),)) for number in range(9)]
    clock = iter((0.0, 0.0, 200.0, 301.0))
    walked: list[Url] = []

    def fetch(ask: Ask) -> tuple[Answer, Feed]:
        walked.append(ask.url)
        return Fetched(asked_at=START, url=ask.url, body=b"", body_digest=Digest("")), feeds[len(walked)]

    document, asides, _ = with_further(job, feeds[0], fetch, steady=lambda: next(clock))
    assert walked == ["https://api.example/list?page=2", "https://api.example/list?page=3"]
    assert [entry.key for entry in document.entries] == ["n0", "n1", "n2"]
    assert document.notices == ("its further documents were not all read: there are too many for 300 s",)
    assert len(asides) == 2


def test_r54_a_stop_in_the_middle_leaves_the_whole_poll_for_the_next_start(
    publisher: FeedServer, sample_site: SampleSite
) -> None:
    held = page(1, 2)
    url = numbered(publisher, page(5, 6), page(3, 4), Held(200, held.body))
    sample_site.writes(LIST.format(url=url, more="pages: 9"))
    with sample_site.opened() as app:
        shot = OneShot(app)
        polling = threading.Thread(target=lambda: shot.poll([], everything=True, limit=timedelta(0)))
        polling.start()
        publisher.wait_until_asked(1, "/list?page=3")
        app.poller.cut()
        polling.join(PATIENCE)
        assert not polling.is_alive()
        [source] = app.store.status(app.in_force.roster, sample_site.clock()).sources
        assert (source.entries, source.last_attempt) == (0, None)
    publisher.release()
    numbered(publisher, page(5, 6), page(3, 4), page(1, 2), page())
    assert sample_site.poll(everything=False)["new"] == 6
    assert sample_site.titles() == [f"News {number}" for number in (6, 5, 4, 3, 2, 1)]


def test_p93_further_pages_and_robots_txt_are_counted_beside_the_polls(
    publisher: FeedServer, sample_site: SampleSite
) -> None:
    publisher.says("/robots.txt", Reply(404))
    closed = publisher.says("/robots.txt", Reply(200, b"User-agent: *\nDisallow: /closed"), host="127.0.0.2")
    publisher.says("/news", Reply(200, b"<li><a href=/1>One</a></li>", {"Content-Type": "text/html"}))
    url = numbered(publisher, page(3, 4), page(1, 2), Reply(404))
    shut = closed.replace("robots.txt", "closed")
    sample_site.writes(
        LIST.format(url=url, more="pages: 9")[:-2]
        + f", {{key: site, kind: html, url: '{publisher.url('/news')}', items: li}}"
        f", {{key: shut, kind: html, url: '{shut}', items: li}}]\n"
    )
    sample_site.poll()
    fetching: Any = fetching_record(standing(sample_site).fetching, public=False)
    further = fetching["further"]
    assert (further["requests"], further["failures"]) == (4, 0), "a page that is not there, or no rules, are no failure"
    assert further["bytes"] > 200
    hosts = {host["host"]: (host["polls"], host["further"]["requests"]) for host in fetching["hosts"]}
    assert hosts == {"127.0.0.1": (2, 3), "127.0.0.2": (1, 1)}, "what robots.txt closes was not asked for"
    assert "; 4 further documents and robots.txt, 0 failed, " in in_words(standing(sample_site))
    with sample_site.opened() as app, app.store.read() as tx:
        [fake_source], [site] = (
            tx.history.of(SourceKey(key), sample_site.clock(), days=1).days for key in ("desk", "site")
        )
    assert (fake_source.further.requests, site.further.requests) == (2, 1)


def test_p66_two_lists_at_one_address_get_what_each_has_posted(publisher: FeedServer, sample_site: SampleSite) -> None:
    url = publisher.says("/list", page(1), page(2))
    one, other = (
        f"{{kind: json, key: {key}, url: '{url}', items: items, entry: {{id: id, title: title}}, category: {key}, "
        f"method: POST, body: {{type: {key}}}}}"
        for key in ("a", "b")
    )
    sample_site.writes(f"sources: [{one}, {other}]\n")
    assert sample_site.poll()["new"] == 2
    posted = [json.loads(request.body)["type"] for request in publisher.asked]
    assert sorted(posted) == ["a", "b"]
    for number, key in enumerate(posted, 1):
        assert sample_site.titles(f"category/{key}.atom") == [f"News {number}"]


@pytest.mark.parametrize(
    ("paging", "said", "used", "expected"),
    [
        pytest.param(Paging(url=Secret(PAGED)), None, HERE, "https://api.example/list?page=3", id="counted"),
        pytest.param(
            Paging(url=Secret(PAGED), first=0, step=20), None, HERE, "https://api.example/list?page=40", id="by-items"
        ),
        pytest.param(
            Paging(url=Secret(PAGED), path="more"), "true", HERE, "https://api.example/list?page=3", id="there-is-more"
        ),
        pytest.param(Paging(url=Secret(PAGED), path="more"), "false", HERE, None, id="there-is-none"),
        pytest.param(Paging(url=Secret(PAGED), path="more"), None, HERE, None, id="nothing-said"),
        pytest.param(
            Paging(url=Secret("https://u:p@api.example/{page}")), None, HERE, "https://api.example/3", id="no-password"
        ),
        pytest.param(
            Paging(url=Secret(HERE), path="next", follows=True),
            '"http://api.example/list?page=9"',
            HERE,
            "https://api.example/list?page=9",
            id="http-behind-a-proxy",
        ),
        pytest.param(
            Paging(url=Secret(PAGED)),
            None,
            Url("https://new.example/list?page=1"),
            "https://new.example/list?page=3",
            id="p40-its-host-moved",
        ),
        pytest.param(
            Paging(url=Secret(PAGED)),
            None,
            Url("https://new.example/v2?page=1"),
            "https://api.example/list?page=3",
            id="p40-its-path-moved",
        ),
    ],
)
def test_the_address_of_a_third_page(paging: Paging, said: str | None, used: Url, expected: str | None) -> None:
    found = page_after(paging, Request(), 2, said, configured=HERE, used=used)
    assert (None if found is None else found[0]) == expected


def test_what_names_no_page_is_told() -> None:
    paging = Paging(url=Secret(HERE), path="next", follows=True)
    with pytest.raises(BadUrl):
        page_after(paging, Request(), 1, '"http://"', configured=HERE, used=HERE)


@pytest.mark.parametrize(
    ("is_json", "body", "expected"),
    [
        (False, "page={page}&after={next}", "page=2&after=c%26"),
        (False, '{"page": {page}}', '{"page": 2}'),
        (False, '{"after": "{next}"}', '{"after":"c&"}'),
        (True, '["{page}","{next}","{a}"]', '[2,"c&","{a}"]'),
    ],
)
def test_what_is_posted_for_a_page(is_json: bool, body: str, expected: str) -> None:
    paging = Paging(url=Secret(HERE), body=Secret(body), path="next")
    found = page_after(paging, Request(method="POST", is_json=is_json), 1, '"c&"', configured=HERE, used=HERE)
    assert found is not None
    assert found[1] == Request(method="POST", is_json=is_json, body=Secret(expected))
