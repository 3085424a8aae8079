"""Comparison of feedparser alone and this program over a corpus of real, broken and hostile feeds.

`python -m benchmarks.corpus FOLDER`, where FOLDER holds an `index.json` that names its files. Prints a table by kind
of fault, then each file whose entries differ from what the index and a recovering parser count.
"""

import argparse
import json
import re
import signal
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import feedparser
from lxml import etree, html

from aggregator.clean.feed import clean
from aggregator.errors import ParseError
from aggregator.model.entry import Digest
from aggregator.model.poll import Fetched
from aggregator.model.settings import Reading
from aggregator.parse.document import parse
from aggregator.urls import normalise

SECTIONS = ("real", "transcoded", "malformed", "hostile")
SUFFIXES = frozenset({".xml", ".json", ".html", ".txt", ".rss", ".atom", ".rdf"})
URL = normalise("https://site.example/feeds/feed.xml")
LIMIT = 10  # seconds for a file
SCRIPTS = re.compile(r"^[\x00-\x20]*(?:javascript|vbscript|data:text)", re.IGNORECASE)
ENTRY = re.compile(r"(?:^|\})(?:item|entry)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Told:
    """Result of one reader for one file."""

    titles: tuple[str, ...] = ()
    dated: int = 0
    unsafe: int = 0
    left_out: int = 0
    refused: bool = False
    failed: str = ""
    slow: bool = False


@dataclass(slots=True)
class Sum:
    """Sums of one reader's results over all files of a kind."""

    entries: int = 0
    titles: int = 0
    dates: int = 0
    charsets: int = 0
    unsafe: int = 0
    refused: int = 0
    failed: int = 0
    slow: int = 0

    def add(self, told: Told, is_right: bool) -> None:
        """Count a file."""
        self.entries += len(told.titles)
        self.titles += sum(map(bool, told.titles))
        self.dates += told.dated
        self.charsets += is_right
        self.unsafe += told.unsafe
        self.refused += told.refused
        self.failed += bool(told.failed)
        self.slow += told.slow


@dataclass(slots=True)
class Kind:
    """A kind of fault."""

    files: int = 0
    truths: int = 0  # files of which it is known how they read in UTF-8
    alone: Sum = field(default_factory=Sum)
    ours: Sum = field(default_factory=Sum)


def by_feedparser(body: bytes) -> Told:
    """Read with feedparser's defaults."""
    found = feedparser.parse(body)
    entries = found.entries
    texts = [
        [e.get("summary", ""), *(content.get("value", "") for content in e.get("content", ())), e.get("title", "")]
        for e in entries
    ]
    return Told(
        titles=tuple(str(e.get("title", "")) for e in entries),
        dated=sum(bool(e.get("published_parsed") or "updated" in e) for e in entries),
        unsafe=sum(any(map(is_unsafe, each)) for each in texts),
        refused=not found.get("version"),
    )


def by_us(body: bytes) -> Told:
    """Read as a poll does."""
    answer = Fetched(asked_at=datetime(2026, 3, 4, tzinfo=UTC), url=URL, body=body, body_digest=Digest("0"))
    try:
        feed = clean(parse(answer, Reading()), Reading())
    except ParseError:
        return Told(refused=True)
    return Told(
        titles=tuple(entry.title for entry in feed.entries),
        dated=sum(bool(entry.published or entry.updated) for entry in feed.entries),
        unsafe=sum(is_unsafe(entry.content) or is_unsafe(entry.summary) for entry in feed.entries),
        left_out=len(feed.left_out),
    )


def is_unsafe(text: str) -> bool:
    """Return whether a browser would run a script in this HTML."""
    if "<" not in text:
        return False
    try:
        root = html.fragment_fromstring(text, create_parent="div")
    except (etree.LxmlError, ValueError):
        return False
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        if element.tag.lower() in ("script", "iframe", "object", "embed", "style"):
            return True
        for name, value in element.attrib.items():
            if str(name).lower().startswith("on") or SCRIPTS.match(str(value)):
                return True
    return False


def within_limit(read: Callable[[bytes], Told], body: bytes) -> Told:
    """Read a file; what a reader raises, and that it takes too long, is a result like others."""

    def stop(_: int, __: FrameType | None) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(LIMIT)
    try:
        return read(body)
    except TimeoutError:
        return Told(slow=True)
    except Exception as error:  # noqa: BLE001 - to count them is what this is for
        return Told(failed=type(error).__name__)
    finally:
        signal.alarm(0)


def counted(body: bytes) -> int:
    """Count the entries that libxml2's recovering parser finds."""
    try:
        root = etree.fromstring(body, etree.XMLParser(recover=True, resolve_entities=False, huge_tree=True))
    except (etree.LxmlError, ValueError):
        return 0
    return sum(isinstance(e.tag, str) and bool(ENTRY.search(e.tag)) for e in root.iter()) if root is not None else 0


def rows_of(folder: Path) -> Iterator[tuple[str, dict[str, object], Path]]:
    """Return the files of a corpus: kind, row of the index, path."""
    index = json.loads((folder / "index.json").read_bytes())
    for section in SECTIONS:
        for row in index.get(section, ()):
            path = folder / str(row.get("file", ""))
            if path.suffix in SUFFIXES and path.is_file() and path.parent != folder / "hostile":
                yield str(path.parent.relative_to(folder)), row, path


def is_same(titles: tuple[str, ...], truth: tuple[str, ...]) -> bool:
    """Return whether a file reads like its original; Shift_JIS has one code for two wave dashes (I5)."""
    return bool(titles) and [t.replace("\uff5e", "\u301c") for t in titles] == [
        t.replace("\uff5e", "\u301c") for t in truth
    ]


def report(folder: Path) -> None:
    """Print both tables."""
    kinds: dict[str, Kind] = defaultdict(Kind)
    differences = []
    for name, row, path in rows_of(folder):
        body = path.read_bytes()
        kind = kinds[name]
        kind.files += 1
        told = {read: within_limit(read, body) for read in (by_feedparser, by_us)}
        original = folder / str(row.get("truth_utf8", ""))
        has_truth = "truth_utf8" in row and original.is_file()
        kind.truths += has_truth
        for read, total in ((by_feedparser, kind.alone), (by_us, kind.ours)):
            is_right = has_truth and is_same(told[read].titles, within_limit(read, original.read_bytes()).titles)
            total.add(told[read], is_right)
        ours = told[by_us]
        expected = {"feedparser": len(told[by_feedparser].titles)}
        if path.suffix != ".json":
            expected["recovered"] = counted(body)
        if "entries" in row:
            expected["index"] = int(str(row["entries"]))
        if any(number > len(ours.titles) + ours.left_out for number in expected.values()):
            counts = ", ".join(f"{who} {number}" for who, number in expected.items())
            verdict = "not a feed" if ours.refused else ours.failed or f"{len(ours.titles)} entries"
            differences.append(f"- {path.relative_to(folder)}: {verdict}; {counts}")
    names = "entries titles dates charsets unsafe refused failed slow".split()
    print("| kind | files | " + " | ".join(names) + " |\n| --- | ---: |" + " ---: |" * len(names))
    for name, kind in kinds.items():
        pairs = [f"{getattr(kind.alone, each)} → {getattr(kind.ours, each)}" for each in names]
        pairs[3] = f"{pairs[3]} of {kind.truths}" if kind.truths else "–"
        print(f"| {name} | {kind.files} | " + " | ".join(pairs) + " |")
    print("\nFiles of which others count more entries than are read:\n")
    print("\n".join(differences) or "none")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.corpus", description=__doc__)
    parser.add_argument("folder", type=Path, help="with an index.json that names its files")
    folder = parser.parse_args().folder
    if not (folder / "index.json").is_file():
        print(f"no corpus in {folder}: nothing to read")
        return
    report(folder)


if __name__ == "__main__":
    main()
