"""`plan`: the effects of another feeds.yaml."""

import json
from pathlib import Path
from typing import Any

import pytest

from aggregator.cli.main import main
from tests.fake_source import FakeSource, said
from tests.rows import change
from tests.sample_site import SampleSite

OLD = (
    "categories: {x: {}, y: {}}\nsources:\n"
    "  - {key: one, url: 'https://one.example/feed', category: x}\n"
    "  - {key: two, url: 'https://two.example/feed', category: y, headers: {Authorization: '${TOKEN}'}}\n"
)


@pytest.fixture
def site(tmp_path: Path) -> SampleSite:
    site = SampleSite(tmp_path)
    site.environ["TOKEN"] = "s3cret-token-value"
    site.writes(OLD)
    return site


@pytest.fixture
def polled(site: SampleSite, monkeypatch: pytest.MonkeyPatch) -> SampleSite:
    with site.opened() as app:
        FakeSource(app).says("one", said(1, title="Django"), said(2, title="Sponsored shoes"), said(3))
    monkeypatch.setattr("aggregator.cli.plan.utc_now", site.clock)
    return site


def planned(
    site: SampleSite, yaml: str, capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0
) -> dict[str, Any]:
    """Return the plan for a feeds.yaml with this text."""
    new = site.folder / "new.yaml"
    kept = (site.folder / "feeds.yaml").read_text(encoding="utf-8").partition("\n")[0]
    new.write_text(f"{kept}\n{yaml}", encoding="utf-8")
    capsys.readouterr()
    assert main(["-c", str(site.folder / "feeds.yaml"), "plan", str(new), "--json", *arguments], site.environ) == code
    record: dict[str, Any] = json.loads(capsys.readouterr().out)
    return record


def test_nothing_changes(polled: SampleSite, capsys: pytest.CaptureFixture[str]) -> None:
    record = planned(polled, OLD, capsys, "--exit-code")
    assert record["changes"] is False
    assert main(["-c", str(polled.folder / "feeds.yaml"), "plan"], polled.environ) == 0
    assert "nothing would change" in capsys.readouterr().out


def test_sources_and_categories_come_go_and_change(polled: SampleSite, capsys: pytest.CaptureFixture[str]) -> None:
    new = (
        "categories: {x: {title: Ex}, z: {}}\nsources:\n"
        "  - {key: uno, was: one, url: 'https://one.example/feed', category: x, every: 2h, encoding: gb18030}\n"
        "  - {key: three, url: 'https://three.example/feed', category: z}\n"
    )
    record = planned(polled, new, capsys, "--exit-code", code=1)
    assert [each["key"] for each in record["sources"]["added"]] == ["three"]
    assert record["sources"]["removed"] == ["two"]
    (changed,) = record["sources"]["changed"]
    assert (changed["key"], changed["was"], changed["is_asked"]) == ("uno", "one", True)
    assert {change["name"]: (change["old"], change["new"]) for change in changed["changes"]} == {
        "every": (None, "2h"),
        "encoding": (None, "gb18030"),
    }
    assert (record["categories"]["added"], record["categories"]["removed"]) == (["z"], ["y"])
    assert record["categories"]["changed"][0]["changes"] == [{"name": "title", "old": "x", "new": "Ex"}]


def test_what_is_asked_beside_a_list_is_said_as_feeds_yaml_says_it(
    polled: SampleSite, capsys: pytest.CaptureFixture[str]
) -> None:
    api = "  - {{key: api, url: 'https://api.example/list?{query}', kind: json, items: data{more}}}\n"
    plain = OLD + api.format(query="p=1", more=", entry: {id: id, title: name}")
    polled.writes(plain)
    with polled.opened():
        pass
    paged = api.format(
        query="p={page}",
        more=", entry: {id: id, title: head}, next: more, pages: 3, page: {from: 1, by: 20}"
        ", detail: {url: 'https://api.example/{id}', content: text}",
    )
    (changed,) = planned(polled, OLD + paged, capsys)["sources"]["changed"]
    assert {change["name"]: (change["old"], change["new"]) for change in changed["changes"]} == {
        "entry": ("id: id, title: name", "id: id, title: head"),
        "next": (None, "more"),
        "page": (None, "{from: 1, by: 20}"),
        "detail": (None, "given"),
        "pages": ("0", "3"),
    }


