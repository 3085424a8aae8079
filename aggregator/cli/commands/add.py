"""Find the feed behind an address, read it, and add it to feeds.yaml."""

import argparse
import logging
from collections.abc import Mapping

from aggregator.cli.commands import add_examples

LEVEL = logging.ERROR


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Finds the feed behind an address: the address itself, a feed that its page links to, or, if it links to none, "
        "one of three well-known paths. The feed is fetched once and added to feeds.yaml, whose text otherwise stays "
        "as it is. From a local OPML file all feeds are added, and none is fetched. "
        "Exit code 1 if an address was not added."
    )
    parser.add_argument("urls", nargs="+", metavar="URL", help="of a feed or of a page; or an OPML file")
    parser.add_argument(
        "--category", action="append", default=[], metavar="NAME", help="category of the source; may be repeated"
    )
    parser.add_argument("--title", help="title in place of the feed's own")
    parser.add_argument("--yes", action="store_true", help="ask no question: of several feeds, take the best")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")
    add_examples(
        parser,
        "add https://example.org/ --category software",
        "add example.org/feed another.example/blog --yes",
        "add blogs.opml --category blogs --yes",
    )


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Run the command and return its exit code."""
    from aggregator.cli import add

    return add.run(options, environ)
