"""Say how sources and categories stand, what needs a hand first."""

import argparse
import logging
from collections.abc import Mapping

LEVEL = logging.WARNING


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("key", nargs="?", metavar="KEY", help="all about one source, by title, key or URL")
    parser.add_argument("--all", action="store_true", help="list everything one by one, also what is alike")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Carry the command out."""
    from aggregator.cli import status

    return status.run(options, environ)
