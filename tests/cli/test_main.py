"""Tests of the command line as a process: exit codes, streams, and what `--help` imports."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from aggregator.cli.main import commands
from tests.command import aggregator
from tests.feed_server import FeedServer, Hangs, Reply
from tests.patience import PATIENCE
from tests.sample_site import LOOPBACK, item, rss

HEAVY = (
    "sqlalchemy",
    "alembic",
    "feedparser",
    "feedgen",
    "requests",
    "jinja2",
    "apscheduler",
    "waitress",
    "yaml",
    "nh3",
)


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "aggregator", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=60)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from aggregator.cli import main\n"
        f"for command in {['', *commands()]}:\n"
        "    main([command, '--help'] if command else ['--help'], {})\n"
        f"    print('imported:', command, sorted(set(sys.modules) & {set(HEAVY)!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    said = [line for line in done.stdout.splitlines() if line.startswith("imported:")]
    assert said == [f"imported: {command} []" for command in ("", *commands())]


def test_version_and_help() -> None:
    assert run("--version").stdout.startswith("aggregator 0.")
    shown = run("--help").stdout
    assert all(name in shown for name in commands())


def test_ten_mistakes_are_ten_messages_and_nothing_is_started(tmp_path: Path) -> None:
    (tmp_path / "feeds.yaml").write_text(
        "sitee: {}\n"
        "workers: many\n"
        "serve: {bind: nowhere}\n"
        "publish: {entries: 3}\n"
        "defaults: {every: 5 minuts}\n"
        "categories:\n"
        "  x: {slug: Not A Slug}\n"
        "sources:\n"
        "  - {url: nonsense}\n"
        "  - {url: 'https://a.example/', every: 1m}\n"
        "  - {url: 'https://a.example/'}\n"
        "  - {url: 'https://b.example/${MISSING}'}\n",
        encoding="utf-8",
    )
    for command in ("check", "poll", "serve", "publish"):
        done = aggregator("-c", "feeds.yaml", command, cwd=tmp_path)
        assert done.returncode == 2
        lines = [int(line.split(":")[1]) for line in done.stderr.splitlines()]
        assert lines == [1, 2, 3, 4, 5, 7, 9, 10, 11, 12]
    assert [path.name for path in tmp_path.iterdir()] == ["feeds.yaml"]


@pytest.mark.slow
def test_strict_and_json_and_broken_pipes(tmp_path: Path, publisher: FeedServer) -> None:
    good, bad = publisher.serve("/good", rss(item(1))), publisher.says("/bad", Reply(500, b""))
    (tmp_path / "feeds.yaml").write_text(f"{LOOPBACK}sources: ['{good}', '{bad}']\n", encoding="utf-8")
    loose = run("poll", "--json", cwd=tmp_path)
    strict = run("poll", "--all", "--strict", "--json", cwd=tmp_path)
    assert (loose.returncode, strict.returncode) == (0, 1)
    report = json.loads(loose.stdout)
    assert report["version"] == 1
    assert report["sources"] == report["fetched"] + report["not_modified"] + report["failed"] + report["skipped"] == 2
    assert sorted((row["error"] or "").partition(":")[0] for row in report["results"]) == ["", "http"]
    shell = f"{sys.executable} -m aggregator poll --all --json | true; {sys.executable} -m aggregator check >&-"
    piped = subprocess.run(shell, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Traceback" not in piped.stderr


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_r54_a_signal_ends_a_poll_with_what_was_finished_stored(
    tmp_path: Path, publisher: FeedServer, number: signal.Signals
) -> None:
    good = publisher.serve("/good", rss(item(1)))
    bad = publisher.says("/hangs", Hangs())
    yaml = f"{LOOPBACK}sources: ['{good}', {{url: '{bad}', timeout: 60s}}]\n"
    (tmp_path / "feeds.yaml").write_text(yaml, encoding="utf-8")
    command = [sys.executable, "-m", "aggregator", "-c", str(tmp_path / "feeds.yaml"), "poll", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    publisher.wait_until_asked(2)
    process.send_signal(number)
    out, _ = process.communicate(timeout=PATIENCE)
    report = json.loads(out)
    assert process.returncode == 128 + number
    assert (report["new"], report["failed"], report["skipped"]) == (1, 0, 1)
    assert b"Title 1" in (tmp_path / "public" / "category" / "general.atom").read_bytes()


@pytest.mark.parametrize("place", ["store", "output"])
def test_r8_what_can_t_be_written_ends_with_3(tmp_path: Path, place: str) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder has to be", encoding="utf-8")
    key = "store: sqlite:///blocked/a.db" if place == "store" else "publish: {to: blocked/public}"
    (tmp_path / "feeds.yaml").write_text(f"{key}\nsources: [{{kind: file, url: a.xml}}]\n", encoding="utf-8")
    (tmp_path / "a.xml").write_bytes(rss(item(1)))
    done = aggregator("poll", cwd=tmp_path)
    assert done.returncode == 3
    assert "blocked" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_is_no_store_ends_with_3(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"this is no database, whatever its name says" * 50)
    (tmp_path / "feeds.yaml").write_text("store: sqlite:///a.db\nsources: ['https://a.example/']\n", encoding="utf-8")
    done = aggregator("poll", cwd=tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (3, False)


def test_an_unknown_key_is_named_with_the_nearest(tmp_path: Path) -> None:
    yaml = "sources: [{key: lwn, url: 'https://a.example/', paused: true}]\n"
    (tmp_path / "feeds.yaml").write_text(yaml, encoding="utf-8")
    done = aggregator("poll", "lwm", cwd=tmp_path)
    assert (done.returncode, "did you mean lwn?" in done.stderr) == (2, True)
