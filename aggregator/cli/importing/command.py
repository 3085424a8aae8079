"""Body of `import`: reads a file of another program and puts its feeds into feeds.yaml."""

import argparse
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from aggregator.clean.text import category_of
from aggregator.cli.edit import WRONG, core, finish, read_file
from aggregator.cli.importing.ini import looks_like_ini, read_ini
from aggregator.cli.importing.opml import looks_like_opml, read_opml
from aggregator.cli.importing.osmosfeed import read_osmosfeed
from aggregator.cli.importing.planet import Imported, ImportedFeed
from aggregator.cli.terminal import counted, printable
from aggregator.config.addresses import base_url
from aggregator.config.editing import SOURCES, ConfigText
from aggregator.config.findings import Unfit
from aggregator.config.keys import PublishKeys
from aggregator.config.loader import read_config
from aggregator.config.positions import EditRefused
from aggregator.config.source_text import NewSource, key_text, literal, scalar, source_pairs
from aggregator.config.vocabulary import category_key, contact, timezone
from aggregator.errors import AggregatorError, ConfigError, ParseError
from aggregator.model.output_paths import format_of
from aggregator.model.settings import Settings
from aggregator.parse.charset import decode
from aggregator.parse.opml import MAX_BYTES
from aggregator.urls import Url, file_url, match_url

LEFT_OUT = 1  # exit code: a feed of the file could not be taken over
MOST_LINES = 40  # remarks that are printed one by one

_CHECKS: dict[str, Callable[[str], str]] = {"base_url": base_url, "contact": contact, "timezone": timezone}


