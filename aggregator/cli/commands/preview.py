"""Show what a source would publish now, storing nothing."""

import argparse
import logging
from collections.abc import Mapping
from pathlib import Path

from aggregator.cli.commands import add_examples

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
    add_examples(
        parser,
        "preview lwn",
        "preview https://example.org/feed",
        "preview lwn --dedupe near",
    )


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Run the command and return its exit code."""
    from aggregator.cli.names import refused

    near = "" if options.dedupe else "write a title or a key of its sources, a URL with https://, or a file's path"
    is_stranger = not options.dedupe and ("://" in options.source or Path(options.source).is_file())
    if not is_stranger and refused([options.source], options, environ, near):
        return 2
    from aggregator.cli import preview  # late: what is refused needs nothing else

    return preview.run(options, environ)
