"""Show the state of sources and categories, problems first."""

import argparse
import logging
from collections.abc import Mapping

from aggregator.cli.commands import add_examples

LEVEL = logging.WARNING


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("key", nargs="?", metavar="KEY", help="show one source in detail, by title, key or URL")
    parser.add_argument("--all", action="store_true", help="list everything, without folding similar lines")
    parser.add_argument(
        "--exit-code",
        action="store_true",
        help="show only what needs a hand, and nothing if nothing does; exit with 1 if anything does, else with 0",
    )
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")
    add_examples(
        parser,
        "status",
        "status lwn",
        "status --all",
        "status --exit-code",
    )


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Run the command and return its exit code."""
    from aggregator.cli.names import refused

    if options.key and refused([options.key], options, environ):
        return 2
    from aggregator.cli import status  # late: what is refused needs nothing else

    return status.run(options, environ)
