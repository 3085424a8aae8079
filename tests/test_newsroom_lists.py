"""A newsroom's lists, polled over loopback: `kind: json` from the request to the published feed."""

import json
from typing import Any

from aggregator.model.event import Code
from tests.feed_server import FeedServer, Reply, redirect
from tests.sample_site import SampleSite

LIST = """sources:
  - kind: json
    url: {url}
    key: desk
    items: record || records || nodeList
    entry:
      id: infocode
      title: title
      published: showtime
      author: from
      summary: digest
      content: paragraphs
      link: "https://finance.example/news.html?infoCode={{infocode}}"
    timezone: Asia/Shanghai
    {more}
"""


def written(number: int, **more: Any) -> dict[str, Any]:
    """Return a record of the list."""
    made = {"infocode": f"NW{number}", "title": f"标题 {number}", "showtime": f"2026-03-04 19:{number:02}:00"}
    return made | {"from": "大众日报", "digest": f"第{number}条的摘要", "paragraphs": [f"<p>第{number}条。</p>"]} | more


def answer(*records: object, key: str = "nodeList", **headers: str) -> Reply:
    """Return the answer of the list call."""
    return Reply(
        200, json.dumps({key: records}, ensure_ascii=False).encode(), {"Content-Type": "application/json"} | headers
    )


def test_p2_a_list_becomes_a_feed_and_is_asked_conditionally(publisher: FeedServer, sample_site: SampleSite) -> None:
    url = publisher.says(
        "/list", answer(written(1), written(2), ETag='"v1"'), Reply(304), answer(written(3), written(1))
    )
    sample_site.writes(LIST.format(url=url, more=""))
    assert sample_site.poll()["new"] == 2
    assert sample_site.titles() == ["标题 2", "标题 1"]
    assert publisher.asked[0].headers["Accept"].startswith("application/json")
    sample_site.clock.move(hours=1)
    assert sample_site.poll()["not_modified"] == 1
    assert publisher.asked[1].headers["If-None-Match"] == '"v1"'
    assert "A-IM" not in publisher.asked[1].headers
    sample_site.clock.move(hours=1)
    assert sample_site.poll()["new"] == 1
    [newest, *_] = sample_site.items()
    assert newest["url"] == "https://finance.example/news.html?infoCode=NW3"
    assert newest["date_published"] == "2026-03-04T11:03:00Z"
    assert newest["content_html"] == "<p>第3条。</p>"


def test_i38_the_same_list_again_changes_nothing(publisher: FeedServer, sample_site: SampleSite) -> None:
    url = publisher.says("/list", answer(written(1), written(2)), answer(written(2), written(1), key="record"))
    sample_site.writes(LIST.format(url=url, more=""))
    sample_site.poll()
    before = sample_site.files()
    sample_site.clock.move(hours=1)
    report = sample_site.poll()
    assert (report["new"], report["revised"]) == (0, 0)
    assert sample_site.files() == before


def test_r41_a_bad_record_is_counted_and_the_others_are_published(
    publisher: FeedServer, sample_site: SampleSite
) -> None:
    body = answer(written(1), written(2)).body
    assert isinstance(body, bytes)
    broken = body.replace(b'}, {"infocode": "NW2"', b'}, {"infocode": "NW9" oops}, null, {"infocode": "NW2"')
    sample_site.writes(LIST.format(url=publisher.says("/list", Reply(200, broken)), more=""))
    assert sample_site.poll()["new"] == 2
    with sample_site.opened() as app, app.store.read() as tx:
        left_out = [
            step.facts["entry"]
            for step in tx.trail.source_steps(app.in_force.settings.sources[0].key, [Code.LEAVE_OUT], 9)
        ]
    assert sorted(left_out) == ['item 2 is broken JSON: {"infocode": "NW9" oops}', "item 3 is null"]


def test_i34_records_without_ids_are_known_again_by_their_links(publisher: FeedServer, sample_site: SampleSite) -> None:
    url = publisher.says("/list", answer(written(1), written(2)), answer(written(2), written(1, digest="neu")))
    yaml = LIST.format(url=url, more="").replace("      id: infocode\n", "")
    sample_site.writes(yaml)
    assert sample_site.poll()["new"] == 2
    sample_site.clock.move(hours=1)
    report = sample_site.poll()
    assert (report["new"], report["revised"]) == (0, 1)


def test_i14_an_error_of_the_api_changes_nothing_that_is_published(
    publisher: FeedServer, sample_site: SampleSite
) -> None:
    url = publisher.says("/list", answer(written(1)), Reply(200, b'{"rc": -1, "me": "busy"}'), answer(written(1)))
    sample_site.writes(LIST.format(url=url, more=""))
    sample_site.poll()
    before = sample_site.published("category/general.atom")
    sample_site.clock.move(hours=1)
    [row] = sample_site.poll()["results"]
    assert row["error"].startswith("not_a_feed: ")
    assert "items: record || records || nodeList finds nothing; the document has rc, me" in row["error"]
    assert sample_site.published("category/general.atom") == before


def test_a_post_sends_its_body_and_no_validators(publisher: FeedServer, sample_site: SampleSite) -> None:
    url = publisher.says("/list", answer(written(1), ETag='"v1"'), answer(written(1), written(2)))
    sample_site.writes(LIST.format(url=url, more="method: POST\n    body: {type: 45, q: '新闻'}"))
    assert sample_site.poll()["new"] == 1
    sample_site.clock.move(hours=1)
    assert sample_site.poll()["new"] == 1
    for asked in publisher.asked:
        assert (asked.method, json.loads(asked.body)) == ("POST", {"type": 45, "q": "新闻"})
        assert asked.headers["Content-Type"] == "application/json"
        assert "If-None-Match" not in asked.headers


def test_p45_what_is_posted_stays_at_home(publisher: FeedServer, sample_site: SampleSite) -> None:
    publisher.says("/there", answer(written(1)), host="127.0.0.2")
    away = publisher.url("/there", host="127.0.0.2")
    url = publisher.says("/list", redirect(away, 307))
    sample_site.writes(LIST.format(url=url, more="method: POST\n    body: token=secret"))
    assert sample_site.poll()["new"] == 1
    assert [(asked.method, asked.body) for asked in publisher.asked] == [("POST", b"token=secret"), ("GET", b"")]


def test_p9_an_edited_path_reads_the_list_anew(publisher: FeedServer, sample_site: SampleSite) -> None:
    url = publisher.serve("/list", answer(written(1)).body)
    sample_site.writes(LIST.format(url=url, more=""))
    sample_site.poll()
    sample_site.clock.move(hours=1)
    sample_site.writes(LIST.format(url=url, more="").replace("title: title", "title: digest"))
    assert sample_site.poll()["revised"] == 1
    assert sample_site.titles() == ["第1条的摘要"]
