"""Sources of `kind: command`: programs that work, hang, lie, crash, fork and shout (docs/hooks.md)."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from textwrap import dedent
from threading import Event, Thread
from time import monotonic

import pytest

from aggregator.errors import ParseError
from aggregator.fetch import Client
from aggregator.fetch.reading import MAX_WIRE_BYTES
from aggregator.model.ask import Ask
from aggregator.model.poll import Cut, NotModified
from aggregator.model.settings import Kind, Program, Reading, Secret
from aggregator.parse.document import parse
from aggregator.urls import command_url
from tests.fetch.conftest import NOW, again, ask_for, failed, fetched
from tests.patience import PATIENCE

Makes = Callable[..., Ask]
READING = Reading(kind=Kind.COMMAND)
ITEM = '{"id": "1", "title": "One"}\n'


@pytest.fixture
def makes(tmp_path: Path) -> Makes:
    """Write a program, and return the request that runs it."""

    def make(text: str, *arguments: str, seconds: float = PATIENCE, **environment: str) -> Ask:
        path = tmp_path / "it"
        path.write_text(dedent(text), encoding="utf-8")
        path.chmod(0o755)
        program = Program(
            path=path,
            name="it",
            folder=tmp_path,
            arguments=tuple(map(Secret, arguments)),
            environment=tuple((name, Secret(value)) for name, value in environment.items()),
            timeout=timedelta(seconds=seconds),
        )
        url = command_url(path, arguments)
        return ask_for(url, path=path, program=program, reading=READING, timeout=seconds)

    return make


def python(text: str) -> str:
    return f"#!{sys.executable}\nimport json, os, subprocess, sys, time\n{dedent(text)}"


def is_alive(number: int) -> bool:
    """Return whether a process runs; one that ended and waits for its parent does not."""
    try:
        state = Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def until(happened: Callable[[], object]) -> None:
    """Wait until something is so."""
    end = monotonic() + PATIENCE
    while not happened():
        assert monotonic() < end
        Event().wait(0.01)


def started(tmp_path: Path) -> list[int]:
    """Return the processes that a program has written down."""
    return [int(line) for line in (tmp_path / "pids").read_text(encoding="utf-8").split()]


def test_a_program_is_told_what_it_needs_and_nothing_else(
    client: Client, makes: Makes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "ours")
    ask = makes(
        python(
            """
            print(json.dumps({"id": "1", "told": json.loads(sys.stdin.read()), "arguments": sys.argv[1:],
                  "environment": dict(os.environ), "folder": os.getcwd(), "group": os.getpgid(0) == os.getpid(),
                  "files": sorted(int(name) for name in os.listdir("/proc/self/fd"))[:-1]}))
            """
        ),
        "--city",
        "$(touch hacked); Bern *",
        TOKEN="theirs",
    )
    answer = fetched(client.fetch(ask))
    said = json.loads(answer.body)
    assert said["told"] == {
        "version": 1,
        "source": "it",
        "since": None,
        "seconds": PATIENCE,
        "most_bytes": MAX_WIRE_BYTES,
    }
    assert said["arguments"] == ["--city", "$(touch hacked); Bern *"]
    assert not (tmp_path / "hacked").exists()
    assert (said["folder"], said["group"], said["files"]) == (str(tmp_path), True, [0, 1, 2])
    environment = said["environment"]
    assert (environment["TOKEN"], environment["AGGREGATOR_SOURCE"], environment["AGGREGATOR_SINCE"]) == (
        "theirs",
        "it",
        "",
    )
    usual = {"PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"}
    assert set(environment) <= usual | {"TOKEN", "AGGREGATOR_SOURCE", "AGGREGATOR_SINCE"}
    # The next run is told when this one began.
    second = json.loads(fetched(client.fetch(again(ask, answer))).body)
    assert second["told"]["since"] == second["environment"]["AGGREGATOR_SINCE"] == "2026-06-01T12:00:00Z"


def test_the_same_output_and_none_are_no_news(client: Client, makes: Makes) -> None:
    ask = makes(f"#!/bin/sh\necho '{ITEM}'\n")
    answer = fetched(client.fetch(ask))
    assert (answer.asked_at, answer.etag, answer.same_body) == (NOW, "2026-06-01T12:00:00Z", False)
    assert fetched(client.fetch(again(ask, answer))).same_body
    assert isinstance(client.fetch(makes("#!/bin/sh\necho; exit 0\n")), NotModified)


WRONG = {
    "exit code": ("#!/bin/sh\necho '{}'\necho first >&2\necho 'no \033[31mroute' >&2\nexit 3\n", "program"),
    "signal": ("#!/bin/sh\nkill -SEGV $$\n", "program"),
    "no interpreter": ("#!/no/such/interpreter\n", "program"),
    "no program": ("just text\n", "program"),
    "too much": ("#!/bin/sh\nexec cat /dev/zero\n", "too_large"),
    "too much on stderr": ("#!/bin/sh\nhead -c 30000000 /dev/zero >&2\nexit 1\n", "program"),
    "too much memory": (python("bytearray(2 ** 31)"), "program"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_program_that_fails_is_the_fault_of_its_source(client: Client, makes: Makes, what: str) -> None:
    text, code = WRONG[what]
    answer = failed(client.fetch(makes(text)))
    assert answer.code == code, answer.text
    said = {
        "exit code": 'the program ended with exit code 3: "no [31mroute"',
        "signal": "the program was ended by SIGSEGV",
        "no interpreter": "missing",
        "no program": "#!/bin/sh",
        "too much": "over the limit of 10,485,760 bytes",
        "too much memory": "MemoryError",
    }
    assert said.get(what, "exit code 1") in answer.text


def test_a_program_that_is_missing_no_file_or_not_executable(client: Client, makes: Makes, tmp_path: Path) -> None:
    ask = makes("#!/bin/sh\n")
    assert ask.program is not None
    ask.program.path.chmod(0o644)
    texts = [failed(client.fetch(ask)).text] if os.geteuid() else []
    for path in (tmp_path / "gone", tmp_path):
        answer = failed(client.fetch(replace(ask, program=replace(ask.program, path=path))))
        assert answer.code == "program"
        texts.append(answer.text)
    assert [text for text in texts if not text.endswith(("chmod +x on it", "gone", "is no file"))] == []


FORKING = """
children = [subprocess.Popen(["sleep", "1000"], start_new_session=number % 2 == 0) for number in range(6)]
daemon = 'sleep 1000 & echo $! >> pids'
subprocess.run(["setsid", "sh", "-c", daemon])
with open("pids", "a") as file:
    print(os.getpid(), *(child.pid for child in children), file=file)
