"""Bring the state back, from a backup or from what was published."""

import argparse
import logging
from collections.abc import Mapping

LEVEL = logging.WARNING


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", metavar="FILE", help="a copy that `backup` made")
    parser.add_argument("--from-site", metavar="URL-OR-FOLDER", help="rebuild the state from what was published there")
    parser.add_argument("--if-any", action="store_true", help="with --from-site: nothing published yet is no failure")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Carry the command out."""
    from aggregator.cli import restore

    return restore.run(options, environ)
