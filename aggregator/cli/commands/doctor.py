"""Examine store, outputs, disk, clock and versions, and tell what mends them."""

import argparse
import logging
from collections.abc import Mapping

LEVEL = logging.ERROR


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = (
        "Examines what the program stands on: feeds.yaml, store, lock, permissions, disk, outputs,\n"
        "addresses, clock, versions and runs. Each has one line: fine, or what is wrong and what\n"
        "mends it. Only reads, also while `serve` runs, with a broken feeds.yaml or without a store.\n"
        "Exit code 1 if there is anything to mend."
    )
    parser.epilog = (
        "examples:\n"
        "  aggregator doctor            what is wrong on this machine\n"
        "  aggregator doctor --live     also look up the host of site.base_url\n"
        "  aggregator doctor --json     the same for a program"
    )
    parser.add_argument("--live", action="store_true", help="also look up the host of site.base_url")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Carry the command out."""
    from aggregator.cli import doctor

    return doctor.run(options, environ)
