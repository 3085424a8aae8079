"""Details: asked for once an entry, under the manners of any poll, and waited for (M1, R13, P60)."""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from time import monotonic
from typing import Any

import pytest

from aggregator.cli.status import in_words
from aggregator.model.event import Code
from aggregator.model.known import EntryState
from aggregator.model.settings import SourceKey
from aggregator.render.status_json import fetching_record
from tests.cli.preview.test_command import shown
from tests.command import aggregator
from tests.feed_server import FeedServer, Reply
from tests.sample_site import SampleSite

YAML = """sources:
  - kind: json
    url: {url}
    key: desk
    items: list
    entry: {{id: code, title: title, summary: digest, link: "https://news.example/{{code}}"}}
    category: "{{from}}"
    detail: {{url: "{base}/text?id={{code}}", content: text}}
    dedupe: off
"""


def item(number: int, **more: Any) -> dict[str, Any]:
    """Return an item of the list, which has no text."""
    return {"code": f"NW{number}", "title": f"标题 {number}", "from": "大众日报", "digest": f"摘要 {number}"} | more


def listed(*items: Mapping[str, Any]) -> Reply:
    """Return the response of the list."""
    return Reply(200, json.dumps({"list": items}, ensure_ascii=False).encode())


def text(number: int) -> Reply:
    """Return the response of a detail."""
    return Reply(200, json.dumps({"text": f'<p>正文 {number} <a href="/more">…</a></p>'}, ensure_ascii=False).encode())


def opened(publisher: FeedServer, sample_site: SampleSite, *lists: Reply, more: str = "") -> None:
    """Write feeds.yaml for these answers of the list."""
    url = publisher.says("/list", *lists)
    sample_site.writes(YAML.format(url=url, base=publisher.url("")) + more)


def asked(publisher: FeedServer, path: str = "/text") -> list[str]:
    """Return the requested paths, in order."""
    return [one.path for one in publisher.asked if one.path.startswith(path)]


def contents(sample_site: SampleSite) -> list[str]:
    """Return the contents in the newspaper's feed, newest first."""
    return [item["content_html"] for item in sample_site.items("category/dazhongribao.json")]


def states(sample_site: SampleSite) -> dict[EntryState, int]:
    """Count entries by what became of them."""
    with sample_site.opened() as app, app.store.read() as tx:
        return tx.trail.entry_states(SourceKey("desk"))


def test_a_detail_is_asked_for_once_and_completes_its_entry(publisher: FeedServer, sample_site: SampleSite) -> None:
    opened(publisher, sample_site, listed(item(2), item(1)), listed(item(3), item(2), item(1)))
    for number in (1, 2, 3):
        publisher.says(f"/text?id=NW{number}", text(number))
    report = sample_site.poll()
    assert (report["new"], report["results"][0]["new"]) == (2, 2)
    assert contents(sample_site)[0].startswith('<p>正文 2 <a href="https://news.example/more"')  # of its page
    assert sample_site.titles("category/dazhongribao.atom") == ["标题 2", "标题 1"]
    assert sample_site.items("category/dazhongribao.json")[0]["summary"] == "摘要 2"
    before = sample_site.files()
    sample_site.clock.move(minutes=20)
    assert sample_site.poll()["new"] == 1
    assert sample_site.titles("category/dazhongribao.atom") == ["标题 3", "标题 2", "标题 1"]
    assert sorted(asked(publisher)) == ["/text?id=NW1", "/text?id=NW2", "/text?id=NW3"]
    after = sample_site.files()
    sample_site.clock.move(minutes=20)
    report = sample_site.poll()
    assert (report["new"], report["revised"], report["published"]) == (0, 0, [])
    assert sample_site.files() == after != before


def test_show_5_an_api_that_fails_for_an_hour_loses_nothing(publisher: FeedServer, sample_site: SampleSite) -> None:
    lists = [listed(*[item(n) for n in range(9, 9 - k, -1)]) for k in range(3, 9)]
    opened(publisher, sample_site, *lists)
    down = [Reply(503)] * 40
    for number in range(10):
        publisher.says(f"/text?id=NW{number}", *down)
    for _ in range(5):  # an hour and more
        sample_site.poll()
        sample_site.clock.move(minutes=15)
    assert states(sample_site) == {EntryState.WAITING: 7}
    assert len(asked(publisher)) < 9, "one request finds out whether the host is back; the others wait with it"
    for number in range(10):
        publisher.says(f"/text?id=NW{number}", text(number))
    for _ in range(30):
        sample_site.clock.move(minutes=15)
        sample_site.poll()
    assert sorted(shown[:7] for shown in contents(sample_site)) == [f"<p>正文 {n}" for n in range(2, 10)]
    assert states(sample_site) == {EntryState.PUBLISHED: 8}


