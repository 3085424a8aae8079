"""Rename a source or a category."""

import argparse
import logging
from collections.abc import Mapping

from aggregator.cli.commands import SOURCE_NAMES, add_edit_arguments, add_examples

LEVEL = logging.ERROR


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Writes the title of a source or a category, which pages and feeds show; keys, addresses and history stay. "
        "With --key it writes another key, which commands and feeds.yaml use, wherever it is named, and `was:`, so "
        "that history, addresses, ids and archive go on. With --url it writes another address of a source, for a feed "
        "that moved. Shows what changes and asks before feeds.yaml is written."
    )
    parser.add_argument(
        "name", metavar="SOURCE|CATEGORY", help=f"a source: {SOURCE_NAMES}; a category: its key or title"
    )
    parser.add_argument("new", metavar="NEW", help="the new title, key or address")
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--key", action="store_true", help="NEW is a key")
    kinds.add_argument("--url", action="store_true", help="NEW is an address, and the name that of a source")
    category = "the name is a category, not a source"
    parser.add_argument("--category", dest="is_category", action="store_true", help=category)
    add_edit_arguments(parser)
    add_examples(
        parser,
        'rename lwn "LWN News"',
        'rename software "Free Software"',
        "rename blog.example.org-1f0c2a9d blog --key",
        "rename https://example.org/feed --url https://example.org/atom.xml",
    )


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Run the command and return its exit code."""
    from aggregator.cli import hands

    return hands.run_rename(options, environ)
