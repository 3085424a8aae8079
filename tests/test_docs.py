"""What the documentation says to type works (README and docs/ are run, not believed)."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import Running

ROOT = Path(__file__).parents[1]
DOCS = ("cron.md", "service.md", "subscribe.md")


def blocks(text: str, language: str) -> Iterator[str]:
    """Give the fenced blocks of a language, without the indentation of a list."""
    for indent, body in re.findall(rf"^( *)```{language}\n(.*?)^ *```", text, re.S | re.M):
        yield re.sub(rf"^{indent}", "", body, flags=re.M)


def commands(name: str) -> list[str]:
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    return [line for block in blocks(text, "sh") for line in block.splitlines() if line]


@pytest.fixture
def planet(tmp_path: Path) -> Path:
    """A folder with the feeds.yaml that comes with the program, and the samples alone, which need no network."""
    shutil.copytree(ROOT / "samples", tmp_path / "samples")
    text = (ROOT / "feeds.yaml").read_text(encoding="utf-8")
    (tmp_path / "feeds.yaml").write_text(re.sub(r"(?m)^  - \{url:.*\n", "", text), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("line", [line for line in commands("cron.md") if " serve" not in line])
def test_what_cron_md_says_to_type(planet: Path, line: str) -> None:
    environ = dict(os.environ, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    subprocess.run("aggregator poll", shell=True, cwd=planet, env=environ, check=True, capture_output=True)
    subprocess.run(line, shell=True, cwd=planet, env=environ, check=True, capture_output=True, timeout=60)


def test_what_service_md_and_subscribe_md_say_to_type(planet: Path) -> None:
    assert commands("service.md") == ["aggregator -c feeds.yaml serve", "aggregator -c feeds.yaml status"]
    text = (planet / "feeds.yaml").read_text(encoding="utf-8").replace("serve: {bind: 127.0.0.1:8080}\n", "")
    with Running(planet, text) as running:
        running.wait_for(lambda: b"<entry" in running.get("category/harbour.atom")[1])
        shown = subprocess.run(running.command("status"), check=True, capture_output=True, text=True, timeout=30).stdout
        assert "3 sources, 0 in trouble" in shown
        answers = []
        for line in commands("subscribe.md"):
            here = line.replace("127.0.0.1:8080", f"127.0.0.1:{running.port}")
            answers.append(subprocess.run(here, shell=True, check=True, capture_output=True, text=True).stdout)
        assert "<feed" in answers[0]
        assert answers[1] == "304\n"


def test_the_readme_has_its_two_commands_and_valid_examples(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for heading, last in (("## Quick start", "aggregator serve"), ("## Tests", "pytest -q -n 2")):
        (block,) = blocks(text.partition(heading)[2].partition("\n## ")[0], "sh")
        assert block.count("\n") == 1, "one line to copy"
        assert block.strip().endswith(last)
    for example in blocks(text, "yaml"):
        (tmp_path / "feeds.yaml").write_text(example, encoding="utf-8")
        check = [sys.executable, "-m", "aggregator", "-c", str(tmp_path / "feeds.yaml"), "check"]
        assert subprocess.run(check, capture_output=True, check=False).returncode == 0


def test_the_shipped_feeds_yaml_and_samples_are_good() -> None:
    check = [sys.executable, "-m", "aggregator", "-c", str(ROOT / "feeds.yaml"), "check"]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_locks_name_no_host() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        assert "http" not in (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["polling --sources 20 --rounds 1", "growth --stored 100 1500 --rounds 1"])
def test_benchmarks_run(name: str) -> None:
    command = [sys.executable, "-m", *f"benchmarks.{name}".split()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert "ratio" in done.stdout, done.stderr
