"""Counts of how far a reader has to walk through the code, printed as a table.

One poll that brings one new entry is traced: modules entered, moves from module to module, transactions. The rest is
counted from the source text. The share of mutants that tests kill is measured by `python -m benchmarks.mutants`.
"""

import argparse
import ast
import contextlib
import io
import json
import os
import runpy
import subprocess
import sys
import tempfile
import threading
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType
from typing import Any, cast

import aggregator

ROOT = Path(aggregator.__file__).parent
FEED = '<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title><id>tag:e,2020:f</id>{}</feed>'
ENTRY = (
    "<entry><id>tag:e,2020:{0}</id><title>News number {0} about apples and pears</title>"
    '<link href="http://127.0.0.1/e{0}"/><updated>2026-01-0{0}T00:00:00Z</updated>'
    '<content type="html">Text of entry {0} with some words in it, enough to be told apart.</content></entry>'
)
YAML = """site: {{title: T}}
store: sqlite:///a.db
publish: {{to: public/, formats: [atom, rss, json, html]}}
hosts: {{127.0.0.1: {{allow_private: true, spacing: 0s}}}}
sources: [{{url: "http://127.0.0.1:{port}/f.xml", category: news}}]
"""
LIMITS = {
    "modules that one poll passes": 195,
    "moves from module to module": 2300,
    "transactions of that poll": 20,
    "modules at the top level": 8,
    "modules in publish/ itself": 22,
    "fields of SourceJob": 20,
    "fields of DetailJob": 9,
    "modules that name the format rss": 3,
    "modules that name the command retract": 2,
    "docstrings that begin with Give, Tell, What ...": 0,
}
OTHER_RSS = {  # modules in which "rss" is another word than the name of our format
    "render/opml.py",  # OPML's word for a feed of any format
    "cli/importing/planet.py",  # part of names of files of Planet, Pluto and Venus
}
RIDDLES = ("Give", "Tell", "Say", "What", "Whose", "Where", "How", "All of it", "The whole")


class _Origin(BaseHTTPRequestHandler):
    entries = 1

    def do_GET(self) -> None:
        body = FEED.format("".join(ENTRY.format(number) for number in range(1, self.entries + 1))).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/atom+xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


def walk() -> dict[str, int]:
    """Trace `poll --all` with one new entry, in this process: it is of no use for anything else afterwards."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Origin)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    modules, last, moves, transactions = set[str](), dict[int, str](), [0], [0]

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event != "call":
            return
        name = frame.f_code.co_filename
        if name.endswith("sqlalchemy/engine/base.py") and frame.f_code.co_name == "_begin_impl":
            transactions[0] += 1
        if name.startswith(str(ROOT)):
            modules.add(name)
            thread = threading.get_ident()
            moves[0] += last.get(thread) != name
            last[thread] = name

    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "feeds.yaml").write_text(YAML.format(port=server.server_address[1]), encoding="utf-8")
        os.chdir(folder)
        _run("poll")
        _Origin.entries = 2
        threading.setprofile(profile)
        sys.setprofile(profile)
        _run("poll", "--all")
        sys.setprofile(None)
        threading.setprofile(cast(Any, None))
        published = Path("public/category/news.atom").read_text(encoding="utf-8").count("<entry")
        os.chdir("/")
    server.shutdown()
    assert published == 2, published
    return {"modules": len(modules), "moves": moves[0], "transactions": transactions[0]}


def _run(*arguments: str) -> None:
    sys.argv = ["aggregator", "-q", *arguments]
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
        runpy.run_module("aggregator", run_name="__main__")


@cache
def sources() -> tuple[tuple[Path, ast.Module], ...]:
    """Return each module, relative to the package, with its syntax tree."""
    return tuple((p.relative_to(ROOT), ast.parse(p.read_text(encoding="utf-8"))) for p in sorted(ROOT.rglob("*.py")))


def fields_of(names: set[str]) -> dict[str, int]:
    """Return how many fields the classes of these names have."""
    found = {}
    for _, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and node.name in names:
                found[node.name] = sum(isinstance(part, ast.AnnAssign) for part in node.body)
    return found


def docstrings() -> tuple[int, int]:
    """Return how many docstrings there are, and how many begin with a word that makes a reader guess."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    texts = [
        text
        for _, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, kinds)
        if (text := ast.get_docstring(node))
    ]
    return len(texts), sum(text.startswith(RIDDLES) for text in texts)


def naming(word: str) -> int:
    """Return how many modules outside of `parse` hold a word as a text of its own: a format, or a command."""
    return sum(
        any(isinstance(node, ast.Constant) and node.value in (word, f".{word}") for node in ast.walk(tree))
        for path, tree in sources()
        if path.parts[0] not in ("parse", "fetch", "clean") and (word != "rss" or path.as_posix() not in OTHER_RSS)
    )


def measures() -> dict[str, int]:
    """Return all measures by their names; a poll is traced in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.house", "--walk"]
    walked = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    documented, riddles = docstrings()
    return {
        "modules": len(sources()),
        "modules that one poll passes": walked["modules"],
        "moves from module to module": walked["moves"],
        "transactions of that poll": walked["transactions"],
        "modules at the top level": sum(len(p.parts) == 1 and not p.name.startswith("__") for p, _ in sources()),
        "modules in publish/ itself": len(list((ROOT / "publish").glob("*.py"))),
        **{f"fields of {name}": number for name, number in fields_of({"SourceJob", "DetailJob"}).items()},
        "modules that name the format rss": naming("rss"),
        "modules that name the command retract": naming("retract"),
        "docstrings": documented,
        "docstrings that begin with Give, Tell, What ...": riddles,
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--walk", action="store_true", help="trace one poll alone and print it as JSON")
    if parser.parse_args().walk:
        print(json.dumps(walk()))
        return
    for name, number in measures().items():
        print(f"{name:50} {number:6}" + (f"   (to reach: {LIMITS[name]})" if name in LIMITS else ""))


if __name__ == "__main__":
    main()
