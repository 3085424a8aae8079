"""Publish the held entries of a source that looks like another feed."""

import argparse
import logging
from collections.abc import Mapping

from aggregator.cli.commands import add_examples

LEVEL = logging.WARNING


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Confirms that a source is the feed you want although its id, title or site has changed and none of its "
        "entries was known. Its held entries are published. `aggregator status` lists such sources as suspect."
    )
    parser.add_argument("key", metavar="KEY", help="of a source that is suspect")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")
    add_examples(
        parser,
        "accept lwn",
    )


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Publish the held entries of a suspect source (R44)."""
    from aggregator.cli.names import unknown_source

    if unknown_source(options.key, options, environ):
        return 2
    from aggregator.cli.corrections import correct, source_to_accept
    from aggregator.model.correction import Act

    return correct(options, environ, Act.ACCEPT, source_to_accept(options, environ))
