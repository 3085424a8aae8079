"""Show what would change if feeds.yaml, or another file in its place, went live."""

import argparse
import logging
from collections.abc import Mapping
from pathlib import Path

LEVEL = logging.WARNING


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Shows what would change if this feeds.yaml went live: sources and categories that come, go or change, and "
        "what its rules would make of the stored entries of the last week. Compares with what was in force last; asks "
        "nobody and writes nothing, so it works beside a running `serve`."
    )
    parser.add_argument("new", nargs="?", type=Path, metavar="NEW.yaml", help="default: the feeds.yaml of -c")
    parser.add_argument("--exit-code", action="store_true", help="exit 1 if anything would change")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Carry the command out."""
    from aggregator.cli import plan

    return plan.run(options, environ)