"""


def test_a_program_that_hangs_is_ended_with_everything_that_it_started(
    client: Client, makes: Makes, tmp_path: Path
) -> None:
    ending = "os.close(1); os.close(2); import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(1000)"
    answer = failed(client.fetch(makes(python(FORKING + ending), seconds=3)))
    assert answer.code == "timeout"
    assert len(pids := started(tmp_path)) == 8
    assert not [one for one in pids if is_alive(one)]


def test_a_program_that_ends_leaves_no_process_behind(client: Client, makes: Makes, tmp_path: Path) -> None:
    answer = fetched(client.fetch(makes(python(FORKING + f"print({ITEM!r})"))))
    assert json.loads(answer.body)["id"] == "1"
    assert not [one for one in started(tmp_path) if is_alive(one)]


def test_r54_a_stop_ends_a_program(client: Client, makes: Makes, tmp_path: Path) -> None:
    ask = makes("#!/bin/sh\necho $$ > pids\nsleep 1000\n")
    answers: list[object] = []
    thread = Thread(target=lambda: answers.append(client.fetch(ask)))
    thread.start()
    until(lambda: (tmp_path / "pids").exists() and started(tmp_path))
    client.cut()
    thread.join(PATIENCE)
    assert type(answers[0]) is Cut
    assert not is_alive(started(tmp_path)[0])


def test_a_program_ends_if_we_are_killed(tmp_path: Path) -> None:
    (tmp_path / "it").write_text("#!/bin/sh\nsleep 1000 &\necho $$ $! > pids\nsleep 1000\n", encoding="utf-8")
    (tmp_path / "it").chmod(0o755)
    yaml = "store: sqlite:///s.db\nsources: [{kind: command, url: it, timeout: 10m}]\n"
    (tmp_path / "feeds.yaml").write_text(yaml, encoding="utf-8")
    poll = subprocess.Popen([sys.executable, "-m", "aggregator", "poll"], cwd=tmp_path)
    until(lambda: (tmp_path / "pids").exists() and started(tmp_path))
    poll.send_signal(signal.SIGKILL)
    poll.wait(PATIENCE)
    until(lambda: not [one for one in started(tmp_path) if is_alive(one)])


def read(client: Client, ask: Ask) -> list[str | None]:
    """Run a program, and return the titles that its output has."""
    feed = parse(fetched(client.fetch(ask)), READING)
    return [entry.title.value if entry.title else None for entry in feed.entries]


def test_what_a_program_may_write(client: Client, makes: Makes, tmp_path: Path) -> None:
    feed = {"version": "https://jsonfeed.org/version/1.1", "items": [{"id": 1, "title": "One"}]}
    rss = "<rss version='2.0'><channel><title>T</title><item><guid>1</guid><title>One</title></item></channel></rss>"
    for text in (json.dumps(feed), json.dumps(feed, indent=2), rss, ITEM, "\n" + ITEM.replace("\n", "\r\n")):
        (tmp_path / "output").write_text(text, encoding="utf-8")
        assert read(client, makes("#!/bin/sh\ncat output\n")) == ["One"]
    (tmp_path / "output").write_text(ITEM + ITEM.replace("One", "Two") + '{"title": "no id"}\n', encoding="utf-8")
    assert read(client, makes("#!/bin/sh\ncat output\n")) == ["One", "Two"]


@pytest.mark.parametrize(
    ("output", "why"),
    [
        (ITEM + "oh no\n", "line 2 of its output is not JSON"),
        (ITEM + ITEM[:-4], "line 2 of its output is not JSON"),
        (ITEM + "[1]\n", "line 2 of its output is no JSON object"),
        ("{oh no}\n" + ITEM, "line 1 of its output is not JSON"),
        (ITEM + "[" * 100_000, "line 2 of its output is not JSON"),
        ('{"error": "down", "items": 3}\n', "an API's error: down"),
        ("\0\1\2\xff" * 1000, "it:"),
        ("null", "it:"),
    ],
)
def test_a_program_that_lies(client: Client, makes: Makes, tmp_path: Path, output: str, why: str) -> None:
    (tmp_path / "output").write_bytes(output.encode("latin-1"))
    answer = fetched(client.fetch(makes("#!/bin/sh\ncat output\n")))
    with pytest.raises(ParseError, match=why):
        parse(answer, READING)


def test_wrong_types_in_an_item_are_left_out(client: Client, makes: Makes, tmp_path: Path) -> None:
    wrong = {
        "id": 7,
        "title": {"a": 1},
        "url": 5,
        "tags": "x",
        "authors": 3,
        "content_html": [],
        "attachments": {"a": 1},
    }
    (tmp_path / "output").write_text(json.dumps(wrong) + "\n" + ITEM, encoding="utf-8")
    assert read(client, makes("#!/bin/sh\ncat output\n")) == [None, "One"]
