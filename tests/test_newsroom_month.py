"""Fifteen newspapers polled every five minutes, by a moved clock: a morning here, `MONTH=1` for a month.

Budgets hold, each article is asked for and published once, and a poll costs the same at the end as at the beginning.
"""

import json
import os
from collections import Counter
from datetime import timedelta
from statistics import median
from time import process_time

from aggregator.cli.poll import OneShot
from aggregator.model.known import EntryState
from aggregator.model.settings import SourceKey
from tests.newsroom import Newsroom
from tests.publisher import Publisher, Reply

PAPERS = [
    *"大众日报 重庆日报 人民日报 长江商报 财联社 澎湃新闻 证券时报 新华社".split(),
    *"光明日报 经济日报 北京日报 文汇报 南方日报 21财经 36氪".split(),
]
POLLS = 30 * 24 * 12 if os.environ.get("MONTH") else 40
EVERY = timedelta(minutes=5)
LISTED = 30  # items that the list holds
YAML = """site: {{timezone: Asia/Shanghai}}
publish: {{formats: [atom]}}
sources:
  - kind: json
    url: {url}
    key: desk
    items: list
    entry: {{id: code, title: title, link: "https://news.example/{{code}}"}}
    category: "{{from}}"
    every: 5m
    frequent: agreed
    dedupe: off
    keep: 365d
    detail: {{url: "{base}/text?id={{code}}", content: text}}
"""


def listed(newest: int) -> Reply:
    """Give the list when so many articles were written."""
    numbers = range(newest, max(0, newest - LISTED), -1)
    items = [{"code": f"NW{n}", "title": f"标题 {n}", "from": PAPERS[n % len(PAPERS)]} for n in numbers]
    return Reply(200, json.dumps({"list": items}, ensure_ascii=False).encode(), {"ETag": f'"{newest}"'})


def test_show_6_budgets_hold_and_the_cost_of_a_poll_stays(publisher: Publisher, newsroom: Newsroom) -> None:
    url = publisher.says("/list", listed(1))
    newsroom.writes(YAML.format(url=url, base=publisher.url("")))
    costs: list[float] = []
    written = 0
    with newsroom.opened() as world:
        for turn in range(POLLS):
            written += turn % 2  # every second poll finds nothing new
            for number in (written,) if turn % 2 else ():
                text = json.dumps({"text": f"<p>正文 {number}</p>"}, ensure_ascii=False).encode()
                publisher.says(f"/text?id=NW{number}", Reply(200, text))
            publisher.says("/list", listed(written))
            began = process_time()
            shot = OneShot(world)
            shot.poll([], everything=False, limit=timedelta(0))
            world.publish()
            costs.append(process_time() - began)
            newsroom.clock.now += EVERY
        with world.store.read() as tx:
            assert tx.entry_states(SourceKey("desk")) == {EntryState.PUBLISHED: written}
            assert tx.due_details(newsroom.clock() + timedelta(days=9), limit=9) == []
            assert len(tx.categories()) == min(len(PAPERS), written)
    asked = Counter(one.path for one in publisher.asked)
    assert asked.pop("/list") == POLLS
    assert set(asked.values()) == {1}, "a detail once"
    assert len(asked) == written
    if written <= 50 * len(PAPERS):  # else some are in archives
        feeds = (newsroom.folder / "public/category").glob("*.atom")
        shown = [title for feed in feeds for title in newsroom.titles(f"category/{feed.name}")]
        assert sorted(shown) == sorted(f"标题 {n}" for n in range(1, written + 1))
    tenth = max(5, len(costs) // 10)
    assert median(costs[-tenth:]) < 4 * median(costs[1 : tenth + 1])  # whatever is stored by then
