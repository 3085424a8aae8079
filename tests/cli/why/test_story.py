"""Tests of earlier wordings in `why`: times, fields, and differences."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aggregator.cli import main
from aggregator.cli.why.story import COMPARED, changed_fields, text_changes
from aggregator.model.trail import Wording
from tests.fake_source import FakeSource, said
from tests.identify.pairs import language
from tests.sample_site import SampleSite

LAMP = "The lamp was dark since 2017, and some had brought their children."


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        pytest.param(
            LAMP,
            LAMP.replace("2017", "2018"),
            ["“The lamp was dark since 2017, and some had brought their…” became "
             "“The lamp was dark since 2018, and some had brought their…”"],
            id="a-word",
        ),
        pytest.param(LAMP, LAMP + " Or so we hear.",
                     ["“Or so we hear.” added after “…some had brought their children.”"], id="at-the-end"),
        pytest.param(f"Sponsored. {LAMP}", LAMP, ["“Sponsored.” left out at the beginning"], id="left-out"),
        pytest.param("上海公司今日公告，利润为十亿元，同比增长。", "上海公司今日公告，利润为十二亿元，同比增长。",
                     ["“二” added after “…，利润为十”"], id="chinese-by-the-character"),
        pytest.param("", "All new.", ["“All new.” added at the beginning"], id="from-nothing"),
        pytest.param("<p>One <b>two</b></p>", "<p>One two</p>",
                     ["the same words; its links, pictures or markup changed"], id="markup"),
        pytest.param("a b c d e f g h i", "A b C d E f G h I",
                     ["“a b c d e f…” became “A b C d E f…”", "“a b c d e f g h…” became “A b C d E f G h…”",
                      "“a b c d e f g h i” became “A b C d E f G h I”", "and 2 changes more"], id="many"),
    ],
)  # fmt: skip
def test_a_change_is_told_in_words(before: str, after: str, words: list[str]) -> None:
    assert list(text_changes(before, after)) == words


def test_two_long_texts_with_nothing_in_common_are_one_change_at_once() -> None:
    (told,) = text_changes("old " * 20 * COMPARED, "new " * 20 * COMPARED)
    assert len(told) < 300


def test_fields_are_named_as_readers_know_them() -> None:
    one = Wording(title="A", link=None, summary="", content="", authors=("Bea",), tags=(), enclosures=())
    assert changed_fields(one, one) == []
    other = replace(one, title="B", authors=("Cy",), tags=("news",))
    assert changed_fields(one, other) == ["title", "authors", "tags"]


def test_why_shows_the_wordings_of_each_entry(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = SampleSite(tmp_path)
    site.writes("sources: [{key: a, url: 'https://a.example/'}]")
    with site.opened() as app:
        fake_source = FakeSource(app)
        for title, text in (("Lamp", LAMP), ("Lamp", LAMP.replace("2017", "2018")), ("The lamp", LAMP)):
            fake_source.says("a", said(1, title=title, text=f"<p>{text}</p>"))
            site.clock.move(hours=1)
    assert main(["-c", str(tmp_path / "feeds.yaml"), "why", "item-1"], {}) == 0
    told = capsys.readouterr().out
    assert "    revised 2026-03-04 13:00: content\n      content: “The lamp was dark since 2017, and" in told
    assert "    revised 2026-03-04 14:00: title, content\n      title: “Lamp” became “The lamp”\n" in told
    assert "entry 1 (Feed a) was revised by its source: title, content (before: “Lamp”)" in told
    assert main(["-c", str(tmp_path / "feeds.yaml"), "why", "item-1", "--json"], {}) == 0
    (story,) = json.loads(capsys.readouterr().out)["found"]
    first, second = story["entries"][0]["earlier"]
    expected: dict[str, Any] = {"title": "Lamp", "summary": "", "authors": [], "tags": [], "enclosures": []}
    expected["link"] = "https://news.example/1"
    assert first == expected | {
        "until": "2026-03-04T13:00:00Z",
        "fields": ["content"],
        "content": f"<p>{LAMP}</p>",
    }
    assert (second["until"], second["fields"]) == ("2026-03-04T14:00:00Z", ["title", "content"])


def test_why_compares_two_entries_as_a_poll_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = SampleSite(tmp_path)
    site.writes(
        "sources: [{key: a, url: 'https://a.example/'}, {key: b, url: 'https://b.example/', dedupe: {near: 0.9}}]"
    )
    words = language("en")["paragraphs"]
    one, other = "".join(words), "".join([words[0].replace("47", "52"), *words[1:]])
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("a", said(1, title="Ferry sails", text=one, link="https://a.example/1"))
        site.clock.move(days=2)
        fake_source.says("b", said(2, title="Ferry sails", text=other, link="https://b.example/2"))
    config = str(tmp_path / "feeds.yaml")
    assert main(["-c", config, "why", "https://a.example/1", "https://b.example/2"], {}) == 0
    told = capsys.readouterr().out
    assert told.startswith("Two stories: Ferry sails / Ferry sails\n")
    assert "because of “numbers differ in the texts”; similarity 1.00, at least 0.9 is required" in told
    assert "titles: the same but for what sites add" in told
    assert "2 numbers differ\n" in told
    assert main(["-c", config, "why", "https://a.example/1", "https://b.example/2", "--json"], {}) == 0
    (pair,) = json.loads(capsys.readouterr().out)["found"]
    assert (pair["kind"], pair["one_story"], pair["matches_now"]) == ("pair", False, False)
    assert [each["source"] for each in pair["entries"]] == ["a", "b"]
    assert main(["-c", config, "why", "https://a.example/1", "a"], {}) == 2
    assert "nothing is called https://a.example/1 or a, or not an entry" in capsys.readouterr().err
