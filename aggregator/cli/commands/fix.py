"""Correct feeds.yaml where the polls so far have proven what is wrong."""

import argparse
import logging
import sys
from collections.abc import Mapping

from aggregator.cli.commands import add_examples

LEVEL = logging.ERROR


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Shows as a patch what the polls so far have proven: sources that moved for good, are gone or dead for 90 "
        "days, are polled twice, are in another character set, are pages that name their feed, or lose entries between "
        "two polls. Each change has a line that says why. Sends no request. With --apply it asks and writes feeds.yaml."
    )
    parser.add_argument("--apply", action="store_true", help="write feeds.yaml, after a question on a terminal")
    parser.add_argument("--yes", action="store_true", help="with --apply: write without a question; needed in scripts")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")
    add_examples(parser, "fix", "fix --apply", "fix --apply --yes")


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Run the command and return its exit code."""
    if options.yes and not options.apply:
        print("aggregator: --yes is for `fix --apply`; add --apply", file=sys.stderr)
        return 2
    from aggregator.cli import fix

    return fix.run(options, environ)
