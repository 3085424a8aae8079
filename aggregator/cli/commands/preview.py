"""Show what a source would publish now, storing nothing."""

import argparse
import logging
from collections.abc import Mapping

LEVEL = logging.ERROR


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Shows what a source would publish now: its entries, which of them are new, which rules reject them, and which "
        "stories they would join. Nothing is stored, so it works beside a running `serve`. The source is fetched once, "
        "without validators, since a 304 would show nothing; not if it was fetched in the last five minutes."
    )
    parser.add_argument(
        "source", metavar="SOURCE", help="a title, key or URL in feeds.yaml, any other URL, or a local file"
    )
    parser.add_argument(
        "--dedupe",
        metavar="VALUE",
        help="show instead, from the store alone, which of its entries would be merged or separated if `defaults` and "
        "this source had this value: near, exact, off, or '{near: 0.8, window: 14d}'",
    )
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Carry the command out."""
    from aggregator.cli import preview

    return preview.run(options, environ)