def test_an_entry_whose_detail_never_comes_is_published_after_a_day(
    publisher: FeedServer, sample_site: SampleSite
) -> None:
    opened(publisher, sample_site, listed(item(2), item(1)))
    publisher.says("/text?id=NW1", Reply(404))
    publisher.says("/text?id=NW2", text(2))
    sample_site.poll()
    assert sample_site.titles("category/dazhongribao.atom") == ["标题 2"], "what is wrong with one holds up no other"
    for _ in range(23):
        sample_site.clock.move(hours=1)
        sample_site.poll()
    assert sample_site.titles("category/dazhongribao.atom") == ["标题 2"]
    sample_site.clock.move(hours=1.2)
    sample_site.poll()
    assert sample_site.titles("category/dazhongribao.atom") == ["标题 2", "标题 1"]  # a backfill's place
    assert contents(sample_site)[1] == "摘要 1"
    tries = len(asked(publisher, "/text?id=NW1"))
    assert tries < 13
    sample_site.clock.move(hours=9)
    sample_site.poll()
    assert len(asked(publisher, "/text?id=NW1")) == tries


@pytest.mark.parametrize("body", [b'{"text": ""}', b'{"rc": -1}', b'{"text": null}', b"callback(", b"<html>502</html>"])
def test_r41_odd_details_break_nothing_and_are_asked_for_again(
    publisher: FeedServer, sample_site: SampleSite, body: bytes
) -> None:
    opened(publisher, sample_site, listed(item(2), item(1)))
    publisher.says("/text?id=NW1", Reply(200, body), text(1))
    publisher.says("/text?id=NW2", text(2))
    sample_site.poll()
    assert len(contents(sample_site)) == 1
    sample_site.clock.move(minutes=16)
    sample_site.poll()
    assert len(contents(sample_site)) == 2


def test_only_what_is_published_is_asked_for(publisher: FeedServer, sample_site: SampleSite) -> None:
    opened(
        publisher, sample_site, listed(*map(item, range(5))), more='    initial: 2\n    exclude: [{title: "标题 0"}]\n'
    )
    for number in range(5):
        publisher.says(f"/text?id=NW{number}", text(number))
    assert sample_site.poll()["new"] == 3  # one of them rejected
    assert sorted(asked(publisher)) == ["/text?id=NW1", "/text?id=NW2"]
    assert states(sample_site) == {EntryState.PUBLISHED: 2, EntryState.REJECTED: 1, EntryState.KNOWN: 2}


def test_rules_see_the_whole_entry(publisher: FeedServer, sample_site: SampleSite) -> None:
    opened(publisher, sample_site, listed(item(2), item(1)), more='    exclude: [{content: "正文 1"}]\n')
    for number in (1, 2):
        publisher.says(f"/text?id=NW{number}", text(number))
    assert sample_site.poll()["rejected"] == 1
    assert sample_site.titles("category/dazhongribao.atom") == ["标题 2"]


def test_p60_the_budget_of_the_host_holds_for_details(publisher: FeedServer, sample_site: SampleSite) -> None:
    url = publisher.says("/list", listed(item(3), item(2), item(1)))
    for number in (1, 2, 3):
        publisher.says(f"/text?id=NW{number}", text(number))
    hosts = "hosts: {127.0.0.0/8: {allow_private: true, spacing: 0.3s, parallel: 1}}\n"
    sample_site.writes(YAML.format(url=url, base=publisher.url("")), hosts=hosts)
    began = monotonic()
    assert sample_site.poll()["new"] == 3
    assert len(publisher.asked) == 4
    for place, one in enumerate(publisher.asked):  # counted from the beginning: a busy publisher sees requests late
        assert one.at - began >= 0.29 * place


