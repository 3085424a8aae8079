"""`preview SOURCE --dedupe VALUE`: which entries other settings would merge, and which they would separate.

Reads the store only.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from aggregator.clean.text import plain_text
from aggregator.clean.titles import display_title
from aggregator.cli.names import keys_of
from aggregator.cli.terminal import json_text, printable
from aggregator.clock import rfc3339, utc_now
from aggregator.config import load_config
from aggregator.config.loader import read_config
from aggregator.dry_run.rejudge import Pair, Rejudged, compare, judge, roster_under
from aggregator.errors import ConfigError
from aggregator.model.known import KnownEntry
from aggregator.model.naming import name_of_source
from aggregator.model.settings import Roster, Settings, Source
from aggregator.store.database import Store, open_store
from aggregator.store.private_redactor import redactor_of_private
from aggregator.text.durations import span_in_words


def rejudged_record(source: Source, tried: Source, looked_at: int, found: Rejudged) -> dict[str, Any]:
    """Return the record of `preview --dedupe --json`.

    Args:
        source: the source of feeds.yaml.
        tried: the source with the settings to try.
        looked_at: number of entries that were compared.
        found: the differences.
    """
    return {
        "version": 1,
        "source": source.key,
        "now": _settings_record(source),
        "tried": _settings_record(tried),
        "looked_at": looked_at,
        "merge": [_pair(pair) for pair in found.merge],
        "part": [_pair(pair) for pair in found.part],
    }


def _settings_record(source: Source) -> dict[str, Any]:
    return {"dedupe": source.dedupe.value, "near": source.near, "window_s": round(source.window.total_seconds())}


def _pair(pair: Pair) -> dict[str, Any]:
    return {
        "entry": _entry_record(pair.one),
        "other": _entry_record(pair.other),
        "evidence": pair.match.evidence.value,
        "similarity": pair.match.similarity,
        "because": pair.match.because or None,
    }


def _entry_record(known: KnownEntry) -> dict[str, Any]:
    text = plain_text(known.content or known.summary)
    return {
        "id": known.id,
        "story": known.story,
        "source": known.source_key,
        "title": display_title(known.title, text, "en"),
        "link": known.link,
        "published": rfc3339(known.published),
        "first_seen": rfc3339(known.first_seen),
    }


MOST = 5_000  # entries of the source, the newest of them
EXAMPLE = "'{near: 0.8, window: 14d}'"


def run_dedupe(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print the effect of other settings. Exit code 1 if the source was never polled."""
    wish = _wish(options.dedupe)
    settings = load_config(options.config, environ)
    keys = keys_of([options.source], settings, options.config)
    if wish is None or keys is None:
        return 2
    source = next(each for each in settings.sources if each.key == keys[0])
    now = utc_now()
    store = open_store(settings.store, now=now, command="preview", writes=False)
    try:
        found = _found(store, settings, source, wish, now)
        with store.read() as tx:
            redactor = redactor_of_private(tx, settings.sources)
            titles = tx.sources.titles()
    finally:
        store.close()
    if found is None:
        what = f"{name_of_source(source)} ({source.key})"
        print(f"aggregator: {what} was never polled, so it has no stored entries to compare", file=sys.stderr)
        return 1
    tried = roster_under(Roster.of(settings), source.key, wish).sources[source.key]
    record = redactor.record(rejudged_record(source, tried, *found))
    names = {str(one.key): name_of_source(one, titles.get(one.key)) for one in settings.sources}
    print(json_text(record) if options.json else printable("\n".join(_in_words(record, names))))
    return 0


def _wish(value: str) -> Source | None:
    """Read the value as feeds.yaml would; returns a source with nothing but these settings."""
    said = f"sources:\n  - url: https://source.invalid/\n    dedupe: {' '.join(value.split())}\n"
    try:
        return read_config(said.encode(), Path("--dedupe"), {}).sources[0]
    except ConfigError as error:
        what = error.problems[0].what
        print(f"aggregator: --dedupe: {what} (near, exact, off, or {EXAMPLE})", file=sys.stderr)
        return None


def _found(
    store: Store, settings: Settings, source: Source, wish: Source, now: datetime
) -> tuple[int, Rejudged] | None:
    window = max(source.window, wish.window)
    with store.read() as tx:
        due = tx.claims.look_up(source)
        if due is None or not due.stored_before:
            return None
        stored = tx.stored_entries.stored_since(due.source_id, now - window, most=MOST)
        if not stored:
            return 0, Rejudged((), ())
        known = tx.stored_entries.known_around(stored, window)
        stories = {item.known.story for item in stored if item.known.story is not None}
        members = sorted(tx.stored_entries.tellers_of(stories, but=due.source_id), key=lambda item: item.known.source)
        groups = [list(group) for _, group in groupby(members, key=lambda item: item.known.source)]
        copies = [(group, tx.stored_entries.known_around(group, window)) for group in groups]
    roster = Roster.of(settings)
    as_it_is = judge(stored, copies, known, roster)
    as_wished = judge(stored, copies, known, roster_under(roster, source.key, wish))
    return len(stored), compare(as_it_is, as_wished)


def _in_words(record: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[str]:
    count = record["looked_at"]
    key = record["source"]
    yield f"{names[key]} ({key}): {_settings(record['tried'])}, in place of {_settings(record['now'])}"
    yield f"  looked at {count} stored {'entry' if count == 1 else 'entries'}; nothing was fetched or written"
    for name, words in (("merge", "would be one story"), ("part", "would be stories of their own")):
        pairs = record[name]
        yield f"  {len(pairs)} {'pair' if len(pairs) == 1 else 'pairs'} {words}"
        for pair in pairs:
            yield ""
            yield f"    {_entry(pair['entry'], names)}"
            yield f"    {_entry(pair['other'], names)}"
            why = f", {pair['because']}" if pair["because"] else ""
            verb = "would be joined" if name == "merge" else "are joined now"
            yield f"    → {verb} by: {pair['evidence']}{why}; similarity {pair['similarity']:.3f}"


def _entry(entry: Mapping[str, Any], names: Mapping[str, str]) -> str:
    source = names.get(entry["source"], entry["source"])  # one that left feeds.yaml has its key alone
    return f"{entry['id']}  {entry['title']}  ({source}, {entry['link'] or 'no link'})"


def _settings(said: Mapping[str, Any]) -> str:
    if said["dedupe"] != "near":
        return str(said["dedupe"])
    return f"near {said['near']:g} within {span_in_words(timedelta(seconds=said['window_s']))}"