def test_s44_no_secret_is_shown(polled: SampleSite, capsys: pytest.CaptureFixture[str]) -> None:
    polled.environ["OTHER"] = "another-s3cret"
    record = planned(polled, OLD.replace("TOKEN", "OTHER"), capsys)
    assert [change["name"] for change in record["sources"]["changed"][0]["changes"]] == ["headers"]
    assert "s3cret" not in json.dumps(record)


def test_n2_what_a_source_brings_into_a_category(polled: SampleSite, capsys: pytest.CaptureFixture[str]) -> None:
    record = planned(polled, OLD.replace("category: x", "category: [x, y]"), capsys)
    assert record["fills"] == [{"source": "one", "category": "y", "entries": 3, "in_main": 3}]


def test_rules_judge_the_last_week(polled: SampleSite, capsys: pytest.CaptureFixture[str]) -> None:
    rules = (
        "category: x, exclude: [{title: Sponsored}], route: [{when: {title: Django}, to: y}], "
        "rewrite: [{title: {replace: '^Title', with: Item}}]"
    )
    edited = OLD.replace("category: x", rules)
    record = planned(polled, edited, capsys)
    said = {change["name"] for change in record["sources"]["changed"][0]["changes"]}
    assert said == {"exclude", "route", "rewrite"}, "as feeds.yaml has them"
    (ruled,) = record["rules"]
    assert (ruled["source"], ruled["looked_at"]) == ("one", 3)
    found = {entry["title"]: entry for entry in ruled["entries"]}
    assert (found["Django"]["does"], found["Django"]["enters"]) == ("move", ["y"])
    assert (found["Sponsored shoes"]["does"], found["Sponsored shoes"]["rule"]) == (
        "withdraw",
        "exclude title: Sponsored",
    )
    assert (found["Title 3"]["does"], found["Title 3"]["new_title"]) == ("rewrite", "Item 3")
    polled.clock.move(days=8)
    assert planned(polled, edited, capsys)["rules"] == [], "older ones are left to publish --rules"


def test_it_writes_nothing_and_names_its_own_file(polled: SampleSite, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in (polled.folder / "var").iterdir()}
    planned(polled, OLD.replace("category: x", "category: q"), capsys)
    assert {path: path.read_bytes() for path in (polled.folder / "var").iterdir()} == before
    (polled.folder / "bad.yaml").write_text("sources: []\n", encoding="utf-8")
    bad = str(polled.folder / "bad.yaml")
    assert main(["-c", str(polled.folder / "feeds.yaml"), "plan", bad], polled.environ) == 2
    assert "bad.yaml:1" in capsys.readouterr().err


def test_without_a_store_everything_is_new(site: SampleSite, capsys: pytest.CaptureFixture[str]) -> None:
    record = planned(site, OLD, capsys)
    assert record["first"]
    assert [each["key"] for each in record["sources"]["added"]] == ["one", "two"]
    assert main(["-c", str(site.folder / "feeds.yaml"), "plan"], site.environ) == 0
    assert "went live for the first time" in capsys.readouterr().out


def test_a_category_with_a_new_key_is_renamed_and_its_feed_goes_on(
    polled: SampleSite, capsys: pytest.CaptureFixture[str]
) -> None:
    new = OLD.replace("{x: {}, y: {}}", "{xx: {was: x, title: Ex}, y: {}}").replace("category: x", "category: xx")
    record = planned(polled, new, capsys, "--exit-code", code=1)
    assert (record["categories"]["added"], record["categories"]["removed"], record["fills"]) == ([], [], [])
    (changed,) = record["categories"]["changed"]
    assert (changed["key"], changed["was"], changed["feed"], changed["returns"]) == ("xx", "x", "category/x", False)
    assert {change["name"] for change in changed["changes"]} == {"title"}
    main(["-c", str(polled.folder / "feeds.yaml"), "plan", str(polled.folder / "new.yaml")], polled.environ)
    assert "~ category xx, which was x: category/x.* with its ids and archive goes on" in capsys.readouterr().out
    polled.writes(new)
    with polled.opened() as app:
        app.publisher.publish()
    assert polled.titles("category/x.atom") == ["Django", "Sponsored shoes", "Title 3"], "as it was told"
    assert not (polled.folder / "public/category/xx.atom").exists()


