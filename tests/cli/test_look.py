"""Tests of what commands write to a terminal, and that a pipe gets none of it."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from aggregator.cli.look import bar_line, columns_of, laid_out, sparkline
from tests.command import aggregator
from tests.feed_server import FeedServer, Reply
from tests.sample_site import LOOPBACK, item, rss

ESCAPE = re.compile(r"\x1b\[[0-9;]*[mK]")
TITLE = "新闻发布会介绍了有关情况和全省经济运行总体平稳的报道以及稳中有进的形势分析与展望的长长的标题"


def on_a_terminal(folder: Path, *arguments: str, **environ: str) -> str:
    """Return what a command writes to a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "aggregator", "-c", str(folder / "feeds.yaml"), *arguments]
    inherited = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
    environment = inherited | {"TERM": "xterm", "COLUMNS": "80"} | environ
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    parts = []
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the last process that had it open has ended
            break
        if not part:
            break
        parts.append(part)
    os.close(ours)
    process.wait()
    return b"".join(parts).decode().replace("\r\n", "\n")


@pytest.fixture
def planet(tmp_path: Path, publisher: FeedServer) -> Path:
    good, bad = publisher.serve("/good", rss(item(1), title=TITLE)), publisher.says("/bad", Reply(500))
    text = f"{LOOPBACK}sources:\n  - {{url: '{good}', key: good}}\n  - {{url: '{bad}', key: bad}}\n"
    (tmp_path / "feeds.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def test_a_terminal_gets_a_bar_rows_that_fit_and_colours(planet: Path) -> None:
    shown = on_a_terminal(planet, "check", "--live")
    assert "\r\x1b[K[############------------] 1 of 2 sources checked" in shown
    assert "\x1b[31mfailed\x1b[0m   \x1b[1m127.0.0.1:" in shown
    rows = ESCAPE.sub("", shown.rpartition("\r\x1b[K")[2]).splitlines()
    assert max(map(columns_of, rows)) <= 80
    piped = aggregator("-c", str(planet / "feeds.yaml"), "check", "--live").stdout
    assert "\x1b" not in piped
    assert max(map(len, piped.splitlines())) > 80
    assert TITLE in piped

    def words_of(text: str) -> str:
        return re.sub(r"\s+|\d+ ms", "", text)

    assert words_of("\n".join(rows)) == words_of(piped), "the same words"


def test_what_takes_long_shows_how_far_it_is(planet: Path) -> None:
    assert re.search(r"\] \d of 2 sources polled", on_a_terminal(planet, "poll"))
    shown = on_a_terminal(planet, "publish", "--all")
    total = int(re.findall(r"\[#*-*\] [\d,]+ of (\d+) files written", shown)[-1])
    published = [path for path in (planet / "public").rglob("*") if path.is_file() and path.suffix != ".gz"]
    assert total == len(published), "the last bar is full"
    (planet / "var").rename(planet / "old")
    shown = on_a_terminal(planet, "restore", "--from-site", str(planet / "public"))
    assert "documents read" in shown
    assert "files written" in shown
    assert "restored 1 story in 1 category, 1 entry\n" in shown


def test_no_colour_where_none_is_wanted_and_json_is_not_laid_out(planet: Path) -> None:
    for environ in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        shown = on_a_terminal(planet, "check", "--live", **environ)
        assert "\x1b[3" not in shown
        assert "\x1b[1m" not in shown
    record = on_a_terminal(planet, "check", "--json")
    assert record.splitlines()[-1].startswith('{"version": 1')


@pytest.mark.parametrize(
    ("line", "rows"),
    [
        ("short", ["short"]),
        ("", [""]),
        ("one two three four five six seven eight nine ten", ["one two three four five six seven eight", "  nine ten"]),
        ("ok       one two three four five six seven", ["ok       one two three four five six", "         seven"]),
        ("fine   disk      one two three four five six", ["fine   disk      one two three four five", "       six"]),
        ("+ one two three four five six seven eight nine ten",) * 2,
        ("2026-01-02T03:04:05Z warning poll_source source=lwn",) * 2,
        ("https://a.example/an/address/is/never/broken/in/two", "https://a.example/an/address/is/never/broken/in/two"),
        (
            "新闻发布会介绍了有关情况和全省经济运行总，体平稳",
            ["新闻发布会介绍了有关情况和全省经济运行", "  总，体平稳"],
        ),
    ],
)
def test_lines_are_broken_at_words(line: str, rows: list[str] | str) -> None:
    assert laid_out(line, 40, has_colours=False) == ([rows] if isinstance(rows, str) else rows)


def test_status_draws_a_month_on_a_terminal_alone(planet: Path) -> None:
    aggregator("-c", str(planet / "feeds.yaml"), "poll")
    shown = on_a_terminal(planet, "status")
    assert f"\n  {'▁' * 29}█  new entries a day, 1 at most\n  {'▁' * 29}█  failed polls a day, 1 at most\n" in shown
    one = on_a_terminal(planet, "status", "bad")
    assert f"\n  {'▁' * 29}█  failed polls a day, 1 at most\n" in one
    assert max(columns_of(ESCAPE.sub("", row)) for row in one.splitlines()) <= 80
    assert re.search(r"(?m)^  \d\d-\d\d \d\d:\d\d  failed +500", one)
    for arguments in (["status"], ["status", "bad"]):
        assert "▁" not in aggregator("-c", str(planet / "feeds.yaml"), *arguments).stdout


def test_a_sparkline_has_its_lowest_column_for_nothing_alone() -> None:
    assert sparkline([0, 1, 50, 100]) == "▁▂▅█"
    assert sparkline([0, 0]) == "▁▁"


def test_the_text_of_a_bar() -> None:
    assert bar_line("feeds read", 1200, 0, 9.0) == "feeds read: 1,200"
    assert bar_line("feeds read", 0, 9, 0.0) == "[------------------------] 0 of 9 feeds read"
    assert bar_line("feeds read", 1200, 2400, 60.0) == (
        "[############------------] 1,200 of 2,400 feeds read, 60 s left"
    )
