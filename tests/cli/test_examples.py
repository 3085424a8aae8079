"""Tests of the examples in `--help`, and of what is made of the same source: shell completion and the manual page."""

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from aggregator.cli.completion import script
from aggregator.cli.main import commands, whole_parser
from aggregator.cli.manual import manual
from aggregator.cli.parsed import program
from tests.command import aggregator
from tests.sample_site import item, rss

ROOT = Path(__file__).parents[2]
EXAMPLES = {command.name: command.examples for command in program().actions}

# Not run, since they need a network, a server, or a source that was replaced.
READ_ONLY = (
    "serve",
    "move-store",
    "add https:",
    "add example.org",
    "accept",
    "preview https:",
    "restore --from-site https:",
    "replay --stored",
)
FOUND = ("plan new.yaml --exit-code", "status --exit-code", "doctor", "retract")  # that may end with 1

CONFIG = """
categories: {software: {}, linux: {}, python: {}, ruby: {}, blogs: {}}
sources:
  - {kind: file, url: lwn.xml, key: lwn, category: software}
  - {kind: file, url: blog.xml, key: blog.example.org-1f0c2a9d, title: Example Blog, category: python}
  - {url: 'https://example.org/feed', category: linux, paused: true}
"""
OPML = '<opml version="2.0"><body><outline text="Ada" xmlUrl="https://ada.example/feed"/></body></opml>'
INI = "[Planet]\nname = Old Planet\n\n[https://ada.example/feed]\nname = Ada\n"


@pytest.fixture(scope="module")
def polled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A planet that has what the examples name."""
    folder = tmp_path_factory.mktemp("examples")
    (folder / "feeds.yaml").write_text(CONFIG, encoding="utf-8")
    (folder / "new.yaml").write_text(CONFIG.replace("software}", "software, every: 2h}"), encoding="utf-8")
    story, copy = (f"https://example.org/2026/{name}" for name in ("a-story", "its-copy"))
    (folder / "lwn.xml").write_bytes(rss(item(1, link=story, title="Solar power at night"), item(2, link=copy)))
    (folder / "blog.xml").write_bytes(rss(item(3), item(4)))
    (folder / "versions").mkdir()
    for number in range(2):
        (folder / "versions" / f"{number:03}.xml").write_bytes(rss(item(5), item(6 + number)))
    for name in ("subscriptions.opml", "blogs.opml"):
        (folder / name).write_text(OPML, encoding="utf-8")
    (folder / "venus").mkdir()
    for name in ("venus/config.ini", "ruby.ini"):
        (folder / name).write_text(INI, encoding="utf-8")
    assert aggregator("poll", cwd=folder).returncode == 0
    assert aggregator("backup", "copy.db", cwd=folder).returncode == 0
    return folder


def test_each_command_has_examples() -> None:
    assert list(EXAMPLES) == commands()
    assert [name for name, examples in EXAMPLES.items() if not examples] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_each_example_does_what_it_says(name: str, polled: Path, tmp_path: Path) -> None:
    for number, line in enumerate(EXAMPLES[name]):
        assert line.startswith(f"aggregator {name}")
        asked = line.removeprefix("aggregator ").partition(" > ")[0]
        arguments = shlex.split(asked)
        whole_parser().parse_args(arguments)
        if asked.startswith(READ_ONLY):
            continue
        folder = tmp_path / str(number)
        shutil.copytree(polled, folder)
        if name == "restore":
            shutil.rmtree(folder / "var")
        if name == "unmerge":
            assert aggregator("merge", *shlex.split(EXAMPLES["merge"][0])[2:], cwd=folder).returncode == 0
        if "--undo" in arguments:
            aggregator(*[each for each in arguments if each != "--undo"], cwd=folder)
        asks = "yes" in vars(whole_parser().parse_args(arguments)) and not {"--yes", "--dry-run"} & {*arguments}
        done = aggregator(*arguments, cwd=folder)
        expected = {0, 1} if asks or asked.startswith(FOUND) else {0}
        assert done.returncode in expected, (line, done.stdout, done.stderr)


def test_the_manual_page_is_up_to_date() -> None:
    assert (ROOT / "docs" / "aggregator.1").read_text(encoding="utf-8") == manual(), (
        "python -m aggregator.cli.manual > docs/aggregator.1"
    )


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="needs mandoc")
def test_the_manual_page_is_one_for_mandoc() -> None:
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "error"], input=manual(), text=True, capture_output=True)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("po", {"poll"}),
        ("-c feeds.yaml mov", {"move", "move-store"}),
        ("serve --server ", {"waitress", "granian"}),
        ("poll --st", {"--strict"}),
        ("completion f", {"fish"}),
        ("theme n", {"new"}),
    ],
)
@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_shells_complete(shell: str, typed: str, words: set[str], tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    place = tmp_path / "script"
    place.write_text(script(shell), encoding="utf-8")
    if shell == "bash":
        parts = ["aggregator", *typed.split(" ")]
        text = f"source {place}; COMP_WORDS=({shlex.join(parts)}); COMP_CWORD={len(parts) - 1}; _aggregator; "
        text += 'printf "%s\\n" "${COMPREPLY[@]}"'
    else:
        text = f"source {place}; complete -C 'aggregator {typed}'"
    done = subprocess.run([shell, "-c", text], capture_output=True, text=True, cwd=tmp_path)
    assert {line.partition("\t")[0] for line in done.stdout.splitlines()} - {"script"} == words, done.stderr


@pytest.mark.skipif(shutil.which("zsh") is None, reason="needs zsh")
def test_zsh_reads_the_script(tmp_path: Path) -> None:
    (tmp_path / "_aggregator").write_text(script("zsh"), encoding="utf-8")
    text = f"fpath=({tmp_path} $fpath); autoload -Uz compinit; compinit -D; "
    text += "print $_comps[aggregator]; whence -w _aggregator"
    done = subprocess.run(["zsh", "-f", "-c", text], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("_aggregator\n_aggregator: function\n", "")
