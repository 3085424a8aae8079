"""Poll paused sources again."""

import argparse
import logging
from collections.abc import Mapping

from aggregator.cli.commands import SOURCE_NAMES, add_edit_arguments, add_examples

LEVEL = logging.ERROR


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Removes `paused: true` from sources in feeds.yaml. Shows what changes and asks before feeds.yaml is written."
    )
    parser.add_argument("source", nargs="+", metavar="SOURCE", help=SOURCE_NAMES)
    add_edit_arguments(parser)
    add_examples(parser, "resume lwn --yes")


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Run the command and return its exit code."""
    from aggregator.cli import hands

    return hands.run_pause(options, environ, paused=False)
