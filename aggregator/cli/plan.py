"""Body and sentences of `plan`: what would change if a feeds.yaml came into force. Reads the store only."""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aggregator.cli.terminal import called, counted, json_text, printable
from aggregator.clock import rfc3339, utc_now
from aggregator.config import load_config
from aggregator.config.lists import with_lists
from aggregator.config.loader import read_config
from aggregator.decide.rules_again import Reapplied
from aggregator.dry_run.plan import Plan, plan_of
from aggregator.errors import ConfigError, NoStore, StoreError
from aggregator.model.formats import FORMATS
from aggregator.model.naming import name_of_source
from aggregator.model.settings import Settings, SourceKey
from aggregator.model.tokens import PrivateRedactor
from aggregator.store.database import open_store
from aggregator.store.private_redactor import redactor_of_private


def reapplied_record(change: Reapplied) -> dict[str, Any]:
    """Return the effect of edited rules on a stored entry; `does` is publish, withdraw, move or rewrite."""
    known = change.stored.known
    does = "publish" if change.passes else "withdraw" if change.is_dropped else "move" if change.is_moved else "rewrite"
    kept_out, routed = dict(change.judgement.kept_out), dict(change.judgement.routed)
    rules = [*(kept_out.get(key) for key in change.lost), *(routed.get(key) for key in change.gained)]
    return {
        "entry": known.id,
        "title": known.title,
        "new_title": change.entry.title if change.entry.title != known.title else None,
        "link": known.link,
        "first_seen": rfc3339(known.first_seen),
        "does": does,
        "rule": change.judgement.reason or "; ".join(dict.fromkeys(filter(None, rules))) or None,
        "enters": list(change.gained),
        "leaves": list(change.lost),
    }


