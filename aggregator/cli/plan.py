"""`aggregator plan [NEW.yaml]`: what would change if this config went live. It asks nobody and writes nothing."""

import argparse
import json
import logging
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aggregator.cli.folding import called
from aggregator.cli.plan_words import in_words
from aggregator.cli.terminal import printable
from aggregator.clock import rfc3339, utc_now
from aggregator.config import load_config
from aggregator.config.lists import with_lists
from aggregator.config.loader import read_config
from aggregator.dry_run.plan import Plan, plan_of
from aggregator.errors import ConfigError, NoStore
from aggregator.model.naming import name_of_source
from aggregator.model.settings import Settings, SourceKey
from aggregator.model.tokens import Hush
from aggregator.publish.plan import counts_of, reapplied_record
from aggregator.store import open_store
from aggregator.store.hush import private_hush

LEVEL = logging.WARNING
FOUND = 1  # exit code (DESIGN 3.2)


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Show what would change; with --exit-code, 1 if anything would."""
    new = _read_as(options.new or options.config, options.config, environ)
    for warning in new.warnings if not options.quiet else ():
        print(warning, file=sys.stderr)
    now = utc_now()
    try:
        store = open_store(_store_of(options.config, new, environ), now=now, command="plan", writes=False)
    except NoStore as error:
        print(f"aggregator: {error}; so everything is new", file=sys.stderr)
        return _tell(options, plan_of(None, new, None, now), None, Hush(()), _names(None, new, {}))
    try:
        with store.read() as tx:
            text = tx.last_good_config()
            old = None if text is None else _in_force(text, options.config, environ)
            lists = tx.lists()
            listed = None if old is None else with_lists(old, lists)
            plan = plan_of(listed, with_lists(new, lists), tx, now)
            names = _names(listed, with_lists(new, lists), tx.titles())
            hush = private_hush(tx, new.sources)
    finally:
        store.close()
    return _tell(options, plan, old, hush, names)


def _names(old: Settings | None, new: Settings, titles: Mapping[SourceKey, str]) -> dict[str, str]:
    """Return what sources are called; the line is that of the new file."""
    names = {s.key: called(name_of_source(s, titles.get(s.key)), s.key) for s in (old.sources if old else ())}
    names |= {s.key: called(name_of_source(s, titles.get(s.key)), s.key, s.line) for s in new.sources}
    return {str(key): name for key, name in names.items()}


def _read_as(path: Path, place: Path, environ: Mapping[str, str]) -> Settings:
    """Read a file as if it stood where feeds.yaml stands; what is wrong with it is told of the file itself."""
    settings = load_config(path, environ)
    if path.resolve() == place.resolve() or not place.parent.is_dir():
        return settings
    return read_config(path.read_bytes(), place, environ)


def _store_of(place: Path, new: Settings, environ: Mapping[str, str]) -> str:
    """Give the store that is in use: the one of the feeds.yaml that stands there, as long as that can be read."""
    try:
        return load_config(place, environ).store
    except ConfigError:
        return new.store


def _in_force(text: str, place: Path, environ: Mapping[str, str]) -> Settings | None:
    try:
        return read_config(text.encode(), place, environ, was_in_force=True)
    except ConfigError as error:  # written for another version, or for other variables
        print(f"aggregator: the feeds.yaml that was in force last can't be read now: {error}", file=sys.stderr)
        return None


def _tell(options: argparse.Namespace, plan: Plan, old: Settings | None, hush: Hush, names: Mapping[str, str]) -> int:
    record = hush.record(plan_record(plan, str(options.new or options.config), is_first=old is None))
    words = hush.text(printable("\n".join(in_words(record, lambda key: names.get(key, key)))))
    print(json.dumps(record, ensure_ascii=False) if options.json else words)
    return FOUND if options.exit_code and plan.changes_anything else 0


def plan_record(plan: Plan, path: str, *, is_first: bool) -> dict[str, Any]:
    """Give a plan in plain values."""
    rules = []
    for ruled in plan.rules:
        entries = [reapplied_record(change) for change in ruled.changes]
        counts = counts_of(entries)
        rules.append({"source": ruled.source, "looked_at": ruled.looked_at, **counts, "entries": entries})
    return {
        "version": 1,
        "config": path,
        "first": is_first,
        "changes": plan.changes_anything,
        "settings": [asdict(change) for change in plan.file],
        "sources": {
            "added": [
                {"key": source.key, "url": source.safe_url, "categories": list(source.categories)}
                for source in plan.added
            ],
            "removed": list(plan.removed),
            "changed": [asdict(changed) for changed in plan.changed],
        },
        "categories": {
            "added": list(plan.categories_added),
            "removed": list(plan.categories_removed),
            "changed": [asdict(changed) for changed in plan.categories_changed],
            "left": [
                {
                    "key": left.departure.key,
                    "was": left.departure.was,
                    "feed": left.feed,
                    "sources": list(left.departure.sources),
                    "advice": left.departure.in_words(left.feed),
                }
                for left in plan.categories_left
            ],
        },
        "fills": [asdict(fill) for fill in plan.fills],
        "rules": rules,
        "thins": [asdict(thins) for thins in plan.thins],
        "at": rfc3339(utc_now()),
    }