class NotKnown(AggregatorError):
    """The file has no format that can be imported."""


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Import the file of the command line."""
    try:
        imported = read_imported(options.file)
        before = read_file(options.config)
        importing = _Import(imported, before, options, environ)
        after, settings = importing.edited()
    except (NotKnown, EditRefused) as error:
        print(printable(f"aggregator: {error}"), file=sys.stderr)
        return WRONG
    except OSError as error:
        print(f"aggregator: {options.file} can't be read: {error.strerror}; name a file", file=sys.stderr)
        return WRONG
    if not options.json:
        for line in importing.report():
            print(printable(line))
    record = importing.record(settings, str(options.file))
    try:
        code = finish(options, before, after, settings, said=importing.done(), record=record)
    except EditRefused as error:  # another program has changed the file meanwhile
        print(f"aggregator: {error}", file=sys.stderr)
        return WRONG
    return code or (LEFT_OUT if any(remark.is_lost for remark in imported.remarks) else code)


def read_imported(path: Path) -> Imported:
    """Read a file of another program.

    Raises:
        NotKnown: its format is none of those that can be imported, or it is broken.
        OSError: it can't be read.
    """
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise NotKnown(f"{path} has over {MAX_BYTES // 2**20} MiB; write several smaller files")
    decoded = decode(data, content_type=None, override=None)
    url: Url = file_url(path.absolute())
    try:
        if looks_like_opml(decoded.text):
            imported = read_opml(decoded.text, url)
        elif (found := read_osmosfeed(decoded.text.encode(), path.name)) is not None:
            imported = found
        elif looks_like_ini(decoded.text):
            imported = read_ini(decoded.text, path.name)
        else:
            raise NotKnown(f"{path} is neither OPML nor the configuration of Planet Venus, Pluto or osmosfeed")
    except ParseError as error:
        raise NotKnown(f"{path}: {error}") from error
    for notice in decoded.notices:
        imported.remark(0, notice)
    if not imported.feeds and not any(remark.is_lost for remark in imported.remarks):
        imported.remark(0, "it names no feed", is_lost=True)
    return imported


class _Import:
    """Puts an imported file into feeds.yaml.

    Args:
        imported: the file.
        before: content of feeds.yaml; None if there is none.
        options: of the command line.
        environ: variables for `${NAME}`.

    Raises:
        ConfigError: feeds.yaml has errors.
    """

    def __init__(
        self, imported: Imported, before: bytes | None, options: argparse.Namespace, environ: Mapping[str, str]
    ) -> None:
        self._imported, self._environ, self._path = imported, environ, options.config
        self._text = ConfigText(before or b"")
        self._before: Settings | None = None
        self._problem: ConfigError | None = None
        try:
            self._before = read_config(before or b"", self._path, environ)
        except ConfigError as error:  # perhaps all that is wrong is that it has no source yet
            self._problem = error if before else None
        old = self._before.sources if self._before else ()
        held = {match_url(Url(name)): source for source in old for name in (source.url, *source.was)}
        self._known = [(feed, held[match_url(feed.url)]) for feed in imported.feeds if match_url(feed.url) in held]
        self._feeds = [feed for feed in imported.feeds if match_url(feed.url) not in held]
        self._chosen = tuple(options.category)  # `--category`, which replaces the groups
        self._titles: dict[str, str] = {}  # key of a category that may be made -> its title
        self._categories = {} if self._chosen else self._named()
        self._aliases: dict[str, str] = {}
        self._new: dict[str, str] = {}  # key of a category that is made -> its title

    def edited(self) -> tuple[bytes, Settings]:
        """Return the new content of feeds.yaml, and its settings.

        Raises:
            EditRefused: feeds.yaml can't be edited by a program.
            ConfigError: feeds.yaml has errors.
        """
        if self._problem is not None and not self._feeds:
            raise self._problem
        text = self._text
        if self._feeds:
            text.add_items(SOURCES, [source_pairs(self._source(feed)) for feed in self._feeds])
        self._put_settings()
        self._put_categories()
        try:
            if not self._feeds and self._before is None:
                raise EditRefused("no feed of the file can be taken over, so there is nothing to write")
            settings = read_config(text.data, self._path, self._environ)
        except ConfigError as error:
            if self._problem is not None:
                raise self._problem from error
            raise EditRefused("; ".join(problem.what for problem in error.problems)) from error
        self._check(settings)
        return text.data, settings

    def report(self) -> Iterator[str]:
        """Yield what was read, and what the operator should know of it, for people."""
        imported = self._imported
        known = f", {len(self._known):,} of them sources already" if self._known else ""
        groups = len({group for feed in imported.feeds for group in feed.groups})
        inside = f" in {counted(groups, 'group')}" if groups else ""
        yield f"{imported.form}: {counted(len(imported.feeds), 'feed')}{inside}{known}"
        for feed, source in self._known[:MOST_LINES]:
            yield f"  = {feed.title or feed.url} is {source.key}, line {source.line}"
        if len(self._known) > MOST_LINES:
            yield f"  = and {len(self._known) - MOST_LINES} more; --json names them all"
        remarks = sorted(imported.remarks, key=lambda remark: remark.line)
        yield from (f"  {'!' if remark.is_lost else '·'} {remark}" for remark in remarks[:MOST_LINES])
        if len(remarks) > MOST_LINES:
            yield f"  · and {len(remarks) - MOST_LINES} more; --json names them all"

    def done(self) -> str:
        """Return what was done, in words."""
        if not self._feeds:
            return "no feed of it is new"
        return f"imported {counted(len(self._feeds), 'feed')}, none was fetched yet (`aggregator check --live` does)"

    def record(self, settings: Settings, file: str) -> dict[str, Any]:
        """Return what `--json` reports."""
        count = len(self._feeds)
        return {
            "file": file,
            "format": self._imported.form,
            "added": [
                {
                    "key": source.key,
                    "url": source.safe_url,
                    "line": source.line,
                    "categories": list(source.categories),
                    "title": source.title,
                }
                for source in (settings.sources[-count:] if count else ())
            ],
            "known": [source.key for _, source in self._known],
            "categories": self._new,
            "aliases": self._aliases,
            "remarks": [
                {"line": remark.line or None, "text": remark.text, "left_out": remark.is_lost}
                for remark in self._imported.remarks
            ],
        }

    def _source(self, feed: ImportedFeed) -> NewSource:
        keys = dict.fromkeys(self._categories[group] for group in feed.groups if group in self._categories)
        categories = self._chosen or tuple(keys)
        return NewSource(
            url=literal(feed.url), title=feed.title, categories=categories, kind=feed.kind, paused=feed.paused
        )

    def _named(self) -> dict[tuple[str, ...], str]:
        """Return the key of the category for each group.

        A group is the category of that key or title, if there is one. Else its key is made of its name in small
        letters with hyphens, which is easily typed; its name becomes the title. Groups of the same name in different
        groups are different categories, which their titles tell apart.
        """
        declared = self._before.categories if self._before else ()
        keys = {name.casefold(): str(one.key) for one in declared for name in (one.title, one.key)}
        paths = dict.fromkeys(group for feed in self._feeds for group in feed.groups)
        cleaned = {path: tuple(filter(None, map(category_of, path))) for path in paths}
        places = Counter(path[-1].casefold() for path in dict.fromkeys(cleaned.values()) if path)
        found: dict[tuple[str, ...], str] = {}
        for path, names in cleaned.items():
            if not names:
                continue
            is_twice = places[names[-1].casefold()] > 1 and len(names) > 1
            title = (f"{names[-2]}: {names[-1]}" if is_twice else names[-1])[:200].rstrip()
            key = keys.get(title.casefold())
            if key is None:
                key = _key_of(title)
                if key.casefold() in keys and keys[key.casefold()] in self._titles:
                    key = title  # another group has this key, such as `C` and `C++`
                key = keys.get(key.casefold(), key)
                if key not in keys.values():
                    self._titles[key] = title
                keys |= {title.casefold(): key, key.casefold(): key}
            found[path] = key
        return found

    def _put_categories(self) -> None:
        used = {key for feed in self._feeds for group in feed.groups if (key := self._categories.get(group))}
        new = {key: title for key, title in self._titles.items() if key in used}
        pairs = [
            (key, "{}" if title == key else f"{{title: {scalar(literal(title), quotes=True)}}}")
            for key, title in new.items()
        ]
        if pairs:
            self._text.put(("categories",), pairs)
        self._new = new

    def _put_settings(self) -> None:
        """Write what the old planet says of itself, where feeds.yaml says nothing, and copies under its old names."""
        found: dict[str, list[tuple[str, str]]] = {"site": [], "publish": []}
        for (table, key), value in self._imported.settings.items():
            is_for_sources = key == "timezone"  # it would change schedules of the sources that are there
            if self._text.find(table, key) is not None or (is_for_sources and self._before is not None):
                continue
            if key == "base_url":  # Venus asks for the address of the main page
                value = re.sub(r"/[^/]*\.(html?|php)$", "/", value)
            try:
                if key == "entries":
                    if not 10 <= int(value) <= 1000:
                        continue
                    found[table].append((key, value))
                else:
                    if check := _CHECKS.get(key):
                        check(value)
                    found[table].append((key, key_text(literal(value))))
            except Unfit as unfit:
                self._imported.remark(0, f"{value} {unfit}; so {table}.{key} is not written")
        formats = self._before.publish.formats if self._before else frozenset(PublishKeys.formats.default)
        taken = dict(self._before.publish.aliases) if self._before else {}
        self._aliases = {
            old: ours
            for old, ours in self._imported.aliases.items()
            if old not in taken and format_of(ours) in (None, *formats)
        }
        for table in ("site", "publish"):
            if found[table]:
                self._text.put((table,), found[table])
        if self._aliases:
            self._text.put(("publish", "aliases"), [(old, ours) for old, ours in self._aliases.items()])

    def _check(self, settings: Settings) -> None:
        """Check that the sources are the old ones and the new ones."""
        old = self._before.sources if self._before else ()
        count = len(old)
        same = list(map(core, settings.sources[:count])) == list(map(core, old))
        new = [(source.url, source.title) for source in settings.sources[count:] if source.path is None]
        if not same or new != [(feed.url, feed.title) for feed in self._feeds]:
            raise EditRefused("the layout of feeds.yaml can't be edited by a program; edit it by hand")


def _key_of(title: str) -> str:
    """Return the key of a new category: its title in small letters, with hyphens between words."""
    folded = unicodedata.normalize("NFKC", title).casefold()
    key = "-".join(re.findall(r"[^\W_]+[+#]*", folded))[:60].strip("-")
    try:
        return category_key(key)
    except Unfit:
        return title