def test_what_for_leaves_over_is_asked_for_next_time(publisher: FeedServer, sample_site: SampleSite) -> None:
    url = publisher.says("/list", listed(*map(item, range(9))))
    for number in range(9):
        publisher.says(f"/text?id=NW{number}", text(number))
    hosts = "hosts: {127.0.0.0/8: {allow_private: true, spacing: 0.5s, parallel: 1}}\n"
    sample_site.writes(YAML.format(url=url, base=publisher.url("")), hosts=hosts)
    first = sample_site.poll(limit=timedelta(seconds=1.2))["new"]
    assert 0 < first < 9
    assert states(sample_site)[EntryState.WAITING] == 9 - first
    sample_site.clock.move(minutes=20)
    assert sample_site.poll()["new"] == 9 - first
    assert len(asked(publisher)) == len(set(asked(publisher))) == 9


def test_a_corrected_list_keeps_the_text_that_the_detail_gave(publisher: FeedServer, sample_site: SampleSite) -> None:
    opened(publisher, sample_site, listed(item(1)), listed(item(1, title="新标题")))
    publisher.says("/text?id=NW1", text(1))
    sample_site.poll()
    before = contents(sample_site)
    sample_site.clock.move(hours=1)
    assert sample_site.poll()["revised"] == 1
    assert sample_site.titles("category/dazhongribao.atom") == ["新标题"]
    assert contents(sample_site) == before
    assert len(asked(publisher)) == 1


def test_a_correction_that_comes_first_is_kept(publisher: FeedServer, sample_site: SampleSite) -> None:
    opened(publisher, sample_site, listed(item(1)), listed(item(1, title="新标题")))
    publisher.says("/text?id=NW1", Reply(404), text(1))
    sample_site.poll()
    sample_site.clock.move(hours=1)
    sample_site.poll()
    assert sample_site.titles("category/dazhongribao.atom") == ["新标题"]
    assert "正文 1" in contents(sample_site)[0]
    sample_site.clock.move(hours=1)
    assert sample_site.poll()["revised"] == 0


def test_r13_a_kill_in_between_asks_again_and_publishes_once(publisher: FeedServer, sample_site: SampleSite) -> None:
    opened(publisher, sample_site, listed(item(1)))
    publisher.says("/text?id=NW1", Reply(404), text(1))
    sample_site.poll()
    with sample_site.opened() as app:
        sample_site.clock.move(minutes=10)
        with app.store.begin() as tx:  # claimed, and then nothing more
            [waiting] = tx.details.due(sample_site.clock(), limit=9)
            [job] = tx.details.claim([waiting], sample_site.clock(), app.in_force.roster.sources)
            assert job.id == waiting.id
            assert tx.details.due(sample_site.clock(), limit=9) == []
            assert tx.details.claim([waiting], sample_site.clock(), app.in_force.roster.sources) == [], (
                "it is claimed already"
            )
            assert tx.details.held([job]) == {job.awaited.id}
            tx.details.give_back([job])
            assert tx.details.held([job]) == set()
            [job] = tx.details.claim([waiting], sample_site.clock(), app.in_force.roster.sources)
    sample_site.poll()
    assert len(asked(publisher)) == 1, "the claim moved it on"
    sample_site.clock.move(minutes=10)
    assert sample_site.poll()["new"] == 1
    assert len(contents(sample_site)) == 1


def test_a_post_for_a_detail(publisher: FeedServer, sample_site: SampleSite) -> None:
    url = publisher.says("/list", listed(item(1, code='a"b')))
    there = publisher.says("/text", text(1))
    yaml = YAML.format(url=url, base="x").replace(
        'detail: {url: "x/text?id={code}", content: text}',
        f"detail: {{url: {there}, method: POST, body: {{id: '{{code}}', n: 1}}, content: text}}",
    )
    sample_site.writes(yaml)
    assert sample_site.poll()["new"] == 1
    assert json.loads(publisher.asked[1].body) == {"id": 'a"b', "n": 1}


def test_without_detail_in_feeds_yaml_nobody_waits_any_more(publisher: FeedServer, sample_site: SampleSite) -> None:
    opened(publisher, sample_site, listed(item(1)))
    publisher.says("/text?id=NW1", Reply(503))
    sample_site.poll()
    yaml = (sample_site.folder / "feeds.yaml").read_text()
    lines = [line for line in yaml.splitlines() if "detail:" not in line]
    sample_site.writes("\n".join(lines[1:]))
    sample_site.clock.move(minutes=20)
    sample_site.poll()
    assert contents(sample_site) == ["摘要 1"]


