"""Stop polling sources for a while."""

import argparse
import logging
from collections.abc import Mapping

from aggregator.cli.commands import SOURCE_NAMES, add_edit_arguments, add_examples

LEVEL = logging.ERROR


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Writes `paused: true` at sources in feeds.yaml: they are not polled until `resume`. What they published "
        "stays. Shows what changes and asks before feeds.yaml is written."
    )
    parser.add_argument("source", nargs="+", metavar="SOURCE", help=SOURCE_NAMES)
    add_edit_arguments(parser)
    add_examples(parser, "pause lwn", 'pause "Example Blog" https://example.org/feed --yes')


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Run the command and return its exit code."""
    from aggregator.cli import hands

    return hands.run_pause(options, environ, paused=True)
