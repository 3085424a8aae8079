"""Shared part of the commands that edit feeds.yaml: checks the new text, shows the difference, asks, and writes."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from difflib import unified_diff
from pathlib import Path
from typing import Any

from aggregator.cli.terminal import json_text, printable
from aggregator.config.loader import MAX_BYTES, read_config
from aggregator.config.positions import EditRefused
from aggregator.config.saving import replace_config
from aggregator.errors import ConfigError
from aggregator.model.redactor import Redactor
from aggregator.model.settings import Settings, Source
from aggregator.model.tokens import PrivateRedactor

DONE, NOT_DONE, WRONG = 0, 1, 2  # exit codes


def core(source: Source) -> Source:
    """Return a source without the fields that another source may change: line number and share of a crowded host."""
    return replace(source, line=0, crowding=timedelta(0))


def read_file(path: Path) -> bytes | None:
    """Return the bytes of feeds.yaml; None if there is no such file."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None


def checked(data: bytes, expected: Settings, environ: Mapping[str, str]) -> Settings:
    """Load an edited feeds.yaml, which must have the expected settings.

    Args:
        data: the new content.
        expected: settings with the intended change; of its categories those that are declared count, since the others
            follow from the sources.
        environ: variables for `${NAME}`.

    Raises:
        EditRefused: the settings are others, or the new text has errors.
    """
    try:
        settings = read_config(data, expected.path, environ)
    except ConfigError as error:
        raise EditRefused("; ".join(problem.what for problem in error.problems)) from error
    if _comparable(settings) != _comparable(expected):
        raise EditRefused("the layout of feeds.yaml can't be edited by a program; edit it by hand")
    return settings


def _comparable(settings: Settings) -> Settings:
    """Return settings without line numbers, which every edit moves."""
    jekyll, nowhere = settings.publish.jekyll, (1, 1)
    if jekyll is not None:
        jekyll = replace(jekyll, file_at=nowhere, template_at=nowhere)
    return replace(
        settings,
        sources=tuple(map(core, settings.sources)),
        categories=tuple(category for category in settings.categories if category.declared),
        publish=replace(settings.publish, theme_at=nowhere, jekyll=jekyll),
        warnings=(),
        notes=(),
    )


def finish(
    options: argparse.Namespace,
    before: bytes | None,
    after: bytes,
    settings: Settings,
    *,
    effects: Sequence[str] = (),
    said: str,
    record: Mapping[str, Any],
) -> int:
    """Show what an edit changes, ask whether to write it, write it, and report.

    Args:
        options: of the command line, with those of `add_edit_arguments`.
        before: content of feeds.yaml; None if there is none.
        after: the new content.
        settings: of all sources that the report may name; their secrets are replaced in it.
        effects: lines that tell what follows from the edit.
        said: what was done, for the end of the report.
        record: what `--json` reports besides.

    Returns:
        The exit code.
    """
    path: Path = options.config
    private = [source for source in settings.sources if source.private]
    addresses = PrivateRedactor([url for source in private for url in (source.url, *source.was)])
    redactor = Redactor.of(settings)
    lines = [addresses.text(redactor.text(printable(line))) for line in diff_of(before, after, path)]
    effects, said = [addresses.text(line) for line in effects], addresses.text(said)
    if not options.json:
        for line in (*lines, *effects):
            print(line)
        sys.stdout.flush()
    is_written = after != before and _is_wanted(options)
    if is_written:
        replace_config(path, before, after)
    if options.json:
        shown = {"version": 1, "config": str(path), "written": is_written, **record, "diff": "\n".join(lines)}
        print(json_text(shown))
    elif after == before:
        print(printable(said))
    elif is_written:
        print(f"{printable(said)}; {path} is written, and a running `serve` takes it up by itself")
    return DONE if is_written or options.dry_run or after == before else NOT_DONE


def diff_of(before: bytes | None, after: bytes, path: Path) -> list[str]:
    """Return the lines of a unified diff of feeds.yaml."""
    old, new = ((data or b"").decode("utf-8", "replace").splitlines() for data in (before, after))
    return list(unified_diff(old, new, str(path), f"{path} (edited)", lineterm=""))


def _is_wanted(options: argparse.Namespace) -> bool:
    """Report whether to write: as the options say, else as the operator answers."""
    if options.dry_run:
        return False
    if options.yes:
        return True
    if options.json or not (sys.stdin.isatty() and sys.stderr.isatty()):
        print("aggregator: not written: there is nobody to ask here; --yes writes it", file=sys.stderr)
        return False
    print(f"Write this to {options.config}? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return True
    print("aggregator: nothing was written", file=sys.stderr)
    return False
