"""Tests of reports about many sources: worst first, similar lines folded (R67)."""

import logging
import shutil
from pathlib import Path

import pytest

from aggregator.cli.main import main
from aggregator.cli.status import in_words
from aggregator.cli.terminal import FEW, alarm_lines, called, folded
from aggregator.model.alarm import Alarm, AlarmCode
from aggregator.model.settings import SourceKey
from tests.cli.test_status import run
from tests.fake_source import FakeSource, said
from tests.feed_server import FeedServer, Reply
from tests.sample_site import LOOPBACK, START, SampleSite, item, rss


def test_few_are_told_one_by_one_and_many_are_folded() -> None:
    def told(count: int) -> list[str]:
        return folded(range(count), lambda number: [str(number)], "and {}")

    assert told(FEW) == ["0", "1", "2", "3", "4"]
    assert told(FEW + 1) == ["0", "1", "2", "and 3 more sources"]
    assert told(0) == []


def test_alarms_are_told_worst_first_and_by_name() -> None:
    alarms = [
        Alarm(code=AlarmCode.SILENT, source=SourceKey(f"s{number}"), text="quiet", since=START) for number in range(6)
    ]
    alarms += [Alarm(code=AlarmCode.DEAD, source=SourceKey("d"), text="no success", since=START)]
    alarms += [Alarm(code=AlarmCode.OUTPUT, text="no room", since=START)]
    assert alarm_lines(alarms, {SourceKey("d"): "Daily (d)"}, "status --all") == [
        "  alarm output: all: no room",
        "  alarm dead: Daily (d): no success",
        "  alarm silent: s0: quiet",
        "  alarm silent: s1: quiet",
        "  alarm silent: s2: quiet",
        "  alarm silent: and 3 more sources; `status --all` lists all",
    ]
    assert len(alarm_lines(alarms, {})) == 8, "where nothing else lists them, none is folded"


def test_a_source_is_called_by_its_name_with_what_it_takes_to_find_it() -> None:
    assert called("Daily", "d-1234", 7) == "Daily (d-1234, line 7)"
    assert called("d", "d") == "d"


@pytest.fixture
def many(tmp_path: Path) -> SampleSite:
    site = SampleSite(tmp_path)
    names = [f"old{number:02}" for number in range(27)] + [f"bad{number}" for number in range(7)] + ["alone"]
    site.writes("sources:\n" + "".join(f"  - {{key: {key}, url: 'https://{key}.example/feed'}}\n" for key in names))
    return site


def test_status_tells_failures_before_silent_sources_and_folds_both(many: SampleSite) -> None:
    with many.opened() as app:
        fake_source = FakeSource(app)
        for number in range(27):
            key = f"old{number:02}"
            fake_source.says(key, said(key, published=START.replace(year=2020)), title=f"The {key}")
        fake_source.fails("alone", "tls")
        for number in range(7):
            fake_source.fails(f"bad{number}", "dns")
        status = app.store.status(app.in_force.roster, app.clock())
    lines = in_words(status).splitlines()
    heads = [line.split()[:3] for line in lines if not line.startswith("   ")]
    kinds = [head[0] if head[0] != "alarm" else f"alarm {head[1]}" for head in heads]
    assert kinds[2:] == ["failing"] * 4 + ["alarm silent:"] * 4 + ["27", "category/general:"]
    assert "           and 4 more sources failing with dns; `aggregator status --all` lists all" in lines
    assert "  alarm silent: The old00 (old00): no new entry since 2020-03-04" in lines
    assert "  alarm silent: and 24 more sources; `aggregator status --all` lists all" in lines
    assert "  27 sources without trouble: 27 silent; `aggregator status --all` lists all" in lines
    everything = in_words(status, folds=False).splitlines()
    assert sum(line.startswith("  alarm silent: ") for line in everything) == 27
    assert sum(line.startswith("  failing ") for line in everything) == 8
    assert sum(line.startswith("  silent ") for line in everything) == 27


def test_poll_tells_each_failure_once(tmp_path: Path, publisher: FeedServer) -> None:
    lines = []
    for number in range(7):
        publisher.says(f"/{number}", Reply(404))
        lines.append(f"  - {{key: bad{number}, url: '{publisher.url(f'/{number}')}'}}\n")
    (tmp_path / "feeds.yaml").write_text(f"{LOOPBACK}sources:\n{''.join(lines)}", encoding="utf-8")
    done = run(tmp_path, "poll")
    assert "poll_source" not in done.stderr
    told = [line for line in done.stdout.splitlines() if "not_found" in line]
    place = publisher.url("/0").removeprefix("http://")
    assert told[0] == f"  {place} (bad0, line 3): not_found: {publisher.url('/0')}: HTTP 404"
    assert told[3:] == ["  not_found: and 4 more sources; `aggregator status --all` lists all"]
    assert run(tmp_path, "status", "--all").stdout.count(": HTTP 404") == 7
    for folder in ("var", "public"):
        shutil.rmtree(tmp_path / folder)
    assert run(tmp_path, "poll", "--json").stderr.count("warning poll_source source=bad") == 7


def test_a_publication_is_one_line_of_the_log(
    tmp_path: Path, publisher: FeedServer, caplog: pytest.LogCaptureFixture
) -> None:
    site = SampleSite(tmp_path)
    site.writes(f"sources: ['{publisher.serve('/feed', rss(item(1), item(2)))}']\n")
    caplog.set_level(logging.DEBUG, logger="aggregator.publish")
    report = site.poll()
    written = [record for record in caplog.records if record.message == "write_output"]
    assert {record.levelname for record in written} == {"DEBUG"}
    assert len(written) == len(report["published"])
    (line,) = (record for record in caplog.records if record.message == "write_outputs")
    assert (line.levelname, vars(line)["files"], vars(line)["posts"]) == ("INFO", len(written), 0)
    caplog.clear()
    assert main(["-c", str(tmp_path / "feeds.yaml"), "status", "--all"], {}) == 0
