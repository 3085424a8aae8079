"""Body of `add`: finds the feed behind an address, reads it once, and writes it into feeds.yaml."""

import argparse
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aggregator.cli.add_list import ListAdded, NotAList, listed_feeds, row_of, source_of
from aggregator.cli.edit import core, read_file
from aggregator.cli.names import command
from aggregator.cli.open import read_store
from aggregator.cli.terminal import json_text, printable
from aggregator.clock import utc_now
from aggregator.config.addresses import web_address
from aggregator.config.editing import with_sources
from aggregator.config.findings import Unfit
from aggregator.config.loader import read_config
from aggregator.config.positions import EditRefused
from aggregator.config.saving import replace_config
from aggregator.config.source_text import NewSource, literal
from aggregator.errors import AggregatorError, ConfigError, NamedFeed, NotAFeed, StoreError
from aggregator.late import late
from aggregator.model.settings import Roster, Settings, Source, SourceKey
from aggregator.urls import Url, match_url, without_secrets

if TYPE_CHECKING:
    from aggregator.dry_run import advice, discovery, probe
else:  # an address that is refused is not asked
    advice = late("aggregator.dry_run.advice")
    discovery = late("aggregator.dry_run.discovery")
    probe = late("aggregator.dry_run.probe")

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?!\d)")
_PORT = re.compile(r"[^/?#]*:(?!443(?!\d))\d+")
_TRY_OTHER = frozenset({"connect", "tls", "reset", "timeout", "http", "not_found"})  # then the other scheme may do


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Add the addresses and files of the command line. Exit code 1 if one of them was not added."""
    if options.title is not None and len(options.urls) > 1:
        print("aggregator: --title is for one URL; add them one by one", file=sys.stderr)
        return 2
    adding = _Adding(options, environ)
    added: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    lists: list[ListAdded] = []
    try:
        for typed in options.urls:
            try:
                if taken := adding.take_in(typed):
                    lists.append(taken)
                    added += taken.rows
                    refused += [{"url": typed, "code": "left_out", "why": why} for why in taken.left_out]
                    if not options.json:
                        print(printable(taken.in_words()), flush=True)
                    continue
                row = adding.add(typed)
            except _NotAdded as error:
                refused.append({"url": typed, "code": error.code, "why": error.why})
                name = "" if error.why.startswith(typed) else f"{typed}: "
                print(printable(f"aggregator: {name}{error.why}"), file=sys.stderr)
                continue
            added.append(row)
            if not options.json:
                print(printable(_in_words(row)), flush=True)
    finally:
        adding.close()
    if options.json:
        record = {"version": 1, "config": str(options.config), "added": added, "refused": refused}
        record["lists"] = [taken.record() for taken in lists]
        print(json_text(record))
    return 1 if refused else 0


def addresses_of(typed: str) -> Sequence[str]:
    """Return the URLs to try for an address as typed: without a scheme both, https first.

    At a port other than 443 http comes first: a server that expects TLS answers plain HTTP with an error at once, but
    a plain HTTP server may wait for the rest of a TLS handshake.
    """
    if _SCHEME.match(typed):
        return (typed,)
    both = (f"https://{typed}", f"http://{typed}")
    return both[::-1] if _PORT.match(typed) else both


class _NotAdded(AggregatorError):
    """An address that was not added, with code and reason."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(code, why)
        self.code, self.why = code, why


@dataclass(frozen=True, slots=True)
class _Draft:
    """Text of feeds.yaml with one more source, and its settings."""

    data: bytes
    settings: Settings

    @property
    def source(self) -> Source:
        return self.settings.sources[-1]


