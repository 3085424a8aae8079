"""A whole aggregator in a temporary folder, with a clock that the test moves: what the commands do, in this process."""

import json
import os
import shutil
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from lxml import etree
from sqlalchemy import inspect, text

from aggregator.app import App, open_app
from aggregator.cli.poll import OneShot
from aggregator.config import load_config
from tests.rows import change, connected
from tests.stores import copy_store, is_file, url_of

START = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
ATOM = "{http://www.w3.org/2005/Atom}"
KILLED = 9  # exit code
LOOPBACK = "hosts: {127.0.0.0/8: {allow_private: true, spacing: 0s, parallel: 16}}\n"


class MovedClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        """Move it, as `timedelta` counts."""
        self.now += timedelta(**by)


class SampleSite:
    """A feeds.yaml, its store and its outputs."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, MovedClock()
        self.environ: dict[str, str] = {}  # where ${NAME} is looked up

    def writes(self, yaml: str, *, hosts: str = LOOPBACK) -> None:
        """Write feeds.yaml; loopback is allowed, as an operator would allow it."""
        store = "" if is_file() or "\nstore: " in yaml else f"\nstore: {url_of(self.folder)}\n"
        (self.folder / "feeds.yaml").write_text(hosts + yaml + store, encoding="utf-8")

    def copied(self, folder: Path) -> "SampleSite":
        """Return the same site, store and outputs included, in another folder."""
        copy = SampleSite(folder)
        copy.clock.now, copy.environ = self.clock.now, dict(self.environ)
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        copy_store(self.folder, folder)
        old, new = str(self.folder), str(folder)
        change(folder, "UPDATE store SET folder = replace(folder, :old, :new)", old=old, new=new)
        return copy

    @contextmanager
    def opened(self, command: str = "poll") -> Iterator[App]:
        """Open store and folder as a command does."""
        settings = replace(load_config(self.folder / "feeds.yaml", self.environ), store=url_of(self.folder))
        app = open_app(settings, command=command, clock=self.clock)
        try:
            yield app
        finally:
            app.close()

    def poll(
        self, keys: Sequence[str] = (), *, everything: bool = True, limit: timedelta = timedelta(0)
    ) -> dict[str, Any]:
        """Run `poll --all` and give its report."""
        with self.opened() as app:
            shot = OneShot(app)
            shot.poll(keys, everything=everything, limit=limit)
            published = app.publisher.publish()
            return dict(shot.report(published.changed, published.posts))

    def dies_publishing(self, files: int) -> bool:
        """Publish in another process, which ends at once where it would put one file more in place than these.

        Returns:
            False if it put them all in place before.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the test runner has threads; the child needs none
            child = os.fork()
        if not child:
            self._publish_until(files)
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        assert code in (0, KILLED)
        return code == KILLED

    def _publish_until(self, files: int) -> None:
        left, code = [files], 1

        def end_at_last(event: str, _: object) -> None:
            if event == "os.rename":
                left[0] -= 1
                if left[0] < 0:
                    os._exit(KILLED)

        try:
            sys.addaudithook(end_at_last)
            with self.opened() as app:
                app.publisher.publish()
            code = 0
        finally:
            os._exit(code)

    def published(self, path: str) -> bytes:
        """Return the bytes of an output."""
        return (self.folder / "public" / path).read_bytes()

    def entries(self, path: str) -> list[etree._Element]:
        """Return the entries of a published Atom document."""
        return list(etree.fromstring(self.published(path)).iterchildren(f"{ATOM}entry"))

    def titles(self, path: str = "category/general.atom") -> list[str]:
        """Return the titles of a published Atom document, in order."""
        return [str(entry.findtext(f"{ATOM}title")) for entry in self.entries(path)]

    def items(self, path: str = "category/general.json") -> list[dict[str, Any]]:
        """Return the items of a published JSON Feed."""
        items: list[dict[str, Any]] = json.loads(self.published(path))["items"]
        return items

    def previous(self, path: str) -> str:
        """Return the path of the archive page before a document; empty if there is none."""
        root = etree.fromstring(self.published(f"{path}.atom"))
        links = [
            str(link.get("href")) for link in root.iterchildren(f"{ATOM}link") if link.get("rel") == "prev-archive"
        ]
        return links[0].removeprefix("http://127.0.0.1:8080/").removesuffix(".atom") if links else ""

    def files(self) -> Mapping[str, tuple[bytes, int, int]]:
        """Return bytes, mtime and inode of every output but status.*: these must not change when nothing has."""
        root = self.folder / "public"
        return {
            str(path.relative_to(root)): (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino)
            for path in sorted(root.rglob("*"))
            if path.is_file() and not path.name.startswith("status.")
        }

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Return the rows of all tables of the store, less the paths of this folder."""
        with connected(self.folder) as connection:
            names = inspect(connection).get_table_names()
            tables = {
                name: [*map(dict, connection.execute(text(f'SELECT * FROM "{name}"')).mappings())] for name in names
            }
        for row in tables["store"]:
            del row["folder"], row["config_path"]
        return tables

    def outputs(self) -> dict[str, bytes]:
        """Return the bytes of every output but status.*."""
        return {path: data for path, (data, *_) in self.files().items()}


def shows_states(path: Path) -> bool:
    """Return whether an output tells how sources are, or what they list, which is known after their next poll."""
    return path.name.split(".")[0] in ("status", "sources") or "source" in path.parts[-2:-1]


def rss(*items: Mapping[str, str], title: str = "A feed", link: str = "https://news.example/") -> bytes:
    """Write an RSS 2.0 document; values are escaped."""
    root = etree.Element("rss", version="2.0")
    channel = etree.SubElement(root, "channel")
    for name, value in (("title", title), ("link", link), ("description", "")):
        etree.SubElement(channel, name).text = value
    for item in items:
        element = etree.SubElement(channel, "item")
        for name, value in item.items():
            child = etree.SubElement(element, name)
            child.text = value
            if name == "guid" and not value.startswith("http"):
                child.set("isPermaLink", "false")
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def item(number: int | str, **fields: str) -> dict[str, str]:
    """Return one item of a feed, with texts made from its number."""
    text = f"This is what item {number} says at some length, so that it can be told from every other item of the feed."
    made = {
        "title": f"Title {number}",
        "guid": f"item-{number}",
        "link": f"https://news.example/{number}",
        "description": text,
    }
    return {name: value for name, value in (made | fields).items() if value}
