"""Explain an entry, story, source, host or category from recorded events, or why two entries are one story or two."""

import argparse
import logging
import sys
from collections.abc import Mapping

from aggregator.cli.commands import add_examples

LEVEL = logging.WARNING
LOOKED_UP = (
    "Looked up: the keys, titles and URLs of sources, their hosts, the keys, slugs and files of categories, the ids of "
    "stories and of their pages, and the numbers, own ids and links of stored entries. If it is none of these, no "
    "document that was read contained it: `aggregator why SOURCE` shows when a source was polled last."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("thing", metavar="THING", help="an entry or a story, a source's key, a host, a category")
    parser.add_argument("other", metavar="OTHER", nargs="?", help="a second entry: what the two have in common")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")
    add_examples(
        parser,
        "why https://example.org/2026/a-story",
        "why https://example.org/2026/a-story https://example.org/2026/its-copy",
        "why lwn",
        "why software",
        "why example.org",
    )


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Run the command and return its exit code."""
    from aggregator.cli.names import unknown_name

    if options.other is None and unknown_name(options.thing, options, environ):
        print(f"aggregator: nothing is called {options.thing}. {LOOKED_UP}", file=sys.stderr)
        return 2
    from aggregator.cli import why

    return why.run(options, environ)
