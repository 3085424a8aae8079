"""Examine store, outputs, disk, clock and versions, and tell what mends them."""

import argparse
import logging
from collections.abc import Mapping

from aggregator.cli.commands import add_examples

LEVEL = logging.ERROR


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Examines what the program stands on: feeds.yaml, store, lock, permissions, disk, outputs, "
        "addresses, clock, versions and runs. Each has one line: fine, or what is wrong and what "
        "mends it. Only reads, also while `serve` runs, with a broken feeds.yaml or without a store. "
        "Exit code 1 if there is anything to mend."
    )
    parser.add_argument("--live", action="store_true", help="also look up the host of site.base_url")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")
    add_examples(
        parser,
        "doctor",
        "doctor --live",
        "doctor --json",
    )


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Run the command and return its exit code."""
    from aggregator.cli import doctor

    return doctor.run(options, environ)
