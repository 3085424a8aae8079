"""Withdraw a story from every category, or bring it back."""

import argparse
import logging
from collections.abc import Mapping

from aggregator.cli.commands import STORY_NAMES, add_examples

LEVEL = logging.WARNING


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Withdraws a story from every category. Atom feeds contain a tombstone for 30 days, so that readers drop it. "
        "No revision and no copy brings the story back, only --undo does. Works beside a running `serve`."
    )
    parser.add_argument("id", metavar="ID", help=STORY_NAMES)
    parser.add_argument("--undo", action="store_true", help="bring it back: the same id, order and page")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")
    add_examples(
        parser,
        "retract https://example.org/2026/a-story",
        "retract https://example.org/2026/a-story --undo",
    )


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Retract a story, or undo that (A42, M8)."""
    from aggregator.cli.names import unknown_entry

    if unknown_entry([options.id], options, environ):
        return 2
    from aggregator.cli.corrections import correct, meant
    from aggregator.model.correction import Act

    return correct(
        options, environ, Act.RETRACT, lambda tx: {"story": meant(tx, options.id).story, "undo": options.undo}
    )
