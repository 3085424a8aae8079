"""Find the feed behind an address, try it, and write it into feeds.yaml."""

import argparse
import logging
from collections.abc import Mapping

LEVEL = logging.ERROR


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Finds the feed behind an address: the address itself, what its page names, or, if it names none, one of three "
        "well-known paths. The feed is read once, and written into feeds.yaml, where all that stands there stays. "
        "Of a local OPML file, all feeds are written there, and none is read. "
        "Exit 1 if an address was not added."
    )
    parser.add_argument("urls", nargs="+", metavar="URL", help="of a feed or of a page; or an OPML file")
    parser.add_argument(
        "--category", action="append", default=[], metavar="NAME", help="where it goes; may be repeated"
    )
    parser.add_argument("--title", help="instead of the feed's own")
    parser.add_argument("--yes", action="store_true", help="ask nothing: of several feeds take the best")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Carry the command out."""
    from aggregator.cli import add

    return add.run(options, environ)
