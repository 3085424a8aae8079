"""Report errors in feeds.yaml; with --live, check its sources."""

import argparse
import logging
import sys
from collections.abc import Mapping

from aggregator.cli.commands import add_examples

LEVEL = logging.ERROR


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Reports errors in feeds.yaml without network and store. With --live each source is fetched once, as politely "
        "as by a poll, and its answer is reported; nothing is stored. Exit code 1 if a source needs attention."
    )
    parser.add_argument("keys", nargs="*", metavar="KEY", help="with --live: these sources only, by title, key or URL")
    parser.add_argument("--live", action="store_true", help="fetch the sources as well")
    parser.add_argument("--all", action="store_true", help="with --live: list each source, also where many are alike")
    parser.add_argument("--strict", action="store_true", help="with --live: exit 1 for harmless findings as well")
    parser.add_argument("--server", choices=("waitress", "granian"), help="check that `serve --server` can start it")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")
    add_examples(parser, "check", "check --live", "check --live -q --all", "check --live --strict --json")


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Run the command and return its exit code."""
    if (options.keys or options.strict or options.all) and not options.live:
        which = "KEY" if options.keys else "--strict" if options.strict else "--all"
        print(f"aggregator: {which} is for `check --live`; add --live", file=sys.stderr)
        return 2
    from aggregator.cli.names import refused

    if refused(options.keys, options, environ):
        return 2
    from aggregator.cli import check  # late: what is refused needs nothing else

    return check.run(options, environ)
