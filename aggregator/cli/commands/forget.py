"""Withdraw a story for good, and remove its texts from the store."""

import argparse
import logging
from collections.abc import Mapping

from aggregator.cli.commands import STORY_NAMES, add_examples

LEVEL = logging.WARNING


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Withdraws a story from every category, archive page and post, as `retract` does, and removes its title, link, "
        "texts, authors, tags and earlier versions from the store, for all its copies. It can't be undone. No poll and "
        "no copy brings it back. Says what readers will see and asks first. Works beside a running `serve`."
    )
    parser.add_argument("id", metavar="ENTRY", help=STORY_NAMES)
    parser.add_argument("--yes", action="store_true", help="forget without a question; needed in scripts")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")
    add_examples(parser, "forget https://example.org/2026/a-story", "forget https://example.org/2026/a-story --yes")


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Run the command and return its exit code."""
    from aggregator.cli.names import unknown_entry

    if unknown_entry([options.id], options, environ):
        return 2
    from aggregator.cli import forget

    return forget.run(options, environ)