def test_a_category_that_comes_back_is_no_new_one(polled: SampleSite, capsys: pytest.CaptureFixture[str]) -> None:
    polled.writes(OLD.replace("category: x", "category: y").replace("{x: {}, y: {}}", "{y: {}}"))
    with polled.opened():
        pass
    record = planned(polled, OLD, capsys)
    assert record["categories"]["added"] == []
    assert [(c["key"], c["was"], c["returns"]) for c in record["categories"]["changed"]] == [("x", None, True)]
    main(["-c", str(polled.folder / "feeds.yaml"), "plan", str(polled.folder / "new.yaml")], polled.environ)
    assert "~ category x, which is back: category/x.*" in capsys.readouterr().out


def test_k2_a_shorter_keep_says_how_many_texts_it_would_take(
    polled: SampleSite, capsys: pytest.CaptureFixture[str]
) -> None:
    """Texts in a main document, and of entries that are still listed, would stay."""
    polled.writes(OLD + "publish: {entries: 10, archive_page: 10, formats: [atom]}\n")
    with polled.opened() as app:
        for numbers in (range(10), range(10, 20)):
            FakeSource(app).says("two", *(said(f"t{number}") for number in numbers))
            app.publisher.publish()
            polled.clock.move(days=1)
        FakeSource(app).says("two", said("t0"), said("t19"))
    polled.clock.move(days=40)
    shorter = (polled.folder / "feeds.yaml").read_text(encoding="utf-8").partition("\n")[2]
    record = planned(polled, f"defaults: {{keep: 30d}}\n{shorter}", capsys)
    assert record["thins"] == [{"source": "two", "keep": "30d", "entries": 9}]
    command = ["-c", str(polled.folder / "feeds.yaml"), "plan", str(polled.folder / "new.yaml")]
    assert main(command, polled.environ) == 0
    assert ") keeps texts for 30d: those of 9 stored entries would leave" in capsys.readouterr().out
    assert planned(polled, f"defaults: {{keep: 60d}}\n{shorter}", capsys)["thins"] == []


RENAMED = OLD.replace("{x: {}, y: {}}", "{xx: {}, y: {}}").replace("category: x", "category: xx")


def test_a_category_renamed_without_was_is_told_with_what_to_write(
    polled: SampleSite, capsys: pytest.CaptureFixture[str]
) -> None:
    record = planned(polled, RENAMED, capsys)
    (left,) = record["categories"]["left"]
    assert (left["key"], left["was"], left["feed"], left["sources"]) == ("xx", "x", "category/x", ["one"])
    files = ["-c", str(polled.folder / "feeds.yaml"), "plan", str(polled.folder / "new.yaml")]
    assert main(files, polled.environ) == 0
    words = (
        'every source of category "x" moves to the new category "xx", and readers of category/x.* would get nothing '
        'new; if it is the same category, write "xx": {was: "x"} under categories:'
    )
    assert f"  ! {words}\n" in capsys.readouterr().out
    polled.writes(RENAMED)
    assert main(["-c", str(polled.folder / "feeds.yaml"), "check", "--json"], polled.environ) == 0
    warnings = json.loads(capsys.readouterr().out)["warnings"]
    assert f"{polled.folder}/feeds.yaml:4:1: {words}" in warnings
    polled.writes(RENAMED.replace("xx: {}", "xx: {was: x}"))
    assert main(["-c", str(polled.folder / "feeds.yaml"), "check"], polled.environ) == 0
    assert "was:" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("new", "left"),
    [
        pytest.param(RENAMED.replace("{xx: {}", "{xx: {was: x}"), [], id="said"),
        pytest.param(RENAMED.replace("{xx: {}", "{x: {}, xx: {}"), [("x", "xx", True)], id="still-declared"),
        pytest.param(OLD.replace("category: x", "category: y"), [], id="to-one-that-was-there"),
        pytest.param(OLD.replace("category: x", "category: [x, xx]"), [], id="it-stays-too"),
        pytest.param(OLD.replace("category: x", "category: [xx, xxx]"), [], id="to-two"),
        pytest.param(RENAMED.replace("category: y", "category: xx"), [("x", "xx", False)], id="two-become-one"),
        pytest.param(RENAMED.replace("{key: one,", "{key: uno, was: one,"), [("x", "xx", False)], id="source-renamed"),
        pytest.param(OLD.replace("  - {key: one", "#"), [], id="source-removed"),
    ],
)
def test_only_what_all_sources_leave_for_one_new_category_counts(
    polled: SampleSite, capsys: pytest.CaptureFixture[str], new: str, left: list[tuple[str, str, bool]]
) -> None:
    found = planned(polled, new, capsys)["categories"]["left"]
    assert [(one["was"], one["key"], "in place of" in one["advice"]) for one in found] == left


