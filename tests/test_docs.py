"""Runs the commands of README and docs/."""

import json
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl
from uuid import UUID

import pytest

from aggregator.cli.completion import SHELLS
from aggregator.cli.preview.text import STATES
from aggregator.config import load_config
from aggregator.config.loader import read_config
from aggregator.dry_run.replay import KINDS
from aggregator.model.alarm import Alarm, AlarmCode
from aggregator.model.poll import State
from aggregator.model.status import Figures, Lag
from aggregator.render.alarm_words import record_of
from aggregator.serve.metrics import Meter
from aggregator.store.status import ADVICE
from tests.command import aggregator
from tests.feed_server import FeedServer, Reply
from tests.patience import PATIENCE
from tests.rows import change
from tests.running import Running
from tests.sample_site import LOOPBACK, START, SampleSite, item, rss, shows_states

ROOT = Path(__file__).parents[1]
DOCS = ("cron.md", "service.md", "subscribe.md")


def blocks(text: str, language: str) -> Iterator[str]:
    """Return the fenced blocks of a language, without the indentation of a list."""
    for indent, body in re.findall(rf"^( *)```{language}\n(.*?)^ *```", text, re.S | re.M):
        yield re.sub(rf"^{indent}", "", body, flags=re.M)


def commands(name: str) -> list[str]:
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    return [line for block in blocks(text, "sh") for line in block.splitlines() if line]


