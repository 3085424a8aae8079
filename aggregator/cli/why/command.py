"""Body of `why`: prints the recorded reasons for an entry, a story, a source, a host or a category."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from aggregator.cli.commands.why import LOOKED_UP
from aggregator.cli.names import matches
from aggregator.cli.open import last_good_settings, read_store
from aggregator.cli.terminal import json_text
from aggregator.cli.why.not_polled import host_section
from aggregator.cli.why.pair import pair_section
from aggregator.cli.why.sentences import Frame, Section, names_in
from aggregator.cli.why.source import category_section, resting_section, source_section
from aggregator.cli.why.story import entry_section, story_section
from aggregator.clock import utc_now
from aggregator.config import load_config
from aggregator.config.addresses import store_path
from aggregator.errors import ConfigError
from aggregator.in_force import completed_roster, listed_settings
from aggregator.model.settings import Roster, Settings
from aggregator.store.database import Store
from aggregator.store.private_redactor import redactor_of_private
from aggregator.store.store_file import holder_of
from aggregator.store.transaction import Transaction

UNKNOWN = 2  # exit code
MOST = 10  # stories that are explained where a thing may be several


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Explain a thing. Exit code 2, and what was looked up, if there is no such thing."""
    try:
        settings = load_config(options.config, environ)
    except ConfigError as error:  # a running service goes on with the last good one, and so do we
        settings, _ = last_good_settings(options.config, environ, error)
    store = read_store(settings)
    try:
        sections = explain(options.thing, store, settings, options.other)
        with store.read() as tx:
            redactor = redactor_of_private(tx, settings.sources)
    finally:
        store.close()
    if not sections:
        unknown = options.thing if options.other is None else f"{options.thing} or {options.other}, or not an entry"
        print(f"aggregator: nothing is called {unknown}. {LOOKED_UP}", file=sys.stderr)
        return UNKNOWN
    if options.json:
        print(json_text({"version": 1, "found": redactor.record([section.record for section in sections])}))
    else:
        print(redactor.text("\n\n".join("\n".join(section.lines) for section in sections)))
    return 0


def explain(thing: str, store: Store, settings: Settings, other: str | None = None) -> list[Section]:
    """Return what was recorded of everything that a name may mean; empty if there is nothing of that name.

    Args:
        thing: a name as `LOOKED_UP` lists them.
        store: the store.
        settings: those of feeds.yaml.
        other: a second entry; the two are compared then, and nothing else is told.
    """
    settings = listed_settings(store, settings)
    roster, now = completed_roster(store, Roster.of(settings)), utc_now()
    status = store.status(roster, now, settings.secrets)
    with store.read() as tx:
        titles = tx.sources.titles()
        keys = matches(thing, settings.sources, lambda: titles)
        frame = Frame(roster, ZoneInfo(settings.site.timezone), now, names_in(roster, titles))
        if other is not None:
            numbers = [entry for name in (thing, other) for entry in [_entry_named(tx, name)] if entry is not None]
            return [pair_section(tx, (numbers[0], numbers[1]), frame)] if len(numbers) == 2 else []
        named = [source for source in status.sources if source.key in keys]
        path = store_path(settings.store)
        holder = holder_of(Path(unquote(path))) if path is not None else None
        sections = [source_section(tx, source, frame, status, holder) for source in named[:MOST]]
        resting = tx.trail.resting_source(thing) if not named else None
        if resting is not None:
            sections.append(resting_section(tx, resting, frame))
        host = host_section(tx, thing, status, frame)
        if host is not None:
            sections.append(host)
        category = tx.trail.category(_category_named(thing, settings))
        if category is not None:
            sections.append(category_section(category, frame))
        return sections + _stories(tx, thing, frame)


def _entry_named(tx: Transaction, name: str) -> int | None:
    """Return the number of an entry: the first with that name, or the founder of the story with that name."""
    story = tx.finding.story(name)
    found = tx.finding.entries(name) if story is None else tx.finding.entries_of(story)
    return found[0].id if found else None


def _stories(tx: Transaction, thing: str, frame: Frame) -> list[Section]:
    number = tx.finding.story(thing)
    found = tx.finding.entries(thing) if number is None else []
    numbers = [number] if number is not None else sorted({e.story for e in found if e.story is not None})
    sections = [story_section(tx, each, frame) for each in numbers[:MOST]]
    return sections + [entry_section(tx, e.id, frame) for e in found[:MOST] if e.story is None]


def _category_named(thing: str, settings: Settings) -> str:
    """Return the key or slug of a category, given as such, as a file name or as the address of a file."""
    name = thing.removeprefix(settings.site.base_url)
    if not name.startswith("category/"):
        return thing
    name = name.removeprefix("category/").partition("/")[0]
    return name.rpartition(".")[0] or name
