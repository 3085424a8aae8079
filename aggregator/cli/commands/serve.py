"""Poll, publish and serve, until SIGTERM."""

import argparse
import logging
from collections.abc import Mapping

from aggregator.cli.commands import add_examples

LEVEL = logging.INFO


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--last-good", action="store_true", help="if feeds.yaml is broken, start with the last good one"
    )
    parser.add_argument(
        "--server", choices=("waitress", "granian"), default="waitress", help="granian: faster, with the extra granian"
    )
    add_examples(
        parser,
        "serve",
        "serve --last-good --server granian",
    )


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Run the command and return its exit code."""
    from aggregator.cli import serve

    return serve.run(options, environ)