def counts_of(changes: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Return the number of changes of each kind."""
    return {word: sum(change["does"] == word for change in changes) for word in DOES}


REMOVED = "its addresses answer 410 for 90 days, then 404 (those of an unlisted category stay as they are)"  # A44
SHOWN = 10  # entries of a source that are named
FEEDS = tuple(f".{one.name}" for one in FORMATS.values() if one.is_feed)
DOES = {
    "publish": "would be published",
    "withdraw": "would be withdrawn",
    "move": "would change category",
    "rewrite": "would change text",
}

Names = Callable[[str], str]


def in_words(record: Mapping[str, Any], names: Names) -> Iterator[str]:
    """Yield the lines of a plan.

    Args:
        record: a record of `plan --json`.
        names: returns the name of a source by its key.
    """
    if not record["changes"]:
        yield f"{record['config']}: nothing would change."
        return
    first = " for the first time: nothing is in force yet" if record["first"] else ""
    yield f"If {record['config']} went live{first}:"
    for change in record["settings"]:
        yield f"  {change['name']}: {_turn(change)}"
    yield from _categories(record["categories"])
    yield from _sources(record["sources"], names)
    for fill in record["fills"]:
        yield (
            f"  {names(fill['source'])} enters {fill['category']} and brings its newest {fill['entries']} entries "
            f"along, {fill['in_main']} of them into the main document"
        )
    for thins in record["thins"]:
        yield (
            f"  {names(thins['source'])} keeps texts for {thins['keep']}: those of {thins['entries']} stored entries "
            "would leave the store and the archive, for good; make a backup first"
        )
    for ruled in record["rules"]:
        yield from _rules(ruled, names)
    yield from _leaving(record["leaving"])
    if record["rules"]:
        yield "Rules apply to new entries; `aggregator publish --rules` applies them to stored entries."


def _categories(said: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"  + category {key}" for key in said["added"])
    yield from (f"  - category {key}: no new entries; {REMOVED}" for key in said["removed"])
    yield from (f"  ! {left['advice']}" for left in said["left"])
    for changed in said["changed"]:
        feed = f"{changed['feed']}.* with its ids and archive"
        was = f", which was {changed['was']}: {feed} goes on" if changed["was"] else ""
        back = f", which is back: {feed} goes on" if changed["returns"] and not was else ""
        yield f"  ~ category {changed['key']}{was or back}"
        yield from _changes(changed["changes"])


def _sources(said: Mapping[str, Any], names: Names) -> Iterator[str]:
    for source in said["added"]:
        address = source["url"] or "an address that is kept private"
        yield f"  + {names(source['key'])}  {address}  in {', '.join(source['categories'])}"
    yield from (f"  - {names(key)}: no longer polled; what it published stays" for key in said["removed"])
    for changed in said["changed"]:
        was = f", which was {changed['was']}: its history is kept" if changed["was"] else ""
        was = was or (", which is back: its history is kept" if changed["returns"] else "")
        asked = " (polled at once, without validators)" if changed["is_asked"] else ""
        yield f"  ~ {names(changed['key'])}{was}{asked}"
        yield from _changes(changed["changes"])


def _leaving(said: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is removed: feeds first, because their subscribers get nothing more and no other address."""
    feeds = [path for path in said["paths"] if path.endswith(FEEDS)]
    others = len(said["paths"]) - len(feeds) + said["story_pages"]
    if feeds:
        named = ", ".join(feeds[:SHOWN]) + (", …" if len(feeds) > SHOWN else "")
        yield f"  ! {counted(len(feeds), 'feed')} would be removed, and their subscribers get 404: {named}"
    if others:
        named = "" if feeds or others > SHOWN or said["story_pages"] else f": {', '.join(said['paths'])}"
        yield f"  - {counted(others, 'other file' if feeds else 'published file')} would be removed{named}"


def _changes(changes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield from (f"      {change['name']}: {_turn(change)}" for change in changes)


def _turn(change: Mapping[str, Any]) -> str:
    return f"{change['old'] or 'none'} → {change['new'] or 'none'}"


def _rules(ruled: Mapping[str, Any], names: Names) -> Iterator[str]:
    counts = ", ".join(f"{ruled[word]} {words}" for word, words in DOES.items() if ruled[word])
    yield f"  rules of {names(ruled['source'])}: of {ruled['looked_at']} entries of the last week, {counts}"
    for entry in ruled["entries"][:SHOWN]:
        new = f" → {entry['new_title']}" if entry["new_title"] else ""
        why = f"  ({entry['rule']})" if entry["rule"] else ""
        where = "".join(f" +{key}" for key in entry["enters"]) + "".join(f" -{key}" for key in entry["leaves"])
        yield f"      {entry['does']:8} {entry['title'] or '(untitled)'}{new}{where}{why}"
    if len(ruled["entries"]) > SHOWN:
        yield f"      and {len(ruled['entries']) - SHOWN} more; --json names them all"


FOUND = 1  # exit code


def effects_of(old: Settings, new: Settings, options: argparse.Namespace, environ: Mapping[str, str]) -> list[str]:
    """Return the lines of a plan for an edit of feeds.yaml; empty if there is no store yet, or it can't be read.

    Args:
        old: settings of the file as it is, perhaps not in force yet.
        new: settings of the edited file.
        options: of the command line.
        environ: where `${NAME}` is looked up.
    """
    try:
        plan, _, redactor, names = _planned(new, options, environ, old)
    except StoreError:
        return []
    record = redactor.record(plan_record(plan, str(options.config), is_first=False))
    if not record["changes"]:
        return []
    _, *lines = in_words(record, lambda key: names.get(key, key))  # without the line that says when
    return redactor.text(printable("\n".join(lines))).splitlines()


_Planned = tuple[Plan, Settings | None, PrivateRedactor, Mapping[str, str]]


def _planned(
    new: Settings, options: argparse.Namespace, environ: Mapping[str, str], old: Settings | None = None
) -> _Planned:
    """Return the plan, the settings it begins from, a redactor of private sources, and the names of sources.

    Args:
        new: settings that would come into force.
        options: of the command line.
        environ: where `${NAME}` is looked up.
        old: settings to begin from; None: those in force.

    Raises:
        NoStore: there is no store yet.
        StoreError: it can't be read.
    """
    now = utc_now()
    store = open_store(_store_of(options.config, new, environ), now=now, command="plan", writes=False)
    try:
        with store.read() as tx:
            if old is None and (text := tx.store_row.last_good_config()) is not None:
                old = _in_force(text, options.config, environ)
            lists = tx.sources.lists()
            listed = None if old is None else with_lists(old, lists)
            plan = plan_of(listed, with_lists(new, lists), tx, now)
            names = _names(listed, with_lists(new, lists), tx.sources.titles())
            return plan, old, redactor_of_private(tx, new.sources), names
    finally:
        store.close()


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print what would change. Exit code 1 with --exit-code if anything would."""
    new = _read_as(options.new or options.config, options.config, environ)
    for warning in (*new.warnings, *_program_faults(new, options)) if not options.quiet else ():
        print(warning, file=sys.stderr)
    try:
        plan, old, redactor, names = _planned(new, options, environ)
    except NoStore as error:
        print(f"aggregator: {error}; so everything is new", file=sys.stderr)
        return _tell(options, plan_of(None, new, None, utc_now()), None, PrivateRedactor(()), _names(None, new, {}))
    return _tell(options, plan, old, redactor, names)


def _program_faults(new: Settings, options: argparse.Namespace) -> list[str]:
    from aggregator.cli.check import program_faults  # late: `plan` needs nothing else of `check`

    return program_faults(new, options.new or options.config)


def _names(old: Settings | None, new: Settings, titles: Mapping[SourceKey, str]) -> dict[str, str]:
    """Return the names of sources, with the line of the new file."""
    names = {s.key: called(name_of_source(s, titles.get(s.key)), s.key) for s in (old.sources if old else ())}
    names |= {s.key: called(name_of_source(s, titles.get(s.key)), s.key, s.line) for s in new.sources}
    return {str(key): name for key, name in names.items()}


def _read_as(path: Path, place: Path, environ: Mapping[str, str]) -> Settings:
    """Read a file as if it stood in place of feeds.yaml. Errors name the file itself."""
    settings = load_config(path, environ)
    if path.resolve() == place.resolve() or not place.parent.is_dir():
        return settings
    return read_config(path.read_bytes(), place, environ)


def _store_of(place: Path, new: Settings, environ: Mapping[str, str]) -> str:
    """Return the URL of the store in use: the one in the current feeds.yaml, as long as that can be read."""
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


def _tell(
    options: argparse.Namespace, plan: Plan, old: Settings | None, redactor: PrivateRedactor, names: Mapping[str, str]
) -> int:
    record = redactor.record(plan_record(plan, str(options.new or options.config), is_first=old is None))
    words = redactor.text(printable("\n".join(in_words(record, lambda key: names.get(key, key)))))
    print(json_text(record) if options.json else words)
    return FOUND if options.exit_code and plan.changes_anything else 0


def plan_record(plan: Plan, path: str, *, is_first: bool) -> dict[str, Any]:
    """Return the record of `plan --json`."""
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
        "leaving": asdict(plan.leaving),
        "at": rfc3339(utc_now()),
    }
