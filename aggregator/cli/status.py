"""`aggregator status`: how sources and categories stand, what needs a hand first. Works beside a running `serve`."""

import argparse
import json
import logging
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from difflib import get_close_matches

from aggregator.cli.open import last_good_settings
from aggregator.clock import utc_now
from aggregator.config import load_config
from aggregator.errors import ConfigError
from aggregator.model.poll import State
from aggregator.model.settings import Roster
from aggregator.model.status import SourceStatus, Status
from aggregator.publish.status import source_record, status_record
from aggregator.store import open_store
from aggregator.urls import BadUrl, normalise

LEVEL = logging.WARNING


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Say how things stand."""
    broken = None
    try:
        settings = load_config(options.config, environ)
    except ConfigError as error:  # a running service goes on with the last good one, and so do we
        settings, _ = last_good_settings(options.config, environ, error)
        broken = str(error)
    store = open_store(settings.store, now=utc_now(), writes=False)
    try:
        status = store.status(Roster.of(settings), utc_now())
        if broken:
            status = replace(status, config=replace(status.config, error=broken))
    finally:
        store.close()
    if options.key:
        chosen = tuple(s for s in status.sources if s.key == options.key or s.url == _normal(options.key))
        if not chosen:
            near = get_close_matches(options.key, [s.key for s in status.sources], 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            print(f"aggregator: no source {options.key} in {options.config}{hint}", file=sys.stderr)
            return 2
        print(
            json.dumps(source_record(chosen[0], public=False), ensure_ascii=False)
            if options.json
            else _in_full(chosen[0])
        )
        return 0
    print(json.dumps(status_record(status, public=False), ensure_ascii=False) if options.json else in_words(status))
    return 0


def _normal(text: str) -> str | None:
    try:
        return normalise(text)
    except BadUrl:
        return None


def in_words(status: Status) -> str:
    """Say it in lines, what needs a hand first."""
    lines = []
    if status.config.error:
        lines += [
            "feeds.yaml was edited and can't be used; the last good one is in force:",
            *_indented(status.config.error),
        ]
    bad = [s for s in status.sources if s.state in (State.SUSPECT, State.GONE, State.FAILING)]
    lines.append(
        f"{len(status.sources)} sources, {len(bad)} in trouble; {sum(c.stories for c in status.categories)} stories."
    )
    width = max((len(s.key) for s in status.sources), default=0)
    for source in status.sources:
        when = f"next {_ahead(source.next_due, status.at)}" if source.state is not State.PAUSED else "not polled"
        lines.append(f"  {source.state.value:8} {source.key:{width}}  {source.entries:5} entries  {when}")
        if source.state in (State.SUSPECT, State.GONE, State.FAILING):
            lines += _indented(f"{source.code}: {source.error}", *([f"→ {source.advice}"] if source.advice else []))
    for category in status.categories:
        newest = f", newest {_time(category.newest)}" if category.newest else ""
        lines.append(f"  category/{category.slug}: {category.stories} stories from {category.sources} sources{newest}")
    return "\n".join(lines)


def _in_full(source: SourceStatus) -> str:
    """Say all that is known of one source."""
    rows = [
        f"{name}: {value}" for name, value in source_record(source, public=False).items() if value not in (None, [])
    ]
    if source.because:
        rows.append(f"because: next at {_time(source.next_due)}, decided by {source.because}")
    return "\n".join(rows)


def _indented(*texts: str) -> list[str]:
    return [f"           {line}" for text in texts for line in text.splitlines()]


def _ahead(when: datetime, now: datetime) -> str:
    gap = when - now
    if gap <= timedelta(0):
        return f"now, {_span(-gap)} late" if -gap > timedelta(minutes=1) else "now"
    return f"in {_span(gap)}"


def _span(gap: timedelta) -> str:
    minutes = round(gap.total_seconds() / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"


def _time(when: datetime | None) -> str | None:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ") if when else None
