"""Poll sources that are due, publish what changed, and end: for cron and CI."""

import argparse
import logging
from collections.abc import Mapping

LEVEL = logging.WARNING


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("keys", nargs="*", metavar="KEY", help="poll these sources, by title, key or URL, due or not")
    parser.add_argument("--all", action="store_true", help="poll all sources that are not paused, due or not")
    parser.add_argument("--for", dest="limit", default="10m", metavar="TIME", help="stop after that time; 0: no limit")
    parser.add_argument("--strict", action="store_true", help="exit 1 if a source failed")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Carry the command out."""
    from aggregator.cli import poll

    return poll.run(options, environ)
