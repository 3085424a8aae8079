"""Body of `search`: finds stored entries by words."""

import argparse
from collections.abc import Mapping

from aggregator.cli.open import last_good_settings, read_store
from aggregator.cli.terminal import json_text, shortened
from aggregator.clock import rfc3339
from aggregator.config import load_config
from aggregator.errors import ConfigError
from aggregator.in_force import listed_settings
from aggregator.model.known import EntryState
from aggregator.model.naming import name_of_source
from aggregator.model.settings import SourceKey
from aggregator.search import open_index
from aggregator.search.index import MOST_DATED
from aggregator.search.query import parse_query
from aggregator.store.private_redactor import redactor_of_private
from aggregator.store.search import Find

NOTHING = "nothing found; all words must be in one entry"


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print the entries found. Exit code 0 also if there are none."""
    try:
        settings = load_config(options.config, environ)
    except ConfigError as error:  # a running service goes on with the last good one, and so do we
        settings, _ = last_good_settings(options.config, environ, error)
    query = parse_query(" ".join(options.query))
    store = read_store(settings)
    try:
        index = open_index(store, settings.path.parent)
        index.update()
        found, total = index.find(query, limit=options.limit)
        with store.read() as tx:
            redactor = redactor_of_private(tx, settings.sources)
            titles = tx.sources.titles()
        names = {
            each.key: name_of_source(each, titles.get(each.key)) for each in listed_settings(store, settings).sources
        }
    finally:
        store.close()
    if options.json:
        rows = redactor.record([*map(_record, found)])
        more = total > len(found)
        print(json_text({"version": 1, "query": query.text, "found": rows, "total": total, "more": more}))
        return 0
    print(redactor.text("\n\n".join(_in_words(find, names) for find in found)) or NOTHING)
    if total > len(found):
        of = f"over {total:,}" if total >= MOST_DATED else f"{total:,}"
        print(f"\n{len(found)} of {of}, the newest; --limit shows more, further words show fewer")
    return 0


def _record(find: Find) -> dict[str, object]:
    return {
        "entry": find.entry,
        "title": find.title,
        "link": find.link,
        "source": find.source,
        "state": find.state.value,
        "published": rfc3339(find.published),
        "first_seen": rfc3339(find.first_seen),
        "categories": list(find.categories),
        "shown_by": find.shown_by,
    }


def _why_not(state: EntryState) -> str:
    return "withdrawn" if state is EntryState.PUBLISHED else state.value  # an entry of a story that was retracted


def _in_words(find: Find, names: Mapping[SourceKey, str]) -> str:
    where = f"in {', '.join(find.categories)}" if find.categories else f"not shown: {_why_not(find.state)}"
    where += f", shown as entry {find.shown_by}" if find.shown_by is not None else ""
    link = find.link or "no link"
    name = shortened(names.get(find.source, find.source))
    return f"{find.title or '(no title)'}\n  {find.dated:%Y-%m-%d} {name}, {where}\n  {link} (entry {find.entry})"