class _Adding:
    """State of one run of `add`: the current feeds.yaml and the prober that sends requests."""

    def __init__(self, options: argparse.Namespace, environ: Mapping[str, str]) -> None:
        self._path: Path = options.config
        self._options, self._environ = options, environ
        self._data = read_file(self._path)
        self._sources: tuple[Source, ...] = ()
        self._settings: Settings | None = None
        self._problem: ConfigError | None = None  # perhaps all that is wrong is that it has no source yet
        try:
            self._settings = read_config(self._data or b"", self._path, environ)
            self._sources = self._settings.sources
        except ConfigError as error:
            self._problem = error
        self._trials: probe.Prober | None = None
        self._past: probe.Past | None = None  # not read yet
        self._better: Mapping[SourceKey, Url] = {}  # addresses that sources should have, as the store knows

    def add(self, typed: str) -> dict[str, Any]:
        """Add one source and return its row of the report.

        Raises:
            _NotAdded: the source was not added.
            ConfigError: feeds.yaml itself has errors.
        """
        if _is_file(typed):
            there = os.path.relpath(typed, self._path.parent)
            entry = f"- {{kind: file, url: {json_text(literal(there))}}}"
            first = "copy it into the folder of feeds.yaml, and there " if there.startswith("..") else ""
            raise _NotAdded("refused", f"it is a file; {first}write {entry} below sources:")
        address, draft, found = self._found(typed)
        final = self._final(draft, found, address)
        replace_config(self._path, self._data, final.data)
        self._data, self._sources = final.data, final.settings.sources
        return _row(final, found)

    def take_in(self, typed: str) -> ListAdded | None:
        """Add the feeds of a local OPML file without fetching them; None if the argument is no such file.

        Feeds that are sources already are left unchanged.

        Raises:
            _NotAdded: no feed was added.
            ConfigError: feeds.yaml itself has errors.
        """
        if not _is_file(typed):
            return None
        try:
            listed = listed_feeds(Path(typed))
        except NotAList:
            return None
        if self._options.title is not None:
            raise _NotAdded("refused", "--title is for one feed, and this is a list of feeds")
        if not listed.outlines:
            said = "; ".join((*listed.left_out, *listed.notices)[:5])
            raise _NotAdded("no_feed", f"a list that names no feed{': ' + said if said else ''}")
        self._read_past(replace(self._settings, sources=self._sources) if self._settings else None)
        held = self._held()
        new = [outline for outline in listed.outlines if match_url(outline.url) not in held]
        known = [outline.url for outline in listed.outlines if match_url(outline.url) in held]
        rows: list[dict[str, Any]] = []
        if new:
            draft = self._with([source_of(outline, self._options.category) for outline in new])
            replace_config(self._path, self._data, draft.data)
            self._data, self._settings, self._sources = draft.data, draft.settings, draft.settings.sources
            rows = [row_of(source, draft.settings) for source in draft.settings.sources[-len(new) :]]
        return ListAdded(typed, rows, known, listed.left_out, listed.notices)

    def close(self) -> None:
        """Close connections and reader processes."""
        if self._trials is not None:
            self._trials.close()

    def _found(self, typed: str) -> "tuple[str, _Draft, discovery.Found]":
        """Find the feed behind an address as typed. If one scheme fails, the other is tried."""
        addresses = list(addresses_of(typed))
        while True:
            address = addresses.pop(0)
            draft = self._drafted(address)
            try:
                return address, draft, self._asked(draft)
            except discovery.NoFeed as error:
                if not addresses or error.code not in _TRY_OTHER:
                    raise _NotAdded(error.code, error.why) from error

    def _drafted(self, address: str) -> _Draft:
        """Return feeds.yaml with one more source, loaded without errors.

        Args:
            address: as written in feeds.yaml.
        """
        try:
            if "${" not in address:
                self._check_is_new(web_address(address, address).url)
        except Unfit as unfit:
            raise _NotAdded("refused", f"it {unfit}") from unfit
        return self._with([NewSource(url=address, title=self._options.title, categories=self._options.category)])

    def _with(self, new: Sequence[NewSource]) -> _Draft:
        """Return feeds.yaml with more sources, loaded without errors. All other settings must be unchanged."""
        try:
            data = with_sources(self._data or b"", new)
            settings = read_config(data, self._path, self._environ)
        except (EditRefused, ConfigError) as error:
            if self._problem is not None and self._data:
                raise self._problem from error
            problems = error.problems if isinstance(error, ConfigError) else ()
            raise _NotAdded("config", "; ".join(problem.what for problem in problems) or str(error)) from error
        if list(map(core, settings.sources[: -len(new)])) != list(map(core, self._sources)):
            raise _NotAdded("config", "the layout of feeds.yaml can't be edited by a program; add the source by hand")
        return _Draft(data, settings)

    def _asked(self, draft: _Draft) -> "discovery.Found":
        """Fetch the address of a draft's new source, and the feeds that it leads to."""
        if self._trials is None:
            self._read_past(draft.settings)
            self._trials = probe.Prober(draft.settings, utc_now, self._past)
        self._check_is_new(draft.source.url)  # also with the addresses in use, now that the store was read
        waiting = self._past.waiting.get(draft.source.key) if self._past else None
        if reason := probe.why_not_now(draft.source, waiting, utc_now()):
            raise discovery.NoFeed("skipped", reason)
        self._trials.keep_secrets(draft.settings)
        return discovery.find(draft.source, self._trials, self._choose)

    def _read_past(self, settings: Settings | None) -> None:
        """Read from the store which addresses the sources use, and when hosts were last polled."""
        if settings is None:
            return
        try:
            self._past = probe.past_of(settings, utc_now())
            self._better = _better_urls(settings, self._past)
        except StoreError as error:
            print(f"aggregator: {error}; so it is unknown which sources were polled lately", file=sys.stderr)

    def _final(self, draft: _Draft, found: "discovery.Found", address: str) -> _Draft:
        """Return feeds.yaml with the feed that was found, or the address as typed if that is the feed's address."""
        self._check_is_new(found.url, found.ended_at)
        is_typed = found.url == draft.source.url
        holds_secret = without_secrets(found.url, draft.settings.secrets) != found.url  # never written out
        return draft if is_typed or holds_secret else self._drafted(literal(found.url))

    def _check_is_new(self, *urls: Url) -> None:
        """Check that no source has one of these addresses: in any spelling, at present, earlier, or after a redirect.

        Raises:
            _NotAdded: a source has one of them.
        """
        held = self._held()
        source = next((held[name] for url in urls if (name := match_url(url)) in held), None)
        if source is None:
            return
        if self._past is None:
            self._read_past(self._settings)
        shown = f"{source.key}, {source.safe_url or 'a local file'}, in line {source.line}"
        if (better := self._better.get(source.key)) is None:
            raise _NotAdded("known", f"it is already a source: {shown}")
        from aggregator.store.status import readdressing  # late: what is refused needs no store

        edit = command(self._path, readdressing(source.key, better))
        raise _NotAdded("known", f"the source {shown}, should have the address {better}; `{edit}` writes that")

    def _held(self) -> Mapping[str, Source]:
        """Return the sources by their addresses in comparison form: present, earlier, and after redirects."""
        held: dict[str, Source] = {}
        for source in self._sources:
            known = self._past.jobs.get(source.key) if self._past else None
            better = self._better.get(source.key)
            for name in (source.url, *source.was, *([known.url] if known else []), *([better] if better else [])):
                held.setdefault(match_url(Url(name)), source)
        return held

    def _choose(self, feeds: Sequence[NamedFeed]) -> Sequence[NamedFeed]:
        """Return the feeds to try: at a terminal the operator's choice, else the best. The report names the rest."""
        if self._options.yes or self._options.json or not (sys.stdin.isatty() and sys.stderr.isatty()):
            return feeds
        for number, feed in enumerate(feeds, 1):
            print(printable(f"{number:3}  {_named(feed)}"), file=sys.stderr)
        while True:
            print(f"Which one? 1 to {len(feeds)}, 0 for none [1]: ", end="", file=sys.stderr, flush=True)
            line = sys.stdin.readline()
            said = line.strip() or ("1" if line else "0")
            if said.isascii() and said.isdigit() and int(said) <= len(feeds):
                return [feeds[int(said) - 1]] if int(said) else []


