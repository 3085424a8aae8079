"""Remove sources from feeds.yaml."""

import argparse
import logging
from collections.abc import Mapping

from aggregator.cli.commands import SOURCE_NAMES, add_edit_arguments, add_examples

LEVEL = logging.ERROR


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Removes sources from feeds.yaml. They are no longer polled; what they published stays, as after any other way "
        "of removing them. Shows what changes and asks before feeds.yaml is written."
    )
    parser.add_argument("source", nargs="+", metavar="SOURCE", help=SOURCE_NAMES)
    add_edit_arguments(parser)
    add_examples(parser, "remove lwn", "remove https://example.org/feed --yes")


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Run the command and return its exit code."""
    from aggregator.cli import hands

    return hands.run_remove(options, environ)
