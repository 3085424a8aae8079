"""Put the feeds of a feed reader or of another planet into feeds.yaml."""

import argparse
import logging
from collections.abc import Mapping
from pathlib import Path

from aggregator.cli.commands import add_edit_arguments, add_examples

LEVEL = logging.ERROR


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Reads OPML as feed readers export it, config.ini of Planet and Planet Venus, the ini file of Pluto, or "
        "osmosfeed.yaml. Groups become categories, titles are kept, feeds that are sources already stay as they are, "
        "and copies under the names of the old outputs are proposed. Shows what changes in feeds.yaml and asks before "
        "it is written; a missing feeds.yaml is begun. No feed is fetched. Exit code 1 if nothing was written, or a "
        "feed of the file could not be taken over."
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="a local file")
    category = "for all feeds, in place of groups; may be repeated"
    parser.add_argument("--category", action="append", default=[], metavar="NAME", help=category)
    add_edit_arguments(parser)
    examples = "import subscriptions.opml", "import venus/config.ini --dry-run", "import ruby.ini --category ruby --yes"
    add_examples(parser, *examples)


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Run the command and return its exit code."""
    from aggregator.cli.importing import command

    return command.run(options, environ)
