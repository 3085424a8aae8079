"""Restore the state, from a backup or from published files."""

import argparse
import logging
from collections.abc import Mapping

LEVEL = logging.WARNING


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", metavar="FILE", help="a copy that `backup` made")
    parser.add_argument("--from-site", metavar="URL-OR-FOLDER", help="rebuild the state from the files published there")
    parser.add_argument(
        "--if-any", action="store_true", help="with --from-site: exit 0 if nothing is published there yet"
    )
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Carry the command out."""
    from aggregator.cli import restore

    return restore.run(options, environ)
