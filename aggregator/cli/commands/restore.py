"""Restore the state, from a backup or from published files."""

import argparse
import logging
import sys
from collections.abc import Mapping
from pathlib import Path

from aggregator.cli.commands import add_examples
from aggregator.errors import StoreError

LEVEL = logging.WARNING


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", metavar="FILE", help="a copy that `backup` made")
    parser.add_argument("--from-site", metavar="URL-OR-FOLDER", help="rebuild the state from the files published there")
    parser.add_argument(
        "--if-any", action="store_true", help="with --from-site: exit 0 if nothing is published there yet"
    )
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")
    add_examples(
        parser,
        "restore copy.db",
        "restore --from-site public",
        "restore --from-site https://planet.example.org/ --if-any",
    )


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Run the command and return its exit code."""
    if (options.file is None) == (options.from_site is None):
        print("aggregator: write the file of a backup, or --from-site and a URL or folder", file=sys.stderr)
        return 2
    if options.file is not None and not Path(options.file).is_file():
        raise StoreError(f"{options.file}: there is no such file")
    from aggregator.cli import restore  # late: what is refused needs nothing else

    return restore.run(options, environ)
