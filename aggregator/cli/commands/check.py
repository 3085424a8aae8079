"""Say what is wrong with feeds.yaml; with --live, with its sources."""

import argparse
import logging
from collections.abc import Mapping

LEVEL = logging.ERROR


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Says what is wrong with feeds.yaml, without touching network or store. With --live each source is asked once, "
        "as politely as a poll would, and what it answers is told: nothing is stored. Exit 1 if something wants a hand."
    )
    parser.add_argument("keys", nargs="*", metavar="KEY", help="with --live: these sources only, by title, key or URL")
    parser.add_argument("--live", action="store_true", help="ask the sources too")
    parser.add_argument("--strict", action="store_true", help="with --live: exit 1 for what was odd as well")
    parser.add_argument("--server", choices=("waitress", "granian"), help="whether `serve --server` could start it")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Carry the command out."""
    from aggregator.cli import check

    return check.run(options, environ)
