"""The first user's exact shape: posts byte for byte as his site has them, from what his sources say."""

import json
import re
from datetime import datetime
from html import escape
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from aggregator.clean.sanitiser import sanitise
from aggregator.clean.text import plain_text
from aggregator.model.entry import Entry
from aggregator.urls import normalise_link
from tests.fake_source import FakeSource
from tests.sample_site import SampleSite

FINEWS = Path(__file__).parents[3] / "shared" / "corpus" / "finews"
SHANGHAI = ZoneInfo("Asia/Shanghai")
HEAD = """---
layout: post
title: {}
date: {{{{ story.published.strftime("%Y-%m-%d %H:%M:%S %z") }}}}
categories: {}
tags: {}
---
"""
TITLES = ("{{ story.title|yaml }}", '"{{ story.title }}"')  # as docs/jekyll.md says, and as it was written before
ROLLING = HEAD.format("TITLE", "emnews", "东财滚动新闻") + (
    "BODY\n\n<{{ story.link }}>\n\n"
    "[返回东财滚动新闻](//finews.withounder.com/emnews/)｜[返回首页](//finews.withounder.com/)"
)
NEWSPAPER = HEAD.format("TITLE", "{{ category.title|pinyin }}", "{{ category.title }}新闻") + (
    "{{ story.html }}\n\n<{{ story.link }}>\n\n[返回{{ category.title }}新闻]"
    "(//finews.withounder.com/category/{{ category.title|pinyin }}.html)｜[返回首页](//finews.withounder.com/)"
)

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not FINEWS.exists(), reason="no ../shared/corpus here"),
]


def read(name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads((FINEWS / "api" / name).read_text(encoding="utf-8"))
    return found


def entry_of(number: str, title: str, time: str, link: str, *, digest: str = "", html: str = "") -> Entry:
    """Return an entry made of an item and its detail."""
    content = sanitise(html.replace("\u3000\u3000", ""), None, frozenset({"em_media"}))
    digest = re.sub("^.*】", "", digest.replace("\u3000\u3000", ""))
    when = datetime.strptime(time, "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI)
    return Entry(
        id=number,
        title=title,
        link=normalise_link(link),
        published=when,
        summary=escape(digest, quote=False),
        content=content,
        text=plain_text(content or digest),
    )


def posts_of(folder: Path, template: str, sources: dict[str, list[Entry]]) -> dict[str, str]:
    """Publish what sources say, each in the category of its name, with a template; give the posts."""
    folder.mkdir()
    site = SampleSite(folder)
    (folder / "post.md.j2").write_text(template, encoding="utf-8")
    listed = "".join(
        f"  - {{key: s{n}, url: 'https://s{n}.example/', category: {json.dumps(name, ensure_ascii=False)}, "
        "dedupe: off, initial: 5000, allow_classes: [em_media]}\n"
        for n, name in enumerate(sources)
    )
    site.writes(
        "site: {timezone: Asia/Shanghai}\npublish: {formats: [atom], jekyll: {to: posts, template: post.md.j2}}\n"
        f"sources:\n{listed}"
    )
    with site.opened() as app:
        fake_source = FakeSource(app)
        for number, entries in enumerate(sources.values()):
            fake_source.says(f"s{number}", *entries)
        assert app.publisher.publish().failed == ()
    return {path.name: path.read_bytes().decode() for path in (folder / "posts").iterdir()}


def expected(name: str) -> dict[str, str]:
    return {path.name: path.read_bytes().decode() for path in (FINEWS / "expected" / name).iterdir()}


def rolling(*, details: bool) -> list[Entry]:
    entries = []
    for record in read("list-102.json")["records"]:  # type: ignore[attr-defined]
        html = str(read(f"detail/{record['infoCode']}.json")["content"]) if details else ""
        facts = (record["id"], record["title"], record["showtime"], record["url_w"])
        entries.append(entry_of(*facts, digest=record["digest"], html=html))
    return entries


@pytest.mark.parametrize("title", TITLES)
def test_the_rolling_list(tmp_path: Path, title: str) -> None:
    template = ROLLING.replace("TITLE", title)
    digests = template.replace("BODY", "\n{{ story.summary }}")
    assert posts_of(tmp_path / "a", digests, {"滚动": rolling(details=False)}) == expected("rolling-digest")
    details = template.replace("BODY", "> {{ story.summary }}\n\n{{ story.html }}")
    assert posts_of(tmp_path / "b", details, {"滚动": rolling(details=True)}) == expected("rolling-detail")


@pytest.mark.parametrize("title", TITLES)
def test_the_newspapers(tmp_path: Path, title: str) -> None:
    sources: dict[str, list[Entry]] = {}
    link = "http://finews.zning.xyz/html_News/NewsShare.html?infoCode="
    for name, key, fields in (
        ("list-45.json", "nodeList", ("from", "infocode", "showtime")),
        ("list-newmarket-37.json", "record", ("medianame", "infoCode", "datetime")),
    ):
        for record in read(name)[key]:  # type: ignore[attr-defined]
            paper, number, time = (record[field] for field in fields)
            html = str(read(f"detail/{number}.json")["text"])
            entry = entry_of(number, record["title"], time, link + number, html=html)
            sources.setdefault(paper, []).append(entry)
    assert posts_of(tmp_path / "a", NEWSPAPER.replace("TITLE", title), sources) == expected("by-source")


@pytest.mark.parametrize("title", TITLES)
def test_a_title_that_would_break_front_matter_is_quoted(tmp_path: Path, title: str) -> None:
    said = read("odd/list-102-quote-in-title.json")["records"]
    assert isinstance(said, list)
    entries = [entry_of(r["id"], r["title"], r["showtime"], r["url_w"], digest=r["digest"]) for r in said]
    template = ROLLING.replace("TITLE", title).replace("BODY", "\n{{ story.summary }}")
    posts = posts_of(tmp_path / "a", template, {"滚动": entries})
    titles = {yaml.safe_load(post.split("---\n")[1])["title"] for post in posts.values()}
    assert titles == {" ".join(r["title"].split()) for r in said}
