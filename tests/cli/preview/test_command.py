"""Tests of `aggregator preview` as a process: output, requests, nothing stored (P69)."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from aggregator.cli import main
from aggregator.cli.preview.text import in_words
from aggregator.clock import utc_now
from aggregator.fetch.budget import Budgets
from tests.command import Done, aggregator
from tests.feed_server import FeedServer, Reply
from tests.running import Running
from tests.sample_site import LOOPBACK, SampleSite, item, rss

ENTRY_FIELDS = {
    *("key", "key_rule", "title", "link", "published", "updated", "written", "authors", "tags", "files", "language"),
    *("text", "state", "categories", "rule", "kept_out", "joins", "first_seen"),
}


def run(*arguments: str, cwd: Path) -> Done:
    return aggregator(*arguments, cwd=cwd)


def shown(source: str, cwd: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(run("preview", source, "--json", cwd=cwd).stdout)
    return record


def states(record: dict[str, Any]) -> dict[str, str]:
    return {entry["title"]: entry["state"] for entry in record["entries"]}


def test_it_shows_what_a_poll_would_do_and_stores_nothing(tmp_path: Path, publisher: FeedServer) -> None:
    text = "The harbour is open again, said the keeper of the light on Monday, after three weeks of ice and of waiting."
    one = publisher.says("/one", Reply(200, rss(item(1), item(2))), Reply(200, rss(item(1, title="Other"), item(3))))
    two = publisher.serve("/two", rss(item(8, title="The harbour is open", description=text)), host="127.0.0.2")
    (tmp_path / "feeds.yaml").write_text(
        f"{LOOPBACK}sources:\n  - {{url: '{one}', key: one, exclude: [{{title: Spam}}]}}\n"
        f"  - {{url: '{two}', key: two}}\n",
        encoding="utf-8",
    )
    assert states(shown("one", tmp_path)) == {"Title 1": "new", "Title 2": "new"}
    assert not (tmp_path / "var").exists(), "not even the store was made"
    publisher.says(
        "/one",
        Reply(200, rss(item(1), item(2)), {"ETag": '"1"'}),
        Reply(
            200,
            rss(
                item(1, title="Other"),
                item(2),
                item(4, title="Spam, spam"),
                item(5, title="The harbour is open", description=text, pubDate="Wed, 4 Mar 2026 05:06:07 GMT"),
            ),
        ),
    )
    assert run("poll", cwd=tmp_path).returncode == 0
    before = (tmp_path / "var" / "aggregator.db").read_bytes()
    record = shown(one, tmp_path)
    assert states(record) == {
        "Other": "revised",
        "Title 2": "known",
        "Spam, spam": "rejected",
        "The harbour is open": "new",
    }
    assert [record[name] for name in ("new", "revised", "known", "rejected", "duplicates")] == [1, 1, 1, 1, 1]
    rejected, joining = record["entries"][2:]
    assert "title: Spam" in rejected["rule"]
    assert (joining["joins"]["source"], joining["joins"]["title"]) == ("two", "The harbour is open")
    assert joining["written"] == "Wed, 4 Mar 2026 05:06:07 GMT"
    assert all(set(entry) == ENTRY_FIELDS for entry in record["entries"])
    assert "If-None-Match" not in publisher.asked[-1].headers
    assert (tmp_path / "var" / "aggregator.db").read_bytes() == before
    assert record == shown("one", tmp_path) | {name: record[name] for name in ("asked", "ms", "next_due")}


def test_p69_it_leaves_alone_who_was_asked_a_moment_ago(tmp_path: Path) -> None:
    (tmp_path / "feeds.yaml").write_text("sources: [{url: 'http://127.0.0.1:9/', key: one}]\n", encoding="utf-8")
    run("poll", cwd=tmp_path)  # refused before anything is sent; an attempt all the same
    done = run("preview", "one", cwd=tmp_path)
    assert done.returncode == 1
    assert "one was asked at" in done.stderr
    assert done.stdout == ""


def test_any_url_needs_no_feeds_yaml_entry_and_a_file_none_at_all(tmp_path: Path, publisher: FeedServer) -> None:
    url = publisher.serve("/feed", rss(item(1)))
    (tmp_path / "feed.xml").write_bytes(rss(item(1), item(2)))
    assert states(shown("feed.xml", tmp_path)) == {"Title 1": "new", "Title 2": "new"}
    done = run("preview", "feed.xml", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    (tmp_path / "feeds.yaml").write_text(f"{LOOPBACK}sources: ['https://a.example/']\n", encoding="utf-8")
    record = shown(url, tmp_path)
    assert (record["source"]["known"], states(record)) == (False, {"Title 1": "new"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["feed.xml", "feeds.yaml"]


def test_what_is_no_feed_is_told_with_its_code(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<!doctype html><html><body>Back soon</body></html>", encoding="utf-8")
    done = run("preview", "page.html", cwd=tmp_path)
    assert done.returncode == 1
    assert "not_a_feed: " in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    (tmp_path / "feeds.yaml").write_text("sources: [{url: 'https://a.example/', key: alpha}]\n", encoding="utf-8")
    done = run("preview", "alpah", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("did you mean alpha?")) == (2, 1)


def test_a_large_file_is_read_apart(tmp_path: Path) -> None:
    (tmp_path / "large.xml").write_bytes(rss(*(item(n, description="<p>word</p>" * 100) for n in range(400))))
    record = shown("large.xml", tmp_path)
    assert record["new"] + record["beyond_initial"] == 400
    assert record["entries"][0]["written"] is None, "what is written is not looked at here"


@pytest.mark.slow
def test_r27_it_works_beside_a_running_serve(tmp_path: Path, publisher: FeedServer) -> None:
    url = publisher.serve("/feed", rss(item(1)))
    with Running(tmp_path, f"{LOOPBACK}sources: [{{url: '{url}', key: one}}]\n") as running:
        running.wait_for(lambda: b"Title 1" in running.get("category/general.atom")[1])
        assert states(shown("one", tmp_path)) == {"Title 1": "known"}


def a_record(**entry: Any) -> dict[str, Any]:
    entry = dict.fromkeys(ENTRY_FIELDS) | {"title": "T", "text": "", "state": "new", "key": "k"} | entry
    entry |= {name: entry[name] or [] for name in ("authors", "tags", "files", "categories", "kept_out")}
    hints: dict[str, Any] = dict.fromkeys(("retry_after_s", "max_age_s", "ttl_s", "syndication_s"))
    hints |= {"skip_hours": [], "skip_days": []}
    feed = {"title": "F", "format": "rss 2.0", "encoding": "utf-8", "language": None, "link": None, "hints": hints}
    return {
        "source": {"key": "s", "url": None, "known": True},
        "feed": feed | {"notices": [], "left_out": []},
        **{"outcome": "fetched", "status": 200, "bytes": 1, "ms": 1, "error": None},
        **{"next_due": "2026-03-04T05:06:07Z", "new": 1, "duplicates": 0, "entries": [entry]},
    }


@pytest.mark.parametrize("text", ["\x1b[31mred", "\x9b31mred", "a\u202eb", "a\rb"])
def test_s31_a_terminal_is_told_nothing_it_would_obey(text: str) -> None:
    kept = [{"category": text, "rule": text}]
    said = in_words(a_record(title=text, text=text, rule=text, kept_out=kept), "Asia/Shanghai")
    assert all(char == "\n" or char.isprintable() for char in said)
    assert "2026-03-04 13:06 CST" in said


LAMP = (
    "After nine years in a workshop cellar, the lamp of the old lighthouse is back where it belongs. Four people "
    "carried its lens up all of the steps in the early morning, before the wind got up and the ferry came in."
)
FERRY = (
    "The ferry stays in port until Thursday, since its second engine waits for a part from another country. Whoever "
    "has to cross before that may take the bus around the bay, which runs every hour from the market to the mill."
)

OTHER_WORDS = {"in port": "at its pier", "second engine": "main shaft", "has to": "means to", "every hour": "all day"}


@pytest.fixture
def told(tmp_path: Path, publisher: FeedServer) -> Path:
    """`two` has the lamp story of `one` in the same words, `three` the ferry story in other words."""
    other = FERRY
    for here, there in OTHER_WORDS.items():
        other = other.replace(here, there)
    lamp = {"title": "The lamp is back in its lighthouse"}
    ferry = {"title": "No ferry for the rest of the week"}
    feeds = {
        "one": rss(item("lamp", description=LAMP, **lamp), item("ferry", description=FERRY, **ferry)),
        "two": rss(item("2", description=f"HARBOUR (Agency) - {LAMP}", link="https://two.example/2", **lamp)),
        "three": rss(item("3", description=other, link="https://three.example/3", **ferry)),
    }
    lines = [
        f"  - {{url: '{publisher.serve(f'/{key}', body, host=f'127.0.0.{n}')}', key: {key}}}\n"
        for n, (key, body) in enumerate(feeds.items(), 2)
    ]
    site = SampleSite(tmp_path)
    site.clock.now = utc_now()  # by which the command will look at it
    site.writes(f"sources:\n{''.join(lines)}")
    for key in feeds:  # in this order, whoever answers first
        site.poll([key])
    return tmp_path


def under(value: str, source: str, cwd: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(run("preview", source, "--dedupe", value, "--json", cwd=cwd).stdout)
    return record


def pairs(record: dict[str, Any], name: str) -> list[tuple[str, str]]:
    return [(pair["entry"]["title"], pair["other"]["source"]) for pair in record[name]]


def test_a_lower_threshold_brings_together_and_says_how_near(told: Path, publisher: FeedServer) -> None:
    before, asked = (told / "var" / "aggregator.db").read_bytes(), len(publisher.asked)
    for source, other in (("one", "three"), ("three", "one")):
        record = under("{near: 0.7}", source, told)
        assert pairs(record, "merge") == [("No ferry for the rest of the week", other)]
        assert record["part"] == []
    (pair,) = record["merge"]
    assert 0.7 <= pair["similarity"] < 0.85
    assert pair["evidence"] == "nearly the same"
    assert pair["entry"]["story"] != pair["other"]["story"]
    assert under("near", "one", told)["merge"] == [], "as it is"
    assert (told / "var" / "aggregator.db").read_bytes() == before
    assert len(publisher.asked) == asked


@pytest.mark.parametrize("value", ["exact", "off"])
@pytest.mark.parametrize(("source", "other"), [("one", "two"), ("two", "one")])
def test_a_stricter_setting_takes_apart_whichever_came_first(told: Path, value: str, source: str, other: str) -> None:
    record = under(value, source, told)
    assert pairs(record, "part") == [("The lamp is back in its lighthouse", other)]
    assert record["merge"] == []
    (pair,) = record["part"]
    assert pair["entry"]["story"] == pair["other"]["story"]
    assert (record["now"]["dedupe"], record["tried"]["dedupe"]) == ("near", value)


def test_what_another_source_or_a_category_says_for_itself_still_holds(told: Path) -> None:
    text = (told / "feeds.yaml").read_text(encoding="utf-8")
    (told / "feeds.yaml").write_text(text.replace("key: three", "key: three, dedupe: near"), encoding="utf-8")
    assert under("{near: 0.7}", "one", told)["merge"] == []
    assert len(under("{near: 0.7}", "three", told)["merge"]) == 1
    (told / "feeds.yaml").write_text(f"{text}categories: {{general: {{dedupe: exact}}}}\n", encoding="utf-8")
    assert under("{near: 0.7}", "three", told)["merge"] == []


def test_an_operators_word_that_two_differ_outlasts_any_setting(told: Path) -> None:
    (pair,) = under("off", "two", told)["part"]
    done = run("unmerge", pair["other"]["link"], pair["entry"]["link"], cwd=told)
    assert done.returncode == 0, done.stderr
    assert under("{near: 0.1}", "two", told)["merge"] == []


def test_dedupe_in_words_and_what_is_no_setting(told: Path) -> None:
    done = run("preview", "one", "--dedupe", "{near: 0.7, window: 14d}", cwd=told)
    assert done.stdout.startswith("A feed (one): near 0.7 within 14 d, in place of near 0.85 within 7 d")
    assert "(A feed, " in done.stdout, "sources by their titles"
    assert "1 pair would be one story" in done.stdout
    assert "would be joined by: nearly the same, same title, same text; similarity 0." in done.stdout
    for value in ("nea", "{near: 2}", "{near: 0.8", "off}, {url: 'https://b.example/'"):
        done = run("preview", "one", "--dedupe", value, cwd=told)
        assert done.returncode == 2
        assert done.stderr.startswith("aggregator: --dedupe: ")
        assert len(done.stderr.splitlines()) == 1
    assert run("preview", "nobody", "--dedupe", "off", cwd=told).returncode == 2


def test_dedupe_of_a_source_that_was_never_polled(tmp_path: Path) -> None:
    (tmp_path / "feeds.yaml").write_text("sources: [{url: 'https://a.example/', key: a}]\n", encoding="utf-8")
    done = run("preview", "a", "--dedupe", "off", cwd=tmp_path)
    assert done.returncode != 0
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1


def test_p61_pages_and_robots_txt_keep_their_distance(
    sample_site: SampleSite, publisher: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[str] = []

    class Counted(Budgets):
        @contextmanager
        def passage(self, key: str, seconds: float, is_over: Callable[[], bool] = lambda: False) -> Iterator[bool]:
            waited.append(key)
            with super().passage(key, seconds, is_over) as may:
                yield may

    monkeypatch.setattr("aggregator.cli.preview.command.Budgets", Counted)
    publisher.says("/robots.txt", Reply(404))
    more = b'<li><a href=/1>One</a></li><a rel="next" href="/2">More</a>'
    publisher.says("/2", Reply(200, b"<li><a href=/3>Two</a></li>", {"Content-Type": "text/html"}))
    url = publisher.says("/1", Reply(200, more, {"Content-Type": "text/html"}))
    sample_site.writes(f"sources: [{{key: a, kind: html, url: '{url}', items: li, pages: 3}}]\n")
    assert main(["-c", str(sample_site.folder / "feeds.yaml"), "preview", "a"], {}) == 0
    assert [request.path for request in publisher.asked] == ["/robots.txt", "/1", "/2"]
    assert waited == ["127.0.0.1", "127.0.0.1"], "all but the first"


def test_what_a_category_takes_no_more_of_is_shown(
    sample_site: SampleSite, publisher: FeedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    body = json.dumps([{"id": n, "title": f"News {n}", "of": paper} for n, paper in enumerate("xxyx")]).encode()
    sample_site.writes(
        "categories: {x: {limit: 1}, y: {exclude: [{title: News}]}}\nsources: [{key: a, kind: json, "
        f"url: '{publisher.serve('/list', body)}', entry: {{id: id, title: title}}, category: ['{{of}}', z]}}]\n"
    )
    assert main(["-c", str(sample_site.folder / "feeds.yaml"), "preview", "a", "--json"], {}) == 0
    entries = json.loads(capsys.readouterr().out)["entries"]
    assert [entry["categories"] for entry in entries] == [["z", "x"], ["z"], ["z"], ["z"]]
    assert [[kept["rule"] for kept in entry["kept_out"]] for entry in entries] == [
        [],
        ["limit 1"],
        ["exclude title: News"],
        ["limit 1"],
    ]
    assert main(["-c", str(sample_site.folder / "feeds.yaml"), "preview", "a"], {}) == 0
    assert "→ kept out of x by limit 1" in capsys.readouterr().out