def test_why_knows_what_was_waited_for(publisher: FeedServer, sample_site: SampleSite) -> None:
    opened(publisher, sample_site, listed(item(1)))
    publisher.says("/text?id=NW1", Reply(404), text(1))
    sample_site.poll()
    sample_site.clock.move(minutes=20)
    sample_site.poll()
    why = aggregator("-c", str(sample_site.folder / "feeds.yaml"), "why", "NW1").stdout
    assert re.search(r"asked for again after 2026-03-\d\d \d\d:\d\d$", why, re.MULTILINE), why
    with sample_site.opened() as app, app.store.read() as tx:
        [found] = tx.finding.entries("NW1")
        _, steps = tx.trail.entry(found.id)
    codes = [step.code for step in steps]
    assert codes[:3] == [Code.AWAIT_DETAIL, Code.RETRY_DETAIL, Code.COMPLETE_ENTRY]
    assert steps[1].facts["code"] == "not_found"
    assert steps[2].facts == {"because": "its detail came"}


@pytest.mark.parametrize(
    ("reply", "said"), [(text(2), "was fetched and is shown"), (Reply(404), "could not be fetched: ")]
)
def test_preview_asks_for_the_newest_detail_alone(
    publisher: FeedServer, sample_site: SampleSite, reply: Reply, said: str
) -> None:
    opened(publisher, sample_site, listed(item(2), item(1)))
    publisher.says("/text?id=NW2", reply)
    record = shown("desk", sample_site.folder)
    assert record["waiting"] == 2
    assert any(said in notice for notice in record["feed"]["notices"])
    assert asked(publisher) == ["/text?id=NW2"]


def test_p93_details_are_counted_by_the_host_that_was_asked(publisher: FeedServer, sample_site: SampleSite) -> None:
    url = publisher.says("/list", listed(item(2), item(1)), listed(item(3), item(2), item(1)))
    sample_site.writes(YAML.format(url=url, base=publisher.url("", host="127.0.0.2")))
    for number in (1, 3):
        publisher.says(f"/text?id=NW{number}", text(number), host="127.0.0.2")
    publisher.says("/text?id=NW2", Reply(404), host="127.0.0.2")
    sample_site.poll()
    sample_site.clock.move(days=1)
    sample_site.poll()
    with sample_site.opened("status") as app:
        fetching: Any = fetching_record(
            app.store.status(app.in_force.roster, sample_site.clock()).fetching, public=False
        )
        with app.store.read() as tx:
            days = tx.history.of(SourceKey("desk"), sample_site.clock(), days=9).days
        said = in_words(app.store.status(app.in_force.roster, sample_site.clock()))
    assert "; 4 details and articles, 2 failed, " in said
    assert "busiest host 127.0.0.2 with 4." in said
    details = fetching["details"]
    assert (details["requests"], details["failures"]) == (4, 2)
    assert details["bytes"] > 200
    hosts = [(host["host"], host["sources"], host["polls"], host["details"]["requests"]) for host in fetching["hosts"]]
    assert hosts == [
        ("127.0.0.2", 0, 0, 4),
        ("127.0.0.1", 1, 2, 0),
    ]
    assert [(one.details.requests, one.details.failures) for one in days] == [(2, 1), (2, 1)]


@pytest.mark.parametrize("resumed", [True, False])
def test_what_waits_for_a_paused_source_is_asked_for_by_nobody_and_published_within_a_day(
    publisher: FeedServer, sample_site: SampleSite, resumed: bool
) -> None:
    opened(publisher, sample_site, listed(item(2), item(1)))
    publisher.says("/text?id=NW1", text(1))
    publisher.says("/text?id=NW2", Reply(503), text(2))
    sample_site.poll()
    assert len(contents(sample_site)) == 1
    going = (sample_site.folder / "feeds.yaml").read_text()
    (sample_site.folder / "feeds.yaml").write_text(going.replace("key: desk", "key: desk\n    paused: true"))
    before = len(publisher.asked)
    for _ in range(3):
        sample_site.clock.move(hours=1)
        sample_site.poll()
    assert len(publisher.asked) == before
    assert states(sample_site)[EntryState.WAITING] == 1
    if resumed:
        (sample_site.folder / "feeds.yaml").write_text(going)
        sample_site.poll()
        assert [shown[:7] for shown in contents(sample_site)] == ["<p>正文 2", "<p>正文 1"]
        return
    sample_site.clock.move(hours=22)
    sample_site.poll()
    assert [shown[:7] for shown in contents(sample_site)] == ["摘要 2", "<p>正文 1"]
    assert len(publisher.asked) == before
    assert states(sample_site) == {EntryState.PUBLISHED: 2}
