"""Fifteen newspapers polled every five minutes, by a moved clock: a morning here, `MONTH=1` for a month.

Budgets hold, each article is asked for and published once, a poll costs the same at the end as at the beginning, and
what the store holds of texts does not grow once the first have reached the age to which they are kept (K2).
"""

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from logging import getLogger
from pathlib import Path
from statistics import median
from time import process_time

import pytest
from sqlalchemy import func, select

from aggregator.app import App
from aggregator.cli.poll import OneShot
from aggregator.model.known import EntryState
from aggregator.model.settings import SourceKey
from aggregator.store.schema import entry
from tests.feed_server import FeedServer, Reply
from tests.rows import rows
from tests.sample_site import ATOM, SampleSite

PAPERS = [
    *"大众日报 重庆日报 人民日报 长江商报 财联社 澎湃新闻 证券时报 新华社".split(),
    *"光明日报 经济日报 北京日报 文汇报 南方日报 21财经 36氪".split(),
]
EVERY = timedelta(minutes=5)
DAY = timedelta(days=1) // EVERY  # polls
IS_MONTH = bool(os.environ.get("MONTH"))
POLLS = 30 * DAY if IS_MONTH else 40
LISTED = 30  # items that the list holds
KEEP = timedelta(days=7)
ENTRIES = 10  # of a main document at least, and of an archive page
YAML = """site: {{timezone: Asia/Shanghai}}
publish: {{formats: [atom], entries: 10, archive_page: 10}}
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
    keep: 7d
    detail: {{url: "{base}/text?id={{code}}", content: text}}
"""
log = getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Counts at the end of a day."""

    written: int
    texts: int  # entries that have one
    text_bytes: int
    store_bytes: int
    poll_seconds: float  # of CPU, the median of the day


def listed(newest: int) -> Reply:
    """Return the list after so many articles."""
    numbers = range(newest, max(0, newest - LISTED), -1)
    items = [{"code": f"NW{n}", "title": f"标题 {n}", "from": PAPERS[n % len(PAPERS)]} for n in numbers]
    return Reply(200, json.dumps({"list": items}, ensure_ascii=False).encode(), {"ETag": f'"{newest}"'})


def article(number: int) -> Reply:
    """Return the text of an article, as long as those of newspapers are."""
    text = f"<p>正文 {number}</p>" + f"<p>第 {number} 篇文章的正文在这里继续，并且写得很长。</p>" * 40
    return Reply(200, json.dumps({"text": text}, ensure_ascii=False).encode())


def figures(app: App, written: int, costs: list[float]) -> Figures:
    """Look at what is there, and say it in the log: `-o log_cli=true` shows how a month goes on."""
    has_text = entry.c.content != ""
    query = select(func.count(), func.coalesce(func.sum(func.length(entry.c.content)), 0)).where(has_text)
    [(texts, text_bytes)] = rows(app.store, query)
    assert app.store.path is not None
    found = Figures(
        written=written,
        texts=texts,
        text_bytes=text_bytes,
        store_bytes=app.store.path.stat().st_size,
        poll_seconds=median(costs[-DAY:]),
    )
    log.warning("%s", found)
    return found


def documents(sample_site: SampleSite, slug: str) -> Iterator[str]:
    """Return the documents of a category, as a reader walks through them (RFC 5005)."""
    path = f"category/{slug}"
    while path:
        yield path
        path = sample_site.previous(path)


@pytest.mark.only_sqlite  # the size of its file
def test_show_6_budgets_hold_and_the_cost_of_a_poll_stays(publisher: FeedServer, sample_site: SampleSite) -> None:
    url = publisher.says("/list", listed(1))
    sample_site.writes(YAML.format(url=url, base=publisher.url("")))
    costs: list[float] = []
    days: list[Figures] = []
    came: dict[str, datetime] = {}
    written = 0
    with sample_site.opened() as app:
        for turn in range(POLLS):
            written += turn % 2  # every second poll finds nothing new
            for number in (written,) if turn % 2 else ():
                publisher.says(f"/text?id=NW{number}", article(number))
                came[f"标题 {number}"] = sample_site.clock.now
            publisher.says("/list", listed(written))
            began = process_time()
            shot = OneShot(app)
            shot.poll([], everything=False, limit=timedelta(0))
            app.publisher.publish()
            costs.append(process_time() - began)
            sample_site.clock.now += EVERY
            if (turn + 1) % DAY == 0 or turn + 1 == POLLS:
                days.append(figures(app, written, costs))
        with app.store.read() as tx:
            assert tx.trail.entry_states(SourceKey("desk")) == {EntryState.PUBLISHED: written}
            assert tx.details.due(sample_site.clock() + timedelta(days=9), limit=9) == []
            assert len(tx.categories.rows()) == min(len(PAPERS), written)
    asked = Counter(one.path for one in publisher.asked)
    assert asked.pop("/list") == POLLS
    assert set(asked.values()) == {1}, "a detail once"
    assert len(asked) == written
    _look_at_files(sample_site, came)
    tenth = max(5, len(costs) // 10)
    assert median(costs[-tenth:]) < 4 * median(costs[1 : tenth + 1])  # whatever is stored by then
    if IS_MONTH:
        _look_at_store(days)


def _look_at_files(sample_site: SampleSite, came: dict[str, datetime]) -> None:
    """See each article in one document, with its text where it is young, or where readers look first."""
    thin_before = sample_site.clock.now - KEEP - timedelta(days=3)  # its page was full, a day came to its end
    seen: list[str] = []
    for feed in sorted((sample_site.folder / "public/category").glob("*.atom")):
        for path in documents(sample_site, feed.stem):
            entries = sample_site.entries(f"{path}.atom")
            is_main = Path(path).parent.name == "category"
            assert is_main or len(entries) == ENTRIES
            titles = [str(one.findtext(f"{ATOM}title")) for one in entries]
            texts = {one.findtext(f"{ATOM}content") is not None for one in entries}
            assert len(texts) <= 1, "a page has all of its texts, or none"
            newest = max(came[title] for title in titles)
            if is_main or newest > sample_site.clock.now - KEEP:
                assert texts == {True}, path
            elif newest < thin_before:
                assert texts == {False}, path
            assert all(one.find(f"{ATOM}link") is not None for one in entries)
            seen += titles
    assert sorted(seen) == sorted(came)


def _look_at_store(days: list[Figures]) -> None:
    """See that it is bounded: as many texts at the end of the month as when the first had grown old."""
    full = days[KEEP.days + 4 : KEEP.days + 9]
    assert max(day.texts for day in days[-5:]) <= 1.1 * max(day.texts for day in full)
    assert max(day.text_bytes for day in days[-5:]) <= 1.1 * max(day.text_bytes for day in full)
    grown = days[-1].store_bytes - full[-1].store_bytes
    articles = days[-1].written - full[-1].written
    assert grown / articles < 0.5 * days[0].store_bytes / days[0].written, "what stays of an article is little"
