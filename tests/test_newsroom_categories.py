"""Categories that items name themselves: a newspaper each, made when first met (N1, N5)."""

import json
from typing import Any

import pytest

from aggregator.cli import main
from aggregator.model.alarm import MOST
from aggregator.model.event import Code
from aggregator.model.settings import SourceKey
from aggregator.model.status import Status
from tests.feed_server import FeedServer, Reply
from tests.sample_site import SampleSite

YAML = """sources:
  - kind: json
    url: {url}
    key: desk
    items: list
    entry: {{id: id, title: title, content: text}}
    category: {category}
    initial: 5000
    dedupe: off
"""


def item(number: int, paper: str | None = "大众日报", **more: Any) -> dict[str, Any]:
    """Return an item of a newspaper."""
    return {"id": f"NW{number}", "title": f"标题 {number}", "from": paper, "text": f"<p>正文 {number}</p>"} | more


def answer(*items: dict[str, Any]) -> Reply:
    """Return the response of the list."""
    return Reply(200, json.dumps({"list": items}, ensure_ascii=False).encode())


def status(sample_site: SampleSite) -> Status:
    """Return `status --json`."""
    with sample_site.opened("status") as app:
        return app.store.status(app.in_force.roster, sample_site.clock())


def test_each_newspaper_gets_its_category_feed_and_page(publisher: FeedServer, sample_site: SampleSite) -> None:
    replies = [answer(item(1), item(2, "重庆日报"), item(3, "Daily News")), answer(item(4, "朝日新聞"), item(1))]
    sample_site.writes(YAML.format(url=publisher.says("/list", *replies), category='"{from}"'))
    assert sample_site.poll()["new"] == 3
    assert sample_site.titles("category/dazhongribao.atom") == ["标题 1"]
    assert sample_site.titles("category/zhongqingribao.atom") == ["标题 2"]
    assert sample_site.titles("category/daily-news.atom") == ["标题 3"]
    assert "<title>大众日报</title>" in sample_site.published("category/dazhongribao.atom").decode()
    assert "重庆日报" in sample_site.published("index.html").decode()
    assert not (sample_site.folder / "public/category/general.atom").exists()
    before = sample_site.published("category/dazhongribao.atom")
    sample_site.clock.move(hours=1)
    report = sample_site.poll()  # another process: the store alone knows the categories
    assert report["new"] == 1
    assert sample_site.published("category/dazhongribao.atom") == before
    [new] = [path for path in report["published"] if path.startswith("category/") and path.endswith(".atom")]
    assert sample_site.titles(new) == ["标题 4"]
    assert sample_site.items("all.json")[0]["title"] == "标题 4"
    assert [category.title for category in status(sample_site).categories] == [
        "大众日报",
        "重庆日报",
        "Daily News",
        "朝日新聞",
    ]
    assert status(sample_site).sources[0].categories == ("大众日报", "重庆日报", "Daily News", "朝日新聞")


def test_several_names_and_fixed_categories_together(publisher: FeedServer, sample_site: SampleSite) -> None:
    url = publisher.says("/list", answer(item(1, tags=["a", "b"]), item(2, tags=[])))
    sample_site.writes(YAML.format(url=url, category='[finance, "{tags}", "{from} 新闻"]'))
    sample_site.poll()
    assert sample_site.titles("category/finance.atom") == ["标题 1", "标题 2"]
    assert sample_site.titles("category/a.atom") == sample_site.titles("category/b.atom") == ["标题 1"]
    assert sample_site.titles("category/dazhongribao-xinwen.atom") == ["标题 1", "标题 2"]


def test_an_item_that_names_none_goes_to_general_with_an_alarm(publisher: FeedServer, sample_site: SampleSite) -> None:
    url = publisher.says("/list", answer(item(1, None), item(2, "  "), item(3, "x" * 150), item(4)))
    sample_site.writes(YAML.format(url=url, category='"{from}"'))
    sample_site.poll()
    assert sample_site.titles() == ["标题 1", "标题 2", "标题 3"]
    assert sample_site.titles("category/dazhongribao.atom") == ["标题 4"]
    [alarm] = status(sample_site).alarms
    assert (alarm.code, alarm.source) == ("unfiled", "desk")
    sample_site.clock.move(days=2)
    assert "unfiled" not in [alarm.code for alarm in status(sample_site).alarms]


def test_s16_no_more_than_so_many_a_source(publisher: FeedServer, sample_site: SampleSite) -> None:
    many = [item(number, f"Paper {number}") for number in range(MOST + 2)]
    url = publisher.says("/list", answer(*many), answer(item(900, "One more"), item(901, "Paper 7"), *many))
    sample_site.writes(YAML.format(url=url, category='"{from}"'))
    sample_site.poll()
    assert len(status(sample_site).categories) == MOST + 1
    assert len(sample_site.titles()) == 2
    sample_site.clock.move(hours=1)
    sample_site.poll()
    assert len(sample_site.titles()) == 3
    assert "标题 901" in sample_site.titles("category/paper-7.atom")
    with sample_site.opened() as app, app.store.read() as tx:
        steps = tx.trail.source_steps(SourceKey("desk"), [Code.FILE_GENERAL], 9)
    assert steps[-1].facts == {"key": "One more", "most": MOST}


