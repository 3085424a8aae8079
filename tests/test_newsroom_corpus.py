"""The first user's newsroom: real answers of its API over loopback, by the configuration that docs/newsroom.md tells.

After a poll each article's post is, byte for byte, the one that the old site wrote.
"""

import json
import re
from pathlib import Path

import pytest

from tests.feed_server import FeedServer, Reply
from tests.sample_site import SampleSite

FINEWS = Path(__file__).parents[2] / "shared" / "corpus" / "finews"
PAGE = Path(__file__).parents[1] / "docs" / "newsroom.md"
LISTS = ("list-102.json", "list-45.json", "list-newmarket-37.json")
pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not FINEWS.is_dir(), reason="the corpus stands beside the working copy, not in it"),
]


def documented(language: str) -> str:
    """Return a code block of the page."""
    found = re.search(rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def opened(publisher: FeedServer, sample_site: SampleSite, lists: dict[str, Reply]) -> None:
    """Offer the API, and write feeds.yaml and template as documented, with the names of this user's own site."""
    for name in LISTS:
        publisher.says(f"/{name}", lists.get(name) or Reply(200, (FINEWS / "api" / name).read_bytes()))
    for path in (FINEWS / "api" / "detail").iterdir():
        publisher.says(f"/detail/{path.name}", Reply(200, path.read_bytes()))
    yaml = documented("yaml").replace("https://api.example.cn", publisher.url("").rstrip("/"))
    yaml = (
        yaml.replace("hosts: {api.example.cn: {spacing: 1s}}\n", "")
        .replace("hot: 3d, ", "")
        .replace("rolling", "emnews")
    )
    yaml = yaml.replace("title: 滚动", "title: 东财滚动").replace(", archive_to: site/old_post", "")
    yaml = yaml.replace("https://share.example.cn/", "http://finews.zning.xyz/html_News/")
    template = documented("jinja").replace("rolling", "emnews").replace("news.example.cn", "finews.withounder.com")
    (sample_site.folder / "post.md.j2").write_text(template.removesuffix("\n"), encoding="utf-8")
    sample_site.writes(yaml)


def posts(sample_site: SampleSite) -> dict[str, bytes]:
    """Return the posts for Jekyll."""
    return {path.name: path.read_bytes() for path in (sample_site.folder / "site/_posts").glob("*.md")}


def written(sample_site: SampleSite) -> dict[str, int]:
    """Return the mtime of each file, without those of status."""
    files = [path for path in (sample_site.folder / "site").rglob("*") if path.is_file()]
    return {str(path): path.stat().st_mtime_ns for path in files if not path.name.startswith("status.")}


def expected() -> dict[str, bytes]:
    """Return the posts of the old site for these lists and details."""
    folders = (FINEWS / "expected" / "rolling-detail", FINEWS / "expected" / "by-source")
    return {path.name: path.read_bytes() for folder in folders for path in folder.iterdir()}


def test_show_1_each_post_is_the_expected_one_byte_for_byte(publisher: FeedServer, sample_site: SampleSite) -> None:
    opened(publisher, sample_site, {})
    sample_site.poll()
    found, wanted = posts(sample_site), expected()
    assert sorted(found) == sorted(wanted)
    assert [name for name in wanted if found[name] != wanted[name]] == []
    sample_site.clock.move(hours=1)
    before = written(sample_site)
    report = sample_site.poll()
    assert (report["new"], report["revised"]) == (0, 0)
    assert written(sample_site) == before


def test_show_1_a_new_article_is_one_post_its_category_and_the_home_page(
    publisher: FeedServer, sample_site: SampleSite
) -> None:
    opened(publisher, sample_site, {})
    sample_site.poll()
    before = posts(sample_site)
    document = json.loads((FINEWS / "api" / "list-45.json").read_text())
    more = {"title": "新的消息", "from": "大众日报", "infocode": "NW1", "showtime": "2021-12-08 23:00:00"}
    document["nodeList"].insert(0, more)
    publisher.says("/list-45.json", Reply(200, json.dumps(document, ensure_ascii=False).encode()))
    publisher.says("/detail/NW1.json", Reply(200, '{"text": "<p>　　正文。</p>"}'.encode()))
    sample_site.clock.move(hours=1)
    report = sample_site.poll()
    assert set(posts(sample_site)) - set(before) == {"2021-12-08-NW1.md"}
    assert all(posts(sample_site)[name] == data for name, data in before.items())
    outputs = [path.removeprefix("category/") for path in report["published"] if path.startswith("category/")]
    assert {path.partition(".")[0] for path in outputs if not path.endswith(".html")} == {"dazhongribao"}
    assert "dazhongribao.html" in outputs, "a new category, which the pages of its neighbours name as well"
    assert "index.html" in report["published"]


@pytest.mark.parametrize("odd", sorted(path.name for path in (FINEWS / "api" / "odd").glob("list-*")))
def test_odd_lists_break_nothing(publisher: FeedServer, sample_site: SampleSite, odd: str) -> None:
    body = (FINEWS / "api" / "odd" / odd).read_bytes()
    opened(publisher, sample_site, {"list-102.json": Reply(200, body)})
    publisher.says("/detail/1.json", Reply(200, (FINEWS / "api/odd/detail-empty.json").read_bytes()))
    publisher.says("/detail/2.json", Reply(200, (FINEWS / "api/odd/detail-null.json").read_bytes()))
    sample_site.poll()
    by_source = {path.name for path in (FINEWS / "expected" / "by-source").iterdir()}
    assert by_source <= set(posts(sample_site))
    sample_site.clock.move(hours=25)
    sample_site.poll()
    sample_site.clock.move(hours=1)
    sample_site.poll()
    others = {name: data.decode() for name, data in posts(sample_site).items() if name not in by_source}
    if "quote" in odd:
        assert 'title: "他说\\"涨\\" \\\\ 跌: # 5% 【快讯】"' in others["2022-03-30-1.md"]
    if "bracket" in odd:
        assert "> 第3号公告" in others["2022-03-30-2.md"]
