"""Body of `replay`: reads versions of a feed as if they had been polled. For trying rules, and for bug reports."""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from aggregator.cli.names import keys_of
from aggregator.cli.open import read_store
from aggregator.cli.terminal import json_text, printable
from aggregator.clock import utc_now
from aggregator.config import load_config
from aggregator.config.loader import read_config
from aggregator.dry_run.replay import (
    KINDS,
    NothingToReplay,
    Replay,
    Step,
    Version,
    replay_record,
    stored_versions,
    versions_in,
)
from aggregator.model.settings import Kind, Settings
from aggregator.model.tokens import PrivateRedactor
from aggregator.store.private_redactor import redactor_of_private

STRANGER = "https://replay.invalid/feed"  # the address of a feed whose source nobody names
SHOWN = 20  # titles of one kind in one version


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Replay versions. Exit code 1 if one could not be read."""
    settings = _settings(options, environ)
    if settings is None:
        return 2
    try:
        versions, redactor = (
            (versions_in(options.folder, utc_now()), PrivateRedactor(())) if options.folder else _stored(settings)
        )
    except NothingToReplay as error:
        print(f"aggregator: {error}", file=sys.stderr)
        return 2
    with Replay(settings, versions) as replay:
        steps = tuple(replay.steps())
    record = replay_record(options.folder, steps)
    if options.json:
        print(json_text(redactor.record(record)))
    else:
        print(redactor.text(in_words(steps, with_titles=options.verbose > 0)))
    return 1 if any(step.error for step in steps) else 0


def _settings(options: argparse.Namespace, environ: Mapping[str, str]) -> Settings | None:
    """Return settings with one source: a source of feeds.yaml, or one with defaults. None after a message on stderr."""
    key = options.stored or options.source
    if key is None:
        return read_config(json.dumps({"sources": [STRANGER]}).encode(), Path("feeds.yaml"), {})
    settings = load_config(options.config, environ)
    keys = keys_of([key], settings, options.config)
    for source in settings.sources:
        if keys and source.key == keys[0]:
            kind = Kind.FEED if source.reading.kind is Kind.FILE else source.reading.kind
            polled = replace(source, paused=False, reading=replace(source.reading, kind=kind))
            return replace(settings, sources=(polled,))
    return None


def _stored(settings: Settings) -> tuple[list[Version], PrivateRedactor]:
    """Return the stored bodies of the one source, and the redaction of its addresses if it is private."""
    (source,) = settings.sources
    store = read_store(settings)
    try:
        with store.read() as tx:
            redactor = redactor_of_private(tx, settings.sources)
        return stored_versions(store, source.key), redactor
    finally:
        store.close()


def in_words(steps: Sequence[Step], *, with_titles: bool) -> str:
    """Return the lines of a replay: each version, and the totals."""
    lines: list[str] = []
    for step in steps:
        lines.append(f"{step.name}  {step.at:%Y-%m-%d %H:%M:%S} UTC  {_counts(step)}")
        lines += _titles(step) if with_titles else ()
    totals = {kind: sum(len(step.found.get(kind, ())) for step in steps) for kind in KINDS}
    said = ", ".join(f"{count} {kind}" for kind, count in totals.items() if count)
    lines.append(f"{len(steps)} versions: {said or 'no entry'}")
    return printable("\n".join(lines))


def _counts(step: Step) -> str:
    if step.error:
        return step.error
    if step.outcome == "not_modified":
        return "the same again"
    counts = [f"{len(step.found[kind])} {kind}" for kind in KINDS if step.found.get(kind)]
    return ", ".join([f"{step.listed} listed", *counts, f"{step.unchanged} unchanged"])


def _titles(step: Step) -> Iterator[str]:
    for kind in KINDS:
        named = step.found.get(kind, ())
        for one in named[:SHOWN]:
            yield f"    {kind:9}  {one.title or one.link or '(untitled)'}"
        if len(named) > SHOWN:
            yield f"    {kind:9}  … and {len(named) - SHOWN} more"
