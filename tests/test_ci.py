"""The workflows of docs/ci.md do what they say: their lines are run, with a real repository and its remote."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.feed_server import FeedServer
from tests.sample_site import LOOPBACK, item, rss
from tests.test_docs import ROOT, blocks

ACTIONS, GITLAB = (yaml.safe_load(block) for block in blocks((ROOT / "docs" / "ci.md").read_text("utf-8"), "yaml"))
SITE = "site: {base_url: 'https://planet.example/', title: P}\npublish: {entries: 10, archive_page: 10}\n"


def lines_of(workflow: dict[str, Any]) -> list[str]:
    """Return the commands of a workflow, without the installation."""
    if "jobs" in workflow:
        steps = workflow["jobs"]["planet"]["steps"]
        return [step["run"] for step in steps if "run" in step and step["name"] != "Install"]
    return [str(line) for line in workflow["pages"]["script"]]


class Runner:
    """A machine that is new for each run, as those of a CI are, but for its cache."""

    def __init__(self, folder: Path, yaml_text: str) -> None:
        self.folder, self.remote, self.cache = folder, folder / "remote.git", folder / "cache"
        self.runs = 0
        self.git("init", "--quiet", "--bare", "--initial-branch", "main", str(self.remote), at=folder)
        first = self.checkout()
        (first / "feeds.yaml").write_text(LOOPBACK + yaml_text, encoding="utf-8")
        (first / ".gitignore").write_text("var/\npublic/\n")
        self.git("checkout", "--quiet", "-B", "main", at=first)
        self.git("add", "--all", at=first)
        self.git("commit", "--quiet", "-m", "feeds", at=first)
        self.git("push", "--quiet", "origin", "main", at=first)

    def git(self, *arguments: str, at: Path) -> str:
        who = ["-c", "user.name=o", "-c", "user.email=o@localhost"]
        done = subprocess.run(["git", *who, *arguments], cwd=at, check=True, capture_output=True, text=True, timeout=60)
        return done.stdout

    def checkout(self) -> Path:
        self.runs += 1
        place = self.folder / f"run{self.runs}"
        self.git("clone", "--quiet", str(self.remote), str(place), at=self.folder)
        return place

    def run(self, workflow: dict[str, Any], *, keep: bool = True, **environ: str) -> Path:
        """Run a workflow in a fresh checkout; `keep` what it leaves in the cache."""
        place = self.checkout()
        if self.cache.exists():
            shutil.copytree(self.cache, place / "var")
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        for line in lines_of(workflow):
            shell = ["bash", "-e", "-c", line]
            done = subprocess.run(
                shell,
                cwd=place,
                env={**os.environ, "PATH": path, **environ},
                capture_output=True,
                text=True,
                timeout=120,
            )
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        if keep:
            shutil.rmtree(self.cache, ignore_errors=True)
            shutil.copytree(place / "var", self.cache)
        return place

    def site(self) -> dict[str, str]:
        """Return the feeds and archive pages of the branch `site`, by path."""
        names = self.git("ls-tree", "-r", "--name-only", "site", at=self.remote).split()
        feeds = [name for name in names if name.endswith((".atom", ".json")) and not name.startswith("status")]
        return {name: self.git("show", f"site:{name}", at=self.remote) for name in feeds}


def feed(*numbers: int) -> bytes:
    return rss(*(item(n, guid=f"urn:example:{n}") for n in numbers))


@pytest.mark.slow
def test_the_workflow_for_github(tmp_path: Path, publisher: FeedServer) -> None:
    url = publisher.serve("/feed", feed(*range(30)))
    runner = Runner(tmp_path, f"{SITE}sources: ['{url}']\n")
    assert ACTIONS["concurrency"]["group"]
    runner.run(ACTIONS)
    first = runner.site()
    assert "category/general/archive/1.atom" in first
    runner.run(ACTIONS)
    assert runner.site() == first
    shutil.rmtree(runner.cache)
    runner.run(ACTIONS, keep=False)
    assert runner.site() == first, "the state was lost, and nothing has happened"
    publisher.serve("/feed", feed(99, *range(30)))
    runner.run(ACTIONS, keep=False)
    second = runner.site()
    runner.run(ACTIONS)
    assert second["category/general.atom"].count("<id>urn:example:99</id>") == 1
    assert runner.site() == second
    archives = {name: text for name, text in first.items() if "/archive/" in name}
    assert {name: second[name] for name in archives} == archives


@pytest.mark.slow
def test_the_workflow_for_gitlab(tmp_path: Path, publisher: FeedServer) -> None:
    url = publisher.serve("/feed", feed(*range(30)))
    runner = Runner(tmp_path, f"{SITE}sources: ['{url}']\n")
    assert GITLAB["pages"]["resource_group"]
    pages = str(tmp_path / "pages")

    def deploy(**how: bool) -> dict[str, bytes]:
        public = runner.run(GITLAB, CI_PAGES_URL=pages, **how) / "public"  # type: ignore[arg-type]
        shutil.rmtree(pages, ignore_errors=True)
        shutil.copytree(public, pages)
        return {str(p.relative_to(public)): p.read_bytes() for p in public.rglob("*.atom")}

    first = deploy()
    assert "category/general/archive/1.atom" in first
    assert deploy() == first
    shutil.rmtree(runner.cache)
    assert deploy() == first, "the state was lost, and nothing has happened"


@pytest.mark.parametrize("workflow", [ACTIONS, GITLAB], ids=["github", "gitlab"])
def test_the_workflows_install_before_they_run(workflow: dict[str, Any]) -> None:
    text = yaml.safe_dump(workflow)
    assert "python -m pip install ./aggregator" in text
    assert len(lines_of(workflow)) >= 3
