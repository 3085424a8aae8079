"""Show what would change if feeds.yaml, or another file in its place, came into force."""

import argparse
import logging
from collections.abc import Mapping
from pathlib import Path

from aggregator.cli.commands import add_examples

LEVEL = logging.WARNING


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Shows what would change if this feeds.yaml came into force: added, removed and changed sources and "
        "categories, and the effect of its rules on the stored entries of the last week. Compares with the settings in "
        "force. Fetches nothing and writes nothing, so it works beside a running `serve`."
    )
    parser.add_argument("new", nargs="?", type=Path, metavar="NEW.yaml", help="default: the feeds.yaml of -c")
    parser.add_argument("--exit-code", action="store_true", help="exit 1 if anything would change")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")
    add_examples(
        parser,
        "plan",
        "plan new.yaml --exit-code",
    )


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Run the command and return its exit code."""
    if options.new is not None and not options.new.exists():
        from aggregator.config import load_config

        load_config(options.new, environ)  # says why it can't be read
    from aggregator.cli import plan

    return plan.run(options, environ)
