"""Read successive versions of a feed as if they had been polled."""

import argparse
import logging
import sys
from collections.abc import Mapping
from pathlib import Path

from aggregator.cli.commands import add_examples

LEVEL = logging.ERROR


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Reads the files of a folder, in the order of their names, as successive versions of one feed, as if each had "
        "been polled, and reports what each would have brought. Fetches nothing and writes nothing. An index.json in "
        "the folder may give the time of each version. -v lists the entries."
    )
    parser.add_argument("folder", type=Path, nargs="?", metavar="DIR", help="with 000.xml, 001.xml, ... of one feed")
    parser.add_argument("--stored", metavar="KEY", help="instead of a folder: what the store keeps of this source")
    parser.add_argument("--source", metavar="KEY", help="with the settings and rules of this source of feeds.yaml")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")
    add_examples(
        parser,
        "replay versions/ --source lwn",
        "replay --stored lwn --json",
    )


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Run the command and return its exit code."""
    from aggregator.cli.names import refused

    if (options.folder is None) == (options.stored is None):
        print("aggregator: name a folder, or a source by --stored KEY", file=sys.stderr)
        return 2
    if options.folder is not None and not options.folder.is_dir():
        what = "is not a folder; name a folder with versions of a feed: 000.xml, 001.xml, …"
        print(f"aggregator: {options.folder} {what}", file=sys.stderr)
        return 2
    if refused([*filter(None, (options.stored, options.source))], options, environ):
        return 2
    from aggregator.cli import replay  # late: what is refused needs nothing else

    return replay.run(options, environ)
