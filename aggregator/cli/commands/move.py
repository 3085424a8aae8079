"""Put a source into another category."""

import argparse
import logging
from collections.abc import Mapping

from aggregator.cli.commands import SOURCE_NAMES, add_edit_arguments, add_examples

LEVEL = logging.ERROR


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Writes the categories of a source in feeds.yaml, in place of those it has. A category that does not exist is "
        "created. New entries go there; what was published stays where it is, and the newest entries are published in "
        "the new category as well. Shows what changes and asks before feeds.yaml is written."
    )
    parser.add_argument("source", metavar="SOURCE", help=SOURCE_NAMES)
    parser.add_argument("category", nargs="+", metavar="CATEGORY", help="key or title of a category")
    add_edit_arguments(parser)
    add_examples(parser, "move lwn software", "move lwn software linux --yes")


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Run the command and return its exit code."""
    from aggregator.cli import hands

    return hands.run_move(options, environ)
