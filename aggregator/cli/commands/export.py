"""Print the sources as OPML, for another reader or planet."""

import argparse
import logging
from collections.abc import Mapping

from aggregator.cli.commands import add_examples

LEVEL = logging.ERROR


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Prints an OPML document with the sources that are feeds, each in the group of its categories, with their "
        "titles and web pages as far as they are known; feeds of lists are among them. Passwords and values of "
        "variables are never in it, nor private sources unless --private is given. What is left out is named on stderr."
    )
    parser.add_argument("--category", metavar="NAME", help="only this category, by key or title")
    parser.add_argument("--private", action="store_true", help="private sources as well")
    add_examples(parser, "export > planet.opml", "export --category python > python.opml")


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Run the command and return its exit code."""
    from aggregator.cli import export

    return export.run(options, environ)