def test_a_declared_category_keeps_what_feeds_yaml_says(publisher: FeedServer, sample_site: SampleSite) -> None:
    url = publisher.says("/list", answer(item(1), item(2, "Spam"), item(3, "人民日报")))
    categories = """categories:
  大众日报: {title: Dazhong Daily, slug: dazhong}
  Spam: {exclude: [{title: "."}]}
  rmrb: {was: 人民日报, title: 人民日报}
"""
    sample_site.writes(categories + YAML.format(url=url, category='"{from}"'))
    report = sample_site.poll()
    assert report["rejected"] == 1
    assert sample_site.titles("category/dazhong.atom") == ["标题 1"]
    assert "<title>Dazhong Daily</title>" in sample_site.published("category/dazhong.atom").decode()
    assert sample_site.titles("category/rmrb.atom") == ["标题 3"]


def test_n5_they_rest_when_their_source_leaves_and_come_back_as_they_were(
    publisher: FeedServer, sample_site: SampleSite
) -> None:
    url = publisher.says("/list", answer(item(1)), answer(item(1), item(2)))
    other = publisher.says("/other", answer(item(9)))
    sample_site.writes(YAML.format(url=url, category='"{from}"'))
    sample_site.poll()
    before = sample_site.published("category/dazhongribao.atom")
    sample_site.writes(YAML.format(url=other, category="finance").replace("key: desk", "key: other"))
    sample_site.clock.move(hours=1)
    sample_site.poll()
    assert [category.slug for category in status(sample_site).categories] == ["finance"]
    assert sample_site.published("category/dazhongribao.atom") == before
    sample_site.writes(YAML.format(url=url, category='"{from}"'))
    sample_site.clock.move(hours=1)
    assert sample_site.poll()["new"] == 1
    assert sample_site.titles("category/dazhongribao.atom") == ["标题 2", "标题 1"]


def test_an_entry_that_is_not_published_makes_no_category(publisher: FeedServer, sample_site: SampleSite) -> None:
    url = publisher.says("/list", answer(item(1, "A"), item(2, "B"), item(3, "C")))
    yaml = YAML.format(url=url, category='"{from}"').replace("initial: 5000", "initial: 1")
    sample_site.writes(yaml + '    exclude: [{title: "1"}]\n')
    sample_site.poll()
    assert [category.slug for category in status(sample_site).categories] == ["b"]


def test_what_nobody_can_see_makes_no_other_newspaper(publisher: FeedServer, sample_site: SampleSite) -> None:
    names = ["大众日报", "\ufeff大众\u200b日报\u200b", "\u200b", "\u3164", "روزنامه\u200cها", "e\u0301"]
    url = publisher.says("/list", answer(*(item(number, name) for number, name in enumerate(names))))
    sample_site.writes(YAML.format(url=url, category='"{from}"'))
    sample_site.poll()
    assert [category.title for category in status(sample_site).categories] == [
        "大众日报",
        "general",
        "روزنامه\u200cها",
        "é",
    ]
    assert sample_site.titles("category/dazhongribao.atom") == ["标题 0", "标题 1"]


@pytest.mark.parametrize("name", ["../../etc", "CON", "index", "a/b\\c", "<b>x</b>", "\u202egnp", "🙂", "{{ x }}"])
def test_s50_foreign_names_make_safe_paths(publisher: FeedServer, sample_site: SampleSite, name: str) -> None:
    sample_site.writes(YAML.format(url=publisher.says("/list", answer(item(1, name))), category='"{from}"'))
    sample_site.poll()
    [made] = (sample_site.folder / "public/category").glob("*.atom")
    assert made.stem.isascii()
    assert made.stem.replace("-", "").isalnum()


def test_a45_one_that_items_have_named_is_renamed_with_its_feed(
    publisher: FeedServer, sample_site: SampleSite, capsys: pytest.CaptureFixture[str]
) -> None:
    url = publisher.says("/list", answer(item(1), item(2, "人民日报")), answer(item(3), item(4, "人民日报")))
    yaml = YAML.format(url=url, category='"{from}"')
    sample_site.writes(yaml)
    sample_site.poll()
    [before] = [item["id"] for item in sample_site.items("category/renminribao.json")]
    sample_site.writes("categories: {rmrb: {was: 人民日报, title: The People}}\n" + yaml)
    feeds = ["-c", str(sample_site.folder / "feeds.yaml")]
    assert main([*feeds, "check"], {}) == 0
    assert main([*feeds, "plan"], {}) == 0
    said = capsys.readouterr().out
    assert "~ category rmrb, which was 人民日报: category/renminribao.* with its ids and archive goes on" in said
    assert "大众日报" not in said, "it stays as it is"
    sample_site.clock.move(hours=1)
    assert sample_site.poll()["new"] == 2
    assert [item["title"] for item in sample_site.items("category/renminribao.json")] == ["标题 4", "标题 2"]
    assert sample_site.items("category/renminribao.json")[1]["id"] == before
    assert {path.stem for path in (sample_site.folder / "public/category").glob("*.atom")} == {
        "renminribao",
        "dazhongribao",
    }
