"""Find stored entries by their words, published or not."""

import argparse
import logging
from collections.abc import Mapping

from aggregator.cli.commands import add_examples

LEVEL = logging.WARNING


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Finds entries that contain all the words, newest first, published or not. Words in quotes must follow each "
        "other; a word after a - must not occur (write it after --). Works beside a running `serve`."
    )
    parser.add_argument("query", nargs="+", metavar="QUERY", help="words to look for")
    parser.add_argument("--limit", type=_count, default=20, metavar="N", help="largest number of entries; default: 20")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")
    add_examples(
        parser,
        "search solar power",
        "search '\"solar power\"' --limit 5",
        "search --json solar",
    )


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Run the command and return its exit code."""
    from aggregator.cli import search

    return search.run(options, environ)


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 10_000:
        raise argparse.ArgumentTypeError(f"{text} is out of range; write a number from 1 to 10000")
    return number