def test_a_source_that_comes_back_is_no_new_one(polled: SampleSite, capsys: pytest.CaptureFixture[str]) -> None:
    two = "  - {key: two, url: 'https://two.example/feed', category: y, headers: {Authorization: '${TOKEN}'}}\n"
    without, moved = (
        OLD.replace("  - {key: one, url: 'https://one.example/feed', category: x}\n", ""),
        "category: [x, y]",
    )
    assert without.endswith(two)
    polled.writes(without)
    with polled.opened():
        pass
    for named in ("key: one", "key: uno, was: one", "key: uno, was: 'https://one.example/feed'"):
        sources = OLD.replace("key: one", named).replace("category: x", moved)
        record = planned(polled, sources, capsys)
        assert record["sources"]["added"] == []
        (back,) = record["sources"]["changed"]
        assert (back["returns"], back["was"]) == (True, None if named == "key: one" else "one")
        assert [(fill["category"], fill["entries"]) for fill in record["fills"]] == [("y", 3)], "x had them before"
    told = planned(polled, OLD.replace("one.example/feed", "one.example/other"), capsys)["sources"]["changed"]
    assert [back["is_asked"] for back in told] == [True], "another address is polled at once"


def test_an_address_that_is_in_use_already_is_not_polled_at_once(
    polled: SampleSite, capsys: pytest.CaptureFixture[str]
) -> None:
    change(polled.folder, "UPDATE source SET url_in_use = 'https://new.example/feed' WHERE key = 'one'")
    for address, is_asked in (("new.example/feed", False), ("third.example/feed", True)):
        (changed,) = planned(polled, OLD.replace("one.example/feed", address), capsys)["sources"]["changed"]
        assert changed["is_asked"] is is_asked


def test_files_that_would_be_removed_are_told_feeds_first(
    polled: SampleSite, capsys: pytest.CaptureFixture[str]
) -> None:
    polled.writes("publish: {formats: [atom, rss, html], aliases: {old.xml: category/x.rss}}\n" + OLD)
    polled.poll()
    files = {path.relative_to(polled.folder / "public").as_posix() for path in polled.folder.glob("public/**/*.*")}
    assert {"category/x.rss", "old.xml", "source/one.html"} <= files
    assert planned(polled, "publish: {formats: [atom, rss, html]}\n" + OLD, capsys)["leaving"] == {
        "paths": ["old.xml"],
        "story_pages": 0,
    }
    record = planned(polled, "publish: {formats: [atom]}\n" + OLD, capsys)
    assert {"all.rss", "category/x.rss", "category/y.rss", "old.xml", "source/one.html"} <= {
        *record["leaving"]["paths"]
    }
    assert "category/x.atom" not in record["leaving"]["paths"]
    assert record["leaving"]["story_pages"] == 3
    assert main(["-c", str(polled.folder / "feeds.yaml"), "plan", str(polled.folder / "new.yaml")], polled.environ) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "! 3 feeds would be removed, and their subscribers get 404: all.rss, category/x.rss, category/y.rss" in out
