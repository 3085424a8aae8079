"""Tests of `search`, and of `/search` of a running `serve`."""

import json
from pathlib import Path

import pytest

from tests.command import Done, aggregator
from tests.feed_server import FeedServer, Reply
from tests.running import Running
from tests.sample_site import LOOPBACK, item, rss


def yaml(url: str) -> str:
    return f"{LOOPBACK}sources: [{{url: '{url}', category: news, exclude: [{{title: Advert}}]}}]\n"


def run(folder: Path, *arguments: str) -> Done:
    return aggregator("-c", str(folder / "feeds.yaml"), *arguments)


def test_what_is_stored_is_found_published_or_not(tmp_path: Path, publisher: FeedServer) -> None:
    opens = item(1, title="Harbour opens", pubDate="Sun, 01 Mar 2026 12:00:00 GMT")
    advert = item(2, title="Advert harbour", pubDate="Sat, 07 Mar 2020 12:00:00 GMT")
    url = publisher.says("/feed.xml", Reply(200, rss(opens)), Reply(200, rss(advert, opens)))
    (tmp_path / "feeds.yaml").write_text(yaml(url), encoding="utf-8")
    nothing_yet = run(tmp_path, "search", "harbour")
    assert nothing_yet.returncode == 3
    assert "no store at" in nothing_yet.stderr
    for _ in range(2):
        assert run(tmp_path, "-q", "poll", "--all").returncode == 0
    shown = run(tmp_path, "search", "HARBOUR")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "Harbour opens\n  " in shown.stdout
    assert ", in news\n  https://news.example/1 (entry 1)" in shown.stdout
    assert "not shown: rejected" in shown.stdout
    record = json.loads(run(tmp_path, "search", "--json", "--limit", "1", "harbour", "opens").stdout)
    assert record["query"] == "harbour opens"
    assert (record["total"], record["more"]) == (1, False)
    assert [(found["title"], found["categories"]) for found in record["found"]] == [("Harbour opens", ["news"])]
    assert json.loads(run(tmp_path, "search", "--json", "--limit", "1", "harbour").stdout)["more"] is True
    assert "\n1 of 2, the newest; --limit shows more" in run(tmp_path, "search", "harbour", "--limit", "1").stdout
    titles = [line for line in shown.stdout.splitlines() if line.endswith("arbour") or line.startswith("Harbour")]
    assert titles == ["Harbour opens", "Advert harbour"], "what came last is older"
    assert "nothing found" in run(tmp_path, "search", "zeppelin").stdout
    assert run(tmp_path, "search", "--limit", "0", "x").returncode == 2


@pytest.mark.slow
def test_serve_answers_search_and_its_pages_lead_there(tmp_path: Path, publisher: FeedServer) -> None:
    url = publisher.says("/feed.xml", Reply(200, rss(item(1, title="Harbour opens"))), Reply(304))
    with Running(tmp_path, yaml(url)) as running:
        running.wait_for(lambda: b"<mark>Harbour</mark> opens" in running.get("search?q=harbour")[1])
        assert b'href="search"' in running.get("index.html")[1]
        assert json.loads(running.get("search.json?q=harbour")[1])["found"][0]["category"] == "news"
        assert "Harbour" in run(tmp_path, "search", "harbour").stdout, "beside it"
    run(tmp_path, "-q", "publish")
    assert b'href="search"' in (tmp_path / "public" / "index.html").read_bytes(), "it was served a moment ago"


def test_a_copy_that_another_one_tells_says_so(tmp_path: Path, publisher: FeedServer) -> None:
    told = item(1, title="Harbour opens", description="The new harbour opens on Monday. " * 12)
    first = publisher.says("/first.xml", Reply(200, rss(told)))
    again = publisher.says("/again.xml", Reply(200, rss(told | {"guid": "urn:again:1", "link": "https://b.example/h"})))
    two = f"sources:\n  - {{url: '{first}', category: news, key: a}}\n  - {{url: '{again}', category: news, key: b}}\n"
    (tmp_path / "feeds.yaml").write_text(LOOPBACK + two, encoding="utf-8")
    for key in ("a", "b"):
        assert run(tmp_path, "-q", "poll", key).returncode == 0
    found = json.loads(run(tmp_path, "search", "--json", "harbour").stdout)["found"]
    assert [(each["entry"], each["categories"], each["shown_by"]) for each in found] == [
        (2, ["news"], 1),
        (1, ["news"], None),
    ]
    assert ", in news, shown as entry 1\n" in run(tmp_path, "search", "harbour").stdout