def typed(line: str, folder: Path) -> str:
    """Run a command of ours that names no more than itself and its arguments; gives what it prints."""
    name, *arguments = shlex.split(line)
    assert name == "aggregator"
    assert not set("|>&;") & set(line), "this takes a shell"
    done = aggregator(*arguments, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def planet(tmp_path: Path) -> Path:
    """A folder with the feeds.yaml that comes with the program, and the samples alone, which need no network."""
    return make_planet(tmp_path)


def make_planet(folder: Path) -> Path:
    shutil.copytree(ROOT / "samples", folder / "samples")
    text = (ROOT / "feeds.yaml").read_text(encoding="utf-8")
    (folder / "feeds.yaml").write_text(re.sub(r"(?m)^  - \{url:.*\n", "", text), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def polled_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    planet = make_planet(tmp_path_factory.mktemp("polled"))
    typed("aggregator poll", planet)
    return planet


@pytest.fixture
def polled(polled_once: Path, tmp_path: Path) -> Path:
    """The planet after its first `aggregator poll`."""
    shutil.copytree(polled_once, tmp_path, dirs_exist_ok=True)
    for name in ("folder", "config_path"):
        statement = f"UPDATE store SET {name} = replace({name}, :old, :new)"
        change(tmp_path, statement, old=str(polled_once), new=str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    "line",
    sorted(
        {line for name in ("cron.md", "politeness.md", "keep.md") for line in commands(name) if " serve" not in line}
    ),
)
def test_what_cron_md_politeness_md_and_keep_md_say_to_type(polled: Path, line: str) -> None:
    typed(line, polled)


def test_the_crontab_of_cron_md_mails_what_needs_a_hand_and_nothing_else(planet: Path) -> None:
    (table,) = blocks((ROOT / "docs" / "cron.md").read_text(encoding="utf-8"), "crontab")
    program = f"{sys.executable} -m aggregator"
    lines = [line.split(maxsplit=5)[5] for line in table.splitlines() if line[0] in "0123456789*"]
    run, look = (
        re.sub(r"/srv/planet/\S*/aggregator", program, line).replace("/srv/planet", str(planet)) for line in lines
    )

    def mailed(line: str) -> tuple[int, str]:
        done = subprocess.run(line, shell=True, capture_output=True, text=True, timeout=PATIENCE, check=False)
        return done.returncode, done.stdout + done.stderr

    assert mailed(run) == (0, "")
    assert mailed(look) == (0, "")
    (planet / "public/index.html").unlink()
    (planet / "public/index.html").mkdir()
    assert mailed(run) == (3, "")
    code, said = mailed(look)
    assert code == 1
    assert said.startswith("  alarm output: all: index.html")
    assert "→ Correct the named file" in said
    (planet / "feeds.yaml").write_text("sources: 5", encoding="utf-8")
    code, said = mailed(look)
    assert code == 1
    assert f"{planet}/feeds.yaml:1:10: " in said


def test_what_service_md_and_subscribe_md_say_to_type(planet: Path) -> None:
    assert commands("service.md") == ["aggregator -c feeds.yaml serve", "aggregator -c feeds.yaml status"]
    text = (planet / "feeds.yaml").read_text(encoding="utf-8").replace("serve: {bind: 127.0.0.1:8080}\n", "")
    with Running(planet, text) as running:
        running.wait_for(lambda: b"<entry" in running.get("category/harbour.atom")[1])
        shown = subprocess.run(
            running.command("status"), check=True, capture_output=True, text=True, timeout=PATIENCE
        ).stdout
        assert "6 sources, 0 in trouble" in shown
        answers = []
        for line in commands("subscribe.md"):
            here = line.replace("127.0.0.1:8080", f"127.0.0.1:{running.port}")
            answers.append(subprocess.run(here, shell=True, check=True, capture_output=True, text=True).stdout)
        assert "<feed" in answers[0]
        assert answers[1] == "304\n"


def test_the_sample_planet_says_what_to_do_next_and_shows_every_kind_of_story(polled: Path) -> None:
    public = polled / "public"
    start = (public / "index.html").read_text(encoding="utf-8")
    assert "This is a sample planet" in start
    assert re.search(r"<h3[^>]*><a [^>]*>Make this planet yours</a>", start)
    steps = (public / "category/start.html").read_text(encoding="utf-8")
    assert "<pre" in steps
    commands_there = re.findall(r"<td><code>aggregator (\w+)</code></td>\s*<td>docs/(\w+\.md)</td>", steps)
    assert len(commands_there) == 5
    for command, page in commands_there:
        assert f"aggregator {command}" in (ROOT / "docs" / page).read_text(encoding="utf-8").replace(
            "-c feeds.yaml ", ""
        )
    assert set(re.findall(r"(?:docs/)?\w+\.md", steps)) > {"docs/feeds.md", "README.md"}
    assert all((ROOT / name).is_file() for name in re.findall(r"(?:docs/)?\w+\.md", steps))
    harbour = (public / "category/harbour.html").read_text(encoding="utf-8")
    files = re.findall(r'(?:<img|<audio)[^>]*\bsrc="http://127\.0\.0\.1:8080/([^"]+)"', harbour)
    assert files == ["lighthouse.png", "foghorn.wav"]
    for here in files:
        assert (public / here).stat().st_size == (polled / "samples/static" / here).stat().st_size
    assert "<table" in harbour
    assert max(map(len, re.findall(r"<title>(.*?)</title>", (public / "category/harbour.rss").read_text()))) > 150
    assert re.search(r'<article[^>]* lang="he"', (public / "category/ivrit.html").read_text(encoding="utf-8"))


def test_what_search_md_says_to_type(polled: Path) -> None:
    environ = dict(os.environ, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    said = [
        subprocess.run(line, shell=True, cwd=polled, env=environ, check=True, capture_output=True, text=True).stdout
        for line in commands("search.md")
    ]
    assert ", in harbour\n" in said[0]
    assert json.loads(said[1])["query"] == 'harbour "new ferry"'


def test_what_preview_md_says_to_type_and_its_states(polled: Path) -> None:
    shown, as_json, tried, tried_json = (typed(line, polled) for line in commands("preview.md"))
    assert "near 0.7 within 14 d, in place of near 0.85 within 7 d" in tried
    assert json.loads(tried_json)["tried"]["dedupe"] == "exact"
    record = json.loads(as_json)
    assert record["feed"]["title"] in shown
    text = (ROOT / "docs" / "preview.md").read_text(encoding="utf-8")
    assert set(re.findall(r"(?m)^\| `(\w+)` \|", text)) == set(STATES)
    last = text.partition("stable names:")[2].partition("\n## ")[0]
    named = {*re.findall(r"`(\w+)`", last), *STATES, "version"} - {"notices", "left_out", "hints"}
    assert set(record) == named


def test_what_newsroom_md_says_to_type(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "newsroom.md").read_text(encoding="utf-8")
    (tmp_path / "feeds.yaml").write_text(next(blocks(page, "yaml")), encoding="utf-8")
    (tmp_path / "post.md.j2").write_text(next(blocks(page, "jinja")), encoding="utf-8")
    environ = dict(os.environ, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    for line in commands("newsroom.md"):
        done = subprocess.run(line, shell=True, cwd=tmp_path, env=environ, check=True, capture_output=True, text=True)
        assert "feeds.yaml: good. 3 sources to poll" in done.stdout


def test_what_correct_md_says_to_type(polled: Path) -> None:
    """In its order, and in the end everything stands as before but for the dates of what came back."""

    feed = polled / "public" / "category" / "harbour.atom"
    before = re.findall("<id>.*</id>", feed.read_text(encoding="utf-8"))
    *lines, forget = commands("correct.md")
    said = [typed(line, polled) for line in lines]
    assert [line.split()[3] for line in lines] == ["why"] * 4 + ["merge", "unmerge", "retract", "retract"]
    assert "joined: same link, agreeing text" in said[0]
    assert "compared now: two stories" in said[3]
    assert said[4].startswith("merged ")
    assert "apart: " in said[5]
    assert said[7].endswith("stands again where it stood\n")
    assert re.findall("<id>.*</id>", feed.read_text(encoding="utf-8")) == before
    assert "2026/ferry-timetable" in feed.read_text(encoding="utf-8")
    assert typed(forget, polled).startswith("forgot ")
    assert "2026/ferry-timetable" not in feed.read_text(encoding="utf-8")


def test_what_check_md_says_to_type_its_codes_and_the_fields_of_a_result(planet: Path) -> None:
    run, live, one = (typed(line, planet) for line in commands("check.md"))
    assert run.startswith("feeds.yaml: good.")
    assert live.endswith("Checked 6 of 6 sources; nothing is wrong.\n")
    (row,) = json.loads(one)["live"]["results"]
    text = (ROOT / "docs" / "check.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`", text.partition("`--json` gives")[2]))
    assert set(row) | set(row["charset"]) | set(row["entries"]) <= named
    written = set(
        re.findall(r'code="(\w+)"', (ROOT / "aggregator" / "dry_run" / "advice.py").read_text(encoding="utf-8"))
    )
    assert set(re.findall(r"(?m)^\| `(\w+)` \|", text)) == written


def test_what_restore_md_says_to_type(polled: Path) -> None:
    back_up, from_site = commands("restore.md")
    assert typed(back_up, polled).startswith("copy.db: ")
    shutil.rmtree(polled / "var")
    assert "stories in 5 categories" in typed(from_site, polled)
    shutil.rmtree(polled / "var")
    assert (
        typed("aggregator restore copy.db", polled) == "restored from copy.db; `aggregator publish` updates the files\n"
    )
    shutil.rmtree(polled / "var")
    config = polled / "feeds.yaml"
    done = typed(f"aggregator -c {config} restore copy.db", polled)
    assert done == f"restored from copy.db; `aggregator -c {config} publish` updates the files\n"
    # The site did not tell the states of sources.
    assert [path for path in typed("aggregator publish", polled).split() if not shows_states(Path(path))] == []
    shutil.rmtree(polled / "var")
    shutil.rmtree(polled / "public")
    typed("aggregator restore copy.db", polled)
    assert "category/harbour.atom" in typed("aggregator publish", polled)


def test_what_websub_md_says_to_type_and_its_example(polled: Path, publisher: FeedServer) -> None:
    (example,) = blocks((ROOT / "docs" / "websub.md").read_text(encoding="utf-8"), "yaml")
    publisher.says("/hub", Reply(204))
    text = (polled / "feeds.yaml").read_text(encoding="utf-8")
    hub = example.replace("https://hub.example.org/", f"'{publisher.url('/hub')}'")
    rest = re.sub(r"(?ms)^site:.*?^(?=store:)|^publish:.*?\n", "", text)
    (polled / "feeds.yaml").write_text(LOOPBACK + hub + rest, encoding="utf-8")
    check, publish, status = (typed(line, polled) for line in commands("websub.md"))
    assert check.startswith("feeds.yaml: good.")
    feeds = [line for line in publish.splitlines() if re.fullmatch(r"(all|category/\w+)\.(atom|rss|json)", line)]
    forms = [dict(parse_qsl(asked.body.decode())) for asked in publisher.asked]
    assert sorted(form["hub.url"] for form in forms) == [f"https://planet.example.org/{path}" for path in sorted(feeds)]
    assert "The hub has received all pings." in status


def test_what_replay_md_says_to_type_and_its_words(polled: Path) -> None:
    (polled / "versions").mkdir()
    shutil.copy(polled / "samples" / "harbour.xml", polled / "versions" / "000.xml")
    text = (ROOT / "docs" / "replay.md").read_text(encoding="utf-8")
    (index,) = blocks(text, "json")
    (polled / "versions" / "index.json").write_text(index, encoding="utf-8")
    plain, named, as_json, kept = (typed(line, polled) for line in commands("replay.md"))
    record = json.loads(as_json)
    assert record["versions"][0]["at"] in index
    first = record["versions"][0]["new"][0]["title"]
    assert first in named
    assert first not in plain
    assert kept.endswith(f"1 versions: {len(record['versions'][0]['new'])} new\n")
    assert set(re.findall(r"(?m)^\| `(\w+)` \|", text)) == set(record["totals"]) == set(KINDS)


def test_what_add_md_says_to_type_and_the_fields_of_a_report(tmp_path: Path, publisher: FeedServer) -> None:
    (tmp_path / "feeds.yaml").write_text(f"{LOOPBACK}sources:\n", encoding="utf-8")
    (line,) = commands("add.md")
    publisher.serve("/feed", rss(item(1), title="A Blog"))
    shown = typed(line.replace("https://blog.example.org/", publisher.url("/feed")), tmp_path)
    assert re.fullmatch(r"added \S+: A Blog \(rss 2.0, 1 entry\), \S+\n  in python; line 3\n", shown)
    _, *begin = shlex.split(line)[:4]
    also = publisher.serve("/other", rss(item(1)))
    (tmp_path / "l.opml").write_text(f"<opml><body><outline xmlUrl='{publisher.url('/l')}'/></body></opml>")
    report = json.loads(aggregator(*begin, "--json", also, publisher.url("/none"), "l.opml", cwd=tmp_path).stdout)
    text = (
        (ROOT / "docs" / "add.md").read_text(encoding="utf-8").partition("`--json` gives")[2].partition("The codes")[0]
    )
    named = set(re.findall(r"`(\w+)`", text))
    assert named == {*report, *report["added"][0], *report["refused"][0], *report["lists"][0]}


def test_what_import_md_says_to_type_and_the_fields_of_a_report(tmp_path: Path) -> None:
    (tmp_path / "venus").mkdir()
    (tmp_path / "venus" / "config.ini").write_text("[Planet]\nname = Mine\n[http://v.example/]\nname = V\n")
    (tmp_path / "subscriptions.opml").write_text("<opml><body><outline xmlUrl='http://a.example/'/></body></opml>")
    *lines, export = commands("import.md")
    tried, done, venus = (typed(line, tmp_path) for line in lines)
    assert done.startswith(tried)
    assert "+  - http://a.example/" in done
    assert '+  - {url: "http://v.example/", title: V}' in venus
    assert 'xmlUrl="http://a.example/"' in typed(export.partition(" >")[0], tmp_path)
    report = json.loads(aggregator("import", "venus/config.ini", "--yes", "--json", cwd=tmp_path).stdout)
    text = (ROOT / "docs" / "import.md").read_text(encoding="utf-8").partition("`--json` gives")[2]
    assert set(re.findall(r"`(\w+)`", text)) == {*report, *report["added"][0], *report["remarks"][0]}


def test_what_edit_md_says_to_type(polled: Path) -> None:
    shown = "".join(typed(line, polled) for line in commands("edit.md"))
    assert "brings its newest" in shown
    settings = load_config(polled / "feeds.yaml", {})
    assert [(source.title, source.categories) for source in settings.sources] == [
        (None, ("start",)),
        (None, ("harbour",)),
        ("The Valley", ("valleys",)),
        (None, ("harbour",)),
        (None, ("ivrit",)),
    ]
    assert settings.categories[1].title == "Harbour News"


def test_what_doctor_md_says_to_type_its_lines_and_the_fields_of_a_report(polled: Path) -> None:
    text = (polled / "feeds.yaml").read_text(encoding="utf-8")
    text = text.replace("site:\n", "site:\n  base_url: https://planet.example/\n")
    (polled / "feeds.yaml").write_text(text, encoding="utf-8")
    lines, *_ = [typed(line, polled) for line in commands("doctor.md")]
    page = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    assert [line.split()[1] for line in lines.splitlines()[:-1]] == re.findall(r"(?m)^\| `(\w+)` \|", page)
    report = json.loads(aggregator("doctor", "--json", cwd=polled).stdout)
    named = set(re.findall(r"`(\w+)`", page.partition("`--json` gives")[2].partition("\n\n")[0]))
    assert named == {*report, *report["checks"][0]}


def test_what_terminal_md_says_to_type(planet: Path) -> None:
    lines = commands("terminal.md")
    assert [line.split()[-1] for line in lines] == list(SHELLS)
    assert all("aggregator" in typed(line, planet) for line in lines)


def test_what_fix_md_says_to_type(polled: Path) -> None:
    assert {typed(line, polled) for line in commands("fix.md")} == {"nothing is proven to be wrong\n"}


def test_what_upgrade_md_says_to_type(planet: Path) -> None:
    backup, copy, check, doctor, poll, restore, again = commands("upgrade.md")
    aggregator("poll", cwd=planet)
    typed(backup, planet)
    name, *files = copy.split()
    assert name == "cp"
    shutil.copy(*(planet / file for file in files))
    typed(check, planet)
    assert aggregator(*doctor.split()[1:], cwd=planet).returncode in (0, 1)
    typed(poll, planet)
    shutil.rmtree(planet / "var")  # moved away
    before = {path: path.read_bytes() for path in planet.glob("public/category/*")}
    typed(restore, planet)
    typed(again, planet)
    assert {path: path.read_bytes() for path in planet.glob("public/category/*")} == before
    store = planet / "var" / "aggregator.db"
    assert store.exists()
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    done = aggregator("poll", cwd=planet)
    assert (done.returncode, "was written by a newer aggregator" in done.stderr) == (3, True)


def test_the_programs_of_hooks_md_work(sample_site: SampleSite, publisher: FeedServer) -> None:
    text = (ROOT / "docs" / "hooks.md").read_text(encoding="utf-8")
    lunch, tidy = blocks(text, "python")
    day, _ = blocks(text, "sh")  # the other one needs jq
    url = publisher.serve("/a", rss(item(1, title="Soup"), item(2, description="Sponsored by us")))
    for name, program in (("lunch", lunch), ("tidy", tidy), ("day", day)):
        (sample_site.folder / name).write_text(program, encoding="utf-8")
        (sample_site.folder / name).chmod(0o755)
    commands = "[{kind: command, url: lunch}, {kind: command, url: day}, "
    sample_site.writes(f"defaults: {{hooks: [tidy]}}\nsources: {commands}{{url: '{url}'}}]\n")
    assert sum(row["new"] for row in sample_site.poll()["results"]) == 5
    assert sorted(sample_site.titles()) == ["Rice & beans", "Soup", "Soup", "Up since"]
    (said,) = blocks(text, "yaml")
    (sample_site.folder / "feeds.yaml").write_text(said, encoding="utf-8")
    settings = load_config(sample_site.folder / "feeds.yaml", {"LUNCH_TOKEN": "a-token"})
    assert [str(hook) for hook in settings.sources[1].hooks] == ["bin/tidy"]


def test_r67_every_alarm_state_and_code_is_explained_and_nothing_else() -> None:
    text = (ROOT / "docs" / "alarms.md").read_text(encoding="utf-8")
    sections = re.split(r"(?m)^## .*\n", text)[1:]
    explained = [re.findall(r"(?m)^\| `(\w+)` \|", section) for section in sections]
    *told, notices = [sorted(names) for names in explained]
    assert told == [sorted(AlarmCode), sorted(State), sorted(ADVICE)]
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "aggregator").rglob("*.py"))
    assert [name for name in notices if f'"{name}"' not in code] == []


def test_the_fields_and_examples_of_told_md_are_right() -> None:
    pytest.importorskip("apprise")
    text = (ROOT / "docs" / "told.md").read_text(encoding="utf-8")
    alarm = Alarm(code=AlarmCode.LAG, text="late", since=START)
    fields = [name.partition("[].")[2] for name in re.findall(r"(?m)^\| `(alarms\[\]\.\w+)` \|", text)]
    assert fields == [*record_of(alarm, {}, str(UUID(int=1)))]
    for example in re.findall(r"(?s)```yaml\n(.*?)```", text):
        whole = f"{example}sources: [https://a.example/]".encode()
        assert not read_config(whole, Path("/feeds.yaml"), {"HOOK": "abc", "MAIL_PASSWORD": "secret"}).warnings


def test_the_metrics_that_politeness_md_names_are_there() -> None:
    text = (ROOT / "docs" / "politeness.md").read_text(encoding="utf-8")
    named = set(re.findall(r"aggregator_[a-z0-9_]+", text))
    figures = Figures(sources={}, alarms={}, stories=0, lag=Lag(sources=0, late=0, p95=timedelta(0)))
    written = Meter().write(figures, in_flight=0, tick_age=0)[1].decode()
    assert named == set(re.findall(r"(?m)^# TYPE (aggregator_\w+) ", written))


def test_what_reading_md_says_to_type_says_so_where_there_is_no_corpus(tmp_path: Path) -> None:
    (line,) = commands("reading.md")
    command = [sys.executable, *line.split()[1:-1], str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=PATIENCE)
    assert done.stdout == f"no corpus in {tmp_path}: nothing to read\n"


def test_the_readme_has_its_two_commands_and_valid_examples(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    test = 'pytest -q -n 2 -m "not slow and not service"'
    for heading, last in (("## Quick start", "aggregator serve"), ("## Tests", test)):
        (block,) = blocks(text.partition(heading)[2].partition("\n## ")[0], "sh")
        assert block.count("\n") == 1, "one line to copy"
        assert block.strip().endswith(last)
    for example in blocks(text, "yaml"):
        (tmp_path / "feeds.yaml").write_text(example, encoding="utf-8")
        assert aggregator("check", cwd=tmp_path).returncode == 0


def test_what_venus_md_shows_is_a_good_feeds_yaml(tmp_path: Path) -> None:
    (example,) = blocks((ROOT / "docs" / "venus.md").read_text(encoding="utf-8"), "yaml")
    (tmp_path / "feeds.yaml").write_text(example, encoding="utf-8")
    (tmp_path / "theme").mkdir()
    (tmp_path / "static").mkdir()
    done = aggregator("check", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_shipped_feeds_yaml_and_samples_are_good() -> None:
    done = aggregator("-c", str(ROOT / "feeds.yaml"), "check")
    assert done.returncode == 0, done.stderr


def test_locks_name_no_host() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        assert "http" not in (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "performance --feeds 5 --rounds 1 --only-polls",
        "reading --rounds 1",
        "spacing --sources 20 --hosts 5 --spacing 0.2",
        "rendering --entries 20 --rounds 1",
        "publishing --categories 4 --stored 8 600 --rounds 1",
    ],
)
def test_benchmarks_run(name: str) -> None:
    command = [sys.executable, "-m", *f"benchmarks.{name}".split()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=5 * PATIENCE)
    assert "ratio" in done.stdout, done.stderr
