"""Merge two stories into one."""

import argparse
import logging
from collections.abc import Mapping

from aggregator.cli.commands import STORY_NAMES, add_examples

LEVEL = logging.WARNING


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Merges story B into story A. B's entries move to A, B is withdrawn from its categories with "
        "a tombstone, and A enters those where only B was. Works beside a running `serve`; `unmerge` undoes it."
    )
    parser.add_argument("kept", metavar="A", help=STORY_NAMES)
    parser.add_argument("merged", metavar="B", help="the same, of the story that is merged into A")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")
    add_examples(
        parser,
        "merge https://example.org/2026/a-story https://example.org/2026/its-copy",
    )


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Merge two stories (T7)."""
    from aggregator.cli.names import unknown_entry

    if unknown_entry([options.kept, options.merged], options, environ):
        return 2
    from aggregator.cli.corrections import correct, meant
    from aggregator.model.correction import Act

    return correct(
        options,
        environ,
        Act.MERGE,
        lambda tx: {"story": meant(tx, options.kept).story, "other": meant(tx, options.merged).story},
    )