def _better_urls(settings: Settings, past: "probe.Past") -> Mapping[SourceKey, Url]:
    """Return the addresses that sources should have, by key: where they moved, or the feed that a page names."""
    if not any(job.observed.moved_to or job.health.code == NotAFeed.code for job in past.jobs.values()):
        return {}
    from aggregator.store.status import better_url  # late: as above

    store = read_store(settings)
    try:
        status = store.status(Roster.of(settings), utc_now(), settings.secrets)
    finally:
        store.close()
    known = {one.key: one for one in status.sources}
    pairs = ((source, known[source.key]) for source in settings.sources if source.key in known)
    return {source.key: better for source, seen in pairs if (better := better_url(source, seen)) is not None}


def _is_file(typed: str) -> bool:
    return not _SCHEME.match(typed) and Path(typed).is_file()


def _row(final: _Draft, found: "discovery.Found") -> dict[str, Any]:
    """Return the row of a source that was added, for `--json`."""
    feed, secrets = found.poll.feed, final.settings.secrets
    row = row_of(final.source, final.settings)
    found_wrong = [each for each in advice.advise(found.poll, utc_now(), secrets=secrets) if each.code != "moved"]
    return row | {
        "title": row["title"] or feed.title,
        "format": feed.format,
        "entries": len(feed.entries),
        "others": [
            {"url": without_secrets(each.url, secrets), "title": each.title, "format": each.format or None}
            for each in found.others
        ],
        "advice": [{"code": each.code, "text": each.text, "write": dict(each.write)} for each in found_wrong],
    }


def _in_words(row: Mapping[str, Any]) -> str:
    number = row["entries"]
    entries = f"{number} {'entry' if number == 1 else 'entries'}"
    lines = [f"added {row['key']}: {row['title'] or 'no title'} ({row['format']}, {entries}), {row['url']}"]
    lines.append(f"  in {', '.join(row['categories'])}; line {row['line']}")
    for advice in row["advice"]:
        lines.append(f"  ! {advice['code']}: {advice['text']}")
        lines += [f"    → write {key}: {value}" for key, value in advice["write"].items()]
    lines += [f"  ! {warning}" for warning in row["warnings"]]
    others = (NamedFeed(other["url"], other["title"], other["format"] or "") for other in row["others"])
    lines += [f"  the page also names {_named(other)}" for other in others]
    return "\n".join(lines)


def _named(feed: NamedFeed) -> str:
    said = ", ".join(filter(None, (feed.format, feed.title)))
    return f"{feed.url} ({said})" if said else feed.url
